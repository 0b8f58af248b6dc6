"""The demo study: made from seeds on first use, found again later, with real scans where somebody has some."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from synthview.cli.main import run
from synthview.errors import StudyError
from synthview.jobs import demo_study as module
from synthview.jobs.demo_study import demo_study
from synthview.resources import bundled_checkpoints
from synthview.study import demo
from synthview.study.demo import PASSPHRASE, demo_protocol, make_heads
from synthview.study.session import ReadingSession
from synthview.study.study_folder import StudyFolder
from synthview.volume import load_volume, save_volume
from tests.study.bodies import body
from tests.study.small_study import walk


def test_made_up_heads_come_from_their_seeds(tmp_path):
    first = make_heads(tmp_path / "a", 1, seed=7, strength_mm=3.0)
    again = make_heads(tmp_path / "b", 1, seed=7, strength_mm=3.0)
    (more,) = make_heads(tmp_path / "c", 1, seed=8, strength_mm=11.0)
    assert first[0].read_bytes() == again[0].read_bytes()
    assert np.corrcoef(load_volume(first[0]).voxels.ravel(), load_volume(more).voxels.ravel())[0, 1] < 0.95


def test_bundled_generators_are_the_arms_where_there_are_some(tmp_path, monkeypatch):
    for kind in ("T1w", "CT"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "manifest.json").write_text(json.dumps({"output": {"kind": kind}}))
    head, chest = tmp_path / "T1w", tmp_path / "CT"
    for names, arms in (({"one": head, "no": chest}, 1), ({"no": chest, "one": head, "two": head}, 2)):
        monkeypatch.setattr(demo, "bundled_checkpoints", lambda names=names: names)
        protocol = demo_protocol(tmp_path)
        checkpoints = {str(arm.source.checkpoint) for arm in protocol.arms.values()}
        assert len(checkpoints) == arms and not any("no" in name for name in checkpoints)
        assert len(protocol.arms) == 2


def test_the_demo_study_is_of_heads_whatever_is_bundled(tmp_path, monkeypatch):
    """With the generators that are: those of rats, chests and tissue maps are no arms."""
    monkeypatch.setattr(demo, "make_heads", _quick_heads)
    arms = demo_protocol(tmp_path).arms
    assert len(arms) == 2
    for arm in arms.values():
        if (checkpoint := getattr(arm.source, "checkpoint", None)) is not None:
            assert "T1w" in (bundled_checkpoints()[str(checkpoint)] / "manifest.json").read_text("utf-8")


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(StudyError, match="nowhere is not a folder that exists"):
        demo_protocol(tmp_path, tmp_path / "nowhere")


def test_it_is_made_once_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "bundled_checkpoints", dict)
    monkeypatch.setattr(demo, "make_heads", _quick_heads)
    folder, reader = demo_study(device="cpu")
    with StudyFolder.open(folder) as study:
        assert not study.blocked()
        assert {one.arm for one in study.key(PASSPHRASE).materials} == {"made-a", "made-b"}
        with ReadingSession.begin(study, reader) as session:
            assert walk(session) == 6
    monkeypatch.setattr(module, "demo_protocol", None)  # nothing is made again
    assert demo_study() == (folder, "R02")
    assert not (folder.parent / "arms").exists()


def test_real_scans_come_first_where_a_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "bundled_checkpoints", dict)
    monkeypatch.setattr(demo, "make_heads", _quick_heads)
    scans = tmp_path / "scans"
    scans.mkdir()
    protocol = demo_protocol(tmp_path / "work", scans)
    assert protocol.sections[0].screen.kind.value == "2afc-real"
    assert protocol.arms["real"].real
    assert protocol.volumes_needed()["real"] == 4


@pytest.mark.parametrize(("radius_mm", "pairs"), [(65.0, True), (90.0, False)])
def test_generators_of_brains_are_read_beside_scans_of_brains_only(radius_mm, pairs, tmp_path, monkeypatch):
    """A brain fills a litre and a half; what fills three is a whole head, beside which a brain alone is no question."""
    generator = tmp_path / "generator"
    generator.mkdir()
    (generator / "manifest.json").write_text(json.dumps({"output": {"kind": "T1w"}}))
    monkeypatch.setattr(demo, "bundled_checkpoints", lambda: {"one": generator})
    monkeypatch.setattr(demo, "make_heads", _quick_heads)
    scans = tmp_path / "scans"
    scans.mkdir()
    save_volume(body(shape=(48, 52, 50), spacing=4.0, radii_mm=(radius_mm,) * 3), scans / "b_T1w.nii.gz")
    save_volume(body(), scans / "a_mask.nii.gz")
    arms = demo_protocol(tmp_path / "work", scans).arms
    assert arms["real"].real
    assert arms["real"].source.pattern == "*_T1w.nii*"
    assert (getattr(arms["made-a"].source, "checkpoint", None) is not None) == pairs


@pytest.mark.parametrize(("spacing_mm", "shown"), [(2.5, {"fine", "other"}), (4.0, {"fine"})])
def test_a_coarse_generator_does_not_coarsen_the_others(spacing_mm, shown, tmp_path, monkeypatch):
    said = {"chest": ("CT", 1.0), "fine": ("T1w", 2.0), "other": ("T1w", spacing_mm)}
    for name, (kind, mm) in said.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"output": {"kind": kind, "spacing": [mm] * 3}}))
    monkeypatch.setattr(demo, "bundled_checkpoints", lambda: {name: tmp_path / name for name in said})
    arms = demo_protocol(tmp_path / "work").arms
    assert {arm.source.checkpoint for arm in arms.values()} == shown


def test_scans_of_a_list_are_downloaded_after_their_licence(scan_server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "bundled_checkpoints", dict)
    monkeypatch.setattr(demo, "make_heads", _quick_heads)
    command = ["study", "demo", "--make-only", "--device", "cpu", "--download", str(scan_server.write(tmp_path))]
    assert run(command) == 2  # nobody is there to agree
    said = capsys.readouterr().err
    assert "Licence:   CC-BY-4.0 (https://spdx.org/licenses/CC-BY-4.0.html)" in said
    assert "Citation:  Nobody et al. (2026)" in said
    assert said.splitlines()[-1].endswith("give --yes to download the scans")
    assert scan_server.asked == []
    assert run([*command, "--yes"]) == 0
    printed = capsys.readouterr()
    assert "Licence:   CC-BY-4.0" in printed.err
    with StudyFolder.open(Path(printed.out.strip())) as study:
        real = [one for one in study.key(PASSPHRASE).materials if one.arm == "real"]
    assert {one.provenance["sha256"] for one in real} == {
        hashlib.sha256(one).hexdigest() for one in scan_server.contents.values()
    }
    assert run(command) == 0  # all are there: nothing to ask
    assert len(scan_server.asked) == 4


@pytest.mark.parametrize(("answer", "status"), [("y\n", 1), ("n\n", 130)])
def test_who_sits_there_is_asked(scan_server, tmp_path, monkeypatch, capsys, answer, status):
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert run(["study", "demo", "--download", str(scan_server.write(tmp_path, a="missing"))]) == status
    assert "Download them under this licence?" in capsys.readouterr().err
    assert len(scan_server.asked) == (status == 1)


def test_real_scans_come_from_one_place(tmp_path, capsys):
    assert run(["study", "demo", "--real", str(tmp_path), "--download", str(tmp_path / "list")]) == 2
    assert "give one of them" in capsys.readouterr().err


def _quick_heads(folder, count, *, seed, strength_mm):
    folder.mkdir(parents=True)
    scale = 1000 + strength_mm
    return [
        save_volume(body(one, shape=(24, 28, 26), spacing=3.0, scale=scale), folder / f"{one:03d}.nii.gz")
        for one in range(seed, seed + count)
    ]
