"""What mouse and keys do to the camera."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from synthview.gui.render3d.camera import Camera

_DEGREES_PER_PANE = 180.0  # a drag across the height of the pane
_ZOOM_PER_PANE = 8.0  # factor
_ZOOM_PER_NOTCH = 1.15
_NOTCH = 120.0  # Qt's angle of one notch of a wheel
_KEY_DEGREES = 10.0
_TURNS = {
    Qt.Key.Key_Left: (-_KEY_DEGREES, 0.0),
    Qt.Key.Key_Right: (_KEY_DEGREES, 0.0),
    Qt.Key.Key_Up: (0.0, -_KEY_DEGREES),
    Qt.Key.Key_Down: (0.0, _KEY_DEGREES),
}


def after_drag(
    camera: Camera, moved_px: QPointF, pane_px: int, buttons: Qt.MouseButton, modifiers: Qt.KeyboardModifier
) -> Camera:
    """Left: rotate.  Middle, or Shift and left: move.  Right: zoom.

    Args:
        camera: before.
        moved_px: since the last event, logical pixels.
        pane_px: the pane's height.
        buttons: held.
        modifiers: held.
    """
    right, down = moved_px.x() / max(pane_px, 1), moved_px.y() / max(pane_px, 1)
    left_held = bool(buttons & Qt.MouseButton.LeftButton)
    if buttons & Qt.MouseButton.MiddleButton or (left_held and modifiers & Qt.KeyboardModifier.ShiftModifier):
        return camera.panned(right, -down)
    if left_held:
        return camera.rotated(right * _DEGREES_PER_PANE, down * _DEGREES_PER_PANE)
    if buttons & Qt.MouseButton.RightButton:
        return camera.zoomed(_ZOOM_PER_PANE**-down)
    return camera


def after_wheel(camera: Camera, angle: float) -> Camera:
    """Turning the wheel away from oneself comes nearer."""
    return camera.zoomed(_ZOOM_PER_NOTCH ** (angle / _NOTCH))


def after_key(camera: Camera, key: Qt.Key) -> Camera | None:
    """Arrows turn the volume, + and - zoom; None for other keys."""
    if key in _TURNS:
        return camera.rotated(*_TURNS[key])
    if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
        return camera.zoomed(_ZOOM_PER_NOTCH)
    if key == Qt.Key.Key_Minus:
        return camera.zoomed(1 / _ZOOM_PER_NOTCH)
    return None
