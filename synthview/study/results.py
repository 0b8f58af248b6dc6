"""From a study's record and its opened key to tables: votes for the statistics, and all else that was recorded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthview.study.protocol_questionnaire import EXPERTISE
from synthview.study.protocol_screen import Screen, SectionKind
from synthview.study.record import Record, RecordKind
from synthview.study.standing import Standing, standing_of
from synthview.study.study_folder import StudyFolder
from synthview.study.trial import AnswerKey, Response, Role, Trial, Truth
from synthview.study.votes import CANNOT_TELL, Kind, Side, Vote
from synthview.volume.nifti import write_atomically

_NO_OPINION = 3  # of a confidence from 1 (surely real) to 5 (surely synthetic)


@dataclass(frozen=True)
class ReaderSummary:
    """A reader, as the results count.

    Attributes:
        reader: who.
        standing: finished, abandoned, …
        answered, trials: how many, practice and checks included.
        checks_passed, checks: attention checks answered right, and answered at all.
        timed_out: trials whose time ran out.
        simulated: how a simulated reader answered; empty for a person.
        questionnaire: the answers before the start.
    """

    reader: str
    standing: Standing
    answered: int
    trials: int
    checks_passed: int
    checks: int
    timed_out: int
    simulated: str
    questionnaire: dict[str, str]


@dataclass(frozen=True)
class StudyResults:
    """Everything that came out of a study.

    Attributes:
        votes: for the statistics: trials and repeats; no practice, no attention checks.
        readers: everyone of the protocol.
        details: a row for each answered trial, practice and checks included, as a table's columns.
        activity: what readers did in each trial.
        left_out: what isn't in ``votes``, one sentence each.
    """

    votes: list[Vote]
    readers: list[ReaderSummary]
    details: list[dict[str, Any]]
    activity: list[dict[str, Any]]
    left_out: list[str]


def study_results(study: StudyFolder, key: AnswerKey) -> StudyResults:
    """Join the answers that stand with the truth.

    Where people and simulated readers answered, the simulated ones are left out of the votes.
    """
    names = section_names(study.store.protocol.screens)
    histories = {reader: study.store.records(reader) for reader in study.store.readers}
    people = any(records and not _simulated(records) for records in histories.values())
    results = StudyResults([], [], [], [], [])
    for reader, records in histories.items():
        responses = study.store.responses(reader)
        trials = study.store.trials(reader)
        results.readers.append(_summary(study, reader, records, responses, key))
        if people and _simulated(records):
            results.left_out.append(f"Reader {reader} was simulated and is left out, as people answered too.")
            continue
        expertise = _questionnaire(records).get(EXPERTISE, "")
        for number, response in sorted(responses.items()):
            trial, truth = trials[number - 1], key.truth(reader, number)
            screen = study.store.protocol.screens[trial.section]
            results.details.append(_detail(response, trial, truth, names[trial.section]))
            results.activity.append({"reader": reader, "trial": number, "activity": list(response.activity)})
            if truth.role in (Role.TEST, Role.REPEAT):
                results.votes.extend(_votes(response, truth, screen, names[trial.section], expertise))
    results.left_out.extend(_said(results.readers))
    return results


def section_names(screens: Sequence[Screen]) -> list[str]:
    """The sections' titles, made different where two are the same."""
    names: list[str] = []
    for screen in screens:
        name, number = screen.title, 2
        while name in names:
            name, number = f"{screen.title} ({number})", number + 1
        names.append(name)
    return names


def write_results(results: StudyResults, folder: Path) -> list[Path]:
    """Write ``responses.csv`` (the votes), ``readers.csv``, ``trials.csv`` and ``activity.jsonl`` into a folder.

    Raises:
        SaveError: the folder can't be written.
    """
    from synthview.study.votes_csv import write_votes

    write_votes(folder / "responses.csv", results.votes)
    readers = [asdict(reader) | {"questionnaire": _json(reader.questionnaire)} for reader in results.readers]
    write_atomically(folder / "readers.csv", _csv(readers))
    write_atomically(folder / "trials.csv", _csv(results.details))
    lines = "".join(f"{_json(entry)}\n" for entry in results.activity)
    write_atomically(folder / "activity.jsonl", lines.encode())
    return [folder / name for name in ("responses.csv", "readers.csv", "trials.csv", "activity.jsonl")]


