"""A run that begins with another's weights, or a generator's, which its folder keeps so that it can be repeated."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from synthview.errors import CheckpointError, WrongRequestError
from synthview.generators.checkpoint import read_checkpoint
from synthview.generators.loading import find_checkpoint
from synthview.generators.recognition import recognise
from synthview.training.checkpoints import CHECKPOINT, load_checkpoint
from synthview.training.methods.registry import find_method
from synthview.training.runs import RUN, START, RunRecord
from synthview.volume.nifti import write_atomically


def keep_start(record: RunRecord, other: str | Path) -> None:
    """Copy weights into a new run's folder: another run's averaged ones where there are averages, or a generator's.

    Args:
        record: of the new run.
        other: the other run's folder; or a bundled generator's name, or a checkpoint of the recipe's family.

    Raises:
        WrongRequestError: the other run has no checkpoint, or this run has begun already.
        CheckpointError: there is neither a run nor a generator of the recipe's family.
    """
    if (record.folder / START).exists():
        return
    if (record.folder / CHECKPOINT).exists():
        raise WrongRequestError(f"{record.folder} has begun already; --start-from is for a new run")
    weights = _of_run(Path(other)) if (Path(other) / RUN).exists() else _of_generator(record, other)
    written = io.BytesIO()
    torch.save(weights, written)
    write_atomically(record.folder / START, written.getvalue())


def _of_run(folder: Path) -> Mapping[str, Mapping[str, torch.Tensor]]:
    state = load_checkpoint(RunRecord.open(folder).folder)
    if state is None:
        raise WrongRequestError(f"{folder} has no checkpoint yet; train it first")
    return {**state["networks"], **state["averages"]}


def _of_generator(record: RunRecord, other: str | Path) -> Mapping[str, Mapping[str, torch.Tensor]]:
    family = record.recipe.family
    try:
        found = recognise(read_checkpoint(find_checkpoint(other)), family)
    except CheckpointError as error:
        raise CheckpointError(f"{other} is neither a training's folder nor a generator of {family}: {error}") from error
    plain = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in found.tensors.items()}
    return find_method(record.recipe.method).networks_in(plain)


def load_start(folder: Path, *groups: Mapping[str, nn.Module]) -> None:
    """Put the kept weights, if there are any, into networks, where names and shapes agree.

    Raises:
        WrongRequestError: most of no network do: it has other sizes.
    """
    path = folder / START
    if not path.is_file():
        return
    kept = torch.load(path, map_location="cpu", weights_only=True)
    shares = [_put(kept[name], network) for networks in groups for name, network in networks.items() if name in kept]
    if max(shares, default=0.0) < 0.5:
        raise WrongRequestError(
            f"{folder}: the weights that it should begin with do not fit its networks; make the recipe's [network] the "
            "same as theirs"
        )


def _put(tensors: Mapping[str, torch.Tensor], network: nn.Module) -> float:
    """Put tensors into a network; returns which share of its own they were."""
    own = network.state_dict()
    same = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict({**own, **same})
    return len(same) / len(own)
