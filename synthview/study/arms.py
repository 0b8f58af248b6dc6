"""Where the volumes of a study come from: folders of files, DICOM series, or a checkpoint and its seeds.

    folder ────────────────────▶ files ─▶ read, checked ─▶ measured ─▶ plan ─▶ harmonised stimuli
    checkpoint + seeds ─▶ make ─▶ files ─┘

``study/`` knows no networks: what makes volumes from a checkpoint is handed in (``jobs.study_building``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthview.errors import StudyError, VolumeError
from synthview.study.harmonise import Harmonisation, Measured, Plan, harmonise, measure, plan
from synthview.study.protocol_arms import DicomSource, GenerateSource, Source
from synthview.volume import Volume
from synthview.volume.dicom import is_dicom_file, is_dicom_folder, load_series, read_volume, series_in
from synthview.volume.nifti import is_nifti_name

Progress = Callable[[float], None]
_UNPLACED = "The file does not say how it lies in the patient"  # a note of ``load_volume``
_NAMED = 5  # volumes named in one sentence
_LABELS = 64  # a label map rarely has more; an image has hundreds of values
_SAMPLED = 200_000  # voxels in which they are counted


MakeVolumes = Callable[[GenerateSource, int, Path, Progress | None], list[Path]]
"""Makes so many of a checkpoint's volumes in a folder and returns their files; ``jobs.study_building.make_volumes``."""


@dataclass(frozen=True)
class Scan:
    """One volume of an arm, before harmonisation.

    Attributes:
        arm: name of its arm.
        path: NIfTI file, or folder of DICOM slices.
        series: series instance UID where the folder holds several; else empty.
    """

    arm: str
    path: Path
    series: str = ""

    @property
    def label(self) -> str:
        """What a person calls it: the file's name, or the folder's."""
        return self.path.name + (f" (series …{self.series[-6:]})" if self.series else "")

    def read(self) -> Volume:
        """The volume as it is stored.

        Raises:
            VolumeError: it can't be read.
        """
        return load_series(self.path, self.series) if self.series else read_volume(self.path)


@dataclass(frozen=True)
class Looked:
    """What looking at a scan found.

    Attributes:
        scan: which.
        measured: what the plan needs of it.
        origin: where it came from, for the sealed key: file, SHA-256, shape, spacing, orientation, provenance.
        orientation: its stored axis directions, such as "LAS"; empty where the file doesn't say.
        has_few_values: whether it holds a few whole numbers only, as label maps do.
    """

    scan: Scan
    measured: Measured
    origin: Mapping[str, Any]
    orientation: str
    has_few_values: bool = False


@dataclass(frozen=True)
class Stimulus:
    """A harmonised volume, ready to be sealed under an opaque id.

    Attributes:
        arm: name of its arm; goes into the key only.
        volume: what the reader sees; it carries no name, no provenance.
        origin: as in ``Looked``; goes into the key only.
    """

    arm: str
    volume: Volume
    origin: Mapping[str, Any]


def find_files(arm: str, folder: Path, pattern: str) -> list[Scan]:
    """The NIfTI files of a folder and of the folders in it, in the natural order of their names.

    Raises:
        StudyError: the folder is missing, or no file fits the pattern.
    """
    found = [
        Scan(arm, file)
        for one in _folders(arm, folder)
        for file in one.glob(pattern)
        if file.is_file() and not file.name.startswith(".") and is_nifti_name(file)
    ]
    if not found:
        raise StudyError(f"arm {arm!r}: {folder} holds no NIfTI file (.nii, .nii.gz) that fits {pattern!r}")
    return sorted(found, key=lambda scan: _natural(str(scan.path)))


