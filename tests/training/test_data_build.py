"""Whole training sets from made-up scans: contents, seeds, resuming after a kill, and the command."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from synthview.cli.main import run
from synthview.errors import Cancelled, TrainingDataError
from synthview.training.data.build import STEPS, Origin, build_individual, build_population
from synthview.training.data.individual import IndividualOptions, body
from synthview.training.data.population import Population, PopulationOptions
from synthview.training.data.steps import Steps
from synthview.training.data.writing import row_of
from synthview.training.dataset import SCANS, TrainingSet
from synthview.volume import Volume, VolumeKind
from tests.anatomy import shell_brain, write_scans, write_template

ORIGIN = Origin(("made up",), "CC0", noncommercial=False)
OPTIONS = PopulationOptions(count=3, shape=(36, 44, 36), spacing_mm=4.0, hold_out=("P1",), field_mm=4.0)
FILES = ("images.npy", "tissues.npy", "table.csv", "dataset.json")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    return write_scans(folder / "scans", (20, 24, 28, 45, 70)), write_template(folder / "template")


@pytest.fixture(scope="module")
def built(inputs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    out = tmp_path_factory.mktemp("sets") / "people"
    return build_population(*inputs, out, OPTIONS, origin=ORIGIN, keep_steps=True)


def test_people_are_scans_and_tissues_of_one_warp(built: TrainingSet) -> None:
    assert built.images is not None and built.tissues is not None
    assert built.images.shape == (3, 36, 44, 36) and built.tissues.shape == (3, 3, 36, 44, 36)
    for image, tissues in zip(built.images, built.tissues, strict=True):
        brain = tissues.astype(int).sum(axis=0)
        assert brain.max() <= 255 and (image[brain < 5] == 0).all()
        white, csf = (np.median(image[tissues[i] > 250]) for i in (0, 2))
        assert white == pytest.approx(170, abs=25) and csf < 100


def test_the_table_agrees_with_the_arrays(built: TrainingSet) -> None:
    assert built.tissues is not None
    ml = built.tissues.astype(float).sum(axis=(2, 3, 4)) / 255 * 4**3 * 1e-3
    assert built.values("wm_ml") == pytest.approx(ml[:, 0], rel=0.01)
    assert built.values("gm_ml") == pytest.approx(ml[:, 1], rel=0.01)
    assert built.values("icv_ml") == pytest.approx(ml.sum(axis=1), rel=0.01)
    assert (built.values("ventricles_ml") < built.values("csf_ml")).all()
    assert set(built.values("sex")) <= {0, 1} and built.column("sex").categories == ("male", "female")
    assert all(float(j) > 0 for j in built.table["least_jacobian"])
    age = built.column("age")
    assert age.mean == pytest.approx(built.values("age").mean(), rel=1e-4) and 18 <= age.low <= age.high <= 90


def test_those_kept_out_are_in_nothing_but_their_own_folder(built: TrainingSet) -> None:
    assert built.held_out is not None
    assert built.held_out.table["subject"] == ["P1"] and built.held_out.values("age").tolist() == [24]
    assert "sub-01_ses-1" not in built.table["subject"]
    assert built.held_out.about.affine == built.about.affine


def test_the_scans_that_were_warped_lie_beside_their_warps(built: TrainingSet) -> None:
    scans = TrainingSet.open(built.folder / SCANS)
    assert set(built.table["subject"]) <= set(scans.table["sample"]) and "sub-01_ses-1" not in scans.table["sample"]
    assert set(scans.table["split"]) == {"train"} and scans.about.affine == built.about.affine


def test_a_real_one_keeps_its_volume(built: TrainingSet, inputs: tuple[Path, Path]) -> None:
    from synthview.volume import load_volume

    labels = load_volume(inputs[0] / "sub-01_ses-1_tissues.nii.gz").voxels
    assert built.held_out is not None
    assert built.held_out.values("gm_ml")[0] == pytest.approx((labels == 2).sum() * 64e-3, rel=0.02)


def test_opened_as_volumes_they_know_their_space(built: TrainingSet) -> None:
    volume, maps = built.volume(0), built.tissue_volume(0)
    assert volume.kind is VolumeKind.T1W and volume.axis_codes == ("R", "A", "S") and volume.spacing == (4, 4, 4)
    assert maps.voxels.shape == (3, 36, 44, 36) and maps.kind is VolumeKind.TISSUE_MAP
    features = built.features(["age", "sex"])
    assert features.shape == (3, 2) and features[:, 0].mean() == pytest.approx(0, abs=1e-3)
    with pytest.raises(TrainingDataError, match="no column 'weight'"):
        built.values("weight")


def test_killed_and_started_again_it_gives_the_same_bytes(
    built: TrainingSet, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "people"
    arguments = [sys.executable, "-m", "synthview", "train-data", "population", "--from", str(inputs[0])]
    arguments += ["--template", str(inputs[1]), "--out", str(out), "--licence", "CC0", "--source", "made up", "-n", "3"]
    arguments += ["--shape", "36,44,36", "--spacing", "4", "--hold-out", "P1", "--fast", "--json"]
    first = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    while not list(out.glob(f"{STEPS}/align-*")) and time.monotonic() < deadline and first.poll() is None:
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert list(out.glob(f"{STEPS}/align-*")) and not (out / "dataset.json").exists()
    again = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    facts = json.loads(again.stdout)
    assert (facts["samples"], facts["held out"]) == (3, 1) and not (out / STEPS).exists()
    for name in FILES:
        assert (out / name).read_bytes() == (built.folder / name).read_bytes(), name
        assert (out / "held_out" / name).read_bytes() == (built.folder / "held_out" / name).read_bytes(), name


def test_more_people_are_the_same_and_more(built: TrainingSet, inputs: tuple[Path, Path]) -> None:
    from dataclasses import replace

    before = np.array(built.images)
    calls: list[str] = []
    more = build_population(
        *inputs,
        built.folder,
        replace(OPTIONS, count=4),
        origin=ORIGIN,
        progress=lambda step, fraction: calls.append(step),
        keep_steps=True,
    )
    assert len(more) == 4 and more.images is not None and (more.images[:3] == before).all()
    assert "making people" in calls


def test_without_mirror_images_those_are_the_other_way_round(
    built: TrainingSet, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    plain = build_population(*inputs, tmp_path / "people", replace(OPTIONS, mirror=False), origin=ORIGIN)
    assert built.codes is not None and built.tissues is not None and plain.tissues is not None
    mirrored = built.codes[:3, built.about.codes.index("side")] > 0
    assert 0 < mirrored.sum() < 3
    for turned, before, after in zip(mirrored, built.tissues, plain.tissues, strict=False):
        assert np.array_equal(after, before[:, ::-1] if turned else before)


def test_a_warp_that_would_fold_is_made_gentler(
    inputs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = Population(*inputs, OPTIONS, Steps(tmp_path / "steps"))
    rows = [row_of(people._make(0))]
    monkeypatch.setattr("synthview.training.data.population._LEAST_JACOBIAN", 10.0)  # as if it always folded
    rows.append(row_of(people._make(0)))
    free, gentle = (np.abs([float(row[name]) for name in ("ventricles", "cortex", "white")]).sum() for row in rows)
    assert gentle < 0.9 * free and float(rows[1]["least_jacobian"]) > float(rows[0]["least_jacobian"])


def test_stopping_is_heard(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    def stop(step: str, fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        build_population(*inputs, tmp_path / "x", OPTIONS, origin=ORIGIN, progress=stop)
    with pytest.raises(TrainingDataError, match=r"no dataset\.json"):
        TrainingSet.open(tmp_path / "x")


def test_one_individual_in_many_proportions(tmp_path: Path) -> None:
    image = shell_brain(10, shape=(28, 30, 26))[0]
    scan = Volume(image * 1000, np.diag([0.5, 0.5, 0.5, 1])).save(tmp_path / "rat.nii.gz")
    mask = Volume((image > 0).astype(np.uint8), np.diag([0.5, 0.5, 0.5, 1])).save(tmp_path / "mask.nii.gz")
    options = IndividualOptions(count=3, shape=(20, 20, 16), spacing_mm=0.8)
    built = build_individual(scan, mask, tmp_path / "rats", options, origin=ORIGIN)
    assert built.images is not None and built.about.one_individual and built.held_out is None
    sizes = (built.images > 35).sum(axis=(1, 2, 3)) * 0.8**3
    assert sizes == pytest.approx((image > 0).sum() * 0.5**3, rel=0.35) and len(set(sizes)) == 3
    again = build_individual(scan, mask, tmp_path / "again", options, origin=ORIGIN)
    assert (np.array(again.images) == built.images).all()


def test_the_table_under_a_chest_is_taken_away() -> None:
    ijk = np.indices((40, 40, 20)).astype(float)
    chest = ((ijk[0] - 20) ** 2 + (ijk[1] - 22) ** 2) < 13**2
    lung = ((ijk[0] - 18) ** 2 + (ijk[1] - 22) ** 2) < 5**2
    table = (ijk[1] >= 3) & (ijk[1] < 5)
    scan = np.where(chest & ~lung, 40, np.where(table, 100, -1000)).astype(np.float32)
    found = body(scan) > 0
    assert found[lung].all() and not found[table].any() and (found == chest).mean() > 0.99


def test_a_damaged_set_is_refused_in_a_sentence(built: TrainingSet, tmp_path: Path, capsys) -> None:
    assert run(["train-data", "population", "--from", str(tmp_path), "--template", str(tmp_path), "--out",
                str(tmp_path / "o"), "--licence", "CC0"]) == 1  # fmt: skip
    assert "participants.tsv" in capsys.readouterr().err
    assert run(["train-data", "individual", "--from", "x.nii", "--out", "o", "--licence", "y", "--kind", "PET"]) == 2
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in FILES:
        (copy / name).write_bytes((built.folder / name).read_bytes())
    (copy / "images.npy").write_bytes(b"nothing")
    with pytest.raises(TrainingDataError, match=r"images\.npy"):
        TrainingSet.open(copy)
