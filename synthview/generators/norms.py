"""Weights that were trained under spectral or weight normalisation, in the keys of older and newer torch.

    spectral_norm   older  weight_orig, weight_u, weight_v
                    newer  parametrizations.weight.original, parametrizations.weight.0._u, parametrizations.weight.0._v
    weight_norm     older  weight_g, weight_v
                    newer  parametrizations.weight.original0, parametrizations.weight.original1
Miyato et al. 2018 (arXiv:1802.05957): weight = original / (u · M v), with M the original as a matrix of one row for
each output channel.  Salimans & Kingma 2016 (arXiv:1602.07868): weight = g · v / ‖v‖, the norm over all axes but g's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

_NEW = ".parametrizations."


def older_names(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors with the older names of spectral and weight normalisation; nothing is computed."""
    if not any(_NEW in f".{key}" for key in tensors):
        return dict(tensors)
    return {_older(key): tensor for key, tensor in tensors.items()}


def folded(tensors: Mapping[str, torch.Tensor], *, spectral: bool) -> dict[str, torch.Tensor]:
    """The tensors with plain weights in place of normalised ones, as the network computes with them when evaluated.

    Args:
        tensors: by the older names.
        spectral: fold spectral normalisation too, and not only weight normalisation.  What lacks ``weight_u``, or
            has one of another length, is left.
    """
    plain = dict(tensors)
    for key in tensors:
        layer, _, last = key.rpartition("weight_")
        if last == "g" and f"{layer}weight_v" in tensors:
            plain[f"{layer}weight"] = _weight_normalised(plain.pop(key), plain.pop(f"{layer}weight_v"))
        elif spectral and last == "orig" and f"{layer}weight_u" in tensors:
            u, v = tensors[f"{layer}weight_u"], tensors.get(f"{layer}weight_v")
            if (weight := _spectrally_normalised(tensors[key], u, v)) is not None:
                plain[f"{layer}weight"] = weight
                for part in ("orig", "u", "v"):
                    plain.pop(f"{layer}weight_{part}", None)
    return plain


def is_spectral(tensors: Mapping[str, torch.Tensor]) -> bool:
    """Whether there are spectrally normalised weights, by the older names."""
    return any(key.endswith("weight_orig") for key in tensors)


def _older(key: str) -> str:
    start, found, rest = f".{key}".partition(_NEW)
    name, _, part = rest.partition(".")
    ends = {
        "original": "_orig", "0._u": "_u", "0._v": "_v", "0.u": "_u", "0.v": "_v", "original0": "_g", "original1": "_v"
    }  # fmt: skip
    return f"{start}.{name}{ends[part]}".removeprefix(".") if found and part in ends else key


def _weight_normalised(g: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Weight of shape v; g has one number for each row of one axis of v, and length 1 elsewhere."""
    if g.dim() != v.dim():
        return v
    axes = [axis for axis in range(v.dim()) if g.shape[axis] == 1]
    v32, g32 = v.float(), g.float()
    norm = v32.square().sum(dim=axes, keepdim=True).sqrt() if axes else v32.abs()
    return v32 * (g32 / norm)


def _spectrally_normalised(original: torch.Tensor, u: torch.Tensor, v: torch.Tensor | None) -> torch.Tensor | None:
    """The original by its largest singular value, as u and v give it; None where they are another weight's.

    Transposed convolutions have their output channels on the second axis.  Where both axes have u's length, the one
    along which u is closer to a singular vector is it.
    """
    weight, u = original.float(), u.float().flatten()
    axes = [axis for axis in (0, 1) if weight.dim() > 1 and weight.shape[axis] == len(u)]
    if v is not None and v.numel() * u.numel() != weight.numel():
        return None
    sigmas = [_sigma(weight.transpose(0, axis).flatten(1), u, v) for axis in axes]
    return weight / max(sigmas, key=lambda sigma: float(sigma.abs())) if sigmas else None


def _sigma(matrix: torch.Tensor, u: torch.Tensor, v: torch.Tensor | None) -> torch.Tensor:
    """U · M v; without v, half a power iteration gives it."""
    if v is None:
        v = matrix.T @ u
        v = v / v.norm().clamp_min(1e-12)
    return u.dot(matrix @ v.float().flatten())
