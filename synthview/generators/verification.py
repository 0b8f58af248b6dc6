"""Make a volume again from its provenance, and compare."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthview.errors import CheckpointError, ProvenanceError, VerificationError
from synthview.generators.checkpoint import checkpoint_sha256, is_checkpoint_name
from synthview.generators.device import available_devices
from synthview.generators.generator import Generator, Progress, versions
from synthview.generators.info import Placement
from synthview.generators.loading import open_generator
from synthview.resources import bundled_checkpoints
from synthview.userdata import seen_checkpoint
from synthview.volume import Provenance, Volume, load_volume

RELATIVE_TOLERANCE = 1e-4  # of the file's range of values: what float32 leaves open between devices and versions


@dataclass(frozen=True)
class Verification:
    """What came of making a volume again.

    Attributes:
        path: the file.
        checkpoint: the checkpoint it was made from.
        bitwise_equal: every voxel has the same bits.
        max_abs_difference: the largest difference, in the volume's unit.
        tolerance: what was allowed, in the volume's unit.
        differing: what was not as recorded, name to (recorded, here): versions, device.
    """

    path: str
    checkpoint: str
    bitwise_equal: bool
    max_abs_difference: float
    tolerance: float
    differing: Mapping[str, tuple[str, str]]

    @property
    def reproduced(self) -> bool:
        """Equal, or different by no more than the tolerance."""
        return self.bitwise_equal or self.max_abs_difference <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "reproduced": self.reproduced}


def verify_file(
    path: Path,
    checkpoint: Path | None = None,
    device: str | None = None,
    tolerance: float | None = None,
    progress: Progress | None = None,
    *,
    trust: bool = False,
) -> Verification:
    """Make the volume in a NIfTI file again and compare every voxel.

    Args:
        path: a file that synthview saved.
        checkpoint: what it was made from; searched for beside the file, among the bundled ones, and where it was last
            seen, if not given.
        device: where to compute; the recorded kind of device, if there is one here, if not given.
        tolerance: largest difference allowed, in the volume's unit; by default 1e-4 of its range of values, and for
            whole numbers (HU) at least 1.
        progress: called often with the fraction done.
        trust: the user's yes to running a program (TorchScript, torch.export) that made it.

    Raises:
        ProvenanceError: the file does not say how it was made, or says it wrongly.
        VerificationError: the checkpoint is not to be found or is another one, or the grid is another.
        VolumeError, CheckpointError, WrongRequestError: the file or the checkpoint can't be used.
    """
    volume = load_volume(path)
    made = _provenance(path, volume)
    if made.reconstructed:
        raise ProvenanceError(
            f"{path} is a reconstruction of the scan {made.reconstructed.get('scan', '')}: only from that scan can it "
            f"be made again, with synthview reconstruct {made.checkpoint_name} SCAN"
        )
    source = _find(made, path.parent) if checkpoint is None else _matching(checkpoint, made)
    arguments = dict(made.arguments)
    coarse = bool(arguments.pop("coarse", False))
    like = _placement(arguments.pop("like", None))
    generator = open_generator(
        source, arguments, device or _recorded_device(made), made.family, trust=trust, dtype=made.dtype
    )
    _check_features(made, generator, source)
    again = _again(generator, made, coarse=coarse, like=like, progress=progress)
    if again.voxels.shape != volume.voxels.shape or not np.allclose(again.affine, volume.affine, atol=1e-4):
        raise VerificationError(
            f"{path} can't be compared: its grid is {volume.voxels.shape}, and its provenance gives "
            f"{again.voxels.shape}, or lies elsewhere; the file was changed after synthview wrote it"
        )
    if tolerance is None:
        tolerance = _default_tolerance(volume)
    difference = np.abs(again.voxels.astype(np.float64) - volume.voxels).max()
    equal = again.voxels.dtype == volume.voxels.dtype and np.array_equal(again.voxels, volume.voxels)
    return Verification(
        str(path), str(source), bool(equal), float(difference), float(tolerance), _differing(made, generator.device)
    )


def _provenance(path: Path, volume: Volume) -> Provenance:
    if volume.provenance is not None:
        return volume.provenance
    damage = next((note for note in volume.notes if "made" in note), None)
    if damage is not None:
        raise ProvenanceError(f"{path}: {damage}")
    raise ProvenanceError(
        f"{path} does not say how it was made: synthview did not write it, or another program removed the record; "
        "put its .json file back beside it, if there is one"
    )


def _check_features(made: Provenance, generator: Generator, source: Path) -> None:
    here = [feature.name for feature in generator.info.features]
    if made.features and set(made.features) != set(here):
        raise VerificationError(
            f"{source} has features {', '.join(here) or 'of no name'}, and the volume was made with "
            f"{', '.join(made.features)}: put the manifest.json that named them back beside the checkpoint"
        )


def _placement(said: Any) -> Placement | None:
    if said is None:
        return None
    try:
        first, second, third = (int(n) for n in said["shape"])
        return Placement(tuple(float(n) for n in said["affine"]), (first, second, third))
    except (KeyError, TypeError, ValueError) as error:
        raise ProvenanceError(f"the provenance is damaged: like is {said!r}") from error


def _again(
    generator: Generator, made: Provenance, *, coarse: bool, like: Placement | None, progress: Progress | None
) -> Volume:
    features = dict(made.features) or None
    return generator.generate(made.seed, made.latent, made.truncation, features, coarse, progress, like)


def _matching(path: Path, made: Provenance) -> Path:
    sha256 = checkpoint_sha256(path)
    if sha256 != made.checkpoint_sha256:
        raise VerificationError(
            f"{path} is not the checkpoint that the volume was made from: its SHA-256 is {sha256}, and "
            f"{made.checkpoint_sha256} ({made.checkpoint_name}) is recorded"
        )
    return path


def _find(made: Provenance, folder: Path) -> Path:
    for candidate in _candidates(made, folder):
        try:
            if checkpoint_sha256(candidate) == made.checkpoint_sha256:
                return candidate
        except CheckpointError:  # not readable, or no checkpoint: not the one that is looked for
            continue
    raise VerificationError(
        f"the checkpoint {made.checkpoint_name} (SHA-256 {made.checkpoint_sha256}) was not found beside the volume, "
        "among the bundled ones, or where it was last seen; say where it is with --checkpoint PATH"
    )


def _candidates(made: Provenance, folder: Path) -> Iterator[Path]:
    """Where the checkpoint may be, the likeliest first."""
    if (seen := seen_checkpoint(made.checkpoint_sha256)) is not None:
        yield seen
    if (folder / made.checkpoint_name).exists():
        yield folder / made.checkpoint_name
    with contextlib.suppress(FileNotFoundError):  # an installation without weights
        yield from bundled_checkpoints().values()
    yield from sorted(path for path in folder.iterdir() if is_checkpoint_name(path))


def _recorded_device(made: Provenance) -> str:
    """The recorded device, else the first of its kind, else the CPU."""
    ids = [device.id for device in available_devices()]
    kind = made.device.split(":")[0]
    return made.device if made.device in ids else next((i for i in ids if i.split(":")[0] == kind), "cpu")


def _default_tolerance(volume: Volume) -> float:
    span = float(volume.voxels.max()) - float(volume.voxels.min())
    return max(1.0, RELATIVE_TOLERANCE * span) if volume.voxels.dtype.kind in "iu" else RELATIVE_TOLERANCE * span


def _differing(made: Provenance, device: str) -> dict[str, tuple[str, str]]:
    here = {**versions(), "device": device}
    recorded = {**made.versions, "device": made.device}
    return {k: (str(recorded[k]), here[k]) for k in here if k in recorded and recorded[k] != here[k]}
