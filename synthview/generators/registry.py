"""The families that synthview knows, and which of them a checkpoint is.

This is the one place where a family is registered.  Other packages add theirs with an entry point of the group
``synthview.generators`` that names a subclass of ``Family``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from synthview.errors import (
    CheckpointError,
    IncompleteCheckpointError,
    MissingArgumentError,
    UnknownFamilyError,
    WrongRequestError,
)
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.family import Family, NotThisFamily, plain_name
from synthview.generators.info import OpenArgument
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_arguments import check_arguments, expected_shapes
from synthview.generators.networks.brain3dgan import Brain3dAlphaGan, Brain3dWgan
from synthview.generators.networks.cdpm import Cdpm
from synthview.generators.networks.crfgan import CrfGan
from synthview.generators.networks.csegsynth import CSegSynth
from synthview.generators.networks.hagan import HaGan
from synthview.generators.networks.monai_ldm import MonaiLdm
from synthview.generators.networks.mrianateval import (
    MriAnatEvalAlphaGan,
    MriAnatEvalAlphaWgan,
    MriAnatEvalVaeGan,
    MriAnatEvalWgan,
)
from synthview.generators.networks.sigmarat import SigmaRat
from synthview.generators.state_dicts import Shapes, Tensors, shapes_of

BUILT_IN: tuple[type[Family], ...] = (
    HaGan,
    CrfGan,
    Brain3dAlphaGan,
    Brain3dWgan,
    MriAnatEvalAlphaGan,
    MriAnatEvalAlphaWgan,
    MriAnatEvalVaeGan,
    MriAnatEvalWgan,
    SigmaRat,
    CSegSynth,
    Cdpm,
    MonaiLdm,
)
ENTRY_POINTS = "synthview.generators"
_NAMED_KEYS = 6  # keys that a message names before "and 12 more"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recognised:
    """What a checkpoint turned out to be.

    Attributes:
        family: its family.
        tensors: the network's tensors, by the network's keys; not yet copied.
        arguments: all arguments; those that are open are None.
        stated: names of the arguments that the user, the manifest or the settings gave.
        manifest: what the manifest beside it says; None without one.
        notes: why a manifest that lies there is not used.
    """

    family: Family
    tensors: Tensors
    arguments: Mapping[str, Any]
    stated: frozenset[str]
    manifest: Manifest | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statements:
    """What is said of a checkpoint besides its weights.

    Attributes:
        given: arguments from the user; they win.
        kept: the user's earlier answers.
        manifest: what lies beside it; it wins over earlier answers.
        notes: why a manifest that lies there is not used.
    """

    given: Mapping[str, Any]
    kept: Mapping[str, Any]
    manifest: Manifest | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Differences:
    """How a file's tensors differ from a network's, one phrase each, and how alike they are (0-1)."""

    phrases: tuple[str, ...]
    likeness: float


@cache
def families() -> tuple[Family, ...]:
    """Every known family: the built-in ones, then those of other packages."""
    found = [family() for family in BUILT_IN]
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            found.append(entry.load()())
        except Exception:  # noqa: BLE001  (another package's mistake must not stop the rest)
            _log.exception("the family %s of another package could not be loaded and is left out", entry.value)
    return tuple(found)


def find_family(name: str) -> tuple[Family, Mapping[str, Any]]:
    """The family of this name or alias (case and punctuation don't count), and the arguments that an alias implies.

    Raises:
        WrongRequestError: there is none; names those there are.
    """
    for family in families():
        if plain_name(name) == plain_name(family.id):
            return family, {}
        for alias, implied in family.aliases.items():
            if plain_name(name) == plain_name(alias):
                return family, implied
    raise WrongRequestError(f"there is no family {name!r}; there are {', '.join(f.id for f in families())}")


def recognise(
    checkpoint: Checkpoint,
    family: str | None = None,
    given: Mapping[str, Any] | None = None,
    kept: Mapping[str, Any] | None = None,
) -> Recognised:
    """Find a checkpoint's family and arguments from its keys and shapes.

    Args:
        checkpoint: from ``read_checkpoint``.
        family: its name, if the user says so; then no other is tried.
        given: arguments from the user.
        kept: the user's earlier answers for these weights; what is given now wins over them.

    Raises:
        UnknownFamilyError: no family fits; says which come closest, and why they don't fit.
        MissingArgumentError: several families fit; the argument to ask for is ``family``.
        WrongRequestError: no such family or argument, or arguments that contradict the weights.
        CheckpointError: the manifest beside it can't be used, or contradicts the weights; says how.
    """
    if family is not None:
        chosen, implied = find_family(family)
        manifest, notes = _manifest_of(checkpoint, chosen)
        said = Statements({**implied, **(given or {})}, kept or {}, manifest, notes)
        outcome = _try(chosen, checkpoint, said, named=True)
        if isinstance(outcome, Recognised):
            return outcome
        raise UnknownFamilyError(f"{checkpoint.path} is not {chosen.title}: {_sentence(outcome.phrases)}")
    said = Statements(given or {}, kept or {}, checkpoint.manifest, checkpoint.manifest_notes)
    if said.manifest is not None and said.manifest.family:
        return _as_the_manifest_says(checkpoint, said, said.manifest)
    outcomes = [(f, _try(f, checkpoint, said, named=False)) for f in families()]
    fitting = [outcome for _, outcome in outcomes if isinstance(outcome, Recognised)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = tuple(outcome.family.id for outcome in fitting)
        question = f"{checkpoint.name} fits several families: {', '.join(ids)}. Which one is it?"
        raise MissingArgumentError(f"{question} Say --family {ids[0]}.", OpenArgument("family", question, ids))
    raise _unknown(checkpoint, [(f, d) for f, d in outcomes if isinstance(d, Differences)])


def compare(shapes: Shapes, expected: Shapes, family: Family) -> Differences:
    """How a file's keys and shapes differ from those of a family's network."""
    missing = [k for k in expected if k not in shapes and not family.is_optional(k)]
    extra = [k for k in shapes if k not in expected and not family.is_optional(k)]
    wrong = [k for k in expected if k in shapes and shapes[k] != expected[k]]
    phrases = []
    if missing:
        phrases.append(f"missing: {_list(missing)}")
    if extra:
        phrases.append(f"not expected: {_list(extra)}")
    if wrong:
        phrases.append("wrong shape: " + _list([f"{k} {shapes[k]} instead of {expected[k]}" for k in wrong]))
    alike = len(expected.keys() & shapes.keys()) - len(wrong) / 2
    return Differences(tuple(phrases), alike / max(len(expected.keys() | shapes.keys()), 1))


def parse_arguments(family: Family, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as given, in their proper types.

    Raises:
        WrongRequestError: the family has no such argument, or not this value for it.
    """
    for name in given:
        if name not in family.arguments:
            known = ", ".join(family.arguments) or "none"
            raise WrongRequestError(f"{family.title} has no argument {name!r}; it has {known}")
    return {name: family.parse_argument(name, value) for name, value in given.items()}


def _manifest_of(checkpoint: Checkpoint, family: Family) -> tuple[Manifest | None, tuple[str, ...]]:
    """The manifest, unless it says another family than the user does, and notes."""
    manifest = checkpoint.manifest
    if manifest is None or not manifest.family or _manifest_family(manifest)[0] is family:
        return manifest, checkpoint.manifest_notes
    return None, (f"The manifest was not used: it says family {manifest.family}, and {family.id} was asked for.",)


def _as_the_manifest_says(checkpoint: Checkpoint, said: Statements, manifest: Manifest) -> Recognised:
    chosen, _ = _manifest_family(manifest)
    outcome = _try(chosen, checkpoint, said, named=True)
    if isinstance(outcome, Recognised):
        return outcome
    raise CheckpointError(
        f"{manifest.path}: family says {manifest.family}, but {checkpoint.name} is not {chosen.title}: "
        f"{_sentence(outcome.phrases)}; correct the family, or leave it out"
    )


def _manifest_family(manifest: Manifest) -> tuple[Family, Mapping[str, Any]]:
    try:
        return find_family(manifest.family)
    except WrongRequestError as error:
        raise CheckpointError(f"{manifest.path}: family: {error}; correct it, or leave it out") from error


def _try(family: Family, checkpoint: Checkpoint, said: Statements, *, named: bool) -> Recognised | Differences:
    try:
        tensors = family.tensors(checkpoint)
        shapes = shapes_of(tensors)
        fits = compare(shapes, expected_shapes(family, family.infer_arguments(shapes, {})), family)
        if fits.phrases:
            return fits
        if not named:
            family.tell_apart(shapes)
    except IncompleteCheckpointError:
        raise
    except (NotThisFamily, CheckpointError) as reason:  # CheckpointError: none of several networks is chosen
        return Differences((str(reason),), 0.0)
    stated = {
        **family.read_settings(checkpoint.settings, shapes),
        **_usable(family, said.kept),
        **_from_manifest(family, shapes, said),
        **parse_arguments(family, said.given),
    }
    arguments = family.infer_arguments(shapes, stated)
    return Recognised(family, tensors, arguments, frozenset(stated), said.manifest, said.notes)


def _from_manifest(family: Family, shapes: Shapes, said: Statements) -> dict[str, Any]:
    """The manifest's arguments that the user does not give otherwise, checked against the weights."""
    manifest = said.manifest
    if manifest is None:
        return {}
    implied = _manifest_family(manifest)[1] if manifest.family else {}
    asked = {name: value for name, value in {**implied, **manifest.arguments}.items() if name not in said.given}
    try:
        stated = parse_arguments(family, asked)
    except WrongRequestError as error:
        raise CheckpointError(f"{manifest.path}: arguments: {error}; correct it there") from error
    check_arguments(family, shapes, stated, manifest)
    return stated


def _usable(family: Family, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Earlier answers; those that this version can't use any more are as if they had not been given."""
    try:
        return parse_arguments(family, kept)
    except WrongRequestError:
        return {}


def _unknown(checkpoint: Checkpoint, outcomes: list[tuple[Family, Differences]]) -> UnknownFamilyError:
    ranked = sorted(outcomes, key=lambda outcome: -outcome[1].likeness)
    best, differences = ranked[0]
    if differences.likeness > 0.5:
        return UnknownFamilyError(
            f"{checkpoint.path} looks like {best.title}, but does not fit: {_sentence(differences.phrases)}. "
            "It may be damaged, or of a changed version of the network."
        )
    if differences.likeness == 0.0 and (near := [o for o in ranked if "missing:" not in o[1].phrases[0]]):
        ranked = near + [o for o in ranked if o not in near]
    reasons = "; ".join(f"not {family.title}: {_sentence(d.phrases)}" for family, d in ranked[:3])
    return UnknownFamilyError(
        f"{checkpoint.path} is of no architecture that synthview knows "
        f"(its tensors: {_list(list(checkpoint.shapes), 4)}). Closest: {reasons}"
    )


def _list(names: list[str], most: int = _NAMED_KEYS) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _sentence(phrases: tuple[str, ...]) -> str:
    return "; ".join(phrases)
