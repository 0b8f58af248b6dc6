"""A training set on disk: what the builder writes and every trainer reads.

A training set is a folder:

    dataset.json   what it is: shape, spacing, affine, kind, meaning of the values, licence, columns, how it was built
    images.npy     (N, I, J, K) uint8 scans, 0 = background; absent where a set has tissue maps only
    tissues.npy    (N, 3, I, J, K) uint8 probabilities · 255 of white matter, grey matter and CSF, in this order
                   (CSegSynth's; background is what is left to 255); absent where there are none
    codes.npy      (N, L) float32: numbers from N(0, 1) that decided each sample; absent where they are not known
    table.csv      one row a sample: sample, subject, split, then the columns of dataset.json as numbers
    held_out/      the same layout: real scans kept out of everything, put through the same preprocessing; may be absent
    scans/         the same layout and preprocessing: the real scans that were warped; may be absent

The axes are RAS+ (I to the right, J to the front, K up), so nothing is flipped on the way to a ``Volume``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import TrainingDataError
from synthview.volume import Volume, VolumeKind, Window

FORMAT = "synthview-training-set-1"
TISSUES = ("white matter", "grey matter", "CSF")
HELD_OUT, SCANS = "held_out", "scans"  # folders of real scans: those kept out, those that were warped
Bytes = npt.NDArray[np.uint8]
Table = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Column:
    """One number known of every sample.

    Attributes:
        name: as in table.csv.
        label: as people call it.
        unit: such as "years" or "ml"; empty for a category.
        mean: over the samples.
        std: over the samples, with N − 1.
        low: smallest value among the samples.
        high: largest.
        categories: what 0, 1, … stand for; empty for a number.
    """

    name: str
    label: str
    unit: str
    mean: float
    std: float
    low: float
    high: float
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """What dataset.json says.

    Attributes:
        name: such as "oasis-2mm".
        shape: (I, J, K).
        spacing_mm: of the voxels.
        affine: 4x4, voxel index to RAS+ mm.
        kind: of ``images``.
        meaning: of the stored values, one sentence.
        slope: with ``intercept``, real value = slope · stored + intercept (CT: Hounsfield units).
        intercept: see ``slope``.
        unit: of the real values.
        window: (low, high) in real values to look at it in.
        licence: of what is trained on it.
        noncommercial: whether that licence forbids commercial use.
        one_individual: whether all samples are warps of one individual.
        sources: who made the data, one sentence each.
        count: samples.
        columns: of table.csv.
        codes: what the numbers of a sample's code decide, as the column's name where it is one; empty: not known.
        built: builder version, method, seed, options and their SHA-256.
    """

    name: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    affine: tuple[tuple[float, ...], ...]
    kind: VolumeKind
    meaning: str
    slope: float
    intercept: float
    unit: str
    window: tuple[float, float]
    licence: str
    noncommercial: bool
    one_individual: bool
    sources: tuple[str, ...]
    count: int
    columns: tuple[Column, ...]
    codes: tuple[str, ...] = ()
    built: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As dataset.json holds it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Description:
        """The reverse of ``to_json``.

        Raises:
            ValueError, TypeError, KeyError: it isn't such a description.
        """
        said = json.loads(text)
        if said.pop("format", None) != FORMAT:
            raise ValueError(f"format is not {FORMAT}")
        said["columns"] = tuple(Column(**{**c, "categories": tuple(c["categories"])}) for c in said["columns"])
        said["kind"] = VolumeKind(said["kind"])
        for name in ("shape", "spacing_mm", "window", "sources"):
            said[name] = tuple(said[name])
        said["codes"] = tuple(said.get("codes", ()))  # sets of builders 1 and 2 have none
        said["affine"] = tuple(tuple(row) for row in said["affine"])
        return cls(**said)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """An opened training set; its arrays stay on disk and are read as they are used.

    Attributes:
        folder: where it lies.
        about: what dataset.json says.
        images: (N, I, J, K) uint8, or None.
        tissues: (N, 3, I, J, K) uint8, or None.
        codes: (N, L) float32, or None.
        table: the columns of table.csv, as text.
    """

    folder: Path
    about: Description
    images: Bytes | None
    tissues: Bytes | None
    codes: npt.NDArray[np.float32] | None
    table: Table

    @classmethod
    def open(cls, folder: str | Path) -> TrainingSet:
        """Open a training set, memory-mapped.

        Raises:
            TrainingDataError: the folder isn't a complete training set; says what is missing.
        """
        folder = Path(folder)
        file = folder / "dataset.json"
        if not file.is_file():
            raise TrainingDataError(f"{folder} is not a training set: it has no dataset.json (synthview train-data)")
        try:
            about = Description.from_json(file.read_text("utf-8"))
        except (ValueError, TypeError, KeyError) as error:
            raise TrainingDataError(f"{file} can't be understood ({error}); build the training set again") from error
        images = _array(folder / "images.npy", np.uint8, (about.count, *about.shape))
        tissues = _array(folder / "tissues.npy", np.uint8, (about.count, len(TISSUES), *about.shape))
        codes = _array(folder / "codes.npy", np.float32, (about.count, -1))
        if images is None and tissues is None:
            raise TrainingDataError(f"{folder} has neither images.npy nor tissues.npy; build the training set again")
        return cls(folder, about, images, tissues, codes, _read_table(folder / "table.csv", about))

    def __len__(self) -> int:
        return self.about.count

    def values(self, name: str) -> npt.NDArray[np.float64]:
        """One column as numbers, (N,).

        Raises:
            TrainingDataError: there is no such column.
        """
        names = [column.name for column in self.about.columns]
        if name not in names:
            raise TrainingDataError(f"{self.folder} has no column {name!r}; it has {', '.join(names) or 'none'}")
        return np.array([float(value) for value in self.table[name]])

    def column(self, name: str) -> Column:
        """What is known of a column.

        Raises:
            TrainingDataError: there is no such column.
        """
        self.values(name)
        return next(column for column in self.about.columns if column.name == name)

    def features(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """Columns standardised with the mean and std of dataset.json, (N, F)."""
        columns = [self.column(name) for name in names]
        scaled = [(self.values(c.name) - c.mean) / (c.std or 1.0) for c in columns]
        return np.stack(scaled, axis=1).astype(np.float32)

    def volume(self, index: int) -> Volume:
        """One scan as a volume in real values."""
        if self.images is None:
            raise TrainingDataError(f"{self.folder} has tissue maps only")
        voxels = self.images[index].astype(np.float32) * self.about.slope + self.about.intercept
        low, high = self.about.window
        name = str(self.table["sample"][index])
        window = Window((low + high) / 2, high - low)
        return Volume(voxels, self.affine, self.about.kind, self.about.unit, window, name)

    def tissue_volume(self, index: int) -> Volume:
        """One tissue map as a volume, (3, I, J, K) probabilities of ``TISSUES``."""
        if self.tissues is None:
            raise TrainingDataError(f"{self.folder} has no tissue maps")
        voxels = self.tissues[index].astype(np.float32) / 255
        return Volume(voxels, self.affine, VolumeKind.TISSUE_MAP, name=str(self.table["sample"][index]))

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """4x4, voxel index to RAS+ mm."""
        return np.array(self.about.affine, dtype=np.float64)

    @cached_property
    def held_out(self) -> TrainingSet | None:
        """The real scans kept out of training, put through the same preprocessing; None where there are none."""
        folder = self.folder / HELD_OUT
        return TrainingSet.open(folder) if (folder / "dataset.json").is_file() else None


def describe_column(name: str, label: str, unit: str, values: npt.ArrayLike, categories: Sequence[str] = ()) -> Column:
    """The column with its mean, spread and range over the samples, rounded to 6 digits."""
    v = np.asarray(values, dtype=np.float64)
    std = float(v.std(ddof=1)) if len(v) > 1 else 0.0
    mean, std, low, high = (float(f"{x:.6g}") for x in (v.mean(), std, v.min(), v.max()))
    return Column(name, label, unit, mean, std, low, high, tuple(categories))


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the same keys as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any] | None:
    """A file's array, of this shape; -1 is any length."""
    if not path.is_file():
        return None
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise TrainingDataError(f"{path} can't be read ({error}); build the training set again") from error
    fits = array.ndim == len(shape) and all(want in {-1, have} for have, want in zip(array.shape, shape, strict=True))
    if array.dtype != dtype or not fits:
        wanted = f"{np.dtype(dtype)} {shape}"
        raise TrainingDataError(
            f"{path} holds {array.dtype} {array.shape} where dataset.json says {wanted}; build it again"
        )
    return array


def _read_table(path: Path, about: Description) -> Table:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise TrainingDataError(f"{path} can't be read ({error}); build the training set again") from error
    wanted = ["sample", "subject", "split", *(column.name for column in about.columns)]
    missing = [name for name in wanted if not rows or rows[0].get(name) is None]
    if missing or len(rows) != about.count:
        what = f"lacks {', '.join(missing)}" if missing else f"has {len(rows)} rows, not {about.count}"
        raise TrainingDataError(f"{path} {what}; build the training set again")
    return {name: [row[name] for row in rows] for name in rows[0]}
