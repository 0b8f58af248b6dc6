"""One proportion: intervals, the exact test, and d′."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Proportion:
    """``k`` of ``n``; n is at least 1."""

    k: int
    n: int

    @property
    def share(self) -> float:
        """K / n."""
        return self.k / self.n

    def wilson(self, level: float = 0.95) -> tuple[float, float]:
        """Score interval (Wilson 1927, JASA 22:209-212): the one to look at."""
        return _interval(self.k, self.n, "wilson", level)

    def clopper_pearson(self, level: float = 0.95) -> tuple[float, float]:
        """Exact interval (Clopper & Pearson 1934, Biometrika 26:404-413): covers at least ``level``, so it is wider."""
        return _interval(self.k, self.n, "exact", level)

    def exact_p(self, chance: float = 0.5) -> float:
        """Two-sided exact binomial test against ``chance``."""
        return _exact_p(self.k, self.n, chance)


@lru_cache(maxsize=4096)  # hundreds of items share a few counts
def _exact_p(k: int, n: int, chance: float) -> float:
    from scipy.stats import binomtest

    return float(binomtest(k, n, chance).pvalue)


@lru_cache(maxsize=4096)
def _interval(k: int, n: int, method: str, level: float) -> tuple[float, float]:
    from scipy.stats import binomtest

    ends = binomtest(k, n).proportion_ci(level, method=method)
    return float(ends.low), float(ends.high)


@dataclass(frozen=True)
class Sensitivity:
    """d′ with its interval; ``corrected`` says whether a rate of 0 or 1 was kept from making it infinite."""

    d_prime: float
    ci_low: float
    ci_high: float
    corrected: bool
    criterion: float | None = None


CORRECTED = (
    "A rate was 0 or 100 %: d′ uses the log-linear correction (half an answer is added), so that it stays finite."
)


def d_prime_2afc(outcome: Proportion) -> Sensitivity:
    """d′ of a two-alternative forced choice: √2 Φ⁻¹(proportion correct).

    Macmillan & Creelman, Detection Theory (2005), ch. 7. The log-linear correction (Hautus 1995, Behav. Res. Methods
    27:46-51), (k + ½)/(n + 1), is used only where the proportion is 0 or 1. The interval is Wilson's, transformed.
    """
    from scipy.stats import norm

    corrected = outcome.k in (0, outcome.n)
    share = (outcome.k + 0.5) / (outcome.n + 1) if corrected else outcome.share
    edge = 0.5 / (outcome.n + 1)
    low, high = (min(max(end, edge), 1 - edge) for end in outcome.wilson())
    d, d_low, d_high = (math.sqrt(2) * float(norm.ppf(value)) for value in (share, low, high))
    return Sensitivity(d, d_low, d_high, corrected)


def d_prime_yes_no(hits: Proportion, false_alarms: Proportion) -> Sensitivity:
    """d′ and criterion of a yes/no task: "synthetic" is the yes.

    d′ = Φ⁻¹(H) - Φ⁻¹(F), c = -(Φ⁻¹(H) + Φ⁻¹(F))/2; c above 0 means that the reader tends to say "real". Log-linear
    correction of both rates where one is 0 or 1; standard error of Gourevitch & Galanter
    (1967, Psychometrika 32:25-33).
    """
    from scipy.stats import norm

    corrected = any(rate.k in (0, rate.n) for rate in (hits, false_alarms))
    extra = 0.5 if corrected else 0.0
    rates = [(rate.k + extra) / (rate.n + 2 * extra) for rate in (hits, false_alarms)]
    z_hit, z_false = (float(norm.ppf(rate)) for rate in rates)
    variance = sum(
        rate * (1 - rate) / (counted.n * float(norm.pdf(norm.ppf(rate))) ** 2)
        for rate, counted in zip(rates, (hits, false_alarms), strict=True)
    )
    d, half = z_hit - z_false, 1.959964 * math.sqrt(variance)
    return Sensitivity(d, d - half, d + half, corrected, criterion=-(z_hit + z_false) / 2)
