"""The view model: what changes, who hears of it, and what is kept when another volume is shown."""

import numpy as np
import pytest

from synthview.gui.state import ViewModel
from synthview.volume import Volume, VolumeKind, Window


def _volume(n=10, spacing=1.0, value=1.0):
    voxels = np.full((n, n, n), value, dtype=np.float32)
    voxels[0, 0, 0] = 0
    return Volume(voxels, np.diag([spacing] * 3 + [1.0]), window=Window(value / 2, value))


@pytest.fixture
def model(qtbot):
    return ViewModel()


def test_a_volume_is_shown_from_its_middle_with_its_own_window(model):
    model.show(_volume(11))
    assert model.crosshair_ijk() == (5, 5, 5)
    assert model.state.window == Window(0.5, 1.0)


def test_the_next_seed_keeps_crosshair_window_zoom_and_pan(model):
    model.show(_volume())
    model.change(crosshair_mm=(2, 3, 4), window=Window(0.3, 0.1), zoom=2.0, pan_mm=(1.0, 0.0, 0.0))
    before = model.state
    model.show(_volume(value=7.0), keep_view=True)
    assert model.state == before


def test_another_volume_starts_afresh(model):
    model.show(_volume())
    model.change(zoom=3.0, crosshair_mm=(0, 0, 0))
    model.show(_volume(20))
    assert model.state.zoom == 1.0
    assert model.crosshair_ijk() == (9, 9, 9)


def test_a_kept_crosshair_stays_inside_a_smaller_volume(model):
    model.show(_volume(20))
    model.change(crosshair_mm=(18, 18, 18))
    model.show(_volume(10), keep_view=True)
    assert model.crosshair_ijk() == (9, 9, 9)


def test_the_crosshair_cannot_leave_the_volume(model):
    model.show(_volume(10, spacing=2.0))
    model.change(crosshair_mm=(1000, -5, 7))
    assert model.state.crosshair_mm == pytest.approx((18, 0, 7))


def test_only_real_changes_are_told(model, qtbot):
    model.show(_volume())
    with qtbot.assertNotEmitted(model.state_changed):
        model.change(zoom=model.state.zoom)
    with qtbot.waitSignal(model.state_changed) as heard:
        model.change(zoom=2.0)
    assert (heard.args[0].zoom, heard.args[1].zoom) == (1.0, 2.0)


def test_a_window_in_another_unit_is_not_kept(model):
    model.show(_volume())
    model.change(crosshair_mm=(2, 3, 4), window=Window(0.3, 0.1))
    hounsfield = Volume(np.full((10, 10, 10), -600, np.int16), np.eye(4), VolumeKind.CT, "HU", Window(-212, 1624))
    model.show(hounsfield, keep_view=True)  # the same network, now asked for HU
    assert model.state.window == Window(-212, 1624)
    assert model.state.crosshair_mm == (2, 3, 4)
