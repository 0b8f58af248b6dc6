"""The views together: arrangement, the empty state, screenshots, how fast a slice is stepped."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QCursor
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from synthview.gui.state import Layout, Plane, ViewModel
from synthview.gui.views.ortho_view import OrthoView
from synthview.volume import Volume, VolumeKind, Window


class _Blue(QWidget):
    """Stands where the 3D view will be."""

    def __init__(self):
        super().__init__()
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), QColor("#0000ff"))
        self.setPalette(palette)


@pytest.fixture
def model(qtbot):
    return ViewModel()


@pytest.fixture
def ortho(model, qtbot):
    view = OrthoView(model, _Blue())
    qtbot.addWidget(view)
    view.resize(900, 800)
    with qtbot.waitExposed(view):
        view.show()
    return view


def _show(model, shape=(16, 20, 24)):
    voxels = np.random.default_rng(0).integers(0, 100, shape).astype(np.uint8)
    model.show(Volume(voxels, np.eye(4)))
    QApplication.processEvents()


def test_without_a_volume_it_says_what_to_drop_and_offers_to_open(ortho, model, qtbot):
    assert ortho.empty.isVisible()
    open_button, demo_button = ortho.empty.findChildren(QPushButton)
    with qtbot.waitSignal(ortho.empty.open_requested):
        qtbot.mouseClick(open_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(ortho.empty.demo_requested):
        qtbot.mouseClick(demo_button, Qt.MouseButton.LeftButton)
    _show(model)
    assert not ortho.empty.isVisible()
    assert all(view.isVisible() for view in ortho.views.values())


def test_two_by_two_has_four_panes_of_one_size(ortho, model):
    _show(model)
    panes = [*ortho.views.values(), ortho.findChild(_Blue)]
    assert max(p.width() for p in panes) - min(p.width() for p in panes) <= 1
    assert max(p.height() for p in panes) - min(p.height() for p in panes) <= 1
    axial, sagittal, coronal, volume = (pane.geometry().center() for pane in panes)
    assert axial.x() < sagittal.x()
    assert axial.y() < coronal.y()
    assert (volume.x(), volume.y()) == (sagittal.x(), coronal.y())


@pytest.mark.parametrize("large", ["axial", "sagittal", "coronal", "3d"])
def test_one_large_and_back_with_the_same_widgets(large, ortho, model):
    _show(model)
    before = dict(ortho.views)
    model.change(layout=Layout.LARGE, large=large)
    QApplication.processEvents()
    shown = [plane.value for plane, view in ortho.views.items() if view.isVisible()]
    assert shown == ([] if large == "3d" else [large])
    assert ortho.findChild(_Blue).isVisible() == (large == "3d")
    big = ortho.findChild(_Blue) if large == "3d" else ortho.views[Plane(large)]
    assert big.size() == ortho.size()
    ortho.toggle_large(large)
    assert model.state.layout is Layout.QUAD
    assert ortho.views == before
    assert all(view.isVisible() for view in ortho.views.values())


def test_three_in_a_row(ortho, model):
    _show(model)
    model.change(layout=Layout.ROW)
    QApplication.processEvents()
    places = [ortho.views[plane].geometry() for plane in Plane]
    assert len({place.y() for place in places}) == 1
    assert max(place.width() for place in places) - min(place.width() for place in places) <= 1
    assert not ortho.findChild(_Blue).isVisible()


def test_the_screenshot_shows_every_pane_where_it_is(ortho, model):
    _show(model)
    image = ortho.grab_image()
    ratio = ortho.devicePixelRatioF()
    assert (image.width(), image.height()) == (round(900 * ratio), round(800 * ratio))
    assert image.pixelColor(round(680 * ratio), round(600 * ratio)) == QColor("#0000ff")
    axial = ortho.views[Plane.AXIAL].canvas
    assert image.copy(
        0, 0, round(axial.width() * ratio), round(axial.height() * ratio)
    ) == axial.grab().toImage().convertToFormat(image.format())


def test_the_pane_in_focus_is_the_active_one(ortho, model, qtbot):
    _show(model)
    QCursor.setPos(ortho.mapToGlobal(QPoint(-50, -50)))  # the pane under the mouse would come first
    ortho.activateWindow()
    ortho.views[Plane.CORONAL].setFocus()
    if not ortho.views[Plane.CORONAL].canvas.hasFocus():
        pytest.skip("no window manager gives the window the focus here")
    assert ortho.active_pane() == "coronal"


def test_a_tissue_map_is_drawn_in_its_classes_colours(ortho, model):
    voxels = np.zeros((3, 12, 12, 12), np.float32)
    voxels[0, :6], voxels[1, 6:] = 1.0, 1.0
    model.show(Volume(voxels, np.eye(4), VolumeKind.TISSUE_MAP))
    model.change(show_crosshair=False, window=Window(0.5, 1.0), overlay_opacity=1.0)
    canvas = ortho.views[Plane.AXIAL].canvas
    image, rect = canvas.grab().toImage(), canvas.projection().rect
    ratio = canvas.devicePixelRatioF()
    right_class = image.pixelColor((QPointF(rect.left() + rect.width() / 4, rect.center().y()) * ratio).toPoint())
    left_class = image.pixelColor((QPointF(rect.left() + rect.width() * 3 / 4, rect.center().y()) * ratio).toPoint())
    assert right_class.getRgb()[:3] == (214, 116, 84)
    assert left_class.getRgb()[:3] == (244, 228, 193)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_stepping_a_slice_of_256_cubed_is_quick(dtype, ortho, model):
    voxels = np.zeros((256, 256, 256), dtype, order="F")
    voxels[::3, ::5, ::7] = 700
    model.show(Volume(voxels, np.diag([-1.0, 1, 1, 1]), window=Window(500, 1000)))
    QApplication.processEvents()
    spent = []
    for step in range(30):
        start = time.thread_time()
        model.set_crosshair_ijk((100 + step, 100 + step, 100 + step))
        QApplication.processEvents()
        spent.append(time.thread_time() - start)
    # all three pictures are new, which one step of the wheel never asks for; the bound allows for a busy machine
    assert sorted(spent)[15] < 0.04