def find_series(arm: str, folder: Path) -> list[Scan]:
    """The DICOM series of a folder and of the folders in it, in the natural order of the folders.

    Raises:
        StudyError: the folder is missing, or holds no series.
    """
    found = []
    for one in _folders(arm, folder):
        if is_dicom_folder(one):
            uids = series_in(one)
            found += [Scan(arm, one, uid if len(uids) > 1 else "") for uid in uids]
    if not found:
        raise StudyError(f"arm {arm!r}: {folder} holds no DICOM slices; name the folder of its series")
    return sorted(found, key=lambda scan: (_natural(str(scan.path)), scan.series))


def scans_of(
    arm: str,
    source: Source,
    *,
    needed: int,
    base: Path,
    work: Path,
    make: MakeVolumes,
    progress: Progress | None = None,
) -> list[Scan]:
    """The first ``needed`` volumes of one arm, made first where they come from a checkpoint.

    Args:
        arm: its name.
        source: where the volumes come from.
        needed: how many the study's sections show.
        base: the protocol's folder, from which relative paths are taken.
        work: a folder in which volumes may be made; those of this arm go into a folder of their own.
        make: makes a checkpoint's volumes.
        progress: called with the fraction done; may raise ``Cancelled``.

    Raises:
        StudyError: there are fewer than ``needed``.
        SynthviewError: the checkpoint can't be used.
    """
    if isinstance(source, GenerateSource):
        return [Scan(arm, path) for path in make(source, needed, work / _folder_name(arm), progress)]
    folder = base / source.path
    scans = find_series(arm, folder) if isinstance(source, DicomSource) else find_files(arm, folder, source.pattern)
    if len(scans) < needed:
        counted = f"{len(scans)} volume{'s' if len(scans) != 1 else ''}"
        raise StudyError(
            f"arm {arm!r}: {folder} holds {counted}, and the sections need {needed}; add volumes, ask fewer questions, "
            "or set reuse: true in a later section"
        )
    return scans[:needed]


def look_at(scans: Sequence[Scan], progress: Progress | None = None) -> list[Looked]:
    """Read every volume once, so that all that is wrong is said before anything is written.

    Raises:
        StudyError: volumes can't be read or show nothing (all are named), the same file comes twice, some files
            say how they lie in the patient and others don't, or label maps lie among images.
    """
    looked: list[Looked] = []
    faults: list[str] = []
    for number, scan in enumerate(scans):
        try:
            looked.append(_look(scan))
        except VolumeError as error:
            faults.append(f"{scan.arm!r}: {error}")
        if progress is not None:
            progress((number + 1) / len(scans))
    if faults:
        rest = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise StudyError(
            f"{len(faults)} of {len(scans)} volumes can't be used: {'; '.join(faults[:_NAMED])}{rest}. "
            "Repair them or take them out of their folders."
        )
    _refuse_twins(looked)
    _refuse_unplaced(looked)
    _refuse_label_maps(looked)
    return looked


def orientation_notes(looked: Sequence[Looked]) -> list[str]:
    """Arms stored in mixed orientations, one sentence each.

    All are turned to RAS+, so nothing need be wrong; but a file that says the wrong side is the usual cause.
    """
    notes = []
    for arm in dict.fromkeys(one.scan.arm for one in looked):
        stored: dict[str, int] = {}
        for one in looked:
            if one.scan.arm == arm:
                stored[one.orientation] = stored.get(one.orientation, 0) + 1
        if len(stored) > 1:
            counts = ", ".join(f"{count} × {codes}" for codes, count in sorted(stored.items()))
            notes.append(
                f"Arm {arm!r} mixes orientations ({counts}); all are turned to RAS+. "
                "Make sure that left and right are right in each."
            )
    return notes


def settle(looked: Sequence[Looked], asked: Harmonisation) -> Plan:
    """The plan for all arms together; see ``harmonise.plan``."""
    return plan(asked, [one.measured for one in looked])


def stimuli(looked: Sequence[Looked], settled: Plan, progress: Progress | None = None) -> Iterator[Stimulus]:
    """Each volume, harmonised; one at a time is in memory.

    Raises:
        StudyError: a file changed since it was looked at.
    """
    for number, one in enumerate(looked):
        if _sha256(one.scan) != one.origin["sha256"]:
            raise StudyError(f"{one.scan.path} was changed while the study was built; build it again")
        yield Stimulus(one.scan.arm, harmonise(one.scan.read(), settled), one.origin)
        if progress is not None:
            progress((number + 1) / len(looked))


