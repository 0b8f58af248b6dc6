"""What each figure shows, as numbers: the report draws it with Matplotlib, the window with pyqtgraph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthview.study.statistics.accuracy import WILSON, scopes
from synthview.study.statistics.contrast import Contrast
from synthview.study.statistics.data import Section
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.roc import curve, scores_of
from synthview.study.statistics.two_afc import spread

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Series colours that colour-blind people tell apart (Okabe & Ito 2008)."""
LIKERT = ("#CA6A1F", "#EDB479", "#D9D9D9", "#92BBDD", "#2B6CA8")
"""From hard (warm) over grey to obvious (cold)."""
SCORES = ("1 extremely subtle", "2 moderately subtle", "3 fairly subtle", "4 moderately obvious", "5 obvious")


@dataclass(frozen=True)
class Row:
    """One line of a forest plot: proportions or other numbers with their interval."""

    label: str
    estimate: float
    low: float
    high: float
    emphasised: bool = False


@dataclass(frozen=True)
class ForestPlot:
    """Estimates with intervals, one below the other; ``reference`` is drawn as a line."""

    name: str
    title: str
    axis: str
    rows: tuple[Row, ...]
    reference: float = 0.5
    proportion: bool = True


@dataclass(frozen=True)
class LikertBars:
    """Stacked bars: for each row the share of responses at each score, which sum to 1, and how many there are."""

    name: str
    title: str
    axis: str
    rows: tuple[tuple[str, tuple[float, ...], int], ...]
    scores: tuple[str, ...] = SCORES


@dataclass(frozen=True)
class PairPlot:
    """The share of votes for one arm on each pair, most preferred first."""

    name: str
    title: str
    axis: str
    rows: tuple[Row, ...]
    first: str
    second: str


@dataclass(frozen=True)
class RocPlot:
    """ROC curves: label, false-positive rates, true-positive rates, AUC."""

    name: str
    title: str
    curves: tuple[tuple[str, tuple[float, ...], tuple[float, ...], float], ...]


Plot = ForestPlot | LikertBars | PairPlot | RocPlot


def row_of(result: Result, label: str, emphasised: bool = False) -> Row | None:
    """A line of a forest plot; None where the interval isn't known."""
    if result.estimate is None or result.ci_low is None or result.ci_high is None:
        return None
    return Row(label, result.estimate, result.ci_low, result.ci_high, emphasised)


def _forest(name: str, title: str, axis: str, rows: Iterable[Row | None]) -> tuple[ForestPlot, ...]:
    known = tuple(row for row in rows if row is not None)
    return (ForestPlot(name, title, axis, known),) if len(known) > 1 else ()


def accuracy_forest(results: Sequence[Result], by: str) -> tuple[ForestPlot, ...]:
    """Proportion correct per reader (``by`` "reader") or arm, and pooled allowing for clustering."""
    rows = [
        row_of(r, r.scope.removeprefix(f"{by} "))
        for r in results
        if r.question == "accuracy" and r.scope.startswith(f"{by} ") and r.method == WILSON
    ]
    pooled = next((r for r in results if r.question == "clustered_accuracy"), None)
    if pooled is not None and by == "reader":
        rows.append(row_of(pooled, "all, clustered", emphasised=True))
    return _forest(f"accuracy-by-{by}", f"Proportion correct by {by}", "correct, % (95 % interval)", rows)


def preference_forest(contrast: Contrast, results: Sequence[Result]) -> tuple[ForestPlot, ...]:
    """Share of votes for the first arm per reader, and overall by each construction."""
    rows = [
        row_of(r, r.scope.split(",")[0].removeprefix("reader "))
        for r in results
        if r.question == "preference" and r.scope.startswith("reader ")
    ]
    for r in results:
        if r.question == "preference" and r.scope in (POOLED, contrast.scope) and "Wilson" in r.method:
            rows.append(row_of(r, "all, votes as if independent"))
        if r.question == "clustered_preference" and "t-test" in r.method and r.unit in ("pair", "reader and pair"):
            rows.append(row_of(r, f"all, by {r.unit}", emphasised=True))
    name = f"preference-{contrast.first}-{contrast.second}"
    return _forest(name, "Share of votes by reader", f"votes for {contrast.first}, % (95 % interval)", rows)


def pair_plot(contrast: Contrast) -> tuple[PairPlot, ...]:
    """Every pair with its share of votes for the first arm and Wilson's interval."""
    shares = sorted(contrast.pair_shares().items(), key=lambda pair: -pair[1].share)
    rows = tuple(Row(item, outcome.share, *outcome.wilson()) for item, outcome in shares)
    if len(rows) < 2:
        return ()
    name = f"pairs-{contrast.first}-{contrast.second}"
    axis = f"votes for {contrast.first}, % (95 % interval)"
    return (PairPlot(name, "Share of votes by pair", axis, rows, contrast.first, contrast.second),)


def correlation_forest(results: Sequence[Result]) -> tuple[ForestPlot, ...]:
    """Rank correlations of metrics with the votes."""
    rows = [row_of(r, r.scope.removeprefix("metric ")) for r in results if r.question == "metric_correlation"]
    known = tuple(row for row in rows if row is not None)
    axis = "Spearman's ρ (95 % interval)"
    return (ForestPlot("metrics", "Metrics and votes", axis, known, 0.0, proportion=False),) if known else ()


def difficulty_bars(section: Section) -> tuple[LikertBars, ...]:
    """Difficulty per reader, per generator, and of right and of wrong answers."""
    scored = [vote for vote in section.votes if vote.difficulty is not None]
    if not scored:
        return ()
    rows: list[tuple[str, tuple[float, ...], int]] = []
    for scope, votes in scopes(scored):
        if not scope.startswith("item "):
            rows.append((scope if scope != POOLED else "all", tuple(spread(votes)), len(votes)))
    for label, truth in (("right answers", True), ("wrong answers", False)):
        votes = [vote for vote in scored if vote.correct is truth]
        if votes:
            rows.append((label, tuple(spread(votes)), len(votes)))
    return (LikertBars("difficulty", "Difficulty", "responses, %", tuple(rows)),)


def rating_bars(section: Section) -> tuple[LikertBars, ...]:
    """Ratings per arm; [] where there are more than seven different ones."""
    values = sorted({vote.score for vote in section.votes if vote.score is not None})
    if not 1 < len(values) <= 7:
        return ()
    rows = []
    for scope, votes in scopes(section.votes):
        if scope.startswith("arm "):
            scores = [vote.score for vote in votes]
            shares = tuple(scores.count(value) / len(scores) for value in values)
            rows.append((scope.removeprefix("arm "), shares, len(scores)))
    return (LikertBars("ratings", "Ratings", "responses, %", tuple(rows), tuple(f"{v:g}" for v in values)),)


def roc_plot(section: Section, results: Sequence[Result]) -> tuple[RocPlot, ...]:
    """The empirical ROC of each reader, and of all ratings pooled."""
    curves = []
    for reader in section.readers:
        auc = next((r.estimate for r in results if r.question == "auc" and r.scope == f"reader {reader}"), None)
        synthetic, real = scores_of([vote for vote in section.votes if vote.reader == reader])
        if auc is not None:
            false, true = curve(synthetic, real)
            curves.append((reader, tuple(false.tolist()), tuple(true.tolist()), auc))
    return (RocPlot("roc", "ROC by reader", tuple(curves)),) if curves else ()
