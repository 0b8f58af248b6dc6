"""The 3D pane with the real render process: where things are in the picture, what the settings do, what goes wrong."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nibabel.orientations as nibo
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from synthview.gui.render3d.settings import with_clipping
from synthview.gui.state import Layout, ViewModel
from synthview.gui.views.volume_view import VolumeView
from synthview.volume import Volume, VolumeKind, Window

LONG = 60_000  # ms; a first picture takes about a second on a free machine
SHARED_MEMORY = Path("/dev/shm")
NO_OPENGL = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent", "LIBGL_DRIVERS_PATH": "/nonexistent", "DISPLAY": ""}


def corner_volume(codes="RAS", *, turn=0.0, kind=VolumeKind.UNKNOWN, value=1.0):
    """A bright block at the right, anterior, superior corner, stored in that axis order; ``turn`` about S, degrees."""
    voxels = np.zeros((40, 30, 20), np.float32)
    voxels[30:38, 22:28, 14:19] = value
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    affine = np.diag([1.0, 1.5, 2.0, 1.0])  # anisotropic
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] = (-50, 20, 300)
    ornt = nibo.ornt_transform(nibo.axcodes2ornt("RAS"), nibo.axcodes2ornt(codes))
    stored = nibo.apply_orientation(voxels, ornt)
    return Volume(stored, affine @ nibo.inv_ornt_aff(ornt, voxels.shape), kind=kind, window=Window(0.5, 1.0))


def settle(qtbot, view):
    """Wait for the full picture of what is wanted and return its brightness, (height, width)."""
    qtbot.waitUntil(lambda: view.settled, timeout=LONG)
    return view.frame.pixels.max(axis=2)


def bright_place(brightness):
    """Centre of what is bright: right and up, each from -1 to 1."""
    rows, columns = np.nonzero(brightness > 40)
    assert rows.size > 20, "nothing to be seen"
    height, width = brightness.shape
    return 2 * columns.mean() / width - 1, 1 - 2 * rows.mean() / height


@pytest.fixture
def model():
    return ViewModel()


@pytest.fixture
def view(qtbot, model):
    view = VolumeView(model)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    qtbot.waitExposed(view)
    yield view
    view.close()


SIDES = {"A": (-1, 1), "P": (1, 1), "R": (1, 1), "L": (-1, 1), "S": (1, 1), "I": (-1, 1)}  # right, up of the corner


@pytest.mark.parametrize(("codes", "turn"), [("RAS", 0), ("LAS", 0), ("SPL", 0), ("LPI", 0), ("RAS", 25), ("LIA", -20)])
def test_the_corner_is_where_it_belongs_from_every_side(qtbot, model, view, codes, turn):
    model.show(corner_volume(codes, turn=turn))
    for side, (right, up) in SIDES.items():
        view.view_from(side)
        x, y = bright_place(settle(qtbot, view))
        assert x * right > 0.1, f"{side}: {x:.2f}, {y:.2f}"
        assert y * up > 0.1, f"{side}: {x:.2f}, {y:.2f}"


def test_near_things_hide_far_ones(qtbot, model, view):
    voxels = np.zeros((40, 40, 40), np.float32)
    voxels[10:30, 30:35, 10:30] = 0.5  # anterior
    voxels[10:30, 5:10, 10:30] = 1.0  # posterior, brighter
    model.show(Volume(voxels, np.eye(4), window=Window(0.5, 1.0)))
    view.view_from("A")
    from_front = settle(qtbot, view)[100, 100]
    view.view_from("P")
    assert settle(qtbot, view)[100, 100] > from_front + 20


def test_the_clipping_box_cuts_in_patient_directions(qtbot, model, view):
    model.show(corner_volume("LPI"))
    view.view_from("A")
    assert settle(qtbot, view).max() > 80
    for box, seen in (
        ((0, 0.6, 0, 1, 0, 1), False),  # the right part is cut away
        ((0.6, 1, 0, 1, 0, 1), True),
        ((0, 1, 0, 0.6, 0, 1), False),
        ((0, 1, 0.6, 1, 0, 1), True),
        ((0, 1, 0, 1, 0, 0.6), False),
        ((0, 1, 0, 1, 0.6, 1), True),
    ):
        view.set_settings(replace(view.settings, clipped=True, box=box))
        assert bool(settle(qtbot, view).max() > 40) == seen, box
    view.set_settings(with_clipping(view.settings, False))
    assert settle(qtbot, view).max() > 80


def test_threshold_opacity_and_preset_change_the_picture(qtbot, model, view):
    model.show(corner_volume(value=0.6))
    before = settle(qtbot, view)
    view.set_settings(replace(view.settings, threshold=0.7))
    assert settle(qtbot, view).max() < 10
    view.set_settings(replace(view.settings, threshold=0.3))
    assert settle(qtbot, view).max() > 40
    view.set_settings(replace(view.settings, threshold=None, opacity=0.05))
    assert settle(qtbot, view).max() < before.max() * 0.7
    view.set_settings(replace(view.settings, opacity=0.5, preset="brain-mri"))
    settle(qtbot, view)
    red, _, blue = (view.frame.pixels[..., n].max() for n in range(3))
    assert red > blue + 10, "the brain preset is warm, the generic one grey"


def test_zoom_and_pan_move_the_picture(qtbot, model, view):
    model.show(corner_volume())
    view.view_from("A")
    at_first = settle(qtbot, view)
    x, _ = bright_place(at_first)
    view.set_camera(view.camera.panned(0.2, 0))
    moved = bright_place(settle(qtbot, view))[0] - x
    assert 0.4 < moved < 0.5  # two fifths of the half width, and a little more as the block is near the eye
    view.view_from("A")
    view.set_camera(view.camera.zoomed(0.7))
    assert (settle(qtbot, view) > 40).sum() < 0.6 * (at_first > 40).sum()


def test_tissue_maps_have_their_own_colours_and_no_holes(qtbot, model, view):
    i, j, k = np.indices((64, 64, 64)) - 31.5
    inside = (i**2 + j**2 + k**2 < 28**2).astype(np.float32)
    zero = np.zeros_like(inside)
    model.show(Volume(np.stack([zero, inside, zero]), np.eye(4), kind=VolumeKind.TISSUE_MAP))
    brightness = settle(qtbot, view)
    rows, columns = np.indices(brightness.shape) - 99.5
    ball = rows**2 + columns**2 < 50**2
    assert brightness[ball].min() > 40
    red, _, blue = (view.frame.pixels[ball][:, n].mean() for n in range(3))
    assert red > 1.3 * blue, "grey matter is reddish"


def test_gestures_turn_and_zoom_and_the_wheel_works(qtbot, model, view):
    model.show(corner_volume())
    settle(qtbot, view)
    start = view.camera
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(140, 100))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(140, 100))
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Up)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.camera.elevation == start.elevation - 10
    assert view.camera.zoom > start.zoom
    settle(qtbot, view)
    view.reset_view()
    assert view.camera == start
    settle(qtbot, view)


def test_double_click_shows_the_pane_alone_and_brings_the_others_back(qtbot, model, view):
    model.change(layout=Layout.ROW)
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton)
    assert (model.state.layout, model.state.large) == (Layout.LARGE, "3d")
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton)
    assert model.state.layout is Layout.ROW


def test_while_something_moves_pictures_are_quick_and_then_full(qtbot, model, view):
    view.resize(400, 400)
    model.show(corner_volume())
    settle(qtbot, view)
    frames = []
    view.frame_shown.connect(frames.append)
    for _ in range(5):
        view.set_camera(view.camera.rotated(5, 0))
        qtbot.wait(20)
    settle(qtbot, view)
    assert frames[0].view.moving
    assert not frames[-1].view.moving
    assert frames[-1].pixels.shape[:2] == (400, 400)
    assert frames[-1].view.camera == view.camera


def test_a_moving_slider_shows_the_newest_volume(qtbot, model, view):
    rng = np.random.default_rng(0)
    for _ in range(4):
        model.show(Volume(rng.random((64, 64, 64)).astype(np.float32), np.eye(4)), keep_view=True)
        qtbot.wait(30)
    model.show(corner_volume(), keep_view=True)
    view.view_from("A")
    x, y = bright_place(settle(qtbot, view))
    assert x < -0.1 < 0.1 < y


def test_showing_a_large_volume_costs_the_window_little(qtbot, model, view):
    model.show(corner_volume())
    settle(qtbot, view)
    volume = Volume(np.random.default_rng(0).random((256, 256, 256), np.float32), np.eye(4), window=Window(0.5, 1.0))
    before = time.thread_time()
    model.show(volume, keep_view=True)
    qtbot.waitUntil(lambda: view.frame is not None and view.facts.longest_mm == 256, timeout=LONG)
    assert time.thread_time() - before < 0.25  # of the GUI thread's own time, painting and waiting included
    before = time.thread_time()
    model.show(volume, keep_view=True)
    assert time.thread_time() - before < 0.02


def test_the_grabbed_image_is_the_pane(qtbot, model, view):
    model.show(corner_volume())
    settle(qtbot, view)
    image = view.grab_image()
    assert image.size() == view.size() * view.devicePixelRatioF()
    greys = {image.pixelColor(x, y).lightness() for x in range(0, 200, 4) for y in range(0, 200, 4)}
    assert max(greys) > 60
    assert min(greys) == 0


def test_without_a_volume_nothing_starts_and_nothing_is_claimed(qtbot, model, view):
    qtbot.wait(300)
    assert view.client.process_id is None
    model.show(corner_volume())
    settle(qtbot, view)
    assert view.client.process_id is not None


def test_a_hidden_pane_does_not_draw(qtbot, model, view):
    model.show(corner_volume())
    settle(qtbot, view)
    view.hide()
    with qtbot.assertNotEmitted(view.frame_shown, wait=500):
        view.set_camera(view.camera.rotated(20, 0))
    view.show()
    settle(qtbot, view)
    assert view.frame.view.camera == view.camera


def test_a_killed_process_is_replaced(qtbot, model, view):
    model.show(corner_volume())
    settle(qtbot, view)
    first = view.client.process_id
    os.kill(first, signal.SIGKILL)
    view.view_from("A")
    x, y = bright_place(settle(qtbot, view))
    assert x < -0.1 < 0.1 < y
    assert view.client.process_id != first


def test_a_process_that_keeps_dying_is_given_up_with_a_sentence(qtbot, model, view):
    killed = set()

    def kill_again():
        pid = view.client.process_id
        if pid is not None and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return bool(view.failure_text)

    model.show(corner_volume())
    qtbot.waitUntil(kill_again, timeout=LONG)
    assert "times in a row" in view.failure_text
    view.retry()
    settle(qtbot, view)
    assert not view.failure_text


def test_switched_off_says_so(qtbot, model, view, monkeypatch):
    monkeypatch.setenv("SYNTHVIEW_3D", "off")
    with qtbot.waitSignal(view.failed, timeout=LONG):
        model.show(corner_volume())
    assert "SYNTHVIEW_3D" in view.failure_text
    assert view.client.process_id is None
    monkeypatch.delenv("SYNTHVIEW_3D")
    view.retry()
    settle(qtbot, view)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="takes Mesa's drivers away by environment")
def test_without_any_opengl_the_pane_says_why(qtbot, model, view, monkeypatch):
    for name, value in NO_OPENGL.items():
        monkeypatch.setenv(name, value)
    with qtbot.waitSignal(view.failed, timeout=LONG) as failed:
        model.show(corner_volume())
    assert "OpenGL" in failed.args[0].reason
    assert failed.args[0].reason in view.failure_text
    assert "slices work without it" in view.failure_text
    for name in NO_OPENGL:
        monkeypatch.delenv(name)
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        view.retry()
        settle(qtbot, view)


def test_graphics_processor_code_path_draws_the_same_scene(qtbot, model, view, monkeypatch):
    """Here on software OpenGL, where it is slow; the picture must be right all the same."""
    monkeypatch.setenv("SYNTHVIEW_3D", "gpu")
    with qtbot.waitSignal(view.client.started, timeout=LONG) as started:
        view.resize(100, 100)
        model.show(corner_volume("LAS"))
    assert started.args[0].gpu
    view.view_from("A")
    x, y = bright_place(settle(qtbot, view))
    assert x < -0.1 < 0.1 < y
    view.set_settings(replace(view.settings, clipped=True, box=(0, 0.6, 0, 1, 0, 1)))
    assert settle(qtbot, view).max() < 40


def test_closing_leaves_no_process_and_no_shared_memory(qtbot, model):
    before = set(SHARED_MEMORY.glob("psm_*")) if SHARED_MEMORY.is_dir() else set()
    view = VolumeView(model)
    qtbot.addWidget(view)
    view.resize(100, 100)
    view.show()
    model.show(corner_volume())
    settle(qtbot, view)
    pid = view.client.process_id
    during = set(SHARED_MEMORY.glob("psm_*")) - before if SHARED_MEMORY.is_dir() else set()
    view.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not {path for path in during if path.exists()}
    view.close()  # twice is no problem


def test_the_window_never_loads_vtk():
    code = (
        "import sys, synthview.gui.views.volume_view, synthview.gui.panels.render; "
        "sys.exit(', '.join(m for m in sys.modules if m.split('.')[0] in ('vtk', 'vtkmodules', 'torch')) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
