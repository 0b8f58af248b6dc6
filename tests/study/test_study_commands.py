"""Studies from the command line: from folders of volumes to counted votes, and every refusal in one sentence."""

import json
from pathlib import Path

import pytest

from synthview.cli.main import run
from synthview.cli.study_passphrase import VARIABLE
from tests.study.bodies import body
from tests.study.small_study import PASSPHRASE, PUBLISHED, make_study

PROTOCOL = """
title: Real or synthetic?
readers: [ann, bob]
sitting: resumable
seed: 11
arms:
  real: {folder: scans}
  zebragan: {folder: made}
harmonisation: {shape: [16, 16, 16], spacing_mm: 6}
sections:
  - {kind: 2afc-real, title: Pairs, pairs: 4, difficulty: true}
  - {kind: rating, title: Quality, volumes: {zebragan: 2}, items: [{name: realism}, {name: noise}]}
"""


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSPHRASE)


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    for number in range(6):
        for arm, seed in (("scans", 100), ("made", 200)):
            (tmp_path / arm).mkdir(exist_ok=True)
            if arm == "made" or number < 4:
                body(seed + number, shape=(20, 24, 22), spacing=4.0).save(tmp_path / arm / f"{number}.nii.gz")
    path = tmp_path / "protocol.yaml"
    path.write_text(PROTOCOL)
    return path


