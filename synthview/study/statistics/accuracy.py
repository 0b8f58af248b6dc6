"""How often readers were right: per reader, generator and item, pooled, and allowing for clustering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from synthview.study.statistics.clustered import crossed_mean, simple_mean
from synthview.study.statistics.data import Section, natural, table
from synthview.study.statistics.proportions import Proportion
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import interval, named, p_text, percent
from synthview.study.votes import REAL, Kind, Vote

WILSON = "exact binomial test against 0.5; Wilson interval"
CLOPPER_PEARSON = "exact binomial test against 0.5; Clopper-Pearson interval"
CROSSED = "t-test of the two-way random-effects mean (readers and items both random)"
READER_T = "one-sample t-test of the readers' proportions"
MARGIN = 0.10
"""Half-width of the default equivalence range: 10 percentage points."""


def scopes(votes: Sequence[Vote]) -> Iterator[tuple[str, list[Vote]]]:
    """Pooled, then every reader, every generator (and real, in Turing trials), every item."""
    yield POOLED, list(votes)
    for reader in sorted({vote.reader for vote in votes}, key=natural):
        yield f"reader {reader}", [vote for vote in votes if vote.reader == reader]
    for arm in arms_of(votes):
        yield f"arm {arm}", [vote for vote in votes if arm_of(vote) == arm]
    for item in sorted({vote.item for vote in votes}, key=natural):
        yield f"item {item}", [vote for vote in votes if vote.item == item]


def arm_of(vote: Vote) -> str:
    """What was judged: the generator of a real-synthetic pair, or the one stimulus's arm."""
    if vote.kind is Kind.TWO_AFC and vote.arm_left == REAL:
        return vote.arm_right
    return vote.arm_left


def arms_of(votes: Iterable[Vote]) -> list[str]:
    """Generators by name, ``real`` last."""
    return sorted({arm_of(vote) for vote in votes}, key=lambda arm: (arm == REAL, natural(arm)))


def outcome(votes: Sequence[Vote]) -> Proportion:
    """How many of the votes are right."""
    return Proportion(sum(bool(vote.correct) for vote in votes), len(votes))


def accuracy_results(section: Section) -> list[Result]:
    """Proportion correct at every scope, by Wilson and by Clopper-Pearson, and the clustered answers."""
    results: list[Result] = []
    for scope, votes in scopes(section.votes):
        results.append(_at_scope(section, scope, votes, WILSON))
        if not scope.startswith("item "):
            results.append(_at_scope(section, scope, votes, CLOPPER_PEARSON))
    return [*results, *_clustered(section)]


def _at_scope(section: Section, scope: str, votes: Sequence[Vote], method: str) -> Result:
    right = outcome(votes)
    low, high = right.wilson() if method == WILSON else right.clopper_pearson()
    p = right.exact_p()
    who = {"pooled": "Readers were", "reader": f"{named(scope)} was"}.get(scope.split(" ", maxsplit=1)[0])
    who = who or (
        f"On {scope.removeprefix('arm ')} readers were" if scope.startswith("arm") else f"On {scope} readers were"
    )
    chance = (
        "below the 50 % of guessing"
        if p < 0.05 and right.share < 0.5
        else "above the 50 % of guessing"
        if p < 0.05
        else "not shown to differ from the 50 % of guessing"
    )
    return Result(
        section=section.name,
        question="accuracy",
        scope=scope,
        unit="vote",
        method=method,
        statistic=right.k,
        p=p,
        estimate=right.share,
        ci_low=low,
        ci_high=high,
        n=right.n,
        warnings=_warnings(section, scope, right, p),
        sentence=f"{who} right in {right.k} of {right.n} ({percent(right.share)}, {interval(low, high)}), "
        f"{chance} ({p_text(p)}).",
    )


def _warnings(section: Section, scope: str, right: Proportion, p: float) -> tuple[str, ...]:
    said = []
    if p < 0.05 and right.share < 0.5:
        said.append(
            "Below chance: the answers tell real from synthetic but the wrong way round. Look for swapped buttons, a "
            "misread question or a misleading cue before calling the images indistinguishable."
        )
    if right.k in (0, right.n):
        said.append(
            f"All {right.n} answers are {'right' if right.k else 'wrong'}: the interval is one-sided in effect."
        )
    if scope == POOLED and len(section.readers) > 1:
        said += _unlike_readers(section)
        said.append(
            "Counts every vote as independent; votes of one reader and on one item aren't. Report the clustered result."
        )
    return tuple(said)


