"""Bradley-Terry ranking of three arms or more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthview.study.statistics.data import Section, natural
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, listed, numbers, percent
from synthview.study.votes import Vote

_METHOD = "Bradley-Terry model, log-strength against the mean arm; variance clustered by pair"


def ranking_results(section: Section) -> list[Result]:
    """Log-strength of each arm with its interval (Bradley & Terry 1952, Biometrika 39:324-345); [] below three arms.

    Fitted as a logistic regression without intercept; the variance is clustered by pair, because votes on a pair are
    alike. Where an arm, or a group of arms, won or lost everything, no finite strength exists, and that is said.
    """
    arms = sorted({arm for vote in section.votes for arm in (vote.arm_left, vote.arm_right)}, key=natural)
    if len(arms) < 3:
        return []
    shares = {arm: _wins(section.votes, arm) for arm in arms}
    if not _connected(section.votes, arms):
        order = sorted(arms, key=lambda arm: -shares[arm])
        said = ", ".join(f"{arm} {percent(shares[arm])}" for arm in order)
        why = "An arm, or a group of arms, won or lost every vote against the rest: strengths would be infinite."
        return [
            Result(
                section.name, "ranking", POOLED, "vote", _METHOD,
                f"No strengths can be given. Share of votes won: {said}.", n=len(section.votes), warnings=(why,),
            )
        ]  # fmt: skip
    strengths, errors = _fit(section.votes, arms)
    place = {arm: i for i, arm in enumerate(sorted(arms, key=lambda arm: -strengths[arms.index(arm)]), start=1)}
    few = len(section.items) < 10
    return [
        Result(
            section=section.name,
            question="ranking",
            scope=f"arm {arm}",
            unit="pair",
            method=_METHOD,
            estimate=float(strengths[i]),
            ci_low=float(strengths[i] - 1.96 * errors[i]),
            ci_high=float(strengths[i] + 1.96 * errors[i]),
            n=len(section.items),
            warnings=("Fewer than 10 pairs: the interval is too narrow.",) if few else (),
            sentence=f"{arm} ranks {place[arm]} of {len(arms)}: log-strength {strengths[i]:.2f} "
            f"({numbers(strengths[i] - 1.96 * errors[i], strengths[i] + 1.96 * errors[i])}), "
            f"{percent(shares[arm])} of its votes won against {listed([a for a in arms if a != arm])} "
            f"({count(len(section.votes), 'vote')} in all).",
        )
        for i, arm in enumerate(arms)
    ]


def _wins(votes: Sequence[Vote], arm: str) -> float:
    against = [vote for vote in votes if arm in (vote.arm_left, vote.arm_right)]
    return sum(vote.chosen_arm == arm for vote in against) / len(against)


def _connected(votes: Sequence[Vote], arms: list[str]) -> bool:
    """Whether a chain of wins leads from every arm to every other (Ford 1957): then the estimate is finite."""
    from scipy.sparse.csgraph import connected_components

    beaten = np.zeros((len(arms), len(arms)))
    for vote in votes:
        loser = vote.arm_right if vote.chosen_arm == vote.arm_left else vote.arm_left
        beaten[arms.index(str(vote.chosen_arm)), arms.index(loser)] = 1
    return int(connected_components(beaten, directed=True, connection="strong", return_labels=False)) == 1


def _fit(votes: Sequence[Vote], arms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Strengths that sum to 0, and their standard errors."""
    import statsmodels.api as sm

    design = np.zeros((len(votes), len(arms)))
    for row, vote in zip(design, votes, strict=True):
        row[arms.index(vote.arm_left)] += 1
        row[arms.index(vote.arm_right)] -= 1
    won = np.array([float(vote.chosen_arm == vote.arm_left) for vote in votes])
    codes = np.unique([vote.item for vote in votes], return_inverse=True)[1]
    contrast = np.vstack([np.eye(len(arms) - 1), -np.ones(len(arms) - 1)])  # the last strength makes the sum 0
    model = sm.GLM(won, design @ contrast, family=sm.families.Binomial())
    clustered = len(set(codes)) > len(arms)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": codes}) if clustered else model.fit()
    covariance = contrast @ np.asarray(fit.cov_params()) @ contrast.T
    return contrast @ np.asarray(fit.params), np.sqrt(np.maximum(np.diag(covariance), 0))
