"""Labels and tissues in colour: which voxel gets which colour on any grid, the panel, the key, files that are none."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog

from synthview.errors import VolumeError
from synthview.gui.label_overlay import label_colors, overlay_of
from synthview.gui.panels.overlay import OverlayPanel
from synthview.gui.state import Plane, ViewModel
from synthview.gui.views.slice_picture import slice_picture
from synthview.volume import Volume, VolumeKind, Window
from synthview.volume.slicing import slice_geometry
from tests.gui.test_main_window import WAIT_MS, window  # noqa: F401  (fixture)
from tests.marked_volumes import AXIS_ORDERS, MARK_RAS, SHAPE_RAS, marked_volume


def labels_like(volume: Volume, name: str = "labels.nii") -> Volume:
    """1 everywhere, 2 at the mark, 0 in the first slice along the volume's own first axis."""
    voxels = np.where(volume.voxels > 500, 2, 1).astype(np.uint8)
    return Volume(voxels, volume.affine, VolumeKind.LABEL_MAP, name=name)


@pytest.mark.parametrize("order", AXIS_ORDERS[::5])
def test_a_label_is_drawn_where_it_is_on_whatever_axes_it_comes(order):
    base = marked_volume("RAS")
    overlay = overlay_of(labels_like(marked_volume(order)))
    for plane in Plane:
        geometry = slice_geometry(base, plane)
        drawn = overlay.drawn(base, geometry, MARK_RAS[plane.through_axis])
        colors = label_colors(np.array([1, 2]))
        np.testing.assert_array_equal(drawn[0, 0], [*colors[1], 1])  # the mark is top left in every pane
        np.testing.assert_array_equal(drawn[1:, :, :3], np.broadcast_to(colors[0], drawn[1:, :, :3].shape))


def test_labels_on_another_grid_take_the_nearest_and_nothing_outside():
    base = Volume(np.zeros((8, 8, 8), np.float32), np.eye(4))
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (4.5, 0.5, 0.5)  # its first voxels lie between x = 4 and 5
    overlay = overlay_of(Volume(np.full((1, 4, 4), 7, np.int16), affine, name="half.nii"))
    drawn = overlay.drawn(base, slice_geometry(base, Plane.AXIAL, radiological=False), 3)
    assert (drawn[:, 4:6, 3] == 1).all()
    assert drawn[:, :4, 3].sum() == drawn[:, 6:, 3].sum() == 0


def test_volumes_of_labels_and_tissues():
    voxels = np.zeros((10, 10, 10), np.int16)
    voxels[:5], voxels[5:6] = 3, 40
    overlay = overlay_of(Volume(voxels, np.diag([2.0, 2.0, 1.0, 1.0])))
    assert overlay.names == ("label 3", "label 40")
    np.testing.assert_allclose(overlay.ml, (2.0, 0.4))
    tissues = np.zeros((4, 10, 10, 10), np.float32)
    tissues[1], tissues[3] = 0.25, 0.75
    overlay = overlay_of(Volume(tissues, np.eye(4), VolumeKind.TISSUE_MAP))
    assert overlay.names == ("white matter", "grey matter", "CSF")  # the background is not drawn
    np.testing.assert_allclose(overlay.ml, (0, 0.25, 0))


@pytest.mark.parametrize(
    ("voxels", "why"),
    [
        (np.linspace(0, 1, 27).reshape(3, 3, 3), "its values are not whole numbers"),
        (np.arange(-1, 26).reshape(3, 3, 3), "whole numbers from 0 up"),
        (np.arange(12**3).reshape(12, 12, 12), "1728 different values"),
        (np.zeros((3, 3, 3)), "no labels in it"),
    ],
)
def test_what_is_no_label_map_says_why(voxels, why):
    with pytest.raises(VolumeError, match=why):
        overlay_of(Volume(voxels, np.eye(4), name="scan.nii"))


def test_colours_cover_the_grey_image_as_far_as_the_opacity_says():
    base = Volume(np.full(SHAPE_RAS, 100, np.int16), marked_volume().affine)
    overlay = overlay_of(labels_like(marked_volume()))
    geometry = slice_geometry(base, Plane.AXIAL)

    def pixel(opacity):
        image = slice_picture(
            base, geometry, 5, Window.from_range(0, 255), "grey", inverted=False, overlay=overlay, opacity=opacity
        )
        return np.array(image.pixelColor(0, 0).getRgb()[:3])

    color = label_colors(np.array([2]))[0]
    np.testing.assert_allclose(pixel(0.0), 100, atol=1)
    np.testing.assert_allclose(pixel(0.5), (100 + color) / 2, atol=1)
    np.testing.assert_allclose(pixel(1.0), color, atol=1)


