"""Sets of volumes to be compared, from a training set or a folder of NIfTI files, brought to one grid and one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import TrainingDataError
from synthview.training.box_means import box_means
from synthview.training.dataset import TrainingSet
from synthview.volume import Volume, VolumeKind, load_volume
from synthview.volume.nifti import is_nifti_name

Array = npt.NDArray[Any]
_AIR_HU, _TOP_HU = -1024.0, 600.0  # the window in which CTs are compared
_WHITE_QUANTILE = 0.995


@dataclass(frozen=True, eq=False)
class VolumeSet:
    """Volumes of one grid.

    Attributes:
        names: of the volumes.
        images: (I, J, K) float32, 0-1, background 0; of tissue maps (CSF + 2 grey + 3 white) / 3.
        tissues: (3, I, J, K) white matter, grey matter, CSF of each, where they came as tissue maps; else empty.
        ages: in years, where known; else NaN.
        spacing_mm: of the voxels.
    """

    names: tuple[str, ...]
    images: tuple[Array, ...]
    tissues: tuple[Array, ...]
    ages: Array
    spacing_mm: tuple[float, float, float]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shape(self) -> tuple[int, ...]:
        """(I, J, K) of each."""
        return tuple(self.images[0].shape)

    def on_grid_of(self, other: VolumeSet) -> VolumeSet:
        """The set with another's spacing and shape: means of boxes, padded with background or cut around the centre."""
        ratio = [own / wanted for own, wanted in zip(self.spacing_mm, other.spacing_mm, strict=True)]
        images = tuple(_fitted(image, ratio, other.shape) for image in self.images)
        tissues = tuple(np.stack([_fitted(part, ratio, other.shape) for part in parts]) for parts in self.tissues)
        return VolumeSet(self.names, images, tissues, self.ages, other.spacing_mm)


def read_volumes(folder: Path, limit: int = 200, *, tissue_maps: bool = False) -> VolumeSet:
    """Read a training set, or every NIfTI file of a folder (not of folders in it).

    Args:
        folder: of either.
        limit: volumes at most; of more, so many are taken evenly.
        tissue_maps: of a training set with both, take the tissue maps instead of the scans.

    Raises:
        TrainingDataError: there is nothing, or the volumes are not of one grid.
        VolumeError: a file can't be read.
    """
    if (folder / "dataset.json").is_file():
        return _from_training_set(TrainingSet.open(folder), limit, tissue_maps=tissue_maps)
    files = sorted(path for path in folder.iterdir() if is_nifti_name(path)) if folder.is_dir() else []
    if not files:
        raise TrainingDataError(f"{folder} has neither NIfTI files nor a training set in it")
    volumes = [load_volume(files[i]).to_ras() for i in evenly(len(files), limit)]
    first = volumes[0]
    for volume in volumes:
        if volume.voxels.shape != first.voxels.shape or not np.allclose(volume.spacing, first.spacing, rtol=1e-3):
            raise TrainingDataError(
                f"{folder}: {volume.name} is {volume.voxels.shape} at {_mm(volume)}, {first.name} {first.voxels.shape} "
                f"at {_mm(first)}; a set has one grid"
            )
    maps = [_tissues_of(volume) for volume in volumes]
    tissues = tuple(m for m in maps if m is not None)
    images = tuple(unit_image(v) if m is None else _tissue_image(m) for v, m in zip(volumes, maps, strict=True))
    ages = np.array([_age(volume) for volume in volumes])
    return VolumeSet(tuple(v.name for v in volumes), images, tissues, ages, first.spacing)


def _from_training_set(opened: TrainingSet, limit: int, *, tissue_maps: bool) -> VolumeSet:
    which = evenly(len(opened), limit)
    known = {column.name for column in opened.about.columns}
    ages = opened.values("age")[which] if "age" in known else np.full(len(which), np.nan)
    tissues: tuple[Array, ...] = ()
    if opened.tissues is not None and (tissue_maps or opened.images is None):
        tissues = tuple(opened.tissues[i].astype(np.float32) / 255 for i in which)
        images = tuple(_tissue_image(t) for t in tissues)
    else:
        images = tuple(unit_image(opened.volume(i)) for i in which)
    names = tuple(str(opened.table["sample"][i]) for i in which)
    return VolumeSet(names, images, tissues, ages, opened.about.spacing_mm)


def unit_image(volume: Volume) -> Array:
    """A volume's values on a common scale, (I, J, K) float32, 0-1.

    CT: from −1024 to 600 HU.  Anything else: background (the lowest value) to 0, the 99.5th percentile of the rest
    to 0.9, so that scanners' units don't count.
    """
    voxels = volume.voxels.astype(np.float32)
    if volume.kind is VolumeKind.CT:
        return np.asarray(np.clip((voxels - _AIR_HU) / (_TOP_HU - _AIR_HU), 0, 1))
    voxels = voxels - voxels.min()
    rest = voxels[voxels > 0.02 * voxels.max()]
    top = float(np.quantile(rest, _WHITE_QUANTILE)) if rest.size else 1.0
    scaled = np.clip(0.9 * voxels / max(top, 1e-12), 0, 1)
    return np.where(scaled < 0.02, 0, scaled).astype(np.float32)


def _tissues_of(volume: Volume) -> Array | None:
    """White matter, grey matter and CSF of a tissue map, else None."""
    if volume.voxels.ndim != 4:
        return None
    if len(volume.voxels) < 3:
        raise TrainingDataError(f"{volume.name} has {len(volume.voxels)} channels; tissue maps have at least 3")
    return volume.voxels[:3].astype(np.float32)


def _tissue_image(tissues: Array) -> Array:
    white, grey, csf = tissues
    return np.asarray((csf + 2 * grey + 3 * white) / 3, dtype=np.float32)


def _age(volume: Volume) -> float:
    features = volume.provenance.features if volume.provenance else None
    return float(features["age"]) if features and "age" in features else float("nan")


def _fitted(image: Array, ratio: Sequence[float], shape: Sequence[int]) -> Array:
    if not np.allclose(ratio, 1, atol=0.01):
        image = box_means(image, [max(1, round(n * r)) for n, r in zip(image.shape, ratio, strict=True)])
    result = np.zeros(tuple(shape), dtype=np.float32)
    source, target = [], []
    for have, want in zip(image.shape, shape, strict=True):
        length = min(have, want)
        source.append(slice((have - length) // 2, (have - length) // 2 + length))
        target.append(slice((want - length) // 2, (want - length) // 2 + length))
    result[tuple(target)] = image[tuple(source)]
    return result


def evenly(count: int, limit: int) -> list[int]:
    """Places of so many of a set's members, from its first to its last; of all where there are no more."""
    return [int(i) for i in np.unique(np.linspace(0, count - 1, min(count, limit)).round())]


def _mm(volume: Volume) -> str:
    return " × ".join(f"{s:g}" for s in volume.spacing) + " mm"
