"""Makes a study, or only checks its arms, in a process of its own: the window asks, and hears how far it is.

Nothing slow is imported here, so that the window may import it.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthview.errors import Cancelled, SynthviewError

if TYPE_CHECKING:
    from synthview.study.scan_list import ScanList

_CANCEL_S = 10.0


@dataclass(frozen=True)
class StudyOrder:
    """What is to be made.

    Attributes:
        protocol: its YAML text.
        base: the folder from which its relative paths are taken.
        out: the study's folder, new or empty; None to check the arms only.
        passphrase: seals the answer key; not needed to check.
        device: where generators compute.
    """

    protocol: str
    base: Path
    out: Path | None = None
    passphrase: str = field(default="", repr=False)
    device: str = "auto"


@dataclass(frozen=True)
class StudyMade:
    """What came of it.

    Attributes:
        leak_passed: whether nothing but anatomy tells the arms apart.
        sentences: what the leak check found, in words.
    """

    leak_passed: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class DemoOrder:
    """The demo study is to be made, or found.

    Attributes:
        real: a folder of real scans; None for synthetic volumes only.
        scans: real scans to download first, whose licence the user has agreed to; instead of ``real``.
    """

    real: Path | None = None
    scans: ScanList | None = None


@dataclass(frozen=True)
class DemoMade:
    """The demo study is there.

    Attributes:
        folder: the study's.
        reader: who may begin or go on.
    """

    folder: Path
    reader: str


Heard = float | StudyMade | DemoMade | SynthviewError


class StudyProcess:
    """A process that makes a study.  Ask ``poll`` now and then.

    Raises:
        OSError: no process could be started.
    """

    def __init__(self, order: StudyOrder | DemoOrder) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=False)
        self._cancelled = context.Event()
        self._process = context.Process(
            target=_make, args=(order, theirs, self._cancelled), name="synthview-study", daemon=True
        )
        self._process.start()
        theirs.close()

    def poll(self) -> list[Heard]:
        """What it said since: fractions done, and at last what was made or why not.

        A ``Cancelled`` run ends without a last word.
        """
        heard: list[Heard] = []
        try:
            while self._connection.poll():
                heard.append(self._connection.recv())
        except (EOFError, OSError):
            if not self._cancelled.is_set() and not any(not isinstance(one, float) for one in heard):
                heard.append(SynthviewError("the process that made the study ended unexpectedly; try again"))
        return heard

    @property
    def alive(self) -> bool:
        """Whether it is still at work."""
        return self._process.is_alive()

    def cancel(self) -> None:
        """Ask it to stop; what was begun is taken away."""
        self._cancelled.set()

    def close(self) -> None:
        """Stop it, at once if it doesn't listen."""
        self.cancel()
        self._process.join(_CANCEL_S)
        self._process.kill()
        self._process.join()
        self._connection.close()


def _make(order: StudyOrder | DemoOrder, connection: Connection[Any, Any], cancelled: Event) -> None:
    """In the process: make it, and send what comes of it."""

    def progress(fraction: float) -> None:
        if cancelled.is_set():
            raise Cancelled
        connection.send(float(fraction))

    try:
        connection.send(_made(order, progress) if isinstance(order, StudyOrder) else _made_demo(order, progress))
    except Cancelled:
        pass
    except SynthviewError as error:
        connection.send(error)
    except Exception as error:  # noqa: BLE001  (shown to the user, not swallowed)
        connection.send(SynthviewError(f"something failed that should not have: {error}"))
    finally:
        connection.close()


def _made(order: StudyOrder, progress: Any) -> StudyMade:
    from synthview.jobs.new_study import make_study
    from synthview.jobs.study_building import build_materials
    from synthview.study.protocol import Protocol

    protocol = Protocol.parse(order.protocol)
    if order.out is None:
        with tempfile.TemporaryDirectory(prefix="synthview-check-") as folder:
            built = build_materials(protocol, order.base, Path(folder), progress, device=order.device)
        return StudyMade(built.leak_passed, _words(built.leak_report))
    with make_study(protocol, order.base, order.out, order.passphrase, progress, device=order.device) as study:
        report = study.key(order.passphrase).leak_report
        return StudyMade(not study.blocked(), _words(report))


def _made_demo(order: DemoOrder, progress: Any) -> DemoMade:
    from synthview.jobs.demo_study import demo_study

    if order.scans is None:
        return DemoMade(*demo_study(order.real, progress))
    from synthview.jobs.scan_download import download_scans

    folder = download_scans(order.scans, lambda fraction: progress(fraction / 2))
    return DemoMade(*demo_study(folder, lambda fraction: progress(0.5 + fraction / 2)))


def _words(report: Any) -> tuple[str, ...]:
    return (*report.get("sentences", ()), *report.get("notes", ()))
