"""Which family a checkpoint is, and with which arguments: from its keys and shapes, and from what is said of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from synthview.errors import (
    CheckpointError,
    IncompleteCheckpointError,
    MissingArgumentError,
    SynthviewError,
    UnknownFamilyError,
    WrongRequestError,
)
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.choices import WEIGHTS, alternatives, choose_weights, likeliest
from synthview.generators.comparing import Differences, compare, unknown_sentence
from synthview.generators.family import Family, NotThisFamily
from synthview.generators.info import OpenArgument
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_arguments import check_arguments
from synthview.generators.norms import folded, is_spectral
from synthview.generators.programs.opening import check_named, open_program, stated_arguments
from synthview.generators.registry import families, find_family, left_out
from synthview.generators.state_dicts import Shapes, Tensors, shapes_of
from synthview.generators.wording import listed, one_line

_SUSPECTS = 6  # tensors of a wrong shape that are looked at one by one
_ALIKE = 0.5  # likeness from which a file is taken for a damaged or changed one of a family
_FOLDED = "Spectral normalisation was folded into the weights, as the network computes when it is evaluated."

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
        notes: why a manifest that lies there is not used, and which weights were taken.
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

    @property
    def weights(self) -> Any:
        """Which of several weights to take, as far as anybody says."""
        manifest = self.manifest.arguments if self.manifest is not None else {}
        return self.given.get(WEIGHTS, manifest.get(WEIGHTS, self.kept.get(WEIGHTS)))


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
        MissingArgumentError: several families or networks fit; the argument to ask for is ``family`` or ``weights``.
        WrongRequestError: no such family or argument, or arguments that contradict the weights.
        CheckpointError: the manifest beside it can't be used, or contradicts the weights; says how.
    """
    if checkpoint.container.is_program:
        return _program(checkpoint, family, given or {}, kept or {})
    if family is not None:
        chosen, implied = find_family(family)
        manifest, notes = _manifest_of(checkpoint, chosen)
        said = Statements({**implied, **(given or {})}, kept or {}, manifest, notes)
        return _recognise(checkpoint, said, (chosen,))
    said = Statements(given or {}, kept or {}, checkpoint.manifest, checkpoint.manifest_notes)
    if said.manifest is None or not said.manifest.family:
        return _recognise(checkpoint, said, None)
    chosen, _ = _manifest_family(said.manifest)
    try:
        return _recognise(checkpoint, said, (chosen,))
    except UnknownFamilyError as error:
        raise CheckpointError(
            f"{said.manifest.path}: family says {said.manifest.family}, but {_reason(error)}; correct the family, or "
            "leave it out"
        ) from error


def _program(
    checkpoint: Checkpoint, named: str | None, given: Mapping[str, Any], kept: Mapping[str, Any]
) -> Recognised:
    """A program needs no family: it is its own."""
    program = open_program(checkpoint)
    check_named(program, checkpoint, named)
    stated = stated_arguments(program, given, kept)
    arguments = program.infer_arguments({}, stated)
    return Recognised(program, {}, arguments, frozenset(stated), checkpoint.manifest, checkpoint.manifest_notes)


