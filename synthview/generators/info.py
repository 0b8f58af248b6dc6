"""What a generator says of itself, and what one asks of it.  No torch here: the window uses these types too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from synthview.volume import Volume


@dataclass(frozen=True)
class Feature:
    """A conditioning input, such as age.

    Attributes:
        name: identifier, as in ``--set age=72``.
        label: what the screen says.
        unit: such as "years"; empty for none.
        low, high: range of a number; for a category 0 and the number of categories - 1.
        default: where its control stands at first.
        categories: names of the choices; empty for a number.
        step: what one click on its control changes; 0 to leave that to the control.
        mean, std: the network gets (value - mean) / std.
        one_hot: a category has a column for each choice; else one column with the choice's number.
        follows: names of numbers that it goes along with in people, and how much it changes for each of their units.
    """

    name: str
    label: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    categories: tuple[str, ...] = ()
    step: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    one_hot: bool = True
    follows: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenArgument:
    """Something the weights leave open, to be asked of the user once.

    Attributes:
        name: the argument's name, as in ``--arg size=128``.
        question: one sentence for a person, fit for a dialog.
        choices: the possible values, as they would be typed after ``name=``.
    """

    name: str
    question: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """A way to use a network that its weights leave to whoever opens it; another choice opens it again.

    Attributes:
        name: of the argument.
        label: what the screen says.
        value: as opened, as it would be typed after ``name=``.
        choices: value and what the screen calls it.
        what: explains it in a sentence.
    """

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...]
    what: str = ""


@dataclass(frozen=True)
class GeneratorInfo:
    """What a checkpoint is, without running it.

    Attributes:
        name: the checkpoint's file or folder name.
        path: where it is.
        sha256: hexadecimal SHA-256 of its content.
        container: how it is stored, such as "torch zip file".
        family: identifier of the architecture, such as "ha-gan".
        title: the family's name for people.
        arguments: constructor arguments, inferred and given.
        latent_shape: shape of one latent.
        features: conditioning inputs, in the network's order.
        output_shape: shape of one raw output, channels first.
        parameters: number of weights.
        source: the paper or repository the architecture comes from.
        notes: what is unknown or assumed, one sentence each.
        manifest: path of the manifest that says the following; empty without one, and then so are they.
        label: what to call it.
        output: spacing, orientation, kind, unit and window, as far as the manifest says them.
        training_data: what it was trained on.
        licence: under which the weights are given.
        citation: what to cite.
        metrics: reported figures.
        can_encode: whether it has an encoder, so that it can reconstruct a real scan.
        settings: ways to use it that can be chosen.
        is_iterative: whether a volume takes many steps, so that one no longer wanted is given up between two of them.
        takes_place: whether its volumes are on the grid of its training scans, so that they can take the place of one.
    """

    name: str
    path: str
    sha256: str
    container: str
    family: str
    title: str
    arguments: Mapping[str, Any]
    latent_shape: tuple[int, ...]
    features: tuple[Feature, ...]
    output_shape: tuple[int, ...]
    parameters: int
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    manifest: str = ""
    label: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    training_data: str = ""
    licence: str = ""
    citation: str = ""
    metrics: Mapping[str, float | str] = field(default_factory=dict)
    can_encode: bool = False
    settings: tuple[Setting, ...] = ()
    takes_place: bool = False
    is_iterative: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Placement:
    """Where the voxels of an original lie, to be given to volumes on the same grid.

    Attributes:
        affine: the 4x4's numbers, row by row: voxel index to RAS+ millimetres.
        shape: voxels along each axis.
    """

    affine: tuple[float, ...]
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, original: Volume) -> Placement:
        """That of an original, in its own axis order."""
        return cls(tuple(float(number) for number in original.affine.ravel()), original.shape)


@dataclass(frozen=True)
class GenerateRequest:
    """One volume, please.

    Attributes:
        seed: the latent is drawn from it.
        latent: given instead of drawn, flattened; then the seed is not used.
        truncation: factor on the drawn latent, 0 to 1 (more is allowed).
        features: conditioning inputs by name; missing ones take their defaults, or go with those they follow.
        coarse: a quick, coarse volume for a moving slider, where the family has such a path.
        like: where an original lies, whose place the volume takes; only where ``GeneratorInfo.takes_place``.
    """

    seed: int = 0
    latent: tuple[float, ...] | None = None
    truncation: float = 1.0
    features: Mapping[str, float] = field(default_factory=dict)
    coarse: bool = False
    like: Placement | None = None


@dataclass(frozen=True)
class Reconstruction:
    """A real scan and what a generator makes of it.

    Attributes:
        prepared: what the encoder saw: the scan on the network's grid, in the scan's unit and place.
        volume: encoded and decoded again, on the same grid; its provenance names the scan.
    """

    prepared: Volume
    volume: Volume


@dataclass(frozen=True)
class Device:
    """Somewhere to compute.

    Attributes:
        id: what ``--device`` takes: "cpu", "cuda:0", "mps".
        name: for people, such as "NVIDIA H100 · 80 GB".
    """

    id: str
    name: str
