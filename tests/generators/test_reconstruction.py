"""Real scans through encoders: networks against plain ones, grids and axes against where a mark lies."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import synthview as sv
from synthview.cli.main import run
from synthview.errors import Cancelled, CheckpointError, ProvenanceError, WrongRequestError
from synthview.generators.encoding import Encoder
from synthview.generators.family import Family
from synthview.generators.networks.brain3dgan import Brain3dAlphaGan
from synthview.generators.networks.conv_encoder import ConvEncoderNetwork
from synthview.generators.networks.csegsynth_encoder import CSegSynthEncoder, EncoderNet
from synthview.generators.networks.hagan import HaGan
from synthview.generators.networks.hagan_encoder import ConvStack, HaGanEncoderNetwork, hagan_encoder
from synthview.generators.networks.mrianateval import MriAnatEvalWgan
from synthview.generators.norms import folded
from synthview.generators.reconstruction import ScanEncoder
from synthview.generators.scan_grid import centred_grid, resampled, stretched_grid, value_range
from synthview.generators.verification import verify_file
from synthview.volume import Volume, VolumeKind
from tests.generators.test_monai_ldm import write_ldm
from tests.marked_volumes import AXIS_ORDERS, MARK_MM, marked_volume
from tests.small_checkpoint import write_sigmarat


def steps_end(steps: Iterator[tuple[float, torch.Tensor | None]]) -> torch.Tensor:
    fractions, results = zip(*steps, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1
    assert results[-1] is not None
    return results[-1]


def seeded(network: nn.Module) -> nn.Module:
    """Random weights and statistics that are far from their start values."""
    draw = torch.Generator().manual_seed(4)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            scale = tensor[0].numel() ** -0.5 if tensor.ndim > 1 else 0.3
            tensor.copy_(torch.randn(tensor.shape, generator=draw) * scale + (tensor.ndim == 1))
            if name.endswith("var"):
                tensor.abs_().add_(0.5)
    return network.eval()


# -- encoders of 3dbraingen and SigmaRat -----------------------------------------------------------------------------


class PlainEncoder(nn.Module):
    """As published, written with modules."""

    def __init__(self, code: int, norm: Callable[[int], nn.Module], wrap: Callable[[Any], Any], c: int = 4) -> None:
        super().__init__()
        self.conv1 = wrap(nn.Conv3d(1, c, 4, 2, 1))
        for i in (2, 3, 4):
            self.add_module(f"conv{i}", wrap(nn.Conv3d(c * 2 ** (i - 2), c * 2 ** (i - 1), 4, 2, 1)))
            self.add_module(f"bn{i}", norm(c * 2 ** (i - 1)))
        self.conv5 = wrap(nn.Conv3d(8 * c, code, 4, 1, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.leaky_relu(self.conv1(x), 0.2)
        for i in (2, 3, 4):
            x = F.leaky_relu(self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(x)), 0.2)
        return self.conv5(x).flatten(1)


@pytest.mark.parametrize(
    ("norm", "wrap"),
    [
        (nn.BatchNorm3d, nn.Identity()),
        (nn.InstanceNorm3d, nn.Identity()),
        (nn.InstanceNorm3d, torch.nn.utils.spectral_norm),
    ],
)
@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")
def test_a_convolutional_encoder_is_the_published_one(norm: Any, wrap: Any) -> None:
    plain = PlainEncoder(12, norm, wrap)
    plain(torch.randn(2, 1, 64, 64, 64))  # spectral norm: u and v settle
    seeded(plain)
    x = torch.randn(1, 1, 64, 64, 64, generator=torch.Generator().manual_seed(1))
    ours = ConvEncoderNetwork(folded(plain.state_dict(), spectral=True), instance_norm=norm is nn.InstanceNorm3d)
    with torch.no_grad():
        torch.testing.assert_close(steps_end(ours.steps(x)), plain(x), rtol=1e-4, atol=1e-4)


@pytest.fixture
def rat(tmp_path: Path) -> Path:
    """A generator with its encoder beside it, as SigmaRat's training writes them."""
    path = write_sigmarat(tmp_path / "G_iter9.pth", latent=12)
    torch.save(seeded(PlainEncoder(12, nn.InstanceNorm3d, nn.Identity())).state_dict(), tmp_path / "E_iter9.pth")
    return path


