"""Generators that people bring as programs: a network with its weights in one file, which no family has to know.

A program takes latents (N, …) and, if it is conditional, columns of features (N, width), and returns volumes
(N, C, I, J, K) or (N, I, J, K).  What it doesn't say of itself stands in ``manifest.json`` beside it: the latent's
shape as ``arguments.latent_shape``, features, spacing, orientation and meaning as for any checkpoint
(``docs/programs.md``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import CheckpointError, SynthviewError, WrongRequestError
from synthview.generators.arguments import parse_flag
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.family import Arguments, Family, Step
from synthview.generators.info import Feature
from synthview.generators.manifest import Manifest, ManifestFeature
from synthview.generators.programs.signature import Signature
from synthview.generators.state_dicts import Shapes
from synthview.generators.wording import one_line
from synthview.volume import Volume, VolumeKind

_LONGEST_LATENT = 100_000_000  # numbers; more is a slip of the pen
_SEEDS = 2**62
_LOW, _HIGH = -10.0, 10.0  # of a feature whose range nobody says


class ProgramNetwork(nn.Module):
    """A program that is ready to run, on one device."""

    def run(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latents (N, …), and columns (N, width) if it is conditional, to what it returns.

        Raises:
            Exception: whatever the program fails with.
        """
        raise NotImplementedError


class Program(Family):
    """One program; unlike other families it belongs to one checkpoint.

    Attributes:
        runs_code: opening it runs code from the file, so that the user has to agree first.
    """

    runs_code: ClassVar[bool] = True
    source = "brought by the user"
    arguments: ClassVar[Mapping[str, str]] = {
        "latent_shape": "shape of one latent, such as 128 or 3x20x28x20",
        "output_shape": "shape of one raw output, channels first, such as 1x64x64x64",
        "one_hot": "true if a category has one column for each choice",
    }

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.path = checkpoint.files[0]
        self.manifest: Manifest | None = checkpoint.manifest
        self.signature: Signature = self.read_signature()

    @abstractmethod
    def read_signature(self) -> Signature:
        """What the file says of itself; nothing of it is run.

        Raises:
            CheckpointError: it is damaged.
        """

    @abstractmethod
    def load(self, arguments: Arguments, device: torch.device) -> tuple[ProgramNetwork, torch.device]:
        """The program, ready to run, and where it does.

        Raises:
            CheckpointError: it is damaged, or of a version that can't be run here.
        """

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """What the file says and what was stated must agree; what neither says is None."""
        declared = {"latent_shape": self.signature.latent_shape, "output_shape": self.signature.output_shape}
        for name, value in declared.items():
            if value is not None and stated.get(name) not in {None, value}:
                raise WrongRequestError(
                    f"{name} {_text(stated[name])} does not fit {self.path.name}, which says {_text(value)}"
                )
        found = {name: stated.get(name) or value for name, value in declared.items()}
        return {**found, "one_hot": self._one_hot(stated.get("one_hot"))}

    def parse_argument(self, name: str, value: Any) -> Any:
        """Shapes and a yes or no."""
        return parse_flag(name, value) if name == "one_hot" else _shape(name, value)

    def build(self, arguments: Arguments) -> nn.Module:
        """Nothing: the program is its own network."""
        return nn.Module()

    def count_parameters(self, arguments: Arguments) -> int:
        """As many as lie in the file."""
        return self.signature.parameters

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """As the file or the manifest says it; empty where nobody does."""
        return arguments["latent_shape"] or ()

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """As the file or the manifest says it; empty where nobody does."""
        return arguments["output_shape"] or ()

    def features(self, arguments: Arguments) -> tuple[Feature, ...]:
        """The manifest's; without one, as many plain numbers as the program takes."""
        said = self.manifest.features if self.manifest is not None else ()
        if not said:
            return tuple(
                Feature(f"feature_{i}", f"Feature {i}", low=_LOW, high=_HIGH)
                for i in range(1, (self.signature.columns or 0) + 1)
            )
        return tuple(_feature(feature, one_hot=arguments["one_hot"]) for feature in said)

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What nobody says."""
        notes = []
        if not arguments["latent_shape"]:
            notes.append("It does not say what latents it takes; " + self._how_to_say("latent_shape", "[128]"))
        notes.append("Spacing, axes and the meaning of its values are not in the program: spacing is taken as 1 mm.")
        if self.signature.columns and not (self.manifest and self.manifest.features):
            notes.append(f"The meaning of the features is not in the program, which takes {self.signature.columns}.")
        return tuple(notes)

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One run, which can't be stopped on the way; random numbers that it draws itself come from the seed too."""
        with torch.random.fork_rng(devices=[z.device] if z.is_cuda else []):
            torch.manual_seed(int(torch.randint(_SEEDS, (1,), generator=noise)))
            output = self._run(cast(ProgramNetwork, network), z, condition)
        yield 1.0, output

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """The values as they are, at 1 mm, in RAS+; the manifest then says otherwise."""
        if len(raw) == 1:
            return Volume(raw[0], np.eye(4))
        kind = self.manifest.output.kind if self.manifest is not None else None
        if kind is not VolumeKind.TISSUE_MAP:
            raise CheckpointError(
                f"{self.path} makes {len(raw)} channels, and nothing says what they are; a manifest.json beside it can "
                'say output.kind "tissue map" (docs/programs.md)'
            )
        return Volume(raw, np.eye(4), kind)

    def prepare(self, arguments: Arguments, device: torch.device) -> tuple[ProgramNetwork, Arguments, torch.device]:
        """Load the program and make sure that it does what is said of it; where nobody says its output's shape, try it.

        Raises:
            CheckpointError: it doesn't, or nothing says what latents it takes.
        """
        if not arguments["latent_shape"]:
            raise CheckpointError(
                f"{self.path} does not say what latents it takes; {self._how_to_say('latent_shape', '[128]')}"
            )
        if self.signature.batch not in {None, 1}:
            raise CheckpointError(
                f"{self.path} takes {self.signature.batch} latents at a time; export it with a batch of 1 or any size"
            )
        network, where = self.load(arguments, device)
        if arguments["output_shape"] is None:
            columns = self.encode_features(None, arguments, 1)
            z = torch.zeros(1, *arguments["latent_shape"], device=where)
            condition = None if columns is None else torch.from_numpy(columns).to(where)
            with torch.inference_mode():
                made = self._run(network, z, condition)
            arguments = {**arguments, "output_shape": tuple(made.shape[1:])}
        return network, arguments, where

    def _one_hot(self, stated: Any) -> bool:
        """Whether categories are spread out: as stated, else whatever makes as many columns as the program takes."""
        said = self.manifest.features if self.manifest is not None else ()
        columns = self.signature.columns
        if not said:
            return bool(stated)
        widths = {False: len(said), True: sum(max(len(feature.categories), 1) for feature in said)}
        if columns is None:
            return bool(stated)
        fitting = [one_hot for one_hot, width in widths.items() if width == columns and stated in {None, one_hot}]
        if not fitting:
            raise CheckpointError(
                f"{self.manifest.path if self.manifest else self.path}: features make {widths[bool(stated)]} columns "
                f"where {self.path.name} takes {columns}; list all of them in the program's order"
            )
        return fitting[0]

    def _run(self, network: ProgramNetwork, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """What the program returns, as (N, C, I, J, K).

        Raises:
            SynthviewError: it fails, or returns something else.
        """
        try:
            output = network.run(z, condition)
        except (SynthviewError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # the program is somebody else's, and may fail in any way
            if "can't allocate memory" in str(error) or "out of memory" in str(error):
                raise
            given = f"latents of {_text(z.shape[1:])}" + (
                "" if condition is None else f", {condition.shape[1]} features"
            )
            raise SynthviewError(
                f"{self.path} failed when it was given {given}: {_last_line(error)}; correct its manifest or itself"
            ) from error
        if output.dim() == 4:
            output = output[:, None]
        if output.dim() != 5 or len(output) != len(z) or not output.is_floating_point():
            raise SynthviewError(
                f"{self.path} returned {_text(output.shape)} numbers of {output.dtype} for {len(z)} latent; volumes "
                "are N × channels × three axes of floating-point numbers"
            )
        return output

    def _how_to_say(self, name: str, example: str) -> str:
        return (
            f'a manifest.json beside it can: {{"name": "…", "weights": "{self.path.name}", "arguments": '
            f'{{"{name}": {example}}}}} (or --arg {name}=…)'
        )


def first_tensor(output: Any) -> torch.Tensor:
    """A program's output, or the first of several.

    Raises:
        TypeError: it is no tensor.
    """
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, list | tuple) and output:
        output = output[0]
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"it returned {type(output).__name__} instead of a tensor")
    return output


