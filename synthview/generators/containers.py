"""What kind of file a checkpoint is, and reading its tensors without running anything from it.

``sniff`` looks at a file's first bytes and never trusts its name; ``read_file`` reads the kinds that hold weights
alone.  Every tensor is mapped to the CPU.  Tensors of large files are mapped from disk, and may overlap or have unusual
strides: copy each before use, and never take the size of a storage for the number of its elements.
"""

from __future__ import annotations

import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import torch

from synthview.errors import CheckpointError, UnsafeCheckpointError
from synthview.generators.pickles import read_tensor_pickle

_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickled value of torch's files before 1.6
_HEAD = 4096
_TEXT_PICKLE_LIMIT = 1 << 20  # pickles of protocol 0 have no signature; larger ones than this are not looked through
_AGAIN = "copy or download it again"


class Container(StrEnum):
    """How a checkpoint is stored; the value is what people read."""

    SAFETENSORS = "safetensors file"
    TORCH_ZIP = "torch zip file"
    TORCH_LEGACY = "torch legacy file"
    PICKLE = "plain pickle"
    TORCHSCRIPT = "TorchScript archive"
    EXPORTED = "torch.export program"


_FOREIGN = {  # what people drop on a program by mistake, by its first bytes
    b"\x1f\x8b": "a gzip file (.nii.gz, .tar.gz?); unpack it, or open it as a volume",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89HDF": "an HDF5 file (Keras, MATLAB?); synthview opens PyTorch weights",
    b"\x93NUMPY": "a NumPy array",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"Rar!": "a RAR archive; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"BZh": "a bzip2 file; unpack it first",
    b"\xfd7zXZ": "an xz file; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the weights themselves; run `git lfs pull` where it came from",
}


def sniff(path: Path) -> Container:
    """What kind of checkpoint a file is, from its content.

    Raises:
        CheckpointError: it can't be read, is empty, or is none of these.
    """
    head, size = _head(path)
    if not size:
        raise CheckpointError(f"{path} is empty (0 bytes); {_AGAIN}")
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(path)
    if _is_safetensors(head, size):
        return Container.SAFETENSORS
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return Container.TORCH_LEGACY if _first_pickled(head) == _TORCH_LEGACY_MAGIC else Container.PICKLE
    foreign = _foreign(head)
    if foreign is None and _is_text_pickle(path, size):
        return Container.PICKLE
    raise CheckpointError(f"{path} is not a checkpoint: it is {foreign or 'of a kind that synthview does not know'}")


def read_file(path: Path) -> tuple[Container, Any]:
    """Read a checkpoint file: its kind, and what it holds (nested dictionaries and lists of tensors and plain values).

    Raises:
        UnsafeCheckpointError: only running code from the file could open it; nothing was run.
        CheckpointError: not a checkpoint, damaged, cut short, or of a kind that is not supported.
    """
    container = sniff(path)
    match container:
        case Container.SAFETENSORS:
            return container, _read_safetensors(path)
        case Container.TORCH_ZIP:
            _check_records(path)
            return container, _read_torch(path, mmap=_can_map(path))
        case Container.TORCH_LEGACY:
            return container, _read_torch(path, mmap=False)
        case Container.PICKLE:
            return container, _unpickled(path, read_tensor_pickle, "is a plain pickle that ")
        case Container.TORCHSCRIPT | Container.EXPORTED:
            raise CheckpointError(
                f"{path} is a {container}, a program rather than weights, which synthview does not open yet; "
                "save the network's state_dict instead"
            )


# -- what is it ----------------------------------------------------------------------------------------------------


def _head(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD), path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error


def _sniff_zip(path: Path) -> Container:
    names = [name.split("/", 1)[-1] for name in _zip_names(path)]
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        return Container.TORCHSCRIPT
    if any("exported_program" in name or name.startswith("models/") for name in names):
        return Container.EXPORTED
    if "data.pkl" in names:
        return Container.TORCH_ZIP
    raise CheckpointError(f"{path} is not a checkpoint: it is a zip archive of something else; unpack it first")


