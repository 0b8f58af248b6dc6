"""ONNX models, run by onnxruntime (the extra ``onnx``).  They are data: opening one runs nothing but its operations."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch

from synthview.errors import CheckpointError
from synthview.generators.family import Arguments
from synthview.generators.programs.onnx_files import read_model, runtime
from synthview.generators.programs.program import Program, ProgramNetwork, wrong_inputs
from synthview.generators.programs.signature import Signature, from_shapes
from synthview.generators.wording import one_line

_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
_FRACTIONS = {1, 10, 11, 16}  # ONNX's numbers for float, float16, double, bfloat16
_QUIET = 4  # onnxruntime's log level: only what ends the program


class OnnxNetwork(ProgramNetwork):
    """A session of onnxruntime."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session

    def run(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """One run, by way of the CPU's memory."""
        given = [z] if condition is None else [z, condition]
        feeds = {
            declared.name: x.cpu().numpy().astype(_DTYPES[declared.type])
            for declared, x in zip(self.session.get_inputs(), given, strict=True)
        }
        output = self.session.run([self.session.get_outputs()[0].name], feeds)[0]
        return torch.from_numpy(np.asarray(output, dtype=np.float32))


class OnnxModel(Program):
    """An ``.onnx`` file."""

    runs_code: ClassVar[bool] = False
    id = "onnx"
    title = "ONNX model"

    def read_signature(self) -> Signature:
        """Shapes of its inputs and its first output, and the number of its weights."""
        model = read_model(self.path)
        weights = {tensor.name for tensor in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in weights]
        if not model.graph.output:
            raise CheckpointError(f"{self.path} is an ONNX model without outputs; export it again")
        if not 1 <= len(inputs) <= 2:
            raise wrong_inputs(self.path, len(inputs))
        numbers = sum(math.prod(t.dims) for t in model.graph.initializer if t.data_type in _FRACTIONS)
        return from_shapes([_shape(value) for value in inputs], _shape(model.graph.output[0]), numbers)

    def load(self, arguments: Arguments, device: torch.device) -> tuple[ProgramNetwork, torch.device]:
        """A session on the GPU if onnxruntime can use it, else on the CPU."""
        package = runtime(self.path)
        on_gpu = device.type == "cuda" and "CUDAExecutionProvider" in package.get_available_providers()
        options = package.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = _QUIET
        provider: Any = (
            ("CUDAExecutionProvider", {"device_id": device.index or 0}) if on_gpu else "CPUExecutionProvider"
        )
        try:
            session = package.InferenceSession(str(self.path), options, providers=[provider])
        except Exception as error:  # onnxruntime has a class of error for each cause, and none in common
            raise CheckpointError(
                f"{self.path} can't be run by onnxruntime {package.__version__} ({one_line(str(error), 160)}); it is "
                "damaged, or needs another version"
            ) from error
        if wrong := [declared.type for declared in session.get_inputs() if declared.type not in _DTYPES]:
            raise CheckpointError(
                f"{self.path} takes {wrong[0]}; latents and features are floating-point numbers; export it again"
            )
        return OnnxNetwork(session), device if on_gpu else torch.device("cpu")


def _shape(value: Any) -> tuple[int | None, ...]:
    """Lengths of the axes; None for those that may vary."""
    axes = value.type.tensor_type.shape.dim
    return tuple(axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None for axis in axes)
