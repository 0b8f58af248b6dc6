"""Votes made to have known counts."""

from collections.abc import Sequence

import numpy as np

from synthview.study.votes import REAL, Kind, Side, Vote

PUBLISHED = (12, 12, 11, 10, 10, 10, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 5, 4, 4, 4, 2, 1)
TURING_ERRORS = {"1": (1, 0, 1), "2": (13, 8, 16), "3": (2, 4, 3), "4": (5, 8, 8)}  # on A of 15, B of 15, real of 20


def preference_votes(for_a: Sequence[int], readers: int = 12, seed: int = 0) -> list[Vote]:
    """Every reader votes on every pair; ``for_a`` of them, drawn by chance, for A; sides change."""
    rng = np.random.default_rng(seed)
    votes = []
    for pair, wins in enumerate(for_a, start=1):
        chosen = rng.permutation([True] * wins + [False] * (readers - wins))
        for reader, a in enumerate(chosen, start=1):
            left = "A" if (pair + reader) % 2 else "B"
            right = "B" if left == "A" else "A"
            side = Side.LEFT if (left == "A") == bool(a) else Side.RIGHT
            votes.append(Vote(f"R{reader}", "which", Kind.TWO_AFC, f"p{pair}", left, right, side))
    return votes


def turing_votes(seed: int = 0) -> list[Vote]:
    """Four readers, 50 single scans, with the errors of ``TURING_ERRORS``."""
    rng = np.random.default_rng(seed)
    votes = []
    for reader, errors in TURING_ERRORS.items():
        for arm, wrong, shown in zip(("A", "B", REAL), errors, (15, 15, 20), strict=True):
            for i, is_wrong in enumerate(rng.permutation([True] * wrong + [False] * (shown - wrong))):
                answer = "real" if (arm == REAL) != bool(is_wrong) else "synthetic"
                votes.append(Vote(reader, "Turing", Kind.TURING, f"{arm}{i}", arm, correct=not is_wrong, answer=answer))
    return votes


def two_afc_votes(right: int, asked: int, reader: str = "R1") -> list[Vote]:
    """One reader, real against A, the first ``right`` of ``asked`` right; the side of the real scan alternates."""
    votes = []
    for i in range(asked):
        arms = (REAL, "A") if i % 2 else ("A", REAL)
        side = Side.LEFT if (arms[0] == REAL) == (i < right) else Side.RIGHT
        votes.append(Vote(reader, "2AFC", Kind.TWO_AFC, f"p{i}", *arms, side, i < right))
    return votes
