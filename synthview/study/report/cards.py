"""One question per card, in words first: what a radiologist reads before any figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthview.study.report.plots import (
    Plot,
    accuracy_forest,
    correlation_forest,
    difficulty_bars,
    pair_plot,
    preference_forest,
    rating_bars,
    roc_plot,
)
from synthview.study.statistics.analyse import Analysis, has_truth, preference_part
from synthview.study.statistics.contrast import Contrast, contrasts
from synthview.study.statistics.data import Section
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import named
from synthview.study.votes import Kind

_INDEPENDENT = "Counts every vote as independent"
_CLUSTERED_UNITS = ("pair", "reader and pair")
_SAID_ABOVE = ("accuracy", "base_rate", "preference", "auc", "ranking")
"""Questions whose warnings about everyone stand above the figure.  Warnings of other tests stay beside them."""


@dataclass(frozen=True)
class Card:
    """A question, its answer in words, and what stands behind it.

    Attributes:
        section: the part of the study.
        title: the question.
        headline: the answer.
        warnings: what to know before looking at the figures.
        plots: the figures.
        results: all that was computed for this question.
        pairs: the pairs most and least preferred, where pairs are compared.
    """

    section: str
    title: str
    headline: str
    warnings: tuple[str, ...]
    plots: tuple[Plot, ...]
    results: tuple[Result, ...]
    pairs: tuple[str, ...] = ()


def cards(analysis: Analysis) -> list[Card]:
    """All cards of a study, section by section; every result but items stands on one of them."""
    return [card for section in analysis.sections for card in _section_cards(analysis, section)]


def _section_cards(analysis: Analysis, section: Section) -> Iterator[Card]:
    results = analysis.of(section.name)
    data = [r for r in results if r.question == "data"]
    yield Card(section.name, "What was counted?", data[0].sentence, _all_warnings(data), (), tuple(data))
    if section.kind is Kind.TURING or any(map(has_truth, section.votes)):
        yield from _truth_cards(section, results)
    if section.kind is Kind.TWO_AFC:
        for contrast in contrasts(preference_part(section)):
            yield from _preference_cards(contrast, results)
        yield from _card(section, "Which arm ranks first?", results, ("ranking",), ())
        yield from _card(section, "Was one side of the screen favoured?", results, ("side_bias",), ())
    if section.kind is Kind.RATING:
        yield from _card(
            section, "How were the arms rated?", results, ("rating", "arm_difference"), rating_bars(section)
        )
    hard = ("difficulty_and_correctness", "difficulty")
    yield from _card(
        section, "How hard was it, and are the hard ones the wrong ones?", results, hard, difficulty_bars(section)
    )
    yield from _card(section, "Do readers agree?", results, ("agreement", "reliability"), ())
    title = "Do the volumes' metrics predict the votes?"
    yield from _card(section, title, results, ("metric_correlation",), correlation_forest(results))


def _truth_cards(section: Section, results: Sequence[Result]) -> Iterator[Card]:
    """Right and wrong: accuracy, readers, arms, confidence."""
    part = [r for r in results if not (r.question in ("d_prime", "equivalence") and " vs " in r.scope)]
    first = "clustered_accuracy" if len(section.readers) > 1 else "accuracy"
    questions = (
        first, "clustered_accuracy", "accuracy", "base_rate", "balanced_accuracy", "equivalence", "d_prime",
        "criterion", "confusion", "sensitivity", "specificity", "kappa_truth",
    )  # fmt: skip
    title = "Can readers tell real from synthetic?"
    yield from _card(section, title, part, questions, accuracy_forest(results, "reader"))
    yield from _card(section, "Do readers differ?", part, ("reader_difference", "expertise_difference"), ())
    arms = ("arm_difference", "errors")
    yield from _card(section, "Which arms are mistaken?", part, arms, accuracy_forest(results, "arm"))
    rated = section.where(lambda vote: vote.score is not None)
    confidence = ("auc", "auc_difference")
    if rated.votes and section.kind is Kind.TURING:
        yield from _card(section, "How well does confidence separate real from synthetic?", part, confidence,
                         roc_plot(rated, results))  # fmt: skip


def _preference_cards(contrast: Contrast, results: Sequence[Result]) -> Iterator[Card]:
    mine = [r for r in results if _is_of(contrast, r)]
    section, a, b = contrast.section, contrast.first, contrast.second
    overall = [r for r in mine if not r.scope.startswith("item ")]
    questions = (
        "clustered_preference", "preference", "equivalence", "d_prime", "effective_votes", "design_effect", "icc",
        "dispersion", "reader_difference",
    )  # fmt: skip
    title = f"Do readers prefer {a} or {b}?"
    yield from _card(section, title, overall, questions, preference_forest(contrast, mine))
    items = ("heterogeneity", "preference")
    pairs = [r for r in mine if r.question == "heterogeneity" or r.scope.startswith("item ")]
    plots = pair_plot(contrast)
    order = [row.label for row in plots[0].rows] if plots else []
    shown = tuple(dict.fromkeys([*order[:3], *order[-3:]]))
    yield from _card(section, f"Do pairs differ ({a} or {b})?", pairs, items, plots, pairs=shown)


def _is_of(contrast: Contrast, result: Result) -> bool:
    """Whether a result belongs to this contrast and not to another of the section, or to right and wrong."""
    if contrast.scope != POOLED:
        return result.scope == contrast.scope or result.scope.endswith(f", {contrast.scope}")
    return not (result.question == "d_prime" and "proportion correct" in result.method)


def _card(
    section: Section,
    title: str,
    results: Sequence[Result],
    questions: Sequence[str],
    plots: tuple[Plot, ...],
    *,
    pairs: tuple[str, ...] = (),
) -> Iterator[Card]:
    """A card if there are results; the first of the first question gives the headline."""
    order = {question: i for i, question in reversed(list(enumerate(questions)))}
    mine = sorted((r for r in results if r.question in order), key=lambda r: order[r.question])
    if mine:
        first = [r for r in mine if r.question == mine[0].question]
        head = next((r for r in first if r.scope == POOLED), mine[0])
        if head.question == "clustered_preference":
            head = max((r for r in first if r.unit in _CLUSTERED_UNITS and "t-test" in r.method), key=_width)
        yield Card(section.name, title, _headline(head, mine), _warnings(head, mine), plots, tuple(mine), pairs)


def _width(result: Result) -> float:
    """Of its interval: the wider of two honest answers is the one to print."""
    if result.ci_low is None or result.ci_high is None:
        return -1.0
    return round(result.ci_high - result.ci_low, 9)


def _headline(head: Result, results: Sequence[Result]) -> str:
    """The sentence of the first result; of ratings the means of all arms."""
    if head.question != "rating":
        return head.sentence
    rated = [r for r in results if r.question == "rating" and r.estimate is not None]
    means = [f"{r.scope.removeprefix('arm ')} {r.estimate:.2f}" for r in rated]
    differ = [r.sentence for r in results if r.question == "arm_difference" and r.scope == POOLED]
    return " ".join([f"Mean ratings: {', '.join(means)}.", *differ])


def _warnings(head: Result, results: Sequence[Result]) -> tuple[str, ...]:
    """What the headline needs, what concerns everyone, then what concerns one reader; the rest is in the details."""
    of_all = [r for r in results if r.scope == POOLED and r.question in _SAID_ABOVE]
    out = [w for r in (head, *of_all) for w in r.warnings if not w.startswith(_INDEPENDENT)]
    for r in results:
        if r.scope.startswith("reader ") and "Clopper" not in r.method:
            telling = [w for w in r.warnings if "elow chance" in w or "perhaps nobody" in w]
            out += [f"{named(r.scope)}: {w[0].lower()}{w[1:]}" for w in telling]
    return tuple(dict.fromkeys(out))


def _all_warnings(results: Sequence[Result]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for r in results for w in r.warnings))
