"""Conditioning inputs: from what a person gives to the columns a network takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import WrongRequestError
from synthview.generators.info import Feature
from synthview.generators.wording import listed

Numbers = float | Sequence[float]
FeatureInput = Mapping[str, Numbers] | npt.NDArray[np.floating] | Sequence[Sequence[float]] | None
"""By name, one number or one for each row; or an array as the network takes it."""

_FAR = 0.45  # of a feature's range


def encode_features(features: Sequence[Feature], given: FeatureInput, count: int) -> npt.NDArray[np.float32] | None:
    """Columns of a conditional network: numbers standardised, categories one-hot, in the order of ``features``.

    Args:
        features: the network's conditioning inputs.
        given: values by name (see ``completed`` for missing ones), or an array of columns.
        count: number of rows.

    Returns:
        float32 (count, width), or None where the network has no features.

    Raises:
        WrongRequestError: an unknown feature, a value outside its range, or an array of another shape.
    """
    width = sum(len(f.categories) if f.categories and f.one_hot else 1 for f in features)
    if given is not None and not isinstance(given, Mapping):
        return _as_columns(np.asarray(given, dtype=np.float32), width, count)
    given = given or {}
    known = {feature.name for feature in features}
    for name in given:
        if name not in known:
            what = f"it has {', '.join(sorted(known))}" if known else "it takes none"
            raise WrongRequestError(f"this generator has no feature {name!r}; {what}")
    if not features:
        return None
    for feature in features:
        if feature.name in given:
            _columns(feature, given[feature.name], count)  # blames what was given, not what follows it
    values = completed(features, given)
    return np.concatenate([_columns(feature, values[feature.name], count) for feature in features], axis=1)


def completed(features: Sequence[Feature], given: Mapping[str, Numbers]) -> dict[str, Any]:
    """Values of all features, in their units: as given, else what goes with what is given (``beside``).

    Args:
        features: the network's conditioning inputs.
        given: by name, one number or one for each of N rows; not checked.

    Returns:
        By name, one number or N.
    """
    return {f.name: given[f.name] if f.name in given else beside(f, features, given) for f in features}


def beside(feature: Feature, features: Sequence[Feature], given: Mapping[str, Numbers]) -> Any:
    """What a feature is in people who have the values given of those that it follows, within its range.

    Args:
        feature: the one wanted.
        features: all of the network's.
        given: by name, in their units, one number or one for each of N rows; not checked.

    Returns:
        One number or a list of N, in its unit; its default where it follows none of those given.
    """
    leaders = [other for other in features if other.name in feature.follows and other.name in given]
    changes = [feature.follows[other.name] * (np.asarray(given[other.name]) - other.default) for other in leaders]
    return np.clip(feature.default + sum(changes), feature.low, feature.high).tolist() if leaders else feature.default


def doubts(features: Sequence[Feature], values: Mapping[str, float]) -> tuple[str, ...]:
    """A sentence for each feature that lies far from where it goes with those that it follows; mostly none.

    A network asked for what it hardly saw, such as the ventricles of an old brain at 20 years, may make no anatomy.

    Args:
        features: the network's conditioning inputs.
        values: of all of them, by name, in their units.
    """
    far = [
        feature
        for feature in features
        if feature.follows
        and abs(values[feature.name] - beside(feature, features, values)) > _FAR * (feature.high - feature.low)
    ]
    return tuple(_doubt(feature, features) for feature in far)


def _doubt(feature: Feature, features: Sequence[Feature]) -> str:
    followed = listed([other.label for other in features if other.name in feature.follows])
    return f"{feature.label}: far from what goes with {followed} in people. The volume may not show real anatomy."


def _columns(feature: Feature, given: Numbers, count: int) -> npt.NDArray[np.float32]:
    """One feature's columns (count, 1), or (count, categories)."""
    values = np.atleast_1d(np.asarray(given, dtype=np.float32))
    if values.shape not in {(1,), (count,)}:
        raise WrongRequestError(f"feature {feature.name} needs one number or {count}, got {values.size}")
    outside = values[~((values >= feature.low) & (values <= feature.high))]
    if outside.size:
        unit = f" {feature.unit}" if feature.unit else ""
        raise WrongRequestError(
            f"feature {feature.name} must be between {feature.low:g} and {feature.high:g}{unit}, got "
            + listed([f"{value:g}" for value in outside])
        )
    column = np.broadcast_to(values, (count,))
    if feature.categories and not np.equal(column, np.rint(column)).all():
        raise WrongRequestError(f"feature {feature.name} is a category: a whole number from 0 to {feature.high:g}")
    if not (feature.categories and feature.one_hot):
        standardised = (column[:, None].astype(np.float64) - feature.mean) / feature.std
        return standardised.astype(np.float32)
    one_hot: npt.NDArray[np.float32] = np.eye(len(feature.categories), dtype=np.float32)[column.astype(int)]
    return one_hot


def _as_columns(columns: npt.NDArray[np.float32], width: int, count: int) -> npt.NDArray[np.float32] | None:
    if width == 0 and columns.size == 0:
        return None
    columns = np.atleast_2d(columns)
    if columns.ndim != 2 or columns.shape[1] != width or columns.shape[0] not in {1, count}:
        raise WrongRequestError(f"features must be an array of {count} × {width} numbers, got {columns.shape}")
    if not np.isfinite(columns).all():
        raise WrongRequestError("features must be numbers, got NaN or infinite values")
    return np.broadcast_to(columns, (count, width)).copy()
