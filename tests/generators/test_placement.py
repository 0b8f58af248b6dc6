"""SigmaRat's volumes in the place of an original, as published: back to 64 × 64 × 40 with its affine."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import synthview as sv
from synthview.cli.main import run
from synthview.errors import ProvenanceError, WrongRequestError
from synthview.generators.info import GenerateRequest, Placement
from synthview.generators.verification import verify_file
from tests.generators.golden import Pack
from tests.small_checkpoint import write_sigmarat

AFFINE = np.array([[0, 0, 0.5, -9.0], [-0.375, 0, 0, 12.5], [0, 0.375, 0, 3.25], [0, 0, 0, 1]])


@pytest.fixture
def rat(tmp_path: Path) -> Path:
    return write_sigmarat(tmp_path / "G_iter200000.pth")


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "rat_07.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((64, 64, 40), np.int16), AFFINE), path)
    return path


def test_the_volume_takes_the_originals_place_voxel_by_voxel(rat: Path, original: Path) -> None:
    generator = sv.load_generator(rat, device="cpu")
    assert generator.info.takes_place
    plain, like = generator.generate(seed=3), Placement.of(sv.load_volume(original))
    placed = generator.generate(seed=3, like=like)
    np.testing.assert_array_equal(placed.voxels, plain.voxels)  # raw axes are the original's stored axes
    np.testing.assert_allclose(placed.affine, AFFINE)
    assert placed.voxels.shape == (64, 64, 40)
    assert generator.generate_request(GenerateRequest(seed=3, like=like)).provenance == placed.provenance


def test_the_published_post_processing(shared: Path) -> None:
    pack = Pack(shared / "conformance" / "sigmarat1")
    generator = sv.load_generator(pack.folder, device="cpu")
    raw = generator.decode(pack.arrays["z"][:1])[0, 0]
    volume = generator.generate(latent=pack.arrays["z"][0])
    expected = (raw - raw.min()) / (raw.max() - raw.min())  # over all 64 slices, then cropped
    np.testing.assert_allclose(volume.voxels, expected[..., 12:52], atol=1e-6)


def test_another_grid_or_family_is_refused(rat: Path, tmp_path: Path) -> None:
    generator = sv.load_generator(rat, device="cpu")
    with pytest.raises(WrongRequestError, match="the original has 64 × 64 × 64 voxels, and the volume 64 × 64 × 40"):
        generator.generate(seed=0, like=Placement(tuple(np.eye(4).ravel()), (64, 64, 64)))


def test_the_command_and_verify(rat: Path, original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(["generate", str(rat), "--like", str(original), "--out", str(out), "--device", "cpu", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)["volumes"]
    np.testing.assert_allclose(nib.load(made["file"]).affine, AFFINE, atol=1e-5)
    assert verify_file(Path(made["file"]), rat, "cpu").bitwise_equal
    assert run(["generate", str(rat), "--like", str(tmp_path / "no.nii"), "--out", str(out)]) == 2
    sidecar = next(out.glob("*.json"))
    content = json.loads(sidecar.read_text("utf-8"))
    assert "rat_07" not in sidecar.read_text("utf-8")  # which animal it was is nobody's business
    assert content["provenance"]["arguments"]["like"]["shape"] == [64, 64, 40]


def test_a_damaged_place_is_said(rat: Path, original: Path, tmp_path: Path) -> None:
    volume = sv.load_generator(rat, device="cpu").generate(seed=0, like=Placement.of(sv.load_volume(original)))
    assert volume.provenance is not None
    volume.provenance.arguments["like"]["affine"] = ["x"]  # type: ignore[index]
    volume.save(tmp_path / "x.nii.gz")
    with pytest.raises(ProvenanceError, match="damaged: like is"):
        verify_file(tmp_path / "x.nii.gz", rat, "cpu")
