"""Shared memory whose room is really there."""

from __future__ import annotations

import contextlib
import os
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from synthview.errors import SynthviewError

_FOLDER = Path("/dev/shm")  # where Linux keeps it


def make_block(size: int) -> SharedMemory:
    """New shared memory of ``size`` bytes; the maker unlinks it (``drop_block``).

    Raises:
        SynthviewError: there is no room (containers often have 64 MB).
    """
    try:
        block = SharedMemory(create=True, size=size)
    except OSError as error:
        raise _no_room(size, error) from error
    try:
        _reserve(block.name, size)
    except OSError as error:
        drop_block(block)
        raise _no_room(size, error) from error
    return block


def drop_block(block: SharedMemory) -> None:
    """Close and unlink; nobody else has to."""
    with contextlib.suppress(BufferError):  # a picture of it is still held somewhere: its memory goes with that
        block.close()
    with contextlib.suppress(FileNotFoundError):
        block.unlink()


def _reserve(name: str, size: int) -> None:
    """Claim the memory now: without this, writing to a full /dev/shm would end the process (SIGBUS)."""
    file = _FOLDER / name
    if file.exists():
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)


def _no_room(size: int, error: OSError) -> SynthviewError:
    return SynthviewError(
        f"there is no room for {size / 2**20:.0f} MB of shared memory ({error.strerror or error}); close other "
        "programs, or give the container more (docker run --shm-size=1g)"
    )
