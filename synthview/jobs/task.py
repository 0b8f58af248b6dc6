"""What slow work is handed: report progress, stop when asked.  No Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable

from synthview.errors import Cancelled

Progress = Callable[[float], None]
"""Called by slow work with the fraction done (0-1); raises ``Cancelled`` if the work is unwanted."""


class Task:
    """One piece of slow work, seen from both sides: the worker reports, the owner may cancel."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress
        self.cancelled = threading.Event()

    def progress(self, fraction: float) -> None:
        """Report the fraction done (0-1).

        Raises:
            Cancelled: the work is unwanted.
        """
        if self.cancelled.is_set():
            raise Cancelled
        self._on_progress(fraction)
