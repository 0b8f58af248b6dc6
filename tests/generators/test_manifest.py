"""Manifests beside real small checkpoints: whose they are, what they change, and what is said where they are wrong."""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import synthview as sv
from synthview.cli.main import run
from synthview.errors import CheckpointError, SaveError, VerificationError, WrongRequestError
from synthview.generators.checkpoint import file_sha256
from synthview.generators.loading import inspect_checkpoint
from synthview.generators.manifest import FEATURE_KINDS, Manifest, ManifestFeature, ManifestOutput
from synthview.generators.manifest_notes import settled_notes
from synthview.generators.manifest_output import OutputSpace
from synthview.generators.networks.cdpm import Cdpm
from synthview.generators.networks.hagan import HaGan
from synthview.generators.networks.monai_ldm import MonaiLdm
from synthview.generators.networks.mrianateval import MriAnatEvalWgan
from synthview.generators.networks.sigmarat import SigmaRat
from synthview.generators.verification import verify_file
from synthview.resources import resource_path
from synthview.volume import VolumeKind, Window
from tests.generators.formula import formula_weights, hagan_shapes
from tests.generators.test_csegsynth import decoder_shapes, encoder, tower_shapes, write
from tests.small_checkpoint import write_sigmarat

FEATURES = [
    {"name": "age", "label": "Age", "unit": "years", "low": 18, "high": 90, "step": 1, "mean": 40, "std": 16},
    {"name": "sex", "kind": "category", "categories": ["female", "male"], "mean": 0.5, "std": 0.5},
    {"name": "BMI", "unit": "kg/m²", "mean": 24, "std": 4, "default": 22},
    {"name": "memory"},
    {"name": "STAI_T", "low": 20, "high": 80},
]
FULL = {
    "name": "AOMIC C-GAN",
    "family": "csegsynth",
    "arguments": {"num_features": 5},
    "output": {"spacing": [2, 2, 2], "orientation": "RAS", "kind": "tissue map", "window": {"level": 0.5, "width": 1}},
    "features": FEATURES,
    "training_data": "AOMIC ID1000, 928 subjects",
    "licence": "CC-BY-4.0",
    "citation": "@article{x,\n  title={y}}",
    "metrics": {"FID": 12.5, "MMD": "0.1 ± 0.02"},
}


def put(folder: Path, content: dict[str, Any]) -> Path:
    (folder / "manifest.json").write_text(json.dumps(content), "utf-8")
    return folder


@pytest.fixture(scope="module")
def c_gan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CSegSynth's C-GAN with five features, of the smallest width."""
    decoder, condition = formula_weights(decoder_shapes(2)), formula_weights(tower_shapes("nets", 5, width=64))
    return write(tmp_path_factory.mktemp("cgan") / "best.pickle", encoder(), decoder, condition)


@pytest.fixture
def c_gan(c_gan_file: Path, tmp_path: Path) -> Path:
    (tmp_path / "best.pickle").symlink_to(c_gan_file)
    return tmp_path / "best.pickle"


@pytest.fixture
def rat(tmp_path: Path) -> Path:
    """A folder as bundled generators have it."""
    path = write_sigmarat(tmp_path / "rat.pth", latent=8, channel=2)
    (tmp_path / "rat").mkdir()
    save_file(torch.load(path, weights_only=True), tmp_path / "rat" / "weights.safetensors")
    return tmp_path / "rat"


