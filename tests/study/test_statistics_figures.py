"""Acceptance figures: published, or computed by hand from published tables, to every printed digit."""

import pytest
from pytest import approx

from synthview.study.statistics.analyse import Analysis, analyse
from synthview.study.statistics.result import Result
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes, two_afc_votes


@pytest.fixture(scope="module")
def published() -> Analysis:
    return analyse(preference_votes(PUBLISHED))


@pytest.fixture(scope="module")
def turing() -> Analysis:
    return analyse(turing_votes())


def one(analysis: Analysis, question: str, scope: str = "pooled", method: str = "", unit: str = "") -> Result:
    found = [
        r
        for r in analysis.results
        if r.question == question and r.scope == scope and method in r.method and unit in r.unit
    ]
    assert found, (question, scope, method)
    return found[0]


def test_preference_as_if_votes_were_independent(published: Analysis) -> None:
    chi2, exact = one(published, "preference"), one(published, "preference", method="exact")
    assert (round(chi2.statistic or 0, 2), chi2.df, f"{chi2.p:.2e}") == (13.61, 1, "2.25e-04")
    assert (chi2.estimate, chi2.ci_low, chi2.ci_high) == approx((0.597, 0.546, 0.647), abs=5e-4)
    assert f"{exact.p:.2e}" == "2.65e-04"
    assert one(published, "d_prime").estimate == approx(0.348, abs=5e-4)
    assert chi2.unit == "vote"
    assert "aren't" in chi2.warnings[0]


def test_heterogeneity_is_kept_apart_from_preference(published: Analysis) -> None:
    found = one(published, "heterogeneity")
    assert (round(found.statistic or 0, 2), found.df, f"{found.p:.2e}") == (71.42, 29, "1.93e-05")
    assert "says nothing about which arm" in found.sentence
    alike = analyse(preference_votes([7] * 25 + [8] * 5))
    assert one(alike, "heterogeneity").statistic == approx(1.44, abs=5e-3)
    assert one(alike, "preference").statistic == approx(13.61, abs=5e-3)


def test_preference_allowing_for_clustering(published: Analysis) -> None:
    pair = one(published, "clustered_preference", method="pair-level t")
    assert (pair.statistic, pair.df, pair.p) == approx((2.397, 29, 0.0232), abs=5e-4)
    assert (pair.ci_low, pair.ci_high) == approx((0.514, 0.680), abs=5e-4)
    assert pair.sentence.startswith("Readers preferred A: 59.7 % of votes (95 % interval 51.4 to 68.0 %")
    quasi = one(published, "clustered_preference", method="quasi-binomial")
    assert quasi.df == (1, 29)
    assert (quasi.statistic, quasi.p) == (approx(5.53, abs=5e-3), approx(0.0257, abs=5e-5))
    assert one(published, "dispersion").estimate == approx(2.463, abs=5e-4)
    gee = one(published, "clustered_preference", method="GEE", unit="pair")
    assert gee.ci_low == approx(0.51, abs=0.01)
    assert one(published, "icc", unit="pair").estimate == approx(0.131, abs=5e-4)
    assert one(published, "design_effect", unit="pair").estimate == approx(2.45, abs=5e-3)
    assert round(one(published, "effective_votes", unit="pair").estimate or 0) == 147
    assert one(published, "agreement", method="Fleiss").estimate == approx(0.126, abs=5e-4)


@pytest.mark.parametrize(
    ("reader", "share", "low", "high", "p"),
    [
        ("1", 0.96, 0.865, 0.989, None),
        ("2", 0.26, 0.159, 0.396, 9.4e-4),
        ("3", 0.82, 0.692, 0.902, None),
        ("4", 0.58, 0.442, 0.706, 0.322),
    ],
)
def test_turing_readers(turing: Analysis, reader: str, share: float, low: float, high: float, p: float | None) -> None:
    found = one(turing, "accuracy", f"reader {reader}", "Wilson")
    assert (found.estimate, found.ci_low, found.ci_high) == approx((share, low, high), abs=5.01e-4)
    if p is not None:
        assert found.p == approx(p, rel=0.005)


def test_turing_below_chance_is_said(turing: Analysis) -> None:
    found = one(turing, "accuracy", "reader 2", "Wilson")
    assert found.p_holm == approx(0.0019, abs=5e-5)
    assert "Below chance" in found.warnings[0]
    assert not any("Below chance" in w for w in one(turing, "accuracy", "reader 4").warnings)


def test_turing_pooled_and_between_readers(turing: Analysis) -> None:
    pooled = one(turing, "accuracy", method="Wilson")
    assert (pooled.estimate, pooled.ci_low, pooled.ci_high) == approx((0.655, 0.587, 0.717), abs=5e-4)
    assert f"{pooled.p:.2e}" == "1.39e-05"
    assert any("Readers differ" in warning for warning in pooled.warnings)
    differ = one(turing, "reader_difference", method="chi-square")
    assert (round(differ.statistic or 0, 2), differ.df, f"{differ.p:.1e}") == (62.37, 3, "1.8e-13")
    assert one(turing, "clustered_accuracy", unit="reader", method="one-sample").p == approx(0.386, abs=5e-4)


def test_turing_generators_and_base_rate(turing: Analysis) -> None:
    errors = {scope: one(turing, "errors", f"arm {scope}") for scope in ("A", "B", "real")}
    assert {s: (r.statistic, r.n) for s, r in errors.items()} == {"A": (21, 60), "B": (20, 60), "real": (28, 80)}
    stratified = one(turing, "arm_difference", method="Cochran-Mantel-Haenszel")
    assert (stratified.statistic, stratified.p) == (approx(0.050, abs=5e-4), approx(0.824, abs=5.01e-4))
    base = one(turing, "base_rate")
    assert base.estimate == approx(0.60)
    assert "would score 60.0 %" in base.warnings[0]


def test_all_of_120_correct() -> None:
    found = one(analyse(two_afc_votes(120, 120)), "accuracy", method="Clopper-Pearson")
    assert (found.ci_low, found.ci_high) == (approx(0.9697, abs=5e-5), 1.0)
    d = one(analyse(two_afc_votes(120, 120)), "d_prime")
    assert d.estimate is not None
    assert "log-linear" in d.warnings[0]


def test_side_and_seed_do_not_matter() -> None:
    """The pair-level figures follow from the counts alone."""
    again = analyse(preference_votes(PUBLISHED, seed=3))
    assert one(again, "heterogeneity").statistic == approx(71.42, abs=5e-3)
    assert one(again, "side_bias").p > 0.01  # type: ignore[operator]


def test_the_result_as_json(turing: Analysis) -> None:
    keys = "section question scope unit method statistic df p p_holm estimate ci_low ci_high n warnings sentence"
    assert all(list(result.to_dict()) == keys.split() for result in turing.results)
    assert all(result.sentence and result.method and result.unit for result in turing.results)