def test_a_tissue_map_without_its_colours_is_grey_as_a_t1():
    voxels = np.zeros((4, 4, 4, 4), np.float32)
    for channel in range(4):
        voxels[channel, channel] = 1
    volume = Volume(voxels, np.eye(4), VolumeKind.TISSUE_MAP)
    geometry = slice_geometry(volume, Plane.AXIAL, radiological=False)
    image = slice_picture(volume, geometry, 0, Window(0.5, 1.0), "grey", inverted=False)
    greys = [image.pixelColor(x, 0).getRgb()[:3] for x in range(4)]
    assert all(len(set(grey)) == 1 for grey in greys)
    white, grey, csf, background = (grey[0] for grey in greys)
    assert white > grey > csf > background == 0


@pytest.fixture
def model():
    model = ViewModel()
    model.show(marked_volume())
    return model


def test_the_panel_is_there_when_there_is_something_to_colour(model, qtbot):
    panel = OverlayPanel(model)
    qtbot.addWidget(panel)
    assert panel.isHidden()
    model.set_overlay(overlay_of(labels_like(marked_volume(), "atlas.nii")))
    assert not panel.isHidden()
    assert panel.legend_texts()[:2] == ["label 1", "0.36 mL"]
    panel.opacity.setValue(30)
    panel.switch.click()
    assert (model.state.overlay_opacity, model.state.overlay_shown) == (0.3, False)
    model.change(overlay_shown=True)
    assert panel.switch.isChecked()
    panel.remove_button.click()
    assert model.overlay is None
    assert panel.isHidden()


def test_another_scan_loses_the_overlay_a_moving_slider_keeps_it(model):
    overlay = overlay_of(labels_like(marked_volume()))
    model.set_overlay(overlay)
    model.show(marked_volume(), keep_view=True)
    assert model.overlay is overlay
    model.show(marked_volume())
    assert model.overlay is None


def _drop(target, path: Path, modifiers) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    point, button = QPointF(400, 300), Qt.MouseButton.LeftButton
    target.dropEvent(QDropEvent(point, Qt.DropAction.CopyAction, data, button, modifiers))


def test_in_the_window_labels_are_opened_dropped_and_switched(window, qtbot, tmp_path, monkeypatch):  # noqa: F811
    scan, labels = tmp_path / "scan.nii.gz", tmp_path / "labels.nii.gz"
    marked_volume("LPS").save(scan)
    labels_like(marked_volume("LPS")).save(labels)
    with qtbot.waitSignal(window.documents.opened, timeout=WAIT_MS):
        window.open_paths([scan])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(labels), ""))
    with qtbot.waitSignal(window.documents.overlay_opened, timeout=WAIT_MS):
        window.actions_by_id["open-overlay"].trigger()
    assert window.model.overlay.volume.name == "labels.nii.gz"
    assert not window.overlay_panel.isHidden()
    qtbot.keyClick(window, Qt.Key.Key_G)
    assert not window.model.state.overlay_shown
    window.model.set_overlay(None)
    with qtbot.waitSignal(window.documents.overlay_opened, timeout=WAIT_MS):
        _drop(window, labels, Qt.KeyboardModifier.ShiftModifier)
    assert window.model.original.name == "scan.nii.gz"  # still the volume shown


def test_labels_of_another_place_are_refused_in_one_sentence(window, qtbot, tmp_path):  # noqa: F811
    scan, labels = tmp_path / "scan.nii.gz", tmp_path / "far.nii.gz"
    marked_volume().save(scan)
    affine = np.eye(4)
    affine[:3, 3] = 500
    Volume(np.ones((3, 3, 3), np.uint8), affine).save(labels)
    with qtbot.waitSignal(window.documents.opened, timeout=WAIT_MS):
        window.open_paths([scan])
    with qtbot.waitSignal(window.documents.failed, timeout=WAIT_MS):
        window.commands.open_overlay(labels)
    assert "lies elsewhere than scan.nii.gz" in window.message.text
    assert window.model.overlay is None
