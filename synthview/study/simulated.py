"""Simulated readers: programs that walk the same session as people, for tests, demos and planning.

They are told the truth, so they need the answer key; the session that they walk isn't.  Whether one is right follows

    logit P(right) = logit(right) + reader effect + item effect

with effects from normal distributions, drawn once for each reader and item; some answers fall to the left side without
a look (``left_bias``).  Of two synthetic stimuli "right" means the arm that is preferred.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from synthview.errors import StudyError
from synthview.study.place import StudyPlace
from synthview.study.protocol_questionnaire import Question, QuestionKind
from synthview.study.protocol_screen import Likert, Screen
from synthview.study.session import Intake, ReadingSession
from synthview.study.session_clock import Clock
from synthview.study.trial import Answer, AnswerKey, Trial, Truth

_MEDIAN_S, _SPREAD = 6.0, 0.5  # response times: log-normal


@dataclass(frozen=True)
class Behaviour:
    """How simulated readers answer.

    Attributes:
        right: probability of the right (or preferred) answer, between 0 and 1; 0.5 guesses.
        reader_sd: standard deviation of the readers' effects, on the logit scale.
        item_sd: standard deviation of the pairs' or stimuli's effects, on the logit scale.
        left_bias: probability of answering "left" without a look.
        prefers: the synthetic arm preferred to others; empty for the one first in the alphabet.
        seed: of all draws.
    """

    right: float = 0.5
    reader_sd: float = 0.0
    item_sd: float = 0.0
    left_bias: float = 0.0
    prefers: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("right", "left_bias"):
            if not 0 <= getattr(self, name) <= 1:
                raise StudyError(f"a simulated reader's {name} must be a probability, got {getattr(self, name):g}")
        if self.reader_sd < 0 or self.item_sd < 0:
            raise StudyError("the effects' standard deviations must be 0 or more")


class SimulatedReader:
    """One of them.

    Args:
        reader: the name it reads under.
        behaviour: how it answers.
        truths: what is true of its trials, in order.
    """

    def __init__(self, reader: str, behaviour: Behaviour, truths: tuple[Truth, ...]) -> None:
        self._behaviour, self._truths = behaviour, truths
        self._random = Random(f"{behaviour.seed}|{reader}")
        self._effect = Random(f"{behaviour.seed}|effect|{reader}").gauss(0, behaviour.reader_sd)
        self._time_s = 0.0
        self.clock = Clock(steady=lambda: self._time_s, wall=lambda: self._time_s)

    def answer(self, trial: Trial, screen: Screen) -> Answer:
        """What it says to a trial; its clock goes on by the time that it takes."""
        self._time_s += _MEDIAN_S * math.exp(self._random.gauss(0, _SPREAD))
        truth = self._truths[trial.number - 1]
        chance = self._chance(truth)
        good = self._random.random() < chance
        return Answer(
            choice=self._choice(screen, truth, good=good),
            confidence=self._confidence(screen, truth, good=good),
            ratings={item.name: self._rating(item, chance) for item in screen.items},
            difficulty=self._difficulty(screen.difficulty, chance),
        )

    def _chance(self, truth: Truth) -> float:
        right = self._behaviour.right
        if right in (0, 1):
            return right
        item = Random(f"{self._behaviour.seed}|item|{truth.item}").gauss(0, self._behaviour.item_sd)
        return 1 / (1 + math.exp(-(math.log(right / (1 - right)) + self._effect + item)))

    def _choice(self, screen: Screen, truth: Truth, *, good: bool) -> str:
        if not screen.choices:
            return ""
        if screen.kind.panels == 2 and self._random.random() < self._behaviour.left_bias:
            return "left"
        right = truth.correct or self._preferred_side(truth)
        return right if good else next(choice for choice in screen.choices if choice != right)

    def _preferred_side(self, truth: Truth) -> str:
        preferred = self._behaviour.prefers if self._behaviour.prefers in truth.arms else min(truth.arms)
        return "left" if truth.arms[0] == preferred else "right"

    def _confidence(self, screen: Screen, truth: Truth, *, good: bool) -> int | None:
        """5 is surely synthetic."""
        if screen.confidence is None:
            return None
        towards = (truth.correct == "synthetic") == good
        return self._random.choice((3, 4, 4, 5) if towards else (3, 2, 2, 1))

    def _rating(self, item: Likert, chance: float) -> int:
        most = len(item.labels)
        return min(most, max(1, round(self._random.gauss(1 + (most - 1) * chance, 0.8))))

    def _difficulty(self, asked: Likert | None, chance: float) -> int | None:
        """The surer, the more obvious."""
        return None if asked is None else min(5, max(1, round(self._random.gauss(1 + 4 * chance, 1.0))))


def simulate(place: StudyPlace, reader: str, behaviour: Behaviour, key: AnswerKey, *, most: int | None = None) -> int:
    """Let a simulated reader walk a session, or go on with one.

    Args:
        place: the study.
        reader: one of its readers.
        behaviour: how it answers.
        key: the truth.
        most: leave after so many trials; None for all.

    Returns:
        How many trials it answered.

    Raises:
        StudyError: as ``ReadingSession.begin`` and ``confirm``.
    """
    place.store.trials(reader)  # says who the readers are
    simulated = SimulatedReader(reader, behaviour, key.truths[reader])
    questionnaire = {question.name: _filled_in(question) for question in place.store.protocol.questionnaire}
    done = 0
    what = f"right {behaviour.right:g}, seed {behaviour.seed}"
    with ReadingSession.begin(
        place, reader, Intake(True, questionnaire), simulated=what, clock=simulated.clock
    ) as session:
        while (trial := session.trial) is not None and (most is None or done < most):
            session.shown()
            session.confirm(simulated.answer(trial, session.screen))
            done += 1
    return done


def _filled_in(question: Question) -> str:
    if question.kind is QuestionKind.CHOICE:
        return question.choices[0]
    if question.kind is QuestionKind.NUMBER:
        return f"{question.low if question.low is not None else question.high or 0:g}"
    return "simulated" if question.required else ""
