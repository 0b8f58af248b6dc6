"""The window's half of the worker process: hands it jobs, hears of them, survives its death.  No Qt, no torch.

One thread owns everything here and works off an inbox, so there is nothing to lock:

    open_checkpoint, generate, cancel, close  ──▶  inbox  ◀──  the process: messages, its end
                                                     │
                                        on_event(Ready | Progress | Done | Failed | Restarted | Stopped)

Jobs wait here, and the process is given one at a time.  So a waiting job is cancelled at once, and outlives the process
if another job's cancelling takes the process down.
"""

from __future__ import annotations

import atexit
import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthview.errors import Cancelled, WorkerDiedError
from synthview.generators.info import GenerateRequest
from synthview.jobs.messages import (
    Cancel,
    Describe,
    Done,
    Event,
    Failed,
    Generate,
    Job,
    OpenCheckpoint,
    Progress,
    Ready,
    Reconstruct,
    Restarted,
    Stop,
    Stopped,
)
from synthview.jobs.process import Ended, EntryPoint, WorkerProcess
from synthview.jobs.worker import main

CANCEL_GRACE_S = 3.0
MAX_QUICK_DEATHS = 3
_QUICK_S = 30.0  # a process that dies sooner, with no job to blame, would only die again
_CLOSE_S = 2.0


@dataclass(frozen=True)
class _Start:
    """Start the process."""


@dataclass(frozen=True)
class _Close:
    """Close the client."""