def _look(scan: Scan) -> Looked:
    volume = scan.read()
    placed = not any(note.startswith(_UNPLACED) for note in volume.notes)
    origin: dict[str, Any] = {
        "file": str(scan.path),
        "sha256": _sha256(scan),
        "shape": list(volume.shape),
        "spacing_mm": [round(mm, 5) for mm in volume.spacing],
        "orientation": "".join(volume.axis_codes) if placed else "",
        "kind": volume.kind.value,
    }
    if scan.series:
        origin["series"] = scan.series
    if volume.provenance is not None:
        origin["provenance"] = volume.provenance.to_dict()
    try:
        return Looked(scan, measure(volume), origin, origin["orientation"], _has_few_values(volume))
    except VolumeError as error:
        raise VolumeError(f"{scan.path}: {error}") from error


def _sha256(scan: Scan) -> str:
    """Of the file, or of all DICOM files of the folder one after the other."""
    digest = hashlib.sha256()
    files = [scan.path] if scan.path.is_file() else sorted(p for p in scan.path.iterdir() if p.is_file())
    for file in files:
        if scan.path.is_file() or is_dicom_file(file):
            try:
                digest.update(file.read_bytes())
            except OSError as error:
                raise VolumeError(f"{file} could not be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _refuse_twins(looked: Sequence[Looked]) -> None:
    """One file may stand in one place only: seen twice, it gives itself away."""
    seen: dict[tuple[str, str], Looked] = {}
    for one in looked:
        key = (one.origin["sha256"], one.scan.series)
        if key in seen:
            other = seen[key].scan
            raise StudyError(
                f"{one.scan.path} (arm {one.scan.arm!r}) and {other.path} (arm {other.arm!r}) are the same file; "
                "take one of them out"
            )
        seen[key] = one


def _refuse_unplaced(looked: Sequence[Looked]) -> None:
    """Left and right can be told in all volumes, or can't be in any."""
    unplaced = [one.scan for one in looked if not one.orientation]
    if unplaced and len(unplaced) < len(looked):
        names = ", ".join(scan.label for scan in unplaced[:_NAMED])
        raise StudyError(
            f"{len(unplaced)} of {len(looked)} volumes don't say how they lie in the patient ({names}), the others do: "
            "left and right may be exchanged between the arms. Set their sform or qform, or take them out."
        )


def _refuse_label_maps(looked: Sequence[Looked]) -> None:
    """Segmentations often lie beside the scans that they are of; among images nobody takes one for a scan."""
    maps = [one.scan for one in looked if one.has_few_values]
    if maps and len(maps) < len(looked):
        names = ", ".join(scan.label for scan in maps[:_NAMED])
        raise StudyError(
            f"{len(maps)} of {len(looked)} volumes hold a few whole numbers only, as label maps do ({names}), the "
            "others are images. Take them out, or name the images in the arm's pattern, such as *_T1w.nii.gz."
        )


def _has_few_values(volume: Volume) -> bool:
    sample = np.unique(volume.voxels.ravel()[:: max(1, volume.voxels.size // _SAMPLED)])
    return len(sample) <= _LABELS and bool((sample == np.round(sample)).all())


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts scan 2 before scan 10."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", text)]


def _folder_name(arm: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", arm) or "arm"


def _folders(arm: str, folder: Path) -> list[Path]:
    """The folder and those in it, at any depth, less hidden ones."""
    if not folder.is_dir():
        raise StudyError(f"arm {arm!r}: {folder} is not a folder that exists; name the folder of its volumes")
    inside = (one for one in folder.rglob("*") if one.is_dir())
    return [folder, *(one for one in inside if not any(p.startswith(".") for p in one.relative_to(folder).parts))]
