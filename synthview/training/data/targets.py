"""What volumes a brain of some age and sex should have.

The course over age is that of BrainChart (Bethlehem et al., Nature 2022, 604:525-533), taken as relative change and
anchored to the young adults of the scans at hand, whose tissue maps measure differently.  Spread around it, and how it
goes with head size, are from 1037 adults of the 1000 Functional Connectomes Project (FreeSurfer volumes, ordinary least
squares; Biswal et al., PNAS 2010, 107:4734-4739, as curated by Rutherford et al., eLife 2022, 11:e72904).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthview.metrics.ageing import chart_ratio

Floats64 = npt.NDArray[np.float64]
TISSUES = ("gm", "wm", "ventricles")
_LOG_SD = np.array([29.35 / 630.7, 33.18 / 524.0, 0.3172])  # at a given head size
_CORRELATION = np.array([[1.0, 0.41, -0.14], [0.41, 1.0, -0.16], [-0.14, -0.16, 1.0]])
_HEAD_SIZE_POWER = np.array([0.575, 0.736, 1.58])  # volume ~ (head size)^power


@dataclass(frozen=True)
class Volumes:
    """Volumes of one brain in ml.

    Attributes:
        icv: everything inside the brain mask: grey and white matter and CSF.
        gm: grey matter.
        wm: white matter.
        ventricles: CSF in the ventricles.
    """

    icv: float
    gm: float
    wm: float
    ventricles: float


@dataclass(frozen=True, eq=False)
class Targets:
    """The anchor: what the young adults at hand measure.

    Attributes:
        age: their mean age.
        icv: by sex, median of ``Volumes.icv``.
        icv_log_sd: spread of its logarithm.
        tissues: (2, 3) by sex, median of gm, wm, ventricles at that head size.
    """

    age: float
    icv: tuple[float, float]
    icv_log_sd: float
    tissues: Floats64

    def volumes(self, age: float, sex: int, head: float, tissues: Floats64) -> Volumes:
        """Volumes of a new person.

        Args:
            age: years.
            sex: 0 male, 1 female.
            head: how large the head is, from N(0, 1).
            tissues: how much grey matter, white matter and ventricles differ from what is expected, (3,) from N(0, 1).
        """
        size = head * self.icv_log_sd
        rest = np.linalg.cholesky(_CORRELATION) @ tissues
        chart = np.array([chart_ratio(tissue, sex, age, self.age) for tissue in TISSUES])
        gm, wm, ventricles = self.tissues[sex] * chart * np.exp(_HEAD_SIZE_POWER * size + rest * _LOG_SD)
        return Volumes(float(self.icv[sex] * np.exp(size)), float(gm), float(wm), float(ventricles))


def anchor(ages: Sequence[float], sexes: Sequence[int], measured: Sequence[Volumes], oldest: float = 30) -> Targets:
    """The anchor, from the young adults among measured people.

    Where one sex is missing among them, it takes the other's values.

    Args:
        ages: years.
        sexes: 0 male, 1 female.
        measured: their volumes.
        oldest: the oldest age that counts as young; where nobody is, the youngest third does.
    """
    limit = oldest if min(ages) <= oldest else float(np.quantile(ages, 1 / 3))
    young = [i for i, age in enumerate(ages) if age <= limit]
    logs = np.log([[measured[i].icv, measured[i].gm, measured[i].wm, measured[i].ventricles] for i in young])
    sex = np.array([sexes[i] for i in young])
    middles = np.stack([np.median(logs[sex == s] if (sex == s).any() else logs, axis=0) for s in (0, 1)])
    spread = float((logs[:, 0] - middles[sex, 0]).std(ddof=1)) if len(young) > 2 else 0.1
    icv = np.exp(middles[:, 0])
    return Targets(
        float(np.mean([ages[i] for i in young])), (float(icv[0]), float(icv[1])), spread, np.exp(middles[:, 1:])
    )
