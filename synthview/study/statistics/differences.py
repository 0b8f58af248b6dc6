"""Are some readers, generators or levels of expertise right more often than others?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from synthview.study.statistics.accuracy import arm_of, arms_of, outcome
from synthview.study.statistics.agreement import MOST_PAIRED_READERS
from synthview.study.statistics.data import Section, table
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import listed, numbers, p_text, percent, verdict
from synthview.study.votes import REAL, Vote


def difference_results(section: Section) -> list[Result]:
    """Readers, arms and expertise compared on whether the answers are right."""
    return [*_readers(section), *_arms(section), *_expertise(section)]


def _readers(section: Section) -> list[Result]:
    if len(section.readers) < 2:
        return []
    by_reader = [outcome([v for v in section.votes if v.reader == r]) for r in section.readers]
    out = [
        _table_test(section, "reader_difference", "readers", [(o.k, o.n - o.k) for o in by_reader]),
        *_on_the_same_items(section),
    ]
    return [result for result in out if result is not None]


def _table_test(section: Section, question: str, who: str, rows: Sequence[tuple[int, int]]) -> Result:
    """Pearson's χ² of a table of groups × right and wrong."""
    from scipy.stats import chi2_contingency

    counts = np.array(rows)
    method = f"chi-square of the {who} × 2 table (right, wrong), without continuity correction"
    unit = "vote"
    if (counts.sum(axis=0) == 0).any():
        why = f"Not tested: all answers of all {who} are {'right' if counts[:, 0].sum() else 'wrong'}."
        return Result(section.name, question, POOLED, unit, method, why, n=int(counts.sum()), warnings=(why,))
    found = chi2_contingency(counts, correction=False)
    least = float(found.expected_freq.min())
    thin = (f"Expected counts go down to {least:.1f} (below 5): the χ² distribution is approximate.",)
    df = len(rows) - 1
    shares = counts[:, 0] / counts.sum(axis=1)
    differ = verdict(float(found.pvalue), f"{who.capitalize()} differ", f"{who.capitalize()} are not shown to differ")
    return Result(
        section=section.name,
        question=question,
        scope=POOLED,
        unit=unit,
        method=method,
        statistic=float(found.statistic),
        df=df,
        p=float(found.pvalue),
        n=int(counts.sum()),
        warnings=thin if least < 5 else (),
        sentence=f"{differ} in how often they are right (from {percent(shares.min())} to {percent(shares.max())}; "
        f"χ²({df}) = {found.statistic:.2f}, {p_text(float(found.pvalue))}).",
    )


def _on_the_same_items(section: Section) -> list[Result]:
    """Cochran's Q over all readers, McNemar for every two: the items are the same, so answers are paired."""
    from statsmodels.stats.contingency_tables import cochrans_q, mcnemar

    values, readers, _ = table(section.votes, lambda vote: float(bool(vote.correct)))
    complete = values[:, np.isfinite(values).all(axis=0)]
    out: list[Result] = []
    n = complete.shape[1]
    dropped = values.shape[1] - n
    note = (f"{dropped} items that not every reader answered are left out.",) if dropped else ()
    if len(readers) > 2 and n > 1 and (complete.min(axis=0) != complete.max(axis=0)).any():
        found = cochrans_q(complete.T)
        p = float(found.pvalue)
        out.append(
            Result(
                section=section.name,
                question="reader_difference",
                scope=POOLED,
                unit="item",
                method="Cochran's Q (readers paired by item)",
                statistic=float(found.statistic),
                df=len(readers) - 1,
                p=p,
                n=n,
                warnings=note,
                sentence=verdict(p, "Readers differ", "Readers are not shown to differ")
                + f" on the {n} items that all answered (Cochran's Q = {found.statistic:.2f}, {p_text(p)}).",
            )
        )
    for (i, a), (j, b) in combinations(enumerate(readers), 2) if len(readers) <= MOST_PAIRED_READERS else ():
        both = np.isfinite(values[i]) & np.isfinite(values[j])
        if not both.any():
            continue
        only_a = int(((values[i] == 1) & (values[j] == 0)).sum())
        only_b = int(((values[j] == 1) & (values[i] == 0)).sum())
        agree = int(both.sum()) - only_a - only_b
        found = mcnemar([[agree, only_a], [only_b, 0]], exact=True)
        out.append(
            Result(
                section=section.name,
                question="reader_difference",
                scope=f"{a} vs {b}",
                unit="item",
                method="exact McNemar test (same items)",
                statistic=min(only_a, only_b),
                p=float(found.pvalue),
                estimate=(only_a - only_b) / int(both.sum()),
                n=int(both.sum()),
                warnings=() if only_a + only_b else ("Both were right on the same items: nothing to compare.",),
                sentence=f"Only {a} was right on {only_a} items, only {b} on {only_b} "
                f"(of {int(both.sum())} that both answered; {p_text(float(found.pvalue))}).",
            )
        )
    return out


