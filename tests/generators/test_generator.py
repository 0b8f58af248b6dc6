"""What a generator promises: seeds, batches, features, cancelling, provenance."""

from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import Cancelled, WrongRequestError
from synthview.generators.device import available_devices
from synthview.generators.features import encode_features
from synthview.generators.generator import Generator
from synthview.generators.info import Feature, GenerateRequest
from tests.generators.formula import formula_weights, hagan_shapes, sigmarat_shapes


@pytest.fixture
def rat_path(tmp_path: Path) -> Path:
    path = tmp_path / "G_iter200000.pth"
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=4, spectral=True)), path)
    return path


@pytest.fixture
def rat(rat_path: Path) -> Generator:
    return sv.load_generator(rat_path, device="cpu")


@pytest.fixture(scope="module")
def hagan_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hagan") / "G_iter80000.pth"
    torch.save({"model": formula_weights(hagan_shapes(10))}, path)
    return path


def test_a_batch_of_latents_is_a_run_of_seeds(rat: Generator) -> None:
    batch = rat.sample_latent(seed=5, count=3)
    assert (batch.shape, batch.dtype) == ((3, 8), np.float32)
    for row, seed in enumerate((5, 6, 7)):
        assert np.array_equal(batch[row], rat.sample_latent(seed)[0])
    assert np.array_equal(rat.sample_latent(5, truncation=0.5)[0], batch[0] * np.float32(0.5))


def test_seeds_stay_what_they_were(rat: Generator) -> None:
    """torch's CPU generator keeps its numbers between versions; a volume from a seed depends on it."""
    assert rat.sample_latent(seed=7)[0, :4] == pytest.approx([-0.146795, 0.786141, 0.946822, -1.114344], abs=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"seed": 2**63}, {"count": 0}, {"truncation": -1}, {"truncation": np.nan}]
)
def test_wrong_latents_are_refused(rat: Generator, wrong: dict) -> None:
    with pytest.raises(WrongRequestError):
        rat.sample_latent(**wrong)


def test_decode_takes_rows_and_trailing_axes(rat: Generator) -> None:
    z = rat.sample_latent(1, 2)
    raw = rat.decode(z)
    assert (raw.shape, raw.dtype) == ((2, 1, 64, 64, 64), np.float32)
    assert np.array_equal(rat.decode(z[:, :, None, None, None]), raw)
    assert np.array_equal(rat.decode(z[1:]), raw[1:])


@pytest.mark.parametrize("z", [np.ones((1, 7)), np.ones(8), np.ones((0, 8)), np.full((1, 8), np.nan), [["a"] * 8]])
def test_decode_refuses_other_latents(rat: Generator, z) -> None:
    with pytest.raises(WrongRequestError):
        rat.decode(z)


def test_generate_is_a_volume_that_says_how_it_was_made(rat: Generator) -> None:
    volume = rat.generate(seed=3, truncation=0.7)
    assert (volume.shape, volume.spacing, volume.axis_codes) == ((64, 64, 40), (0.375, 0.375, 0.5), ("R", "A", "S"))
    assert (volume.voxels.min() >= 0, volume.voxels.max() <= 1) == (True, True)
    made = volume.provenance
    assert made is not None
    assert (made.seed, made.latent, made.truncation, made.family, made.device) == (3, None, 0.7, "sigmarat", "cpu")
    assert (made.checkpoint_sha256, made.checkpoint_name) == (rat.info.sha256, "G_iter200000.pth")
    assert {"synthview", "torch", "numpy", "python"} <= set(made.versions)
    assert volume.notes

    latent = rat.sample_latent(3, truncation=0.7)
    again = rat.generate(latent=latent)
    assert np.array_equal(again.voxels, volume.voxels)
    assert again.provenance is not None
    assert (again.provenance.seed, again.provenance.latent) == (None, tuple(latent[0].tolist()))
    request = GenerateRequest(seed=99, latent=tuple(latent[0].tolist()))
    assert np.array_equal(rat.generate_request(request).voxels, volume.voxels)
    with pytest.raises(WrongRequestError, match="not both"):
        rat.generate(seed=1, latent=latent)
    with pytest.raises(WrongRequestError, match="no feature 'age'; it takes none"):
        rat.generate(seed=1, features={"age": 3})


def test_a_seed_gives_one_volume_though_training_mode_drifts(rat_path: Path) -> None:
    rat = sv.load_generator(rat_path, device="cpu", batch_statistics="true")
    z = rat.sample_latent(0)
    before, first = rat.generate(seed=1).voxels, rat.decode(z)
    assert not np.array_equal(rat.decode(z), first)
    assert np.array_equal(rat.generate(seed=1).voxels, before)


