"""The study's record: one row for each thing that happened, written at once, never changed.

SQLite (a file, WAL, ``synchronous=FULL``, STRICT tables) or PostgreSQL; triggers forbid UPDATE and DELETE on both.
Everything in it may be seen by readers but for the sealed key, which is encrypted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import exc

from synthview.errors import SessionTakenError, StoreError
from synthview.study import store_schema as schema
from synthview.study import store_upgrade
from synthview.study.protocol import ReadingProtocol
from synthview.study.protocol_files import canonical_json
from synthview.study.record import Chain, Record, RecordKind, chain_start, digest, now
from synthview.study.schedule import Schedule
from synthview.study.store_engine import connect, is_postgres, reading, schema_of, shown, writing
from synthview.study.store_rows import record_from_row, record_row, trial_from_row, trial_row
from synthview.study.trial import Response, StimulusId, Trial

NOTES = "notes"
_NOTE_ATTEMPTS = 5
SEALED_KEY = "sealed_key"
"""Kind of the note that holds the sealed answer key."""


@dataclass(frozen=True)
class NewStudy:
    """What a record begins with.

    Attributes:
        id: lower-case letters and digits.
        protocol: what readers may know of it.
        schedule: every reader's trials.
        feedback: right answers of practice trials, by reader and number of the trial.
        stimuli: SHA-256 of each stimulus file.
    """

    id: str
    protocol: ReadingProtocol
    schedule: Schedule
    feedback: Mapping[tuple[str, int], str]
    stimuli: Mapping[StimulusId, str]


class StudyStore:
    """An open record; safe to use from several threads and processes at once.

    Attributes:
        id: the study's id.
        address: a file's path, or PostgreSQL's URL.
        where: the address as people may see it.
        read_only: whether it lies where nothing can be written.
        protocol: what readers may know.
        readers: in the protocol's order.
    """

    def __init__(self, engine: sa.Engine, address: str, study: str, *, read_only: bool) -> None:
        self.engine, self.address, self.read_only = engine, address, read_only
        self.where = shown(address)
        with reading(engine, self.where) as connection:
            row = connection.execute(sa.select(schema.study)).one_or_none()
            if row is None or row.id != study:
                raise StoreError(f"{self.where} is the record of another study; choose the study's folder again")
            names = connection.execute(sa.select(schema.readers.c.name).order_by(schema.readers.c.place))
            self.readers: tuple[str, ...] = tuple(names.scalars())
        self.id = study
        self.protocol = ReadingProtocol.from_dict(json.loads(row.protocol))
        self.schedule_sha256: str = row.schedule_sha256
        self._trials: dict[str, tuple[Trial, ...]] = {}
        self._stimuli: dict[StimulusId, str] = {}

    @classmethod
    def create(cls, address: str, new: NewStudy) -> Self:
        """Make the tables and write what the study begins with, all or nothing.

        Raises:
            StoreError: there is a record already, or it can't be written there.
        """
        if is_postgres(address):
            _make(address, new, shown(address))
        else:
            _make_file(Path(address), new)
        return cls.open(address, new.id)

    @classmethod
    def open(cls, address: str, study: str) -> Self:
        """Open a record; an older one is brought to this program's form first.

        Raises:
            StoreError: it isn't there, is damaged, of another study or of a newer synthview; for PostgreSQL also that
                the server can't be reached (``StoreOfflineError``).
        """
        where = shown(address)
        read_only = False
        if not is_postgres(address):
            if not Path(address).is_file():
                raise StoreError(f"{where} is not there; choose the study's folder")
            read_only = not _can_write(Path(address))
        engine = connect(address, study, read_only=read_only)
        try:
            if not store_upgrade.check_version(engine, where):
                store_upgrade.upgrade(engine, where, schema_of(study) if is_postgres(address) else "")
            return cls(engine, address, study, read_only=read_only)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        """Close its connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server(self) -> sa.Engine | None:
        """The engine, if it is a server's that several machines share."""
        return self.engine if is_postgres(self.address) else None

    def check_writable(self) -> None:
        """Make sure that an answer could be written now.

        Raises:
            StoreError: why it couldn't.
        """
        if self.read_only:
            raise StoreError(f"{self.where} can't be written: its file or folder is read-only; answers would be lost")
        with writing(self.engine, self.where) as connection:
            connection.execute(sa.select(schema.study.c.id))  # BEGIN IMMEDIATE has taken the right to write

    def trials(self, reader: str) -> tuple[Trial, ...]:
        """A reader's trials, in order.

        Raises:
            StoreError: there is no such reader.
        """
        if reader not in self.readers:
            raise StoreError(f"the study has no reader {reader!r}; its readers are {', '.join(self.readers)}")
        if reader not in self._trials:
            columns = schema.trials.c
            wanted = sa.select(schema.trials).where(columns.reader == reader).order_by(columns.number)
            with reading(self.engine, self.where) as connection:
                self._trials[reader] = tuple(map(trial_from_row, connection.execute(wanted)))
        return self._trials[reader]

    def feedback(self, reader: str) -> dict[int, str]:
        """The right answers of a reader's practice trials, by number of the trial."""
        columns = schema.trials.c
        wanted = sa.select(columns.number, columns.feedback).where(columns.reader == reader, columns.feedback != "")
        with reading(self.engine, self.where) as connection:
            return {row.number: row.feedback for row in connection.execute(wanted)}

    def stimuli(self) -> dict[StimulusId, str]:
        """SHA-256 of every stimulus file."""
        with reading(self.engine, self.where) as connection:
            return {StimulusId(row.name): row.sha256 for row in connection.execute(sa.select(schema.stimuli))}

    def stimulus_sha256(self, name: StimulusId) -> str:
        """SHA-256 of a stimulus file.

        Raises:
            StoreError: the study has no such stimulus.
        """
        if not self._stimuli:
            self._stimuli = self.stimuli()
        if name not in self._stimuli:
            raise StoreError(f"the study has no stimulus {name!r}")
        return self._stimuli[name]

    def start(self, reader: str) -> Chain:
        """A reader's empty chain."""
        return chain_start(self.id, reader, self.trials(reader))

    def records(self, reader: str) -> list[Record]:
        """A reader's records, in order."""
        columns = schema.records.c
        wanted = sa.select(schema.records).where(columns.reader == reader).order_by(columns.seq)
        with reading(self.engine, self.where) as connection:
            return list(map(record_from_row, connection.execute(wanted)))

    def responses(self, reader: str) -> dict[int, Response]:
        """A reader's answers that stand, by number of the trial: of changed ones, the last."""
        found = {}
        for record in self.records(reader):
            if record.kind is RecordKind.ANSWER:
                response = record.response()
                found[response.trial] = response
        return found

    def append(self, records: Sequence[Record]) -> None:
        """Write records of one reader; those that are there already are left as they are.

        Raises:
            SessionTakenError: something else was written in their place meanwhile.
            StoreOfflineError: the record can't be reached; nothing was written, or everything was.
            StoreError: it refuses them.
        """
        if not records:
            return
        columns = schema.records.c
        there = sa.select(columns.seq, columns.hash).where(
            columns.reader == records[0].reader, columns.seq >= records[0].seq
        )
        try:
            with writing(self.engine, self.where) as connection:
                known: dict[int, str] = {row.seq: row.hash for row in connection.execute(there)}
                for record in records:
                    if known.get(record.seq, record.hash) != record.hash:
                        raise self._taken(record)
                fresh = [record_row(record) for record in records if record.seq not in known]
                if fresh:
                    connection.execute(sa.insert(schema.records), fresh)
        except exc.IntegrityError as error:
            if "unique" in str(error.orig).lower():
                raise self._taken(records[0]) from error
            raise StoreError(f"{self.where} refused a record: {error.orig}") from error

    def _taken(self, record: Record) -> SessionTakenError:
        return SessionTakenError(
            f"reader {record.reader} has gone on in another window meanwhile (row {record.seq}); close this one"
        )

    def note(self, kind: str, body: Mapping[str, Any]) -> None:
        """Add to the coordinator's notes: leak check, overruling, exports, imports; no arm may be named in them."""
        for attempt in range(_NOTE_ATTEMPTS):  # on PostgreSQL another program may write the same row at the same time
            try:
                with writing(self.engine, self.where) as connection:
                    self._add_note(connection, kind, body)
                return
            except exc.IntegrityError as error:
                if attempt == _NOTE_ATTEMPTS - 1:
                    raise StoreError(f"{self.where} is busy: the note on {kind} was not kept; try again") from error

    def _add_note(self, connection: sa.Connection, kind: str, body: Mapping[str, Any]) -> None:
        columns = schema.notes.c
        last = connection.execute(sa.select(columns.seq, columns.hash).order_by(columns.seq.desc()).limit(1)).first()
        seq, previous = (last.seq + 1, last.hash) if last else (1, self.notes_start())
        row = {"seq": seq, "kind": kind, "body": canonical_json(body), "at": now(), "previous": previous}
        connection.execute(sa.insert(schema.notes), {**row, "hash": digest(row)})

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of all notes of a kind, oldest first."""
        wanted = sa.select(schema.notes).where(schema.notes.c.kind == kind).order_by(schema.notes.c.seq)
        with reading(self.engine, self.where) as connection:
            return [json.loads(row.body) for row in connection.execute(wanted)]

    def notes_start(self) -> str:
        """What the first note follows from."""
        return digest([self.id, self.schedule_sha256, NOTES])

    def sealed_key(self) -> str:
        """The sealed answer key; empty in a reader's bundle."""
        return str(self.notes(SEALED_KEY)[-1]["sealed"]) if self.notes(SEALED_KEY) else ""

    def add_bundle(self, bundle: str, readers: Iterable[str], public_key: str) -> None:
        """Keep which readers a bundle is for, and the key that its answers will be signed with."""
        row = {"id": bundle, "readers": canonical_json(list(readers)), "public_key": public_key, "at": now()}
        with writing(self.engine, self.where) as connection:
            connection.execute(sa.insert(schema.bundles), row)

    def bundle(self, bundle: str) -> tuple[tuple[str, ...], str] | None:
        """A bundle's readers and public key; None if this study made no such bundle."""
        wanted = sa.select(schema.bundles).where(schema.bundles.c.id == bundle)
        with reading(self.engine, self.where) as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else (tuple(json.loads(row.readers)), row.public_key)


