"""Arguments of MONAI's latent diffusion: what can be stated, how it is read, and what is assumed where nothing is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from synthview.errors import WrongRequestError
from synthview.generators.arguments import parse_count, parse_flag
from synthview.generators.family import Arguments, NotThisFamily
from synthview.generators.networks.monai_weights import autoencoder_arguments, diffusion_arguments
from synthview.generators.samplers.latent import PREDICTIONS, SAMPLERS, SCHEDULES
from synthview.generators.state_dicts import Shapes

ARGUMENTS: Mapping[str, str] = {
    "size": "voxels of the latent, such as 20x28x20",
    "scheduler": f"how noise becomes a latent: {', '.join(SAMPLERS)}",
    "steps": "steps of the scheduler",
    "eta": "randomness of DDIM, 0 to 1",
    "prediction_type": f"what the network predicts: {', '.join(PREDICTIONS)}",
    "schedule": f"of the noise in training: {', '.join(SCHEDULES)}",
    "beta_start": "first beta of training",
    "beta_end": "last beta of training",
    "num_train_timesteps": "noise levels of training",
    "set_alpha_to_one": "the last step ends without noise",
    "steps_offset": "added to every step's time",
    "scale_factor": "latents are divided by it before they are decoded",
    "norm_num_groups": "groups of the normalisations, of both networks",
    "num_head_channels": 'channels of an attention head: a number, one for each level, or "one" for a single head',
    "autoencoder": "constructor arguments of the autoencoder, as JSON",
    "diffusion": "constructor arguments of the diffusion model, as JSON",
    "output": 'what generate() gives: "brain" (cropped, 0 to 255, as published), "clip" (0 to 255) or "raw"',
}
_DEFAULTS: Mapping[str, Any] = {
    "size": (20, 28, 20),
    "scheduler": "ddim",
    "steps": 50,
    "eta": 0.0,
    "prediction_type": "epsilon",
    "schedule": "scaled_linear_beta",
    "beta_start": 0.0015,
    "beta_end": 0.0205,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": True,
    "steps_offset": 0,
    "scale_factor": 1.0,
}
_NAMES: Mapping[str, tuple[str, ...]] = {
    "scheduler": SAMPLERS,
    "prediction_type": PREDICTIONS,
    "schedule": SCHEDULES,
    "output": ("brain", "clip", "raw"),
}
_RANGES = {"eta": (0.0, 1.0), "beta_start": (1e-8, 0.999), "beta_end": (1e-8, 0.999), "scale_factor": (1e-6, 1e6)}
_OLD_NAMES = {"num_channels": "channels", "linear": "linear_beta", "scaled_linear": "scaled_linear_beta"}
_OF_SCHEDULERS = {"class": "scheduler", "num_inference_steps": "steps", "beta_schedule": "schedule"}
_NOT_USED = {"spatial_dims", "upcast_attention", "use_flash_attention", "dropout_cattn", "use_checkpoint", "layout"}
_SELDOM = {"include_fc", "use_combined_linear", "use_convtranspose"}  # in a network's arguments only where they apply
_NOT_IN_WEIGHTS = {"norm_num_groups", "norm_eps", "num_head_channels"}
_LARGEST_AXIS, _MOST_CHANNELS, _MOST_LEVELS, _LARGEST_TOKEN = 512, 8192, 8, 32


def parse_ldm_argument(name: str, value: Any) -> Any:
    """An argument as given, in its proper type.

    Raises:
        WrongRequestError: not a possible value.
    """
    if value is None and name in {"norm_num_groups", "num_head_channels"}:
        return None  # as in the arguments of a generator for which they were not given
    if name in {"autoencoder", "diffusion"} or (name == "scheduler" and not isinstance(value, str)):
        return _parse_object(name, value)
    if name in _NAMES:
        return _parse_name(name, value)
    if name in _RANGES:
        return _parse_number(name, value, *_RANGES[name])
    parsers: dict[str, Callable[[str, Any], Any]] = {
        "set_alpha_to_one": parse_flag,
        "size": _parse_size,
        "num_head_channels": _parse_heads,
    }
    if name in parsers:
        return parsers[name](name, value)
    return parse_count(name, value, 0 if name == "steps_offset" else 1)


def complete_arguments(shapes: Shapes, stated: Arguments) -> dict[str, Any]:
    """Every argument: of the networks from their shapes, the others stated or as published.

    Raises:
        NotThisFamily: the shapes are another network's.
        WrongRequestError: what was stated contradicts the weights or itself.
    """
    stated = {**stated, **_scheduler_settings(stated.get("scheduler"))}
    autoencoder = autoencoder_arguments(_part(shapes, "autoencoder."))
    diffusion = diffusion_arguments(_part(shapes, "diffusion."))
    _check_plausible(autoencoder, diffusion)
    groups = stated.get("norm_num_groups")
    for network in (autoencoder, diffusion):
        network["norm_num_groups"] = groups or network["norm_num_groups"]
    diffusion["num_head_channels"] = stated.get("num_head_channels", diffusion["num_head_channels"])
    _merge("autoencoder", autoencoder, stated.get("autoencoder", {}))
    _merge("diffusion", diffusion, stated.get("diffusion", {}))
    diffusion["num_head_channels"] = _heads_of_levels(diffusion)
    found = {name: stated.get(name, value) for name, value in _DEFAULTS.items()}
    found |= {"autoencoder": autoencoder, "diffusion": diffusion}
    found["norm_num_groups"], found["num_head_channels"] = groups, diffusion["num_head_channels"]
    found["output"] = stated.get("output") or ("brain" if is_brain(found) else "clip")
    _check(found)
    return found


def is_brain(arguments: Arguments) -> bool:
    """Whether the conditions are those of the published brain model: sex, age, ventricular and brain volume."""
    unet = arguments["diffusion"]
    extra = unet["in_channels"] - arguments["autoencoder"]["latent_channels"]
    return unet["cross_attention_dim"] == 4 and extra in {0, 4}


def token_width(arguments: Arguments) -> int:
    """Width of the tokens of a text-conditional model; 0 for others."""
    width = arguments["diffusion"]["cross_attention_dim"] or 0
    return int(width) if width > _LARGEST_TOKEN else 0


def _part(shapes: Shapes, prefix: str) -> Shapes:
    return {key.removeprefix(prefix): shape for key, shape in shapes.items() if key.startswith(prefix)}


def _check_plausible(autoencoder: Mapping[str, Any], diffusion: Mapping[str, Any]) -> None:
    """Damaged shapes must not become networks that can't be built."""
    for network in (autoencoder, diffusion):
        widths = [*network["channels"], network["in_channels"], network["out_channels"]]
        if not 1 <= len(network["channels"]) <= _MOST_LEVELS or not all(1 <= n <= _MOST_CHANNELS for n in widths):
            raise NotThisFamily("its layers' shapes are not those of a network")
    extra = diffusion["in_channels"] - autoencoder["latent_channels"]
    width = diffusion["cross_attention_dim"] or 0
    if extra < 0 or (extra and 0 < width <= _LARGEST_TOKEN and width != extra):
        raise NotThisFamily(
            f"its diffusion model takes {diffusion['in_channels']} channels, its autoencoder has "
            f"{autoencoder['latent_channels']}: they do not belong together"
        )


