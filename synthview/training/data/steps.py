"""Finished steps on disk: a build that was killed goes on where it was, and gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import SaveError

Arrays = dict[str, npt.NDArray[Any]]
Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of it that is done (0-1); raises ``Cancelled`` to stop."""


def no_progress(step: str, fraction: float) -> None:
    """Progress that nobody looks at."""


def digest(*parts: Any) -> str:
    """16 hexadecimal digits that stand for some plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Steps:
    """Results of steps, one file each, in a folder.  A file appears whole or not at all.

    Args:
        folder: made if it isn't there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveError(f"{folder} can't be made: {error}") from error

    def do(self, name: str, key: str, work: Callable[[], Arrays]) -> Arrays:
        """What the step gives; done once for each name and key, then read from disk.

        Args:
            name: of the step, fit for a file name.
            key: stands for everything that the result depends on (``digest``).
            work: does it.
        """
        path = self.folder / f"{name}-{key}.npz"
        known = _read(path)
        if known is not None:
            return known
        arrays = work()
        write_whole(path, lambda part: _save(part, arrays))
        return arrays

    def has(self, name: str, key: str) -> bool:
        """Whether a step was done."""
        return (self.folder / f"{name}-{key}.npz").is_file()


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name, then rename it.

    Raises:
        SaveError: the disk refused.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise SaveError(f"{path} can't be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _save(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read(path: Path) -> Arrays | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError):  # damaged: do the step again
        return None
