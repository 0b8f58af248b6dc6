"""synthview evaluate on folders of small brains."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from synthview.cli.main import run
from synthview.training.data.comparison import compare
from synthview.training.data.volumes import VolumeSet, read_volumes
from synthview.volume import Volume, VolumeKind
from tests.anatomy import shell_brain

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def write_brains(folder: Path, seeds: range, shape=(36, 36, 36), scale: float = 1.0) -> Path:
    folder.mkdir()
    for seed in seeds:
        image = shell_brain(13 + seed % 3, 0.25 + 0.02 * (seed % 4), 0.04, seed, shape)[0]
        Volume(image * np.float32(scale), AFFINE, VolumeKind.T1W).save(folder / f"b{seed}.nii.gz")
    return folder


def test_the_command_writes_and_prints_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, made = write_brains(tmp_path / "real", range(4)), write_brains(tmp_path / "made", range(10, 14), scale=700)
    out = tmp_path / "results.csv"
    arguments = ["evaluate", "--real", str(real), "--synthetic", str(made), "--training", str(made), "--out", str(out)]
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure for figure in facts["figures"]}
    assert (facts["real"], facts["synthetic"]) == (4, 4)
    assert figures["ms-ssim within"]["synthetic"] == pytest.approx(figures["ms-ssim within"]["real"], abs=0.1)
    assert figures["nearest neighbour"]["synthetic"] == 0 and figures["copies"]["synthetic"] == 100
    assert figures["copies"]["real"] is None and figures["accepted"]["synthetic"] == 100
    with out.open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows.keys() == figures.keys() and rows["copies"]["real"] == ""


def test_a_picture_shows_both_sets_on_one_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = write_brains(tmp_path / "real", range(2))
    made = write_brains(tmp_path / "made", range(10, 13), shape=(40, 34, 36), scale=700)
    out, sheet = tmp_path / "new" / "results.csv", tmp_path / "pictures" / "sheet.png"
    command = ["evaluate", "--real", str(real), "--synthetic", str(made), "--out", str(out), "--sheet", str(sheet)]
    assert run(command) == 0 and out.is_file()
    assert str(sheet) in capsys.readouterr().out
    left, right = np.split(imread(sheet)[..., 0], 2, axis=1)
    bright = [(half > 0.3).mean() for half in (left, right)]
    assert 1.2 < bright[0] / bright[1] < 1.8  # three synthetic brains, two real ones, as large and as bright


def test_where_figures_cannot_go_is_said_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    real, out = write_brains(tmp_path / "real", range(2)), tmp_path / "file" / "results.csv"
    assert run(["evaluate", "--real", str(real), "--synthetic", str(real), "--out", str(out)]) == 1
    assert f"{out.parent} can't be made a folder" in capsys.readouterr().err


def test_a_blurred_set_is_farther_than_a_fresh_one(tmp_path: Path) -> None:
    from scipy import ndimage

    real = read_volumes(write_brains(tmp_path / "real", range(4)))
    fresh = read_volumes(write_brains(tmp_path / "fresh", range(20, 24)))
    blurred = replace(fresh, images=tuple(ndimage.gaussian_filter(v, 2) for v in fresh.images))
    distance = [{f.name: f.synthetic for f in compare(real, some)} for some in (fresh, blurred)]
    assert distance[1]["fid"] > 3 * distance[0]["fid"] and distance[1]["mmd²"] > distance[0]["mmd²"]


def test_slopes_over_age_are_found(tmp_path: Path) -> None:
    ages = np.array([20, 35, 50, 65, 80.0])
    maps = tuple(shell_brain(14, 0.1 * 1.15 ** (a / 10), shape=(40, 40, 40))[1] for a in ages)
    for m, age in zip(maps, ages, strict=True):
        m[1] *= 1 - age / 400  # the cortex thins
    images = tuple((m[2] + 2 * m[1] + 3 * m[0]) / 3 for m in maps)
    some = VolumeSet(tuple("abcde"), images, maps, ages, (4.0, 4.0, 4.0))
    figures = {figure.name: figure for figure in compare(some, some)}
    assert figures["grey matter slope"].synthetic < 0 < figures["central csf slope"].synthetic
    assert figures["central csf 80/20"].real == pytest.approx((50 / 14 + 40 / 11) / 2)


def test_other_grids_are_brought_to_the_real_one(tmp_path: Path) -> None:
    real = read_volumes(write_brains(tmp_path / "real", range(2)))
    other = read_volumes(write_brains(tmp_path / "other", range(2), shape=(40, 34, 36))).on_grid_of(real)
    assert other.shape == real.shape
    assert np.abs(other.images[0] - real.images[0]).mean() < 0.02  # the same brain around the same centre


def test_much_finer_scans_are_averaged_not_sampled() -> None:
    noise = np.random.default_rng(0).random((60, 60, 60), dtype=np.float32)
    ages = np.full(1, np.nan)
    fine = VolumeSet(("a",), (noise,), (), ages, (1.0, 1.0, 1.0))
    coarse = VolumeSet(("b",), (np.zeros((12, 20, 15), dtype=np.float32),), (), ages, (5.0, 3.0, 4.0))
    expected = noise.reshape(12, 5, 20, 3, 15, 4).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(fine.on_grid_of(coarse).images[0], expected, atol=1e-5)


def test_finer_scans_are_made_as_coarse_as_the_samples(tmp_path: Path) -> None:
    fine = read_volumes(write_brains(tmp_path / "fine", range(2), shape=(64, 64, 64)))
    coarse = replace(fine, images=tuple(block_mean(image) for image in fine.images), spacing_mm=(8.0, 8.0, 8.0))
    other = replace(coarse, images=coarse.images[::-1])
    figures = {figure.name: figure for figure in compare(fine, other)}
    assert figures["ms-ssim within"].synthetic == pytest.approx(figures["ms-ssim within"].real, abs=1e-4)
    assert figures["fid"].synthetic == pytest.approx(0, abs=1e-4)


def block_mean(image: np.ndarray) -> np.ndarray:
    i, j, k = (n // 2 for n in image.shape)
    return image.reshape(i, 2, j, 2, k, 2).mean(axis=(1, 3, 5))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_volumes_are_refused(tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    real, made = write_brains(tmp_path / "real", range(2)), write_brains(tmp_path / "made", range(count))
    out = tmp_path / "results.csv"
    assert run(["evaluate", "--real", str(real), "--synthetic", str(made), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert ("neither NIfTI" if count == 0 else "at least 2") in error and not out.exists()
