"""NIfTI files in and out: strict about what is read, careful about what is written."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from isal import igzip, igzip_lib
from nibabel.nifti1 import Nifti1Extension, Nifti1Header, Nifti1Image
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from synthview.errors import ProvenanceError, SaveError, VolumeError
from synthview.volume.hounsfield import looks_like_ct
from synthview.volume.orientation import says_where
from synthview.volume.provenance import Provenance
from synthview.volume.volume import Volume, VolumeKind
from synthview.volume.window import Window

SUFFIXES = (".nii", ".nii.gz")
FORMAT = "synthview-1"  # of the description in the header extension and in the sidecar
_COMMENT = 6  # extension code "comment": plain text, kept by the tools that keep any extension
_HEADER_SIZES = {(348).to_bytes(4, "little"): Nifti1Header, (540).to_bytes(4, "little"): Nifti2Header}
_GZIP_MAGIC = b"\x1f\x8b"
_DAMAGED_GZIP: tuple[type[Exception], ...] = (cast("type[Exception]", igzip_lib.error), EOFError, OSError)
_GZIP_LEVEL = 2  # ISA-L's levels go from 0 to 3; 2 gives gzip's default size at several times its speed


def is_nifti_name(path: Path) -> bool:
    """Whether a file name ends in .nii or .nii.gz."""
    return path.name.lower().endswith(SUFFIXES)


def looks_like_nifti(path: Path) -> bool:
    """Whether a file's first bytes are gzip's or a NIfTI header's, whatever its name."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return False
    return start[:2] == _GZIP_MAGIC or any(size in _HEADER_SIZES for size in (start, start[::-1]))


def load_volume(path: str | Path) -> Volume:
    """Read a single-file NIfTI-1 or NIfTI-2 image, with its provenance if synthview made it.

    Values keep their stored type unless the header scales them (then float32).  A 4-D file with one image is read as
    3-D; NaN and infinite values become 0 and are mentioned in ``Volume.notes``, and so is the kind where it is a guess.

    Raises:
        VolumeError: the file can't be read, isn't NIfTI, or has no usable grid (2-D, a time series, RGB, zero
            spacing, singular affine, cut short).
    """
    path = Path(path)
    content = _read_bytes(path)
    header = _header(path, content)
    notes: list[str] = []
    known = _described(_description(path, header, notes), notes)
    voxels = _voxels(path, header, content, channels=known.get("kind") is VolumeKind.TISSUE_MAP)
    voxels = _finite(voxels, notes)
    affine = _affine(path, header, notes)
    nobody_said = known.get("kind", VolumeKind.UNKNOWN) is VolumeKind.UNKNOWN and "provenance" not in known
    if nobody_said and voxels.ndim == 3 and looks_like_ct(voxels):
        known.update(kind=VolumeKind.CT, unit="HU")
        notes.append("Taken as CT in Hounsfield units, because its values look like that.")
    return Volume(voxels, affine, name=path.name, notes=tuple(notes), **known)


def save_volume(volume: Volume, path: Path) -> Path:
    """Write a volume as ``.nii`` or ``.nii.gz``; provenance goes into a header extension and ``NAME.json`` beside it.

    The file appears whole or not at all: it is written under another name and then renamed.  The same volume always
    gives the same bytes.

    Returns:
        The path written.

    Raises:
        SaveError: the name has another ending, or the disk refused (full, read-only); an earlier file is intact.
    """
    if not is_nifti_name(path):
        raise SaveError(f"{path.name} can't be written: use a name that ends in .nii or .nii.gz")
    content = _to_bytes(volume)
    if path.name.lower().endswith(".gz"):
        content = igzip.compress(content, compresslevel=_GZIP_LEVEL, mtime=0)
    write_atomically(path, content)
    _write_sidecar(volume, path)
    return path


def _write_sidecar(volume: Volume, path: Path) -> None:
    """The JSON beside a made volume; beside anything else, what an earlier volume of that name left there goes."""
    sidecar = sidecar_path(path)
    try:
        if volume.provenance is not None:
            write_atomically(sidecar, (description_json(volume) + "\n").encode())
        elif sidecar.is_file() and FORMAT in sidecar.read_text("utf-8", "replace"):
            sidecar.unlink()
    except (SaveError, OSError) as error:
        raise SaveError(f"{path} was written and is whole, but {sidecar.name} beside it was not: {error}") from error


