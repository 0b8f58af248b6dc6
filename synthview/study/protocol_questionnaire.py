"""What readers are asked about themselves before the first trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from synthview.errors import SessionError
from synthview.study.protocol_entries import Entries

EXPERTISE = "expertise"
"""Name of the question whose answer the results give as the reader's level."""


class QuestionKind(StrEnum):
    """How a question is answered."""

    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        name: column of the results; ``expertise`` is the reader's level there.
        question: as the reader sees it.
        kind: how it is answered.
        choices: among which to choose, for ``CHOICE``.
        low, high: limits of a number.
        required: whether it must be answered.
    """

    name: str
    question: str
    kind: QuestionKind = QuestionKind.TEXT
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = True

    def check(self, answer: str) -> None:
        """Make sure that an answer may stand.

        Raises:
            SessionError: it is missing, or none of the choices, or no number within the limits.
        """
        if not answer.strip():
            if self.required:
                raise SessionError(f"Please answer: {self.question}")
            return
        if self.kind is QuestionKind.CHOICE and answer not in self.choices:
            raise SessionError(f"{self.question}: {answer!r} is none of {', '.join(self.choices)}")
        if self.kind is QuestionKind.NUMBER:
            low, high = (
                (self.low if self.low is not None else -math.inf),
                (self.high if self.high is not None else math.inf),
            )
            try:
                fits = low <= float(answer) <= high
            except ValueError:
                fits = False
            if not fits:
                limits = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
                raise SessionError(f"{self.question}: please give a number{limits}, got {answer!r}")


def check_answers(questions: tuple[Question, ...], answers: Mapping[str, str]) -> None:
    """Make sure that a questionnaire is filled in.

    Raises:
        SessionError: names the question.
    """
    for name in answers:
        if name not in [question.name for question in questions]:
            raise SessionError(f"the questionnaire has no question {name!r}")
    for question in questions:
        question.check(answers.get(question.name, ""))


def read_questionnaire(given: Entries) -> tuple[Question, ...]:
    """The protocol's ``questionnaire``.

    Raises:
        ProtocolError: names file, line and field.
    """
    found: list[Question] = []
    for part in given.parts("questionnaire"):
        question = _read_question(part)
        if question.name in [other.name for other in found]:
            raise part.wrong("name", f"{question.name!r} is there twice; rename one")
        found.append(question)
    return tuple(found)


def _read_question(given: Entries) -> Question:
    given.refuse_unknown(("name", "question", "kind", "choices", "low", "high", "required"))
    choices = given.texts("choices")
    kind = QuestionKind(given.choice("kind", list(QuestionKind), "choice" if choices else "text"))
    if (kind is QuestionKind.CHOICE) != bool(choices):
        raise given.wrong("choices", "belong to kind: choice, and only to that; give two or more")
    if choices and len(choices) < 2:
        raise given.wrong("choices", "must be two or more; add some")
    low, high = given.number("low"), given.number("high")
    for name, limit in (("low", low), ("high", high)):
        if limit is not None and kind is not QuestionKind.NUMBER:
            raise given.wrong(name, "is for kind: number; take it out")
    if low is not None and high is not None and low >= high:
        raise given.wrong("low", f"must be below high, got {low:g} and {high:g}")
    name = given.text("name", required=True)
    return Question(
        name,
        given.text("question", name.capitalize()),
        kind,
        choices,
        low,
        high,
        given.flag("required", default=True),
    )
