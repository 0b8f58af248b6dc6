"""Importing torch without the part that only tracing needs, a third of the time, for ``inspect``'s quick answer.

torch registers, in Python, what some two thousand operations do on its meta device.  Constructing layers there, which
is how a checkpoint is compared with a network, needs none of them.  They are left out until somebody does.  Nor does
Python look for rubbish among the modules meanwhile.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType

_LATER = ("torch._meta_registrations", "torch.distributed._meta_registrations")


def import_quickly() -> None:
    """Import torch without ``_LATER``; nothing happens where it is imported already."""
    if "torch" in sys.modules:
        return
    placeholders = {name: ModuleType(name) for name in _LATER}
    sys.modules.update(placeholders)
    collecting = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("torch")
    finally:
        for name, placeholder in placeholders.items():
            parent = sys.modules.get(name.rpartition(".")[0])
            if sys.modules.get(name) is placeholder:
                del sys.modules[name]
            if parent is not None and vars(parent).get("_meta_registrations") is placeholder:
                del vars(parent)["_meta_registrations"]
        gc.freeze()
        if collecting:
            gc.enable()


def import_the_rest() -> bool:
    """Import what was left out; whether anything was."""
    left = [name for name in _LATER if name not in sys.modules]
    for name in left:
        importlib.import_module(name)
    return bool(left)
