"""Finds ``resources/`` and ``weights/`` in a checkout, an installed wheel or a frozen application."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    """The folder that holds ``resources/`` and ``weights/``.

    Raises:
        FileNotFoundError: if the installation lacks them.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    candidates = [_PACKAGE / "_bundled", _PACKAGE.parent]
    if frozen is not None:
        candidates.insert(0, Path(frozen))
    for candidate in candidates:
        if (candidate / "resources").is_dir():
            return candidate
    raise FileNotFoundError(f"resources/ is in none of {[str(c) for c in candidates]}; install synthview again")


def resource_path(*parts: str) -> Path:
    """Path of something under ``resources/``, such as ``resource_path("demo", "colin27_T1w.nii.gz")``."""
    return _root().joinpath("resources", *parts)


def bundled_checkpoints() -> dict[str, Path]:
    """The bundled generators, name to folder (each holds ``weights.safetensors``), in name order."""
    weights = _root() / "weights"
    if not weights.is_dir():
        return {}
    return {path.parent.name: path.parent for path in sorted(weights.glob("*/weights.safetensors"))}
