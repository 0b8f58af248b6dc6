"""What a reader is asked and shown in a section.  Nothing here says where a stimulus comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from synthview.study.protocol_entries import Entries, Located
from synthview.study.protocol_values import plain
from synthview.volume.slicing import Plane

DIFFICULTY_QUESTION = "How hard was it?"
DIFFICULTY_LABELS = (
    "extremely subtle",
    "moderately subtle",
    "fairly subtle",
    "moderately obvious",
    "obvious",
)
CONFIDENCE_LABELS = ("surely real", "probably real", "undecided", "probably synthetic", "surely synthetic")


class SectionKind(StrEnum):
    """What is asked."""

    TWO_AFC_REAL = "2afc-real"
    """Two shown, one of them real: which?"""
    TWO_AFC_SYNTHETIC = "2afc-synthetic"
    """Two shown, both synthetic: which is more realistic?"""
    TURING = "turing"
    """One shown: real or synthetic?"""
    RATING = "rating"
    """One shown: rate it."""

    @property
    def panels(self) -> int:
        """How many stimuli are shown at a time."""
        return 2 if self in (SectionKind.TWO_AFC_REAL, SectionKind.TWO_AFC_SYNTHETIC) else 1


class ShownAs(StrEnum):
    """How much of a volume is shown."""

    VOLUME = "volume"
    FIXED_SLICE = "fixed-slice"
    RANDOM_SLICE = "random-slice"


class Changes(StrEnum):
    """Whether a confirmed answer may be changed."""

    NEVER = "never"
    UNTIL_SECTION_END = "until-section-end"


@dataclass(frozen=True)
class Likert:
    """A question answered with a number from 1 on.

    Attributes:
        name: column of the results; for difficulty and confidence just that.
        question: as the reader sees it.
        labels: what 1, 2, … mean; as many as there are numbers, 2 to 9.
    """

    name: str
    question: str
    labels: tuple[str, ...]

    @classmethod
    def read(cls, given: Entries, name: str, question: str, labels: tuple[str, ...]) -> Likert:
        """From a protocol; ``question`` and ``labels`` are what they are where the protocol doesn't say."""
        given.refuse_unknown(("name", "question", "labels"))
        own = given.texts("labels")
        if own and not 2 <= len(own) <= 9:
            raise given.wrong("labels", f"must be 2 to 9 texts, got {len(own)}")
        return cls(given.text("name", name), given.text("question", question), own or labels)


@dataclass(frozen=True)
class Presentation:
    """How a stimulus is shown.

    Attributes:
        shown_as: scrollable volume, one fixed slice, or a slice at a randomly drawn position.
        planes: one of which each trial uses, in turn; for volumes the plane at first.
        position: of the fixed slice, and where a volume is opened: 0 (left, posterior, inferior end) to 1.
        from_position, to_position: between which random slices are drawn.
    """

    shown_as: ShownAs = ShownAs.VOLUME
    planes: tuple[Plane, ...] = (Plane.AXIAL,)
    position: float = 0.5
    from_position: float = 0.3
    to_position: float = 0.7

    @classmethod
    def read(cls, given: Entries) -> Presentation:
        """From a protocol."""
        given.refuse_unknown(("shown_as", "planes", "position", "from_position", "to_position"))
        for name in given.texts("planes"):
            if name not in list(Plane):
                raise given.wrong("planes", f"must be of {', '.join(Plane)}, got {name!r}")
        found = cls(
            ShownAs(given.choice("shown_as", list(ShownAs), ShownAs.VOLUME)),
            tuple(Plane(name) for name in given.texts("planes")) or (Plane.AXIAL,),
            *(
                default if (value := given.number(name, low=0, high=1)) is None else value
                for name, default in (("position", 0.5), ("from_position", 0.3), ("to_position", 0.7))
            ),
        )
        if found.from_position > found.to_position:
            raise given.wrong("from_position", "must not be above to_position; exchange them")
        if found.shown_as is ShownAs.RANDOM_SLICE and given.has("position"):
            raise given.wrong("position", "is for volumes and fixed slices; give from_position and to_position")
        if found.shown_as is not ShownAs.RANDOM_SLICE:
            for name in ("from_position", "to_position"):
                if given.has(name):
                    raise given.wrong(name, "is for random slices; set shown_as to random-slice, or take it out")
        return found


@dataclass(frozen=True)
class Tools:
    """What the reader may do to the picture; what is false is locked.

    Attributes:
        window: change window and level.
        zoom: zoom and pan.
        planes: look at other planes than the trial's.
        volume_3d: look at it in 3D.
    """

    window: bool = True
    zoom: bool = True
    planes: bool = False
    volume_3d: bool = False

    @classmethod
    def read(cls, given: Entries, presentation: Presentation) -> Tools:
        """From a protocol."""
        names = ("window", "zoom", "planes", "volume_3d")
        given.refuse_unknown(names)
        tools = cls(*(given.flag(name, default=getattr(cls(), name)) for name in names))
        if presentation.shown_as is not ShownAs.VOLUME:
            for name in ("planes", "volume_3d"):
                if getattr(tools, name):
                    raise given.wrong(name, f"can't be allowed where a {presentation.shown_as} is shown; take it out")
        return tools


