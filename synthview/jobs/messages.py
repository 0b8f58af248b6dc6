"""What crosses between the window and the worker process.  Plain frozen values; voxels go by shared memory.

window                              worker
──────                              ──────
  OpenCheckpoint(id, path, …)  ──▶  reads and builds      ──▶  Done(id, GeneratorInfo)
  Describe(id, path, …)        ──▶  checks and saves      ──▶  Done(id, GeneratorInfo)
  Generate(id, path, …)        ──▶  computes              ──▶  Progress(id, 0.4)…, Done(id, Volume)
  Reconstruct(id, path, …)     ──▶  encodes and decodes   ──▶  Progress(id, 0.4)…, Done(id, Reconstruction)
  Cancel(id)                   ──▶  stops between steps   ──▶  Failed(id, Cancelled())
  Received(block)              ──▶  closes shared memory that the window has read
                               ◀──  Ready(devices)             once, after torch is imported
  (the process is killed)      ◀──  Failed(id, WorkerDiedError) for all that was under way, then Restarted()
  (it can't be started)        ◀──  Stopped(reason), until the next job asks for it again
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
    """Make a volume with the generator in ``path``, opening it where needed.  Answered with ``Done(job, Volume)``.

    Attributes:
        family, arguments: what ``path`` was opened with, so that a fresh process can open it again.
    """

    job: int
    path: str
    request: GenerateRequest
    device: str = "auto"
    family: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Describe:
    """Keep what a person says of a checkpoint, and open it with that.  Answered with ``Done(job, GeneratorInfo)``.

    Attributes:
        content: the manifest as plain values.
        family, arguments: what ``path`` was opened with.
    """

    job: int
    path: str
    content: Mapping[str, Any]
    device: str = "auto"
    family: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reconstruct:
    """Encode a real scan with the generator in ``path`` and decode it again.

    Answered with ``Done(job, Reconstruction)``.

    Attributes:
        scan: the scan's file.
        features: conditioning inputs by name.
        family, arguments: what ``path`` was opened with.
    """

    job: int
    path: str
    scan: str
    features: Mapping[str, float] = field(default_factory=dict)
    device: str = "auto"
    family: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


Job = OpenCheckpoint | Generate | Describe | Reconstruct
"""What the worker works on; anything else is about how."""


@dataclass(frozen=True)
class Cancel:
    """Stop a job at its next step."""

    job: int


@dataclass(frozen=True)
class Received:
    """The voxels in this block of shared memory have been read; the worker may let go of it."""

    block: str


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


@dataclass(frozen=True)
class Stopped:
    """The worker process can't be kept running; the next job tries to start it again."""

    reason: str


Event = Ready | Progress | Done | Failed | Restarted | Stopped
