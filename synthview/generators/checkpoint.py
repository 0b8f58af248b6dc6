"""A checkpoint as it lies on disk: its tensors, what stands beside it, and its SHA-256.  No network is built here."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synthview.errors import CheckpointError
from synthview.generators.containers import read_file
from synthview.generators.manifest import Manifest
from synthview.generators.manifest_lookup import find_manifest
from synthview.generators.state_dicts import (
    Shapes,
    Tensors,
    choose_state_dict,
    find_plain_values,
    find_state_dicts,
    shapes_of,
)

SAFETENSORS_NAME = "weights.safetensors"  # of a bundled checkpoint's folder
BUNDLE_MODELS = "models"  # a MONAI bundle keeps its weights there
BUNDLE_NAME = "inference.json"  # and its networks' arguments here, in the folder configs
SETTINGS_NAME = "configs.json"  # HA-GAN's and CRF-GAN's training scripts write it beside the weights
_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pickle")
_NOT_GENERATORS = ("d_", "e_", "sub_e_", "crf_", "cd_", "opt")  # discriminators, encoders, optimisers beside them
_AUTOENCODER = re.compile(r"auto.?enc|aekl|(^|[_-])vae([_.-]|$)", re.IGNORECASE)  # halves of latent diffusion models
_DIFFUSION = re.compile(r"diffusion|(^|[_-])ldm|unet|denois", re.IGNORECASE)
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
        described: what a person is saying of it; stands in for any manifest on disk.
    """

    path: Path
    files: tuple[Path, ...]
    container: str
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
        found = _find_parts(file, content)
        parts |= found if len(files) == 1 else {f"{file.name}/{place}": part for place, part in found.items()}
        settings |= find_plain_values(content)
    beside, notes = _read_settings_beside(files[0])
    return Checkpoint(path, files, str(container), parts, {**beside, **settings}, tuple(notes))


def find_weights(path: Path) -> tuple[Path, ...]:
    """The files to read: the path itself, or the generator's weights in a folder.

    They are two for a latent diffusion model, whose autoencoder has a file of its own, and one otherwise.

    Raises:
        CheckpointError: there is none, or which of several can't be told.
    """
    try:
        if not path.is_dir():
            if not path.exists():
                raise CheckpointError(f"{path} does not exist; check the name")
            return find_halves(path, _candidates(path.parent)) or (path,)
        if (path / SAFETENSORS_NAME).is_file():
            return (path / SAFETENSORS_NAME,)
        candidates = _candidates(path)
        if not candidates and (path / BUNDLE_MODELS).is_dir():
            return find_weights(path / BUNDLE_MODELS)
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    if not candidates:
        raise CheckpointError(f"{path} is a folder without generator weights ({', '.join(_SUFFIXES)}); choose another")
    if len(candidates) == 1:
        return (candidates[0],)
    if halves := find_halves(None, candidates):
        return halves
    names = ", ".join(p.name for p in candidates)
    raise CheckpointError(f"{path} is a folder with several checkpoints ({names}); choose one of them")


def find_halves(chosen: Path | None, candidates: list[Path]) -> tuple[Path, ...]:
    """The autoencoder and the diffusion model of a latent diffusion model, told by their names; empty if not both.

    Args:
        chosen: one of the two, if one was chosen.
        candidates: checkpoints in the folder.
    """
    encoders = [p for p in candidates if _AUTOENCODER.search(p.name)]
    others = [p for p in candidates if p not in encoders and "discriminator" not in p.name.lower()]
    others = [p for p in others if _DIFFUSION.search(p.name)] or others
    if chosen is not None and (
        others == [] or not (_AUTOENCODER.search(chosen.name) or _DIFFUSION.search(chosen.name))
    ):
        return ()
    encoders = [chosen] if chosen in encoders else encoders
    others = [chosen] if chosen in others else others
    return (encoders[0], others[0]) if len(encoders) == 1 and len(others) == 1 else ()


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
    return combined_sha256(find_weights(path))


def _candidates(folder: Path) -> list[Path]:
    """Files in a folder that may be generators, by their names."""
    files = sorted(p for p in folder.iterdir() if is_checkpoint_name(p) and p.is_file())
    files = [p for p in files if not p.name.lower().startswith(_NOT_GENERATORS)]
    files = [p for p in files if not any(mark in p.name for mark in _NOT_WEIGHTS)]
    return [p for p in files if p.name.startswith("G_")] or files


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
