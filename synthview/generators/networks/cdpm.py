"""MRIAnatEval's cDPM: brain MRI made slice by slice, by diffusion conditioned on slices that are done.

Wu et al., MRIAnatEval (github.com/jiaqiw01/MRIAnatEval), after Peng et al., "Generating Realistic Brain MRIs via a
Conditional Diffusion Probabilistic Model", MICCAI 2023.  The network is in ``cdpm_unet.py``.

    window of K slices (some observed, the others noise) ─ ancestral sampling ─ the others; then the next window
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import WrongRequestError
from synthview.generators.arguments import check_stated, parse_count, parse_flag
from synthview.generators.family import Arguments, Family, Step
from synthview.generators.networks.cdpm_unet import SliceUNet
from synthview.generators.networks.cdpm_weights import read_weights
from synthview.generators.precision import is_reduced
from synthview.generators.samplers.ancestral import AncestralChain, training_betas
from synthview.generators.samplers.steps import Steps, part_of
from synthview.generators.samplers.windows import SCHEMES, Stage, stages
from synthview.generators.state_dicts import Shapes
from synthview.volume import Volume, VolumeKind, Window

Size = tuple[int, int, int]
Draw = Callable[[int, list[int]], torch.Tensor]
"""Noise by number (0 is the start, 1 + j belongs to the j-th reverse step) for some slices: (N, slices, 1, H, W)."""

_COARSE_STEPS = 4
_MOST_SLICES = 1024
_FEWEST_LINEAR = 20  # with 20 or fewer, the last beta would be 1 or more
_LEAST = {"max_frames": 2}
_COUNTS = ("max_frames", "max_latent_frames", "steps", "draws", "num_heads", "num_heads_upsample", "diffusion_steps")
_FLAGS = ("sigma_small", "predict_xstart", "rescale_timesteps", "use_scale_shift_norm", "double_precision")
_NAMES = {"scheme": tuple(SCHEMES), "noise_schedule": ("linear", "cosine")}
_NOT_CONFIGURED = {"steps", "scheme", "draws", "use_scale_shift_norm", "double_precision"}
_DEFAULTS: Mapping[str, Any] = {  # of the training script, where the file does not say
    "num_heads": 4,
    "max_frames": 20,
    "diffusion_steps": 1000,
    "noise_schedule": "linear",
    "sigma_small": False,
    "predict_xstart": False,
    "rescale_timesteps": True,
}


class CdpmNetwork(SliceUNet):
    """The UNet and how to sample with it."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__(
            arguments["num_channels"],
            arguments["channels"],
            blocks=arguments["num_res_blocks"],
            attention=arguments["attention"],
            heads=arguments["num_heads"],
            heads_up=arguments["num_heads_upsample"],
            scale_shift=arguments["use_scale_shift_norm"],
        )
        self.arguments = dict(arguments)

    def sample(self, z: torch.Tensor, noise: torch.Generator, kept: int, *, double: bool) -> Iterator[Step]:
        """A stack of slices, window after window.

        Args:
            z: start noise (N, T, 1, H, W), or every draw (N, steps + 1, T, 1, H, W).
            noise: for what ``z`` lacks.
            kept: reverse steps.
            double: compute in float64.
        """
        dtype = torch.float64 if double else torch.float32
        with torch.inference_mode(False):
            self.to(dtype)  # to and fro without loss
        z = z.to(dtype)
        given = self.arguments
        chain = AncestralChain(
            training_betas(given["noise_schedule"], given["diffusion_steps"]),
            kept,
            posterior_variance=given["sigma_small"],
            predicts_image=given["predict_xstart"],
            rescaled_time=given["rescale_timesteps"],
        )
        stack = torch.full_like(z if z.ndim == 5 else z[:, 0], -1.0)
        plan = stages(given["scheme"], stack.shape[1], given["max_frames"], given["max_latent_frames"])
        draw = _draws(z, noise)
        for number, stage in enumerate(plan):
            work = part_of(self._make(stage, stack, chain, draw), number / len(plan), 1 / len(plan))
            for fraction in work:
                yield fraction, None
        yield 1.0, stack

    def _make(self, stage: Stage, stack: torch.Tensor, chain: AncestralChain, draw: Draw) -> Steps[None]:
        """Make one window's slices, and put them into the stack."""
        observed = stack[:, stage.observed]
        frames = torch.tensor([stage.observed + stage.made], device=stack.device).expand(len(stack), -1)
        mask = stack.new_zeros(*frames.shape, 1, 1, 1)
        mask[:, : len(stage.observed)] = 1

        def predict(x: torch.Tensor, time: float) -> Steps[torch.Tensor]:
            window = torch.cat([observed, x], dim=1)
            predicted = yield from self.steps(window, window, mask, frames, x.new_full([len(x)], time))
            return predicted[:, len(stage.observed) :]

        made = yield from chain.sample(predict, lambda number: draw(number, stage.made))
        stack[:, stage.made] = made


