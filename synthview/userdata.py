"""What synthview keeps for a user between runs, in small JSON files of the user's data folder.

Kept here: where a checkpoint of a given SHA-256 was last seen (so that ``verify`` finds it), the user's answers to
what weights can't say (so that nobody is asked twice), and manifests of checkpoints whose own folder can't be written.
``SYNTHVIEW_DATA_DIR`` moves the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import platformdirs

_SEEN = "checkpoints.json"
_ANSWERS = "answers.json"
_MANIFESTS = "manifests"
_TRUSTED = "trusted.json"


def data_dir() -> Path:
    """The user's data folder; it may not exist yet."""
    override = os.environ.get("SYNTHVIEW_DATA_DIR")
    return Path(override) if override else Path(platformdirs.user_data_dir("synthview", appauthor=False))


def remember_checkpoint(sha256: str, path: Path) -> None:
    """Note that the checkpoint with this SHA-256 was seen at ``path``."""
    _update(_SEEN, sha256, str(path.resolve()))


def seen_checkpoint(sha256: str) -> Path | None:
    """Where the checkpoint with this SHA-256 was last seen, if it is still there."""
    path = _read(_SEEN).get(sha256)
    return Path(path) if isinstance(path, str) and Path(path).exists() else None


def remember_answers(sha256: str, arguments: dict[str, Any]) -> None:
    """Keep the user's answers to what the weights with this SHA-256 leave open."""
    _update(_ANSWERS, sha256, {**answers(sha256), **arguments})


def answers(sha256: str) -> dict[str, Any]:
    """The user's earlier answers for the weights with this SHA-256; empty where there are none."""
    kept = _read(_ANSWERS).get(sha256)
    return kept if isinstance(kept, dict) else {}


def manifest_path(sha256: str) -> Path:
    """Where the user's own manifest for the weights with this SHA-256 is kept; it may not exist."""
    return manifest_folder() / f"{sha256}.json"


def manifest_folder() -> Path:
    """Where the user's own manifests are kept; it may not exist."""
    return data_dir() / _MANIFESTS


def has_manifests() -> bool:
    """Whether the user keeps any manifest of their own (so that weights need not be hashed to look for one)."""
    try:
        return any(manifest_folder().iterdir())
    except OSError:
        return False


def trust(sha256: str, path: Path) -> None:
    """Note that the user trusts the program with this SHA-256, which was at ``path`` then."""
    _update(_TRUSTED, sha256, str(path.absolute()))


def is_trusted(sha256: str) -> bool:
    """Whether the user has said before that the program with this SHA-256 may run."""
    return sha256 in _read(_TRUSTED)


def _read(name: str) -> dict[str, Any]:
    try:
        content = json.loads((data_dir() / name).read_text("utf-8"))
    except (OSError, ValueError):  # nothing kept yet, or damaged: both mean that nothing is known
        return {}
    return content if isinstance(content, dict) else {}


def _update(name: str, key: str, value: Any) -> None:
    """Change one entry; where the folder can't be written, nothing is kept and nothing fails."""
    content = {**_read(name), key: value}
    target = data_dir() / name
    temporary = target.with_suffix(f".{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True), "utf-8")
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
