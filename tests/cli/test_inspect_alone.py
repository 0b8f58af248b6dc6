"""``synthview inspect`` in a process of its own: what it says, and what it does without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from synthview.generators.loading import inspect_checkpoint
from tests.generators.test_monai_ldm import write_ldm
from tests.small_checkpoint import write_sigmarat

CODE = """
import json, sys
from synthview.cli.main import run
status = run(["inspect", sys.argv[1], "--json"])
print(json.dumps([status, [name for name in sys.argv[2:] if name in sys.modules]]), file=sys.stderr)
"""


def inspect_alone(path: Path, *modules: str) -> tuple[dict, list[str]]:
    """What it prints, and which of these modules it imported."""
    command = [sys.executable, "-W", "error", "-c", CODE, str(path), *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    status, imported = json.loads(done.stderr.splitlines()[-1])
    assert status == 0
    return json.loads(done.stdout), imported


@pytest.mark.parametrize("kind", ["sigmarat", "ldm"])
def test_it_says_the_same_as_in_a_process_with_all_of_torch_and_monai(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "checkpoint"
    path.mkdir()
    write_ldm(path) if kind == "ldm" else write_sigmarat(path / "G_iter200000.pth")
    said, imported = inspect_alone(path, "torch", "torch._meta_registrations", "monai", "PySide6")
    expected = inspect_checkpoint(path)
    assert said == {**json.loads(json.dumps(expected.info.to_dict())), "open_arguments": said["open_arguments"]}
    assert imported == ["torch"]


NEEDY = """
import torch
from synthview.generators.networks.sigmarat import SigmaRat

class Theirs(SigmaRat):
    id, title, aliases = "needy", "Needy", {}

    def build(self, arguments):
        torch.nn.functional.scaled_dot_product_attention(*torch.randn(3, 1, 1, 4, 4))
        torch.linalg.pinv(torch.randn(3, 3))
        return super().build(arguments)
"""


def test_a_family_that_computes_on_the_meta_device_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.generators.test_other_packages import offer

    offer(tmp_path, "needy", NEEDY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    torch.save({"w.weight": torch.zeros(3)}, tmp_path / "none.pth")
    path = write_sigmarat(tmp_path / "G_iter200000.pth")
    command = [sys.executable, "-m", "synthview", "inspect", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert "fits several families: sigmarat, needy" in done.stderr
