"""A sentence above the views: what happened, what to do, and behind it the details."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.theme import SPACE, TOKENS


class Level(StrEnum):
    """How much a message matters."""

    INFO = "info"
    WARN = "warn"
    BAD = "bad"


_ICONS = {
    Level.INFO: ("information", TOKENS.accent),
    Level.WARN: ("warning", TOKENS.warn),
    Level.BAD: ("error", TOKENS.bad),
}


class MessageBar(QFrame):
    """Shows one message at a time; the newest replaces the one before.  Hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "message")
        self._icon = QLabel()
        self._sentence = QLabel(wordWrap=True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._offer = QPushButton()
        self._details_button = QPushButton("Details")
        self._details_button.setCheckable(True)
        self._copy_button = QPushButton("Copy")
        close = QPushButton()
        close.setProperty("role", "tool")
        close.setIcon(icon("cancel"))
        close.setToolTip("Close this message")
        close.setAccessibleName("Close this message")
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setMaximumHeight(160)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._sentence, stretch=1)
        for button in (self._offer, self._details_button, self._copy_button, close):
            row.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
        layout.addLayout(row)
        layout.addWidget(self._details)
        self._details_button.toggled.connect(self._details.setVisible)
        self._copy_button.clicked.connect(self._copy)
        self._offer.clicked.connect(self._on_offer)
        close.clicked.connect(self.clear)
        self._on_offer_taken: Callable[[], None] | None = None
        self.hide()

    @property
    def text(self) -> str:
        """The sentence shown; empty where there is none."""
        return self._sentence.text() if not self.isHidden() else ""

    def show_message(
        self,
        sentence: str,
        level: Level = Level.INFO,
        *,
        details: str = "",
        offer: str = "",
        on_offer: Callable[[], None] | None = None,
    ) -> None:
        """Show a sentence.

        Args:
            sentence: what was wrong, where, and what to do.
            level: its colour and icon.
            details: shown when asked for, such as a stack trace.
            offer: text of a button that does something about it.
            on_offer: called when that button is pressed; the message is closed.
        """
        name, color = _ICONS[level]
        self._icon.setPixmap(icon(name, color).pixmap(20, 20))
        self._sentence.setText(sentence)
        self._offer.setText(offer)
        self._offer.setVisible(bool(offer))
        self._on_offer_taken = on_offer
        self._details.setPlainText(details)
        self._details.hide()
        self._details_button.setChecked(False)
        self._details_button.setVisible(bool(details))
        self._copy_button.setVisible(level is not Level.INFO)
        self.setProperty("level", level.value)
        self.style().unpolish(self)
        self.style().polish(self)
        self.show()

    def clear(self) -> None:
        """Close the message."""
        self.hide()

    def _copy(self) -> None:
        details = self._details.toPlainText()
        QGuiApplication.clipboard().setText(self._sentence.text() + (f"\n\n{details}" if details else ""))

    def _on_offer(self) -> None:
        self.hide()
        if self._on_offer_taken is not None:
            self._on_offer_taken()
