"""One question of a study's results: the answer in words, warnings, the plot, and a fold with every test."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from synthview.gui.icons import icon
from synthview.gui.results.plots import ResultPlot
from synthview.gui.theme import SPACE, TOKENS
from synthview.study.report.cards import Card
from synthview.study.report.plots import Plot
from synthview.study.report.words import HEADINGS, table_row, unbroken
from synthview.study.statistics.result import Result

_MOST_ROWS_SHOWN = 12


class CardView(QFrame):
    """A card.

    Signals:
        copy_wanted: a ``Plot`` is to be put on the clipboard.
        save_wanted: a ``Plot`` is to be saved.
    """

    copy_wanted = Signal(object)
    save_wanted = Signal(object)

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "result")
        self.card = card
        self._table: QTableWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        self._layout.setSpacing(SPACE[1])
        self._layout.addWidget(_words(card.title, "title"))
        self.headline = _words(unbroken(card.headline), "answer")
        self._layout.addWidget(self.headline)
        for warning in card.warnings:
            self._layout.addWidget(_warning(warning))
        for plot in card.plots:
            self._add_plot(plot)
        if len(card.results) > 1:
            self._add_fold()

    def _add_plot(self, plot: Plot) -> None:
        row = QHBoxLayout()
        row.addStretch(1)
        for text, name, signal in (
            ("Copy figure", "copy", self.copy_wanted),
            ("Save figure…", "save", self.save_wanted),
        ):
            button = QPushButton(icon(name), text)
            button.setProperty("role", "tool")
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit(plot))
            row.addWidget(button)
        self._layout.addSpacing(SPACE[1])
        self._layout.addWidget(ResultPlot(plot))
        self._layout.addLayout(row)

    def _add_fold(self) -> None:
        self._fold_text = f"All tests and figures ({len(self.card.results)})"
        self.fold = QPushButton(f"▸  {self._fold_text}")
        self.fold.setProperty("role", "link")
        self.fold.setCheckable(True)
        self.fold.toggled.connect(self._show_table)
        self._layout.addWidget(self.fold, alignment=Qt.AlignmentFlag.AlignLeft)

    def _show_table(self, shown: bool) -> None:
        """Made when it is first asked for: a study has hundreds of rows."""
        self.fold.setText(f"{'▾' if shown else '▸'}  {self._fold_text}")
        if self._table is None:
            self._table = _table(self.card)
            self._layout.addWidget(self._table)
        self._table.setVisible(shown)


def _words(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _warning(text: str) -> QWidget:
    """A warning: sign and words."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE[1])
    sign = QLabel(pixmap=icon("warning", TOKENS.warn).pixmap(QSize(16, 16)))
    sign.setAccessibleName("Warning")
    layout.addWidget(sign, alignment=Qt.AlignmentFlag.AlignTop)
    layout.addWidget(_words(unbroken(text), "warn"), stretch=1)
    return row


def _table(card: Card) -> QTableWidget:
    """Every test of a card; Ctrl+C copies the chosen rows, tabs between cells."""
    table = _CopyTable(card.results)
    table.setHorizontalHeaderLabels(list(HEADINGS))
    for i, result in enumerate(card.results):
        for j, text in enumerate(table_row(result)):
            cell = QTableWidgetItem(text)
            cell.setToolTip("\n".join([result.sentence, *result.warnings]))
            table.setItem(i, j, cell)
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setWordWrap(False)
    table.resizeColumnsToContents()
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    rows = min(len(card.results), _MOST_ROWS_SHOWN)
    frame = table.horizontalHeader().sizeHint().height() + table.horizontalScrollBar().sizeHint().height() + 4
    table.setFixedHeight(frame + rows * table.rowHeight(0))
    return table


class _CopyTable(QTableWidget):
    def __init__(self, results: tuple[Result, ...]) -> None:
        super().__init__(len(results), len(HEADINGS))
        self.results = results

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy rows as a spreadsheet takes them."""
        if event.matches(QKeySequence.StandardKey.Copy):
            rows = sorted({index.row() for index in self.selectedIndexes()})
            lines = ["\t".join(table_row(self.results[row])) for row in rows]
            QGuiApplication.clipboard().setText("\n".join(lines))
            return
        super().keyPressEvent(event)
