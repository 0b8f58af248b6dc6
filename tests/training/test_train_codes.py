"""Latents of training samples: known from how they were made, or found; and the optimiser that makes use of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthview.errors import TrainingDataError, WrongRequestError
from synthview.generators.networks.csegsynth import CSegSynthNetwork
from synthview.training.checkpoints import load_checkpoint
from synthview.training.codes import component_codes, known_codes
from synthview.training.dataset import Description, TrainingSet
from synthview.training.muon import Muon, orthogonal
from synthview.training.networks.forwards import csegsynth
from synthview.training.recipe import Data, parse_recipe
from synthview.training.run import train
from synthview.training.samples import Samples
from tests.training.tiny_set import write_blobs

NAMES = ("age", "size", "place")


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """A set that knows three numbers of each sample, one of them the age."""
    folder = write_blobs(tmp_path / "blobs")
    about = Description.from_json((folder / "dataset.json").read_text("utf-8"))
    (folder / "dataset.json").write_text(replace(about, codes=NAMES).to_json(), "utf-8")
    np.save(folder / "codes.npy", np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32))
    return folder


def samples(folder: Path, features: tuple[str, ...] = ()) -> Samples:
    return Samples(TrainingSet.open(folder), Data((16, 16, 16), features=features))


def recipe(latent_dim: int, **loss: float) -> dict[str, Any]:
    return {
        "name": "blobs",
        "title": "Blobs",
        "method": "paired",
        "family": "ha-gan",
        "data": {"shape": [16, 16, 16]},
        "network": {"latent_dim": latent_dim, "channel": 2},
        "loss": loss,
        "training": {"steps": 30, "batch": 2, "log_every": 1, "checkpoint_every": 4},
    }


def test_known_codes_are_taken_but_for_what_the_features_tell(coded: Path) -> None:
    all_of_them = known_codes(samples(coded))
    assert all_of_them is not None and (all_of_them == np.load(coded / "codes.npy")).all()
    rest = known_codes(samples(coded, ("age", "sex")))
    assert rest is not None and (rest == all_of_them[:, 1:]).all()
    assert known_codes(samples(write_blobs(coded / "without"))) is None


def test_tissue_maps_do_without_codes_of_how_scans_look(coded: Path) -> None:
    about = Description.from_json((coded / "dataset.json").read_text("utf-8"))
    (coded / "dataset.json").write_text(replace(about, codes=("gamma", "size", "bias 2")).to_json(), "utf-8")
    data = TrainingSet.open(coded)
    kept = known_codes(Samples(data, Data((16, 16, 16), values="tissues")))
    assert kept is not None and (kept == np.load(coded / "codes.npy")[:, 1:2]).all()


def test_csegsynth_begins_by_hearing_the_codes_and_nothing_of_the_rest_of_its_latent(
    coded: Path, tmp_path: Path
) -> None:
    settings = {
        **recipe(0, learning_rate=1e-9),
        "family": "csegsynth",
        "data": {"shape": [16, 16, 16], "values": "tissues", "features": ["age"]},
        "network": {"channel": 4, "prior": True},
        "training": {"steps": 1, "batch": 2},
    }
    train(parse_recipe(settings, "blobs.toml"), coded, tmp_path / "run")
    state = load_checkpoint(tmp_path / "run")
    assert state is not None
    network = CSegSynthNetwork(128, 1, prior=True, grid=(2, 2, 2))
    network.load_state_dict(state["networks"]["generator"])
    z, age = torch.randn(1, 128, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 1)
    other_code, other_rest, silent = z.clone(), z.clone(), z * 0
    other_code[:, :2] *= -1  # size and place; age is told
    other_rest[:, 2:] *= -1
    with torch.no_grad():
        made, coded_otherwise, same, mean = (csegsynth(network, x, age)[0] for x in (z, other_code, other_rest, silent))
    assert (coded_otherwise - made).std() > 5 * (same - made).std()
    assert mean[:, 4:12, 4:12, 4:12].std(dim=(1, 2, 3)).min() > 0.1  # it tells places apart, away from the edges too


def test_codes_of_another_shape_are_refused(coded: Path) -> None:
    np.save(coded / "codes.npy", np.zeros((11, 3), dtype=np.float32))
    with pytest.raises(TrainingDataError, match=r"codes\.npy holds float32 \(11, 3\)"):
        TrainingSet.open(coded)


def test_found_codes_are_uncorrelated_and_know_nothing_of_the_features(tmp_path: Path) -> None:
    found = samples(write_blobs(tmp_path / "blobs", count=40), ("age",))
    assert found.features is not None
    codes = component_codes(found, 4)
    assert codes.T @ codes / 40 == pytest.approx(np.eye(4), abs=1e-4)
    assert codes.T @ found.features.numpy() == pytest.approx(0, abs=1e-3)


def test_a_latent_shorter_than_the_codes_is_refused(coded: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongRequestError, match="3 numbers decide a sample, more than the 2 of a latent"):
        train(parse_recipe(recipe(2), "blobs.toml"), coded, tmp_path / "run")


def test_training_with_muon_learns_and_goes_on_after_a_stop_to_the_same_weights(coded: Path, tmp_path: Path) -> None:
    def stop(done: int, steps: int, losses: dict[str, float]) -> None:
        heard.append(losses["L1"])
        if done == 10:
            raise KeyboardInterrupt

    heard: list[float] = []
    settings = parse_recipe(recipe(3, matrix_rate=0.02), "blobs.toml")
    with pytest.raises(KeyboardInterrupt):
        train(settings, coded, tmp_path / "stopped", report=stop)
    left = load_checkpoint(tmp_path / "stopped")
    assert left is not None and left["step"] == 8 and left["optimisers"]["matrices"]["state"]
    for name in ("stopped", "whole"):
        train(settings, coded, tmp_path / name, report=lambda done, steps, losses: heard.append(losses["L1"]))
    states = [load_checkpoint(tmp_path / name) for name in ("stopped", "whole")]
    assert states[0] is not None and states[1] is not None
    first, second = (state["networks"]["generator"] for state in states if state is not None)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert np.mean(heard[-5:]) < 0.7 * np.mean(heard[:3])


def test_a_step_of_muon_has_singular_values_near_one() -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((6, 40), (40, 6)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=generator)))
        assert values.min() > 0.6 and values.max() < 1.3
    weight = torch.nn.Parameter(torch.randn(8, 2, 3, 3, 3, generator=generator))
    before = weight.detach().clone()
    weight.grad = torch.randn(weight.shape, generator=generator)
    Muon([weight], lr=0.1).step()
    moved = torch.linalg.svdvals((weight.detach() - before).flatten(1))
    assert moved.min() > 0.06 and moved.max() < 0.13
