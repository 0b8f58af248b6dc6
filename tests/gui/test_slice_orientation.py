"""The mark, from a file to the screen: right-anterior-superior is top left, whatever the order of the file's axes."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from synthview.gui.state import Plane, ViewModel
from synthview.gui.views.ortho_view import OrthoView
from synthview.volume import Volume, Window, load_volume, save_volume
from tests.marked_volumes import AXIS_ORDERS, MARK, MARK_MM, SHAPE_RAS, mark_ijk, marked_volume

WHITE = 0xFFFFFFFF


@pytest.fixture
def ortho(qtbot):
    model = ViewModel()
    view = OrthoView(model, QWidget())
    qtbot.addWidget(view)
    view.resize(640, 640)
    model.change(show_crosshair=False, interpolated=False)
    view.show()
    qtbot.waitExposed(view)
    view.model = model
    return view


def bright_pixels(canvas) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is pure white (the letters are not), as fractions of the pane."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    rows, columns = np.nonzero(pixels == WHITE)
    assert len(rows) > 100, "the mark is not on the screen"
    width, height = image.width(), image.height()
    return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_the_mark_is_drawn_and_read_in_its_corner(order, ortho, qtbot, tmp_path):
    ortho.model.show(load_volume(save_volume(marked_volume(order), tmp_path / f"{order}.nii.gz")))
    ortho.model.change(crosshair_mm=MARK_MM, window=Window.from_range(0, MARK))
    for radiological in (True, False):
        ortho.model.change(radiological=radiological)
        for plane, view in ortho.views.items():
            left, top, right, bottom = bright_pixels(view.canvas)
            on_the_left = radiological or plane is Plane.SAGITTAL
            assert right < 0.5 if on_the_left else left > 0.5, (plane, radiological)
            assert bottom < 0.5, (plane, radiological)
            mark = QPoint(
                round((left + right) / 2 * view.canvas.width()), round((top + bottom) / 2 * view.canvas.height())
            )
            with qtbot.waitSignal(ortho.hovered, check_params_cb=lambda reading: reading is not None) as heard:
                qtbot.mouseMove(view.canvas, QPoint(1, 1))
                qtbot.mouseMove(view.canvas, mark)
            reading = heard.args[0]
            assert (reading.ijk, reading.value) == (mark_ijk(order), MARK)
            assert reading.mm == pytest.approx(MARK_MM, abs=0.1)


@pytest.mark.parametrize("plane", list(Plane))
def test_the_mark_is_as_large_as_its_voxel(plane, ortho):
    ortho.model.show(marked_volume())
    ortho.model.change(crosshair_mm=MARK_MM, window=Window.from_range(0, MARK))
    canvas = ortho.views[plane].canvas
    left, top, right, bottom = bright_pixels(canvas)
    width_mm, height_mm = {Plane.AXIAL: (2, 1), Plane.SAGITTAL: (1, 1.5), Plane.CORONAL: (2, 1.5)}[plane]
    width_px, height_px = (right - left) * canvas.width(), (bottom - top) * canvas.height()
    assert width_px / height_px == pytest.approx(width_mm / height_mm, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((40, 40, 1), (1, 1, 5)), ((2, 500, 3), (1, 1, 1)), ((1, 1, 1), (1, 1, 1)), ((20, 20, 4), (0.5, 0.5, 10))],
)
def test_odd_shapes_fit_their_panes_with_their_true_proportions(shape, spacing, ortho):
    voxels = np.full(shape, 1000, np.int16)
    ortho.model.show(Volume(voxels, np.diag([*spacing, 1.0])))
    ortho.model.change(window=Window.from_range(0, 1000))
    extent = dict(zip("RAS", (n * s for n, s in zip(shape, spacing, strict=True)), strict=True))
    for plane, (across, down) in {Plane.AXIAL: "RA", Plane.SAGITTAL: "AS", Plane.CORONAL: "RS"}.items():
        rect = ortho.views[plane].canvas.projection().rect
        pane = ortho.views[plane].canvas.rect()
        assert rect.width() / rect.height() == pytest.approx(extent[across] / extent[down])
        assert pane.contains(rect.toAlignedRect())
        assert rect.center().x() == pytest.approx(pane.width() / 2)
        assert rect.center().y() == pytest.approx(pane.height() / 2)


def test_an_oblique_volume_is_read_where_it_is_drawn(ortho, qtbot):
    angle = np.deg2rad(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    voxels = marked_volume().voxels
    ortho.model.show(Volume(voxels, affine, window=Window.from_range(0, MARK)))
    ortho.model.set_crosshair_ijk(tuple(n - 1 for n in SHAPE_RAS))
    view = ortho.views[Plane.AXIAL]
    left, top, right, bottom = bright_pixels(view.canvas)
    assert right < 0.5
    assert bottom < 0.5
    position = QPoint(round((left + right) / 2 * view.canvas.width()), round((top + bottom) / 2 * view.canvas.height()))
    with qtbot.waitSignal(ortho.hovered, check_params_cb=lambda reading: reading is not None) as heard:
        qtbot.mouseMove(view.canvas, QPoint(1, 1))
        qtbot.mouseMove(view.canvas, position)
    assert heard.args[0].value == MARK
