"""Brings a brain onto the template: an affine map, then a velocity field.

The affine map is found with SimpleITK.  The field is found with log-domain demons (Vercauteren et al., MICCAI 2008,
«Symmetric log-domain diffeomorphic image registration»): the demons' force of each step is added to a stationary
velocity field, so that the result is invertible and its logarithm, which the statistics need, is known exactly.  Both
compare tissue images (CSF 1, grey matter 2, white matter 3), which don't depend on the scanner's contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.training.data.fields import Floats, exponential, identity, resized, resized_field, sample, smooth

Matrix = npt.NDArray[np.float64]
LEVELS = ((4, 60), (2, 40), (1, 20))  # (grid coarser by, steps), for 2 mm
LEVELS_COARSE = ((2, 60), (1, 40))  # for 4 mm
_LONGEST_STEP = 1.0  # voxels
_FORCE_SIGMA, _FIELD_SIGMA = 1.0, 1.2  # voxels: of each step ("fluid"), of the whole field ("elastic")


def affine_registration(fixed: Floats, fixed_affine: Matrix, moving: Floats, moving_affine: Matrix) -> Matrix:
    """The affine map from ``fixed``'s RAS+ millimetres to ``moving``'s, 4x4, by least squares of the intensities.

    Args:
        fixed: (I, J, K) image with 0 as background.
        fixed_affine: 4x4, diagonal, its voxel index to RAS+ mm.
        moving: as ``fixed``.
        moving_affine: as ``fixed_affine``.
    """
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in one order: the same result on every run
    method.SetMetricAsMeanSquares()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 150, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([4.0, 2.0])
    images = _sitk_image(fixed, fixed_affine), _sitk_image(moving, moving_affine)
    start = sitk.CenteredTransformInitializer(
        *images, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(*images)
    linear = np.array(start.GetMatrix()).reshape(3, 3)
    centre, shift = np.array(start.GetCenter()), np.array(start.GetTranslation())
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, shift + centre - linear @ centre
    return matrix


def _sitk_image(voxels: Floats, affine: Matrix) -> Any:
    """An image for SimpleITK whose "physical" axes are RAS+, as both images are treated alike."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.transpose(2, 1, 0)))
    image.SetSpacing([float(affine[axis, axis]) for axis in range(3)])
    image.SetOrigin([float(x) for x in affine[:3, 3]])
    return image


def velocity_registration(fixed: Floats, moving: Floats, levels: Sequence[tuple[int, int]] = LEVELS) -> Floats:
    """The velocity field v with moving(x + exp(v)(x)) ≈ fixed(x), (3, I, J, K) in voxels.

    Args:
        fixed: (I, J, K).
        moving: on the same grid, affinely aligned.
        levels: from coarse to fine: how much coarser the grid is, and the steps on it.
    """
    full = fixed.shape
    velocity = np.zeros((3, *[max(8, n // levels[0][0]) for n in full]), dtype=np.float32)
    for factor, steps in levels:
        shape = [max(8, n // factor) for n in full]
        blur = 0.5 * factor if factor > 1 else 0.5
        small_fixed, small_moving = (resized(smooth(image[None], blur), shape)[0] for image in (fixed, moving))
        velocity = resized_field(velocity, shape)
        for _ in range(steps):
            velocity = _demons_step(small_fixed, small_moving, velocity)
    return velocity if list(velocity.shape[1:]) == list(full) else resized_field(velocity, full)


def _demons_step(fixed: Floats, moving: Floats, velocity: Floats) -> Floats:
    warped = sample(moving[None], identity(fixed.shape) + exponential(velocity))[0]
    difference = fixed - warped
    gradient = np.stack(np.gradient(warped)).astype(np.float32)
    # Gauss–Newton for |F − M∘exp(v)|² + |step|²: a step is never longer than _LONGEST_STEP
    weight = (gradient**2).sum(axis=0) + difference**2 / np.float32(4 * _LONGEST_STEP**2)
    step = gradient * (difference / np.maximum(weight, 1e-6))
    step[:, weight < 1e-6] = 0
    return smooth(velocity + smooth(step, _FORCE_SIGMA), _FIELD_SIGMA)