def parse_arguments(family: Family, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as given, in their proper types.

    Raises:
        WrongRequestError: the family has no such argument, or not this value for it.
    """
    given = {name: value for name, value in given.items() if name != WEIGHTS}
    for name in given:
        if name not in family.arguments:
            known = ", ".join(family.arguments) or "none"
            raise WrongRequestError(f"{family.title} has no argument {name!r}; it has {known}")
    return {name: family.parse_argument(name, value) for name, value in given.items()}


def _recognise(checkpoint: Checkpoint, said: Statements, named: tuple[Family, ...] | None) -> Recognised:
    """Try the families on the file's likeliest weights, then, where they are nothing known, on every network in it."""
    chosen = choose_weights(checkpoint, said.weights)
    outcomes = _outcomes(chosen.checkpoint, said, named)
    fitting = [outcome for _, outcome in outcomes if isinstance(outcome, Recognised)]
    if fitting:
        return _with_weights(_the_one(fitting, checkpoint), chosen.value, chosen.note)
    differing = [(family, outcome) for family, outcome in outcomes if isinstance(outcome, Differences)]
    if max(differences.likeness for _, differences in differing) < _ALIKE:
        if (found := _elsewhere(chosen.checkpoint, said, named)) is not None:
            return found
        if named is None:
            _ = chosen.checkpoint.tensors  # CheckpointError: it holds several networks
    if named is not None:
        family, differences = differing[0]
        raise UnknownFamilyError(f"{checkpoint.path} is not {family.title}: {differences.sentence}")
    raise UnknownFamilyError(unknown_sentence(checkpoint, differing, left_out()))


def _elsewhere(checkpoint: Checkpoint, said: Statements, named: tuple[Family, ...] | None) -> Recognised | None:
    """The one network in the file that fits a family; None where none does.

    Raises:
        MissingArgumentError: several do.
    """
    found: dict[str, list[Recognised]] = {}
    for place, single in alternatives(checkpoint).items():
        try:
            outcomes = _outcomes(single, said, named)
        except IncompleteCheckpointError:
            continue
        if fitting := [outcome for _, outcome in outcomes if isinstance(outcome, Recognised)]:
            found[place] = fitting
    places = likeliest(list(found))
    if not places:
        return None
    if len(places) > 1:
        question = f"{checkpoint.name} holds several networks that fit: {listed(places)}. Which one is it?"
        raise MissingArgumentError(
            f"{checkpoint.path}: {question} Say --arg {WEIGHTS}={places[0]}.",
            OpenArgument(WEIGHTS, question, tuple(places)),
        )
    note = f"Of the networks in the file, the one at {places[0]!r} is used."
    if len(places) < len(found):
        note = f"The averaged (EMA) weights at {places[0]!r} are used; the file holds others: {listed(list(found))}."
    return _with_weights(_the_one(found[places[0]], checkpoint), places[0], note)


def _the_one(fitting: list[Recognised], checkpoint: Checkpoint) -> Recognised:
    if len(fitting) == 1:
        return fitting[0]
    ids = tuple(outcome.family.id for outcome in fitting)
    question = f"{checkpoint.name} fits several families: {', '.join(ids)}. Which one is it?"
    raise MissingArgumentError(
        f"{checkpoint.path}: {question} Say --family {ids[0]}.", OpenArgument("family", question, ids)
    )


def _with_weights(found: Recognised, value: str | None, note: str) -> Recognised:
    """Say in arguments and notes which of several weights were taken."""
    if value is None:
        return found
    notes = (*found.notes, *((note,) if note else ()))
    return replace(found, arguments={**found.arguments, WEIGHTS: value}, notes=notes)


def _outcomes(
    checkpoint: Checkpoint, said: Statements, named: tuple[Family, ...] | None
) -> list[tuple[Family, Recognised | Differences]]:
    tried: Iterable[Family] = families() if named is None else named
    return [(family, _try(family, checkpoint, said, named=named is not None)) for family in tried]


def _try(family: Family, checkpoint: Checkpoint, said: Statements, *, named: bool) -> Recognised | Differences:
    try:
        tensors, differences, notes = _fit(family, checkpoint)
        shapes = shapes_of(tensors)
        if not differences.phrases and not named:
            family.tell_apart(shapes)
    except SynthviewError as reason:
        if isinstance(reason, IncompleteCheckpointError) or not isinstance(reason, CheckpointError):
            raise
        return Differences((str(reason),), 0.0)  # none of several networks is chosen
    except NotThisFamily as reason:
        return Differences((str(reason),), reason.likeness)
    except Exception as error:  # noqa: BLE001  (a damaged file, or another package's mistake, must not stop the others)
        _log.debug("%s could not look at %s", family.id, checkpoint.path, exc_info=True)
        return Differences((f"it could not look at it ({type(error).__name__}: {one_line(str(error), 80)})",), 0.0)
    if differences.phrases:
        return differences
    stated = {
        **family.read_settings(checkpoint.settings, shapes),
        **_usable(family, said.kept),
        **_from_manifest(family, shapes, said),
        **parse_arguments(family, said.given),
    }
    arguments = family.infer_arguments(shapes, stated)
    return Recognised(family, tensors, arguments, frozenset(stated), said.manifest, (*said.notes, *notes))


def _fit(family: Family, checkpoint: Checkpoint) -> tuple[Tensors, Differences, tuple[str, ...]]:
    """The family's tensors of a checkpoint, how they differ from its network, and what was done to them.

    Spectral normalisation is folded into the weights where the family's network has none.

    Raises:
        NotThisFamily: they can't be this family's.
        CheckpointError: which of several networks is meant can't be told.
    """
    tensors = family.tensors(checkpoint)
    if not is_spectral(tensors):
        return tensors, _compare(family, tensors), ()
    differences: Differences | None = None
    with contextlib.suppress(NotThisFamily):
        differences = _compare(family, tensors)
        if not differences.phrases:
            return tensors, differences, ()
    plain = folded(tensors, spectral=True)
    again = _compare(family, plain)
    if differences is None or not again.phrases:
        return plain, again, (_FOLDED,)
    return tensors, differences, ()


def _compare(family: Family, tensors: Tensors) -> Differences:
    """How the tensors differ from the family's network.

    One tensor of a wrong shape can spoil what is inferred from it, and then every other one seems wrong.  So where
    several do, each of them is left out in turn, and the reading with the fewest differences is taken.
    """
    shapes = shapes_of(tensors)
    found = _compare_shapes(family, shapes, shapes)
    if len(found.wrong) > 1:
        for key in found.wrong[:_SUSPECTS]:
            rest = {k: shape for k, shape in shapes.items() if k != key}
            with contextlib.suppress(NotThisFamily):
                found = min(found, _compare_shapes(family, shapes, rest), key=lambda d: len(d.wrong))
    return found


def _compare_shapes(family: Family, shapes: Shapes, telling: Shapes) -> Differences:
    """How shapes differ from those of the network that some of them tell of."""
    return compare(shapes, family.expected_shapes(family.infer_arguments(telling, {})), family)


def _manifest_of(checkpoint: Checkpoint, family: Family) -> tuple[Manifest | None, tuple[str, ...]]:
    """The manifest, unless it says another family than the user does, and notes."""
    manifest = checkpoint.manifest
    if manifest is None or not manifest.family or _manifest_family(manifest)[0] is family:
        return manifest, checkpoint.manifest_notes
    return None, (f"The manifest was not used: it says family {manifest.family}, and {family.id} was asked for.",)


def _manifest_family(manifest: Manifest) -> tuple[Family, Mapping[str, Any]]:
    try:
        return find_family(manifest.family)
    except WrongRequestError as error:
        raise CheckpointError(f"{manifest.path}: family: {error}; correct it, or leave it out") from error


def _from_manifest(family: Family, shapes: Shapes, said: Statements) -> dict[str, Any]:
    """The manifest's arguments that the user does not give otherwise, checked against the weights."""
    manifest = said.manifest
    if manifest is None:
        return {}
    implied = _manifest_family(manifest)[1] if manifest.family else {}
    if manifest.output.kind is not None:
        implied = {**family.implied_by(manifest.output.kind), **implied}
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


def _reason(error: UnknownFamilyError) -> str:
    """The error's sentence without the path's folder, to stand inside another sentence."""
    return str(error).rpartition("/")[2]
