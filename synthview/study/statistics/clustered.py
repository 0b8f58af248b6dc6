"""The mean of votes that aren't independent: votes on the same pair are alike, and so are those of the same reader."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """A mean with its standard error and degrees of freedom; ``se`` is 0 where nothing varies."""

    estimate: float
    se: float
    df: float

    def interval(self, level: float = 0.95, bounds: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float] | None:
        """Student's interval, cut at ``bounds``; None where nothing varies."""
        from scipy.stats import t

        if not (self.se > 0 and self.df > 0):
            return None
        half = float(t.ppf(0.5 + level / 2, self.df)) * self.se
        return max(self.estimate - half, bounds[0]), min(self.estimate + half, bounds[1])

    def test(self, null: float) -> tuple[float, float] | None:
        """Student's t and its two-sided p against ``null``; None where nothing varies."""
        from scipy.stats import t

        if not (self.se > 0 and self.df > 0):
            return None
        statistic = (self.estimate - null) / self.se
        return statistic, float(2 * t.sf(abs(statistic), self.df))

    def equivalence_p(self, null: float, margin: float) -> float | None:
        """P of two one-sided t-tests that the mean lies within ``null`` ± ``margin`` (Schuirmann 1987)."""
        from scipy.stats import t

        if not (self.se > 0 and self.df > 0):
            return None
        above = float(t.sf((self.estimate - (null - margin)) / self.se, self.df))
        below = float(t.cdf((self.estimate - (null + margin)) / self.se, self.df))
        return max(above, below)


def simple_mean(values: npt.ArrayLike) -> Mean:
    """Mean of independent values (one of each pair, or one of each reader)."""
    numbers = np.asarray(values, dtype=np.float64)
    n = len(numbers)
    if n < 2:
        return Mean(float(numbers.mean()) if n else math.nan, 0.0, 0)
    se = float(numbers.std(ddof=1)) / math.sqrt(n)
    return Mean(float(numbers.mean()), se if se > 1e-12 else 0.0, n - 1)


def crossed_mean(values: Table) -> Mean:
    """Mean of a readers × items table where both readers and items are samples of many (NaN: not asked).

    Complete tables: two-way random-effects analysis of variance without replication, variance
    (MS_items + MS_readers - MS_residual) / (items × readers) with Satterthwaite's degrees of freedom (Satterthwaite
    1946, Biometrics Bulletin 2:110-114); it is the moment estimate of the mixed model vote ~ 1 + (1|pair) + (1|reader).
    Incomplete tables: variance clustered both ways (Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29:238-249),
    degrees of freedom of the smaller number of clusters. Never less than either one-way variance; where readers, and
    items, all have the same mean, the variance of single votes.
    """
    readers, items = values.shape
    known = np.isfinite(values)
    if readers < 2 or items < 2:
        return simple_mean(values[known])
    if known.all():
        estimate, se, df = (float(part) for part in two_way(values))
        return Mean(estimate, se, df)
    mean = float(values[known].mean())
    n = int(known.sum())
    residual = np.where(known, values - mean, 0.0)
    by_item = float((residual.sum(axis=0) ** 2).sum()) * items / (items - 1) / n**2
    by_reader = float((residual.sum(axis=1) ** 2).sum()) * readers / (readers - 1) / n**2
    variance = by_item + by_reader - float((residual**2).sum()) / (n - 1) / n
    if max(by_item, by_reader) < 1e-24:
        return Mean(mean, 0.0, 0)
    if variance < max(by_item, by_reader):
        return Mean(mean, math.sqrt(max(by_item, by_reader)), (items if by_item >= by_reader else readers) - 1)
    return Mean(mean, math.sqrt(variance), min(items, readers) - 1)


def two_way(values: Table) -> tuple[Table, Table, Table]:
    """Mean, standard error and degrees of freedom of complete readers × items tables (..., readers, items).

    Many tables at once, for simulation; ``crossed_mean`` says what is computed.  Standard error and degrees of freedom
    are 0 where nothing varies.
    """
    readers, items = values.shape[-2:]
    n = readers * items
    mean = values.mean(axis=(-2, -1))
    of_item, of_reader = values.mean(axis=-2), values.mean(axis=-1)
    inner = values - of_item[..., None, :] - of_reader[..., :, None] + mean[..., None, None]
    by_item = of_item.var(axis=-1, ddof=1) / items  # MS_items / n, and so on
    by_reader = of_reader.var(axis=-1, ddof=1) / readers
    by_vote = (inner**2).sum(axis=(-2, -1)) / ((items - 1) * (readers - 1)) / n
    both = by_item + by_reader - by_vote
    widest = np.maximum(by_item, by_reader)
    spread = by_item**2 / (items - 1) + by_reader**2 / (readers - 1) + by_vote**2 / ((items - 1) * (readers - 1))
    satterthwaite = both**2 / np.maximum(spread, 1e-300)
    df = np.where(both < widest, np.where(by_item >= by_reader, items - 1, readers - 1), satterthwaite)
    variance = np.maximum(both, widest)
    even = widest < 1e-24  # every reader and every item has the same mean: only votes are left to vary
    variance, df = np.where(even, by_vote, variance), np.where(even, (items - 1) * (readers - 1), df)
    varies = variance > 1e-24
    return mean, np.sqrt(np.where(varies, variance, 0.0)), np.where(varies, df, 0.0)


@dataclass(frozen=True)
class Clustering:
    """How alike votes on the same item are.

    Attributes:
        icc: intraclass correlation, one-way analysis of variance; below 0 is possible.
        design_effect: 1 + (votes per item - 1) × ICC, at least 1.
        effective: votes / design effect.
    """

    icc: float
    design_effect: float
    effective: float


def clustering(values: Table, axis: int = 0) -> Clustering | None:
    """ICC, design effect and effective number of votes of a readers × items table; None where it can't be said.

    ANOVA estimator for unequal clusters (Donner & Koval 1980, Biometrics 36:19-25); design effect of Kish (1965).

    Args:
        values: readers × items, NaN where not asked.
        axis: 0 for votes alike within an item, 1 within a reader.
    """
    clusters = [column[np.isfinite(column)] for column in (values.T if axis == 0 else values)]
    clusters = [cluster for cluster in clusters if len(cluster)]
    sizes = np.array([len(cluster) for cluster in clusters], dtype=np.float64)
    n, groups = sizes.sum(), len(clusters)
    if groups < 2 or n <= groups:
        return None
    means = np.array([cluster.mean() for cluster in clusters])
    grand = float((means * sizes).sum() / n)
    between = float((sizes * (means - grand) ** 2).sum()) / (groups - 1)
    within = float(sum(((cluster - m) ** 2).sum() for cluster, m in zip(clusters, means, strict=True))) / (n - groups)
    size = float((n - (sizes**2).sum() / n) / (groups - 1))
    total = between + (size - 1) * within
    if total <= 0:
        return None
    icc = (between - within) / total
    effect = max(1.0, 1 + (float((sizes**2).sum() / n) - 1) * icc)
    return Clustering(icc, effect, float(n) / effect)
