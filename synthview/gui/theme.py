"""Colours, sizes and the style sheet of the dark theme for a reading room.

Widgets never carry colours of their own: they take them from here, or are addressed by the style sheet through their
class or the property ``role`` (primary, tool, title, caption, card, value).
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from synthview.resources import resource_path


@dataclass(frozen=True)
class Tokens:
    """Named colours; image backgrounds are pure black, panels are not."""

    canvas: str = "#000000"
    window: str = "#14171A"
    panel: str = "#1B1F23"
    raised: str = "#252A30"
    hover: str = "#2E343B"
    line: str = "#323840"
    text: str = "#E6E9EC"
    text_dim: str = "#9AA4AE"
    text_off: str = "#5F6972"
    accent: str = "#4FA3E0"
    accent_hover: str = "#6DB5EA"
    accent_ink: str = "#06131D"
    good: str = "#6FBF8B"
    warn: str = "#E0B354"
    bad: str = "#E0675F"
    axial: str = "#E0675F"
    sagittal: str = "#E0B354"
    coronal: str = "#6FBF8B"
    volume_3d: str = "#4FA3E0"


TOKENS = Tokens()
SPACE = (4, 8, 12, 16, 24, 32)  # px; nothing between
RADIUS_INPUT, RADIUS_CARD = 4, 6  # px


def plane_color(pane: str) -> str:
    """The colour of a pane's frame, crosshair and slider: "axial", "sagittal", "coronal" or "3d"."""
    return {"axial": TOKENS.axial, "sagittal": TOKENS.sagittal, "coronal": TOKENS.coronal}.get(pane, TOKENS.volume_3d)


def apply_theme(app: QApplication) -> None:
    """Give the whole application the dark theme."""
    app.setStyle("Fusion")
    app.setPalette(_palette())
    font = QFont(app.font())
    font.setPointSizeF(10)
    app.setFont(font)
    app.setStyleSheet(style_sheet())


def style_sheet() -> str:
    """The Qt style sheet with the tokens put in."""
    text = resource_path("style", "dark.qss").read_text("utf-8")
    for name, value in vars(TOKENS).items():
        text = text.replace(f"@{name}@", value)
    return text.replace("@icons@", resource_path("style").as_posix())


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for target, color in {
        role.Window: TOKENS.window,
        role.WindowText: TOKENS.text,
        role.Base: TOKENS.raised,
        role.AlternateBase: TOKENS.panel,
        role.Text: TOKENS.text,
        role.PlaceholderText: TOKENS.text_dim,
        role.Button: TOKENS.raised,
        role.ButtonText: TOKENS.text,
        role.ToolTipBase: TOKENS.raised,
        role.ToolTipText: TOKENS.text,
        role.Highlight: TOKENS.accent,
        role.HighlightedText: TOKENS.accent_ink,
        role.Link: TOKENS.accent,
    }.items():
        palette.setColor(target, QColor(color))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(TOKENS.text_off))
    return palette
