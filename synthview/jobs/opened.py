"""The generators that the worker process keeps loaded, and what it says when one fails.  Imports torch."""

from __future__ import annotations

import gc
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from synthview.errors import SynthviewError
from synthview.generators.describing import describe_checkpoint
from synthview.generators.generator import Generator
from synthview.generators.info import GeneratorInfo, Reconstruction
from synthview.generators.loading import open_generator
from synthview.generators.manifest import MANIFEST_NAME
from synthview.jobs.messages import Describe, Job, OpenCheckpoint, Reconstruct
from synthview.jobs.task import Progress
from synthview.userdata import manifest_folder, remember_answers
from synthview.volume import Volume
from synthview.volume.dicom import read_volume

MAX_OPENED = 3  # a published generator takes some 0.2 GB


class OpenedGenerators:
    """Opens generators and keeps the ones used last, by file, device and arguments."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Generator] = OrderedDict()

    def work_on(self, job: Job, progress: Progress) -> GeneratorInfo | Volume | Reconstruction:
        """Do a job: the generator's info, for ``Generate`` the volume, for ``Reconstruct`` both volumes.

        Raises:
            Cancelled: the job is no longer wanted.
            SynthviewError: the checkpoint can't be used, or the request is wrong.
        """
        try:
            if isinstance(job, OpenCheckpoint):
                return self._open(job)
            if isinstance(job, Describe):
                describe_checkpoint(job.path, job.content, job.family, job.arguments)
                return self._generator(job).info
            if isinstance(job, Reconstruct):
                return self._generator(job).reconstruct(read_volume(Path(job.scan)), job.features, progress)
            return self._generator(job).generate_request(job.request, progress)
        except Exception as error:
            if _is_out_of_memory(error):
                self._let_go()
            raise

    def _open(self, job: OpenCheckpoint) -> GeneratorInfo:
        info = self._generator(job).info
        if job.remember and job.arguments:
            remember_answers(info.sha256, dict(job.arguments))
        return info

    def _generator(self, job: Job) -> Generator:
        key = (job.path, _stamp(Path(job.path)), job.device, job.family, repr(sorted(job.arguments.items())))
        if key not in self._kept:
            while len(self._kept) >= MAX_OPENED:
                self._kept.popitem(last=False)
            self._kept[key] = open_generator(job.path, job.arguments, job.device, job.family)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _let_go(self) -> None:
        """Free what can be freed after memory ran out."""
        self._kept.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def explain(job: Job, error: Exception) -> SynthviewError:
    """A sentence for a person about an error that nobody foresaw."""
    name = Path(job.path).name
    opening = isinstance(job, OpenCheckpoint | Describe)
    what = f"{name} could not be opened" if opening else f"No volume could be made from {name}"
    if isinstance(job, Reconstruct):
        what = f"{Path(job.scan).name} could not be reconstructed with {name}"
    if _is_out_of_memory(error):
        return SynthviewError(f"{what}: this computer has too little free memory; close other programs.")
    summary = str(error).partition("\n")[0].removesuffix(".") or type(error).__name__
    return SynthviewError(f"{what}, because of a fault in synthview: {summary}.")


def share_processors() -> None:
    """Compute on the processors that this process may use, which in a container or on a cluster are fewer than all."""
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(min(torch.get_num_threads(), len(os.sched_getaffinity(0))))


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out, on the GPU or here; a sentence that says so has the error as its cause."""
    if error is None:
        return False
    found = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    return found or _is_out_of_memory(error.__cause__)


def _stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a checkpoint's files or its manifest do, so that what is written anew is read anew.

    Empty for no such file.
    """
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        files += [path.with_name(MANIFEST_NAME), *manifest_folder().glob("*.json")]
        states = [(file.name, file.stat()) for file in files if file.is_file()]
    except OSError:
        return ()
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)
