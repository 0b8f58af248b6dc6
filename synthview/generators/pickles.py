"""Plain pickles that hold nothing but tensors, as CSegSynth's training scripts write them; everything else is refused.

A pickle is a program.  This reader lets it name four things only: an ordered dictionary, bytes, a tensor, and a
tensor's numbers, which lie in the pickle as a torch file of their own.  It is Python's unpickler that is written in
Python: the one in C lets a damaged file claim any amount of memory.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import torch


class _Numbers:
    """Stands for ``torch.storage._load_from_bytes``; has nothing that a pickle could change."""

    __slots__ = ()

    def __call__(self, content: bytes) -> torch.Tensor:
        """A storage as a flat tensor, moved to the CPU from whatever device it was saved on."""
        storage = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if not isinstance(storage, torch.TypedStorage):
            raise pickle.UnpicklingError("numbers expected, found something else")
        return torch.empty(0, dtype=storage.dtype).set_(storage)


class _Tensor:
    """Stands for ``torch._utils._rebuild_tensor_v2``; has nothing that a pickle could change."""

    __slots__ = ()

    def __call__(
        self, numbers: torch.Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> torch.Tensor:
        """A tensor; torch makes sure that it lies within its numbers."""
        return numbers.as_strided(size, stride, offset)


class _Bytes:
    """Stands for ``_codecs.encode``, by which pickles of protocol 2 and below hold bytes."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        """The bytes whose numbers are the text's code points."""
        if encoding != "latin1":
            raise pickle.UnpicklingError("bytes expected, found something else")
        return text.encode("latin1")


class _TensorUnpickler(pickle._Unpickler):
    allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor(),
        ("torch.storage", "_load_from_bytes"): _Numbers(),
        ("_codecs", "encode"): _Bytes(),
    }
    dispatch: ClassVar[dict[int, Any]] = {  # byte arrays take their memory before they are read, and are not needed
        code: do for code, do in pickle._Unpickler.dispatch.items() if code != pickle.BYTEARRAY8[0]
    }

    def find_class(self, module: str, name: str) -> Any:
        """One of the four, or refusal."""
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"GLOBAL {module}.{name} is not a tensor's part")
        return self.allowed[module, name]


def read_tensor_pickle(path: Path) -> Any:
    """What a pickle of tensors, dictionaries, lists and plain values holds; tensors on the CPU.

    Raises:
        pickle.UnpicklingError: it names anything else ("GLOBAL os.system …"); nothing of it was run.
        Exception: it is damaged; any kind that unpickling can raise.
    """
    with path.open("rb") as file:
        return _TensorUnpickler(file).load()
