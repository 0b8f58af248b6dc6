"""Rows of the study's tables, to and from what they hold."""

from __future__ import annotations

import json
from typing import Any

from synthview.study.protocol_files import canonical_json
from synthview.study.record import Record, RecordKind
from synthview.study.trial import StimulusId, Trial
from synthview.volume.slicing import Plane


def trial_row(reader: str, trial: Trial, feedback: str) -> dict[str, Any]:
    """A reader's trial as a row."""
    return {
        "reader": reader,
        "number": trial.number,
        "section": trial.section,
        "first": trial.stimuli[0],
        "second": trial.stimuli[1] if len(trial.stimuli) > 1 else None,
        "plane": trial.plane.value,
        "position": trial.position,
        "practice": int(trial.practice),
        "feedback": feedback,
    }


def trial_from_row(row: Any) -> Trial:
    """The inverse of ``trial_row``."""
    stimuli = tuple(StimulusId(name) for name in (row.first, row.second) if name is not None)
    return Trial(row.number, row.section, stimuli, Plane(row.plane), row.position, bool(row.practice))


def record_row(record: Record) -> dict[str, Any]:
    """A record as a row; what an answer says stands in columns too, where the database checks it."""
    content = record.to_dict()
    return {**content, "body": canonical_json(content["body"]), **_answer_columns(record)}


def record_from_row(row: Any) -> Record:
    """The inverse of ``record_row``."""
    return Record(
        row.reader,
        row.seq,
        row.session,
        RecordKind(row.kind),
        row.trial,
        row.revision,
        json.loads(row.body),
        row.at,
        row.previous,
        row.hash,
    )


def columns_agree(row: Any) -> bool:
    """Whether a row's columns say what its body says."""
    expected = _answer_columns(record_from_row(row))
    return all(getattr(row, name) == value for name, value in expected.items())


def _answer_columns(record: Record) -> dict[str, Any]:
    answer = record.body.get("answer") or {}
    return {
        "choice": answer.get("choice"),
        "difficulty": answer.get("difficulty"),
        "confidence": answer.get("confidence"),
        "response_time_ms": record.body.get("response_time_ms"),
    }
