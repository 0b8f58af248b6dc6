"""The golden packs of HA-GAN and SigmaRat: files as the training scripts write them, outputs of the original code."""

from pathlib import Path

import numpy as np
import pytest

import synthview as sv
from tests.generators.golden import Pack


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("hagan_128", {"size": 128}),
        ("hagan_128_cond", {"size": "128"}),
        ("hagan_128_cond", {"size": "128", "num_class": 2}),
        ("hagan_144x192x144", {"size": [144, 192, 144]}),
        ("hagan_256", {"size": (256, 256, 256)}),
    ],
)
def test_hagan(shared: Path, name: str, arguments: dict) -> None:
    pack = Pack(shared / "conformance" / name)
    generator = sv.load_generator(pack.folder, device="cpu", **arguments)
    raw = generator.decode(pack.arrays["z"], pack.arrays.get("class_onehot"))
    for sample in range(len(raw)):
        pack.check(raw[sample, 0], "raw", sample)


@pytest.mark.parametrize("name", ["hagan_128", "hagan_128_cond"])
def test_hagan_in_hounsfield_units(shared: Path, name: str) -> None:
    pack = Pack(shared / "conformance" / name)
    classes = {"num_class": 2} if name.endswith("cond") else {}
    generator = sv.load_generator(pack.folder, device="cpu", size=128, output="hu", **classes)
    features = {"class": int(pack.arrays["class_onehot"][0].argmax())} if classes else None
    volume = generator.generate(latent=pack.arrays["z"][0], features=features)

    assert (volume.kind, volume.unit, volume.voxels.dtype, volume.axis_codes) == ("CT", "HU", np.int16, ("R", "A", "S"))
    published = volume.voxels[::-1, ::-1, :]  # the published (x, y, z) grow to the left and to the back
    place = pack.case["postprocess"]["hu_0__center"]
    where = tuple(slice(a, a + place["size"]) for a in place["start"])
    np.testing.assert_allclose(
        published[where], pack.arrays["hu_0__center"], atol=pack.case["postprocess"]["hu_tolerance"]
    )


@pytest.mark.parametrize("name", ["sigmarat1", "sigmarat2"])
def test_sigmarat(shared: Path, name: str) -> None:
    pack = Pack(shared / "conformance" / name)
    raw = sv.load_generator(pack.folder, device="cpu").decode(pack.arrays["z"])
    for sample in range(len(raw)):
        pack.check(raw[sample, 0], "eval", sample)
    both = (raw[:, 0] - raw.min()) / (raw.max() - raw.min())  # the notebook rescales the batch as a whole
    for sample in range(len(raw)):
        pack.check(both[sample, ..., 12:52], "post", sample)


def test_sigmarat_in_training_mode_drifts_as_published(shared: Path) -> None:
    pack = Pack(shared / "conformance" / "sigmarat2")
    generator = sv.load_generator(pack.folder, device="cpu", batch_statistics=True)
    before = generator.generate(seed=3).voxels
    for call in range(2):
        pack.check(generator.decode(pack.arrays["z"][:1])[0, 0], "train_call", call)
    assert np.array_equal(generator.generate(seed=3).voxels, before)
