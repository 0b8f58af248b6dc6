"""Short slow work (reading and writing files) off the GUI thread; for generating see ``gui.worker``."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Signal

from synthview.errors import SynthviewError


class _Outcome(QObject):
    """Brings the outcome over to the GUI thread."""

    done = Signal(object)
    failed = Signal(object, str)


def _call(work: Callable[[], Any], outcome: _Outcome) -> None:
    try:
        result = work()
    except SynthviewError as error:
        _tell(outcome, "failed", error, "")
    except Exception as error:  # noqa: BLE001  (shown to the user with its details, not swallowed)
        sentence = SynthviewError(f"Something failed that should not have: {error}")
        _tell(outcome, "failed", sentence, traceback.format_exc())
    else:
        _tell(outcome, "done", result)


def _tell(outcome: _Outcome, signal: str, *args: object) -> None:
    with suppress(RuntimeError):  # the window was closed meanwhile: Qt's half of the outcome is gone
        getattr(outcome, signal).emit(*args)


class Background(QObject):
    """Runs calls on threads and hands their outcome to the GUI thread.

    The threads are Python's, not a ``QThreadPool``'s: that one's destructor waits for its threads while it holds
    Python's lock, which they need to end.
    """

    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(thread_name_prefix="background")
        self._futures: set[Future[None]] = set()
        self._under_way: set[_Outcome] = set()

    def run(
        self,
        work: Callable[[], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[SynthviewError, str], None],
    ) -> None:
        """Call ``work`` on a thread; then, in the GUI thread, ``on_done(result)`` or ``on_failed(error, details)``."""
        outcome = _Outcome(self)
        self._under_way.add(outcome)
        outcome.done.connect(lambda result: self._ended(outcome, lambda: on_done(result)))
        outcome.failed.connect(lambda error, details: self._ended(outcome, lambda: on_failed(error, details)))
        if len(self._under_way) == 1:
            self.busy_changed.emit(True)
        future = self._pool.submit(_call, work, outcome)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    def wait(self) -> None:
        """Wait for what is under way (a file being written) before the program ends."""
        wait(set(self._futures))

    def _ended(self, outcome: _Outcome, tell: Callable[[], None]) -> None:
        self._under_way.discard(outcome)
        outcome.deleteLater()
        if not self._under_way:
            self.busy_changed.emit(False)
        tell()