def _feature(said: ManifestFeature, *, one_hot: bool) -> Feature:
    """As the program takes it; ranges, units and scaling are the manifest's, which are put onto it afterwards."""
    if said.categories and one_hot:
        return Feature(said.name, said.label or said.name, high=len(said.categories) - 1.0, categories=said.categories)
    return Feature(said.name, said.label or said.name, low=_LOW, high=_HIGH)


def _shape(name: str, value: Any) -> tuple[int, ...]:
    """A shape from a number, a list, or text such as 3x20x28x20."""
    parts = value if isinstance(value, list | tuple) else str(value).lower().replace("×", "x").split("x")
    if not parts or not all(str(part).strip().isdecimal() and int(part) > 0 for part in parts):
        raise WrongRequestError(f"{name} must be whole numbers such as 128 or 3x20x28x20, got {value!r}")
    shape = tuple(int(part) for part in parts)
    if int(np.prod(shape, dtype=np.float64)) > _LONGEST_LATENT:
        raise WrongRequestError(f"{name} {value!r} is larger than any network's")
    return shape


def wrong_inputs(path: Path, count: int) -> CheckpointError:
    """What to say of a program whose inputs can't be a generator's."""
    return CheckpointError(
        f"{path} takes {count} inputs; a generator takes latents, and perhaps columns of features: export it again so"
    )


def _text(shape: Any) -> str:
    return " × ".join(map(str, shape)) if isinstance(shape, tuple | list) else str(shape)


def _last_line(error: Exception) -> str:
    """What happened; torch puts it last, after a trace of the program."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(lines[-1] if lines else type(error).__name__, 160).rstrip(".")
