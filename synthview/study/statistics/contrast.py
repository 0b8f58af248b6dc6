"""Two arms set against each other, and the votes on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from synthview.study.statistics.clustered import Table
from synthview.study.statistics.data import Section, natural, table
from synthview.study.statistics.proportions import Proportion
from synthview.study.statistics.result import POOLED
from synthview.study.votes import Vote


@dataclass(frozen=True)
class Contrast:
    """The votes on two arms; ``first`` is the one with more votes, and shares are its shares."""

    section: Section
    first: str
    second: str
    scope: str

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The votes on these two arms."""
        return self.section.votes

    def for_first(self, votes: Sequence[Vote]) -> Proportion:
        """How many of the votes are for ``first``."""
        return Proportion(sum(vote.chosen_arm == self.first for vote in votes), len(votes))

    def table(self) -> tuple[Table, list[str], list[str]]:
        """Readers × pairs: 1 where ``first`` was chosen."""
        return table(self.votes, lambda vote: float(vote.chosen_arm == self.first))

    def pair_shares(self) -> dict[str, Proportion]:
        """Votes for ``first`` on every pair."""
        return {item: self.for_first([v for v in self.votes if v.item == item]) for item in self.section.items}


def contrasts(section: Section) -> list[Contrast]:
    """Every two arms that were set against each other."""
    arms = sorted({arm for vote in section.votes for arm in (vote.arm_left, vote.arm_right)}, key=natural)
    out: list[Contrast] = []
    for a, b in combinations(arms, 2):
        part = section.where(lambda vote, pair={a, b}: {vote.arm_left, vote.arm_right} == pair)  # type: ignore[misc]
        if part.votes:
            won = Counter(vote.chosen_arm for vote in part.votes)
            first, second = (b, a) if won[b] > won[a] else (a, b)
            out.append(Contrast(part, first, second, f"{first} vs {second}"))
    if len(out) == 1:
        return [Contrast(out[0].section, out[0].first, out[0].second, POOLED)]
    return out


def dispersion(outcomes: Sequence[Proportion]) -> tuple[float, int] | None:
    """Pearson χ² of the pairs × 2 table and its degrees of freedom; None with one pair or all votes on one side."""
    n, k = sum(o.n for o in outcomes), sum(o.k for o in outcomes)
    if len(outcomes) < 2 or k in (0, n):
        return None
    share = k / n
    chi2 = sum((o.k - o.n * share) ** 2 / (o.n * share * (1 - share)) for o in outcomes)
    return chi2, len(outcomes) - 1
