"""Samplers where the answer is known: for Gaussian data the best network, and DDIM's path, have closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch

from synthview.generators.samplers import latent
from synthview.generators.samplers.ancestral import AncestralChain, kept_steps, training_betas
from synthview.generators.samplers.steps import Steps, finish, part_of
from synthview.generators.samplers.windows import SCHEMES, stages

pytestmark = pytest.mark.usefixtures("one_thread")

SPREAD = 0.5  # standard deviation of the Gaussian data; its mean is 0


def gaussian_noise(alpha: float, x: torch.Tensor, spread: float = SPREAD) -> torch.Tensor:
    """The expected noise in ``x`` where the data are N(0, spread²): what a perfect network predicts."""
    return x * math.sqrt(1 - alpha) / (alpha * spread**2 + 1 - alpha)


def perfect(levels: latent.Levels, calls: list[int] | None = None):
    """A perfect network, predicting what ``levels`` asks for."""

    def predict(x: torch.Tensor, time: float) -> Steps[torch.Tensor]:
        if calls is not None:
            calls.append(int(time))
        alpha = float(levels.alpha(int(time)))
        noise = gaussian_noise(alpha, x)
        image = (x - math.sqrt(1 - alpha) * noise) / math.sqrt(alpha)
        yield 1.0
        return {
            "epsilon": noise,
            "sample": image,
            "v_prediction": math.sqrt(alpha) * noise - math.sqrt(1 - alpha) * image,
        }[levels.prediction]

    return predict


def exact_end(levels: latent.Levels, x: torch.Tensor) -> torch.Tensor:
    """Where the deterministic path from ``x`` ends: the variance of the data over that of the noisy data."""
    alpha = float(levels.alpha(levels.times[0]))
    return x * SPREAD / math.sqrt(alpha * SPREAD**2 + 1 - alpha)


@pytest.fixture
def start() -> torch.Tensor:
    return torch.randn(1, 1, 20_000, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("prediction", latent.PREDICTIONS)
def test_ddim_follows_the_exact_path_ever_more_closely(prediction: str, start: torch.Tensor) -> None:
    errors = []
    for steps in (25, 100, 1000):
        levels = latent.make_levels(steps=steps, prediction=prediction)
        end = finish(latent.sample("ddim", levels, perfect(levels), start, noise=torch.Generator()))
        errors.append(float((end - exact_end(levels, start)).abs().max()))
    assert errors[0] > 2 * errors[1]  # of first order
    assert errors[1] > 4 * errors[2]
    assert errors[2] < 0.02


def test_pndm_is_closer_than_ddim_with_as_many_steps(start: torch.Tensor) -> None:
    levels = latent.make_levels(steps=50)
    ends = {
        s: finish(latent.sample(s, levels, perfect(levels), start, noise=torch.Generator())) for s in latent.SAMPLERS
    }
    errors = {name: float((end - exact_end(levels, start)).abs().max()) for name, end in ends.items()}
    assert errors["pndm"] < errors["ddim"] / 2


def test_pndm_asks_the_network_four_times_in_its_first_three_steps_only(start: torch.Tensor) -> None:
    calls: list[int] = []
    levels = latent.make_levels(steps=10)
    finish(latent.pndm(levels, perfect(levels, calls), start))
    assert len(calls) == 3 * 4 + 7
    assert calls[:4] == [900, 850, 850, 800]


@pytest.mark.parametrize(("sampler", "eta"), [("ddpm", 0.0), ("ddim", 1.0)])
def test_random_samplers_give_the_data_distribution(sampler: str, eta: float, start: torch.Tensor) -> None:
    levels = latent.make_levels(steps=500)
    noise = torch.Generator().manual_seed(2)
    end = finish(latent.sample(sampler, levels, perfect(levels), start, noise=noise, eta=eta))
    assert float(end.std()) == pytest.approx(SPREAD, rel=0.03)
    assert float(end.mean()) == pytest.approx(0, abs=0.015)
    assert abs(float(torch.corrcoef(torch.stack([end.ravel(), start.ravel()]))[0, 1])) < 0.1  # the start is forgotten


def test_levels_are_those_of_the_published_brain_model() -> None:
    levels = latent.make_levels()
    assert levels.times == list(range(980, -20, -20))
    assert float(levels.alphas_cumprod[0]) == pytest.approx(1 - 0.0015)
    assert levels.before(0) == 960
    assert levels.alpha(levels.before(49)) == 1


@pytest.mark.parametrize("schedule", latent.SCHEDULES)
def test_every_schedule_goes_from_image_to_noise(schedule: str) -> None:
    alphas = latent.make_levels(schedule=schedule).alphas_cumprod
    assert (alphas.diff() < 0).all()
    assert alphas[0] > 0.99
    assert alphas[-1] < 0.01


@pytest.mark.parametrize("kept", [1, 2, 6, 250, 1000])
@pytest.mark.parametrize("posterior", [True, False])
def test_a_respaced_chain_has_the_kept_levels(kept: int, posterior: bool) -> None:
    betas = training_betas("linear", 1000)
    chain = AncestralChain(betas, kept, posterior_variance=posterior)
    np.testing.assert_allclose(np.cumprod(1 - chain.betas), np.cumprod(1 - betas)[kept_steps(1000, kept)], rtol=1e-9)
    assert len(set(chain.times)) == kept


def test_ancestral_sampling_gives_the_data_distribution(start: torch.Tensor) -> None:
    chain = AncestralChain(training_betas("linear", 1000), 500, posterior_variance=True)
    draw = torch.Generator().manual_seed(3)

    def predict(x: torch.Tensor, time: float) -> Steps[torch.Tensor]:
        yield 1.0
        return gaussian_noise(chain.alphas_cumprod[chain.times.index(time)], x, spread=0.25)

    def noise(number: int) -> torch.Tensor:
        return start * 1.0 if number == 0 else torch.randn(start.shape, generator=draw).double()

    end = finish(chain.sample(predict, noise))
    assert float(end.std()) == pytest.approx(0.25, rel=0.04)
    assert float(end.abs().max()) <= 1 + 1e-6


def test_times_are_rescaled_to_thousandths() -> None:
    assert AncestralChain(training_betas("cosine", 4000), 3).times == [0, 500, 999.75]
    assert AncestralChain(training_betas("cosine", 4000), 3, rescaled_time=False).times == [0, 2000, 3999]


def test_the_cosine_schedule_is_capped() -> None:
    betas = training_betas("cosine", 1000)
    assert betas.max() == 0.999
    assert np.cumprod(1 - betas)[499] == pytest.approx(math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2, rel=1e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("slices", "window", "stride", "given"), [(131, 20, 10, 0), (7, 4, 2, 0), (3, 8, 4, 0), (40, 8, 3, 1)]
)
def test_every_slice_is_made_once_and_only_what_is_done_is_observed(
    scheme: str, slices: int, window: int, stride: int, given: int
) -> None:
    done = set(range(given))
    for stage in stages(scheme, slices, window, stride, given):
        assert set(stage.observed) <= done
        assert not done & set(stage.made)
        assert len(stage.observed) + len(stage.made) <= window
        done |= set(stage.made)
    assert done == set(range(slices))
    made = list(itertools.chain.from_iterable(s.made for s in stages(scheme, slices, window, stride, given)))
    assert len(made) == len(set(made))


def test_schemes_for_131_slices() -> None:
    """Stages as the published code gives them for its volumes."""
    assert stages("autoreg", 131, 20, 10)[-1] == (list(range(120, 130)), [130])
    assert stages("long-range", 131, 20, 10)[3] == (
        [15, 16, 17, 18, 19, 35, 36, 37, 38, 39],
        list(range(40, 50)),
    )
    assert stages("hierarchy-2", 131, 20, 10)[2] == (
        [13, 20, 27, 34, 41, 47, 11, 10, 9, 8],
        [12, 14, 15, 16, 17, 18, 19, 21, 22, 23],
    )
    assert stages("hierarchy-3", 131, 20, 10)[4] == (
        [109, 116, 123, 130, 103, 102, 99, 96, 95, 92],
        [106, 110, 113, 117, 120, 124, 127],
    )
    assert stages("hierarchy-2", 131, 20, 10, given=1)[0] == ([0] * 10, [1, 15, 29, 44, 58, 73, 87, 102, 116, 130])


def test_progress_of_a_part_lies_in_its_share() -> None:
    def work() -> Steps[str]:
        yield 0.5
        yield 1.0
        return "done"

    steps = part_of(work(), 0.2, 0.4)
    assert [next(steps), next(steps)] == pytest.approx([0.4, 0.6])
    assert finish(part_of(work(), 0, 1)) == "done"
