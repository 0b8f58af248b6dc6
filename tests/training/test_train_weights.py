"""The generators that come with synthview open by name, make a volume, and say where they come from."""

from pathlib import Path

import numpy as np
import pytest

import synthview as sv
from synthview.generators.manifest import MANIFEST_NAME, Manifest
from synthview.resources import bundled_checkpoints

BUNDLED = bundled_checkpoints()
LARGEST_MB, ALL_MB = 40, 120


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_generator_opens_by_name_and_makes_a_volume(name: str) -> None:
    generator = sv.load_generator(name, device="cpu")
    volume = generator.generate(seed=1)
    spatial = sorted(generator.info.output_shape[1:])
    assert sorted(volume.voxels.shape[-3:]) == spatial
    assert np.isfinite(volume.voxels).all()
    assert volume.voxels.std() > 0
    assert volume.kind.value == generator.info.output["kind"]
    other = generator.generate(seed=2)
    assert not np.array_equal(volume.voxels, other.voxels)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_generator_has_a_card_a_licence_and_a_picture(name: str) -> None:
    folder: Path = BUNDLED[name]
    manifest = Manifest.load(folder / MANIFEST_NAME)
    card = (folder / "README.md").read_text("utf-8")
    assert manifest.licence
    assert manifest.licence in card
    assert manifest.citation
    assert ("Non-commercial" in card) == ("NC" in manifest.licence)
    for heading in ("## Trained on", "## How", "## Not for", "Simulated:"):
        assert heading in card
    assert (folder / "thumbnail.png").stat().st_size > 500
    assert (folder / "weights.safetensors").stat().st_size < LARGEST_MB * 1e6


def test_the_bundled_generators_are_few_megabytes() -> None:
    assert sum((folder / "weights.safetensors").stat().st_size for folder in BUNDLED.values()) < ALL_MB * 1e6


@pytest.mark.skipif("brain-tissue-by-age" not in BUNDLED, reason="it is not among the bundled generators yet")
def test_age_widens_the_csf_of_the_tissue_maps_and_cognition_does_next_to_nothing() -> None:
    generator = sv.load_generator("brain-tissue-by-age", device="cpu")

    def csf_and_grey(**features: float) -> tuple[float, float]:
        volume = generator.generate(seed=3, features=features)
        return float(volume.voxels[2].sum()), float(volume.voxels[1].sum())

    young, old = csf_and_grey(age=25), csf_and_grey(age=80)
    assert old[0] > 1.15 * young[0]
    assert old[1] < young[1]
    low, high = csf_and_grey(cognition=27), csf_and_grey(cognition=30)
    assert abs(high[0] - low[0]) < 0.25 * abs(old[0] - young[0])
