"""The worker process: where networks live.  The window starts it, tells it what to do, and may end it at any time.

Two threads: one listens (so that a job can be cancelled while it computes), the main one computes.  torch is imported
here, after the window has been shown, and nowhere in the window's process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from synthview.errors import Cancelled, SynthviewError
from synthview.jobs.messages import (
    Cancel,
    Describe,
    Done,
    Failed,
    Generate,
    Job,
    OpenCheckpoint,
    Progress,
    Ready,
    Received,
    Reconstruct,
    Stop,
)
from synthview.jobs.messages import Stopped as CanNotRun
from synthview.jobs.sharing import DamagedMessageError, Receiver, Sender, sendable_error
from synthview.jobs.task import Progress as ReportProgress
from synthview.jobs.task import Task

if TYPE_CHECKING:
    from synthview.jobs.opened import OpenedGenerators

_PROGRESS_INTERVAL_S = 0.03  # the window can't show more, and need not be woken for more
_NICENESS = 5


def main(connection: Connection[Any, Any], prefix: str) -> None:
    """Serve the window until it is gone.

    Args:
        connection: to the window.
        prefix: how this process names its blocks of shared memory.
    """
    _stand_back()
    sender = Sender(connection, prefix)
    worker = _Worker(sender)
    threading.Thread(target=_listen, args=(connection, prefix, sender, worker), name="listen", daemon=True).start()
    try:
        worker.run()
    except OSError:
        pass  # the window is gone
    finally:
        sender.discard_unread()


def _stand_back() -> None:
    """Give way to the window: in computing time, in memory, and to its Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: Windows has no nice
        os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # Linux: when memory runs out, this process goes and not the window
        Path("/proc/self/oom_score_adj").write_text("600", "ascii")


def _listen(connection: Connection[Any, Any], prefix: str, sender: Sender, worker: _Worker) -> None:
    """Take in messages; when the window is gone or says so, end the process, whatever it is computing."""
    receiver = Receiver(connection, prefix)
    with contextlib.suppress(EOFError, OSError, DamagedMessageError):
        while True:
            match receiver.receive()[0]:
                case Received(block):
                    sender.on_received(block)
                case Cancel(job):
                    worker.cancel(job)
                case OpenCheckpoint() | Generate() | Describe() | Reconstruct() as job:
                    worker.submit(job)
                case Stop():
                    break
    sender.discard_unread()
    os._exit(0)


class _Worker:
    """Works off one job after the other."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._tasks: dict[int, Task] = {}
        self._queue: SimpleQueue[Job] = SimpleQueue()

    def submit(self, job: Job) -> None:
        """Take in a job (listening thread)."""
        self._tasks[job.job] = Task(self._progress_of(job.job))
        self._queue.put(job)

    def cancel(self, job: int) -> None:
        """Ask a job to stop (listening thread); one that has ended is left alone."""
        if (task := self._tasks.get(job)) is not None:
            task.cancelled.set()

    def run(self) -> None:
        """Import torch, say so, and compute for ever."""
        try:
            from synthview.generators.device import available_devices
            from synthview.jobs.opened import OpenedGenerators, explain, share_processors

            share_processors()
            generators = OpenedGenerators()
            ready = Ready(available_devices())
        except Exception as error:  # noqa: BLE001  (a broken installation of torch can raise anything)
            reason = f"torch, which computes the volumes, can't be loaded ({error})."
            self._sender.send(CanNotRun(reason))
            return
        self._sender.send(ready)
        while True:
            self._answer(self._queue.get(), generators, explain)

    def _answer(self, job: Job, generators: OpenedGenerators, explain: Callable[[Job, Exception], Exception]) -> None:
        """Do a job and send its one answer."""
        task = self._tasks[job.job]
        answer: Done | Failed
        try:
            task.progress(0.0)
            result = generators.work_on(job, task.progress)
            task.progress(1.0)
            answer = Done(job.job, result)
        except (Cancelled, SynthviewError) as error:
            answer = Failed(job.job, sendable_error(error))
        except Exception as error:  # noqa: BLE001  (a bug must not end the process; the window shows it)
            answer = Failed(job.job, explain(job, error), traceback.format_exc())
        del self._tasks[job.job]
        try:
            self._sender.send(answer)
        except OSError:
            pass  # the window is gone, and the listening thread ends this process
        except Exception as error:  # noqa: BLE001  (a result that can't be pickled is a bug like any other)
            self._sender.send(Failed(job.job, explain(job, error), traceback.format_exc()))

    def _progress_of(self, job: int) -> ReportProgress:
        last = -sys.float_info.max

        def report(fraction: float) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_INTERVAL_S or fraction >= 1:
                last = now
                self._sender.send(Progress(job, float(fraction)))

        return report
