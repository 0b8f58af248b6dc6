"""Files that can't be used: each gets one sentence that says what is wrong; a failed save changes nothing."""

import gzip
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from synthview.errors import SaveError, SynthviewError, VolumeError
from synthview.volume import Provenance, load_volume, save_volume
from tests.marked_volumes import marked_volume


def _good(folder: Path) -> bytearray:
    return bytearray(save_volume(marked_volume(), folder / "good.nii").read_bytes())


def _patched(offset: int, *numbers: int | float, dtype: str = "<i2"):
    def patch(content: bytearray) -> bytes:
        raw = np.array(numbers, dtype).tobytes()
        content[offset : offset + len(raw)] = raw
        return bytes(content)

    return patch


def _zero_spacing_without_sform(content: bytearray) -> bytes:
    content[252:256] = np.array([1, 0], "<i2").tobytes()
    content[80:92] = np.array([1, 0, 1], "<f4").tobytes()
    return bytes(content)


BAD = {
    "empty": (lambda _: b"", "is empty"),
    "text": (lambda _: b"this is a text file, not an image" * 20, "is not a NIfTI file"),
    "three bytes": (lambda content: bytes(content[:3]), "is not a NIfTI file"),
    "header cut short": (lambda content: bytes(content[:200]), "damaged NIfTI header"),
    "voxels cut short": (lambda content: bytes(content[:-1]), "is cut short"),
    "no voxels": (lambda content: bytes(content[:352]), "is cut short|damaged"),
    "gzip cut short": (lambda content: gzip.compress(bytes(content))[:-20], "damaged or cut-short gzip"),
    "gzip damaged": (lambda content: gzip.compress(bytes(content))[:40] + bytes(80), "damaged or cut-short gzip"),
    "gzip of nothing": (lambda _: gzip.compress(b""), "NIfTI|empty"),
    "only gzip's mark": (lambda _: b"\x1f\x8b", "damaged or cut-short gzip"),
    "no dimensions": (_patched(40, 0, 4, 5, 6), "impossible dimensions"),
    "nine dimensions": (_patched(40, 9, 4, 5, 6), "impossible dimensions|damaged"),
    "a negative dimension": (_patched(40, 3, 4, -5, 6), "impossible dimensions"),
    "a dimension of 0": (_patched(40, 3, 4, 0, 6), "impossible dimensions"),
    "dimensions far too large": (_patched(40, 3, 32767, 32767, 32767), "is cut short"),
    "2-D": (_patched(40, 2, 4, 5), "is 2-D"),
    "1-D": (_patched(40, 1, 120), "is 1-D"),
    "a time series": (_patched(40, 4, 4, 5, 3, 2), "holds 2 images"),
    "five axes": (_patched(40, 5, 4, 5, 1, 2, 3), "holds 6 images"),
    "colours": (_patched(70, 128, 24), "colours"),
    "complex": (_patched(70, 32, 64), "complex64 values"),
    "unknown type": (_patched(70, 9999, 16), "damaged NIfTI header"),
    "single bits": (_patched(70, 1, 1), "data type 1 values"),
    "voxels inside the header": (_patched(108, 100.0, dtype="<f4"), "is cut short|damaged"),
    "voxels nowhere": (_patched(108, np.nan, dtype="<f4"), "damaged"),
    "voxels infinitely far": (_patched(108, np.inf, dtype="<f4"), "damaged"),
    "voxels before the file": (_patched(108, -1e9, dtype="<f4"), "is cut short|damaged"),
    "half of a pair": (lambda content: bytes(content[:344]) + b"ni1\0" + bytes(content[348:]), "header/image pair"),
    "spacing of 0": (_zero_spacing_without_sform, "spacing"),
    "singular affine": (_patched(280, *[0.0] * 12, dtype="<f4"), "singular|affine"),
    "an affine that is all but singular": (
        _patched(280, 1, 1, 0, 0, 1, 1 + 1e-6, 0, 0, 0, 0, 1, 0, dtype="<f4"),
        "singular",
    ),
    "an absurd affine": (_patched(280, 1e30, dtype="<f4"), "sform"),
    "a scaling without an end": (_patched(112, 1, np.inf, dtype="<f4"), "damaged NIfTI header"),
    "NaN in the affine": (_patched(280, np.nan, dtype="<f4"), "affine"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_sentence_says_what_is_wrong(name, tmp_path):
    spoil, words = BAD[name]
    path = tmp_path / "bad.nii"
    path.write_bytes(spoil(_good(tmp_path)))
    with pytest.raises(VolumeError, match=words) as caught:
        load_volume(path)
    sentence = str(caught.value)
    assert "bad.nii" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 320


def test_wild_scaling_is_not_fatal(tmp_path):
    content = _patched(112, np.nan, np.inf, dtype="<f4")(_good(tmp_path))
    (tmp_path / "a.nii").write_bytes(content)
    try:
        voxels = load_volume(tmp_path / "a.nii").voxels
    except VolumeError:
        return
    assert np.isfinite(voxels).all()


def test_scaling_beyond_float32_is_noted(tmp_path):
    content = _patched(112, 3e38, 0, dtype="<f4")(_good(tmp_path))
    (tmp_path / "a.nii").write_bytes(content)
    loaded = load_volume(tmp_path / "a.nii")
    assert np.isfinite(loaded.voxels).all()
    assert loaded.notes


def test_random_damage_never_escapes_as_anything_else(tmp_path):
    rng = np.random.default_rng(0)
    good, path = _good(tmp_path), tmp_path / "fuzz.nii"
    for _ in range(400):
        content = good.copy()
        for place in rng.integers(0, 352, 4):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            load_volume(path)
        except SynthviewError as error:
            assert "fuzz.nii" in str(error)


def test_a_folder_and_an_absent_file(tmp_path):
    with pytest.raises(VolumeError, match="is a folder"):
        load_volume(tmp_path)
    with pytest.raises(VolumeError, match="could not be read: No such file"):
        load_volume(tmp_path / "absent.nii")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read(tmp_path):
    path = save_volume(marked_volume(), tmp_path / "a.nii")
    path.chmod(0)
    with pytest.raises(VolumeError, match="Permission denied"):
        load_volume(path)


def test_a_damaged_description_is_noted_and_the_image_opens(tmp_path):
    path = save_volume(marked_volume(), tmp_path / "a.nii")
    for damage in ("{", "[]", '{"volume": 3, "provenance": {"seed": 1}}', "\x00\xff"):
        path.with_suffix(".json").write_bytes(damage.encode("latin-1"))
        assert load_volume(path).provenance is None


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(SaveError, match=r"ends in \.nii or \.nii\.gz"):
        save_volume(marked_volume(), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_absent(tmp_path):
    with pytest.raises(SaveError, match="could not be written: No such file"):
        save_volume(marked_volume(), tmp_path / "absent" / "a.nii")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SaveError, match="Permission denied"):
        save_volume(marked_volume(), tmp_path / "a.nii")


def test_a_folder_in_the_files_place(tmp_path):
    (tmp_path / "a.nii").mkdir()
    with pytest.raises(SaveError, match="could not be written"):
        save_volume(marked_volume(), tmp_path / "a.nii")
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii"]


FULL_DISK = """
import resource, signal, sys
import numpy as np
from pathlib import Path
from synthview.errors import SaveError
from synthview.volume import Volume, save_volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    save_volume(Volume(np.random.default_rng(0).random((20, 20, 20)), np.eye(4)), Path(sys.argv[1]))
except SaveError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_full_disk_leaves_the_old_file_as_it_was(name, tmp_path):
    assert hasattr(resource, "RLIMIT_FSIZE")
    path = save_volume(marked_volume(), tmp_path / name)
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "could not be written" in done.stdout
    assert "make room" in done.stdout
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]
    nibabel.load(path).get_fdata()


def test_a_sidecar_that_fails_is_told_apart_from_a_volume_that_fails(tmp_path):
    made = Provenance("ab", "g.pth", "ha-gan", seed=1)
    (tmp_path / "a.json").mkdir()
    with pytest.raises(SaveError, match=r"was written and is whole, but a\.json"):
        save_volume(replace(marked_volume(), provenance=made), tmp_path / "a.nii")
    assert load_volume(tmp_path / "a.nii").provenance == made
