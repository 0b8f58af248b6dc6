"""Turing trials: confusion, sensitivity, specificity, d′, criterion, κ against truth, errors, base rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthview.study.statistics.accuracy import arms_of, equivalence_result, outcome, scopes
from synthview.study.statistics.clustered import simple_mean
from synthview.study.statistics.data import Section
from synthview.study.statistics.proportions import CORRECTED, Proportion, d_prime_yes_no
from synthview.study.statistics.result import POOLED, Result
from synthview.study.statistics.words import interval, named, numbers, p_text, percent
from synthview.study.votes import REAL, SYNTHETIC, Vote


def said_synthetic(vote: Vote) -> bool | None:
    """Whether the answer was "synthetic"; None where the answer is a confidence without a verdict."""
    if vote.answer in (REAL, SYNTHETIC):
        return vote.answer == SYNTHETIC
    return None if vote.correct is None else vote.correct == (vote.arm_left != REAL)


@dataclass(frozen=True)
class Confusion:
    """What was said of real and synthetic stimuli; "synthetic" is the positive answer."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def synthetic(self) -> int:
        """How many synthetic stimuli were judged."""
        return self.true_positive + self.false_negative

    @property
    def real(self) -> int:
        """How many real stimuli were judged."""
        return self.false_positive + self.true_negative

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity; guessing and any constant answer give 0.5."""
        return (self.true_positive / self.synthetic + self.true_negative / self.real) / 2


def confusion(votes: Sequence[Vote]) -> Confusion:
    """The 2 × 2 table of the votes."""
    cells = [(vote.arm_left != REAL, bool(said_synthetic(vote))) for vote in votes]
    return Confusion(*(cells.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))))


def turing_results(section: Section) -> list[Result]:
    """Everything but accuracy and differences, pooled and per reader; then errors per arm and the base rate."""
    out: list[Result] = []
    for scope, votes in scopes(section.votes):
        if scope == POOLED or scope.startswith("reader "):
            out += _at_scope(section, scope, votes)
    return [*out, *_errors(section), *_base_rate(section), *_equivalence(section)]


def _at_scope(section: Section, scope: str, votes: Sequence[Vote]) -> list[Result]:
    cells = confusion(votes)
    who = "Readers" if scope == POOLED else named(scope)
    common: dict[str, Any] = {"section": section.name, "scope": scope, "unit": "vote"}
    out = [
        Result(
            **common, question="confusion", method="2 × 2 table of truth and answer", n=len(votes),
            sentence=f"{who} called {cells.true_positive} of {cells.synthetic} synthetic stimuli synthetic and "
            f"{cells.true_negative} of {cells.real} real ones real.",
        )
    ]  # fmt: skip
    for question, k, n, of in (
        ("sensitivity", cells.true_positive, cells.synthetic, "synthetic stimuli called synthetic"),
        ("specificity", cells.true_negative, cells.real, "real stimuli called real"),
    ):
        if n:
            share = Proportion(k, n)
            low, high = share.wilson()
            out.append(
                Result(
                    **common, question=question, method="proportion; Wilson interval", statistic=k, n=n,
                    estimate=share.share, ci_low=low, ci_high=high,
                    sentence=f"{who}: {percent(share.share)} of {of} ({k} of {n}, {interval(low, high)}).",
                )
            )  # fmt: skip
    if cells.synthetic and cells.real:
        out += _signal_detection(common, cells, who)
        out += _kappa(common, votes, who)
    else:
        only = "synthetic" if cells.synthetic else "real"
        out.append(
            Result(
                **common, question="d_prime", method="Φ⁻¹(hit rate) - Φ⁻¹(false-alarm rate)", n=len(votes),
                warnings=(f"Only {only} stimuli were shown: sensitivity and bias can't be told apart.",),
                sentence=f"d′ can't be computed: only {only} stimuli were shown.",
            )
        )  # fmt: skip
    return out


def _signal_detection(common: dict[str, Any], cells: Confusion, who: str) -> list[Result]:
    hits, alarms = Proportion(cells.true_positive, cells.synthetic), Proportion(cells.false_positive, cells.real)
    found = d_prime_yes_no(hits, alarms)
    criterion = found.criterion or 0.0
    lean = "real" if criterion > 0 else "synthetic"
    warn = (CORRECTED,) if found.corrected else ()
    n = cells.synthetic + cells.real
    return [
        Result(
            **common, question="d_prime", estimate=found.d_prime, ci_low=found.ci_low, ci_high=found.ci_high, n=n,
            method="Φ⁻¹(hit rate) - Φ⁻¹(false-alarm rate); Gourevitch-Galanter interval", warnings=warn,
            sentence=f"{who}: d′ is {found.d_prime:.2f} ({numbers(found.ci_low, found.ci_high)}); 0 is guessing.",
        ),
        Result(
            **common, question="criterion", estimate=criterion, n=n, warnings=warn,
            method="-(Φ⁻¹(hit rate) + Φ⁻¹(false-alarm rate)) / 2",
            sentence=f"{who}: criterion c is {criterion:.2f}"
            + (f", a lean to answering {lean}." if abs(criterion) > 0.1 else ", hardly a lean to either answer."),
        ),
    ]  # fmt: skip


def _kappa(common: dict[str, Any], votes: Sequence[Vote], who: str) -> list[Result]:
    from synthview.study.statistics.agreement import cohen

    found = cohen([v.arm_left != REAL for v in votes], [bool(said_synthetic(v)) for v in votes])
    method = "Cohen's κ of answer and truth; asymptotic interval"
    if found is None:
        why = "All answers are the same: κ against truth isn't defined (it would be 0)."
        return [Result(**common, question="kappa_truth", method=method, n=len(votes), warnings=(why,), sentence=why)]
    kappa, low, high = found
    return [
        Result(
            **common, question="kappa_truth", method=method, estimate=kappa, ci_low=low, ci_high=high, n=len(votes),
            sentence=f"{who}: agreement with the truth beyond chance is κ = {kappa:.2f} ({numbers(low, high)}).",
        )
    ]  # fmt: skip


def _errors(section: Section) -> list[Result]:
    """Errors per arm and per expertise level."""
    parts = [(f"arm {arm}", [v for v in section.votes if v.arm_left == arm]) for arm in arms_of(section.votes)]
    levels = sorted({vote.expertise for vote in section.votes if vote.expertise})
    parts += [(f"expertise {level}", [v for v in section.votes if v.expertise == level]) for level in levels]
    out = []
    for scope, votes in parts:
        right = outcome(votes)
        wrong = Proportion(right.n - right.k, right.n)
        low, high = wrong.wilson()
        of = (
            f"On {scope.removeprefix('arm ')}"
            if scope.startswith("arm")
            else f"Readers ({scope.removeprefix('expertise ')})"
        )
        made = "readers were wrong" if scope.startswith("arm") else "were wrong"
        out.append(
            Result(
                section=section.name,
                question="errors",
                scope=scope,
                unit="vote",
                method="proportion of errors; Wilson interval",
                statistic=wrong.k,
                estimate=wrong.share,
                ci_low=low,
                ci_high=high,
                n=wrong.n,
                sentence=f"{of} {made} in {wrong.k} of {wrong.n} ({percent(wrong.share)}, {interval(low, high)}).",
            )
        )
    return out


def _base_rate(section: Section) -> list[Result]:
    cells = confusion(section.votes)
    n = cells.synthetic + cells.real
    answer, most = ("synthetic", cells.synthetic) if cells.synthetic >= cells.real else ("real", cells.real)
    right = outcome(section.votes)
    warn = []
    if most != n - most:
        warn.append(
            f"Real and synthetic stimuli aren't equally many: always answering “{answer}” would score "
            f"{percent(most / n)}, so accuracy must not be read against 50 % alone; d′ and balanced accuracy don't "
            "depend on the mix."
        )
    p = right.exact_p(most / n)
    beats = "more than that" if p < 0.05 and right.share > most / n else "not shown to be more than that"
    return [
        Result(
            section=section.name,
            question="base_rate",
            scope=POOLED,
            unit="vote",
            method="accuracy of always giving the same answer; exact binomial test of the readers' against it",
            statistic=right.k,
            p=p,
            estimate=most / n,
            n=n,
            warnings=tuple(warn),
            sentence=f"Always answering “{answer}” would be right in {percent(most / n)}; readers were right in "
            f"{percent(right.share)}, which is {beats} ({p_text(p)} if answers were independent).",
        )
    ]


def _equivalence(section: Section) -> list[Result]:
    """Is the readers' balanced accuracy within chance ± the margin?  The reader is the unit."""
    each = []
    for reader in section.readers:
        cells = confusion([vote for vote in section.votes if vote.reader == reader])
        if cells.synthetic and cells.real:
            each.append(cells.balanced_accuracy)
    if len(each) < 2:
        return []
    mean = simple_mean(np.array(each))
    tested, ends95, ends = mean.test(0.5), mean.interval(), mean.interval(level=0.9)
    if tested is None or ends95 is None or ends is None:
        return []
    out = Result(
        section=section.name,
        question="balanced_accuracy",
        scope=POOLED,
        unit="reader",
        method="one-sample t-test of the readers' balanced accuracy against 0.5",
        statistic=tested[0],
        df=mean.df,
        p=tested[1],
        estimate=mean.estimate,
        ci_low=ends95[0],
        ci_high=ends95[1],
        n=len(each),
        sentence=f"Mean of the readers' balanced accuracy: {percent(mean.estimate)} ({interval(*ends95)}, "
        f"{p_text(tested[1])}); 50 % is guessing, whatever the mix of stimuli.",
    )
    p = mean.equivalence_p(0.5, 0.1)
    same = equivalence_result(
        section.name,
        POOLED,
        unit="reader",
        estimate=mean.estimate,
        ends=ends,
        p=p,
        n=len(each),
        what="Balanced accuracy",
    )
    return [out, same]
