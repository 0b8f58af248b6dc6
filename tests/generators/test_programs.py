"""Networks that people bring: TorchScript, torch.export and ONNX; what is asked before they run, what is refused."""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import synthview as sv
from synthview import userdata
from synthview.cli.main import run
from synthview.errors import (
    CheckpointError,
    IncompleteCheckpointError,
    SynthviewError,
    TrustNeededError,
    UnsafeCheckpointError,
    WrongRequestError,
)
from synthview.generators.loading import inspect_checkpoint, open_generator
from synthview.generators.verification import verify_file
from synthview.volume import VolumeKind

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


class Small(nn.Module):
    """Latents of 8, perhaps with columns, to volumes of 4 × 5 × 6."""

    def __init__(self, columns: int = 0, channels: int = 1) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.fc = nn.Linear(8, channels * 120)
        self.condition = nn.Linear(columns, channels * 120) if columns else None
        self.channels = channels

    def forward(self, z: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
        x = self.fc(z)
        if self.condition is not None and features is not None:
            x = x + self.condition(features)
        return x.view(-1, self.channels, 4, 5, 6).softmax(1) if self.channels > 1 else x.view(-1, 1, 4, 5, 6).tanh()


def inputs(columns: int) -> tuple[torch.Tensor, ...]:
    return (torch.randn(2, 8), torch.randn(2, columns)) if columns else (torch.randn(2, 8),)


def write_script(path: Path, network: nn.Module, columns: int = 0) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(network.eval(), inputs(columns)), str(path))
    return path


def write_exported(path: Path, network: nn.Module, columns: int = 0, batch: Any = None) -> Path:
    axis = {0: batch or torch.export.Dim.AUTO}
    program = torch.export.export(
        network.eval(), inputs(columns), dynamic_shapes=None if batch == 2 else tuple(axis for _ in inputs(columns))
    )
    torch.export.save(program, path)
    return path


