"""One window for each reader: locks that end with the process that holds them, however it ends.

On one machine the operating system's file lock; for a PostgreSQL study also an advisory lock of the server, which
ends with its connection.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import exc

from synthview.errors import SessionTakenError, StoreError
from synthview.study.store_engine import translated

_SERVER_PATIENCE_S = 3.0  # a server may take a moment to notice that a killed program is gone


class ReaderLock:
    """Held while a reader's session is open.

    Args:
        folder: where the lock files of the study lie.
        reader: whose session.
        engine: PostgreSQL's, for a study that several machines share; else None.
        study: the study's id.
    """

    def __init__(self, folder: Path, reader: str, engine: sa.Engine | None, study: str) -> None:
        self._taken = SessionTakenError(f"reader {reader} is reading in another window; close that one first")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = FileLock(folder / f"{reader}.lock", thread_local=False)
            self._file.acquire(timeout=0)
        except Timeout:
            raise self._taken from None
        except OSError as error:
            raise StoreError(
                f"{folder} can't be written ({error.strerror or error}); answers could not be kept. Ask for the right "
                "to write there"
            ) from error
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._number = int.from_bytes(hashlib.sha256(f"{study}|{reader}".encode()).digest()[:8], "big", signed=True)
        try:
            self.hold()
        except BaseException:
            self._file.release()
            raise

    def hold(self) -> None:
        """Take the server's lock where it isn't held, as after a lost connection.

        Raises:
            SessionTakenError: somebody else has it by now.
            StoreOfflineError: the server can't be reached.
        """
        if self._engine is None or self._is_held():
            return
        with translated("the study's database"):
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            until = time.monotonic() + _SERVER_PATIENCE_S
            while not connection.execute(sa.select(sa.func.pg_try_advisory_lock(self._number))).scalar_one():
                if time.monotonic() > until:
                    connection.close()
                    raise self._taken
                time.sleep(0.05)
            self._connection = connection

    def release(self) -> None:
        """Give it back."""
        if self._connection is not None:
            self._drop()
        self._file.release()

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except exc.SQLAlchemyError:
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        """Let the connection go for good: the server's lock belongs to it and must not wait in a pool."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