def sidecar_path(path: Path) -> Path:
    """The JSON file beside a NIfTI file: ``sample.nii.gz`` has ``sample.json``."""
    name = path.name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return path.with_name(name[: -len(suffix)] + ".json")
    return path.with_suffix(".json")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash, a full disk or a power cut leaves either the old content or the new.

    Raises:
        SaveError: with what the system said; the old file is intact and nothing else is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise SaveError(
            f"{path} could not be written: {error.strerror or error}. Nothing was changed; choose another folder or "
            "make room, then save again."
        ) from error


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise VolumeError(f"{path} is a folder; choose a .nii or .nii.gz file in it")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VolumeError(f"{path} could not be read: {error.strerror or error}") from error
    if not content:
        raise VolumeError(f"{path} is empty (0 bytes); copy or download it again")
    if content[:2] != _GZIP_MAGIC:
        return content
    try:
        plain: bytes = igzip.decompress(content)
    except _DAMAGED_GZIP as error:
        raise VolumeError(f"{path} is a damaged or cut-short gzip file ({error}); copy or download it again") from error
    return plain


def _header(path: Path, content: bytes) -> Nifti1Header:
    """The header with its extensions, or a sentence saying why this isn't a NIfTI file that can be read."""
    header_class = _HEADER_SIZES.get(content[:4]) or _HEADER_SIZES.get(content[3::-1])
    if header_class is None:
        raise VolumeError(f"{path} is not a NIfTI file: it does not begin with a NIfTI header")
    try:
        # check=False: nibabel's repairs (a spacing of 0 becomes 1) would hide what is wrong with the file
        with warnings.catch_warnings(action="ignore"):  # of oddly padded extensions: they do no harm
            header = header_class.from_fileobj(io.BytesIO(content), check=False)
        header.get_data_dtype(), header.get_slope_inter()  # both raise on nonsense
    except (WrapStructError, HeaderDataError, ValueError, OSError, KeyError) as error:
        raise VolumeError(f"{path} has a damaged NIfTI header ({error}); copy or download it again") from error
    if not bytes(header["magic"].item()).startswith(b"n+"):
        raise VolumeError(f"{path} is half of a header/image pair or not NIfTI; convert it to one .nii or .nii.gz file")
    return header


def _voxels(path: Path, header: Nifti1Header, content: bytes, *, channels: bool) -> npt.NDArray[Any]:
    """(I, J, K), or (C, I, J, K) where the file says that its fourth axis holds channels."""
    dtype = header.get_data_dtype()
    if dtype.fields is not None or dtype.kind not in "iuf":
        known = dtype.name if dtype.itemsize else f"data type {int(header['datatype'])}"
        what = "colours (RGB)" if dtype.fields is not None else f"{known} values"
        raise VolumeError(f"{path} holds {what}; synthview shows images with one real number per voxel")
    shape = _shape(path, header, channels=channels)
    count, offset = math.prod(shape), _offset(path, header)
    if offset < header.sizeof_hdr or len(content) - offset < count * dtype.itemsize:
        raise VolumeError(
            f"{path} is cut short: the header promises {' × '.join(map(str, shape))} voxels of {dtype}, "
            f"{count * dtype.itemsize} bytes, and {max(len(content) - offset, 0)} are there; copy or download it again"
        )
    stored = np.frombuffer(content, dtype, count, offset).reshape(shape, order="F")
    voxels = _scaled(stored.astype(dtype.newbyteorder("="), copy=False), *header.get_slope_inter())
    return np.moveaxis(voxels, -1, 0) if voxels.ndim == 4 else voxels


def _offset(path: Path, header: Nifti1Header) -> int:
    """Where the voxels begin in the file, in bytes."""
    offset = float(header["vox_offset"])
    if not math.isfinite(offset):
        raise VolumeError(f"{path} has a damaged NIfTI header (vox_offset is {offset}); copy or download it again")
    return int(offset)


def _shape(path: Path, header: Nifti1Header, *, channels: bool) -> tuple[int, ...]:
    dim = [int(d) for d in header["dim"]]
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1:
        raise VolumeError(f"{path} has impossible dimensions in its header: {dim[1:]} with {dim[0]} of them in use")
    shape = dim[1 : dim[0] + 1]
    if len(shape) < 3:
        raise VolumeError(f"{path} is {len(shape)}-D ({' × '.join(map(str, shape))}); synthview needs three axes")
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4 or (len(shape) == 4 and not channels):
        raise VolumeError(
            f"{path} holds {math.prod(shape[3:])} images ({' × '.join(map(str, shape))}); save one of them as a 3-D "
            "file, for example with fslroi or nibabel, and open that"
        )
    return tuple(shape)


