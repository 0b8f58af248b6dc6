"""ROC: DeLong by hand and against SciPy, readers and stimuli both random, ranking, ratings, 2AFC difficulty."""

import re
from dataclasses import replace

import numpy as np
import pytest
from pytest import approx
from scipy.stats import mannwhitneyu

from synthview.study.statistics.analyse import analyse
from synthview.study.statistics.proportions import Proportion, d_prime_2afc, d_prime_yes_no
from synthview.study.statistics.result import Result
from synthview.study.statistics.roc import covariance, curve, placements
from synthview.study.votes import REAL, Kind, Side, Vote


def confidence_votes(
    readers: int = 6, stimuli: int = 40, shifts: dict[str, float] | None = None, spread: float = 0.2, seed: int = 0
) -> list[Vote]:
    """Ratings 1-5 from a normal model in which stimuli, readers and single looks all vary."""
    rng = np.random.default_rng(seed)
    votes = []
    shifts = {REAL: 0.0, "A": 1.2, "B": 0.4} if shifts is None else shifts
    skill = rng.normal(1, spread, readers)
    for arm, shift in shifts.items():
        own = rng.normal(size=stimuli)
        for reader in range(readers):
            seen = skill[reader] * shift + 0.7 * own + 0.7 * rng.normal(size=stimuli)
            scores = 1 + np.digitize(seen, (-0.5, 0.2, 0.9, 1.6))
            votes += [
                Vote(f"R{reader}", "ROC", Kind.TURING, f"{arm}{i}", arm, answer=str(s)) for i, s in enumerate(scores)
            ]
    return votes


def find(results: list[Result], question: str, scope: str) -> Result:
    return next(r for r in results if (r.question, r.scope) == (question, scope))


def test_auc_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(1)
    synthetic, real = rng.integers(1, 6, 30).astype(float), rng.integers(1, 5, 20).astype(float)
    found = placements(synthetic, real)
    assert found.auc == approx(mannwhitneyu(synthetic, real).statistic / (30 * 20))
    false, true = curve(synthetic, real)
    assert np.trapezoid(true, false) if hasattr(np, "trapezoid") else np.trapz(true, false) == approx(found.auc)


def test_delong_by_hand() -> None:
    found = placements(np.array([2.0, 3.0, 3.0]), np.array([1.0, 2.0]))
    # V10 = 0.75, 1, 1; V01 = 1, 5/6; var = (1/48)/3 + (1/72)/2
    assert found.auc == approx(11 / 12)
    assert found.variance() == approx(1 / 144 + 1 / 144)
    assert covariance(found, found, same_synthetic=False) == approx(1 / 144)


def test_readers_and_generators_on_the_same_stimuli() -> None:
    results = analyse(confidence_votes()).of("ROC")
    pooled = find(results, "auc", "pooled")
    a, b = find(results, "auc", "arm A"), find(results, "auc", "arm B")
    assert a.estimate is not None
    assert b.estimate is not None
    assert pooled.estimate == approx((a.estimate + b.estimate) / 2)
    difference = find(results, "auc_difference", "A vs B")
    assert difference.estimate == approx(a.estimate - b.estimate)
    assert (difference.p or 1) < 0.05
    single = find(results, "auc", "reader R0")
    assert single.ci_low is not None
    assert single.ci_low < (single.estimate or 0) < (single.ci_high or 0)
    assert find(results, "agreement", "pooled").estimate is not None


def test_a_rating_missing_somewhere_leaves_the_stimulus_out_for_all_and_says_so() -> None:
    votes = confidence_votes()
    votes[0] = replace(votes[0], answer="")
    found = find(analyse(votes).of("ROC"), "auc", "pooled")
    assert found.warnings[0] == "1 stimulus that not every reader rated: left out."


@pytest.mark.slow
def test_the_mean_auc_covers() -> None:
    """Against the mean AUC of very many readers and stimuli, in repeated studies."""
    shifts = {REAL: 0.0, "A": 0.9}
    truth_votes = confidence_votes(60, 600, shifts, seed=99)
    truth = find_auc(truth_votes)
    covered = 0
    for seed in range(300):
        from synthview.study.statistics.data import sections_of
        from synthview.study.statistics.roc import roc_results

        found = find(roc_results(sections_of(confidence_votes(6, 30, shifts, seed=seed))[0]), "auc", "pooled")
        covered += (found.ci_low or 0) <= truth <= (found.ci_high or 1)
    assert covered / 300 > 0.91


