"""How long each family takes on this machine's processor, and how much memory; weights are random and made here."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from measure import keep, median, run_and_hear, table

from synthview.generators.registry import find_family

_HA_GAN = {"latent_dim": 1024, "num_class": 0, "size": (128, 128, 128), "output": "unit"}  # size is not in the weights
_SIGMA_RAT = {"latent_dim": 500, "channel": 64, "batch_statistics": False}
# title, family, arguments of the published network, what a user has to say
CASES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("HA-GAN 128³", "ha-gan", _HA_GAN, ["size=128"]),
    ("HA-GAN 144×192×144", "ha-gan", _HA_GAN, ["size=144x192x144"]),
    ("HA-GAN 256³", "ha-gan", _HA_GAN, ["size=256"]),
    ("SigmaRat1 64³", "sigmarat", {**_SIGMA_RAT, "spectral_norm": True}, []),
    ("SigmaRat2 64³", "sigmarat", {**_SIGMA_RAT, "spectral_norm": False}, []),
]


def compare(runs: int) -> None:
    """Measure every case in a process of its own; print and keep medians."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SYNTHVIEW_DATA_DIR": folder}
        for title, family, arguments, said in CASES:
            path = Path(folder, "G.pth")
            _write_weights(path, family, arguments)
            script = str(Path(__file__).with_name("one_generator.py"))
            command = [sys.executable, script, str(path), family, str(runs), *said]
            heard = run_and_hear(command, environment=environment, timeout_s=900)
            results[title] = {
                "load_s": median([heard["load_s"]]),
                "generate_s": median(heard["generate_s"]),
                "coarse_s": median(heard["coarse_s"]),
                "peak_mb": round(heard["peak_mb"]),
            }
    keep("generators", {"runs": runs, "torch": torch.__version__, "threads": torch.get_num_threads(), **results})
    rows = [(title, *figures.values()) for title, figures in results.items()]
    table(("family", "load (s)", "volume (s)", "coarse volume (s)", "peak memory (MB)"), rows)


def _write_weights(path: Path, name: str, arguments: dict[str, Any]) -> None:
    """The network as its layers begin, untrained."""
    family, _ = find_family(name)
    torch.manual_seed(0)
    torch.save(family.build(arguments).state_dict(), path)
