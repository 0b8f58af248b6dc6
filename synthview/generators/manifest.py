"""``manifest.json`` beside a checkpoint: what weights can't say.  ``docs/manifest.md`` explains it to its writers.

The types here are the manifest; ``resources/manifest.schema.json`` says the same for editors, and a test compares them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from synthview.generators.manifest_entries import Entries, read_json
from synthview.volume import VolumeKind, Window
from synthview.volume.nifti import write_atomically

MANIFEST_NAME = "manifest.json"
FEATURE_KINDS = ("number", "category")
_FEATURE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_PAIRS = ("LR", "AP", "IS")
_SPREAD = 3.0  # standard deviations from the mean, where no range is given


@dataclass(frozen=True)
class ManifestOutput:
    """What comes out; each field overrides what the family assumes.

    Attributes:
        spacing: mm per voxel along each axis of the network's raw output.
        orientation: where each of these axes points, such as "RAS" or "SPL" (as nibabel's axis codes); or empty.
        kind: what the values mean.
        unit: their unit, such as "HU"; or empty.
        window: what to show them in.
    """

    spacing: tuple[float, float, float] | None = None
    orientation: str = ""
    kind: VolumeKind | None = None
    unit: str = ""
    window: Window | None = None

    @classmethod
    def from_dict(cls, content: Any, where: str) -> ManifestOutput:
        """Checked content.

        Raises:
            CheckpointError: names file, field and what to do.
        """
        given = Entries(content, where, "output.")
        given.refuse_unknown([f.name for f in fields(cls)])
        spacing = given.numbers("spacing", 3)
        if spacing is not None and not all(1e-3 <= mm <= 1e3 for mm in spacing):
            raise given.wrong("spacing", f"must be millimetres above 0, got {list(spacing)}; correct it")
        codes = given.text("orientation")
        if codes and sorted(_pairs(codes)) != sorted(_PAIRS):
            raise given.wrong(
                "orientation", f'must name three directions such as "RAS", one each of L/R, A/P, I/S, got {codes!r}'
            )
        kind = given.choice("kind", [kind.value for kind in VolumeKind])
        return cls(
            None if spacing is None else (spacing[0], spacing[1], spacing[2]),
            codes,
            VolumeKind(kind) if kind else None,
            given.text("unit"),
            _window(given),
        )


@dataclass(frozen=True)
class ManifestFeature:
    """One conditioning input, in the order in which the network takes them.

    Attributes:
        name: identifier, as in ``--set age=72``.
        label: what the screen says; the name if empty.
        unit: such as "years".
        kind: "number" or "category".
        low, high: a number's range; by default the mean ± 3 std, else what the family assumes.
        default: where its control stands at first: by default the mean, else the middle; a category's number, from 0.
        step: what one click on its control changes.
        mean, std: of the training subjects; the network gets (value - mean) / std.
        categories: a category's names.
        follows: of a number: other numbers that it goes along with in people, and how much it changes for each of
            their units; at their defaults it has its own.
    """

    name: str
    label: str = ""
    unit: str = ""
    kind: str = "number"
    low: float | None = None
    high: float | None = None
    default: float | None = None
    step: float | None = None
    mean: float | None = None
    std: float | None = None
    categories: tuple[str, ...] = ()
    follows: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, content: Any, where: str, number: int) -> ManifestFeature:
        """Checked content.

        Raises:
            CheckpointError: names file, field and what to do.
        """
        given = Entries(content, where, f"features[{number}].")
        given.refuse_unknown([f.name for f in fields(cls)])
        low, high, default, step, mean, std = (
            given.number(name) for name in ("low", "high", "default", "step", "mean", "std")
        )
        feature = cls(
            name=given.text("name", required=True),
            label=given.text("label"),
            unit=given.text("unit"),
            kind=given.choice("kind", FEATURE_KINDS) or "number",
            low=low,
            high=high,
            default=default,
            step=step,
            mean=mean,
            std=std,
            categories=given.texts("categories"),
            follows=given.slopes("follows"),
        )
        if not _FEATURE_NAME.fullmatch(feature.name):
            raise given.wrong("name", f"must be letters, digits and _ such as brain_volume, got {feature.name!r}")
        feature.check(given)
        return feature

    def check(self, given: Entries) -> None:
        """Make sure that the fields go together.

        Raises:
            CheckpointError: they don't; names one of them.
        """
        if self.kind == "category":
            if len(self.categories) < 2:
                raise given.wrong("categories", "must name two or more choices, as it is a category; name them")
            for name in ("low", "high", "step", "follows"):
                if getattr(self, name) not in (None, {}):
                    raise given.wrong(name, "is for numbers, and this is a category; take it out")
        elif self.categories:
            raise given.wrong("categories", 'are given, but its kind is number; set kind to "category"')
        if (self.mean is None) != (self.std is None):
            raise given.wrong("mean" if self.mean is None else "std", "is missing; mean and std go together")
        for name in ("std", "step"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise given.wrong(name, f"must be above 0, got {value:g}; correct it")
        self._check_range(given)

    def _check_range(self, given: Entries) -> None:
        low, high = self.range()
        if (low is None) != (high is None):
            raise given.wrong("low" if low is None else "high", "is missing; low and high go together")
        if low is not None and high is not None:
            if low >= high:
                raise given.wrong("low", f"must be below high, got {low:g} and {high:g}; correct them")
            if self.default is not None and not low <= self.default <= high:
                raise given.wrong("default", f"must be from {low:g} to {high:g}, got {self.default:g}; correct it")
        if self.kind == "category" and self.default is not None and self.default != int(self.default):
            raise given.wrong("default", f"must be the number of a category, from 0, got {self.default:g}; correct it")

    def range(self) -> tuple[float | None, float | None]:
        """Lowest and highest value, as far as the manifest says them."""
        if self.kind == "category":
            return 0.0, len(self.categories) - 1.0
        if self.low is None and self.high is None and self.mean is not None and self.std is not None:
            return self.mean - _SPREAD * self.std, self.mean + _SPREAD * self.std
        return self.low, self.high


@dataclass(frozen=True)
class Manifest:
    """What the makers of a checkpoint say of it.  Only the name is required.

    Attributes:
        name: what to call it.
        weights: name of the file it belongs to; for ``weights.safetensors`` not needed.
        sha256: hexadecimal SHA-256 of the weights (of several files: see ``Checkpoint.sha256``).
        family: identifier of the architecture; recognised from the weights where empty.
        arguments: constructor arguments and ways to use the network, as the family names them.
        output: what comes out.
        features: every conditioning input, in the network's order; empty to leave them as the family has them.
        training_data: what it was trained on.
        licence: under which the weights are given, such as "CC-BY-4.0".
        citation: what to cite.
        metrics: reported figures, such as {"FID": 12.3}.
        path: where it was read from; not part of the file.
    """

    name: str
    weights: str = ""
    sha256: str = ""
    family: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    output: ManifestOutput = field(default_factory=ManifestOutput)
    features: tuple[ManifestFeature, ...] = ()
    training_data: str = ""
    licence: str = ""
    citation: str = ""
    metrics: Mapping[str, float | str] = field(default_factory=dict)
    path: Path = field(default=Path(MANIFEST_NAME), compare=False)

    @classmethod
    def from_dict(cls, content: Any, path: Path = Path(MANIFEST_NAME)) -> Manifest:
        """The manifest in a parsed JSON value.

        Raises:
            CheckpointError: names file, field and what to do.
        """
        given = Entries(content, str(path))
        given.refuse_unknown([*(f.name for f in fields(cls) if f.name != "path"), "$schema"])
        given.text("$schema")
        sha256, weights = given.text("sha256"), given.text("weights")
        if sha256 and not _SHA256.fullmatch(sha256):
            raise given.wrong("sha256", "must be 64 hexadecimal digits; `synthview inspect` prints them")
        if weights != Path(weights.replace("\\", "/")).name:
            raise given.wrong("weights", f"must be a file name without folders, got {weights!r}; shorten it")
        return cls(
            name=given.text("name", required=True),
            weights=weights,
            sha256=sha256.lower(),
            family=given.text("family"),
            arguments=given.object("arguments"),
            output=ManifestOutput.from_dict(given.object("output"), str(path)),
            features=_features(given),
            training_data=given.text("training_data"),
            licence=given.text("licence"),
            citation=given.text("citation"),
            metrics=_metrics(given),
            path=path,
        )

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """The manifest in a file.

        Raises:
            CheckpointError: names file, field and what to do.
        """
        return cls.from_dict(read_json(path), path)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; what is not said is left out."""
        return {name: value for name, value in _plain(self).items() if name != "path"}

    def save(self, path: str | Path) -> None:
        """Write the file, or leave what was there as it was.

        Raises:
            CheckpointError: a field is wrong; nothing is written.
            SaveError: it can't be written.
        """
        path = Path(path)
        content = self.to_dict()
        Manifest.from_dict(content, path)
        write_atomically(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _features(given: Entries) -> tuple[ManifestFeature, ...]:
    found = tuple(ManifestFeature.from_dict(f, given.where, i) for i, f in enumerate(given.items("features")))
    names = [feature.name for feature in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise given.wrong(f"features[{number}].name", f"{name!r} is there twice; rename one")
    _check_followed(given, found)
    return found


def _check_followed(given: Entries, features: Sequence[ManifestFeature]) -> None:
    leaders = [feature.name for feature in features if feature.kind == "number" and not feature.follows]
    for number, feature in enumerate(features):
        for name in feature.follows:
            if name not in leaders:
                raise given.wrong(
                    f"features[{number}].follows",
                    f"names {name!r}, which is no number that follows nothing itself; "
                    + (f"name one of {', '.join(leaders)}" if leaders else "take it out"),
                )


def _metrics(given: Entries) -> dict[str, float | str]:
    metrics = Entries(given.object("metrics"), given.where, "metrics.")
    return {name: metrics.figure(name) for name in given.object("metrics")}


def _window(given: Entries) -> Window | None:
    if not given.has("window"):
        return None
    window = Entries(given.object("window"), given.where, "output.window.")
    window.refuse_unknown(("level", "width"))
    level, width = window.number("level"), window.number("width")
    if level is None or width is None or width <= 0:
        raise given.wrong("window", 'needs a level and a width above 0, such as {"level": 40, "width": 400}')
    return Window(level, width)


def _pairs(codes: str) -> list[str]:
    """For each letter the axis that it is an end of; itself where it is none."""
    return [next((pair for pair in _PAIRS if code in pair), code) for code in codes]


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass as a dictionary, without what is empty."""
    found: dict[str, Any] = {}
    for entry in fields(value):
        item = getattr(value, entry.name)
        if item is None or item in ("", (), {}) or item == ManifestOutput():
            continue
        found[entry.name] = _jsonable(item)
    return found


def _jsonable(item: Any) -> Any:
    if isinstance(item, ManifestOutput | ManifestFeature | Window):
        return _plain(item)
    if isinstance(item, Mapping):
        return {str(key): _jsonable(value) for key, value in item.items()}
    if isinstance(item, tuple | list):
        return [_jsonable(value) for value in item]
    return item.value if isinstance(item, VolumeKind) else item
