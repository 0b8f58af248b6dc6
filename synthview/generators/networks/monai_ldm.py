"""MONAI's latent diffusion models of volumes: a UNet makes a latent image of noise, an autoencoder decodes it.

Pinaya et al., "Brain Imaging Generation with Latent Diffusion Models", DGM4MICCAI 2022, and other models trained with
MONAI GenerativeModels or MONAI core (1.4 and later).  The networks are in ``monai_layers.py``.

    noise (and conditions) ─ DiffusionModelUNet, step by step ─ latent ─ ÷ scale_factor ─ AutoencoderKL ─ volume
Conditions go in twice where the UNet takes both: as constant channels beside the latent, and as a token to attend to.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import IncompleteCheckpointError, WrongRequestError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments, Family, NotThisFamily, Step
from synthview.generators.features import FeatureInput, encode_features
from synthview.generators.info import Feature, OpenArgument, Setting
from synthview.generators.networks.monai_arguments import (
    ARGUMENTS,
    complete_arguments,
    is_brain,
    parse_ldm_argument,
    token_width,
)
from synthview.generators.networks.monai_bundle import read_bundle
from synthview.generators.networks.monai_encoder import AutoencoderKlEncoder
from synthview.generators.networks.monai_layers import (
    build_autoencoder,
    build_diffusion,
    decode_steps,
    predict_steps,
)
from synthview.generators.networks.monai_outline import has_outline, outline
from synthview.generators.networks.monai_weights import is_autoencoder, is_diffusion
from synthview.generators.networks.quick_conv import quicken_convs
from synthview.generators.samplers.latent import SAMPLERS, make_levels, sample
from synthview.generators.samplers.steps import Steps, part_of
from synthview.generators.state_dicts import Shapes, Tensors
from synthview.volume import Volume, VolumeKind, Window

_COARSE_STEPS = 5
_STEPS_OFFERED = (10, 25, 50, 100, 200, 1000)
_DECODING = 0.2  # of the work, roughly
_CROP = (slice(5, -5), slice(5, -5), slice(None, -15))  # of the published brains
_AFFINE = np.array(
    [[-1, 0, 0, 96.48149872], [0, 1, 0, -141.47715759], [0, 0, 1, -156.55375671], [0, 0, 0, 1]], dtype=np.float64
)
_BRAIN_FEATURES = (
    Feature("gender", "Sex", categories=("female", "male")),
    Feature("age", "Age, 0 to 1 of the training range", default=0.5),
    Feature("ventricular_volume", "Ventricular volume, 0 to 1 of the training range", default=0.5),
    Feature("brain_volume", "Brain volume, 0 to 1 of the training range", default=0.5),
)


class LatentDiffusion(nn.Module):
    """Both networks, and how to sample with them."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__()
        self.autoencoder = build_autoencoder(arguments["autoencoder"])
        self.diffusion = build_diffusion(arguments["diffusion"])
        quicken_convs(self)
        self.arguments = dict(arguments)

    def sample(
        self, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator, sampler: str, steps: int
    ) -> Iterator[Step]:
        """From noise (N, C, d, h, w) to a volume (N, C, D, H, W), step by step and level by level."""
        given = self.arguments
        levels = make_levels(
            given["num_train_timesteps"],
            steps,
            given["schedule"],
            given["beta_start"],
            given["beta_end"],
            prediction=given["prediction_type"],
            alpha_to_one=given["set_alpha_to_one"],
            offset=given["steps_offset"],
        )
        channels, context, classes = self._conditions(condition, z)

        def predict(x: torch.Tensor, time: float) -> Steps[torch.Tensor]:
            joined = x if channels is None else torch.cat([x, channels], dim=1)
            return predict_steps(self.diffusion, joined, time, context, classes)

        work = sample(sampler, levels, predict, z, noise=noise, eta=given["eta"])
        latent = yield from _shown(part_of(work, 0.0, 1 - _DECODING))
        decoding = decode_steps(self.autoencoder, latent / given["scale_factor"])
        volume = yield from _shown(part_of(decoding, 1 - _DECODING, _DECODING))
        yield 1.0, volume

    def _conditions(
        self, condition: torch.Tensor | None, z: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Constant channels beside the latent, tokens to attend to, and classes; as far as the UNet takes them."""
        unet = self.arguments["diffusion"]
        width, extra = unet["cross_attention_dim"], unet["in_channels"] - z.shape[1]
        classes = None
        if condition is not None and unet["num_class_embeds"]:
            condition, classes = condition[:, :-1], condition[:, -1].long()
        channels = context = None
        if extra and condition is not None:
            channels = condition[:, :extra, None, None, None].expand(-1, -1, *z.shape[2:])
        if width and condition is not None:
            context = condition.view(len(z), -1, width)
        return channels, context, classes


class MonaiLdm(Family):
    """Latent diffusion as MONAI GenerativeModels and MONAI core write it, in bundles or in training checkpoints."""

    id = "monai-ldm"
    title = "MONAI latent diffusion"
    is_iterative = True
    source = "Pinaya et al. 2022, github.com/Project-MONAI/GenerativeModels"
    aliases: ClassVar[Mapping[str, Arguments]] = {
        name: {} for name in ("ldm", "monai-ldm-unconditional", "monai-ldm-brain-conditional", "brain-ldm")
    }
    arguments: ClassVar[Mapping[str, str]] = ARGUMENTS

    def tensors(self, checkpoint: Checkpoint) -> Tensors:
        """Both networks' tensors, as ``autoencoder.*`` and ``diffusion.*``.

        Raises:
            NotThisFamily: it has neither network.
            IncompleteCheckpointError: it has only one of them; says which file is missing.
        """
        for tensors in checkpoint.parts.values():
            if all(any(key.startswith(part) for key in tensors) for part in ("autoencoder.", "diffusion.")):
                return tensors
        encoders = _best({place: part for place, part in checkpoint.parts.items() if is_autoencoder(part)})
        unets = _best({place: part for place, part in checkpoint.parts.items() if is_diffusion(part)})
        if encoders is None and unets is None:
            raise NotThisFamily("there is neither an autoencoder (decoder.blocks) nor a diffusion model (down_blocks)")
        if encoders is None or unets is None:
            here, missing, name = (
                ("diffusion model", "autoencoder", "autoencoder.pth")
                if encoders is None
                else ("autoencoder", "diffusion model", "diffusion_model.pth")
            )
            raise IncompleteCheckpointError(
                f"{checkpoint.path} holds the {here} of a latent diffusion model, but its {missing} is missing: put "
                f"that file, as {name}, into the same folder, and open the folder"
            )
        return {
            **{f"autoencoder.{key}": tensor for key, tensor in encoders.items()},
            **{f"diffusion.{key}": tensor for key, tensor in unets.items()},
        }

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """The networks from shapes, the rest from what was stated or a bundle says, else as published."""
        return complete_arguments(shapes, stated)

    def expected_shapes(self, arguments: Arguments) -> Shapes:
        """From tables, so that a checkpoint is recognised without MONAI's import."""
        return outline(arguments) if has_outline(arguments) else super().expected_shapes(arguments)

    def count_parameters(self, arguments: Arguments) -> int:
        """All tensors: there are no buffers."""
        return sum(math.prod(shape) for shape in self.expected_shapes(arguments).values())

    def read_settings(self, settings: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
        """What a bundle's ``configs/inference.json`` says, as far as it can be used."""
        bundle = settings.get("bundle")
        found: dict[str, Any] = {}
        for name, value in read_bundle(bundle).items() if isinstance(bundle, Mapping) else ():
            try:
                parsed = self.parse_argument(name, value)
                complete_arguments(shapes, {**found, name: parsed})
            except (WrongRequestError, NotThisFamily):
                continue
            found[name] = parsed
        return found

    def parse_argument(self, name: str, value: Any) -> Any:
        """Counts, numbers, names, sizes; constructor arguments as MONAI names them, as JSON or a dictionary."""
        return parse_ldm_argument(name, value)

    def open_arguments(self, arguments: Arguments) -> tuple[OpenArgument, ...]:
        """The width of an attention head, which changes the result and is not in the weights."""
        unet = arguments["diffusion"]
        if unet["num_head_channels"] is not None:
            return ()
        widths = [c for c, attends in zip(unet["channels"], unet["attention_levels"], strict=True) if attends]
        common = math.gcd(unet["channels"][-1], *widths)
        choices = [str(n) for n in (8, 16, 32, 64, 128) if common % n == 0]
        question = (
            "The weights do not say how many channels each head of the diffusion model's attention has "
            '(num_head_channels in training; "one" is a single head on each level). How many?'
        )
        return (OpenArgument("num_head_channels", question, (*choices, "one")),)

    def build(self, arguments: Arguments) -> LatentDiffusion:
        """Both networks."""
        return LatentDiffusion(arguments).eval()

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(latent channels, *size)."""
        return (arguments["autoencoder"]["latent_channels"], *arguments["size"])

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(channels, *size of the volume)."""
        autoencoder = arguments["autoencoder"]
        factor = 2 ** (len(autoencoder["channels"]) - 1)
        return (autoencoder["out_channels"], *(n * factor for n in arguments["size"]))

    def fit_shape(self, arguments: Arguments, stated: Collection[str], shape: tuple[int, ...]) -> Arguments:
        """A latent that comes as an image says how large it is; the networks take any size."""
        channels = arguments["autoencoder"]["latent_channels"]
        if len(shape) == 4 and shape[0] == channels:
            divisor = 2 ** (len(arguments["diffusion"]["channels"]) - 1)
            if any(n % divisor for n in shape[1:]):
                raise WrongRequestError(f"each axis of the latent must be a multiple of {divisor}, got {shape[1:]}")
            return {**arguments, "size": shape[1:]}
        return super().fit_shape(arguments, stated, shape)

    def features(self, arguments: Arguments) -> tuple[Feature, ...]:
        """The conditions, each 0 to 1; of a text-conditional model none."""
        unet = arguments["diffusion"]
        count = unet["in_channels"] - arguments["autoencoder"]["latent_channels"]
        if not token_width(arguments):
            count = unet["cross_attention_dim"] or count
        named = _BRAIN_FEATURES if is_brain(arguments) else ()
        found = named or tuple(Feature(f"condition{i + 1}", f"Condition {i + 1}", default=0.5) for i in range(count))
        if classes := unet["num_class_embeds"]:
            names = tuple(f"class {i}" for i in range(classes))
            found = (*found, Feature("class", "Class", high=classes - 1, categories=names))
        return found

    def encode_features(self, given: FeatureInput, arguments: Arguments, count: int) -> npt.NDArray[np.float32] | None:
        """One column for each condition, categories too; text embeddings as (count, tokens x width)."""
        width = token_width(arguments)
        if not width:
            single = [replace(f, categories=()) for f in self.features(arguments)]
            return encode_features(single, given, count)
        if given is None or isinstance(given, Mapping):
            encode_features((), given, count)  # refuses names
            return np.zeros((count, width), dtype=np.float32)
        tokens = np.asarray(given, dtype=np.float32)
        tokens = tokens.reshape(len(tokens), -1) if tokens.ndim else tokens.reshape(1, -1)
        if tokens.shape[1] % width or tokens.shape[0] not in {1, count} or not np.isfinite(tokens).all():
            raise WrongRequestError(f"text embeddings must be {count} × tokens × {width} numbers, got {tokens.shape}")
        return np.broadcast_to(tokens, (count, tokens.shape[1])).copy()

    def settings(self, arguments: Arguments) -> tuple[Setting, ...]:
        """The scheduler and its steps."""
        steps = sorted({*_STEPS_OFFERED, arguments["steps"]})
        schedulers = tuple((name, name.upper()) for name in SAMPLERS)
        return (
            Setting("scheduler", "Scheduler", arguments["scheduler"], schedulers, "How noise becomes a latent"),
            Setting("steps", "Steps", str(arguments["steps"]), tuple((str(n), str(n)) for n in steps),
                    "More steps take longer and follow the training more closely"),
        )  # fmt: skip

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is assumed, and what the file lacks."""
        stated = set(stated)
        notes = []
        if not {"autoencoder", "diffusion", "norm_num_groups"} & stated:
            groups = (arguments["autoencoder"]["norm_num_groups"], arguments["diffusion"]["norm_num_groups"])
            notes.append(f"Not in the weights, assumed: norm_num_groups {groups[0]} and {groups[1]}, norm_eps 1e-6.")
        if is_brain(arguments) and not {"diffusion", "num_head_channels"} & stated:
            notes.append("Not in the weights, assumed as published: one attention head on each level.")
        if not {"scheduler", "prediction_type"} & stated:
            notes.append(
                f"Not in the weights, assumed: noise from {arguments['beta_start']} to {arguments['beta_end']} "
                f"({arguments['schedule']}), predicting {arguments['prediction_type']}."
            )
        if not {"size"} & stated:
            notes.append(f"The weights do not say how large its latents are: {arguments['size']} is assumed.")
        if "scale_factor" not in stated and not is_brain(arguments):
            notes.append("If its latents were scaled in training, set scale_factor; 1 is assumed.")
        if is_brain(arguments):
            notes.append("Sex is taken as in UK Biobank: 0 female, 1 male. The other conditions' ranges are unknown.")
        if width := token_width(arguments):
            notes.append(
                f"It was trained with text embeddings of {width} numbers, whose encoder is not in the checkpoint; "
                "without them its context is all zeros."
            )
        return tuple(notes)

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """The autoencoder's; its grid is taken to be of 1 mm, as published."""
        if arguments["autoencoder"]["out_channels"] != 1 or arguments["autoencoder"]["in_channels"] != 1:
            return None
        return lambda: AutoencoderKlEncoder(None, (1.0, 1.0, 1.0))

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """The scheduler's steps, then the decoder."""
        ldm = cast(LatentDiffusion, network)
        return ldm.sample(z, condition, noise, ldm.arguments["scheduler"], ldm.arguments["steps"])

    def sample_coarse(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step] | None:
        """A few DDIM steps, then the decoder."""
        ldm = cast(LatentDiffusion, network)
        return ldm.sample(z, condition, noise, "ddim", min(ldm.arguments["steps"], _COARSE_STEPS))

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """As published: brains cropped and rescaled to 0-255, in MNI space; others clipped to [0, 1], then to 0-255."""
        output, voxels = arguments["output"], raw[0]
        if output == "brain":
            voxels = voxels[_CROP]
            if voxels.size == 0:
                raise WrongRequestError(f"a volume of {raw.shape[1:]} is too small to be cropped; set output to raw")
            low, high = voxels.min(), voxels.max()
            unit = (voxels - low) / max(high - low, np.finfo(np.float32).tiny)
            levels = (unit * np.float32(255)).astype(np.uint8)
            return Volume(levels, _AFFINE, VolumeKind.T1W, window=Window.from_range(0, 255)).to_ras()
        if output == "clip":
            levels = (np.clip(voxels, 0, 1) * np.float32(255)).astype(np.uint8)
            return Volume(levels, np.eye(4), window=Window.from_range(0, 255))
        return Volume(voxels, np.eye(4))


def _best(parts: Mapping[str, Tensors]) -> Tensors | None:
    """Averaged weights before others; of those, the first."""
    ranked = sorted(parts, key=lambda place: "ema" not in place.lower().rsplit("/", 1)[-1])
    return parts[ranked[0]] if ranked else None


def _shown(work: Steps[torch.Tensor]) -> Generator[Step, None, torch.Tensor]:
    """Fractions as a family's sampler yields them; returns the result."""
    while True:
        try:
            fraction = next(work)
        except StopIteration as end:
            result: torch.Tensor = end.value
            return result
        yield fraction, None