def test_features_are_given_in_real_units(c_gan: Path) -> None:
    plain = sv.load_generator(c_gan, device="cpu")
    put(c_gan.parent, {**FULL, "weights": "best.pickle"})
    generator = sv.load_generator(c_gan, device="cpu")
    age, sex, bmi, memory, stai = generator.info.features
    assert (age.label, age.unit, age.low, age.high, age.default, age.step) == ("Age", "years", 18, 90, 40, 1)
    assert (sex.categories, sex.high, sex.default) == (("female", "male"), 1, 0)
    assert (bmi.low, bmi.high, bmi.default) == (12, 36, 22)
    assert (memory.label, memory.low, memory.high, memory.default) == ("memory", -3, 3, 0)
    assert (stai.low, stai.high, stai.default) == (20, 80, 50)
    volume = generator.generate(seed=3, features={"age": 72, "sex": 1})
    columns = np.array([[(72 - 40) / 16, 1, (22 - 24) / 4, 0, 50]])
    z = plain.sample_latent(3)
    assert np.array_equal(volume.voxels, plain.decode(z, columns)[0])
    assert np.array_equal(volume.voxels, generator.decode(z, columns)[0])  # an array is as the network takes it
    assert volume.provenance is not None
    assert volume.provenance.features == {"age": 72, "sex": 1, "BMI": 22, "memory": 0, "STAI_T": 50}
    assert volume.name == "AOMIC C-GAN · seed 3"


def test_a_volume_can_be_verified_as_long_as_its_manifest_is_there(c_gan: Path) -> None:
    put(c_gan.parent, {**FULL, "weights": "best.pickle"})
    volume = sv.load_generator(c_gan, device="cpu").generate(seed=1, features={"age": 30})
    saved = volume.save(c_gan.parent / "made.nii.gz")
    assert verify_file(saved, c_gan, "cpu").bitwise_equal
    (c_gan.parent / "manifest.json").unlink()
    with pytest.raises(VerificationError, match=r"made with .*age.*: put the manifest\.json that named them back"):
        verify_file(saved, c_gan, "cpu")


def test_what_is_not_given_goes_along_with_what_it_follows(c_gan: Path) -> None:
    bmi = {**FEATURES[2], "follows": {"age": 0.25, "memory": -2}}
    put(c_gan.parent, {**FULL, "weights": "best.pickle", "features": [*FEATURES[:2], bmi, *FEATURES[3:]]})
    generator = sv.load_generator(c_gan, device="cpu")
    assert inspect_checkpoint(c_gan).info.features[2].follows == {"age": 0.25, "memory": -2}
    asked = {"age": 60.0, "memory": 0.5}
    volume = generator.generate(seed=3, features=asked)
    assert volume.provenance is not None
    assert volume.provenance.features == {
        "age": 60,
        "sex": 0,
        "BMI": 22 + 0.25 * 20 - 2 * 0.5,
        "memory": 0.5,
        "STAI_T": 50,
    }
    same = generator.generate(seed=3, features=volume.provenance.features)
    np.testing.assert_array_equal(same.voxels, volume.voxels)
    held = generator.generate(seed=3, features={**asked, "BMI": 22})
    assert not np.array_equal(held.voxels, volume.voxels)
    oldest = generator.generate(seed=3, features={"age": 90, "memory": -3})
    assert oldest.provenance is not None
    assert oldest.provenance.features["BMI"] == 36  # the most of its range, though 40.5 would follow
    assert not any("far from" in note for note in volume.notes)
    unlike = generator.generate(seed=3, features={"age": 90, "BMI": 14})
    assert "BMI: far from what goes with Age, memory in people. The volume may not show real anatomy." in unlike.notes
    latents = generator.sample_latent(3, 2)
    rows = generator.decode(latents, {"age": [60, 20], "memory": 0.5})
    both = generator.decode(latents, {"age": [60, 20], "memory": 0.5, "BMI": [26, 16]})
    np.testing.assert_array_equal(rows, both)
    with pytest.raises(WrongRequestError, match="feature age must be between 18 and 90 years, got 150"):
        generator.generate(seed=3, features={"age": 150})


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"age": 91}, "age must be between 18 and 90 years"),
        ({"f0": 1}, "no feature 'f0'; it has BMI"),
        ({"sex": 0.5}, "category"),
    ],
)
def test_wrong_features_are_named_as_the_manifest_names_them(c_gan: Path, features: Any, says: str) -> None:
    put(c_gan.parent, {**FULL, "weights": "best.pickle"})
    with pytest.raises(WrongRequestError, match=says):
        sv.load_generator(c_gan, device="cpu").generate(features=features)


