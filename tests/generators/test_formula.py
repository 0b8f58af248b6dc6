"""Golden figures of the published generators with weights given by a formula (``formula.py``).

Computed with the original networks in evaluation mode, float32, on a CPU; absolute tolerance 2e-5.  Most of it is taken
by the figures' own rounding: single voxels of HA-GAN and CRF-GAN in float64 throughout are 0.9e-5 to 1.99e-5 from them
(and those of torch's own layers in float32, put together plainly, 3.6e-5 on an AMD EPYC), so that another processor's
rounding may well push one voxel past it.  ``test_rounding.py`` compares with float64 instead.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from tests.generators.formula import formula_latent, formula_weights, hagan_shapes, sigmarat_shapes

HAGAN = {
    "hagan_128": {
        "mean": -0.0861443,
        "std": 0.3592908,
        "min": -0.9999874,
        "max": 0.9997311,
        "flat_index": [
            973924,
            1947835,
            824594,
            1798505,
            675264,
            1649175,
            525934,
            1499845,
            376604,
            1350515,
            227274,
            1201185,
            77944,
            1051855,
            2025766,
            902525,
        ],
        "value": [
            0.095505,
            -0.162865,
            -0.233216,
            -0.825136,
            0.45464,
            -0.05614,
            0.042688,
            -0.438873,
            0.075212,
            0.236334,
            -0.089984,
            0.090241,
            -0.339727,
            0.147349,
            -0.460361,
            0.226694,
        ],
        "parameters": 21060930,
    },
    "hagan_128_cond": {
        "mean": -0.0885331,
        "std": 0.3563675,
        "min": -0.9998413,
        "max": 0.9994761,
        "flat_index": [
            973924,
            1947835,
            824594,
            1798505,
            675264,
            1649175,
            525934,
            1499845,
            376604,
            1350515,
            227274,
            1201185,
            77944,
            1051855,
            2025766,
            902525,
        ],
        "value": [
            0.417737,
            -0.236558,
            -0.177157,
            0.220788,
            -0.475974,
            -0.243981,
            -0.13811,
            -0.193849,
            -0.617042,
            0.627049,
            -0.482118,
            -0.75299,
            -0.492132,
            0.403137,
            -0.309004,
            -0.149695,
        ],
        "parameters": 21126466,
    },
    "hagan_144x192x144": {
        "mean": -0.087044,
        "std": 0.3478759,
        "min": -0.9999948,
        "max": 0.9996262,
        "flat_index": [
            1236068,
            2472123,
            3708178,
            962921,
            2198976,
            3435031,
            689774,
            1925829,
            3161884,
            416627,
            1652682,
            2888737,
            143480,
            1379535,
            2615590,
            3851645,
        ],
        "value": [
            -0.370308,
            -0.489452,
            -0.441208,
            -0.012393,
            0.297475,
            -0.286921,
            0.599793,
            0.191218,
            -0.559011,
            -0.718939,
            -0.578491,
            -0.860548,
            -0.324306,
            -0.363086,
            -0.432452,
            -0.466306,
        ],
        "parameters": 21060930,
    },
    "hagan_256": {
        "mean": -0.088728,
        "std": 0.3367295,
        "min": -0.9998938,
        "max": 0.9996821,
        "flat_index": [
            7265380,
            14530747,
            5018898,
            12284265,
            2772416,
            10037783,
            525934,
            7791301,
            15056668,
            5544819,
            12810186,
            3298337,
            10563704,
            1051855,
            8317222,
            15582589,
        ],
        "value": [
            -0.572055,
            -0.416719,
            -0.232949,
            -0.411433,
            -0.158734,
            0.027248,
            -0.019561,
            0.031697,
            -0.074482,
            -0.13533,
            -0.510643,
            0.257737,
            -0.135146,
            0.330709,
            -0.848571,
            -0.11982,
        ],
        "parameters": 21060930,
    },
}
SIGMARAT = {
    "sigmarat1": {
        "mean": 0.1080927,
        "std": 0.4368851,
        "min": -0.9999459,
        "max": 0.9999163,
        "flat_index": [
            187492,
            112827,
            38162,
            225641,
            150976,
            76311,
            1646,
            189125,
            114460,
            39795,
            227274,
            152609,
            77944,
            3279,
            190758,
            116093,
        ],
        "value": [
            0.511153,
            0.394842,
            -0.419794,
            -0.749905,
            0.040125,
            -0.150886,
            -0.264482,
            -0.031337,
            -0.634548,
            -0.190206,
            0.000621,
            0.379644,
            0.293744,
            -0.68157,
            0.522654,
            0.032928,
        ],
        "parameters": 203864,
    },
    "sigmarat2": {
        "mean": 0.0164475,
        "std": 0.6550606,
        "min": -1.0,
        "max": 0.9999999,
        "flat_index": [
            187492,
            112827,
            38162,
            225641,
            150976,
            76311,
            1646,
            189125,
            114460,
            39795,
            227274,
            152609,
            77944,
            3279,
            190758,
            116093,
        ],
        "value": [
            -0.494594,
            0.704034,
            -0.173803,
            0.991201,
            -0.466102,
            -0.346911,
            0.436289,
            0.618692,
            -0.433435,
            -0.275917,
            0.84404,
            0.949077,
            0.805256,
            0.023095,
            0.722446,
            -0.829991,
        ],
        "parameters": 203864,
    },
}
TOLERANCE = 2e-5


@pytest.mark.parametrize("name", HAGAN)
def test_hagan_gives_the_published_figures(name: str, tmp_path: Path) -> None:
    classes = 2 if name.endswith("cond") else 0
    path = tmp_path / "G_iter80000.pth"
    torch.save({"model": formula_weights(hagan_shapes(64 + classes)), "optimizer": {}}, path)

    generator = sv.load_generator(path, device="cpu", size=name.split("_")[1])
    raw = generator.decode(formula_latent(64), np.array([[0.0, 1.0]]) if classes else None)

    assert generator.info.parameters == HAGAN[name]["parameters"]
    check(raw, HAGAN[name])


@pytest.mark.parametrize("name", SIGMARAT)
def test_sigmarat_gives_the_published_figures(name: str, tmp_path: Path) -> None:
    path = tmp_path / "G_iter200000.pth"
    torch.save(formula_weights(sigmarat_shapes(spectral=name == "sigmarat2")), path)

    generator = sv.load_generator(path, device="cpu")

    assert generator.info.parameters == SIGMARAT[name]["parameters"]
    check(generator.decode(formula_latent(32)), SIGMARAT[name])


def check(raw: np.ndarray, expected: dict) -> None:
    assert raw.dtype == np.float32
    assert raw.ravel()[expected["flat_index"]] == pytest.approx(expected["value"], abs=TOLERANCE)
    assert raw.mean(dtype=np.float64) == pytest.approx(expected["mean"], abs=TOLERANCE)
    assert raw.std(dtype=np.float64) == pytest.approx(expected["std"], abs=TOLERANCE)
    assert (raw.min(), raw.max()) == pytest.approx((expected["min"], expected["max"]), abs=TOLERANCE)
