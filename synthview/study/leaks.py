"""Can the arms be told apart by what isn't anatomy?  The leak check answers before a study may start.

Three looks at the same facts (``leak_facts``), for each pair of arms:

1. A fact that is one thing throughout one arm and another throughout the other gives every answer away.
2. A measure whose rank differs between the arms: Mann–Whitney's test, corrected for the number of measures (Holm).
3. All facts together: a ridge logistic regression, cross-validated; its area under the ROC curve with a bootstrap
   interval. An interval above 0.5 is a leak although no single fact is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from synthview.errors import StudyError
from synthview.study.leak_classifier import Classified, classify
from synthview.study.leak_facts import StimulusFacts

ALPHA = 0.05
_FEW = 5  # volumes in an arm below which little can be found, and a perfect separation may be chance
_LEAST_REASON = 10  # characters of a reason that somebody could understand later


@dataclass(frozen=True)
class Leak:
    """One fact that tells two arms apart.

    Attributes:
        fact: which, such as "spacing".
        sentence: what was found and what to do.
        auc: how well it alone tells them apart, 0.5 (not at all) to 1 (always).
        p_value: of Mann–Whitney's test, corrected by Holm; None for a fact that is simply different.
    """

    fact: str
    sentence: str
    auc: float
    p_value: float | None = None


@dataclass(frozen=True)
class PairVerdict:
    """What was found between two arms.

    Attributes:
        arms: their names.
        counts: stimuli in each.
        leaks: facts that tell them apart, the clearest first.
        auc: cross-validated area under the ROC curve of the classifier on all facts; 0.5 where nothing differs.
        auc_low: lower end of its 95 % bootstrap interval.
        auc_high: upper end.
    """

    arms: tuple[str, str]
    counts: tuple[int, int]
    leaks: tuple[Leak, ...]
    auc: float
    auc_low: float
    auc_high: float

    @property
    def passes(self) -> bool:
        """Whether nothing was found."""
        return not self.leaks and self.auc_low <= 0.5

    def sentence(self) -> str:
        """The outcome in words."""
        first, second = self.arms
        figure = f"AUC {self.auc:.2f}, 95 % interval {self.auc_low:.2f} to {self.auc_high:.2f}"
        if self.passes:
            return f"{first} and {second} can't be told apart by what isn't anatomy ({figure})."
        if not self.leaks:
            return f"{first} and {second} can be told apart by several facts together ({figure})."
        return f"{first} and {second} can be told apart: {'; '.join(leak.sentence for leak in self.leaks)} ({figure})."


@dataclass(frozen=True)
class LeakVerdict:
    """The leak check of a study.

    Attributes:
        pairs: one verdict for each pair of arms.
        warnings: what limits the check, such as few volumes.
        overruled: why the study may start all the same; None where nobody said so.
    """

    pairs: tuple[PairVerdict, ...]
    warnings: tuple[str, ...] = ()
    overruled: str | None = field(default=None)

    @property
    def passes(self) -> bool:
        """Whether nothing was found in any pair."""
        return all(pair.passes for pair in self.pairs)

    @property
    def blocks(self) -> bool:
        """Whether the study must not start."""
        return not self.passes and self.overruled is None

    def sentences(self) -> list[str]:
        """The outcome in words, warnings first."""
        words = [*self.warnings, *(pair.sentence() for pair in self.pairs)]
        return [*words, f"Overruled: {self.overruled}"] if self.overruled is not None else words

    def overrule(self, reason: str) -> Self:
        """Let the study start all the same; the reason stays in the record.

        Raises:
            StudyError: there is no reason in it.
        """
        if len(reason.strip()) < _LEAST_REASON:
            raise StudyError(
                "the leak check can be overruled only with a written reason; say why the leak does no harm"
            )
        return replace(self, overruled=reason.strip())

    def require(self) -> None:
        """Make sure that the study may start.

        Raises:
            StudyError: a leak was found and nobody overruled it.
        """
        if self.blocks:
            found = " ".join(pair.sentence() for pair in self.pairs if not pair.passes)
            raise StudyError(f"the leak check stops this study: {found} Harmonise the arms, or overrule with a reason.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the record."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        pairs = []
        for pair in content["pairs"]:
            leaks = tuple(Leak(**leak) for leak in pair["leaks"])
            pairs.append(
                PairVerdict(**{**pair, "arms": tuple(pair["arms"]), "counts": tuple(pair["counts"]), "leaks": leaks})
            )
        return cls(tuple(pairs), tuple(content.get("warnings", ())), content.get("overruled"))


def check_leaks(facts: Sequence[StimulusFacts], seed: int = 0) -> LeakVerdict:
    """Try to tell every two arms apart by what isn't anatomy.

    Args:
        facts: of every stimulus of every arm.
        seed: of the cross-validation's and the bootstrap's draws.

    Raises:
        StudyError: there are fewer than two stimuli in an arm.
    """
    arms: dict[str, list[StimulusFacts]] = {}
    for one in facts:
        arms.setdefault(one.arm, []).append(one)
    alone = [arm for arm, members in arms.items() if len(members) < 2]
    if alone:
        raise StudyError(f"the leak check needs two or more volumes in each arm; {', '.join(alone)} has one")
    few = [f"{arm} ({len(members)})" for arm, members in arms.items() if len(members) < _FEW]
    warnings = (f"Little can be found with so few volumes: {', '.join(few)}.",) if few else ()
    pairs = tuple(_check_pair(arms[a], arms[b], seed) for a, b in combinations(arms, 2))
    return LeakVerdict(pairs, warnings)


def _check_pair(first: Sequence[StimulusFacts], second: Sequence[StimulusFacts], seed: int) -> PairVerdict:
    leaks = [*_different_categories(first, second), *_different_measures(first, second)]
    leaks.sort(key=lambda leak: (-leak.auc, leak.fact))
    found = classify(*_table(first, second), seed=seed)
    return PairVerdict(
        (first[0].arm, second[0].arm), (len(first), len(second)), tuple(leaks), found.auc, found.low, found.high
    )


def _different_categories(first: Sequence[StimulusFacts], second: Sequence[StimulusFacts]) -> list[Leak]:
    """Facts whose values in one arm never, or hardly ever, come in the other."""
    leaks = []
    for name in _names([*first, *second], "categories"):
        a = [one.categories.get(name, "missing") for one in first]
        b = [one.categories.get(name, "missing") for one in second]
        own = max(sum(value not in b for value in a) / len(a), sum(value not in a for value in b) / len(b))
        never_shared = own == 1 and 1 in (len(set(a)), len(set(b)))  # and not just a name for each stimulus
        if set(a) == set(b) or not (never_shared or _unlikely(a, b)):
            continue
        shown = f"{name} is {_some(a)} in {first[0].arm} and {_some(b)} in {second[0].arm}"
        leaks.append(Leak(name, shown, 0.5 + own / 2))
    return leaks


def _unlikely(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether values are shared out between the arms as chance hardly would (χ² by permutation, 2000 draws)."""
    values = np.array([*a, *b])
    codes = np.unique(values, return_inverse=True)[1]
    in_first = np.arange(codes.size) < len(a)

    def spread(codes: npt.NDArray[np.intp]) -> float:
        counts = np.bincount(codes[in_first], minlength=codes.max() + 1)
        expected = np.bincount(codes) * len(a) / codes.size
        return float((np.square(counts - expected) / expected).sum())

    rng = np.random.default_rng(0)
    observed = spread(codes)
    as_far = sum(spread(rng.permutation(codes)) >= observed - 1e-9 for _ in range(2000))
    return (as_far + 1) / 2001 < ALPHA / 10


