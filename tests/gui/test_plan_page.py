"""The planning page: numbers in, pairs and readers out, newest numbers first."""

from pathlib import Path

import pytest

from synthview.gui.results.plan_page import MOST_PAIRS, READERS, PlanPage
from synthview.gui.settings import WindowSettings
from synthview.study.statistics import planning
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import PUBLISHED, preference_votes, two_afc_votes


@pytest.fixture
def page(qtbot):
    page = PlanPage(WindowSettings())
    qtbot.addWidget(page)
    page.show()
    with qtbot.waitSignal(page.planned, timeout=60_000):
        pass
    return page


def pairs(page) -> list[str]:
    return [page.table.item(row, 1).text() for row in range(len(READERS))]


def test_more_readers_need_fewer_pairs(page):
    shown = pairs(page)
    assert shown[0] == f"more than {MOST_PAIRS}"
    numbers = [int(text) for text in shown if text.isdigit()]
    assert len(numbers) >= 3
    assert numbers == sorted(numbers, reverse=True)
    assert "is told from 50 % in" in page.sentence.text()
    page.table.setCurrentCell(0, 0)
    assert page.sentence.text() == "With 3 readers 400 pairs are not enough: more readers are needed."


def test_a_larger_share_needs_fewer(page, qtbot):
    before = pairs(page)[-1]
    with qtbot.waitSignal(page.planned, timeout=60_000):
        page.share.setValue(75)
    assert int(pairs(page)[-1]) < int(before)


def test_the_newest_numbers_win(page, qtbot, monkeypatch):
    seen = []
    real = planning.power

    def counted(design, *args, **kwargs):
        seen.append(design.share)
        return real(design, *args, **kwargs)

    monkeypatch.setattr(planning, "power", counted)
    page.share.setValue(70)
    page._wait.stop()
    page._plan()
    page.share.setValue(80)
    page._wait.stop()
    with qtbot.waitSignal(page.planned, timeout=60_000):
        page._plan()
    page.background.wait()
    assert seen.count(0.7) < seen.count(0.8)
    assert page._found[-1].design.share == 0.8


def test_a_pilot_gives_the_numbers(page, qtbot, tmp_path: Path):
    write_votes(tmp_path / "pilot.csv", preference_votes(PUBLISHED))
    with qtbot.waitSignal(page.planned, timeout=60_000):
        page.take_pilot(tmp_path / "pilot.csv")
    assert (page.share.value(), page.icc_pair.value()) == (59.7, pytest.approx(0.131))
    assert "30 pairs, 12 readers" in page.message.text
    write_votes(tmp_path / "other.csv", two_afc_votes(3, 4))
    page.take_pilot(tmp_path / "other.csv")
    qtbot.waitUntil(lambda: "no generator-against-generator votes" in page.message.text)


def test_what_cant_be_simulated_is_said(page, qtbot):
    page.icc_pair.setValue(0.9)
    page.icc_reader.setValue(0.5)
    qtbot.waitUntil(lambda: "can't be simulated" in page.message.text)
