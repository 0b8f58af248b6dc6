"""A recipe: all that decides a training, in one TOML file.

    name, title, method, family, seed           what it makes, and how
    [data]      shape, values, features          how scans become what a network sees
    [network]   of the method (its ``Network``)  sizes
    [loss]      of the method (its ``Loss``)     weights of the losses, learning rates
    [training]  steps, batch, …                  how long, how often to save
    [card]      text for the model card

Recipes that come with synthview lie in ``resources/recipes`` and are named without ``.toml``.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from synthview.errors import WrongRequestError
from synthview.resources import resource_path
from synthview.training.typed import typed

VALUES = ("images", "tissues")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Data:
    """How a training set's scans become what a network sees.

    Attributes:
        shape: voxels of the network's volume; scans are padded or cropped about their middle.
        resample: voxels to resample a scan's whole field of view to before that; none: as it is.
        values: "images" (-1 to 1) or "tissues" (four probabilities: white and grey matter, CSF, background).
        features: columns of the table that the network is told.
        standardise: features as (value - mean) / std; otherwise as 0 to 1 of their range.
    """

    shape: tuple[int, int, int]
    resample: tuple[int, int, int] | None = None
    values: str = "images"
    features: tuple[str, ...] = ()
    standardise: bool = True


@dataclass(frozen=True)
class Training:
    """How long, how, and how often to save and show.

    Attributes:
        steps: of the optimiser.
        batch: volumes a step.
        learning_rate_end: the learning rate falls to this part of itself along a cosine; 1: it does not.
        ema: share that the averaged weights keep at each step, once training has gone on for a while.
        precision: "float32", or "bfloat16" for the forward pass (autocast).
        threads: of the processor; results are the same to the bit only for the same number.
        log_every, checkpoint_every, sample_every: steps between a line of losses, a checkpoint, a sheet of samples.
    """

    steps: int
    batch: int = 4
    learning_rate_end: float = 1.0
    ema: float = 0.999
    precision: str = "float32"
    threads: int = 1
    log_every: int = 20
    checkpoint_every: int = 200
    sample_every: int = 500


@dataclass(frozen=True)
class Card:
    """Text of the model card that no program can know.

    Attributes:
        summary: what it makes, in a sentence or two.
        simulated: what of the training data is simulated, and what real.
        limits: what it is not good at, or not for.
    """

    summary: str = ""
    simulated: str = ""
    limits: str = ""


@dataclass(frozen=True)
class Recipe:
    """One training.

    Attributes:
        name: of the recipe, and of the generator.
        title: for people.
        method: how it is trained; ``methods/`` has them.
        family: what the result is opened as.
        seed: of everything random.
        data, training, card: see there.
        network, loss: of the method, which checks them.
    """

    name: str
    title: str
    method: str
    family: str
    data: Data
    training: Training
    seed: int = 0
    card: Card = field(default_factory=Card)
    network: Mapping[str, Any] = field(default_factory=dict)
    loss: Mapping[str, Any] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """SHA-256 of everything that changes the weights at a given step."""
        said = asdict(self)
        for name in ("title", "card"):
            del said[name]
        for name in ("log_every", "checkpoint_every", "sample_every"):
            del said["training"][name]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """As a run's folder keeps it."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def bundled_recipes() -> dict[str, Path]:
    """The recipes that come with synthview, name to file, in name order."""
    return {path.stem: path for path in sorted(resource_path("recipes").glob("*.toml"))}


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe: a bundled one by name, or a file.

    Raises:
        WrongRequestError: there is none, or an entry is wrong; says which.
    """
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        bundled = bundled_recipes()
        if str(name_or_path) not in bundled:
            raise WrongRequestError(
                f"{name_or_path} is neither a recipe file nor one that comes with synthview: {', '.join(bundled)}"
            )
        path = bundled[str(name_or_path)]
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise WrongRequestError(f"{path} can't be read as TOML: {error}") from error
    return parse_recipe(content, path.name)


def parse_recipe(content: Any, where: str) -> Recipe:
    """A recipe from what a TOML or JSON file holds.

    Raises:
        WrongRequestError: an entry is wrong; says which.
    """
    recipe = typed(Recipe, content, where)
    training, data = recipe.training, recipe.data
    for name, value in (("steps", training.steps), ("batch", training.batch), ("threads", training.threads)):
        if value < 1:
            raise WrongRequestError(f"{where}: training.{name} must be 1 or more, got {value}")
    for name in ("log_every", "checkpoint_every", "sample_every"):
        if getattr(training, name) < 1:
            raise WrongRequestError(f"{where}: training.{name} must be 1 or more, got {getattr(training, name)}")
    if not 0 <= training.ema < 1:
        raise WrongRequestError(f"{where}: training.ema must be from 0 to below 1, got {training.ema:g}")
    if training.precision not in PRECISIONS:
        raise WrongRequestError(f"{where}: training.precision must be one of {', '.join(PRECISIONS)}")
    if data.values not in VALUES:
        raise WrongRequestError(f"{where}: data.values must be one of {', '.join(VALUES)}, got {data.values!r}")
    if min(data.shape) < 1 or min(data.resample or (1,)) < 1:
        raise WrongRequestError(f"{where}: data.shape and data.resample must be whole numbers above 0")
    return recipe
