"""A run as pieces of at most 16 MiB, for machines that give files back only so, and a run from pieces.

RUN-000.part, RUN-001.part, …    one uncompressed tar in slices
pieces.json                      their SHA-256, written last
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import torch

from synthview.errors import SaveError, WrongRequestError
from synthview.training.checkpoints import CHECKPOINT, load_checkpoint
from synthview.training.journal import JOURNAL
from synthview.training.runs import CODES, RUN, RunRecord
from synthview.volume.nifti import write_atomically

PIECE_BYTES = 16 * 2**20
LIST = "pieces.json"


def pack_run(run: str | Path, out: str | Path, *, light: bool = False, piece_bytes: int = PIECE_BYTES) -> list[Path]:
    """Write a run's state as pieces.

    Args:
        run: its folder.
        out: folder for the pieces.
        light: in float16, the averages in place of the networks that they are of, and without the optimisers' state: an
            eighth of the size.  The run then goes on well, but not to the same bytes as one that was never packed.
        piece_bytes: largest piece.

    Raises:
        WrongRequestError: the folder is no run, or has no checkpoint yet.
    """
    folder, out = RunRecord.open(run).folder, Path(out)
    state = load_checkpoint(folder)
    if state is None:
        raise WrongRequestError(f"{folder} has no checkpoint yet; train it first")
    if light:
        state = _lightened(state)
    whole = _tar({CHECKPOINT: _bytes(state), **{n: _read(folder / n) for n in (RUN, CODES, JOURNAL)}})
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in out.glob("run-*.part"):
            old.unlink()
    except OSError as error:
        raise SaveError(f"{out} can't be made: {error.strerror}; choose another --out") from error
    sums: dict[str, str] = {}
    for number, first in enumerate(range(0, len(whole), piece_bytes)):
        piece = whole[first : first + piece_bytes]
        name = f"run-{number:03d}.part"
        write_atomically(out / name, piece)
        sums[name] = hashlib.sha256(piece).hexdigest()
    write_atomically(out / LIST, (json.dumps(sums, indent=2) + "\n").encode())
    return [out / name for name in sums]


def unpack_run(pieces: str | Path, run: str | Path) -> Path:
    """Put a run's folder together again.

    Raises:
        WrongRequestError: a piece is missing or damaged, or ``run`` is a run already.
    """
    pieces, run = Path(pieces), Path(run)
    if (run / RUN).exists():
        raise WrongRequestError(f"{run} is a run already; choose another folder")
    try:
        sums: dict[str, str] = json.loads((pieces / LIST).read_text("utf-8"))
        parts = {name: (pieces / name).read_bytes() for name in sums}
    except (OSError, ValueError) as error:
        raise WrongRequestError(f"{pieces} does not hold a packed run: {error}; get all of its files") from error
    for name, part in parts.items():
        if hashlib.sha256(part).hexdigest() != sums[name]:
            raise WrongRequestError(f"{pieces / name} is damaged; get it again")
    run.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(b"".join(parts.values()))) as tar:
        for name in (CHECKPOINT, CODES, JOURNAL, RUN):  # the record last: with it the folder is a run
            member = tar.extractfile(name)
            if member is not None:
                write_atomically(run / name, member.read())
    return run


def _lightened(state: dict[str, Any]) -> dict[str, Any]:
    networks = {**state["networks"], **state["averages"]}
    halved = {
        name: {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}
        for name, tensors in networks.items()
    }
    return {**state, "networks": halved, "averages": {}, "optimisers": {}}


def _tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return written.getvalue()


def _bytes(state: dict[str, Any]) -> bytes:
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongRequestError(f"{path} could not be read: {error.strerror}; the run is not complete") from error
