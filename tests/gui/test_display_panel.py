"""The display panel: bound both ways, without loops; histogram handles, numbers, presets, colour maps."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPushButton

from synthview.gui.colormaps import colormap, colormap_names, rgb32_table, tissue_colors, tissue_names
from synthview.gui.panels.display import DisplayPanel
from synthview.gui.panels.histogram import HistogramStrip, bar_heights
from synthview.gui.state import ViewModel
from synthview.volume import Volume, VolumeKind, Window
from synthview.volume.summary import Histogram


@pytest.fixture
def model(qtbot):
    return ViewModel()


@pytest.fixture
def panel(model, qtbot):
    widget = DisplayPanel(model)
    qtbot.addWidget(widget)
    widget.resize(248, 500)
    widget.show()
    return widget


def _ct():
    voxels = np.random.default_rng(0).integers(-1000, 1500, (20, 20, 20)).astype(np.int16)
    return Volume(voxels, np.eye(4), VolumeKind.CT, "HU", Window(40, 400))


def _boxes(panel):
    return panel.findChildren(QDoubleSpinBox)


def _combo(panel, name):
    return next(combo for combo in panel.findChildren(QComboBox) if combo.accessibleName() == name)


def _button(panel, text):
    kinds = [*panel.findChildren(QPushButton), *panel.findChildren(QCheckBox)]
    return next(button for button in kinds if button.text() == text)


def test_without_a_volume_there_is_no_window_to_set(panel):
    assert not any(box.isEnabled() for box in _boxes(panel))
    assert _combo(panel, "Colour map").isEnabled()


def test_the_panel_follows_the_model_and_says_nothing_back(panel, model, qtbot):
    model.show(_ct())
    heard = []
    model.state_changed.connect(lambda old, new: heard.append(new))
    model.change(window=Window(-600, 1500), colormap="magma", inverted=True, interpolated=False, radiological=False)
    assert len(heard) == 1
    level, width = _boxes(panel)
    assert (level.value(), width.value()) == (-600, 1500)
    assert level.text() == "-600 HU"
    assert _combo(panel, "Window preset").currentText() == "Lung"
    assert _combo(panel, "Colour map").currentText() == "Magma"
    assert _button(panel, "Invert").isChecked()
    assert not _button(panel, "Smooth between voxels").isChecked()
    assert _button(panel, "Neurological").isChecked()


def test_numbers_typed_become_the_window(panel, model):
    model.show(_ct())
    level, width = _boxes(panel)
    level.setValue(100)
    width.setValue(50)
    assert model.state.window == Window(100, 50)
    assert _combo(panel, "Window preset").currentIndex() == -1


def test_a_width_of_nothing_cannot_be_typed(panel, model):
    model.show(_ct())
    _, width = _boxes(panel)
    width.setValue(0)
    assert model.state.window.width > 0
    width.setValue(-5)
    assert model.state.window.width > 0


def test_a_small_window_shows_its_digits(panel, model):
    model.show(Volume(np.random.default_rng(0).random((9, 9, 9)), np.eye(4)))
    model.change(window=Window(0.123456, 0.01))
    level, _ = _boxes(panel)
    assert level.value() == pytest.approx(0.1235)
    assert model.state.window == Window(0.123456, 0.01)  # showing it rounded does not round it


def test_presets_and_auto(panel, model, qtbot):
    model.show(_ct())
    presets = _combo(panel, "Window preset")
    assert [presets.itemText(row) for row in range(3)] == ["Automatic", "Lung", "Soft tissue"]
    presets.setCurrentIndex(presets.findText("Bone"))
    presets.activated.emit(presets.currentIndex())
    assert model.state.window == Window(400, 1800)
    qtbot.mouseClick(_button(panel, "Auto"), Qt.MouseButton.LeftButton)
    assert model.state.window == Window(40, 400)


@pytest.mark.parametrize(
    ("text", "field"),
    [("Invert", "inverted"), ("Smooth between voxels", "interpolated"), ("Crosshair", "show_crosshair")],
)
def test_switches(text, field, panel, model):
    before = getattr(model.state, field)
    _button(panel, text).click()
    assert getattr(model.state, field) is not before


def test_radiological_and_neurological_exclude_each_other(panel, model):
    _button(panel, "Neurological").click()
    assert not model.state.radiological
    assert not _button(panel, "Radiological").isChecked()
    _button(panel, "Radiological").click()
    assert model.state.radiological


def test_choosing_a_colour_map(panel, model):
    combo = _combo(panel, "Colour map")
    combo.setCurrentIndex(combo.findData("viridis"))
    combo.activated.emit(combo.currentIndex())
    assert model.state.colormap == "viridis"
    assert not combo.itemIcon(0).isNull()


def test_a_tissue_map_has_colours_of_its_own(panel, model):
    model.show(Volume(np.zeros((3, 4, 4, 4), np.float32), np.eye(4), VolumeKind.TISSUE_MAP))
    assert not _combo(panel, "Colour map").isEnabled()


# -- the histogram --


@pytest.fixture
def strip(qtbot):
    widget = HistogramStrip()
    qtbot.addWidget(widget)
    widget.resize(208, 88)
    widget.set_histogram(Histogram(0, 1000, np.full(100, 5)))
    widget.set_window(Window.from_range(200, 700))
    widget.window_chosen.connect(widget.set_window)
    widget.show()
    return widget


def _drag(qtbot, strip, start, end):
    first, last = QPoint(round(strip.x_of(start)), 40), QPoint(round(strip.x_of(end)), 40)
    qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=first)
    qtbot.mouseMove(strip, last)
    qtbot.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=last)
    return strip._window


@pytest.mark.parametrize(
    ("start", "end", "low", "high"),
    [(200, 300, 300, 700), (700, 900, 200, 900), (450, 550, 300, 800), (200, 950, 698, 700), (700, 0, 200, 202)],
)
def test_dragging_a_handle_or_what_lies_between(start, end, low, high, strip, qtbot):
    window = _drag(qtbot, strip, start, end)
    assert (window.low, window.high) == pytest.approx((low, high), abs=8)


def test_keys_move_the_window_and_change_its_width(strip, qtbot):
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip._window == Window(460, 500)
    qtbot.keyClick(strip, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert strip._window == Window(460, 480)


def test_values_and_places_match(strip):
    for value in (0, 123, 1000):
        assert strip.value_at(strip.x_of(value)) == pytest.approx(value)


def test_a_background_in_one_bin_leaves_the_rest_visible():
    counts = np.full(64, 100)
    counts[0] = 1_000_000
    heights = bar_heights(Histogram(0, 1, counts))
    assert heights[0] == 1
    assert min(heights) == 1


def test_the_histogram_of_a_shown_volume_is_drawn(panel, model, qtbot):
    strip = panel.findChild(HistogramStrip)
    model.show(_ct())
    qtbot.waitUntil(lambda: strip._histogram is not None)
    assert strip._histogram.low < -950


# -- colour maps --


def test_every_map_goes_from_its_first_to_its_last_colour():
    assert next(iter(colormap_names())) == "grey"
    for name in colormap_names():
        assert colormap(name).shape == (256, 3)
    assert colormap("grey").tolist() == [[n, n, n] for n in range(256)]
    assert colormap("viridis")[0].tolist() == [68, 1, 84]
    assert colormap("viridis")[255].tolist() == [253, 231, 37]


def test_an_unknown_map_from_an_older_setting_is_grey():
    assert colormap("no such map").tolist() == colormap("grey").tolist()


def test_tables_for_the_screen():
    table = rgb32_table("hot")
    assert (hex(table[0]), hex(table[96]), hex(table[255])) == ("0xff000000", "0xffff0000", "0xffffffff")
    assert rgb32_table("hot", inverted=True)[0] == 0xFFFFFFFF


def test_tissues_have_names_and_colours():
    assert tissue_names(3) == ("white matter", "grey matter", "CSF")
    assert tissue_names(4)[3] == "background"
    assert tuple(tissue_colors(4)[3]) == (0, 0, 0)  # a published map's fourth channel is drawn black
    assert tissue_names(2) == ("class 1", "class 2")
    assert tissue_colors(9).shape == (9, 3)
