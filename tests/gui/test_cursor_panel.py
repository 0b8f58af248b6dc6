"""The cursor panel: position and value in words a person can copy, and the facts about the volume."""

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from synthview.gui.panels.cursor import CursorPanel, number_text, place_text, value_text
from synthview.gui.state import ViewModel
from synthview.volume import Volume, VolumeKind
from synthview.volume.slicing import read_at
from tests.marked_volumes import MARK_MM, marked_volume


@pytest.fixture
def model(qtbot):
    return ViewModel()


@pytest.fixture
def panel(model, qtbot):
    widget = CursorPanel(model)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def _words(panel):
    return [label.text() for label in panel.findChildren(QLabel) if not label.isHidden()]


def test_without_a_volume_nothing_is_claimed(panel):
    assert "–" in _words(panel)


def test_at_the_crosshair_in_the_files_own_axis_order(panel, model):
    model.show(marked_volume("PSL"))
    model.change(crosshair_mm=MARK_MM)
    lines = panel.text().splitlines()
    assert lines == ["Place: L 4.0  A 24.0  I 22.5", "RAS mm: -4.0  24.0  -22.5", "Voxel: 0  5  0", "Value: 1000"]


def test_under_the_mouse_and_back_to_the_crosshair(panel, model):
    volume = marked_volume("LPS")
    model.show(volume)
    at_crosshair = panel.text()
    panel.show_hover(read_at(volume, MARK_MM))
    assert "Value: 1000" in panel.text()
    assert "Under the mouse" in _words(panel)
    model.change(crosshair_mm=(-8, 22, -28))
    assert "Value: 1000" in panel.text()  # the mouse still says what is read
    panel.show_hover(None)
    assert "At the crosshair" in _words(panel)
    assert panel.text() != at_crosshair


def test_copying(panel, model):
    model.show(marked_volume())
    panel._copy.click()
    assert QGuiApplication.clipboard().text() == panel.text()


def test_the_facts_of_a_volume(panel, model, qtbot):
    model.show(marked_volume("ILA"))
    words = _words(panel)
    for fact in ("ILA.nii", "6 × 4 × 5", "1.5 × 2 × 1 mm", "ILA+", "unknown"):
        assert fact in words
    qtbot.waitUntil(lambda: "100 to 1000" in _words(panel))


def test_notes_are_shown(panel, model):
    model.show(Volume(np.zeros((2, 2, 2)), np.eye(4), notes=("3 voxels were NaN.",)))
    assert "3 voxels were NaN." in _words(panel)
    model.show(marked_volume())
    assert "3 voxels were NaN." not in _words(panel)


def test_a_tissue_map_has_probabilities_and_millilitres(panel, model, qtbot):
    voxels = np.zeros((3, 10, 10, 10), np.float32)
    voxels[0], voxels[1] = 0.75, 0.25
    model.show(Volume(voxels, np.diag([2.0, 2, 2, 1]), VolumeKind.TISSUE_MAP))
    assert "white matter 0.75\ngrey matter 0.25\nCSF 0.00" in _words(panel)
    qtbot.waitUntil(lambda: "white matter 6 mL\ngrey matter 2 mL\nCSF 0 mL" in _words(panel))


def test_of_volumes_that_follow_each_other_the_last_one_is_described(panel, model, qtbot):
    for value in (1, 2, 3):
        model.show(Volume(np.full((4, 4, 4), value, np.int16), np.eye(4)), keep_view=True)
    qtbot.waitUntil(lambda: "3 to 3" in _words(panel))


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (-0.0, "0"), (0.123456789, "0.12346"), (123456.789, "123457"), (1e-9, "1e-09"), (2.5e12, "2.5e+12")],
)
def test_numbers(value, text):
    assert number_text(value) == text


def test_words_for_places_and_values():
    assert place_text((-0.04, 8.46, -31)) == "R 0.0  A 8.5  I 31.0"
    assert value_text(42.0, "HU") == "42 HU"
    assert value_text((0.5, 0.25, 0.25), "") == "white matter 0.50\ngrey matter 0.25\nCSF 0.25"
