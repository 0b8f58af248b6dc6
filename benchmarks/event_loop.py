"""How long the window's event loop stalls while a 256³ HA-GAN generates in the worker process, and its volume arrives.

``compare`` is the benchmark; run as a program, this file is what it measures: an event loop with a 1 ms timer, alone
("bare") or with synthview's whole window ("window").  A stall is the time between two ticks.  The same loop is measured
while nothing is made: what stalls it then is the rest of the machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import keep, report, run_and_hear, table

LIMIT_MS = 50
_IDLE_MS = 10_000  # how long the loop is measured while nothing is made
_FIGURES = ("longest_ms", "over_limit", "ticks", "generate_s", "idle_longest_ms")
_SETTLE_MS = 1000  # measured on after the volume has come: it is shown then


def compare(runs: int) -> None:
    """Measure the event loop alone and with the window; print and keep the longest stalls of ``runs`` volumes."""
    from cases import CASES, write_weights

    case = next(case for case in CASES if case.title == "HA-GAN 256³")
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "G.pth")
        write_weights(path, case)
        environment = {**os.environ, "SYNTHVIEW_DATA_DIR": folder}
        for what in ("bare", "window"):
            command = [sys.executable, __file__, what, str(path), str(runs)]
            heard = run_and_hear(command, environment=environment, timeout_s=900)
            results[what] = {name: heard[name] for name in _FIGURES}
    keep("event_loop", {"runs": runs, "limit_ms": LIMIT_MS, **results})
    rows = [
        (what, *(found[name] for name in ("longest_ms", "over_limit", "idle_longest_ms")))
        for what, found in results.items()
    ]
    table(("event loop", "longest stall (ms)", f"stalls over {LIMIT_MS} ms", "longest when idle (ms)"), rows)


class Pulse:
    """Notes every gap between two ticks of a 1 ms timer."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps_ms: list[float] = []
        self._last: float | None = None
        self._timer = QTimer(interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Count from now on."""
        self._last = None
        self._timer.start()

    def stop(self) -> None:
        """Pause."""
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self.gaps_ms.append((now - self._last) * 1000)
        self._last = now


class Run:
    """Makes volumes one after the other while the pulse is taken."""

    def __init__(self, what: str, path: Path, volumes: int) -> None:
        self._path, self._left = path, volumes
        self._pulse = Pulse()
        self._times_s: list[float] = []
        self._generation = None
        if what == "window":
            window = _window()
            self._close = window.shut_down
            self._generation = window.generation
            self._generation.volume_made.connect(self._on_volume)
            self._generation.failed.connect(self._fail)
            self._generation.open(path, {"size": "256"})  # makes the first volume, which is not counted
        else:
            from synthview.gui.worker import Worker

            self._worker = Worker()
            self._close = self._worker.close
            self._worker.finished.connect(lambda _job, result: self._on_volume(result))
            self._worker.failed.connect(lambda _job, error, details: self._fail(str(error), details))
            self._worker.open_checkpoint(path, arguments={"size": "256"})
        self._started = 0.0

    def _on_volume(self, *_: object) -> None:
        from PySide6.QtCore import QTimer

        if self._started:
            self._times_s.append(time.perf_counter() - self._started)
            QTimer.singleShot(_SETTLE_MS, self._next)
        else:
            QTimer.singleShot(_SETTLE_MS, self._rest)

    def _rest(self) -> None:
        from PySide6.QtCore import QTimer

        self._pulse.start()
        QTimer.singleShot(_IDLE_MS, self._begin)

    def _begin(self) -> None:
        self._idle_longest_ms = max(self._pulse.gaps_ms)
        self._pulse.gaps_ms.clear()
        self._next()

    def _next(self) -> None:
        from synthview.generators.info import GenerateRequest

        self._pulse.stop()
        if self._left == 0:
            self._end()
            return
        self._left -= 1
        self._started = time.perf_counter()
        self._pulse.start()
        request = GenerateRequest(seed=self._left)
        if self._generation is not None:
            self._generation.generate(request)
        else:
            self._worker.generate(self._path, request)

    def _end(self) -> None:
        gaps = self._pulse.gaps_ms
        report(
            longest_ms=round(max(gaps), 1),
            over_limit=sum(gap > LIMIT_MS for gap in gaps),
            ticks=len(gaps),
            idle_longest_ms=round(self._idle_longest_ms, 1),
            generate_s=round(sum(self._times_s) / len(self._times_s), 2),
        )
        self._quit(0)

    def _fail(self, sentence: str, details: str) -> None:
        print(sentence, details, file=sys.stderr)
        self._quit(1)

    def _quit(self, status: int) -> None:
        from PySide6.QtCore import QCoreApplication

        self._close()
        QCoreApplication.exit(status)


def _window() -> Any:
    from synthview.gui.main_window import MainWindow
    from synthview.gui.theme import apply_theme

    application = _application()
    apply_theme(application)
    window = MainWindow()
    window.show()
    application.window = window  # kept as long as the application
    return window


def _application() -> Any:
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(sys.argv[:1])


def main() -> int:
    """What is measured."""
    what, path, volumes = sys.argv[1:]
    application = _application()
    run = Run(what, Path(path), int(volumes))  # noqa: F841  (lives as long as the loop)
    return int(application.exec())


if __name__ == "__main__":
    sys.exit(main())
