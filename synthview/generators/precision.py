"""In how many bits a network computes.

Volumes are made in float32 unless somebody asks for less.  Reduced precision is torch's autocast: convolutions and
products of matrices in bfloat16 or float16, everything that adds up many numbers in float32.  It is meant for GPUs, and
for processors with instructions for it (Intel's AMX and AVX512-BF16, AMD's Zen 4 and later); others only imitate it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from synthview.errors import WrongRequestError
from synthview.generators.device import exact_float32

DTYPES = ("auto", "float32", "bfloat16", "float16")
"""What ``dtype`` may be; "auto" is float32, and on NVIDIA GPUs less for the coarse volumes of a moving slider."""


def check_dtype(wanted: str) -> str:
    """The name, if it is one.

    Raises:
        WrongRequestError: it isn't; says which there are.
    """
    if wanted not in DTYPES:
        raise WrongRequestError(f"dtype must be one of {', '.join(DTYPES)}, got {wanted!r}")
    return wanted


def resolve_dtype(wanted: str, device: torch.device, *, coarse: bool) -> torch.dtype:
    """The precision meant on a device.

    Args:
        wanted: one of ``DTYPES``.
        device: where it will be computed.
        coarse: for the preview of a moving slider.
    """
    if wanted != "auto":
        found: torch.dtype = getattr(torch, check_dtype(wanted))
        return found
    if not coarse or device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16


@contextmanager
def computing_in(dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """Compute in this precision: float32 in full and the same bits every time; less as fast as the device can.

    In reduced precision NVIDIA's library may try its algorithms and keep the fastest (so the last bits may change from
    one run to the next), and what stays in float32 may use its tensor cores.
    """
    if dtype == torch.float32:
        with exact_float32():
            yield
        return
    fast = torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=True)
    with fast, torch.autocast(device.type, dtype):
        yield


def is_reduced(x: torch.Tensor) -> bool:
    """Whether work on this tensor's device is being done in reduced precision."""
    return torch.is_autocast_enabled(x.device.type)


def name_of(dtype: torch.dtype) -> str:
    """Such as "float32"."""
    return str(dtype).removeprefix("torch.")