def _unlike_readers(section: Section) -> list[str]:
    """A word if readers differ so much that the pooled figure describes none of them."""
    from scipy.stats import chi2_contingency

    rows = [outcome([v for v in section.votes if v.reader == reader]) for reader in section.readers]
    if sum(o.k for o in rows) in (0, sum(o.n for o in rows)):
        return []
    p = float(chi2_contingency([(o.k, o.n - o.k) for o in rows], correction=False).pvalue)
    low, high = min(o.share for o in rows), max(o.share for o in rows)
    if p >= 0.05:
        return []
    return [
        f"Readers differ (from {percent(low)} to {percent(high)} right, {p_text(p)}): the pooled figure may fit none."
    ]


def _clustered(section: Section) -> list[Result]:
    values, readers, _ = table(section.votes, lambda vote: float(bool(vote.correct)))
    out = []
    few: tuple[str, ...] = (f"Only {len(readers)} readers: the interval for other readers is wide for that reason.",)
    few = few if 1 < len(readers) < 5 else ()
    by_reader = [outcome([v for v in section.votes if v.reader == reader]).share for reader in readers]
    for mean, unit, method, n in (
        (crossed_mean(values), "reader and item", CROSSED, len(section.votes)),
        (simple_mean(by_reader), "reader", READER_T, len(readers)),
    ):
        if unit == "reader" and len(readers) < 2:
            continue
        tested, ends = mean.test(0.5), mean.interval()
        t, p = tested or (None, None)
        allowing = "other readers and other items" if unit != "reader" else "other readers on these items"
        warn: tuple[str, ...] = few
        if ends is None:
            alike = "every reader is right equally often" if unit == "reader" else "nothing varies"
            words, warn = f"; no interval can be given ({alike})", (f"No interval: {alike}.",)
        else:
            words = f" ({interval(*ends)}, {p_text(p)} against 50 %); this carries over to {allowing}"
        out.append(
            Result(
                section=section.name,
                question="clustered_accuracy",
                scope=POOLED,
                unit=unit,
                method=method,
                statistic=t,
                df=mean.df if tested else None,
                p=p,
                estimate=mean.estimate,
                ci_low=ends[0] if ends else None,
                ci_high=ends[1] if ends else None,
                n=n,
                warnings=warn,
                sentence=f"Readers were right in {percent(mean.estimate)}{words}.",
            )
        )
    return [*out, *_equivalence(section, values)]


def _equivalence(section: Section, values: object, margin: float = MARGIN) -> list[Result]:
    """Two one-sided tests: is accuracy within chance ± margin?"""
    import numpy as np

    mean = crossed_mean(np.asarray(values))
    ends, p = mean.interval(level=0.9), mean.equivalence_p(0.5, margin)
    if ends is None:
        return []
    return [
        equivalence_result(
            section.name,
            POOLED,
            unit="reader and item",
            estimate=mean.estimate,
            ends=ends,
            p=p,
            n=len(section.votes),
            margin=margin,
        )
    ]


def equivalence_result(
    section: str,
    scope: str,
    *,
    unit: str,
    estimate: float,
    ends: tuple[float, float],
    p: float | None,
    n: int,
    margin: float = MARGIN,
    what: str = "Accuracy",
) -> Result:
    """What two one-sided tests against 50 % say."""
    low, high = 100 * (0.5 - margin), 100 * (0.5 + margin)
    shown = p is not None and p < 0.05
    words = (
        f"lies within {low:.0f} to {high:.0f} %" if shown else f"is not shown to lie within {low:.0f} to {high:.0f} %"
    )
    return Result(
        section=section,
        question="equivalence",
        scope=scope,
        unit=unit,
        method=f"two one-sided t-tests (TOST) within 50 % ± {100 * margin:g} points; 90 % interval",
        p=p,
        estimate=estimate,
        ci_low=ends[0],
        ci_high=ends[1],
        n=n,
        warnings=(
            "The range was set by default, not by a protocol; a range chosen after seeing the data proves nothing.",
        ),
        sentence=f"{what} {words} ({percent(estimate)}, {interval(*ends, level=90)}, {p_text(p)}). "
        + ("" if shown else "That a difference is not significant does not make the two sides equal."),
    )
