"""The menu Study opens the results and the plan beside the main window, and they go with it."""

import pytest
from PySide6.QtWidgets import QFileDialog

from synthview.gui.main_window import MainWindow
from synthview.gui.results.plan_page import PlanPage
from synthview.gui.results.window import ResultsWindow
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import two_afc_votes


@pytest.fixture
def main(qtbot):
    window = MainWindow()
    qtbot.addWidget(window)
    yield window
    window.shut_down()


def test_results_asks_for_a_table_and_shows_it(main, qtbot, tmp_path, monkeypatch):
    write_votes(tmp_path / "r.csv", two_afc_votes(5, 6))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(tmp_path / "r.csv"), ""))
    main.actions_by_id["study-results"].trigger()
    (window,) = main.findChildren(ResultsWindow)
    qtbot.waitSignal(window.shown, timeout=60_000).wait()
    assert window.isWindow()
    assert window.title.text() == "r"
    window.close()
    qtbot.waitUntil(lambda: not main.findChildren(ResultsWindow))


def test_plan_opens(main, qtbot):
    main.actions_by_id["study-plan"].trigger()
    (page,) = main.findChildren(PlanPage)
    assert page.isVisible()
    page.close()
    qtbot.waitUntil(lambda: not main.findChildren(PlanPage), timeout=60_000)
