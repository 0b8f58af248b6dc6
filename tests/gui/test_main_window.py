"""The whole window, with its real worker and render processes: open, generate, look, save, open again."""

import json
import os
import signal
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog

from synthview.gui.dialogs import open_argument
from synthview.gui.main_window import MainWindow
from synthview.gui.state import Layout, Plane
from synthview.resources import bundled_checkpoints, resource_path
from synthview.volume import Volume, load_volume
from tests.small_checkpoint import write_sigmarat

WAIT_MS = 60_000


@pytest.fixture
def window(qtbot, monkeypatch):
    monkeypatch.setenv("SYNTHVIEW_3D", "off")  # the 3D pane has tests of its own
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=MainWindow.shut_down)
    window.resize(1400, 900)
    with qtbot.waitActive(window):  # keys go to the active window only
        window.show()
        window.activateWindow()
    return window


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return write_sigmarat(folder / "G_iter200000.pth")


def _made(window, qtbot, act):
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS) as made:
        act()
    return made.args[0]


def _opened(window, qtbot, path):
    with qtbot.waitSignal(window.documents.opened, timeout=WAIT_MS):
        window.open_paths([path])


def _say_where_to_save(monkeypatch, path: Path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "Compressed NIfTI (*.nii.gz)"))


def test_a_checkpoint_is_opened_generates_and_follows_the_keys(window, checkpoint, qtbot):
    first = _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    assert first.provenance.seed == 0
    second = _made(window, qtbot, lambda: qtbot.keyClick(window, Qt.Key.Key_BracketRight))
    assert second.provenance.seed == 1
    assert window.model.original is second
    assert not np.array_equal(first.voxels, second.voxels)
    undone = _made(window, qtbot, window.actions_by_id["undo"].trigger)
    np.testing.assert_array_equal(undone.voxels, first.voxels)
    assert window.settings.recent("checkpoints") == [checkpoint]


def test_a_bundled_generator_opened_by_a_relative_path_has_one_card(window, qtbot, monkeypatch):
    folder = bundled_checkpoints()["rat-t2star"]
    monkeypatch.chdir(folder.parent)
    _made(window, qtbot, lambda: window.open_paths([Path(folder.name)]))
    assert list(window.generation._library._cards) == list(bundled_checkpoints().values())


def test_a_made_volume_is_saved_opened_again_and_sets_the_controls(window, checkpoint, qtbot, tmp_path, monkeypatch):
    _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    made = _made(window, qtbot, lambda: qtbot.keyClick(window, Qt.Key.Key_BracketRight))
    target = tmp_path / "sample.nii.gz"
    _say_where_to_save(monkeypatch, target)
    with qtbot.waitSignal(window.documents.saved, timeout=WAIT_MS):
        window.actions_by_id["save"].trigger()
    np.testing.assert_array_equal(nib.load(target).get_fdata(dtype=np.float32), made.voxels)
    assert json.loads((tmp_path / "sample.json").read_text("utf-8"))["provenance"]["seed"] == 1

    _made(window, qtbot, lambda: qtbot.keyClick(window, Qt.Key.Key_R))
    _opened(window, qtbot, target)
    assert "seed 1" in window.message.text
    again = _made(window, qtbot, window.actions_by_id["adopt"].trigger)
    np.testing.assert_array_equal(again.voxels, made.voxels)
    assert window.controls.request().seed == 1


def test_a_killed_worker_is_said_and_the_next_generate_works(window, checkpoint, qtbot):
    _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    with qtbot.waitSignal(window.generation.worker.restarted, timeout=WAIT_MS):
        os.kill(window.generation.worker.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "worker" in window.message.text.lower())
    volume = _made(window, qtbot, lambda: qtbot.keyClick(window, Qt.Key.Key_Return))
    assert volume.provenance.seed == 0


def test_hagan_s_size_is_asked_once(window, qtbot, shared, monkeypatch):
    asked = []

    def answer(error, _parent):
        asked.append(error.argument.choices)
        return "128"

    monkeypatch.setattr("synthview.gui.generation.ask_argument", answer)
    assert callable(open_argument.ask_argument)
    pack = shared / "conformance" / "hagan_128" / "G_iter80000.pth"
    volume = _made(window, qtbot, lambda: window.open_paths([pack]))
    assert volume.shape == (128, 128, 128)
    again = _made(window, qtbot, lambda: window.open_paths([pack]))
    assert again.shape == (128, 128, 128)
    assert asked == [("128", "256", "144x192x144")]


