"""What the shapes of a cDPM checkpoint say of its network."""

from __future__ import annotations

from typing import Any

from synthview.generators.family import NotThisFamily
from synthview.generators.state_dicts import Shapes

_PUBLISHED: dict[str, Any] = {"num_channels": 128, "channels": (128, 128, 256, 384, 512), "num_res_blocks": 2}
_GROUPS = 32
_MOST_BLOCKS = 100


def read_weights(shapes: Shapes) -> dict[str, Any]:
    """Arguments of the network that its shapes say.

    Raises:
        NotThisFamily: the shapes are another network's, or of a variant that its authors' code can't sample with.
    """
    if not any(key.startswith("input_blocks.") for key in shapes) or not any("temporal_att" in key for key in shapes):
        raise NotThisFamily("there are no input_blocks, or no temporal_attention")
    if any(key.endswith("lookup_table_weight") for key in shapes):
        raise NotThisFamily("it was trained with use_rpe_net false, with which windows have three slices at most")
    if shapes.get("out.2.weight", (1,))[0] == 2:
        raise NotThisFamily("it was trained with learn_sigma, which the published sampler can't use")
    first = _first(shapes, "input_blocks.0.0.weight", _PUBLISHED["num_channels"])
    levels = _levels(shapes)
    channels = tuple(blocks[0] for blocks in levels) or _PUBLISHED["channels"]
    embedding = _first(shapes, "input_blocks.1.0.emb_layers.1.weight", 2 * channels[0])
    return {
        "num_channels": _whole_groups(first),
        "channels": tuple(_whole_groups(n) for n in channels),
        "attention": tuple(_attends(shapes, level, levels) for level in range(len(levels))) or (False,) * len(channels),
        "num_res_blocks": max((len(blocks) for blocks in levels), default=_PUBLISHED["num_res_blocks"]),
        "use_scale_shift_norm": embedding != channels[0],
    }


def _levels(shapes: Shapes) -> list[list[int]]:
    """Channels of each ResBlock on the way down, level by level."""
    levels: list[list[int]] = [[]]
    for number in range(1, _MOST_BLOCKS):
        start = f"input_blocks.{number}.0."
        if f"{start}op.weight" in shapes or f"{start}op.bias" in shapes:
            levels.append([])
        elif (norm := shapes.get(f"{start}out_layers.0.weight")) is not None and len(norm) == 1:
            levels[-1].append(norm[0])
        elif not any(key.startswith(start) for key in shapes):
            break
    return [blocks for blocks in levels if blocks]


def _attends(shapes: Shapes, level: int, levels: list[list[int]]) -> bool:
    first = 1 + sum(len(blocks) + 1 for blocks in levels[:level])
    return any(key.startswith(f"input_blocks.{first}.1.") for key in shapes)


def _first(shapes: Shapes, key: str, otherwise: Any) -> int:
    shape = shapes.get(key, ())
    return int(shape[0] if shape else otherwise)


def _whole_groups(channels: int) -> int:
    """Channels as they can be; with a damaged file's, the comparison with the network says what is wrong."""
    return max(channels - channels % _GROUPS, _GROUPS)