def test_progress_and_cancelling(rat: Generator) -> None:
    seen: list[float] = []
    rat.decode(rat.sample_latent(0, 2), progress=seen.append)
    assert seen == sorted(seen)
    assert (seen[-1], len(seen)) == (1.0, 10)

    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        rat.generate(seed=0, progress=stop)


def test_hagan_splits_its_width_as_the_latents_say(hagan_path: Path) -> None:
    generator = sv.load_generator(hagan_path, device="cpu", size=128)
    assert generator.info.latent_shape == (10,)
    one_hot = generator.decode(np.ones((1, 8)), [[0, 1]])
    assert np.array_equal(generator.decode(np.ones((1, 8)), {"class": 1}), one_hot)
    whole = np.concatenate([np.ones((1, 8)), [[0, 1]]], axis=1)
    assert np.array_equal(generator.decode(whole), one_hot)
    with pytest.raises(WrongRequestError, match="between 0 and 1"):
        generator.decode(np.ones((1, 8)), {"class": 2})
    stated = sv.load_generator(hagan_path, device="cpu", size=128, num_class=2)
    with pytest.raises(WrongRequestError, match="has 8 numbers, got 9"):
        stated.decode(np.ones((1, 9)))
    made = stated.generate(seed=1, features={"class": 1}).provenance
    assert made is not None
    assert (made.features, made.arguments["num_class"]) == ({"class": 1.0}, 2)


def test_hagan_coarse_volume_has_the_same_field_of_view(hagan_path: Path) -> None:
    generator = sv.load_generator(hagan_path, device="cpu", size="144x192x144")
    steps: list[float] = []
    coarse = generator.generate(seed=1, coarse=True, progress=steps.append)
    assert (coarse.shape, coarse.spacing) == ((36, 48, 36), (4.0, 4.0, 4.0))
    assert coarse.provenance is not None
    assert coarse.provenance.arguments["coarse"] is True
    assert steps[-1] == 1.0


def test_hagan_at_128_has_no_coarse_path_as_it_gains_nothing(hagan_path: Path) -> None:
    generator = sv.load_generator(hagan_path, device="cpu", size=128)
    assert generator._family.sample_coarse(generator._network, torch.zeros(1, 10), None, torch.Generator()) is None


def test_hagan_axes_become_ras(hagan_path: Path) -> None:
    generator = sv.load_generator(hagan_path, device="cpu", size=128)
    raw = generator.decode(generator.sample_latent(2))[0, 0]
    volume = generator.generate(seed=2)
    assert volume.axis_codes == ("R", "A", "S")
    # raw (z, y, x) grow upwards, to the back and to the left
    assert np.array_equal(volume.voxels[-1, -1, 0], np.float32(0.5) * raw[0, 0, 0] + np.float32(0.5))
    assert np.array_equal(volume.voxels[::-1, ::-1].transpose(2, 1, 0), np.float32(0.5) * raw + np.float32(0.5))


def test_devices() -> None:
    assert available_devices()[-1].id == "cpu"


def test_a_device_that_is_not_there(rat_path: Path) -> None:
    with pytest.raises(WrongRequestError, match=r"no device 'cuda:97' here; choose auto or one of: .*cpu"):
        sv.load_generator(rat_path, device="cuda:97")


def test_features_by_name_and_as_columns() -> None:
    features = (
        Feature("age", "Age", "years", 20, 90, 50),
        Feature("sex", "Sex", high=1, categories=("female", "male")),
    )
    assert encode_features(features, {"age": 72}, 2).tolist() == [[72, 1, 0], [72, 1, 0]]
    assert encode_features(features, {"age": [30, 40], "sex": [0, 1]}, 2).tolist() == [[30, 1, 0], [40, 0, 1]]
    assert encode_features(features, np.ones((1, 3)), 2).shape == (2, 3)
    for wrong, says in (
        ({"age": 10}, "between 20 and 90 years"),
        ({"age": float("nan")}, "between 20 and 90"),
        ({"size": 1}, "no feature 'size'; it has age, sex"),
        ({"sex": 0.5}, "whole number"),
        ({"age": [1, 2, 3]}, "one number or 2"),
        (np.ones((2, 4)), "2 × 3 numbers"),
        (np.full((2, 3), np.nan), "NaN"),
    ):
        with pytest.raises(WrongRequestError, match=says):
            encode_features(features, wrong, 2)
