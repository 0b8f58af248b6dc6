"""The icons, by what they mean; drawn from Material Design Icons (through QtAwesome) in the theme's colours."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from synthview.gui.theme import TOKENS

_GLYPHS = {
    "open": "mdi6.folder-open-outline",
    "checkpoint": "mdi6.cube-scan",
    "save": "mdi6.content-save-outline",
    "screenshot": "mdi6.camera-outline",
    "generate": "mdi6.creation",
    "cancel": "mdi6.close",
    "previous": "mdi6.chevron-left",
    "next": "mdi6.chevron-right",
    "random": "mdi6.dice-5-outline",
    "reset": "mdi6.restore",
    "follows": "mdi6.link-variant",
    "held": "mdi6.link-variant-off",
    "undo": "mdi6.undo",
    "redo": "mdi6.redo",
    "window": "mdi6.contrast-circle",
    "crosshair": "mdi6.crosshairs",
    "interpolate": "mdi6.blur-linear",
    "invert": "mdi6.invert-colors",
    "zoom-in": "mdi6.magnify-plus-outline",
    "zoom-out": "mdi6.magnify-minus-outline",
    "fit": "mdi6.fit-to-page-outline",
    "layout-quad": "mdi6.view-grid-outline",
    "layout-row": "mdi6.view-column-outline",
    "layout-large": "mdi6.square-outline",
    "compare": "mdi6.compare",
    "swap": "mdi6.swap-vertical",
    "maximise": "mdi6.arrow-expand",
    "restore": "mdi6.arrow-collapse",
    "clip": "mdi6.cube-outline",
    "warning": "mdi6.alert-outline",
    "error": "mdi6.alert-circle-outline",
    "information": "mdi6.information-outline",
    "help": "mdi6.help-circle-outline",
    "keyboard": "mdi6.keyboard-outline",
    "copy": "mdi6.content-copy",
    "chart": "mdi6.chart-line",
    "details": "mdi6.text-box-outline",
    "recent": "mdi6.history",
    "bundled": "mdi6.package-variant-closed",
    "orientation": "mdi6.flip-horizontal",
    "palette": "mdi6.palette-outline",
    "panels": "mdi6.dock-left",
    "play": "mdi6.play",
    "pause": "mdi6.pause",
    "head": "mdi6.head-outline",
    "quit": "mdi6.exit-to-app",
}


def icon(name: str, color: str = TOKENS.text_dim) -> QIcon:
    """The icon of that meaning; active and selected states are brighter, disabled ones dimmer.

    Raises:
        KeyError: no icon has that meaning.
    """
    import qtawesome  # a fifth of a second of start-up, paid when the first icon is drawn

    found: QIcon = qtawesome.icon(_GLYPHS[name], color=color, color_active=TOKENS.text, color_disabled=TOKENS.text_off)
    return found
