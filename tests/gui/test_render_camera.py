"""The camera and the marker's letters: what is right, up and near from each side."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from synthview.gui.render3d.camera import SIDES, ZOOM_LIMITS, Camera
from synthview.gui.render3d.gestures import after_drag, after_key, after_wheel

_AXES = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


@pytest.mark.parametrize(
    ("side", "right", "up"),
    [("A", "L", "S"), ("P", "R", "S"), ("L", "P", "S"), ("R", "A", "S"), ("S", "R", "A"), ("I", "L", "A")],
)
def test_each_side_shows_the_patient_the_right_way_round(side, right, up):
    camera = Camera(12, 34, zoom=2, pan=(0.1, 0.2)).seen_from(side)
    assert camera.towards_viewer == pytest.approx(_AXES[side], abs=1e-12)
    assert camera.right == pytest.approx(_AXES[right], abs=1e-12)
    assert camera.up == pytest.approx(_AXES[up], abs=1e-12)
    assert camera.zoom == 2
    assert camera.pan == (0, 0)


@pytest.mark.parametrize(
    "camera", [Camera(), Camera(-100, -60), Camera(179, 89), *(Camera(*s) for s in SIDES.values())]
)
def test_the_axes_are_a_right_handed_frame(camera):
    frame = np.array([camera.right, camera.up, camera.towards_viewer])
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.cross(frame[0], frame[1]) == pytest.approx(frame[2], abs=1e-12)


def test_superior_is_never_upside_down():
    camera = Camera()
    for _ in range(40):
        camera = camera.rotated(0, 10)
        assert camera.up[2] >= -1e-12
    assert camera.elevation == 90


def test_the_near_side_follows_the_hand():
    near = np.array(Camera(0, 0).towards_viewer)  # the point of the volume nearest to the eye
    dragged = after_drag(Camera(0, 0), QPointF(20, 0), 400, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    assert near @ dragged.right > 0.1
    dragged = after_drag(Camera(0, 0), QPointF(0, 20), 400, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    assert near @ dragged.up < -0.1


def test_buttons_rotate_move_and_zoom():
    start, moved = Camera(), QPointF(40, -40)
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    middle = after_drag(start, moved, 400, Qt.MouseButton.MiddleButton, none)
    assert middle.pan == pytest.approx((0.1, 0.1))
    assert after_drag(start, moved, 400, Qt.MouseButton.LeftButton, shift) == middle
    assert after_drag(start, moved, 400, Qt.MouseButton.RightButton, none).zoom > 1
    assert after_drag(start, moved, 400, Qt.MouseButton.NoButton, none) == start
    zoomed = after_drag(start.zoomed(2), moved, 400, Qt.MouseButton.MiddleButton, none)
    assert zoomed.pan == pytest.approx((0.05, 0.05))  # the picture stays under the hand


def test_wheel_and_keys():
    assert after_wheel(Camera(), 120).zoom > 1 > after_wheel(Camera(), -120).zoom
    assert after_key(Camera(0, 0), Qt.Key.Key_Right) == Camera(-10, 0)
    assert after_key(Camera(0, 0), Qt.Key.Key_Down) == Camera(0, 10)
    assert after_key(Camera(), Qt.Key.Key_A) is None
    camera = Camera()
    for _ in range(100):
        camera = after_wheel(camera, 120)
    assert camera.zoom == ZOOM_LIMITS[1]
