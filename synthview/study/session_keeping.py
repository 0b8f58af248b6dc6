"""Keeping a session's records: in the study's record, or on the local disk until that can be reached again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from synthview.errors import SessionTakenError, StoreError, StoreOfflineError
from synthview.study.record import Chain, Record, RecordKind
from synthview.study.store import StudyStore
from synthview.study.store_locks import ReaderLock
from synthview.study.waiting import WaitingRecords

_RETRY_S = 5.0  # how often a lost database is tried again, so that not every answer waits for its time-out


class Keeper:
    """Writes a reader's records, one after the other.

    Args:
        store: the study's record.
        lock: the reader's, held.
        chain: where the reader's chain ends; everything before it is in the store.
        session: id of the sitting.

    Attributes:
        chain: where it ends now.
    """

    def __init__(self, store: StudyStore, lock: ReaderLock, chain: Chain, session: str) -> None:
        self._store, self._lock, self.chain, self._session = store, lock, chain, session
        self._local = WaitingRecords(store.id, chain.reader)
        self._waiting: list[Record] = []
        self._unsure: Record | None = None
        self._try_again_at = 0.0

    @property
    def waiting(self) -> int:
        """How many records are on the local disk only."""
        return len(self._waiting)

    def keep(
        self, kind: RecordKind, body: Mapping[str, Any], trial: int | None = None, revision: int | None = None
    ) -> Record:
        """Write a record; when this returns it is on a disk.

        Returns:
            The record; another one than asked for only where an earlier attempt, which seemed to fail, had been kept.

        Raises:
            StoreError: neither the store nor the local disk took it; nothing has changed.
            SessionTakenError: another window has gone on as this reader.
        """
        if (found := self._kept_after_all()) is not None and found.trial == trial:
            return found
        record = self.chain.next(self._session, kind, body, trial=trial, revision=revision)
        try:
            self._deliver(record)
        except StoreOfflineError as offline:
            self._set_aside(record, offline)
        self.chain = self.chain.after(record)
        return record

    def deliver(self) -> int:
        """Try now to hand over what waits; returns how many records still do.

        Raises:
            SessionTakenError: another window has gone on as this reader.
        """
        self._try_again_at = 0.0
        try:
            self._deliver()
        except StoreOfflineError:
            self._try_again_at = time.monotonic() + _RETRY_S
        return self.waiting

    def _deliver(self, *more: Record) -> None:
        if self._waiting and time.monotonic() < self._try_again_at:
            raise StoreOfflineError("the study's database was lost a moment ago")
        if self._waiting:
            self._lock.hold()  # a server's lock ends with the connection
        self._store.append([*self._waiting, *more])
        if self._waiting:
            self._waiting = []
            self._local.forget()

    def _set_aside(self, record: Record, offline: StoreOfflineError) -> None:
        self._try_again_at = time.monotonic() + _RETRY_S
        try:
            self._local.add(record)
        except StoreError as local:
            self._unsure = record
            raise StoreError(f"this could not be kept, and the trial stays open: {offline}; {local}") from offline
        self._waiting.append(record)

    def _kept_after_all(self) -> Record | None:
        """The record of an attempt that seemed to fail, if the store has it: its connection broke after writing."""
        unsure, self._unsure = self._unsure, None
        if unsure is None:
            return None
        try:
            kept = any(record.hash == unsure.hash for record in self._store.records(unsure.reader))
        except StoreError:
            self._unsure = unsure
            raise
        if kept:
            self.chain = self.chain.after(unsure)
        return unsure if kept else None


def deliver_waiting(store: StudyStore, reader: str) -> int:
    """Hand over what an earlier session left on the local disk; returns how many records that were.

    Raises:
        StoreOfflineError: the record still can't be reached; what waits goes on waiting.
        SessionTakenError: other answers were given in their place meanwhile; what waited is kept under another name.
    """
    local = WaitingRecords(store.id, reader)
    records = local.records()
    if not records:
        return 0
    try:
        store.append(records)
    except SessionTakenError as error:
        path = local.set_aside()
        raise SessionTakenError(
            f"{len(records)} answers of reader {reader} waited on this computer, and others were given in their place "
            f"meanwhile; they are kept in {path}: tell the coordinator, then begin again"
        ) from error
    local.forget()
    return len(records)
