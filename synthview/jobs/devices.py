"""Where the worker process can compute, and with how many threads.  Imports torch."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from synthview.generators.info import Device


def available_devices() -> tuple[Device, ...]:
    """Every device that can be used here, the fastest first; the CPU is always among them."""
    devices = [_cuda(index) for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append(Device("mps", "Apple GPU"))
    return (*devices, Device("cpu", _cpu_name()))


def share_processors() -> None:
    """Compute on the processors that this process may use, which in a container or on a cluster are fewer than all."""
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(min(torch.get_num_threads(), len(os.sched_getaffinity(0))))


def _cuda(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    return Device(f"cuda:{index}", f"{properties.name} · {properties.total_memory / 2**30:.0f} GB")


def _cpu_name() -> str:
    """The processor as its maker calls it, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "Processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.machine() or "Processor"
