"""``synthview study results``: open the key, join it with the answers, count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import AsJson, make_folder, print_json, progress_line
from synthview.cli.study_make import Study
from synthview.cli.study_passphrase import PassphraseFile, passphrase


def results(
    study: Study,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for report and tables; made if it isn't there.")] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Count the votes; with --out write the report, the long table of votes and everything recorded beside it."""
    from synthview.errors import StudyError
    from synthview.study.report.from_study import study_facts
    from synthview.study.report.write import write_report
    from synthview.study.results import study_results, write_results
    from synthview.study.statistics.analyse import analyse
    from synthview.study.study_check import check_study
    from synthview.study.study_folder import StudyFolder

    with StudyFolder.open(study) as opened:
        check_study(opened)
        key = opened.key(passphrase(passphrase_file))
        found = study_results(opened, key)
        if out is not None:
            make_folder(out)
            written = write_results(found, out)
        if not found.votes:
            raise StudyError("nobody has answered a trial that counts yet; there is nothing to analyse")
        analysis = analyse(found.votes, notes=found.left_out)
        if out is not None:
            facts = study_facts(opened, key, analysis)
            reported = write_report(analysis, found.votes, out, facts, progress_line("writing the report"))
            written = [*reported, *(path for path in written if path not in reported)]
    if as_json:
        print_json([result.to_dict() for result in analysis.results])
        return
    for sentence in found.left_out:
        typer.echo(f"! {sentence}")
    for result in analysis.results:
        if result.scope == "pooled":
            typer.echo(f"{result.section}, {result.question}: {result.sentence}")
    if out is not None:
        typer.echo("\n".join(str(path) for path in written))
