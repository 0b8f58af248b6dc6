"""From votes to all results, section by section."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synthview.errors import ResponsesError
from synthview.study.statistics.accuracy import accuracy_results
from synthview.study.statistics.agreement import agreement_results, reliability_results
from synthview.study.statistics.contrast import contrasts
from synthview.study.statistics.data import Section, sections_of
from synthview.study.statistics.differences import difference_results
from synthview.study.statistics.metric_join import Joined, join, join_results
from synthview.study.statistics.metric_table import MetricValue
from synthview.study.statistics.preference import preference_results
from synthview.study.statistics.ranking import ranking_results
from synthview.study.statistics.ratings import rating_results
from synthview.study.statistics.result import POOLED, Result, with_holm
from synthview.study.statistics.roc import roc_results
from synthview.study.statistics.turing import turing_results
from synthview.study.statistics.two_afc import d_prime_results, difficulty_results, side_bias_results
from synthview.study.votes import REAL, Kind, Vote


@dataclass(frozen=True)
class Analysis:
    """A study, counted.

    Attributes:
        sections: the votes that were counted, in order.
        results: every answer, section by section; of a question the plain one first.
        notes: what whoever collected the votes had to say of them (sessions left unfinished, files not imported).
        joined: metrics of the volumes beside the votes on them, where metrics were given.
    """

    sections: tuple[Section, ...]
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()
    joined: tuple[Joined, ...] = ()

    def of(self, section: str, question: str | None = None, scope: str | None = None) -> list[Result]:
        """The results of a section, of one question and scope if given."""
        return [
            result
            for result in self.results
            if result.section == section
            and (question is None or result.question == question)
            and (scope is None or result.scope == scope)
        ]


def analyse(
    votes: Iterable[Vote],
    *,
    exclude_incomplete: bool = False,
    notes: Sequence[str] = (),
    metrics: Sequence[MetricValue] = (),
) -> Analysis:
    """Compute everything that the votes can answer.

    Args:
        votes: the long table.
        exclude_incomplete: leave out readers who answered fewer items of a section than others.
        notes: what is known of the votes beyond the table; it is repeated in the report.
        metrics: of the volumes, to be set against the votes.

    Raises:
        ResponsesError: there is no vote.
    """
    sections = sections_of(votes, exclude_incomplete)
    if not sections:
        raise ResponsesError("There are no responses to analyse")
    results: list[Result] = []
    joined: list[Joined] = []
    for section in sections:
        beside = join(section, preference_part(section), metrics) if metrics else []
        results += with_holm([*section_results(section), *join_results(beside)])
        joined += beside
    said = list(notes)
    if metrics and not joined:
        said.append(
            "No item of the table of metrics has the name of an item that was voted on: nothing could be joined."
        )
    return Analysis(tuple(sections), tuple(results), tuple(said), tuple(joined))


def section_results(section: Section) -> list[Result]:
    """Everything about one section, uncorrected."""
    out = [section.result()]
    if section.votes:
        out += {Kind.TWO_AFC: _two_afc, Kind.TURING: _turing, Kind.RATING: rating_results}[section.kind](section)
        out += [*difficulty_results(section), *agreement_results(section)]
    return [*out, *reliability_results(section)]


def has_truth(vote: Vote) -> bool:
    """Whether a pair has a right answer that was recorded."""
    return vote.correct is not None


def preference_part(section: Section) -> Section:
    """The pairs without a right answer, of two different arms."""
    return section.where(lambda v: not has_truth(v) and v.chosen is not None and v.arm_left != v.arm_right)


def _two_afc(section: Section) -> list[Result]:
    """Pairs with a right answer are counted for accuracy, the others for preference."""
    right, preferred = section.where(has_truth), preference_part(section)
    out: list[Result] = []
    if right.votes:
        out += [*accuracy_results(right), *d_prime_results(right), *difference_results(right)]
    for contrast in contrasts(preferred):
        out += preference_results(contrast)
    out += [*_set_aside(section, len(right.votes) + len(preferred.votes)), *_truth_missing(preferred)]
    return [*out, *ranking_results(preferred), *side_bias_results(section)]


def _set_aside(section: Section, used: int) -> list[Result]:
    same = len(section.votes) - used
    if not same:
        return []
    why = f"{same} votes on two stimuli of the same arm say nothing about preference: only side bias counts them."
    return [Result(section.name, "data", "same arm", "vote", "count", why, n=same, warnings=(why,))]


def _truth_missing(preferred: Section) -> list[Result]:
    real = sum(REAL in (vote.arm_left, vote.arm_right) for vote in preferred.votes)
    if not real:
        return []
    why = f"{real} votes have a real stimulus but no entry in “correct”: taken as preference, not as right or wrong."
    return [Result(preferred.name, "data", "no truth", "vote", "count", why, n=real, warnings=(why,))]


def _turing(section: Section) -> list[Result]:
    judged = section.where(lambda vote: vote.correct is not None)
    out: list[Result] = []
    if judged.votes:
        out += [*accuracy_results(judged), *turing_results(judged), *difference_results(judged)]
    out += roc_results(section)
    if not out:
        why = "There is neither an answer (real or synthetic) nor a rating to count."
        out.append(Result(section.name, "data", POOLED, "vote", "count", why, warnings=(why,)))
    return out
