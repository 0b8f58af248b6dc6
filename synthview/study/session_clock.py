"""Time in a session: by a clock that never jumps, with pauses taken out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_JUMP_S = 2.0


@dataclass(frozen=True)
class Clock:
    """The two clocks of a computer.

    Attributes:
        steady: seconds that only go forward (what is measured).
        wall: seconds since 1970, which people and networks set (only compared with ``steady``).
    """

    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Stopwatch:
    """Measures a trial, less its pauses.

    Args:
        clock: what to measure with.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.steady()
        self._wall_start = clock.wall()
        self._paused_s = 0.0
        self._pause_start: float | None = None

    def elapsed_ms(self) -> int:
        """Whole milliseconds since the start, less pauses; what has begun is not counted."""
        until = self._clock.steady() if self._pause_start is None else self._pause_start
        return max(0, int((until - self._start - self._paused_s) * 1000))

    def pause(self) -> None:
        """Stop counting."""
        if self._pause_start is None:
            self._pause_start = self._clock.steady()

    def go_on(self) -> float:
        """Count again; returns the seconds of the pause."""
        if self._pause_start is None:
            return 0.0
        paused_s = self._clock.steady() - self._pause_start
        self._paused_s += paused_s
        self._pause_start = None
        return paused_s

    def wall_jump_s(self) -> float:
        """Seconds by which the wall clock went astray (it was set, or the computer slept); 0 for hardly any."""
        astray = (self._clock.wall() - self._wall_start) - (self._clock.steady() - self._start)
        return round(astray, 1) if abs(astray) > _JUMP_S else 0.0
