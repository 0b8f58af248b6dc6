"""Short slow work (reading and writing files) off the GUI thread; for generating see ``gui.worker``."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from synthview.errors import SynthviewError


@dataclass
class _Call:
    """Work for a thread, and what the GUI thread does with the outcome."""

    owner: Background
    work: Callable[[], Any]
    on_done: Callable[[Any], None]
    on_failed: Callable[[SynthviewError, str], None]
    result: Any = None
    error: SynthviewError | None = None
    details: str = ""

    def run(self) -> None:
        """Do the work (in a thread), and keep its outcome."""
        try:
            self.result = self.work()
        except SynthviewError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  (shown to the user with its details, not swallowed)
            self.error = SynthviewError(f"Something failed that should not have: {error}")
            self.details = traceback.format_exc()


@dataclass
class _Ticket:
    """What both threads share; empty once it is delivered, so that the GUI thread is the one to let a window go."""

    call: _Call | None


class _Bridge(QObject):
    """Brings tickets over to the GUI thread.

    It lives as long as the program: Qt's memory is corrupted when an object is deleted while a thread emits its signal,
    which the one thread can still be doing when the other has long had the outcome and closed the window for it.
    """

    arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _deliver(self, ticket: _Ticket) -> None:
        call, ticket.call = ticket.call, None
        if call is not None and shiboken6.isValid(call.owner):
            call.owner.ended(call)


@functools.cache
def _bridge() -> _Bridge:
    return _Bridge()


def _run(ticket: _Ticket, bridge: _Bridge) -> None:
    if ticket.call is not None:
        ticket.call.run()
    with suppress(RuntimeError):  # the program ends, and Qt's half of the bridge is gone
        bridge.arrived.emit(ticket)


class Background(QObject):
    """Runs calls on threads and hands their outcome to the GUI thread, where it is made.

    The threads are Python's, not a ``QThreadPool``'s: that one's destructor waits for its threads while it holds
    Python's lock, which they need to end.
    """

    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(thread_name_prefix="background")
        self._futures: set[Future[None]] = set()
        self._under_way = 0

    def run(
        self,
        work: Callable[[], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[SynthviewError, str], None],
    ) -> None:
        """Call ``work`` on a thread; then, in the GUI thread, ``on_done(result)`` or ``on_failed(error, details)``.

        Neither is called if the owner of this object has been destroyed meanwhile.
        """
        self._under_way += 1
        if self._under_way == 1:
            self.busy_changed.emit(True)
        future = self._pool.submit(_run, _Ticket(_Call(self, work, on_done, on_failed)), _bridge())
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return self._under_way > 0

    def wait(self) -> None:
        """Wait for what is under way (a file being written) before the program ends."""
        wait(set(self._futures))

    def ended(self, call: _Call) -> None:
        """Hand over the outcome of a call; for the bridge."""
        self._under_way -= 1
        if self._under_way == 0:
            self.busy_changed.emit(False)
        if call.error is not None:
            call.on_failed(call.error, call.details)
        else:
            call.on_done(call.result)