class Cdpm(Family):
    """MRIAnatEval's conditional diffusion."""

    id = "mrianateval-cdpm"
    title = "MRIAnatEval cDPM"
    is_iterative = True
    source = "Peng et al. 2023, github.com/jiaqiw01/MRIAnatEval"
    aliases: ClassVar[Mapping[str, Arguments]] = {"cdpm": {}}
    arguments: ClassVar[Mapping[str, str]] = {
        "size": "slices, rows and columns of the volume, such as 131x176x144",
        "steps": "reverse steps for each window; as many as in training are published, fewer are faster",
        "scheme": f"in which order slices are made: {', '.join(SCHEMES)}",
        "max_frames": "slices in a window",
        "max_latent_frames": "slices made in each window after the first; half a window if not given",
        "draws": "1: a latent is the start noise; steps + 1: it also holds the noise of every step",
        "double_precision": "on a CPU, compute in float64, as sampling enlarges rounding differences; false is faster",
        "num_heads": "heads of the attention",
        "num_heads_upsample": "heads of the attention on the way up; as many as num_heads if not given",
        "diffusion_steps": "steps in training",
        "noise_schedule": "of training: linear or cosine",
        "sigma_small": "draw with the posterior's variance instead of beta",
        "predict_xstart": "the network predicts the clean image instead of the noise",
        "rescale_timesteps": "the network takes times in thousandths",
        "num_channels": "channels of the first layer (in the weights)",
        "channels": "channels of each level (in the weights)",
        "attention": "which levels have attention (in the weights)",
        "num_res_blocks": "blocks on each level (in the weights)",
        "use_scale_shift_norm": "whether the time scales and shifts (in the weights)",
    }

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """The network from shapes, the diffusion from the file's ``config``, else the published defaults."""
        weights = read_weights(shapes)
        check_stated(stated, weights)
        found: dict[str, Any] = {**_DEFAULTS, **weights, **stated}
        found.setdefault("num_heads_upsample", found["num_heads"])
        found.setdefault("size", _default_size(len(found["channels"])))
        found.setdefault("scheme", "autoreg")
        found.setdefault("max_latent_frames", max(found["max_frames"] // 2, 1))
        found.setdefault("steps", found["diffusion_steps"])
        found.setdefault("draws", 1)
        found.setdefault("double_precision", True)
        _check(found)
        return {name: found[name] for name in self.arguments}

    def read_settings(self, settings: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
        """The training script's arguments, which it saves as ``config`` in the file."""
        config = settings.get("config", settings)
        if not isinstance(config, Mapping):
            return {}
        found: dict[str, Any] = {}
        for name in (*_COUNTS, *_FLAGS, *_NAMES):
            if name in config and name not in _NOT_CONFIGURED:
                try:
                    found[name] = self.parse_argument(name, config[name])
                except WrongRequestError:  # such as num_heads_upsample -1, for "the same"
                    continue
        size = _configured_size(config)
        if size is not None and all(n % _divisor(read_weights(shapes)["channels"]) == 0 for n in size[1:]):
            found["size"] = size
        return found

    def parse_argument(self, name: str, value: Any) -> Any:
        """Counts, yes or no, names, and sizes such as "131x176x144"."""
        if name in _COUNTS:
            return parse_count(name, value, _LEAST.get(name, 1))
        if name in _FLAGS:
            return parse_flag(name, value)
        if name in _NAMES:
            if value not in _NAMES[name]:
                raise WrongRequestError(f"{name} must be one of {', '.join(_NAMES[name])}, got {value!r}")
            return value
        if name == "size":
            numbers = _numbers(name, value)
            if len(numbers) != 3 or min(numbers) < 1 or numbers[0] > _MOST_SLICES:
                raise WrongRequestError(f"size must be slices x rows x columns, such as 131x176x144, got {value!r}")
            return numbers
        if name == "attention":
            return tuple(parse_flag(name, part) for part in _parts(value))
        return _numbers(name, value) if name == "channels" else parse_count(name, value)

    def build(self, arguments: Arguments) -> CdpmNetwork:
        """The network."""
        return CdpmNetwork(arguments).eval()

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """The start noise (T, 1, H, W); with every draw (steps + 1, T, 1, H, W)."""
        shape = self.output_shape(arguments)
        return shape if arguments["draws"] == 1 else (arguments["draws"], *shape)

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(T, 1, H, W): slices first, as the published sampler gives them."""
        slices, height, width = arguments["size"]
        return (slices, 1, height, width)

    def fit_shape(self, arguments: Arguments, stated: Collection[str], shape: tuple[int, ...]) -> Arguments:
        """A latent that comes as slices says how large the volume is, and whether it holds every draw."""
        if len(shape) in {4, 5} and shape[-3] == 1:
            draws = 1 if len(shape) == 4 else shape[0]
            found = {**arguments, "size": (shape[-4], *shape[-2:]), "draws": draws}
            _check(found)
            return found
        return super().fit_shape(arguments, stated, shape)

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is assumed, and what takes long."""
        notes = [
            "Spacing and directions are not in the weights: 1 mm, and slices from inferior to superior with rows and "
            "columns as in training, are assumed.",
        ]
        missing = [name for name in _DEFAULTS if name not in stated]
        if missing:
            notes.append(f"The file lacks its training configuration; published values are assumed: {_list(missing)}.")
        if arguments["steps"] > 100 and arguments["size"][0] > arguments["max_frames"]:
            notes.append(
                f"As published it takes {arguments['steps']} steps for each window, which is hours without a GPU; "
                "the argument steps makes it fewer."
            )
        return tuple(notes)

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """Window after window, step by step, block by block."""
        unet = cast(CdpmNetwork, network)
        double = unet.arguments["double_precision"] and z.device.type == "cpu" and not is_reduced(z)
        return unet.sample(z, noise, unet.arguments["steps"], double=double)

    def sample_coarse(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step] | None:
        """A few reverse steps only."""
        unet = cast(CdpmNetwork, network)
        return unet.sample(z, noise, min(unet.arguments["steps"], _COARSE_STEPS), double=False)

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """Values from -1 (the background) to 1; (slice, row, column) become (x, y, z)."""
        affine = np.eye(4)[[2, 1, 0, 3]]
        return Volume(raw[:, 0], affine, VolumeKind.T1W, window=Window.from_range(-1, 1)).to_ras()


def _draws(z: torch.Tensor, noise: torch.Generator) -> Draw:
    def draw(number: int, slices: list[int]) -> torch.Tensor:
        if z.ndim == 6 and number < z.shape[1]:
            return z[:, number, slices]
        if z.ndim == 5 and number == 0:
            return z[:, slices]
        shape = (len(z), len(slices), *z.shape[-3:])
        return torch.randn(shape, generator=noise).to(z)

    return draw


def _check(arguments: Arguments) -> None:
    """Make sure that the arguments go together.

    Raises:
        WrongRequestError: they don't.
    """
    steps, trained = arguments["steps"], arguments["diffusion_steps"]
    if steps > trained:
        raise WrongRequestError(f"steps must be {trained} or fewer, as many as in training, got {steps}")
    if trained <= _FEWEST_LINEAR and arguments["noise_schedule"] == "linear":
        raise WrongRequestError(f"diffusion_steps must be above {_FEWEST_LINEAR} with a linear schedule, got {trained}")
    if arguments["max_latent_frames"] >= arguments["max_frames"]:
        raise WrongRequestError(
            f"max_latent_frames must be below the {arguments['max_frames']} slices of a window (max_frames), "
            f"got {arguments['max_latent_frames']}"
        )
    if arguments["draws"] not in {1, steps + 1}:
        raise WrongRequestError(f"draws must be 1, or {steps + 1} with {steps} steps, got {arguments['draws']}")
    divisor = _divisor(arguments["channels"])
    if any(n % divisor for n in arguments["size"][1:]):
        raise WrongRequestError(f"rows and columns must be multiples of {divisor}, got {arguments['size'][1:]}")
    for name in ("num_heads", "num_heads_upsample"):
        if any(n % arguments[name] for n in arguments["channels"]):
            raise WrongRequestError(f"{name} must divide the channels {arguments['channels']}, got {arguments[name]}")


def _divisor(channels: Collection[int]) -> int:
    return int(2 ** (len(channels) - 1))


def _default_size(levels: int) -> Size:
    return (131, 176, 144) if levels >= 5 else (131, 64, 64) if levels == 4 else (131, 32, 32)


def _configured_size(config: Mapping[str, Any]) -> Size | None:
    slices, side = config.get("T"), config.get("image_size")
    if not isinstance(side, int) or not isinstance(slices, int) or not 0 < slices <= _MOST_SLICES or side < 1:
        return None
    return (slices, 176, 144) if side == 144 else (slices, side, side)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return str(value).lower().replace("×", "x").replace("x", ",").split(",")


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    return tuple(parse_count(name, str(part).strip()) for part in _parts(value))


def _list(names: list[str]) -> str:
    return ", ".join(f"{name} {_DEFAULTS[name]}" for name in names)
