"""Makes a study from a protocol: stimuli, leak check, schedule, sealed key, record.  All of it, or nothing stays."""

from __future__ import annotations

from pathlib import Path

from synthview.errors import StudyError
from synthview.jobs.study_building import build_materials
from synthview.jobs.task import Progress
from synthview.study.protocol import Protocol
from synthview.study.seal import LEAST_PASSPHRASE
from synthview.study.study_folder import StudyFolder, create_study, discard_folder, new_folder


def make_study(
    protocol: Protocol,
    base: Path,
    folder: Path,
    passphrase: str,
    progress: Progress | None = None,
    *,
    record: str | None = None,
    device: str = "auto",
) -> StudyFolder:
    """Make a study in a new folder.

    Args:
        protocol: what is asked.
        base: the protocol's folder; relative paths in it are taken from there.
        folder: of the study; must be new or empty.
        passphrase: seals the answer key; the results need it.
        progress: called with the fraction done; may raise ``Cancelled``, which leaves nothing behind.
        record: PostgreSQL's address; None for an SQLite file in the folder.
        device: where generators compute.

    Raises:
        StudyError: the folder is in use, volumes are missing or can't be used, or the record can't be written.
        SynthviewError: a checkpoint can't be used, or the disk refused.
    """
    if len(passphrase) < LEAST_PASSPHRASE:  # before minutes of work
        raise StudyError(f"the passphrase has {len(passphrase)} characters; use {LEAST_PASSPHRASE} or more")
    stimuli = new_folder(folder)
    try:
        built = build_materials(protocol, base, stimuli, progress, device=device)
        return create_study(folder, protocol, built, passphrase, record=record)
    except BaseException:
        discard_folder(folder)
        raise