class WorkerClient:
    """Runs jobs in a worker process, one after the other, and keeps that process going.

    Every job ends with exactly one ``Done`` or ``Failed``, unless the client is closed first.

    Args:
        on_event: called with every event, in order, on a thread of the client; must return quickly and not raise.
        start: start the process now; else with ``start`` or the first job.
        cancel_grace_s: how long a cancelled job may take to stop before its process is ended.
        entry: what the process runs; for tests.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None],
        *,
        start: bool = True,
        cancel_grace_s: float = CANCEL_GRACE_S,
        entry: EntryPoint = main,
    ) -> None:
        self._on_event = on_event
        self._cancel_grace_s = cancel_grace_s
        self._entry = entry
        self._numbers = itertools.count(1)
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._process: WorkerProcess | None = None
        self._ready = False
        self._started = 0.0
        self._quick_deaths = 0
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._deadline: float | None = None  # when a cancelled job's process is ended
        self._opened: dict[str, OpenCheckpoint] = {}
        self._thread = threading.Thread(target=self._run, name="synthview-worker-client", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        if start:
            self.start()

    @property
    def pid(self) -> int | None:
        """The process's id; None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Start the process, if there is none; it imports torch meanwhile, and says ``Ready``."""
        self._inbox.put(_Start())

    def open_checkpoint(
        self,
        path: str | Path,
        *,
        device: str = "auto",
        family: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        remember: bool = False,
    ) -> int:
        """Open a checkpoint and keep it loaded; returns the job's number.  Answered with a ``GeneratorInfo``."""
        job = OpenCheckpoint(next(self._numbers), str(path), device, family, dict(arguments or {}), remember)
        self._inbox.put(job)
        return job.job

    def generate(self, path: str | Path, request: GenerateRequest, *, device: str = "auto") -> int:
        """Make a volume with the generator opened last from ``path``, or with that ``GeneratorInfo.path``.

        Returns the job's number; answered with a ``Volume``.  Where the process has been restarted, the
        checkpoint is opened again as it was.
        """
        job = Generate(next(self._numbers), str(path), request, device)
        self._inbox.put(job)
        return job.job

    def describe(self, path: str | Path, content: Mapping[str, Any], *, device: str = "auto") -> int:
        """Keep a manifest for the checkpoint opened last from ``path``, and open it with that.

        Returns the job's number; answered with a ``GeneratorInfo``.
        """
        job = Describe(next(self._numbers), str(path), dict(content), device)
        self._inbox.put(job)
        return job.job

    def reconstruct(
        self, path: str | Path, scan: str | Path, features: Mapping[str, float] | None = None, *, device: str = "auto"
    ) -> int:
        """Encode and decode a scan's file with the generator opened last from ``path``.

        Returns the job's number; answered with a ``Reconstruction``.
        """
        job = Reconstruct(next(self._numbers), str(path), str(scan), dict(features or {}), device)
        self._inbox.put(job)
        return job.job

    def cancel(self, job: int) -> None:
        """Stop a job, which then fails with ``Cancelled``; one that doesn't stop soon loses its process."""
        self._inbox.put(Cancel(job))

    def close(self) -> None:
        """End the process and let go of everything; no event comes after this.  Safe to call twice."""
        atexit.unregister(self.close)
        self._inbox.put(_Close())
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _CLOSE_S)

    # ── everything below runs on the client's own thread ──

    def _run(self) -> None:
        while True:
            try:
                found = self._inbox.get(timeout=self._patience_s())
            except queue.Empty:
                self._end_unresponsive()
                continue
            if isinstance(found, _Close):
                break
            self._handle(found)
        self._end_for_good()

    def _patience_s(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _handle(self, found: object) -> None:
        match found:
            case _Start():
                self._start_anew()
            case OpenCheckpoint() | Generate() | Describe() | Reconstruct() as job:
                self._waiting.append(job)
                self._start_anew()
                self._give_next()
            case Cancel(job):
                self._cancel(job)
            case (WorkerProcess() as process, message) if process is self._process:
                self._on_message(message)

    def _start_anew(self) -> None:
        if self._process is None:
            self._quick_deaths = 0
            self._start()

    def _give_next(self) -> None:
        """Hand the next job to the process, if it is free."""
        if self._process is None or not self._ready or self._running is not None or not self._waiting:
            return
        job = self._waiting.popleft()
        if not isinstance(job, OpenCheckpoint) and (opened := self._opened.get(job.path)) is not None:
            job = replace(job, path=opened.path, family=opened.family, arguments=opened.arguments)
        self._running = job
        self._process.send(job)

    def _cancel(self, number: int) -> None:
        waiting = next((job for job in self._waiting if job.job == number), None)
        if waiting is not None:
            self._waiting.remove(waiting)
            self._on_event(Failed(number, Cancelled()))
        elif self._running is not None and self._running.job == number and self._deadline is None:
            self._deadline = time.monotonic() + self._cancel_grace_s
            if self._process is not None:
                self._process.send(Cancel(number))

    def _on_message(self, message: object) -> None:
        match message:
            case Ready():
                self._ready = True
                self._on_event(message)
            case Progress(job) if self._is_running(job) and self._deadline is None:
                self._on_event(message)
            case Done(job) | Failed(job) if self._is_running(job):
                self._on_answer(message)
            case Stopped(reason):
                self._give_up(reason)
            case Ended(how):
                self._on_death(how)
        self._give_next()

    def _is_running(self, job: int) -> bool:
        return self._running is not None and self._running.job == job

    def _on_answer(self, answer: Done | Failed) -> None:
        job, cancelled = self._running, self._deadline is not None
        self._running = self._deadline = None
        self._quick_deaths = 0
        if isinstance(answer, Done) and isinstance(job, OpenCheckpoint):
            for path in (job.path, answer.result.path):  # which is absolute
                self._opened[path] = job
        self._on_event(Failed(answer.job, Cancelled()) if cancelled else answer)

    def _end_unresponsive(self) -> None:
        """A cancelled job has not stopped in time: end its process; jobs that wait are done by the next one."""
        process, job = self._process, self._running
        self._forget_process()
        if process is not None:
            process.kill()
        if job is not None:
            self._on_event(Failed(job.job, Cancelled()))
        self._start()
        self._on_event(Restarted("Stopping the work took too long, so the worker process was started again."))

    def _on_death(self, how: str) -> None:
        """The process is gone, and nobody here ended it."""
        if self._deadline is not None:  # a cancelled job took it along: as well
            self._end_unresponsive()
            return
        job, lived_s = self._running, time.monotonic() - self._started
        blameless = job is None and lived_s < _QUICK_S
        self._quick_deaths = self._quick_deaths + 1 if blameless else 0
        if self._quick_deaths >= MAX_QUICK_DEATHS:
            self._give_up(f"The worker process {how}, {MAX_QUICK_DEATHS} times in a row while it had nothing to do.")
            return
        self._forget_process()
        if job is not None:
            self._fail(f"The worker process {how} while {_doing(job)}. A new one has been started; try again.", job)
        self._start()
        if self._process is not None:
            self._on_event(Restarted(f"The worker process {how}; it has been started again."))

    def _give_up(self, reason: str) -> None:
        """Do without a process until the next job comes."""
        process, job = self._process, self._running
        self._forget_process()
        if process is not None:
            process.kill()
        reason = f"{reason} Trying again starts it anew; if that does not help, install synthview again."
        self._fail(reason, job)
        self._on_event(Stopped(reason))

    def _fail(self, sentence: str, running: Job | None) -> None:
        """Tell of every job under way or waiting that it failed with its process."""
        jobs = [*([running] if running else []), *self._waiting]
        self._waiting.clear()
        for job in jobs:
            self._on_event(Failed(job.job, WorkerDiedError(sentence)))

    def _start(self) -> None:
        self._started = time.monotonic()
        try:
            self._process = WorkerProcess(self._entry, lambda process, message: self._inbox.put((process, message)))
        except OSError as error:
            self._give_up(f"The worker process can't be started ({error.strerror or error}).")

    def _forget_process(self) -> None:
        self._process, self._ready, self._running, self._deadline = None, False, None, None

    def _end_for_good(self) -> None:
        process = self._process
        self._forget_process()
        if process is not None:
            process.send(Stop())
            if not process.join(_CLOSE_S / 4):
                process.kill()
                process.join(_CLOSE_S)


def _doing(job: Job) -> str:
    name = Path(job.path).name
    if isinstance(job, Generate):
        return f"making a volume with {name}"
    if isinstance(job, Reconstruct):
        return f"reconstructing {Path(job.scan).name} with {name}"
    return f"describing {name}" if isinstance(job, Describe) else f"opening {name}"
