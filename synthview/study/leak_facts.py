"""What can be known of a stimulus without looking at the anatomy: the material of the leak check."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.study.foreground import foreground
from synthview.volume import Volume, load_volume

_HEADER_FIELDS = (
    "datatype", "qform_code", "sform_code", "xyzt_units", "descrip", "intent_code", "intent_name", "aux_file",
    "cal_min", "cal_max", "scl_slope", "scl_inter", "dim_info", "toffset", "slice_code", "magic",
)  # fmt: skip
_LOADS = 3  # the median of so many is a stimulus's load time


@dataclass(frozen=True)
class StimulusFacts:
    """One stimulus, without its anatomy.

    Attributes:
        arm: where it came from.
        categories: what is alike or not, such as shape, spacing and header, by name.
        measures: what is more or less, such as load time and number of distinct values, by name.
    """

    arm: str
    categories: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)


def facts_of(
    arm: str,
    volume: Volume,
    *,
    name: str = "",
    size_bytes: int | None = None,
    load_ms: float | None = None,
    header: Mapping[str, str] | None = None,
) -> StimulusFacts:
    """The facts of a volume that is in memory.

    Args:
        arm: where it came from.
        volume: as the reader gets it.
        name: file name or id that the reader's program knows it by.
        size_bytes: of its file.
        load_ms: how long opening it takes.
        header: more fields that should be alike, by name.
    """
    spacing = " × ".join(f"{mm:.4g}" for mm in volume.spacing)
    categories = {
        "shape": " × ".join(map(str, volume.shape)),
        "spacing": f"{spacing} mm",
        "orientation": "".join(volume.axis_codes),
        "position": ", ".join(f"{mm:.3g}" for mm in volume.affine[:3, 3]),
        "data type": volume.voxels.dtype.name,
        "kind": f"{volume.kind.value} {volume.unit}".strip(),
        "window": f"{volume.window.low:g} to {volume.window.high:g}" if volume.window else "none",
        **{f"header {name}": value for name, value in (header or {}).items()},
    }
    if name:
        categories["form of the name"] = name_form(name)
    measures = value_measures(volume)
    if size_bytes is not None:
        measures["file size"] = float(size_bytes)
    if load_ms is not None:
        measures["load time"] = load_ms
    return StimulusFacts(arm, categories, measures)


def facts_of_files(
    files: Sequence[tuple[str, Path]], load: Callable[[Path], Volume] = load_volume, seed: int = 0
) -> list[StimulusFacts]:
    """The facts of NIfTI files, for an arm and a path each; load times are taken in an order mixed between the arms."""
    times: dict[Path, list[float]] = {path: [] for _, path in files}
    rng = np.random.default_rng(seed)
    for _ in range(_LOADS):
        for number in rng.permutation(len(files)):
            path = files[number][1]
            began = time.perf_counter()
            load(path)
            times[path].append((time.perf_counter() - began) * 1000)
    return [
        facts_of(
            arm,
            load(path),
            name=path.name,
            size_bytes=path.stat().st_size,
            load_ms=float(np.median(times[path])),
            header=nifti_header(path),
        )
        for arm, path in files
    ]


def value_measures(volume: Volume) -> dict[str, float]:
    """Smallest and largest value, number of distinct values and how finely they lie, zeros in the background."""
    voxels = volume.voxels
    distinct = np.unique(voxels)
    low, high = float(distinct[0]), float(distinct[-1])
    steps = np.diff(distinct.astype(np.float64))
    measures = {
        "smallest value": low,
        "largest value": high,
        "number of distinct values": float(distinct.size),
        "usual step between values": float(np.median(steps)) if steps.size else 0.0,
    }
    if voxels.ndim == 3:
        background = voxels[_well_outside(volume)]
        measures["exact zeros in the background"] = float((background == 0).mean()) if background.size else 1.0
    return measures


def _well_outside(volume: Volume) -> npt.NDArray[np.bool_]:
    """The background without a rim around the body, whose outline isn't known to the voxel."""
    import SimpleITK as sitk  # noqa: N813

    body = sitk.GetImageFromArray(foreground(volume).astype(np.uint8))
    rim = 2 + max(volume.shape) // 50
    away: npt.NDArray[np.bool_] = sitk.GetArrayFromImage(sitk.BinaryDilate(body, [rim] * 3, sitk.sitkBox)) == 0
    return away


def nifti_header(path: Path) -> dict[str, str]:
    """The fields of a NIfTI header that say nothing about the anatomy, and whether there are extensions."""
    import nibabel as nib

    header: Any = nib.load(path).header
    found = {name: _text(header[name]) for name in _HEADER_FIELDS if name in header}
    extensions = b"".join(str(extension.get_content()).encode() for extension in header.extensions)
    found["extensions"] = hashlib.sha256(extensions).hexdigest()[:8] if extensions else "none"
    found["sidecar"] = "yes" if path.with_name(path.name.split(".")[0] + ".json").exists() else "no"
    return found


def name_form(name: str) -> str:
    """A name's form: letters, digits and lengths, so that "real_01" and "fake_01" differ and opaque ids don't.

    Hexadecimal ids of 8 or more digits all have one form; otherwise the letters stand as they are.
    """
    form = re.sub(r"(?<![0-9a-z])[0-9a-f]{8,}(?![0-9a-z])", lambda found: f"<{len(found[0])} hex digits>", name.lower())
    return re.sub(r"\d+(?! hex)", lambda found: f"<{len(found[0])} digits>", form)


def _text(value: Any) -> str:
    """A header field as text; NaN slopes mean "not scaled"."""
    plain = value.item() if hasattr(value, "item") else value
    return plain.decode("latin-1").rstrip("\x00") if isinstance(plain, bytes) else str(plain)
