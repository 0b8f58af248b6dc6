"""How many pairs and readers: a page that simulates whole studies while its numbers change."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from synthview.errors import Cancelled, SynthviewError
from synthview.gui.background import Background
from synthview.gui.icons import icon
from synthview.gui.message_bar import Level, MessageBar
from synthview.gui.settings import WindowSettings
from synthview.gui.theme import SPACE
from synthview.study.statistics.pilot import pilot_of
from synthview.study.statistics.planning import Design, Power, plan

READERS = (3, 4, 6, 8, 10, 12, 16, 20)
MOST_PAIRS = 400
_HEADINGS = ("readers", "pairs", "votes in all", "power")
_WAIT_MS = 400
_HELP = (
    "Whole studies are simulated: every reader votes on every pair, votes on a pair are alike, and so are those of a "
    "reader. Each is tested with readers and pairs as random. Take the correlations from a pilot where you have one."
)


class PlanPage(QWidget):
    """Number of pairs for a wanted power, for several numbers of readers.

    Signals:
        planned: the table is up to date.
    """

    planned = Signal()
    _progressed = Signal(int)  # from the thread

    def __init__(self, settings: WindowSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("How many pairs and readers — synthview")
        self.setProperty("role", "page")
        self.resize(760, 700)
        self._settings = settings
        self.background = Background(self)
        self._stop = threading.Event()
        self._found: list[Power | None] = []
        self._wait = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._wait.timeout.connect(self._plan)
        self._build()
        self._wait.start()

    def _build(self) -> None:
        self.share = _box(60.0, 1.0, 99.0, " %", "The share of votes, or of right answers, to be told from 50 %")
        self.icc_pair = _box(0.10, 0.0, 0.9, "", "0 where votes on a pair are independent")
        self.icc_reader = _box(0.02, 0.0, 0.9, "", "0 where votes of a reader are independent")
        self.power = _box(80.0, 10.0, 99.0, " %", "How often such a study should find it")
        rows = QFormLayout()
        rows.setVerticalSpacing(SPACE[1])
        for text, box in (
            ("Share to be told from 50 %", self.share),
            ("Correlation of votes on the same pair (ICC)", self.icc_pair),
            ("Correlation of votes of the same reader (ICC)", self.icc_reader),
            ("Wanted power", self.power),
        ):
            rows.addRow(text, box)
            box.valueChanged.connect(self._wait.start)
        self.pilot_button = QPushButton(icon("open"), "Take them from a pilot…")
        self.pilot_button.clicked.connect(self.ask_pilot)
        self.message = MessageBar(self)
        self.table = QTableWidget(len(READERS), len(_HEADINGS))
        self.table.setHorizontalHeaderLabels(list(_HEADINGS))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setColumnWidth(1, 160)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.currentCellChanged.connect(self._say)
        self.progress = QProgressBar()
        self.sentence = _text("", "answer")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        layout.setSpacing(SPACE[2])
        layout.addWidget(_text("How many pairs and readers?", "heading"))
        layout.addWidget(_text(_HELP, "caption"))
        layout.addLayout(rows)
        beside = QHBoxLayout()
        beside.addWidget(self.pilot_button)
        beside.addStretch(1)
        layout.addLayout(beside)
        layout.addWidget(self.message)
        layout.addWidget(self.progress)
        layout.addWidget(self.table, stretch=1)
        layout.addWidget(self.sentence)
        self._progressed.connect(self.progress.setValue)

    # -- the pilot --

    def ask_pilot(self) -> None:
        """Ask for the votes of a pilot and take share and correlations from them."""
        name, _ = QFileDialog.getOpenFileName(
            self, "Votes of a pilot", self._settings.folder("results"), "Tables (*.csv *.tsv *.txt);;All files (*)"
        )
        if name:
            self._settings.keep_folder("results", Path(name).parent)
            self.take_pilot(Path(name))

    def take_pilot(self, path: Path) -> None:
        """Take share and correlations from a pilot's votes."""
        self.background.run(lambda: pilot_of(path), lambda design: self._on_pilot(path, design), self._on_failed)

    def _on_pilot(self, path: Path, design: Design) -> None:
        self.share.setValue(100 * design.share)
        self.icc_pair.setValue(design.icc_pair)
        self.icc_reader.setValue(design.icc_reader)
        self.message.show_message(
            f"From {path.name}: {design.pairs} pairs, {design.readers} readers. A pilot's own share is uncertain; "
            "plan for the smallest share that matters."
        )

    # -- the plan --

    def design(self) -> Design:
        """What the numbers say.

        Raises:
            WrongRequestError: they can't be simulated.
        """
        return Design(2, 2, self.share.value() / 100, self.icc_pair.value(), self.icc_reader.value())

    def _plan(self) -> None:
        """Plan anew; what is under way for earlier numbers is stopped."""
        self._stop.set()
        self._stop = stop = threading.Event()
        try:
            design, wanted = self.design(), self.power.value() / 100
        except SynthviewError as error:
            self._on_failed(error, "")
            return
        self.progress.setValue(0)
        self.sentence.setText("Simulating…")

        def progress(fraction: float) -> None:
            if stop.is_set():
                raise Cancelled
            self._progressed.emit(round(100 * fraction))

        def work() -> list[Power | None] | None:
            try:
                return plan(design, wanted, READERS, MOST_PAIRS, progress=progress)
            except Cancelled:
                return None

        self.background.run(work, lambda found: self._on_planned(stop, found), self._on_failed)

    def _on_planned(self, stop: threading.Event, found: list[Power | None] | None) -> None:
        if found is None or stop is not self._stop:
            return
        self._found = found
        for row, (readers, one) in enumerate(zip(READERS, found, strict=True)):
            cells = (str(readers), f"more than {MOST_PAIRS}", "", "")
            if one is not None:
                pairs = one.design.pairs
                cells = (str(readers), str(pairs), f"{pairs * readers:,}", f"{100 * one.found.share:.0f} %")
            for column, text in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.progress.setValue(100)
        enough = next((i for i, one in enumerate(found) if one is not None), 0)
        row = self.table.currentRow()
        if row < 0 or found[row] is None:
            self.table.setCurrentCell(enough, 0)
        self._say()
        self.planned.emit()

    def _say(self, *_: object) -> None:
        row = self.table.currentRow()
        if not self._found or row < 0:
            return
        one = self._found[row]
        few = f"With {READERS[row]} readers {MOST_PAIRS} pairs are not enough: more readers are needed."
        self.sentence.setText(one.sentence if one is not None else few)

    def _on_failed(self, error: SynthviewError, details: str) -> None:
        self.sentence.setText("")
        self.message.show_message(str(error), Level.BAD, details=details)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what is under way."""
        self._stop.set()
        self.background.wait()
        super().closeEvent(event)


def _text(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", role)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _box(value: float, low: float, high: float, unit: str, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(1 if unit else 3)
    box.setSingleStep(1.0 if unit else 0.01)
    box.setSuffix(unit)
    box.setValue(value)
    box.setToolTip(tip)
    box.setFixedWidth(140)
    return box
