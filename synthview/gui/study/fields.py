"""Small helpers of the designer's forms: rows with a name, and entries that are left out where they say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QSpinBox, QWidget

from synthview.gui.theme import SPACE

Entries = dict[str, Any]


def form(parent: QWidget | None = None) -> QFormLayout:
    """A form's layout: names above the fields' left edge, with the design's spaces."""
    layout = QFormLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(SPACE[2])
    layout.setVerticalSpacing(SPACE[1])
    return layout


def text_box(lines: int) -> QPlainTextEdit:
    """A box for some lines of text; Tab leaves it."""
    box = QPlainTextEdit()
    box.setTabChangesFocus(True)
    box.setFixedHeight(box.fontMetrics().lineSpacing() * lines + SPACE[3])
    return box


def combo(words: Mapping[str, str]) -> QComboBox:
    """A choice: what the file says, and what a person reads."""
    box = QComboBox()
    for value, shown in words.items():
        box.addItem(shown, value)
    return box


def number(low: int, high: int, *, none: str = "") -> QSpinBox:
    """A whole number; where ``none`` is given, the lowest value is shown as that word."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setSpecialValueText(none)
    return box


def put(entries: Entries, name: str, value: Any, *, default: Any = None) -> None:
    """Set an entry, or leave it out where it says what is understood anyway."""
    if value is None or value in (default, ""):
        entries.pop(name, None)
    else:
        entries[name] = value


def show_choice(box: QComboBox, value: object) -> None:
    """Show a value without telling anybody."""
    with QSignalBlocker(box):
        box.setCurrentIndex(max(box.findData(value), 0))


def show_text(box: QLineEdit | QPlainTextEdit, value: object) -> None:
    """Show a text without telling anybody."""
    text = "" if value is None else str(value)
    with QSignalBlocker(box):
        if isinstance(box, QLineEdit):
            box.setText(text)
        elif box.toPlainText().strip() != text.strip():
            box.setPlainText(text)


def show_number(box: QSpinBox, value: object) -> None:
    """Show a number without telling anybody; the lowest one for none."""
    with QSignalBlocker(box):
        box.setValue(int(value) if isinstance(value, int | float) else box.minimum())


def show_check(box: QCheckBox, value: object) -> None:
    """Show a check mark without telling anybody."""
    with QSignalBlocker(box):
        box.setChecked(bool(value))


def words_of(text: str) -> list[str]:
    """Words parted by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def joined(words: Iterable[object]) -> str:
    """The inverse of ``words_of``."""
    return ", ".join(str(word) for word in words)
