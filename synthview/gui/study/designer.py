"""The designer: a form at the left, at the right what it comes to, and below what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from synthview.errors import ProtocolError, SynthviewError
from synthview.gui.labels import heading
from synthview.gui.message_bar import Level, MessageBar
from synthview.gui.study.about_form import AboutForm
from synthview.gui.study.arms_form import ArmsForm
from synthview.gui.study.fields import Entries
from synthview.gui.study.harmonise_form import HarmoniseForm
from synthview.gui.study.making import MakingBar
from synthview.gui.study.outlook import outlook, schedule_preview
from synthview.gui.study.sections_form import SectionsForm
from synthview.gui.study.templates import NAMES, template
from synthview.gui.theme import SPACE
from synthview.jobs.study_process import StudyMade, StudyOrder
from synthview.study.protocol import Protocol
from synthview.volume.nifti import write_atomically

_SETTLE_MS = 300
_PROTOCOLS = "Protocols (*.yaml *.yml *.json);;All files (*)"


class Designer(QWidget):
    """Makes protocols, and studies from them.

    Attributes:
        path: the protocol's file; None while it has none.

    Signals:
        study_made: the folder of a study that readers may begin.
        read_requested: the folder of a study that is to be read now.
    """

    study_made = Signal(object)
    read_requested = Signal(object)

    def __init__(self, path: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("New study — synthview")
        self.resize(QSize(1240, 820).boundedTo(self.screen().availableSize() * 0.9))  # and the frame around it
        self.path: Path | None = None
        self._entries: Entries = {}
        self._saved: Entries = {}
        self._about, self._arms = AboutForm(), ArmsForm()
        self._sections, self._harmonise = SectionsForm(), HarmoniseForm()
        self.message = MessageBar()
        self.making = MakingBar()
        self._start = QComboBox()
        self._start.addItem("Start from…")
        self._start.addItems(NAMES)
        self._summary, self._schedule, self._text = _pane(), _pane(), QPlainTextEdit()
        self._apply = QPushButton("Take over the text")
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._lay_out()
        self._connect()
        self.show_protocol(template(NAMES[0]))
        if path is not None:
            self.open(path)

    # -- what it looks like --

    def _lay_out(self) -> None:
        inside = QWidget()
        forms = QVBoxLayout(inside)
        forms.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        forms.setSpacing(SPACE[2])
        for title, part in (
            ("Study", self._about),
            ("Arms: where the volumes come from", self._arms),
            ("Parts: what is asked", self._sections),
            ("Harmonisation", self._harmonise),
        ):
            forms.addWidget(heading(title))
            forms.addWidget(part)
            forms.addSpacing(SPACE[2])
        forms.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(inside)
        scroll.setMinimumWidth(560)
        self._tabs = QTabWidget()
        self._tabs.addTab(self._summary, "Outlook")
        self._tabs.addTab(self._schedule, "Order")
        text = QWidget()
        column = QVBoxLayout(text)
        column.addWidget(self._text)
        column.addWidget(self._apply, alignment=Qt.AlignmentFlag.AlignRight)
        self._tabs.addTab(text, "Protocol file")
        splitter = QSplitter()
        splitter.addWidget(scroll)
        splitter.addWidget(self._tabs)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([740, 480])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        layout.addLayout(self._top_row())
        layout.addWidget(self.message)
        layout.addWidget(splitter, stretch=1)
        layout.addWidget(self.making)

    def _top_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._start)
        for words, slot in (("Open…", self._choose_to_open), ("Save", self.save), ("Save as…", self._save_as)):
            button = QPushButton(words)
            button.clicked.connect(slot)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _connect(self) -> None:
        for part in (self._about, self._arms, self._sections, self._harmonise):
            part.edited.connect(self._settle.start)
        self._settle.timeout.connect(self._on_settled)
        self._start.activated.connect(self._on_template)
        self._apply.clicked.connect(self._take_text)
        self.making.order_requested.connect(self._on_order)
        self.making.finished.connect(self._on_made)
        self.making.failed.connect(lambda error: self.message.show_message(str(error), Level.BAD))
        self.making.read_requested.connect(self.read_requested)
        self.making.overrule_failed.connect(lambda error: self.message.show_message(str(error), Level.BAD))

    # -- the protocol --

    def entries(self) -> Entries:
        """The protocol as the forms say it; what they don't show is kept."""
        entries = dict(self._entries)
        self._about.write(entries)
        entries["arms"] = self._arms.entries()
        entries["sections"] = self._sections.entries()
        harmonisation = self._harmonise.entries()
        if harmonisation:
            entries["harmonisation"] = harmonisation
        else:
            entries.pop("harmonisation", None)
        return entries

    def protocol(self) -> Protocol:
        """The protocol, checked.

        Raises:
            ProtocolError: names the field.
        """
        return Protocol.from_dict(self.entries(), str(self.path.name) if self.path else "the protocol")

    def show_protocol(self, entries: Entries) -> None:
        """Show a protocol in the forms."""
        self._entries = dict(entries)
        self._about.show_entries(entries)
        self._arms.show_entries(entries.get("arms", {}))
        self._sections.show_entries(list(entries.get("sections", ())))
        self._harmonise.show_entries(entries.get("harmonisation", {}))
        self._saved = self.entries()
        self._on_settled()

    def open(self, path: Path) -> None:
        """Open a protocol's file; a sentence says what is wrong with it."""
        try:
            entries = Protocol.load(path).to_dict()
        except ProtocolError as error:
            self.message.show_message(str(error), Level.BAD)
            return
        self.path = path
        self.message.clear()
        self.show_protocol(_readable(entries))
        self.setWindowTitle(f"{path.name} — synthview")

    def save(self) -> bool:
        """Write the protocol's file, asking for its name where it has none; whether it was written."""
        return self._save_as() if self.path is None else self._write(self.path)

    def _save_as(self) -> bool:
        start = str(self.path or Path.home() / "study.yaml")
        name, _ = QFileDialog.getSaveFileName(self, "Save the protocol", start, _PROTOCOLS)
        if not name:
            return False
        return self._write(Path(name) if Path(name).suffix else Path(name + ".yaml"))

    def _write(self, path: Path) -> bool:
        try:
            write_atomically(path, self.protocol().to_yaml().encode())
        except SynthviewError as error:
            self.message.show_message(str(error), Level.BAD)
            return False
        self.path, self._saved = path, self.entries()
        self.setWindowTitle(f"{path.name} — synthview")
        self.message.show_message(f"Saved {path}.")
        return True

    def _choose_to_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a protocol", str(self.path or Path.home()), _PROTOCOLS)
        if name:
            self.open(Path(name))

    def _on_template(self, index: int) -> None:
        if index > 0:
            self.path = None
            self.setWindowTitle("New study — synthview")
            self.show_protocol(template(NAMES[index - 1]))
            self._start.setCurrentIndex(0)

    def _take_text(self) -> None:
        try:
            entries = Protocol.parse(self._text.toPlainText()).to_dict()
        except ProtocolError as error:
            self.message.show_message(str(error), Level.BAD)
            return
        saved = self._saved
        self.show_protocol(_readable(entries))
        self._saved = saved

    def _on_settled(self) -> None:
        """Say what the protocol comes to, or what is still wrong with it."""
        try:
            protocol = self.protocol()
            self._summary.setPlainText(outlook(protocol))
            self._schedule.setPlainText(schedule_preview(protocol))
            self._text.setPlainText(protocol.to_yaml())
        except SynthviewError as error:
            self._summary.setPlainText(f"Still to do:\n{error}")
            self._schedule.setPlainText("")
            self.making.set_ready(False)
        else:
            self.making.set_ready(True)

    # -- making the study --

    def _on_order(self, out: Path | None, passphrase: str) -> None:
        try:
            protocol = self.protocol()
        except ProtocolError as error:
            self.message.show_message(str(error), Level.BAD)
            return
        self.message.clear()
        base = self.path.parent if self.path is not None else Path.cwd()
        self.making.begin(StudyOrder(protocol.to_yaml(), base.resolve(), out, passphrase))

    def _on_made(self, made: StudyMade, out: Path | None) -> None:
        self._tabs.setCurrentWidget(self._summary)
        found = "\n".join(made.sentences)
        if out is None:
            verdict = "The arms pass the leak check." if made.leak_passed else "The leak check found something."
            self.message.show_message(verdict, Level.INFO if made.leak_passed else Level.WARN)
        elif made.leak_passed:
            self.message.show_message(f"The study is made: {out}. Readers may begin.")
            self.study_made.emit(out)
        else:
            self.message.show_message(
                f"The study is made: {out}. Readers may not begin until the leak is resolved or overruled.", Level.WARN
            )
        self._summary.setPlainText(f"Leak check\n{found}\n\n{self._summary.toPlainText()}")

    def closeEvent(self, event: QCloseEvent) -> None:
        """What is under way is stopped; a protocol that was changed is offered for saving."""
        if self.entries() != self._saved and not self._may_lose():
            event.ignore()
            return
        self.making.close_process()
        super().closeEvent(event)

    def _may_lose(self) -> bool:
        from PySide6.QtWidgets import QMessageBox

        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "Save the protocol?",
            "The protocol has changes that are not saved.",
            buttons.Save | buttons.Discard | buttons.Cancel,
        )
        return self.save() if answer == buttons.Save else answer == buttons.Discard


def _pane() -> QPlainTextEdit:
    pane = QPlainTextEdit(readOnly=True)
    pane.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
    return pane


def _readable(entries: dict[str, Any]) -> Entries:
    """A protocol's plain values, less what is understood: readers are counted, "all pairs" isn't spelt out."""
    found = {**entries, "sections": [dict(section) for section in entries["sections"]]}
    readers = list(entries["readers"])
    if list(Protocol.from_dict({**entries, "readers": len(readers)}).readers) == readers:
        found["readers"] = len(readers)
    for section in found["sections"]:
        compared = section.pop("compare", None)
        if compared is not None and Protocol.from_dict(found).to_dict()["sections"] != entries["sections"]:
            section["compare"] = compared
    return found
