"""Arms: where stimuli come from.  The coordinator's half of a protocol; readers never get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthview.errors import WrongRequestError
from synthview.study.harmonise import Harmonisation
from synthview.study.protocol_entries import Entries
from synthview.study.protocol_values import plain


@dataclass(frozen=True)
class FolderSource:
    """Volumes in a folder (NIfTI files), in the order of their names.

    Attributes:
        path: relative to the protocol's folder, or absolute.
        pattern: which files, as in a shell.
    """

    path: str
    pattern: str = "*.nii*"


@dataclass(frozen=True)
class DicomSource:
    """DICOM series under a folder: every series in it is one volume.

    Attributes:
        path: relative to the protocol's folder, or absolute.
    """

    path: str


@dataclass(frozen=True)
class GenerateSource:
    """Volumes made when the study is built, with the seeds ``seed`` to ``seed + count - 1``.

    Attributes:
        checkpoint: file, folder or name of a bundled generator; relative to the protocol's folder.
        count: how many; None for as many as the sections need.
        seed: the first volume's.
        features: what the generator is conditioned on.
        truncation: truncation ψ; None for none.
        arguments: what the weights can't tell, as in ``--arg``.
    """

    checkpoint: str
    count: int | None = None
    seed: int = 0
    features: Mapping[str, float] = field(default_factory=dict)
    truncation: float | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


Source = FolderSource | DicomSource | GenerateSource


@dataclass(frozen=True)
class Arm:
    """Where stimuli come from.

    Attributes:
        name: the coordinator's name for it, in the results; readers never see it.
        real: whether they are real.
        source: where they are taken from or how they are made.
    """

    name: str
    real: bool
    source: Source

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a protocol file, less the name."""
        word = {FolderSource: "folder", DicomSource: "dicom", GenerateSource: "generate"}[type(self.source)]
        content = plain(self.source)
        only_path = set(content) == {"path"}
        return {"real": self.real, word: content["path"] if only_path else content}


def read_arms(given: Entries) -> dict[str, Arm]:
    """The protocol's ``arms``.

    Raises:
        ProtocolError: names file, line and field.
    """
    arms: dict[str, Arm] = {}
    for name in given.names():
        if not name.replace("_", "").replace("-", "").isalnum() or len(name) > 40:
            raise given.wrong(name, "must be a name of letters, digits, - and _ (40 at the most)")
        if name.lower() in (known.lower() for known in arms):
            raise given.wrong(name, "is there twice; rename one")
        arms[name] = _read_arm(name, given.entries(name))
    return arms


def _read_arm(name: str, given: Entries) -> Arm:
    given.refuse_unknown(("real", "folder", "dicom", "generate"))
    sources = [word for word in ("folder", "dicom", "generate") if given.has(word)]
    if len(sources) != 1:
        raise given.wrong(sources[1] if sources else "folder", "must be one of folder, dicom, generate; give just one")
    real = given.flag("real", default=name.lower() == "real")
    if real and sources == ["generate"]:
        raise given.wrong("real", "can't be true of volumes that a generator makes; set it to false")
    return Arm(name, real, _read_source(given, sources[0]))


def _read_source(given: Entries, word: str) -> Source:
    raw = given.raw(word)
    if raw is not None and isinstance(raw.value, str):
        path = given.text(word, required=True)
        if word == "generate":
            return GenerateSource(path)
        return FolderSource(path) if word == "folder" else DicomSource(path)
    entries = given.entries(word)
    if word == "generate":
        return _read_generate(entries)
    entries.refuse_unknown(("path", "pattern") if word == "folder" else ("path",))
    path = entries.text("path", required=True)
    return FolderSource(path, entries.text("pattern", "*.nii*")) if word == "folder" else DicomSource(path)


def _read_generate(given: Entries) -> GenerateSource:
    given.refuse_unknown(("checkpoint", "count", "seed", "features", "truncation", "arguments"))
    features = given.entries("features")
    return GenerateSource(
        given.text("checkpoint", required=True),
        given.whole("count", low=1, high=100_000),
        given.whole("seed") or 0,
        {name: value for name in features.names() if (value := features.number(name)) is not None},
        given.number("truncation", low=0, high=10),
        _read_arguments(given.entries("arguments")),
    )


def _read_arguments(given: Entries) -> dict[str, Any]:
    return {name: raw.plain() for name in given.names() if (raw := given.raw(name)) is not None}


def read_harmonisation(given: Entries) -> Harmonisation:
    """The protocol's ``harmonisation``.

    Raises:
        ProtocolError: names file, line and field.
    """
    content = {name: raw.plain() for name in given.names() if (raw := given.raw(name)) is not None}
    try:
        return Harmonisation.from_dict(content)
    except WrongRequestError as error:
        field_named = next((name for name in content if name in str(error)), "")
        raise given.wrong(field_named, str(error)) if field_named else given.error(given.line, str(error)) from error