def write_onnx(path: Path, columns: int = 0, *, kind: Any = None, data: str = "") -> Path:
    """The same network as an ONNX graph, its weights perhaps in a file beside it."""
    from onnx import TensorProto, helper, numpy_helper

    kind = kind or TensorProto.FLOAT
    network = Small(columns)
    named = {"w": network.fc.weight, "b": network.fc.bias}
    if network.condition is not None:
        named |= {"v": network.condition.weight, "c": network.condition.bias}
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    weights = [numpy_helper.from_array(t.detach().numpy().astype(dtype), name) for name, t in named.items()]
    weights.append(numpy_helper.from_array(np.array([-1, 1, 4, 5, 6]), "shape"))
    nodes = [helper.make_node("Gemm", ["z", "w", "b"], ["x"], transB=1)]
    given = [helper.make_tensor_value_info("z", kind, ["n", 8])]
    if columns:
        given.append(helper.make_tensor_value_info("features", kind, ["n", columns]))
        nodes += [helper.make_node("Gemm", ["features", "v", "c"], ["y"], transB=1)]
        nodes += [helper.make_node("Add", ["x", "y"], ["sum"])]
    nodes += [helper.make_node("Reshape", ["sum" if columns else "x", "shape"], ["grid"])]
    nodes += [helper.make_node("Tanh", ["grid"], ["out"])]
    out = helper.make_tensor_value_info("out", kind, ["n", 1, 4, 5, 6])
    model = helper.make_model(
        helper.make_graph(nodes, "g", given, [out], weights), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    if data:
        onnx.save(model, str(path), save_as_external_data=True, location=data, size_threshold=100)
    else:
        onnx.save(model, str(path))
    return path


def put_manifest(path: Path, **content: Any) -> None:
    said = {"name": "Mine", "weights": path.name, **content}
    path.with_name("manifest.json").write_text(json.dumps(said))


LATENT = {"arguments": {"latent_shape": [8]}}
AGE_AND_SEX = [
    {"name": "age", "unit": "years", "low": 20, "high": 80, "mean": 50, "std": 10},
    {"name": "sex", "kind": "category", "categories": ["female", "male"]},
]


@pytest.fixture(params=["script.pt", "exported.pt2", "network.onnx"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Each kind of program, unconditional."""
    path = tmp_path / request.param
    if path.suffix == ".onnx":
        write_onnx(path)
    else:
        (write_script if path.suffix == ".pt" else write_exported)(path, Small())
    put_manifest(path, **LATENT, output={"spacing": [1, 2, 3], "orientation": "LPS", "kind": "T1w"}, licence="CC0")
    return path


def write(path: Path, columns: int) -> Path:
    """A conditional program of the kind that the name says."""
    if path.suffix == ".onnx":
        return write_onnx(path, columns)
    return (write_script if path.suffix == ".pt" else write_exported)(path, Small(columns), columns)


# -- what they make ------------------------------------------------------------------------------------------------


def test_a_program_makes_volumes_as_its_manifest_says(program: Path, tmp_path: Path) -> None:
    generator = sv.load_generator(program, device="cpu", trust=True)
    z = generator.sample_latent(seed=3, count=3)
    with torch.no_grad():
        expected = Small().eval()(torch.from_numpy(z)).numpy()
    np.testing.assert_allclose(generator.decode(z), expected, atol=1e-6)
    volume = generator.generate(seed=3)
    assert (volume.spacing, volume.kind) == ((1, 2, 3), VolumeKind.T1W)
    np.testing.assert_allclose(volume.voxels, expected[0, 0, ::-1, ::-1], atol=1e-6)
    info = generator.info
    assert (info.latent_shape, info.output_shape, info.parameters) == ((8,), (1, 4, 5, 6), 1080)
    saved = volume.save(tmp_path / "made.nii.gz")
    assert verify_file(saved).bitwise_equal


def test_inspect_runs_nothing_and_needs_no_yes(program: Path) -> None:
    info = inspect_checkpoint(program).info
    assert (info.latent_shape, info.label, info.licence) == ((8,), "Mine", "CC0")
    assert any("needs your yes" in note for note in info.notes) == (program.suffix != ".onnx")


@pytest.mark.parametrize("name", ["script.pt", "exported.pt2", "network.onnx"])
@pytest.mark.parametrize("columns", [2, 3])
def test_features_in_real_units_and_categories_as_numbers_or_columns(tmp_path: Path, name: str, columns: int) -> None:
    path = write(tmp_path / name, columns)
    one_hot = {"one_hot": True} if columns == 3 and path.suffix == ".pt" else {}  # only TorchScript doesn't say
    put_manifest(path, arguments={"latent_shape": [8], **one_hot}, features=AGE_AND_SEX)
    generator = sv.load_generator(path, device="cpu", trust=True)
    z = generator.sample_latent(seed=1)
    row = [2.0, 1.0] if columns == 2 else [2.0, 0.0, 1.0]
    with torch.no_grad():
        expected = Small(columns).eval()(torch.from_numpy(z), torch.tensor([row])).numpy()
    np.testing.assert_allclose(generator.decode(z, {"age": 70, "sex": 1}), expected, atol=1e-6)
    with pytest.raises(WrongRequestError, match="age must be between 20 and 80 years"):
        generator.decode(z, {"age": 90})


def test_features_without_a_manifest_are_plain_numbers(tmp_path: Path) -> None:
    generator = sv.load_generator(write_onnx(tmp_path / "n.onnx", 2), device="cpu")
    assert [feature.name for feature in generator.info.features] == ["feature_1", "feature_2"]
    assert any("meaning of the features is not in the program" in note for note in generator.info.notes)


def test_a_tissue_map(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "maps.pt2", Small(channels=3))
    put_manifest(path, output={"kind": "tissue map"})
    volume = sv.load_generator(path, device="cpu", trust=True).generate(seed=0)
    assert (volume.kind, volume.voxels.shape) == (VolumeKind.TISSUE_MAP, (3, 4, 5, 6))
    put_manifest(path)
    with pytest.raises(CheckpointError, match="makes 3 channels, and nothing says what they are"):
        sv.load_generator(path, device="cpu").generate(seed=0)


class Drawing(Small):
    """Draws random numbers of its own."""

    def forward(self, z: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
        return super().forward(z) + torch.randn(z.shape[0], 1, 4, 5, 6)


def test_random_numbers_of_a_program_come_from_the_seed_and_leave_ours_alone(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "drawing.pt2", Drawing())
    generator = sv.load_generator(path, device="cpu", trust=True)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    one, two, other = (generator.generate(seed=seed).voxels for seed in (5, 5, 6))
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_half_precision_and_weights_in_another_file(tmp_path: Path) -> None:
    z = np.ones((1, 8))
    plain = sv.load_generator(write_onnx(tmp_path / "plain.onnx"), device="cpu").decode(z)
    half = write_onnx(tmp_path / "half.onnx", kind=onnx.TensorProto.FLOAT16)
    np.testing.assert_allclose(sv.load_generator(half, device="cpu").decode(z), plain, atol=5e-3)
    split = write_onnx(tmp_path / "split.onnx", data="split.data")
    before = sv.load_generator(split, device="cpu")
    assert np.array_equal(before.decode(z), plain)
    (tmp_path / "split.data").write_bytes((tmp_path / "split.data").read_bytes()[:-1] + b"\x01")
    assert inspect_checkpoint(split).info.sha256 != before.info.sha256  # its identity is that of both files


# -- the user's yes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["script.pt", "exported.pt2"])
def test_no_code_runs_without_a_yes_which_holds_for_that_file_alone(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / name, 0)
    put_manifest(path, **LATENT)
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was opened"))
    monkeypatch.setattr(torch.export, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(TrustNeededError, match=r"runs code from it.*--trust") as caught:
        sv.load_generator(path)
    assert (caught.value.sha256, caught.value.path) == (inspect_checkpoint(path).info.sha256, str(path))
    monkeypatch.undo()
    assert sv.load_generator(path, device="cpu", trust=True)
    assert sv.load_generator(path, device="cpu")  # the yes is remembered
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises((TrustNeededError, CheckpointError)):
        sv.load_generator(path, device="cpu")


def test_a_file_can_not_give_the_yes(tmp_path: Path) -> None:
    """Provenance and manifests hold arguments; none of them is the user's word."""
    path = write(tmp_path / "script.pt", 0)
    put_manifest(path, arguments={"latent_shape": [8], "trust": True})
    with pytest.raises(CheckpointError, match="no argument 'trust'"):
        sv.load_generator(path)
    put_manifest(path, **LATENT)
    with pytest.raises(WrongRequestError, match="no argument 'trust'"):
        open_generator(path, {"trust": True})


def test_the_command_line_asks_and_remembers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "script.pt", 0)
    put_manifest(path, **LATENT)
    made = ["generate", str(path), "--device", "cpu", "--out"]
    assert run([*made, str(tmp_path / "a")]) == 1
    assert "say --trust" in capsys.readouterr().err
    assert run([*made, str(tmp_path / "b"), "--trust"]) == 0
    assert run([*made, str(tmp_path / "c")]) == 0
    assert userdata.is_trusted(inspect_checkpoint(path).info.sha256)


def test_a_whole_module_is_never_opened_and_the_way_out_is_named(tmp_path: Path) -> None:
    torch.save(Small(), tmp_path / "whole.pth")
    with pytest.raises(UnsafeCheckpointError, match=r"torch\.save\(model\.state_dict\(\)"):
        sv.load_generator(tmp_path / "whole.pth", trust=True)


# -- what is wrong -------------------------------------------------------------------------------------------------


def test_without_the_latent_s_shape(tmp_path: Path) -> None:
    path = write(tmp_path / "script.pt", 0)
    with pytest.raises(CheckpointError, match=r'does not say what latents it takes.*"latent_shape": \[128\]'):
        sv.load_generator(path, trust=True)
    assert sv.load_generator(path, trust=True, latent_shape="8", device="cpu").info.output_shape == (1, 4, 5, 6)


@pytest.mark.parametrize("name", ["exported.pt2", "network.onnx"])
def test_a_manifest_that_contradicts_the_program(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, 2)
    put_manifest(path, arguments={"latent_shape": [9]})
    with pytest.raises((CheckpointError, WrongRequestError), match=r"latent_shape 9 does not fit .* which says 8"):
        inspect_checkpoint(path)
    put_manifest(path, features=[{"name": "age"}])
    with pytest.raises(CheckpointError, match=r"features make 1 columns where .* takes 2"):
        inspect_checkpoint(path)
    put_manifest(path, family="ha-gan")
    with pytest.raises(CheckpointError, match="is of no family"):
        inspect_checkpoint(path)
    put_manifest(path)
    with pytest.raises(WrongRequestError, match="is of no family"):
        inspect_checkpoint(path, family="ha-gan")


def test_a_script_that_fails_or_takes_something_else(tmp_path: Path) -> None:
    path = write(tmp_path / "script.pt", 0)
    with pytest.raises(SynthviewError, match=r"failed when it was given latents of 9: .*mat1 and mat2") as caught:
        sv.load_generator(path, trust=True, latent_shape=9)
    assert "\n" not in str(caught.value)
    put_manifest(path, **LATENT, features=AGE_AND_SEX)
    with pytest.raises(CheckpointError, match="takes z, and would be given latents and features"):
        sv.load_generator(path, trust=True)
    put_manifest(write_script(tmp_path / "two.pt", Small(2), 2), **LATENT)
    with pytest.raises(CheckpointError, match="its manifest names no features"):
        sv.load_generator(tmp_path / "two.pt", trust=True)


def test_an_exported_program_for_two_at_a_time(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "two.pt2", Small(), batch=2)
    with pytest.raises(CheckpointError, match="takes 2 latents at a time"):
        sv.load_generator(path, trust=True)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "C:\\secret.bin", "a/../../secret.bin", "link"])
