"""A checkpoint as it lies on disk: its tensors, what stands beside it, and its SHA-256.  No network is built here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synthview.errors import CheckpointError
from synthview.generators.ahead import file_sha256
from synthview.generators.containers import read_file
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_lookup import find_manifest
from synthview.generators.sniffing import Container
from synthview.generators.state_dicts import (
    Shapes,
    Tensors,
    choose_state_dict,
    find_plain_values,
    find_state_dicts,
    shapes_of,
)
from synthview.generators.weight_files import (
    checkpoint_sha256,
    combined_sha256,
    find_weights,
    is_checkpoint_name,
    shards,
)
from synthview.generators.wording import brief

__all__ = [
    "Checkpoint",
    "checkpoint_sha256",
    "file_sha256",
    "is_checkpoint_name",
    "read_checkpoint",
]

BUNDLE_NAME = "inference.json"  # a MONAI bundle's networks' arguments, in the folder configs
SETTINGS_NAME = "configs.json"  # HA-GAN's and CRF-GAN's training scripts write it beside the weights
_MOST_NUMBERS = 8_000_000_000  # a file that claims more is damaged, or made to fill the memory


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file, or a folder with one in it, holds.

    Attributes:
        path: as given.
        files: the files that were read; the checkpoint's identity is their content.
        container: how it is stored, such as "torch zip file".
        parts: every state dict found, by where it lies in the file; families of several networks choose from these.
            Tensors may be mapped from the file and overlap: copy each before use.  Programs have none.
        settings: what the training script wrote beside the weights or into the file; to be checked against the weights.
        notes: what was odd about it, one sentence each.
        described: what a person is saying of it; stands in for any manifest on disk.
    """

    path: Path
    files: tuple[Path, ...]
    container: Container
    parts: Mapping[str, Tensors]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    described: Manifest | None = None

    @property
    def name(self) -> str:
        """The file's or folder's name."""
        return Path(os.path.abspath(self.path)).name  # noqa: PTH100  (links keep their own name, "." gets one)

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the file; of several files, that of their SHA-256s, sorted and one a line."""
        return combined_sha256(self.files)

    @cached_property
    def tensors(self) -> Tensors:
        """The state dict that most likely is the generator.

        Raises:
            CheckpointError: which of several can't be told.
        """
        return choose_state_dict(self.parts, str(self.path))

    @cached_property
    def shapes(self) -> Shapes:
        """Shape of each of ``tensors``."""
        return shapes_of(self.tensors)

    @property
    def manifest(self) -> Manifest | None:
        """What ``manifest.json`` beside the weights, or the user's own, says; None without one that is theirs.

        Raises:
            CheckpointError: it can't be used; names file, field and what to do.
        """
        return self._found_manifest[0]

    @property
    def manifest_notes(self) -> tuple[str, ...]:
        """Why a manifest that lies there is not used."""
        return self._found_manifest[1]

    @cached_property
    def _found_manifest(self) -> tuple[Manifest | None, tuple[str, ...]]:
        if self.described is not None:
            return self.described, ()
        return find_manifest(self.path, self.files, lambda: self.sha256)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint file, or the one generator in a folder, without building a network or running anything.

    Raises:
        UnsafeCheckpointError: only running code from the file could open it; nothing was run.
        CheckpointError: it isn't there, can't be read, is no checkpoint, or is damaged.
    """
    path = Path(path).expanduser()
    files = find_weights(path)
    parts: dict[str, Tensors] = {}
    settings: dict[str, Any] = {}
    for file in files:
        container, content = read_file(file)
        if container.is_program:
            return _program(path, file, container)
        found = _find_parts(file, content)
        parts |= found if len(files) == 1 else {f"{file.name}/{place}": part for place, part in found.items()}
        settings |= find_plain_values(content)
    if shards(files[0]):
        parts = {"": _joined(parts.values())}
    beside, notes = _read_settings_beside(files[0])
    return Checkpoint(path, files, container, parts, {**beside, **settings}, tuple(notes))


def _program(path: Path, file: Path, container: Container) -> Checkpoint:
    files: tuple[Path, ...] = (file,)
    if container is Container.ONNX:
        from synthview.generators.programs.onnx_files import onnx_files

        files = onnx_files(file)
    return Checkpoint(path, files, container, {})


def _joined(parts: Iterable[Tensors]) -> Tensors:
    """The tensors of all parts of a checkpoint that was split by size.

    Raises:
        CheckpointError: two parts hold the same one.
    """
    joined: dict[str, Any] = {}
    for part in parts:
        if twice := joined.keys() & part.keys():
            raise CheckpointError(f"the tensor {brief(min(twice))} is in two parts of the checkpoint; one is another's")
        joined |= part
    return joined


def _find_parts(file: Path, content: Any) -> dict[str, Tensors]:
    try:
        parts = find_state_dicts(content)
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from error
    if not parts:
        raise CheckpointError(
            f"{file} holds no weights (no named tensors); choose the file with the network's state_dict"
        )
    if sum(tensor.numel() for tensors in parts.values() for tensor in tensors.values()) > _MOST_NUMBERS:
        raise CheckpointError(f"{file} claims to hold more numbers than any published network; it is damaged")
    return dict(parts)


def _read_settings_beside(file: Path) -> tuple[dict[str, Any], list[str]]:
    """What the training script, or the maker of a bundle, wrote beside the weights."""
    settings, notes = _read_settings(file.with_name(SETTINGS_NAME))
    for place in (file.parent / "configs", file.parent.parent / "configs", file.parent):
        bundle, trouble = _read_settings(place / BUNDLE_NAME)
        if bundle or trouble:
            return {**settings, "bundle": bundle}, notes + trouble
    return settings, notes


def _read_settings(path: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError):
        return {}, [f"{path.name} beside the weights could not be read and was not used."]
    if not isinstance(content, dict):
        return {}, [f"{path.name} beside the weights is not a JSON object and was not used."]
    return content, []
