"""Labels and tissues as coloured pictures to be laid over a grey one, whatever grid they come on."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthview.errors import VolumeError
from synthview.gui.colormaps import tissue_colors, tissue_names
from synthview.volume import Volume, VolumeKind
from synthview.volume.slicing import SliceGeometry

MOST_LABELS = 1024
_GOLDEN = 0.618034  # of the colour circle between a label and the next: neighbours never look alike
_GREYS = {
    3: (1.0, 0.62, 0.22),
    4: (1.0, 0.62, 0.22, 0.0),
}  # of white matter, grey matter, CSF (and background) in a T1w

Rgba = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LabelOverlay:
    """Labels or tissues, and how they are drawn.

    Attributes:
        volume: in RAS+ order: whole numbers (I, J, K), or probabilities (C, I, J, K).
        labels: the numbers of the classes drawn; of a tissue map its channels.
        names: of the classes.
        colors: (classes, 3), 0 to 255.
        ml: millilitres of each class.
    """

    volume: Volume
    labels: npt.NDArray[np.int64]
    names: tuple[str, ...]
    colors: npt.NDArray[np.float32]
    ml: tuple[float, ...]

    @property
    def is_map(self) -> bool:
        """Whether it holds probabilities."""
        return self.volume.voxels.ndim == 4

    def drawn(self, base: Volume, geometry: SliceGeometry, index: int) -> Rgba:
        """What is laid over the slice ``index`` of a volume: (rows, columns, 4), colour 0 to 255, opacity 0 to 1.

        Args:
            base: the volume underneath, in RAS+ order; each of its voxels takes what is nearest to its centre.
            geometry: of its slice.
            index: of its slice.
        """
        same = base.shape == self.volume.shape and np.allclose(base.affine, self.volume.affine, atol=1e-4)
        found = geometry.cut(self.volume.voxels, index) if same else self._nearest(base, geometry, index)
        return self._tissues(found) if self.is_map else self._labels(found)

    def _nearest(self, base: Volume, geometry: SliceGeometry, index: int) -> npt.NDArray[np.generic]:
        """The overlay's own values at the centres of a slice's pixels; nothing (0) outside."""
        to_overlay = np.linalg.inv(self.volume.affine) @ base.affine
        grids = [np.arange(n, dtype=np.float64) for n in base.shape]
        through = geometry.axes[2]
        grids[through] = np.array([float(index)])
        i, j, k = np.meshgrid(*grids, indexing="ij", sparse=True)
        at = [np.rint(row[0] * i + row[1] * j + row[2] * k + row[3]).astype(np.int64) for row in to_overlay[:3]]
        inside = np.ones(np.broadcast_shapes(*(axis.shape for axis in at)), bool)
        for axis, n in zip(at, self.volume.shape, strict=True):
            inside &= (axis >= 0) & (axis < n)
        first, second, third = (np.clip(axis, 0, n - 1) for axis, n in zip(at, self.volume.shape, strict=True))
        values = np.where(inside, self.volume.voxels[..., first, second, third], 0)
        return geometry.cut(values, 0)

    def _labels(self, values: npt.NDArray[np.generic]) -> Rgba:
        at = np.searchsorted(self.labels, values.astype(np.int64))
        at = np.minimum(at, len(self.labels) - 1)
        known = self.labels[at] == values
        return np.concatenate([self.colors[at], known[..., None]], axis=-1).astype(np.float32)

    def _tissues(self, probabilities: npt.NDArray[np.generic]) -> Rgba:
        drawn = probabilities[: len(self.labels)].astype(np.float32)
        total = drawn.sum(axis=0)
        rgb = np.tensordot(drawn, self.colors, axes=(0, 0)) / np.maximum(total, 1e-6)[..., None]
        return np.concatenate([rgb, np.clip(total, 0, 1)[..., None]], axis=-1).astype(np.float32)


def overlay_of(volume: Volume) -> LabelOverlay:
    """An overlay of a tissue map or a label map; looks at every voxel, so not while somebody waits.

    Raises:
        VolumeError: it is neither: its values are not whole numbers, or too many.
    """
    ras = volume.to_ras()
    voxel_ml = abs(float(np.linalg.det(ras.affine[:3, :3]))) / 1000
    if ras.voxels.ndim == 4:
        count = ras.voxels.shape[0]
        names, colors = tissue_names(count), tissue_colors(count)
        kept = [number for number, name in enumerate(names) if name != "background"]
        sums = ras.voxels.sum(axis=(1, 2, 3), dtype=np.float64) * voxel_ml
        return LabelOverlay(
            ras, np.array(kept), tuple(names[n] for n in kept), colors[kept], tuple(float(sums[n]) for n in kept)
        )
    labels, counts = _labels_in(ras)
    names = tuple(f"label {label}" for label in labels)
    return LabelOverlay(ras, labels, names, label_colors(labels), tuple(float(n * voxel_ml) for n in counts))


def label_colors(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """A colour for each label, the same for a label in every file: (labels, 3), 0 to 255."""
    known = tissue_colors(6)
    colors = [_label_color(int(label), known) for label in labels]
    return np.array(colors, dtype=np.float32)


def _label_color(label: int, known: npt.NDArray[np.float32]) -> tuple[float, float, float]:
    if label <= len(known):
        red, green, blue = known[label - 1].tolist()
    else:
        red, green, blue = (255 * part for part in colorsys.hsv_to_rgb(label * _GOLDEN % 1, 0.62, 0.92))
    return red, green, blue


def grey_of_tissues(probabilities: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """A tissue map as a grey picture, 0 to 1: white matter bright, CSF dark, as in a T1-weighted image.

    Args:
        probabilities: (C, rows, columns).
    """
    count = len(probabilities)
    greys = np.array(_GREYS.get(count) or np.linspace(1.0, 0.3, count), dtype=np.float32)
    grey: npt.NDArray[np.float32] = np.tensordot(greys, probabilities.astype(np.float32), axes=(0, 0))
    return grey


def _labels_in(volume: Volume) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    name = volume.name or "the volume"
    voxels = volume.voxels
    whole = voxels.dtype.kind in "iub" or bool((voxels == np.rint(voxels)).all())
    if not whole or float(voxels.min()) < 0:
        raise VolumeError(
            f"{name} is no label map: its values are not whole numbers from 0 up; open it as a volume instead"
        )
    labels, counts = np.unique(voxels, return_counts=True)
    if volume.kind is not VolumeKind.LABEL_MAP and len(labels) > MOST_LABELS:
        raise VolumeError(
            f"{name} is no label map: it has {len(labels)} different values, more than {MOST_LABELS}; open it as a "
            "volume instead"
        )
    kept = labels > 0
    if not kept.any():
        raise VolumeError(f"{name} has no labels in it: all its values are 0; choose another file")
    return labels[kept].astype(np.int64), counts[kept]
