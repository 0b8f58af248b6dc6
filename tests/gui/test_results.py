"""The results page: cards in words, warnings above plots, figures to copy and save, counted again on change."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QLabel, QPushButton, QTableWidget

from synthview.gui.results.plots import ResultPlot, likert_colors
from synthview.gui.results.window import ResultsWindow
from synthview.gui.settings import WindowSettings
from synthview.study.report.plots import LIKERT, LikertBars
from synthview.study.votes_csv import write_votes
from tests.study.made_votes import PUBLISHED, preference_votes, turing_votes


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    write_votes(tmp_path / "pilot.csv", [*preference_votes(PUBLISHED[:8]), *turing_votes()])
    return tmp_path / "pilot.csv"


@pytest.fixture
def window(qtbot, responses):
    window = ResultsWindow(WindowSettings())
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.shown, timeout=60_000):
        window.open(responses)
    return window


def test_one_question_per_card_words_first(window):
    assert [window.sections.item(i).text() for i in range(2)] == ["which", "Turing"]
    titles = [view.card.title for view in window.card_views()]
    assert titles[:3] == ["What was counted?", "Do readers prefer A or B?", "Do pairs differ (A or B)?"]
    assert window.card_views()[1].headline.text().startswith("Readers preferred A:")
    window.sections.setCurrentRow(1)
    assert window.card_views()[1].card.title == "Can readers tell real from synthetic?"


def test_warnings_stand_above_the_plot(window):
    window.sections.setCurrentRow(1)
    card = window.card_views()[1]
    plot = card.findChild(ResultPlot)
    warning = next(label for label in card.findChildren(QLabel) if "below chance" in label.text())
    assert warning.mapTo(card, warning.rect().topLeft()).y() < plot.mapTo(card, plot.rect().topLeft()).y()


def test_the_plot_says_its_figures_and_leaves_the_wheel_to_the_page(window):
    window.sections.setCurrentRow(1)
    plot = window.card_views()[1].findChild(ResultPlot)
    told = [spot["data"] for item in plot.items() if hasattr(item, "points") for spot in item.data]
    assert told[0] == "1: 96.0 % (95 % interval 86.5 to 98.9 %)"
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    plot.wheelEvent(event)
    assert not event.isAccepted()


def test_the_fold_holds_every_test_and_copies_rows(window, qtbot):
    card = window.card_views()[1]
    assert card.findChild(QTableWidget) is None
    card.fold.click()
    table = card.findChild(QTableWidget)
    assert table.isVisible()
    assert table.rowCount() == len(card.card.results)
    first = table.visualItemRect(table.item(0, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=first)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "pair-level t-test" in QGuiApplication.clipboard().text()
    card.fold.click()
    assert not table.isVisible()


def test_a_figure_can_be_copied_and_saved(window, qtbot, tmp_path):
    card = window.card_views()[1]
    QGuiApplication.clipboard().clear()
    next(b for b in card.findChildren(QPushButton) if b.text() == "Copy figure").click()
    qtbot.waitUntil(lambda: not QGuiApplication.clipboard().image().isNull(), timeout=30_000)
    assert QGuiApplication.clipboard().image().width() > 1000
    for name in ("figure.svg", "figure.png"):
        window.save_figure(card.card.plots[0], tmp_path / name)
        qtbot.waitUntil(lambda name=name: f"Saved {tmp_path / name}" in window.message.text, timeout=30_000)
        assert (tmp_path / name).stat().st_size > 1000
    window.save_figure(card.card.plots[0], tmp_path / "figure.bmp")
    qtbot.waitUntil(lambda: "saved as .svg or .png" in window.message.text)


def test_counted_again_when_the_file_changes(window, qtbot, responses):
    window.sections.setCurrentRow(1)
    with qtbot.waitSignal(window.shown, timeout=60_000):
        write_votes(responses, [vote for vote in turing_votes() if vote.reader != "2"])
    assert window.sections.count() == 1
    assert "150 answers from 3 readers" in window.card_views()[0].headline.text()
    with qtbot.waitSignal(window.shown, timeout=60_000):
        write_votes(responses, turing_votes())
    assert "200 answers" in window.card_views()[0].headline.text()


def test_a_damaged_table_says_so_and_leaves_what_was_shown(window, qtbot, responses):
    responses.write_text("reader,kind,item,arm_left\nR1,3afc,p,A\n")
    qtbot.waitUntil(lambda: "line 2, kind" in window.message.text, timeout=30_000)
    assert len(window.card_views()) > 2
    window.open(responses.with_name("none.csv"))
    qtbot.waitUntil(lambda: "can't be read" in window.message.text, timeout=30_000)


def test_the_report_is_written(window, qtbot, tmp_path):
    with qtbot.waitSignal(window.written, timeout=120_000):
        window.write_report(tmp_path / "out")
    assert (tmp_path / "out" / "report.pdf").exists()
    assert window.report_button.isEnabled()


def test_likert_colours():
    assert likert_colors(5) == [color.lower() for color in LIKERT]
    assert len(set(likert_colors(7))) == 7


def test_bars_fill_the_row(qtbot):
    plot = ResultPlot(LikertBars("d", "Difficulty", "%", (("all", (0.1, 0.2, 0.3, 0.2, 0.2), 10),)))
    qtbot.addWidget(plot)
    bars = [item for item in plot.getPlotItem().items if hasattr(item, "opts") and "x0" in item.opts]
    assert bars[-1].opts["x0"][0] + bars[-1].opts["width"][0] == pytest.approx(100)
