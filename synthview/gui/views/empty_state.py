"""What stands where the views will be while there is no volume."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.labels import caption, heading
from synthview.gui.theme import SPACE, TOKENS

_ICON_PX = 64


class EmptyState(QWidget):
    """Says what to drop here, and offers to open something.

    Signals:
        open_requested: the person wants to choose a file.
        demo_requested: the person wants to see the head that comes with synthview.
    """

    open_requested = Signal()
    demo_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._picture.setFixedHeight(_ICON_PX)
        self._heading = heading(alignment=Qt.AlignmentFlag.AlignCenter)
        self._words = caption(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        open_button = QPushButton("Open…")
        open_button.setProperty("role", "primary")
        demo_button = QPushButton("Look at the demo head")
        open_button.clicked.connect(self.open_requested)
        demo_button.clicked.connect(self.demo_requested)
        for button in (open_button, demo_button):  # of one height
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(SPACE[2])
        buttons.addStretch(1)
        buttons.addWidget(open_button)
        buttons.addWidget(demo_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        layout.setSpacing(SPACE[2])
        layout.addStretch(1)
        for widget in (self._picture, self._heading, self._words):
            layout.addWidget(widget)
        layout.addSpacing(SPACE[1])
        layout.addWidget(self._buttons)
        layout.addStretch(1)
        self.set_busy(False)

    def set_busy(self, busy: bool) -> None:
        """Say that the first volume is being made; nothing needs to be opened meanwhile."""
        self._heading.setText("Making the first volume…" if busy else "No volume yet")
        self._words.setText(
            "It appears here when it is there." if busy else "Drop a NIfTI file or a checkpoint here, or press Ctrl+O."
        )
        self._buttons.setVisible(not busy)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the icon once this is on the screen (the icon font is slow to load)."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._draw_icon)

    def _draw_icon(self) -> None:
        self._picture.setPixmap(icon("head", TOKENS.text_off).pixmap(_ICON_PX, _ICON_PX))
