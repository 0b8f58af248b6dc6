"""A scroll area that is as high as what is in it while there is room, and scrolls when there is not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

_LEAST_PX = 96


class ContentScroll(QScrollArea):
    """Shows one widget, at the area's own width."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setWidget(content)
        content.installEventFilter(self)
        self._follow()

    def sizeHint(self) -> QSize:
        """The content's."""
        return self._content.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """A few rows, or all of the content if it is less."""
        hint = self._content.minimumSizeHint()
        return QSize(hint.width(), min(hint.height(), _LEAST_PX))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the content when its height changes."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self._follow()
        return super().eventFilter(watched, event)

    def _follow(self) -> None:
        self.setMaximumHeight(max(self._content.sizeHint().height(), 1))
        self.updateGeometry()
