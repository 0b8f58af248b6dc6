"""Which family a checkpoint is, what is said of one that fits none, and the arguments that weights can't tell."""

import json
from pathlib import Path

import pytest
import torch

import synthview as sv
from synthview import userdata
from synthview.errors import MissingArgumentError, UnknownFamilyError, WrongRequestError
from synthview.generators.loading import inspect_checkpoint
from tests.generators.formula import formula_weights, hagan_shapes, sigmarat_shapes


def save(path: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    torch.save(formula_weights(shapes), path)
    return path


def save_hagan(path: Path, width: int = 8) -> Path:
    """HA-GAN's keys and shapes without their megabytes: every tensor is one number, expanded."""
    torch.save({"model": {k: torch.tensor(0.01).expand(s) for k, s in hagan_shapes(width).items()}}, path)
    return path


def test_sigmarat_with_and_without_spectral_norm(tmp_path: Path) -> None:
    for spectral in (False, True):
        path = save(tmp_path / "G.pth", sigmarat_shapes(latent=12, channel=4, spectral=spectral))
        info = inspect_checkpoint(path).info
        assert info.family == "sigmarat"
        assert info.arguments == {
            "latent_dim": 12,
            "channel": 4,
            "spectral_norm": spectral,
            "batch_statistics": False,
        }
        assert (info.latent_shape, info.output_shape) == ((12,), (1, 64, 64, 64))


def test_spectral_norm_without_weight_v_as_old_files(tmp_path: Path) -> None:
    weights = formula_weights(sigmarat_shapes(latent=8, channel=2, spectral=True))
    for layer in range(1, 6):  # a u that one step of power iteration has already moved towards the singular vector
        del weights[f"tp_conv{layer}.weight_v"]
    torch.save(weights, tmp_path / "old.pth")
    raw = sv.load_generator(tmp_path / "old.pth", device="cpu").decode([[1.0] * 8])
    assert abs(raw).max() > 0.1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("tp_conv3.weight"), r"missing: tp_conv3\.weight"),
        (lambda s: s.update({"extra.weight": (2, 2)}), r"not expected: extra\.weight"),
        (
            lambda s: s.update({"tp_conv3.weight": (3, 3)}),
            r"wrong shape: tp_conv3\.weight \(3, 3\) instead of \(4, 8, 3",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change, says: str) -> None:
    shapes = sigmarat_shapes(latent=8, channel=2)
    change(shapes)
    path = save(tmp_path / "G.pth", shapes)
    with pytest.raises(UnknownFamilyError, match=says):
        sv.load_generator(path)
    with pytest.raises(UnknownFamilyError, match=says):
        sv.load_generator(path, family="sigmarat")


def test_an_unknown_architecture_is_told_what_comes_closest(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 5)).state_dict(), tmp_path / "mlp.pth")
    with pytest.raises(UnknownFamilyError, match=r"no architecture that synthview knows.*0\.weight.*Closest: not "):
        sv.load_generator(tmp_path / "mlp.pth")


@pytest.mark.parametrize("name", ["sigmarat", "SigmaRat1", "SIGMA-RAT 2", "α-WGAN SigmaRat", "alpha_wgan_sigmarat1"])
def test_family_names_are_forgiving(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / "G.pth", sigmarat_shapes(latent=8, channel=2))
    assert sv.load_generator(path, device="cpu", family=name).info.family == "sigmarat"


def test_wrong_family_and_wrong_argument_names(tmp_path: Path) -> None:
    path = save(tmp_path / "G.pth", sigmarat_shapes(latent=8, channel=2))
    with pytest.raises(WrongRequestError, match=r"no family 'gan'; there are ha-gan"):
        sv.load_generator(path, family="gan")
    with pytest.raises(UnknownFamilyError, match=r"is not HA-GAN: missing: fc1\.weight"):
        sv.load_generator(path, family="hagan")
    with pytest.raises(WrongRequestError, match=r"no argument 'size'; it has latent_dim"):
        sv.load_generator(path, size=64)
    with pytest.raises(WrongRequestError, match="latent_dim 9 does not fit the weights, which say 8"):
        sv.load_generator(path, latent_dim=9)


def test_hagan_asks_for_its_size_once(tmp_path: Path) -> None:
    path = save_hagan(tmp_path / "G_iter80000.pth")
    with pytest.raises(MissingArgumentError, match=r"--arg size=VALUE.*128, 256, 144x192x144") as caught:
        sv.load_generator(path)
    assert caught.value.argument.name == "size"
    assert caught.value.argument.choices == ("128", "256", "144x192x144")
    found = inspect_checkpoint(path)
    assert (found.info.output_shape, [a.name for a in found.open_arguments]) == ((), ["size"])

    userdata.remember_answers(found.info.sha256, {"size": "256"})
    assert inspect_checkpoint(path).info.output_shape == (1, 256, 256, 256)
    assert inspect_checkpoint(path, arguments={"size": 128}).info.output_shape == (1, 128, 128, 128)
    userdata.remember_answers(found.info.sha256, {"size": "7"})  # an answer that no version can use is asked again
    assert inspect_checkpoint(path).open_arguments


