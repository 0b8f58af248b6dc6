"""Takes in the response files that readers elsewhere send back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from synthview.errors import BundleError, ChainError, SessionTakenError
from synthview.study.bundle_export import RESPONSES_FORMAT
from synthview.study.record import Record, RecordKind, verify_chain
from synthview.study.study_folder import StudyFolder

IMPORTED = "imported"
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Imported:
    """What a response file brought.

    Attributes:
        readers: whose answers are in it.
        answers: how many are in it.
        new: how many of these the study had not yet.
    """

    readers: tuple[str, ...]
    answers: int
    new: int


def import_responses(study: StudyFolder, path: Path) -> Imported:
    """Merge a response file into the study; doing it again changes nothing.

    Raises:
        BundleError: it was altered, is of another study, or contradicts what the study has; nothing was taken from it.
        StoreError: the record can't be written.
    """
    content, text = _signed_content(path)
    known = study.store.bundle(str(content.get("bundle")))
    if content.get("study") != study.store.id or known is None:
        raise BundleError(
            f"{path} answers another study, or a bundle that this study didn't make; nothing was taken in"
        )
    readers, public_key = known
    _check_signature(path, text, public_key)
    chains = _chains(path, study, readers, content["records"])
    fresh = {reader: _fresh(path, study, reader, records) for reader, records in chains.items()}
    for records in fresh.values():
        try:
            study.store.append(records)
        except SessionTakenError as error:
            raise _conflict(path, records[0].reader) from error
    new = sum(record.kind is RecordKind.ANSWER for records in fresh.values() for record in records)
    answers = sum(record.kind is RecordKind.ANSWER for records in chains.values() for record in records)
    if any(fresh.values()):
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        study.store.note(IMPORTED, {"bundle": content["bundle"], "answers": new, "sha256": sha256})
    return Imported(tuple(chains), answers, new)


def _signed_content(path: Path) -> tuple[dict[str, Any], str]:
    """The content, parsed and as it was signed."""
    no_file = BundleError(f"{path} is not a response file, or it is damaged; ask for it again")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise no_file
        signed = json.loads(path.read_bytes())
        text = signed["content"]
        content = json.loads(text)
        if content["format"] != RESPONSES_FORMAT:
            raise BundleError(f"{path} is of the form {content['format']!r}; update synthview")
    except OSError as error:
        raise BundleError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise no_file from error
    return content, text


def _check_signature(path: Path, text: str, public_key: str) -> None:
    try:
        signature = bytes.fromhex(json.loads(path.read_bytes())["signature"])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, text.encode())
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path} was altered after it was signed; nothing was taken in; ask for it again") from error


def _chains(
    path: Path, study: StudyFolder, readers: Sequence[str], content: Mapping[str, Any]
) -> dict[str, list[Record]]:
    """The readers' records, each chain checked."""
    chains = {}
    for reader, records in content.items():
        if reader not in readers:
            raise BundleError(
                f"{path} holds answers of {reader!r}, for whom its bundle was not made; nothing was taken in"
            )
        try:
            chains[reader] = [Record.from_dict(record) for record in records]
            verify_chain(study.store.start(reader), chains[reader])
        except (ChainError, TypeError, ValueError, KeyError) as error:
            raise BundleError(f"{path} was altered ({error}); nothing was taken in; ask for it again") from error
    return chains


def _fresh(path: Path, study: StudyFolder, reader: str, records: Sequence[Record]) -> list[Record]:
    """Those that the study hasn't got; the others must be the same."""
    there = study.store.records(reader)
    for mine, theirs in zip(there, records, strict=False):
        if mine.hash != theirs.hash:
            raise _conflict(path, reader)
    return list(records[len(there) :])


def _conflict(path: Path, reader: str) -> BundleError:
    return BundleError(
        f"{path} has other answers of reader {reader} than the study has: this reader has read twice. Nothing was "
        "taken in; decide which reading counts"
    )
