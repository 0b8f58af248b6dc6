"""DICOM series in: one folder of slices becomes one volume, read with GDCM (through SimpleITK).

The place of each slice is taken from its own position in the patient, never from ``SliceThickness``.  Nothing that
names the patient is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthview.errors import VolumeError
from synthview.volume.nifti import is_nifti_name, load_volume
from synthview.volume.volume import Volume, VolumeKind
from synthview.volume.window import Window

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

_MAGIC_AT, _MAGIC = 128, b"DICM"
_LOOKED_AT = 16  # files of a folder that are looked at before it counts as one without DICOM
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SERIES_UID, _MODALITY, _DESCRIPTION = "0020|000e", "0008|0060", "0008|103e"
_POSITION, _ORIENTATION = "0020|0032", "0020|0037"
_WINDOW_LEVEL, _WINDOW_WIDTH = "0028|1050", "0028|1051"
_UNEVEN = 0.02  # of the spacing: positions are rounded in the files, a missing slice is a whole one


def is_dicom_file(path: Path) -> bool:
    """Whether a file begins as DICOM files do (128 bytes, then "DICM")."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC
    except OSError:
        return False


def is_dicom_folder(path: Path) -> bool:
    """Whether one of a folder's first files is DICOM; the folders in it are not looked into."""
    try:
        files = sorted(one for one in path.iterdir() if one.is_file())
    except OSError:
        return False
    return any(is_dicom_file(file) for file in files[:_LOOKED_AT])


def read_volume(path: str | Path) -> Volume:
    """Read a NIfTI file, a DICOM file (with the rest of its series), or a folder that holds one DICOM series.

    Raises:
        VolumeError: it can't be read, or doesn't hold one volume; see ``load_volume`` and ``load_series``.
    """
    path = Path(path)
    if path.is_dir() and not is_dicom_folder(path):
        raise VolumeError(f"{path} is a folder without DICOM slices; choose a .nii or .nii.gz file in it")
    if path.is_dir():
        return load_series(path)
    if not is_nifti_name(path) and is_dicom_file(path):
        return load_series(path.parent, _tags(path).get(_SERIES_UID))
    return load_volume(path)


def series_in(folder: Path) -> tuple[str, ...]:
    """The series instance UIDs of the DICOM files of a folder, in order."""
    import SimpleITK as sitk  # noqa: N813

    return tuple(sorted(sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))))


def load_series(folder: Path, uid: str | None = None) -> Volume:
    """Read one DICOM series as a volume.

    Args:
        folder: holds its slices, perhaps beside those of other series.
        uid: the series instance UID; may be left out where the folder holds one series.

    Raises:
        VolumeError: there are no slices, several series, slices missing, or slices that don't lie on one grid.
    """
    import SimpleITK as sitk  # noqa: N813

    found = series_in(folder)
    if not found:
        raise VolumeError(f"{folder} holds no DICOM image slices; choose the folder of one series")
    if uid is None and len(found) > 1:
        raise VolumeError(f"{folder} holds {len(found)} DICOM series; keep each in a folder of its own and choose one")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid or found[0])
    spacing = _slice_spacing(folder, names)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise VolumeError(f"{folder} could not be read: {_last_line(error)}; export the series again") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise VolumeError(f"{folder} holds colours; synthview shows images with one real number per voxel")
    tags = _tags(Path(names[0]))
    kind = _kind(tags)
    return Volume(
        _voxels(image),
        _affine(image, spacing),
        kind=kind,
        unit="HU" if kind is VolumeKind.CT else "",
        window=_window(tags),
        name=folder.name,
    )


def _voxels(image: sitk.Image) -> npt.NDArray[Any]:
    """(I, J, K) of a SimpleITK image, whose array comes as (K, J, I)."""
    import SimpleITK as sitk  # noqa: N813

    voxels: npt.NDArray[Any] = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    if voxels.dtype.itemsize > 4:
        return voxels.astype(np.float32)
    if voxels.dtype == np.int32 and voxels.min() >= -(2**15) and voxels.max() < 2**15:
        return voxels.astype(np.int16)
    return voxels


