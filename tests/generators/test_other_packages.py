"""Families that other packages bring: the example of the documentation, installed and used; and a broken one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from synthview.errors import UnknownFamilyError, WrongRequestError
from synthview.generators import registry
from synthview.generators.loading import inspect_checkpoint
from tests.generators.formula import formula_weights, sigmarat_shapes


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """A folder with the example package in it, put there by pip, without any network."""
    source = tmp_path_factory.mktemp("source") / "mini-decoder"
    shutil.copytree(checkout / "docs" / "examples" / "mini-decoder", source)
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return target


def synthview(*arguments: str | Path, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line as a person uses it, with a folder of packages added."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "synthview", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment, cwd=cwd)


@pytest.fixture
def mini(installed: Path, tmp_path: Path) -> Path:
    """A checkpoint of the example's."""
    sys.path.insert(0, str(installed))
    try:
        from mini_decoder import MiniDecoderNetwork
    finally:
        sys.path.remove(str(installed))
    torch.manual_seed(0)
    path = tmp_path / "mini.pth"
    torch.save({"model": MiniDecoderNetwork(latent_dim=16, channels=4).state_dict()}, path)
    return path


def test_the_example_s_readme_works(installed: Path, mini: Path, tmp_path: Path) -> None:
    shown = synthview("inspect", mini, "--json", path=installed, cwd=tmp_path)
    facts = json.loads(shown.stdout)
    assert (facts["family"], facts["arguments"]) == ("mini-decoder", {"latent_dim": 16, "channels": 4})
    assert [feature["name"] for feature in facts["features"]] == ["age"]
    options = ("--set", "age=61", "--seed", "3", "--out", "made", "--device", "cpu")
    made = synthview("generate", mini, *options, path=installed, cwd=tmp_path)
    assert made.stdout.strip().endswith("mini_seed000003.nii.gz"), made.stderr
    checked = synthview("verify", "made/mini_seed000003.nii.gz", path=installed, cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr


def test_a_damaged_checkpoint_of_the_example_s_names_the_keys(installed: Path, mini: Path, tmp_path: Path) -> None:
    weights = torch.load(mini, weights_only=True)["model"]
    del weights["conv1.bias"]
    torch.save(weights, mini)
    said = synthview("inspect", mini, path=installed, cwd=tmp_path)
    assert said.returncode == 1
    assert "looks like Mini decoder, but does not fit: missing: conv1.bias" in said.stderr


# -- what goes wrong -----------------------------------------------------------------------------------------------


def offer(folder: Path, name: str, code: str) -> None:
    """A package that offers a family, as pip would leave it."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[synthview.generators]\n{name} = {module}:Theirs\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages this process sees."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    _forget()
    yield folder
    _forget()


def _forget() -> None:
    registry.families.cache_clear()
    registry._others.cache_clear()


BROKEN = {
    "does-not-import": "import a_module_that_is_not_there",
    "raises-at-once": "raise RuntimeError('first line\\nsecond line')",
    "has-no-such-name": "Other = 1",
    "is-no-family": "class Theirs: pass",
    "is-not-finished": (
        "from synthview.generators.family import Family\nclass Theirs(Family):\n    id = title = source = 'half'"
    ),
    "takes-our-name": (
        "from synthview.generators.networks.sigmarat import SigmaRat\nclass Theirs(SigmaRat):\n    title = 'Mine'"
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_left_out_and_named_and_all_else_works(packages: Path, tmp_path: Path, name: str) -> None:
    offer(packages, name, BROKEN[name])
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=2)), tmp_path / "G.pth")
    assert inspect_checkpoint(tmp_path / "G.pth").info.title == "α-WGAN SigmaRat"
    (sentence,) = registry.left_out()
    assert sentence.startswith(f"The family {name} of the package {name} could not be loaded and was left out (")
    assert "\n" not in sentence
    with pytest.raises(WrongRequestError, match=f"package {name} could not be loaded"):
        inspect_checkpoint(tmp_path / "G.pth", family="theirs")
    torch.save({"w.weight": torch.zeros(3)}, tmp_path / "unknown.pth")
    with pytest.raises(UnknownFamilyError, match=f"package {name} could not be loaded"):
        inspect_checkpoint(tmp_path / "unknown.pth")


FAULTY = """
from synthview.generators.networks.sigmarat import SigmaRat

class Theirs(SigmaRat):
    id, title, aliases = "faulty", "Faulty", {}

    def infer_arguments(self, shapes, stated):
        return {"x": shapes["a key that is not there"]}
"""


def test_a_family_that_fails_on_a_file_does_not_stop_the_others(packages: Path, tmp_path: Path) -> None:
    offer(packages, "faulty-family", FAULTY)
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=2)), tmp_path / "G.pth")
    assert inspect_checkpoint(tmp_path / "G.pth").info.family == "sigmarat"
    torch.save({"w.weight": torch.zeros(3)}, tmp_path / "unknown.pth")
    with pytest.raises(UnknownFamilyError, match="of no architecture that synthview knows"):
        inspect_checkpoint(tmp_path / "unknown.pth")
    with pytest.raises(UnknownFamilyError, match="could not look at it"):
        inspect_checkpoint(tmp_path / "G.pth", family="faulty")


def test_two_families_that_fit_are_a_question(packages: Path, tmp_path: Path) -> None:
    code = "from synthview.generators.networks.sigmarat import SigmaRat\nclass Theirs(SigmaRat):\n"
    offer(packages, "twin", code + "    id, title, aliases = 'twin', 'Twin', {}\n")
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=2)), tmp_path / "G.pth")
    with pytest.raises(WrongRequestError, match=r"fits several families: sigmarat, twin\. Which one is it\?"):
        inspect_checkpoint(tmp_path / "G.pth")
    assert inspect_checkpoint(tmp_path / "G.pth", family="twin").info.title == "Twin"
    made = np.asarray(inspect_checkpoint(tmp_path / "G.pth", family="sigmarat").info.latent_shape)
    assert made.tolist() == [8]
