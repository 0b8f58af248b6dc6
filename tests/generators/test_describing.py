"""Saying of a checkpoint what its weights can't: what is wrong with each field, where it is kept, what it changes."""

import json
from pathlib import Path

import pytest
import torch

import synthview as sv
from synthview import userdata
from synthview.cli.main import run
from synthview.errors import CheckpointError, ManifestFieldError, SaveError
from synthview.generators import describing
from synthview.generators.describing import describe_checkpoint
from synthview.generators.loading import inspect_checkpoint
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_draft import draft_of, problems
from synthview.volume import VolumeKind
from tests.generators.formula import formula_weights, hagan_shapes
from tests.generators.test_csegsynth import decoder_shapes, encoder, tower_shapes, write
from tests.small_checkpoint import write_sigmarat

RAT = {
    "name": "Rat brains",
    "output": {"spacing": [0.5, 0.5, 0.5], "orientation": "RPS", "kind": "T2w"},
    "training_data": "210 rats",
    "licence": "CC-BY-4.0",
}


@pytest.fixture
def rat(tmp_path: Path) -> Path:
    return write_sigmarat(tmp_path / "G_iter1.pth")


def conditional(folder: Path) -> Path:
    generator, condition = formula_weights(decoder_shapes()), formula_weights(tower_shapes("nets", 2))
    return write(folder / "m.pickle", encoder(), generator, condition)


def test_every_wrong_field_is_named_at_once() -> None:
    found = problems(
        {
            "name": "",
            "output": {"spacing": [1.0, "two", 1.0], "orientation": "RR", "window": {"level": 1.0, "width": -1.0}},
            "features": [{"name": "age", "low": 9.0, "high": 1.0}, {"name": "2nd"}],
            "licence": 3,
        }
    )
    assert set(found) == {
        "name", "output.spacing", "output.orientation", "output.window", "features[0].low", "features[1].name",
        "licence",
    }  # fmt: skip
    assert found["output.spacing"].startswith("must be a number")


def test_what_is_right_has_no_problems() -> None:
    assert problems(RAT) == {}
    assert problems({}) == {"name": "is missing; say what to call the generator"}
    assert list(problems({"name": "x", "features": [{"name": "a"}, {"name": "a"}]})) == ["features[1].name"]


def test_a_description_settles_every_note_and_places_the_volumes(rat: Path) -> None:
    assert inspect_checkpoint(rat).info.notes
    kept = describe_checkpoint(rat, RAT)
    assert kept == rat.with_name("manifest.json")
    info = inspect_checkpoint(rat).info
    assert (info.notes, info.label, info.licence) == ((), "Rat brains", "CC-BY-4.0")
    volume = sv.load_generator(rat, device="cpu").generate(seed=1)
    assert volume.spacing == (0.5, 0.5, 0.5)
    assert volume.kind is VolumeKind.T2W


def test_what_was_answered_is_kept_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "G_iter80000.pth"
    torch.save({"model": {k: torch.tensor(0.01).expand(s) for k, s in hagan_shapes(8).items()}}, path)
    describe_checkpoint(path, {"name": "Chests"}, arguments={"size": "128", "output": "hu"})
    manifest = Manifest.load(path.with_name("manifest.json"))
    assert manifest.family == "ha-gan"
    assert manifest.arguments == {"size": [128, 128, 128], "latent_dim": 8, "num_class": 0, "output": "hu"}
    describe_checkpoint(path, {"name": "Chest CT"})  # without being told again
    found = inspect_checkpoint(path)
    assert (found.open_arguments, found.info.arguments["output"], found.info.label) == ((), "hu", "Chest CT")


def test_a_contradiction_is_refused_and_nothing_is_written(rat: Path) -> None:
    with pytest.raises(CheckpointError, match=r"output\.kind is 'tissue map'"):
        describe_checkpoint(rat, {"name": "x", "output": {"kind": "tissue map"}})
    with pytest.raises(ManifestFieldError, match=r"output\.spacing must be millimetres above 0"):
        describe_checkpoint(rat, {"name": "x", "output": {"spacing": [1, 1, 0]}})
    with pytest.raises(CheckpointError, match="features are 1"):
        describe_checkpoint(rat, {"name": "x", "features": [{"name": "age"}]})
    assert not rat.with_name("manifest.json").exists()


def test_where_the_folder_is_not_to_be_written_it_is_kept_for_the_user(rat: Path) -> None:
    rat.parent.chmod(0o555)
    try:
        kept = describe_checkpoint(rat, RAT)
    finally:
        rat.parent.chmod(0o755)
    assert kept == userdata.manifest_path(inspect_checkpoint(rat).info.sha256)
    assert not rat.with_name("manifest.json").exists()
    assert inspect_checkpoint(rat).info.licence == "CC-BY-4.0"
    assert describe_checkpoint(rat, {**RAT, "licence": "CC0"}) == rat.with_name("manifest.json")
    assert not kept.exists()  # or the older would win
    assert inspect_checkpoint(rat).info.licence == "CC0"


def test_a_full_disk_beside_the_weights_is_no_loss(rat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_save = Manifest.save

    def save(manifest: Manifest, path: str | Path) -> None:
        if Path(path).parent == rat.parent:
            raise SaveError("no room")
        really_save(manifest, path)

    monkeypatch.setattr(describing.Manifest, "save", save)
    assert describe_checkpoint(rat, RAT).parent == userdata.manifest_folder()


def test_another_checkpoints_manifest_is_left_alone(rat: Path) -> None:
    other = rat.with_name("manifest.json")
    other.write_text(json.dumps({"name": "Other", "weights": "other.pth"}))
    kept = describe_checkpoint(rat, RAT)
    assert kept.parent == userdata.manifest_folder()
    assert json.loads(other.read_text("utf-8"))["name"] == "Other"
    assert inspect_checkpoint(rat).info.label == "Rat brains"


def test_features_are_named_from_what_is_known(tmp_path: Path) -> None:
    path = conditional(tmp_path)
    content = draft_of(inspect_checkpoint(path).info)
    assert [feature["name"] for feature in content["features"]] == ["f0", "f1"]
    content["features"] = [
        {"name": "age", "unit": "years", "low": 18.0, "high": 90.0, "mean": 40.0, "std": 16.0},
        {"name": "sex", "kind": "category", "categories": ["female", "male"], "mean": 0.5, "std": 0.5},
    ]
    describe_checkpoint(path, content)
    info = inspect_checkpoint(path).info
    assert [(f.name, f.default, f.categories) for f in info.features] == [
        ("age", 40.0, ()), ("sex", 0.0, ("female", "male")),
    ]  # fmt: skip
    assert problems(draft_of(info)) == {}
    assert describe_checkpoint(path, draft_of(info))
    assert inspect_checkpoint(path).info.features == info.features


def test_the_command(rat: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = ("name=Rat brains", "output.spacing=[0.5,0.5,0.5]", "licence=CC-BY-4.0", "training_data=210 rats")
    assert run(["describe", str(rat), *(word for field in fields for word in ("--set", field)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"manifest": str(rat.with_name("manifest.json"))}
    assert run(["describe", str(rat), "--set", "citation=Somebody 2020"]) == 0
    assert inspect_checkpoint(rat).info.output["spacing"] == [0.5, 0.5, 0.5]
    assert inspect_checkpoint(rat).info.citation == "Somebody 2020"
    capsys.readouterr()
    assert run(["describe", str(rat), "--set", "output.spacing=[1,2]"]) == 1
    assert "output.spacing must be a list of 3 numbers" in capsys.readouterr().err
    assert run(["describe", str(rat), "--set", "name.first=x"]) == 2
