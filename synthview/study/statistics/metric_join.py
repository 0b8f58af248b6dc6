"""Does a metric of a volume predict what readers say of it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from synthview.study.statistics.accuracy import arm_of
from synthview.study.statistics.contrast import Contrast, contrasts
from synthview.study.statistics.data import Section
from synthview.study.statistics.metric_table import MetricValue
from synthview.study.statistics.result import Result
from synthview.study.statistics.turing import said_synthetic
from synthview.study.statistics.words import count, numbers, p_text
from synthview.study.votes import REAL, Kind, Vote

_METHOD = "Spearman's ρ over items; percentile bootstrap interval over items"
_RESAMPLES = 1000


@dataclass(frozen=True)
class Joined:
    """One metric of one item beside the votes on it.

    Attributes:
        section, item, arm, metric: of what.
        value: the metric; for two generators its value for the first arm less that for the second.
        votes: the mean of the votes: share correct, share called synthetic, share for the first arm, or mean rating.
        what: which of these.
        n: how many votes.
    """

    section: str
    item: str
    arm: str
    metric: str
    value: float
    votes: float
    what: str
    n: int


def join(section: Section, preferred: Section, metrics: Iterable[MetricValue]) -> list[Joined]:
    """Set metrics beside votes, item by item.

    Args:
        section: the section; its votes on single stimuli, or on pairs with a right answer, are joined by item (and by
            the synthetic volume's arm, where the table names arms).
        preferred: its votes without a right answer, joined as differences between the two arms.
        metrics: of each volume.
    """
    table: dict[tuple[str, str, str], float] = {(m.item, m.arm, m.metric): m.value for m in metrics}
    names = list(dict.fromkeys(metric for _, _, metric in table))
    out: list[Joined] = []
    for item in section.items:
        votes = [v for v in section.votes if v.item == item and (v.kind is not Kind.TWO_AFC or v.correct is not None)]
        what, scores = _said(votes)
        for metric in names if scores else ():
            arm = arm_of(votes[0])
            value = table.get((item, arm, metric), table.get((item, "", metric)))
            if value is not None:
                mean = float(np.mean(scores))
                out.append(Joined(section.name, item, arm, metric, value, mean, what, len(scores)))
    for contrast in contrasts(preferred):
        out += _differences(contrast, table, names)
    return out


def _differences(contrast: Contrast, table: dict[tuple[str, str, str], float], names: Sequence[str]) -> list[Joined]:
    out = []
    arm, what = f"{contrast.first} - {contrast.second}", f"share of votes for {contrast.first}"
    for item, won in contrast.pair_shares().items():
        for metric in names:
            first, second = (table.get((item, one, metric)) for one in (contrast.first, contrast.second))
            if first is not None and second is not None:
                out.append(Joined(contrast.section.name, item, arm, metric, first - second, won.share, what, won.n))
    return out


def _said(votes: Sequence[Vote]) -> tuple[str, list[float]]:
    """What the votes on one item come to, as numbers."""
    if votes and votes[0].kind is Kind.TWO_AFC:
        return "share correct", [float(bool(vote.correct)) for vote in votes]
    scores = [vote.score for vote in votes if vote.score is not None]
    if scores:
        return "mean rating" if votes[0].kind is Kind.RATING else "mean confidence that it is synthetic", scores
    return "share called synthetic", [float(said) for vote in votes if (said := said_synthetic(vote)) is not None]


def join_results(joined: Sequence[Joined]) -> list[Result]:
    """Rank correlation of each metric with the votes: over all items, and within each arm."""
    out: list[Result] = []
    for metric, what in dict.fromkeys((row.metric, row.what) for row in joined):
        rows = [row for row in joined if (row.metric, row.what) == (metric, what)]
        arms = list(dict.fromkeys(row.arm for row in rows))
        out.append(_correlation(f"metric {metric}", rows, len(arms)))
        if len(arms) > 1:
            out += [_correlation(f"metric {metric}, arm {arm}", [r for r in rows if r.arm == arm], 1) for arm in arms]
    return out


def _correlation(scope: str, rows: Sequence[Joined], arms: int) -> Result:
    from scipy.stats import spearmanr

    values, votes = np.array([row.value for row in rows]), np.array([row.votes for row in rows])
    section, what, n = rows[0].section, rows[0].what, len(rows)
    if n < 4 or len(set(values)) < 2 or len(set(votes)) < 2:
        why = f"{scope}: {count(n, 'item')} with both, or no variation; no correlation can be given."
        return Result(section, "metric_correlation", scope, "item", _METHOD, why, n=n, warnings=(why,))
    found = spearmanr(values, votes)
    rho, p = float(found.statistic), float(found.pvalue)
    low, high = _bootstrap(values, votes)
    across = any(row.arm == REAL for row in rows)
    warn: tuple[str, ...] = (
        ("Over several arms: a difference between arms alone can make this; see it within each arm.",)
        if arms > 1
        else ()
    )
    warn += ("Real and synthetic volumes together.",) if across and arms > 1 else ()
    told = "goes with" if p < 0.05 else "is not shown to go with"
    return Result(
        section=section,
        question="metric_correlation",
        scope=scope,
        unit="item",
        method=_METHOD,
        statistic=rho,
        p=p,
        estimate=rho,
        ci_low=min(low, rho),
        ci_high=max(high, rho),
        n=n,
        warnings=warn,
        sentence=f"{scope[:1].upper()}{scope[1:]} {told} the {what}: ρ = {rho:.2f} ({numbers(low, high)}, {p_text(p)}) "
        f"over {count(n, 'item')}.",
    )


def _bootstrap(values: np.ndarray, votes: np.ndarray) -> tuple[float, float]:
    """Percentile interval of Spearman's ρ, items drawn with replacement, fixed seed."""
    from scipy.stats import rankdata

    rng = np.random.default_rng(20240229)
    draws = rng.integers(len(values), size=(_RESAMPLES, len(values)))
    a, b = (rankdata(x[draws], axis=1) for x in (values, votes))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    rhos = (a * b).sum(axis=1)[scale > 0] / scale[scale > 0]
    low, high = np.quantile(rhos, (0.025, 0.975))
    return float(low), float(high)
