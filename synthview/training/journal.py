"""A run's losses: a line of JSON each, and the same as TensorBoard reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthview.volume.nifti import write_atomically

JOURNAL = "losses.jsonl"


class Journal:
    """Writes the losses of a run; what was written after the checkpoint that a run goes on from is taken back.

    Args:
        folder: of the run.
        step: at which the run goes on.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter

        self._path = folder / JOURNAL
        kept = [line for line in read_journal(folder) if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_atomically(self._path, text.encode())
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1, flush_secs=30)

    def write(self, step: int, seconds: float, losses: Mapping[str, float]) -> None:
        """The losses after so many steps, and the seconds a step took since the last line."""
        line = {"step": step, "seconds_per_step": round(seconds, 4), **losses}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in losses.items():
            self._board.add_scalar(name.replace(" ", "_"), value, step)

    def picture(self, step: int, image: Any) -> None:
        """A sheet of samples, (H, W) uint8."""
        self._board.add_image("samples", image[None], step)

    def close(self) -> None:
        """Everything on disk."""
        self._board.close()


def read_journal(folder: Path) -> list[dict[str, float]]:
    """The lines written so far; a last one that was cut off is left out."""
    path = folder / JOURNAL
    lines: list[dict[str, float]] = []
    if path.is_file():
        for text in path.read_text("utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                break
    return lines
