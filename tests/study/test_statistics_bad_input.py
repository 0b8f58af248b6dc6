"""What can be wrong with votes is said; nothing crashes, and no figure is left undefined without a word."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pytest import approx
from statsmodels.stats.multitest import multipletests

from synthview.errors import ResponsesError
from synthview.study.statistics.analyse import Analysis, analyse
from synthview.study.statistics.data import natural, sections_of
from synthview.study.statistics.result import holm
from synthview.study.votes import REAL, Kind, Side, Vote
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes, two_afc_votes


def all_words(analysis: Analysis) -> str:
    return " ".join(word for r in analysis.results for word in (r.sentence, *r.warnings))


def check(votes: list[Vote]) -> Analysis:
    """Analyse; every figure is a number or absent with a reason."""
    analysis = analyse(votes)
    for result in analysis.results:
        for value in (result.statistic, result.p, result.estimate, result.ci_low, result.ci_high):
            assert value is None or math.isfinite(value)
        assert "nan" not in result.sentence.lower().split()
        assert not any("None" in text for text in (result.sentence, *result.warnings))
        assert (result.ci_low is None) == (result.ci_high is None)
        if result.ci_low is not None and result.estimate is not None and result.ci_high is not None:
            assert result.ci_low - 1e-9 <= result.estimate <= result.ci_high + 1e-9
    return analysis


DEGENERATE = {
    "one vote": two_afc_votes(1, 1),
    "one reader": [v for v in preference_votes(PUBLISHED) if v.reader == "R1"],
    "one pair": [v for v in preference_votes(PUBLISHED) if v.item == "p5"],
    "all for one side": [replace(v, chosen=Side.LEFT) for v in preference_votes(PUBLISHED[:6])],
    "all for one arm": preference_votes([12] * 5),
    "tie": preference_votes([6] * 4),
    "all right, several readers": [v for r in "abc" for v in two_afc_votes(10, 10, r)],
    "all wrong": [v for r in "ab" for v in two_afc_votes(0, 10, r)],
    "two readers, one item": [v for r in "ab" for v in two_afc_votes(1, 1, r)],
    "Turing, one reader": [v for v in turing_votes() if v.reader == "2"],
    "Turing, real only": [v for v in turing_votes() if v.arm_left == REAL],
    "Turing, synthetic only": [v for v in turing_votes() if v.arm_left != REAL],
    "Turing, always synthetic": [replace(v, answer="synthetic", correct=v.arm_left != REAL) for v in turing_votes()],
    "Turing, all right": [replace(v, answer="real" if v.arm_left == REAL else "synthetic", correct=True)
                          for v in turing_votes()],
    "Turing, nobody can tell": [replace(v, answer="can't tell", correct=None) for v in turing_votes()],
    "Turing, truth not said": [replace(v, correct=None) for v in turing_votes()],
    "ROC, all ties": [replace(v, answer="3", correct=None) for v in turing_votes()],
    "ROC, one reader": [replace(v, answer=str(1 + i % 5), correct=None) for i, v in enumerate(turing_votes()[:50])],
    "ROC, perfect": [replace(v, answer="1" if v.arm_left == REAL else "5", correct=None) for v in turing_votes()],
    "ROC, no real": [replace(v, answer="3", correct=None) for v in turing_votes() if v.arm_left != REAL],
    "ratings all the same": [replace(v, kind=Kind.RATING, answer="3", correct=None) for v in turing_votes()],
    "one rating": [Vote("R1", "q", Kind.RATING, "s1", "A", answer="3")],
    "no answers": [replace(v, chosen=None) for v in preference_votes([6, 6])],
    "same arm twice": [Vote("R1", "which", Kind.TWO_AFC, "p1", "A", "A", Side.LEFT)],
    "three arms, one wins all": [
        Vote(r, "rank", Kind.TWO_AFC, f"{a}{b}", a, b, Side.LEFT) for r in "xy" for a, b in ("AB", "AC", "BC")
    ],
}  # fmt: skip


@cache
def checked(case: str) -> Analysis:
    return check(DEGENERATE[case])


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_data_are_answered_in_words(case: str) -> None:
    checked(case)


def test_what_is_said() -> None:
    def said(case: str) -> str:
        return all_words(checked(case))

    assert "Only one reader: nothing can be said about other readers." in said("one reader")
    assert "Only one pair: nothing can be said about others." in said("one pair")
    assert "can't be tested: only one pair" in said("one pair")
    assert "votes are for the left side: perhaps nobody looked" in said("all for one side")
    assert "all votes are on one side" in said("all for one arm")
    assert "Below chance" in said("all wrong")
    assert "Only synthetic stimuli were shown" in said("Turing, synthetic only")
    assert "strengths would be infinite" in said("three arms, one wins all")
    assert "No ROC: ratings of both" in said("ROC, no real")
    assert "say nothing about preference" in said("same arm twice")


def test_missing_answers_are_counted() -> None:
    votes = preference_votes(PUBLISHED)
    votes[3] = replace(votes[3], chosen=None)
    votes[17] = replace(votes[17], chosen=None)
    data = check(votes).of("which", "data")[0]
    assert data.n == 358
    assert "2 questions without an answer: left out. Readers: R4 (1) and R6 (1)." in data.warnings


def test_an_abandoned_session_is_counted_or_left_out_as_asked() -> None:
    votes = [v for v in preference_votes(PUBLISHED) if v.reader != "R3" or int(v.item[1:]) <= 7]
    kept, left_out = analyse(votes), analyse(votes, exclude_incomplete=True)
    assert kept.of("which", "data")[0].n == 337
    assert "R3 (7 of 30); the answers that they gave are counted." in kept.of("which", "data")[0].warnings[0]
    assert left_out.of("which", "data")[0].n == 330
    assert "left out, as asked" in left_out.of("which", "data")[0].warnings[0]
    check(votes)


def test_a_repeated_import_counts_once() -> None:
    timed = [replace(v, response_time_ms=1000.0 + i) for i, v in enumerate(preference_votes(PUBLISHED[:5]))]
    for votes in (timed + timed[:20], preference_votes(PUBLISHED[:5]) * 2):
        data = check(votes).of("which", "data")[0]
        assert data.n == 60
        assert "came twice" in data.warnings[0]


def test_questions_asked_again_measure_the_reader() -> None:
    votes = turing_votes()
    again = [replace(v, response_time_ms=5.0) for v in votes if v.reader == "1" and v.arm_left == "A"]
    changed = replace(
        again[0], answer="synthetic" if again[0].answer == "real" else "real", correct=not again[0].correct
    )
    analysis = check([*votes, changed, *again[1:]])
    assert analysis.of("Turing", "data")[0].n == 200
    (pooled, reader) = analysis.of("Turing", "reliability")
    assert (pooled.scope, reader.scope, pooled.n) == ("pooled", "reader 1", 15)
    assert "The same answer in 93.3 % of 15" in pooled.sentence


def test_an_item_name_used_for_two_things_is_told_apart() -> None:
    votes = [replace(v, item=v.item.lstrip("ABreal")) for v in turing_votes()]
    analysis = check(votes)
    assert len(analysis.sections[0].items) == 50
    assert "stand for different arms" in analysis.of("Turing", "data")[0].warnings[0]


def test_cant_tell_is_left_out_and_said() -> None:
    votes = turing_votes()
    votes[0] = replace(votes[0], answer="can't tell", correct=None)
    analysis = check(votes)
    assert analysis.of("Turing", "accuracy", "pooled")[0].n == 199
    assert any("can't tell" in warning for warning in analysis.of("Turing", "data")[0].warnings)


def test_a_section_of_two_kinds_is_split() -> None:
    votes = [replace(v, section="all") for v in (*turing_votes(), *two_afc_votes(7, 10))]
    assert [s.name for s in sections_of(votes)] == ["all (turing)", "all (2afc)"]


def test_names_sort_as_people_count() -> None:
    assert sorted(["R10", "R2", "Rx", "9"], key=natural) == ["9", "R2", "R10", "Rx"]


def test_a_pair_of_zero_cells() -> None:
    votes = [v for v in turing_votes() if v.arm_left == REAL]
    votes += [replace(v, answer="synthetic", correct=True) for v in turing_votes() if v.arm_left == "A"]
    votes += [v for v in turing_votes() if v.arm_left == "B"]
    stratified = next(r for r in check(votes).of("Turing", "arm_difference") if "Mantel" in r.method)
    assert stratified.estimate is None
    assert any("A cell is zero" in warning for warning in stratified.warnings)
    assert stratified.p == approx(stratified.p)


def test_holm_counts_readers_apart_from_items() -> None:
    votes = [replace(v, item=f"{v.item}{a}", arm_left=v.arm_left + a, arm_right=v.arm_right + a)
             for a in "xy" for v in preference_votes(PUBLISHED[:6])]  # fmt: skip
    results = analyse(votes).of("which", "preference")
    readers = [r for r in results if r.scope == "reader R1, Ax vs Bx"]
    assert readers[0].p_holm == approx(min(1.0, (readers[0].p or 0) * 24), rel=0.999)
    assert len([r for r in results if r.scope.startswith("item ")]) == 12


def test_holm_is_statsmodels() -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).random(9) ** 3
        assert holm(values.tolist()) == approx(multipletests(values, method="holm")[1])


def test_nothing_at_all() -> None:
    with pytest.raises(ResponsesError, match="no responses"):
        analyse([])
