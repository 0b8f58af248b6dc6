"""Writes finished samples as a training set."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import SaveError
from synthview.training.data.fields import Floats
from synthview.training.data.steps import Arrays, write_whole
from synthview.training.dataset import Column, Description, describe_column, write_table

Row = dict[str, object]
BUILDER_VERSION = 6


def to_bytes(voxels: Floats) -> npt.NDArray[np.uint8]:
    """Values of 0-255 rounded to bytes."""
    return np.clip(np.rint(voxels), 0, 255).astype(np.uint8)


def tissue_bytes(probabilities: Floats) -> npt.NDArray[np.uint8]:
    """Probabilities (3, I, J, K) as bytes whose sum is at most 255."""
    scaled = np.floor(np.clip(probabilities, 0, 1) * 255 + 0.499)
    excess = np.maximum(scaled.sum(axis=0) - 255, 0)
    largest = scaled.argmax(axis=0)[None]
    np.put_along_axis(scaled, largest, np.take_along_axis(scaled, largest, axis=0) - excess, axis=0)
    return scaled.astype(np.uint8)


def write_set(
    folder: Path, about: Description, columns: Sequence[Column], rows: Sequence[Row], samples: Iterable[Arrays]
) -> None:
    """Write a training set; dataset.json comes last, so that a folder with it is complete.

    Args:
        folder: where to.
        about: its ``count`` and ``columns`` are filled in here.
        columns: names, labels, units and categories; their figures are computed from the rows.
        rows: of table.csv.
        samples: per row, "image" (I, J, K) and "tissues" (3, I, J, K), uint8, and "code" (L,), float32; any may be
            missing from all.

    Raises:
        SaveError: the disk refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dataset.json").unlink(missing_ok=True)
        _write_arrays(folder, samples, len(rows))
        write_whole(folder / "table.csv", lambda part: write_table(part, rows))
    except OSError as error:
        raise SaveError(f"{folder} can't be written: {error}") from error
    known = tuple(
        describe_column(c.name, c.label, c.unit, [float(str(r[c.name])) for r in rows], c.categories) for c in columns
    )
    text = replace(about, count=len(rows), columns=known).to_json()
    write_whole(folder / "dataset.json", lambda part: part.write_bytes(text.encode()))


def _write_arrays(folder: Path, samples: Iterable[Arrays], count: int) -> None:
    names = {"image": "images.npy", "tissues": "tissues.npy", "code": "codes.npy"}
    files: dict[str, Any] = {}
    parts = {name: folder / f".{file}.part" for name, file in names.items()}
    for number, sample in enumerate(samples):
        for name in names.keys() & sample.keys():
            if name not in files:
                one = sample[name]
                files[name] = np.lib.format.open_memmap(parts[name], "w+", one.dtype, (count, *one.shape))
            files[name][number] = sample[name]
    for name, array in files.items():
        array.flush()
        parts[name].replace(folder / names[name])


def numbers(values: Mapping[str, float], digits: int = 3) -> Row:
    """Numbers for a row of table.csv, rounded."""
    return {name: f"{value:.{digits}f}".rstrip("0").rstrip(".") for name, value in values.items()}


def packed(image: Floats | None, probabilities: Floats | None, row: Row, code: Floats | None = None) -> Arrays:
    """A sample as arrays fit for a file: "image" and "tissues" in bytes, "names" and "values" of its row as text.

    Its "code", if there is one, are the numbers from N(0, 1) that decided it.
    """
    arrays: Arrays = {"names": np.array(list(row)), "values": np.array([str(value) for value in row.values()])}
    if image is not None:
        arrays["image"] = to_bytes(image)
    if probabilities is not None:
        arrays["tissues"] = tissue_bytes(probabilities)
    if code is not None:
        arrays["code"] = code.astype(np.float32)
    return arrays


def row_of(sample: Arrays) -> Row:
    """The row of table.csv that a sample carries."""
    return dict(zip(sample["names"].tolist(), sample["values"].tolist(), strict=True))


def remove_folder(folder: Path) -> None:
    """Remove a folder of finished steps."""
    shutil.rmtree(folder, ignore_errors=True)
