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


def write_label_maps(folder: Path, count: int = 2) -> Path:
    """A folder as ``synthview train-data labels`` reads it: two hemispheres' worth of four labels, and a face."""
    folder.mkdir(parents=True)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-68, -90, -60)
    for number in range(count):
        truth = shell_brain(13 + number, 0.25, 0, number, (34, 38, 32), (1, 1.15, 0.95))[1]
        labels = np.select(list(truth > 0), [2, 3, 24], 0)
        ijk = np.indices(labels.shape)
        labels[(labels == 24) & (np.abs(ijk[0] - 16.5) < 8) & (np.abs(ijk[1] - 16.5) < 6)] = 4
        labels[12:20, 36:, 8:14] = 500
        Volume(labels.astype(np.int32), affine, VolumeKind.LABEL_MAP).save(folder / f"labels_{number + 1:02d}.nii.gz")
    rows = (
        "label name tissue t1_class t1_mean_mean t1_mean_sd t1_sd_mean t1_sd_sd",
        "0 background background 0 7 2 5 2",
        "2 white WM 2 160 20 15 5",
        "3 cortex GM 3 96 12 18 6",
        "4 ventricle CSF 1 44 11 25 9",
        "24 csf CSF 1 44 11 25 9",
        "500 face background 9 200 20 10 5",
    )
    (folder / "labels.tsv").write_text("\n".join(row.replace(" ", "\t") for row in rows) + "\n")
    return folder