def test_classes_get_their_names(tmp_path: Path) -> None:
    torch.save({key: torch.tensor(0.01).expand(shape) for key, shape in hagan_shapes(8).items()}, tmp_path / "G.pth")
    classes = {"name": "group", "kind": "category", "categories": ["healthy", "MCI", "AD"], "default": 2}
    said = {"name": "x", "weights": "G.pth", "arguments": {"num_class": 3, "size": 128}, "features": [classes]}
    inspection = inspect_checkpoint(put(tmp_path, said) / "G.pth")
    assert inspection.open_arguments == ()
    (group,) = inspection.info.features
    assert (group.name, group.default, group.categories) == ("group", 2, ("healthy", "MCI", "AD"))
    put(tmp_path, {**said, "features": [{**classes, "mean": 1, "std": 1}]})
    with pytest.raises(CheckpointError, match=r"features\[0\]\.mean is given, but the network takes class as a cat"):
        inspect_checkpoint(tmp_path / "G.pth")
    put(tmp_path, {**said, "features": [{**classes, "categories": ["a", "b"], "default": 0}]})
    with pytest.raises(CheckpointError, match=r"features\[0\]\.categories are 2 where the network's class takes 3"):
        inspect_checkpoint(tmp_path / "G.pth")


def test_output_is_what_the_manifest_says(rat: Path) -> None:
    before = sv.load_generator(rat, device="cpu").generate(seed=1)
    output = {
        "spacing": [0.1, 0.2, 0.3],
        "orientation": "ILP",
        "kind": "T2w",
        "unit": "a.u.",
        "window": {"level": 0.4, "width": 0.6},
    }
    put(rat, {"name": "Rats", "output": output})
    after = sv.load_generator(rat, device="cpu").generate(seed=1)
    assert (after.kind, after.unit, after.window) == (VolumeKind.T2W, "a.u.", Window(0.4, 0.6))
    assert after.axis_codes == ("R", "A", "S")
    np.testing.assert_allclose(after.spacing, (0.2, 0.3, 0.1))
    turned = np.flip(before.voxels.transpose(1, 2, 0), axis=(0, 1, 2))  # (I, L, P) to (R, A, S)
    assert np.array_equal(after.voxels, turned)
    middle = [(n - 1) / 2 for n in before.shape]
    np.testing.assert_allclose(
        after.ijk_to_mm(tuple((n - 1) / 2 for n in after.shape)), before.ijk_to_mm(tuple(middle)), atol=1e-9
    )
    info = sv.load_generator(rat, device="cpu").info
    assert dict(info.output) == output
    assert not any("pacing" in note or "axes" in note for note in info.notes)


def test_what_the_family_assumes_already_changes_nothing(rat: Path) -> None:
    before = sv.load_generator(rat, device="cpu").generate(seed=1)
    put(rat, {"name": "Rats", "output": {"spacing": [0.375, 0.375, 0.5], "orientation": "RAS"}})
    after = sv.load_generator(rat, device="cpu").generate(seed=1)
    assert np.array_equal(before.affine, after.affine)
    assert np.array_equal(before.voxels, after.voxels)


def test_raw_axes_are_found_through_a_family_s_own_reordering() -> None:
    """HA-GAN's raw axes are superior, posterior, left; a manifest with just these changes the spacing only."""
    family, arguments = HaGan(), {"size": (128, 128, 128), "latent_dim": 8, "num_class": 0, "output": "hu"}
    raw = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 64)).astype(np.float32)  # the coarse path's
    before = family.to_volume(raw, arguments)
    said = Manifest("x", output=ManifestOutput(spacing=(3, 2, 1), orientation="SPL"))
    after = OutputSpace(family, said).place(before, raw.shape, arguments)
    assert np.array_equal(after.voxels, before.voxels)
    np.testing.assert_allclose(after.spacing, (2, 4, 6))
    turned = OutputSpace(family, Manifest("x", output=ManifestOutput(orientation="IPL"))).place(
        before, raw.shape, arguments
    )
    assert np.array_equal(turned.voxels, before.voxels[:, :, ::-1])
    assert turned.spacing == before.spacing


