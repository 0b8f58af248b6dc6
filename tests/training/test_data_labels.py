"""Brains simulated from label maps: no scan goes in."""

from pathlib import Path

import numpy as np
import pytest

from synthview.cli.main import run
from synthview.errors import TrainingDataError
from synthview.training.data.build import Origin, build_labels
from synthview.training.data.label_maps import LabelOptions, paint, read_priors
from synthview.training.dataset import TrainingSet
from tests.anatomy import write_label_maps, write_template

ORIGIN = Origin(("made up",), "Apache-2.0", noncommercial=False)
OPTIONS = LabelOptions(count=3, shape=(36, 44, 36), spacing_mm=4.0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    return write_label_maps(folder / "maps"), write_template(folder / "template")


@pytest.fixture(scope="module")
def built(inputs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return build_labels(*inputs, tmp_path_factory.mktemp("sets") / "brains", OPTIONS, origin=ORIGIN)


def test_tissues_are_as_bright_as_in_t1_weighted_scans(built: TrainingSet) -> None:
    assert built.images is not None and built.tissues is not None
    assert built.images.shape == (3, 36, 44, 36)
    for image, tissues in zip(built.images, built.tissues, strict=True):
        white, grey, csf = (float(np.median(image[tissue > 250])) for tissue in tissues)
        assert white == pytest.approx(170, abs=30) and csf < grey < white
        assert (image[tissues.astype(int).sum(axis=0) < 5] == 0).all()


def test_no_sample_is_another_and_the_table_holds_what_is_there(built: TrainingSet) -> None:
    assert built.images is not None and built.tissues is not None and built.held_out is None
    assert all((built.images[i] != built.images[j]).any() for i, j in ((0, 1), (0, 2), (1, 2)))
    ml = built.tissues.astype(float).sum(axis=(2, 3, 4)) / 255 * 4**3 * 1e-3
    assert built.values("wm_ml") == pytest.approx(ml[:, 0], rel=0.01)
    assert (built.values("ventricles_ml") > 0).all() and (built.values("ventricles_ml") < built.values("csf_ml")).all()
    assert all(float(least) > 0 for least in built.table["least_jacobian"])
    assert set(built.table["subject"]) <= {"labels_01", "labels_02"}


def test_the_seed_decides_it(built: TrainingSet, inputs: tuple[Path, Path], tmp_path: Path) -> None:
    again = build_labels(*inputs, tmp_path / "again", OPTIONS, origin=ORIGIN)
    assert (np.array(again.images) == built.images).all() and (np.array(again.tissues) == built.tissues).all()


def test_the_face_is_not_painted(inputs: tuple[Path, Path]) -> None:
    priors = read_priors(inputs[0] / "labels.tsv")
    assert sorted(priors.classes) == [2, 3, 4, 24] and sorted(priors.means) == [1, 2, 3]
    classes = np.zeros((20, 20, 20), dtype=np.uint8)
    classes[4:16, 4:16, 4:16] = 2
    painted = paint(classes, priors, np.random.default_rng(0))
    assert painted[8:12, 8:12, 8:12].mean() == pytest.approx(170, rel=0.1)
    assert not painted[0].any()


def test_what_is_missing_is_said(inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ["--template", str(inputs[1]), "--out", str(tmp_path / "out"), "--licence", "Apache-2.0"]
    assert run(["train-data", "labels", "--from", str(tmp_path), *rest]) == 1
    assert "has no labels_*.nii.gz" in capsys.readouterr().err
    maps = write_label_maps(tmp_path / "maps", 1)
    (maps / "labels.tsv").write_text("label\tname\n2\twhite\n")
    assert run(["train-data", "labels", "--from", str(maps), *rest]) == 1
    assert "lacks a number in some row" in capsys.readouterr().err
    (maps / "labels.tsv").unlink()
    with pytest.raises(TrainingDataError, match="intensity prior of each label"):
        read_priors(maps / "labels.tsv")
