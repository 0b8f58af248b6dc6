"""A run's folder: what it was begun with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from synthview.errors import SaveError, SynthviewError, TrainingDataError, WrongRequestError
from synthview.training.recipe import Recipe, parse_recipe
from synthview.volume.nifti import write_atomically

RUN, CODES, START = "run.json", "codes.npz", "start.pt"


@dataclass(frozen=True)
class RunRecord:
    """What run.json says.

    Attributes:
        folder: the run's.
        recipe: followed.
        data: the training set's folder.
        versions: of synthview and torch, at the beginning.
    """

    folder: Path
    recipe: Recipe
    data: Path
    versions: dict[str, str]

    @classmethod
    def open(cls, folder: str | Path) -> RunRecord:
        """Read it.

        Raises:
            WrongRequestError: the folder is no run.
        """
        folder = Path(folder)
        try:
            said = json.loads((folder / RUN).read_text("utf-8"))
            recipe = parse_recipe(said["recipe"], str(folder / RUN))
            return cls(folder, recipe, Path(said["data"]), dict(said["versions"]))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WrongRequestError(f"{folder} is not the folder of a training: it has no {RUN}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WrongRequestError(f"{folder / RUN} can't be understood ({error}); begin a new run") from error


def begin(recipe: Recipe, data: str | Path | None, folder: Path) -> RunRecord:
    """Open a run's folder, or make it.

    Raises:
        WrongRequestError: it was begun with another recipe; or it is new, and no training set was named.
        TrainingDataError: there is no such training set.
    """
    if (folder / RUN).is_file():
        record = RunRecord.open(folder)
        if record.recipe.fingerprint() != recipe.fingerprint():
            raise WrongRequestError(
                f"{folder} is a run of another recipe ({record.recipe.name}, or other settings); choose another "
                "--out, or the recipe it was begun with"
            )
        record = RunRecord(folder, recipe, record.data if data is None else Path(data).absolute(), record.versions)
    elif data is None:
        raise WrongRequestError("a new training needs a training set: --data FOLDER (synthview train-data makes one)")
    else:
        versions = {name: version(name) for name in ("synthview", "torch")}
        record = RunRecord(folder, recipe, Path(data).absolute(), versions)
    if not record.data.is_dir():
        raise TrainingDataError(f"there is no training set {record.data}; say where it is with --data FOLDER")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{folder} can't be made: {error.strerror}; choose another --out") from error
    said = {"recipe": json.loads(recipe.to_json()), "data": str(record.data), "versions": record.versions}
    write_atomically(folder / RUN, (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode())
    return record


@contextmanager
def nothing_left_unless_begun(folder: Path) -> Iterator[None]:
    """Take a new run's files away if it can't be begun, so that a mended recipe may have the same folder."""
    new, made = not (folder / RUN).exists(), not folder.exists()
    try:
        yield
    except SynthviewError:
        if new:
            for name in (RUN, CODES, START):
                (folder / name).unlink(missing_ok=True)
            if made:
                with suppress(OSError):  # something else lies in it
                    folder.rmdir()
        raise


def cached_arrays(folder: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Arrays that a method finds before a training: from the run's folder, or made and kept there."""
    path = folder / CODES
    if not path.is_file():
        written = io.BytesIO()
        np.savez(written, **make())
        write_atomically(path, written.getvalue())
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}
