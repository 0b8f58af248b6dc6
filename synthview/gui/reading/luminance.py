"""The luminance page: can this screen, in this room, show what the study shows?  Its answers are kept.

The pattern follows the one of the Society of Motion Picture and Television Engineers (SMPTE RP 133): eleven greys from
0 to 100 %, a 5 % square in the black and a 95 % square in the white, line pairs.  Three digits, each a small step of
grey from its ground (dark, middle, bright), are typed by the reader.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthview.gui.reading.words import key_row, label
from synthview.gui.theme import SPACE

_GROUNDS = ((12, 6), (128, 5), (243, -6))  # grey and the digit's step away from it, of 255
_STEPS = 11
_YES, _NO = Qt.Key.Key_Y, Qt.Key.Key_N


@dataclass(frozen=True)
class _Asked:
    name: str
    question: str
    digit: bool = False


_QUESTIONS = (
    _Asked("five_percent_visible", "Do you see the slightly lighter square inside the black one?"),
    _Asked("ninety_five_percent_visible", "Do you see the slightly darker square inside the white one?"),
    _Asked("dark", "Which digit is in the dark field?  (0: none to be seen)", digit=True),
    _Asked("middle", "Which digit is in the grey field?  (0: none to be seen)", digit=True),
    _Asked("bright", "Which digit is in the bright field?  (0: none to be seen)", digit=True),
)


class Pattern(QWidget):
    """The pattern itself.

    Args:
        digits: in the dark, the middle and the bright field, 1 to 9 each.
    """

    def __init__(self, digits: tuple[int, int, int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._digits = digits
        self.setMinimumSize(640, 320)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Greys at the top, squares and digits below, line pairs at the bottom."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(128, 128, 128))
        width, height = self.width(), self.height()
        for step in range(_STEPS):
            grey = round(255 * step / (_STEPS - 1))
            left, right = round(width * step / _STEPS), round(width * (step + 1) / _STEPS)
            painter.fillRect(QRectF(left, 0, right - left, height * 0.3), QColor(grey, grey, grey))
        side = height * 0.34
        fields = 5
        for number in range(fields):
            x = width * (number + 0.5) / fields - side / 2
            self._field(painter, number, QRectF(x, height * 0.36, side, side))
        self._line_pairs(painter, QRectF(0, height * 0.78, width, height * 0.16))
        painter.end()

    def _field(self, painter: QPainter, number: int, box: QRectF) -> None:
        if number < 2:
            outer, inner = (0, 13) if number == 0 else (255, 242)  # 5 % of 255
            third = box.width() / 3
            painter.fillRect(box, QColor(outer, outer, outer))
            painter.fillRect(box.adjusted(third, third, -third, -third), QColor(inner, inner, inner))
            return
        grey, step = _GROUNDS[number - 2]
        painter.fillRect(box, QColor(grey, grey, grey))
        font = QFont(self.font())
        font.setPixelSize(round(box.height() * 0.7))
        painter.setFont(font)
        painter.setPen(QColor(grey + step, grey + step, grey + step))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(self._digits[number - 2]))

    def _line_pairs(self, painter: QPainter, box: QRectF) -> None:
        """Black and white lines of one, two and three pixels, upright and level."""
        for number in range(6):
            pixels = number % 3 + 1
            left = round(box.width() * (number + 0.5) / 6 - box.height() / 2)
            area = QRectF(left, round(box.top()), round(box.height()), round(box.height()))
            painter.fillRect(area, QColor(0, 0, 0))
            for offset in range(0, round(box.height()), 2 * pixels):
                line = (
                    QRectF(left + offset, area.top(), pixels, area.height())
                    if number < 3
                    else QRectF(left, area.top() + offset, area.width(), pixels)
                )
                painter.fillRect(line.intersected(area), QColor(255, 255, 255))


class LuminancePage(QWidget):
    """The pattern and five questions, one after the other.

    Signals:
        finished: the answers, as plain values for ``Intake.display``.
        leave_requested: Esc.
    """

    finished = Signal(dict)
    leave_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        draw = random.SystemRandom()
        self.digits = (draw.randint(1, 9), draw.randint(1, 9), draw.randint(1, 9))
        self._given: list[bool | int] = []
        self._is_finished = False
        self._question = label("", "question")
        self._keys = label("", "hint")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[5], SPACE[4], SPACE[5], SPACE[4])
        column.setSpacing(SPACE[3])
        column.addWidget(label("Your screen", "heading"))
        column.addWidget(label("Dim the room as for reading, and sit as you will sit.", "body"))
        column.addWidget(Pattern(self.digits), stretch=1)
        column.addWidget(self._question)
        column.addWidget(self._keys)
        column.addLayout(key_row({"Backspace": "question before", "Esc": "leave"}))
        self._ask()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer the question that is asked."""
        key = Qt.Key(event.key())
        if event.isAutoRepeat():
            return
        if key is Qt.Key.Key_Escape:
            self.leave_requested.emit()
        elif key is Qt.Key.Key_Backspace:
            self._given = self._given[:-1]
            self._ask()
        elif len(self._given) == len(_QUESTIONS):
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._is_finished:
                self._is_finished = True
                self.finished.emit(self.answers())
        elif _QUESTIONS[len(self._given)].digit and Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
            self._take(key - Qt.Key.Key_0)
        elif not _QUESTIONS[len(self._given)].digit and key in (_YES, _NO):
            self._take(key is _YES)

    def answers(self) -> dict[str, Any]:
        """What was said, what was shown, and the screen it was shown on."""
        found: dict[str, Any] = {}
        shown = dict(zip(("dark", "middle", "bright"), zip(_GROUNDS, self.digits, strict=True), strict=True))
        for asked, given in zip(_QUESTIONS, self._given, strict=False):
            if asked.digit:
                (grey, step), digit = shown[asked.name]
                found[asked.name] = {"grey": grey, "step": step, "shown": digit, "answered": given}
            else:
                found[asked.name] = given
        size = self.screen().size()
        ratio = self.screen().devicePixelRatio()
        found["screen"] = {"width": round(size.width() * ratio), "height": round(size.height() * ratio)}
        return found

    def _take(self, given: bool | int) -> None:
        self._given.append(given)
        self._ask()

    def _ask(self) -> None:
        if len(self._given) == len(_QUESTIONS):
            self._question.setText("Thank you.")
            self._keys.setText("Enter  go on")
            return
        asked = _QUESTIONS[len(self._given)]
        self._question.setText(f"{len(self._given) + 1} of {len(_QUESTIONS)}.  {asked.question}")
        self._keys.setText("0 to 9" if asked.digit else "Y  yes      N  no")
