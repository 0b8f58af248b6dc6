"""A run that begins with another's weights, which its folder keeps so that it can be told and repeated."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from synthview.errors import WrongRequestError
from synthview.training.checkpoints import CHECKPOINT, load_checkpoint
from synthview.training.runs import START, RunRecord
from synthview.volume.nifti import write_atomically


def keep_start(record: RunRecord, other: Path) -> None:
    """Copy another run's weights into a new run's folder: the averaged ones where there are averages.

    Raises:
        WrongRequestError: the other is no run or has no checkpoint; or this run has begun already.
    """
    if (record.folder / START).exists():
        return
    if (record.folder / CHECKPOINT).exists():
        raise WrongRequestError(f"{record.folder} has begun already; --start-from is for a new run")
    state = load_checkpoint(RunRecord.open(other).folder)
    if state is None:
        raise WrongRequestError(f"{other} has no checkpoint yet; train it first")
    written = io.BytesIO()
    torch.save({**state["networks"], **state["averages"]}, written)
    write_atomically(record.folder / START, written.getvalue())


def load_start(folder: Path, *groups: Mapping[str, nn.Module]) -> int:
    """Put the kept weights into networks, where names and shapes agree; returns how many tensors did."""
    path = folder / START
    if not path.is_file():
        return 0
    kept = torch.load(path, map_location="cpu", weights_only=True)
    count = 0
    for networks in groups:
        for name, network in networks.items():
            own = network.state_dict()
            same = {k: v for k, v in kept.get(name, {}).items() if k in own and own[k].shape == v.shape}
            network.load_state_dict({**own, **same})
            count += len(same)
    return count