def test_an_onnx_model_reads_nothing_outside_its_folder(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(1 << 16))
    (folder / "link").symlink_to(tmp_path / "secret.bin")
    path = write_onnx(folder / "n.onnx", data="n.data")
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsafeCheckpointError, match="outside its folder; nothing was read"):
        sv.load_generator(path)


def test_an_onnx_model_without_its_weights(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "n.onnx", data="n.data")
    content = (tmp_path / "n.data").read_bytes()
    (tmp_path / "n.data").write_bytes(content[:100])
    with pytest.raises(CheckpointError, match=r"n\.data is cut short"):
        inspect_checkpoint(path)
    (tmp_path / "n.data").unlink()
    with pytest.raises(IncompleteCheckpointError, match=r"keeps its weights in n\.data, which is missing"):
        inspect_checkpoint(path)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_the_extra_its_name_is_said(tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_onnx(tmp_path / "n.onnx")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CheckpointError, match=r"pip install 'synthview\[onnx\]'"):
        sv.load_generator(path)


@pytest.mark.parametrize("name", ["script.pt", "exported.pt2", "network.onnx"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_programs_cut_short(tmp_path: Path, name: str, kept: float) -> None:
    path = write(tmp_path / name, 0)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(CheckpointError):
        sv.load_generator(path, trust=True, device="cpu")
