"""Every kind of file that people hand to a program that opens checkpoints; nothing of them may run."""

import gzip
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import synthview as sv
from synthview.errors import CheckpointError, UnsafeCheckpointError
from synthview.generators.sniffing import Container, sniff
from tests.generators.formula import formula_weights, sigmarat_shapes

WEIGHTS = formula_weights(sigmarat_shapes(latent=8, channel=2))


class TouchOnLoad:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mknod, (str(self.path),)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.pth"
    torch.save(WEIGHTS, path)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"model": w, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []}},
        lambda w: {"epoch": 3, "state_dict": w, "discriminator": {"main.weight": torch.zeros(2)}, "best_loss": 0.1},
        lambda w: {"generator": {"state_dict": {f"module.{k}": v for k, v in w.items()}}},
        lambda w: {"model": {k: v * 0 for k, v in w.items()}, "ema": w},
        lambda w: {f"_orig_mod.module.{k}": torch.nn.Parameter(v) for k, v in w.items()},
        lambda w: {f"module._orig_mod.{k}": v for k, v in w.items()},
        lambda w: {k: v.double() for k, v in w.items()},
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_wrappers_and_prefixes_make_no_difference(good: Path, tmp_path: Path, wrap, legacy: bool) -> None:
    path = tmp_path / "wrapped.ckpt"
    torch.save(wrap(WEIGHTS), path, _use_new_zipfile_serialization=not legacy)
    assert sniff(path) is (Container.TORCH_LEGACY if legacy else Container.TORCH_ZIP)
    expected = sv.load_generator(good, device="cpu").generate(seed=1).voxels
    assert np.array_equal(sv.load_generator(path, device="cpu").generate(seed=1).voxels, expected)


def test_safetensors_half_precision_and_overlapping_storage(good: Path, tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "weights.safetensors")
    expected = sv.load_generator(good, device="cpu").decode(np.ones((1, 8)))
    found = sv.load_generator(tmp_path / "weights.safetensors", device="cpu")
    assert found.info.container == "safetensors file"
    assert np.array_equal(found.decode(np.ones((1, 8))), expected)

    torch.save({k: v.half() for k, v in WEIGHTS.items()}, tmp_path / "half.pt")
    half = sv.load_generator(tmp_path / "half.pt", device="cpu").decode(np.ones((1, 8)))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, expected, atol=0.05)

    short = torch.randn(64)
    overlapping = {k: short.as_strided(v.shape, [1] * v.dim()) for k, v in WEIGHTS.items()}
    torch.save(overlapping, tmp_path / "compact.pth")
    torch.save({k: v.clone() for k, v in overlapping.items()}, tmp_path / "dense.pth")
    compact, dense = (
        sv.load_generator(tmp_path / f"{n}.pth", device="cpu").decode(np.ones((1, 8))) for n in ("compact", "dense")
    )
    assert np.array_equal(compact, dense)


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_does_not_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "it ran"
    path = tmp_path / "G_iter1.pth"
    path.write_bytes(pickle.dumps({"model": TouchOnLoad(trace)}, protocol=protocol))
    with pytest.raises(UnsafeCheckpointError, match=r"plain pickle.*nothing of it was run"):
        sv.load_generator(path)
    assert not trace.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_a_torch_file_with_more_than_weights_does_not_run(tmp_path: Path, legacy: bool) -> None:
    trace = tmp_path / "it ran"
    path = tmp_path / "G_iter1.pth"
    torch.save({"model": WEIGHTS, "extra": TouchOnLoad(trace)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(UnsafeCheckpointError, match="nothing of it was run"):
        sv.load_generator(path)
    assert not trace.exists()


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Conv3d(1, 1, 3), tmp_path / "whole.pth")
    with pytest.raises(UnsafeCheckpointError, match="Conv3d"):
        sv.load_generator(tmp_path / "whole.pth")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
        (gzip.compress(b"x" * 1000), "gzip"),
        ((348).to_bytes(4, "little") + bytes(400), "NIfTI"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (b"\x93NUMPY\x01\x00" + bytes(50), "NumPy"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b'{"a": 1}', "JSON"),
        (bytes(range(256)) * 8, "does not know"),
        (b"\x80\x02", "plain pickle"),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "G_iter80000.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        sv.load_generator(path)
    assert "G_iter80000.pth" in str(caught.value)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_cut_short(tmp_path: Path, kind: str, kept: float) -> None:
    path = tmp_path / "cut.pth"
    if kind == "safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(CheckpointError, match=r"cut short|cut-short"):
        sv.load_generator(path)


def test_every_flipped_byte_of_a_torch_file_is_noticed_or_harmless(good: Path, tmp_path: Path) -> None:
    expected = sv.load_generator(good, device="cpu").decode(np.ones((1, 8)))
    content = good.read_bytes()
    draw = np.random.default_rng(0)
    refused = 0
    for position in draw.integers(len(content), size=60):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(draw.integers(8))
        path = tmp_path / "flipped.pth"
        path.write_bytes(damaged)
        try:
            same = sv.load_generator(path, device="cpu").decode(np.ones((1, 8)))
        except CheckpointError:
            refused += 1
        else:
            assert np.array_equal(same, expected)
    assert refused > 40


def test_other_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.pth", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(CheckpointError, match="zip archive of something else"):
        sv.load_generator(tmp_path / "photos.pth")
    with zipfile.ZipFile(tmp_path / "compiled.pt2", "w") as archive:
        archive.writestr("net/data/aotinductor/model/model.so", b"")
    with pytest.raises(CheckpointError, match="compiled for one computer"):
        sv.load_generator(tmp_path / "compiled.pt2")


def test_no_weights_inside(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "losses": [1.0, 2.0]}, tmp_path / "log.pth")
    with pytest.raises(CheckpointError, match="no weights"):
        sv.load_generator(tmp_path / "log.pth")


def test_not_there_and_no_permission(tmp_path: Path, good: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        sv.load_generator(tmp_path / "G_iter.pth")
    with pytest.raises(CheckpointError, match="does not exist"):
        sv.read_checkpoint(tmp_path / "G_iter.pth")
    good.chmod(0)
    if os.access(good, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(CheckpointError, match="Permission denied"):
        sv.load_generator(good)


def test_folders(tmp_path: Path) -> None:
    folder = tmp_path / "run1"
    folder.mkdir()
    with pytest.raises(CheckpointError, match="without generator weights"):
        sv.load_generator(folder)
    for name in ("D_iter10.pth", "E_iter10.pth", "Sub_E_iter10.pth", "crf_iter10.pth", "G_iter10.pth"):
        torch.save(WEIGHTS, folder / name)
    generator = sv.load_generator(folder, device="cpu")
    assert generator.info.name == "run1"
    assert generator.info.sha256 == sv.load_generator(folder / "G_iter10.pth", device="cpu").info.sha256
    torch.save(WEIGHTS, folder / "G_iter20.pth")
    with pytest.raises(CheckpointError, match=r"several checkpoints \(G_iter10.pth, G_iter20.pth\)"):
        sv.load_generator(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none(tmp_path: Path, value: float) -> None:
    weights = {k: v.clone() for k, v in WEIGHTS.items()}
    weights["tp_conv3.weight"][0, 0, 1, 1, 1] = value
    torch.save(weights, tmp_path / "nan.pth")
    with pytest.raises(CheckpointError, match=r"NaN or infinite numbers in tp_conv3\.weight"):
        sv.load_generator(tmp_path / "nan.pth")
