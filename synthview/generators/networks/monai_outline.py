"""Keys and shapes of MONAI's AutoencoderKL and DiffusionModelUNet, without importing MONAI, which takes two seconds.

So ``inspect`` can compare a checkpoint with the network that it should be.  A test compares these tables with the
networks themselves.  Layers of MONAI core and of GenerativeModels are named as ``monai_layers.py`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Entries = Iterator[tuple[str, tuple[int, ...]]]
_SELDOM = ("include_fc", "use_combined_linear", "use_convtranspose")  # variants that are left to MONAI itself


def has_outline(arguments: Mapping[str, Any]) -> bool:
    """Whether both networks are of the common kind, whose keys are known here."""
    return not any(name in arguments[part] for name in _SELDOM for part in ("autoencoder", "diffusion"))


def outline(arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of both networks, as ``autoencoder.…`` and ``diffusion.…``."""
    autoencoder, diffusion = _autoencoder(arguments["autoencoder"]), _diffusion(arguments["diffusion"])
    parts = (_within("autoencoder", autoencoder), _within("diffusion", diffusion))
    return {key: shape for part in parts for key, shape in part}


# -- the autoencoder -----------------------------------------------------------------------------------------------


def _autoencoder(given: Mapping[str, Any]) -> Entries:
    latent = given["latent_channels"]
    yield from _within("encoder", _numbered(_encoder(given)))
    yield from _within("decoder", _numbered(_decoder(given)))
    for name in ("quant_conv_mu", "quant_conv_log_sigma", "post_quant_conv"):
        yield from _conv(name, latent, latent, 1)


def _encoder(given: Mapping[str, Any]) -> Iterator[Entries]:
    """Blocks in execution order: conv, levels, the non-local part, norm, conv."""
    channels, blocks = given["channels"], _per_level(given["num_res_blocks"], given["channels"])
    width, last = channels[0], len(channels) - 1
    yield _conv("", given["in_channels"], width, 3)
    for level, out in enumerate(channels):
        for _ in range(blocks[level]):
            yield _res_block(width, out)
            width = out
            if given["attention_levels"][level]:
                yield _self_attention(width, given["layout"])
        if level < last:
            yield _conv("conv", width, width, 3)  # half the grid
    if given["with_encoder_nonlocal_attn"]:
        yield from _non_local(width, given["layout"])
    yield _norm("", width)
    yield _conv("", width, given["latent_channels"], 3)


def _decoder(given: Mapping[str, Any]) -> Iterator[Entries]:
    """Blocks in execution order: conv, the non-local part, levels from the coarsest, norm, conv."""
    channels = given["channels"][::-1]
    blocks, attention = _per_level(given["num_res_blocks"], channels)[::-1], given["attention_levels"][::-1]
    width, last = channels[0], len(channels) - 1
    upsampling = "conv" if given["layout"] == "generative" else "postconv"
    yield _conv("", given["latent_channels"], width, 3)
    if given["with_decoder_nonlocal_attn"]:
        yield from _non_local(width, given["layout"])
    for level, out in enumerate(channels):
        for _ in range(blocks[level]):
            yield _res_block(width, out)
            width = out
            if attention[level]:
                yield _self_attention(width, given["layout"])
        if level < last:
            yield _conv(upsampling, width, width, 3)  # twice the grid
    yield _norm("", width)
    yield _conv("", width, given["out_channels"], 3)


def _non_local(width: int, layout: str) -> Iterator[Entries]:
    yield _res_block(width, width)
    yield _self_attention(width, layout)
    yield _res_block(width, width)


def _res_block(before: int, after: int) -> Entries:
    yield from _norm("norm1", before)
    yield from _conv("conv1", before, after, 3)
    yield from _norm("norm2", after)
    yield from _conv("conv2", after, after, 3)
    if before != after:
        yield from _conv("nin_shortcut", before, after, 1)


# -- the diffusion model -------------------------------------------------------------------------------------------


def _diffusion(given: Mapping[str, Any]) -> Entries:
    channels = given["channels"]
    first, time = channels[0], 4 * channels[0]
    yield from _conv("conv_in", given["in_channels"], first, 3)
    yield from _linear("time_embed.0", first, time)
    yield from _linear("time_embed.2", time, time)
    if given["num_class_embeds"]:
        yield "class_embedding.weight", (given["num_class_embeds"], time)
    yield from _down(given, time)
    yield from _within("middle_block.resnet_1", _resnet(channels[-1], channels[-1], time))
    yield from _within("middle_block.attention", _attention(channels[-1], given))
    yield from _within("middle_block.resnet_2", _resnet(channels[-1], channels[-1], time))
    yield from _up(given, time)
    yield from _norm("out.0", first)
    yield from _conv("out.2", first, given["out_channels"], 3)


