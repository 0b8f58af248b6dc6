"""``synthview study new`` and ``overrule``: make a study, and let it begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthview.cli.shared import AsJson, Device, print_facts, print_json, progress_line
from synthview.cli.study_passphrase import PassphraseFile, passphrase

if TYPE_CHECKING:
    from synthview.study.study_folder import StudyFolder
    from synthview.study.trial import AnswerKey

Study = Annotated[Path, typer.Argument(help="The study's folder.")]


def new(
    protocol: Annotated[Path, typer.Argument(help="What is asked, a YAML or JSON file (docs/studies.md).")],
    out: Annotated[Path, typer.Option(help="The study's folder; must be new or empty.")],
    *,
    database: Annotated[
        str | None, typer.Option(help="Keep answers in PostgreSQL: postgresql://user@host/database.")
    ] = None,
    device: Device = "auto",
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a study: volumes, harmonisation, leak check, schedule, sealed answer key."""
    from synthview.errors import WrongRequestError
    from synthview.study.protocol import Protocol
    from synthview.study.store_engine import is_postgres

    asked = Protocol.load(protocol)
    if database is not None and not is_postgres(database):
        raise WrongRequestError(f"--database {database} should be postgresql://user@host/database")
    secret = passphrase(passphrase_file, new=True)
    from synthview.jobs.new_study import make_study

    made = make_study(
        asked, protocol.parent, out, secret, progress_line("making the study"), record=database, device=device
    )
    with made:
        key = made.key(secret)
        facts = _facts(made, key)
        leaks = [str(sentence) for sentence in key.leak_report.get("sentences", ())]
        if as_json:
            print_json({**facts, "blocked": made.blocked(), "leak_report": dict(key.leak_report)})
            return
        print_facts({name.replace("_", " "): str(value) for name, value in facts.items()})
        for sentence in leaks:
            typer.echo(f"leak check: {sentence}")
        if reason := made.blocked():
            typer.echo(f"\nReaders may not begin: {reason}:\n  synthview study overrule {out} --reason …")


def overrule(
    study: Study,
    *,
    reason: Annotated[str, typer.Option(help="Why the finding does no harm; it stays in the record.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Let readers begin although the leak check found something."""
    from synthview.study.study_folder import StudyFolder

    with StudyFolder.open(study) as opened:
        opened.overrule(reason, passphrase(passphrase_file))
    typer.echo("overruled; readers may begin, and the reason is in the record")


def _facts(study: StudyFolder, key: AnswerKey) -> dict[str, str | int]:
    trials = [len(study.store.trials(reader)) for reader in study.store.readers]
    return {
        "study": str(study.path),
        "title": study.store.protocol.title,
        "readers": len(trials),
        "trials_per_reader": trials[0],
        "stimuli": len(key.materials),
        "seed": key.seed,
        "schedule": study.store.schedule_sha256,
    }
