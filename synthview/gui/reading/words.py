"""Pages of text: instructions, consent, the next part, a break, the end.  Keys go on; nothing else is on them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from synthview.gui.theme import SPACE, TOKENS

_COLUMN_PX = 860
_SCROLL_PX = 60
_MOST_IN_A_ROW = 4
STYLE = f"""
QWidget#reading, QWidget#reading QWidget {{ background: {TOKENS.canvas}; color: {TOKENS.text_dim}; font-size: 12pt; }}
QWidget#reading QLabel[role="heading"] {{ font-size: 18pt; font-weight: 600; color: {TOKENS.text}; }}
QWidget#reading QLabel[role="body"] {{ font-size: 13pt; color: {TOKENS.text}; }}
QWidget#reading QLabel[role="question"] {{ font-size: 14pt; color: {TOKENS.text}; }}
QWidget#reading QLabel[role="hint"] {{ font-size: 12pt; color: {TOKENS.text_dim}; }}
QWidget#reading QLabel[role="key"] {{ font-size: 12pt; color: {TOKENS.text}; background: {TOKENS.raised};
    border-radius: 4px; padding: 4px 12px; }}
QWidget#reading QLabel[role="warn"] {{ font-size: 12pt; color: {TOKENS.warn}; }}
QWidget#reading QLabel[role="bad"] {{ font-size: 12pt; color: {TOKENS.bad}; }}
QWidget#reading QLabel[role="good"] {{ font-size: 14pt; color: {TOKENS.good}; }}
QWidget#reading QPushButton[role="option"] {{ background: {TOKENS.window}; border: 1px solid {TOKENS.line};
    border-radius: 4px; padding: 4px 12px; min-height: 24px; color: {TOKENS.text_dim}; }}
QWidget#reading QPushButton[role="option"][picked="true"] {{ background: {TOKENS.accent}; color: {TOKENS.accent_ink};
    border-color: {TOKENS.accent}; }}
QWidget#reading QPushButton[role="choice"] {{ background: transparent; border: none; padding: 4px 12px;
    font-size: 14pt; color: {TOKENS.text_dim}; }}
QWidget#reading QPushButton[role="choice"][picked="true"] {{ color: {TOKENS.accent}; font-weight: 600; }}
QWidget#reading QLineEdit {{ background: {TOKENS.window}; border: 1px solid {TOKENS.line}; border-radius: 4px;
    padding: 4px 8px; color: {TOKENS.text}; }}
QWidget#reading QLineEdit:focus {{ border: 2px solid {TOKENS.accent}; padding: 3px 7px; }}
QWidget#reading QRadioButton {{ color: {TOKENS.text}; padding: 4px 0; }}
QWidget#reading QRadioButton:focus {{ color: {TOKENS.accent_hover}; }}
QWidget#reading QProgressBar {{ background: {TOKENS.raised}; border: none; }}
QWidget#reading QProgressBar::chunk {{ background: {TOKENS.text_off}; }}
QWidget#reading ReadingCanvas {{ font-size: 13.5pt; }} /* of the letters; the scale bar's are a tenth smaller */
QWidget#reading QScrollArea {{ border: none; }}
"""
"""Dark and quiet: text of 12 pt and more, nothing brighter than an image."""


def label(text: str, role: str, *, wrap: bool = True) -> QLabel:
    """A line or paragraph; never taken for rich text, as studies' texts come from outside."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


class ReadingPage(QWidget):
    """A page of the reading window: its middle column, and keys that mean words.

    Signals:
        answered: the word of the key that was pressed.
    """

    answered = Signal(str)

    def __init__(self, keys: Mapping[Qt.Key, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = dict(keys)
        self._is_answered = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inside = QWidget()
        inside.setMaximumWidth(_COLUMN_PX)
        self.column = QVBoxLayout(inside)
        self.column.setSpacing(SPACE[3])
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.addStretch(1)
        row.addWidget(inside, stretch=100)
        row.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setWidget(middle)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.addWidget(self._scroll)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer with the key's word; ↑ and ↓ move a text that is longer than the screen."""
        key = Qt.Key(event.key())
        if event.isAutoRepeat() and key not in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            return  # a key held down from the page before doesn't answer this one
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            bar = self._scroll.verticalScrollBar()
            bar.setValue(bar.value() + (_SCROLL_PX if key is Qt.Key.Key_Down else -_SCROLL_PX))
        elif key in self._keys and not self._is_answered:
            self._is_answered = self._keys[key] != RETRY  # a page is answered once, however fast the keys come
            self.answered.emit(self._keys[key])


class WordsPage(ReadingPage):
    """A heading, a text, and the keys that lead on.

    Args:
        heading: one line.
        body: paragraphs, perhaps empty.
        keys: each key's name and what it does, as shown; and the key with the word that ``answered`` gives.
        role: of the body: "body", or "warn" and "bad" for what went wrong.
    """

    def __init__(
        self,
        heading: str,
        body: str,
        keys: Mapping[str, tuple[str, Qt.Key, str]],
        *,
        role: str = "body",
        parent: QWidget | None = None,
    ) -> None:
        meaning = {key: word for _, key, word in keys.values()}
        if Qt.Key.Key_Return in meaning:
            meaning[Qt.Key.Key_Enter] = meaning[Qt.Key.Key_Return]
        super().__init__(meaning, parent)
        self.column.addStretch(2)
        self.column.addWidget(label(heading, "heading"))
        if body:
            self.column.addWidget(label(body, role))
        self.column.addSpacing(SPACE[3])
        hints = {name: what for name, (what, _, _) in keys.items()}
        self.column.addLayout(key_row(hints) if len(hints) <= _MOST_IN_A_ROW else _key_list(hints))
        self.column.addStretch(3)


def key_row(keys: Mapping[str, str]) -> QHBoxLayout:
    """Keys and what they do, side by side."""
    row = QHBoxLayout()
    row.setSpacing(SPACE[1])
    for name, what in keys.items():
        row.addWidget(label(name, "key", wrap=False))
        row.addWidget(label(what, "hint", wrap=False))
        row.addSpacing(SPACE[3])
    row.addStretch(1)
    return row


def _key_list(keys: Mapping[str, str]) -> QVBoxLayout:
    """More keys than fit side by side, one below the other."""
    column = QVBoxLayout()
    column.setSpacing(SPACE[1])
    for name, what in keys.items():
        column.addLayout(key_row({name: what}))
    return column


ENTER = Qt.Key.Key_Return
ESCAPE = Qt.Key.Key_Escape
GO_ON, LEAVE, RETRY = "go on", "leave", "try again"
