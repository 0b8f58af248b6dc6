"""Trials, answers and the truth, kept in types of their own: what is shown never holds what is true.

``Trial`` and ``Answer`` are all that a reader's screen handles.  ``AnswerKey`` stays sealed with the coordinator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NewType

from synthview.volume.slicing import Plane

StimulusId = NewType("StimulusId", str)
"""An opaque name: 12 random letters and digits that say nothing of what they name."""


@dataclass(frozen=True)
class Trial:
    """What a reader is shown.  It doesn't say which is real, nor whether it is a check or a repeat.

    Attributes:
        number: counted from 1 through the reader's whole session.
        section: index of its ``Screen`` in ``ReadingProtocol.screens``.
        stimuli: one, or left and right.
        plane: of the slice; for a volume, the plane at first.
        position: of the slice, from 0 (left, posterior, inferior end) to 1; for a volume, where it is opened.
        practice: whether it is practice, which the reader is told.
    """

    number: int
    section: int
    stimuli: tuple[StimulusId, ...]
    plane: Plane
    position: float
    practice: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``from_dict`` reads them."""
        return {**asdict(self), "stimuli": list(self.stimuli), "plane": self.plane.value}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Trial:
        """The inverse of ``to_dict``."""
        return cls(
            int(content["number"]),
            int(content["section"]),
            tuple(StimulusId(name) for name in content["stimuli"]),
            Plane(content["plane"]),
            float(content["position"]),
            bool(content["practice"]),
        )


@dataclass(frozen=True)
class Answer:
    """What a reader says to a trial.

    Attributes:
        choice: "left" or "right"; "real", "synthetic" or "cannot-tell"; empty for ratings, and where the time ran out.
        confidence: Turing trials that ask for it: 1 surely real to 5 surely synthetic.
        ratings: by name of the item, from 1.
        difficulty: 1 extremely subtle to 5 obvious, where it is asked.
        comment: what the reader wrote.
        timed_out: whether the time ran out before an answer was confirmed.
    """

    choice: str = ""
    confidence: int | None = None
    ratings: Mapping[str, int] = field(default_factory=dict)
    difficulty: int | None = None
    comment: str = ""
    timed_out: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``from_dict`` reads them."""
        return {**asdict(self), "ratings": dict(self.ratings)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Answer:
        """The inverse of ``to_dict``."""
        return cls(**content)


@dataclass(frozen=True)
class Response:
    """An answer as it is on record.

    Attributes:
        reader: who answered.
        trial: number of the trial.
        revision: 0 for the first answer; changed answers count up, and the last one stands.
        answer: what was said.
        response_time_ms: from the first painted frame to confirming, breaks excluded; by a clock that never jumps.
        activity: what the reader did meanwhile: ``{"ms": …, "kind": …, …}`` (slices, window, zoom, focus lost).
    """

    reader: str
    trial: int
    revision: int
    answer: Answer
    response_time_ms: int
    activity: tuple[Mapping[str, Any], ...] = ()


class Role(StrEnum):
    """Why a trial is in a session."""

    TEST = "test"
    PRACTICE = "practice"
    ATTENTION = "attention"
    REPEAT = "repeat"


@dataclass(frozen=True)
class Truth:
    """What is true of a trial.

    Attributes:
        item: the pair or stimulus, under the same name for every reader who sees it.
        role: why it is asked.
        arms: of the stimuli, in the order in which they are shown.
        correct: the right choice; empty where there is none (synthetic against synthetic, ratings).
        repeats: number of the trial that it asks again.
    """

    item: str
    role: Role
    arms: tuple[str, ...]
    correct: str = ""
    repeats: int | None = None


@dataclass(frozen=True)
class Material:
    """A stimulus, and where it comes from.  It stays with the coordinator.

    Attributes:
        stimulus: its opaque name.
        arm: the arm it belongs to.
        provenance: how it was made, or which file it is; plain values.
        sha256: of its stimulus file.
    """

    stimulus: StimulusId
    arm: str
    provenance: Mapping[str, Any]
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``Material(**…)`` reads them."""
        return asdict(self)


@dataclass(frozen=True)
class AnswerKey:
    """The truth of a study, kept sealed until the results.

    Attributes:
        study: the study's id.
        protocol: the coordinator's protocol, as YAML.
        seed: of the schedule.
        materials: every stimulus, and where it comes from.
        truths: of each reader's trials, in the order of their numbers.
        leak_report: what the leak check found; plain values.
    """

    study: str
    protocol: str
    seed: int
    materials: tuple[Material, ...]
    truths: Mapping[str, tuple[Truth, ...]]
    leak_report: Mapping[str, Any] = field(default_factory=dict)

    def truth(self, reader: str, number: int) -> Truth:
        """What is true of a reader's trial."""
        return self.truths[reader][number - 1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``from_dict`` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> AnswerKey:
        """The inverse of ``to_dict``."""
        return cls(
            content["study"],
            content["protocol"],
            int(content["seed"]),
            tuple(Material(**material) for material in content["materials"]),
            {reader: tuple(_truth(part) for part in parts) for reader, parts in content["truths"].items()},
            content["leak_report"],
        )


def _truth(content: Mapping[str, Any]) -> Truth:
    return Truth(**{**content, "role": Role(content["role"]), "arms": tuple(content["arms"])})
