"""Whether a checkpoint's tensors are numbers that a network can compute with, here."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from synthview.errors import CheckpointError
from synthview.generators.state_dicts import Tensors
from synthview.generators.wording import brief

_FLOAT32_BYTES = 4


def check_numbers(tensors: Tensors, path: Path, title: str) -> None:
    """Make sure that weights are fractions, and no more than there is memory for.

    Raises:
        CheckpointError: they are quantised or complex, are not in the file, or don't fit into memory.
    """
    for key, tensor in tensors.items():
        if tensor.is_meta or tensor.layout != torch.strided:
            raise CheckpointError(
                f"{path} has no plain numbers for {brief(key)} ({_kind(tensor)}); save the weights as dense tensors"
            )
        if tensor.dim() and not tensor.is_floating_point() and tensor.numel() > 1:
            raise CheckpointError(
                f"{path} holds {_kind(tensor)} numbers in {brief(key)}, where {title} computes with floating-point "
                "ones: it was quantised or converted; save it as it was trained"
            )
    needed = sum(tensor.numel() for tensor in tensors.values()) * _FLOAT32_BYTES
    if needed > (there := memory_bytes()):
        raise CheckpointError(
            f"{path} claims {needed / 1e9:.0f} GB of weights, more than this computer's memory ({there / 1e9:.0f} GB): "
            "it is damaged, or needs a larger computer"
        )


def memory_bytes() -> int:
    """This computer's memory; without limit where the system doesn't say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 62


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.layout if tensor.layout != torch.strided else tensor.dtype).removeprefix("torch.")
