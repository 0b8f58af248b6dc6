"""Reading a checkpoint's tensors without running anything from it.

``sniffing.py`` says of what kind a file is; ``read_file`` reads the kinds that hold weights alone.  Every tensor is
mapped to the CPU.  Tensors of large files are mapped from disk, and may overlap or have unusual strides: copy each
before use, and never take the size of a storage for the number of its elements.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthview.errors import CheckpointError, UnsafeCheckpointError
from synthview.generators import ahead
from synthview.generators.ahead import file_sha256
from synthview.generators.sniffing import AGAIN, Container, sniff, zip_records
from synthview.generators.weight_files import find_weights
from synthview.generators.wording import brief, one_line

if TYPE_CHECKING:
    import torch

_SMALL_BOMB = 1 << 28  # compressed archives may grow so much,
_GROWTH = 50  # or so many times, when they are unpacked


def read_file(path: Path) -> tuple[Container, Any]:
    """Read a checkpoint file: its kind, and what it holds (nested dictionaries and lists of tensors and plain values).

    Of programs (TorchScript, torch.export, ONNX) nothing is read, and the content is None.

    Raises:
        UnsafeCheckpointError: only running code from the file could open it; nothing was run.
        CheckpointError: not a checkpoint, damaged, or cut short.
    """
    container = sniff(path)
    if container.is_program:
        return container, None
    match container:
        case Container.SAFETENSORS:
            return container, _read_safetensors(path)
        case Container.TORCH_ZIP:
            _check_records(path)
            return container, _read_torch(path, mmap=_can_map(path))
        case Container.TORCH_LEGACY:
            return container, _read_torch(path, mmap=False)
    from synthview.generators.pickles import read_tensor_pickle

    return container, _unpickled(path, read_tensor_pickle, "is a plain pickle that ")


def read_ahead(path: Path) -> None:
    """Begin to hash and check a checkpoint's files in threads, while something else (torch's import) takes its time."""
    try:
        for file in find_weights(path):
            ahead.start(file_sha256, file)
            with file.open("rb") as opened:
                is_zip = opened.read(4) == b"PK\x03\x04"
            if is_zip:
                ahead.start(first_damaged_record, file)
    except (CheckpointError, OSError):
        return  # whoever reads it will say so


def first_damaged_record(path: Path) -> str | None:
    """Name of the first record of a zip archive that does not fit its check sum; None if all do, or have none.

    torch itself does not compare them, and would load flipped bits in silence.

    Raises:
        CheckpointError: it can't be read through.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(record.CRC for record in archive.infolist()):
                return None  # written without check sums
            return next((name for name in archive.namelist() if not _is_sound(archive, name)), None)
    except Exception as error:  # a damaged archive can fail in any way
        raise CheckpointError(f"{path} is damaged ({_short(error)}); {AGAIN}") from error


def _is_sound(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether a record fits its check sum."""
    try:
        with archive.open(name) as record:
            while record.read(ahead.PIECE):
                pass
    except zipfile.BadZipFile:
        return False
    return True


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is a damaged or cut-short safetensors file ({_short(error)}); {AGAIN}"
        ) from error


def _can_map(path: Path) -> bool:
    """Whether tensors can be mapped from the file: only where no record is compressed."""
    return all(record.compress_type == zipfile.ZIP_STORED for record in zip_records(path))


def _check_records(path: Path) -> None:
    """Make sure that an archive is what it says, before anything of it is unpacked."""
    records = zip_records(path)
    unpacked, size = sum(record.file_size for record in records), path.stat().st_size
    if unpacked > max(_SMALL_BOMB, _GROWTH * size):
        raise CheckpointError(
            f"{path} is a zip file of {size / 1e6:.0f} MB that would unpack to {unpacked / 1e9:.0f} GB: it is damaged, "
            "or made to fill the memory; get it anew from a source you trust"
        )
    names = [record.filename for record in records]
    if len(set(names)) != len(names):
        raise CheckpointError(f"{path} is damaged: a record is there twice; {AGAIN}")
    damaged = ahead.result(first_damaged_record, path)
    if damaged is not None:
        raise CheckpointError(f"{path} is damaged: its record {brief(damaged)} does not fit its check sum; {AGAIN}")


def _read_torch(path: Path, *, mmap: bool) -> Any:
    """``torch.load``, weights only."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about pickles that it then refuses
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
        raise CheckpointError(f"{path} {what}is damaged or cut short{_because(error)}; {AGAIN}") from error


def _refusal(file: str, error: pickle.UnpicklingError) -> CheckpointError:
    """Tell a pickle that wants to run something from one that is merely damaged."""
    message = str(error)
    wanted = re.search(r"GLOBAL ([\w.]+)", message)
    if wanted is None and "Can only create new object" not in message and "Can only build" not in message:
        return CheckpointError(f"{file}is damaged or cut short: its table of tensors can't be read; {AGAIN}")
    what = brief(wanted.group(1)) if wanted else "objects of its own"
    return UnsafeCheckpointError(
        f"{file}holds more than weights ({what}): opening it would run code from it, so nothing of it was run or "
        "loaded; where it was made, save the weights alone, with torch.save(model.state_dict(), …) or as safetensors"
    )


def _because(error: BaseException) -> str:
    """The error's sentence in brackets, if it is one; unpickling fails with bare numbers and names too."""
    text = _short(error)
    return f" ({text})" if " " in text else ""


def _short(error: BaseException) -> str:
    """The first sentence of an error, short enough for one line, without torch's pleas."""
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    for plea in (" (Could this error", ". This might be", ". This is an internal", ": expected %ld"):
        first = first.partition(plea)[0]
    return one_line(first, 120).rstrip(".")
