"""``python -m synthview`` and the ``synthview`` command."""

from __future__ import annotations

import atexit
import gc
import sys


def main() -> int:
    """Run the command line; returns the exit status."""
    from synthview.cli.main import run

    atexit.register(gc.freeze)  # the end of a process frees its memory faster than Python's search for what can go
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
