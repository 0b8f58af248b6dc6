"""Random draws that are the same on every machine and in every version: counted SHA-256, and nothing of numpy's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """A stream of draws, named by a seed and words; another name gives an independent stream."""

    def __init__(self, seed: int, *words: object) -> None:
        self._key = "|".join(map(str, (seed, *words))).encode()
        self._count = 0

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit - 1``, all equally likely (larger draws are refused, not folded)."""
        whole = (1 << 64) // limit * limit
        while (value := self._word()) >= whole:
            pass
        return value % limit

    def fraction(self) -> float:
        """A number from 0 to below 1."""
        return (self._word() >> 11) / (1 << 53)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order (Fisher and Yates)."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def _word(self) -> int:
        self._count += 1
        return int.from_bytes(hashlib.sha256(self._key + b"#%d" % self._count).digest()[:8], "big")
