"""Bundles for readers elsewhere: nothing in them gives an arm away, and answers come back whole, once and unaltered."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthview.errors import BundleError, SessionError, StudyError
from synthview.study.bundle import ReaderBundle
from synthview.study.bundle_export import export_bundle, export_responses
from synthview.study.bundle_import import Imported, import_responses
from synthview.study.place import load_stimulus, open_place
from synthview.study.session import ReadingSession
from synthview.study.study_check import check_study
from synthview.study.study_folder import StudyFolder
from tests.study.small_study import PASSPHRASE, PUBLISHED, RESUMABLE, make_study, walk

GIVEAWAYS = (b"zebragan", b"quaggaldm", b"oasis", b"hospital", b"secret", b".nii", b"checkpoint", b"brighter")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[StudyFolder]:
    with make_study(tmp_path / "study", RESUMABLE) as made:
        yield made


def bundle_of(study: StudyFolder, *readers: str) -> Path:
    return export_bundle(study, readers, study.path.parent / f"{'-'.join(readers)}.svbundle")


def answered(bundle: Path, reader: str, most: int | None = None) -> Path:
    """The response file after a reader has answered up to so many trials."""
    with ReaderBundle.open(bundle) as place:
        with ReadingSession.begin(place, reader) as session:
            walk(session, most)
        return export_responses(place, bundle.with_name(f"{reader}-{most}.svanswers"))


@pytest.mark.parametrize("protocol", [PUBLISHED, RESUMABLE], ids=["2afc", "turing"])
def test_nothing_a_reader_gets_names_an_arm_or_a_file(tmp_path: Path, protocol: str) -> None:
    with make_study(tmp_path / "study", protocol) as study:
        assert study.key(PASSPHRASE).to_dict()["protocol"].count("zebragan")  # it would be found if it were there
        reader = study.store.readers[0]
        bundle = bundle_of(study, reader)
        stimuli = [path.name for path in (study.path / "stimuli").iterdir()]
    with ReaderBundle.open(bundle) as place, ReadingSession.begin(place, reader) as session:
        seen = [repr(trial) for trial in session.trials]
        seen += [repr(vars(load_stimulus(place, name))) for trial in session.trials for name in trial.stimuli]
        session.log("slice", plane="axial", index=1)
        walk(session, 3)
        seen.append(repr(place.store.protocol))
        seen.append(repr([record.to_dict() for record in place.store.records(reader)]))
        seen.append(repr(place.store.notes("leak_check")))
        export_responses(place, tmp_path / "back.svanswers")
    files = [path for path in (*tmp_path.glob("*.sv*"), *tmp_path.glob("*.answers/*")) if path.is_file()]
    assert len(files) >= 3
    contents = [path.read_bytes() for path in files] + ["\n".join(seen + stimuli).encode()]
    with zipfile.ZipFile(bundle) as archive:
        contents += [archive.read(name) + name.encode() for name in archive.namelist()]
    for content in contents:
        for word in GIVEAWAYS:
            assert word not in content.lower()


def test_nothing_in_the_study_folder_names_an_arm_without_the_passphrase(study: StudyFolder) -> None:
    with ReadingSession.begin(study, "ann") as session:
        walk(session, 3)
    study.close()
    for path in study.path.rglob("*"):
        assert not any(word in path.name.lower().encode() for word in GIVEAWAYS)
        if path.is_file():
            content = path.read_bytes().lower()
            assert not any(word in content for word in GIVEAWAYS), path


def test_files_of_one_study_have_one_size_and_no_date(study: StudyFolder) -> None:
    names = list(study.store.stimuli())
    with study.store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT name FROM stimuli ORDER BY rowid").scalars().all() == sorted(names)
    with zipfile.ZipFile(bundle_of(study, "ann")) as archive:
        stimuli = [info for info in archive.infolist() if info.filename.startswith("stimuli/")]
        assert len({info.file_size for info in stimuli}) == len({info.compress_size for info in stimuli}) == 1
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert [info.filename for info in stimuli] == sorted(info.filename for info in stimuli)  # no order by arm


def test_a_bundle_reads_like_the_study_and_holds_its_own_readers_only(study: StudyFolder) -> None:
    bundle = bundle_of(study, "ann", "cy")
    with open_place(bundle) as place:
        assert place.store.readers == ("ann", "cy")
        assert place.store.trials("cy") == study.store.trials("cy")
        assert place.store.protocol == study.store.protocol
        assert place.store.sealed_key() == ""
        check_study(place)
        name = place.store.trials("ann")[0].stimuli[0]
        assert (load_stimulus(place, name).voxels == load_stimulus(study, name).voxels).all()


def test_answers_come_back_once_however_often_they_are_imported(study: StudyFolder) -> None:
    bundle = bundle_of(study, "ann", "bob")
    early = answered(bundle, "ann", 5)
    assert import_responses(study, early) == Imported(("ann",), 5, 5)
    assert import_responses(study, early) == Imported(("ann",), 5, 0)
    late = answered(bundle, "ann")
    assert import_responses(study, late) == Imported(("ann",), 20, 15)
    assert import_responses(study, early) == Imported(("ann",), 5, 0)
    both = answered(bundle, "bob", 2)
    assert import_responses(study, both) == Imported(("ann", "bob"), 22, 2)
    assert [note["answers"] for note in study.store.notes("imported")] == [5, 15, 2]
    facts = {one.reader: one.answered for one in check_study(study).readers}
    assert facts == {"ann": 20, "bob": 2, "cy": 0}


def test_a_session_with_a_bundle_leaves_the_file_to_send_back(study: StudyFolder) -> None:
    bundle = bundle_of(study, "ann")
    with ReaderBundle.open(bundle) as place:
        session = ReadingSession.begin(place, "ann")
        session.close()
        assert session.handed_back is None  # nothing is answered yet
        with ReadingSession.begin(place, "ann") as session:
            walk(session, 3)
        assert session.handed_back == bundle.with_suffix(".svanswers")
        assert import_responses(study, session.handed_back).new == 3
        with ReadingSession.begin(place, "ann") as session:
            walk(session)
            assert session.handed_back is not None  # there for the last page to name
            assert import_responses(study, session.handed_back).new == 17
    with ReadingSession.begin(study, "bob") as session:
        walk(session)
    assert session.handed_back is None


def test_altered_answers_are_refused_and_nothing_is_taken(study: StudyFolder) -> None:
    responses = answered(bundle_of(study, "ann"), "ann", 4)
    signed = json.loads(responses.read_text("utf-8"))
    flipped = signed["content"].replace('"choice":"real"', '"choice":"synthetic"', 1)
    assert flipped != signed["content"]
    for content in (
        {**signed, "content": flipped},
        {**signed, "signature": "00" * 64},
        {"content": signed["content"]},
    ):
        responses.write_text(json.dumps(content))
        with pytest.raises(BundleError, match="altered"):
            import_responses(study, responses)
    for damaged in (b"", b"{", b"[1, 2]", b'{"content": "{}", "signature": ""}', b"\xff\xfe"):
        responses.write_bytes(damaged)
        with pytest.raises(BundleError, match="not a response file"):
            import_responses(study, responses)
    assert study.store.records("ann") == []


def test_answers_of_another_study_or_bundle_are_refused(study: StudyFolder, tmp_path: Path) -> None:
    with make_study(tmp_path / "other" / "study", RESUMABLE, fresh=True) as other:
        foreign = answered(bundle_of(other, "ann"), "ann", 2)
        with pytest.raises(BundleError, match="another study"):
            import_responses(study, foreign)
        own = answered(bundle_of(study, "ann"), "ann", 2)
        with pytest.raises(BundleError, match="another study"):
            import_responses(other, own)


def test_a_reader_who_has_read_twice_is_refused(study: StudyFolder) -> None:
    with ReadingSession.begin(study, "ann") as session:
        walk(session, 2)
    responses = answered(bundle_of(study, "ann"), "ann", 3)
    before = study.store.records("ann")
    with pytest.raises(BundleError, match="has read twice"):
        import_responses(study, responses)
    assert study.store.records("ann") == before


def test_a_blocked_study_gives_out_no_bundle(tmp_path: Path) -> None:
    with make_study(tmp_path / "study", RESUMABLE, leak_passed=False) as study:
        with pytest.raises(StudyError, match="leak check"):
            bundle_of(study, "ann")
        assert list(tmp_path.glob("*.svbundle")) == []


def compressed(bundle: Path) -> bytes:
    """The same bundle, deflated: a small file may unpack to any size."""
    packed = bundle.with_suffix(".packed")
    with zipfile.ZipFile(bundle) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name))
    return packed.read_bytes()


def test_damaged_bundles_are_named(study: StudyFolder) -> None:
    bundle = bundle_of(study, "ann")
    whole = bundle.read_bytes()
    for content, sentence in (
        (b"", "not a reader's bundle"),
        (whole[: len(whole) // 2], "not a reader's bundle"),
        (b"PK\x05\x06" + b"\0" * 18, "not a reader's bundle"),
        (compressed(bundle), "it is compressed"),
    ):
        bundle.write_bytes(content)
        with pytest.raises(BundleError, match=sentence):
            ReaderBundle.open(bundle)
    with pytest.raises(StudyError, match="is not there"):
        open_place(bundle.with_name("nothing.svbundle"))


def test_an_exchanged_stimulus_is_noticed(study: StudyFolder) -> None:
    first, second = sorted((study.path / "stimuli").iterdir())[:2]
    first.write_bytes(second.read_bytes()[:-1] + b"\x01")
    with pytest.raises(StudyError, match="changed or damaged"):
        check_study(study)


def test_nobody_elsewhere_reads_in_two_windows(study: StudyFolder) -> None:
    bundle = bundle_of(study, "ann")
    with (
        ReaderBundle.open(bundle) as one,
        ReaderBundle.open(bundle) as two,
        ReadingSession.begin(one, "ann"),
        pytest.raises(SessionError, match="another window"),
    ):
        ReadingSession.begin(two, "ann")
