"""A slice view: what mouse and keys do, and that nothing is drawn that has not changed."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QSlider, QWidget

from synthview.gui.state import Layout, Plane, ViewModel
from synthview.gui.views import slice_canvas
from synthview.gui.views.ortho_view import OrthoView
from synthview.gui.views.overlay import scale_bar_mm
from synthview.gui.views.slice_gestures import dragged_window
from synthview.volume import Volume, Window

SHAPE = (20, 30, 40)
LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton


def _volume(seed=0):
    voxels = np.random.default_rng(seed).integers(0, 1000, SHAPE).astype(np.int16)
    return Volume(voxels, np.diag([2.0, 1.0, 1.0, 1.0]), window=Window(500, 1000))


@pytest.fixture
def model(qtbot):
    return ViewModel()


@pytest.fixture
def ortho(model, qtbot):
    view = OrthoView(model, QWidget())
    qtbot.addWidget(view)
    view.resize(800, 800)
    model.show(_volume())
    with qtbot.waitExposed(view):
        view.show()
    QApplication.processEvents()
    return view


@pytest.fixture
def axial(ortho):
    return ortho.views[Plane.AXIAL]


@pytest.fixture
def paints(ortho, qtbot):
    """How often each view has painted since; cleared by ``paints()``, which also lets waiting paints happen."""
    counts = dict.fromkeys(Plane, 0)
    for plane, view in ortho.views.items():
        view.painted.connect(lambda plane=plane: counts.__setitem__(plane, counts[plane] + 1))
    qtbot.wait(20)  # what showing the window left behind

    def so_far():
        QApplication.processEvents()
        found = "".join(str(counts[plane]) for plane in (Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL))
        counts.update(dict.fromkeys(Plane, 0))
        return found

    so_far()
    return so_far


def turn(view, notches=1.0, modifiers=Qt.KeyboardModifier.NoModifier, at=None):
    """Turn the wheel over a view."""
    position = QPointF(at if at is not None else view.canvas.rect().center())
    event = QWheelEvent(
        position,
        view.canvas.mapToGlobal(position),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.canvas, event)


def drag(qtbot, view, button, start, end):
    """Press, move in two steps, release."""
    qtbot.mousePress(view.canvas, button, pos=start)
    for position in ((start + end) / 2, end):
        event_position = QPointF(position)
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            event_position,
            view.canvas.mapToGlobal(event_position),
            Qt.MouseButton.NoButton,
            button,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view.canvas, event)
    qtbot.mouseRelease(view.canvas, button, pos=end)


# -- how much is drawn --


def test_one_notch_is_one_slice_and_one_paint_of_each_view(axial, model, paints):
    before = model.crosshair_ijk()
    turn(axial)
    assert model.crosshair_ijk() == (before[0], before[1], before[2] + 1)
    assert paints() == "111"  # a new slice here, the line that stands for it in the other two


def test_without_a_crosshair_only_the_view_that_changes_is_painted(axial, model, paints):
    model.change(show_crosshair=False)
    assert paints() == "111"
    turn(axial)
    assert paints() == "100"


def test_a_view_whose_crosshair_moves_keeps_its_picture(ortho, model, paints, monkeypatch):
    drawn = []
    real = slice_canvas.slice_picture
    monkeypatch.setattr(slice_canvas, "slice_picture", lambda *a, **k: drawn.append(a[1].plane) or real(*a, **k))
    turn(ortho.views[Plane.AXIAL])
    assert paints() == "111"
    assert drawn == [Plane.AXIAL]


def test_several_changes_in_a_row_are_painted_once(model, paints):
    for level in range(400, 500, 10):
        model.change(window=Window(level, 300))
    assert paints() == "111"


def test_a_change_that_is_none_paints_nothing(model, paints):
    model.change(window=model.state.window)
    model.change(crosshair_mm=model.state.crosshair_mm)
    assert paints() == "000"


def test_the_next_volume_in_the_same_view_is_painted(model, paints):
    model.show(_volume(1), keep_view=True)
    assert paints() == "111"


# -- gestures --


def test_fine_wheels_add_up_to_whole_slices(axial, model):
    start = axial.index
    for _ in range(4):
        turn(axial, 0.25)
    assert axial.index == start + 1
    turn(axial, -3)
    assert axial.index == start - 2


def test_the_wheel_stops_at_the_first_and_last_slice(axial):
    turn(axial, 1000)
    assert axial.index == SHAPE[2] - 1
    turn(axial, -1000)
    assert axial.index == 0


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Up, 20),
        (Qt.Key.Key_Down, 18),
        (Qt.Key.Key_PageUp, 29),
        (Qt.Key.Key_PageDown, 9),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_End, 39),
    ],
)
def test_keys_step_through_the_slices(key, expected, axial, qtbot):
    assert axial.index == 19
    qtbot.keyClick(axial.canvas, key)
    assert axial.index == expected


def test_other_keys_are_left_to_the_window(axial, qtbot, model):
    before = model.state
    qtbot.keyClick(axial.canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(axial.canvas, Qt.Key.Key_X)
    assert model.state == before


@pytest.mark.parametrize("plane", list(Plane))
def test_a_click_sets_the_crosshair_to_the_voxel_under_it(plane, ortho, model, qtbot):
    view = ortho.views[plane]
    wanted = (3, 25, 33)
    model.set_crosshair_ijk(tuple(w if axis == plane.through_axis else 10 for axis, w in enumerate(wanted)))
    place = view.canvas.projection().to_pane(wanted).toPoint()
    qtbot.mouseClick(view.canvas, LEFT, pos=place)
    assert model.crosshair_ijk() == wanted
    assert model.volume.mm_to_ijk(model.state.crosshair_mm) == pytest.approx(wanted)  # on the voxel's centre


def test_a_drag_beyond_the_edge_stays_in_the_volume(axial, model, qtbot):
    drag(qtbot, axial, LEFT, axial.canvas.rect().center(), QPoint(-500, 5000))
    assert model.crosshair_ijk()[:2] == (SHAPE[0] - 1, 0)  # left is right, bottom is posterior


def test_a_right_drag_sets_the_window(axial, model, qtbot):
    start = QPoint(100, 200)
    drag(qtbot, axial, RIGHT, start, start + QPoint(50, 0))
    assert model.state.window.width > 1000
    assert model.state.window.level == 500
    drag(qtbot, axial, RIGHT, start, start + QPoint(0, -50))
    assert model.state.window.level > 500


def test_a_window_drag_is_in_proportion_to_the_width():
    narrow, wide = dragged_window(Window(0, 1), 100, -25), dragged_window(Window(0, 4000), 100, -25)
    assert wide.width / narrow.width == pytest.approx(4000)
    assert wide.level / narrow.level == pytest.approx(4000)
    assert dragged_window(Window(0, 1), -1e6, 0).width > 0


def test_a_middle_drag_moves_the_picture_with_the_mouse(axial, model, qtbot):
    voxel = (5, 5, axial.index)
    before = axial.canvas.projection().to_pane(voxel)
    drag(qtbot, axial, MIDDLE, QPoint(100, 100), QPoint(130, 90))
    moved = axial.canvas.projection().to_pane(voxel) - before
    assert (moved.x(), moved.y()) == pytest.approx((30, -10))
    assert model.state.pan_mm[2] == 0


def test_panning_is_shared_where_planes_share_an_axis(ortho, model, qtbot):
    coronal = ortho.views[Plane.CORONAL].canvas
    voxel = (5, 5, 5)
    before = coronal.projection().to_pane(voxel)
    drag(qtbot, ortho.views[Plane.AXIAL], MIDDLE, QPoint(100, 100), QPoint(130, 100))
    moved = coronal.projection().to_pane(voxel) - before
    assert moved.x() > 0
    assert moved.y() == pytest.approx(0)


def test_ctrl_wheel_zooms_about_the_mouse(axial, model):
    mouse = QPoint(120, 250)
    under = axial.canvas.projection().to_ijk(QPointF(mouse), axial.index)
    turn(axial, 3, Qt.KeyboardModifier.ControlModifier, at=mouse)
    assert model.state.zoom > 1.5
    assert axial.canvas.projection().to_ijk(QPointF(mouse), axial.index) == pytest.approx(under)
    turn(axial, 1000, Qt.KeyboardModifier.ControlModifier, at=mouse)
    assert model.state.zoom == 40


def test_a_double_click_shows_the_view_alone_and_back(axial, ortho, model, qtbot):
    model.change(layout=Layout.ROW)
    qtbot.mouseDClick(axial.canvas, LEFT, pos=QPoint(50, 50))
    assert (model.state.layout, model.state.large) == (Layout.LARGE, "axial")
    assert [plane for plane, view in ortho.views.items() if view.isVisible()] == [Plane.AXIAL]
    qtbot.mouseDClick(axial.canvas, LEFT, pos=QPoint(50, 50))
    assert model.state.layout is Layout.ROW


def test_hovering_outside_the_volume_reads_nothing(ortho, axial, qtbot):
    heard = []
    ortho.hovered.connect(heard.append)
    qtbot.mouseMove(axial.canvas, axial.canvas.rect().center())
    qtbot.mouseMove(axial.canvas, QPoint(1, 1))
    assert heard[-1] is None


# -- slider, cine, words --


def test_slider_and_slice_follow_each_other(axial, model):
    slider = axial.findChild(QSlider)
    slider.setValue(7)
    assert axial.index == 7
    model.set_crosshair_ijk((0, 0, 12))
    assert (slider.value(), slider.maximum()) == (12, SHAPE[2] - 1)


def test_the_footer_says_which_slice_and_where(axial, model):
    model.set_crosshair_ijk((3, 4, 12))
    assert [label.text() for label in axial.findChildren(QLabel)] == ["13 / 40", "S 12.0 mm"]


def test_cine_plays_over_and_over_until_stopped(ortho, axial, qtbot):
    turn(axial, 1000)
    ortho.toggle_cine()
    playing = next(view for view in ortho.views.values() if view.cine)
    seen = []
    playing.painted.connect(lambda: seen.append(playing.index))
    qtbot.waitUntil(lambda: len(seen) >= 3, timeout=3000)
    ortho.toggle_cine()
    assert not any(view.cine for view in ortho.views.values())
    assert seen[1] == (seen[0] + 1) % SHAPE[playing.plane.through_axis]


def test_a_hidden_view_stops_playing(axial, model):
    axial.set_cine(True)
    model.change(layout=Layout.LARGE, large="coronal")
    assert not axial.cine


@pytest.mark.parametrize(
    ("px_per_mm", "pane", "expected"), [(2, 400, 50), (0.5, 400, 200), (100, 400, 1), (2, 120, None), (2, 160, None)]
)
def test_the_scale_bar_has_a_round_length(px_per_mm, pane, expected):
    assert scale_bar_mm(px_per_mm, pane) == expected
