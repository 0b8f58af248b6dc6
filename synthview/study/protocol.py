"""What a study asks, of whom, about which volumes.  ``docs/studies.md`` explains the file to its writers.

The types here are the protocol; ``resources/protocol.schema.json`` says the same for editors, and a test compares them.
A ``Protocol`` names arms and stays with the coordinator; ``Protocol.for_readers`` is what a reader's program gets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from synthview.errors import ProtocolError
from synthview.study.harmonise import Harmonisation
from synthview.study.protocol_allocation import volumes_needed
from synthview.study.protocol_arms import Arm, read_arms, read_harmonisation
from synthview.study.protocol_entries import Entries, Located
from synthview.study.protocol_files import parse_located, read_located, to_yaml
from synthview.study.protocol_questionnaire import Question, read_questionnaire
from synthview.study.protocol_screen import Screen
from synthview.study.protocol_sections import Section, read_section
from synthview.study.protocol_values import plain

FORMAT = "synthview-protocol-1"
_FIELDS = (
    "format",
    "$schema",
    "title",
    "instructions",
    "consent",
    "questionnaire",
    "display_check",
    "readers",
    "sitting",
    "section_order",
    "seed",
    "arms",
    "harmonisation",
    "sections",
)
_READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_MOST_READERS = 1000


class Sitting(StrEnum):
    """Whether a session that was left unfinished may be taken up again."""

    ONE = "one"
    RESUMABLE = "resumable"


class SectionOrder(StrEnum):
    """In which order readers meet the sections."""

    FIXED = "fixed"
    ROTATED = "rotated"
    """Each reader begins with the next section (a Latin square)."""


@dataclass(frozen=True)
class ReadingProtocol:
    """What a reader's program knows of a protocol: no arm, no seed, no folder.

    Attributes:
        title, instructions, consent: texts; no consent is asked where it is empty.
        questionnaire: asked before the first trial.
        display_check: whether the luminance page is shown before the first trial.
        sitting: whether an unfinished session may be resumed.
        screens: of the sections, in the protocol's order (``Trial.section`` counts them from 0).
    """

    title: str
    instructions: str = ""
    consent: str = ""
    questionnaire: tuple[Question, ...] = ()
    display_check: bool = False
    sitting: Sitting = Sitting.ONE
    screens: tuple[Screen, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a bundle; ``from_dict`` reads them."""
        return plain(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "the study") -> ReadingProtocol:
        """The inverse of ``to_dict``.

        Raises:
            ProtocolError: names the field that is wrong.
        """
        given = Entries(Located.of(content), where)
        return cls(
            **_shared_fields(given),
            screens=tuple(Screen.from_dict(part, where) for part in content.get("screens", ())),
        )


@dataclass(frozen=True)
class Protocol:
    """A study as its coordinator designs it.

    Attributes:
        title: readers see it.
        arms: where stimuli come from, by name.
        sections: what is asked, in order.
        readers: their names; a number in the file stands for R01, R02, ….
        instructions, consent, questionnaire, display_check, sitting: see ``ReadingProtocol``.
        section_order: in which order readers meet the sections.
        seed: of the schedule; None to draw one when the study is made.
        harmonisation: how all arms are brought to one form.
    """

    title: str
    arms: Mapping[str, Arm]
    sections: tuple[Section, ...]
    readers: tuple[str, ...]
    instructions: str = ""
    consent: str = ""
    questionnaire: tuple[Question, ...] = ()
    display_check: bool = False
    sitting: Sitting = Sitting.ONE
    section_order: SectionOrder = SectionOrder.FIXED
    seed: int | None = None
    harmonisation: Harmonisation = field(default_factory=Harmonisation)

    @classmethod
    def load(cls, path: str | Path) -> Protocol:
        """The protocol in a YAML or JSON file.

        Raises:
            ProtocolError: names file, line and field.
        """
        return _read(Entries(read_located(Path(path)), str(path)))

    @classmethod
    def parse(cls, text: str, where: str = "the protocol") -> Protocol:
        """The protocol in a text, as ``to_yaml`` writes it.

        Raises:
            ProtocolError: names line and field.
        """
        return _read(Entries(parse_located(text, where), where))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "the protocol") -> Protocol:
        """The protocol in plain values, as ``to_dict`` gives them and the designer makes them.

        Raises:
            ProtocolError: names the field.
        """
        return _read(Entries(Located.of(content), where))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is as by default is left out."""
        content = {"format": FORMAT, **plain(self)}
        content["arms"] = {name: arm.to_dict() for name, arm in self.arms.items()}
        content["sections"] = [section.to_dict() for section in self.sections]
        if self.harmonisation != Harmonisation():
            content["harmonisation"] = self.harmonisation.to_dict()
        return content

    def to_yaml(self) -> str:
        """A protocol file's text."""
        return to_yaml(self.to_dict())

    def for_readers(self) -> ReadingProtocol:
        """What a reader's program may know."""
        return ReadingProtocol(
            self.title,
            self.instructions,
            self.consent,
            self.questionnaire,
            self.display_check,
            self.sitting,
            tuple(section.screen for section in self.sections),
        )

    def volumes_needed(self) -> dict[str, int]:
        """How many volumes each arm must have, practice and attention checks included.

        Sections take volumes that no earlier section has shown; a section with ``reuse`` begins again with the first.
        """
        return volumes_needed(self.sections, self.arms)


