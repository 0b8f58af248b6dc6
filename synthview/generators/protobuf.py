"""The outermost layer of Google's protocol buffers, as far as it takes to tell an ONNX file.  No torch, no onnx here.

A message is a run of fields: a tag (field number · 8 + wire type), then the value.  Wire types: 0 a number of 7-bit
groups, 1 eight bytes, 2 a length and so many bytes, 5 four bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MODEL_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}  # of ONNX's ModelProto
_IR_VERSION, _GRAPH = 1, 7
_MOST_FIELDS = 10_000


def is_onnx(path: Path) -> bool:
    """Whether a file's outermost fields are those of an ONNX model, to its very end; only tags and lengths are read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            fields = list(_fields(file, size))
    except (OSError, ValueError):
        return False
    return {_IR_VERSION, _GRAPH} <= set(fields) <= _MODEL_FIELDS


def begins_as_onnx(path: Path) -> bool:
    """Whether a file begins as ONNX models do, though it may not end as one."""
    with path.open("rb") as file:
        head = file.read(3)
    return len(head) == 3 and head[0] == _IR_VERSION << 3 and 1 <= head[1] <= 40 and head[2] >> 3 in _MODEL_FIELDS


def _fields(file: BinaryIO, size: int) -> Iterator[int]:
    """Numbers of the fields from the file's start to its end.

    Raises:
        ValueError: it is no such file, or cut short.
    """
    for _ in range(_MOST_FIELDS):
        if file.tell() == size:
            return
        tag = _varint(file)
        yield tag >> 3
        match tag & 7:
            case 0:
                _varint(file)
            case 1:
                file.seek(8, 1)
            case 2:
                file.seek(_varint(file), 1)
            case 5:
                file.seek(4, 1)
            case _:
                raise ValueError("not a wire type")
        if file.tell() > size:
            raise ValueError("cut short")
    raise ValueError("too many fields")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("cut short")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number that does not end")
