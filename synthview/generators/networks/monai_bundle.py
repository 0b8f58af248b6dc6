"""What a MONAI bundle's ``configs/inference.json`` says of its networks and of how they are sampled.

Only plain values and references to plain values are read; expressions (``$…``) would be code, and are left alone, but
for the numbers in a few that everybody writes alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TARGETS = {"AutoencoderKL": "autoencoder", "DiffusionModelUNet": "diffusion"}
_NOT_IN_WEIGHTS = ("norm_num_groups", "norm_eps", "num_head_channels")


def read_bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments: autoencoder and diffusion (what the weights can't say), scheduler, steps, size, scale_factor."""
    found: dict[str, Any] = {}
    for section in _sections(bundle, 0):
        target = str(section.get("_target_", "")).rsplit(".", 1)[-1]
        plain = {k: _resolve(v, bundle) for k, v in section.items() if not k.startswith("_")}
        if target in _TARGETS:
            found.setdefault(_TARGETS[target], {k: v for k, v in plain.items() if k in _NOT_IN_WEIGHTS})
        elif target in {"DDIMScheduler", "DDPMScheduler", "PNDMScheduler"}:
            found.setdefault("scheduler", {"class": target.removesuffix("Scheduler").lower(), **plain})
    text = "\n".join(value for value in _texts(bundle, 0) if value.startswith("$"))
    steps = bundle.get("num_inference_steps") or _number(r"num_inference_steps\s*=\s*(\d+)", text)
    if isinstance(steps, int):
        found["steps"] = steps
    if isinstance(bundle.get("scale_factor"), int | float):
        found["scale_factor"] = bundle["scale_factor"]
    if size := _size(bundle, text):
        found["size"] = size
    return found


def _sections(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping) and depth < 6:
        yield value
        for child in value.values():
            yield from _sections(child, depth + 1)


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list) and depth < 6:
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(child, depth + 1)


def _resolve(value: Any, bundle: Mapping[str, Any]) -> Any:
    """A value, or the plain value that ``@name`` refers to."""
    if isinstance(value, str) and value.startswith("@"):
        return bundle.get(value[1:])
    return value


def _number(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text)
    return int(match.group(1)) if match else None


def _size(bundle: Mapping[str, Any], text: str) -> tuple[int, int, int] | None:
    """The latent's voxels: ``latent_shape``, or the numbers in ``torch.randn(…)``."""
    shape = bundle.get("latent_shape")
    if isinstance(shape, list) and len(shape) >= 3 and all(isinstance(n, int) for n in shape):
        return shape[-3], shape[-2], shape[-1]
    match = re.search(r"randn\(\s*[(\[]?\s*\d+\s*,\s*\d+\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)", text)
    return (int(match.group(1)), int(match.group(2)), int(match.group(3))) if match else None
