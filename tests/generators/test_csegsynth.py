"""CSegSynth's six kinds of checkpoint: golden figures and packs, which networks are chosen, features, tissue maps."""

import pickle
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import CheckpointError, UnknownFamilyError, WrongRequestError
from synthview.generators.loading import inspect_checkpoint
from tests.generators.figures import FIGURES, check_figures
from tests.generators.formula import formula_latent, formula_weights
from tests.generators.golden import Pack

Shapes = dict[str, tuple[int, ...]]
Weights = dict[str, torch.Tensor]
PACKS = ["csegsynth", *(f"csegsynth_{variant}" for variant in ("vae", "cvae", "gan", "cgan", "alphagan"))]


def decoder_shapes(base: int = 8) -> Shapes:
    widths = (32 * base, 8 * base, 2 * base, 4)
    shapes: Shapes = {}
    for i, width in enumerate(widths):
        before = widths[max(i - 1, 0)]
        layer, norm, conv = f"decoder_net.upsample_layers.{i}", *(("1", "0") if i == 0 else ("0", "2"))
        kernel = (width, 1, 10, 16, 16) if i == 0 else (width, before // width, 3, 5, 5)
        shapes |= {f"{layer}.{conv}.weight": kernel, f"{layer}.{conv}.bias": (width,)}
        shapes |= {f"{layer}.{norm}.{key}": (before,) for key in ("weight", "bias")}
        for j in range(3 if i == 2 else 1):
            block = f"decoder_net.stages.{i}.{j}"
            shapes |= {f"{block}.gamma": (width,), f"{block}.dwconv.weight": (width, 1, 3, 5, 5)}
            shapes |= {f"{block}.pwconv1.weight": (4 * width, width), f"{block}.pwconv1.bias": (4 * width,)}
            shapes |= {f"{block}.pwconv2.weight": (width, 4 * width)}
            shapes |= {
                f"{block}.{key}": (width,) for key in ("dwconv.bias", "norm.weight", "norm.bias", "pwconv2.bias")
            }
    return shapes


def tower_shapes(name: str, features: int, width: int = 256) -> Shapes:
    sizes = (features, width // 16, width // 4, width)
    layers = [(f"{name}.{2 * i}", a, b) for i, (a, b) in enumerate(pairwise(sizes))]
    return {k: s for layer, a, b in layers for k, s in ((f"{layer}.weight", (b, a)), (f"{layer}.bias", (b,)))}


def encoder() -> Weights:
    return {
        "encoder_net.downsample_layers.0.0.weight": torch.zeros(4, 1, 3, 5, 5),
        "encoder_net.norm.bias": torch.ones(4),
    }


def write(path: Path, *parts: Weights, prefix: str = "module.") -> Path:
    """As the training scripts do: state dicts, then as many optimisers."""
    dicts = [OrderedDict((prefix + key, tensor) for key, tensor in part.items()) for part in parts]
    optimizers = [{"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}, "param_groups": []}] * len(
        parts
    )
    path.write_bytes(pickle.dumps([*dicts, *optimizers], protocol=4))
    return path


@pytest.fixture(scope="module")
def decoder() -> Weights:
    return formula_weights(decoder_shapes())


@pytest.fixture(scope="module")
def condition() -> Weights:
    return formula_weights(tower_shapes("nets", 5))


@pytest.fixture(scope="module")
def c_gan(tmp_path_factory: pytest.TempPathFactory, decoder: Weights, condition: Weights) -> Path:
    return write(tmp_path_factory.mktemp("cgan") / "2024(model_best).pickle", encoder(), decoder, condition)


def test_published_figures(tmp_path: Path, decoder: Weights) -> None:
    generator = sv.load_generator(write(tmp_path / "m.pickle", encoder(), decoder, prefix=""), device="cpu")
    assert generator.info.family == "csegsynth"
    assert generator.info.parameters == FIGURES["csegsynth_generator"]["parameters"]
    check_figures(generator.decode(formula_latent(256)), "csegsynth_generator")


def test_published_figures_of_the_condition_network(c_gan: Path) -> None:
    network = sv.load_generator(c_gan, device="cpu")._network
    features = torch.from_numpy(formula_latent(5))
    moved = formula_latent(256) + network.condition(features).numpy()
    check_figures(moved, "csegsynth_concodetrans")


@pytest.mark.parametrize("name", PACKS)
def test_golden_pack(shared: Path, name: str) -> None:
    pack = Pack(shared / "conformance" / name)
    tolerance = pack.case["tolerance"]
    pack.case["tolerance"] = tolerance["prob"]
    generator = sv.load_generator(pack.folder, device="cpu")
    raw = generator.decode(pack.arrays["z"][:1], pack.arrays["features"][:1] if "features" in pack.arrays else None)
    pack.check(raw[0], "prob", 0)
    volumes = raw[0].sum(axis=(1, 2, 3), dtype=np.float64) * 8
    np.testing.assert_allclose(volumes, pack.arrays["volumes"][0], rtol=tolerance["volumes"]["rtol"])


def test_c_vae_uses_the_decoder_s_condition_and_its_prior(tmp_path: Path, decoder: Weights, condition: Weights) -> None:
    """Of two condition networks alike in keys and shapes, the one after the prior."""
    prior = formula_weights(tower_shapes("head_mean", 5) | tower_shapes("head_log_var", 5))
    other = {key: torch.full_like(tensor, 9.0) for key, tensor in condition.items()}
    path = write(tmp_path / "m.pickle", encoder(), other, prior, condition, decoder)
    generator = sv.load_generator(path, device="cpu")
    assert dict(generator.info.arguments) == {"channel_base": 8, "num_features": 5, "prior": True}
    assert generator.info.latent_shape == (256,)
    assert torch.equal(generator._network.condition.nets[0].weight, condition["nets.0.weight"])


@pytest.mark.parametrize("base", [8, 16])
def test_the_width_comes_from_the_weights(tmp_path: Path, base: int) -> None:
    weights = {key: torch.tensor(0.1).expand(shape) for key, shape in decoder_shapes(base).items()}
    info = inspect_checkpoint(write(tmp_path / "m.pickle", weights)).info
    assert (info.arguments["channel_base"], info.latent_shape, info.features) == (base, (32 * base,), ())


def test_a_decoder_alone_as_weights(tmp_path: Path, decoder: Weights) -> None:
    torch.save(decoder, tmp_path / "decoder.pth")
    assert inspect_checkpoint(tmp_path / "decoder.pth").info.family == "csegsynth"


def test_features_move_the_map(c_gan: Path) -> None:
    generator = sv.load_generator(c_gan, device="cpu")
    assert [f.name for f in generator.info.features] == ["f0", "f1", "f2", "f3", "f4"]
    assert {(f.low, f.high, f.default, f.unit) for f in generator.info.features} == {(-3.0, 3.0, 0.0, "SD")}
    assert any("do not name their 5 features" in note for note in generator.info.notes)
    volume = generator.generate(seed=1, features={"f2": 1.5})
    assert np.abs(volume.voxels - generator.generate(seed=1).voxels).max() > 0.01
    assert volume.provenance is not None
    assert volume.provenance.features == {"f0": 0, "f1": 0, "f2": 1.5, "f3": 0, "f4": 0}
    columns = np.array([[0, 0, 1.5, 0, 0]])
    assert np.array_equal(generator.decode(generator.sample_latent(1), columns)[0], volume.voxels)


@pytest.mark.parametrize(
    ("features", "says"),
    [({"age": 70}, "no feature 'age'"), ({"f1": 4}, "f1 must be between -3 and 3 SD"), ([[0.0] * 6], "1 × 5")],
)
def test_wrong_features_are_named(c_gan: Path, features: object, says: str) -> None:
    generator = sv.load_generator(c_gan, device="cpu")
    with pytest.raises(WrongRequestError, match=says):
        generator.decode(generator.sample_latent(0), features)


def test_a_tissue_map(c_gan: Path) -> None:
    volume = sv.load_generator(c_gan, device="cpu").generate(seed=0)
    assert (volume.kind, volume.voxels.shape, volume.spacing) == ("tissue map", (4, 80, 128, 128), (2.0, 2.0, 2.0))
    np.testing.assert_allclose(volume.voxels.sum(axis=0), 1, atol=1e-5)


def test_the_model_is_found_among_what_lies_beside_it(c_gan: Path, tmp_path: Path) -> None:
    for name in ("2024(check_3).pickle", "2024(split).pickle", "2024(test_imgs).pickle", "2024(test_vols).pickle"):
        (tmp_path / name).write_bytes(pickle.dumps([1]))
    (tmp_path / c_gan.name).symlink_to(c_gan)
    assert inspect_checkpoint(tmp_path).info.family == "csegsynth"


def test_a_near_miss_names_the_keys(tmp_path: Path, decoder: Weights, condition: Weights) -> None:
    lacking = {key: tensor for key, tensor in decoder.items() if key != "decoder_net.stages.2.1.gamma"}
    with pytest.raises(UnknownFamilyError, match=r"looks like CSegSynth.*missing: decoder_net\.stages\.2\.1\.gamma"):
        inspect_checkpoint(write(tmp_path / "m.pickle", encoder(), lacking))
    lacking = {key: tensor for key, tensor in condition.items() if key != "nets.0.weight"}
    with pytest.raises(UnknownFamilyError, match=r"looks like CSegSynth.*missing: condition\.nets\.0\.weight"):
        inspect_checkpoint(write(tmp_path / "m.pickle", encoder(), decoder, lacking))


def test_networks_without_a_decoder_or_with_too_many(tmp_path: Path, decoder: Weights, condition: Weights) -> None:
    with pytest.raises(CheckpointError, match="holds several networks"):
        inspect_checkpoint(write(tmp_path / "m.pickle", encoder(), encoder()))
    with pytest.raises(CheckpointError, match="2 condition networks"):
        inspect_checkpoint(write(tmp_path / "m.pickle", decoder, condition, condition), family="csegsynth")
