"""The families that synthview knows.

This is the one place where a family is registered.  Other packages add theirs with an entry point of the group
``synthview.generators`` that names a subclass of ``Family``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from synthview.errors import WrongRequestError
from synthview.generators.family import Family, plain_name
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
from synthview.generators.wording import one_line

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
_log = logging.getLogger(__name__)


@cache
def families() -> tuple[Family, ...]:
    """Every known family: the built-in ones, then those of other packages that could be loaded."""
    return (*(family() for family in BUILT_IN), *_others()[0])


def left_out() -> tuple[str, ...]:
    """A sentence for each family of another package that could not be loaded."""
    return _others()[1]


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
    known = ", ".join(f.id for f in families())
    raise WrongRequestError(" ".join((f"there is no family {name!r}; there are {known}", *left_out())))


@cache
def _others() -> tuple[tuple[Family, ...], tuple[str, ...]]:
    """Families of other packages, and what is to be said of those that could not be loaded."""
    found: list[Family] = []
    troubles: list[str] = []
    names = {plain_name(family.id) for family in BUILT_IN}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda e: (e.name, e.value)):
        try:
            family = _load(entry)
            if plain_name(family.id) in names:
                raise ValueError(f"another family is called {family.id!r} already")
        except Exception as error:  # noqa: BLE001  (another package's mistake must not stop the rest)
            reason = one_line(str(error) or type(error).__name__, 120).rstrip(".")
            troubles.append(
                f"The family {entry.name} of the package {_package(entry)} could not be loaded and was left out "
                f"({type(error).__name__}: {reason})."
            )
            _log.warning(troubles[-1])
            continue
        names.add(plain_name(family.id))
        found.append(family)
    return tuple(found), tuple(troubles)


def _load(entry: EntryPoint) -> Family:
    """A family that another package offers.

    Raises:
        Exception: it can't be imported or made, or is something else.
    """
    kind = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, Family)):
        raise TypeError(f"{entry.value} is not a subclass of synthview.generators.family.Family")
    family = kind()
    for name in ("id", "title", "source"):
        if not isinstance(getattr(family, name, None), str):
            raise TypeError(f"{entry.value} lacks {name}")
    return family


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]
