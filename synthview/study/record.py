"""Records: what happened, one after the other, each holding the hash of the one before.

    hash = SHA-256 of the canonical JSON of everything else in the record, the previous hash included

A reader's chain begins with the study's id, the reader's name and trials, so that no record can be changed, left
out between others, put elsewhere or carried into another study without a hash that no longer fits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from synthview.errors import ChainError
from synthview.study.protocol_files import canonical_json
from synthview.study.trial import Answer, Response, Trial


class RecordKind(StrEnum):
    """What happened."""

    BEGIN = "begin"
    ANSWER = "answer"
    BREAK = "break"
    LEAVE = "leave"
    """Left unfinished, to be resumed."""
    RESUME = "resume"
    ABANDON = "abandon"
    """Left unfinished, for good."""
    FINISH = "finish"


@dataclass(frozen=True)
class Record:
    """One entry of a reader's chain.

    Attributes:
        reader: whose chain.
        seq: place in it, from 1.
        session: id of the sitting.
        kind: what happened.
        trial, revision: of an answer; else None.
        body: everything about it; plain values.
        at: the wall clock, UTC, ISO 8601; for people, nothing is computed from it.
        previous: hash of the record before.
        hash: of this one, hexadecimal.
    """

    reader: str
    seq: int
    session: str
    kind: RecordKind
    trial: int | None
    revision: int | None
    body: Mapping[str, Any]
    at: str
    previous: str
    hash: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``from_dict`` reads them."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Record:
        """The inverse of ``to_dict``."""
        return cls(**{**content, "kind": RecordKind(content["kind"])})

    def expected_hash(self) -> str:
        """What the hash must be."""
        content = self.to_dict()
        del content["hash"]
        return digest(content)

    def response(self) -> Response:
        """The answer it holds."""
        return Response(
            self.reader,
            self.trial or 0,
            self.revision or 0,
            Answer.from_dict(self.body["answer"]),
            int(self.body["response_time_ms"]),
            tuple(self.body["activity"]),
        )


@dataclass(frozen=True)
class Chain:
    """The end of a reader's chain, from which it goes on."""

    reader: str
    seq: int
    hash: str

    def next(
        self,
        session: str,
        kind: RecordKind,
        body: Mapping[str, Any],
        *,
        trial: int | None = None,
        revision: int | None = None,
    ) -> Record:
        """The record that comes next."""
        unsigned = Record(self.reader, self.seq + 1, session, kind, trial, revision, body, now(), self.hash, "")
        return Record.from_dict({**unsigned.to_dict(), "hash": unsigned.expected_hash()})

    def after(self, record: Record) -> Chain:
        """The chain with one record more."""
        return Chain(self.reader, record.seq, record.hash)


def chain_start(study: str, reader: str, trials: Iterable[Trial]) -> Chain:
    """A reader's empty chain."""
    return Chain(reader, 0, digest([study, reader, [trial.to_dict() for trial in trials]]))


def verify_chain(start: Chain, records: Iterable[Record]) -> Chain:
    """Check a reader's records; returns the chain's end.

    Raises:
        ChainError: names the first bad row.
    """
    chain = start
    for record in records:
        row = f"reader {start.reader}, row {record.seq}"
        if record.seq != chain.seq + 1:
            raise ChainError(f"{row}: row {chain.seq + 1} should come here; a row is missing or out of place")
        if record.previous != chain.hash:
            raise ChainError(f"{row}: it does not follow from the row before; one of them was exchanged")
        if record.hash != record.expected_hash():
            raise ChainError(f"{row}: its content was changed after it was written")
        chain = chain.after(record)
    return chain


def digest(content: Any) -> str:
    """SHA-256 of plain values, hexadecimal."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def now() -> str:
    """The wall clock, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
