"""Finding the generator's tensors among what a checkpoint file holds: wrappers, prefixes, optimisers, averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from synthview.errors import CheckpointError

Tensors = Mapping[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]

_PREFIXES = ("module.", "_orig_mod.")  # DataParallel and torch.compile wrap a network so
# where generators are kept, the best first: averaged weights before raw ones, the generator before the whole model
_WRAPPERS = (
    "ema", "g_ema", "model_ema", "ema_model", "generator", "G", "netG", "model", "state_dict", "model_state_dict",
    "params_ema", "params", "net", "network", "module",
)  # fmt: skip
_DEEPEST = 3


def find_state_dicts(content: Any) -> dict[str, dict[str, torch.Tensor]]:
    """Every state dict in a file's content, by where it lies ("", "model", "ema.state_dict", "1"), prefixes stripped.

    Optimiser states are left out: their keys are numbers.
    """
    return {place: strip_prefixes(tensors) for place, tensors in _walk(content, "", 0)}


def find_plain_values(content: Any) -> dict[str, Any]:
    """The plain values beside the tensors, such as ``config`` and ``step``; empty where there are none."""
    if not isinstance(content, Mapping):
        return {}
    return {k: v for k, v in content.items() if isinstance(k, str) and _is_plain(v)}


def choose_state_dict(parts: Mapping[str, Tensors], where: str) -> Tensors:
    """The state dict, of one or more, that most likely is the generator: the one in the best-known wrapper.

    Raises:
        CheckpointError: which one can't be told.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    ranked = sorted(parts, key=_rank)
    if _rank(ranked[0]) == _rank(ranked[1]):
        raise CheckpointError(
            f"{where} holds several networks ({', '.join(map(repr, parts))}) and does not say which is the generator; "
            "save that one alone"
        )
    return parts[ranked[0]]


def strip_prefixes(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Take one leading ``module.`` and one ``_orig_mod.`` from every key.

    Raises:
        CheckpointError: two keys become the same.
    """
    stripped: dict[str, torch.Tensor] = {}
    for key, tensor in tensors.items():
        short, left = key, set(_PREFIXES)
        while prefix := next((p for p in left if short.startswith(p)), None):
            short = short.removeprefix(prefix)
            left.remove(prefix)
        if short in stripped:
            raise CheckpointError(f"the tensor {short!r} is there twice, once with a prefix and once without")
        stripped[short] = tensor
    return stripped


def shapes_of(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor."""
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}


def first_not_finite(tensors: Tensors) -> str | None:
    """Name of the first tensor that holds NaN or an infinite value; None where all are finite."""
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.sum(dtype=torch.float64)):
            return key
    return None


def _walk(content: Any, place: str, depth: int) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    if depth > _DEEPEST:
        return
    if isinstance(content, Mapping):
        tensors = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
        if _is_state_dict(content, tensors):
            yield place, {k: v.detach() for k, v in tensors.items()}
            return
        children: list[tuple[Any, Any]] = list(content.items())
    elif isinstance(content, list | tuple):
        children = list(enumerate(content))
    else:
        return
    for key, value in children:
        if not str(key).lower().startswith(("optim", "scheduler")) and str(key) != "state":
            yield from _walk(value, f"{place}.{key}".lstrip("."), depth + 1)


def _is_state_dict(content: Mapping[Any, Any], tensors: Mapping[str, torch.Tensor]) -> bool:
    """Mostly tensors, and the names of layers' tensors have a dot; training scalars ("loss", "step") do not."""
    return len(tensors) * 2 > len(content) and any("." in key for key in tensors)


def _rank(place: str) -> tuple[int, ...]:
    ranks = [_WRAPPERS.index(part) if part in _WRAPPERS else len(_WRAPPERS) for part in place.split(".")]
    return tuple(ranks)


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
