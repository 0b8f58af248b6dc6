"""How many pairs and readers a study needs: power by simulation, votes alike within pair and within reader."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthview.errors import WrongRequestError
from synthview.study.statistics.clustered import two_way
from synthview.study.statistics.proportions import Proportion
from synthview.study.statistics.words import count, interval, percent

_BATCH = 200


@dataclass(frozen=True)
class Design:
    """A planned 2AFC study in which every reader sees every pair.

    Attributes:
        pairs: how many pairs (or items with a right answer).
        readers: how many readers.
        share: the share of votes (or of right answers) that the study should be able to tell from one half.
        icc_pair: correlation of votes on the same pair, such as a pilot's (``icc`` with unit ``pair``).
        icc_reader: correlation of votes of the same reader.
    """

    pairs: int
    readers: int
    share: float
    icc_pair: float = 0.0
    icc_reader: float = 0.0

    def __post_init__(self) -> None:
        if self.pairs < 2 or self.readers < 2:
            raise WrongRequestError(f"{self.pairs} pairs and {self.readers} readers: a plan needs two of each or more")
        if not 0 < self.share < 1:
            raise WrongRequestError(f"a share of {self.share:g} can't be planned for; it lies between 0 and 1")
        if not (0 <= self.icc_pair < 1 and 0 <= self.icc_reader < 1 and self.icc_pair + self.icc_reader < 0.95):
            raise WrongRequestError(
                f"ICCs of {self.icc_pair:g} (pair) and {self.icc_reader:g} (reader) can't be simulated: each is at "
                "least 0, and together they stay below 0.95"
            )


@dataclass(frozen=True)
class Power:
    """How often a design finds what there is to find.

    Attributes:
        design: what was simulated.
        found: simulated studies with p below 0.05, of all simulated ones.
        naive: how many a test that takes votes as independent calls significant (too many, if the share is 0.5).
        covered: simulated studies whose 95 % interval holds the true share.
        naive_covered: the same for Wilson's interval of the pooled votes.
    """

    design: Design
    found: Proportion
    naive: Proportion
    covered: Proportion
    naive_covered: Proportion

    @property
    def sentence(self) -> str:
        """The power in words."""
        design = self.design
        return (
            f"With {count(design.pairs, 'pair')} and {count(design.readers, 'reader')} a true share of "
            f"{percent(design.share)} is told from 50 % in {percent(self.found.share)} of {self.found.n:,} simulated "
            f"studies ({interval(*self.found.wilson())})."
        )


def simulate(design: Design, studies: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Votes of many studies, (studies, readers, pairs), 1 for the arm in question.

    A normal variable for each vote is the sum of parts shared by its pair and by its reader and a part of its own, and
    is cut so that the mean is ``share``. An ICC of votes is turned into a correlation of the normal variables with
    ρ = sin(π ICC / 2), exact at a share of one half (Sheppard 1899); ICCs of other shares come out a little smaller.
    """
    from scipy.stats import norm

    rho_pair, rho_reader = (math.sin(math.pi * icc / 2) for icc in (design.icc_pair, design.icc_reader))
    own = 1 - rho_pair - rho_reader
    if own < 0:
        raise WrongRequestError("the two ICCs together leave nothing to chance; lower one of them")
    latent = math.sqrt(rho_pair) * rng.standard_normal((studies, 1, design.pairs))
    latent = latent + math.sqrt(rho_reader) * rng.standard_normal((studies, design.readers, 1))
    latent = latent + math.sqrt(own) * rng.standard_normal((studies, design.readers, design.pairs))
    votes: npt.NDArray[np.float64] = (latent > norm.ppf(1 - design.share)).astype(np.float64)
    return votes


def power(design: Design, studies: int = 2000, seed: int = 0, progress: Callable[[float], None] | None = None) -> Power:
    """Simulate a design and count how often the clustered and the naive test find a preference.

    Args:
        design: what to simulate.
        studies: how many studies; 2000 give the power to about ±2 points.
        seed: the same seed gives the same figures.
        progress: is told the fraction done; may raise ``Cancelled``.
    """
    from scipy.stats import t

    rng = np.random.default_rng(seed)
    counts = np.zeros(4, dtype=int)
    for start in range(0, studies, _BATCH):
        votes = simulate(design, min(_BATCH, studies - start), rng)
        mean, se, df = two_way(votes)
        half = t.ppf(0.975, np.maximum(df, 1)) * se
        low, high = _wilson(mean, design.pairs * design.readers)
        counts += [
            int((np.abs(mean - 0.5) > half).sum()),
            int(((low > 0.5) | (high < 0.5)).sum()),
            int((np.abs(mean - design.share) <= half).sum()),
            int(((low <= design.share) & (design.share <= high)).sum()),
        ]
        if progress is not None:
            progress(min(1.0, (start + _BATCH) / studies))
    return Power(design, *(Proportion(int(k), studies) for k in counts))


def _wilson(share: npt.NDArray[np.float64], n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Wilson's interval for many shares at once."""
    z2 = 1.959964**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return centre - half, centre + half


def plan(
    design: Design,
    wanted: float = 0.8,
    readers: Sequence[int] = (3, 4, 6, 8, 12, 20),
    most_pairs: int = 400,
    *,
    studies: int = 1000,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[Power | None]:
    """The smallest number of pairs that reaches the wanted power, for each number of readers.

    Args:
        design: share and ICCs; its pairs and readers aren't used.
        wanted: power, between 0 and 1.
        readers: numbers of readers to plan for.
        most_pairs: give up beyond this.
        studies: simulated studies for each design.
        seed: the same seed gives the same plan.
        progress: is told the fraction done; may raise ``Cancelled``.

    Returns:
        One entry for each number of readers; None where ``most_pairs`` pairs don't reach it (more readers are needed).
    """
    if not 0.05 < wanted < 1:
        raise WrongRequestError(f"a power of {wanted:g} can't be planned for; give one between 0.05 and 1, such as 0.8")
    found: list[Power | None] = []
    for i, number in enumerate(readers):
        found.append(_fewest_pairs(replace(design, readers=number), wanted, most_pairs, studies, seed))
        if progress is not None:
            progress((i + 1) / len(readers))
    return found


def _fewest_pairs(design: Design, wanted: float, most: int, studies: int, seed: int) -> Power | None:
    """Bisection: power grows with the number of pairs."""
    low, best = 2, power(replace(design, pairs=most), studies, seed)
    if best.found.share < wanted:
        return None
    high = most
    while high > low:
        middle = (low + high) // 2
        tried = power(replace(design, pairs=middle), studies, seed)
        if tried.found.share >= wanted:
            high, best = middle, tried
        else:
            low = middle + 1
    return best
