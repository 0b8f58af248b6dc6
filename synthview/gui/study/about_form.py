"""The designer's first part: title, texts for readers, who reads and how."""

from __future__ import annotations

from copy import deepcopy

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from synthview.gui.study.fields import (
    Entries,
    combo,
    form,
    joined,
    number,
    put,
    show_check,
    show_choice,
    show_number,
    show_text,
    text_box,
    words_of,
)
from synthview.gui.study.templates import QUESTIONNAIRE

_SITTINGS = {"one": "in one sitting; what is left unfinished stays so", "resumable": "may be left and taken up again"}


class AboutForm(QWidget):
    """Edits the protocol's own entries.

    Signals:
        edited: something was changed.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLineEdit()
        self._instructions, self._consent = text_box(3), text_box(2)
        self._readers = QLineEdit()
        self._readers.setPlaceholderText("a number, or names parted by commas")
        self._sitting = combo(_SITTINGS)
        self._questionnaire = QCheckBox("Ask role, years and expertise before the start")
        self._display = QCheckBox("Check the screen before the start (greys and contrast)")
        self._seed = number(-1, 2**31 - 1, none="drawn when the study is made")
        layout = form(self)
        layout.addRow("Title", self._title)
        layout.addRow("Instructions", self._instructions)
        layout.addRow("Consent", self._consent)
        layout.addRow("Readers", self._readers)
        layout.addRow("Read", self._sitting)
        layout.addRow("", self._questionnaire)
        layout.addRow("", self._display)
        layout.addRow("Seed of the order", self._seed)
        for line in (self._title, self._readers):
            line.textEdited.connect(self.edited)
        for box in (self._instructions, self._consent):
            box.textChanged.connect(self.edited)
        for check in (self._questionnaire, self._display):
            check.toggled.connect(self.edited)
        self._sitting.currentIndexChanged.connect(self.edited)
        self._seed.valueChanged.connect(self.edited)

    def show_entries(self, entries: Entries) -> None:
        """Show what a protocol says."""
        show_text(self._title, entries.get("title"))
        show_text(self._instructions, entries.get("instructions"))
        show_text(self._consent, entries.get("consent"))
        readers = entries.get("readers", 1)
        show_text(self._readers, joined(readers) if isinstance(readers, list | tuple) else readers)
        show_choice(self._sitting, entries.get("sitting", "one"))
        show_check(self._questionnaire, entries.get("questionnaire"))
        show_check(self._display, entries.get("display_check"))
        show_number(self._seed, entries.get("seed", -1))

    def write(self, entries: Entries) -> None:
        """Put what the form says into a protocol's entries."""
        entries["title"] = self._title.text().strip()
        put(entries, "instructions", self._instructions.toPlainText().strip())
        put(entries, "consent", self._consent.toPlainText().strip())
        words = words_of(self._readers.text())
        entries["readers"] = int(words[0]) if len(words) == 1 and words[0].isdigit() else words
        entries["sitting"] = self._sitting.currentData()
        if not self._questionnaire.isChecked():
            entries.pop("questionnaire", None)
        elif not entries.get("questionnaire"):
            entries["questionnaire"] = deepcopy(QUESTIONNAIRE)
        put(entries, "display_check", self._display.isChecked(), default=False)
        put(entries, "seed", self._seed.value(), default=-1)