def _can_write(path: Path) -> bool:
    """Whether SQLite could write a file: it needs the folder too.

    Raises:
        StoreError: it can't, and what an earlier program wrote last waits in its log beside it.
    """
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return True
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        raise StoreError(
            f"{path} was not closed in order, and its last rows can't be taken in as its folder is read-only; ask for "
            "the right to write there, or copy the folder"
        )
    return False


def _make(address: str, new: NewStudy, where: str) -> None:
    engine = connect(address, new.id)
    try:
        store_upgrade.upgrade(engine, where, schema_of(new.id) if is_postgres(address) else "")
        with writing(engine, where) as connection:
            _write_new(connection, new)
    except exc.IntegrityError as error:
        raise StoreError(f"{where} refused the study: {error.orig}") from error
    finally:
        engine.dispose()


def _make_file(path: Path, new: NewStudy) -> None:
    """Under another name first, so that the file is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _make(str(temporary), new, str(path))
        _put(temporary, path)
    except FileExistsError as error:
        raise StoreError(f"{path} exists already; choose another folder") from error
    except OSError as error:
        raise StoreError(f"{path} can't be made: {error.strerror or error}") from error
    finally:
        for made in path.parent.glob(f"{temporary.name}*"):
            made.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    """Give a file its name without replacing what another program has just made there."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a memory stick's file system knows no second names
        if path.exists():
            raise FileExistsError from None
        temporary.rename(path)


def _write_new(connection: sa.Connection, new: NewStudy) -> None:
    from synthview import __version__

    row = {"one": 1, "id": new.id, "title": new.protocol.title, "protocol": canonical_json(new.protocol.to_dict())}
    row |= {"schedule_sha256": new.schedule.digest(), "program": f"synthview {__version__}", "at": now()}
    connection.execute(sa.insert(schema.study), row)
    stimuli = [{"name": name, "sha256": sha256} for name, sha256 in new.stimuli.items()]
    connection.execute(sa.insert(schema.stimuli), stimuli)
    readers = [{"name": name, "place": place} for place, name in enumerate(new.schedule.trials, 1)]
    connection.execute(sa.insert(schema.readers), readers)
    for reader, trials in new.schedule.trials.items():
        rows = [trial_row(reader, trial, new.feedback.get((reader, trial.number), "")) for trial in trials]
        connection.execute(sa.insert(schema.trials), rows)
