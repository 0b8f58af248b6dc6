"""Answers that wait: a local file for what the study's record could not take just now.

One JSON line for each record, on disk (fsync) before the reader goes on.  A record may be delivered twice, as after a
crash between delivering and forgetting: its hash tells, and the record keeps it once.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from synthview.errors import StoreError
from synthview.study.record import Record
from synthview.userdata import data_dir


class WaitingRecords:
    """The waiting records of one reader of one study.

    Args:
        study: the study's id.
        reader: whose records.
    """

    def __init__(self, study: str, reader: str) -> None:
        self.path = data_dir() / "waiting" / f"{study}-{reader}.jsonl"

    def add(self, record: Record) -> None:
        """Keep a record until it can be delivered.

        Raises:
            StoreError: the local disk doesn't take it either.
        """
        line = json.dumps(record.to_dict(), ensure_ascii=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if file.tell() and not self.path.read_bytes().endswith(b"\n"):
                    file.write(b"\n")  # after a line that a crash cut short
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self.path.parent} can't be written either: {error.strerror or error}") from error

    def records(self) -> list[Record]:
        """What waits, oldest first; a line cut short by a crash was never confirmed and is left out."""
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                record = Record.from_dict(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue
            if record.hash == record.expected_hash():
                found.append(record)
        return found

    def set_aside(self) -> Path:
        """Keep them under another name, as they can't be delivered; returns it."""
        path = self.path.with_suffix(f".{time.time_ns()}.kept")
        self.path.replace(path)
        return path

    def forget(self) -> None:
        """All of them were delivered."""
        self.path.unlink(missing_ok=True)
