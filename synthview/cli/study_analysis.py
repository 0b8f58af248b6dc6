"""``synthview study analyse`` and ``explain-summary``: statistics of votes from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthview.cli.shared import AsJson, print_json, progress_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synthview.study.statistics.result import Result


def analyse(
    responses: Annotated[Path, typer.Argument(help="The long table of votes, a CSV file (docs/statistics.md).")],
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for the report: HTML, PDF, figures and tables.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the report; the file's name if left out.")] = None,
    thumbnails: Annotated[
        Path | None, typer.Option(help="Folder with a picture ITEM.png for items that the report may show.")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="Table of metrics per volume (CSV), joined to the votes by item.")
    ] = None,
    exclude_incomplete: Annotated[
        bool, typer.Option("--exclude-incomplete", help="Leave out readers who answered fewer items than others.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Statistics of a table of responses, each with its hypothesis, unit, interval and a sentence."""
    from synthview.study.report.facts import StudyFacts, read_thumbnails
    from synthview.study.report.write import write_report
    from synthview.study.statistics.analyse import analyse as compute
    from synthview.study.statistics.metric_table import read_metrics
    from synthview.study.votes_csv import read_votes

    votes = read_votes(responses)
    values = read_metrics(metrics) if metrics else ()
    analysis = compute(votes, exclude_incomplete=exclude_incomplete, metrics=values)
    if out is not None:
        facts = StudyFacts(title or responses.stem, thumbnails=read_thumbnails(thumbnails) if thumbnails else {})
        written = write_report(analysis, votes, out, facts, progress_line("writing the report"))
    if as_json:
        print_json([result.to_dict() for result in analysis.results])
        return
    for note in analysis.notes:
        typer.echo(f"! {note}")
    _print_results(analysis.results)
    if out is not None:
        typer.echo("\n" + "\n".join(map(str, written)))


def explain_summary(
    *,
    votes: Annotated[tuple[int, int], typer.Option(metavar="A B", help="Votes for the first and the second arm.")],
    pairs: Annotated[int, typer.Option(help="How many pairs were shown.")],
    readers: Annotated[int, typer.Option(help="How many readers voted on each pair.")],
    sd: Annotated[float | None, typer.Option(help="Standard deviation of the votes per pair, as printed.")] = None,
    chi2: Annotated[float | None, typer.Option(help="The reported χ².")] = None,
    p: Annotated[float | None, typer.Option(help="The reported p.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which test a published χ² and p come from, and what the tests of preference give."""
    from synthview.study.statistics.summary import Summary, explain

    results = explain(Summary(votes, pairs, readers, sd=sd, chi2=chi2, p=p))
    if as_json:
        print_json([result.to_dict() for result in results])
    else:
        _print_results(results)


def _print_results(results: Iterable[Result]) -> None:
    """Sentences, section by section, warnings above; items one by one only in the JSON and the report."""
    section = ""
    for result in results:
        if result.scope.startswith("item "):
            continue
        if result.section != section:
            section = result.section
            typer.echo(f"\n{section}\n{'=' * len(section)}")
        for warning in result.warnings:
            typer.echo(f"  ! {warning}")
        typer.echo(f"{result.question}: {result.sentence}")
