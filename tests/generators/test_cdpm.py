"""MRIAnatEval's cDPM: its golden pack, and small networks with random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import CheckpointError, WrongRequestError
from synthview.generators.networks.cdpm import CdpmNetwork
from synthview.generators.samplers.steps import finish
from tests.generators.golden import Pack

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG: dict[str, Any] = {  # as the training script saves it, with much beside
    "dataset": "MRI", "T": 6, "max_frames": 4, "image_size": 16, "num_channels": 32, "num_res_blocks": 1,
    "num_heads": 2, "num_heads_upsample": -1, "diffusion_steps": 40, "noise_schedule": "linear", "sigma_small": True,
    "predict_xstart": False, "rescale_timesteps": True, "use_scale_shift_norm": True, "use_rpe_net": True,
    "timestep_respacing": "", "learn_sigma": False,
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "num_channels": 32, "channels": (32, 64), "num_res_blocks": 1, "attention": (False, True), "num_heads": 2,
    "num_heads_upsample": 2, "use_scale_shift_norm": True,
}  # fmt: skip


def write_cdpm(path: Path, config: dict | None = CONFIG, **changes: Any) -> Path:
    """A small network with random weights, in a file like the training script's."""
    torch.manual_seed(0)
    state = CdpmNetwork({**NETWORK, **changes}).state_dict()
    state = {key: torch.nn.Parameter(tensor) for key, tensor in state.items()}
    torch.save({"state_dict": state, "config": config, "step": 7} if config else state, path)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_cdpm(tmp_path / "ema_0.9999_250000.pt")


def test_the_network_of_the_golden_pack(shared: Path) -> None:
    pack = Pack(shared / "conformance" / "mrianateval_cdpm")
    network = sv.load_generator(pack.folder, device="cpu")._network
    given = [torch.from_numpy(pack.arrays[f"net_{n}"]) for n in ("x", "x0", "obs_mask", "frame_indices", "timesteps")]
    with torch.inference_mode():
        output = finish(network.steps(*given)).numpy()
    np.testing.assert_allclose(output, pack.arrays["net_out"], **pack.case["tolerance"]["net_out"])


@pytest.mark.slow
def test_the_volume_of_the_golden_pack(shared: Path) -> None:
    pack = Pack(shared / "conformance" / "mrianateval_cdpm")
    latent = np.zeros((1, 7, 7, 1, 32, 32), dtype=np.float32)  # start noise and six steps, of seven slices
    for number, stage in enumerate(pack.case["sampling"]["stages"]):
        made = stage["generated"]
        latent[0, :, made] = pack.arrays[f"noise_stage{number}"][:, 0, -len(made) :].swapaxes(0, 1)
    volume = sv.load_generator(pack.folder, device="cpu", steps=6).decode(latent)
    np.testing.assert_allclose(volume, pack.arrays["sample_volume"], **pack.case["tolerance"]["sample_volume"])


def test_stages_are_those_of_the_published_code(shared: Path) -> None:
    from synthview.generators.samplers.windows import stages

    pack = Pack(shared / "conformance" / "mrianateval_cdpm")
    for name, expected in pack.case["schedules_131_slices_window20_step10"].items():
        scheme, given = name.split(", n_obs=")
        assert [list(stage) for stage in stages(scheme, 131, 20, 10, int(given))] == expected


def test_config_in_the_file_is_read(checkpoint: Path) -> None:
    info = sv.load_generator(checkpoint, device="cpu").info
    assert info.family == "mrianateval-cdpm"
    assert info.output_shape == (6, 1, 16, 16)
    assert {name: info.arguments[name] for name in NETWORK} == NETWORK
    assert (info.arguments["max_frames"], info.arguments["steps"], info.arguments["sigma_small"]) == (4, 40, True)
    assert not any("lacks its training configuration" in note for note in info.notes)


def test_without_config_published_values_are_assumed_and_told(tmp_path: Path) -> None:
    info = sv.load_generator(write_cdpm(tmp_path / "model.pt", config=None), device="cpu").info
    assert info.arguments["num_heads"] == 4
    assert any("num_heads 4" in note for note in info.notes)


