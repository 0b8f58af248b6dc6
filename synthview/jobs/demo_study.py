"""Makes the demo study on first use, in the user's own folder, and finds it again."""

from __future__ import annotations

import shutil
from pathlib import Path

from synthview.errors import StudyError
from synthview.jobs.task import Progress
from synthview.study.demo import PASSPHRASE, WHY_OVERRULED, demo_protocol
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from synthview.userdata import data_dir


def demo_study(real: Path | None = None, progress: Progress | None = None, *, device: str = "auto") -> tuple[Path, str]:
    """The demo study, made if it isn't there or if all its readers have finished.

    Args:
        real: a folder of real scans; None for synthetic volumes only.
        progress: called with the fraction done; may raise ``Cancelled``.
        device: where generators compute.

    Returns:
        The study's folder, and a reader who may begin or go on.

    Raises:
        SynthviewError: it can't be made.
    """
    home = data_dir() / "demo-study"
    folder = home / ("study" if real is None else "study-with-real-scans")
    if real is None and (reader := _open_reader(folder)):
        return folder, reader
    from synthview.jobs.new_study import make_study  # slow to import

    shutil.rmtree(folder, ignore_errors=True)
    work = home / "arms"
    try:
        protocol = demo_protocol(work, real)
        with make_study(protocol, work, folder, PASSPHRASE, progress, device=device) as study:
            if study.blocked():
                study.overrule(WHY_OVERRULED, PASSPHRASE)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder, protocol.readers[0]


def _open_reader(folder: Path) -> str:
    """The first reader who has something left to read; empty where there is no such study."""
    try:
        with StudyFolder.open(folder) as study:
            open_to = (Standing.NEW, Standing.RESUMABLE)
            return next((name for name in study.store.readers if standing(study, name) in open_to), "")
    except StudyError:
        return ""
