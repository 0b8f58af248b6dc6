"""Bundles: one file for readers elsewhere, with everything to read and nothing of what is true.

A zip file without compression, dates or comments:

    bundle.json              ids, protocol for readers, trials, hashes, the key that answers are signed with
    stimuli/NAME.stimulus

Answers go into a record of the same form as a study's: ``BUNDLE.answers/record.db`` beside the bundle, or, where that
folder is read-only, in the user's data folder.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from synthview.errors import BundleError, StoreError, StudyError
from synthview.study.protocol import ReadingProtocol
from synthview.study.schedule import Schedule
from synthview.study.store import NewStudy, StudyStore
from synthview.study.trial import StimulusId, Trial
from synthview.userdata import data_dir

FORMAT = "synthview-bundle-1"
SUFFIX = ".svbundle"
MANIFEST = "bundle.json"
_MOST_MANIFEST = 256 << 20


class ReaderBundle:
    """An open bundle.

    Attributes:
        path: the file.
        store: the record of the answers given here.
        id: the bundle's.
        manifest: what ``bundle.json`` says.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Mapping[str, Any], store: StudyStore) -> None:
        self.path, self._archive, self.manifest, self.store = path, archive, manifest, store
        self.id = str(manifest["bundle"])

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a bundle, and the record of its answers; the first time, that is made.

        Raises:
            BundleError: it isn't one, or is damaged.
            StoreError: answers can't be kept anywhere.
        """
        path = Path(path).resolve()  # readers are told where their file is
        archive = _archive(path)
        try:
            manifest = _manifest(path, archive)
            store = _answers(path, manifest)
        except BaseException:
            archive.close()
            raise
        return cls(path, archive, manifest, store)

    def stimulus_bytes(self, name: StimulusId) -> bytes:
        """A stimulus file's content.

        Raises:
            BundleError: it can't be read.
        """
        try:
            return self._archive.read(f"stimuli/{name}.stimulus")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(f"{self.path} is damaged: stimulus {name} can't be read; ask for it again") from error

    def blocked(self) -> str:
        """Nothing blocks a bundle: a study that readers may not begin gives none out."""
        return ""

    def hand_back(self) -> Path:
        """Write the signed answers of all its readers, beside the bundle or else beside their record; says where.

        Raises:
            BundleError: nobody has answered anything.
            SaveError: it can't be written.
        """
        from synthview.study.bundle_export import RESPONSES_SUFFIX, export_responses

        beside = os.access(self.path.parent, os.W_OK)
        folder = self.path.parent if beside else Path(self.store.address).parent
        return export_responses(self, folder / f"{self.path.stem}{RESPONSES_SUFFIX}")

    def close(self) -> None:
        """Close file and record."""
        self._archive.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answers_path(path: Path, bundle: str) -> Path:
    """Where a bundle's answers are recorded: beside it, or in the user's data folder."""
    kept = data_dir() / "answers" / bundle / "record.db"
    beside = path.with_name(f"{path.stem}.answers") / "record.db"
    if beside.exists() or (not kept.exists() and os.access(path.parent, os.W_OK)):
        return beside
    return kept


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise StudyError(f"{path} is not there; choose a study's folder or a reader's bundle") from error
    except OSError as error:
        raise BundleError(f"{path} can't be read: {error.strerror or error}") from error
    except zipfile.BadZipFile as error:
        raise BundleError(f"{path} is not a reader's bundle, or it was cut short; ask for it again") from error


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        if archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
            raise BundleError(f"{path} is not a reader's bundle: {MANIFEST} is too large")
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise BundleError(f"{path} is of the form {manifest['format']!r}; update synthview")
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise BundleError(f"{path} is not a reader's bundle: it is compressed")  # it could unpack to any size
        missing = [name for name in manifest["stimuli"] if f"stimuli/{name}.stimulus" not in archive.NameToInfo]
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path} is not a reader's bundle, or it is damaged; ask for it again") from error
    if missing:
        raise BundleError(f"{path} is damaged: {len(missing)} stimuli are missing; ask for it again")
    return manifest


def _answers(path: Path, manifest: Mapping[str, Any]) -> StudyStore:
    """The record of a bundle's answers."""
    where = answers_path(path, str(manifest["bundle"]))
    study = str(manifest["study"])
    if where.exists():
        return StudyStore.open(str(where), study)
    schedule = Schedule(
        {reader: tuple(Trial.from_dict(trial) for trial in trials) for reader, trials in manifest["trials"].items()}
    )
    feedback = {(reader, int(number)): text for reader, number, text in manifest["feedback"]}
    protocol = ReadingProtocol.from_dict(manifest["protocol"], str(path))
    stimuli = {StimulusId(name): str(sha256) for name, sha256 in manifest["stimuli"].items()}
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(f"{where.parent} can't be made ({error.strerror or error}); answers would be lost") from error
    try:
        return StudyStore.create(str(where), NewStudy(study, protocol, schedule, feedback, stimuli))
    except StoreError:
        if where.exists():  # another window of the same bundle was quicker
            return StudyStore.open(str(where), study)
        raise
