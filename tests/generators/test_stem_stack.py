"""3dbraingen and MRIAnatEval: golden figures and packs, telling them apart, training mode, and their volumes."""

from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import Cancelled, UnknownFamilyError, WrongRequestError
from tests.generators.figures import FIGURES, check_figures
from tests.generators.formula import formula_latent, formula_weights
from tests.generators.golden import Pack

pytestmark = pytest.mark.usefixtures("one_thread")

Shapes = dict[str, tuple[int, ...]]

FAMILIES = {  # case, family, stem, grid, widths, last convolution
    "3dbraingen_alphagan": ("3dbraingen-alpha-gan", 32, 8, (4, 4, 4), (8, 4, 2, 1), "tp_conv5"),
    "3dbraingen_vaegan": ("3dbraingen-wgan", 0, 64, (4, 4, 4), (8, 4, 2, 1), "tp_conv5"),
    "mrianateval_alphagan": ("mrianateval-alpha-gan", 24, 8, (4, 6, 4), (4, 4, 2, 1), "tp_conv5"),
    "mrianateval_alphawgan": ("mrianateval-alpha-wgan", 24, 8, (4, 6, 4), (8, 4, 2, 1), "tp_conv5"),
    "mrianateval_vaegan": ("mrianateval-vae-gan", 0, 64, (4, 6, 4), (8, 4, 2, 1), "tp_conv5"),
    "mrianateval_wgan": ("mrianateval-wgan", 0, 64, (4, 6, 4), (8, 4, 2, 1), "tp_conv6"),
}


