"""Confidence ratings: ROC curves, AUC with DeLong's variance, and several readers on the same stimuli (MRMC)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.study.statistics.accuracy import arms_of
from synthview.study.statistics.data import Section, table
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, numbers, p_text, verdict
from synthview.study.votes import REAL, Vote

Scores = npt.NDArray[np.float64]
_READER_METHOD = "AUC (Mann-Whitney), DeLong variance, logit interval"
_MRMC_METHOD = "mean AUC over readers, Obuchowski-Rockette variance with DeLong covariances, Hillis degrees of freedom"


@dataclass(frozen=True)
class Placements:
    """AUC with the structural components of DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44:837-845).

    Attributes:
        auc: probability that a synthetic stimulus gets the higher rating, ties counted half.
        synthetic: for each synthetic stimulus the share of real ones that it outranks (V10).
        real: for each real stimulus the share of synthetic ones that outrank it (V01).
    """

    auc: float
    synthetic: Scores
    real: Scores

    def variance(self) -> float:
        """DeLong's variance of the AUC."""
        return covariance(self, self)


def placements(synthetic: Scores, real: Scores) -> Placements:
    """Compare every synthetic with every real stimulus; both at least 1 long."""
    above = (synthetic[:, None] > real[None, :]) + 0.5 * (synthetic[:, None] == real[None, :])
    return Placements(float(above.mean()), above.mean(axis=1), above.mean(axis=0))


def covariance(a: Placements, b: Placements, same_synthetic: bool = True) -> float:
    """DeLong's covariance of two AUCs on the same real, and the same or other synthetic, stimuli."""

    def part(x: Scores, y: Scores) -> float:
        n = len(x)
        return float(((x - x.mean()) * (y - y.mean())).sum()) / (n - 1) / n if n > 1 else 0.0

    return part(a.real, b.real) + (part(a.synthetic, b.synthetic) if same_synthetic else 0.0)


def curve(synthetic: Scores, real: Scores) -> tuple[Scores, Scores]:
    """The empirical ROC curve: false-positive and true-positive rates from (0, 0) to (1, 1)."""
    thresholds = np.unique(np.concatenate([synthetic, real]))[::-1]
    false = np.array([0.0, *[(real >= at).mean() for at in thresholds]])
    true = np.array([0.0, *[(synthetic >= at).mean() for at in thresholds]])
    return false, true


def scores_of(votes: Sequence[Vote]) -> tuple[Scores, Scores]:
    """Ratings of synthetic and of real stimuli."""
    rated = [(vote.arm_left == REAL, vote.score) for vote in votes if vote.score is not None]
    synthetic, real = ([score for is_real, score in rated if is_real == wanted] for wanted in (False, True))
    return np.array(synthetic, dtype=float), np.array(real, dtype=float)


def roc_results(section: Section) -> list[Result]:
    """AUC per reader, per generator and over readers; generators compared; [] where nothing was rated."""
    rated = section.where(lambda vote: vote.score is not None)
    synthetic, real = scores_of(rated.votes)
    if not rated.votes:
        return []
    if not (len(synthetic) and len(real)):
        why = "No ROC: ratings of both real and synthetic stimuli are needed."
        return [Result(section.name, "auc", POOLED, "reader", _READER_METHOD, why, n=0, warnings=(why,))]
    out = [_reader(section, reader, [v for v in rated.votes if v.reader == reader]) for reader in rated.readers]
    out += _over_readers(rated, POOLED, None)
    generators = [arm for arm in arms_of(rated.votes) if arm != REAL]
    if len(generators) > 1:
        for arm in generators:
            out += _over_readers(rated, f"arm {arm}", arm)
        for a, b in combinations(generators, 2):
            out += _compared(rated, a, b)
    return out


def _reader(section: Section, reader: str, votes: Sequence[Vote]) -> Result:
    synthetic, real = scores_of(votes)
    n = len(synthetic) + len(real)
    common: dict[str, Any] = {
        "section": section.name,
        "question": "auc",
        "scope": f"reader {reader}",
        "unit": "stimulus",
        "n": n,
    }
    if not (len(synthetic) and len(real)):
        why = f"Reader {reader} rated only one of real and synthetic: no AUC."
        return Result(**common, method=_READER_METHOD, warnings=(why,), sentence=why)
    found = placements(synthetic, real)
    ends = logit_interval(found.auc, found.variance())
    if ends is None:
        warn = ("The ratings separate completely, or never differ: no interval.",)
        said = f"Reader {reader}: AUC {found.auc:.3f} on {n} stimuli."
        return Result(**common, method=_READER_METHOD, estimate=found.auc, warnings=warn, sentence=said)
    from scipy.stats import norm

    z = (found.auc - 0.5) / math.sqrt(found.variance())
    p = float(2 * norm.sf(abs(z)))
    return Result(
        **common, method=_READER_METHOD, statistic=z, p=p, estimate=found.auc, ci_low=ends[0], ci_high=ends[1],
        warnings=("Below chance: high ratings mean “real” for this reader; was the scale reversed?",)
        if p < 0.05 and found.auc < 0.5 else (),
        sentence=f"Reader {reader}: AUC {found.auc:.3f} ({numbers(*ends)}), {p_text(p)} against 0.5.",
    )  # fmt: skip


def logit_interval(auc: float, variance: float) -> tuple[float, float] | None:
    """95 % interval made on the logit scale, so that it stays within 0 and 1; None without variance."""
    if not (0 < auc < 1 and variance > 0):
        return None
    logit, half = math.log(auc / (1 - auc)), 1.959964 * math.sqrt(variance) / (auc * (1 - auc))
    return 1 / (1 + math.exp(-(logit - half))), 1 / (1 + math.exp(-(logit + half)))