@dataclass(frozen=True)
class Screen:
    """A section as the reader meets it.

    Attributes:
        kind: what is asked.
        title: of the section.
        instructions: shown before its first trial; may be empty.
        question: shown at each trial.
        presentation: how the stimuli are shown.
        tools: what the reader may do to the picture.
        confidence: Turing trials: asked instead of real/synthetic; 1 is surely real.
        cannot_tell: Turing trials: a third answer.
        items: rating: what is rated.
        difficulty: asked after the choice; None where it isn't.
        comment: whether a comment may be written.
        time_limit_s: seconds for a trial, from its first painted frame; None for no limit.
        break_every: trials after which a break is offered; 0 for none.
        changes: whether a confirmed answer may be changed.
    """

    kind: SectionKind
    title: str
    question: str
    instructions: str = ""
    presentation: Presentation = field(default_factory=Presentation)
    tools: Tools = field(default_factory=Tools)
    confidence: Likert | None = None
    cannot_tell: bool = False
    items: tuple[Likert, ...] = ()
    difficulty: Likert | None = None
    comment: bool = False
    time_limit_s: float | None = None
    break_every: int = 0
    changes: Changes = Changes.NEVER

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers among which the reader chooses; none where only numbers are given."""
        if self.kind.panels == 2:
            return ("left", "right")
        if self.kind is SectionKind.RATING or self.confidence is not None:
            return ()
        return ("real", "synthetic", "cannot-tell") if self.cannot_tell else ("real", "synthetic")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a bundle; ``from_dict`` reads them."""
        return plain(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "the study") -> Screen:
        """The inverse of ``to_dict``."""
        return read_screen(Entries(Located.of(content), where))


_SCREEN_FIELDS = (
    "kind",
    "title",
    "question",
    "instructions",
    "presentation",
    "tools",
    "confidence",
    "cannot_tell",
    "items",
    "difficulty",
    "comment",
    "time_limit_s",
    "break_every",
    "changes",
)
_QUESTIONS = {
    SectionKind.TWO_AFC_REAL: "Which one is real?",
    SectionKind.TWO_AFC_SYNTHETIC: "Which one is more realistic?",
    SectionKind.TURING: "Is it real or synthetic?",
    SectionKind.RATING: "Please rate the image.",
}


def read_screen(given: Entries, extra: tuple[str, ...] = ()) -> Screen:
    """A section as the reader meets it, from a protocol; ``extra`` are the fields of its design.

    Raises:
        ProtocolError: names file, line and field.
    """
    given.refuse_unknown(_SCREEN_FIELDS + extra)
    kind = SectionKind(given.choice("kind", list(SectionKind)))
    presentation = Presentation.read(given.entries("presentation"))
    screen = Screen(
        kind=kind,
        title=given.text("title", required=True),
        question=given.text("question", _QUESTIONS[kind]),
        instructions=given.text("instructions"),
        presentation=presentation,
        tools=Tools.read(given.entries("tools"), presentation),
        confidence=_optional_likert(given, "confidence", "How sure are you?", CONFIDENCE_LABELS),
        cannot_tell=given.flag("cannot_tell", default=False),
        items=_rating_items(given),
        difficulty=_optional_likert(given, "difficulty", DIFFICULTY_QUESTION, DIFFICULTY_LABELS),
        comment=given.flag("comment", default=False),
        time_limit_s=given.number("time_limit_s", low=1, high=86_400),
        break_every=given.whole("break_every") or 0,
        changes=Changes(given.choice("changes", list(Changes), Changes.NEVER)),
    )
    _check_kind(given, screen)
    return screen


def _check_kind(given: Entries, screen: Screen) -> None:
    """Make sure that the fields fit the kind of section."""
    if screen.kind is SectionKind.RATING and not screen.items:
        raise given.wrong("items", "is missing; name what is rated, such as [{name: realism}]")
    for name, belongs in (("confidence", SectionKind.TURING), ("cannot_tell", SectionKind.TURING)):
        if getattr(screen, name) and screen.kind is not belongs:
            raise given.wrong(name, f"is for {belongs} sections; take it out")
    if screen.items and screen.kind is not SectionKind.RATING:
        raise given.wrong("items", "is for rating sections; take it out")
    if screen.confidence and screen.cannot_tell:
        raise given.wrong("cannot_tell", "and confidence exclude each other: the middle of the scale says it; keep one")


def _optional_likert(given: Entries, name: str, question: str, labels: tuple[str, ...]) -> Likert | None:
    """``name: true`` for the usual question, or its own question and labels."""
    raw = given.raw(name)
    if raw is None:
        return None
    if isinstance(raw.value, str):
        return Likert(name, question, labels) if given.flag(name, default=False) else None
    entries = given.entries(name)
    entries.refuse_unknown(("question", "labels", "name"))
    likert = Likert.read(entries, name, question, labels)
    if likert.name != name:
        raise entries.wrong("name", "is for rated items; take it out")
    if len(likert.labels) != 5:
        raise entries.wrong("labels", f"must be five texts, for 1 to 5, got {len(likert.labels)}")
    return likert


def _rating_items(given: Entries) -> tuple[Likert, ...]:
    found: list[Likert] = []
    for part in given.parts("items"):
        name = part.text("name", required=True)
        if not name.replace("_", "").replace("-", "").isalnum():
            raise part.wrong("name", f"must be one word such as anatomy, got {name!r}")
        if name in [item.name for item in found]:
            raise part.wrong("name", f"{name!r} is there twice; rename one")
        found.append(Likert.read(part, name, name.capitalize(), ("very poor", "poor", "fair", "good", "very good")))
    return tuple(found)
