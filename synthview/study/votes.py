"""One row for every question a reader was asked: the table that every study gives out and every analysis takes in.

A study run on paper, or with another program, is analysed from the same table (``docs/statistics.md``). Practice
trials and attention checks aren't in it. A question asked again to measure intra-reader reliability is a second row
with the same reader, section and item. A rating section with several questions is one section per question,
``SECTION/QUESTION``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

REAL = "real"
SYNTHETIC = "synthetic"
CANNOT_TELL = "can't tell"

COLUMNS = (
    "reader",
    "expertise",
    "section",
    "kind",
    "item",
    "arm_left",
    "arm_right",
    "chosen",
    "correct",
    "answer",
    "difficulty",
    "response_time_ms",
)
"""The columns of the table, in the order in which they are written."""


class Kind(StrEnum):
    """What was asked."""

    TWO_AFC = "2afc"
    TURING = "turing"
    RATING = "rating"


class Side(StrEnum):
    """Which of the two stimuli of a pair."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Vote:
    """One question, as one reader answered it.

    Attributes:
        reader: who answered; any name that stays the same through the table.
        expertise: the reader's level, such as "resident"; empty where it isn't known.
        section: the part of the study.
        kind: what was asked.
        item: the pair (2AFC) or stimulus (Turing, rating) that was shown; the same name for every reader who saw it.
        arm_left: where the left stimulus came from, ``real`` or a generator's name; the only stimulus of a Turing trial
            or a rating.
        arm_right: where the right stimulus came from; empty outside 2AFC.
        chosen: the side that was chosen; None outside 2AFC, and where no answer was given.
        correct: whether the answer is true; None where there is no truth, or no answer.
        answer: ``real``, ``synthetic`` or ``can't tell`` (Turing), or a number: a rating, or for a Turing trial how
            sure the reader is, where a higher number means *more surely synthetic* (1-5 or any other scale). Empty
            where no answer was given, and for 2AFC.
        difficulty: Likert score, 1 extremely subtle to 5 obvious.
        response_time_ms: from the first painted frame to the answer, in milliseconds.
    """

    reader: str
    section: str
    kind: Kind
    item: str
    arm_left: str
    arm_right: str = ""
    chosen: Side | None = None
    correct: bool | None = None
    answer: str = ""
    expertise: str = ""
    difficulty: int | None = None
    response_time_ms: float | None = None

    @property
    def answered(self) -> bool:
        """Whether there is an answer at all."""
        if self.kind is Kind.TWO_AFC:
            return self.chosen is not None or self.correct is not None
        return bool(self.answer)

    @property
    def score(self) -> float | None:
        """The answer as a number (a rating, or confidence that the stimulus is synthetic); None where it is a word."""
        try:
            score = float(self.answer)
        except ValueError:
            return None
        return score if math.isfinite(score) else None

    @property
    def chosen_arm(self) -> str | None:
        """The arm of the chosen side."""
        if self.chosen is None:
            return None
        return self.arm_left if self.chosen is Side.LEFT else self.arm_right