def _down(given: Mapping[str, Any], time: int) -> Entries:
    channels = given["channels"]
    blocks, width = _per_level(given["num_res_blocks"], channels), channels[0]
    for level, out in enumerate(channels):
        place = f"down_blocks.{level}"
        for number in range(blocks[level]):
            yield from _within(f"{place}.resnets.{number}", _resnet(width, out, time))
            width = out
            if given["attention_levels"][level]:
                yield from _within(f"{place}.attentions.{number}", _attention(out, given))
        if level < len(channels) - 1:
            change = _resnet(out, out, time) if given["resblock_updown"] else _conv("op", out, out, 3)
            yield from _within(f"{place}.downsampler", change)


def _up(given: Mapping[str, Any], time: int) -> Entries:
    channels = given["channels"][::-1]
    blocks, attention = _per_level(given["num_res_blocks"], channels)[::-1], given["attention_levels"][::-1]
    upsampling = "conv" if given["layout"] == "generative" else "postconv"
    width = channels[0]
    for level, out in enumerate(channels):
        place, below = f"up_blocks.{level}", channels[min(level + 1, len(channels) - 1)]
        for number in range(blocks[level] + 1):
            skip = below if number == blocks[level] else out
            yield from _within(f"{place}.resnets.{number}", _resnet(width + skip, out, time))
            width = out
            if attention[level]:
                yield from _within(f"{place}.attentions.{number}", _attention(out, given))
        if level < len(channels) - 1:
            change = _resnet(out, out, time) if given["resblock_updown"] else _conv(upsampling, out, out, 3)
            yield from _within(f"{place}.upsampler", change)


def _resnet(before: int, after: int, time: int) -> Entries:
    yield from _norm("norm1", before)
    yield from _conv("conv1", before, after, 3)
    yield from _linear("time_emb_proj", time, after)
    yield from _norm("norm2", after)
    yield from _conv("conv2", after, after, 3)
    if before != after:
        yield from _conv("skip_connection", before, after, 1)


def _attention(width: int, given: Mapping[str, Any]) -> Entries:
    """Self-attention, or with conditions a transformer."""
    if not given["with_conditioning"]:
        yield from _self_attention(width, given["layout"])
        return
    yield from _norm("norm", width)
    yield from _conv("proj_in", width, width, 1)
    last = "to_out.0" if given["layout"] == "generative" else "out_proj"
    for number in range(given["transformer_num_layers"]):
        place = f"transformer_blocks.{number}"
        for name, context in (("attn1", width), ("attn2", given["cross_attention_dim"])):
            for part, size in (("to_q", width), ("to_k", context), ("to_v", context)):
                yield f"{place}.{name}.{part}.weight", (width, size)
            yield from _linear(f"{place}.{name}.{last}", width, width)
        yield from _linear(f"{place}.ff.linear1", width, 8 * width)
        yield from _linear(f"{place}.ff.linear2", 4 * width, width)
        for name in ("norm1", "norm2", "norm3"):
            yield from _norm(f"{place}.{name}", width)
    yield from _conv("proj_out", width, width, 1)


# -- layers --------------------------------------------------------------------------------------------------------


def _self_attention(width: int, layout: str) -> Entries:
    yield from _norm("norm", width)
    names = ("to_q", "to_k", "to_v", "proj_attn") if layout == "generative" else ("to_q", "to_k", "to_v", "out_proj")
    for name in names:
        yield from _linear(name if layout == "generative" else f"attn.{name}", width, width)


def _conv(name: str, before: int, after: int, kernel: int) -> Entries:
    place = f"{name}.conv" if name else "conv"
    yield f"{place}.weight", (after, before, kernel, kernel, kernel)
    yield f"{place}.bias", (after,)


def _linear(name: str, before: int, after: int) -> Entries:
    yield f"{name}.weight", (after, before)
    yield f"{name}.bias", (after,)


def _norm(name: str, width: int) -> Entries:
    for end in ("weight", "bias"):
        yield f"{name}.{end}".lstrip("."), (width,)


def _within(place: str, entries: Entries) -> Entries:
    for key, shape in entries:
        yield f"{place}.{key}", shape


def _numbered(blocks: Iterator[Entries]) -> Entries:
    for number, block in enumerate(blocks):
        yield from _within(f"blocks.{number}", block)


def _per_level(value: int | tuple[int, ...], channels: tuple[int, ...]) -> tuple[int, ...]:
    return (value,) * len(channels) if isinstance(value, int) else tuple(value)