def _readers_placements(section: Section, arm: str | None) -> tuple[list[Placements], str]:
    """One AUC for each reader who rated every stimulus that all others rated; and what was left out."""
    votes = [v for v in section.votes if arm is None or v.arm_left in (REAL, arm)]
    values, _, items = table(votes, lambda vote: vote.score)
    real_items = {vote.item for vote in votes if vote.arm_left == REAL}
    complete = np.isfinite(values).all(axis=0)
    is_real = np.array([item in real_items for item in items])
    note = ""
    if not complete.all():
        note = f"{count(int((~complete).sum()), 'stimulus', 'stimuli')} that not every reader rated: left out."
    if not ((complete & is_real).sum() > 1 and (complete & ~is_real).sum() > 1):
        return [], note
    return [placements(row[complete & ~is_real], row[complete & is_real]) for row in values], note


def _mean_covariance(a: Sequence[Placements], b: Sequence[Placements], same_synthetic: bool = True) -> float:
    """Mean over different readers."""
    each = [covariance(x, y, same_synthetic) for i, x in enumerate(a) for j, y in enumerate(b) if i != j]
    return float(np.mean(each))


def _over_readers(section: Section, scope: str, arm: str | None) -> list[Result]:
    """The mean AUC for readers and stimuli both random.

    Obuchowski & Rockette 1995, Commun. Stat. Simul. Comput. 24:285-308; one modality as in Hillis 2007, Stat. Med.
    26:596-619 and 2014, Stat. Med. 33:330-360: variance (MS_readers + r max(Cov2, 0)) / r.
    """
    from scipy.stats import t

    found, note = _readers_placements(section, arm)
    r = len(found)
    if r < 2:
        why = "The mean over readers needs two readers, and two real and two synthetic stimuli that all of them rated."
        return [Result(section.name, "auc", scope, "reader and stimulus", _MRMC_METHOD, why, n=r, warnings=(why,))]
    each = np.array([x.auc for x in found])
    mean, ms = float(each.mean()), float(each.var(ddof=1))
    shared = r * max(_mean_covariance(found, found), 0.0)
    variance = (ms + shared) / r
    warn = [note] if note else []
    if r < 4:
        warn.append(f"Only {r} readers: the interval for other readers is wide, and rests on few.")
    if ms <= 0:
        warn.append("All readers have the same AUC: variance between readers is taken as 0.")
    df = (ms + shared) ** 2 / (ms**2 / (r - 1)) if ms > 0 else 1e6
    if variance <= 0:
        warn.append("Nothing varies: no interval.")
        said = f"Mean AUC of {r} readers: {mean:.3f}."
        return [
            Result(
                section.name, "auc", scope, "reader and stimulus", _MRMC_METHOD, said,
                estimate=mean, n=r, warnings=tuple(warn),
            )
        ]  # fmt: skip
    se = math.sqrt(variance)
    half = float(t.ppf(0.975, df)) * se
    statistic = (mean - 0.5) / se
    p = float(2 * t.sf(abs(statistic), df))
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    of = "" if arm is None else f" for {arm} against real"
    return [
        Result(
            section=section.name,
            question="auc",
            scope=scope,
            unit="reader and stimulus",
            method=_MRMC_METHOD,
            statistic=statistic,
            df=min(df, 1e6),
            p=p,
            estimate=mean,
            ci_low=low,
            ci_high=high,
            n=r,
            warnings=tuple(warn),
            sentence=f"Mean AUC of {r} readers{of}: {mean:.3f} ({numbers(low, high)}), {p_text(p)} against 0.5; "
            "this carries over to other readers and stimuli.",
        )
    ]


def _compared(section: Section, a: str, b: str) -> list[Result]:
    """Two generators' mean AUCs: the Obuchowski-Rockette F with Hillis' denominator degrees of freedom."""
    from scipy.stats import t

    both = section.where(lambda vote: vote.arm_left in (REAL, a, b))
    (first, note), (second, _) = _readers_placements(both, a), _readers_placements(both, b)
    r = len(first)
    if r < 2 or len(second) != r:
        return []
    differences = np.array([x.auc - y.auc for x, y in zip(first, second, strict=True)])
    mean, ms = float(differences.mean()), float(differences.var(ddof=1)) / 2  # MS(treatment × reader) of two treatments
    within = (_mean_covariance(first, first) + _mean_covariance(second, second)) / 2  # Cov2
    across = _mean_covariance(first, second, same_synthetic=False)  # Cov3: only the real stimuli are shared
    shared = r * max(within - across, 0.0)
    variance = 2 * (ms + shared) / r
    if variance <= 0 or ms <= 0:
        return []
    df = (ms + shared) ** 2 / (ms**2 / (r - 1))
    se = math.sqrt(variance)
    statistic, half = mean / se, float(t.ppf(0.975, df)) * se
    p = float(2 * t.sf(abs(statistic), df))
    return [
        Result(
            section=section.name,
            question="auc_difference",
            scope=f"{a} vs {b}",
            unit="reader and stimulus",
            method="Obuchowski-Rockette with DeLong covariances, Hillis degrees of freedom",
            statistic=statistic,
            df=df,
            p=p,
            estimate=mean,
            ci_low=mean - half,
            ci_high=mean + half,
            n=r,
            warnings=(note,) if note else (),
            sentence=verdict(p, "The generators differ", "The generators are not shown to differ")
            + f" in how well they are told from real: AUC of {a} less AUC of {b} is {mean:.3f} "
            f"({numbers(mean - half, mean + half)}), {p_text(p)}.",
        )
    ]
