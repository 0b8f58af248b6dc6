"""MRIAnatEval's brain MRI generators at 144×192×144: α-GAN, α-WGAN, CCE-GAN, VAE-GAN and WGAN.

Wu et al., MRIAnatEval (github.com/jiaqiw01/MRIAnatEval).  α-WGAN and CCE-GAN share a generator; the weights cannot
tell them apart.  Its HA-GAN is in ``hagan.py``.

    α-GAN             z (any length) ─ transposed conv (4, 6, 4) ─ 4c ─ 4c ─ 2c ─ c ─ 1×(64, 96, 64)
    α-WGAN, CCE-GAN   z (any length) ─ transposed conv (4, 6, 4) ─ 8c ─ 4c ─ 2c ─ c ─ 1×(64, 96, 64)
    VAE-GAN, WGAN     z (1000) ─ linear ─ 512×(4, 6, 4) ─ 256 ─ 128 ─ 64 ─ 1×(64, 96, 64)
Each step is ×2 and a 3³ convolution; BatchNorm and ReLU follow every layer but the last, after which the nearest
voxels are taken to 144×192×144 and tanh ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from synthview.generators.family import Arguments
from synthview.generators.networks.stem_stack import Layout, StemStack
from synthview.volume import Volume, Window

_GRID = (4, 6, 4)
_SIZE = (144, 192, 144)


class _MriAnatEval(StemStack):
    """What these generators have in common."""

    source = "github.com/jiaqiw01/MRIAnatEval"

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is assumed."""
        return (
            "Spacing and axes are not in the weights: 1 mm and right, anterior, superior are assumed, as its script "
            "saves them.",
        )

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """Values from -1 (the background) to 1 and axes as its script saves them, with an identity affine."""
        return Volume(raw[0], np.eye(4), window=Window.from_range(-1, 1))


class MriAnatEvalAlphaGan(_MriAnatEval):
    """MRIAnatEval's α-GAN."""

    id = "mrianateval-alpha-gan"
    title = "MRIAnatEval α-GAN"
    layout = Layout("tp_conv1", _GRID, (4, 4, 2, 1), "tp_conv5", _SIZE)


class MriAnatEvalAlphaWgan(_MriAnatEval):
    """MRIAnatEval's α-WGAN and CCE-GAN."""

    id = "mrianateval-alpha-wgan"
    title = "MRIAnatEval α-WGAN / CCE-GAN"
    layout = Layout("tp_conv1", _GRID, (8, 4, 2, 1), "tp_conv5", _SIZE)
    aliases: ClassVar[Mapping[str, Arguments]] = {"mrianateval-cce-gan": {}, "cce-gan": {}}


class MriAnatEvalVaeGan(_MriAnatEval):
    """MRIAnatEval's VAE-GAN."""

    id = "mrianateval-vae-gan"
    title = "MRIAnatEval VAE-GAN"
    layout = Layout("fc", _GRID, (8, 4, 2, 1), "tp_conv5", _SIZE)


class MriAnatEvalWgan(_MriAnatEval):
    """MRIAnatEval's WGAN, whose last convolution is called tp_conv6."""

    id = "mrianateval-wgan"
    title = "MRIAnatEval WGAN"
    layout = Layout("fc", _GRID, (8, 4, 2, 1), "tp_conv6", _SIZE)
