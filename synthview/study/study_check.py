"""``synthview study check``: is the record what was written, and are the stimuli what was sealed?"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from synthview.errors import ChainError, StudyError
from synthview.study import store_schema as schema
from synthview.study.place import StudyPlace
from synthview.study.protocol import Protocol
from synthview.study.record import RecordKind, digest, verify_chain
from synthview.study.schedule import Schedule, draw_schedule
from synthview.study.standing import Standing, standing_of
from synthview.study.store import SEALED_KEY, StudyStore
from synthview.study.store_engine import reading
from synthview.study.store_rows import columns_agree, record_from_row
from synthview.study.trial import AnswerKey, Role


@dataclass(frozen=True)
class ReaderFacts:
    """How far a reader is.

    Attributes:
        reader: who.
        standing: new, resumable, abandoned or finished.
        answered: trials answered.
        trials: trials there are.
        simulated: whether a simulated reader answered.
    """

    reader: str
    standing: Standing
    answered: int
    trials: int
    simulated: bool


@dataclass(frozen=True)
class StudyFacts:
    """What a check found; that it ended means that nothing was wrong.

    Attributes:
        title, study, program, at: of the study.
        schedule_sha256: digest of every reader's trials.
        readers: how far they are.
        stimuli: how many stimulus files there are, all of them as sealed.
        blocked: why readers may not begin; empty if they may.
        notes: the coordinator's, less the sealed key.
    """

    title: str
    study: str
    program: str
    at: str
    schedule_sha256: str
    readers: tuple[ReaderFacts, ...]
    stimuli: int
    blocked: str
    notes: tuple[dict[str, Any], ...] = field(default=())


def check_study(place: StudyPlace) -> StudyFacts:
    """Check every chain, the schedule and every stimulus file.

    Raises:
        ChainError: names the first bad row.
        StudyError: a stimulus file is missing or was changed.
    """
    store = place.store
    notes = _check_notes(store)
    _check_schedule(store)
    readers = tuple(_check_reader(place, reader) for reader in store.readers)
    stimuli = store.stimuli()
    for name, sha256 in stimuli.items():
        if hashlib.sha256(place.stimulus_bytes(name)).hexdigest() != sha256:
            raise StudyError(f"stimulus {name} was changed or damaged since the study was made")
    with reading(store.engine, store.where) as connection:
        row = connection.execute(sa.select(schema.study)).one()
    return StudyFacts(
        row.title, store.id, row.program, row.at, store.schedule_sha256, readers, len(stimuli), place.blocked(), notes
    )


def check_key(place: StudyPlace, key: AnswerKey) -> None:
    """Draw the schedule again from the sealed protocol and seed, and compare.

    Raises:
        StudyError: it isn't the one that readers get.
    """
    schedule, truths = draw_schedule(Protocol.parse(key.protocol, "the sealed protocol"), key.materials, key.seed)
    if schedule.digest() != place.store.schedule_sha256 or truths != dict(key.truths):
        raise StudyError("the schedule is not the one that the sealed protocol and seed give; it was exchanged")


def balance(key: AnswerKey) -> dict[str, dict[str, Any]]:
    """For each reader, what is shown how often, and on which side, practice and checks left out."""
    found: dict[str, dict[str, Any]] = {}
    for reader, truths in key.truths.items():
        tests = [truth for truth in truths if truth.role is Role.TEST]
        left = Counter(truth.arms[0] for truth in tests if len(truth.arms) == 2)
        right = Counter(truth.arms[1] for truth in tests if len(truth.arms) == 2)
        alone = Counter(truth.arms[0] for truth in tests if len(truth.arms) == 1)
        found[reader] = {"left": dict(left), "right": dict(right), "alone": dict(alone)}
    return found


def _check_reader(place: StudyPlace, reader: str) -> ReaderFacts:
    store = place.store
    wanted = sa.select(schema.records).where(schema.records.c.reader == reader).order_by(schema.records.c.seq)
    with reading(store.engine, store.where) as connection:
        rows = connection.execute(wanted).all()
    records = []
    for row in rows:
        try:
            records.append(record_from_row(row))
            agree = columns_agree(row)
        except (ValueError, TypeError, AttributeError) as error:
            raise ChainError(f"reader {reader}, row {row.seq}: its content was changed after it was written") from error
        if not agree:
            verify_chain(store.start(reader), records)  # which names an earlier row, if there is one
            raise ChainError(f"reader {reader}, row {row.seq}: its columns were changed after it was written")
    verify_chain(store.start(reader), records)
    answered = {record.trial for record in records if record.kind is RecordKind.ANSWER}
    simulated = any(record.body.get("simulated") for record in records)
    return ReaderFacts(reader, standing_of(place, records), len(answered), len(store.trials(reader)), simulated)


def _check_schedule(store: StudyStore) -> None:
    schedule = Schedule({reader: store.trials(reader) for reader in store.readers})
    if schedule.digest() != store.schedule_sha256:
        raise ChainError("the schedule was changed after the study was made: its hash no longer fits")


def _check_notes(store: StudyStore) -> tuple[dict[str, Any], ...]:
    """The coordinator's notes, their chain checked."""
    with reading(store.engine, store.where) as connection:
        rows = connection.execute(sa.select(schema.notes).order_by(schema.notes.c.seq)).all()
    previous, found = store.notes_start(), []
    for place, row in enumerate(rows, 1):
        content = {name: getattr(row, name) for name in ("seq", "kind", "body", "at", "previous")}
        if row.seq != place or row.previous != previous or row.hash != digest(content):
            raise ChainError(f"notes, row {row.seq}: it was changed, or a row before it is missing")
        previous = row.hash
        if row.kind != SEALED_KEY:
            found.append({"kind": row.kind, "at": row.at, **json.loads(row.body)})
    return tuple(found)
