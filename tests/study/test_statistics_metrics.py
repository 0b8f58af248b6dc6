"""Metrics of volumes, joined to the votes on them."""

import csv
import io
from pathlib import Path

import pytest
from pytest import approx
from scipy.stats import spearmanr

from synthview.cli.main import run
from synthview.errors import ResponsesError
from synthview.study.report.tables import joined_csv
from synthview.study.statistics.analyse import analyse
from synthview.study.statistics.metric_table import MetricValue, read_metrics
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes


def called_synthetic(item: str) -> float:
    votes = [vote for vote in turing_votes() if vote.item == item]
    return sum(vote.answer == "synthetic" for vote in votes) / len(votes)


def test_turing_votes_against_a_metric() -> None:
    items = sorted({vote.item for vote in turing_votes()})
    metrics = [MetricValue(item, "", "FID", called_synthetic(item) + 0.01 * i) for i, item in enumerate(items)]
    analysis = analyse(turing_votes(), metrics=metrics)
    found = analysis.of("Turing", "metric_correlation", "metric FID")[0]
    rho = spearmanr([m.value for m in metrics], [called_synthetic(m.item) for m in metrics])
    assert (found.estimate, found.p) == (approx(rho.statistic), approx(rho.pvalue))
    assert found.ci_low is not None
    assert found.ci_low < found.estimate < 1  # type: ignore[operator]
    assert "difference between arms alone" in found.warnings[0]
    within = analysis.of("Turing", "metric_correlation", "metric FID, arm A")[0]
    assert within.n == 15
    rows = list(csv.DictReader(io.StringIO(joined_csv(analysis.joined))))
    assert len(rows) == 50
    assert {row["what"] for row in rows} == {"share called synthetic"}


def test_preference_goes_with_the_difference() -> None:
    metrics = [MetricValue(f"p{i}", "A", "sharpness", wins * 2.0) for i, wins in enumerate(PUBLISHED, start=1)]
    metrics += [MetricValue(f"p{i}", "B", "sharpness", 1.0) for i in range(1, 30)]  # p30 has no B
    found = analyse(preference_votes(PUBLISHED), metrics=metrics).of("which", "metric_correlation")[0]
    assert (found.estimate, found.n) == (approx(1.0), 29)
    assert "share of votes for A" in found.sentence


def test_nothing_to_join_is_said() -> None:
    analysis = analyse(turing_votes(), metrics=[MetricValue("elsewhere", "", "FID", 1.0)])
    assert "nothing could be joined" in analysis.notes[0]
    few = analyse(turing_votes(), metrics=[MetricValue("A1", "", "FID", 1.0)])
    assert "no correlation can be given" in few.of("Turing", "metric_correlation")[0].sentence


def test_tables_of_either_form(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("file,arm,note,MMD,SSIM\n/x/p1.nii.gz,A,fine,1.5,\np2,B,,2,0.5\n")
    wide = read_metrics(tmp_path / "wide.csv")
    assert wide == [
        MetricValue("p1", "A", "MMD", 1.5),
        MetricValue("p2", "B", "MMD", 2),
        MetricValue("p2", "B", "SSIM", 0.5),
    ]
    (tmp_path / "long.csv").write_text("item;metric;value\np1;MMD;1.5\n")
    assert read_metrics(tmp_path / "long.csv") == [MetricValue("p1", "", "MMD", 1.5)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "names none of the columns"),
        ("item,note\np1,fine\n", "holds no metric"),
        ("item,FID\np1,3\np2,high\n", "line 3, FID: 'high' is not a number"),
    ],
)
def test_wrong_tables_are_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ResponsesError, match=says):
        read_metrics(tmp_path / "m.csv")


def test_the_command_takes_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_votes(tmp_path / "r.csv", turing_votes())
    lines = [f"{item},{called_synthetic(item)}" for item in sorted({vote.item for vote in turing_votes()})]
    (tmp_path / "m.csv").write_text("\n".join(["item,FID", *lines]))
    assert run(["study", "analyse", str(tmp_path / "r.csv"), "--metrics", str(tmp_path / "m.csv")]) == 0
    assert "Metric FID goes with the share called synthetic: ρ = 1.00" in capsys.readouterr().out
