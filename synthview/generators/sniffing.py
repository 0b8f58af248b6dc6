"""What kind of checkpoint a file is, from its content and never from its name.  No torch here."""

from __future__ import annotations

import pickletools
import zipfile
from enum import StrEnum
from pathlib import Path

from synthview.errors import CheckpointError
from synthview.generators.protobuf import is_onnx

AGAIN = "copy or download it again"
_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickled value of torch's files before 1.6
_HEAD = 4096
_TEXT_PICKLE_LIMIT = 1 << 20  # pickles of protocol 0 have no signature; larger ones than this are not looked through


class Container(StrEnum):
    """How a checkpoint is stored; the value is what people read."""

    SAFETENSORS = "safetensors file"
    TORCH_ZIP = "torch zip file"
    TORCH_LEGACY = "torch legacy file"
    PICKLE = "plain pickle"
    TORCHSCRIPT = "TorchScript archive"
    EXPORTED = "torch.export program"
    ONNX = "ONNX model"

    @property
    def is_program(self) -> bool:
        """Whether it is a network with its weights, rather than weights for a network that synthview knows."""
        return self in {Container.TORCHSCRIPT, Container.EXPORTED, Container.ONNX}


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
    b"GGUF": "a GGUF file (a language model?); synthview opens generators of volumes",
    b"version https://git-lfs": "a Git LFS pointer, not the weights themselves; run `git lfs pull` where it came from",
}


def sniff(path: Path) -> Container:
    """What kind of checkpoint a file is.

    Raises:
        CheckpointError: it can't be read, is empty, or is none of these.
    """
    head, size = _head(path)
    if not size:
        raise CheckpointError(f"{path} is empty (0 bytes); {AGAIN}")
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(path)
    if _is_safetensors(head, size):
        return Container.SAFETENSORS
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return Container.TORCH_LEGACY if _first_pickled(head) == _TORCH_LEGACY_MAGIC else Container.PICKLE
    if is_onnx(path):
        return Container.ONNX
    foreign = _foreign(head)
    if foreign is None and _is_text_pickle(path, size):
        return Container.PICKLE
    if foreign is None and not head.strip(b"\0"):
        foreign = "full of zeros; its download or copy did not finish"
    raise CheckpointError(
        f"{path} is not a checkpoint: it is {foreign or 'of a kind that synthview does not know, or damaged'}"
    )


def zip_records(path: Path) -> list[zipfile.ZipInfo]:
    """What a zip archive lists.

    Raises:
        CheckpointError: it is cut short or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged directory of records can fail in any way
        raise CheckpointError(f"{path} is cut short or damaged (a zip file without a readable end); {AGAIN}") from error


def _head(path: Path) -> tuple[bytes, int]:
    try:
        if not path.is_file():
            raise CheckpointError(f"{path} is not a file; choose the file with the weights")
        with path.open("rb") as file:
            return file.read(_HEAD), path.stat().st_size
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error


def _sniff_zip(path: Path) -> Container:
    names = [record.filename.split("/", 1)[-1] for record in zip_records(path)]
    if any(name.startswith(("data/aotinductor/", "aotinductor/")) for name in names):
        raise CheckpointError(
            f"{path} holds code compiled for one computer (AOTInductor), which synthview does not run; save the "
            "program itself with torch.export.save, or the network's state_dict"
        )
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        return Container.TORCHSCRIPT
    if any("exported_program" in name or name.startswith("models/") for name in names):
        return Container.EXPORTED
    if "data.pkl" in names:
        return Container.TORCH_ZIP
    raise CheckpointError(f"{path} is not a checkpoint: it is a zip archive of something else; unpack it first")


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
    nifti = head[:4] in {n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big")}
    if nifti or head[128:132] == b"DICM":
        return f"a {'NIfTI' if nifti else 'DICOM'} image; open it as a volume"
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
