"""Likert ratings of single stimuli: spread and mean per arm, and arms compared with the reader as the unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from synthview.study.statistics.accuracy import arms_of
from synthview.study.statistics.clustered import crossed_mean, simple_mean
from synthview.study.statistics.data import Section, table
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, numbers, p_text, percent, verdict
from synthview.study.votes import Vote


def rating_results(section: Section) -> list[Result]:
    """Ratings per arm, and every two arms compared."""
    arms = arms_of(section.votes)
    out = [_arm(section, arm, [v for v in section.votes if v.arm_left == arm]) for arm in arms]
    for a, b in combinations(arms, 2):
        out.append(_compared(section, a, b, POOLED if len(arms) == 2 else f"{a} vs {b}"))
    return out


def _scores(votes: Sequence[Vote]) -> list[float]:
    return [vote.score for vote in votes if vote.score is not None]


def _arm(section: Section, arm: str, votes: Sequence[Vote]) -> Result:
    scores = _scores(votes)
    mean = crossed_mean(table(votes, lambda vote: vote.score)[0])
    ends = mean.interval(bounds=(min(_scores(section.votes)), max(_scores(section.votes))))
    shares = ", ".join(f"{value:g}: {percent(scores.count(value) / len(scores))}" for value in sorted(set(scores)))
    return Result(
        section=section.name,
        question="rating",
        scope=f"arm {arm}",
        unit="reader and stimulus",
        method="mean rating, two-way random effects (readers and stimuli both random)",
        df=mean.df if ends else None,
        estimate=mean.estimate,
        ci_low=ends[0] if ends else None,
        ci_high=ends[1] if ends else None,
        n=len(scores),
        warnings=() if ends else ("No variation, or one answer only: no interval.",),
        sentence=f"{arm}: mean rating {mean.estimate:.2f}"
        + (f" ({numbers(*ends)})" if ends else "")
        + f", median {np.median(scores):g}; {shares} of {count(len(scores), 'rating')}.",
    )


def _compared(section: Section, a: str, b: str, scope: str) -> Result:
    """Paired t-test over readers of their mean rating of each arm."""
    each = []
    for reader in section.readers:
        own = [[v.score for v in section.votes if v.reader == reader and v.arm_left == arm] for arm in (a, b)]
        means = [np.mean([score for score in scores if score is not None]) for scores in own if scores]
        if len(means) == 2:
            each.append(float(means[0] - means[1]))
    method = "paired t-test over readers of their mean ratings"
    mean = simple_mean(each) if each else None
    ends, tested = (mean.interval(bounds=(-np.inf, np.inf)), mean.test(0)) if mean else (None, None)
    if mean is None or ends is None or tested is None:
        why = f"{a} and {b} can't be compared: fewer than two readers rated both, or nothing varies."
        return Result(section.name, "arm_difference", scope, "reader", method, why, n=len(each), warnings=(why,))
    return Result(
        section=section.name,
        question="arm_difference",
        scope=scope,
        unit="reader",
        method=method,
        statistic=tested[0],
        df=mean.df,
        p=tested[1],
        estimate=mean.estimate,
        ci_low=ends[0],
        ci_high=ends[1],
        n=len(each),
        warnings=("Ratings are taken as numbers with equal steps; stimuli are taken as fixed.",),
        sentence=verdict(tested[1], "The arms differ", "The arms are not shown to differ")
        + f": mean rating of {a} less that of {b} is {mean.estimate:.2f} ({numbers(*ends)}), {p_text(tested[1])}.",
    )
