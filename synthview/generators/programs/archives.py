"""What TorchScript archives and exported programs share as files."""

from __future__ import annotations

from pathlib import Path

from synthview.errors import CheckpointError
from synthview.generators import ahead
from synthview.generators.containers import first_damaged_record
from synthview.generators.sniffing import AGAIN
from synthview.generators.wording import brief, one_line


def check_archive(path: Path) -> None:
    """Compare an archive's records with their check sums.

    Raises:
        CheckpointError: one doesn't fit.
    """
    if (record := ahead.result(first_damaged_record, path)) is not None:
        raise CheckpointError(f"{path} is damaged: its record {brief(record)} does not fit its check sum; {AGAIN}")


def damaged(path: Path, error: Exception) -> CheckpointError:
    """What to say where a program can't be read."""
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return CheckpointError(
        f"{path} can't be opened ({one_line(first, 160).rstrip('.')}): it is damaged, or was made for another version "
        "of torch; export it again"
    )
