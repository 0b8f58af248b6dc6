"""packaging/setup.sh: what it asks for is what Qt and VTK need, and it says it in one line."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about Linux' system libraries")


@pytest.fixture
def bare_machine(checkout, tmp_path):
    """A copy of what setup.sh reads, and a PATH on which the machine has no Qt libraries, no Xvfb and no sudo."""
    copy = tmp_path / "checkout"
    shutil.copytree(checkout / "packaging", copy / "packaging")
    shutil.copy(checkout / "pyproject.toml", copy)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "cat", "dirname", "env", "find", "id", "sort", "uname"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "python3").symlink_to(sys.executable)
    for name, code in {"ldconfig": 0, "sudo": 1, "apt-get": 100}.items():
        (tools / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tools / name).chmod(0o755)
    # the script adds the system's own folders for ldconfig; here they hold nothing
    script = copy / "packaging" / "setup.sh"
    script.write_text(script.read_text("utf-8").replace("PATH=$PATH:/usr/sbin:/sbin", "PATH=$PATH"))
    return copy, tools


def run_setup(bare_machine, purpose, **environment):
    copy, tools = bare_machine
    return subprocess.run(
        [tools / "bash", copy / "packaging" / "setup.sh", purpose],
        env={"PATH": str(tools), "HOME": str(copy), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_one_line_names_every_missing_package(bare_machine):
    result = run_setup(bare_machine, "test")
    assert result.returncode == 1
    request = result.stderr.splitlines()[-1]
    assert "sudo apt-get install" in request
    assert {"libegl1", "libgl1", "libxcb-cursor0", "libxkbcommon-x11-0", "xvfb"} <= set(request.split())
    assert request.split().count("libglib2.0-0") == 1
    assert not (bare_machine[0] / ".venv").exists()  # nothing is begun that can't be finished


def test_another_distribution_is_told_the_libraries_names(bare_machine):
    (bare_machine[1] / "apt-get").unlink()
    result = run_setup(bare_machine, "run", DISPLAY=":0")
    assert result.returncode == 1
    assert "libxcb-cursor.so.0" in result.stderr
    assert "apt-get" not in result.stderr


def test_too_old_a_python_is_named(bare_machine):
    (bare_machine[1] / "python3").unlink()
    result = run_setup(bare_machine, "run")
    assert result.returncode == 1
    assert "python3-venv" in result.stderr


def test_nothing_that_qt_or_vtk_links_to_is_missing_after_setup():
    packages = [Path(find_spec(name).submodule_search_locations[0]) for name in ("PySide6", "vtkmodules")]
    plugins = packages[0] / "Qt" / "plugins"
    libraries = [
        *(packages[0] / f"Qt{part}.abi3.so" for part in ("Gui", "Widgets", "OpenGLWidgets")),
        *plugins.glob("platforms/libqxcb.so"),
        *plugins.glob("xcbglintegrations/*.so"),
        *packages[1].glob("vtkRenderingVolumeOpenGL2*.so"),
    ]
    assert len(libraries) >= 6
    result = subprocess.run(["ldd", *libraries], capture_output=True, text=True, check=True, timeout=60)
    assert re.findall(r"(\S+) => not found", result.stdout) == []


def test_every_library_that_qt_takes_from_the_system_is_in_the_list(checkout):
    table = (checkout / "packaging" / "setup.sh").read_text("utf-8").split('libraries="')[1].split('"')[0].split()[::2]
    plugin = Path(find_spec("PySide6").submodule_search_locations[0], "Qt", "plugins", "platforms", "libqxcb.so")
    linked = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=True, timeout=60).stdout
    needed = set(
        re.findall(r"(libxcb\S*|libxkb\S*|libEGL\S*|libGL\.\S*|libX11\S*|libdbus\S*) => /(?:usr/)?lib", linked)
    )
    assert needed
    assert needed <= set(table), os.linesep.join(sorted(needed - set(table)))
