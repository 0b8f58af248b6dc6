"""CRF-GAN: golden figures and packs, and what sets it apart from HA-GAN."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import MissingArgumentError, UnknownFamilyError, WrongRequestError
from tests.generators.figures import FIGURES, check_figures
from tests.generators.formula import formula_latent, formula_weights, hagan_shapes
from tests.generators.golden import Pack


def crfgan_shapes(width: int = 64) -> dict[str, tuple[int, ...]]:
    return {key: shape for key, shape in hagan_shapes(width).items() if not key.startswith("sub_G.")}


def write(path: Path, weights: dict[str, torch.Tensor]) -> Path:
    torch.save({"model": {f"module.{key}": tensor for key, tensor in weights.items()}, "optimizer": {}}, path)
    return path


@pytest.fixture(scope="module")
def zeros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint for what does not depend on the weights' values."""
    path = tmp_path_factory.mktemp("crfgan") / "G_iter80000.pth"
    return write(path, {key: torch.zeros(1).expand(shape) for key, shape in crfgan_shapes().items()})


@pytest.mark.parametrize("size", [64, 128, pytest.param(256, marks=pytest.mark.slow)])
def test_published_figures(size: int, tmp_path: Path) -> None:
    path = write(tmp_path / "G_iter80000.pth", formula_weights(crfgan_shapes()))
    generator = sv.load_generator(path, device="cpu", size=size)
    assert (generator.info.family, generator.info.output_shape) == ("crf-gan", (1, size, size, size))
    assert generator.info.parameters == FIGURES[f"crfgan_{size}"]["parameters"]
    check_figures(generator.decode(formula_latent(64)), f"crfgan_{size}")


@pytest.mark.parametrize("size", [64, 128, pytest.param(256, marks=pytest.mark.slow)])
def test_golden_pack(shared: Path, size: int) -> None:
    pack = Pack(shared / "conformance" / f"crfgan_{size}")
    generator = sv.load_generator(pack.folder, device="cpu", size=size)
    raw = generator.decode(pack.arrays["z"])
    for sample in range(len(raw)):
        pack.check(raw[sample, 0], "raw", sample)


def test_hounsfield_units(shared: Path) -> None:
    pack = Pack(shared / "conformance" / "crfgan_64")
    volume = sv.load_generator(pack.folder, device="cpu", size=64, output="hu").generate(latent=pack.arrays["z"][0])
    assert (volume.kind, volume.unit, volume.axis_codes) == ("CT", "HU", ("R", "A", "S"))
    place = pack.case["postprocess"]["hu_0__center"]
    where = tuple(slice(a, a + place["size"]) for a in place["start"])
    published = volume.voxels[::-1, ::-1, :]  # the published (x, y, z) grow to the left and to the back
    np.testing.assert_allclose(published[where], pack.arrays["hu_0__center"], atol=1)


def test_the_size_is_asked_once_or_read_from_the_settings_beside(zeros: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingArgumentError) as asked:
        sv.load_generator(zeros, device="cpu")
    assert (asked.value.argument.name, asked.value.argument.choices) == ("size", ("64", "128", "256"))

    (tmp_path / "G_iter80000.pth").symlink_to(zeros)
    (tmp_path / "configs.json").write_text(json.dumps({"img_size": 64, "latent_dim": 62, "num_class": 2}))
    info = sv.load_generator(tmp_path, device="cpu").info
    assert (info.output_shape, info.latent_shape) == ((1, 64, 64, 64), (62,))
    assert [feature.name for feature in info.features] == ["class"]


def test_ha_gan_s_third_size_is_not_one_of_its(zeros: Path) -> None:
    with pytest.raises(WrongRequestError, match="CRF-GAN makes volumes of 64, 128, 256 voxels"):
        sv.load_generator(zeros, device="cpu", size=(144, 192, 144))


def test_a_branch_makes_it_ha_gan(tmp_path: Path) -> None:
    weights = {key: torch.zeros(1).expand(shape) for key, shape in hagan_shapes().items()}
    generator = sv.load_generator(write(tmp_path / "G.pth", weights), device="cpu", size=128)
    assert generator.info.family == "ha-gan"


def test_a_near_miss_names_the_keys(zeros: Path, tmp_path: Path) -> None:
    weights = {key: torch.zeros(1).expand(shape) for key, shape in crfgan_shapes().items()}
    del weights["bn3.weight"]
    weights["tp_conv9.weight"] = torch.zeros(3)
    with pytest.raises(UnknownFamilyError, match=r"looks like CRF-GAN.*missing: bn3\.weight; not expected: tp_conv9"):
        sv.load_generator(write(tmp_path / "G.pth", weights), device="cpu", size=64)
