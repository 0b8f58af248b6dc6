"""Warps: inverses, compositions, Jacobians, and resampling with known answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from synthview.training.data.appearance import NUMBERS, Appearance, change_appearance
from synthview.training.data.fields import compose, exponential, identity, jacobian, random_field, resized_field, sample
from synthview.training.data.registration import affine_registration, velocity_registration
from synthview.training.data.warping import Grid, resample
from tests.anatomy import shell_brain

SHAPE = (24, 28, 26)
INSIDE = np.s_[5:-5, 5:-5, 5:-5]


def test_reading_between_voxels_is_linear() -> None:
    ramp = identity(SHAPE)
    at = np.array([[3.25], [4.5], [5.75]], dtype=np.float32)
    assert_allclose(sample(ramp, at), at, atol=1e-4)
    assert sample(ramp, at - 100)[0] == 0 and sample(ramp + 1, at - 100, outside="zeros")[0] == 0


def test_exp_of_minus_v_is_the_inverse_and_nothing_folds() -> None:
    velocity = random_field(SHAPE, 4, 0.8, np.random.default_rng(0))
    there, back = exponential(velocity), exponential(-velocity)
    assert np.abs(there).max() > 1.5
    assert np.abs(compose(there, back)[(slice(None), *INSIDE)]).max() < 0.1
    assert jacobian(there).min() > 0 and jacobian(back).min() > 0


def test_jacobian_of_a_stretch() -> None:
    stretch = identity(SHAPE) * np.array([0.1, -0.2, 0.3], dtype=np.float32).reshape(3, 1, 1, 1)
    assert_allclose(jacobian(stretch), 1.1 * 0.8 * 1.3, rtol=1e-4)


def test_a_field_on_a_finer_grid_moves_as_far() -> None:
    field = np.ones((3, 8, 8, 8), dtype=np.float32)
    finer = resized_field(field, (16, 24, 8))
    assert_allclose(finer, np.array([2, 3, 1]).reshape(3, 1, 1, 1) * np.ones((3, 16, 24, 8)), rtol=1e-5)


def test_random_fields_have_the_size_asked_for_and_repeat() -> None:
    one, again = (random_field(SHAPE, 5, 0.7, np.random.default_rng(3)) for _ in range(2))
    assert one.std() == pytest.approx(0.7, rel=1e-3) and (one == again).all()


def test_registration_finds_a_known_shift_and_size() -> None:
    image = shell_brain(12, shape=(32, 36, 34), squash=(1, 1.1, 1))[0]
    affine = np.diag([2.0, 2, 2, 1])
    moved = np.diag([1.8, 2.1, 1.9, 1])
    moved[:3, 3] = (5, -4, 3)
    found = affine_registration(image, affine, image, moved)
    truth = moved @ np.linalg.inv(affine)
    centre = [31.0, 35.0, 33.0, 1.0]
    assert_allclose(found @ centre, truth @ centre, atol=1.0)  # mm
    assert_allclose(found[:3, :3], truth[:3, :3], atol=0.07)


def test_demons_bring_a_warped_brain_back() -> None:
    brain = shell_brain(12, shape=(32, 36, 34), squash=(1, 1.1, 1))[1]
    fixed = (brain[2] + 2 * brain[1] + 3 * brain[0]).astype(np.float32)
    warp = exponential(random_field(fixed.shape, 5, 0.9, np.random.default_rng(5)))
    moving = sample(fixed[None], identity(fixed.shape) + warp)[0]
    velocity = velocity_registration(fixed, moving, ((2, 30), (1, 30)))
    back = sample(moving[None], identity(fixed.shape) + exponential(velocity))[0]
    assert ((back - fixed) ** 2).mean() < 0.35 * ((moving - fixed) ** 2).mean()
    assert jacobian(exponential(velocity)).min() > 0


def test_a_coarser_voxel_is_the_mean_of_what_it_covers() -> None:
    scan = np.random.default_rng(0).random((1, 16, 16, 16), dtype=np.float32)
    grid = Grid((8, 8, 8), 2.0, (7.5, 7.5, 7.5))
    read = resample(scan, grid, np.eye(4), None, np.eye(4))
    assert_allclose(read[0], scan[0].reshape(8, 2, 8, 2, 8, 2).mean(axis=(1, 3, 5)), atol=1e-5)


def test_the_same_grid_gives_the_same_voxels_and_only_those_wanted() -> None:
    scan = np.random.default_rng(0).random((2, 10, 10, 10), dtype=np.float32)
    grid = Grid((10, 10, 10), 1.0, (4.5, 4.5, 4.5))
    assert_allclose(resample(scan, grid, np.eye(4), None, np.eye(4)), scan, atol=1e-4)
    only = np.zeros((10, 10, 10), dtype=bool)
    only[2:4] = True
    read = resample(scan, grid, np.eye(4), None, np.eye(4), only=only)
    assert_allclose(read, scan * only, atol=1e-4)


def test_appearance_is_decided_by_numbers_but_for_the_noise() -> None:
    flat = np.full((20, 24, 16), 100.0, dtype=np.float32)
    how = Appearance(gamma=0.1, bias=0.05, noise=0, reference=200)

    def changed(**numbers: float) -> np.ndarray:
        given = np.array([numbers.get(name.replace(" ", "_"), 0.0) for name in NUMBERS])
        return change_appearance(flat, np.ones_like(flat), how, np.random.default_rng(0), given)

    assert_allclose(changed(), flat, rtol=1e-5)
    assert_allclose(changed(gamma=1.5), 200 * 0.5 ** np.exp(0.15), rtol=1e-5)
    bright = np.log(changed(bias_2=1) / 100)
    assert np.ptp(bright, axis=1).min() > 0.05 and np.ptp(bright, axis=0).max() < 1e-5
    together = np.log(changed(**{name.replace(" ", "_"): 1 for name in NUMBERS[1:]}) / 100)
    assert together.std() == pytest.approx(0.05, rel=0.02)


def test_appearance_keeps_the_background_and_is_rician() -> None:
    mask = np.ones((24, 24, 24), dtype=np.float32)
    mask[:4] = 0
    dark = np.zeros_like(mask)
    how = Appearance(gamma=0, bias=0, noise=0.1, reference=100)
    made = change_appearance(dark, mask, how, np.random.default_rng(0))
    assert (made[:4] == 0).all()
    noise = made[4:]  # of no signal: Rayleigh, whose mean is 1.913 times its standard deviation
    assert noise.mean() / noise.std() == pytest.approx(1.913, rel=0.03)