def _read(given: Entries) -> Protocol:
    given.refuse_unknown(_FIELDS)
    if given.text("format", FORMAT) != FORMAT:
        raise given.wrong("format", f"is {given.text('format')!r}, and this synthview reads {FORMAT}; update synthview")
    given.text("$schema")
    if not given.has("arms"):
        raise given.wrong("arms", "is missing; say where the volumes come from")
    arms = read_arms(given.entries("arms"))
    if not given.parts("sections"):
        raise given.wrong("sections", "is missing; say what is asked")
    protocol = Protocol(
        **_shared_fields(given),
        arms=arms,
        sections=tuple(read_section(part, arms) for part in given.parts("sections")),
        readers=_read_readers(given),
        section_order=SectionOrder(given.choice("section_order", list(SectionOrder), SectionOrder.FIXED)),
        seed=given.whole("seed"),
        harmonisation=read_harmonisation(given.entries("harmonisation")),
    )
    _check_unused(given, protocol)
    _check_counts(given, protocol)
    _check_blind(given, arms)
    return protocol


def _shared_fields(given: Entries) -> dict[str, Any]:
    return {
        "title": given.text("title", required=True),
        "instructions": given.text("instructions"),
        "consent": given.text("consent"),
        "questionnaire": read_questionnaire(given),
        "display_check": given.flag("display_check", default=False),
        "sitting": Sitting(given.choice("sitting", list(Sitting), Sitting.ONE)),
    }


def _read_readers(given: Entries) -> tuple[str, ...]:
    raw = given.raw("readers")
    if raw is None:
        raise given.wrong("readers", "is missing; give a number, or a list of names")
    if isinstance(raw.value, str):
        count = given.whole("readers", low=1, high=_MOST_READERS) or 0
        return tuple(f"R{number:0{max(2, len(str(count)))}d}" for number in range(1, count + 1))
    names = given.texts("readers")
    for name in names:
        if not _READER.fullmatch(name):
            raise given.wrong("readers", f"must be names of letters, digits, -, _ and . (40 at the most), got {name!r}")
    if not 1 <= len(names) <= _MOST_READERS or len({name.lower() for name in names}) < len(names):
        raise given.wrong("readers", f"must be 1 to {_MOST_READERS} different names")
    return names


def _check_unused(given: Entries, protocol: Protocol) -> None:
    needed = protocol.volumes_needed()
    for name, count in needed.items():
        if count == 0:
            raise given.entries("arms").wrong(name, "is used by no section; use it, or take it out")
    checks = {section.attention.arm for section in protocol.sections if section.attention}
    for number, section in enumerate(protocol.sections, 1):
        both = checks & section.test_volumes().keys()
        if both:
            raise given.parts("sections")[number - 1].wrong(
                "attention", f"arm {min(both)} is among the section's own arms; an attention check needs its own"
            )


def _check_counts(given: Entries, protocol: Protocol) -> None:
    """A generated arm must have as many volumes as are needed; folders are counted when the study is built."""
    for name, needed in protocol.volumes_needed().items():
        count = getattr(protocol.arms[name].source, "count", None)
        if count is not None and count < needed:
            raise (
                given.entries("arms")
                .entries(name)
                .entries("generate")
                .wrong(
                    "count",
                    f"is {count}, and the sections need {needed} volumes of {name}; raise it, ask fewer trials, or set "
                    "reuse: true in a later section",
                )
            )


def _check_blind(given: Entries, arms: Mapping[str, Arm]) -> None:
    """Texts that readers see must not name an arm; "real" and "synthetic" are words of the questions."""
    names = [name for name in arms if name.lower() not in ("real", "synthetic") and len(name) > 1]
    words = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names))})(?![\w-])", re.IGNORECASE) if names else None
    if words is None:
        return
    parts = [given, *given.parts("sections"), *given.parts("questionnaire")]
    for part in parts:
        for name in ("title", "instructions", "consent", "question"):
            if part.has(name) and (found := words.search(part.text(name))):
                raise part.wrong(name, f"is shown to readers and names the arm {found.group(1)!r}; reword it")


__all__ = ["FORMAT", "Protocol", "ProtocolError", "ReadingProtocol", "SectionOrder", "Sitting"]
