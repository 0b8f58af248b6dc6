"""What the keys and shapes of MONAI's AutoencoderKL and DiffusionModelUNet say of their constructors' arguments.

Not in the weights: the groups of the normalisations, their epsilon, and the channels of an attention head.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from synthview.generators.family import NotThisFamily
from synthview.generators.state_dicts import Shapes

GROUPS, EPSILON = 32, 1e-6  # MONAI's defaults
_MOST_BLOCKS = 200


def is_autoencoder(keys: Iterable[str]) -> bool:
    """Whether a state dict is an AutoencoderKL's, whole or nearly."""
    keys = set(keys)
    return any(k.startswith("decoder.blocks.") for k in keys) and any(
        k.startswith(("post_quant_conv.", "quant_conv_mu.", "encoder.blocks.")) for k in keys
    )


def is_diffusion(keys: Iterable[str]) -> bool:
    """Whether a state dict is a DiffusionModelUNet's, whole or nearly."""
    keys = set(keys)
    return any(k.startswith("down_blocks.0.resnets.") for k in keys) and any(k.startswith("up_blocks.") for k in keys)


def autoencoder_arguments(shapes: Shapes) -> dict[str, Any]:
    """Arguments of an AutoencoderKL.

    Raises:
        NotThisFamily: it works on pictures, not on volumes.
    """
    first = shapes.get("encoder.blocks.0.conv.weight", (32, 1, 3, 3, 3))
    if len(first) != 5:
        raise NotThisFamily("its autoencoder works on two-dimensional pictures")
    levels, outer = _encoder_levels(shapes)
    channels = tuple(level[0] for level in levels) or (first[0],)
    last = shapes.get(f"decoder.blocks.{_last_block(shapes, 'decoder')}.conv.weight", (1,))
    latent = shapes.get("post_quant_conv.conv.weight", (3,))
    groups = _groups(channels)
    return {
        "layout": _layout(shapes),
        "in_channels": first[1],
        "out_channels": last[0],
        "latent_channels": latent[0],
        "channels": channels,
        "num_res_blocks": tuple(level[1] for level in levels) or (1,),
        "attention_levels": tuple(level[2] for level in levels) or (False,),
        "with_encoder_nonlocal_attn": outer,
        "with_decoder_nonlocal_attn": _decoder_nonlocal(shapes),
        "norm_num_groups": groups,
        "norm_eps": EPSILON,
        **_attention_form(shapes),
        **({"use_convtranspose": True} if any(".deconv." in key for key in shapes) else {}),
    }


def diffusion_arguments(shapes: Shapes) -> dict[str, Any]:
    """Arguments of a DiffusionModelUNet.

    Raises:
        NotThisFamily: it works on pictures, not on volumes.
    """
    first = shapes.get("conv_in.conv.weight", (32, 3, 3, 3, 3))
    if len(first) != 5:
        raise NotThisFamily("its diffusion model works on two-dimensional pictures")
    count = _count(shapes, r"down_blocks\.(\d+)\.")
    channels = tuple(shapes.get(f"down_blocks.{i}.resnets.0.norm2.weight", first)[0] for i in range(count))
    context = next((s[1] for k, s in shapes.items() if k.endswith("attn2.to_k.weight") and len(s) == 2), None)
    attention = tuple(any(k.startswith(f"down_blocks.{i}.attentions.") for k in shapes) for i in range(count))
    classes = shapes.get("class_embedding.weight")
    return {
        "layout": _layout(shapes),
        "in_channels": first[1],
        "out_channels": shapes.get("out.2.conv.weight", (3,))[0],
        "channels": channels,
        "num_res_blocks": tuple(_count(shapes, rf"down_blocks\.{i}\.resnets\.(\d+)\.") for i in range(count)),
        "attention_levels": attention,
        "num_head_channels": None if context != 4 else channels,
        "norm_num_groups": _groups(channels),
        "norm_eps": EPSILON,
        "resblock_updown": any(".downsampler.norm1." in key for key in shapes),
        "with_conditioning": context is not None,
        "cross_attention_dim": context,
        "transformer_num_layers": max(_count(shapes, r".*\.transformer_blocks\.(\d+)\."), 1),
        "num_class_embeds": None if classes is None else classes[0],
        **_attention_form(shapes),
    }


def _encoder_levels(shapes: Shapes) -> tuple[list[tuple[int, int, bool]], bool]:
    """(channels, ResBlocks, attention) of each level, and whether a non-local part (R, A, R) follows the last.

    A level without ResBlocks has the channels of the one before, the first those of the first convolution.
    """
    levels: list[tuple[int, str]] = [(shapes.get("encoder.blocks.0.conv.weight", (0,))[0], "")]
    for number in range(1, _last_block(shapes, "encoder") - 1):
        start = f"encoder.blocks.{number}."
        kind = _kind(shapes, start)
        channels, blocks = levels[-1]
        if kind == "D":
            levels.append((channels, ""))
        else:
            own = shapes.get(f"{start}norm2.weight", (channels,))[0] if "R" not in blocks else channels
            levels[-1] = (own, blocks + kind)
    last = levels[-1][1]
    outer = "A" in last and last.endswith("RAR")
    levels[-1] = (levels[-1][0], last.removesuffix("RAR") if outer else last)
    return [(channels, blocks.count("R"), "A" in blocks) for channels, blocks in levels if channels], outer


def _decoder_nonlocal(shapes: Shapes) -> bool:
    """Whether the decoder begins with a non-local part (R, A, R) before its first level."""
    kinds = ""
    for number in range(1, _last_block(shapes, "decoder") - 1):
        kind = _kind(shapes, f"decoder.blocks.{number}.")
        if kind == "D":
            break
        kinds += kind
    return kinds.startswith("RARR")


def _kind(shapes: Shapes, start: str) -> str:
    """R for a ResBlock, A for attention, D for a change of the grid."""
    if f"{start}norm1.weight" in shapes or f"{start}conv1.conv.weight" in shapes:
        return "R"
    return "A" if f"{start}norm.weight" in shapes or f"{start}norm.bias" in shapes else "D"


def _layout(shapes: Shapes) -> str:
    """Who wrote it: MONAI core renamed layers, and applies a projection that GenerativeModels holds but leaves out."""
    ours = (".attn.", ".postconv.", ".attn1.out_proj.", ".attn2.out_proj.")
    return "core" if any(mark in key for key in shapes for mark in ours) else "generative"


def _attention_form(shapes: Shapes) -> dict[str, Any]:
    """MONAI core can leave the projection out, and join query, key and value."""
    form: dict[str, Any] = {}
    if _layout(shapes) == "core":
        if any(".attn." in key for key in shapes) and not any(".attn.out_proj." in key for key in shapes):
            form["include_fc"] = False
        if any(".qkv." in key for key in shapes):
            form["use_combined_linear"] = True
    return form


def _groups(channels: Iterable[int]) -> int:
    return math.gcd(GROUPS, *channels)


def _last_block(shapes: Shapes, part: str) -> int:
    return min(_count(shapes, rf"{part}\.blocks\.(\d+)\."), _MOST_BLOCKS) - 1


def _count(shapes: Shapes, pattern: str) -> int:
    """The largest number at a place in the keys, and one."""
    found = [int(match.group(1)) for key in shapes if (match := re.match(pattern, key))]
    return min(max(found, default=-1) + 1, _MOST_BLOCKS)
