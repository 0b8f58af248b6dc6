"""A network's features as its manifest names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthview.errors import CheckpointError
from synthview.generators.family import Family
from synthview.generators.info import Feature
from synthview.generators.manifest import Manifest, ManifestFeature


def named_features(family: Family, arguments: Mapping[str, Any], manifest: Manifest | None) -> tuple[Feature, ...]:
    """The family's features, with what the manifest says of them.

    Raises:
        CheckpointError: the manifest contradicts the network; says how.
    """
    own = family.features(arguments)
    if manifest is None or not manifest.features:
        return own
    if len(own) != len(manifest.features):
        names = ", ".join(feature.name for feature in manifest.features)
        raise CheckpointError(
            f"{manifest.path}: features are {len(manifest.features)} ({names}) where the network takes {len(own)}; "
            "list all of them in the network's order"
        )
    one_hot = _takes_one_hot(family, arguments, own)
    pairs = enumerate(zip(own, manifest.features, strict=True))
    return tuple(_joined(theirs, said, one_hot, f"{manifest.path}: features[{i}]") for i, (theirs, said) in pairs)


def _takes_one_hot(family: Family, arguments: Mapping[str, Any], own: Sequence[Feature]) -> bool:
    columns = family.encode_features(None, arguments, 1)
    return columns is not None and columns.shape[1] != len(own)


def _joined(own: Feature, said: ManifestFeature, one_hot: bool, where: str) -> Feature:
    spread_out = bool(own.categories) and one_hot
    if own.categories and len(said.categories) != len(own.categories):
        raise CheckpointError(
            f"{where}.categories are {len(said.categories)} where the network's {own.name} takes "
            f"{len(own.categories)}; name so many"
        )
    if spread_out and said.mean is not None:
        raise CheckpointError(
            f"{where}.mean is given, but the network takes {own.name} as a category, not as a number; take mean and "
            "std out"
        )
    low, high = said.range()
    low, high = own.low if low is None else low, own.high if high is None else high
    default = said.default
    if default is None:
        middle = said.mean if said.mean is not None else (low + high) / 2
        default = 0.0 if said.categories else min(max(middle, low), high)
    if not low <= default <= high:
        raise CheckpointError(f"{where}.default is {default:g}, but it takes {low:g} to {high:g}; give low and high")
    return Feature(
        name=said.name,
        label=said.label or said.name,
        unit=said.unit,
        low=low,
        high=high,
        default=default,
        categories=said.categories,
        step=said.step or 0.0,
        mean=said.mean or 0.0,
        std=said.std or 1.0,
        one_hot=spread_out,
        follows=said.follows,
    )
