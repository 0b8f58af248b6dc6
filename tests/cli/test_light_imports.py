"""What is quick must stay quick: the slow libraries come only when something needs them."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "PySide6", "vtkmodules", "nibabel"}


@pytest.mark.parametrize(
    "code",
    [
        "import synthview",
        "import synthview; synthview.__version__",
        "import synthview.cli.main",
        "from synthview.cli.main import run; assert run(['--help']) == 0",
        "from synthview.cli.main import run; assert run(['--version']) == 0",
        "from synthview.cli.main import run; assert run(['nonsense']) == 2",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    script = f"{code}\nimport sys\nprint('loaded:', *sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_commands_bring_no_window() -> None:
    script = "from synthview.cli.app import app\nimport synthview.generators.loading, sys\n"
    script += "print(*sorted({'PySide6', 'vtkmodules', 'qtawesome'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_public_names_are_there() -> None:
    import synthview as sv

    for name in sv.__all__:
        assert getattr(sv, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sv.nothing  # noqa: B018