def _different_measures(first: Sequence[StimulusFacts], second: Sequence[StimulusFacts]) -> list[Leak]:
    names = _names([*first, *second], "measures")
    tests = {}
    for name in names:
        a = np.array([one.measures.get(name, np.nan) for one in first])
        b = np.array([one.measures.get(name, np.nan) for one in second])
        if np.isfinite(a).all() and np.isfinite(b).all() and np.ptp([*a, *b]) > 0:
            tests[name] = (a, b, *_ranks(a, b))
    p_values = dict(zip(tests, _holm([p for *_, p in tests.values()]), strict=True))
    leaks = []
    for name, (a, b, auc, _p) in tests.items():
        constant = np.ptp(a) == 0 and np.ptp(b) == 0
        apart = auc == 1 and min(len(a), len(b)) >= _FEW
        if not (constant or apart or p_values[name] < ALPHA):
            continue
        shown = f"{name} is {_range(a)} in {first[0].arm} and {_range(b)} in {second[0].arm}"
        leaks.append(Leak(name, shown, auc, None if constant else p_values[name]))
    return leaks


def _ranks(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> tuple[float, float]:
    """AUC, folded to 0.5 or more, and the two-sided p-value of Mann and Whitney's test."""
    from scipy.stats import mannwhitneyu

    exact = np.unique([*a, *b]).size == a.size + b.size and min(a.size, b.size) <= 20
    result = mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
    auc = float(result.statistic) / (a.size * b.size)
    return max(auc, 1 - auc), float(result.pvalue)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction for the number of tests (Scand. J. Stat. 1979; 6:65-70)."""
    order = np.argsort(p_values)
    corrected = np.zeros(len(p_values))
    largest = 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[number]))
        corrected[number] = largest
    return [float(p) for p in corrected]


def _table(
    first: Sequence[StimulusFacts], second: Sequence[StimulusFacts]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Facts as columns (categories as 0 and 1), stimuli as rows; and which rows are of the second arm."""
    both = [*first, *second]
    columns = []
    for name in _names(both, "measures"):
        values = np.array([one.measures.get(name, np.nan) for one in both])
        columns.append(np.where(np.isfinite(values), values, 0.0))
    for name in _names(both, "categories"):
        words = [one.categories.get(name, "missing") for one in both]
        columns += [np.array([word == value for word in words], float) for value in dict.fromkeys(words)]
    is_second = np.arange(len(both)) >= len(first)
    return np.column_stack(columns) if columns else np.zeros((len(both), 0)), is_second


def _names(facts: Sequence[StimulusFacts], which: str) -> list[str]:
    return list(dict.fromkeys(name for one in facts for name in getattr(one, which)))


def _some(values: Sequence[str]) -> str:
    different = list(dict.fromkeys(value or "empty" for value in values))
    return " or ".join(different[:2]) + (f" or {len(different) - 2} more" if len(different) > 2 else "")


def _range(values: npt.NDArray[np.float64]) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"


__all__ = ["Classified", "Leak", "LeakVerdict", "PairVerdict", "check_leaks"]
