"""Labels with the roles that the theme knows, and the coloured squares of legends."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QLabel

_SWATCH_PX = 12


def caption(text: str = "", **properties: Any) -> QLabel:
    """A small remark, or the name of a field; ``properties`` are QLabel's.  Never taken for rich text."""
    return _label("caption", text, properties)


def title(text: str = "", **properties: Any) -> QLabel:
    """The name of a panel."""
    return _label("title", text, properties)


def heading(text: str = "", **properties: Any) -> QLabel:
    """The name of a page."""
    return _label("heading", text, properties)


def swatch(color: QColor) -> QLabel:
    """A square of the colour that a legend explains."""
    picture = QPixmap(_SWATCH_PX, _SWATCH_PX)
    picture.fill(color)
    return QLabel(pixmap=picture)


def _label(role: str, text: str, properties: dict[str, Any]) -> QLabel:
    made = QLabel(text, **{"textFormat": Qt.TextFormat.PlainText, **properties})
    made.setProperty("role", role)
    return made
