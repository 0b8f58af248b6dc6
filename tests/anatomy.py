"""Tiny made-up anatomy: brains of shells, and folders like those that training sets are built from."""

from pathlib import Path

import numpy as np

from synthview.volume import Volume, VolumeKind


def shell_brain(
    radius: float = 25, ventricle: float = 0.25, noise: float = 0.0, seed: int = 0, shape=(64, 64, 64), squash=(1, 1, 1)
) -> tuple[np.ndarray, np.ndarray]:
    """A ball: CSF rim, grey shell, white matter, a ventricle; image 0-1 and (3, I, J, K) white, grey, CSF."""
    ijk = np.indices(shape).astype(float)
    centre = [(n - 1) / 2 for n in shape]
    wobble = 1 + 0.05 * np.sin(ijk[0] / 5) * np.cos(ijk[1] / 6)  # folds, so that registration has something to hold
    distance = np.sqrt(sum(((ijk[a] - centre[a]) / squash[a]) ** 2 for a in range(3))) / radius * wobble
    x, y, z = (ijk[a] - centre[a] for a in range(3))
    hole = np.sqrt(x**2 / 2 + (y + 3) ** 2 + (z - 2) ** 2) / radius
    csf = ((distance < 1) & (distance >= 0.92)) | (hole < ventricle)
    grey = (distance < 0.92) & (distance >= 0.72) & ~csf
    white = (distance < 0.72) & ~csf
    truth = np.stack([white, grey, csf]).astype(np.float32)
    image = truth[0] * 0.9 + truth[1] * 0.6 + truth[2] * 0.25
    image += np.random.default_rng(seed).standard_normal(shape) * noise * (truth.sum(axis=0) > 0)
    return np.where(truth.sum(axis=0) > 0, np.maximum(image, 0.02), 0).astype(np.float32), truth


def write_scans(folder: Path, ages=(20, 25, 30, 70), spacing: float = 4.0) -> Path:
    """A folder as ``synthview train-data population`` reads it; ventricles grow and grey matter shrinks with age."""
    folder.mkdir(parents=True)
    rows = ["scan_id\tsubject\tsession\tsex\tage"]
    affine = np.diag([-spacing, spacing, spacing, 1.0])  # LAS, as OASIS
    affine[:3, 3] = (60, -70, -40)
    for number, age in enumerate(ages):
        name = f"sub-{number:02d}_ses-1"
        size, hole = 13 + 0.5 * (number % 3), 0.2 + age / 400
        image, truth = shell_brain(size, hole, 0.02, number, (34, 38, 32), (1, 1.15, 0.95))
        labels = (truth[2] + 2 * truth[1] + 3 * truth[0]).astype(np.uint8)
        labels[1, 1, 1:3] = 1  # a marker beside the head, as one of OASIS has
        Volume((image * 1000).astype(np.int16), affine).save(folder / f"{name}_T1w.nii.gz")
        Volume(labels, affine, VolumeKind.LABEL_MAP).save(folder / f"{name}_tissues.nii.gz")
        rows.append(f"{name}\tP{number}\t1\t{'FM'[number % 2]}\t{age}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    return folder


def write_template(folder: Path) -> Path:
    """A template as the builder reads it, of the same shells, larger."""
    folder.mkdir(parents=True)
    image, truth = shell_brain(17, 0.25, 0, 0, (44, 48, 40), (1, 1.15, 0.95))
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-86, -112, -74)
    for name, voxels in (("t1", image * 255), ("gm", truth[1] * 255), ("wm", truth[0] * 255)):
        Volume(voxels.astype(np.uint8), affine).save(folder / f"mni152_2009a_{name}.nii.gz")
    return folder
