"""How a training is getting on, from its folder alone: whoever trains, and wherever."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from synthview.training.journal import JOURNAL, read_journal
from synthview.training.runs import RunRecord

_RECENT = 10  # lines whose mean time says how long the rest takes
_PATIENCE_LINES, _PATIENCE_SECONDS = 5, 300  # a checkpoint, samples or a busy machine take their time


@dataclass(frozen=True)
class Progress:
    """A training at one moment.

    Attributes:
        folder: the run's.
        title: of what is being made.
        step: steps with a line of losses.
        steps: steps there will be.
        losses: name to (steps, values).
        seconds_left: at the latest speed; None before there is one.
        sheet: the newest sheet of samples; None before there is one.
        real: the sheet of real ones.
        silent_seconds: since the last line of losses.
        line_seconds: from one line to the next, at the latest speed.
    """

    folder: Path
    title: str
    step: int
    steps: int
    losses: dict[str, tuple[list[int], list[float]]]
    seconds_left: float | None
    sheet: Path | None
    real: Path | None
    silent_seconds: float = 0.0
    line_seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.steps

    @property
    def stands_still(self) -> bool:
        """Whether there has been nothing new for so long that somebody or something has probably stopped it."""
        return not self.finished and self.silent_seconds > max(_PATIENCE_SECONDS, _PATIENCE_LINES * self.line_seconds)


def read_progress(folder: str | Path) -> Progress:
    """Look at a run.

    Raises:
        WrongRequestError: the folder is no run.
    """
    record = RunRecord.open(folder)
    lines = read_journal(record.folder)
    step = int(lines[-1]["step"]) if lines else 0
    steps = record.recipe.training.steps
    recent = [line["seconds_per_step"] for line in lines[-_RECENT:]]
    a_step = sum(recent) / len(recent) if recent else None
    sheets = sorted((record.folder / "samples").glob("step-*.png"))
    real = record.folder / "samples" / "real.png"
    return Progress(
        record.folder,
        record.recipe.title,
        step,
        steps,
        _curves(lines),
        (steps - step) * a_step if a_step is not None else None,
        sheets[-1] if sheets else None,
        real if real.is_file() else None,
        max(0.0, time.time() - (record.folder / JOURNAL).stat().st_mtime) if lines else 0.0,
        (a_step or 0.0) * record.recipe.training.log_every,
    )


def _curves(lines: list[dict[str, float]]) -> dict[str, tuple[list[int], list[float]]]:
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "seconds_per_step"):
                steps, values = curves.setdefault(name, ([], []))
                steps.append(int(line["step"]))
                values.append(value)
    return curves


def time_text(seconds: float) -> str:
    """A length of time for people: "40 s", "12 min", "3 h 20 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
