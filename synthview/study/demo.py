"""The demo study: its protocol with arms filled in, from bundled generators of brains or with made-up heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from synthview.errors import StudyError
from synthview.resources import bundled_checkpoints, resource_path
from synthview.study.arms import find_files
from synthview.study.foreground import foreground
from synthview.study.protocol import Protocol
from synthview.study.protocol_arms import FolderSource
from synthview.study.scan_list import ScanList, read_scan_list
from synthview.volume import Volume, VolumeKind, load_volume, save_volume

PASSPHRASE = "demonstration"
WHY_OVERRULED = "A demonstration: nothing is concluded from its answers."
_STRENGTH_MM = {"made-a": 1.5, "made-b": 4.5}  # the largest displacements are some three times as long
_SMOOTH_VOXELS = 7.0
_SHRINK = 2
_BIDS_T1 = "*_T1w.nii*"
_COARSER = 1.5  # times the finest generator's voxels
_LARGEST_BRAIN_ML = 2100.0  # brains alone were found to fill 1120-1960 ml, heads (some cut at the neck) 2330-4110


def demo_protocol(work: Path, real: Path | None = None) -> Protocol:
    """The demo study's protocol.

    Args:
        work: a folder; where no bundled generator makes what the real scans show, the arms' volumes are made in it.
        real: a folder of real scans, of brains or of whole heads; None for synthetic volumes only.

    Raises:
        StudyError: ``real`` is not a folder of scans.
        VolumeError: the first of them can't be read.
        SaveError: ``work`` can't be written.
    """
    if real is not None and not real.is_dir():
        raise StudyError(f"{real} is not a folder that exists; name a folder of real scans (NIfTI files)")
    file = resource_path("demo-study", "synthetic.yaml" if real is None else "real.yaml")
    entries: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    generated = _generated()
    pattern = FolderSource.pattern if real is None else _pattern(real)
    if generated and real is not None and not _shows_brain(find_files("real", real, pattern)[0].path):
        generated = {}
    arms = generated or {name: {"real": False, "folder": str(work / name)} for name in _STRENGTH_MM}
    if real is not None:
        arms = {"real": {"real": True, "folder": {"path": str(real.resolve()), "pattern": pattern}}, **arms}
    protocol = Protocol.from_dict({**entries, "arms": arms}, file.name)
    if not generated:
        needed = protocol.volumes_needed()
        for number, name in enumerate(_STRENGTH_MM):
            make_heads(work / name, needed[name], seed=1000 * number, strength_mm=_STRENGTH_MM[name])
    return protocol


def demo_scan_list(path: Path) -> ScanList:
    """A scan list with enough scans for the demo study.

    Raises:
        ProtocolError: the file can't be read or contradicts itself.
        StudyError: it has too few scans.
    """
    scans = read_scan_list(path)
    file = resource_path("demo-study", "real.yaml")
    arms = {"real": {"real": True, "folder": "."}, **{name: {"real": False, "folder": "."} for name in _STRENGTH_MM}}
    protocol = Protocol.from_dict({**yaml.safe_load(file.read_text("utf-8")), "arms": arms}, file.name)
    needed = protocol.volumes_needed()["real"]
    if len(scans.files) < needed:
        raise StudyError(f"{path} lists {len(scans.files)} scans and the demo study needs {needed}; add some")
    return scans


def make_heads(folder: Path, count: int, *, seed: int, strength_mm: float) -> list[Path]:
    """Heads that nobody has: Colin 27 at 2 mm, warped smoothly and shaded unevenly.

    Args:
        folder: where to; made if it isn't there.
        count: how many, with the seeds ``seed`` to ``seed + count - 1``.
        seed: the first one.
        strength_mm: standard deviation of the displacements; 0 leaves the head as it is.
    """
    head = load_volume(resource_path("demo", "colin27_T1w.nii.gz")).to_ras()
    small = head.voxels[::_SHRINK, ::_SHRINK, ::_SHRINK].astype(np.float32)
    affine = head.affine @ np.diag([_SHRINK, _SHRINK, _SHRINK, 1.0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder} can't be made a folder: {error.strerror or error}") from error
    made = []
    for one in range(seed, seed + count):
        voxels = _warped(small, np.random.default_rng(one), strength_mm / (_SHRINK * head.spacing[0]))
        volume = Volume(voxels, affine, kind=VolumeKind.T1W)
        made.append(save_volume(volume, folder / f"head_{one:06d}.nii.gz"))
    return made


def _warped(voxels: npt.NDArray[np.float32], rng: np.random.Generator, strength: float) -> npt.NDArray[np.float32]:
    """A smooth random warp of so many voxels, and a smooth shading of some ten per cent."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    def smooth(scale: float) -> npt.NDArray[np.float32]:
        field: npt.NDArray[np.float32] = gaussian_filter(
            rng.standard_normal(voxels.shape, np.float32), scale, mode="reflect"
        )
        return field / max(float(field.std()), 1e-9)

    grid = np.indices(voxels.shape, np.float32)
    for axis in range(3):
        grid[axis] += strength * smooth(_SMOOTH_VOXELS)
    warped: npt.NDArray[np.float32] = map_coordinates(voxels, grid, order=1, mode="constant")
    return warped * (1 + 0.05 * smooth(3 * _SMOOTH_VOXELS))


def _generated() -> dict[str, Any]:
    """Arms of bundled generators of T1-weighted brains; empty where there is none."""
    names = _fine_brains(bundled_checkpoints())
    if not names:
        return {}
    if len(names) == 1:
        return {
            "made-a": {"real": False, "generate": {"checkpoint": names[0], "seed": 0}},
            "made-b": {"real": False, "generate": {"checkpoint": names[0], "seed": 1000, "truncation": 0.5}},
        }
    return {
        f"made-{letter}": {"real": False, "generate": {"checkpoint": name, "seed": 0}}
        for letter, name in zip("ab", names, strict=False)
    }


def _fine_brains(checkpoints: Mapping[str, Path]) -> list[str]:
    """Those whose manifest says T1-weighted: chests, rats or tissue maps make no pairs with brains.

    Nor do much larger voxels than the finest generator's: all arms go through one grid, the coarsest.
    """
    outputs = {
        name: json.loads((folder / "manifest.json").read_text("utf-8")).get("output", {})
        for name, folder in checkpoints.items()
    }
    sizes_mm = {
        name: max(output.get("spacing", (1.0,)))
        for name, output in outputs.items()
        if output.get("kind") == VolumeKind.T1W
    }
    return [name for name, size in sizes_mm.items() if size <= _COARSER * min(sizes_mm.values())]


def _pattern(real: Path) -> str:
    """Which files of a folder are its scans: in BIDS names, masks and label maps lie beside them."""
    return _BIDS_T1 if next(real.rglob(_BIDS_T1), None) is not None else FolderSource.pattern


def _shows_brain(scan: Path) -> bool:
    """Whether a scan shows a brain alone, as the bundled generators do, and not the head around it."""
    volume = load_volume(scan).to_ras()
    voxel_ml = abs(float(np.linalg.det(volume.affine[:3, :3]))) / 1000
    return float(foreground(volume).sum()) * voxel_ml <= _LARGEST_BRAIN_ML
