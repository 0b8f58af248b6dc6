"""Tables that people make in a spreadsheet: a header line, and columns parted by commas, semicolons or tabs."""

from __future__ import annotations

from pathlib import Path

from synthview.errors import SynthviewError


def read_text(path: Path, error: type[SynthviewError]) -> str:
    """A table's text, without a byte order mark.

    Raises:
        error: it can't be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as refused:
        raise error(f"{path} can't be read: {refused.strerror or refused}") from refused
    except UnicodeDecodeError as refused:
        raise error(f"{path.name} is not UTF-8 text; save it as CSV (UTF-8) from the spreadsheet") from refused


def separator(text: str) -> str:
    """What parts a table's columns: of comma, semicolon and tab, the one that its header line has most often."""
    header = text.lstrip().partition("\n")[0]
    return max(",;\t", key=header.count)
