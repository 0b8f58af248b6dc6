"""How a volume was made, so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from synthview.errors import ProvenanceError

_TYPES: dict[type, tuple[str, ...]] = {
    str: ("checkpoint_sha256", "checkpoint_name", "family", "device", "dtype"),
    Mapping: ("arguments", "features", "versions", "reconstructed"),
}


@dataclass(frozen=True)
class Provenance:
    """How synthview made a volume: with these, ``synthview verify`` makes it again.

    Attributes:
        checkpoint_sha256: hexadecimal SHA-256 of the checkpoint (of several files: see ``Checkpoint.sha256``).
        checkpoint_name: the checkpoint's file or folder name, to help a person; never its folder.
        family: identifier of the architecture, such as "ha-gan".
        arguments: constructor arguments of the network, and what the weights could not tell.
        seed: the integer the latent was drawn from; None where a latent was given.
        latent: the latent itself, flattened, where no seed made it; otherwise None.
        truncation: factor on the latent, 1 is the trained distribution.
        features: conditioning inputs by name; empty for an unconditional generator.
        device: "cpu", "cuda" or "mps", with the device's name where there is one.
        dtype: the precision of the computation, such as "float32".
        versions: synthview, torch, numpy and Python versions.
        reconstructed: of a real scan that was encoded and decoded again: its name ("scan"), the SHA-256 of its voxels
            ("voxels_sha256") and that of the encoder's files ("encoder_sha256", where it has its own); else empty.
            The latent is then the scan's code, or empty where the code is no latent of the generator.
    """

    checkpoint_sha256: str
    checkpoint_name: str
    family: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    latent: tuple[float, ...] | None = None
    truncation: float = 1.0
    features: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    dtype: str = "float32"
    versions: Mapping[str, str] = field(default_factory=dict)
    reconstructed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.seed is None) == (self.latent is None):
            raise ProvenanceError("provenance needs either a seed or a latent, and not both")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Any) -> Provenance:
        """The provenance in a parsed JSON object; entries this version doesn't know are left out.

        Raises:
            ProvenanceError: not an object, or an entry is missing or of the wrong type.
        """
        if not isinstance(content, dict):
            raise ProvenanceError("the provenance is not a JSON object")
        known = {f.name for f in fields(cls)}
        entries = {key: value for key, value in content.items() if key in known}
        for expected, names in _TYPES.items():
            for name in names:
                if name in entries and not isinstance(entries[name], expected):
                    raise ProvenanceError(f"the provenance is damaged: {name} is {entries[name]!r}")
        try:
            if entries.get("latent") is not None:
                entries["latent"] = tuple(float(value) for value in entries["latent"])
            if entries.get("seed") is not None:
                entries["seed"] = int(entries["seed"])
            entries["truncation"] = float(entries.get("truncation", 1.0))
            return cls(**entries)
        except (TypeError, ValueError, OverflowError) as error:
            raise ProvenanceError(f"the provenance is incomplete or damaged: {error}") from error
