"""Reduced precision: by choice, near to float32, written down, and made again in the same precision."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import synthview as sv
from synthview.errors import WrongRequestError
from synthview.generators.networks.csegsynth import ConvNeXtBlock
from synthview.generators.networks.hagan import HaGanNetwork
from synthview.generators.networks.trilinear_conv import TrilinearConv3d
from synthview.generators.precision import computing_in, is_reduced, name_of, resolve_dtype
from synthview.generators.verification import verify_file
from tests.generators.formula import formula_weights, sigmarat_shapes
from tests.generators.test_cdpm import write_cdpm
from tests.generators.test_monai_ldm import write_ldm

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def rat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rat") / "G.pth"
    torch.save(formula_weights(sigmarat_shapes(latent=8, channel=4)), path)
    return path


def near(path: Path, dtype: str, **arguments: object) -> float:
    """The largest difference from float32, as a share of the range; there must be one."""
    full = sv.load_generator(path, device="cpu", dtype="float32", **arguments)
    z = full.sample_latent(3)
    exact = full.decode(z)
    reduced = sv.load_generator(path, device="cpu", dtype=dtype, **arguments).decode(z)
    assert reduced.dtype == np.float32
    difference = float(np.abs(reduced - exact).max())
    assert difference > 0
    return difference / float(np.ptp(exact))


@pytest.mark.parametrize(("dtype", "largest"), [("bfloat16", 0.1), ("float16", 0.02)])
def test_a_rat_in_fewer_bits(rat: Path, dtype: str, largest: float) -> None:
    assert near(rat, dtype) < largest


@pytest.mark.usefixtures("one_thread")
@torch.inference_mode()
def test_layers_that_are_computed_in_their_own_way() -> None:
    """Small ones: processors without instructions for bfloat16 take long."""
    draw = torch.Generator().manual_seed(0)
    factors, channels = ((1, 1, 1), (2, 2, 2), *((1, 1, 1),) * 3, (2, 2, 2), (1, 1, 1)), (128, 128, 128, 64, 32, 16, 8)
    network = HaGanNetwork(8, factors, branch=False, channels=channels)
    network.load_state_dict(formula_weights({key: tuple(t.shape) for key, t in network.state_dict().items()}))
    network.prepare()
    assert agree(lambda: last(network.steps(torch.randn(1, 8, generator=draw.manual_seed(1))))) > 0.99

    block, conv = ConvNeXtBlock(8), TrilinearConv3d(8, 4, (3, 5, 5), padding=(1, 2, 2), groups=4)
    for layer in (block, conv):
        layer.load_state_dict(formula_weights({key: tuple(t.shape) for key, t in layer.state_dict().items()}))

    def both() -> torch.Tensor:
        x = torch.randn(1, 8, 4, 5, 6, generator=draw.manual_seed(2)).contiguous(memory_format=torch.channels_last_3d)
        for _ in block.steps(x):
            pass
        return last(conv.steps(x))

    assert agree(both) > 0.99


def agree(compute: Callable[[], torch.Tensor]) -> float:
    """How well bfloat16 and float32 correlate; they must not be the same."""
    exact = compute().flatten()
    with computing_in(torch.bfloat16, CPU):
        reduced = compute().float().flatten()
    assert not torch.equal(exact, reduced)
    return float(torch.corrcoef(torch.stack([exact, reduced]))[0, 1])


def last(steps: Iterator[tuple[float, torch.Tensor | None]]) -> torch.Tensor:
    *_, (_, output) = steps
    assert output is not None
    return output


@pytest.mark.usefixtures("one_thread")
def test_latent_diffusion(tmp_path: Path) -> None:
    write_ldm(tmp_path / "ldm")
    assert near(tmp_path / "ldm", "bfloat16", num_head_channels=8, size="4x4x4", steps=2, output="raw") < 0.2


@pytest.mark.usefixtures("one_thread")
def test_slices_leave_float64(tmp_path: Path) -> None:
    """What is computed in float64 unless told otherwise follows the choice too."""
    path = write_cdpm(tmp_path / "ema_0.9999_250000.pt")
    assert near(path, "bfloat16", steps=1, size="2x16x16") > 1e-3


@pytest.mark.usefixtures("one_thread")
def test_a_volume_says_its_precision_and_is_made_again_in_it(rat: Path, tmp_path: Path) -> None:
    for dtype, recorded in (("auto", "float32"), ("bfloat16", "bfloat16")):
        volume = sv.load_generator(rat, device="cpu", dtype=dtype).generate(seed=1)
        assert volume.provenance is not None
        assert volume.provenance.dtype == recorded
        volume.save(tmp_path / f"{dtype}.nii.gz")
        assert verify_file(tmp_path / f"{dtype}.nii.gz", rat).bitwise_equal


def test_an_unknown_precision_is_named(rat: Path) -> None:
    with pytest.raises(WrongRequestError, match="auto, float32, bfloat16, float16, got 'int8'"):
        sv.load_generator(rat, device="cpu", dtype="int8")


@pytest.mark.parametrize(("capability", "preview"), [((9, 0), "bfloat16"), ((7, 5), "float16")])
def test_only_previews_on_nvidia_gpus_are_reduced_unasked(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], preview: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert name_of(resolve_dtype("auto", CUDA, coarse=True)) == preview
    assert name_of(resolve_dtype("auto", CUDA, coarse=False)) == "float32"
    assert name_of(resolve_dtype("auto", CPU, coarse=True)) == "float32"
    assert name_of(resolve_dtype("float32", CUDA, coarse=True)) == "float32"


def test_settings_are_put_back() -> None:
    def settings() -> tuple[bool, ...]:
        cudnn = torch.backends.cudnn
        return is_reduced(torch.zeros(1)), cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32

    before = settings()
    with computing_in(torch.bfloat16, CPU):
        assert settings() == (True, True, False, True)
    with computing_in(torch.float32, CPU):
        assert settings() == (False, False, True, False)
    assert settings() == before