def test_slices_before_channels() -> None:
    """The conditional diffusion's raw output is (slices, 1, rows, columns)."""
    family, arguments = Cdpm(), {"size": (6, 10, 8)}
    raw = np.random.default_rng(0).uniform(-1, 1, (6, 1, 10, 8)).astype(np.float32)
    before = family.to_volume(raw, arguments)
    said = Manifest("x", output=ManifestOutput(spacing=(3, 2, 1), orientation="SAR", kind=VolumeKind.T2W))
    after = OutputSpace(family, said).place(before, raw.shape, arguments)
    assert np.array_equal(after.voxels, raw[:, 0].transpose(2, 1, 0))
    assert (after.spacing, after.kind) == ((1, 2, 3), VolumeKind.T2W)


def test_a_volume_that_nobody_places_lies_around_the_middle_as_soon_as_its_spacing_is_said() -> None:
    autoencoder = {"channels": (8, 8), "out_channels": 1}
    family, arguments = MonaiLdm(), {"size": (2, 3, 2), "output": "clip", "autoencoder": autoencoder}
    raw = np.random.default_rng(0).uniform(0, 1, (1, 4, 6, 4)).astype(np.float32)
    before = family.to_volume(raw, arguments)
    assert np.array_equal(before.affine, np.eye(4))  # as its script saves it
    said = Manifest("x", output=ManifestOutput(spacing=(4, 4, 4), orientation="RAS"))
    after = OutputSpace(family, said).place(before, raw.shape, arguments)
    np.testing.assert_allclose(after.ijk_to_mm((1.5, 2.5, 1.5)), (0, 0, 0))
    assert after.spacing == (4, 4, 4)


def test_notes_go_once_they_are_settled(c_gan: Path, rat: Path) -> None:
    assert any("no manifest.json" in note for note in inspect_checkpoint(rat).info.notes)
    before = inspect_checkpoint(c_gan).info.notes
    put(c_gan.parent, {**FULL, "weights": "best.pickle"})
    after = inspect_checkpoint(c_gan).info.notes
    assert [note for note in before if "Spacing" in note or "f0 to f4" in note]
    assert any(note.startswith("The channels are") for note in before)
    assert after == ()  # its kind says what the channels are
    put(rat, {"name": "Rats", "output": {"spacing": [1, 1, 1]}})
    notes = inspect_checkpoint(rat).info.notes
    assert any("Spacing and cropping" in note for note in notes)  # its axes are still assumed
    assert notes[-2:] == (
        "For spacing, what the manifest says holds.",
        "The manifest does not say: licence, training data.",
    )


def test_notes_of_every_kind_of_family() -> None:
    said = Manifest("x", licence="MIT", training_data="y", output=ManifestOutput((1, 1, 1), "RAS", VolumeKind.T1W))
    rat = SigmaRat().notes({"spectral_norm": True}, ())
    assert settled_notes(rat, said) == rat[:1]
    assert settled_notes(MriAnatEvalWgan().notes({}, ()), said) == ()


def test_arguments_and_family_come_from_it_and_the_user_wins(rat: Path) -> None:
    put(rat, {"name": "Rats", "family": "SigmaRat2", "arguments": {"batch_statistics": True}})
    assert inspect_checkpoint(rat).info.arguments["batch_statistics"] is True
    info = inspect_checkpoint(rat, arguments={"batch_statistics": "false"}).info
    assert info.arguments["batch_statistics"] is False
    put(rat, {"name": "Rats", "family": "ha-gan", "licence": "MIT"})
    info = inspect_checkpoint(rat, "sigmarat").info
    assert (info.licence, info.manifest) == ("", "")
    assert any("it says family ha-gan, and sigmarat was asked for" in note for note in info.notes)


