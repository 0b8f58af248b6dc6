"""The share of one answer by generalised estimating equations, for votes that are alike within a cluster."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Share:
    """A share with its interval and Student's t of its logit against 0."""

    share: float
    ci_low: float
    ci_high: float
    t: float
    df: int
    p: float


def gee_share(values: Sequence[float], groups: Sequence[Hashable]) -> Share | None:
    """Intercept-only logistic GEE with exchangeable correlation within groups.

    Liang & Zeger 1986, Biometrika 73:13-22. The standard error is bias-reduced (Mancl & DeRouen 2001, Biometrics
    57:126-134) and referred to t with one degree of freedom less than there are groups.

    Args:
        values: 0 or 1 for each vote.
        groups: the cluster of each vote.

    Returns:
        None where there are fewer than three clusters, no variation, or no convergence.
    """
    from scipy.special import expit
    from scipy.stats import t
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    names = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    if len(names) < 3 or len(set(values)) < 2:
        return None
    codes = np.array([names[group] for group in groups])
    order = np.argsort(codes, kind="stable")
    y = np.asarray(values, dtype=np.float64)[order]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = GEE(y, np.ones((len(y), 1)), groups=codes[order], family=Binomial(), cov_struct=Exchangeable())
            fit = model.fit(cov_type="bias_reduced")
            logit, se = float(fit.params[0]), float(fit.bse[0])
        except (ValueError, ZeroDivisionError, np.linalg.LinAlgError):
            return None
    df = len(names) - 1
    if not (np.isfinite(logit) and np.isfinite(se) and se > 0):
        return None
    half = float(t.ppf(0.975, df)) * se
    statistic = logit / se
    return Share(
        share=float(expit(logit)),
        ci_low=float(expit(logit - half)),
        ci_high=float(expit(logit + half)),
        t=statistic,
        df=df,
        p=float(2 * t.sf(abs(statistic), df)),
    )
