"""MONAI latent diffusion: golden packs, files as MONAI core writes them, bundles, and halves that are missing."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import CheckpointError, IncompleteCheckpointError, MissingArgumentError, WrongRequestError
from synthview.generators.networks.monai_layers import build_autoencoder, build_diffusion, decode_steps, predict_steps
from synthview.generators.samplers.latent import Levels, make_levels, sample
from synthview.generators.samplers.steps import finish
from tests.generators.golden import Pack

pytestmark = pytest.mark.usefixtures("one_thread")

BRAIN, PLAIN = "monai_ldm_brain_conditional", "monai_ldm_unconditional"
CONDITIONS = ("gender", "age", "ventricular_volume", "brain_volume")
AUTOENCODER: dict[str, Any] = {
    "in_channels": 1, "out_channels": 1, "latent_channels": 3, "channels": (8, 16), "num_res_blocks": (1, 2),
    "attention_levels": (False, True), "with_encoder_nonlocal_attn": True, "with_decoder_nonlocal_attn": False,
    "norm_num_groups": 8, "norm_eps": 1e-6,
}  # fmt: skip
DIFFUSION: dict[str, Any] = {
    "in_channels": 3, "out_channels": 3, "channels": (8, 16), "num_res_blocks": (1, 1),
    "attention_levels": (False, True), "num_head_channels": (8, 8), "norm_num_groups": 8, "norm_eps": 1e-6,
    "resblock_updown": False, "with_conditioning": False, "cross_attention_dim": None, "transformer_num_layers": 1,
    "num_class_embeds": None,
}  # fmt: skip


def randomised(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Random weights everywhere: MONAI begins with zeros in the last layer of each block."""
    draw = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        scale = 1.0 if parameter.ndim == 1 else (parameter[0].numel()) ** -0.5
        parameter.data = torch.randn(parameter.shape, generator=draw) * scale
    return network.eval()