@pytest.fixture
def scan() -> Volume:
    voxels = np.random.default_rng(0).integers(0, 900, (40, 30, 20)).astype(np.int16)
    affine = np.diag([-0.5, 0.5, 0.7, 1.0])
    affine[:3, 3] = (9, -8, 7)
    return Volume(voxels, affine, VolumeKind.T2W, "", name="rat12.nii.gz")


def test_a_scan_is_encoded_and_decoded_in_its_own_place(rat: Path, scan: Volume) -> None:
    generator = sv.load_generator(rat, device="cpu")
    assert generator.can_encode
    assert generator.info.can_encode
    fractions: list[float] = []
    found = generator.reconstruct(scan, progress=fractions.append)
    code = generator.encode(scan)
    assert code.shape == (1, 12)
    raw = generator.decode(code)[0, 0]  # what is shown is the decoded code, in the scan's values
    low, high = found.prepared.voxels.min(), value_range(scan)[1]
    np.testing.assert_allclose(found.volume.voxels, (raw + 1) / 2 * (high - low) + low, atol=0.1)
    assert found.volume.shape == found.prepared.shape == (64, 64, 64)
    np.testing.assert_allclose(found.volume.spacing, (0.375, 0.375, 0.5))
    middle = scan.ijk_to_mm((19.5, 14.5, 9.5))
    np.testing.assert_allclose(found.volume.ijk_to_mm((31.5, 31.5, 31.5)), middle, atol=1e-6)
    assert (found.volume.kind, found.prepared.name) == (VolumeKind.T2W, "rat12.nii.gz")
    assert fractions == sorted(fractions)


def test_provenance_says_that_it_is_a_reconstruction(rat: Path, scan: Volume, tmp_path: Path) -> None:
    generator = sv.load_generator(rat, device="cpu")
    found = generator.reconstruct(scan)
    found.volume.save(tmp_path / "again.nii.gz")
    made = sv.load_volume(tmp_path / "again.nii.gz").provenance
    assert made is not None
    assert made.reconstructed["scan"] == "rat12.nii.gz"
    assert set(made.reconstructed) == {"scan", "voxels_sha256", "encoder_sha256"}
    assert (made.seed, len(made.latent or ())) == (None, 12)
    again = generator.reconstruct(scan)
    assert again.volume.provenance == found.volume.provenance
    with pytest.raises(ProvenanceError, match=r"is a reconstruction of the scan rat12\.nii\.gz"):
        verify_file(tmp_path / "again.nii.gz")


def test_a_generator_without_an_encoder_says_what_is_missing(rat: Path, scan: Volume) -> None:
    rat.with_name("E_iter9.pth").unlink()
    generator = sv.load_generator(rat, device="cpu")
    assert not generator.can_encode
    with pytest.raises(WrongRequestError, match=r"has no encoder.*E_….pth"):
        generator.reconstruct(scan)


def test_an_encoder_of_another_training_is_refused_when_it_is_needed(rat: Path, scan: Volume) -> None:
    torch.save(seeded(PlainEncoder(20, nn.InstanceNorm3d, nn.Identity())).state_dict(), rat.with_name("E_iter9.pth"))
    generator = sv.load_generator(rat, device="cpu")
    with pytest.raises(CheckpointError, match="codes of 20 numbers, and the generator beside it takes 12"):
        generator.encode(scan)
    torch.save({"conv1.weight": torch.zeros(4, 1, 4, 4, 4)}, rat.with_name("E_iter9.pth"))
    with pytest.raises(CheckpointError, match=r"E_iter9\.pth is no encoder of this family: it lacks conv1\.bias"):
        sv.load_generator(rat, device="cpu").encode(scan)


def test_it_stops_when_it_is_no_longer_wanted(rat: Path, scan: Volume) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        sv.load_generator(rat, device="cpu").reconstruct(scan, progress=stop)