def _affine(image: sitk.Image, slice_spacing: float | None) -> npt.NDArray[np.float64]:
    """Voxel index to RAS+ mm; ITK's own space is LPS."""
    spacing = np.array(image.GetSpacing())
    if slice_spacing is not None:
        spacing[2] = slice_spacing
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * spacing
    lps[:3, 3] = image.GetOrigin()
    return _LPS_TO_RAS @ lps


def _slice_spacing(folder: Path, names: Sequence[str]) -> float | None:
    """Millimetres from slice to slice; None for a single (perhaps multi-frame) file.

    Raises:
        VolumeError: the slices are not evenly spaced, or not parallel.
    """
    if len(names) < 2:
        return None
    all_tags = [_tags(Path(name)) for name in names]
    orientations = np.array([_numbers(tags.get(_ORIENTATION, ""), 6) for tags in all_tags])
    positions = np.array([_numbers(tags.get(_POSITION, ""), 3) for tags in all_tags])
    if not (np.isfinite(orientations).all() and np.isfinite(positions).all()):
        raise VolumeError(f"{folder} has slices that don't say where they lie in the patient; export the series again")
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise VolumeError(f"{folder} has slices in several orientations (a localiser?); keep one orientation in it")
    steps = np.diff(positions @ np.cross(orientations[0, :3], orientations[0, 3:]))
    usual = float(np.median(steps))
    if abs(usual) < 1e-6:
        raise VolumeError(f"{folder} has several slices at one place (a time series?); keep one volume in it")
    uneven = np.flatnonzero(np.abs(steps - usual) > _UNEVEN * abs(usual))
    if uneven.size:
        first = int(uneven[0])
        raise VolumeError(
            f"{folder} has slices that are not evenly spaced: {abs(steps[first]):.3g} mm between "
            f"{Path(names[first]).name} and {Path(names[first + 1]).name}, {abs(usual):.3g} mm elsewhere; "
            "copy the missing slices too"
        )
    return abs(float(np.mean(steps)))


def _tags(path: Path) -> dict[str, str]:
    """The few tags of a file that are used; nothing about the patient."""
    import SimpleITK as sitk  # noqa: N813

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("GDCMImageIO")
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(f"{path} is a damaged DICOM file ({_last_line(error)}); copy it again") from error
    wanted = (_SERIES_UID, _MODALITY, _DESCRIPTION, _POSITION, _ORIENTATION, _WINDOW_LEVEL, _WINDOW_WIDTH)
    return {tag: reader.GetMetaData(tag).strip() for tag in wanted if reader.HasMetaDataKey(tag)}


def _numbers(text: str, count: int) -> list[float]:
    """The numbers of a DICOM value (parted by backslashes); NaN where they are not all there."""
    with suppress(ValueError):
        numbers = [float(part) for part in text.split("\\")]
        if len(numbers) == count:
            return numbers
    return [float("nan")] * count


def _kind(tags: dict[str, str]) -> VolumeKind:
    if tags.get(_MODALITY) == "CT":
        return VolumeKind.CT
    described = tags.get(_DESCRIPTION, "").lower().replace("_", " ")
    if tags.get(_MODALITY) == "MR" and any(word in described for word in ("t1", "mprage", "spgr", "bravo")):
        return VolumeKind.T1W
    return VolumeKind.UNKNOWN


def _window(tags: dict[str, str]) -> Window | None:
    """The first of the windows that the scanner suggests."""
    with suppress(ValueError):
        level, width = (float(tags.get(tag, "").split("\\")[0]) for tag in (_WINDOW_LEVEL, _WINDOW_WIDTH))
        return Window(level, width)
    return None


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip().rstrip(".")
