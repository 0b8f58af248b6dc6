"""What every statistic gives back: one question, answered with its unit, method, interval, warnings and a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

POOLED = "pooled"
_SORTS = ("reader", "arm", "item", "expertise", "metric")
_NUMBERS = ("statistic", "p", "p_holm", "estimate", "ci_low", "ci_high")


@dataclass(frozen=True)
class Result:
    """The answer to one question about one section.

    Attributes:
        section: the part of the study.
        question: what was asked of the data: ``accuracy``, ``preference``, ``heterogeneity``, ``agreement``, …
        scope: ``pooled``, or what it is about: ``reader R1``, ``arm A``, ``item pair 7``, ``A vs B``.
        unit: what is counted as independent: ``vote``, ``pair``, ``reader``, ``stimulus``, or readers and pairs both.
        method: the test and the interval, by name.
        statistic: the test's statistic (for exact tests the count); None where there is none.
        df: its degrees of freedom; two of an F.
        p: two-sided unless the method says otherwise; uncorrected.
        p_holm: corrected with Holm's method over the results of the same section, question and method.
        estimate: proportion, share, κ, AUC, … as the question says; proportions run from 0 to 1.
        ci_low: lower end of the interval, 95 % unless the method says otherwise.
        ci_high: upper end.
        n: how many units.
        warnings: what a reader must know before looking at the figures.
        sentence: the answer in words.
    """

    section: str
    question: str
    scope: str
    unit: str
    method: str
    sentence: str
    statistic: float | None = None
    df: float | tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        undefined = []
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None:
                finite = math.isfinite(value)
                object.__setattr__(self, name, float(value) if finite else None)
                undefined += [] if finite else [name]
        if undefined:
            names = ", ".join(undefined)
            note = f"Not defined for these data: {names} (for example because there is no variation)."
            object.__setattr__(self, "warnings", (*self.warnings, note))

    def to_dict(self) -> dict[str, Any]:
        """As JSON: every field, in the order of issue and documentation."""
        fields = asdict(self)
        order = ("section", "question", "scope", "unit", "method", "statistic", "df", "p", "p_holm", "estimate")
        out = {name: fields[name] for name in (*order, "ci_low", "ci_high", "n", "warnings", "sentence")}
        out["warnings"] = list(self.warnings)
        out["df"] = list(self.df) if isinstance(self.df, tuple) else self.df
        return out


def with_holm(results: Sequence[Result]) -> list[Result]:
    """Correct p for having asked several times: a family is one question and method over several scopes of one sort.

    Holm's step-down method (Holm 1979, Scandinavian Journal of Statistics 6:65-70). Single results stay as they are.
    """
    families: dict[tuple[str, ...], list[int]] = {}
    for i, result in enumerate(results):
        if result.p is not None and result.scope != POOLED:
            sort = next((word for word in _SORTS if result.scope.startswith(f"{word} ")), "vs")
            families.setdefault((result.section, result.question, result.method, sort), []).append(i)
    out = list(results)
    for members in families.values():
        if len(members) > 1:
            corrected = holm([out[i].p or 0.0 for i in members])
            for i, p in zip(members, corrected, strict=True):
                out[i] = replace(out[i], p_holm=p)
    return out


def holm(values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the order given.

    Written here because statsmodels' ``multipletests`` collects the program's garbage on every call, a tenth of a
    second each for the dozens of families of a study; a test compares the two.
    """
    corrected = [0.0] * len(values)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[i]))
        corrected[i] = largest
    return corrected
