"""Where to compute: what is there, and what was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from synthview.errors import SynthviewError, WrongRequestError
from synthview.generators.info import Device


def available_devices() -> tuple[Device, ...]:
    """Everything torch can compute on here, the fastest first; the CPU is always among them."""
    devices = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            devices.append(Device(f"cuda:{index}", f"{properties.name} · {properties.total_memory / 2**30:.0f} GB"))
    if torch.backends.mps.is_available():
        devices.append(Device("mps", "Apple GPU"))
    return (*devices, Device("cpu", f"CPU · {torch.get_num_threads()} threads"))


def resolve_device(wanted: str) -> torch.device:
    """The device meant by "auto" (the fastest there is), "cpu", "cuda", "cuda:1" or "mps".

    Raises:
        WrongRequestError: no such device here; says what there is.
    """
    ids = [device.id for device in available_devices()]
    if wanted == "auto":
        return torch.device(ids[0])
    device_id = "cuda:0" if wanted == "cuda" else wanted
    if device_id not in ids:
        raise WrongRequestError(f"there is no device {wanted!r} here; choose auto or one of: {', '.join(ids)}")
    return torch.device(device_id)


@contextlib.contextmanager
def exact_float32() -> Iterator[None]:
    """Full float32 precision and the same bits every time on NVIDIA GPUs (their TF32 keeps only 10 bits)."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@contextlib.contextmanager
def memory_errors(device: torch.device, what: str) -> Iterator[None]:
    """Turn "out of memory" into a sentence.

    Raises:
        SynthviewError: ``device`` had too little memory for ``what``.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _too_little(device, what) from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        raise _too_little(device, what) from error


def _too_little(device: torch.device, what: str) -> SynthviewError:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    advice = "close other programs" if device.type == "cpu" else "close other programs that use it, or choose the CPU"
    return SynthviewError(f"{device} has too little free memory for {what}; {advice}")