def test_a_contradiction_with_the_weights_says_how(c_gan: Path, rat: Path, tmp_path: Path) -> None:
    cases: list[tuple[Path, dict[str, Any], str]] = [
        (rat, {"arguments": {"latent_dim": 512}}, r"says latent_dim 512 where tp_conv1\.weight takes 8 "),
        (rat, {"arguments": {"latent_dim": "many"}}, "arguments: latent_dim must be a whole number"),
        (rat, {"arguments": {"latent": 8}}, "has no argument 'latent'"),
        (rat, {"family": "ha-gan"}, r"family says ha-gan, but rat is not HA-GAN: missing: .*leave it out"),
        (rat, {"family": "hagain"}, "family: there is no family 'hagain'"),
        (rat, {"features": [{"name": "age"}]}, r"features are 1 \(age\) where the network takes 0"),
        (rat, {"output": {"kind": "tissue map"}}, "several channels, where the network makes 1"),
        (rat, {"sha256": "ab" * 32}, "they were replaced or damaged"),
        (c_gan, {"arguments": {"num_features": 4}}, r"says num_features 4 where condition\.nets\.0\.weight takes 5 "),
        (c_gan, {"features": FEATURES[:4]}, r"features are 4 \(age, .*\) where the network takes 5"),
        (c_gan, {"output": {"kind": "CT"}}, "one channel, where the network makes 4"),
    ]
    for path, said, says in cases:
        own = {"weights": path.name} if path.is_file() else {}
        folder = put(path if path.is_dir() else path.parent, {"name": "x", **own, **said})
        with pytest.raises(CheckpointError, match=says) as error:
            inspect_checkpoint(path)
        assert str(folder / "manifest.json") in str(error.value)


def test_a_wide_fc1_is_told_by_name(tmp_path: Path) -> None:
    torch.save({key: torch.tensor(0.01).expand(shape) for key, shape in hagan_shapes(1024).items()}, tmp_path / "G.pth")
    said = {"name": "x", "weights": "G.pth", "arguments": {"latent_dim": 512, "num_class": 0, "size": 256}}
    put(tmp_path, said)
    with pytest.raises(CheckpointError, match=r"says latent_dim 512 where fc1\.weight takes 1024"):
        inspect_checkpoint(tmp_path / "G.pth")


def test_whose_it_is(tmp_path: Path) -> None:
    one, two = (write_sigmarat(tmp_path / f"{n}.pth", seed=n, latent=8, channel=2) for n in (1, 2))
    for own in ({"weights": "1.pth"}, {"sha256": file_sha256(one).upper()}):
        put(tmp_path, {"name": "One", **own})
        assert inspect_checkpoint(one).info.label == "One"
        other = inspect_checkpoint(two).info
        assert (other.label, other.manifest) == ("", "")
        assert any("manifest.json beside the weights was not used" in note for note in other.notes)


@pytest.mark.parametrize("content", ['{"manifest_version": 3}', "[]", "not JSON", '{"sha256": 5, "weights": [1]}'])
def test_another_program_s_manifest_is_left_alone(tmp_path: Path, content: str) -> None:
    path = write_sigmarat(tmp_path / "G.pth", latent=8, channel=2)
    (tmp_path / "manifest.json").write_text(content)
    assert inspect_checkpoint(path).info.manifest == ""
    assert inspect_checkpoint(tmp_path).info.manifest == ""


