"""What a person sets in the 3D view, the presets, and how both meet a volume's values (``resolve``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

from synthview.gui.render3d.messages import Look
from synthview.resources import resource_path
from synthview.volume import VolumeKind, Window

AUTOMATIC = "automatic"
GENERIC = "generic"
WHOLE_BOX = (0.0, 1.0, 0.0, 1.0, 0.0, 1.0)
_FIRST_CUT = (0.0, 1.0, 0.0, 0.55, 0.0, 1.0)  # what is in front is taken away
_UNIT_DISTANCES_ACROSS = 200  # opacities are meant for 1/200 of the volume's longest side: 1 mm in a head


@dataclass(frozen=True)
class RenderSettings:
    """How the volume is drawn in 3D.

    Attributes:
        preset: identifier of a preset, or "automatic" for the one that fits the volume's kind.
        opacity: 0 (nothing is seen) to 1; 0.5 is the preset as it is.
        threshold: values below are transparent, in the volume's unit; None for the preset's own.
        shaded: whether surfaces are lit.
        clipped: whether the clipping box cuts.
        box: the clipping box as fractions of the volume: right-left from L, posterior-anterior from P, inferior-
            superior from I; (low, high) for each.
    """

    preset: str = AUTOMATIC
    opacity: float = 0.5
    threshold: float | None = None
    shaded: bool = True
    clipped: bool = False
    box: tuple[float, float, float, float, float, float] = WHOLE_BOX


@dataclass(frozen=True)
class VolumeFacts:
    """What the 3D view and its panel need to know of a volume's values.

    Attributes:
        kind, unit: as in ``Volume``.
        window: the window the volume is meant to be seen in.
        low, high: smallest and largest value drawn.
        colored: whether each voxel carries its own colour (tissue and label maps).
        longest_mm: the longest side.
    """

    kind: VolumeKind
    unit: str
    window: Window
    low: float
    high: float
    colored: bool
    longest_mm: float


@dataclass(frozen=True)
class Preset:
    """A transfer function from ``resources/transfer_functions``.

    Attributes:
        identifier: the file's name without its ending.
        title: what a person reads.
        kinds: kinds of volume it is the automatic choice for.
        in_window: whether its values are fractions of the volume's window (else the kind's unit).
        colored: whether it is for voxels that carry their own colour.
        opacity, color, gradient_opacity: points, as in ``Look``; colours 0-1.
        shaded: whether lit surfaces suit it.
        maximum: maximum intensity projection.
    """

    identifier: str
    title: str
    kinds: tuple[str, ...]
    in_window: bool
    colored: bool
    opacity: tuple[tuple[float, float], ...]
    color: tuple[tuple[float, float, float, float], ...]
    gradient_opacity: tuple[tuple[float, float], ...]
    shaded: bool
    maximum: bool


@cache
def presets() -> dict[str, Preset]:
    """Every preset by identifier, in the order in which they are offered."""
    files = sorted(resource_path("transfer_functions").glob("*.json"))
    contents = {file.stem: json.loads(file.read_text("utf-8")) for file in files}
    ordered = sorted(contents, key=lambda identifier: contents[identifier]["order"])
    return {identifier: _preset(identifier, contents[identifier]) for identifier in ordered}


def automatic_preset(facts: VolumeFacts) -> Preset:
    """The preset for a kind of volume; the generic one where none is meant for it."""
    for preset in presets().values():
        if preset.colored == facts.colored and (facts.kind.value in preset.kinds or preset.colored):
            return preset
    return presets()[GENERIC]


def effective_preset(settings: RenderSettings, facts: VolumeFacts) -> Preset:
    """The preset that is drawn: the chosen one where it can draw this volume, else the automatic one."""
    chosen = presets().get(settings.preset)
    return chosen if chosen is not None and chosen.colored == facts.colored else automatic_preset(facts)


def default_threshold(settings: RenderSettings, facts: VolumeFacts) -> float:
    """Where the preset's opacity begins, in the volume's unit."""
    preset = effective_preset(settings, facts)
    return _value(_foot(preset.opacity), preset, facts)


def threshold_range(settings: RenderSettings, facts: VolumeFacts) -> tuple[float, float]:
    """The ends of a threshold control: the values there are, and where the window counts, not much beyond it."""
    default = default_threshold(settings, facts)
    low, high = (0.0, 1.0) if facts.colored else (facts.low, facts.high)
    if effective_preset(settings, facts).in_window:
        low, high = max(low, facts.window.low), min(high, facts.window.high + facts.window.width)
    return min(low, default), max(high, default)


def resolve(settings: RenderSettings, facts: VolumeFacts) -> Look:
    """What a person wants and what the volume is, made into colours and opacities over the volume's values."""
    preset = effective_preset(settings, facts)
    foot = default_threshold(settings, facts)
    shift = 0.0 if settings.threshold is None else settings.threshold - foot
    per_unit = facts.window.width if preset.in_window else 1.0
    opacity = [(_value(x, preset, facts) + shift, _stronger(y, settings.opacity)) for x, y in preset.opacity]
    return Look(
        opacity=tuple(opacity),
        color=tuple((_value(x, preset, facts), r, g, b) for x, r, g, b in preset.color),
        gradient_opacity=tuple((x * per_unit, y) for x, y in preset.gradient_opacity),
        unit_distance_mm=facts.longest_mm / _UNIT_DISTANCES_ACROSS,
        shaded=settings.shaded and preset.shaded and not preset.maximum,
        maximum=preset.maximum,
    )


def with_clipping(settings: RenderSettings, on: bool) -> RenderSettings:
    """Switch the clipping box; a box that would cut nothing is given a first cut, so that one sees what it does."""
    return replace(settings, clipped=on, box=_FIRST_CUT if on and settings.box == WHOLE_BOX else settings.box)


def still_fits(settings: RenderSettings, before: VolumeFacts | None, facts: VolumeFacts) -> bool:
    """Whether a threshold set for one volume means anything for the next."""
    if settings.threshold is None or before is None:
        return True
    same_meaning = (before.kind, before.unit, before.colored) == (facts.kind, facts.unit, facts.colored)
    low, high = threshold_range(settings, facts)
    return same_meaning and low <= settings.threshold <= high


def _value(x: float, preset: Preset, facts: VolumeFacts) -> float:
    return facts.window.low + x * facts.window.width if preset.in_window else x


def _foot(opacity: tuple[tuple[float, float], ...]) -> float:
    """The last value before the opacity rises from 0."""
    for (x, _), (_, following) in pairwise(opacity):
        if following > 0:
            return x
    return opacity[0][0]


def _stronger(opacity: float, setting: float) -> float:
    """Opacity with the setting applied: 0.5 leaves it, below fades to nothing, above saturates."""
    if setting <= 0.5:
        return opacity * 2 * setting
    return float(1 - (1 - opacity) ** (1 / max(2 - 2 * setting, 0.01)))


def _preset(identifier: str, content: dict[str, Any]) -> Preset:
    return Preset(
        identifier=identifier,
        title=content["title"],
        kinds=tuple(content.get("kinds", ())),
        in_window=content["values"] == "window",
        colored=content["values"] == "colored",
        opacity=tuple((float(x), float(y)) for x, y in content["opacity"]),
        color=tuple((float(x), *_rgb(color)) for x, color in content.get("color", ())),
        gradient_opacity=tuple((float(x), float(y)) for x, y in content.get("gradient_opacity", ())),
        shaded=content.get("shaded", True),
        maximum=content.get("blend") == "maximum",
    )


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue
