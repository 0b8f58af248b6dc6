"""What the keys do while reading: one table, from which the hints on the screen are made too."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt

from synthview.study.protocol_screen import Changes, Screen, ShownAs


class Do(StrEnum):
    """What a key asks for."""

    CONFIRM = "confirm"
    CHOOSE_FIRST = "choose first"
    CHOOSE_SECOND = "choose second"
    CANNOT_TELL = "can't tell"
    NEXT_SCALE = "next question"
    PREVIOUS_SCALE = "question before"
    COMMENT = "comment"
    GO_BACK = "go back"
    LEAVE = "leave"
    WINDOW_RESET = "window as at first"
    LEVEL_DOWN = "brighter"
    LEVEL_UP = "darker"
    WIDTH_DOWN = "more contrast"
    WIDTH_UP = "less contrast"
    ZOOM_IN = "zoom in"
    ZOOM_OUT = "zoom out"
    ZOOM_RESET = "fit"
    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    SWITCH_3D = "3D"


_K = Qt.Key
KEYS: dict[Qt.Key, Do] = {
    _K.Key_Return: Do.CONFIRM,
    _K.Key_Enter: Do.CONFIRM,
    _K.Key_Left: Do.CHOOSE_FIRST,
    _K.Key_Right: Do.CHOOSE_SECOND,
    _K.Key_X: Do.CANNOT_TELL,
    _K.Key_Tab: Do.NEXT_SCALE,
    _K.Key_Backtab: Do.PREVIOUS_SCALE,
    _K.Key_M: Do.COMMENT,
    _K.Key_Backspace: Do.GO_BACK,
    _K.Key_Escape: Do.LEAVE,
    _K.Key_W: Do.WINDOW_RESET,
    _K.Key_Comma: Do.LEVEL_UP,
    _K.Key_Period: Do.LEVEL_DOWN,
    _K.Key_BracketLeft: Do.WIDTH_UP,
    _K.Key_BracketRight: Do.WIDTH_DOWN,
    _K.Key_Plus: Do.ZOOM_IN,
    _K.Key_Equal: Do.ZOOM_IN,
    _K.Key_Minus: Do.ZOOM_OUT,
    _K.Key_0: Do.ZOOM_RESET,
    _K.Key_A: Do.AXIAL,
    _K.Key_S: Do.SAGITTAL,
    _K.Key_C: Do.CORONAL,
    _K.Key_V: Do.SWITCH_3D,
}
SLICE_STEPS: dict[Qt.Key, int] = {
    _K.Key_Up: 1,
    _K.Key_Down: -1,
    _K.Key_PageUp: 10,
    _K.Key_PageDown: -10,
    _K.Key_Home: -(10**9),
    _K.Key_End: 10**9,
}
NUMBERS: dict[Qt.Key, int] = {Qt.Key(_K.Key_0 + number): number for number in range(1, 10)}
PRESETS: dict[Qt.Key, tuple[str, float, float]] = {
    _K.Key_F5: ("whole range", 0.0, 1.0),
    _K.Key_F6: ("more contrast", 0.2, 0.8),
    _K.Key_F7: ("dark tissue", 0.0, 0.5),
    _K.Key_F8: ("bright tissue", 0.5, 1.0),
}
"""Window presets: name, and where black and white lie between the stimulus's own black (0) and white (1)."""


def hints(screen: Screen) -> tuple[str, ...]:
    """What the reader may do with the picture and the answer, short enough for one line at the bottom."""
    tools = screen.tools
    found = []
    if screen.presentation.shown_as is ShownAs.VOLUME:
        found.append("↑ ↓ or wheel  slices")
    if tools.window:
        found.append("right-drag or  [ ] , .  window,  F5–F8 presets,  W resets")
    if tools.zoom:
        found.append("+ − 0  zoom")
    if tools.planes:
        found.append("A S C  plane")
    if tools.volume_3d:
        found.append("V  3D, drag to turn")
    if screen.comment:
        found.append("M  comment")
    if screen.changes is Changes.UNTIL_SECTION_END:
        found.append("Backspace  go back")
    return (*found, "Enter  confirm", "Esc  leave")
