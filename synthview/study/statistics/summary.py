"""Checks a published summary: which construction gives the χ² and p that a paper reports?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from synthview.errors import WrongRequestError
from synthview.study.statistics.proportions import Proportion
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import interval, p_text, percent

_SECTION = "published summary"


@dataclass(frozen=True)
class Summary:
    """What a paper prints.

    Attributes:
        votes: votes for the first and for the second arm.
        pairs: how many pairs were shown.
        readers: how many readers voted on each pair.
        sd: standard deviation of the votes per pair for the first arm; None where it isn't given.
        mean: mean votes per pair of the first arm, as printed; only checked.
        chi2: the reported χ².
        p: the reported p.
    """

    votes: tuple[int, int]
    pairs: int
    readers: int
    sd: float | None = None
    mean: float | None = None
    chi2: float | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        first, second = self.votes
        if min(self.votes) < 0 or first + second == 0:
            raise WrongRequestError(f"--votes {first} {second}: needs two counts, not both 0")
        if self.pairs < 1 or self.readers < 1:
            raise WrongRequestError(f"--pairs {self.pairs} --readers {self.readers}: both are at least 1")
        if first + second > self.pairs * self.readers:
            raise WrongRequestError(
                f"--votes {first} {second} are {first + second} votes, more than {self.pairs} pairs × {self.readers} "
                f"readers = {self.pairs * self.readers}"
            )
        for name, value in (("--sd", self.sd), ("--mean", self.mean), ("--chi2", self.chi2)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise WrongRequestError(f"{name} {value}: needs a number of at least 0")
        if self.p is not None and not 0 <= self.p <= 1:
            raise WrongRequestError(f"--p {self.p}: a p-value lies between 0 and 1")
        if self.sd is not None and self.sd > self.readers:
            raise WrongRequestError(
                f"--sd {self.sd}: votes per pair lie between 0 and {self.readers}, so no SD is larger"
            )


@dataclass(frozen=True)
class Construction:
    """One way in which a χ² could have been made."""

    name: str
    question: str
    chi2: float
    df: int
    tolerance: float

    @property
    def p(self) -> float:
        """Its upper tail."""
        from scipy.stats import chi2

        return float(chi2.sf(self.chi2, self.df))


def constructions(summary: Summary) -> Iterator[Construction]:
    """What can be built from the summary; ``tolerance`` is how far rounding of the SD may move χ²."""
    first, second = summary.votes
    n = first + second
    share = first / n
    good = (first - second) ** 2 / n
    yield Construction("goodness of fit of the two totals", "preference", good, 1, 0.01)
    yates = max(0.0, abs(first - second) - 1) ** 2 / n
    yield Construction("goodness of fit of the two totals, with continuity correction", "preference", yates, 1, 0.01)
    if summary.sd is None or summary.pairs < 2 or not 0 < share < 1:
        return
    per_pair = n / summary.pairs
    squares = (summary.pairs - 1) * summary.sd**2
    spread = squares / (per_pair * share * (1 - share))
    loose = 2 * 0.0101 / max(summary.sd, 0.0101)  # the SD is printed with two decimals, perhaps cut and not rounded
    yield Construction("χ² of the pairs × 2 table", "heterogeneity", spread, summary.pairs - 1, spread * loose + 0.01)
    around_half = (squares + summary.pairs * (first / summary.pairs - per_pair / 2) ** 2) / (per_pair / 4)
    yield Construction(
        "sum over pairs of the goodness of fit to equal shares", "preference and heterogeneity together",
        around_half, summary.pairs, around_half * loose + 0.01,
    )  # fmt: skip
    one_column = squares / (first / summary.pairs)
    yield Construction(
        "goodness of fit of the first arm's votes to equal counts over the pairs", "heterogeneity (half of it)",
        one_column, summary.pairs - 1, one_column * loose + 0.01,
    )  # fmt: skip


def _matches(made: Construction, summary: Summary) -> bool:
    """Whether the reported figures, as far as given, come from this construction."""
    from scipy.stats import chi2

    if summary.chi2 is None and summary.p is None:
        return False
    if summary.chi2 is None:
        low, high = (chi2.sf(max(0.0, made.chi2 + d), made.df) for d in (made.tolerance, -made.tolerance))
        return bool(low * 0.995 <= (summary.p or 0.0) <= high * 1.005)
    if abs(summary.chi2 - made.chi2) > made.tolerance:
        return False
    if summary.p is None:
        return True
    low, high = (chi2.sf(max(0.0, summary.chi2 + d), made.df) for d in (0.0051, -0.0051))
    return bool(low * 0.99 - 1e-12 <= summary.p <= high * 1.01 + 1e-12)


def explain(summary: Summary) -> list[Result]:
    """What the reported figures test, and what the tests of preference give from the same summary."""
    made = list(constructions(summary))
    found = [one for one in made if _matches(one, summary)]
    return [*_verdict(summary, made, found), *_freedom(summary), *_preference(summary), *_pair_level(summary)]


def _freedom(summary: Summary) -> list[Result]:
    """The degrees of freedom that make the reported p of the reported χ², whatever the data are."""
    from scipy.stats import chi2

    if not summary.chi2 or not summary.p:
        return []
    ends = (summary.chi2 + 0.0051, max(0.0, summary.chi2 - 0.0051))
    fitting = [df for df in range(1, 1001) if chi2.sf(ends[0], df) * 0.995 <= summary.p <= chi2.sf(ends[1], df) * 1.005]
    common: dict[str, Any] = {"section": _SECTION, "question": "degrees_of_freedom", "scope": POOLED, "unit": "none"}
    method = "upper tail of the χ² distribution"
    if len(fitting) != 1:
        why = "No number of degrees of freedom makes this p of this χ²: one of them is misprinted, or p isn't its tail."
        why = (
            why
            if not fitting
            else f"Several degrees of freedom fit the printed figures: {fitting[0]} to {fitting[-1]}."
        )
        return [Result(**common, method=method, sentence=why, warnings=(why,) if not fitting else ())]
    df = fitting[0]
    origin = {
        1: "a table of two totals has it",
        summary.pairs - 1: f"{summary.pairs} pairs × 2 arms have it (pairs - 1)",
    }
    said = f"{_reported(summary)} belong together only with {df} degree{'s' if df > 1 else ''} of freedom"
    return [Result(**common, method=method, df=df, sentence=f"{said}; {origin.get(df, 'no usual table here has it')}.")]


def _reported(summary: Summary) -> str:
    parts = [f"χ² = {summary.chi2:g}" if summary.chi2 is not None else ""]
    parts.append(f"p = {summary.p:.3g}" if summary.p is not None else "")
    return ", ".join(filter(None, parts))


def _verdict(summary: Summary, made: list[Construction], found: list[Construction]) -> list[Result]:
    if summary.chi2 is None and summary.p is None:
        return []
    reported = _reported(summary)
    common: dict[str, Any] = {"section": _SECTION, "question": "construction", "scope": POOLED}
    if not found:
        tried = "; ".join(f"{one.name}: χ²({one.df}) = {one.chi2:.2f}, p = {one.p:.3g}" for one in made)
        more = (
            "" if summary.sd is not None else " Give --sd as well: without it, tests over the pairs can't be rebuilt."
        )
        said = f"None of the constructions that can be tried gives the reported {reported}. They give: {tried}.{more}"
        warn = () if more else (f"None of the constructions that can be tried gives the reported {reported}.",)
        return [Result(**common, unit="vote", method="none of those tried", sentence=said, warnings=warn)]
    out = []
    for one in found:
        about = one.question.startswith("preference") and "together" not in one.question
        wrong = () if about else (f"The reported figures ({reported}) are no evidence that one arm is preferred.",)
        meaning = (
            "it asks whether one arm got more votes, as if all votes were independent"
            if about
            else "it asks whether the pairs differ from each other, not whether one arm is preferred"
        )
        if "together" in one.question:
            meaning = "it mixes the question of preference with that of differences between pairs"
        freedom = "1 degree" if one.df == 1 else f"{one.df} degrees"
        out.append(
            Result(
                **common,
                unit="vote" if one.df == 1 else "pair",
                method=one.name,
                statistic=one.chi2,
                df=one.df,
                p=one.p,
                n=summary.pairs if one.df > 1 else sum(summary.votes),
                warnings=wrong,
                sentence=f"The reported figures ({reported}) come from the {one.question} test ({one.name}) "
                f"with {freedom} of freedom "
                f"(rebuilt: χ²({one.df}) = {one.chi2:.2f}, p = {one.p:.3g}): {meaning}.",
            )
        )
    return out


def _preference(summary: Summary) -> list[Result]:
    """What the pooled tests of preference give."""
    first, second = summary.votes
    counted = Proportion(first, first + second)
    good = next(constructions(summary))
    common: dict[str, Any] = {
        "section": _SECTION, "question": "preference", "scope": POOLED, "unit": "vote", "n": counted.n,
        "estimate": counted.share,
        "warnings": ("Counts every vote as independent; votes on one pair aren't. See clustered_preference.",),
    }  # fmt: skip
    low, high = counted.wilson()
    exact = counted.exact_p()
    ends = counted.clopper_pearson()
    return [
        Result(
            **common, method="chi-square goodness of fit against equal shares; Wilson interval", statistic=good.chi2,
            df=1, p=good.p, ci_low=low, ci_high=high,
            sentence=f"The test of preference gives χ²(1) = {good.chi2:.2f}, p = {good.p:.3g}: {first} of {counted.n} "
            f"votes, {percent(counted.share)} ({interval(low, high)}), if votes were independent.",
        ),
        Result(
            **common, method="exact binomial test against 0.5; Clopper-Pearson interval", statistic=first, p=exact,
            ci_low=ends[0], ci_high=ends[1],
            sentence=f"The exact test of preference gives p = {exact:.3g} ({interval(*ends)}), if votes were "
            "independent.",
        ),
    ]  # fmt: skip


def _pair_level(summary: Summary) -> list[Result]:
    """The tests that allow for clustering by pair, from the mean and SD per pair."""
    from scipy.stats import f, t

    if not summary.sd or summary.pairs < 2:
        return []
    first, second = summary.votes
    per_pair = (first + second) / summary.pairs
    share, se = first / (first + second), summary.sd / per_pair / math.sqrt(summary.pairs)
    df = summary.pairs - 1
    statistic = (share - 0.5) / se
    p = float(2 * t.sf(abs(statistic), df))
    half = float(t.ppf(0.975, df)) * se
    low, high = max(0.0, share - half), min(1.0, share + half)
    common: dict[str, Any] = {
        "section": _SECTION, "question": "clustered_preference", "scope": POOLED, "unit": "pair", "n": summary.pairs,
        "estimate": share, "ci_low": low, "ci_high": high,
    }  # fmt: skip
    out = [
        Result(
            **common, method="pair-level t-test from the mean and SD per pair", statistic=statistic, df=df, p=p,
            sentence=f"With the pair as the unit: {percent(share)} ({interval(low, high)}), "
            f"t({df}) = {statistic:.2f}, {p_text(p)}.",
        )
    ]  # fmt: skip
    spread = next((one for one in constructions(summary) if one.question == "heterogeneity"), None)
    if spread is not None:
        phi = max(spread.chi2 / spread.df, 1.0)
        value = (first - second) ** 2 / (first + second) / phi
        p = float(f.sf(value, 1, df))
        out.append(
            Result(
                **common, method="quasi-binomial F-test from the SD per pair", statistic=value, df=(1, df), p=p,
                sentence=f"With the dispersion between pairs φ = {phi:.2f}: F(1, {df}) = {value:.2f}, {p_text(p)}.",
            )
        )  # fmt: skip
    return out
