"""A checkpoint as it lies on disk: its tensors, what stands beside it, and its SHA-256.  No network is built here."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synthview.errors import CheckpointError
from synthview.generators.containers import read_file
from synthview.generators.state_dicts import (
    Shapes,
    Tensors,
    choose_state_dict,
    find_plain_values,
    find_state_dicts,
    shapes_of,
)

SAFETENSORS_NAME = "weights.safetensors"  # of a bundled checkpoint's folder
SETTINGS_NAME = "configs.json"  # HA-GAN's and CRF-GAN's training scripts write it beside the weights
_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pickle")
_NOT_GENERATORS = ("d_", "e_", "sub_e_", "crf_", "cd_", "opt")  # discriminators, encoders, optimisers beside them
_NOT_WEIGHTS = ("(check_", "(split)", "(test_imgs)", "(test_vols)")  # what CSegSynth writes beside its models
_MOST_NUMBERS = 8_000_000_000  # a file that claims more is damaged, or made to fill the memory


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file, or a folder with one in it, holds.

    Attributes:
        path: as given.
        files: the files that were read; the checkpoint's identity is their content.
        container: how it is stored, such as "torch zip file".
        parts: every state dict found, by where it lies in the file; families of several networks choose from these.
            Tensors may be mapped from the file and overlap: copy each before use.
        settings: what the training script wrote beside the weights or into the file; to be checked against the weights.
        notes: what was odd about it, one sentence each.
    """

    path: Path
    files: tuple[Path, ...]
    container: str
    parts: Mapping[str, Tensors]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint file, or the one generator in a folder, without building a network or running anything.

    Raises:
        UnsafeCheckpointError: only running code from the file could open it; nothing was run.
        CheckpointError: it isn't there, can't be read, is no checkpoint, or is damaged.
    """
    path = Path(path).expanduser()
    file = find_weights(path)
    container, content = read_file(file)
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
    settings, notes = _read_settings(file.with_name(SETTINGS_NAME))
    return Checkpoint(path, (file,), str(container), parts, {**settings, **find_plain_values(content)}, tuple(notes))


def find_weights(path: Path) -> Path:
    """The file to read: the path itself, or the generator's weights in a folder.

    Raises:
        CheckpointError: there is none, or which of several can't be told.
    """
    try:
        if not path.is_dir():
            if not path.exists():
                raise CheckpointError(f"{path} does not exist; check the name")
            return path
        files = sorted(p for p in path.iterdir() if is_checkpoint_name(p) and p.is_file())
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    if (bundled := path / SAFETENSORS_NAME) in files:
        return bundled
    candidates = [p for p in files if not p.name.lower().startswith(_NOT_GENERATORS)]
    candidates = [p for p in candidates if not any(mark in p.name for mark in _NOT_WEIGHTS)]
    named = [p for p in candidates if p.name.startswith("G_")]
    candidates = named or candidates
    if not candidates:
        raise CheckpointError(f"{path} is a folder without generator weights ({', '.join(_SUFFIXES)}); choose another")
    if len(candidates) > 1:
        names = ", ".join(p.name for p in candidates)
        raise CheckpointError(f"{path} is a folder with several checkpoints ({names}); choose one of them")
    return candidates[0]


def is_checkpoint_name(path: Path) -> bool:
    """Whether a file's name ends as checkpoints' names do."""
    return path.suffix.lower() in _SUFFIXES


def combined_sha256(files: tuple[Path, ...]) -> str:
    """A checkpoint's identity: see ``Checkpoint.sha256``."""
    hashes = sorted(file_sha256(path) for path in files)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def checkpoint_sha256(path: Path) -> str:
    """SHA-256 of the checkpoint at a path, without reading its tensors.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    return combined_sha256((find_weights(path),))


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content.

    Raises:
        CheckpointError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error


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
