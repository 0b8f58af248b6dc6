"""From a name or a path to a generator, or to a description of what a checkpoint is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from synthview import userdata
from synthview.errors import CheckpointError, MissingArgumentError, WrongRequestError
from synthview.generators.checkpoint import Checkpoint, read_checkpoint
from synthview.generators.choices import weights_setting
from synthview.generators.device import memory_errors, resolve_device
from synthview.generators.generator import Generator
from synthview.generators.info import GeneratorInfo, OpenArgument, Setting
from synthview.generators.manifest_features import named_features
from synthview.generators.manifest_notes import settled_notes
from synthview.generators.manifest_output import check_output
from synthview.generators.numbers import check_numbers
from synthview.generators.precision import check_dtype
from synthview.generators.programs.program import Program
from synthview.generators.recognition import Recognised, recognise
from synthview.generators.state_dicts import first_not_finite
from synthview.generators.trust import check_trust, trust_note
from synthview.resources import bundled_checkpoints


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint is, without running it.

    Attributes:
        info: its description; the output shape is empty where an open argument decides it.
        open_arguments: what has to be asked before it can run.
    """

    info: GeneratorInfo
    open_arguments: tuple[OpenArgument, ...]


def load_generator(
    name_or_path: str | Path,
    device: str = "auto",
    family: str | None = None,
    *,
    trust: bool = False,
    dtype: str = "auto",
    **arguments: Any,
) -> Generator:
    """Open a checkpoint and build its generator.

    Args:
        name_or_path: name of a bundled checkpoint, a checkpoint file, or a folder with one in it.
        device: "auto" (the fastest there is), "cpu", "cuda", "cuda:1" or "mps".
        family: name of the architecture; recognised from the weights if not given.
        trust: the user's yes to running the code in a TorchScript or torch.export file; kept for that very file.
        dtype: "float32", "bfloat16" or "float16"; "auto" is float32, and on NVIDIA GPUs less for coarse previews.
        arguments: what the weights can't tell, as named by the family (HA-GAN: ``size``, ``num_class``, ``output``);
            and ``weights``: ema, raw, or a network's place in the file.

    Raises:
        TrustNeededError: it is a program that the user has not said to trust; nothing was run.
        UnsafeCheckpointError: only running code from the file could open it; nothing was run.
        CheckpointError: it isn't there, is damaged, or of no known family.
        MissingArgumentError: the weights leave something open; its ``argument`` says what to ask.
        WrongRequestError: no such device, family or argument, or an argument that contradicts the weights.
    """
    return open_generator(name_or_path, arguments, device, family, trust=trust, dtype=dtype)


def open_generator(
    name_or_path: str | Path,
    arguments: Mapping[str, Any],
    device: str = "auto",
    family: str | None = None,
    *,
    trust: bool = False,
    dtype: str = "auto",
) -> Generator:
    """``load_generator`` for arguments from elsewhere, such as a file: whatever their names, they are only arguments.

    Raises:
        SynthviewError: as for ``load_generator``.
    """
    target = resolve_device(device)
    check_dtype(dtype)
    checkpoint = read_checkpoint(find_checkpoint(name_or_path))
    found = recognise_opened(checkpoint, family, arguments)
    for argument in found.family.open_arguments(found.arguments):
        raise MissingArgumentError(
            f"{checkpoint.path}: {argument.question} Say it with --arg {argument.name}=VALUE, where VALUE is one of "
            f"{', '.join(argument.choices)} (in Python: load_generator(…, {argument.name}=…)).",
            argument,
        )
    info = describe(checkpoint, found)
    with memory_errors(target, f"the weights of {checkpoint.name}"):
        network: nn.Module
        if isinstance(found.family, Program):
            if dtype not in {"auto", "float32"}:
                raise WrongRequestError(
                    f"{checkpoint.path} is a program, which computes as it was saved: leave out dtype"
                )
            check_trust(checkpoint, found.family, trusted=trust)
            network, known, target = found.family.prepare(found.arguments, target)
            info = describe(checkpoint, replace(found, arguments=known))
        else:
            network = _network(found, checkpoint).to(target)
    userdata.remember_checkpoint(checkpoint.sha256, checkpoint.path)
    encoder = found.family.encoder(checkpoint, found.arguments)
    return Generator(network, found.family, info, found.stated, target, found.manifest, encoder, dtype)


