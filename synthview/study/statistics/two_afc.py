"""Real against synthetic, two shown and one picked: d′, side bias, difficulty (accuracy is in ``accuracy.py``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthview.study.statistics.accuracy import outcome, scopes
from synthview.study.statistics.data import Section
from synthview.study.statistics.proportions import CORRECTED, Proportion, d_prime_2afc
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, interval, named, numbers, p_text, percent
from synthview.study.votes import Side, Vote


def d_prime_results(section: Section) -> list[Result]:
    """d′ pooled, per reader and per generator."""
    out = []
    for scope, votes in scopes(section.votes):
        if scope.startswith("item "):
            continue
        found = d_prime_2afc(outcome(votes))
        out.append(
            Result(
                section=section.name,
                question="d_prime",
                scope=scope,
                unit="vote",
                method="√2 Φ⁻¹(proportion correct); Wilson interval, transformed",
                estimate=found.d_prime,
                ci_low=found.ci_low,
                ci_high=found.ci_high,
                n=len(votes),
                warnings=(CORRECTED,) if found.corrected else (),
                sentence=f"{'Readers' if scope == POOLED else named(scope)}: "
                f"d′ is {found.d_prime:.2f} ({numbers(found.ci_low, found.ci_high)}); 0 is guessing.",
            )
        )
    return out


def side_bias_results(section: Section) -> list[Result]:
    """Was one side of the screen chosen more often than the other, and by whom?"""
    chosen = [vote for vote in section.votes if vote.chosen is not None]
    out = []
    for scope, votes in scopes(chosen) if chosen else ():
        if scope.startswith(("item ", "arm ")):
            continue
        left = Proportion(sum(vote.chosen is Side.LEFT for vote in votes), len(votes))
        low, high = left.wilson()
        p = left.exact_p()
        who = "Readers" if scope == POOLED else named(scope)
        side = "left" if left.share > 0.5 else "right"
        words = f"leaning to the {side}" if p < 0.05 else "no lean to one side is shown"
        out.append(
            Result(
                section=section.name,
                question="side_bias",
                scope=scope,
                unit="vote",
                method="exact binomial test of the left side against 0.5; Wilson interval",
                statistic=left.k,
                p=p,
                estimate=left.share,
                ci_low=low,
                ci_high=high,
                n=left.n,
                warnings=_one_sided(votes, left),
                sentence=f"{who} chose the left side in {left.k} of {left.n} ({percent(left.share)}, "
                f"{interval(low, high)}): {words} ({p_text(p)}).",
            )
        )
    return out


def _one_sided(votes: Sequence[Vote], left: Proportion) -> tuple[str, ...]:
    if left.k in (0, left.n) and left.n > 4:
        side = "left" if left.k else "right"
        return (f"All {len(votes)} votes are for the {side} side: perhaps nobody looked.",)
    return ()


def difficulty_results(section: Section) -> list[Result]:
    """Difficulty: how it is spread, and whether the answers called hard are the wrong ones."""
    scored = [vote for vote in section.votes if vote.difficulty is not None]
    if not scored:
        return []
    out = [_spread(section, scope, votes) for scope, votes in scopes(scored) if not scope.startswith("item ")]
    if any(vote.correct is not None for vote in scored):
        out += [_hard_and_wrong(section, scored)]
    return out


def spread(votes: Sequence[Vote]) -> list[float]:
    """Share of the responses with difficulty 1, 2, 3, 4 and 5."""
    scores = [vote.difficulty for vote in votes if vote.difficulty is not None]
    return [scores.count(score) / len(scores) for score in range(1, 6)] if scores else [0.0] * 5


def _spread(section: Section, scope: str, votes: Sequence[Vote]) -> Result:
    scores = np.array([vote.difficulty for vote in votes], dtype=float)
    shares = ", ".join(f"{score}: {percent(share)}" for score, share in enumerate(spread(votes), start=1))
    quartiles = np.quantile(scores, (0.25, 0.5, 0.75))
    return Result(
        section=section.name,
        question="difficulty",
        scope=scope,
        unit="vote",
        method="share of responses at each score; median and quartiles",
        estimate=float(quartiles[1]),
        ci_low=float(quartiles[0]),
        ci_high=float(quartiles[2]),
        n=len(scores),
        sentence=f"Difficulty (1 extremely subtle, 5 obvious) of {count(len(scores), 'answer')}: {shares}; "
        f"median {quartiles[1]:g} (quartiles {quartiles[0]:g} and {quartiles[2]:g}, given in place of an interval).",
    )


def _hard_and_wrong(section: Section, scored: Sequence[Vote]) -> Result:
    """Rank correlation within each reader, then a t-test over readers: scales differ between people."""
    from scipy.stats import spearmanr

    from synthview.study.statistics.clustered import simple_mean

    each = []
    for reader in section.readers:
        own = [(v.difficulty, v.correct) for v in scored if v.reader == reader and v.correct is not None]
        if len({d for d, _ in own}) > 1 and len({c for _, c in own}) > 1:
            each.append(float(spearmanr([d for d, _ in own], [float(bool(c)) for _, c in own]).statistic))
    method = "Spearman's ρ of difficulty score and correctness within each reader; t-test of the readers' ρ"
    if len(each) < 2:
        return Result(
            section.name, "difficulty_and_correctness", POOLED, "reader", method,
            "Whether the hard ones are the wrong ones can't be said: fewer than two readers varied in both.",
            n=len(each),
            warnings=("Fewer than two readers have both right and wrong answers and more than one score.",),
        )  # fmt: skip
    mean = simple_mean(each)
    ends, tested = mean.interval(bounds=(-1, 1)), mean.test(0)
    t, p = tested or (None, None)
    words = (
        "answers called subtle were more often wrong"
        if mean.estimate > 0
        else "answers called obvious were more often wrong"
    )
    said = words if p is not None and p < 0.05 else "no relation is shown"
    skipped = len(section.readers) - len(each)
    return Result(
        section=section.name,
        question="difficulty_and_correctness",
        scope=POOLED,
        unit="reader",
        method=method,
        statistic=t,
        df=mean.df if tested else None,
        p=p,
        estimate=mean.estimate,
        ci_low=ends[0] if ends else None,
        ci_high=ends[1] if ends else None,
        n=len(each),
        warnings=(f"{count(skipped, 'reader')} without variation in both left out.",) if skipped else (),
        sentence=f"Are the hard ones the wrong ones? Mean ρ is {mean.estimate:.2f}"
        + (f" ({numbers(*ends)}, {p_text(p)})" if ends else "")
        + f": {said}.",
    )