@pytest.mark.parametrize(
    "changes", [{"use_scale_shift_norm": False}, {"num_res_blocks": 2, "attention": (True, False)}]
)
def test_variants_are_read_from_shapes(tmp_path: Path, changes: dict) -> None:
    arguments = sv.load_generator(write_cdpm(tmp_path / "model.pt", **changes), device="cpu").info.arguments
    assert {name: arguments[name] for name in changes} == changes


def test_a_seed_gives_the_same_volume_with_its_slices_upwards(checkpoint: Path) -> None:
    generator = sv.load_generator(checkpoint, device="cpu", steps=3)
    volume = generator.generate(seed=5)
    assert volume.voxels.shape == (16, 16, 6)
    assert volume.axis_codes == ("R", "A", "S")
    assert np.array_equal(volume.voxels, generator.generate(seed=5).voxels)
    assert not np.array_equal(volume.voxels, generator.generate(seed=6).voxels)
    assert np.abs(volume.voxels).max() <= 1
    raw = generator.decode(generator.sample_latent(5))
    assert raw.shape == (1, 6, 1, 16, 16)


def test_a_latent_with_every_draw_leaves_nothing_to_chance(checkpoint: Path) -> None:
    generator = sv.load_generator(checkpoint, device="cpu", steps=2)
    draws = np.random.default_rng(0).normal(size=(1, 3, 5, 1, 16, 16)).astype(np.float32)
    whole = generator.decode(draws)
    assert whole.shape == (1, 5, 1, 16, 16)
    draws[0, 2] += 1  # of the last step, where no noise is added
    assert np.array_equal(generator.decode(draws), whole)
    draws[0, 1] += 1
    assert not np.allclose(generator.decode(draws), whole)


def test_progress_goes_up_and_can_stop(checkpoint: Path) -> None:
    generator = sv.load_generator(checkpoint, device="cpu", steps=2)
    fractions: list[float] = []
    generator.generate(seed=1, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert len(fractions) > 20
    assert fractions[-1] == 1

    class Stop(Exception):
        pass

    def stop(fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        generator.generate(seed=1, progress=stop)
    assert generator.generate(seed=1).voxels.shape == (16, 16, 6)


def test_the_coarse_path_takes_few_steps_and_says_so(checkpoint: Path) -> None:
    generator = sv.load_generator(checkpoint, device="cpu", steps=8)
    counts = []
    for coarse in (True, False):
        fractions: list[float] = []
        volume = generator.generate(seed=1, coarse=coarse, progress=fractions.append)
        counts.append(len(fractions))
        assert ("coarse" in volume.provenance.arguments) == coarse
    assert counts[1] == pytest.approx(2 * counts[0], abs=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 41}, "steps must be 40 or fewer"),
        ({"diffusion_steps": 20, "steps": 5}, "above 20 with a linear schedule"),
        ({"scheme": "zigzag"}, "scheme must be one of autoreg"),
        ({"max_latent_frames": 4}, "below the 4 slices"),
        ({"size": "6x15x16"}, "multiples of 2"),
        ({"size": "16x16"}, "slices x rows x columns"),
        ({"num_channels": 64}, "num_channels 64 does not fit"),
        ({"num_heads": 3}, "must divide the channels"),
    ],
)
def test_impossible_arguments_are_named(checkpoint: Path, arguments: dict, message: str) -> None:
    with pytest.raises(WrongRequestError, match=message):
        sv.load_generator(checkpoint, device="cpu", **arguments)


def test_missing_keys_are_named(checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    for key in ("time_embed.2.bias", "input_blocks.1.0.out_layers.3.weight"):
        damaged = {k: v for k, v in content["state_dict"].items() if k != key}
        torch.save({**content, "state_dict": damaged}, tmp_path / "damaged.pt")
        with pytest.raises(CheckpointError, match=f"MRIAnatEval cDPM.*missing: {key}"):
            sv.load_generator(tmp_path / "damaged.pt", device="cpu")


def test_variants_that_cannot_be_sampled_say_why(checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    state = {**content["state_dict"], "out.2.weight": torch.zeros(2, 32, 3, 3), "out.2.bias": torch.zeros(2)}
    torch.save({**content, "state_dict": state}, tmp_path / "learned.pt")
    with pytest.raises(CheckpointError, match="learn_sigma"):
        sv.load_generator(tmp_path / "learned.pt", device="cpu", family="cdpm")
