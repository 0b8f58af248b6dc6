"""Puts the votes in order before anything is computed, and says what was counted, left out, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, listed
from synthview.study.votes import CANNOT_TELL, Kind, Vote

Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """The votes of one section and kind, ready to be counted.

    Attributes:
        name: the section.
        kind: what was asked.
        votes: answered questions, each reader and item once (the first answer).
        repeats: first and later answer where a question was asked again.
        asked: how many rows there were.
        notes: what was left out or looks odd.
    """

    name: str
    kind: Kind
    votes: tuple[Vote, ...]
    repeats: tuple[tuple[Vote, Vote], ...]
    asked: int
    notes: tuple[str, ...]

    @cached_property
    def readers(self) -> list[str]:
        """Everyone who answered, in the order of the names."""
        return sorted({vote.reader for vote in self.votes}, key=natural)

    @cached_property
    def items(self) -> list[str]:
        """Everything that was shown."""
        return sorted({vote.item for vote in self.votes}, key=natural)

    def where(self, keep: Callable[[Vote], bool]) -> Section:
        """The same with some of the votes."""
        return replace(self, votes=tuple(filter(keep, self.votes)), notes=())

    def result(self) -> Result:
        """What was counted, as a result."""
        left_out = self.asked - len(self.votes)
        shown = "pair" if self.kind is Kind.TWO_AFC else "stimulus"
        said = (
            f"{count(len(self.votes), 'answer')} from {count(len(self.readers), 'reader')} on "
            f"{count(len(self.items), shown, 'stimuli' if shown == 'stimulus' else None)} are counted"
        )
        said += f"; {left_out} of {self.asked} rows are left out or used otherwise." if left_out else ", none left out."
        notes = list(self.notes)
        if len(self.readers) == 1:
            notes.append("Only one reader: nothing can be said about other readers.")
        if len(self.items) == 1:
            notes.append(f"Only one {shown}: nothing can be said about others.")
        return Result(
            self.name, "data", POOLED, "vote", "count", said, n=len(self.votes), warnings=tuple(notes)
        )  # fmt: skip


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts "R2" before "R10"."""
    parts: list[str] = [""]
    for character in name:
        if character.isdigit() == parts[-1].isdigit():
            parts[-1] += character
        else:
            parts.append(character)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def sections_of(votes: Iterable[Vote], exclude_incomplete: bool = False) -> list[Section]:
    """The sections, in the order in which they appear; a section of several kinds is split.

    Args:
        votes: as read.
        exclude_incomplete: leave out, section by section, readers who answered fewer items than the others.
    """
    grouped: dict[tuple[str, Kind], list[Vote]] = defaultdict(list)
    for vote in votes:
        grouped[vote.section, vote.kind].append(vote)
    names = Counter(name for name, _ in grouped)
    return [
        _section(name if names[name] == 1 else f"{name} ({kind})", kind, members, exclude_incomplete)
        for (name, kind), members in grouped.items()
    ]


def _section(name: str, kind: Kind, rows: list[Vote], exclude_incomplete: bool) -> Section:
    notes: list[str] = []
    unique = _without_repeated_imports(rows, notes)
    unique = _told_apart(unique, notes)
    answered = [vote for vote in unique if vote.answered]
    _note_missing(unique, notes)
    first: dict[tuple[str, str], Vote] = {}
    repeats: list[tuple[Vote, Vote]] = []
    for vote in answered:
        earlier = first.setdefault((vote.reader, vote.item), vote)
        if earlier is not vote:
            repeats.append((earlier, vote))
    if repeats:
        notes.append(
            f"{count(len(repeats), 'answer')} to a question asked again: the first answer is counted, the later one "
            "serves intra-reader reliability only."
        )
    counted = [vote for vote in first.values() if vote.answer != CANNOT_TELL]
    unsure = len(first) - len(counted)
    if unsure:
        notes.append(f'{count(unsure, "answer")} "can\'t tell": left out of right and wrong.')
    counted = _incomplete(counted, exclude_incomplete, notes)
    return Section(name, kind, tuple(counted), tuple(repeats), len(rows), tuple(notes))


def _without_repeated_imports(rows: list[Vote], notes: list[str]) -> list[Vote]:
    """Rows that are the same to the millisecond were imported twice; so was a reader whose every row comes twice."""
    times = Counter(rows)
    of_reader: dict[str, list[int]] = defaultdict(list)
    for vote, number in times.items():
        of_reader[vote.reader].append(number)
    twice = {reader for reader, numbers in of_reader.items() if min(numbers) > 1 and len(set(numbers)) == 1}
    kept: list[Vote] = []
    seen: set[Vote] = set()
    for vote in rows:
        if vote in seen and (vote.response_time_ms is not None or vote.reader in twice):
            continue
        seen.add(vote)
        kept.append(vote)
    if len(kept) < len(rows):
        notes.append(
            f"{count(len(rows) - len(kept), 'row')} came twice, alike in every field (repeated import): counted once."
        )
    return kept


def _told_apart(rows: list[Vote], notes: list[str]) -> list[Vote]:
    """An item name that stands for different arms is made into different items."""
    arms: dict[str, set[frozenset[str]]] = defaultdict(set)
    for vote in rows:
        arms[vote.item].add(frozenset((vote.arm_left, vote.arm_right)))
    several = {item for item, kinds in arms.items() if len(kinds) > 1}
    if not several:
        return rows
    notes.append(
        f"{listed(sorted(several, key=natural))} stand for different arms in different rows: taken as different items."
    )
    return [
        replace(vote, item=f"{vote.item} ({' and '.join(sorted(filter(None, {vote.arm_left, vote.arm_right})))})")
        if vote.item in several
        else vote
        for vote in rows
    ]


def _note_missing(rows: Sequence[Vote], notes: list[str]) -> None:
    missing = Counter(vote.reader for vote in rows if not vote.answered)
    if missing:
        who = listed([f"{reader} ({number})" for reader, number in sorted(missing.items())])
        notes.append(f"{count(sum(missing.values()), 'question')} without an answer: left out. Readers: {who}.")


def _incomplete(votes: list[Vote], exclude: bool, notes: list[str]) -> list[Vote]:
    answered = Counter(vote.reader for vote in votes)
    most = max(answered.values(), default=0)
    short = {reader: number for reader, number in answered.items() if number < most}
    if not short:
        return votes
    who = listed([f"{reader} ({number} of {most})" for reader, number in sorted(short.items())])
    treated = "left out, as asked" if exclude else "the answers that they gave are counted"
    notes.append(f"Readers with fewer answers than others (abandoned, or fewer questions asked): {who}; {treated}.")
    return [vote for vote in votes if vote.reader not in short] if exclude else votes


def table(votes: Iterable[Vote], value: Callable[[Vote], float | None]) -> tuple[Table, list[str], list[str]]:
    """Readers × items with a value for each vote, NaN where there is none; and the names of rows and columns."""
    rows = list(votes)
    readers = sorted({vote.reader for vote in rows}, key=natural)
    items = sorted({vote.item for vote in rows}, key=natural)
    at_reader, at_item = ({name: i for i, name in enumerate(names)} for names in (readers, items))
    out = np.full((len(readers), len(items)), np.nan)
    for vote in rows:
        number = value(vote)
        if number is not None:
            out[at_reader[vote.reader], at_item[vote.item]] = number
    return out, readers, items
