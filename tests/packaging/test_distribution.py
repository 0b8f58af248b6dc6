"""What `pip install` and the source archive bring along."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(WheelBuilder(str(checkout)).build(directory=str(folder), versions=["standard"])))


@pytest.fixture(scope="module")
def source_archive(checkout, tmp_path_factory):
    return Path(next(SdistBuilder(str(checkout)).build(directory=str(tmp_path_factory.mktemp("sdist")))))


def files_below(folder: Path) -> set[str]:
    """Paths of all files of a folder that belong into a distribution."""
    kept = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder.parent).as_posix() for path in kept if not path.name.startswith(".")}


def test_the_wheel_holds_the_code_the_resources_and_the_weights(wheel, checkout):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert files_below(checkout / "synthview") <= names
    for folder in ("resources", "weights"):
        expected = {f"synthview/_bundled/{name}" for name in files_below(checkout / folder)}
        assert expected
        assert expected <= names
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]


def test_the_wheel_names_its_command_and_its_licences(wheel):
    archive = zipfile.ZipFile(wheel)
    (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    assert "synthview = synthview.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert f"{info}/licenses/resources/demo/LICENSE.txt" in archive.namelist()


def test_the_source_archive_holds_what_building_and_testing_need(source_archive, checkout):
    with tarfile.open(source_archive) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("synthview", "resources", "weights", "tests", "docs", "packaging"):
        assert files_below(checkout / folder) <= names
    for name in ("pyproject.toml", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        assert name in names


def test_an_installed_wheel_finds_its_resources(wheel, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, timeout=120)
    program = (
        "import synthview.resources as r\n"
        "paths = r.resource_path('demo', 'colin27_T1w.nii.gz'), r.resource_path('style', 'dark.qss')\n"
        "print(r.__file__, *paths, sep='\\n')"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(target)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.splitlines()
    assert Path(found[0]) == target / "synthview" / "resources.py"
    assert all(Path(line).is_relative_to(target / "synthview" / "_bundled") for line in found[1:])
    assert all(Path(line).is_file() for line in found[1:])
