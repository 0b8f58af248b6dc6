"""Made-up heads: an ellipsoid of smooth noise in a dark or noisy background, in any orientation and unit."""

import numpy as np

from synthview.volume import Volume


def body(
    seed: int = 0,
    *,
    shape=(40, 48, 44),
    spacing=2.0,
    radii_mm=(28.0, 36.0, 32.0),
    noise=0.0,
    scale=1000.0,
    offset=0.0,
    dtype=np.float32,
) -> Volume:
    """A head of about 60 × 75 × 65 mm, a little different with each seed."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    away = [(np.arange(n) - (n - 1) / 2) * spacing for n in shape]
    radii = [radius * rng.uniform(0.93, 1.07) for radius in radii_mm]
    inside = sum((a / r) ** 2 for a, r in zip(np.ix_(*away), radii, strict=True)) < 1
    texture = gaussian_filter(rng.normal(size=shape), 1.5)
    values = inside * (0.7 + 0.2 * texture / texture.std()).clip(0.15, 1.5)
    values = values + noise * np.abs(rng.normal(size=shape))
    affine = np.diag([spacing] * 3 + [1.0])
    voxels = values * scale + offset
    if np.dtype(dtype).kind in "iu":
        voxels = voxels.round()
    return Volume(voxels.astype(dtype), affine)