def _merge(name: str, network: dict[str, Any], stated: Mapping[str, Any]) -> None:
    """Take what was stated into a network's arguments; what is in the weights must agree."""
    for key, value in stated.items():
        key = _OLD_NAMES.get(key, key)  # noqa: PLW2901
        if key in _NOT_USED or (key in _SELDOM and key not in network):
            continue
        if key not in network and key not in _NOT_IN_WEIGHTS:
            raise WrongRequestError(f"{name} has no argument {key!r}; it has {', '.join(network)}")
        if key in _NOT_IN_WEIGHTS:
            network[key] = _parse_heads(key, value) if key == "num_head_channels" else _parse_network_value(key, value)
        elif _per_level(value, network[key]) != network[key]:
            raise WrongRequestError(f"{name}: {key} {value} does not fit the weights, which say {network[key]}")


def _per_level(value: Any, known: Any) -> Any:
    """One value for all levels, where the network's arguments have one for each."""
    if isinstance(known, tuple):
        return tuple(value) if isinstance(value, list | tuple) else (value,) * len(known)
    return value


def _parse_network_value(name: str, value: Any) -> Any:
    return parse_count(name, value) if name == "norm_num_groups" else _parse_number(name, value, 0.0, 1.0)


def _heads_of_levels(diffusion: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Channels of a head on each level; 0 where a level has no attention or none was given for it."""
    given, channels = diffusion["num_head_channels"], diffusion["channels"]
    if given is None:
        return None
    heads = channels if given == "one" else (given,) * len(channels) if isinstance(given, int) else tuple(given)
    if len(heads) != len(channels):
        raise WrongRequestError(f"num_head_channels needs one number, or {len(channels)}, got {list(heads)}")
    attends = [*diffusion["attention_levels"][:-1], True]  # the middle takes the last level's
    for width, head, needed in zip(channels, heads, attends, strict=True):
        if needed and (not head or width % head):
            raise WrongRequestError(f"num_head_channels {head} does not divide a level's {width} channels")
    return tuple(head if needed else 0 for head, needed in zip(heads, attends, strict=True))


def _check(arguments: Arguments) -> None:
    for name in ("autoencoder", "diffusion"):
        groups = arguments[name]["norm_num_groups"]
        if math.gcd(groups, *arguments[name]["channels"]) != groups:
            raise WrongRequestError(
                f"norm_num_groups {groups} does not divide the {name}'s channels {arguments[name]['channels']}"
            )
    divisor = 2 ** (len(arguments["diffusion"]["channels"]) - 1)
    if any(n % divisor for n in arguments["size"]):
        raise WrongRequestError(f"each axis of the latent must be a multiple of {divisor}, got {arguments['size']}")
    if arguments["steps"] > arguments["num_train_timesteps"]:
        raise WrongRequestError(
            f"steps must be {arguments['num_train_timesteps']} or fewer, as many as in training, "
            f"got {arguments['steps']}"
        )


def _scheduler_settings(value: Any) -> dict[str, Any]:
    """A scheduler's constructor arguments as arguments of ours; those without a meaning here are left out."""
    if not isinstance(value, Mapping):
        return {}
    named: dict[str, Any] = {_OF_SCHEDULERS.get(key, str(key)): entry for key, entry in value.items()}
    named["scheduler"] = str(named.get("scheduler", "ddim")).lower().removesuffix("scheduler")
    return {key: parse_ldm_argument(key, entry) for key, entry in named.items() if key in _DEFAULTS}


def _parse_name(name: str, value: Any) -> str:
    text = _OLD_NAMES.get(str(value), str(value))
    if text not in _NAMES[name]:
        raise WrongRequestError(f"{name} must be one of {', '.join(_NAMES[name])}, got {value!r}")
    return text


def _parse_object(name: str, value: Any) -> dict[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise WrongRequestError(f"{name} must be a JSON object, got {value!r}") from error
    if not isinstance(found, Mapping):
        raise WrongRequestError(f"{name} must be a JSON object, got {value!r}")
    return dict(found)


def _parse_number(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise WrongRequestError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}")
    return number


def _parse_size(name: str, value: Any) -> tuple[int, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).lower().replace("×", "x").split("x")
    size = tuple(parse_count(name, str(part).strip()) for part in parts)
    if len(size) != 3 or max(size) > _LARGEST_AXIS:
        raise WrongRequestError(f"size must be three numbers, such as 20x28x20, got {value!r}")
    return size


def _parse_heads(name: str, value: Any) -> Any:
    if value in ("one", None):
        return value
    if isinstance(value, list | tuple):
        return tuple(parse_count(name, part, 0) for part in value)
    text = str(value)
    if "," in text:
        return tuple(parse_count(name, part.strip(), 0) for part in text.split(","))
    return parse_count(name, text)
