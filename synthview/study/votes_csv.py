"""Reads and writes the long table of votes as CSV; whatever can't be meant as written is refused by line and field."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from synthview.errors import ResponsesError, SaveError
from synthview.study.votes import CANNOT_TELL, COLUMNS, REAL, SYNTHETIC, Kind, Side, Vote
from synthview.tables import read_text, separator

_T = TypeVar("_T")
_NEEDED = ("reader", "kind", "item", "arm_left")
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_ANSWERS = {"can't tell": CANNOT_TELL, "cannot tell": CANNOT_TELL, "can’t tell": CANNOT_TELL}


def write_votes(path: Path | str, votes: Iterable[Vote]) -> None:
    """Write the table; the columns are ``COLUMNS``, the encoding is UTF-8.

    Raises:
        SaveError: the disk refused; an earlier file is intact.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(votes_text(votes), "utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise SaveError(f"{path} can't be written: {error.strerror or error}; choose another place") from error


def votes_text(votes: Iterable[Vote]) -> str:
    """The table as CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_written(getattr(vote, column)) for column in COLUMNS] for vote in votes)
    return text.getvalue()


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) and value == round(value, 3) and abs(value) < 1e5 else str(value)


def read_votes(path: Path | str) -> list[Vote]:
    """Read the table that ``write_votes`` writes, or that a person made in a spreadsheet.

    Columns may stand in any order; commas, semicolons and tabs are understood as separators; further columns are
    left aside. ``section``, ``expertise``, ``difficulty`` and ``response_time_ms`` may be missing.

    Raises:
        ResponsesError: the file can't be read, is empty, lacks a column, or a field can't be meant; the message names
            the line and the column.
    """
    path = Path(path)
    return parse_votes(read_text(path, ResponsesError), path.name)


def parse_votes(text: str, name: str = "the table") -> list[Vote]:
    """The votes in CSV text; see ``read_votes``.

    Args:
        text: the whole table, header included.
        name: how messages call it.
    """
    if "\0" in text or not text.strip():
        what = "holds no text" if "\0" in text else "is empty"
        raise ResponsesError(f"{name} {what}: it needs a header line with the columns {', '.join(COLUMNS)}")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text))
    try:
        header = [column.strip().casefold().replace(" ", "_") for column in next(rows)]
        _check_header(header, name)
        votes, problems = _votes(rows, header)
    except csv.Error as error:
        raise ResponsesError(f"{name} line {rows.line_num} is not CSV: {error}") from error
    if problems:
        more = f" (and {len(problems) - 1} more lines are wrong)" if len(problems) > 1 else ""
        raise ResponsesError(f"{name} {problems[0]}{more}")
    if not votes:
        raise ResponsesError(f"{name} has a header line but no responses")
    return votes


def _check_header(header: Sequence[str], name: str) -> None:
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise ResponsesError(f"{name} line 1 names the column {', '.join(twice)} twice")
    missing = [column for column in _NEEDED if column not in header]
    if missing:
        raise ResponsesError(
            f"{name} line 1 lacks the column {', '.join(missing)}; it has {', '.join(header)}. "
            f"The columns are {', '.join(COLUMNS)}"
        )


def _votes(rows: Iterable[list[str]], header: Sequence[str]) -> tuple[list[Vote], list[str]]:
    votes: list[Vote] = []
    problems: list[str] = []
    for row in rows:
        line = rows.line_num  # type: ignore[attr-defined]
        if not any(field.strip() for field in row):
            continue
        if len(row) > len(header) and any(field.strip() for field in row[len(header) :]):
            problems.append(f"line {line} has {len(row)} fields where the header names {len(header)}")
            continue
        fields = dict(zip(header, (field.strip() for field in row), strict=False))
        try:
            votes.append(_vote(fields))
        except ValueError as error:
            problems.append(f"line {line}, {error}")
    return votes, problems


def _vote(fields: dict[str, str]) -> Vote:
    """One row.

    Raises:
        ValueError: "column: what is wrong".
    """

    def field(column: str, parse: Callable[[str], _T], empty: _T) -> _T:
        text = fields.get(column, "")
        return parse(text) if text else empty

    for column in _NEEDED:
        if not fields.get(column):
            raise ValueError(f"{column}: is empty; every row needs one")
    kind = _kind(fields["kind"])
    if kind is Kind.TWO_AFC:
        _check_pair(fields)
    elif fields.get("arm_right"):
        raise ValueError(f"arm_right: is {fields['arm_right']!r}, but a {kind} trial shows one stimulus (arm_left)")
    correct = field("correct", _truth, None)
    answer = _answer(fields.get("answer", ""), kind)
    if kind is Kind.TURING:
        answer, correct = _turing(answer, correct, fields["arm_left"])
    return Vote(
        reader=fields["reader"],
        expertise=fields.get("expertise", ""),
        section=fields.get("section") or str(kind),
        kind=kind,
        item=fields["item"],
        arm_left=_arm(fields["arm_left"]),
        arm_right=_arm(fields.get("arm_right", "")),
        chosen=field("chosen", _side, None) if kind is Kind.TWO_AFC else None,
        correct=correct,
        answer=answer,
        difficulty=field("difficulty", _difficulty, None),
        response_time_ms=field("response_time_ms", _milliseconds, None),
    )


def _kind(text: str) -> Kind:
    try:
        return Kind(text.casefold())
    except ValueError:
        raise ValueError(f"kind: {text!r} is none of {', '.join(Kind)}") from None


def _check_pair(fields: dict[str, str]) -> None:
    if not fields.get("arm_right"):
        raise ValueError("arm_right: is empty, but a 2afc trial shows two stimuli")
    if "chosen" not in fields and "correct" not in fields:
        raise ValueError("chosen: there is no such column; 2afc trials need chosen (left or right) or correct")


def _arm(text: str) -> str:
    return REAL if text.casefold() == REAL else text


def _side(text: str) -> Side:
    try:
        return Side({"l": "left", "r": "right"}.get(text.casefold(), text.casefold()))
    except ValueError:
        raise ValueError(
            f"chosen: {text!r} is neither left nor right (leave it empty where no answer was given)"
        ) from None


def _truth(text: str) -> bool:
    try:
        return _TRUTHS[text.casefold()]
    except KeyError:
        raise ValueError(
            f"correct: {text!r} is neither true nor false (leave it empty where there is no truth)"
        ) from None


def _answer(text: str, kind: Kind) -> str:
    """The answer in its one form; words only where a trial can be answered by words."""
    if not text or kind is Kind.TWO_AFC:
        return text
    try:
        if math.isfinite(float(text.replace(",", "."))):
            return text.replace(",", ".")
    except ValueError:
        pass
    word = _ANSWERS.get(text.casefold(), text.casefold())
    if kind is Kind.TURING and word in (REAL, SYNTHETIC, CANNOT_TELL):
        return word
    wanted = "real, synthetic, can't tell or a number" if kind is Kind.TURING else "a number"
    raise ValueError(f"answer: {text!r} is not {wanted} (leave it empty where no answer was given)")


def _turing(answer: str, correct: bool | None, arm: str) -> tuple[str, bool | None]:
    """Answer and correctness follow from each other where the arm is known; they may not contradict each other."""
    is_real = _arm(arm) == REAL
    if not answer and correct is not None:
        return (REAL if is_real == correct else SYNTHETIC), correct
    if answer not in (REAL, SYNTHETIC):
        return answer, correct
    follows = (answer == REAL) == is_real
    if correct is not None and correct != follows:
        said = "true" if correct else "false"
        raise ValueError(f"correct: is {said}, but the answer {answer} to a stimulus of arm {arm!r} says otherwise")
    return answer, follows


def _difficulty(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value not in (1, 2, 3, 4, 5):
        raise ValueError(f"difficulty: {text!r} is not a whole number from 1 to 5")
    return int(value)


def _milliseconds(text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"response_time_ms: {text!r} is not a time in milliseconds")
    return value
