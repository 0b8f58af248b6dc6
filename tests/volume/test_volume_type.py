"""Volume and Provenance: what they refuse, and where their voxels are."""

import numpy as np
import pytest

from synthview.errors import ProvenanceError, VolumeError
from synthview.volume import Provenance, Volume, Window


@pytest.mark.parametrize("shape", [(3,), (3, 3), (1, 2, 3, 4, 5), (3, 0, 3)])
def test_voxels_have_three_axes_or_channels_and_three_axes(shape):
    with pytest.raises(VolumeError, match="got shape"):
        Volume(np.zeros(shape), np.eye(4))


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.eye(3), "must be 4x4"),
        (np.diag([1.0, 0, 1, 1]), "singular"),
        (np.diag([1.0, np.nan, 1, 1]), "not finite"),
    ],
)
def test_the_affine_says_where_the_voxels_are(affine, words):
    with pytest.raises(VolumeError, match=words):
        Volume(np.zeros((2, 2, 2)), affine)


def test_positions_go_there_and_back():
    affine = np.array([[0, -2.0, 0.1, 5], [1.5, 0, 0, -6], [0, 0.2, 3, 7], [0, 0, 0, 1]])
    volume = Volume(np.zeros((4, 5, 6)), affine)
    assert volume.ijk_to_mm((1, 2, 3)) == pytest.approx((1.3, -4.5, 16.4))
    assert volume.mm_to_ijk(volume.ijk_to_mm((1.25, 2.5, 3.75))) == pytest.approx((1.25, 2.5, 3.75))
    assert volume.spacing == pytest.approx((1.5, np.hypot(2, 0.2), np.hypot(0.1, 3)))


def test_the_window_is_its_own_or_the_automatic_one():
    voxels = np.linspace(0, 1, 27, dtype=np.float32).reshape(3, 3, 3)
    assert Volume(voxels, np.eye(4), window=Window(3, 4)).display_window == Window(3, 4)
    assert Volume(voxels, np.eye(4)).display_window.high == pytest.approx(1, abs=0.05)


def _provenance(**changes):
    return Provenance(**({"checkpoint_sha256": "ab" * 32, "checkpoint_name": "g.pth", "family": "ha-gan"} | changes))


def test_provenance_survives_json_types():
    made = _provenance(latent=(0.5, -1.25), arguments={"size": [144, 192, 144]}, features={"age": 72}, truncation=0.8)
    assert Provenance.from_dict(made.to_dict()) == made
    assert Provenance.from_dict(_provenance(seed=7).to_dict() | {"from a later version": 1}) == _provenance(seed=7)


@pytest.mark.parametrize("which", [{}, {"seed": 1, "latent": (1.0,)}])
def test_provenance_has_a_seed_or_a_latent(which):
    with pytest.raises(ProvenanceError, match="either a seed or a latent"):
        _provenance(**which)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {},
        {"seed": 1},
        {"checkpoint_sha256": "a", "checkpoint_name": "b", "family": "c", "seed": "seven"},
        {"checkpoint_sha256": "a", "checkpoint_name": "b", "family": "c", "latent": "abc"},
        {"checkpoint_sha256": "a", "checkpoint_name": "b", "family": "c", "seed": 1, "truncation": "much"},
        {"checkpoint_sha256": 5, "checkpoint_name": [], "family": None, "seed": 1},
        {"checkpoint_sha256": "a", "checkpoint_name": "b", "family": "c", "seed": 1, "features": 3},
        {"checkpoint_sha256": "a", "checkpoint_name": "b", "family": "c", "seed": 1, "arguments": "no"},
    ],
)
def test_damaged_provenance_is_refused(content):
    with pytest.raises(ProvenanceError):
        Provenance.from_dict(content)
