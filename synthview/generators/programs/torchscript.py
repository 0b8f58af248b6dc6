"""TorchScript: a network's own code, compiled, with its weights (``torch.jit.save``)."""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from typing import Any

import torch

from synthview.errors import CheckpointError
from synthview.generators.family import Arguments
from synthview.generators.programs.archives import check_archive, damaged
from synthview.generators.programs.program import Program, ProgramNetwork, first_tensor
from synthview.generators.programs.signature import Signature


class ScriptNetwork(ProgramNetwork):
    """A TorchScript module."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def run(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """One call of its ``forward``."""
        return first_tensor(self.module(z) if condition is None else self.module(z, condition))


class TorchScript(Program):
    """A TorchScript archive; its manifest has to say what it takes."""

    id = "torchscript"
    title = "TorchScript program"

    def read_signature(self) -> Signature:
        """Only the number of weights: the archive says no shapes."""
        check_archive(self.path)
        said = self.manifest.features if self.manifest is not None else ()
        return Signature(columns=None if said else 0, parameters=self._parameters())

    def load(self, arguments: Arguments, device: torch.device) -> tuple[ProgramNetwork, torch.device]:
        """``torch.jit.load``, in evaluation mode and float32."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # torch prefers torch.export; the files remain
                read: Any = torch.jit.load  # torch leaves its types out
                module = read(str(self.path), map_location=device).eval().float()
        except Exception as error:
            raise damaged(self.path, error) from error
        self._check_inputs(module, conditional=bool(self.features(arguments)))
        return ScriptNetwork(module).requires_grad_(False), device

    def _check_inputs(self, module: Any, *, conditional: bool) -> None:
        try:
            inputs = list(module.forward.schema.arguments)[1:]
        except (AttributeError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.path} has no forward, so that nothing can be generated with it; save it again"
            ) from error
        needed = [argument.name for argument in inputs if not argument.has_default_value()]
        wanted = 2 if conditional else 1
        if len(needed) > wanted or len(inputs) < wanted:
            names = ", ".join(argument.name for argument in inputs) or "nothing"
            what = "latents and features" if conditional else "latents alone: its manifest names no features"
            raise CheckpointError(f"{self.path} takes {names}, and would be given {what}; correct its manifest.json")

    def _parameters(self) -> int:
        """Numbers in the archive's storages, from its pickle's instructions; none is carried out."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [n for n in archive.namelist() if n.split("/", 1)[-1] in {"data.pkl", "constants.pkl"}]
                return sum(_storage_numbers(archive.read(name)) for name in names)
        except Exception as error:
            raise damaged(self.path, error) from error


def _storage_numbers(content: bytes) -> int:
    """Sum over the storages of a TorchScript pickle: ("storage", type, key, device, numel) before each BINPERSID."""
    sizes: dict[str, int] = {}
    memo: dict[int, Any] = {}
    recent: list[Any] = []
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in {"BINPUT", "LONG_BINPUT"} and isinstance(argument, int):
            memo[argument] = recent[-1] if recent else None
        elif opcode.name in {"BINGET", "LONG_BINGET"} and isinstance(argument, int):
            recent.append(memo.get(argument))
        elif opcode.name == "BINPERSID":
            keys = [value for value in recent[-3:] if isinstance(value, str) and value.isdecimal()]
            if keys and isinstance(recent[-1], int):
                sizes[keys[0]] = recent[-1]
        elif isinstance(argument, str | int):
            recent.append(argument)
    return sum(sizes.values())
