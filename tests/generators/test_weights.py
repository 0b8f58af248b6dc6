"""Which weights of a file are taken, and in which forms they may lie there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations

import synthview as sv
from synthview.errors import CheckpointError, IncompleteCheckpointError, WrongRequestError
from synthview.generators.checkpoint import read_checkpoint
from synthview.generators.loading import inspect_checkpoint
from synthview.generators.norms import folded, older_names
from synthview.generators.verification import verify_file
from tests.generators.corruption import stem_stack_shapes
from tests.generators.formula import formula_weights, sigmarat_shapes

RAW = formula_weights(sigmarat_shapes(latent=8, channel=2))
AVERAGED = {key: 0.5 * tensor for key, tensor in RAW.items()}
Z = np.ones((1, 8), np.float32)


def decoded(path: Path, **arguments: Any) -> np.ndarray:
    return sv.load_generator(path, device="cpu", **arguments).decode(Z)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("plain")
    torch.save(RAW, folder / "raw.pth")
    torch.save(AVERAGED, folder / "averaged.pth")
    return {"raw": decoded(folder / "raw.pth"), "ema": decoded(folder / "averaged.pth")}


# -- averaged or raw -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {"model": RAW, "ema": AVERAGED, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}},
        {"g_ema": AVERAGED, "g": RAW, "d": {"conv.weight": torch.zeros(2, 2)}},
        {"netG": {"state_dict": RAW}, "netG_ema": {"state_dict": AVERAGED}, "epoch": 7},
        {"state_dict": {"generator." + k: v for k, v in RAW.items()}
         | {"generator_ema." + k: v for k, v in AVERAGED.items()} | {"disc.0.weight": torch.zeros(3, 3)}},
        {"generator": RAW, "averaged_model": {"n_averaged": torch.tensor(9)}
         | {"module." + k: v for k, v in AVERAGED.items()}},
    ],
)  # fmt: skip
def test_averaged_weights_are_the_default_and_raw_ones_a_choice(tmp_path: Path, content: Any, expected: Any) -> None:
    path = tmp_path / "both.pth"
    torch.save(content, path)
    assert np.array_equal(decoded(path), expected["ema"])
    notes = inspect_checkpoint(path).info.notes
    assert any("averaged (EMA)" in note.lower().replace("ema", "EMA") for note in notes)


def test_raw_weights_on_request_stay_with_the_volume(tmp_path: Path, expected: Any) -> None:
    torch.save({"model": RAW, "ema": AVERAGED}, tmp_path / "both.pth")
    generator = sv.load_generator(tmp_path / "both.pth", device="cpu", weights="raw")
    assert np.array_equal(generator.decode(Z), expected["raw"])
    saved = generator.generate(seed=2).save(tmp_path / "made.nii.gz")
    assert verify_file(saved).bitwise_equal
    assert inspect_checkpoint(tmp_path / "both.pth").info.arguments["weights"] == "ema"


def test_which_weights_is_a_setting_where_there_are_both(tmp_path: Path) -> None:
    torch.save({"model": RAW, "ema": AVERAGED}, tmp_path / "both.pth")
    torch.save(RAW, tmp_path / "raw.pth")
    settings = {s.name: s for s in inspect_checkpoint(tmp_path / "both.pth").info.settings}
    assert settings["weights"].value == "ema" and [value for value, _ in settings["weights"].choices] == ["ema", "raw"]
    chosen = sv.load_generator(tmp_path / "both.pth", device="cpu", weights="raw").info.settings
    assert [s.value for s in chosen if s.name == "weights"] == ["raw"]
    alone = sv.load_generator(tmp_path / "raw.pth", device="cpu", weights="raw").info.settings
    assert all(s.name != "weights" for s in alone)


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    torch.save(RAW, tmp_path / "raw.pth")
    torch.save({"ema": AVERAGED}, tmp_path / "ema.pth")
    with pytest.raises(WrongRequestError, match="no averaged weights"):
        decoded(tmp_path / "raw.pth", weights="ema")
    with pytest.raises(WrongRequestError, match=r"averaged weights \(EMA\) only"):
        decoded(tmp_path / "ema.pth", weights="raw")
    assert decoded(tmp_path / "raw.pth", weights="raw").shape


# -- normalised weights --------------------------------------------------------------------------------------------


class Layers(nn.Module):
    """Layers as in the generators: a transposed convolution first, then convolutions, then a linear one."""

    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.up = wrap(nn.ConvTranspose3d(6, 4, 2))
        self.square = wrap(nn.ConvTranspose3d(5, 5, 2))
        self.conv = wrap(nn.Conv3d(4, 3, 3))
        self.fc = wrap(nn.Linear(5, 2))


@pytest.mark.parametrize(
    "wrap",
    [nn.utils.spectral_norm, parametrizations.spectral_norm, parametrizations.weight_norm],
    ids=["spectral_norm", "parametrizations.spectral_norm", "parametrizations.weight_norm"],
)
def test_normalised_weights_are_folded_as_torch_computes_them(wrap: Any) -> None:
    torch.manual_seed(3)
    network = Layers(wrap)
    for _ in range(20):  # power iterations of spectral norms
        network.up(torch.zeros(1, 6, 1, 1, 1)), network.square(torch.zeros(1, 5, 1, 1, 1))
        network.conv(torch.zeros(1, 4, 3, 3, 3)), network.fc(torch.zeros(1, 5))
    network.eval()
    network.up(torch.zeros(1, 6, 1, 1, 1)), network.square(torch.zeros(1, 5, 1, 1, 1))
    network.conv(torch.zeros(1, 4, 3, 3, 3)), network.fc(torch.zeros(1, 5))
    plain = folded(older_names(network.state_dict()), spectral=True)
    for name in ("up", "square", "conv", "fc"):
        torch.testing.assert_close(plain[f"{name}.weight"], network.get_submodule(name).weight.detach())
    assert set(plain) == {f"{name}.{part}" for name in ("up", "square", "conv", "fc") for part in ("weight", "bias")}


def test_older_weight_norm() -> None:
    v, g = torch.randn(4, 3, 3, 3, 3), torch.rand(4, 1, 1, 1, 1)
    plain = folded({"conv.weight_v": v, "conv.weight_g": g}, spectral=False)
    torch.testing.assert_close(plain["conv.weight"], torch._weight_norm(v, g, 0))


def test_sigmarat_in_the_newer_form_of_spectral_norm(tmp_path: Path) -> None:
    older = formula_weights(sigmarat_shapes(latent=8, channel=2, spectral=True))
    ends = {"weight_orig": "original", "weight_u": "0._u", "weight_v": "0._v"}
    newer = {
        f"{layer}.parametrizations.weight.{ends[end]}": tensor
        for layer, _, end, tensor in ((*key.rpartition("."), tensor) for key, tensor in older.items())
    }
    torch.save(older, tmp_path / "older.pth")
    torch.save({"model": {"module." + key: tensor for key, tensor in newer.items()}}, tmp_path / "newer.pth")
    assert np.array_equal(decoded(tmp_path / "newer.pth"), decoded(tmp_path / "older.pth"))


def test_spectral_norm_in_a_family_published_without_it_is_folded_and_told(tmp_path: Path) -> None:
    weights = formula_weights(stem_stack_shapes())
    normalised = dict(weights)
    for key in [key for key in weights if key.startswith("tp_conv")]:
        weight = normalised.pop(key)
        matrix = (weight.transpose(0, 1) if key.startswith("tp_conv1") else weight).flatten(1)
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        layer = key.removesuffix("weight")
        weights[key] = weight / s[0]
        normalised |= {f"{layer}weight_orig": weight, f"{layer}weight_u": u[:, 0], f"{layer}weight_v": v[0]}
    torch.save(weights, tmp_path / "plain.pth")
    torch.save(normalised, tmp_path / "normalised.pth")
    z = np.ones((1, 6))
    raws = [sv.load_generator(tmp_path / f"{name}.pth", device="cpu") for name in ("plain", "normalised")]
    np.testing.assert_allclose(raws[0].decode(z), raws[1].decode(z), atol=1e-5)
    assert any("Spectral normalisation was folded" in note for note in raws[1].info.notes)


# -- number formats ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_other_precisions(tmp_path: Path, dtype: torch.dtype, kind: str) -> None:
    if (dtype, kind) == (torch.float8_e4m3fn, "legacy"):
        pytest.skip("torch can't read what it writes so")
    weights = {key: tensor.to(dtype) for key, tensor in RAW.items()}
    path = tmp_path / "weights.pt"
    if kind == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=kind == "zip")
    torch.save({key: tensor.float() for key, tensor in weights.items()}, tmp_path / "same.pth")
    assert np.array_equal(decoded(path), decoded(tmp_path / "same.pth"))


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.bool])
def test_numbers_that_no_network_computes_with(tmp_path: Path, dtype: torch.dtype) -> None:
    torch.save({key: tensor.to(dtype) for key, tensor in RAW.items()}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=rf"{str(dtype).removeprefix('torch.')} numbers in tp_conv1\.weight"):
        inspect_checkpoint(tmp_path / "odd.pth")


# -- several files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["safetensors", "bin"])
def test_parts_of_a_checkpoint_split_by_size(tmp_path: Path, end: str, expected: Any) -> None:
    keys = list(RAW)
    names = [f"model-0000{i}-of-00003.{end}" for i in (1, 2, 3)]
    for name, some in zip(names, (keys[:1], keys[1:3], keys[3:]), strict=True):
        part = {key: RAW[key] for key in some}
        save_file(part, tmp_path / name) if end == "safetensors" else torch.save(part, tmp_path / name)
    for opened in (tmp_path, *(tmp_path / name for name in names)):
        assert np.array_equal(decoded(opened), expected["raw"])
    (tmp_path / names[1]).unlink()
    for opened in (tmp_path, tmp_path / names[0]):
        with pytest.raises(IncompleteCheckpointError, match=rf"model-00002-of-00003\.{end} is missing"):
            read_checkpoint(opened)


def test_a_generator_and_its_condition_network_in_two_files(tmp_path: Path) -> None:
    from tests.generators.test_csegsynth import decoder_shapes, tower_shapes

    torch.save(formula_weights(decoder_shapes()), tmp_path / "generator.pth")
    torch.save(formula_weights(tower_shapes("nets", 3)), tmp_path / "condition.pth")
    for opened in (tmp_path, tmp_path / "generator.pth"):
        found = inspect_checkpoint(opened).info
        assert (found.family, len(found.features)) == ("csegsynth", 3)