def facts(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict | list:
    """What a command prints as JSON; it must have worked."""
    capsys.readouterr()
    status = run(["study", *map(str, arguments), "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line with which a command refuses."""
    capsys.readouterr()
    assert run(["study", *map(str, arguments)]) in (1, 2)
    said = capsys.readouterr().err.strip()
    assert said.startswith("synthview: ") and "\n" not in said
    return said


def test_a_study_from_folders_of_volumes_to_counted_votes(
    tmp_path: Path, protocol: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, away = tmp_path / "study", tmp_path / "away"
    assert facts(capsys, "check", protocol)["volumes_needed"] == {"real": 4, "zebragan": 6}
    made = facts(capsys, "new", protocol, "--out", study)
    assert (made["readers"], made["trials_per_reader"], made["stimuli"], made["seed"]) == (2, 6, 10, 11)
    if made["blocked"]:
        assert run(["study", "overrule", str(study), "--reason", "made-up bodies in a test"]) == 0

    assert run(["study", "run", str(study), "--simulate", "1", "--reader", "ann"]) == 0
    (bundle,) = facts(capsys, "export", study, "--out", away, "--reader", "bob")
    assert "bob: new, 0 of 6 trials" in said(capsys, "check", bundle)
    checked = facts(capsys, "check", study)
    assert [(one["reader"], one["standing"], one["answered"]) for one in checked["readers"]] == [
        ("ann", "finished", 6),
        ("bob", "new", 0),
    ]
    assert len(checked["schedule"]["bob"]) == 6 and checked["balance"]["bob"]["left"] == {"real": 2, "zebragan": 2}

    counted = facts(capsys, "results", study)
    pooled = next(one for one in counted if (one["question"], one["scope"]) == ("accuracy", "pooled"))
    assert (pooled["estimate"], pooled["n"]) == (1.0, 4)
    assert {one["section"] for one in counted} == {"Pairs", "Quality/realism", "Quality/noise"}


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert run(["study", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_same_protocol_and_volumes_give_the_same_design(
    tmp_path: Path, protocol: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Opaque names are random; everything else of the schedule is the seed's."""
    designs = []
    for name in ("one", "two"):
        facts(capsys, "new", protocol, "--out", tmp_path / name)
        checked = facts(capsys, "check", tmp_path / name)
        designs.append(
            [[(t["section"], t["plane"], t["position"]) for t in own] for own in checked["schedule"].values()]
        )
        designs.append(checked["balance"])
    assert designs[:2] == designs[2:]


def test_a_study_that_can_not_be_made_leaves_nothing(
    tmp_path: Path, protocol: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    (tmp_path / "scans" / "0.nii.gz").unlink()
    assert "real" in refusal(capsys, "new", protocol, "--out", out)
    assert not out.exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("kept")
    assert "is not empty" in refusal(capsys, "new", protocol, "--out", tmp_path / "full")
    assert (tmp_path / "full" / "mine.txt").read_text("utf-8") == "kept"
    protocol.write_text(PROTOCOL.replace("pairs: 4", "pairs: four"))
    assert "line 11: sections[1].pairs must be a whole number" in refusal(capsys, "new", protocol, "--out", out)


def test_without_a_passphrase_nothing_is_sealed_or_opened(
    tmp_path: Path, protocol: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_study(tmp_path / "study", PUBLISHED).close()
    monkeypatch.delenv(VARIABLE)
    assert VARIABLE in refusal(capsys, "results", tmp_path / "study")
    assert VARIABLE in refusal(capsys, "new", protocol, "--out", tmp_path / "new")
    assert "balance" not in said(capsys, "check", tmp_path / "study", "--no-schedule")
    secret = tmp_path / "secret"
    secret.write_text("wrong one\n")
    assert "wrong passphrase" in refusal(capsys, "results", tmp_path / "study", "--passphrase-file", secret)
    secret.write_text(f"{PASSPHRASE}\n")
    assert "nobody has answered" in refusal(capsys, "results", tmp_path / "study", "--passphrase-file", secret)
    assert "can't be read" in refusal(capsys, "results", tmp_path / "study", "--passphrase-file", tmp_path / "no")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check", "nowhere"), "nowhere is not there"),
        (("check", "nowhere.yaml"), "nowhere.yaml could not be read"),
        (("check", "."), "is not a study's folder"),
        (("run", "nowhere"), "nowhere is not there"),
        (("run", "STUDY", "--simulate", "2"), "--simulate"),
        (("run", "STUDY", "--simulate", "0.5", "--reader", "zed"), "no reader 'zed'"),
        (("export", "STUDY", "--out", "out", "--reader", "zed"), "no reader 'zed'"),
        (("import", "STUDY", "nowhere"), "nowhere can't be read"),
        (("overrule", "STUDY", "--reason", "no"), "a reason of a few words"),
        (("new", "nowhere.yaml", "--out", "x"), "could not be read"),
    ],
)
def test_refusals_are_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    make_study(tmp_path / "study", PUBLISHED).close()
    monkeypatch.chdir(tmp_path)
    assert sentence in refusal(capsys, *(str(tmp_path / "study") if a == "STUDY" else a for a in arguments))


def test_answers_go_by_bundle_and_come_back_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from synthview.study.bundle import ReaderBundle
    from synthview.study.session import ReadingSession
    from tests.study.small_study import walk

    make_study(tmp_path / "study", PUBLISHED).close()
    bundles = facts(capsys, "export", tmp_path / "study", "--out", tmp_path / "out")
    assert [Path(path).name for path in bundles] == [f"R{number:02d}.svbundle" for number in range(1, 13)]
    with ReaderBundle.open(bundles[3]) as place, ReadingSession.begin(place, "R04") as session:
        walk(session)
    (answers,) = facts(capsys, "export", bundles[3], "--out", tmp_path / "out")
    for new in (40, 0):
        (brought,) = facts(capsys, "import", tmp_path / "study", answers)
        assert (brought["readers"], brought["answers"], brought["new"]) == (["R04"], 40, new)
    assert "exists already" in refusal(capsys, "export", tmp_path / "study", "--out", tmp_path / "out")


def test_the_commands_are_documented(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (checkout / "docs" / "studies.md").read_text("utf-8")
    for name in ("new", "check", "run", "export", "import", "overrule", "results"):
        assert f"synthview study {name} " in text
        assert run(["study", name, "--help"]) == 0
        assert capsys.readouterr().out