def inspect_checkpoint(
    name_or_path: str | Path, family: str | None = None, arguments: Mapping[str, Any] | None = None
) -> Inspection:
    """Say what a checkpoint is; the network is not run, and open arguments are no error.

    Raises:
        CheckpointError, WrongRequestError: as for ``load_generator``.
    """
    checkpoint = read_checkpoint(find_checkpoint(name_or_path))
    found = recognise_opened(checkpoint, family, arguments or {})
    _check_finite(found, checkpoint)
    return Inspection(describe(checkpoint, found), found.family.open_arguments(found.arguments))


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The path meant: one that exists, else the bundled checkpoint of this name.

    Raises:
        CheckpointError: neither; names the bundled ones.
    """
    path = Path(name_or_path).expanduser()
    try:
        bundled = bundled_checkpoints()
    except FileNotFoundError:
        bundled = {}
    if str(name_or_path) in bundled and not path.exists():
        return bundled[str(name_or_path)]
    try:
        there = path.exists()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    if not there:
        names = f", or to one of the bundled names: {', '.join(bundled)}" if bundled else ""
        raise CheckpointError(f"{path} does not exist; correct the path to the checkpoint's file or folder{names}")
    return path


def recognise_opened(checkpoint: Checkpoint, family: str | None, arguments: Mapping[str, Any]) -> Recognised:
    """The family and arguments of a checkpoint, with what the user has answered before."""
    return recognise(checkpoint, family, arguments, userdata.answers(checkpoint.sha256))


def _network(found: Recognised, checkpoint: Checkpoint) -> nn.Module:
    """The network with its own copy of the weights, in float32."""
    _check_finite(found, checkpoint)
    with torch.device("meta"):
        network = found.family.build(found.arguments)
    keys = set(network.state_dict())
    copies = {
        key: tensor.to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True).contiguous()
        for key, tensor in found.tensors.items()
        if key in keys or found.family.is_optional(key)
    }
    found.family.complete(copies, found.arguments)
    network.load_state_dict({k: v for k, v in copies.items() if k in keys}, strict=False, assign=True)
    found.family.finish(network)
    left = [name for name, tensor in network.state_dict(keep_vars=True).items() if tensor.is_meta]
    if left:
        raise CheckpointError(f"{checkpoint.path} lacks {', '.join(left)}, which {found.family.title} needs")
    return network.requires_grad_(False)


def _check_finite(found: Recognised, checkpoint: Checkpoint) -> None:
    """Make sure that the weights are numbers to compute with, and fit into this computer's memory."""
    check_numbers(found.tensors, checkpoint.path, found.family.title)
    if (name := first_not_finite(found.tensors)) is not None:
        raise CheckpointError(
            f"{checkpoint.path} holds NaN or infinite numbers in {name}: the training went wrong, or the file is "
            "damaged; use an earlier checkpoint"
        )


def describe(checkpoint: Checkpoint, found: Recognised) -> GeneratorInfo:
    """What a checkpoint is, from its recognised family and its manifest.

    Raises:
        CheckpointError: the manifest contradicts the network; says how.
    """
    family, arguments, manifest = found.family, found.arguments, found.manifest
    extra = trust_note(checkpoint, family) if isinstance(family, Program) else ()
    output_shape = family.output_shape(arguments)
    check_output(manifest, output_shape)
    said = manifest.to_dict() if manifest is not None else {}
    return GeneratorInfo(
        name=checkpoint.name,
        path=str(checkpoint.path.absolute()),
        sha256=checkpoint.sha256,
        container=checkpoint.container,
        family=family.id,
        title=family.title,
        arguments=arguments,
        latent_shape=family.latent_shape(arguments),
        features=named_features(family, arguments, manifest),
        output_shape=output_shape,
        parameters=family.count_parameters(arguments),
        source=family.source,
        notes=(
            *checkpoint.notes,
            *found.notes,
            *extra,
            *settled_notes(family.notes(arguments, found.stated), manifest),
        ),
        manifest="" if manifest is None else str(manifest.path.absolute()),
        label=said.get("name", ""),
        can_encode=family.encoder(checkpoint, arguments) is not None,
        settings=(*_open_settings(found), *weights_setting(checkpoint, arguments)),
        takes_place=family.takes_place,
        is_iterative=family.is_iterative,
        **{name: said[name] for name in ("output", "training_data", "licence", "citation", "metrics") if name in said},
    )


def _open_settings(found: Recognised) -> list[Setting]:
    """The family's, less the facts that a manifest states."""
    stated = found.family.facts.intersection(found.manifest.arguments if found.manifest is not None else ())
    return [setting for setting in found.family.settings(found.arguments) if setting.name not in stated]
