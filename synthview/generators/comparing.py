"""How a file's keys and shapes differ from those of a family's network, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthview.generators.checkpoint import Checkpoint
from synthview.generators.family import Family
from synthview.generators.state_dicts import Shapes
from synthview.generators.wording import listed

_CLOSEST = 3  # families that are named where none fits


@dataclass(frozen=True)
class Differences:
    """How a file's tensors differ from a network's.

    Attributes:
        phrases: one for each kind of difference; none where they fit.
        likeness: how alike they are, 0 to 1.
        wrong: tensors of another shape.
    """

    phrases: tuple[str, ...]
    likeness: float
    wrong: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of them."""
        return "; ".join(self.phrases)


def compare(shapes: Shapes, expected: Shapes, family: Family) -> Differences:
    """How a file's keys and shapes differ from those of a family's network."""
    missing = [k for k in expected if k not in shapes and not family.is_optional(k)]
    extra = [k for k in shapes if k not in expected and not family.is_optional(k)]
    wrong = [k for k in expected if k in shapes and shapes[k] != expected[k]]
    phrases = []
    if missing:
        phrases.append(f"missing: {listed(missing)}")
    if extra:
        phrases.append(f"not expected: {listed(extra)}")
    if wrong:
        phrases.append("wrong shape: " + listed([f"{k} {shapes[k]} instead of {expected[k]}" for k in wrong]))
    alike = len(expected.keys() & shapes.keys()) - len(wrong) / 2
    return Differences(tuple(phrases), alike / max(len(expected.keys() | shapes.keys()), 1), tuple(wrong))


def unknown_sentence(
    checkpoint: Checkpoint, outcomes: Sequence[tuple[Family, Differences]], troubles: Sequence[str] = ()
) -> str:
    """What to say of a checkpoint that no family fits: what it looks like, or which come closest and why they don't.

    Args:
        checkpoint: the file.
        outcomes: the families with how it differs from them.
        troubles: sentences on families that could not be tried.
    """
    ranked = sorted(outcomes, key=lambda outcome: -outcome[1].likeness)
    best, differences = ranked[0]
    if differences.likeness > 0.5:
        return (
            f"{checkpoint.path} looks like {best.title}, but does not fit: {differences.sentence}; it may be damaged, "
            "or of a changed version of the network"
        )
    if differences.likeness == 0.0 and (near := [o for o in ranked if "missing:" not in o[1].phrases[0]]):
        ranked = near + [o for o in ranked if o not in near]
    reasons = "; ".join(f"not {family.title}: {d.sentence}" for family, d in ranked[:_CLOSEST])
    keys = [key for part in checkpoint.parts.values() for key in part]
    closest = f"{checkpoint.path} is of no architecture that synthview knows (its tensors: {listed(keys, 4)}). "
    advice = "If you know its architecture, say --family NAME; docs/programs.md says how to bring your own"
    return " ".join((f"{closest}Closest: {reasons}. {advice}", *troubles))
