"""What a published summary was made from."""

import json

import pytest
from pytest import approx

from synthview.cli.main import run
from synthview.errors import WrongRequestError
from synthview.study.statistics.summary import Summary, explain


def test_the_published_pair_of_figures_is_the_heterogeneity_test(capsys: pytest.CaptureFixture[str]) -> None:
    command = "study explain-summary --votes 215 145 --pairs 30 --readers 12 --sd 2.66 --chi2 71.42 --p 1.93e-05 --json"
    assert run(command.split()) == 0
    results = json.loads(capsys.readouterr().out)
    made = [r for r in results if r["question"] == "construction"]
    assert [(r["method"], r["df"]) for r in made] == [("χ² of the pairs × 2 table", 29)]
    assert "heterogeneity" in made[0]["sentence"]
    assert "29 degrees of freedom" in made[0]["sentence"]
    assert "no evidence that one arm is preferred" in made[0]["warnings"][0]
    preference = [r for r in results if r["question"] == "preference"]
    assert (preference[0]["statistic"], preference[0]["p"]) == (approx(13.61, abs=5e-3), approx(2.25e-4, abs=5e-7))
    assert preference[1]["p"] == approx(2.65e-4, abs=5e-7)
    pair = next(r for r in results if r["question"] == "clustered_preference")
    assert (pair["df"], pair["p"]) == (29, approx(0.0232, abs=5e-4))


def test_other_constructions_are_told_apart() -> None:
    def name(**reported: float) -> list[str]:
        made = explain(Summary((215, 145), 30, 12, sd=2.66, **reported))
        return [r.method for r in made if r.question == "construction"]

    assert name(chi2=13.61, p=2.25e-4) == ["goodness of fit of the two totals"]
    assert name(chi2=13.23) == ["goodness of fit of the two totals, with continuity correction"]
    assert name(p=2.25e-4) == ["goodness of fit of the two totals"]
    assert name(chi2=50.0, p=0.5) == ["none of those tried"]
    assert name() == []


def test_degrees_of_freedom_speak_without_the_spread() -> None:
    made = explain(Summary((215, 145), 30, 12, chi2=71.42, p=1.93e-5))
    freedom = next(r for r in made if r.question == "degrees_of_freedom")
    assert freedom.df == 29
    assert "30 pairs" in freedom.sentence
    misprinted = explain(Summary((215, 145), 30, 12, chi2=3.0, p=1e-9))
    assert any("misprinted" in r.sentence for r in misprinted)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"votes": (215, 245)}, "are 460 votes, more than"),
        ({"votes": (0, 0)}, "needs two counts"),
        ({"votes": (-1, 5)}, "needs two counts"),
        ({"pairs": 0}, "at least 1"),
        ({"sd": -1.0}, "--sd"),
        ({"sd": 13.0}, "no SD is larger"),
        ({"chi2": float("nan")}, "--chi2"),
        ({"p": 1.2}, "between 0 and 1"),
    ],
)
def test_impossible_summaries_are_refused(changed: dict[str, object], says: str) -> None:
    given: dict[str, object] = {"votes": (215, 145), "pairs": 30, "readers": 12, **changed}
    with pytest.raises(WrongRequestError, match=says):
        Summary(**given)  # type: ignore[arg-type]


def test_edges_give_words() -> None:
    for summary in (
        Summary((10, 0), 1, 10, sd=0.0, chi2=10.0),
        Summary((10, 0), 5, 2, sd=0.0, p=0.5),
        Summary((1, 0), 1, 1),
    ):
        assert all(r.sentence for r in explain(summary))
