"""Who sees what, and on which side: balanced over readers, pairs and arms."""

from __future__ import annotations

from collections.abc import Sequence

from synthview.study.schedule_draws import Draws
from synthview.study.schedule_items import Item


def incomplete_blocks(items: Sequence[Item], readers: int, per_reader: int | None, draws: Draws) -> list[list[Item]]:
    """The items that each reader sees.

    Every reader sees as many of each stratum as its share of the section says (never more than one off over all readers
    so far), and every item is seen by as many readers as any other of its stratum, give or take one. Where everybody
    sees everything there is nothing to draw.
    """
    if per_reader is None or per_reader == len(items):
        return [list(items) for _ in range(readers)]
    strata: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        strata.setdefault(item.stratum, []).append(item)
    decks = {stratum: _Deck(members, draws) for stratum, members in strata.items()}
    blocks = []
    for quotas in _quotas([len(members) for members in strata.values()], readers, per_reader):
        blocks.append([item for deck, count in zip(decks.values(), quotas, strict=True) for item in deck.deal(count)])
    return blocks


class _Deck:
    """Deals a stratum's items: each comes once in every lap, and no reader gets one twice."""

    def __init__(self, members: Sequence[Item], draws: Draws) -> None:
        self._members, self._draws = list(members), draws
        self._left: list[Item] = []

    def deal(self, count: int) -> list[Item]:
        if count == len(self._members):  # everything: it changes nobody's lap
            return list(self._members)
        hand: dict[str, Item] = {}
        while len(hand) < count:
            if all(item.name in hand for item in self._left):
                self._left += self._draws.shuffled(self._members)
            fresh = next(k for k, item in enumerate(self._left) if item.name not in hand)
            item = self._left.pop(fresh)
            hand[item.name] = item
        return list(hand.values())


def _quotas(sizes: Sequence[int], readers: int, per_reader: int) -> list[list[int]]:
    """For each reader, how many of each stratum; what can't be divided goes to the strata that are owed most."""
    total = sum(sizes)
    given = [0] * len(sizes)
    rows = []
    for reader in range(1, readers + 1):
        # in whole numbers (times total), so that no rounding decides
        owed = [reader * per_reader * size - already * total for size, already in zip(sizes, given, strict=True)]
        row = [min(max(debt // total, 0), size) for debt, size in zip(owed, sizes, strict=True)]
        order = sorted(range(len(sizes)), key=lambda k: (-(owed[k] - row[k] * total), (k + reader) % len(sizes)))
        position = 0
        while sum(row) < per_reader:
            k = order[position % len(order)]
            row[k] += row[k] < sizes[k]
            position += 1
        while sum(row) > per_reader:  # several debts came due at once
            k = min((k for k in range(len(row)) if row[k]), key=lambda k: owed[k] - row[k] * total)
            row[k] -= 1
        given = [already + count for already, count in zip(given, row, strict=True)]
        rows.append(row)
    return rows


class Sides:
    """Draws which of a pair is left: balanced for each reader and pair of arms, for each arm, and for each pair."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._of_pair: dict[str, int] = {}  # how often its first stimulus was left, minus how often right
        self._odd: dict[tuple[str, ...], int] = {}  # of each stratum, the same sum over readers with odd numbers

    def draw(self, items: Sequence[Item]) -> dict[str, bool]:
        """For one reader's items: by name, whether the first stimulus is shown left."""
        strata: dict[tuple[str, ...], list[Item]] = {}
        for item in items:
            strata.setdefault(item.stratum, []).append(item)
        surplus: dict[str, int] = {}  # of each arm for this reader: left minus right
        first_left: dict[str, bool] = {}
        for stratum, members in strata.items():
            left = self._left_count(stratum, len(members), surplus)
            mixed = self._draws.shuffled(members)
            mixed.sort(key=lambda item: self._of_pair.get(item.name, 0))
            for k, item in enumerate(mixed):
                first_left[item.name] = k < left
                self._of_pair[item.name] = self._of_pair.get(item.name, 0) + (1 if k < left else -1)
        return first_left

    def _left_count(self, stratum: tuple[str, ...], count: int, surplus: dict[str, int]) -> int:
        """Half of the stratum's items; of an odd number, the half that balances arm, then stratum, then chance."""
        left = count // 2
        if count % 2:
            first, second = (surplus.get(arm, 0) for arm in stratum)
            lean = second - first or -self._odd.get(stratum, 0) or (1 if self._draws.below(2) else -1)
            sign = 1 if lean > 0 else -1
            left += sign > 0
            self._odd[stratum] = self._odd.get(stratum, 0) + sign
            surplus[stratum[0]] = surplus.get(stratum[0], 0) + sign
            surplus[stratum[1]] = surplus.get(stratum[1], 0) - sign
        return left


def positions(limits: tuple[float, float], reader: int, base: Sequence[int], draws: Draws) -> list[float]:
    """Slice positions of a reader's items: one in each of as many equal parts of a range (a Latin hypercube).

    Args:
        limits: lowest and highest position.
        reader: index of the reader; it turns ``base``, so that readers get an item at different parts (a Latin square).
        base: a permutation of 0 … items - 1.
        draws: where in its part each lies.
    """
    (low, high), count = limits, len(base)
    parts = [(part + reader) % count for part in base]
    return [round(low + (part + draws.fraction()) / count * (high - low), 4) for part in parts]


def spread(into: Sequence[Item], extra: Sequence[Item], draws: Draws) -> list[Item]:
    """``into`` with ``extra`` at drawn places, one in each of as many equal stretches."""
    placed = list(into)
    for k, item in enumerate(extra):
        start, stop = (round(len(into) * (k + part) / len(extra)) for part in (0, 1))
        placed.insert(start + k + draws.below(max(1, stop - start)), item)
    return placed
