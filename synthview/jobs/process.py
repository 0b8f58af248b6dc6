"""One worker process, seen from the window's side: starts it, talks to it, notices its end.

A thread reads (and copies voxels out), another writes, so that neither the window nor the client ever waits for a
process that has stopped listening.  Nothing here is ever started twice; the client makes a new one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any

from synthview.jobs.messages import Received
from synthview.jobs.sharing import DamagedMessageError, Receiver, Sender

EntryPoint = Callable[["Connection[Any, Any]", str], None]
_LAST_WORDS_S = 2.0  # time to end by itself once its connection is closed


@dataclass(frozen=True)
class Ended:
    """The process is gone.

    Attributes:
        how: what happened, to follow "The worker process".
    """

    how: str


class WorkerProcess:
    """A running worker process.

    Args:
        entry: what it runs; called in the fresh process with its connection and its prefix for shared memory.
        deliver: called with this object and each message, at last with ``Ended``; on a thread of this object.

    Raises:
        OSError: no process could be started.
    """

    def __init__(self, entry: EntryPoint, deliver: Callable[[WorkerProcess, Any], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self._deliver = deliver
        self.prefix = prefix = f"sv{secrets.token_hex(4)}_"  # of its blocks; short, for macOS allows 31 characters
        self._connection, theirs = context.Pipe()
        self._receiver = Receiver(self._connection, prefix)
        self._sender = Sender(self._connection, prefix)
        self._outbox: SimpleQueue[Any] = SimpleQueue()
        self._process = context.Process(target=entry, args=(theirs, prefix), name="synthview-worker", daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._writer = threading.Thread(target=self._write, name="synthview-to-worker", daemon=True)
        self._reader = threading.Thread(target=self._read, name="synthview-from-worker", daemon=True)
        self._writer.start()
        self._reader.start()

    def send(self, message: object) -> None:
        """Send a message; returns at once.  To a process that is gone it does nothing."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End the process without asking."""
        self._process.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait until the process and the threads that serve it are gone; False if they are not after ``timeout_s``."""
        self._reader.join(timeout_s)
        return not self._reader.is_alive()

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # it is gone; the reading thread tells
            while (message := self._outbox.get()) is not None:
                self._sender.send(message)

    def _read(self) -> None:
        problem = ""
        try:
            while self._connection in wait([self._connection, self._process.sentinel]):
                message, block = self._receiver.receive()
                if block is not None:
                    self.send(Received(block))
                self._deliver(self, message)
        except (EOFError, OSError):
            pass
        except DamagedMessageError as error:
            problem = f"sent a damaged message ({error})"
        except MemoryError:
            problem = "sent more than fits into memory"
        self._deliver(self, Ended(problem or _how_it_ended(self._clean_up(at_once=bool(problem)))))

    def _clean_up(self, *, at_once: bool) -> int | None:
        """End what is left of the process, and what it left behind; returns its exit status."""
        if not at_once:
            self._process.join(_LAST_WORDS_S)
        self._process.kill()
        self._process.join()
        self._outbox.put(None)
        self._writer.join()
        self._receiver.discard_unread()
        self._connection.close()
        return self._process.exitcode


def _how_it_ended(status: int | None) -> str:
    if status is None or status >= 0:
        return f"ended unexpectedly (exit status {status})"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "was ended by the system, most often because memory ran out"
    return f"crashed ({name})"
