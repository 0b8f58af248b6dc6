"""Study → Results…: a table of responses, counted and drawn, and counted again whenever the file changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from synthview.errors import SynthviewError
from synthview.gui.background import Background
from synthview.gui.icons import icon
from synthview.gui.labels import caption, heading
from synthview.gui.message_bar import Level, MessageBar
from synthview.gui.results.card import CardView
from synthview.gui.settings import WindowSettings
from synthview.gui.theme import SPACE
from synthview.study.report.cards import Card, cards
from synthview.study.report.plots import Plot
from synthview.study.statistics.analyse import Analysis
from synthview.study.votes import Vote

_WAIT_MS = 400  # a file that is being written changes several times
_FIGURES = {".svg": "SVG drawing (*.svg)", ".png": "PNG picture, 300 dpi (*.png)"}


@dataclass(frozen=True)
class Counted:
    """What came of a table."""

    votes: list[Vote]
    analysis: Analysis
    cards: list[Card]


def count_file(path: Path) -> Counted:
    """Read and count a table; slow, for a thread.

    Raises:
        ResponsesError: the table can't be used.
    """
    from synthview.study.statistics.analyse import analyse
    from synthview.study.votes_csv import read_votes

    votes = read_votes(path)
    analysis = analyse(votes)
    return Counted(votes, analysis, cards(analysis))


class ResultsWindow(QWidget):
    """Results of one table of responses.

    Signals:
        shown: a table was counted and its cards are drawn.
        written: the report's folder, when it is written.
    """

    shown = Signal()
    written = Signal(object)

    def __init__(self, settings: WindowSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Results — synthview")
        self.setProperty("role", "page")
        self.setWindowFlag(Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, parent is not None)
        self.setAcceptDrops(True)
        self.resize(1180, 800)
        self._settings = settings
        self._path: Path | None = None
        self._counted: Counted | None = None
        self._name = ""
        self.background = Background(self)
        self._watcher = QFileSystemWatcher(self)
        self._again = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._again.timeout.connect(self._count)
        self._watcher.fileChanged.connect(lambda _path: self._again.start())
        self._build()

    def _build(self) -> None:
        self.title = heading("No results yet")
        self._state = caption(
            "Open a table of responses (CSV), from a study or from anywhere, or drop it here.", wordWrap=True
        )
        self.open_button = QPushButton(icon("open"), "Open responses…")
        self.open_button.clicked.connect(self.ask_open)
        self.report_button = QPushButton(icon("save"), "Save report…")
        self.report_button.clicked.connect(self.ask_report)
        self.report_button.setEnabled(False)
        top = QHBoxLayout()
        words = QVBoxLayout()
        words.addWidget(self.title)
        words.addWidget(self._state)
        top.addLayout(words, stretch=1)
        top.addWidget(self.open_button)
        top.addWidget(self.report_button)
        self.sections = QListWidget()
        self.sections.setFixedWidth(220)
        self.sections.currentRowChanged.connect(self._show_section)
        self._scroll = QScrollArea(widgetResizable=True)
        self.message = MessageBar(self)
        body = QHBoxLayout()
        body.setSpacing(SPACE[3])
        body.addWidget(self.sections)
        body.addWidget(self._scroll, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        layout.setSpacing(SPACE[2])
        layout.addLayout(top)
        layout.addWidget(self.message)
        layout.addLayout(body, stretch=1)

    # -- counting --

    def ask_open(self) -> None:
        """Ask for a table and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self, "Open responses", self._settings.folder("results"), "Tables (*.csv *.tsv *.txt);;All files (*)"
        )
        if name:
            self._settings.keep_folder("results", Path(name).parent)
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Count a table, and count it again whenever the file changes."""
        if self._watcher.files():
            self._watcher.removePaths(self._watcher.files())
        self._path = path
        if path.is_file():
            self._watcher.addPath(str(path))
        self._count()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file."""
        if len(event.mimeData().urls()) == 1 and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.open(Path(event.mimeData().urls()[0].toLocalFile()))

    def _count(self) -> None:
        path = self._path
        if path is None:
            return
        self._state.setText(f"Counting {path.name}…")
        self.background.run(lambda: count_file(path), lambda counted: self._on_counted(path, counted), self._on_failed)

    def _on_counted(self, path: Path, counted: Counted) -> None:
        if path != self._path:
            return  # another table was opened meanwhile
        if path.is_file() and str(path) not in self._watcher.files():
            self._watcher.addPath(str(path))  # a program that replaces the file makes it a new one
        self._counted = counted
        self.message.hide()
        self.title.setText(path.stem)
        readers = len({vote.reader for vote in counted.votes})
        said = f"{len(counted.votes):,} rows from {readers} readers. Counted again when {path.name} changes."
        self._state.setText(" ".join([said, *counted.analysis.notes]))
        self.report_button.setEnabled(True)
        chosen = self.sections.currentRow()
        self.sections.blockSignals(True)
        self.sections.clear()
        self.sections.addItems([section.name for section in counted.analysis.sections])
        self.sections.blockSignals(False)
        self.sections.setCurrentRow(min(max(chosen, 0), self.sections.count() - 1))
        self.shown.emit()

    def _on_failed(self, error: SynthviewError, details: str) -> None:
        """Say what is wrong; what was shown before stays."""
        self._state.setText("Not counted." if self._counted is None else "Showing what was counted before.")
        self.message.show_message(str(error), Level.BAD, details=details)

    # -- cards --

    def card_views(self) -> list[CardView]:
        """The cards on the screen."""
        page = self._scroll.widget()
        return page.findChildren(CardView) if page else []

    def _show_section(self, row: int) -> None:
        if self._counted is None or row < 0:
            return
        name = self._counted.analysis.sections[row].name
        place = self._scroll.verticalScrollBar().value() if self._name == name else 0
        self._name = name
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, SPACE[2], 0)
        layout.setSpacing(SPACE[2])
        for card in self._counted.cards:
            if card.section == name:
                view = CardView(card)
                view.copy_wanted.connect(self.copy_figure)
                view.save_wanted.connect(self.ask_figure)
                layout.addWidget(view)
        layout.addStretch(1)
        self._scroll.setWidget(page)
        self._scroll.verticalScrollBar().setValue(place)

    # -- figures and report --

    def copy_figure(self, plot: Plot) -> None:
        """Put a figure on the clipboard as it stands in the report."""
        from synthview.study.report.figures import figure_png

        self.background.run(lambda: figure_png(plot), self._on_figure, self._on_failed)

    def _on_figure(self, png: bytes) -> None:
        QGuiApplication.clipboard().setImage(QImage.fromData(png))
        self.message.show_message("The figure is on the clipboard.")

    def ask_figure(self, plot: Plot) -> None:
        """Ask where to save a figure, and save it."""
        start = Path(self._settings.folder("results")) / f"{plot.name}.svg"
        name, chosen = QFileDialog.getSaveFileName(self, "Save figure", str(start), ";;".join(_FIGURES.values()))
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in _FIGURES:
            path = path.with_name(path.name + next(s for s, text in _FIGURES.items() if text == (chosen or text)))
        self.save_figure(plot, path)

    def save_figure(self, plot: Plot, path: Path) -> None:
        """Save a figure as SVG or PNG, by the ending."""
        from synthview.study.report.write import save_figure

        self.background.run(
            lambda: save_figure(plot, path), lambda saved: self.message.show_message(f"Saved {saved}."), self._on_failed
        )

    def ask_report(self) -> None:
        """Ask for a folder and write the report into it."""
        name = QFileDialog.getExistingDirectory(self, "Folder for the report", self._settings.folder("results"))
        if name:
            self.write_report(Path(name))

    def write_report(self, folder: Path) -> None:
        """Write the report of the table shown."""
        from synthview.study.report.facts import StudyFacts
        from synthview.study.report.write import write_report

        counted, path = self._counted, self._path
        if counted is None or path is None:
            return
        self.report_button.setEnabled(False)
        self._state.setText(f"Writing the report into {folder}…")
        self.background.run(
            lambda: write_report(counted.analysis, counted.votes, folder, StudyFacts(path.stem)),
            lambda files: self._on_written(folder, len(files)),
            self._on_report_failed,
        )

    def _on_written(self, folder: Path, files: int) -> None:
        self.report_button.setEnabled(True)
        self._state.setText("")
        self.message.show_message(f"The report and {files - 2} files beside it are in {folder}.")
        self.written.emit(folder)

    def _on_report_failed(self, error: SynthviewError, details: str) -> None:
        self.report_button.setEnabled(True)
        self._on_failed(error, details)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Wait for a file that is being written."""
        self.background.wait()
        super().closeEvent(event)
