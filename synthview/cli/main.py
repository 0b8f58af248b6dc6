"""Tells the window from a command, and turns every error into one line and an exit status.

0: done.  1: it failed (SynthviewError).  2: asked wrongly (WrongRequestError, unknown options).  130: Ctrl+C.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from synthview.errors import Cancelled, SynthviewError, WrongRequestError
from synthview.resources import bundled_checkpoints

if TYPE_CHECKING:
    import typer

COMMANDS = (
    "inspect",
    "describe",
    "decode",
    "generate",
    "reconstruct",
    "verify",
    "study",
    "train",
    "evaluate",
    "train-data",
)


def run(arguments: Sequence[str]) -> int:
    """Run a command, or open the window with the files given; returns the exit status."""
    try:
        if not arguments or not (arguments[0] in COMMANDS or arguments[0].startswith("-")):
            return _window(arguments)
        return _command(arguments)
    except WrongRequestError as error:
        return _say(error, 2)
    except SynthviewError as error:
        return _say(error, 1)
    except (KeyboardInterrupt, Cancelled):
        return _say("stopped", 130)
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 1


def _window(arguments: Sequence[str]) -> int:
    files = [_file_meant(argument) for argument in arguments]
    from synthview.gui.app import run as open_window

    return open_window(files)


def _file_meant(word: str) -> Path:
    """A file or folder, or a bundled checkpoint by its name."""
    if Path(word).exists():
        return Path(word)
    bundled = bundled_checkpoints()
    if word not in bundled:
        raise WrongRequestError(_unknown_word(word))
    return bundled[word]


def _unknown_word(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean synthview {close[0]}" if close else f"the commands are {', '.join(COMMANDS)}"
    return f"{word!r} is neither a command nor a file that exists; {hint} (see synthview --help)"


def _command(arguments: Sequence[str]) -> int:
    import typer

    from synthview.cli.app import app
    from synthview.cli.study_read import OpenReading

    try:
        result = app(list(arguments), prog_name="synthview", standalone_mode=False)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except _usage_error() as error:
        return _say(error.format_message().rstrip(".") + "; see --help", 2)
    if isinstance(result, OpenReading):
        from synthview.gui.app import read_study

        return read_study(result.path, result.reader)
    return result if isinstance(result, int) else 0


def _usage_error() -> type[typer.BadParameter]:
    """What typer raises for any wrong option or argument: it exports the leaf of that tree, not its root."""
    import typer

    return cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def _say(what: object, status: int) -> int:
    print(f"synthview: {' '.join(str(what).split())}", file=sys.stderr)  # noqa: T201
    return status
