"""Colour maps: grey values 0 to 255 to colours."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.resources import resource_path

DEFAULT = "grey"
_WITH_BACKGROUND = 4  # channels of a tissue map whose last one is the background


@cache
def _content(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(resource_path("colormaps", name).read_text("utf-8"))
    return content


def colormap_names() -> dict[str, str]:
    """Identifiers of the colour maps and what the screen calls them, in the order to offer them."""
    return {name: entry["label"] for name, entry in _content("maps.json").items()}


@cache
def colormap(name: str) -> npt.NDArray[np.uint8]:
    """The colours of a map, (256, 3) red, green, blue.  An unknown name gives the default map."""
    maps = _content("maps.json")
    points = np.array(maps.get(name, maps[DEFAULT])["points"], dtype=np.float64)
    positions = np.arange(256)
    channels = [np.interp(positions, points[:, 0], points[:, channel]) for channel in (1, 2, 3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def rgb32(colors: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """(…, 3) red, green, blue, 0 to 255, as QImage's RGB32 wants them: (…) uint32 0xffRRGGBB."""
    red, green, blue = np.moveaxis(colors.astype(np.uint32), -1, 0)
    opaque = np.uint32(0xFF000000)
    packed: npt.NDArray[np.uint32] = opaque | (red << np.uint32(16)) | (green << np.uint32(8)) | blue
    return packed


@cache
def rgb32_table(name: str, *, inverted: bool = False) -> npt.NDArray[np.uint32]:
    """The colours of a map as QImage's RGB32 wants them, (256,) uint32 0xffRRGGBB."""
    return rgb32(colormap(name)[:: -1 if inverted else 1])


def tissue_colors(count: int) -> npt.NDArray[np.float32]:
    """Colours of the classes of a tissue map with ``count`` channels, (count, 3), 0 to 255; repeated past the sixth.

    The fourth of four channels is the background, as published generators of tissue maps have it: black.
    """
    known = np.array(_content("tissues.json")["colors"], dtype=np.float32)
    colors: npt.NDArray[np.float32] = known[np.arange(count) % len(known)]
    if count == _WITH_BACKGROUND:
        colors[-1] = 0
    return colors


def tissue_names(count: int) -> tuple[str, ...]:
    """What the classes of a tissue map with ``count`` channels are called."""
    names = (*_content("tissues.json")["names"], "background")
    if count in (_WITH_BACKGROUND - 1, _WITH_BACKGROUND):
        return names[:count]
    return tuple(f"class {number}" for number in range(1, count + 1))
