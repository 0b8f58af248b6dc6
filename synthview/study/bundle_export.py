"""Writes bundles for readers elsewhere, and the signed response files that come back from them."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from synthview.errors import BundleError, SaveError, StudyError
from synthview.study import bundle
from synthview.study.bundle import ReaderBundle
from synthview.study.protocol_files import canonical_json
from synthview.study.record import RecordKind, verify_chain
from synthview.study.study_folder import StudyFolder
from synthview.study.trial import StimulusId
from synthview.volume.nifti import write_atomically

RESPONSES_FORMAT = "synthview-responses-1"
RESPONSES_SUFFIX = ".svanswers"
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def export_bundle(
    study: StudyFolder, readers: Sequence[str], path: Path, progress: Callable[[float], None] = lambda _: None
) -> Path:
    """Write a bundle for some readers: their trials, the stimuli in them, and a key to sign answers with.

    Args:
        study: the coordinator's.
        readers: for whom.
        path: of the file, which should end in ``.svbundle``.
        progress: hears the fraction done; may raise ``Cancelled``.

    Raises:
        StudyError: the leak check blocks the study, or there is no such reader, or a stimulus is damaged.
        SaveError: it can't be written; nothing is left behind.
    """
    if reason := study.blocked():
        raise StudyError(reason)
    if not readers:
        raise StudyError(f"name the readers of the bundle, of {', '.join(study.store.readers)}")
    key = Ed25519PrivateKey.generate()
    manifest = _manifest(study, readers, secrets.token_hex(8), key)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(bundle.MANIFEST, _NO_DATE), canonical_json(manifest))
            for number, name in enumerate(manifest["stimuli"], 1):
                archive.writestr(zipfile.ZipInfo(f"stimuli/{name}.stimulus", _NO_DATE), study.stimulus_bytes(name))
                progress(number / len(manifest["stimuli"]))
        _sync(temporary)
        study.store.add_bundle(manifest["bundle"], readers, _public(key))
        temporary.replace(path)
    except OSError as error:
        raise SaveError(f"{path} could not be written: {error.strerror or error}; choose another folder") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def export_responses(place: ReaderBundle, path: Path) -> Path:
    """Write the answers given with a bundle, signed, to be sent to the coordinator; unfinished sessions too.

    Raises:
        BundleError: nobody has answered anything.
        ChainError: the record was changed.
        SaveError: it can't be written.
    """
    chains = {}
    for reader in place.store.readers:
        records = place.store.records(reader)
        verify_chain(place.store.start(reader), records)
        if any(record.kind is RecordKind.ANSWER for record in records):
            chains[reader] = [record.to_dict() for record in records]
    if not chains:
        raise BundleError(f"nobody has answered anything with {place.path} yet")
    content = canonical_json(
        {"format": RESPONSES_FORMAT, "study": place.store.id, "bundle": place.id, "records": chains}
    )
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(place.manifest["signing_key"]))
    signed = {"content": content, "signature": key.sign(content.encode()).hex()}
    write_atomically(path, json.dumps(signed, ensure_ascii=False).encode())
    return path


def _manifest(study: StudyFolder, readers: Sequence[str], name: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    store = study.store
    trials = {reader: store.trials(reader) for reader in readers}
    shown = sorted({stimulus for own in trials.values() for trial in own for stimulus in trial.stimuli})
    feedback = [[reader, number, text] for reader in readers for number, text in store.feedback(reader).items()]
    return {
        "format": bundle.FORMAT,
        "study": store.id,
        "bundle": name,
        "protocol": store.protocol.to_dict(),
        "trials": {reader: [trial.to_dict() for trial in own] for reader, own in trials.items()},
        "feedback": feedback,
        "stimuli": {stimulus: store.stimulus_sha256(StimulusId(stimulus)) for stimulus in shown},
        "signing_key": key.private_bytes_raw().hex(),
    }


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