BAD: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda m: m.update(colour=1), r"colour is not a field of a manifest; take it out, or use one of name, weights"),
    (lambda m: m.pop("name"), "name must be a text"),
    (lambda m: m.update(name=" "), "name must be a text"),
    (lambda m: m.update(name="a\x1b[2J"), "name has control characters"),
    (lambda m: m.update(licence=4), "licence must be a text .*got 4"),
    (lambda m: m.update(weights="../weights.safetensors"), "weights must be a file name without folders"),
    (lambda m: m.update(sha256="abc"), "sha256 must be 64 hexadecimal digits"),
    (lambda m: m.update(arguments=[]), "arguments must be a JSON object"),
    (lambda m: m.update(features={}), "features must be a list"),
    (lambda m: m.update(metrics={"FID": None}), r"metrics\.FID must be a number or a text"),
    (lambda m: m["output"].update(spacing=[1, 1]), r"output\.spacing must be a list of 3 numbers"),
    (lambda m: m["output"].update(spacing=[1, 1, 0]), r"output\.spacing must be millimetres above 0"),
    (lambda m: m["output"].update(spacing=[1, True, 1]), r"output\.spacing must be a number"),
    (lambda m: m["output"].update(orientation="RLS"), r"output\.orientation must name three directions"),
    (lambda m: m["output"].update(orientation="RASS"), r"output\.orientation must name three directions"),
    (lambda m: m["output"].update(kind="MRI"), r"output\.kind must be one of T1w"),
    (lambda m: m["output"].update(window={"level": 1}), r"output\.window needs a level and a width"),
    (lambda m: m["output"].update(window={"low": 1}), r"output\.window\.low is not a field"),
    (lambda m: m["features"].append(4), r"features\[5\] must be a JSON object"),
    (lambda m: m["features"].append({"name": "age"}), r"features\[5\]\.name 'age' is there twice"),
    (lambda m: m["features"][0].update(name="a b"), r"features\[0\]\.name must be letters"),
    (lambda m: m["features"][0].update(colour=1), r"features\[0\]\.colour is not a field"),
    (lambda m: m["features"][0].update(low=91), r"features\[0\]\.low must be below high"),
    (lambda m: m["features"][0].pop("low"), r"features\[0\]\.low is missing"),
    (lambda m: m["features"][0].update(default=5), r"features\[0\]\.default must be from 18 to 90"),
    (lambda m: m["features"][0].update(std=0), r"features\[0\]\.std must be above 0"),
    (lambda m: m["features"][0].pop("mean"), r"features\[0\]\.mean is missing"),
    (lambda m: m["features"][0].update(categories=["a", "b"]), r"features\[0\]\.categories are given, but its kind"),
    (lambda m: m["features"][0].update(kind="text"), r"features\[0\]\.kind must be one of number, category"),
    (lambda m: m["features"][1].update(categories=["a"]), r"features\[1\]\.categories must name two or more"),
    (lambda m: m["features"][1].update(categories=["a", "a"]), r"features\[1\]\.categories must be a list of diff"),
    (lambda m: m["features"][1].update(low=0), r"features\[1\]\.low is for numbers"),
    (lambda m: m["features"][1].update(follows={"age": 1}), r"features\[1\]\.follows is for numbers"),
    (lambda m: m["features"][2].update(follows="age"), r"features\[2\]\.follows must be names with numbers"),
    (lambda m: m["features"][2].update(follows={"age": "x"}), r"features\[2\]\.follows must be names with numbers"),
    (lambda m: m["features"][2].update(follows={"sex": 1}), r"features\[2\]\.follows names 'sex', .* one of age, mem"),
    (lambda m: m["features"][2].update(follows={"height": 1}), r"features\[2\]\.follows names 'height'"),
    (lambda m: m["features"][2].update(follows={"BMI": 1}), r"features\[2\]\.follows names 'BMI'"),
    (lambda m: m["features"][1].update(default=0.5), r"features\[1\]\.default must be the number of a category"),
]


@pytest.mark.parametrize(("change", "says"), BAD)
def test_a_wrong_field_is_named(rat: Path, change: Callable[[dict[str, Any]], Any], says: str) -> None:
    content = json.loads(json.dumps(FULL))
    change(content)
    put(rat, content)
    with pytest.raises(CheckpointError, match=says) as error:
        inspect_checkpoint(rat)
    assert str(error.value).startswith(f"{rat / 'manifest.json'}: ")


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, '{"name": NaN}', '{"name": 1e999}', '{"name": ' + "9" * 5000 + "}", "\xff"]
)
def test_what_is_not_json(rat: Path, content: str) -> None:
    (rat / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"manifest\.json is not JSON"):
        inspect_checkpoint(rat)


