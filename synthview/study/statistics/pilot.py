"""What a pilot's votes say for planning: the share, and how alike votes are."""

from __future__ import annotations

from pathlib import Path

from synthview.errors import WrongRequestError
from synthview.study.statistics.analyse import preference_part
from synthview.study.statistics.clustered import clustering
from synthview.study.statistics.contrast import Contrast, contrasts
from synthview.study.statistics.data import sections_of
from synthview.study.statistics.planning import Design
from synthview.study.votes_csv import read_votes


def pilot_of(path: Path, section: str | None = None) -> Design:
    """The design of a pilot, from its votes.

    Args:
        path: the long table of votes.
        section: its section, where several set generators against each other.

    Raises:
        ResponsesError: the table can't be used.
        WrongRequestError: it has no votes of generator against generator, or several sections of them.
    """
    parts = {part.name: contrasts(preference_part(part)) for part in sections_of(read_votes(path))}
    usable = {name: found[0] for name, found in parts.items() if found and section in (None, name)}
    if not usable:
        wanted = f"section {section!r}" if section else "any section"
        raise WrongRequestError(f"{path} has no generator-against-generator votes in {wanted}")
    if len(usable) > 1:
        raise WrongRequestError(f"{path} has several sections; name one of them (--section): {', '.join(usable)}")
    return pilot_design(next(iter(usable.values())))


def pilot_design(contrast: Contrast) -> Design:
    """Share and ICCs of a pilot's preference votes; a negative ICC counts as 0."""
    values, readers, items = contrast.table()
    by_pair, by_reader = clustering(values, axis=0), clustering(values, axis=1)
    return Design(
        pairs=max(2, len(items)),
        readers=max(2, len(readers)),
        share=contrast.for_first(contrast.votes).share,
        icc_pair=max(0.0, by_pair.icc) if by_pair else 0.0,
        icc_reader=max(0.0, by_reader.icc) if by_reader else 0.0,
    )
