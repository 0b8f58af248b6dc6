"""Work on a file that is started before its result is needed, in a thread.  No torch here.

While torch is imported, ``inspect`` hashes a checkpoint and checks it, which releases Python's lock.  A result is
handed out once: whoever asks again has the file read again, as it may have changed.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from synthview.errors import CheckpointError

PIECE = 1 << 24  # bytes read at once: between pieces a thread waits its turn, for milliseconds while Python is busy

_Result = TypeVar("_Result")
_started: dict[tuple[str, str], Future[Any]] = {}


def start(work: Callable[[Path], Any], path: Path) -> None:
    """Begin ``work(path)`` in a thread; ``result`` waits for it."""
    future: Future[Any] = Future()
    _started[_key(work, path)] = future
    threading.Thread(target=_run, args=(work, path, future), name="ahead", daemon=True).start()


def result(work: Callable[[Path], _Result], path: Path) -> _Result:
    """``work(path)``, from the thread that began it or else done now; raises what it raises."""
    future = _started.pop(_key(work, path), None)
    return work(path) if future is None else future.result()


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content.

    Raises:
        CheckpointError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
            return digest.hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error


def _run(work: Callable[[Path], Any], path: Path, future: Future[Any]) -> None:
    try:
        future.set_result(work(path))
    except BaseException as error:  # noqa: BLE001  (whoever waits gets it)
        future.set_exception(error)


def _key(work: Callable[[Path], Any], path: Path) -> tuple[str, str]:
    return work.__qualname__, str(path.absolute())
