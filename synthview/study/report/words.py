"""Figures of a result as they stand in the report's tables."""

from __future__ import annotations

from synthview.study.statistics.result import Result

_PROPORTIONS = {
    "accuracy", "clustered_accuracy", "balanced_accuracy", "base_rate", "sensitivity", "specificity", "errors",
    "preference", "clustered_preference", "equivalence", "side_bias",
}  # fmt: skip
HEADINGS = ("question", "scope", "unit", "method", "statistic", "p", "p (Holm)", "estimate (interval)", "n")


def unbroken(text: str) -> str:
    """Keeps "p = 0.02" and "60 %" on one line."""
    for bound in (" = ", " < "):
        text = text.replace(bound, bound.replace(" ", "\N{NO-BREAK SPACE}"))
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def table_row(result: Result) -> tuple[str, ...]:
    """One line of the table of details, in the order of ``HEADINGS``."""
    return (
        result.question.replace("_", " "),
        result.scope,
        result.unit,
        result.method,
        _statistic(result),
        _p(result.p),
        _p(result.p_holm),
        _estimate(result),
        f"{result.n:,}",
    )


def _statistic(result: Result) -> str:
    if result.statistic is None:
        return ""
    value = result.statistic
    text = f"{value:,.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3f}"
    if isinstance(result.df, tuple):
        return f"{text} (df {result.df[0]:g}, {result.df[1]:g})"
    return text if result.df is None else f"{text} (df {result.df:.4g})"


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return f"{p:.1e}" if p < 0.001 else f"{p:.4f}" if p < 0.1 else f"{p:.3f}"


def _estimate(result: Result) -> str:
    if result.estimate is None:
        return ""
    scale, unit, digits = (100, " %", 1) if result.question in _PROPORTIONS else (1, "", 3)
    text = f"{scale * result.estimate:.{digits}f}"
    if result.ci_low is not None and result.ci_high is not None:
        text += f" [{scale * result.ci_low:.{digits}f}, {scale * result.ci_high:.{digits}f}]"
    return text + unit