def _zip_names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path} is cut short or damaged (a zip file without a readable end); {_AGAIN}"
        ) from error


def _is_safetensors(head: bytes, size: int) -> bool:
    """Eight bytes of header length, then a JSON object; a cut-short file still begins so."""
    length = int.from_bytes(head[:8], "little")
    return size > 9 and head[8:9] == b"{" and 2 <= length < 100_000_000


def _first_pickled(head: bytes) -> object:
    """The first value of a pickle that is a plain number; None otherwise.  Only reads, never builds anything."""
    try:
        for opcode, argument, _ in pickletools.genops(head):
            if opcode.name not in {"PROTO", "FRAME"}:
                return argument
    except ValueError:
        return None
    return None


def _foreign(head: bytes) -> str | None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            return what
    if head[:4] in {n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big")}:
        return "a NIfTI image; open it as a volume"
    if head[257:262] == b"ustar":
        return "a tar archive (or a torch file from before 2018); unpack it, or save it again with a newer torch"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page: the download gave a page (a login, an error?) instead of the file; download it again"
    if text.startswith((b"{", b"[")):
        return "a JSON text; choose the weights beside it"
    return None


def _is_text_pickle(path: Path, size: int) -> bool:
    """Whether the whole file parses as pickle instructions (protocols 0 and 1 have no signature)."""
    if size > _TEXT_PICKLE_LIMIT:
        return False
    try:
        return any(opcode.name == "STOP" for opcode, _, _ in pickletools.genops(path.read_bytes()))
    except (ValueError, UnicodeDecodeError, OverflowError):
        return False


# -- reading -------------------------------------------------------------------------------------------------------


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} is a damaged or cut-short safetensors file ({_short(error)}); {_AGAIN}"
        ) from error


def _can_map(path: Path) -> bool:
    """Whether tensors can be mapped from the file: only where no record is compressed."""
    with zipfile.ZipFile(path) as archive:
        return all(record.compress_type == zipfile.ZIP_STORED for record in archive.infolist())


def _check_records(path: Path) -> None:
    """Compare every record with its check sum; torch itself does not, and would load flipped bits in silence."""
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(record.CRC for record in archive.infolist()):
                return  # written without check sums
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is damaged ({_short(error)}); {_AGAIN}") from error
    if damaged is not None:
        raise CheckpointError(f"{path} is damaged: its record {damaged!r} does not fit its check sum; {_AGAIN}")


def _read_torch(path: Path, *, mmap: bool) -> Any:
    """``torch.load``, weights only."""
    return _unpickled(path, partial(torch.load, map_location="cpu", weights_only=True, mmap=mmap))


def _unpickled(path: Path, read: Callable[[Path], Any], what: str = "") -> Any:
    """What ``read`` gives.  A damaged file can fail in any way that a pickle can, hence the wide net."""
    try:
        return read(path)
    except pickle.UnpicklingError as error:
        raise _refusal(f"{path} {what}", error) from error
    except MemoryError as error:
        raise CheckpointError(f"{path} does not fit into this computer's memory, or is damaged") from error
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    except Exception as error:
        raise CheckpointError(f"{path} {what}is damaged or cut short ({_short(error)}); {_AGAIN}") from error


def _refusal(file: str, error: pickle.UnpicklingError) -> CheckpointError:
    """Tell a pickle that wants to run something from one that is merely damaged."""
    message = str(error)
    wanted = re.search(r"GLOBAL ([\w.]+)", message)
    if wanted is None and "Can only create new object" not in message and "Can only build" not in message:
        return CheckpointError(f"{file}is damaged or cut short: its table of tensors can't be read; {_AGAIN}")
    what = wanted.group(1) if wanted else "objects of its own"
    return UnsafeCheckpointError(
        f"{file}holds more than weights ({what}): opening it would run code from it, so nothing of it was run or "
        "loaded. Save the weights alone, with torch.save(model.state_dict(), …) or as safetensors."
    )


def _short(error: BaseException) -> str:
    """The first sentence of an error, short enough for one line."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return first if len(first) <= 120 else first[:117] + "…"
