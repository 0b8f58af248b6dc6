"""The 3D controls: they show the view's settings and change them."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from synthview.gui.panels.range_slider import RangeSlider
from synthview.gui.panels.render import RenderPanel
from synthview.gui.render3d.camera import SIDES, Camera
from synthview.gui.render3d.settings import AUTOMATIC, RenderSettings, VolumeFacts
from synthview.gui.state import ViewModel
from synthview.gui.views.volume_view import VolumeView
from synthview.volume import Volume, VolumeKind, Window

CT = VolumeFacts(VolumeKind.CT, "HU", Window(40, 400), -1024, 3071, colored=False, longest_mm=400)
TISSUES = VolumeFacts(VolumeKind.TISSUE_MAP, "", Window(0.5, 1), 0, 1, colored=True, longest_mm=200)


@pytest.fixture
def view(qtbot):
    """A view that is never shown: no process starts, and its settings are what is tested."""
    view = VolumeView(ViewModel())
    qtbot.addWidget(view)
    return view


@pytest.fixture
def panel(qtbot, view):
    panel = RenderPanel(view)
    qtbot.addWidget(panel)
    panel.resize(248, 400)
    panel.show()
    view.client.described.emit(CT)
    return panel


def test_it_offers_the_presets_that_can_draw_the_volume(view, panel):
    titles = [panel.preset_box.itemText(n) for n in range(panel.preset_box.count())]
    assert titles[0] == "CT lung (automatic)"
    assert {"CT lung", "CT bone", "Brain MRI"} <= set(titles)
    assert "Tissue map" not in titles
    view.client.described.emit(TISSUES)
    titles = [panel.preset_box.itemText(n) for n in range(panel.preset_box.count())]
    assert titles == ["Tissue map (automatic)", "Tissue map"]


def test_choosing_a_preset_brings_its_own_threshold(view, panel):
    view.set_settings(replace(view.settings, threshold=-500))
    panel.preset_box.setCurrentIndex(panel.preset_box.findData("ct-bone"))
    panel.preset_box.activated.emit(panel.preset_box.currentIndex())
    assert view.settings == RenderSettings("ct-bone")
    assert panel.threshold_box.value() == 150
    assert panel.threshold_box.suffix() == " HU"


def test_a_typed_threshold_and_the_slider_agree(view, panel):
    panel.threshold_box.setValue(300)
    assert view.settings.threshold == 300
    low, high = panel.threshold_box.minimum(), panel.threshold_box.maximum()
    assert panel.threshold_slider.value() == pytest.approx(1000 * (300 - low) / (high - low), abs=1)
    panel.threshold_slider.setValue(1000)
    assert view.settings.threshold == panel.threshold_box.value() == high


def test_opacity_shading_and_clipping(view, panel):
    panel.opacity_slider.setValue(800)
    panel.preset_box.setCurrentIndex(panel.preset_box.findData("ct-bone"))
    panel.preset_box.activated.emit(panel.preset_box.currentIndex())
    assert panel.shading_box.isEnabled()
    panel.shading_box.setChecked(False)
    panel.clip_box.setChecked(True)
    assert view.settings.opacity == 0.8
    assert not view.settings.shaded
    assert view.settings.clipped
    panel.set_clipping(False)
    assert not panel.clip_box.isChecked()


def test_moving_a_side_of_the_box_switches_it_on(view, panel):
    panel.box_sliders[2].moved.emit(0.0, 0.7)  # what a drag does
    assert view.settings.clipped
    panel.box_sliders[2].set_ends(0.0, 0.7)
    panel.box_sliders[2].moved.emit(0.0, 0.7)
    assert view.settings.box == (0, 1, 0, 1, 0, 0.7)
    assert panel.clip_box.isChecked()


def test_it_follows_settings_made_elsewhere(view, panel):
    made = RenderSettings("ct-bone", 0.3, 200, shaded=False, clipped=True, box=(0.1, 0.9, 0.2, 0.8, 0.3, 0.7))
    view.set_settings(made)
    assert view.settings == made, "showing settings must not change them"
    assert panel.preset_box.currentData() == "ct-bone"
    assert panel.opacity_slider.value() == 300
    assert panel.threshold_box.value() == 200
    assert not panel.shading_box.isChecked()
    assert [slider.ends() for slider in panel.box_sliders] == [(0.1, 0.9), (0.2, 0.8), (0.3, 0.7)]


def test_a_threshold_of_another_kind_of_volume_is_dropped(view, panel):
    view.set_settings(RenderSettings("generic", threshold=300))
    view.client.described.emit(replace(CT, kind=VolumeKind.T1W, unit=""))
    assert view.settings == RenderSettings("generic")


def test_looking_from_each_side(view, panel):
    for side, button in panel.side_buttons.items():
        button.click()
        assert (view.camera.azimuth, view.camera.elevation) == SIDES[side]
    view.reset_view()
    assert view.camera == Camera()


def test_without_a_volume_there_is_nothing_to_set(qtbot, view):
    panel = RenderPanel(view)
    qtbot.addWidget(panel)
    assert not panel.preset_box.isEnabled()
    assert not panel.threshold_box.isEnabled()
    assert view.settings.preset == AUTOMATIC


def test_the_controls_change_the_picture(qtbot):
    model = ViewModel()
    view = VolumeView(model)
    panel = RenderPanel(view)
    qtbot.addWidget(view)
    qtbot.addWidget(panel)
    view.resize(120, 120)
    view.show()
    voxels = np.zeros((32, 32, 32), np.int16)
    voxels[8:24, 8:24, 8:24] = 400
    model.show(Volume(voxels - 1000 * (voxels == 0), np.eye(4), kind=VolumeKind.CT, unit="HU"))
    panel.preset_box.setCurrentIndex(0)
    qtbot.waitUntil(lambda: view.settled, timeout=60_000)
    panel.preset_box.setCurrentIndex(panel.preset_box.findData("ct-bone"))
    panel.preset_box.activated.emit(panel.preset_box.currentIndex())
    qtbot.waitUntil(lambda: view.settled, timeout=60_000)
    assert view.frame.pixels.max() > 80
    panel.threshold_box.setValue(700)
    qtbot.waitUntil(lambda: view.settled, timeout=60_000)
    assert view.frame.pixels.max() < 10


@pytest.fixture
def slider(qtbot):
    slider = RangeSlider()
    qtbot.addWidget(slider)
    slider.resize(214, 20)  # 200 px from end to end
    slider.show()
    return slider


def test_dragging_a_handle_moves_that_end(qtbot, slider):
    moves = []
    slider.moved.connect(lambda low, high: moves.append((low, high)))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    qtbot.mouseMove(slider, QPoint(57, 10))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(57, 10))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(157, 10))
    assert slider.ends() == pytest.approx((0.25, 0.75))
    assert moves[-1] == slider.ends()


def test_handles_never_cross(qtbot, slider):
    slider.set_ends(0.4, 0.5)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(86, 10))
    qtbot.mouseMove(slider, QPoint(200, 10))
    low, high = slider.ends()
    assert low < high == 0.5
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(200, 10))


def test_keys_move_the_active_handle(qtbot, slider):
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Space)
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert slider.ends() == pytest.approx((0.01, 0.9))
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert slider.ends() == pytest.approx((0.01, 1.0))
