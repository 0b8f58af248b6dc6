"""Golden packs: the expected outputs of published networks, stored in full or in part."""

import json
from pathlib import Path
from typing import Any

import numpy as np


class Pack:
    """One folder of ``../shared/conformance``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.case: dict[str, Any] = json.loads((folder / "case.json").read_text("utf-8"))
        with np.load(folder / "case.npz") as arrays:
            self.arrays = dict(arrays)

    def check(self, output: np.ndarray, name: str, sample: int) -> None:
        """Compare one volume (I, J, K), or (C, I, J, K), with everything that is stored of it."""
        stored = self.case["outputs"][name]["stored"][str(sample)]
        key = f"{name}_{sample}"
        if stored == "full":
            self.close(output, self.arrays[f"{key}__full"])
        else:
            self.close(output[tuple(slice(None, None, s) for s in stored["sub_strides"])], self.arrays[f"{key}__sub"])
            self.close(output[tuple(self.arrays[f"{key}__idx"].T)], self.arrays[f"{key}__val"])
            for block in ("corner", "center", "farcorner"):
                if f"{key}__{block}" in self.arrays:
                    expected = self.arrays[f"{key}__{block}"]
                    where = tuple(slice(a, a + n) for a, n in zip(stored[block], expected.shape[-3:], strict=True))
                    self.close(output[..., *where], expected)
        statistics = [output.mean(dtype=np.float64), output.std(dtype=np.float64), output.min(), output.max()]
        self.close(np.array(statistics), self.arrays[f"{key}__stats"])

    def close(self, output: np.ndarray, expected: np.ndarray) -> None:
        tolerance = self.case["tolerance"]
        np.testing.assert_allclose(output, expected, rtol=tolerance["rtol"], atol=tolerance["atol"])
