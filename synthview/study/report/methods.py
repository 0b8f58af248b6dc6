"""Methods text with the study's own numbers, to be taken into a paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

from synthview.study.report.facts import StudyFacts
from synthview.study.statistics.accuracy import arms_of
from synthview.study.statistics.analyse import Analysis, has_truth
from synthview.study.statistics.data import Section
from synthview.study.statistics.words import count, listed
from synthview.study.votes import REAL, Kind

_TEXT = {
    "accuracy": "Proportions correct were compared with chance (0.5) by exact binomial tests, with Wilson and "
    "Clopper–Pearson intervals.",
    "clustered_accuracy": "To allow for answers of the same reader and on the same item being alike, the mean "
    "proportion was estimated in a two-way random-effects model (readers and items random) with Satterthwaite’s "
    "degrees of freedom.",
    "preference": "The pooled votes were compared with equal shares by a χ² test of goodness of fit and an exact "
    "binomial test, both of which take votes as independent.",
    "clustered_preference": "Preference was tested with votes on the same pair, and of the same reader, allowed to be "
    "alike: by a t-test of the pairs’ shares, a two-way random-effects mean (readers and pairs random), a quasi-"
    "binomial F-test, and generalised estimating equations with a bias-reduced standard error.",
    "heterogeneity": "Differences between pairs were tested, apart from preference, by the χ² of the pairs × 2 table.",
    "icc": "The intraclass correlation was estimated by analysis of variance; the design effect is 1 + (votes per "
    "cluster − 1) × ICC.",
    "ranking": "Arms were ranked with the Bradley–Terry model, its variance clustered by pair.",
    "sensitivity": "Sensitivity is the proportion of synthetic stimuli called synthetic, specificity that of real "
    "stimuli called real, both with Wilson intervals.",
    "d_prime": "d′ was computed from proportions; where a proportion was 0 or 1 the log-linear correction was applied.",
    "reader_difference": "Readers were compared by the χ² of the readers × 2 table; where they answered the same items "
    "with a right answer, also by Cochran’s Q and exact McNemar tests.",
    "arm_difference": "Arms were compared by the Cochran–Mantel–Haenszel test stratified by reader and by Fisher’s "
    "exact test, or, for ratings, by paired t-tests over readers.",
    "equivalence": "Equivalence to chance was tested by two one-sided tests within 50 % ± 10 percentage points at 5 %.",
    "auc": "Areas under ROC curves have DeLong variances per reader; their mean over readers was tested by the "
    "Obuchowski–Rockette method with Hillis’ degrees of freedom, readers and stimuli random.",
    "agreement": "Agreement was measured by Cohen’s κ for every two readers (up to 20 readers), Fleiss’ κ, "
    "Krippendorff’s α and, for two possible answers, Cochran’s Q; intervals of Fleiss’ κ and α are percentile "
    "bootstrap intervals over items (1,000 resamples, fixed seed).",
    "reliability": "Intra-reader reliability was measured by Cohen’s κ of the first and the later answer to repeated "
    "questions.",
    "side_bias": "The share of left-hand choices was compared with one half by exact binomial tests.",
    "difficulty_and_correctness": "Difficulty and correctness were related by Spearman’s ρ within each reader and a "
    "t-test of the readers’ ρ.",
    "rating": "Mean ratings have intervals from a two-way random-effects model (readers and stimuli random).",
    "metric_correlation": "Metrics of the volumes were related to the votes by Spearman’s ρ over items, with bootstrap "
    "intervals.",
}  # fmt: skip


def methods_text(analysis: Analysis, facts: StudyFacts) -> list[str]:
    """Paragraphs: the study, each section, the statistics, the software."""
    paragraphs = [" ".join(facts.methods)] if facts.methods else []
    paragraphs += [_section(section) for section in analysis.sections if section.votes]
    asked = {result.question for result in analysis.results}
    paragraphs.append(" ".join(text for question, text in _TEXT.items() if question in asked))
    paragraphs.append(
        "Tests are two-sided at 5 % unless stated otherwise, intervals 95 % (90 % for equivalence). p-values of "
        "several readers, arms or items that answer the same question are corrected by Holm’s method and given beside "
        "the uncorrected ones. A missing answer was left out, never replaced. "
        f"Computed with synthview {version('synthview')}, SciPy {version('scipy')}, statsmodels "
        f"{version('statsmodels')} and krippendorff {version('krippendorff')}."
    )
    return [paragraph for paragraph in paragraphs if paragraph]


def _section(section: Section) -> str:
    """Who answered what, in numbers."""
    readers = count(len(section.readers), "reader")
    levels = Counter(_expertise(section, reader) for reader in section.readers)
    levels.pop("", None)
    if levels:
        readers += f" ({'; '.join(f'{level}: {number}' for level, number in sorted(levels.items()))})"
    asked = f"Section “{section.name}”: {readers} gave {count(len(section.votes), 'answer')}"
    return f"{asked} {_what(section)}.{_times(section)}"


def _what(section: Section) -> str:
    if section.kind is Kind.TWO_AFC:
        arms = sorted({arm for vote in section.votes for arm in (vote.arm_left, vote.arm_right)} - {REAL})
        pairs = f"on {count(len(section.items), 'pair')}, shown side by side"
        if any(map(has_truth, section.votes)):
            return f"{pairs}, of a real and a synthetic volume ({listed(arms)}), saying which is which"
        return f"{pairs}, of volumes from {listed(arms)}, choosing one"
    shown = Counter({vote.item: vote.arm_left for vote in section.votes}.values())
    stimuli = listed([f"{shown[arm]} {'real' if arm == REAL else f'from {arm}'}" for arm in arms_of(section.votes)])
    if section.kind is Kind.RATING:
        return f"rating {count(len(section.items), 'stimulus', 'stimuli')} ({stimuli}), shown one at a time"
    return f"on {count(len(section.items), 'stimulus', 'stimuli')} ({stimuli}), shown one at a time, real or synthetic"


def _times(section: Section) -> str:
    import numpy as np

    times = [vote.response_time_ms / 1000 for vote in section.votes if vote.response_time_ms is not None]
    if not times:
        return ""
    low, median, high = np.quantile(times, (0.25, 0.5, 0.75))
    return f" The median response time was {median:.1f} s (quartiles {low:.1f} and {high:.1f} s)."


def _expertise(section: Section, reader: str) -> str:
    return next((vote.expertise for vote in section.votes if vote.reader == reader), "")


def known_topics(analysis: Analysis, facts: StudyFacts) -> dict[str, str]:
    """Topics of the check lists that this report can answer, with where."""
    asked = {result.question for result in analysis.results}
    topics = dict(facts.provides)
    own: Sequence[tuple[str, str, bool]] = (
        ("missing", "“What was counted?” of every section", True),
        ("counts", "“What was counted?” and Methods", True),
        ("statistics", "Methods", True),
        ("uncertainty", "intervals on every card", True),
        ("estimates", "the cards and results.csv", True),
        ("software", "Methods, last paragraph", True),
        ("all data", "responses.csv and results.csv beside this report", True),
        ("agreement", "“Do readers agree?”", "agreement" in asked),
        ("repeats", "“Do readers agree?”, repeated questions", "reliability" in asked),
        ("failures", "“Which arms are mistaken?” and the pairs most and least preferred",
         bool(asked & {"errors", "heterogeneity"})),
        ("robustness", "several constructions of the same test stand side by side",
         bool(asked & {"clustered_preference", "clustered_accuracy"})),
        ("expertise", "Methods", any(vote.expertise for s in analysis.sections for vote in s.votes)),
    )  # fmt: skip
    for topic, where, known in own:
        if known:
            topics.setdefault(topic, where)
    return topics