def _votes(response: Response, truth: Truth, screen: Screen, section: str, expertise: str) -> Iterable[Vote]:
    answer = response.answer
    common: dict[str, Any] = {
        "reader": response.reader,
        "item": truth.item,
        "arm_left": truth.arms[0],
        "expertise": expertise,
        "difficulty": answer.difficulty,
        "response_time_ms": response.response_time_ms,
    }
    if screen.kind is SectionKind.RATING:
        for item in screen.items:
            rating = answer.ratings.get(item.name)
            yield Vote(
                section=f"{section}/{item.name}",
                kind=Kind.RATING,
                answer="" if rating is None else str(rating),
                **common,
            )
    elif screen.kind is SectionKind.TURING:
        said, correct = _turing(answer.choice, answer.confidence, truth.correct)
        yield Vote(section=section, kind=Kind.TURING, answer=said, correct=correct, **common)
    else:
        chosen = Side(answer.choice) if answer.choice else None
        correct = None if chosen is None or not truth.correct else answer.choice == truth.correct
        yield Vote(
            section=section, kind=Kind.TWO_AFC, arm_right=truth.arms[1], chosen=chosen, correct=correct, **common
        )


def _turing(choice: str, confidence: int | None, correct: str) -> tuple[str, bool | None]:
    """The answer as the table has it, and whether it is right."""
    if confidence is not None:
        leaning = "synthetic" if confidence > _NO_OPINION else "real"
        return str(confidence), None if confidence == _NO_OPINION else leaning == correct
    if choice in ("", "cannot-tell"):
        return CANNOT_TELL if choice else "", None
    return choice, choice == correct


def _summary(
    study: StudyFolder, reader: str, records: list[Record], responses: dict[int, Response], key: AnswerKey
) -> ReaderSummary:
    checks = [r for r in responses.values() if key.truth(reader, r.trial).role is Role.ATTENTION]
    return ReaderSummary(
        reader,
        standing_of(study, records),
        len(responses),
        len(study.store.trials(reader)),
        sum(_is_right(r, key.truth(reader, r.trial).correct) for r in checks),
        len(checks),
        sum(r.answer.timed_out for r in responses.values()),
        _simulated(records),
        _questionnaire(records),
    )


def _is_right(response: Response, correct: str) -> bool:
    answer = response.answer
    if answer.confidence is not None:
        return _turing("", answer.confidence, correct)[1] is True
    return answer.choice == correct


def _detail(response: Response, trial: Trial, truth: Truth, section: str) -> dict[str, Any]:
    answer = response.answer
    return {
        "reader": response.reader,
        "trial": trial.number,
        "section": section,
        "role": truth.role.value,
        "item": truth.item,
        "arms": " | ".join(truth.arms),
        "stimuli": " | ".join(trial.stimuli),
        "plane": trial.plane.value,
        "position": trial.position,
        "correct_choice": truth.correct,
        "choice": answer.choice,
        "confidence": answer.confidence,
        "ratings": _json(dict(answer.ratings)) if answer.ratings else "",
        "difficulty": answer.difficulty,
        "comment": answer.comment,
        "timed_out": answer.timed_out,
        "changed": response.revision,
        "response_time_ms": response.response_time_ms,
        "repeats_trial": truth.repeats,
    }


def _said(readers: Sequence[ReaderSummary]) -> list[str]:
    """What a reader of the results must know."""
    said = []
    for one in readers:
        if one.standing is Standing.ABANDONED:
            said.append(f"Reader {one.reader} abandoned the study after {one.answered} of {one.trials} trials.")
        elif one.standing is Standing.RESUMABLE:
            said.append(f"Reader {one.reader} has answered {one.answered} of {one.trials} trials so far.")
        elif one.standing is Standing.NEW:
            said.append(f"Reader {one.reader} has not begun.")
        if one.checks_passed < one.checks:
            said.append(f"Reader {one.reader} passed {one.checks_passed} of {one.checks} attention checks.")
        if one.timed_out:
            said.append(f"Reader {one.reader} let the time run out in {one.timed_out} trials; they have no answer.")
    return said


def _simulated(records: Sequence[Record]) -> str:
    return next((str(r.body["simulated"]) for r in records if r.body.get("simulated")), "")


def _questionnaire(records: Sequence[Record]) -> dict[str, str]:
    return next((dict(r.body["questionnaire"]) for r in records if r.kind is RecordKind.BEGIN), {})


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """A table; what a spreadsheet would take for a formula is kept from being one."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)
