"""Stimulus files: voxels and what it takes to draw them, and nothing else.

A header of 128 bytes, then the voxels, uncompressed, so that files of one study have one size and load in one time.  No
name, date, text or position in the scanner is in it.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from pathlib import Path

import numpy as np

from synthview.errors import StudyError
from synthview.study.trial import StimulusId
from synthview.volume import Volume, Window
from synthview.volume.nifti import write_atomically

_MAGIC = b"SVSTIM1\0"
_HEADER = struct.Struct("<8s4s3I3d2d")  # magic, numpy's type code, shape, spacing in mm, window level and width
_HEADER_BYTES = 128
_TYPES = ("|u1", "<u2", "<i2", "<f4")
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # without those taken for each other


def new_stimulus_id() -> StimulusId:
    """A random name."""
    return StimulusId("".join(secrets.choice(_LETTERS) for _ in range(12)))


def encode_stimulus(volume: Volume) -> bytes:
    """A volume's voxels, spacing and window, and nothing else of it.

    Args:
        volume: (I, J, K) in RAS+ order, of uint8, uint16, int16 or float32, all positive spacing; harmonised.

    Raises:
        StudyError: another type or order of axes.
    """
    kind = volume.voxels.dtype.newbyteorder("<").str
    if volume.voxels.ndim != 3 or kind not in _TYPES:
        raise StudyError(f"a stimulus must be (I, J, K) of uint8, uint16, int16 or float32, got {volume.voxels.dtype}")
    if volume.axis_codes != ("R", "A", "S"):
        raise StudyError(f"a stimulus must be in RAS+ order, got {''.join(volume.axis_codes)}; harmonise it first")
    window = volume.display_window
    header = _HEADER.pack(_MAGIC, kind.encode(), *volume.shape, *volume.spacing, window.level, window.width)
    voxels = np.asarray(volume.voxels, dtype=kind)
    return header.ljust(_HEADER_BYTES, b"\0") + voxels.tobytes(order="F")


def decode_stimulus(content: bytes) -> Volume:
    """The volume in a stimulus file, centred on 0 mm.

    Raises:
        StudyError: damaged.
    """
    damaged = StudyError("a stimulus of the study is damaged; ask the coordinator for the study's files again")
    if len(content) < _HEADER_BYTES or not content.startswith(_MAGIC):
        raise damaged
    _, code, i, j, k, *numbers = _HEADER.unpack_from(content)
    kind = code.rstrip(b"\0").decode("ascii", "replace")
    if kind not in _TYPES or len(content) != _HEADER_BYTES + i * j * k * np.dtype(kind).itemsize:
        raise damaged
    voxels = np.frombuffer(content, kind, offset=_HEADER_BYTES).reshape((i, j, k), order="F")
    spacing = np.array(numbers[:3])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array([i, j, k]) - 1) / 2 * spacing
    return Volume(voxels, affine, window=Window(numbers[3], numbers[4]))


def write_stimulus(folder: Path, volume: Volume) -> tuple[StimulusId, str]:
    """Write a harmonised volume under a new opaque name; returns the name and the file's SHA-256.

    Raises:
        StudyError: not harmonised.
        SaveError: the disk refused.
    """
    content = encode_stimulus(volume)
    name = new_stimulus_id()
    write_atomically(stimulus_path(folder, name), content)
    return name, hashlib.sha256(content).hexdigest()


def stimulus_path(folder: Path, name: StimulusId) -> Path:
    """The file of a stimulus in a study's ``stimuli`` folder."""
    return folder / f"{name}.stimulus"
