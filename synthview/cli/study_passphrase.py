"""The coordinator's passphrase: from a file, the environment, or asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from synthview.errors import WrongRequestError

VARIABLE = "SYNTHVIEW_STUDY_PASSPHRASE"
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the coordinator's passphrase in its first line; else {VARIABLE}, else it is asked."),
]


def passphrase(file: Path | None, *, new: bool = False) -> str:
    """The passphrase.

    Args:
        file: where it is written; None to look in the environment and then to ask.
        new: ask twice, as it is about to seal something.

    Raises:
        WrongRequestError: the file can't be read, or nobody is there to be asked.
    """
    if (known := given_passphrase(file)) is not None:
        return known
    if not sys.stdin.isatty():
        raise WrongRequestError(f"the passphrase is needed: set {VARIABLE}, or name a file with --passphrase-file")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True))


def given_passphrase(file: Path | None) -> str | None:
    """The passphrase if somebody gave it beforehand.

    Raises:
        WrongRequestError: the file can't be read.
    """
    if file is None:
        return os.environ.get(VARIABLE) or None
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongRequestError(f"--passphrase-file {file} can't be read: {error}") from error
    return lines[0] if lines else ""
