"""How far a reader has come."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from synthview.study.place import StudyPlace
from synthview.study.protocol import Sitting
from synthview.study.record import Record, RecordKind
from synthview.study.session_keeping import deliver_waiting


class Standing(StrEnum):
    """What a reader may do."""

    NEW = "new"
    """Begin."""
    RESUMABLE = "resumable"
    """Go on where it was left."""
    ABANDONED = "abandoned"
    """Nothing: it was left unfinished, and has one sitting."""
    FINISHED = "finished"
    """Nothing: everything is answered."""


def standing(place: StudyPlace, reader: str) -> Standing:
    """How far a reader has come; what waited on this computer is delivered first, if it can be.

    Raises:
        StoreError: no such reader, or the record can't be read.
    """
    place.store.trials(reader)
    if not place.store.read_only:
        deliver_waiting(place.store, reader)
    return standing_of(place, place.store.records(reader))


def standing_of(place: StudyPlace, history: Sequence[Record]) -> Standing:
    """How far the reader of these records has come."""
    if not history:
        return Standing.NEW
    kinds = {record.kind for record in history}
    if RecordKind.FINISH in kinds:
        return Standing.FINISHED
    if RecordKind.ABANDON in kinds:
        return Standing.ABANDONED
    answered = {record.trial for record in history if record.kind is RecordKind.ANSWER}
    if len(answered) == len(place.store.trials(history[0].reader)):
        return Standing.FINISHED  # all but the closing row was written
    return Standing.RESUMABLE if place.store.protocol.sitting is Sitting.RESUMABLE else Standing.ABANDONED
