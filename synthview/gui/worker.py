"""The worker process as the window sees it: methods to give it jobs, signals to hear of them, all in the GUI thread."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from synthview.generators.info import GenerateRequest
from synthview.jobs.client import WorkerClient
from synthview.jobs.messages import Done, Event, Failed, Progress, Ready, Restarted, Stopped

_START_AFTER_MS = 100  # of the event loop: the window is drawn first


class WorkerState(StrEnum):
    """What the worker process is doing."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class Worker(QObject):
    """Runs jobs in the worker process, which starts with the first job or as soon as the window has been shown.

    Every job ends with exactly one ``finished`` or ``failed`` (with ``Cancelled`` if it was cancelled), and never
    before the method that gave it has returned its number.

    Signals:
        ready: the devices there are, a tuple of ``Device``; again after each restart.
        progressed: a job and the fraction done (0-1).
        finished: a job and its result: a ``GeneratorInfo``, a ``Volume`` or a ``Reconstruction``.
        failed: a job, its error, and details for a bug report (mostly none).
        restarted: why the process was started again.
        stopped: why there is no process until the next job.
        state_changed: the new ``state``.
    """

    ready = Signal(object)
    progressed = Signal(int, float)
    finished = Signal(int, object)
    failed = Signal(int, object, str)
    restarted = Signal(str)
    stopped = Signal(str)
    state_changed = Signal(str)
    _arrived = Signal(object)  # an Event; crosses from the client's thread into the GUI thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = WorkerState.STARTING
        self._up = False
        self._closed = False
        self._jobs: set[int] = set()
        self._arrived.connect(self._on_event, Qt.ConnectionType.QueuedConnection)
        self._client = WorkerClient(self._deliver, start=False)
        QTimer.singleShot(_START_AFTER_MS, self, self._start)

    @property
    def state(self) -> WorkerState:
        """What the process is doing."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process's id; None while there is none."""
        return self._client.pid

    def open_checkpoint(
        self,
        path: str | Path,
        *,
        device: str = "auto",
        family: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        remember: bool = False,
    ) -> int:
        """Open a checkpoint and keep it loaded; ``remember`` keeps ``arguments`` as the user's answer for next time."""
        job = self._client.open_checkpoint(path, device=device, family=family, arguments=arguments, remember=remember)
        return self._given(job)

    def generate(self, path: str | Path, request: GenerateRequest, *, device: str = "auto") -> int:
        """Make a volume with the generator opened last from ``path``; returns the job's number."""
        return self._given(self._client.generate(path, request, device=device))

    def describe(self, path: str | Path, content: Mapping[str, Any], *, device: str = "auto") -> int:
        """Keep a manifest for the checkpoint opened last from ``path`` and open it with that."""
        return self._given(self._client.describe(path, content, device=device))

    def reconstruct(
        self, path: str | Path, scan: str | Path, features: Mapping[str, float], *, device: str = "auto"
    ) -> int:
        """Encode and decode a scan's file with the generator opened last from ``path``."""
        return self._given(self._client.reconstruct(path, scan, features, device=device))

    def cancel(self, job: int) -> None:
        """Stop a job, which then fails with ``Cancelled``; nothing happens to one that has ended."""
        if job in self._jobs:
            self._client.cancel(job)

    def close(self) -> None:
        """End the process; no signal comes after this.  Safe to call twice."""
        self._closed = True
        self._client.close()

    @Slot()
    def _start(self) -> None:
        if not self._closed:
            self._client.start()

    def _given(self, job: int) -> int:
        self._jobs.add(job)
        if self._state == WorkerState.STOPPED:
            self._set_state(WorkerState.STARTING)
        self._settle()
        return job

    def _deliver(self, event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # this object is gone, and so is the window
            self._arrived.emit(event)

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if self._closed:
            return
        match event:
            case Progress(job, fraction):
                self.progressed.emit(job, fraction)
            case Done(job, result):
                self._ended(job)
                self.finished.emit(job, result)
            case Failed(job, error, details):
                self._ended(job)
                self.failed.emit(job, error, details)
            case Ready(devices):
                self._up = True
                self._settle()
                self.ready.emit(devices)
            case Restarted(reason):
                self._down(WorkerState.RESTARTING)
                self.restarted.emit(reason)
            case Stopped(reason):
                self._down(WorkerState.STOPPED)
                self.stopped.emit(reason)

    def _ended(self, job: int) -> None:
        self._jobs.discard(job)
        self._settle()

    def _down(self, state: WorkerState) -> None:
        self._up = False
        self._set_state(state)

    def _settle(self) -> None:
        if self._up:
            self._set_state(WorkerState.BUSY if self._jobs else WorkerState.READY)

    def _set_state(self, state: WorkerState) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state.value)
