"""A line of text that gives way: cut with "…" where it does not fit."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """A line of text that is cut with "…" where it does not fit."""

    def __init__(self, mode: Qt.TextElideMode, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """As narrow as need be."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw what fits, in the style sheet's colour."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)


def control_name(label: str, buddy: QWidget | None = None) -> ElidedLabel:
    """The name of a control; whole in its tip where it is cut."""
    name = ElidedLabel(Qt.TextElideMode.ElideRight)
    name.setTextFormat(Qt.TextFormat.PlainText)
    name.setText(label)
    name.setToolTip(label)
    if buddy is not None:
        name.setBuddy(buddy)
    return name
