"""Short slow work (reading and writing files) off the GUI thread; for generating see ``gui.worker``."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from synthview.errors import SynthviewError


class _Outcome(QObject):
    """Brings the outcome over to the GUI thread."""

    done = Signal(object)
    failed = Signal(object, str)


class _Call(QRunnable):
    def __init__(self, work: Callable[[], Any], outcome: _Outcome) -> None:
        super().__init__()
        self._work = work
        self._outcome = outcome

    def run(self) -> None:
        try:
            result = self._work()
        except SynthviewError as error:
            self._outcome.failed.emit(error, "")
        except Exception as error:  # noqa: BLE001  (shown to the user with its details, not swallowed)
            sentence = SynthviewError(f"Something failed that should not have: {error}")
            self._outcome.failed.emit(sentence, traceback.format_exc())
        else:
            self._outcome.done.emit(result)


class Background(QObject):
    """Runs calls on threads and hands their outcome to the GUI thread."""

    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
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
        self._pool.start(_Call(work, outcome))

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    def wait(self) -> None:
        """Wait for what is under way (a file being written) before the program ends."""
        self._pool.waitForDone()

    def _ended(self, outcome: _Outcome, tell: Callable[[], None]) -> None:
        self._under_way.discard(outcome)
        outcome.deleteLater()
        if not self._under_way:
            self.busy_changed.emit(False)
        tell()
