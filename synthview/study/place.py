"""Where a study is read: its folder, or a reader's bundle.  Both give a session the same things."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from synthview.errors import StoreError, StudyError
from synthview.study.stimulus_file import decode_stimulus
from synthview.study.store_engine import is_postgres
from synthview.study.store_locks import ReaderLock
from synthview.userdata import data_dir

if TYPE_CHECKING:
    from synthview.study.protocol import ReadingProtocol
    from synthview.study.store import StudyStore
    from synthview.study.trial import StimulusId, Trial
    from synthview.volume import Volume

_LEAST_FREE_BYTES = 20 << 20  # a whole study's answers take a few megabytes


class StudyPlace(Protocol):
    """What reading needs of a study; nothing here tells what is true.

    Attributes:
        path: the folder or file.
        store: the record.
    """

    path: Path
    store: StudyStore

    def stimulus_bytes(self, name: StimulusId) -> bytes:
        """A stimulus file's content.

        Raises:
            StudyError: it can't be read.
        """

    def blocked(self) -> str:
        """Why readers may not begin, as one sentence; empty if they may."""

    def hand_back(self) -> Path | None:
        """Write what goes back to the coordinator; None where the study's own record holds the answers.

        Raises:
            SynthviewError: nothing is answered yet, or it can't be written.
        """

    def close(self) -> None:
        """Close files and connections."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def protocol_of(place: StudyPlace) -> ReadingProtocol:
    """What is asked."""
    return place.store.protocol


def trials_of(place: StudyPlace, reader: str) -> tuple[Trial, ...]:
    """A reader's trials, in order."""
    return place.store.trials(reader)


def load_stimulus(place: StudyPlace, name: StimulusId) -> Volume:
    """A stimulus as it is drawn: no name, no provenance, no place in a scanner.

    Raises:
        StudyError: it can't be read, or was changed since the study was made.
    """
    content = place.stimulus_bytes(name)
    if hashlib.sha256(content).hexdigest() != place.store.stimulus_sha256(name):
        raise StudyError(f"stimulus {name} was changed or damaged; ask the coordinator for the study's files again")
    return decode_stimulus(content)


def lock_reader(place: StudyPlace, reader: str) -> ReaderLock:
    """Make sure that this is the only window of a reader; held until released, or until the process ends.

    Raises:
        SessionTakenError: another window has it.
        StoreError: no lock can be written.
    """
    store = place.store
    shared_file = None if is_postgres(store.address) else Path(store.address).parent / "locks"
    return ReaderLock(shared_file or data_dir() / "locks" / store.id, reader, store.server, store.id)


def check_room(place: StudyPlace) -> None:
    """Make sure that answers can be written, before a reader begins.

    Raises:
        StoreError: read-only, unreachable, or hardly any room left.
    """
    place.store.check_writable()
    if is_postgres(place.store.address):
        return
    folder = Path(place.store.address).parent
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise StoreError(
            f"the disk of {folder} has {free / 1e6:.0f} MB left; make room ({_LEAST_FREE_BYTES / 1e6:.0f} MB at least) "
            "before a reader begins"
        )


def open_place(path: str | Path) -> StudyPlace:
    """Open a study's folder or a reader's bundle.

    Raises:
        StudyError: it is neither, or is damaged.
    """
    from synthview.study.bundle import ReaderBundle
    from synthview.study.study_folder import StudyFolder

    path = Path(path)
    return StudyFolder.open(path) if path.is_dir() else ReaderBundle.open(path)
