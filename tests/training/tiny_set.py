"""Training sets of a few blobs, so that a training takes a second."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from synthview.training.dataset import Description, describe_column, write_table
from synthview.volume import VolumeKind

_ABOUT = Description(
    name="blobs",
    shape=(16, 16, 16),
    spacing_mm=(2.0, 2.0, 2.0),
    affine=((2.0, 0, 0, -15.0), (0, 2.0, 0, -15.0), (0, 0, 2.0, -15.0), (0, 0, 0, 1.0)),
    kind=VolumeKind.T1W,
    meaning="a ball in a dark cube",
    slope=1.0,
    intercept=0.0,
    unit="",
    window=(0.0, 255.0),
    licence="CC0-1.0",
    noncommercial=False,
    one_individual=True,
    sources=("made by this test",),
    count=0,
    columns=(),
)


def write_blobs(
    folder: Path,
    *,
    shape: tuple[int, int, int] = (16, 16, 16),
    count: int = 12,
    seed: int = 0,
    volume_by_age: float = 0.0,
) -> Path:
    """Balls of several sizes and places, with tissue maps: the older, the larger the CSF in the middle."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    ages, volumes = rng.uniform(20, 80, count), rng.uniform(1000, 1600, count)
    if volume_by_age:
        volumes = 1300 + volume_by_age * (ages - 50) + rng.uniform(-20, 20, count)
    sexes = np.arange(count) % 2
    images = np.zeros((count, *shape), dtype=np.uint8)
    tissues = np.zeros((count, 3, *shape), dtype=np.uint8)
    for number in range(count):
        centre = rng.normal(0, 0.08, 3)[:, None, None, None]
        radius = np.sqrt(((grid - centre) ** 2).sum(0)) / (volumes[number] / 1600)
        inner, white, outer = 0.15 + 0.3 * (ages[number] - 20) / 60, 0.6, 0.85
        tissues[number, 2] = 255 * ((radius < inner) | ((radius > 0.8) & (radius < outer)))
        tissues[number, 0] = 255 * ((radius >= inner) & (radius < white))
        tissues[number, 1] = 255 * ((radius >= white) & (radius <= 0.8))
        images[number] = (np.array([200, 120, 50])[:, None, None, None] * (tissues[number] / 255)).sum(0)
    columns = (
        describe_column("age", "Age", "years", ages),
        describe_column("sex", "Sex", "", sexes, ("female", "male")),
        describe_column("icv", "Volume", "ml", volumes),
    )
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "tissues.npy", tissues)
    rows = [
        {"sample": f"s{i}", "subject": f"p{i}", "split": "train", "age": a, "sex": s, "icv": v}
        for i, (a, s, v) in enumerate(zip(ages, sexes, volumes, strict=True))
    ]
    write_table(folder / "table.csv", rows)
    about = replace(_ABOUT, shape=shape, count=count, columns=columns)
    (folder / "dataset.json").write_text(about.to_json(), "utf-8")
    return folder
