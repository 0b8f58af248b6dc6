"""How messages cross between two processes: pickled, with large arrays beside them in shared memory.

sender                                            receiver
──────                                            ────────
  copies the arrays into a block it makes    ──▶  copies them out, unlinks the block, tells its name with ``Received``
  closes the block when told that it is read

Who dies leaves nothing behind: a receiver finds the block of a dead sender by its name (blocks are numbered), and a
sender whose receiver has gone unlinks what nobody read.  Where shared memory has no room (containers often have
64 MB), the arrays' bytes follow the message through the pipe instead.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import threading
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import SynthviewError

MAX_BODY_BYTES = 64 * 2**20  # a message without its arrays
MAX_ARRAY_BYTES = 8 * 2**30  # all arrays of a message
_SMALL_BYTES = 64 * 2**10  # smaller arrays stay in the pickle
_ALIGNMENT = 64  # bytes; where each array starts in a block
_SHARED_MEMORY_FOLDER = Path("/dev/shm")
_PACKAGES_TO_READ = {"synthview", "numpy", "collections", "pathlib", "datetime"}

Bytes = npt.NDArray[np.uint8]


class DamagedMessageError(Exception):
    """What came through the connection is not a message of ours; the other side can't be trusted any longer."""


class Sender:
    """Sends messages through a connection; may be used from several threads.

    Args:
        connection: where the messages go.
        prefix: how the names of this sender's blocks begin; nobody else's may.
    """

    def __init__(self, connection: Connection[Any, Any], prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._lock = threading.Lock()
        self._made = 0
        self._unread: dict[str, SharedMemory] = {}

    def send(self, message: object) -> None:
        """Send a message.

        Raises:
            OSError: the other side is gone.
            Exception: the message can't be pickled; nothing was sent.
        """
        body, arrays = _pickled(message)
        with self._lock:
            block = self._share(arrays) if arrays else None
            sizes = tuple(array.nbytes for array in arrays)
            self._connection.send_bytes(pickle.dumps((body, block, sizes)))
            if block is None:
                for array in arrays:
                    self._connection.send_bytes(array.data)

    def on_received(self, block: str) -> None:
        """Let go of a block that the other side has read."""
        shared = self._unread.pop(block, None)
        if shared is not None:
            shared.close()

    def discard_unread(self) -> None:
        """Unlink what nobody has read and nobody will; call it when the other side is gone."""
        for name in list(self._unread):
            shared = self._unread.pop(name, None)
            if shared is not None:
                shared.close()
                with contextlib.suppress(FileNotFoundError):
                    shared.unlink()

    def _share(self, arrays: list[Bytes]) -> str | None:
        """Copy the arrays into a new block and return its name; None where there is no room for it."""
        starts, size = _layout([array.nbytes for array in arrays])
        name = f"{self._prefix}{self._made}"
        try:
            block = SharedMemory(name, create=True, size=size)
        except OSError:
            return None
        if not _reserve(name, size):
            block.close()
            block.unlink()
            return None
        self._made += 1
        self._unread[name] = block
        for start, array in zip(starts, arrays, strict=True):
            _inside(block, start, array.nbytes)[:] = array
        return name


class Receiver:
    """Receives messages from a ``Sender``; for one thread.

    Args:
        connection: where the messages come from.
        prefix: how the sender names its blocks.
    """

    def __init__(self, connection: Connection[Any, Any], prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._next = 0

    def receive(self) -> tuple[Any, str | None]:
        """Wait for the next message; returns it and the name of the block that it used, now unlinked.

        Raises:
            EOFError, OSError: the other side is gone.
            DamagedMessageError: no message of ours, too large, or of types that may not cross.
        """
        body, block, sizes = _envelope(self._connection.recv_bytes(MAX_BODY_BYTES))
        arrays = self._from_pipe(sizes) if block is None else self._from_block(block, sizes)
        return _loads(body, arrays), block

    def discard_unread(self) -> None:
        """Unlink the block that a dead sender made and could not announce."""
        while True:
            try:
                block = SharedMemory(f"{self._prefix}{self._next}")
            except (FileNotFoundError, ValueError):  # ValueError: made, but not yet given a size
                return
            block.close()
            block.unlink()
            self._next += 1

    def _from_pipe(self, sizes: tuple[int, ...]) -> list[Bytes]:
        arrays = [np.empty(size, np.uint8) for size in sizes]
        for array in arrays:
            if self._connection.recv_bytes_into(array) != array.nbytes:
                raise DamagedMessageError("an array has another size than announced")
        return arrays

    def _from_block(self, name: str, sizes: tuple[int, ...]) -> list[Bytes]:
        if name != f"{self._prefix}{self._next}":
            raise DamagedMessageError(f"the block {name!r} is not the next one")
        starts, size = _layout(sizes)
        try:
            block = SharedMemory(name)
        except OSError as error:
            raise DamagedMessageError(f"the block {name!r} can't be opened: {error}") from error
        self._next += 1
        try:
            if block.size < size:
                raise DamagedMessageError(f"the block {name!r} is smaller than announced")
            # numpy copies without holding the interpreter's lock, so the window goes on meanwhile
            return [_inside(block, start, n).copy() for start, n in zip(starts, sizes, strict=True)]
        finally:
            block.close()
            block.unlink()


class _Pickler(pickle.Pickler):
    """Makes arrays contiguous, so that they can leave the pickle and cross in shared memory; enums go by value."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, np.ndarray) and not obj.flags.forc:
            return np.ascontiguousarray(obj).__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        if isinstance(obj, Enum):  # Python 3.11.2, which is Debian 12's, would call getattr on the other side
            return type(obj), (obj.value,)
        if isinstance(obj, BaseException):  # their own way; Dask, once imported, makes pickle call tblib for them
            return obj.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Reads plain data only: no torch in the window, and no function that a damaged message could call."""

    def find_class(self, module: str, name: str) -> Any:
        package = module.partition(".")[0]
        found = super().find_class(module, name) if package in {*_PACKAGES_TO_READ, "builtins"} else None
        if found is None or (package == "builtins" and not isinstance(found, type)):
            raise pickle.UnpicklingError(f"{module}.{name} may not cross between processes")
        return found


def sendable_error(error: Exception) -> Exception:
    """The error itself if it survives the crossing, else one of the same meaning that does."""
    try:
        body, arrays = _pickled(error)
        copy = _loads(body, arrays)
    except Exception:  # noqa: BLE001  (whatever its pickling does, the message must arrive)
        copy = None
    if type(copy) is type(error) and str(copy) == str(error):
        return error
    for kind in type(error).__mro__:
        if kind.__module__ == SynthviewError.__module__ and "__init__" not in vars(kind):
            copy = kind(str(error))
            return copy if isinstance(copy, Exception) else SynthviewError(str(error))
    return SynthviewError(str(error))


def _pickled(message: object) -> tuple[bytes, list[Bytes]]:
    """The message without its large arrays, and those."""
    arrays: list[Bytes] = []

    def keep_in_pickle(buffer: pickle.PickleBuffer) -> bool:
        raw = np.frombuffer(buffer.raw(), np.uint8)
        if raw.nbytes < _SMALL_BYTES:
            return True
        arrays.append(raw)
        return False

    stream = io.BytesIO()
    _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=keep_in_pickle).dump(message)
    return stream.getvalue(), arrays


def _envelope(content: bytes) -> tuple[bytes, str | None, tuple[int, ...]]:
    found = _loads(content, [])
    match found:
        case (bytes(body), (str() | None) as block, tuple(sizes)) if all(isinstance(n, int) and n >= 0 for n in sizes):
            if sum(sizes) > MAX_ARRAY_BYTES:
                raise DamagedMessageError(f"its arrays would take {sum(sizes)} bytes")
            return body, block, sizes
    raise DamagedMessageError("it has no envelope")


def _loads(content: bytes, arrays: list[Bytes]) -> Any:
    try:
        return _Unpickler(io.BytesIO(content), buffers=arrays).load()
    except Exception as error:  # a damaged pickle can raise anything
        raise DamagedMessageError(f"it can't be read: {error}") from error


def _inside(block: SharedMemory, start: int, size: int) -> Bytes:
    """Part of a block, not copied; let go of it before the block is closed."""
    memory = block.buf
    if memory is None:
        raise ValueError("the block is closed")
    return np.frombuffer(memory, np.uint8, size, start)


def _layout(sizes: list[int] | tuple[int, ...]) -> tuple[list[int], int]:
    """Where each array starts in a block, and the block's size (bytes)."""
    starts, end = [], 0
    for size in sizes:
        starts.append(end)
        end += -(-size // _ALIGNMENT) * _ALIGNMENT
    return starts, max(end, 1)


def _reserve(name: str, size: int) -> bool:
    """Make sure that the memory is there; without this, writing to a full /dev/shm ends the process (SIGBUS)."""
    file = _SHARED_MEMORY_FOLDER / name
    if not file.exists():
        return True
    with file.open("r+b") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, size)
        except OSError:
            return False
    return True
