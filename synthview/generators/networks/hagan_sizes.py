"""What HA-GAN's and CRF-GAN's weights say of their sizes, and what they leave open.

The published networks make 128³, 256³ and 144×192×144 with the same tensors: which, the weights don't say.
``synthview train`` makes narrower ones of other sizes, which are told by fc1's grid and the channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import product
from typing import Any

from synthview.errors import WrongRequestError
from synthview.generators.family import Arguments
from synthview.generators.state_dicts import Shapes

Size = tuple[int, int, int]
Factors = tuple[tuple[float, float, float], ...]

WIDTHS = (16, 16, 16, 8, 4, 2, 1)  # channels into conv1 … conv7, in multiples of those into conv7
PUBLISHED_CHANNELS = tuple(32 * width for width in WIDTHS)
PUBLISHED_CELLS = 4**3
PUBLISHED = {"channels": PUBLISHED_CHANNELS, "cells": PUBLISHED_CELLS}
SMALL: dict[int, Factors] = {  # the same for networks of ``synthview train``, by the voxels along a cell of fc1's grid
    16: ((1, 1, 1), (2, 2, 2), (2, 2, 2), (1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
    8: ((1, 1, 1), (1, 1, 1), (2, 2, 2), (1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
}
_MOST_CELLS = 2048  # whose sizes are listed
BEFORE = ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2))  # upsampling before conv1 … conv4
FACTORS: dict[Size, Factors] = {  # upsampling before conv1 … conv7
    (128, 128, 128): (*BEFORE, (1, 1, 1), (2, 2, 2), (2, 2, 2)),
    (256, 256, 256): (*BEFORE, (2, 2, 2), (2, 2, 2), (2, 2, 2)),
    (144, 192, 144): (*BEFORE[:3], (2.25, 3, 2.25), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
}


def made_with(shapes: Shapes) -> dict[str, Any]:
    """What the weights say of the channels and of fc1's grid; as published where a damaged file does not."""
    rows, channels = shapes.get("fc1.weight", ()), _channels(shapes)
    cells = rows[0] // channels[0] if len(rows) == 2 else PUBLISHED_CELLS
    return {"channels": channels, "cells": max(cells, 1)}


def _channels(shapes: Shapes) -> tuple[int, ...]:
    """Into conv1 … conv7: as each convolution has it, if one makes what the next takes; else by the first."""
    convs = [shapes.get(f"tp_conv{i}.weight", ()) for i in range(1, 8)]
    if all(len(conv) == 5 and min(conv) > 0 for conv in convs):
        into, out = [conv[1] for conv in convs], [conv[0] for conv in convs]
        if [*into[1:], 1] == out:
            return tuple(into)
    first = convs[0]
    last = first[0] // WIDTHS[0] if len(first) == 5 else 0
    return tuple(last * width for width in WIDTHS) if last else PUBLISHED_CHANNELS


def is_small(arguments: Arguments) -> bool:
    """Whether they are those of a network of ``synthview train``, not of a published one."""
    return "cells" in arguments


def keeps_axes(arguments: Arguments) -> bool:
    """Whether the raw axes are right, anterior, superior; otherwise they are SimpleITK's."""
    return arguments["size"] == (144, 192, 144) or is_small(arguments)


def sizes_of(cells: int) -> list[Size]:
    """Sizes with so many cells, none more than twice as long as wide."""
    found = []
    divisors = [n for n in range(1, cells + 1) if cells % n == 0] if cells <= _MOST_CELLS else []
    for a, b in product(divisors, repeat=2):
        if cells % (a * b) == 0 and max(grid := (a, b, cells // (a * b))) <= 2 * min(grid):
            found += [(cell * a, cell * b, cell * grid[2]) for cell in SMALL]
    return found


def cell_of(size: Size, cells: int) -> int | None:
    """Voxels along a cell of fc1's grid, for a volume of this size; None if it can't have so many cells."""
    fitting = [c for c in SMALL if not any(n % c for n in size) and math.prod(size) == cells * c**3]
    return fitting[0] if fitting else None


def typed_sizes(sizes: Iterable[Size]) -> tuple[str, ...]:
    """Sizes as they are typed: "128", "144x192x144"."""
    return tuple(str(size[0]) if len(set(size)) == 1 else "x".join(map(str, size)) for size in sizes)


def fc1_width(shapes: Shapes) -> int:
    """How many numbers fc1 takes: the latent's, and one a class."""
    shape = shapes.get("fc1.weight", ())
    return shape[1] if len(shape) == 2 else 1024


def split_width(width: int, stated: Arguments) -> dict[str, int]:
    """Those numbers as latent and classes: as stated; otherwise the first 1024 are the latent.

    Raises:
        WrongRequestError: what is stated doesn't add up.
    """
    latent_dim, num_class = stated.get("latent_dim"), stated.get("num_class")
    if latent_dim is None:
        latent_dim = width - num_class if num_class is not None else min(width, 1024)
    if num_class is None:
        num_class = width - latent_dim
    if latent_dim + num_class != width or latent_dim < 1 or num_class < 0:
        raise WrongRequestError(
            f"latent_dim {latent_dim} and num_class {num_class} do not fit the weights: fc1 takes {width} numbers"
        )
    return {"latent_dim": latent_dim, "num_class": num_class}
