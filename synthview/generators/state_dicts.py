"""Finding the generator's tensors among what a checkpoint file holds: wrappers, prefixes, optimisers, averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from synthview.errors import CheckpointError
from synthview.generators.norms import folded, older_names

if TYPE_CHECKING:
    import torch

Tensors: TypeAlias = "Mapping[str, torch.Tensor]"
Shapes = Mapping[str, tuple[int, ...]]

_PREFIXES = ("module.", "_orig_mod.", "_forward_module.", "_fsdp_wrapped_module.")  # how training wraps a network
_COUNTER = "n_averaged"  # torch's AveragedModel keeps it beside the averaged tensors
# where generators are kept, the best first: averaged weights before raw ones, the generator before the whole model
_WRAPPERS = (
    "ema", "g_ema", "ema_g", "generator_ema", "netg_ema", "ema_generator", "model_ema", "ema_model", "ema_state_dict",
    "state_dict_ema", "params_ema", "averaged_model", "generator", "gen", "g", "netg", "net_g", "model_g",
    "generator_state_dict", "g_state_dict", "g_model", "model", "state_dict", "model_state_dict", "params", "weights",
    "net", "network", "online_model", "module",
)  # fmt: skip
_NOT_GENERATORS = ("disc", "netd", "critic", "optim", "sched", "lpips", "percept", "vgg", "loss", "scaler")
_DEEPEST = 4
_MOST_ENTRIES = 200_000  # of dictionaries and lists looked at; a damaged or hostile file can refer to itself


def find_state_dicts(content: Any) -> dict[str, dict[str, torch.Tensor]]:
    """Every state dict in a file's content, by where it lies ("", "model", "ema.state_dict", "1").

    Prefixes of training are stripped, and weights under weight normalisation are put in plain form.  Optimiser states
    are left out: their keys are numbers.

    Raises:
        CheckpointError: two keys become the same.
    """
    return {place: _plain(tensors) for place, tensors in _walk(content, "", 0, set())}


def networks_within(parts: Mapping[str, Tensors]) -> dict[str, dict[str, torch.Tensor]]:
    """The networks that share a state dict under well-known names ("generator.…" beside "discriminator.…"), by place.

    Raises:
        CheckpointError: two keys become the same.
    """
    found: dict[str, dict[str, torch.Tensor]] = {}
    for place, tensors in parts.items():
        groups: dict[str, dict[str, torch.Tensor]] = {}
        for key, tensor in tensors.items():
            first, _, rest = key.partition(".")
            groups.setdefault(first, {})[rest] = tensor
        for name, group in groups.items():
            if name.lower() in _WRAPPERS and any("." in key for key in group):
                found[f"{place}.{name}".lstrip(".")] = _plain({k: v for k, v in group.items() if k != _COUNTER})
    return found


def find_plain_values(content: Any) -> dict[str, Any]:
    """The plain values beside the tensors, such as ``config`` and ``step``; empty where there are none."""
    if not isinstance(content, Mapping):
        return {}
    budget = [_MOST_ENTRIES]
    return {k: v for k, v in content.items() if isinstance(k, str) and _is_plain(v, budget)}


def is_average(place: str) -> bool:
    """Whether weights at this place of a file are averaged ones (EMA), by the names on the way to them."""
    words = place.lower().replace("/", ".").replace("-", "_").split(".")
    return any("ema" in word.split("_") or "averaged" in word or "swa" in word.split("_") for word in words)


def rank(place: str) -> int:
    """How likely weights at this place are the generator's; the smallest number is the likeliest."""
    words = [word for word in place.lower().split("/")[-1].split(".") if word]
    if any(word.startswith(_NOT_GENERATORS) or word in {"d", "d_ema"} for word in words):
        return 2 * len(_WRAPPERS)
    return min((_WRAPPERS.index(word) for word in words if word in _WRAPPERS), default=len(_WRAPPERS))


def choose_state_dict(parts: Mapping[str, Tensors], where: str) -> Tensors:
    """The state dict, of one or more, that most likely is the generator: the one in the best-known wrapper.

    Raises:
        CheckpointError: which one can't be told.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    ranked = sorted(parts, key=rank)
    if rank(ranked[0]) == rank(ranked[1]):
        raise CheckpointError(
            f"{where} holds several networks ({', '.join(map(repr, parts))}) and does not say which is the generator; "
            f"say it with --arg weights={ranked[0]}, or save that one alone"
        )
    return parts[ranked[0]]


def strip_prefixes(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Take the leading prefixes of training (``module.``, ``_orig_mod.``), each once at most, from every key.

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
            raise CheckpointError(
                f"the tensor {short!r} is there twice, once with a prefix and once without; save one of them alone"
            )
        stripped[short] = tensor
    return stripped


def shapes_of(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor."""
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}


def first_not_finite(tensors: Tensors) -> str | None:
    """Name of the first tensor that holds NaN or an infinite value; None where all are finite."""
    import torch

    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            wide = tensor if tensor.dtype.itemsize > 1 else tensor.float()  # sums of 8-bit numbers are not there
            # a sum in the tensor's own precision is five times faster, and may be infinite where no number is
            if not torch.isfinite(wide.sum()) and not torch.isfinite(wide.sum(dtype=torch.float64)):
                return key
    return None


def _walk(content: Any, place: str, depth: int, seen: set[int]) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    import torch

    if depth > _DEEPEST or id(content) in seen or len(seen) > _MOST_ENTRIES:
        return
    seen.add(id(content))
    if isinstance(content, Mapping):
        tensors = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
        if _is_state_dict(content, tensors):
            yield place, {k: v.detach() for k, v in tensors.items() if k != _COUNTER}
            return
        children: list[tuple[Any, Any]] = list(content.items())
    elif isinstance(content, list | tuple):
        children = list(enumerate(content))
    else:
        return
    for key, value in children:
        if not str(key).lower().startswith(("optim", "scheduler")) and str(key) != "state":
            yield from _walk(value, f"{place}.{key}".lstrip("."), depth + 1, seen)


def _plain(tensors: Tensors) -> dict[str, torch.Tensor]:
    return folded(older_names(strip_prefixes(tensors)), spectral=False)


def _is_state_dict(content: Mapping[Any, Any], tensors: Mapping[str, torch.Tensor]) -> bool:
    """Mostly tensors, and the names of layers' tensors have a dot; training scalars ("loss", "step") do not."""
    return len(tensors) * 2 > len(content) and any("." in key for key in tensors)


def _is_plain(value: Any, budget: list[int], depth: int = 0) -> bool:
    budget[0] -= 1
    if budget[0] < 0 or depth > 20:
        return False
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_plain(v, budget, depth + 1) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(v, budget, depth + 1) for v in value)
    return value is None or isinstance(value, str | int | float | bool)
