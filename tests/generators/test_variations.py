"""Every family at other sizes than the published ones, in every wrapper: recognised, with its arguments."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from synthview.generators.loading import inspect_checkpoint
from synthview.generators.registry import find_family
from tests.generators.test_cdpm import NETWORK as CDPM
from tests.generators.test_monai_ldm import AUTOENCODER, DIFFUSION

HAGAN = {"size": (128, 128, 128)}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("ha-gan", HAGAN | {"latent_dim": 700, "num_class": 0}),
    ("ha-gan", HAGAN | {"latent_dim": 1024, "num_class": 4}),
    ("crf-gan", HAGAN | {"latent_dim": 33, "num_class": 0}),
    ("3dbraingen-alpha-gan", {"latent_dim": 7, "channel": 3, "batch_statistics": False}),
    ("3dbraingen-wgan", {"latent_dim": 20, "channel": 2, "batch_statistics": False}),
    ("mrianateval-alpha-gan", {"latent_dim": 11, "channel": 5}),
    ("mrianateval-alpha-wgan", {"latent_dim": 100, "channel": 1}),
    ("mrianateval-vae-gan", {"latent_dim": 9, "channel": 2}),
    ("mrianateval-wgan", {"latent_dim": 9, "channel": 3}),
    ("sigmarat", {"latent_dim": 100, "channel": 3, "spectral_norm": True, "batch_statistics": False}),
    ("sigmarat", {"latent_dim": 1, "channel": 1, "spectral_norm": False, "batch_statistics": False}),
    ("csegsynth", {"channel_base": 16, "num_features": 0, "prior": False}),
    ("csegsynth", {"channel_base": 8, "num_features": 13, "prior": True}),
    ("mrianateval-cdpm", CDPM),
    ("mrianateval-cdpm", CDPM | {"num_channels": 64, "channels": (64, 128, 128), "attention": (False, True, True)}),
    ("monai-ldm", {"autoencoder": {**AUTOENCODER, "layout": "core"}, "diffusion": {**DIFFUSION, "layout": "core"}}),
    ("monai-ldm", {
        "autoencoder": {**AUTOENCODER, "channels": (16, 16, 32), "num_res_blocks": (1, 2, 1), "latent_channels": 8,
                        "attention_levels": (False, False, True), "layout": "generative"},
        "diffusion": {**DIFFUSION, "in_channels": 8, "out_channels": 8, "with_conditioning": True,
                      "cross_attention_dim": 9, "layout": "generative"},
    }),
]  # fmt: skip
Parts = list[dict[str, torch.Tensor]]
WRAPPERS: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "bare": lambda w: w,
    "training checkpoint": lambda w: {
        "epoch": 9, "model": {f"module.{k}": v for k, v in w.items()},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4)}}, "param_groups": [{}]},
    },
    "compiled, in parallel": lambda w: {"state_dict": {f"module._orig_mod.{k}": v.half() for k, v in w.items()}},
    "averages": lambda w: {"ema": w, "model": {k: v.double() for k, v in w.items()}, "best_loss": 0.1},
    "parameters": lambda w: OrderedDict((k, torch.nn.Parameter(v, v.is_floating_point())) for k, v in w.items()
                                        if v.is_floating_point()),
}  # fmt: skip


def parts_of(family: str, arguments: dict[str, Any]) -> Parts:
    """Compact tensors (one number, expanded) as the family's networks hold them, each network's by itself."""
    shapes = find_family(family)[0].expected_shapes(arguments)
    whole = {
        key: torch.tensor(0) if key.endswith("num_batches_tracked") else torch.tensor(0.01).expand(shape)
        for key, shape in shapes.items()
    }
    prefixes = {"csegsynth": ("condition.", "prior."), "monai-ldm": ("autoencoder.", "diffusion.")}.get(family, ())
    own = {key: tensor for key, tensor in whole.items() if not key.startswith(prefixes or ("-",))}
    others = [{k.removeprefix(p): v for k, v in whole.items() if k.startswith(p)} for p in prefixes]
    return [part for part in (own, *others) if part]


def write(folder: Path, family: str, parts: Parts, wrap: Callable[[Any], Any], container: str) -> Path:
    """As its authors lay it out: one file, a list of networks, or two files."""
    if family == "csegsynth":
        parts = [{f"decoder.{k}" if i == 0 else k: v for k, v in part.items()} for i, part in enumerate(parts)]
        content: Any = [OrderedDict(part) for part in parts] + [{"state": {}, "param_groups": []}] * len(parts)
        (folder / "2024(model_best).pickle").write_bytes(pickle.dumps(content, protocol=4))
        return folder
    names = ("autoencoder", "diffusion_model") if family == "monai-ldm" else ("G_iter1",)
    for name, part in zip(names, parts, strict=True):
        if container == "safetensors":
            save_file({k: v.contiguous().clone() for k, v in part.items()}, folder / f"{name}.safetensors")
        else:
            torch.save(wrap(part), folder / f"{name}.pth", _use_new_zipfile_serialization=container == "zip")
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_recognised_in_every_wrapper(tmp_path: Path, case: tuple[str, dict[str, Any]]) -> None:
    family, arguments = case
    parts = parts_of(family, arguments)
    small = sum(tensor.numel() for part in parts for tensor in part.values()) < 1_000_000
    kinds = [(wrapper, container) for wrapper in WRAPPERS for container in ("zip", "legacy")]
    for number, (wrapper, container) in enumerate([*kinds[:: 1 if small else 3], *([("bare", "safetensors")] * small)]):
        if family == "csegsynth" and number:
            break
        (folder := tmp_path / str(number)).mkdir()
        path = write(folder, family, parts, WRAPPERS[wrapper], container)
        found = inspect_checkpoint(path, arguments={"num_class": arguments.get("num_class", 0)} if "gan" in family
                                   and "num_class" in arguments else {}).info  # fmt: skip
        assert found.family == family, (wrapper, container)
        for name, value in arguments.items():
            if name not in {"size", "num_heads", "num_heads_upsample", "autoencoder", "diffusion"}:
                assert found.arguments[name] == value, (wrapper, container, name)
        for network in ("autoencoder", "diffusion") if family == "monai-ldm" else ():
            same = {"channels", "num_res_blocks", "attention_levels", "layout", "in_channels", "out_channels"}
            for name in same:
                assert found.arguments[network][name] == arguments[network][name], (wrapper, container, name)
        assert found.arguments.get("weights") == ("ema" if wrapper == "averages" else None)
