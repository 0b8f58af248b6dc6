"""Ways to use a network that its weights leave open: what the window offers, and what a manifest implies."""

import json
from pathlib import Path

import pytest
import torch

import synthview as sv
from synthview.generators.describing import describe_checkpoint
from synthview.generators.loading import inspect_checkpoint
from synthview.generators.networks.monai_ldm import MonaiLdm
from synthview.volume import VolumeKind
from tests.generators.formula import formula_weights, hagan_shapes
from tests.generators.test_monai_ldm import write_ldm
from tests.small_checkpoint import write_sigmarat


@pytest.fixture
def hagan(tmp_path: Path) -> Path:
    path = tmp_path / "G_iter80000.pth"
    torch.save({"model": {k: torch.tensor(0.01).expand(s) for k, s in hagan_shapes(8).items()}}, path)
    return path


def opened(path: Path, **arguments: object) -> dict[str, str]:
    info = inspect_checkpoint(path, arguments=arguments).info
    return {setting.name: setting.value for setting in info.settings}


def test_every_choice_of_every_setting_opens_the_checkpoint(hagan: Path, tmp_path: Path) -> None:
    rat = write_sigmarat(tmp_path / "rat.pth")
    for path, arguments in ((hagan, {"size": "128"}), (rat, {})):
        for setting in inspect_checkpoint(path, arguments=arguments).info.settings:
            assert setting.value in dict(setting.choices)
            for value, _words in (setting.choices[0], setting.choices[-1]):
                assert opened(path, **arguments, **{setting.name: value})[setting.name] == value


def test_the_classes_of_hagan_can_be_said_where_configs_are_missing(hagan: Path) -> None:
    assert opened(hagan, size="128")["num_class"] == "0"
    info = inspect_checkpoint(hagan, arguments={"size": "128", "num_class": "3"}).info
    assert info.features[0].categories == ("class 0", "class 1", "class 2")
    assert info.latent_shape == (5,)
    classes = next(s for s in info.settings if s.name == "num_class")
    assert [value for value, _ in classes.choices] == [str(n) for n in range(8)]  # fewer than inputs


def test_schedulers_and_steps(tmp_path: Path) -> None:
    write_ldm(tmp_path)
    found = opened(tmp_path, num_head_channels="8", steps="30", scheduler="pndm")
    assert found == {"scheduler": "pndm", "steps": "30"}
    steps = MonaiLdm().settings({"scheduler": "ddim", "steps": 30})[1]
    assert ("30", "30") in steps.choices  # what is in use is always among them


def test_a_manifest_that_says_ct_makes_hounsfield_units(hagan: Path) -> None:
    torch.save({"model": {k: v for k, v in formula_weights(hagan_shapes(8)).items() if "sub_G" not in k}}, hagan)
    said = {"name": "Chests", "family": "ha-gan", "weights": hagan.name, "output": {"kind": "CT"}}
    hagan.with_name("manifest.json").write_text(json.dumps(said))
    assert opened(hagan, size="128")["output"] == "hu"
    assert opened(hagan, size="128", output="raw")["output"] == "raw"  # what is asked for wins
    said["arguments"] = {"output": "unit"}
    hagan.with_name("manifest.json").write_text(json.dumps(said))
    info = inspect_checkpoint(hagan, arguments={"size": "128"}).info
    assert info.arguments["output"] == "unit"
    assert [setting.name for setting in info.settings] == ["num_class"]  # what a manifest states is not offered


@pytest.mark.slow
def test_hounsfield_units_are_the_published_ones(hagan: Path) -> None:
    describe_checkpoint(hagan, {"name": "Chests", "output": {"kind": "CT", "unit": "HU"}}, arguments={"size": "128"})
    generator = sv.load_generator(hagan, device="cpu")
    volume = generator.generate(seed=1)
    assert (volume.kind, volume.unit, volume.voxels.dtype.kind) == (VolumeKind.CT, "HU", "i")
    assert volume.voxels.min() >= -1024
    assert volume.voxels.max() <= 600
