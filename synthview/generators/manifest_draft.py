"""A manifest while a person writes it: every wrong field at once, where reading a file stops at the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthview.errors import ManifestFieldError
from synthview.generators.info import Feature, GeneratorInfo
from synthview.generators.manifest import Manifest, ManifestFeature

_TEXTS = ("training_data", "licence", "citation")


def problems(content: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field of a manifest, by the field's name, such as "output.spacing" or "features[2].low".

    Each field is checked alone and then all of them together, by the typed model itself.

    Args:
        content: the manifest as plain values, as ``Manifest.from_dict`` takes it.

    Returns:
        Field to the end of the sentence "FIELD …"; empty where the manifest can be saved.
    """
    pieces: list[dict[str, Any]] = []
    for name, value in content.items():
        if name == "output" and isinstance(value, Mapping):
            pieces += [{"output": {key: entry}} for key, entry in value.items()]
        elif name != "features":
            pieces.append({name: value})
    found: dict[str, str] = {}
    for piece in [*pieces, dict(content)]:
        found |= _problem({"name": "any", **piece})
    for number, feature in enumerate(content.get("features") or ()):
        try:
            ManifestFeature.from_dict(feature, "", number)
        except ManifestFieldError as error:
            found.setdefault(error.field, error.problem)
    if "name" not in content:
        found.setdefault("name", "is missing; say what to call the generator")
    return found


def draft_of(info: GeneratorInfo, *, unnamed_features: bool = True) -> dict[str, Any]:
    """What is known of a generator, as a manifest's content; what is only assumed is left out.

    Args:
        info: of the generator.
        unnamed_features: put the features in as the family has them, also where no manifest names them yet.
    """
    content: dict[str, Any] = {"name": info.label or info.name}
    if info.output:
        content["output"] = dict(info.output)
    if info.features and (unnamed_features or info.manifest):
        content["features"] = [feature_entry(feature) for feature in info.features]
    content |= {name: text for name in _TEXTS if (text := getattr(info, name))}
    return content | ({"metrics": dict(info.metrics)} if info.metrics else {})


def feature_entry(feature: Feature) -> dict[str, Any]:
    """A feature as a manifest's entry; what is as it would be without saying is left out."""
    entry: dict[str, Any] = {"name": feature.name}
    if feature.label != feature.name:
        entry["label"] = feature.label
    if feature.unit:
        entry["unit"] = feature.unit
    if feature.categories:
        entry |= {"kind": "category", "categories": list(feature.categories)}
    else:
        entry |= {"low": feature.low, "high": feature.high}
        if feature.step:
            entry["step"] = feature.step
    if (feature.mean, feature.std) != (0.0, 1.0):
        entry |= {"mean": feature.mean, "std": feature.std}
    if feature.follows:
        entry["follows"] = dict(feature.follows)
    return entry | {"default": feature.default}


def _problem(content: Mapping[str, Any]) -> dict[str, str]:
    try:
        Manifest.from_dict(dict(content))
    except ManifestFieldError as error:
        return {error.field: error.problem}
    return {}
