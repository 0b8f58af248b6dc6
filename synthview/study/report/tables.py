"""Results as CSV, and confidence ratings as the file that FDA's iMRMC opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields

from synthview.study.statistics.accuracy import arms_of
from synthview.study.statistics.data import Section
from synthview.study.statistics.metric_join import Joined
from synthview.study.statistics.result import Result
from synthview.study.statistics.turing import said_synthetic
from synthview.study.votes import REAL, Kind, Vote


def results_csv(results: Iterable[Result]) -> str:
    """One row for each result; several warnings are parted by " | ", two degrees of freedom by a space."""
    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for result in results:
        row = result.to_dict()
        row["warnings"] = " | ".join(result.warnings)
        if isinstance(result.df, tuple):
            row["df"] = " ".join(f"{value:g}" for value in result.df)
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue()


def joined_csv(joined: Iterable[Joined]) -> str:
    """Metrics beside votes, one row an item and metric."""
    out = io.StringIO()
    names = [field.name for field in fields(Joined)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in joined)
    return out.getvalue()


def _score(vote: Vote) -> float | None:
    """Confidence, or 1 and 0 for the words synthetic and real."""
    if vote.score is not None:
        return vote.score
    said = said_synthetic(vote)
    return None if said is None else float(said)


def imrmc_files(section: Section) -> dict[str, str]:
    """The section as iMRMC input, and the key to its numbers; {} where it isn't a Turing section of real and synthetic.

    Format of iMRMC 4 (DIDSR/iMRMC, user manual): free text, counts N0, N1, NR, NM, ``BEGIN DATA:``, then one row for
    the truth of every case (reader -1, modality 0, score 0 real or 1 synthetic) and one for every score: reader, case,
    modality, score.  Each generator is a modality; real cases are part of all of them.  Readers and cases are numbers,
    because other programs that read the format want numbers.
    """
    if section.kind is not Kind.TURING:
        return {}
    scored = [(vote, score) for vote in section.votes if (score := _score(vote)) is not None]
    arms = arms_of(vote for vote, _ in scored)
    generators = [arm for arm in arms if arm != REAL]
    if REAL not in arms or not generators:
        return {}
    arm_by_item = {vote.item: vote.arm_left for vote, _ in scored}
    items = [item for item in section.items if item in arm_by_item]
    cases = {item: number for number, item in enumerate(items, start=1)}
    readers = {reader: number for number, reader in enumerate(section.readers, start=1)}
    lines = [
        f"synthview: section {section.name}; 0 is real, 1 is synthetic; a higher score is more surely synthetic",
        "",
        f"N0: {sum(arm == REAL for arm in arm_by_item.values())}",
        f"N1: {sum(arm != REAL for arm in arm_by_item.values())}",
        f"NR: {len(readers)}",
        f"NM: {len(generators)}",
        "",
        "BEGIN DATA:",
    ]
    lines += [f"-1,{number},0,{int(arm_by_item[item] != REAL)}" for item, number in cases.items()]
    for modality, generator in enumerate(generators, start=1):
        lines += [
            f"{readers[vote.reader]},{cases[vote.item]},{modality},{score:g}"
            for vote, score in scored
            if vote.arm_left in (REAL, generator)
        ]
    key = io.StringIO()
    writer = csv.writer(key, lineterminator="\n")
    writer.writerow(("what", "number", "name", "arm"))
    writer.writerows(("reader", number, reader, "") for reader, number in readers.items())
    writer.writerows(("case", number, item, arm_by_item[item]) for item, number in cases.items())
    writer.writerows(("modality", number, generator, generator) for number, generator in enumerate(generators, start=1))
    return {".imrmc": "\n".join(lines) + "\n", "-key.csv": key.getvalue()}
