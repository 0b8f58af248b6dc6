"""Simulated studies: the clustered interval covers what it says, the naive one doesn't; plans reach their power."""

import json
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from synthview.cli.main import run
from synthview.errors import WrongRequestError
from synthview.study.statistics.clustered import clustering, crossed_mean, two_way
from synthview.study.statistics.contrast import contrasts
from synthview.study.statistics.data import sections_of
from synthview.study.statistics.pilot import pilot_design
from synthview.study.statistics.planning import Design, plan, power, simulate
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import PUBLISHED, preference_votes

PILOT = Design(pairs=30, readers=12, share=0.6, icc_pair=0.131, icc_reader=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        PILOT,
        Design(30, 12, 0.5, icc_pair=0.131, icc_reader=0.0),
        Design(40, 20, 0.6, icc_pair=0.2, icc_reader=0.1),
        Design(60, 8, 0.55, icc_pair=0.05, icc_reader=0.1),
        Design(25, 25, 0.7, icc_pair=0.15, icc_reader=0.15),
    ],
)
def test_the_clustered_interval_covers_and_the_naive_one_does_not(design: Design) -> None:
    found = power(design, studies=8000, seed=1)
    assert 0.93 <= found.covered.share <= 0.97
    assert found.naive_covered.share < 0.85


@pytest.mark.slow
def test_incomplete_tables_are_covered_too() -> None:
    rng = np.random.default_rng(2)
    design = Design(30, 12, 0.6, icc_pair=0.131, icc_reader=0.05)
    covered = 0
    for votes in simulate(design, 2000, rng):
        votes[rng.random(votes.shape) < 0.3] = np.nan
        ends = crossed_mean(votes).interval()
        covered += ends is not None and ends[0] <= 0.6 <= ends[1]
    assert 0.93 <= covered / 2000 <= 0.98


def test_coverage_in_short() -> None:
    found = power(PILOT, studies=1500, seed=1)
    assert 0.92 <= found.covered.share <= 0.98
    assert found.naive_covered.share < 0.8
    assert found.sentence.startswith("With 30 pairs and 12 readers a true share of 60.0 % is told from 50 % in")


def test_simulated_votes_have_the_wanted_share_and_correlation() -> None:
    votes = simulate(Design(300, 60, 0.5, icc_pair=0.2, icc_reader=0.1), 20, np.random.default_rng(0))
    within_pair = np.mean([found.icc for v in votes if (found := clustering(v, axis=0))])
    within_reader = np.mean([found.icc for v in votes if (found := clustering(v, axis=1))])
    assert votes.mean() == approx(0.5, abs=0.03)
    assert (within_pair, within_reader) == (approx(0.2, abs=0.03), approx(0.1, abs=0.03))


def test_many_tables_at_once_are_the_same_as_one_by_one() -> None:
    votes = simulate(PILOT, 5, np.random.default_rng(0))
    mean, se, df = two_way(votes)
    for i, one in enumerate(votes):
        found = crossed_mean(one)
        assert (found.estimate, found.se, found.df) == approx((mean[i], se[i], df[i]))


def test_the_analysis_of_variance_by_hand() -> None:
    values = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    ms_items, ms_readers, ms_rest = 1 / 6, 1 / 6, 1 / 6  # 2 * var(1, .5, 1); 3 * var(2/3, 1); the rest, 2 degrees
    found = crossed_mean(values)
    assert found.estimate == approx(5 / 6)
    assert found.se**2 == approx((ms_items + ms_readers - ms_rest) / 6)


def test_even_readers_and_items_leave_single_votes_to_vary() -> None:
    """Balanced to the vote: between readers and items nothing varies, and still the share isn't known exactly."""
    values = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    found = crossed_mean(values)
    assert (found.estimate, found.df) == (0.5, 3)
    assert found.se**2 == approx(2.0 / 3 / 8)


def test_a_plan_needs_fewer_pairs_with_more_readers_and_says_where_none_will_do() -> None:
    seen: list[float] = []
    few, many = plan(PILOT, 0.8, readers=(6, 20), most_pairs=300, studies=300, progress=seen.append)
    assert many is not None
    assert many.found.share >= 0.8
    assert few is None or few.design.pairs > many.design.pairs
    assert seen == [0.5, 1.0]
    (hopeless,) = plan(Design(2, 2, 0.55, icc_reader=0.3), 0.9, readers=(3,), most_pairs=50, studies=200)
    assert hopeless is None


def test_the_same_seed_gives_the_same_plan() -> None:
    assert power(PILOT, 400, seed=5) == power(PILOT, 400, seed=5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pairs": 1}, "two of each"),
        ({"share": 1.0}, "between 0 and 1"),
        ({"icc_pair": -0.1}, "can't be simulated"),
        ({"icc_pair": 0.6, "icc_reader": 0.5}, "can't be simulated"),
    ],
)
def test_impossible_designs_are_refused(wrong: dict[str, float], says: str) -> None:
    fields: dict[str, float] = {"pairs": 10, "readers": 5, "share": 0.6, **wrong}
    with pytest.raises(WrongRequestError, match=says):
        Design(**fields)  # type: ignore[arg-type]


def test_a_pilot_gives_the_design() -> None:
    (contrast,) = contrasts(sections_of(preference_votes(PUBLISHED))[0])
    design = pilot_design(contrast)
    assert (design.pairs, design.readers, design.icc_reader) == (30, 12, 0.0)
    assert (design.share, design.icc_pair) == (approx(0.597, abs=5e-4), approx(0.131, abs=5e-4))


def test_the_plan_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_votes(tmp_path / "pilot.csv", preference_votes(PUBLISHED))
    command = ["study", "plan", "--pilot", str(tmp_path / "pilot.csv"), "--readers", "6", "--readers", "12", "--json"]
    assert run(command) == 0
    plans = json.loads(capsys.readouterr().out)
    assert [one["readers"] for one in plans["plans"]] == [6, 12]
    assert plans["icc_pair"] == approx(0.131, abs=5e-4)
    assert plans["plans"][1]["pairs"] < plans["plans"][0]["pairs"]
    assert run(["study", "plan", "--share", "0.6", "--readers", "12", "--icc-pair", "0.05"]) == 0
    assert "is told from 50 % in" in capsys.readouterr().out
    assert run(["study", "plan"]) == 2
    assert "--share" in capsys.readouterr().err