def test_a_question_not_answered_leaves_things_as_they_were(window, qtbot, shared, monkeypatch):
    monkeypatch.setattr("synthview.gui.generation.ask_argument", lambda *_: None)
    with qtbot.waitSignal(window.generation.failed, timeout=WAIT_MS) as failed:
        window.open_paths([shared / "conformance" / "hagan_128" / "G_iter80000.pth"])
    assert "G_iter80000.pth" in failed.args[0]
    assert window.generation.info is None


@pytest.mark.parametrize("name", ["cut.pth", "empty.pth", "notes.txt"])
def test_a_bad_checkpoint_is_one_sentence_above_the_views(window, qtbot, tmp_path, checkpoint, name):
    path = tmp_path / name
    path.write_bytes({"cut.pth": checkpoint.read_bytes()[:5000], "empty.pth": b"", "notes.txt": b"hello"}[name])
    with qtbot.waitSignal(window.generation.failed, timeout=WAIT_MS):
        window.open_paths([path])
    assert name in window.message.text
    assert "\n" not in window.message.text


def test_a_file_that_is_not_there_is_said(window):
    window.open_paths([Path("nowhere") / "x.nii.gz"])
    assert "x.nii.gz does not exist" in window.message.text


def test_a_dropped_volume_is_shown(window, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(resource_path("demo", "colin27_T1w.nii.gz")))])
    event = QDropEvent(
        QPoint(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    with qtbot.waitSignal(window.documents.opened, timeout=WAIT_MS):
        window.dropEvent(event)
    assert window.model.original.shape == (181, 217, 181)
    assert "colin27" in window.windowTitle()


def test_the_keys_change_how_the_volume_is_looked_at(window, qtbot):
    _opened(window, qtbot, resource_path("demo", "colin27_T1w.nii.gz"))
    state = lambda: window.model.state  # noqa: E731
    for key, field, value in (
        (Qt.Key.Key_X, "show_crosshair", False),
        (Qt.Key.Key_I, "interpolated", False),
        (Qt.Key.Key_N, "inverted", True),
        (Qt.Key.Key_O, "radiological", False),
    ):
        qtbot.keyClick(window, key)
        assert getattr(state(), field) is value
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    assert state().zoom > 1
    qtbot.keyClick(window, Qt.Key.Key_0)
    assert state().zoom == 1
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert state().layout is Layout.LARGE
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert state().layout is Layout.QUAD


def test_window_presets_come_with_a_ct(window, qtbot, tmp_path):
    voxels = np.linspace(-1000, 1000, 8**3, dtype=np.int16).reshape(8, 8, 8)
    path = Volume(voxels, np.eye(4), kind="CT", unit="HU").save(tmp_path / "ct.nii")
    assert load_volume(path).kind == "CT"
    _opened(window, qtbot, path)
    qtbot.keyClick(window, Qt.Key.Key_2)
    assert (window.model.state.window.width, window.model.state.window.level) == (1500, -600)


def test_the_window_is_as_it_was_left(window, qtbot):
    window.model.change(radiological=False, layout=Layout.ROW)
    smaller = window.size().boundedTo(window.screen().availableSize()) - QSize(0, 111)
    window.resize(smaller)
    window.close()
    again = MainWindow()
    qtbot.addWidget(again, before_close_func=MainWindow.shut_down)
    assert again.height() == smaller.height()
    assert again.model.state.radiological is False
    assert again.model.state.layout is Layout.ROW
    assert again.actions_by_id["neurological"].isChecked()


def test_a_narrow_window_gives_the_right_dock_s_room_to_the_views(window, qtbot):
    window.resize(1000, 800)
    qtbot.waitUntil(lambda: not window.right_dock.isVisible())
    window.resize(1400, 800)
    qtbot.waitUntil(window.right_dock.isVisible)


def test_a_screenshot_holds_the_views(window, qtbot, tmp_path, monkeypatch):
    _opened(window, qtbot, resource_path("demo", "colin27_T1w.nii.gz"))
    path = tmp_path / "shot.png"
    _say_where_to_save(monkeypatch, path)
    window.actions_by_id["screenshot"].trigger()
    picture = window.ortho.grab_image()
    assert path.stat().st_size > 10_000
    center = window.ortho.views[Plane.AXIAL].geometry().center()
    assert any(picture.pixelColor(center + QPoint(dx, 7)).value() > 50 for dx in range(0, 60, 5))
