"""Writes a report: HTML, PDF, figures, tables, the votes themselves, and iMRMC's input."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from synthview.errors import SaveError
from synthview.study.report.cards import cards
from synthview.study.report.facts import StudyFacts
from synthview.study.report.figures import figure_png, figure_svg
from synthview.study.report.html import report_html
from synthview.study.report.pdf import report_pdf
from synthview.study.report.plots import Plot
from synthview.study.report.tables import imrmc_files, joined_csv, results_csv
from synthview.study.statistics.analyse import Analysis
from synthview.study.votes import Vote
from synthview.study.votes_csv import votes_text


def write_report(
    analysis: Analysis,
    votes: Iterable[Vote],
    out: Path | str,
    facts: StudyFacts | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write everything about a study into a folder; files of the same names are replaced, others stay.

    Args:
        analysis: what was computed.
        votes: the long table it was computed from, written as ``responses.csv``.
        out: the folder; it is made if it isn't there.
        facts: what is known of the study besides its votes.
        progress: is told the fraction done; may raise ``Cancelled`` (what is written by then stays).

    Returns:
        The files, ``report.html`` and ``report.pdf`` first.

    Raises:
        SaveError: the folder or a file can't be written.
    """
    out, facts = Path(out), facts or StudyFacts()
    made: list[tuple[str, Callable[[], bytes]]] = [
        ("report.html", lambda: report_html(analysis, facts).encode()),
        ("report.pdf", lambda: report_pdf(analysis, facts)),
        ("results.json", lambda: _json(analysis).encode()),
        ("results.csv", lambda: results_csv(analysis.results).encode()),
        ("responses.csv", lambda: votes_text(votes).encode()),
        *([("metrics.csv", lambda: joined_csv(analysis.joined).encode())] if analysis.joined else []),
        *_figures(analysis),
        *_imrmc(analysis),
    ]
    written = []
    for i, (name, content) in enumerate(made):
        if progress is not None:
            progress(i / len(made))
        written.append(_write(out / name, content()))
    if progress is not None:
        progress(1.0)
    return written


def _json(analysis: Analysis) -> str:
    results = [result.to_dict() for result in analysis.results]
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def _figures(analysis: Analysis) -> list[tuple[str, Callable[[], bytes]]]:
    """Each figure as SVG, and as PNG for a manuscript (300 dpi)."""
    files: dict[str, Callable[[], bytes]] = {}
    for card in cards(analysis):
        for plot in card.plots:
            stem = f"figures/{file_name(f'{card.section}-{plot.name}')}"
            while f"{stem}.svg" in files:
                stem += "_"
            files[f"{stem}.svg"] = lambda plot=plot: figure_svg(plot).encode()  # type: ignore[misc]
            files[f"{stem}.png"] = lambda plot=plot: figure_png(plot)  # type: ignore[misc]
    return list(files.items())


def _imrmc(analysis: Analysis) -> list[tuple[str, Callable[[], bytes]]]:
    return [
        (f"imrmc/{file_name(section.name)}{ending}", lambda text=text: text.encode())  # type: ignore[misc]
        for section in analysis.sections
        for ending, text in imrmc_files(section).items()
    ]


def save_figure(plot: Plot, path: Path) -> Path:
    """Save one figure as SVG, or as PNG at 300 dpi, by the ending of its name.

    Raises:
        SaveError: another ending, or the disk refused.
    """
    if path.suffix.lower() not in (".svg", ".png"):
        raise SaveError(f"{path.name}: a figure is saved as .svg or .png")
    return _write(path, figure_svg(plot).encode() if path.suffix.lower() == ".svg" else figure_png(plot))


def file_name(text: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.").lower() or "section"


def _write(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise SaveError(f"{path} can't be written: {error.strerror or error}; choose another folder") from error
    return path
