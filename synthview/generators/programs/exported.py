"""Exported programs: a network as a graph of operations, with its weights (``torch.export.save``).

Loading one runs code from the file: constants are unpickled, sizes and guards are evaluated as Python.  What it says of
its inputs and outputs is plain JSON, which is read here without that.
"""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import torch

from synthview.errors import CheckpointError
from synthview.generators.family import Arguments
from synthview.generators.programs.archives import check_archive, damaged
from synthview.generators.programs.program import Program, ProgramNetwork, first_tensor, wrong_inputs
from synthview.generators.programs.signature import Signature, from_shapes

_LARGEST_JSON = 200_000_000  # bytes of the graph's description


class GraphNetwork(ProgramNetwork):
    """An exported program's graph.

    Args:
        module: of the program.
        dtypes: of its inputs.
    """

    def __init__(self, module: torch.nn.Module, dtypes: list[torch.dtype]) -> None:
        super().__init__()
        self.module = module
        self.dtypes = dtypes

    def run(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """One call."""
        inputs = [z] if condition is None else [z, condition]
        return first_tensor(self.module(*(x.to(dtype) for x, dtype in zip(inputs, self.dtypes, strict=True)))).float()


class Exported(Program):
    """A ``.pt2`` file."""

    id = "torch-export"
    title = "torch.export program"

    def read_signature(self) -> Signature:
        """Shapes of its inputs and its first output, and the number of its weights."""
        check_archive(self.path)
        try:
            program = self._description()
            graph = program["graph_module"]["graph"]
            signature = program["graph_module"]["signature"]
            tensors: Mapping[str, Any] = graph["tensor_values"]
            given = [_name(spec["user_input"]) for spec in signature["input_specs"] if "user_input" in spec]
            made = [_name(spec["user_output"]) for spec in signature["output_specs"] if "user_output" in spec]
            held = [_name(next(iter(spec.values()))) for spec in signature["input_specs"] if "user_input" not in spec]
            numbers = sum(math.prod(n or 0 for n in _shape(tensors[name])) for name in held if name in tensors)
            inputs = [_shape(tensors[name]) for name in given if name in tensors]
            output = _shape(tensors[made[0]]) if made and made[0] in tensors else None
        except CheckpointError:
            raise
        except Exception as error:  # whatever is not as it should be
            raise damaged(self.path, error) from error
        if not 1 <= len(inputs) <= 2 or len(inputs) != len(given):
            raise wrong_inputs(self.path, len(given))
        return from_shapes(inputs, output, numbers)

    def load(self, arguments: Arguments, device: torch.device) -> tuple[ProgramNetwork, torch.device]:
        """``torch.export.load``, moved to the device."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about versions and pickles, which the user has agreed to
                program = torch.export.load(self.path)
                if device.type != "cpu":
                    from torch.export.passes import move_to_device_pass

                    program = move_to_device_pass(program, device)
                names = program.graph_signature.user_inputs
                values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
                dtypes = [values[str(name)].dtype for name in names]
                return GraphNetwork(program.module(), dtypes).requires_grad_(False), device
        except Exception as error:
            raise damaged(self.path, error) from error

    def _description(self) -> dict[str, Any]:
        """The program as JSON: of torch 2.7 and later, or of the versions before."""
        with zipfile.ZipFile(self.path) as archive:
            for record in archive.infolist():
                name = record.filename.split("/", 1)[-1]
                old = record.filename.endswith("serialized_exported_program.json")
                if not old and not (name.startswith("models/") and name.endswith(".json")):
                    continue
                if record.file_size > _LARGEST_JSON:
                    raise CheckpointError(f"{self.path} is damaged: its graph is larger than any network's")
                found: dict[str, Any] = json.loads(archive.read(record))
                return found
        raise CheckpointError(f"{self.path} is an archive of torch.export without a program; export it again")


def _name(spec: Mapping[str, Any]) -> str:
    """Name of the tensor that an input or output of the graph is."""
    argument: Mapping[str, Any] = spec.get("arg", {})
    argument = argument.get("as_tensor", argument)
    return str(argument.get("name", ""))


def _shape(tensor: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Lengths of the axes; None for those that may vary."""
    return tuple(size.get("as_int") for size in tensor["sizes"])
