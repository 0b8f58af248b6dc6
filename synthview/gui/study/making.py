"""The designer's last row: check the arms, make the study, overrule the leak check, read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.gui.labels import caption
from synthview.gui.theme import SPACE
from synthview.jobs.study_process import StudyMade, StudyOrder, StudyProcess

_POLL_MS = 100


class MakingBar(QWidget):
    """Buttons, a passphrase, and a progress bar.

    Signals:
        order_requested: the study's new folder (None to check the arms only) and the passphrase.
        finished: ``StudyMade`` and the folder.
        failed: an error.
        read_requested: the folder of a study that is to be read now.
        overrule_failed: an error.
    """

    order_requested = Signal(object, str)
    finished = Signal(object, object)
    failed = Signal(object)
    read_requested = Signal(object)
    overrule_failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._process: StudyProcess | None = None
        self._order: StudyOrder | None = None
        self._made: Path | None = None
        self._check = QPushButton("Check the arms")
        self._check.setToolTip("Makes or reads every volume, harmonises it, and runs the leak check; keeps nothing")
        self._passphrase = QLineEdit()
        self._passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self._passphrase.setPlaceholderText("passphrase that seals the answers' key")
        self._passphrase.setMinimumWidth(280)
        self._make = QPushButton("Make the study…")
        self._make.setProperty("role", "primary")
        self._cancel = QPushButton("Cancel")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._state = caption(wordWrap=True)
        self._reason = QLineEdit()
        self._reason.setPlaceholderText("why the leak does no harm; this stays in the record")
        self._overrule = QPushButton("Overrule")
        self._read = QPushButton("Read it now")
        self._poll = QTimer(self, interval=_POLL_MS)
        self._lay_out()
        self._connect()
        self._show_state()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        for widget in (self._check, self._passphrase, self._make):
            row.addWidget(widget)
        row.addSpacing(SPACE[2])
        row.addWidget(self._bar, stretch=1)
        row.addWidget(self._cancel)
        row.addWidget(self._state, stretch=1)
        row.addWidget(self._read)
        below = QHBoxLayout()
        below.addWidget(self._reason, stretch=1)
        below.addWidget(self._overrule)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(below)
        layout.addLayout(row)

    def _connect(self) -> None:
        self._check.clicked.connect(lambda: self.order_requested.emit(None, ""))
        self._make.clicked.connect(self._choose_folder)
        self._cancel.clicked.connect(self._on_cancel)
        self._poll.timeout.connect(self._listen)
        self._overrule.clicked.connect(self._on_overrule)
        self._read.clicked.connect(lambda: self.read_requested.emit(self._made))

    def set_ready(self, ready: bool) -> None:
        """Whether the protocol can be made at all."""
        self._check.setEnabled(ready and self._process is None)
        self._make.setEnabled(ready and self._process is None)

    def begin(self, order: StudyOrder) -> None:
        """Make a study, or check its arms."""
        try:
            self._process = StudyProcess(order)
        except OSError as error:
            self.failed.emit(SynthviewError(f"no process could be started ({error}); close some programs"))
            return
        self._order, self._made = order, None
        self._bar.setValue(0)
        self._poll.start()
        self._show_state()

    def close_process(self) -> None:
        """Stop what is under way."""
        self._poll.stop()
        if self._process is not None:
            self._process.close()
            self._process = None

    def _choose_folder(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Where the study is to be made (a new folder)", str(Path.home()))
        if name:
            self.order_requested.emit(Path(name), self._passphrase.text())

    def _on_cancel(self) -> None:
        if self._process is not None:
            self._process.cancel()
            self._state.setText("stopping…")

    def _listen(self) -> None:
        process, order = self._process, self._order
        if process is None or order is None:
            return
        alive = process.alive
        for heard in process.poll():
            if isinstance(heard, float):
                self._bar.setValue(round(1000 * heard))
                continue
            self._end()
            if isinstance(heard, StudyMade):
                self._made = order.out
                self._show_state(blocked=order.out is not None and not heard.leak_passed)
                self.finished.emit(heard, order.out)
            else:
                self.failed.emit(heard)
            return
        if not alive:
            self._end()

    def _end(self) -> None:
        self.close_process()
        self._show_state()

    def _show_state(self, *, blocked: bool = False) -> None:
        busy = self._process is not None
        for widget in (self._bar, self._cancel):
            widget.setVisible(busy)
        for button in (self._check, self._make):
            button.setEnabled(not busy)
        self._state.setText("")
        self._state.setVisible(not busy)
        self._read.setVisible(self._made is not None and not blocked)
        self._reason.setVisible(blocked)
        self._overrule.setVisible(blocked)

    def _on_overrule(self) -> None:
        from synthview.study.study_folder import StudyFolder

        if self._made is None or self._order is None:
            return
        try:
            with StudyFolder.open(self._made) as study:
                study.overrule(self._reason.text(), self._order.passphrase)
        except SynthviewError as error:
            self.overrule_failed.emit(error)
            return
        self._show_state()
        self._state.setText("Overruled; the reason is in the record.")
