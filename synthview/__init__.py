"""synthview: open a generator checkpoint, make synthetic 3D medical images, look at them, and judge them.

import synthview as sv
generator = sv.load_generator("G_iter80000.pth", size=128)
volume = generator.generate(seed=7)
volume.save("sample.nii.gz")

Names are imported when first used: ``import synthview`` alone brings neither torch nor numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthview.generators.checkpoint import read_checkpoint
    from synthview.generators.loading import load_generator
    from synthview.volume import Volume, load_volume

    __version__: str

_WHERE = {
    "Volume": "synthview.volume",
    "load_generator": "synthview.generators.loading",
    "load_volume": "synthview.volume",
    "read_checkpoint": "synthview.generators.checkpoint",
}

__all__ = ["Volume", "__version__", "load_generator", "load_volume", "read_checkpoint"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("synthview")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
