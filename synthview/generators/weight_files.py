"""Which files are a checkpoint: one, the two halves of a latent diffusion model, a generator with its prior, or shards.

No torch here: the command line hashes these files while torch is imported.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from synthview.errors import CheckpointError, IncompleteCheckpointError
from synthview.generators import ahead
from synthview.generators.ahead import file_sha256
from synthview.generators.wording import listed

SAFETENSORS_NAME = "weights.safetensors"  # of a bundled checkpoint's folder
BUNDLE_MODELS = "models"  # a MONAI bundle keeps its weights there
SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pickle", ".pt2", ".onnx")
_NOT_GENERATORS = ("d_", "e_", "sub_e_", "crf_", "cd_", "opt")  # discriminators, encoders, optimisers beside them
_NOT_WEIGHTS = ("(check_", "(split)", "(test_imgs)", "(test_vols)")  # what CSegSynth writes beside its models
_AUTOENCODER = re.compile(r"auto.?enc|aekl|(^|[_-])vae([_.-]|$)", re.IGNORECASE)  # halves of latent diffusion models
_DIFFUSION = re.compile(r"diffusion|(^|[_-])ldm|unet|denois", re.IGNORECASE)
_COMPANION = re.compile(r"(^|[_-])(prior|condition(er|_net)?|cond(_net)?)([_.-]|$)", re.IGNORECASE)
_GENERATOR = re.compile(r"^g_|generator|decoder|(^|[_-])gan([_.-]|$)", re.IGNORECASE)
_SHARD = re.compile(r"(?P<start>.+)-(?P<number>\d{3,6})-of-(?P<count>\d{3,6})(?P<end>\.\w+)")
_MOST_SHARDS = 1000


def find_weights(path: Path) -> tuple[Path, ...]:
    """The files to read: the path itself, or the generator's weights in a folder, with all that belong to them.

    Raises:
        IncompleteCheckpointError: one of several files is missing; names it.
        CheckpointError: there is none, or which of several can't be told.
    """
    try:
        if not path.is_dir():
            if not path.exists():
                raise CheckpointError(f"{path} does not exist; check the name")
            return shards(path) or _together(path, _candidates(path.parent)) or (path,)
        if (path / SAFETENSORS_NAME).is_file():
            return (path / SAFETENSORS_NAME,)
        candidates = _candidates(path)
        if not candidates and (path / BUNDLE_MODELS).is_dir():
            return find_weights(path / BUNDLE_MODELS)
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    if not candidates:
        raise CheckpointError(f"{path} is a folder without generator weights ({', '.join(SUFFIXES)}); choose another")
    if (split := shards(candidates[0])) and set(candidates) <= set(split):
        return split
    if len(candidates) == 1:
        return (candidates[0],)
    if together := _together(None, candidates):
        return together
    names = listed([p.name for p in candidates], 12)
    raise CheckpointError(f"{path} is a folder with several checkpoints ({names}); choose one of them")


def shards(path: Path) -> tuple[Path, ...]:
    """All parts of a checkpoint that was split by size ("NAME-00001-of-00003.safetensors"); empty if it is no part.

    Raises:
        IncompleteCheckpointError: parts are missing; names them.
    """
    match = _SHARD.fullmatch(path.name)
    if match is None or not 1 <= int(match["count"]) <= _MOST_SHARDS:
        return ()
    digits = len(match["number"])
    names = [
        f"{match['start']}-{number:0{digits}}-of-{match['count']}{match['end']}"
        for number in range(1, int(match["count"]) + 1)
    ]
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise IncompleteCheckpointError(
            f"{path} is one of {int(match['count'])} parts of a checkpoint, of which {listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: put all parts into one folder"
        )
    return tuple(path.parent / name for name in names)


def is_checkpoint_name(path: Path) -> bool:
    """Whether a file's name ends as checkpoints' names do."""
    return path.suffix.lower() in SUFFIXES


def checkpoint_sha256(path: Path) -> str:
    """SHA-256 of the checkpoint at a path, without reading its tensors.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    return combined_sha256(find_weights(path))


def combined_sha256(files: tuple[Path, ...]) -> str:
    """A checkpoint's identity: its file's SHA-256; of several files, that of theirs, sorted and one a line."""
    hashes = sorted(ahead.result(file_sha256, path) for path in files)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


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


def find_companions(chosen: Path | None, candidates: list[Path]) -> tuple[Path, ...]:
    """A generator with the prior or condition network that was saved beside it; empty where there is no such thing."""
    companions = [p for p in candidates if _COMPANION.search(p.name)]
    generators = [p for p in candidates if p not in companions and _GENERATOR.search(p.name)]
    if not companions or len(generators) != 1 or (chosen is not None and chosen not in {*companions, *generators}):
        return ()
    return (generators[0], *companions)


def _together(chosen: Path | None, candidates: list[Path]) -> tuple[Path, ...]:
    return find_halves(chosen, candidates) or find_companions(chosen, candidates)


def _candidates(folder: Path) -> list[Path]:
    """Files in a folder that may be generators, by their names."""
    files = sorted(p for p in folder.iterdir() if is_checkpoint_name(p) and p.is_file())
    files = [p for p in files if not p.name.lower().startswith(_NOT_GENERATORS)]
    files = [p for p in files if not any(mark in p.name for mark in _NOT_WEIGHTS)]
    if any(p.name.startswith("G_") for p in files):
        files = [p for p in files if p.name.startswith("G_") or _COMPANION.search(p.name)]
    return files
