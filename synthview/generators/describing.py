"""Saying of a checkpoint what its weights can't: checked against the weights, then kept as its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthview import userdata
from synthview.errors import CheckpointError, SaveError, WrongRequestError
from synthview.generators.checkpoint import Checkpoint, read_checkpoint
from synthview.generators.family import Family
from synthview.generators.loading import describe, find_checkpoint, recognise_opened
from synthview.generators.manifest import MANIFEST_NAME, Manifest
from synthview.generators.manifest_lookup import is_theirs


def describe_checkpoint(
    name_or_path: str | Path,
    content: Mapping[str, Any],
    family: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Path:
    """Check a manifest against a checkpoint and keep it: beside the weights, or where that can't be, for this user.

    Family, SHA-256 and the arguments with which the checkpoint is opened are added, so that nobody is asked again.

    Args:
        name_or_path: the checkpoint, as for ``load_generator``.
        content: the manifest as plain values (``docs/manifest.md``); it replaces one that is there.
        family: as for ``load_generator``.
        arguments: as for ``load_generator``.

    Returns:
        The file written: ``manifest.json`` beside the weights, or by their SHA-256 in the user's data folder if the
        weights' folder can't be written or holds another checkpoint's manifest.

    Raises:
        ManifestFieldError: a field is wrong; nothing is written.
        CheckpointError: the manifest contradicts the weights, or they can't be used; nothing is written.
        SaveError: neither place can be written.
    """
    checkpoint = read_checkpoint(find_checkpoint(name_or_path))
    given = {name: value for name, value in content.items() if name not in {"sha256", "weights"}}
    before = _manifest_before(checkpoint)
    draft = Manifest.from_dict({**before, **given, "sha256": checkpoint.sha256}, _beside(checkpoint))
    described = replace(checkpoint, described=draft)
    found = recognise_opened(described, family, arguments or {})
    describe(described, found)  # features, kind and grid go together with the network's
    full = replace(
        draft, family=found.family.id, arguments={**draft.arguments, **_sayable(found.family, found.arguments)}
    )
    return _keep(full, checkpoint)


def _manifest_before(checkpoint: Checkpoint) -> dict[str, Any]:
    """Family and arguments of the manifest that is replaced; nothing where it can't be used."""
    try:
        manifest = checkpoint.manifest
    except CheckpointError:
        return {}
    if manifest is None:
        return {}
    return {"family": manifest.family, "arguments": dict(manifest.arguments)}


def _sayable(family: Family, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that JSON can hold and the family reads back as they were."""
    sayable: dict[str, Any] = {}
    for name, value in arguments.items():
        plain = list(value) if isinstance(value, tuple) else value
        if not isinstance(plain, str | int | float | bool | list):
            continue
        try:
            if family.parse_argument(name, plain) == value:
                sayable[name] = plain
        except (WrongRequestError, TypeError, ValueError):
            continue
    return sayable


def _keep(manifest: Manifest, checkpoint: Checkpoint) -> Path:
    own, target = userdata.manifest_path(checkpoint.sha256), _beside(checkpoint)
    free = not target.exists() or is_theirs(target, checkpoint.files, lambda: checkpoint.sha256)
    if free and not _is_protected(target.parent):
        named = replace(manifest, weights=checkpoint.files[0].name if len(checkpoint.files) == 1 else "")
        try:
            named.save(target)
        except SaveError:
            pass
        else:
            own.unlink(missing_ok=True)  # an earlier description must not win over this one
            return target
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{own.parent} could not be made: {error.strerror or error}. Nothing was changed.") from error
    manifest.save(own)
    return own


def _is_protected(folder: Path) -> bool:
    """Whether nobody is meant to write there, which an administrator still could."""
    return not folder.stat().st_mode & 0o222


def _beside(checkpoint: Checkpoint) -> Path:
    folder = checkpoint.path if checkpoint.path.is_dir() else checkpoint.files[0].parent
    return folder / MANIFEST_NAME
