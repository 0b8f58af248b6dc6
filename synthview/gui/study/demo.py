"""Makes the demo study while a small window shows how far it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.gui.study.fields import caption, heading
from synthview.gui.theme import SPACE
from synthview.jobs.study_process import DemoMade, DemoOrder, StudyProcess

_POLL_MS = 100


class DemoDialog(QDialog):
    """Offers the demo study, with synthetic volumes or with a folder of real scans too.

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
            "With a folder of real scans of your own, you also tell real from synthetic."
        )
        self._words.setFixedWidth(460)
        self._plain, self._real = QPushButton("Synthetic volumes"), QPushButton("With real scans…")
        self._plain.setProperty("role", "primary")
        self._plain.setDefault(True)
        self._cancel = QPushButton("Cancel")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._bar.hide()
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self._cancel, self._real, self._plain):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        column.addWidget(heading("Demo study"))
        column.addWidget(self._words)
        column.addWidget(self._bar)
        column.addLayout(row)
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._listen)
        self._plain.clicked.connect(lambda: self._begin(None))
        self._real.clicked.connect(self._choose)
        self._cancel.clicked.connect(self.close)
        self._plain.setFocus()

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Choose a folder of real scans", str(Path.home()))
        if name:
            self._begin(Path(name))

    def _begin(self, real: Path | None) -> None:
        try:
            self._process = StudyProcess(DemoOrder(real))
        except OSError as error:
            self._words.setText(f"No process could be started ({error}); close some programs.")
            return
        self._plain.setEnabled(False)
        self._real.setEnabled(False)
        self._bar.show()
        self._poll.start()

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
                self._plain.setEnabled(True)
                self._real.setEnabled(True)
                return

    def _stop(self) -> None:
        self._poll.stop()
        if self._process is not None:
            self._process.close()
            self._process = None

    def closeEvent(self, event: QCloseEvent) -> None:
        """What is under way is stopped."""
        self._stop()
        super().closeEvent(event)
