"""What a family is: one published architecture, and all that synthview has to know of it.

To add one, write a file in ``networks/`` with the network (``nn.Module``, keys as in the published checkpoints) and a
subclass of ``Family``, and name it in ``registry.py``; ``docs/generators.md`` walks through it.

How a checkpoint becomes a generator:

    tensors(checkpoint)          which of the file's tensors are the network's          (default: the generator's)
    infer_arguments(shapes, …)   constructor arguments, from shapes and what was stated
    open_arguments(arguments)    what is still open: the user is asked, once
    build(arguments)             the network; its keys and shapes are compared with the file's
    sample(network, z, …)        a raw output, step by step; iterative samplers (diffusion) yield each step
    to_volume(raw, arguments)    a Volume in RAS+, post-processed as published
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import WrongRequestError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.features import FeatureInput, encode_features
from synthview.generators.info import Feature, OpenArgument, Setting
from synthview.generators.quick_torch import import_the_rest
from synthview.generators.state_dicts import Shapes, Tensors, shapes_of
from synthview.volume import Volume, VolumeKind

Arguments = Mapping[str, Any]
Step = tuple[float, torch.Tensor | None]
"""The fraction done (0-1), and the output: None while there is nothing to show; the last step's is the raw output."""


class NotThisFamily(Exception):  # noqa: N818  (it is an answer, not an error)
    """The tensors can't be this family's; the message says why, as the end of "not X: …".

    Attributes:
        likeness: 0 to 1; 1 where they are the family's, but can't be used as they are.  Then a part of the file that
            would fit by itself isn't taken for the whole.
    """

    def __init__(self, reason: str, likeness: float = 0.0) -> None:
        super().__init__(reason)
        self.likeness = likeness


