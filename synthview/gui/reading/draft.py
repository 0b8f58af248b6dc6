"""The answer a reader is about to give: what is said so far, what is still missing.  No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from synthview.study.protocol_screen import Likert, Screen
from synthview.study.trial import Answer

CHOICE_WORDS = {
    "left": "left",
    "right": "right",
    "real": "real",
    "synthetic": "synthetic",
    "cannot-tell": "can't tell",
}


def scales_of(screen: Screen) -> tuple[Likert, ...]:
    """The questions answered by a number, in the order in which they are asked."""
    confidence = (screen.confidence,) if screen.confidence is not None else ()
    difficulty = (screen.difficulty,) if screen.difficulty is not None else ()
    return (*confidence, *screen.items, *difficulty)


@dataclass(frozen=True)
class Draft:
    """What is said so far; each change gives a new draft.

    Attributes:
        screen: what is asked.
        choice: one of ``screen.choices``; empty for none yet.
        numbers: from 1, by name of the scale.
        active: index of the scale that the number keys answer.
        comment: what the reader wrote.
    """

    screen: Screen
    choice: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    active: int = 0
    comment: str = ""

    @classmethod
    def of(cls, screen: Screen, given: Answer | None) -> Draft:
        """An empty draft, or the answer that was given before."""
        if given is None or given.timed_out:
            return cls(screen)
        numbers = dict(given.ratings)
        for name, number in (("confidence", given.confidence), ("difficulty", given.difficulty)):
            if number is not None:
                numbers[name] = number
        return cls(screen, given.choice, numbers, 0, given.comment)

    @property
    def scales(self) -> tuple[Likert, ...]:
        """The questions answered by a number."""
        return scales_of(self.screen)

    def choose(self, choice: str) -> Draft:
        """Take one of the choices; another word changes nothing."""
        return replace(self, choice=choice) if choice in self.screen.choices else self

    def rate(self, number: int) -> Draft:
        """Answer the active scale and go to the next one without an answer; a number beyond it changes nothing."""
        if not self.scales or not 1 <= number <= len(self.scales[self.active].labels):
            return self
        numbers = {**self.numbers, self.scales[self.active].name: number}
        order = [(self.active + step) % len(self.scales) for step in range(len(self.scales))]
        following = next((k for k in order if self.scales[k].name not in numbers), self.active)
        return replace(self, numbers=numbers, active=following)

    def step(self, by: int) -> Draft:
        """Make another scale the active one."""
        return replace(self, active=(self.active + by) % len(self.scales)) if self.scales else self

    def write(self, comment: str) -> Draft:
        """Take the comment."""
        return replace(self, comment=comment)

    def missing(self) -> str:
        """What the reader has yet to say, as one sentence; empty if the answer may be confirmed."""
        if self.screen.choices and not self.choice:
            words = [CHOICE_WORDS[choice] for choice in self.screen.choices]
            return f"Choose {', '.join(words[:-1])} or {words[-1]} first."
        for scale in self.scales:
            if scale.name not in self.numbers:
                return f"{scale.question} Press 1 to {len(scale.labels)}."
        return ""

    def answer(self) -> Answer:
        """The answer as the session takes it."""
        items = {item.name for item in self.screen.items}
        return Answer(
            choice=self.choice,
            confidence=self.numbers.get("confidence") if self.screen.confidence is not None else None,
            ratings={name: number for name, number in self.numbers.items() if name in items},
            difficulty=self.numbers.get("difficulty") if self.screen.difficulty is not None else None,
            comment=self.comment.strip(),
        )