@pytest.mark.parametrize("size", [(144, 192, 144), [144, 192, 144], "144x192x144", "144,192,144", "144×192×144"])
def test_ways_to_say_a_size(tmp_path: Path, size) -> None:
    path = save_hagan(tmp_path / "G.pth")
    assert inspect_checkpoint(path, arguments={"size": size}).info.output_shape == (1, 144, 192, 144)


def test_wrong_sizes_and_splits(tmp_path: Path) -> None:
    path = save_hagan(tmp_path / "G.pth")
    for size in (64, "big", (128, 128), None):
        with pytest.raises(WrongRequestError, match="HA-GAN makes volumes of 128, 256"):
            inspect_checkpoint(path, arguments={"size": size})
    with pytest.raises(WrongRequestError, match="fc1 takes 8 numbers"):
        inspect_checkpoint(path, arguments={"latent_dim": 8, "num_class": 2})
    with pytest.raises(WrongRequestError, match="whole number"):
        inspect_checkpoint(path, arguments={"num_class": "two"})


@pytest.mark.parametrize(
    ("settings", "size", "latent"),
    [
        ({"img_size": 256, "latent_dim": 6, "num_class": 2}, (256, 256, 256), 6),
        ({"img_size": 128, "latent_dim": 1024, "num_class": 0}, (128, 128, 128), 8),  # not of these weights: not used
        ({"img_size": 77, "latent_dim": "6"}, None, 8),
        ("not an object", None, 8),
    ],
)
def test_settings_beside_the_weights_count_if_they_fit(tmp_path: Path, settings, size, latent: int) -> None:
    path = save_hagan(tmp_path / "G.pth")
    (tmp_path / "configs.json").write_text(json.dumps(settings))
    info = inspect_checkpoint(path).info
    assert (info.arguments["size"], info.latent_shape) == (size, (latent,))
    assert [f.name for f in info.features] == (["class"] if latent == 6 else [])


def test_several_networks_in_one_file(tmp_path: Path) -> None:
    weights = formula_weights(sigmarat_shapes(latent=8, channel=2))
    other = {key: 2 * tensor for key, tensor in weights.items()}
    torch.save({"first": weights, "second": other}, tmp_path / "two.pth")
    with pytest.raises(MissingArgumentError, match="several networks that fit: first, second") as caught:
        sv.load_generator(tmp_path / "two.pth")
    assert (caught.value.argument.name, caught.value.argument.choices) == ("weights", ("first", "second"))
    torch.save(other, tmp_path / "second.pth")
    chosen = sv.load_generator(tmp_path / "two.pth", device="cpu", weights="second").generate(seed=1)
    assert (chosen.voxels == sv.load_generator(tmp_path / "second.pth", device="cpu").generate(seed=1).voxels).all()
    assert chosen.provenance.arguments["weights"] == "second"


def test_the_one_network_that_fits_is_taken_and_named(tmp_path: Path) -> None:
    weights = formula_weights(sigmarat_shapes(latent=8, channel=2))
    critic = {"main.0.weight": torch.zeros(3, 1, 4, 4, 4), "main.0.bias": torch.zeros(3)}
    torch.save({"one": critic, "two": weights}, tmp_path / "both.pth")
    info = inspect_checkpoint(tmp_path / "both.pth").info
    assert info.arguments["weights"] == "two"
    assert any("'two'" in note for note in info.notes)
    with pytest.raises(WrongRequestError, match=r"no weights at 'three'; say ema, raw, or 'one', 'two'"):
        inspect_checkpoint(tmp_path / "both.pth", arguments={"weights": "three"})


def test_a_wrong_first_layer_does_not_make_every_other_one_seem_wrong(tmp_path: Path) -> None:
    shapes = sigmarat_shapes(latent=8, channel=2) | {"tp_conv1.weight": (7, 9, 4, 4, 4)}
    with pytest.raises(UnknownFamilyError) as caught:
        inspect_checkpoint(save(tmp_path / "G.pth", shapes))
    assert "tp_conv1.weight (7, 9, 4, 4, 4) instead of (500, 16, 4, 4, 4)" in str(caught.value)
    assert "tp_conv2" not in str(caught.value)