def find_auc(votes: list[Vote]) -> float:
    scores = [(v.arm_left == REAL, float(v.answer)) for v in votes]
    by_reader: dict[str, list[tuple[bool, float]]] = {}
    for vote, pair in zip(votes, scores, strict=True):
        by_reader.setdefault(vote.reader, []).append(pair)
    each = [
        placements(np.array([s for real, s in own if not real]), np.array([s for real, s in own if real])).auc
        for own in by_reader.values()
    ]
    return float(np.mean(each))


def test_d_prime() -> None:
    assert d_prime_2afc(Proportion(84, 100)).d_prime == approx(2**0.5 * 0.99446, abs=1e-4)
    found = d_prime_yes_no(Proportion(84, 100), Proportion(16, 100))
    assert (found.d_prime, found.criterion) == (approx(2 * 0.99446, abs=1e-4), approx(0, abs=1e-9))
    perfect = d_prime_yes_no(Proportion(20, 20), Proportion(0, 20))
    assert perfect.corrected
    assert perfect.d_prime == approx(2 * 1.98089, abs=1e-3)  # Φ⁻¹(20.5 / 21)


def test_three_arms_are_ranked() -> None:
    rng = np.random.default_rng(0)
    strength = {"A": 1.0, "B": 0.0, "C": -1.0}
    votes = []
    for a, b in (("A", "B"), ("A", "C"), ("B", "C")):
        for pair in range(20):
            for reader in range(8):
                left, right = (a, b) if rng.random() < 0.5 else (b, a)
                wins = rng.random() < 1 / (1 + np.exp(strength[right] - strength[left]))
                votes.append(
                    Vote(
                        f"R{reader}",
                        "rank",
                        Kind.TWO_AFC,
                        f"{a}{b}{pair}",
                        left,
                        right,
                        Side.LEFT if wins else Side.RIGHT,
                    )
                )
    results = analyse(votes).of("rank")
    for arm, true in strength.items():
        found = find(results, "ranking", f"arm {arm}")
        assert found.ci_low is not None
        assert found.ci_low < true < (found.ci_high or 0)
    assert "A ranks 1 of 3" in find(results, "ranking", "arm A").sentence
    assert find(results, "preference", "A vs C").p_holm is not None


def test_ratings_of_two_arms_are_compared_with_the_reader_as_unit() -> None:
    votes = []
    for reader, offset in enumerate((0, 1, 0, 1, 0)):
        votes += [
            Vote(f"R{reader}", "realism", Kind.RATING, f"a{i}", "A", answer=str(2 + offset + i % 2)) for i in range(6)
        ]
        votes += [
            Vote(f"R{reader}", "realism", Kind.RATING, f"b{i}", "B", answer=str(1 + (i + reader) % 2)) for i in range(6)
        ]
    results = analyse(votes).of("realism")
    difference = find(results, "arm_difference", "pooled")
    assert difference.estimate == approx((2.5 * 3 + 3.5 * 2) / 5 - 1.5)
    assert difference.df == 4
    assert find(results, "rating", "arm B").estimate == approx(1.5)


def test_hard_ones_and_wrong_ones() -> None:
    rng = np.random.default_rng(0)
    votes = []
    for reader in range(8):
        for item in range(30):
            difficulty = int(rng.integers(1, 6))
            right = bool(rng.random() < 0.3 + 0.13 * difficulty)
            votes.append(
                Vote(f"R{reader}", "2AFC", Kind.TWO_AFC, f"p{item}", REAL, "A", correct=right, difficulty=difficulty)
            )
    results = analyse(votes).of("2AFC")
    related = find(results, "difficulty_and_correctness", "pooled")
    assert (related.p or 1) < 0.05
    assert "answers called subtle were more often wrong" in related.sentence
    shares = re.findall(r": ([0-9.]+) %", find(results, "difficulty", "pooled").sentence)
    assert sum(map(float, shares)) == approx(100, abs=0.5)
