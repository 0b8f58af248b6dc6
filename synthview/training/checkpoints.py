"""A run's state on disk: written whole or not at all, read as weights only."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from synthview.errors import SaveError, TrainingDataError

CHECKPOINT = "checkpoint.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replace the run's checkpoint; a kill at any time leaves the old one or the new one.

    Raises:
        SaveError: it can't be written; the old one is intact.
    """
    path = folder / CHECKPOINT
    temporary = folder / f".{CHECKPOINT}.part"
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise SaveError(f"{path} could not be written: {error}. Make room, then run it again to go on.") from error


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The run's state, on the CPU; None where there is none yet.

    Raises:
        TrainingDataError: it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingDataError(
            f"{path} is damaged ({type(error).__name__}); delete it to start the run anew"
        ) from error
    return state