def test_the_command(rat: Path, scan: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out, seen = tmp_path / "scan.nii.gz", tmp_path / "r.nii.gz", tmp_path / "p.nii.gz"
    scan.save(source)
    command = ["reconstruct", str(rat), str(source), "--out", str(out), "--prepared", str(seen), "--device", "cpu"]
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"reconstruction": str(out), "prepared": str(seen)}
    np.testing.assert_allclose(sv.load_volume(out).affine, sv.load_volume(seen).affine)
    assert run(command) == 2
    assert "there already" in capsys.readouterr().err
    assert run(["reconstruct", str(rat), str(tmp_path / "no.nii"), "--out", str(tmp_path / "x.nii")]) == 2


# -- HA-GAN's two encoders ------------------------------------------------------------------------------------------


def plain_stack(*layers: tuple[int, int, int], last: tuple[int, int] | None = None) -> nn.Sequential:
    """(into, out of, kernel) each with GroupNorm and ReLU; ``last`` without."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (a, b, kernel) in enumerate(layers, start=1):
        parts[f"conv{i}"] = nn.Conv3d(a, b, kernel, 2 if kernel == 4 else 1, 1)
        parts[f"bn{i}"] = nn.GroupNorm(8, b)
        parts[f"relu{i}"] = nn.ReLU()
    if last is not None:
        parts[f"conv{len(layers) + 1}"] = nn.Conv3d(*last, 4)
    return seeded(nn.Sequential(parts))  # type: ignore[return-value]


def test_hagan_encodes_eighth_by_eighth_as_in_training() -> None:
    slabs = plain_stack((1, 8, 4), (8, 8, 3), (8, 16, 4))
    whole = plain_stack((16, 16, 4), last=(16, 20))
    ours = HaGanEncoderNetwork(ConvStack(slabs.state_dict()), ConvStack(whole.state_dict()))
    x = torch.randn(1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = whole(torch.cat([slabs(part) for part in x.chunk(8, dim=2)], dim=2)).flatten(1)
        torch.testing.assert_close(steps_end(ours.steps(x)), expected)
        at_once = whole(slabs(x)).flatten(1)
    assert not torch.allclose(expected, at_once, atol=1e-2)  # the norms see an eighth at a time


def test_hagans_encoders_lie_beside_its_generator(tmp_path: Path) -> None:
    weights = tmp_path / "G_iter80000.pth"
    assert hagan_encoder(weights, 20, (128, 128, 128)) is None
    slabs = plain_stack((1, 32, 4), (32, 32, 3), (32, 64, 4))
    whole = plain_stack((64, 64, 4), (64, 64, 4), (64, 64, 4), last=(64, 20))
    for name, stack in (("E", slabs), ("Sub_E", whole)):
        state = {f"module.{key}": tensor for key, tensor in stack.state_dict().items()}
        torch.save({"model": state, "optimizer": {}}, tmp_path / f"{name}_iter80000.pth")
    read = hagan_encoder(weights, 20, (128, 128, 128))
    assert read is not None
    assert read().spacing is None  # the whole field of view, as published
    assert hagan_encoder(weights, 20, (144, 192, 144)) is None
    assert hagan_encoder(weights, 20, None) is None
    wrong = hagan_encoder(weights, 20, (256, 256, 256))
    assert wrong is not None
    with pytest.raises(CheckpointError, match="from 128³ voxels, and the generator beside it takes 20 and makes 256³"):
        wrong()


# -- CSegSynth ------------------------------------------------------------------------------------------------------


class PlainBlock(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv3d(c, c, (3, 5, 5), padding=(1, 2, 2), groups=c)
        self.norm = nn.LayerNorm(c, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        self.gamma = nn.Parameter(torch.ones(c))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 4, 1))
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        return x + y.permute(0, 4, 1, 2, 3)


def norm_channels(x: torch.Tensor, norm: nn.LayerNorm) -> torch.Tensor:
    mean = x.mean(1, keepdim=True)
    x = (x - mean) / ((x - mean).pow(2).mean(1, keepdim=True) + 1e-6).sqrt()
    return norm.weight.view(-1, 1, 1, 1) * x + norm.bias.view(-1, 1, 1, 1)


def test_csegsynths_encoder_is_the_published_one() -> None:
    ours = seeded(EncoderNet(256, "head", 3))
    x = torch.rand(1, 4, 16, 32, 32, generator=torch.Generator().manual_seed(1))
    features = torch.tensor([[0.5, -1.0, 2.0]])
    y = x
    for level, stage in enumerate(ours.stages):  # type: ignore[arg-type]
        first, second = ours.downsample_layers[level]  # type: ignore[index]
        y = norm_channels(first(y), second) if level == 0 else second(norm_channels(y, first))
        for block in stage:
            plain = PlainBlock(y.shape[1])
            plain.load_state_dict(block.state_dict())
            y = plain(y)
    pooled = ours.norm(y.mean([-3, -2, -1])) + ours.condition(features)  # type: ignore[operator]
    with torch.no_grad():
        found = steps_end(ours.steps(x, features))  # type: ignore[operator]
    torch.testing.assert_close(found, ours.head(pooled), rtol=1e-4, atol=1e-4)  # type: ignore[operator]


def tissue_map() -> Volume:
    voxels = np.random.default_rng(0).dirichlet(np.ones(4), (40, 50, 45)).transpose(3, 0, 1, 2)[:3]
    return Volume(voxels.astype(np.float32), np.diag([4.0, 4.0, 4.0, 1.0]), VolumeKind.TISSUE_MAP, name="tissues")


@pytest.mark.parametrize(
    "pack",
    ["csegsynth_cvae", *(pytest.param(name, marks=pytest.mark.slow) for name in ("csegsynth", "csegsynth_vae"))],
)
def test_checkpoints_with_an_encoder(shared: Path, pack: str) -> None:
    generator = sv.load_generator(shared / "conformance" / pack, device="cpu")
    found = generator.reconstruct(tissue_map())
    assert found.volume.kind is VolumeKind.TISSUE_MAP
    assert found.volume.voxels.shape == (4, 80, 128, 128)
    np.testing.assert_allclose(found.volume.voxels.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(found.prepared.voxels.sum(axis=0), 1, atol=1e-5)
    if pack == "csegsynth":
        again = generator.decode(np.array([found.volume.provenance.latent]))  # type: ignore[union-attr]
        assert not np.allclose(again[0], found.volume.voxels, atol=1e-3)  # its features are not added, as published


def test_of_a_gan_the_discriminator_is_no_encoder(shared: Path) -> None:
    assert not sv.load_generator(shared / "conformance" / "csegsynth_gan", device="cpu").can_encode


def test_tissue_maps_only(scan: Volume) -> None:
    encoder = CSegSynthEncoder(None, (2.0, 2.0, 2.0))
    with pytest.raises(WrongRequestError, match=r"takes a tissue map .* and rat12\.nii\.gz is a T2w"):
        encoder.accept(scan)
    prepared, _ = encoder.prepare(encoder.accept(tissue_map()), centred_grid(tissue_map(), (80, 128, 128), (2, 2, 2)))
    np.testing.assert_allclose(prepared[3, 0, 0, 0], 1)  # outside the map there is background


# -- latent diffusion -----------------------------------------------------------------------------------------------


def test_the_autoencoder_of_latent_diffusion(tmp_path: Path, scan: Volume) -> None:
    autoencoder, _ = write_ldm(tmp_path)
    generator = sv.load_generator(tmp_path, device="cpu", size="8x8x8", num_head_channels=8)
    found = generator.reconstruct(scan)
    low, high = value_range(scan)
    x = torch.from_numpy((found.prepared.voxels - low) / (high - low))[None, None].float()
    with torch.no_grad():
        mean, _ = autoencoder.encode(x)  # type: ignore[operator]
        expected = autoencoder.decode(mean)[0, 0].numpy().clip(0, 1) * (high - low) + low  # type: ignore[operator]
    np.testing.assert_allclose(generator.encode(scan), mean, atol=1e-4)
    np.testing.assert_allclose(found.volume.voxels, expected, atol=0.2)
    assert found.volume.provenance.latent == ()  # type: ignore[union-attr]  (not the noise that diffusion starts from)


# -- grids and axes -------------------------------------------------------------------------------------------------


class Mirror(Encoder):
    """Its code is what it was given, so that a reconstruction shows what happened to places and values."""

    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Any]:
        self.seen = x
        yield 1.0, x

    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Any]:
        yield 1.0, code


FAMILIES: list[tuple[Family, dict[str, Any]]] = [
    (HaGan(), {"size": (128, 128, 128), "latent_dim": 8, "num_class": 0, "output": "raw"}),
    (HaGan(), {"size": (144, 192, 144), "latent_dim": 8, "num_class": 0, "output": "raw"}),
    (Brain3dAlphaGan(), {"latent_dim": 8, "channel": 4, "batch_statistics": False}),
    (MriAnatEvalWgan(), {"latent_dim": 8, "channel": 4}),
]


@pytest.mark.parametrize(("family", "arguments"), FAMILIES)
def test_a_scan_reaches_the_network_with_the_axes_of_its_outputs(family: Family, arguments: dict[str, Any]) -> None:
    mirror = Mirror(None, (0.5, 0.5, 0.5))
    scans = ScanEncoder(family, arguments, lambda: mirror)
    found, _ = scans.reconstruct(nn.Identity(), marked_volume("LPS"), None, torch.device("cpu"), None)
    np.testing.assert_allclose(found.volume.voxels, found.prepared.voxels, atol=1e-3)
    raw = mirror.seen[0].numpy()
    assert raw.shape == family.output_shape(arguments)
    shown = family.to_volume(raw, arguments)
    unit = shown.voxels if family.id != "3dbraingen-alpha-gan" else shown.voxels * 2 - 1  # which shows 0 to 1
    low, high = value_range(marked_volume())
    np.testing.assert_allclose((unit + 1) / 2 * (high - low) + low, found.prepared.voxels, atol=1e-3)


@pytest.mark.parametrize("order", AXIS_ORDERS[::7])
def test_the_mark_stays_where_it_is(order: str) -> None:
    scan = marked_volume(order).to_ras()
    fine = centred_grid(scan, (40, 40, 40), (0.5, 0.5, 0.5))
    brightest = np.array(np.unravel_index(resampled(scan, fine, 0).argmax(), fine.shape))
    at = fine.affine @ (*brightest, 1)
    assert np.abs(at[:3] - MARK_MM).max() <= 0.75  # linear: highest at the voxel nearest to it
    whole = stretched_grid(scan, (8, 10, 12))  # twice as fine along each axis
    np.testing.assert_allclose(np.linalg.norm(whole.affine[:3, :3], axis=0), np.array(scan.spacing) / 2)
    values = resampled(scan, whole, 0)
    brightest = np.array(np.unravel_index(values.argmax(), values.shape))
    assert np.abs((whole.affine @ (*brightest, 1))[:3] - MARK_MM).max() <= 0.5 + 1e-6
    np.testing.assert_allclose(scan.mm_to_ijk(tuple(whole.affine[:3, 3])), (-0.25, -0.25, -0.25))


def test_blank_slices_of_a_ct_are_left_out_as_published() -> None:
    voxels = np.full((6, 6, 20), -1024, np.int16)
    voxels[2:4, 2:4, 5:15] = 40
    scan = Volume(voxels, np.diag([2.0, 2.0, 3.0, 1.0]), VolumeKind.CT, "HU")
    grid = stretched_grid(scan, (6, 6, 10))
    np.testing.assert_allclose(grid.affine[:3, 3], (0, 0, 15))
    assert value_range(scan) == (-1024, 600)
    np.testing.assert_allclose(resampled(scan, grid, -1024)[2, 2], 40)


def test_what_lies_outside_is_background() -> None:
    scan = Volume(np.full((4, 4, 4), 7, np.float32), np.eye(4))
    values = resampled(scan, centred_grid(scan, (8, 8, 8), (1, 1, 1)), -1)
    assert (values[2:6, 2:6, 2:6] == 7).all()
    assert (np.delete(values, range(2, 6), axis=0) == -1).all()


def test_fasts_labels_become_tissues() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (6, 6, 6)).astype(np.uint8)
    taken = CSegSynthEncoder(None, None).accept(Volume(labels, np.eye(4), name="seg.nii"))
    np.testing.assert_array_equal(taken.voxels[0], labels == 3)  # white matter first
    np.testing.assert_array_equal(taken.voxels[2], labels == 1)
    assert "FSL FAST" in taken.notes[-1]
