"""Every method makes a step that changes each of its networks, is finite, and ends in a checkpoint of its family."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import synthview as sv
from synthview.errors import WrongRequestError
from synthview.training.dataset import TrainingSet
from synthview.training.export import export_run, feature_of, shown_features
from synthview.training.journal import read_journal
from synthview.training.losses import least_squares, says
from synthview.training.methods.base import Method, Setting
from synthview.training.methods.ldm import draw_times
from synthview.training.methods.registry import METHODS, find_method
from synthview.training.networks.critics import FineCritic, PatchCritic, patches_with_anatomy
from synthview.training.recipe import Recipe, bundled_recipes, load_recipe, parse_recipe
from synthview.training.run import train
from synthview.training.samples import Samples
from tests.training.tiny_set import write_blobs

HEAD = """
name = "tiny"
title = "Tiny"
[training]
steps = 2
batch = 2
log_every = 1
"""
GAN_SIZES = {"latent_dim": 4, "critic_width": 2, "encoder_width": 2, "code_width": 8}
SMALL_LDM = {"autoencoder": [8, 8], "diffusion": [8, 8], "attention": [False, True], "critic_width": 2}
CASES: dict[str, dict[str, Any]] = {
    "alpha-wgan": {
        "method": "alpha-gan",
        "family": "3dbraingen-alpha-gan",
        "shape": [64, 64, 64],
        "network": {**GAN_SIZES, "channel": 1},
    },
    "alpha-gan": {
        "method": "alpha-gan",
        "family": "3dbraingen-alpha-gan",
        "shape": [64, 64, 64],
        "network": {**GAN_SIZES, "channel": 1},
        "loss": {"adversary": "cross-entropy"},
    },
    "sigmarat-1": {
        "method": "alpha-gan",
        "family": "sigmarat",
        "shape": [64, 64, 64],
        "network": {**GAN_SIZES, "channel": 1, "spectral_norm": True, "critic_spectral": True},
        "loss": {"norm": "l1+mse"},
    },
    "sigmarat-2": {
        "method": "alpha-gan",
        "family": "sigmarat",
        "shape": [64, 64, 64],
        "network": {**GAN_SIZES, "channel": 1},
        "loss": {
            "norm": "mse",
            "penalty": 100.0,
            "reconstruction": 100.0,
            "gradient": 0.01,
            "optimiser": "adamw",
        },
    },
    "csegsynth": {
        "method": "alpha-gan",
        "family": "csegsynth",
        "shape": [16, 16, 16],
        "values": "tissues",
        "features": ["age", "sex"],
        "network": {"channel": 2, "critic_width": 2, "encoder_width": 2, "code_width": 8},
        "loss": {"volume": 1.0, "feature": 1.0},
    },
    "ha-gan": {
        "method": "ha-gan",
        "family": "ha-gan",
        "shape": [16, 16, 16],
        "network": {"latent_dim": 4, "channel": 1, "critic_width": 2, "encoder_width": 2, "slab": 2},
    },
    "crf-gan": {
        "method": "crf-gan",
        "family": "crf-gan",
        "shape": [16, 16, 16],
        "network": {"latent_dim": 4, "channel": 1, "critic_width": 2, "encoder_width": 2, "slab": 2},
    },
    "vae-gan": {
        "method": "vae-gan",
        "family": "3dbraingen-wgan",
        "shape": [64, 64, 64],
        "network": {"latent_dim": 4, "channel": 1, "critic_width": 2, "encoder_width": 2},
    },
    "c-vae": {
        "method": "vae-gan",
        "family": "csegsynth",
        "shape": [16, 16, 16],
        "values": "tissues",
        "features": ["age"],
        "network": {"channel": 2, "encoder_width": 2, "critic_width": 2, "prior": True},
    },
    "c-gan": {
        "method": "wgan",
        "family": "csegsynth",
        "shape": [16, 16, 16],
        "values": "tissues",
        "features": ["age"],
        "network": {"channel": 2, "critic_width": 2},
        "loss": {"volume": 1.0},
    },
    "c-vae-gan": {
        "method": "vae-gan",
        "family": "csegsynth",
        "shape": [16, 16, 16],
        "values": "tissues",
        "features": ["age"],
        "network": {"channel": 2, "critic_width": 2, "encoder_width": 2},
    },
    "ldm": {
        "method": "ldm",
        "family": "monai-ldm",
        "shape": [16, 16, 16],
        "features": ["sex", "age", "icv"],
        "network": {**SMALL_LDM, "autoencoder_blocks": [1, 1]},
        "loss": {"autoencoder_steps": 1, "adversary_from": 0, "sampling_steps": 2},
    },
    "ldm in pieces": {
        "method": "ldm",
        "family": "monai-ldm",
        "shape": [16, 16, 16],
        "network": {**SMALL_LDM, "autoencoder_blocks": [0, 2], "resblock_updown": False},
        "loss": {
            "autoencoder_steps": 1,
            "crop": [8, 12, 16],
            "matrix_rate": 0.02,
            "times": [-0.3, 1],
            "sampling_steps": 2,
        },
    },
    "paired": {
        "method": "paired",
        "family": "csegsynth",
        "shape": [16, 16, 16],
        "values": "tissues",
        "features": ["age", "sex"],
        "network": {"latent_dim": 3, "channel": 2},
        "loss": {"code_rate": 0.01, "jitter": 0.1},
    },
    "paired with a patch discriminator": {
        "method": "paired",
        "family": "ha-gan",
        "shape": [16, 16, 16],
        "network": {
            "latent_dim": 4,
            "channels": [8, 8, 8, 8, 4, 6, 3],
            "cell": 8,
            "critic_width": 2,
            "critic_spectral": False,
        },
        "loss": {"matrix_rate": 0.02, "adversary": 0.01, "code_rate": 0.01, "encoder": 1.0},
    },
    "paired with a discriminator of fine detail": {
        "method": "paired",
        "family": "ha-gan",
        "shape": [16, 16, 16],
        "network": {"latent_dim": 4, "channel": 1, "critic_width": 2, "critic_fine": True},
        "loss": {"adversary": 0.01, "code_rate": 0.01},
    },
}


def recipe_of(case: dict[str, Any]) -> Recipe:
    content = tomllib.loads(HEAD)
    data = {name: case[name] for name in ("shape", "values", "features") if name in case}
    rest = {name: case[name] for name in ("method", "family", "network", "loss") if name in case}
    return parse_recipe({**content, **rest, "data": data}, "tiny")


def four_phases() -> Recipe:
    """Latent diffusion: a step of the autoencoder, two of the UNet, two of the decoder alone."""
    loss = {**CASES["ldm"]["loss"], "more_steps": 1, "decoder_steps": 2}
    recipe = recipe_of({**CASES["ldm"], "loss": loss})
    return replace(recipe, training=replace(recipe.training, steps=5))


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("blobs"))


def build(recipe: Recipe, data: Path) -> Method:
    samples = Samples(TrainingSet.open(data), recipe.data)
    kind = find_method(recipe.method)
    torch.manual_seed(0)
    return kind(Setting(recipe, samples, torch.device("cpu"), kind.prepare(recipe, samples)))


@pytest.mark.parametrize("name", CASES)
def test_a_method_steps_and_its_result_opens_as_the_family(name: str, blobs: Path, tmp_path: Path) -> None:
    recipe = recipe_of(CASES[name])
    before = {
        key: tensor.clone()
        for network, module in build(recipe, blobs).networks.items()
        for key, tensor in ((f"{network}.{k}", p) for k, p in module.named_parameters())
    }
    train(recipe, blobs, tmp_path / "run")
    journal = read_journal(tmp_path / "run")
    assert [line["step"] for line in journal] == [1, 2]
    assert all(np.isfinite(list(line.values())).all() for line in journal)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert {key.split(".", 1)[0] for key in before} <= set(state["networks"])
    for network, tensors in state["networks"].items():
        own = {k.removeprefix(f"{network}."): v for k, v in before.items() if k.startswith(f"{network}.")}
        assert not own or any(not torch.equal(tensors[k], own[k]) for k in own), f"{network} learns nothing"
    generator = sv.load_generator(export_run(tmp_path / "run", tmp_path / "made"))
    assert generator.info.family == recipe.family
    volume = generator.generate(seed=0)
    assert np.isfinite(volume.voxels).all()
    assert [f.name for f in generator.info.features] == list(recipe.data.features)


@pytest.mark.parametrize("name", [*CASES, "ldm to its last phase"])
def test_a_method_stopped_after_every_step_comes_to_the_same_weights(name: str, blobs: Path, tmp_path: Path) -> None:
    recipe = recipe_of(CASES[name]) if name in CASES else four_phases()
    train(recipe, blobs, tmp_path / "whole")
    outcome = train(recipe, blobs, tmp_path / "parts", minutes=0)
    while outcome.reason == "time is up":
        outcome = train(recipe, None, tmp_path / "parts", minutes=0)
    whole, parts = (torch.load(tmp_path / run / "checkpoint.pt", weights_only=True) for run in ("whole", "parts"))
    for part in ("networks", "averages", "optimisers"):
        assert whole[part].keys() == parts[part].keys()
        for key in whole[part]:
            torch.testing.assert_close(parts[part][key], whole[part][key], rtol=0, atol=0, equal_nan=True)


def test_a_discriminator_of_fine_detail_is_not_for_tissue_maps(blobs: Path) -> None:
    case = CASES["paired"]
    recipe = recipe_of({**case, "network": {**case["network"], "critic_fine": True}, "loss": {"adversary": 0.01}})
    with pytest.raises(WrongRequestError, match="critic_fine is for scans"):
        build(recipe, blobs)


def test_the_card_s_samples_have_features_that_go_together(blobs: Path) -> None:
    case = next(case for case in CASES.values() if case.get("features") == ["sex", "age", "icv"])
    asked = shown_features(build(recipe_of(case), blobs).samples)
    people = TrainingSet.open(blobs)
    rows = {tuple(row) for row in np.stack([people.values(name) for name in ("sex", "age", "icv")], axis=1).round(2)}
    assert len(asked) == 16
    assert {tuple(np.round([one["sex"], one["age"], one["icv"]], 2)) for one in asked} == rows
    ages = [one["age"] for one in asked]
    assert ages == sorted(ages)


def test_a_feature_that_goes_with_the_first_number_says_so(blobs: Path, tmp_path: Path) -> None:
    folder = write_blobs(tmp_path / "set", volume_by_age=-5.0)
    case = next(case for case in CASES.values() if case.get("features") == ["sex", "age", "icv"])
    sex, age, volume = (feature_of(build(recipe_of(case), folder).samples, name) for name in case["features"])
    assert (sex.follows, age.follows) == ({}, {})
    assert list(volume.follows) == ["age"]
    assert volume.follows["age"] == pytest.approx(-5, abs=1)
    assert feature_of(build(recipe_of(case), blobs).samples, "icv").follows == {}  # drawn for themselves


def test_every_bundled_recipe_is_one_of_a_method_s() -> None:
    for path in bundled_recipes().values():
        recipe = load_recipe(path)
        kind = METHODS[recipe.method]
        from synthview.training.typed import typed

        typed(kind.Network, recipe.network, path.name)
        typed(kind.Loss, recipe.loss, path.name)
        assert recipe.card.summary
        assert recipe.card.simulated
        assert recipe.card.limits


def test_unknown_entries_are_named() -> None:
    content = {**tomllib.loads(HEAD), "method": "paired", "family": "ha-gan", "data": {"shape": [16, 16, 16]}}
    with pytest.raises(WrongRequestError, match=r"'colour'.*it may have name"):
        parse_recipe({**content, "colour": 1}, "x.toml")
    with pytest.raises(WrongRequestError, match="data: shape must be a list of 3 values"):
        parse_recipe({**content, "data": {"shape": [1, 2]}}, "x.toml")
    with pytest.raises(WrongRequestError, match="training: steps must be a whole number"):
        parse_recipe({**content, "training": {"steps": "many"}}, "x.toml")
    with pytest.raises(WrongRequestError, match="there is no method"):
        find_method("magic")


def test_latent_diffusion_begins_its_second_phase_at_full_rate(blobs: Path) -> None:
    loss = {**CASES["ldm"]["loss"], "autoencoder_steps": 10}
    recipe = recipe_of({**CASES["ldm"], "loss": loss})
    method = build(replace(recipe, training=replace(recipe.training, steps=30)), blobs)
    assert [method.done(step) for step in (0, 5, 10, 20, 29)] == [0, 0.5, 0, 0.5, 0.95]


def test_while_the_autoencoder_learns_a_sheet_shows_as_many_scans_as_asked_for(blobs: Path) -> None:
    method = build(recipe_of(CASES["ldm"]), blobs)
    networks = {name: method.networks[name].eval() for name in method.averaged}
    with torch.no_grad():
        made = method.sample(networks, method.latents(3, torch.Generator().manual_seed(0)), None)
    assert made.shape == (3, *method.samples.volume(0).shape)
    assert not torch.equal(made[0], made[1])


def test_a_decoder_can_learn_alone_while_the_latents_stay(blobs: Path) -> None:
    loss = {**CASES["ldm"]["loss"], "autoencoder_steps": 5, "keep_latents": True}
    method = build(recipe_of({**CASES["ldm"], "loss": loss}), blobs)
    autoencoder = method.networks["autoencoder"]
    before = {name: parameter.clone() for name, parameter in autoencoder.named_parameters()}
    method.step(method.samples.take([0, 1]), 0)
    moved = {name.partition(".")[0] for name, p in autoencoder.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"decoder", "post_quant_conv"}


def test_later_phases_of_latent_diffusion_go_on_with_the_unet_and_then_the_decoder_alone(blobs: Path) -> None:
    method = build(four_phases(), blobs)
    assert [method.done(step) for step in range(5)] == [0, 0, 0.5, 0.5, 0.75]
    assert [_moved(method, step) for step in range(5)] == [
        {"autoencoder.encoder", "autoencoder.decoder", "autoencoder.quant", "autoencoder.post", "critic"},
        {"diffusion", "scale"},
        {"diffusion"},
        {"autoencoder.decoder", "autoencoder.post", "fine critic"},
        {"autoencoder.decoder", "autoencoder.post", "fine critic"},
    ]


def _moved(method: Method, step: int) -> set[str]:
    """What a step changes: networks, and parts of the autoencoder."""
    before = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in method.networks.items()}
    method.step(method.samples.take([0, 1]), step)
    changed = {
        (name, key.split(".")[0].split("_")[0])
        for name, network in method.networks.items()
        for key, value in network.state_dict().items()
        if not torch.equal(value, before[name][key])
    }
    return {f"{name}.{part}" if name == "autoencoder" else name for name, part in changed}


def test_phases_that_do_not_fit_the_steps_are_refused(blobs: Path) -> None:
    recipe = recipe_of({**CASES["ldm"], "loss": {"autoencoder_steps": 1, "decoder_steps": 1}})
    with pytest.raises(WrongRequestError, match=r"decoder_steps \(1\) leave none of training.steps \(2\)"):
        build(recipe, blobs)


@pytest.mark.parametrize(("middle", "median", "in_the_middle"), [(None, 500, 0.5), ((-0.3, 1.0), 426, 0.7)])
def test_a_unet_learns_at_all_times_or_mostly_in_the_middle(
    middle: tuple[float, float] | None, median: int, in_the_middle: float
) -> None:
    times = draw_times(4000, 1000, middle, torch.Generator().manual_seed(0))
    assert times.min() >= 0
    assert times.max() < 1000
    assert abs(times.median() - median) < 20
    assert abs(((times >= 250) & (times < 750)).float().mean() - in_the_middle) < 0.03


@pytest.mark.parametrize("judge", [says, least_squares])
def test_a_patch_discriminator_tells_blurred_from_sharp(judge: Callable[..., torch.Tensor]) -> None:
    random = torch.Generator().manual_seed(0)
    sharp = torch.full((2, 1, 32, 32, 32), -1.0)
    sharp[:, :, 8:24, 8:24, 8:24] = torch.randn(2, 1, 16, 16, 16, generator=random).clamp(-0.9, 0.9)
    blurred = F.avg_pool3d(sharp, 3, stride=1, padding=1)
    counts = patches_with_anatomy(sharp)
    assert counts.sum() == 2 * 4**3
    torch.manual_seed(0)
    critic = PatchCritic(1, 4, spectral=False)
    optimiser = torch.optim.Adam(critic.parameters(), 4e-3)
    for _ in range(40):
        loss = judge(critic(sharp), real=True, counts=counts) + judge(critic(blurred), real=False, counts=counts)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.5


def test_the_discriminator_of_fine_detail_tells_what_is_too_faint_for_another() -> None:
    random = torch.Generator().manual_seed(0)
    smooth = F.avg_pool3d(torch.rand(2, 1, 32, 32, 32, generator=random), 5, stride=1, padding=2)
    sharp = smooth + 0.04 * torch.randn(smooth.shape, generator=random)
    everywhere = torch.ones(2, 1, 8, 8, 8)
    left = {}
    for kind in (FineCritic, lambda width: PatchCritic(1, width, spectral=False)):
        torch.manual_seed(0)
        critic = kind(4)
        optimiser = torch.optim.Adam(critic.parameters(), 4e-3)
        for _ in range(60):
            loss = least_squares(critic(sharp), real=True, counts=everywhere)
            loss = loss + least_squares(critic(smooth), real=False, counts=everywhere)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        left[type(critic)] = loss.item()
    assert left[FineCritic] < 0.2 < 0.45 < left[PatchCritic]