def _scaled(stored: npt.NDArray[Any], slope: float | None, inter: float | None) -> npt.NDArray[Any]:
    """Stored values times slope plus intercept; 8-byte types are narrowed to float32."""
    if slope is not None and inter is not None and (slope, inter) != (1.0, 0.0):
        exact_in_float32 = stored.dtype.itemsize <= 2  # 24 bits hold every stored value
        wide: npt.NDArray[np.floating[Any]] = stored.astype(np.float32 if exact_in_float32 else np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is dealt with like any such voxel
            np.multiply(wide, slope, out=wide)
            np.add(wide, inter, out=wide)
            return wide.astype(np.float32, copy=False)
    if stored.dtype.itemsize > 4 or stored.dtype == np.float16:
        return stored.astype(np.float32)
    return stored


def _finite(voxels: npt.NDArray[Any], notes: list[str]) -> npt.NDArray[Any]:
    if voxels.dtype.kind != "f":
        return voxels
    finite = np.isfinite(voxels)
    wrong = int(finite.size - np.count_nonzero(finite))
    if not wrong:
        return voxels
    notes.append(f"{wrong} of {voxels.size} voxels were NaN or infinite in the file and are shown as 0.")
    return np.where(finite, voxels, np.float32(0)).astype(voxels.dtype)


def _affine(path: Path, header: Nifti1Header, notes: list[str]) -> npt.NDArray[np.float64]:
    """sform, else qform, else the spacing alone with the axes taken as RAS+."""
    spacing = [float(s) for s in header["pixdim"][1:4]]
    has_sform, has_qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_sform and not (np.isfinite(spacing).all() and min(spacing) > 0):
        raise VolumeError(f"{path} has a voxel spacing of {spacing} mm; every spacing must be above 0. Correct pixdim.")
    if not (has_sform or has_qform):
        notes.append(
            "The file does not say how it lies in the patient; its axes are taken as right, anterior, superior."
        )
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = -(np.array(header["dim"][1:4]) - 1) / 2 * spacing
        if not says_where(affine):
            raise VolumeError(f"{path} has a voxel spacing of {spacing} mm, which no scanner has. Correct pixdim.")
        return affine
    source = "sform" if has_sform else "qform"
    unusable = VolumeError(
        f"{path} has a singular or damaged {source}: it does not say where the voxels are. Correct the affine."
    )
    try:
        affine = np.asarray(header.get_sform() if has_sform else header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise unusable from error
    if not says_where(affine):
        raise unusable
    return affine


def _description(path: Path, header: Nifti1Header, notes: list[str]) -> dict[str, Any]:
    """What synthview wrote about the volume: from the header, else from the sidecar; empty for other files."""
    texts = [e.get_content() for e in header.extensions if e.get_code() == _COMMENT]
    texts = [t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t) for t in texts]
    if not any(FORMAT in text for text in texts):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            texts.append(sidecar_path(path).read_text("utf-8"))
    for text in texts:
        if FORMAT in text:
            try:
                content = json.loads(text.rstrip("\x00"))
            except (ValueError, RecursionError):
                notes.append("The record of how this volume was made is damaged and was not read.")
                continue
            if isinstance(content, dict) and content.get("format") == FORMAT:
                return content
    return {}


def _described(content: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Volume's keyword arguments from a description; what is damaged is left out and noted."""
    known: dict[str, Any] = {}
    about = content.get("volume")
    if isinstance(about, dict):
        known["kind"] = next((k for k in VolumeKind if k == about.get("kind")), VolumeKind.UNKNOWN)
        known["unit"] = str(about.get("unit", ""))
        window = about.get("window")
        if isinstance(window, dict):
            with contextlib.suppress(TypeError, ValueError, KeyError, OverflowError):
                known["window"] = Window(float(window["level"]), float(window["width"]))
    if content.get("provenance") is not None:
        try:
            known["provenance"] = Provenance.from_dict(content["provenance"])
        except ProvenanceError as error:
            notes.append(f"How this volume was made could not be read: {error}.")
    return known


def description_json(volume: Volume) -> str:
    """What is written beside the voxels: meaning and provenance; the same volume always gives the same text."""
    about: dict[str, Any] = {"kind": str(volume.kind), "unit": volume.unit}
    if volume.window is not None:
        about["window"] = {"level": volume.window.level, "width": volume.window.width}
    made = volume.provenance.to_dict() if volume.provenance is not None else None
    content = {"format": FORMAT, "volume": about, "provenance": made}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)


def _stored_type(voxels: npt.NDArray[Any]) -> npt.DTypeLike:
    """A type that every program reads, and that holds the values."""
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize == 8:
        limits = np.iinfo(np.int32)
        return np.int32 if limits.min <= voxels.min() and voxels.max() <= limits.max else np.float64
    return {"bool": np.uint8, "float16": np.float32}.get(voxels.dtype.name, voxels.dtype)


def _to_bytes(volume: Volume) -> bytes:
    voxels = volume.voxels if volume.voxels.ndim == 3 else np.moveaxis(volume.voxels, 0, -1)
    image = Nifti1Image(voxels.astype(_stored_type(voxels), copy=False), volume.affine)
    image.set_qform(volume.affine, code="scanner")
    image.set_sform(volume.affine, code="scanner")
    image.header.set_xyzt_units("mm")
    if volume.window is not None:
        image.header["cal_min"], image.header["cal_max"] = volume.window.low, volume.window.high
    # always, so that a JSON file that an earlier volume left beside this one never speaks for it
    image.header.extensions.append(Nifti1Extension("comment", description_json(volume).encode()))
    content: bytes = image.to_bytes()
    return content