class Family(ABC):
    """One published architecture.

    Attributes:
        id: identifier, such as "ha-gan".
        title: for people.
        source: the paper or repository it comes from.
        aliases: other names for ``family=``, with the arguments that they imply.
        arguments: every argument, name to what it means; constructor arguments and ways to use the network.
        facts: arguments that are no matter of taste: where a manifest states one, nobody is offered another.
        is_iterative: whether a volume takes many steps (diffusion): one that is no longer wanted is then given up.
        takes_place: whether its volumes have axes and grid of the training scans' files, as published, so that they
            can take the place (the affine) of one of these.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    aliases: ClassVar[Mapping[str, Arguments]] = {}
    arguments: ClassVar[Mapping[str, str]] = {}
    facts: ClassVar[frozenset[str]] = frozenset()
    is_iterative: ClassVar[bool] = False
    takes_place: ClassVar[bool] = False

    # -- from a checkpoint to a network ----------------------------------------------------------------------------

    def tensors(self, checkpoint: Checkpoint) -> Tensors:
        """The network's tensors.  Families of several networks join ``checkpoint.parts`` here, each under a prefix.

        Raises:
            NotThisFamily: a part is missing.
        """
        return checkpoint.tensors

    @abstractmethod
    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """Every argument that can be known: what was stated, and the rest from shapes, else the published default.

        Keys that a damaged file lacks are no reason to fail: with published defaults for them, the comparison with
        the network says best what is missing.

        Args:
            shapes: of the checkpoint's tensors.
            stated: arguments given by the user or by the settings beside the weights, as ``parse_argument`` left them.

        Raises:
            NotThisFamily: the shapes can't be this family's.
            WrongRequestError: what was stated contradicts the weights.
        """

    def tell_apart(self, shapes: Shapes) -> None:  # noqa: B027  (most families need no such thing)
        """For a file that fits: make sure that it isn't another family's.  Not asked where the user named the family.

        Raises:
            NotThisFamily: it may well be another's.
        """

    def read_settings(self, settings: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
        """Arguments found in the training script's settings, if they fit the weights; others are left out."""
        return {}

    def parse_argument(self, name: str, value: Any) -> Any:
        """An argument as given (by Python, as text after ``--arg``, or from JSON), in its proper type.

        Raises:
            WrongRequestError: not a possible value.
        """
        return value

    def open_arguments(self, arguments: Arguments) -> tuple[OpenArgument, ...]:
        """What has to be asked of the user before the network can run."""
        return ()

    @abstractmethod
    def build(self, arguments: Arguments) -> nn.Module:
        """The network, in evaluation mode or as the arguments say; its keys and shapes are those of a checkpoint.

        Called on the meta device too, where nothing is computed, and then also with arguments still open.
        """

    def expected_shapes(self, arguments: Arguments) -> Shapes:
        """Keys and shapes of the network with these arguments; on the meta device that takes no time and no memory."""
        try:
            with torch.device("meta"):
                return shapes_of(self.build(arguments).state_dict())
        except NotImplementedError:
            if not import_the_rest():
                raise
            return self.expected_shapes(arguments)

    def count_parameters(self, arguments: Arguments) -> int:
        """Number of weights of the network with these arguments."""
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in self.build(arguments).parameters())

    def is_optional(self, key: str) -> bool:
        """Whether a checkpoint may lack this key, or have it though the network does not."""
        return key.endswith("num_batches_tracked")

    def complete(self, tensors: dict[str, torch.Tensor], arguments: Arguments) -> None:  # noqa: B027
        """Fill in optional tensors that the file lacks and the network needs (in place)."""

    def finish(self, network: nn.Module) -> None:  # noqa: B027
        """Last touches to a network that has its weights, such as leaving out parts that the file lacks."""

    # -- what goes in and out --------------------------------------------------------------------------------------

    @abstractmethod
    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """Shape of one latent."""

    @abstractmethod
    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """Shape of one raw output, channels first; empty where an open argument decides it."""

    def features(self, arguments: Arguments) -> tuple[Feature, ...]:
        """Conditioning inputs, in the network's order."""
        return ()

    def settings(self, arguments: Arguments) -> tuple[Setting, ...]:
        """Ways to use the network that a person may choose in the window, unless a manifest states one of ``facts``."""
        return ()

    def implied_by(self, kind: VolumeKind) -> Arguments:
        """Arguments that follow from the kind of image a manifest says, where nobody states them."""
        return {}

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is unknown or assumed, one sentence each."""
        return ()

    def fit_latent(self, arguments: Arguments, stated: Collection[str], width: int) -> Arguments:
        """The arguments with which latents of ``width`` numbers can be decoded.

        Raises:
            WrongRequestError: no arguments fit.
        """
        shape = self.latent_shape(arguments)
        if width != int(np.prod(shape)):
            wanted = " × ".join(map(str, shape))
            raise WrongRequestError(f"a latent of this generator has {wanted} numbers, got {width} in each row")
        return arguments

    def fit_shape(self, arguments: Arguments, stated: Collection[str], shape: tuple[int, ...]) -> Arguments:
        """``fit_latent`` for families whose output follows the latent's shape; the others only look at its length.

        Raises:
            WrongRequestError: no arguments fit.
        """
        return self.fit_latent(arguments, stated, math.prod(shape))

    def encode_features(self, given: FeatureInput, arguments: Arguments, count: int) -> npt.NDArray[np.float32] | None:
        """Conditioning as the network takes it, float32 (count, width); None for an unconditional network.

        Raises:
            WrongRequestError: an unknown feature, one out of range, or an array of another width.
        """
        return encode_features(self.features(arguments), given, count)

    # -- running it ------------------------------------------------------------------------------------------------

    @abstractmethod
    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """Run the network, yielding often enough that the caller can stop within a fraction of a second.

        Args:
            network: from ``build``, with its weights, on its device.
            z: (N, *latent_shape) on that device.
            condition: from ``encode_features``, on that device.
            noise: CPU generator for any noise after the latent.
        """

    def sample_coarse(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step] | None:
        """A cheap, coarse output for a moving slider; None where there is no such path."""
        return None

    @abstractmethod
    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """One raw output (C, …), full or coarse, as a volume in RAS+, post-processed as published."""

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """What reads the encoder that a checkpoint has, in itself or in files beside it; None where it has none.

        Only looks which tensors or files are there: reading them waits until somebody wants to encode.
        """
        return None

    def joint_batch(self, arguments: Arguments) -> bool:
        """Whether rows of a batch must go through the network together because they influence each other."""
        return False


def plain_name(name: str) -> str:
    """A family's name for comparison: lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("α", "alpha"))