def shapes_of(case: str) -> Shapes:
    """Keys and shapes of a file; a latent of 0 stands for the linear stem of 1000."""
    _, latent, channel, grid, multiples, last = FAMILIES[case]
    widths = [channel * multiple for multiple in multiples]
    if latent:
        shapes: Shapes = {"tp_conv1.weight": (latent, widths[0], *grid)}
    else:
        voxels = int(np.prod(grid))
        shapes = {"fc.weight": (widths[0] * voxels, 1000), "fc.bias": (widths[0] * voxels,)}
    for i, width in enumerate(widths, start=1):
        after = widths[i] if i < 4 else 1
        shapes |= {f"bn{i}.{key}": (width,) for key in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{last if i == 4 else f'tp_conv{i + 1}'}.weight"] = (after, width, 3, 3, 3)
    return shapes


def write(path: Path, case: str) -> Path:
    torch.save(formula_weights(shapes_of(case)), path)
    return path


@pytest.fixture
def alpha_gan(tmp_path: Path) -> Path:
    return write(tmp_path / "G_noW_iter12000.pth", "3dbraingen_alphagan")


@pytest.mark.parametrize("case", FAMILIES)
def test_published_figures(case: str, tmp_path: Path) -> None:
    generator = sv.load_generator(write(tmp_path / "G.pth", case), device="cpu")
    assert generator.info.family == FAMILIES[case][0]
    assert generator.info.parameters == FIGURES[case]["parameters"]
    raw = generator.decode(formula_latent(FAMILIES[case][1] or 1000))
    assert raw.shape[1:] == generator.info.output_shape
    check_figures(raw, case)


@pytest.mark.parametrize(
    "name",
    ["3dbraingen_alphagan", "3dbraingen_alphawgan", "3dbraingen_vaegan", "3dbraingen_wgan"]
    + [f"mrianateval_{way}" for way in ("alphagan", "alphawgan", "ccegan", "vaegan", "wgan")],
)
def test_golden_pack(shared: Path, name: str) -> None:
    pack = Pack(shared / "conformance" / name)
    raw = sv.load_generator(pack.folder, device="cpu").decode(pack.arrays["z"])
    for sample in range(len(raw)):
        pack.check(raw[sample, 0], "eval", sample)
    assert sv.load_generator(pack.folder, device="cpu", family=name).info.family.startswith(name[:10])


@pytest.mark.parametrize("name", ["3dbraingen_alphagan", "3dbraingen_wgan"])
def test_training_mode_as_published(shared: Path, name: str) -> None:
    pack = Pack(shared / "conformance" / name)
    generator = sv.load_generator(pack.folder, device="cpu", batch_statistics=True)
    both = generator.decode(pack.arrays["z"])
    for sample in range(2):
        pack.check(both[sample, 0], "train_b2", sample)
        pack.check(generator.decode(pack.arrays["z"][[sample]])[0, 0], "train_b1", sample)


def test_rows_of_a_batch_depend_on_each_other_only_in_training_mode(alpha_gan: Path) -> None:
    z = np.stack([formula_latent(32)[0], formula_latent(32)[0][::-1]])
    evaluation = sv.load_generator(alpha_gan, device="cpu")
    training = sv.load_generator(alpha_gan, device="cpu", batch_statistics="yes")
    np.testing.assert_allclose(evaluation.decode(z)[:1], evaluation.decode(z[:1]), atol=1e-6)
    assert np.abs(training.decode(z)[:1] - training.decode(z[:1])).max() > 0.01
    assert np.array_equal(training.generate(seed=1).voxels, training.generate(seed=1).voxels)


def test_3dbraingen_volumes_stand_upright(alpha_gan: Path) -> None:
    """The training's arrays grow to the left, back and top; the volume's to the right, front and top."""
    generator = sv.load_generator(alpha_gan, device="cpu")
    volume = generator.generate(latent=formula_latent(32)[0])
    raw = generator.decode(formula_latent(32))[0, 0]
    np.testing.assert_allclose(volume.voxels, 0.5 * raw[::-1, ::-1] + 0.5, atol=1e-6)
    assert (volume.axis_codes, volume.spacing) == (("R", "A", "S"), (4.0, 4.0, 4.0))
    assert any("4 mm" in note for note in volume.notes)


def test_mrianateval_repeats_nearest_voxels(tmp_path: Path) -> None:
    """144 from 64 takes 9 voxels from every 4, and 192 from 96 takes 2 from every 1."""
    generator = sv.load_generator(write(tmp_path / "G.pth", "mrianateval_alphagan"), device="cpu")
    raw = generator.decode(formula_latent(24))[0, 0]
    repeats = np.floor(np.arange(144) / 2.25).astype(int)
    first = np.searchsorted(repeats, repeats)
    assert np.array_equal(raw, raw[first][:, 2 * (np.arange(192) // 2)][:, :, first])
    volume = generator.generate(latent=formula_latent(24)[0])
    assert (volume.voxels.min(), volume.affine.tolist()) == (raw.min(), np.eye(4).tolist())


def test_the_count_of_batches_may_be_there_or_not(alpha_gan: Path, tmp_path: Path) -> None:
    weights = torch.load(alpha_gan, weights_only=True)
    weights |= {f"bn{i}.num_batches_tracked": torch.tensor(7) for i in range(1, 5)}
    torch.save(weights, tmp_path / "newer.pth")
    z = formula_latent(32)
    newer = sv.load_generator(tmp_path / "newer.pth", device="cpu").decode(z)
    assert np.array_equal(newer, sv.load_generator(alpha_gan, device="cpu").decode(z))


def test_progress_is_told_often_and_can_stop_it(alpha_gan: Path) -> None:
    generator = sv.load_generator(alpha_gan, device="cpu")
    heard: list[float] = []
    generator.generate(seed=0, progress=heard.append)
    assert len(heard) >= 5
    assert heard == sorted(heard)
    assert heard[-1] == 1.0

    def stop(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        generator.generate(seed=0, progress=stop)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bn2.weight": None}, r"looks like 3dbraingen α-GAN.*missing: bn2\.weight"),
        ({"tp_conv1.weight": None}, r"looks like 3dbraingen α-GAN.*missing: tp_conv1\.weight"),
        ({"bn9.weight": torch.zeros(3)}, r"looks like 3dbraingen α-GAN.*not expected: bn9\.weight"),
        ({"bn2.bias": torch.zeros(31)}, r"wrong shape: bn2\.bias \(31,\) instead of \(32,\)"),
    ],
)
def test_a_near_miss_names_the_keys(alpha_gan: Path, change: dict, says: str) -> None:
    weights = torch.load(alpha_gan, weights_only=True) | change
    torch.save({key: tensor for key, tensor in weights.items() if tensor is not None}, alpha_gan)
    with pytest.raises(UnknownFamilyError, match=says):
        sv.load_generator(alpha_gan, device="cpu")


def test_an_argument_that_contradicts_the_weights(alpha_gan: Path) -> None:
    with pytest.raises(WrongRequestError, match="channel 64 does not fit the weights, which say 8"):
        sv.load_generator(alpha_gan, device="cpu", channel=64)
