"""How volumes go with age, and how they should.

The published course is BrainChart's (Bethlehem et al., Nature 2022, 604:525-533): medians of grey matter, white matter
and ventricles by sex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.interpolate import PchipInterpolator

CHART_AGES = (20.0, 40.0, 60.0, 80.0)
CHART_ML: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {  # medians: male, female
    "gm": ((602, 536, 498, 473), (548, 487, 453, 430)),
    "wm": ((497, 498, 475, 448), (442, 443, 422, 399)),
    "ventricles": ((14, 20, 31, 50), (11, 16, 25, 40)),
}


def chart_ratio(tissue: str, sex: int, age: float, reference_age: float) -> float:
    """BrainChart's median at an age over that at another, between its ages by monotone cubics of the logarithm.

    Beyond its ages the slope of its last 20 years goes on.

    Args:
        tissue: "gm", "wm" or "ventricles".
        sex: 0 male, 1 female.
        age: years.
        reference_age: years.
    """
    curve = PchipInterpolator(CHART_AGES, np.log(CHART_ML[tissue][sex]), extrapolate=False)
    return float(np.exp(_extended(curve, age) - _extended(curve, reference_age)))


def _extended(curve: PchipInterpolator, age: float) -> float:
    first, last = CHART_AGES[0], CHART_AGES[-1]
    if age < first:
        return float(curve(first) + (age - first) * (curve(CHART_AGES[1]) - curve(first)) / 20)
    if age > last:
        return float(curve(last) + (age - last) * (curve(last) - curve(CHART_AGES[-2])) / 20)
    return float(curve(age))


@dataclass(frozen=True)
class Slope:
    """A straight line of the logarithm of a volume over age.

    Attributes:
        per_decade: change per 10 years, as a share: −0.03 is 3 % less.
        low: of the 95 % confidence interval.
        high: of the 95 % confidence interval.
        ratio_80_to_20: what the line makes of 60 years.
    """

    per_decade: float
    low: float
    high: float
    ratio_80_to_20: float


def age_slope(ages: npt.ArrayLike, volumes: npt.ArrayLike) -> Slope:
    """Ordinary least squares of log volume on age.

    Args:
        ages: (N,) years, N at least 3, not all equal.
        volumes: (N,), above 0.

    Raises:
        ValueError: too few people, one age only, or a volume that isn't above 0.
    """
    x, y = np.asarray(ages, dtype=float) / 10, np.asarray(volumes, dtype=float)
    if len(x) < 3 or np.ptp(x) == 0 or (y <= 0).any():
        raise ValueError("an age slope needs 3 volumes above 0 and different ages")
    line = stats.linregress(x, np.log(y))
    reach = stats.t.ppf(0.975, len(x) - 2) * line.stderr
    low, middle, high = (float(np.expm1(line.slope + d)) for d in (-reach, 0, reach))
    return Slope(middle, low, high, float(np.exp(6 * line.slope)))
