"""Generator against generator: preference, heterogeneity between pairs, and preference allowing for clustering.

Three questions that published papers mix up.  *Preference*: is one arm chosen more often?  *Heterogeneity*: does the
share differ between pairs, whatever its mean is?  *Clustered preference*: the first, when votes on the same pair, or
of the same reader, are alike.  A table of pairs × 2 answers the second and never the first.
"""

from __future__ import annotations

from typing import Any

from synthview.study.statistics.accuracy import equivalence_result
from synthview.study.statistics.clustered import crossed_mean
from synthview.study.statistics.clustered_preference import clustered_preference_results
from synthview.study.statistics.contrast import Contrast, dispersion
from synthview.study.statistics.proportions import CORRECTED, d_prime_2afc
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, interval, named, numbers, p_text, percent


def preference_results(contrast: Contrast) -> list[Result]:
    """All of one contrast: the three questions, per reader and pair, equivalence."""
    return [
        *_pooled(contrast),
        *clustered_preference_results(contrast),
        _heterogeneity(contrast, "heterogeneity", "pair"),
        _heterogeneity(contrast, "reader_difference", "reader"),
        *_per(contrast),
        *_equal(contrast),
    ]


def _pooled(contrast: Contrast) -> list[Result]:
    from scipy.stats import chisquare

    won = contrast.for_first(contrast.votes)
    chi2, p = chisquare([won.k, won.n - won.k])
    exact = won.exact_p()
    found = d_prime_2afc(won)
    warn = [
        "Counts every vote as independent, and votes on one pair or by one reader aren't. Report the clustered result."
    ]
    warn += [f"All {won.n} votes are for {contrast.first}."] if won.k == won.n else []
    said = f"Of {won.n} votes {won.k} are for {contrast.first} and {won.n - won.k} for {contrast.second}"
    common: dict[str, Any] = {"section": contrast.section.name, "scope": contrast.scope, "unit": "vote", "n": won.n}
    out = []
    for method, statistic, df, value, ends in (
        ("chi-square goodness of fit against equal shares; Wilson interval", float(chi2), 1, float(p), won.wilson()),
        ("exact binomial test against 0.5; Clopper-Pearson interval", won.k, None, exact, won.clopper_pearson()),
    ):
        out.append(
            Result(
                **common, question="preference", method=method, statistic=statistic, df=df, p=value, estimate=won.share,
                ci_low=ends[0], ci_high=ends[1], warnings=tuple(warn),
                sentence=f"{said}: {percent(won.share)} ({interval(*ends)}), {p_text(value)}, "
                "if votes were independent.",
            )
        )  # fmt: skip
    out.append(
        Result(
            **common, question="d_prime", method="√2 Φ⁻¹(share of votes); Wilson interval, transformed",
            estimate=found.d_prime, ci_low=found.ci_low, ci_high=found.ci_high,
            warnings=(CORRECTED,) if found.corrected else (),
            sentence=f"Expressed as d′ the preference for {contrast.first} is {found.d_prime:.2f} "
            f"({numbers(found.ci_low, found.ci_high)}); 0 is none.",
        )
    )  # fmt: skip
    return out


def _heterogeneity(contrast: Contrast, question: str, unit: str) -> Result:
    """Does the share differ between pairs (or readers), whatever its mean is?"""
    from scipy.stats import chi2

    key, names = ("item", contrast.section.items) if unit == "pair" else ("reader", contrast.section.readers)
    outcomes = [contrast.for_first([v for v in contrast.votes if getattr(v, key) == name]) for name in names]
    spread = dispersion(outcomes)
    method = f"chi-square of the {unit}s × 2 table"
    common: dict[str, Any] = {
        "section": contrast.section.name,
        "question": question,
        "scope": contrast.scope,
        "unit": unit,
    }
    if spread is None:
        why = f"only one {unit}" if len(outcomes) < 2 else "all votes are on one side"
        said = f"Whether {unit}s differ can't be tested: {why}."
        return Result(**common, method=method, sentence=said, n=len(outcomes), warnings=(f"Not tested: {why}.",))
    p = float(chi2.sf(*spread))
    won = contrast.for_first(contrast.votes)
    expected = min(o.n for o in outcomes) * min(won.share, 1 - won.share)
    thin = (f"Expected counts go down to {expected:.1f} (below 5): the χ² distribution is approximate.",)
    return Result(
        **common,
        method=method,
        statistic=spread[0],
        df=spread[1],
        p=p,
        n=len(outcomes),
        warnings=thin if expected < 5 else (),
        sentence=f"The share of votes for {contrast.first} "
        + (f"differs between {unit}s" if p < 0.05 else f"is not shown to differ between {unit}s")
        + f" (χ²({spread[1]}) = {spread[0]:.2f}, {p_text(p)}). This says nothing about which arm is preferred.",
    )


def _per(contrast: Contrast) -> list[Result]:
    """The share of ``first`` of each reader and pair."""
    parts = [(f"reader {r}", [v for v in contrast.votes if v.reader == r]) for r in contrast.section.readers]
    parts += [(f"item {i}", [v for v in contrast.votes if v.item == i]) for i in contrast.section.items]
    out = []
    for scope, votes in parts:
        won = contrast.for_first(votes)
        ends, p = won.wilson(), won.exact_p()
        where = scope if contrast.scope == POOLED else f"{scope}, {contrast.scope}"
        who = f"{named(scope)} gave" if scope.startswith("reader") else f"On {scope} readers gave"
        out.append(
            Result(
                section=contrast.section.name,
                question="preference",
                scope=where,
                unit="vote",
                method="exact binomial test against 0.5; Wilson interval",
                statistic=won.k,
                p=p,
                estimate=won.share,
                ci_low=ends[0],
                ci_high=ends[1],
                n=won.n,
                sentence=f"{who} {contrast.first} {won.k} of {count(won.n, 'vote')} "
                f"({percent(won.share)}, {interval(*ends)}).",
            )
        )
    return out


def _equal(contrast: Contrast) -> list[Result]:
    mean = crossed_mean(contrast.table()[0])
    ends, p = mean.interval(level=0.9), mean.equivalence_p(0.5, 0.1)
    if ends is None:
        return []
    what = f"The share of votes for {contrast.first}"
    n = len(contrast.votes)
    return [
        equivalence_result(
            contrast.section.name,
            contrast.scope,
            unit="reader and pair",
            estimate=mean.estimate,
            ends=ends,
            p=p,
            n=n,
            what=what,
        )
    ]
