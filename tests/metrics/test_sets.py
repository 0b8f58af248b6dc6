"""Metrics with known answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage

from synthview.metrics.ageing import age_slope, chart_ratio
from synthview.metrics.distributions import frechet_distance, mmd2, principal_scores
from synthview.metrics.features import feature_matrix, pyramid_features
from synthview.metrics.neighbours import nearest_neighbours
from synthview.metrics.similarity import WEIGHTS, ms_ssim, pairs_among, similarity_within

RNG = np.random.default_rng(1)


def smooth_noise(seed: int, shape: tuple[int, ...] = (40, 44, 36), sigma: float = 2.0) -> np.ndarray:
    values = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return ((values - values.min()) / np.ptp(values)).astype(np.float32)


def test_ms_ssim_of_equal_volumes_is_one_and_falls_with_noise() -> None:
    volume = smooth_noise(0)
    noise = np.random.default_rng(2).standard_normal(volume.shape).astype(np.float32)
    scores = [ms_ssim(volume, volume + sd * noise) for sd in (0.0, 0.02, 0.1, 0.3)]
    assert scores[0] == pytest.approx(1.0, abs=1e-6)
    assert scores == sorted(scores, reverse=True) and scores[-1] < 0.7


def test_ms_ssim_of_constants_is_the_luminance_term() -> None:
    # without structure only (2ab + c1) / (a² + b² + c1) is left, at the coarsest scale with its renormalised weight
    a, b, c1 = 0.5, 0.6, 0.01**2
    shape = (14, 14, 14)  # two scales: 14 and 7
    luminance = (2 * a * b + c1) / (a * a + b * b + c1)
    expected = luminance ** (WEIGHTS[1] / (WEIGHTS[0] + WEIGHTS[1]))
    assert ms_ssim(np.full(shape, a), np.full(shape, b)) == pytest.approx(expected, rel=1e-4)


def test_ms_ssim_refuses_what_it_cannot_compare() -> None:
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim(np.zeros((20, 20, 20)), np.zeros((20, 20, 21)))
    with pytest.raises(ValueError, match="sides of 7"):
        ms_ssim(np.zeros((6, 20, 20)), np.zeros((6, 20, 20)))


def test_pairs_are_all_or_a_seeded_draw() -> None:
    assert pairs_among(3, 10) == [(0, 1), (0, 2), (1, 2)]
    drawn = pairs_among(30, 20)
    assert len(set(drawn)) == 20 and drawn == pairs_among(30, 20) and drawn != pairs_among(30, 20, seed=1)


def test_a_set_of_copies_is_more_alike_than_a_varied_one() -> None:
    varied = [smooth_noise(i, (20, 20, 20)) for i in range(4)]
    copies = [varied[0]] * 4
    assert similarity_within(copies).mean() == pytest.approx(1, abs=1e-6)
    assert similarity_within(varied).mean() < 0.7


def test_frechet_distance_of_known_gaussians() -> None:
    # exact moments: whitened draws, then scaled and moved, so that the closed form holds to rounding
    x = RNG.standard_normal((400, 3))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    sd1, sd2, gap = np.array([1, 2, 3]), np.array([2, 2, 1]), np.array([0.5, 0, -1])
    expected = (gap**2).sum() + ((sd1 - sd2) ** 2).sum()
    assert frechet_distance(x * sd1, x * sd2 + gap) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_with_covariances_that_do_not_commute() -> None:
    from scipy.linalg import sqrtm

    a, b = RNG.standard_normal((60, 4)) @ RNG.standard_normal((4, 4)), RNG.standard_normal((50, 4))
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(axis=0) - b.mean(axis=0)
    direct = gap @ gap + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(direct, rel=1e-8)


def test_mmd_by_hand() -> None:
    x, y = np.array([[0.0], [1.0]]), np.array([[2.0], [4.0]])
    k = lambda d: np.exp(-(d**2) / 2)  # noqa: E731
    expected = k(1) + k(2) - 2 * (k(2) + k(4) + k(1) + k(3)) / 4
    assert mmd2(x, y, bandwidth=1.0) == pytest.approx(expected)


def test_mmd_is_unbiased_around_zero_and_finds_a_shift() -> None:
    draws = [mmd2(*RNG.standard_normal((2, 30, 5)), bandwidth=3.0) for _ in range(200)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(200)
    assert mmd2(RNG.standard_normal((30, 5)), RNG.standard_normal((30, 5)) + 1.5) > max(draws)
    with pytest.raises(ValueError, match="at least 2"):
        mmd2(np.zeros((1, 2)), np.zeros((4, 2)))


def test_principal_scores_keep_distances_when_all_components_stay() -> None:
    a, b = RNG.standard_normal((5, 20)), RNG.standard_normal((4, 20))
    first, second = principal_scores(a, b, 9)
    assert_allclose(np.linalg.norm(first[0] - second[1]), np.linalg.norm(a[0] - b[1]), rtol=1e-10)


def test_features_see_a_blur_that_means_do_not() -> None:
    sharp = smooth_noise(3, (32, 40, 36), sigma=1.0)
    blurred = ndimage.gaussian_filter(sharp, 1.0)
    one, other = (pyramid_features(v).reshape(3, 5, 64) for v in (sharp, blurred))
    assert one.shape == (3, 5, 64)
    assert_allclose(one[0, 0], other[0, 0], atol=0.05)  # the means of the cells hardly move
    assert (other[0, 1:] < 0.8 * one[0, 1:]).all()  # every edge gets weaker
    assert feature_matrix([sharp, blurred]).shape == (2, 960)
    with pytest.raises(ValueError, match="32 voxels"):
        pyramid_features(np.zeros((31, 40, 40)))


def test_feature_means_are_the_means_of_the_cells() -> None:
    volume = np.zeros((32, 32, 32), dtype=np.float32)
    volume[8:16, 16:24, 24:] = 0.75  # one cell: 1, 2, 3
    means = pyramid_features(volume)[:64].reshape(4, 4, 4)
    assert means[1, 2, 3] == pytest.approx(0.75) and means.sum() == pytest.approx(0.75)


def test_copies_are_found_mirrored_too() -> None:
    training = [smooth_noise(i) for i in range(3)]
    real = [smooth_noise(10 + i) for i in range(3)]
    fresh = smooth_noise(20)
    found = nearest_neighbours([training[1], training[2][::-1], fresh], training, real)
    assert_allclose(found.synthetic[:2], 0, atol=1e-6)
    assert found.synthetic[2] > 0.5 * found.real.min() and found.copies >= 2 / 3


def test_chart_ratios_are_the_published_medians() -> None:
    assert chart_ratio("ventricles", 1, 80, 20) == pytest.approx(40 / 11)
    assert chart_ratio("gm", 0, 60, 40) == pytest.approx(498 / 536)
    assert chart_ratio("ventricles", 0, 90, 80) > 1.2 and chart_ratio("gm", 1, 18, 20) > 1


def test_age_slope_of_an_exact_exponential() -> None:
    ages = np.array([20, 35, 50, 65, 80.0])
    slope = age_slope(ages, 500 * 0.97 ** (ages / 10))
    assert (slope.per_decade, slope.low, slope.high) == pytest.approx((-0.03, -0.03, -0.03))
    assert slope.ratio_80_to_20 == pytest.approx(0.97**6)
    with pytest.raises(ValueError, match="different ages"):
        age_slope([50, 50, 50], [1, 2, 3])
