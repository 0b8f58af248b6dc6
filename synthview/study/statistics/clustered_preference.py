"""Preference allowing for clustering: votes on the same pair, and of the same reader, are alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthview.study.statistics.clustered import Mean, Table, clustering, crossed_mean, simple_mean
from synthview.study.statistics.contrast import Contrast, dispersion
from synthview.study.statistics.gee import gee_share
from synthview.study.statistics.result import Result
from synthview.study.statistics.words import interval, p_text, percent


def clustered_preference_results(contrast: Contrast) -> list[Result]:
    """Pair-level, reader-level and two-way t-tests, quasi-binomial F, GEE; ICC, design effect and effective votes."""
    values, readers, items = contrast.table()
    shares = [outcome.share for outcome in contrast.pair_shares().values()]
    by_reader = [contrast.for_first([v for v in contrast.votes if v.reader == reader]).share for reader in readers]
    out = []
    for unit, method, mean, n, alike in (
        ("pair", "pair-level t-test of the pairs' shares", simple_mean(shares), len(items), "votes on the same pair"),
        (
            "reader and pair",
            "t-test of the two-way random-effects mean (mixed model: readers and pairs both random)",
            crossed_mean(values), len(contrast.votes), "votes on the same pair and votes of the same reader",
        ),
        (
            "reader", "reader-level t-test of the readers' shares",
            simple_mean(by_reader), len(readers), "votes of the same reader",
        ),
    ):  # fmt: skip
        out.append(_clustered_result(contrast, unit, method, mean=mean, n=n, alike=alike))
    out += _quasi_binomial(contrast)
    out += _gee(contrast)
    return [*out, *_effective(contrast, values)]


def _clustered_result(contrast: Contrast, unit: str, method: str, *, mean: Mean, n: int, alike: str) -> Result:
    tested, ends = mean.test(0.5), mean.interval()
    t, p = tested or (None, None)
    warnings: tuple[str, ...] = ()
    if ends is None:
        few = f"only one {unit}" if n < 2 else f"every {unit.rsplit(maxsplit=1)[-1]} has the same share"
        warnings = (f"No interval: {few}.",)
        words = f"{percent(mean.estimate)} of votes; no interval can be given ({few})"
    else:
        words = f"{percent(mean.estimate)} of votes ({interval(*ends)}, allowing for {alike} being alike). {p_text(p)}"
        small = [f"Only {n} {unit}s." for _ in [0] if unit in ("pair", "reader") and n < 5]
        warnings = tuple(small)
    lead = (
        f"Readers preferred {contrast.first}: "
        if p is not None and p < 0.05
        else f"No preference is shown; {contrast.first} got "
    )
    return Result(
        section=contrast.section.name,
        question="clustered_preference",
        scope=contrast.scope,
        unit=unit,
        method=method,
        statistic=t,
        df=mean.df if tested else None,
        p=p,
        estimate=mean.estimate,
        ci_low=ends[0] if ends else None,
        ci_high=ends[1] if ends else None,
        n=n,
        warnings=warnings,
        sentence=f"{lead}{words}, {method.split(' (', maxsplit=1)[0]}." if ends else f"{lead}{words}.",
    )


def _quasi_binomial(contrast: Contrast) -> list[Result]:
    """Quasi-likelihood: the pooled χ² divided by the dispersion φ between pairs (McCullagh & Nelder 1989, §4.5)."""
    from scipy.stats import chi2, f, t

    outcomes = list(contrast.pair_shares().values())
    spread = dispersion(outcomes)
    if spread is None:
        return []
    won = contrast.for_first(contrast.votes)
    phi = spread[0] / spread[1]
    used = max(phi, 1.0)
    statistic = (2 * won.k - won.n) ** 2 / won.n / used
    p = float(f.sf(statistic, 1, spread[1]))
    half = float(t.ppf(0.975, spread[1])) * float(np.sqrt(used * won.share * (1 - won.share) / won.n))
    ends = (max(0.0, won.share - half), min(1.0, won.share + half))
    under = f"φ is {phi:.2f}: less spread than chance gives; 1 is used instead." if phi < 1 else ""
    more = float(chi2.sf(*spread))
    return [
        Result(
            section=contrast.section.name,
            question="clustered_preference",
            scope=contrast.scope,
            unit="pair",
            method="quasi-binomial F-test (χ² divided by the dispersion φ between pairs)",
            statistic=statistic,
            df=(1, spread[1]),
            p=p,
            estimate=won.share,
            ci_low=ends[0],
            ci_high=ends[1],
            n=len(outcomes),
            warnings=(under,) if under else (),
            sentence=f"Votes spread {phi:.3f} times as much between pairs as independent votes would ({p_text(more)}). "
            f"Allowing for that, {contrast.first} got {percent(won.share)} ({interval(*ends)}), {p_text(p)}, "
            "quasi-binomial F.",
        ),
        Result(
            section=contrast.section.name,
            question="dispersion",
            scope=contrast.scope,
            unit="pair",
            method="Pearson χ² of the pairs × 2 table divided by its degrees of freedom (φ)",
            statistic=spread[0],
            df=spread[1],
            estimate=phi,
            n=len(outcomes),
            sentence=f"The dispersion φ is {phi:.3f}; independent votes give about 1.",
        ),
    ]


def _gee(contrast: Contrast) -> list[Result]:
    """Generalised estimating equations, clustered by pair and, apart, by reader."""
    out = []
    for unit, key in (("pair", "item"), ("reader", "reader")):
        groups = [getattr(vote, key) for vote in contrast.votes]
        found = gee_share([float(vote.chosen_arm == contrast.first) for vote in contrast.votes], groups)
        if found is None:
            continue
        out.append(
            Result(
                section=contrast.section.name,
                question="clustered_preference",
                scope=contrast.scope,
                unit=unit,
                method=f"GEE, logit link, exchangeable within {unit}, bias-reduced standard error, t",
                statistic=found.t,
                df=found.df,
                p=found.p,
                estimate=found.share,
                ci_low=found.ci_low,
                ci_high=found.ci_high,
                n=len(set(groups)),
                warnings=("Fewer than 10 clusters: GEE is too sure of itself.",) if len(set(groups)) < 10 else (),
                sentence=f"GEE with votes alike within {unit}: {percent(found.share)} for {contrast.first} "
                f"({interval(found.ci_low, found.ci_high)}), {p_text(found.p)}.",
            )
        )
    return out


def _effective(contrast: Contrast, values: Table) -> list[Result]:
    out = []
    for axis, unit in ((0, "pair"), (1, "reader")):
        found = clustering(values, axis)
        if found is None:
            continue
        common: dict[str, Any] = {
            "section": contrast.section.name,
            "scope": contrast.scope,
            "unit": unit,
            "n": len(contrast.votes),
        }
        votes = len(contrast.votes)
        for question, estimate, method, sentence in (
            ("icc", found.icc, "one-way analysis of variance",
             f"Intraclass correlation of votes within {unit}: {found.icc:.3f}; 0 would be independent votes."),
            ("design_effect", found.design_effect, "1 + (votes per cluster - 1) × ICC",
             f"Clustering by {unit}: the variance is {found.design_effect:.2f} times that of independent votes."),
            ("effective_votes", found.effective, "votes / design effect",
             f"The {votes} votes are worth about {found.effective:.0f} independent votes (clustering by {unit})."),
        ):  # fmt: skip
            out.append(Result(**common, question=question, method=method, estimate=estimate, sentence=sentence))
    return out
