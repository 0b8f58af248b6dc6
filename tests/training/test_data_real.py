"""Training sets of real scans and label maps, a few of each; where there are none, these are skipped."""

from pathlib import Path

import numpy as np
import pytest

from synthview.training.data.build import Origin, build_individual, build_labels, build_population
from synthview.training.data.individual import IndividualOptions
from synthview.training.data.label_maps import LabelOptions
from synthview.training.data.population import PopulationOptions

pytestmark = pytest.mark.slow
ORIGIN = Origin(("../shared/data",), "as there", noncommercial=True)
SHAPE, SPACING = (40, 48, 40), 4.0


def _some(source: Path, folder: Path, subjects: tuple[str, ...]) -> Path:
    """A folder with links to the scans of these people."""
    folder.mkdir()
    header, *rows = (source / "participants.tsv").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if row.split("\t")[1] in subjects]
    for row in kept:
        for file in source.glob(row.split("\t")[0] + "_*"):
            (folder / file.name).symlink_to(file)
    (folder / "participants.tsv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return folder


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1])


def test_people_made_from_real_ones_look_like_the_one_kept_out(shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    people = ("OAS1_0236", "OAS1_0239", "OAS1_0282", "OAS1_0456", "OAS1_0083")
    scans = _some(data / "oasis30-t1", tmp_path / "scans", people)
    options = PopulationOptions(count=4, shape=SHAPE, spacing_mm=SPACING, hold_out=people[1:2], field_mm=4.0)
    built = build_population(scans, data / "mni152-2009a", tmp_path / "people", options, origin=ORIGIN)
    assert built.images is not None and built.held_out is not None and built.held_out.images is not None
    real = built.held_out.images[0]
    for image in built.images:
        assert _correlation(image, real) > 0.8
    assert all(float(least) > 0 for least in built.table["least_jacobian"])
    assert built.values("icv_ml").min() > 900 and built.values("icv_ml").max() < 2100


def test_brains_simulated_from_published_label_maps(shared: Path, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for name in ("labels_01.nii.gz", "labels_02.nii.gz", "labels.tsv"):
        (maps / name).symlink_to(shared / "data" / "synthseg-labels" / name)
    options = LabelOptions(count=2, shape=SHAPE, spacing_mm=SPACING)
    built = build_labels(maps, shared / "data" / "mni152-2009a", tmp_path / "brains", options, origin=ORIGIN)
    assert built.images is not None and built.tissues is not None
    for image, tissues in zip(built.images, built.tissues, strict=True):
        white, grey = (float(np.median(image[tissue > 200])) for tissue in tissues[:2])
        assert grey < white == pytest.approx(170, abs=35)
    assert built.values("icv_ml").min() > 900


def test_rats_are_one_rat_in_other_proportions(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "rat-waxholm"
    scan = next(path for path in sorted(folder.glob("*.nii.gz")) if "t2star" in path.name.lower())
    mask = next(path for path in sorted(folder.glob("*.nii.gz")) if "mask" in path.name.lower())
    options = IndividualOptions(count=2, shape=(32, 48, 24), spacing_mm=0.84)
    built = build_individual(scan, mask, tmp_path / "rats", options, origin=ORIGIN)
    assert built.images is not None
    assert 0.6 < _correlation(built.images[0], built.images[1]) < 0.999
