"""Running a program from somebody else needs the user's yes, which is kept for that very file."""

from __future__ import annotations

from synthview import userdata
from synthview.errors import TrustNeededError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.programs.program import Program


def check_trust(checkpoint: Checkpoint, program: Program, *, trusted: bool) -> None:
    """Go on if the program can't do harm, or if the user trusts it: now, or earlier with the same content.

    Raises:
        TrustNeededError: the user has not said so; says what the risk is, and how to say it.
    """
    if not program.runs_code:
        return
    if trusted:
        userdata.trust(checkpoint.sha256, checkpoint.path)
    elif not userdata.is_trusted(checkpoint.sha256):
        raise TrustNeededError(
            f"{checkpoint.path} is a {checkpoint.container}: opening it runs code from it, which could read, change or "
            "send away your files, so nothing of it was run. If you trust whoever made it, say --trust (in Python: "
            "load_generator(…, trust=True)); that is remembered for this very file",
            str(checkpoint.path),
            str(checkpoint.container),
            checkpoint.sha256,
        )


def trust_note(checkpoint: Checkpoint, program: Program) -> tuple[str, ...]:
    """What ``inspect`` says of it."""
    if not program.runs_code or userdata.is_trusted(checkpoint.sha256):
        return ()
    return ("It is a program: generating with it runs code from the file, and needs your yes (--trust).",)