def test_one_too_large(rat: Path) -> None:
    (rat / "manifest.json").write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(CheckpointError, match="larger than a manifest can be"):
        inspect_checkpoint(rat)


def test_it_can_be_saved_and_read_again(tmp_path: Path) -> None:
    manifest = Manifest.from_dict(FULL)
    manifest.save(tmp_path / "manifest.json")
    again = Manifest.load(tmp_path / "manifest.json")
    assert again == manifest
    assert again.path == tmp_path / "manifest.json"
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8")) == again.to_dict()
    written = (tmp_path / "manifest.json").read_bytes()
    with pytest.raises(CheckpointError, match="must be above 0"):
        Manifest("x", features=(ManifestFeature("age", step=-1.0),)).save(tmp_path / "manifest.json")
    assert (tmp_path / "manifest.json").read_bytes() == written
    with pytest.raises(SaveError):
        manifest.save(tmp_path / "no folder" / "manifest.json")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_inspect_shows_it(c_gan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(c_gan.parent, {**FULL, "weights": "best.pickle"})
    assert run(["inspect", str(c_gan)]) == 0
    text = capsys.readouterr().out
    for words in (
        "AOMIC C-GAN", "CC-BY-4.0", "AOMIC ID1000", "age (18 to 90 years)", "sex (0 female, 1 male)", "FID 12.5",
        "spacing 2x2x2, orientation RAS, kind tissue map, window 0.5/1", "@article{x, title={y}}",
    ):  # fmt: skip
        assert words in text
    assert run(["inspect", str(c_gan), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {name: facts[name] for name in ("licence", "training_data", "citation", "metrics", "output")} == {
        name: FULL[name] for name in ("licence", "training_data", "citation", "metrics", "output")
    }
    assert (facts["label"], facts["manifest"]) == ("AOMIC C-GAN", str(c_gan.parent / "manifest.json"))
    assert (facts["features"][0]["mean"], facts["features"][0]["std"]) == (40, 16)


# -- the published schema says what the types say --

JSON_TYPES = {
    str: "string",
    float | None: "number",
    tuple[str, ...]: "array",
    tuple[float, float, float] | None: "array",
    tuple[ManifestFeature, ...]: "array",
    VolumeKind | None: "string",
}


@pytest.mark.parametrize(
    ("model", "place"), [(Manifest, None), (ManifestOutput, "output"), (ManifestFeature, "feature"), (Window, "window")]
)
def test_the_schema_is_that_of_the_types(model: Any, place: str | None) -> None:
    schema = json.loads(resource_path("manifest.schema.json").read_text("utf-8"))
    part = schema if place is None else schema["$defs"][place]
    entries = [f for f in fields(model) if f.name != "path"]
    assert set(part["properties"]) - {"$schema"} == {f.name for f in entries}
    required = {f.name for f in entries if f.default is MISSING and f.default_factory is MISSING}
    assert set(part.get("required", ())) == required
    assert (part["type"], part["additionalProperties"]) == ("object", False)
    hints = get_type_hints(model)
    for entry in entries:
        said = part["properties"][entry.name]
        if "type" in said:
            wanted = "number" if hints[entry.name] is float else JSON_TYPES.get(hints[entry.name], "object")
            assert said["type"] == wanted, entry.name


def test_the_schema_s_choices_are_the_code_s() -> None:
    schema = json.loads(resource_path("manifest.schema.json").read_text("utf-8"))
    assert schema["$defs"]["output"]["properties"]["kind"]["enum"] == [kind.value for kind in VolumeKind]
    assert tuple(schema["$defs"]["feature"]["properties"]["kind"]["enum"]) == FEATURE_KINDS


def test_the_example_in_the_documentation_is_a_manifest(checkout: Path) -> None:
    page = (checkout / "docs" / "manifest.md").read_text("utf-8")
    example = json.loads(page.split("```json\n")[1].split("```")[0])
    assert Manifest.from_dict(example).features
    for model in (Manifest, ManifestOutput, ManifestFeature):
        for entry in fields(model):
            assert entry.name == "path" or f"`{entry.name}`" in page
