"""3dbraingen: brain MRI at 64³ by α-GAN, α-WGAN, VAE-GAN and WGAN.

Kwon et al., "Generation of 3D Brain MRI Using Auto-Encoding Generative Adversarial Networks", MICCAI 2019
(github.com/cyclomon/3dbraingen).  The four ways of training share two generators, which the weights cannot tell apart:

    α-GAN, α-WGAN   z (any length) ─ transposed conv 4³ ─ 8c×4³ ─ 4c×8³ ─ 2c×16³ ─ c×32³ ─ 1×64³ ─ tanh
    VAE-GAN, WGAN   z (1000) ─ linear ─ 512×4³ ─ 256×8³ ─ 128×16³ ─ 64×32³ ─ 1×64³ ─ tanh
Each step is ×2 and a 3³ convolution; BatchNorm and ReLU follow every layer but the last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from synthview.generators.arguments import parse_flag
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments
from synthview.generators.info import Setting
from synthview.generators.networks.batch_setting import batch_setting
from synthview.generators.networks.conv_encoder import conv_encoder
from synthview.generators.networks.stem_stack import Layout, StemStack, StemStackNetwork
from synthview.generators.state_dicts import Shapes
from synthview.volume import Volume, Window, centred_affine

_SPACING_MM = 4.0  # FreeSurfer's 256 mm over 64 voxels


class _Brain3dGan(StemStack):
    """What both generators have in common."""

    source = "Kwon et al. 2019, github.com/cyclomon/3dbraingen"
    arguments: ClassVar[Mapping[str, str]] = {
        **StemStack.arguments,
        "batch_statistics": "true to sample as published, where the network was left in training mode",
    }

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """Batch statistics are not the default: with them a volume depends on its batch."""
        return {**super().infer_arguments(shapes, stated), "batch_statistics": stated.get("batch_statistics", False)}

    def parse_argument(self, name: str, value: Any) -> Any:
        """Yes or no, or a whole number."""
        return parse_flag(name, value) if name == "batch_statistics" else super().parse_argument(name, value)

    def build(self, arguments: Arguments) -> StemStackNetwork:
        """In training mode if batch statistics are asked for: norms then use those of the volumes being made."""
        network = super().build(arguments)
        network.train(arguments["batch_statistics"])
        return network

    def joint_batch(self, arguments: Arguments) -> bool:
        """In training mode the rows of a batch share their statistics."""
        return bool(arguments["batch_statistics"])

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """``E_….pth`` beside ``G_….pth``."""
        spacing = (_SPACING_MM, _SPACING_MM, _SPACING_MM)
        return conv_encoder(checkpoint.files[0], arguments["latent_dim"], spacing, instance_norm=False)

    def settings(self, arguments: Arguments) -> tuple[Setting, ...]:
        """The statistics that the norms use."""
        return (batch_setting(bool(arguments["batch_statistics"])),)

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is taken from the publication."""
        mode = (
            "Normalised by the statistics of each batch, as the published volumes were."
            if arguments["batch_statistics"]
            else "Normalised by the training's averages; the published volumes were normalised by the statistics of "
            "their batch and look different (argument batch_statistics)."
        )
        return (
            mode,
            f"Spacing ({_SPACING_MM:g} mm) and axes are not in the weights: FreeSurfer's 256 mm conformed grid is "
            "assumed, reordered as in the published training to left, posterior, superior.",
        )

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """Values 0 to 1 as displayed by the publication.

        The training swapped axes 1 and 2 of FreeSurfer's arrays (left, inferior, anterior), then flipped both.
        """
        voxels = np.float32(0.5) * raw[0] + np.float32(0.5)
        # to the left, posterior, superior; the middle at 0 mm: where is unknown
        affine = centred_affine(voxels.shape, (-_SPACING_MM, -_SPACING_MM, _SPACING_MM))
        return Volume(voxels, affine, window=Window.from_range(0, 1)).to_ras()


class Brain3dAlphaGan(_Brain3dGan):
    """3dbraingen's α-GAN and α-WGAN."""

    id = "3dbraingen-alpha-gan"
    title = "3dbraingen α-GAN / α-WGAN"
    layout = Layout("tp_conv1", (4, 4, 4), (8, 4, 2, 1), "tp_conv5", (64, 64, 64))
    aliases: ClassVar[Mapping[str, Arguments]] = {"3dbraingen-alpha-wgan": {}, "alpha-wgan-adni": {}}


class Brain3dWgan(_Brain3dGan):
    """3dbraingen's VAE-GAN and WGAN."""

    id = "3dbraingen-wgan"
    title = "3dbraingen VAE-GAN / WGAN"
    layout = Layout("fc", (4, 4, 4), (8, 4, 2, 1), "tp_conv5", (64, 64, 64))
    aliases: ClassVar[Mapping[str, Arguments]] = {"3dbraingen-vae-gan": {}}
