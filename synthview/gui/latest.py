"""The newest request wins: of many asked for while a slider moves, one runs and one waits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, Signal

from synthview.errors import Cancelled
from synthview.generators.info import GenerateRequest
from synthview.gui.worker import Worker

_PREVIEW_WORTH_ENDING_MS = 3000


@dataclass(frozen=True)
class _Wanted:
    """A volume that somebody asked for."""

    path: str | Path
    request: GenerateRequest
    device: str


class LatestWins(QObject):
    """Runs one ``Generate`` at a time; of those that come meanwhile, keeps the newest.

    What runs is finished and shown although a newer request waits: if every superseded picture were dropped, a steady
    drag would show nothing until the hand stops.  Only what takes many steps, and so perhaps minutes, is given up for a
    newer request (``preempt``); a coarse preview of it not before it has taken three seconds.

    Signals:
        finished: a request and its volume.
        failed: a request, its error and details; not for what ``cancel`` stopped.
        progressed: fraction done (0-1) of what runs.
        busy_changed: whether something runs.
    """

    finished = Signal(object, object)
    failed = Signal(object, object, str)
    progressed = Signal(float)
    busy_changed = Signal(bool)

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._job: int | None = None
        self._running: _Wanted | None = None
        self._waiting: _Wanted | None = None
        self._since_start = QElapsedTimer()
        worker.progressed.connect(self._on_progressed)
        worker.finished.connect(self._on_finished)
        worker.failed.connect(self._on_failed)

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._running is not None

    def submit(
        self, path: str | Path, request: GenerateRequest, device: str = "auto", *, preempt: bool = False
    ) -> None:
        """Ask for a volume from the checkpoint opened last from ``path``; ``preempt`` gives up what runs for it."""
        wanted = _Wanted(path, request, device)
        if self._running is None:
            self._start(wanted)
            self.busy_changed.emit(True)
        else:
            self._waiting = wanted
            if preempt and self._job is not None and not self._is_quick(self._running):
                self._worker.cancel(self._job)  # which then fails with Cancelled, and the waiting one starts

    def cancel(self) -> None:
        """Stop what runs and forget what waits; neither is heard of again."""
        job, self._job, self._running, self._waiting = self._job, None, None, None
        if job is not None:
            self._worker.cancel(job)
            self.busy_changed.emit(False)

    def _is_quick(self, running: _Wanted) -> bool:
        """Whether what runs is a coarse preview that may well end soon."""
        return running.request.coarse and self._since_start.elapsed() < _PREVIEW_WORTH_ENDING_MS

    def _start(self, wanted: _Wanted) -> None:
        self._running = wanted
        self._since_start.start()
        self._job = self._worker.generate(wanted.path, wanted.request, device=wanted.device)

    def _on_progressed(self, job: int, fraction: float) -> None:
        if job == self._job:
            self.progressed.emit(fraction)

    def _on_finished(self, job: int, result: object) -> None:
        if (ended := self._end(job)) is not None:
            self.finished.emit(ended.request, result)

    def _on_failed(self, job: int, error: Exception, details: str) -> None:
        ended = self._end(job)
        if ended is not None and not isinstance(error, Cancelled):
            self.failed.emit(ended.request, error, details)

    def _end(self, job: int) -> _Wanted | None:
        """Note the end of what runs and start what waits; None if the job is somebody else's."""
        if job != self._job or self._running is None:
            return None
        ended, waiting = self._running, self._waiting
        self._job = self._running = self._waiting = None
        if waiting is not None:
            self._start(waiting)
        else:
            self.busy_changed.emit(False)
        return ended
