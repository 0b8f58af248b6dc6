"""The tissue segmentation on a brain made of shells."""

import numpy as np
import pytest
from scipy import ndimage

from synthview.metrics.tissues import TissueFacts, accepted, central_csf_ml, segment, tissue_facts
from tests.anatomy import shell_brain

SPACING = (2.0, 2.0, 2.0)


def test_the_shells_are_found_again() -> None:
    image, truth = shell_brain(noise=0.05, seed=1)
    maps = segment(image)
    inside = truth.sum(axis=0) > 0
    assert (maps.argmax(axis=0) == truth.argmax(axis=0))[inside].mean() > 0.95
    assert (maps[:, ~inside] == 0).all()


def test_facts_of_the_truth() -> None:
    image, truth = shell_brain()
    facts = tissue_facts(image, truth, SPACING)
    assert facts.brain_ml == pytest.approx(truth.sum() * 8e-3)
    assert facts.white + facts.grey + facts.csf == pytest.approx(1)
    assert facts.white == pytest.approx(truth[0].sum() / truth.sum())
    assert facts.connected == 1 and facts.depth_mm > 0 and facts.contrast > 10


def facts_of(image: np.ndarray) -> TissueFacts:
    return tissue_facts(image, segment(image), SPACING)


def test_brains_are_accepted_and_nonsense_is_not() -> None:
    real = [facts_of(shell_brain(radius=r, noise=0.05, seed=i)[0]) for i, r in enumerate((23, 26))]
    brain = shell_brain(radius=24.5, noise=0.05, seed=9)[0]
    mask = brain > 0
    noise = np.where(mask, np.random.default_rng(0).uniform(0.1, 1, brain.shape), 0).astype(np.float32)
    flat = np.where(mask, 0.5, 0).astype(np.float32)
    inside_out = np.where(mask, 1.1 - brain, 0).astype(np.float32)
    torn = brain.copy()
    torn[30:34] = 0
    half = np.where(np.arange(brain.shape[0])[:, None, None] < 32, brain, 0)
    verdicts = [accepted(facts_of(v), real) for v in (brain, noise, flat, inside_out, torn, half, np.zeros_like(brain))]
    assert verdicts == [True, False, False, False, False, False, False]


def test_central_csf_grows_with_the_ventricle() -> None:
    image, truth = shell_brain(radius=30)
    centre = [n // 2 for n in image.shape]
    ijk = np.indices(image.shape)
    distance = np.sqrt(sum((ijk[a] - centre[a] - (0, 0, 6)[a]) ** 2 for a in range(3)))
    found = []
    for radius in (4, 6):
        ball = distance < radius
        rim = truth[2] * (np.sqrt(((ijk - 31.5) ** 2).sum(axis=0)) > 25)  # sulci and cisterns don't count
        mask = ndimage.binary_fill_holes(truth.sum(axis=0) > 0)
        found.append(central_csf_ml(np.maximum(rim, ball), mask, SPACING))
        assert found[-1] == pytest.approx(ball.sum() * 8e-3, rel=0.15)
    assert found[1] > 2 * found[0]
    assert central_csf_ml(truth[2], np.zeros_like(truth[2]), SPACING) == 0
