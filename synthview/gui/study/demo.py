"""Makes the demo study while a small window shows how far it is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.gui.labels import caption, heading
from synthview.gui.study.fields import text_box
from synthview.gui.theme import SPACE
from synthview.jobs.study_process import DemoMade, DemoOrder, StudyProcess

if TYPE_CHECKING:
    from synthview.study.scan_list import ScanList

_POLL_MS = 100
_WIDTH = 540
_LICENCE_LINES = 9
_LISTS = "Scan lists (*.yaml *.yml *.json);;All files (*)"


class DemoDialog(QDialog):
    """Offers the demo study: with synthetic volumes, with a folder of real scans too, or with scans to download.

    Signals:
        made: the study's folder and a reader.
    """

    made = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Demo study")
        self._process: StudyProcess | None = None
        self._words = caption(
            "A short study to try the reading screen with; its volumes are made on first use, which takes a minute. "
            "With a folder of real scans of your own, or openly licensed ones that a scan list names, you also tell "
            "real from synthetic.",
            wordWrap=True,
        )
        self._words.setFixedWidth(_WIDTH)
        self._scans: ScanList | None = None
        self._licence = text_box(_LICENCE_LINES)
        self._licence.setReadOnly(True)
        self._licence.setAccessibleName("Scans, licence and citation")
        self._licence.hide()
        self._plain, self._real = QPushButton("Synthetic volumes"), QPushButton("With real scans…")
        self._list, self._agree = QPushButton("Download scans…"), QPushButton("Agree and download")
        self._agree.setProperty("role", "primary")
        self._agree.hide()
        self._plain.setProperty("role", "primary")
        self._plain.setDefault(True)
        self._cancel = QPushButton("Cancel")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._bar.hide()
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self._cancel, self._list, self._real, self._plain, self._agree):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        column.addWidget(heading("Demo study"))
        column.addWidget(self._words)
        column.addWidget(self._licence)
        column.addWidget(self._bar)
        column.addLayout(row)
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._listen)
        self._plain.clicked.connect(lambda: self._begin(DemoOrder()))
        self._real.clicked.connect(self._choose)
        self._list.clicked.connect(self._choose_list)
        self._agree.clicked.connect(lambda: self._begin(DemoOrder(scans=self._scans)))
        self._cancel.clicked.connect(self.close)
        self._plain.setFocus()

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Choose a folder of real scans", str(Path.home()))
        if name:
            self._begin(DemoOrder(Path(name)))

    def _choose_list(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Choose a scan list", str(Path.home()), _LISTS)
        if name:
            self.offer(Path(name))

    def offer(self, path: Path) -> None:
        """Show what a scan list names, and its licence; nothing is downloaded before the user agrees."""
        from synthview.study.demo import demo_scan_list

        try:
            self._scans = demo_scan_list(path)
        except SynthviewError as error:
            self._words.setText(str(error))
            return
        self._words.setText(
            "These scans will be downloaded, checked and kept in synthview's data folder; then the study is made."
        )
        self._licence.setPlainText("\n".join(f"{name}: {value}" for name, value in self._scans.facts().items()))
        self._licence.show()
        for button in (self._list, self._real, self._plain):
            button.hide()
        self._agree.show()
        self._agree.setDefault(True)
        self._cancel.setFocus()  # agreeing takes a decision, not an Enter too many

    def _begin(self, order: DemoOrder) -> None:
        try:
            self._process = StudyProcess(order)
        except OSError as error:
            self._words.setText(f"No process could be started ({error}); close some programs.")
            return
        self._enable(False)
        self._bar.setValue(0)
        self._bar.show()
        self._poll.start()

    def _enable(self, enabled: bool) -> None:
        for button in (self._plain, self._real, self._list, self._agree):
            button.setEnabled(enabled)

    def _listen(self) -> None:
        if self._process is None:
            return
        for heard in self._process.poll():
            if isinstance(heard, float):
                self._bar.setValue(round(1000 * heard))
            elif isinstance(heard, DemoMade):
                self._stop()
                self.made.emit(heard.folder, heard.reader)
                self.accept()
                self.close()
                return
            elif isinstance(heard, SynthviewError):
                self._stop()
                self._words.setText(str(heard))
                self._bar.hide()
                self._enable(True)
                return

    def _stop(self) -> None:
        self._poll.stop()
        if self._process is not None:
            threading.Thread(target=self._process.close, name="study-process-end").start()  # a server may be slow
            self._process = None

    def closeEvent(self, event: QCloseEvent) -> None:
        """What is under way is stopped."""
        self._stop()
        super().closeEvent(event)
