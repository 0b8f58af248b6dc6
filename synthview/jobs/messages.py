"""What crosses between the window and the worker process.  Plain frozen values; voxels go by shared memory.

window                              worker
──────                              ──────
  OpenCheckpoint(id, path, …)  ──▶  reads and builds      ──▶  Done(id, GeneratorInfo)
  Generate(id, path-key, …)    ──▶  computes              ──▶  Progress(id, 0.4)…, Done(id, Volume)
  Cancel(id)                   ──▶  stops between steps   ──▶  Failed(id, Cancelled())
                               ◀──  Ready(devices)             once, after torch is imported
  (the process is killed)      ◀──  Failed(id, WorkerDiedError) for all that was under way, then Restarted()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthview.generators.info import Device, GenerateRequest


@dataclass(frozen=True)
class OpenCheckpoint:
    """Open a checkpoint and keep its generator loaded.  Answered with ``Done(job, GeneratorInfo)``.

    Attributes:
        arguments: what weights can't tell; given by the user, kept for next time when ``remember``.
    """

    job: int
    path: str
    device: str = "auto"
    family: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    remember: bool = False


@dataclass(frozen=True)
class Generate:
    """Make a volume with the generator opened last from ``path``.  Answered with ``Done(job, Volume)``."""

    job: int
    path: str
    request: GenerateRequest
    device: str = "auto"


@dataclass(frozen=True)
class Cancel:
    """Stop a job at its next step."""

    job: int


@dataclass(frozen=True)
class Stop:
    """End the worker process."""


@dataclass(frozen=True)
class Ready:
    """The worker can compute; sent once, when torch is imported."""

    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Progress:
    """A job is under way; ``fraction`` is 0-1."""

    job: int
    fraction: float


@dataclass(frozen=True)
class Done:
    """A job ended well."""

    job: int
    result: Any


@dataclass(frozen=True)
class Failed:
    """A job ended otherwise: a SynthviewError, Cancelled, or (a bug) a SynthviewError with ``details``."""

    job: int
    error: Exception
    details: str = ""


@dataclass(frozen=True)
class Restarted:
    """The worker process ended and a fresh one was started; opened checkpoints are opened again when needed."""

    reason: str


Event = Ready | Progress | Done | Failed | Restarted
