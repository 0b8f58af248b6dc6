"""The demo volume is the real head it says it is, with its licence beside it."""

import gzip
import hashlib

import numpy as np

from synthview.resources import resource_path
from synthview.volume import load_volume

UNCOMPRESSED_SHA256 = "707a360b809ba937f6c007231bcf7dc6e2d33657497b254414c9894b6efa5f8c"  # as in mricron-data


def test_it_is_a_whole_head_in_ras():
    volume = load_volume(resource_path("demo", "colin27_T1w.nii.gz"))
    assert volume.shape == (181, 217, 181)
    assert "".join(volume.axis_codes) == "RAS"
    assert volume.spacing == (1.0, 1.0, 1.0)
    assert (volume.voxels.min(), volume.voxels.max()) == (0, 254)
    ventricle, white_matter = volume.mm_to_ijk((8, -25, 19)), volume.mm_to_ijk((28, -25, 30))
    values = [volume.voxels[tuple(np.rint(ijk).astype(int))] for ijk in (ventricle, white_matter)]
    assert values[0] < values[1] / 2  # MNI places: fluid is dark and white matter bright in T1


def test_its_content_is_that_of_the_package_it_comes_from():
    content = gzip.decompress(resource_path("demo", "colin27_T1w.nii.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == UNCOMPRESSED_SHA256
    assert UNCOMPRESSED_SHA256 in resource_path("demo", "README.md").read_text("utf-8")


def test_its_notices_are_beside_it():
    notices = resource_path("demo", "LICENSE.txt").read_text("utf-8")
    for needed in ("Louis Collins", "above copyright notice appear in all copies", "Chris Rorden", "Redistributions"):
        assert needed in notices