def _arms(section: Section) -> list[Result]:
    """Generators compared, each two of them: stratified by reader (Cochran-Mantel-Haenszel), and Fisher."""
    generators = [arm for arm in arms_of(section.votes) if arm != REAL]
    if len(generators) < 2:
        return []
    by_arm = [outcome([v for v in section.votes if arm_of(v) == arm]) for arm in generators]
    out = []
    if len(generators) > 2:
        out.append(_table_test(section, "arm_difference", "generators", [(o.k, o.n - o.k) for o in by_arm]))
    for a, b in combinations(generators, 2):
        pair = [vote for vote in section.votes if arm_of(vote) in (a, b)]
        scope = POOLED if len(generators) == 2 else f"{a} vs {b}"
        out += [_stratified(section, scope, a, b, pair), _fisher(section, scope, a, b, pair)]
    return out


def _two_by_two(votes: Sequence[Vote], a: str, b: str) -> np.ndarray:
    return np.array(
        [[sum(arm_of(v) == x and bool(v.correct) == y for v in votes) for y in (False, True)] for x in (a, b)]
    )


def _stratified(section: Section, scope: str, a: str, b: str, votes: Sequence[Vote]) -> Result:
    """Cochran-Mantel-Haenszel test of errors by generator, stratified by reader, without continuity correction."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    strata = [_two_by_two([v for v in votes if v.reader == reader], a, b) for reader in section.readers]
    telling = [t for t in strata if (t.sum(axis=0) > 0).all() and (t.sum(axis=1) > 0).all()]
    method = "Cochran-Mantel-Haenszel chi-square stratified by reader, without continuity correction"
    counts = np.sum(strata, axis=0)
    said = f"Errors on {a}: {counts[0, 0]} of {counts[0].sum()}, on {b}: {counts[1, 0]} of {counts[1].sum()}"
    if not telling:
        why = "Not tested: no reader saw both generators and was both right and wrong."
        return Result(
            section.name, "arm_difference", scope, "vote", method, f"{said}. {why}", n=len(votes), warnings=(why,)
        )  # fmt: skip
    found = StratifiedTable([t.astype(float) for t in telling])
    test = found.test_null_odds(correction=False)
    p, ratio = float(test.pvalue), float(found.oddsratio_pooled)
    warn = []
    if len(telling) < len(strata):
        warn.append(f"{len(strata) - len(telling)} readers without both right and wrong answers tell nothing here.")
    ends: tuple[float, float] | None = None
    if np.isfinite(ratio) and ratio > 0:
        with np.errstate(all="ignore"):
            low, high = found.oddsratio_pooled_confint()
        ends = (float(low), float(high))
    else:
        warn.append("A cell is zero in every stratum: the odds ratio has no finite estimate.")
    return Result(
        section=section.name,
        question="arm_difference",
        scope=scope,
        unit="vote",
        method=method,
        statistic=float(test.statistic),
        df=1,
        p=p,
        estimate=ratio if ends else None,
        ci_low=ends[0] if ends else None,
        ci_high=ends[1] if ends else None,
        n=len(votes),
        warnings=tuple(warn),
        sentence=f"{said}; "
        + verdict(p, "the generators differ", "the generators are not shown to differ")
        + f" (χ² = {test.statistic:.3f}, {p_text(p)}"
        + (f"; common odds ratio of an error {ratio:.2f}, {numbers(*ends)})." if ends else ")."),
    )


def _fisher(section: Section, scope: str, a: str, b: str, votes: Sequence[Vote]) -> Result:
    from scipy.stats import fisher_exact

    p = float(fisher_exact(_two_by_two(votes, a, b)).pvalue)
    return Result(
        section=section.name,
        question="arm_difference",
        scope=scope,
        unit="vote",
        method="Fisher's exact test, readers pooled",
        p=p,
        n=len(votes),
        warnings=("Readers are pooled as if all were alike; the stratified test allows for them.",),
        sentence=verdict(p, f"{a} and {b} differ", f"{a} and {b} are not shown to differ")
        + f" in how often they are seen through (Fisher, {p_text(p)}).",
    )


def _expertise(section: Section) -> list[Result]:
    """Levels of expertise, with the reader as the unit: Kruskal-Wallis of the readers' proportions."""
    from scipy.stats import kruskal

    groups: dict[str, list[float]] = {}
    for reader in section.readers:
        own = [vote for vote in section.votes if vote.reader == reader]
        if own[0].expertise:
            groups.setdefault(own[0].expertise, []).append(outcome(own).share)
    if len(groups) < 2:
        return []
    method = "Kruskal-Wallis test of the readers' proportions correct"
    means = ", ".join(f"{level} {percent(float(np.mean(shares)))}" for level, shares in groups.items())
    n = sum(map(len, groups.values()))
    small = [level for level, shares in groups.items() if len(shares) < 3]
    warn = [f"Fewer than three readers: {listed(small)}."] if small else []
    if len({share for shares in groups.values() for share in shares}) < 2:
        warn.append("All readers are right equally often: not tested.")
        return [
            Result(
                section.name, "expertise_difference", POOLED, "reader", method,
                f"Mean proportion correct: {means}; all readers alike.", n=n, warnings=tuple(warn),
            )
        ]  # fmt: skip
    found = kruskal(*groups.values())
    p = float(found.pvalue)
    return [
        Result(
            section=section.name,
            question="expertise_difference",
            scope=POOLED,
            unit="reader",
            method=method,
            statistic=float(found.statistic),
            df=len(groups) - 1,
            p=p,
            n=n,
            warnings=tuple(warn),
            sentence=f"Mean proportion correct: {means}; "
            + verdict(p, "the levels differ", "the levels are not shown to differ")
            + f" ({p_text(p)}).",
        )
    ]