def write_ldm(folder: Path, layout: str = "core", **changes: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A small model in a bundle's two files; returns its autoencoder and its UNet."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = randomised(build_autoencoder({**AUTOENCODER, "layout": layout}))
    unet = randomised(build_diffusion({**DIFFUSION, **changes, "layout": layout}), 1)
    torch.save(encoder.state_dict(), folder / "autoencoder.pth")
    torch.save(unet.state_dict(), folder / "diffusion_model.pth")
    return encoder, unet


# -- golden packs --------------------------------------------------------------------------------------------------


def test_the_conditional_brain_pack(shared: Path) -> None:
    pack = Pack(shared / "conformance" / BRAIN)
    raw = sv.load_generator(pack.folder, device="cpu").decode(pack.arrays["noise"], pack.arrays["cond"])
    assert list(raw.shape[2:]) == pack.case["expected_output_shape"][2:]
    for row in range(2):
        expected = pack.arrays[f"decoded_{row}__full"]
        np.testing.assert_allclose(raw[row, 0], expected, **pack.case["tolerance"]["decoded"])


def test_the_published_post_processing_of_brains(shared: Path) -> None:
    pack = Pack(shared / "conformance" / BRAIN)
    generator = sv.load_generator(pack.folder, device="cpu", size="4x8x4")
    features = dict(zip(CONDITIONS, map(float, pack.arrays["cond"][0]), strict=True))
    volume = generator.generate(latent=pack.arrays["noise"][0], features=features)
    published = volume.voxels[::-1].astype(float)  # published with the first axis to the left
    assert np.abs(published - pack.arrays["nifti_0"]).max() <= 1
    flipped = volume.affine @ np.array([[-1, 0, 0, len(published) - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(flipped, pack.arrays["nifti_affine"])
    assert volume.provenance.features == features


@pytest.mark.parametrize("steps", [1, 10, 50])
def test_latents_of_the_brain_pack(shared: Path, steps: int) -> None:
    pack = Pack(shared / "conformance" / BRAIN)
    ldm = sv.load_generator(pack.folder, device="cpu")._network
    z, condition = torch.from_numpy(pack.arrays["noise"][:1]), torch.from_numpy(pack.arrays["cond"][:1])
    latents: list[torch.Tensor] = []
    with torch.inference_mode():
        channels, context, classes = ldm._conditions(condition, z)
        levels = make_levels(steps=50)
        np.testing.assert_allclose(levels.alphas_cumprod, pack.arrays["alphas_cumprod"], rtol=1e-6)
        assert levels.times == pack.arrays["timesteps"].tolist()
        visited = Levels(levels.alphas_cumprod, levels.times[: steps + 1])

        def predict(x: torch.Tensor, time: float) -> Any:
            latents.append(x)
            return predict_steps(ldm.diffusion, torch.cat([x, channels], dim=1), time, context, classes)

        end = finish(sample("ddim", visited, predict, z, noise=torch.Generator()))
    found = (end if steps == 50 else latents[steps])[0].numpy()
    np.testing.assert_allclose(
        found, pack.arrays[f"latent_after_{steps}_0__full"], **pack.case["tolerance"]["latent_after_*"]
    )


def test_the_unconditional_pack(shared: Path) -> None:
    pack = Pack(shared / "conformance" / PLAIN)
    generator = sv.load_generator(pack.folder, device="cpu", size="8x8x4", **pack.case["constructor"])
    raw = generator.decode(pack.arrays["noise"])
    for row in range(2):
        expected = pack.arrays[f"decoded_{row}__full"]
        np.testing.assert_allclose(raw[row, 0], expected, **pack.case["tolerance"]["decoded"])
    volume = generator.generate(latent=pack.arrays["noise"][0])
    assert np.abs(volume.voxels.astype(int) - pack.arrays["uint8_0"]).max() <= 1


# -- files of either kind ------------------------------------------------------------------------------------------


def test_a_file_of_monai_core_runs_as_monai_runs_it(tmp_path: Path) -> None:
    """Its projection is applied; MONAI's own forward passes are the measure."""
    encoder, unet = write_ldm(tmp_path)
    ldm = sv.load_generator(tmp_path, device="cpu", num_head_channels=8)._network
    x = torch.randn(1, 3, 4, 4, 4, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(finish(predict_steps(ldm.diffusion, x, 300)), unet(x, torch.tensor([300])))
        torch.testing.assert_close(finish(decode_steps(ldm.autoencoder, x)), encoder.decode(x))
        for network in (encoder, unet):
            for name, parameter in network.named_parameters():
                if name.endswith("attn.out_proj.weight"):
                    parameter.data *= 2
        assert not torch.allclose(finish(predict_steps(ldm.diffusion, x, 300)), unet(x, torch.tensor([300])))


def test_a_file_of_generative_models_does_not_apply_its_projection(tmp_path: Path) -> None:
    write_ldm(tmp_path, "generative")
    generator = sv.load_generator(tmp_path, device="cpu", num_head_channels=8, size="4x4x4", steps=2)
    before = generator.generate(seed=1).voxels
    for name in ("autoencoder.pth", "diffusion_model.pth"):
        state = torch.load(tmp_path / name, weights_only=True)
        assert any(".proj_attn." in key for key in state)
        torch.save({k: v * 3 if ".proj_attn." in k else v for k, v in state.items()}, tmp_path / name)
    after = sv.load_generator(tmp_path, device="cpu", num_head_channels=8, size="4x4x4", steps=2).generate(seed=1)
    assert np.array_equal(after.voxels, before)


def test_both_layouts_agree_where_the_projection_changes_nothing() -> None:
    core = randomised(build_diffusion({**DIFFUSION, "layout": "core"}))
    older = build_diffusion({**DIFFUSION, "layout": "generative"}).eval()
    state = core.state_dict()
    for key in state:
        if ".attn.out_proj." in key:
            state[key] = torch.eye(len(state[key])) if key.endswith("weight") else torch.zeros(len(state[key]))
    core.load_state_dict(state)
    renamed = {
        k.replace(".attn.out_proj.", ".proj_attn.").replace(".attn.", ".").replace("postconv", "conv"): v
        for k, v in state.items()
    }
    older.load_state_dict(renamed)
    x = torch.randn(1, 3, 4, 4, 4, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(finish(predict_steps(older, x, 10)), finish(predict_steps(core, x, 10)))


@pytest.mark.parametrize("layout", ["core", "generative"])
@pytest.mark.parametrize(
    "changes",
    [
        {"resblock_updown": True},
        {"in_channels": 7, "with_conditioning": True, "cross_attention_dim": 4, "num_head_channels": (8, 16)},
        {"num_class_embeds": 3},
        {"with_conditioning": True, "cross_attention_dim": 2, "transformer_num_layers": 2},
    ],
)
def test_arguments_are_read_from_shapes(tmp_path: Path, layout: str, changes: dict) -> None:
    write_ldm(tmp_path, layout, **changes)
    generator = sv.load_generator(tmp_path, device="cpu", num_head_channels=8, steps=2, size="4x4x4", output="raw")
    found = generator.info.arguments
    heads = {"num_head_channels": (0, 8)}
    assert found["autoencoder"] == {**AUTOENCODER, "layout": layout}
    assert found["diffusion"] == {**DIFFUSION, **changes, "layout": layout, **heads}
    assert generator.generate(seed=1).voxels.size


# -- conditions, sampling ------------------------------------------------------------------------------------------


@pytest.fixture
def brain(tmp_path: Path) -> Any:
    write_ldm(tmp_path, "generative", in_channels=7, with_conditioning=True, cross_attention_dim=4)
    return sv.load_generator(tmp_path, device="cpu", size="4x4x4", steps=4, output="raw")


def test_conditions_change_the_volume(brain: Any) -> None:
    assert tuple(feature.name for feature in brain.info.features) == CONDITIONS
    base = brain.generate(seed=1).voxels
    assert np.array_equal(brain.generate(seed=1, features={"gender": 0, "age": 0.5}).voxels, base)
    for name in CONDITIONS:
        assert not np.allclose(brain.generate(seed=1, features={name: 1}).voxels, base)
    with pytest.raises(WrongRequestError, match="age must be between 0 and 1"):
        brain.generate(seed=1, features={"age": 72})


def test_every_scheduler_runs_and_coarse_takes_fewer_steps(brain: Any, tmp_path: Path) -> None:
    volumes = {}
    for scheduler in ("ddim", "ddpm", "pndm"):
        generator = sv.load_generator(tmp_path, device="cpu", size="4x4x4", steps=20, output="raw", scheduler=scheduler)
        fractions: list[float] = []
        volumes[scheduler] = generator.generate(seed=3, progress=fractions.append).voxels
        assert fractions == sorted(fractions)
        assert len(fractions) > 60
        assert np.array_equal(generator.generate(seed=3).voxels, volumes[scheduler])
    assert not np.allclose(volumes["ddim"], volumes["ddpm"])
    fractions = []
    coarse = generator.generate(seed=3, coarse=True, progress=fractions.append)
    assert coarse.provenance.arguments["coarse"]
    assert len(fractions) < 40


def test_a_volume_can_be_made_again_from_its_provenance(brain: Any, tmp_path: Path) -> None:
    volume = brain.generate(seed=4, features={"age": 0.9})
    record = json.loads(json.dumps(volume.provenance.to_dict()))
    again = sv.load_generator(tmp_path, device="cpu", family=record["family"], **record["arguments"])
    assert np.array_equal(again.generate(seed=4, features=record["features"]).voxels, volume.voxels)


def test_text_conditions_come_as_embeddings(tmp_path: Path) -> None:
    write_ldm(tmp_path, with_conditioning=True, cross_attention_dim=64)
    generator = sv.load_generator(tmp_path, device="cpu", size="4x4x4", steps=2, num_head_channels=8)
    assert generator.info.features == ()
    assert any("text embeddings" in note for note in generator.info.notes)
    z = generator.sample_latent(1)
    embeddings = np.random.default_rng(0).normal(size=(1, 5 * 64)).astype(np.float32)
    assert not np.allclose(generator.decode(z, embeddings), generator.decode(z))
    with pytest.raises(WrongRequestError, match="tokens × 64"):
        generator.decode(z, embeddings[:, :100])


# -- what the weights do not say -----------------------------------------------------------------------------------


def test_the_width_of_heads_is_asked(tmp_path: Path) -> None:
    write_ldm(tmp_path)
    with pytest.raises(MissingArgumentError) as caught:
        sv.load_generator(tmp_path, device="cpu")
    assert caught.value.argument.name == "num_head_channels"
    assert caught.value.argument.choices == ("8", "16", "one")
    one = sv.load_generator(tmp_path, device="cpu", num_head_channels="one", size="4x4x4", steps=1)
    two = sv.load_generator(tmp_path, device="cpu", num_head_channels=8, size="4x4x4", steps=1)
    z = one.sample_latent(0)
    assert not np.allclose(one.decode(z), two.decode(z))


def test_a_bundle_says_the_rest(tmp_path: Path) -> None:
    write_ldm(tmp_path / "models", "generative")
    bundle = {
        "autoencoder_def": {
            "_target_": "generative.networks.nets.AutoencoderKL", "num_channels": [8, 16], "norm_num_groups": 4,
            "norm_eps": 1e-5,
        },
        "groups": 2,
        "diffusion_def": {
            "_target_": "generative.networks.nets.DiffusionModelUNet", "norm_num_groups": "@groups",
            "num_head_channels": [0, 8],
        },
        "scheduler": {
            "_target_": "generative.networks.schedulers.DDIMScheduler", "beta_end": 0.02, "schedule": "scaled_linear",
            "prediction_type": "v_prediction", "clip_sample": False,
        },
        "set_timesteps": "$@scheduler.set_timesteps(num_inference_steps=7)",
        "noise": "$torch.randn((1, 3, 4, 6, 4)).to(@device)",
        "danger": "$__import__('os').abort()",
    }  # fmt: skip
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "inference.json").write_text(json.dumps(bundle))
    generator = sv.load_generator(tmp_path, device="cpu")
    found = generator.info.arguments
    assert (found["autoencoder"]["norm_num_groups"], found["autoencoder"]["norm_eps"]) == (4, 1e-5)
    assert (found["diffusion"]["norm_num_groups"], found["diffusion"]["num_head_channels"]) == (2, (0, 8))
    assert (found["prediction_type"], found["beta_end"], found["schedule"]) == (
        "v_prediction",
        0.02,
        "scaled_linear_beta",
    )
    assert (found["steps"], found["size"], generator.info.output_shape) == (7, (4, 6, 4), (1, 8, 12, 8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm_num_groups": 3}, "norm_num_groups 3 does not divide"),
        ({"num_head_channels": 5}, "does not divide a level's 16 channels"),
        ({"size": "5x4x4"}, "multiple of 2"),
        ({"steps": 1001}, "1000 or fewer"),
        ({"prediction_type": "noise"}, "must be one of epsilon"),
        ({"diffusion": '{"num_channels": [8, 32]}'}, "diffusion: channels .* does not fit the weights"),
        ({"diffusion": {"depth": 3}}, "no argument 'depth'"),
        ({"scale_factor": 0}, "scale_factor must be a number"),
    ],
)
def test_impossible_arguments_are_named(tmp_path: Path, arguments: dict, message: str) -> None:
    write_ldm(tmp_path)
    with pytest.raises(WrongRequestError, match=message):
        sv.load_generator(tmp_path, device="cpu", **{"num_head_channels": 8, **arguments})


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "missing"), [("autoencoder.pth", "diffusion_model.pth"), ("diffusion_model.pth", "autoencoder.pth")]
)
def test_a_missing_half_is_named(tmp_path: Path, kept: str, missing: str) -> None:
    write_ldm(tmp_path / "whole")
    (tmp_path / "half").mkdir()
    shutil.copy(tmp_path / "whole" / kept, tmp_path / "half")
    for path in (tmp_path / "half", tmp_path / "half" / kept):
        with pytest.raises(IncompleteCheckpointError, match=missing):
            sv.load_generator(path, device="cpu")


def test_either_file_brings_the_other(tmp_path: Path) -> None:
    write_ldm(tmp_path)
    ids = {sv.load_generator(p, device="cpu", num_head_channels=8).info.sha256 for p in (tmp_path, *tmp_path.iterdir())}
    assert len(ids) == 1


def test_both_networks_in_one_file_and_averaged_weights(tmp_path: Path) -> None:
    encoder, unet = write_ldm(tmp_path / "two")
    other = {key: torch.zeros_like(value) for key, value in unet.state_dict().items()}
    content = {"autoencoder": encoder.state_dict(), "unet": other, "unet_ema": unet.state_dict(), "epoch": 3}
    torch.save(content, tmp_path / "ldm.pt")
    one, two = (
        sv.load_generator(path, device="cpu", num_head_channels=8, size="4x4x4", steps=2)
        for path in (tmp_path / "ldm.pt", tmp_path / "two")
    )
    z = one.sample_latent(1)
    assert np.array_equal(one.decode(z), two.decode(z))


def test_missing_keys_are_named(tmp_path: Path) -> None:
    write_ldm(tmp_path)
    for name, key in [("autoencoder", "decoder.blocks.1.conv1.conv.weight"), ("diffusion_model", "time_embed.0.bias")]:
        path = tmp_path / f"{name}.pth"
        state = torch.load(path, weights_only=True)
        torch.save({k: v for k, v in state.items() if k != key}, path)
        with pytest.raises(CheckpointError, match=rf"missing: \w+\.{key}"):
            sv.load_generator(tmp_path, device="cpu", num_head_channels=8)
        torch.save(state, path)


def test_two_dimensional_models_are_refused(tmp_path: Path) -> None:
    _, unet = write_ldm(tmp_path)
    flat = {k: v[..., 0] if v.ndim == 5 else v for k, v in unet.state_dict().items()}
    torch.save(flat, tmp_path / "diffusion_model.pth")
    with pytest.raises(CheckpointError, match="two-dimensional"):
        sv.load_generator(tmp_path, device="cpu", family="monai-ldm")
