"""Whether there is a manifest for a checkpoint: the user's own by SHA-256, else beside the weights, if it is theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthview import userdata
from synthview.errors import CheckpointError
from synthview.generators.manifest import MANIFEST_NAME, Manifest
from synthview.generators.manifest_entries import read_json

OWN_WEIGHTS = "weights.safetensors"  # a manifest beside a file of this name is for it


def find_manifest(
    path: Path, files: tuple[Path, ...], sha256: Callable[[], str]
) -> tuple[Manifest | None, tuple[str, ...]]:
    """The manifest of a checkpoint, and notes on one that is there but not used.

    What the user has said of these weights comes first.  A manifest beside them is the checkpoint's if it names one of
    its files in ``weights`` or has its SHA-256, or if the file is ``weights.safetensors``.  Other manifests may lie in
    the same folder as a checkpoint, even of other programs: they are left alone.

    Args:
        path: the checkpoint, as given.
        files: the files of the checkpoint.
        sha256: gives the checkpoint's SHA-256.

    Raises:
        CheckpointError: it is this checkpoint's and can't be used; names file, field and what to do.
    """
    if userdata.has_manifests() and (own := userdata.manifest_path(sha256())).is_file():
        return Manifest.load(own), ()
    places = dict.fromkeys([path / MANIFEST_NAME] * path.is_dir() + [files[0].with_name(MANIFEST_NAME)])
    notes: list[str] = []
    for place in places:
        if not place.is_file():
            continue
        if not is_theirs(place, files, sha256):
            notes.append(
                f"{MANIFEST_NAME} beside the weights was not used: neither its weights nor its sha256 is this file's."
            )
            continue
        manifest = Manifest.load(place)
        if manifest.sha256 and manifest.sha256 != sha256():
            raise CheckpointError(
                f"{place}: sha256 is {manifest.sha256}, but the weights have {sha256()}: they were replaced or "
                "damaged; get the right file, or correct the manifest"
            )
        return manifest, ()
    return None, tuple(notes)


def is_theirs(place: Path, files: tuple[Path, ...], sha256: Callable[[], str]) -> bool:
    """Whether the manifest at ``place`` is for the weights in ``files``.

    Raises:
        CheckpointError: it lies beside ``weights.safetensors`` and can't be read.
    """
    own = any(file.name == OWN_WEIGHTS and file.parent == place.parent for file in files)
    try:
        content: Any = read_json(place)
    except CheckpointError:
        if own:
            raise
        return False
    given = content if isinstance(content, dict) else {}
    stated = str(given.get("sha256") or "").lower()
    if given.get("weights"):
        named = Path(str(given["weights"]).replace("\\", "/")).name
        own = named in {file.name for file in files}
    return own or (bool(stated) and stated == sha256())
