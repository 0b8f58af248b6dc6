"""Agreement between readers, and of readers with themselves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.study.statistics.data import Section, table
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import count, numbers, percent
from synthview.study.votes import Kind, Vote

Codes = npt.NDArray[np.float64]
_RESAMPLES = 1000
MOST_PAIRED_READERS = 20
"""With more readers than this the coefficients over all readers speak for every two of them."""
_ALIKE = "All answers are the same: chance agreement is complete, and the coefficient isn't defined."


def answer_of(vote: Vote) -> Hashable | None:
    """What readers agree or disagree on: the chosen arm, the verdict, or the rating."""
    if vote.kind is Kind.TWO_AFC:
        return vote.chosen_arm if vote.correct is None else vote.correct
    return vote.answer or None


def agreement_results(section: Section) -> list[Result]:
    """Cohen's κ for every two readers, Fleiss' κ, Krippendorff's α and Cochran's Q for all."""
    codes, readers, ordinal = _codes(section)
    if len(readers) < 2:
        why = "Only one reader: agreement between readers can't be measured."
        return [Result(section.name, "agreement", POOLED, "item", "none", why, n=codes.shape[1], warnings=(why,))]
    out = [*_fleiss(section, codes), *_alpha(section, codes, ordinal)]
    if len(set(codes[np.isfinite(codes)].tolist())) == 2:
        out += _cochran(section, codes)
    return [*out, *_pairs(section, codes, readers, ordinal)]


def _codes(section: Section) -> tuple[Codes, list[str], bool]:
    """Readers × items of answers as numbers, and whether the numbers have an order."""
    ordinal = any(vote.score is not None for vote in section.votes)
    if ordinal:
        return *table(section.votes, lambda vote: vote.score)[:2], True
    answers = sorted({str(answer_of(vote)) for vote in section.votes})
    codes, readers, _ = table(section.votes, lambda vote: float(answers.index(str(answer_of(vote)))))
    return codes, readers, False


def cohen(a: Sequence[Hashable], b: Sequence[Hashable], weighted: bool = False) -> tuple[float, float, float] | None:
    """Cohen's κ (quadratic weights for ordered answers) and its asymptotic interval; None where it isn't defined."""
    from statsmodels.stats.inter_rater import cohens_kappa

    values = sorted(set(a) | set(b), key=lambda value: (str(type(value)), value))
    if len(values) < 2:
        return None
    cells = np.zeros((len(values), len(values)))
    for x, y in zip(a, b, strict=True):
        cells[values.index(x), values.index(y)] += 1
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = np.array(values, dtype=float) if weighted else None
        found = cohens_kappa(cells, weights=weights, wt="quadratic" if weighted else None)
    kappa, low, high = float(found.kappa), float(found.kappa_low), float(found.kappa_upp)
    if not np.isfinite(kappa):
        return None
    return kappa, max(-1.0, low) if np.isfinite(low) else kappa, min(1.0, high) if np.isfinite(high) else kappa


def fleiss_kappa(counts: Codes) -> float:
    """Fleiss' κ (1971, Psychol. Bull. 76:378-382) of items × categories counts; NaN where all answers are the same.

    Written here and not taken from statsmodels because items may have been read by different numbers of readers (each
    at least 2): agreement of an item is that of its own reader pairs, weighted equally.
    """
    sizes = counts.sum(axis=1)
    within = ((counts**2).sum(axis=1) - sizes) / (sizes * (sizes - 1))
    chance = float(((counts.sum(axis=0) / sizes.sum()) ** 2).sum())
    return float((within.mean() - chance) / (1 - chance)) if chance < 1 else float("nan")


def _counts(codes: Codes) -> tuple[Codes, int]:
    """Items × categories for items with two answers or more, and how many items had fewer."""
    values = np.unique(codes[np.isfinite(codes)])
    counts = np.stack([(codes == value).sum(axis=0) for value in values], axis=1).astype(float)
    usable = counts.sum(axis=1) >= 2
    return counts[usable], int((~usable).sum())


def _resampled(counts: Codes, statistic: Callable[[Codes], float]) -> tuple[float, float] | None:
    """Percentile bootstrap over items (Efron 1981), fixed seed; None with fewer than three items."""
    if len(counts) < 3:
        return None
    rng = np.random.default_rng(20240229)
    draws = [statistic(counts[rng.integers(len(counts), size=len(counts))]) for _ in range(_RESAMPLES)]
    known = [draw for draw in draws if np.isfinite(draw)]
    if len(known) < _RESAMPLES / 2:
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _fleiss(section: Section, codes: Codes) -> list[Result]:
    counts, short = _counts(codes)
    return [
        _coefficient(
            section, "Fleiss' κ; bootstrap interval over items", "κ", counts=counts, short=short, statistic=fleiss_kappa
        )
    ]


def _alpha(section: Section, codes: Codes, ordinal: bool) -> list[Result]:
    counts, short = _counts(codes)
    level = "ordinal" if ordinal else "nominal"
    values = np.unique(codes[np.isfinite(codes)])

    def alpha(part: Codes) -> float:
        import krippendorff

        if (part.sum(axis=0) > 0).sum() < 2:
            return float("nan")
        return float(krippendorff.alpha(value_counts=part, value_domain=values, level_of_measurement=level))

    return [
        _coefficient(
            section,
            f"Krippendorff's α ({level}); bootstrap interval over items",
            "α",
            counts=counts,
            short=short,
            statistic=alpha,
        )
    ]


def _coefficient(
    section: Section, method: str, letter: str, *, counts: Codes, short: int, statistic: Callable[[Codes], float]
) -> Result:
    warn = [f"{count(short, 'item')} read by one reader only: left out."] if short else []
    value = statistic(counts) if len(counts) else float("nan")
    ends = _resampled(counts, statistic) if np.isfinite(value) else None
    if not np.isfinite(value):
        why = _ALIKE if len(counts) else "No item was read by two readers."
        warn.append(why)
        return Result(section.name, "agreement", POOLED, "item", method, why, n=len(counts), warnings=tuple(warn))
    if ends is None:
        warn.append("Too few items for an interval.")
    said = f"{letter} = {value:.2f}" + (f" ({numbers(*ends)})" if ends else "")
    return Result(
        section=section.name,
        question="agreement",
        scope=POOLED,
        unit="item",
        method=method,
        estimate=value,
        ci_low=ends[0] if ends else None,
        ci_high=ends[1] if ends else None,
        n=len(counts),
        warnings=tuple(warn),
        sentence=f"Agreement between readers beyond chance: {said}; 1 is full agreement, 0 is chance.",
    )


def _cochran(section: Section, codes: Codes) -> list[Result]:
    from statsmodels.stats.contingency_tables import cochrans_q

    complete = codes[:, np.isfinite(codes).all(axis=0)]
    if complete.shape[1] < 2 or len(codes) < 2 or (complete.min(axis=0) == complete.max(axis=0)).all():
        return []
    found = cochrans_q((complete == complete.max()).astype(float).T)
    p = float(found.pvalue)
    return [
        Result(
            section=section.name,
            question="agreement",
            scope=POOLED,
            unit="item",
            method="Cochran's Q (do readers give an answer equally often?)",
            statistic=float(found.statistic),
            df=len(codes) - 1,
            p=p,
            n=complete.shape[1],
            sentence="Readers "
            + ("differ" if p < 0.05 else "are not shown to differ")
            + f" in how often they give each answer (Cochran's Q = {found.statistic:.2f}).",
        )
    ]


def _pairs(section: Section, codes: Codes, readers: list[str], ordinal: bool) -> list[Result]:
    out: list[Result] = []
    if len(readers) > MOST_PAIRED_READERS:
        return out
    for (i, a), (j, b) in combinations(enumerate(readers), 2):
        both = np.isfinite(codes[i]) & np.isfinite(codes[j])
        if both.any():
            scope = f"{a} vs {b}"
            out.append(
                _cohen_result(section.name, "agreement", scope, a=codes[i][both], b=codes[j][both], ordinal=ordinal)
            )
    return out


def _cohen_result(section: str, question: str, scope: str, *, a: Codes, b: Codes, ordinal: bool) -> Result:
    kind = "Cohen's κ, quadratic weights" if ordinal else "Cohen's κ"
    found = cohen(a.tolist(), b.tolist(), weighted=ordinal)
    same = float((a == b).mean())
    common: dict[str, Any] = {"section": section, "question": question, "scope": scope, "unit": "item"}
    method, n = f"{kind}; asymptotic interval", len(a)
    if found is None:
        said = f"The same answer in {percent(same)} of {n}. {_ALIKE}"
        return Result(**common, method=method, n=n, warnings=(_ALIKE,), sentence=said)
    kappa, low, high = found
    said = f"The same answer in {percent(same)} of {n}; beyond chance κ = {kappa:.2f} ({numbers(low, high)})."
    return Result(**common, method=method, n=n, estimate=kappa, ci_low=low, ci_high=high, sentence=said)


def reliability_results(section: Section) -> list[Result]:
    """Intra-reader reliability: the first and the later answer to the same question."""
    pairs = [(x, y) for x, y in section.repeats if answer_of(x) is not None and answer_of(y) is not None]
    if not pairs:
        return []
    ordinal = all(x.score is not None and y.score is not None for x, y in pairs)
    answers = sorted({str(answer_of(vote)) for pair in pairs for vote in pair})

    def code(vote: Vote) -> float:
        return float(vote.score) if ordinal and vote.score is not None else float(answers.index(str(answer_of(vote))))

    scopes = [(POOLED, pairs)]
    scopes += [(f"reader {r}", [p for p in pairs if p[0].reader == r]) for r in sorted({x.reader for x, _ in pairs})]
    return [
        _cohen_result(
            section.name, "reliability", scope,
            a=np.array([code(x) for x, _ in members]), b=np.array([code(y) for _, y in members]), ordinal=ordinal,
        )
        for scope, members in scopes
    ]  # fmt: skip
