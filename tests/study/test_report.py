"""The report: fit to be sent as it is, with the figures of the study in it."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from synthview.cli.main import run
from synthview.errors import SaveError, WrongRequestError
from synthview.study.report.cards import cards
from synthview.study.report.checklists import checklists
from synthview.study.report.facts import StudyFacts, read_thumbnails
from synthview.study.report.figures import figure_png
from synthview.study.report.methods import methods_text
from synthview.study.report.plots import ForestPlot, LikertBars, PairPlot, RocPlot
from synthview.study.report.tables import imrmc_files
from synthview.study.report.write import file_name, write_report
from synthview.study.statistics.analyse import Analysis, analyse
from synthview.study.votes import Side, Vote
from synthview.study.votes_csv import read_votes, write_votes
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes, two_afc_votes
from tests.study.test_statistics_bad_input import DEGENERATE
from tests.study.test_statistics_roc import confidence_votes


def votes() -> list[Vote]:
    return [*preference_votes(PUBLISHED), *turing_votes(), *confidence_votes(readers=3, stimuli=8)]


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(votes(), notes=["One session was abandoned."])


@pytest.fixture(scope="module")
def written(analysis: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    pixel = figure_png(ForestPlot("n", "t", "a", ()), dpi=20)
    facts = StudyFacts("Which <generator>?", thumbnails={"p1": pixel, "p30": pixel, "p15": pixel})
    write_report(analysis, votes(), out, facts)
    return out


class Balanced(HTMLParser):
    """Checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_needs_nothing_beside_it(written: Path, analysis: Analysis) -> None:
    html = (written / "report.html").read_text("utf-8")
    reader = Balanced()
    reader.feed(html)
    assert reader.open == []
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert "@import" not in html
    assert "Which &lt;generator&gt;?" in html
    text = html.replace("\u00a0", " ")
    assert "Readers preferred A: 59.7 % of votes (95 % interval 51.4 to 68.0 %" in text
    assert "One session was abandoned." in text
    assert html.count("<svg") == sum(len(card.plots) for card in cards(analysis))
    assert html.count('<img src="data:image/png;base64,') == 2  # p15 is neither most nor least preferred


def test_warnings_stand_above_figures(written: Path) -> None:
    html = (written / "report.html").read_text("utf-8")
    turing = html[html.index('id="section-2"') : html.index('id="section-3"')]
    assert turing.index("below chance") < turing.index("<svg")


