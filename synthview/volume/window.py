"""Window and level: which values are drawn black, which white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from synthview.volume.volume import VolumeKind


@dataclass(frozen=True)
class Window:
    """The range of values that is drawn from black to white.

    Attributes:
        level: the value drawn mid-grey, in the volume's unit.
        width: white minus black, in the volume's unit; more than 0.
    """

    level: float
    width: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.level) and np.isfinite(self.width) and self.width > 0):
            raise ValueError(f"a window needs a finite level and a width above 0, got {self.level} / {self.width}")

    @classmethod
    def from_range(cls, low: float, high: float) -> Window:
        """The window that draws ``low`` black and ``high`` white; a range of no width is widened to 1."""
        low, high = float(low), float(high)
        return cls((low + high) / 2, high - low if high > low else 1.0)

    @property
    def low(self) -> float:
        """The value drawn black."""
        return self.level - self.width / 2

    @property
    def high(self) -> float:
        """The value drawn white."""
        return self.level + self.width / 2

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Grey values 0 to 255 of ``values`` (any shape, any real dtype); NaN is drawn black."""
        grey = (values.astype(np.float32, copy=False) - np.float32(self.low)) * np.float32(255 / self.width)
        np.fmax(grey, 0, out=grey)  # of NaN and 0, fmax takes the 0
        np.fmin(grey, 255, out=grey)
        return grey.astype(np.uint8)


def finite_sample(voxels: npt.NDArray[Any], most: int = 200_000) -> npt.NDArray[Any]:
    """About ``most`` of the finite values at the most, evenly spread; the same ones every time.  One axis."""
    stride = max(1, round((voxels.size / most) ** (1 / max(voxels.ndim, 1))))
    sample = voxels[(slice(None, None, stride),) * voxels.ndim]
    finite: npt.NDArray[Any] = sample[np.isfinite(sample)]
    return finite


def auto_window(voxels: npt.NDArray[Any]) -> Window:
    """A window that shows most of an image: the 1st to the 99.5th percentile of what isn't background.

    Background is the smallest value (outside the head, outside the scanner's circle).  At most about 200 000 voxels
    are looked at, evenly spread, so that the answer is quick and the same every time.

    Args:
        voxels: array of any shape, any real dtype.
    """
    finite = finite_sample(voxels)
    if finite.size == 0:
        return Window(0.5, 1.0)
    lowest, highest = float(finite.min()), float(finite.max())
    usual = float(np.percentile(finite, 99.9))  # a single bright voxel must not pass for the whole foreground
    foreground = finite[finite > lowest + ((usual if usual > lowest else highest) - lowest) * 1e-3]
    if foreground.size == 0:
        return Window.from_range(lowest, highest)
    low, high = np.percentile(foreground, (1.0, 99.5))
    return Window.from_range(min(low, lowest) if lowest >= 0 else low, high)


def window_presets(kind: VolumeKind) -> dict[str, Window]:
    """Named windows for a kind of image, in the order of the keys 2–9 (1 is always the automatic window).

    The CT windows are the ones radiology departments commonly use (width/level in HU): lung 1500/−600, soft tissue
    400/40, bone 1800/400, brain 80/40; "full" is the range −1024 to 600 of the published chest CT generators.
    """
    if kind.value != "CT":
        return {}
    return {
        "Lung": Window(-600, 1500),
        "Soft tissue": Window(40, 400),
        "Bone": Window(400, 1800),
        "Brain": Window(40, 80),
        "Full": Window.from_range(-1024, 600),
    }
