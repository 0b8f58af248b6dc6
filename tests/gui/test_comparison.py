"""Two volumes beside each other: one place, one zoom; reconstructions with the real worker; one scale for all panes."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from synthview.gui.comparison import Comparison
from synthview.gui.state import Layout, Plane, ViewModel
from synthview.gui.views.ortho_view import OrthoView
from synthview.volume import Volume, VolumeKind, Window, load_volume
from tests.generators.test_reconstruction import PlainEncoder, seeded
from tests.gui.test_main_window import WAIT_MS, checkpoint, window  # noqa: F401  (fixtures)
from tests.marked_volumes import marked_volume


def _cube(size: int, spacing: float, unit: str = "", name: str = "cube") -> Volume:
    affine = np.diag([spacing] * 3 + [1.0])
    affine[:3, 3] = -(size - 1) / 2 * spacing
    return Volume(np.random.default_rng(0).random((size,) * 3, np.float32), affine, VolumeKind.T1W, unit, name=name)


@pytest.fixture
def model():
    model = ViewModel()
    model.show(_cube(20, 1.0))
    return model


@pytest.fixture
def comparison(model):
    comparison = Comparison(model)
    comparison.show(_cube(10, 2.0, name="other"))
    return comparison


def test_the_volume_beside_is_looked_at_in_the_same_place(model, comparison):
    assert model.state.layout is Layout.COMPARE
    model.change(crosshair_mm=(3.0, -2.0, 5.0), zoom=2.0, show_crosshair=False)
    beside = comparison.beside.state
    assert (beside.crosshair_mm, beside.zoom, beside.show_crosshair) == ((3.0, -2.0, 5.0), 2.0, False)
    comparison.beside.change(crosshair_mm=(1.0, 1.0, 1.0))
    assert model.state.crosshair_mm == (1.0, 1.0, 1.0)


def test_where_the_other_ends_it_stops_and_does_not_pull_back(model):
    comparison = Comparison(model)
    comparison.show(_cube(5, 1.0))  # from -2 to 2 mm
    model.change(crosshair_mm=(9.0, 0.0, 0.0))
    assert model.state.crosshair_mm == (9.0, 0.0, 0.0)
    assert comparison.beside.state.crosshair_mm == (2.0, 0.0, 0.0)


def test_a_window_is_shared_where_values_mean_the_same(model, comparison):
    before = comparison.beside.state.window
    model.change(window=Window(5, 2))
    assert comparison.beside.state.window == before  # two scans in arbitrary units
    model.show(_cube(20, 1.0, "HU"))
    comparison.show(_cube(10, 2.0, "HU"))
    model.change(window=Window(40, 400))
    assert comparison.beside.state.window == Window(40, 400)


def test_swapped_what_was_beside_is_what_is_saved(model, comparison):
    model.change(crosshair_mm=(3.0, -2.0, 5.0))
    comparison.swap()
    assert (model.original.name, comparison.beside.original.name) == ("other", "cube")
    assert model.state.crosshair_mm == (3.0, -2.0, 5.0)
    comparison.swap()
    assert model.original.name == "cube"


@pytest.fixture
def ortho(model, qtbot):
    comparison = Comparison(model)
    ortho = OrthoView(model, QWidget(), comparison.beside)
    comparison.changed.connect(ortho.name_compared)
    qtbot.addWidget(ortho)
    ortho.resize(900, 600)
    with qtbot.waitExposed(ortho):
        ortho.show()
    ortho.comparison = comparison
    return ortho


def _scales(ortho):
    views = [*ortho.views.values(), *ortho.beside.values()]
    return [view.canvas.projection().px_per_mm for view in views if view.isVisible()]


def test_a_millimetre_is_as_long_in_every_pane(model, ortho, qtbot):
    model.show(Volume(np.zeros((20, 60, 90), np.float32), np.diag([1.0, 2.0, 1.0, 1.0])))
    scales = _scales(ortho)
    assert len(scales) == 3
    assert max(scales) == pytest.approx(min(scales))
    for view in ortho.views.values():
        rect = view.canvas.projection().rect
        assert rect.width() <= view.canvas.width()
        assert rect.height() <= view.canvas.height()
    shared = scales[0]
    model.change(layout=Layout.LARGE, large=Plane.AXIAL.value)
    qtbot.waitUntil(lambda: _scales(ortho)[0] > 1.5 * shared)  # alone it has all the room
    model.change(layout=Layout.QUAD)
    qtbot.waitUntil(lambda: _scales(ortho) == pytest.approx([shared] * 3))


def test_the_layout_for_comparing(model, ortho, qtbot):
    model.change(layout=Layout.COMPARE)
    assert [view.isVisible() for view in ortho.beside.values()] == [True] * 3
    assert "Nothing to compare with yet" in ortho._captions[1].text()
    ortho.comparison.show(_cube(10, 2.0, name="other"))
    assert [caption.text() for caption in ortho._captions] == ["cube", "other"]
    scales = _scales(ortho)
    assert len(scales) == 6
    assert max(scales) == pytest.approx(min(scales))
    above, below = ortho.views[Plane.AXIAL], ortho.beside[Plane.AXIAL]
    assert above.size() == below.size()
    qtbot.mouseClick(below.canvas, Qt.MouseButton.LeftButton, pos=below.canvas.rect().center())
    assert model.state.crosshair_mm == ortho.comparison.beside.state.crosshair_mm
    ortho.toggle_large("axial beside")
    assert ortho.beside[Plane.AXIAL].isVisible()
    assert not ortho.views[Plane.AXIAL].isVisible()
    model.change(layout=Layout.QUAD)
    assert not ortho.beside[Plane.AXIAL].isVisible()


def test_a_real_scan_is_reconstructed_and_shown_below_it(window, checkpoint, qtbot, tmp_path, monkeypatch):  # noqa: F811
    torch.save(
        seeded(PlainEncoder(32, torch.nn.InstanceNorm3d, torch.nn.Identity())).state_dict(),
        checkpoint.with_name(checkpoint.name.replace("G_", "E_")),
    )
    scan = tmp_path / "rat.nii.gz"
    _cube(40, 0.5, name="rat").save(scan)
    assert not window.actions_by_id["reconstruct"].isEnabled()
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.open_paths([checkpoint])
    assert window.actions_by_id["reconstruct"].isEnabled()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(scan), ""))
    with qtbot.waitSignal(window.comparison.changed, timeout=WAIT_MS, check_params_cb=lambda _a, b: bool(b)):
        window.actions_by_id["reconstruct"].trigger()
    found = window.comparison.beside.original
    assert window.model.original.name == "rat.nii.gz"
    assert found.provenance.reconstructed["scan"] == "rat.nii.gz"
    assert window.model.state.layout is Layout.COMPARE
    assert window.model.state.window == window.comparison.beside.state.window  # in the scan's own values
    assert "below what G_iter200000.pth makes of it" in window.message.text
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "r.nii.gz"), ""))
    with qtbot.waitSignal(window.documents.saved, timeout=WAIT_MS):
        window.message._offer.click()
    assert load_volume(tmp_path / "r.nii.gz").provenance == found.provenance


def test_a_reconstruction_is_cancelled(window, checkpoint, qtbot, tmp_path):  # noqa: F811
    encoder = PlainEncoder(32, torch.nn.InstanceNorm3d, torch.nn.Identity())
    torch.save(seeded(encoder).state_dict(), checkpoint.with_name(checkpoint.name.replace("G_", "E_")))
    marked_volume().save(tmp_path / "scan.nii.gz")
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.open_paths([checkpoint])
    shown = []
    window.generation.reconstructed.connect(lambda *found: shown.append(found))
    window.generation.reconstruct(tmp_path / "scan.nii.gz")
    window.actions_by_id["cancel"].trigger()
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.generation.generate()
    assert shown == []
    assert "Cancelled" not in window.message.text


def test_a_scan_that_the_encoder_does_not_take_is_one_sentence(window, checkpoint, qtbot, tmp_path):  # noqa: F811
    encoder = PlainEncoder(32, torch.nn.InstanceNorm3d, torch.nn.Identity())
    torch.save(seeded(encoder).state_dict(), checkpoint.with_name(checkpoint.name.replace("G_", "E_")))
    path = tmp_path / "labels.nii.gz"
    Volume(np.ones((3, 3, 3), np.uint8), np.eye(4), VolumeKind.LABEL_MAP).save(path)
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.open_paths([checkpoint])
    with qtbot.waitSignal(window.generation.failed, timeout=WAIT_MS):
        window.generation.reconstruct(path)
    assert "takes a scan with one channel, and labels.nii.gz is a label map" in window.message.text
