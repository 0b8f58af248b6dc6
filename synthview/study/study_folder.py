"""A study's folder: what the coordinator makes, and readers in the same house read from.

STUDY/
study.json           the study's id, and where its record is
record.db            the record (SQLite), unless it is in PostgreSQL
stimuli/NAME.stimulus
locks/               one file for each reader who is reading
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from pathlib import Path
from typing import Self

from synthview.errors import SaveError, SealError, StudyError
from synthview.study.built import Built
from synthview.study.protocol import Protocol
from synthview.study.schedule import Schedule, Truths, draw_schedule
from synthview.study.seal import open_key, seal_key
from synthview.study.stimulus_file import stimulus_path
from synthview.study.store import SEALED_KEY, NewStudy, StudyStore
from synthview.study.store_engine import is_postgres, without_password
from synthview.study.trial import AnswerKey, StimulusId
from synthview.volume.nifti import write_atomically

FORMAT = "synthview-study-1"
STUDY_FILE = "study.json"
RECORD_FILE = "record.db"
LEAK_CHECK, OVERRULED = "leak_check", "overruled"


class StudyFolder:
    """An open study, as the coordinator has it.

    Attributes:
        path: the folder.
        store: the record.
    """

    def __init__(self, path: Path, store: StudyStore) -> None:
        self.path, self.store = path, store

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a study's folder.

        Raises:
            StudyError: it isn't one, or its record can't be opened.
        """
        path = Path(path)
        file = path / STUDY_FILE
        try:
            content = json.loads(file.read_text("utf-8"))
            known = content["format"]
            study, address = str(content["id"]), str(content["record"])
        except OSError as error:
            raise StudyError(
                f"{path} is not a study's folder: {STUDY_FILE} can't be read ({error.strerror or error})"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise StudyError(f"{file} is damaged; take the study from a backup") from error
        if known != FORMAT:
            raise StudyError(f"{file} is of the form {known!r}, and this synthview reads {FORMAT}; update synthview")
        return cls(path, StudyStore.open(address if is_postgres(address) else str(path / RECORD_FILE), study))

    def stimulus_bytes(self, name: StimulusId) -> bytes:
        """A stimulus file's content.

        Raises:
            StudyError: it can't be read.
        """
        try:
            return stimulus_path(self.path / "stimuli", name).read_bytes()
        except OSError as error:
            raise StudyError(
                f"stimulus {name} can't be read ({error.strerror or error}); copy the study's folder again"
            ) from error

    def blocked(self) -> str:
        """Why readers may not begin, as one sentence; empty if they may."""
        checks = self.store.notes(LEAK_CHECK)
        if checks and checks[-1]["passed"]:
            return ""
        if any(note["check"] == len(checks) for note in self.store.notes(OVERRULED)):
            return ""
        return (
            "the leak check found something that tells the arms apart; remove it and make the study again, or overrule "
            "the check with a written reason"
        )

    def hand_back(self) -> None:
        """Nothing: the answers are in the study's record."""

    def overrule(self, reason: str, passphrase: str) -> None:
        """Let readers begin although the leak check failed; the reason stays in the record.

        Raises:
            StudyError: no reason.
            SealError: wrong passphrase: only the coordinator may.
        """
        if len(reason.split()) < 3:
            raise StudyError("overruling the leak check needs a reason of a few words; it stays in the record")
        self.key(passphrase)
        self.store.note(OVERRULED, {"reason": reason, "check": len(self.store.notes(LEAK_CHECK))})

    def key(self, passphrase: str) -> AnswerKey:
        """The answer key.

        Raises:
            SealError: wrong passphrase.
        """
        sealed = self.store.sealed_key()
        if not sealed:
            raise SealError(f"{self.store.where} holds no answer key; choose the coordinator's study")
        return open_key(sealed, passphrase, self.store.id)

    def close(self) -> None:
        """Close the record."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def new_folder(path: Path) -> Path:
    """Make the folder of a new study and its ``stimuli``; returns the latter.

    Raises:
        StudyError: something is there already, or it can't be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise StudyError(f"{path} is not empty; choose a new folder for the study")
        stimuli = path / "stimuli"
        stimuli.mkdir()
    except OSError as error:
        raise StudyError(f"{path} can't be made a study's folder: {error.strerror or error}") from error
    return stimuli


def discard_folder(path: Path) -> None:
    """Take away what ``new_folder`` began, as the study could not be made."""
    with contextlib.suppress(OSError):
        shutil.rmtree(path / "stimuli")
        for made in (STUDY_FILE, RECORD_FILE, f"{RECORD_FILE}-wal", f"{RECORD_FILE}-shm"):
            (path / made).unlink(missing_ok=True)
        path.rmdir()


def create_study(
    folder: Path, protocol: Protocol, built: Built, passphrase: str, *, record: str | None = None
) -> StudyFolder:
    """Draw the schedule, seal the key and write the record of a study whose stimuli are built.

    Args:
        folder: as ``new_folder`` made it, with the stimuli in it.
        protocol: what is asked.
        built: the stimuli, and what the leak check says.
        passphrase: seals the answer key.
        record: PostgreSQL's address; None for an SQLite file in the folder.

    Raises:
        StudyError: too few volumes, a passphrase that is too short, or the record can't be written.
        SaveError: the folder can't be written.
    """
    study = secrets.token_hex(8)
    seed = protocol.seed if protocol.seed is not None else secrets.randbits(63)
    schedule, truths = draw_schedule(protocol, built.materials, seed)
    used = {name for trials in schedule.trials.values() for trial in trials for name in trial.stimuli}
    key = AnswerKey(study, protocol.to_yaml(), seed, built.materials, truths, built.leak_report)
    sealed = seal_key(key, passphrase)
    address = record or str(folder / RECORD_FILE)
    sha256 = {material.stimulus: material.sha256 for material in built.materials if material.stimulus in used}
    stimuli = dict(sorted(sha256.items()))  # materials come arm by arm, and rows keep their order
    new = NewStudy(study, protocol.for_readers(), schedule, practice_feedback(schedule, truths), stimuli)
    store = StudyStore.create(address, new)
    try:
        store.note(SEALED_KEY, {"sealed": sealed})
        store.note(LEAK_CHECK, {"passed": built.leak_passed})
        content = {"format": FORMAT, "id": study, "record": without_password(address) if record else RECORD_FILE}
        write_atomically(folder / STUDY_FILE, (json.dumps(content, indent=2) + "\n").encode())
    except (StudyError, SaveError):
        store.close()
        raise
    return StudyFolder(folder, store)


def practice_feedback(schedule: Schedule, truths: Truths) -> dict[tuple[str, int], str]:
    """What readers are told after practice trials: the right choice, where there is one."""
    return {
        (reader, trial.number): truth.correct
        for reader, trials in schedule.trials.items()
        for trial, truth in zip(trials, truths[reader], strict=True)
        if trial.practice and truth.correct
    }
