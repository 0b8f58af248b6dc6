"""Facts about values: range, histogram, millilitres."""

import numpy as np
import pytest

from synthview.volume import Volume
from synthview.volume.summary import histogram, summarise


def test_millilitres_of_each_class():
    voxels = np.zeros((3, 10, 10, 10), np.float32)
    voxels[0, :5] = 1.0
    voxels[1, 5:] = 0.5
    summary = summarise(Volume(voxels, np.diag([-2.0, 2, 2, 1])))  # 8 mm³ a voxel
    assert summary.class_ml == pytest.approx((4.0, 2.0, 0.0))
    assert (summary.low, summary.high) == (0, 1)


def test_a_plain_volume_has_a_range_only():
    summary = summarise(Volume(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4)))
    assert (summary.low, summary.high, summary.class_ml) == (0, 7, ())


def test_whole_numbers_fall_into_even_bins():
    voxels = np.repeat(np.arange(200, dtype=np.uint8), 40).reshape(20, 20, 20)
    counts = histogram(voxels, bins=128).counts
    assert set(counts[1:-1].tolist()) == {80}


def test_a_few_extreme_values_do_not_squeeze_the_histogram():
    voxels = np.random.default_rng(0).normal(100, 10, (50, 50, 50)).astype(np.float32)
    voxels[0, 0, 0] = 1e6
    found = histogram(voxels)
    assert 40 < found.low < 90
    assert 110 < found.high < 160
    assert found.counts.sum() == pytest.approx(voxels.size, rel=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_an_even_volume_has_a_histogram(dtype):
    found = histogram(np.full((3, 3, 3), 4, dtype))
    assert found.low < 4 < found.high
    assert found.counts.sum() == 27


def test_a_large_volume_is_sampled():
    found = histogram(np.random.default_rng(0).random((128, 128, 128), np.float32))
    assert found.counts.sum() < 400_000