def test_the_pdf(written: Path) -> None:
    content = (written / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", content)) >= 4


def test_the_tables(written: Path, analysis: Analysis) -> None:
    results = json.loads((written / "results.json").read_text("utf-8"))
    rows = list(csv.DictReader(io.StringIO((written / "results.csv").read_text("utf-8"))))
    assert len(results) == len(rows) == len(analysis.results)
    assert list(rows[0]) == list(results[0])
    assert read_votes(written / "responses.csv") == votes()
    assert not list(written.rglob("*.part"))


def test_figures_are_files_too(written: Path) -> None:
    svgs = sorted(path.stem for path in (written / "figures").glob("*.svg"))
    assert {"which-pairs-a-b", "turing-accuracy-by-reader", "roc-roc"} <= set(svgs)
    assert svgs == sorted(path.stem for path in (written / "figures").glob("*.png"))


def test_what_the_figures_show(analysis: Analysis) -> None:
    plots = {plot.name: plot for card in cards(analysis) for plot in card.plots}
    pairs = plots["pairs-A-B"]
    assert isinstance(pairs, PairPlot)
    assert [row.estimate for row in pairs.rows] == approx([n / 12 for n in PUBLISHED])
    forest = plots["accuracy-by-reader"]
    assert isinstance(forest, ForestPlot)
    assert [(row.label, row.estimate) for row in forest.rows[:2]] == [("1", 0.96), ("2", 0.26)]
    assert forest.rows[-1].emphasised
    roc = plots["roc"]
    assert isinstance(roc, RocPlot)
    assert [len(curve) for curve in roc.curves] == [4] * 3


def test_the_shares_of_difficulty_sum_to_one() -> None:
    scored = [replace(vote, difficulty=1 + i % 5) for i, vote in enumerate(two_afc_votes(6, 10))]
    bars = next(p for card in cards(analyse(scored)) for p in card.plots if isinstance(p, LikertBars))
    assert [sum(shares) for _, shares, _ in bars.rows] == approx([1.0] * len(bars.rows))
    labels = [label for label, _, _ in bars.rows]
    assert labels == ["all", "reader R1", "arm A", "right answers", "wrong answers"]
    assert bars.rows[3][2] == 6


def test_the_headline_is_the_wider_of_two_honest_intervals() -> None:
    """Readers of strong and opposite leanings: the pair-level test alone would be far too sure."""
    rng = np.random.default_rng(0)
    votes = [
        replace(vote, chosen=Side.LEFT if (vote.arm_left == "A") == bool(rng.random() < lean) else Side.RIGHT)
        for vote in preference_votes([6] * 20)
        for lean in [0.95 if int(vote.reader[1:]) <= 8 else 0.1]
    ]
    card = next(card for card in cards(analyse(votes)) if card.title.startswith("Do readers prefer"))
    by_unit = {r.unit: r for r in card.results if r.question == "clustered_preference" and "t-test" in r.method}
    assert (by_unit["pair"].p or 1) < 0.001
    assert (by_unit["reader and pair"].p or 0) > 0.05
    assert card.headline == by_unit["reader and pair"].sentence


def test_every_result_stands_on_a_card(analysis: Analysis) -> None:
    on_cards = [result for card in cards(analysis) for result in card.results]
    missing = [r for r in analysis.results if r not in on_cards and not r.scope.startswith("item ")]
    assert missing == []


def test_the_methods_have_the_real_numbers(analysis: Analysis) -> None:
    text = " ".join(methods_text(analysis, StudyFacts(methods=("Readers were blinded.",))))
    assert text.startswith("Readers were blinded.")
    assert "12 readers gave 360 answers on 30 pairs" in text
    assert "50 stimuli (15 from A, 15 from B and 20 real)" in text
    assert "quasi-binomial" in text
    assert "Bradley" not in text


def test_check_lists_tick_only_what_is_known() -> None:
    claim, grras = checklists({"statistics": "Methods"})
    assert (len(claim.items), len(grras.items)) == (44, 15)
    assert (claim.provided, grras.provided) == (1, 1)


def test_imrmc_input(analysis: Analysis) -> None:
    """Counts and rows as iMRMC reads them: truth of every case once, then every score."""
    lines = imrmc_files(analysis.sections[1])[".imrmc"].splitlines()
    counts = dict(line.split(": ") for line in lines if re.fullmatch(r"N[01RM]: \d+", line))
    assert counts == {"N0": "20", "N1": "30", "NR": "4", "NM": "2"}
    rows = [tuple(map(float, line.split(","))) for line in lines[lines.index("BEGIN DATA:") + 1 :]]
    truth = {case: score for reader, case, modality, score in rows if (reader, modality) == (-1, 0)}
    assert (len(truth), sum(truth.values())) == (50, 30)
    scores = [row for row in rows if row[0] != -1]
    assert len(scores) == 4 * (15 + 20) + 4 * (15 + 20)
    assert {row[2] for row in scores} == {1, 2}
    errors = sum(score != truth[case] for _, case, modality, score in scores if modality == 1)
    assert errors == 21 + 28
    assert imrmc_files(analysis.sections[0]) == {}


@pytest.mark.parametrize(
    "case", ["one vote", "all for one arm", "Turing, synthetic only", "ROC, all ties", "one rating"]
)
def test_degenerate_studies_have_a_report_too(case: str, tmp_path: Path) -> None:
    made = analyse(DEGENERATE[case])
    files = write_report(made, DEGENERATE[case], tmp_path)
    assert files[0].name == "report.html"
    assert not re.search(r"\bnan\b", files[0].read_text("utf-8"))


def test_file_names() -> None:
    assert file_name("Which is more real? ") == "which-is-more-real"
    assert file_name("???") == "section"


def test_the_command_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_votes(tmp_path / "r.csv", preference_votes(PUBLISHED[:6], readers=12))
    assert (
        run(["study", "analyse", str(tmp_path / "r.csv"), "--out", str(tmp_path / "out"), "--title", "Six pairs"]) == 0
    )
    assert str(tmp_path / "out" / "report.html") in capsys.readouterr().out
    assert "<h1>Six pairs</h1>" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = analyse(two_afc_votes(1, 2))
    with pytest.raises(SaveError, match="choose another folder"):
        write_report(made, two_afc_votes(1, 2), tmp_path / "file")


def test_thumbnails_are_pictures(tmp_path: Path) -> None:
    (tmp_path / "p1.png").write_bytes(b"no picture")
    with pytest.raises(WrongRequestError, match=r"p1\.png is not a PNG"):
        read_thumbnails(tmp_path)
    with pytest.raises(WrongRequestError, match="not a folder"):
        read_thumbnails(tmp_path / "none")
