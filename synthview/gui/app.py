"""The way into the window: says plainly what is missing where no window can be opened.  Imports no Qt itself."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

_WITHOUT_A_WINDOW = """Without one, these work:
  synthview inspect CHECKPOINT      what a checkpoint is
  synthview generate CHECKPOINT     make volumes
  synthview decode CHECKPOINT       run a network on given latents
  synthview verify FILE             make a volume again and compare"""

_NO_DISPLAY = f"""synthview: there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set).
{_WITHOUT_A_WINDOW}
To open the window here, log in with a desktop, use "ssh -X", or run it under Xvfb (xvfb-run synthview)."""

_HEADLESS_PLATFORMS = {"offscreen", "minimal", "vnc"}


def has_display() -> bool:
    """Whether a window can be opened: always, but on a Linux without a screen."""
    if not sys.platform.startswith("linux"):
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    return platform in _HEADLESS_PLATFORMS or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def run(files: list[Path]) -> int:
    """Open the window, with ``files`` (volumes or checkpoints) in it; returns when it is closed.

    Returns:
        The exit status: 0, or 1 where no window could be opened.
    """
    if (problem := _no_window()) is not None:
        return problem
    from synthview.gui.start import start

    return start(files)


def read_study(path: Path, reader: str) -> int:
    """Open the reading screen of a study; returns when it is closed.

    Args:
        path: a study's folder or a reader's bundle.
        reader: who reads; empty to ask.

    Returns:
        The exit status: 0, or 1 where no window could be opened.

    Raises:
        StudyError: it is neither, or is damaged.
    """
    if (problem := _no_window()) is not None:
        return problem
    from synthview.gui.reading.start import start

    return start(path, reader)


def _no_window() -> int | None:
    """Say what is missing where no window can be opened, and give the exit status; None where one can be."""
    if not has_display():
        print(_NO_DISPLAY, file=sys.stderr)  # noqa: T201
        return 1
    try:
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        if ".so" not in str(error):
            raise
        library = str(error).split(":")[0]
        print(  # noqa: T201
            f"synthview: the window needs the system library {library}, which is missing. On Debian or Ubuntu, "
            f'"make run" in the source folder installs what is needed.\n{_WITHOUT_A_WINDOW}',
            file=sys.stderr,
        )
        return 1
    return None
