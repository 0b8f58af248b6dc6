"""Windows: what is drawn black and white, and what is chosen where nobody chose."""

import numpy as np
import pytest

from synthview.volume import VolumeKind, Window, auto_window, window_presets


def test_black_white_and_what_lies_beyond():
    values = np.array([-1e30, 0, 50, 100, 150, 200, 1e30], np.float32)
    assert Window(level=100, width=100).apply(values).tolist() == [0, 0, 0, 127, 255, 255, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_every_type_of_number_gives_the_same_grey(dtype):
    values = np.array([[0, 30], [60, 120]], dtype)
    assert Window.from_range(0, 120).apply(values).tolist() == [[0, 63], [127, 255]]


def test_nan_and_infinite_values_are_drawn_without_a_warning():
    values = np.array([np.nan, -np.inf, np.inf], np.float32)
    assert Window(0, 1).apply(values).tolist() == [0, 0, 255]


def test_the_values_are_not_changed():
    values = np.array([1.0, 2.0], np.float32)
    Window(0, 1).apply(values)
    assert values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("level", "width"), [(0, 0), (0, -1), (np.nan, 1), (0, np.inf)])
def test_a_window_needs_a_width(level, width):
    with pytest.raises(ValueError, match="width above 0"):
        Window(level, width)


def test_a_range_of_no_width_is_widened():
    assert Window.from_range(5, 5) == Window(5, 1)


def test_the_automatic_window_ignores_the_background_and_a_few_bright_voxels():
    rng = np.random.default_rng(0)
    voxels = np.zeros((60, 60, 60), np.float32)
    voxels[10:50, 10:50, 10:50] = rng.uniform(200, 800, (40, 40, 40))
    voxels[30, 30, 30] = 1e6
    window = auto_window(voxels)
    assert window.low == 0
    assert 700 < window.high < 900


def test_the_automatic_window_of_ct_does_not_start_at_air():
    voxels = np.full((40, 40, 40), -1000, np.int16)
    voxels[10:30, 10:30, 10:30] = np.random.default_rng(0).integers(-50, 250, (20, 20, 20))
    window = auto_window(voxels)
    assert window.low > -60
    assert 200 < window.high <= 250


@pytest.mark.parametrize("value", [0, 7, -3])
def test_an_even_volume_has_a_window_too(value):
    assert auto_window(np.full((3, 3, 3), value, np.int16)).width > 0


def test_the_presets_of_ct_are_the_usual_ones():
    presets = window_presets(VolumeKind.CT)
    assert (presets["Lung"].level, presets["Lung"].width) == (-600, 1500)
    assert (presets["Full"].low, presets["Full"].high) == (-1024, 600)
    assert window_presets(VolumeKind.T1W) == {}
