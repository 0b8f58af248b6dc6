"""``synthview study``: reader studies; the commands are gathered here."""

from __future__ import annotations

import typer

from synthview.cli.study_analysis import analyse, explain_summary
from synthview.cli.study_check import check
from synthview.cli.study_demo import demo
from synthview.cli.study_make import new, overrule
from synthview.cli.study_plan import plan
from synthview.cli.study_read import run
from synthview.cli.study_results import results
from synthview.cli.study_share import export, import_

study = typer.Typer(
    name="study",
    help="Reader studies: make, read, merge, check and count them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for command in (new, check, overrule, run, demo, export, import_, results, analyse, explain_summary, plan):
    study.command(command.__name__.strip("_").replace("_", "-"))(command)
