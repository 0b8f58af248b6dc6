"""``synthview study``: reader studies; the commands are gathered here."""

from __future__ import annotations

import typer

from synthview.cli.study_analysis import analyse, explain_summary

study = typer.Typer(
    name="study",
    help="Reader studies: what readers answered, counted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (analyse, explain_summary):
    study.command()(command)
