"""Damaged and hostile checkpoints: several families in several containers, spoilt in every way that we know of.

``write_corpus`` makes as many as asked for, from a seed.  Run this file to look at what is said of each:

    python -m tests.generators.corruption FOLDER [COUNT]
"""

import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from tests.generators.formula import formula_weights, hagan_shapes, sigmarat_shapes

Weights = dict[str, torch.Tensor]
TRACE = "it-ran"  # hostile files make a file of this name in their folder


class Runs:
    """Unpickled by the book, it makes the trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mknod, (str(self.trace),)


class Evaluates(Runs):
    def __reduce__(self) -> tuple:
        return eval, (f"open({str(self.trace)!r}, 'w').close()",)


class Imports(Runs):
    def __reduce__(self) -> tuple:
        return torch.load, (str(self.trace),), {"x": 1}


# -- what is spoilt ------------------------------------------------------------------------------------------------


def stem_stack_shapes(latent: int = 6, channel: int = 2) -> dict[str, tuple[int, ...]]:
    """3dbraingen's α-GAN."""
    widths = [8 * channel, 4 * channel, 2 * channel, channel, 1]
    shapes: dict[str, tuple[int, ...]] = {"tp_conv1.weight": (latent, widths[0], 4, 4, 4)}
    shapes |= {f"tp_conv{i}.weight": (widths[i - 1], widths[i - 2], 3, 3, 3) for i in range(2, 6)}
    for i in range(1, 5):
        names = ("weight", "bias", "running_mean", "running_var")
        shapes |= {f"bn{i}.{name}": (widths[i - 1],) for name in names} | {f"bn{i}.num_batches_tracked": ()}
    return shapes


def compact(shapes: dict[str, tuple[int, ...]]) -> Weights:
    """A large network in a small file: every tensor is one number, expanded."""
    return {key: torch.tensor(0.01).expand(shape) for key, shape in shapes.items()}


def networks() -> dict[str, Weights]:
    """Small checkpoints by family."""
    return {
        "sigmarat": formula_weights(sigmarat_shapes(latent=8, channel=2)),
        "spectral": formula_weights(sigmarat_shapes(latent=8, channel=2, spectral=True)),
        "alphagan": formula_weights(stem_stack_shapes()),
        "hagan": compact(hagan_shapes(16)),
    }


def as_zip(content: Any) -> bytes:
    target = io.BytesIO()
    torch.save(content, target)
    return target.getvalue()


def as_legacy(content: Any) -> bytes:
    target = io.BytesIO()
    torch.save(content, target, _use_new_zipfile_serialization=False)
    return target.getvalue()


def as_pickle(content: Any) -> bytes:
    return pickle.dumps([content], protocol=4)


def as_safetensors(content: Any) -> bytes:
    tensors = {k: v.contiguous().clone() for k, v in content.items()}
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"corpus-{os.getpid()}.safetensors"
    save_file(tensors, path)
    try:
        return path.read_bytes()
    finally:
        path.unlink()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "zip.pth": as_zip, "legacy.pth": as_legacy, "pickle.pickle": as_pickle, "st.safetensors": as_safetensors,
}  # fmt: skip


# -- damage to bytes -----------------------------------------------------------------------------------------------


def flip_bits(data: bytes, draw: np.random.Generator) -> bytes:
    spoilt = bytearray(data)
    for _ in range(int(draw.integers(1, 9))):
        spoilt[int(draw.integers(len(spoilt)))] ^= 1 << int(draw.integers(8))
    return bytes(spoilt)


def flip_head(data: bytes, draw: np.random.Generator) -> bytes:
    """Where a file says what it is, and how large."""
    spoilt = bytearray(data)
    spoilt[int(draw.integers(min(len(spoilt), 600)))] = int(draw.integers(256))
    return bytes(spoilt)


def flip_tail(data: bytes, draw: np.random.Generator) -> bytes:
    """Where a zip file keeps its directory."""
    spoilt = bytearray(data)
    spoilt[-int(draw.integers(1, min(len(spoilt), 800)))] = int(draw.integers(256))
    return bytes(spoilt)


def cut(data: bytes, draw: np.random.Generator) -> bytes:
    return data[: int(draw.integers(1, len(data)))]


def blank(data: bytes, draw: np.random.Generator) -> bytes:
    start = int(draw.integers(len(data)))
    length = int(draw.integers(1, 5000))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def splice(data: bytes, draw: np.random.Generator) -> bytes:
    a, b = sorted(int(n) for n in draw.integers(len(data), size=2))
    return data[:a] + data[b:] + draw.bytes(7)


def noise(data: bytes, draw: np.random.Generator) -> bytes:
    return data[:16] + draw.bytes(min(len(data), 4000))


BYTES = (flip_bits, flip_head, flip_tail, cut, blank, splice, noise)


# -- damage to what is in it ---------------------------------------------------------------------------------------


def shuffled(w: Weights, draw: np.random.Generator) -> Any:
    keys = list(w)
    return {key: w[keys[i]] for key, i in zip(keys, draw.permutation(len(keys)), strict=True)}


def missing(w: Weights, draw: np.random.Generator) -> Any:
    gone = draw.choice(list(w), size=min(int(draw.integers(1, 4)), len(w) - 1), replace=False)
    return {key: tensor for key, tensor in w.items() if key not in gone}


def extra(w: Weights, draw: np.random.Generator) -> Any:
    return {**w, f"layer{draw.integers(99)}.weight": torch.zeros(3)}


def other_shape(w: Weights, draw: np.random.Generator) -> Any:
    key = str(draw.choice(list(w)))
    shape = [int(n) for n in draw.integers(0, 7, size=int(draw.integers(0, 6)))]
    return {**w, key: torch.zeros(shape)}


def renamed(w: Weights, draw: np.random.Generator) -> Any:
    names = ["\n\x1b[31mred\x07", "a" * 100_000, "../../etc/passwd", "", ".", "tp_conv1.weight.weight", "é\udcff"]
    key = str(draw.choice(list(w)))
    return {(str(names[draw.integers(len(names))]) + ".x" if k == key else k): v for k, v in w.items()}


def other_dtype(w: Weights, draw: np.random.Generator) -> Any:
    dtypes = [torch.int8, torch.int64, torch.bool, torch.complex64, torch.uint8, torch.float8_e4m3fn]
    dtype = dtypes[int(draw.integers(len(dtypes)))]
    return {key: tensor.to(dtype) for key, tensor in w.items()}


def not_numbers(w: Weights, draw: np.random.Generator) -> Any:
    key = next(k for k, v in w.items() if v.is_floating_point() and v.numel() > 1)
    return {**w, key: torch.full(w[key].shape, float(draw.choice([np.nan, np.inf, -np.inf])))}


def huge(w: Weights, draw: np.random.Generator) -> Any:
    """Shapes of terabytes from one number."""
    key = str(draw.choice(list(w)))
    shape = [(2**31, 8, 4, 4, 4), (10**6, 10**6), (2**62,), (3 * 10**8, 8, 3, 3, 3)][int(draw.integers(4))]
    return {**w, key: torch.zeros(1).expand(shape)}


def wrapped_oddly(w: Weights, draw: np.random.Generator) -> Any:
    wraps: list[Any] = [
        {"a": w, "b": dict(w)}, {"model": [w, w]}, [[[[[[w]]]]]], {"model": None}, {}, [], {"x": 3}, (1, 2), "text", 7,
        {"model": {1: 2}}, {"discriminator": w}, {"epoch": 3, "losses": [0.1]}, {"module." + k: v for k, v in w.items()}
        | w, {"optimizer": {"state": {0: w}}}, {"state_dict": {}}, torch.zeros(3),
    ]  # fmt: skip
    return wraps[int(draw.integers(len(wraps)))]


def endless(w: Weights, draw: np.random.Generator) -> Any:
    """Dictionaries that hold themselves, and lists of lists of … that are small only until somebody walks them."""
    kind = int(draw.integers(4))
    if kind == 0:
        circle: Any = {"model": w}
        circle["self"] = circle
        return circle
    if kind == 1:
        loop: Any = []
        loop.append(loop)
        return {"config": loop, "model": w}
    deep: Any = [0]
    for _ in range(60 if kind == 2 else 300):
        deep = [deep, deep] if kind == 2 else [deep]
    return {"config": deep, "model": w}


TREES = (
    shuffled, missing, extra, other_shape, renamed, other_dtype, not_numbers, huge, wrapped_oddly, endless,
)  # fmt: skip


# -- made to do harm -----------------------------------------------------------------------------------------------


def hostile(trace: Path, w: Weights) -> Iterator[tuple[str, bytes]]:
    """Files that would run something, fill the memory, or reach outside their folder."""
    for bad in (Runs(trace), Evaluates(trace), Imports(trace)):
        name = type(bad).__name__
        for writer in ("zip.pth", "legacy.pth"):
            yield f"{name}-{writer}", WRITERS[writer]({"model": w, "extra": bad})
        for protocol in range(6):
            yield f"{name}-{protocol}.pickle", pickle.dumps({"model": w, "extra": bad}, protocol=protocol)
        yield f"{name}-inside.pickle", pickle.dumps([OrderedDict(w), {"param_groups": [bad]}], protocol=4)
    command = f"cposix\nmknod\n(V{trace}\ntR.".encode()
    yield "hand-made.pth", b"\x80\x02" + command
    yield "text.pth", command
    yield "whole-module.pth", as_zip(torch.nn.Conv3d(1, 1, 3))
    yield "whole-module-legacy.pth", as_legacy(torch.nn.Conv3d(1, 1, 3))
    good = as_zip(w)
    yield (
        "bomb.pth",
        rezipped(
            good, lambda name, data: {name: data, name + "x": bytes(300 << 20)} if "data.pkl" in name else {name: data}
        ),
    )
    yield "bomb-2.pth", rezipped(good, lambda name, data: {name: data + bytes(50 << 20)})
    yield "twice.pth", rezipped(good, lambda name, data: {name: data}, twice=True)
    yield "outside.pth", rezipped(good, lambda name, data: {f"../../../{name}": data, name: data})
    yield "absolute.pth", rezipped(good, lambda name, data: {f"/etc/{name}": data})
    yield "no-data.pth", rezipped(good, lambda name, data: {} if "/data/" in name else {name: data})
    yield (
        "script.pt",
        rezipped(
            good,
            lambda name, data: {name: data} | ({"archive/constants.pkl": b"\x80\x02)."} if "data.pkl" in name else {}),
        ),
    )
    header = b'{"a.b":{"dtype":"F32","shape":[1000000000,1000],"data_offsets":[0,4000000000000]}}'
    yield "large.safetensors", struct.pack("<Q", len(header)) + header
    yield "long-header.safetensors", struct.pack("<Q", 99_000_000) + b'{"' + b"a" * 1000
    nested = b'{"a":' * 20000 + b"1" + b"}" * 20000
    yield "nested.safetensors", struct.pack("<Q", len(nested)) + nested
    for code in (b"\x96", b"\x8e", b"\x8d"):  # byte array, bytes, text: of 32 TiB
        yield f"claims-{code.hex()}.pickle", b"\x80\x04" + code + (1 << 45).to_bytes(8, "little") + b"."
    yield "memo.pickle", b"\x80\x04Nr\xff\xff\xff\x7f."
    yield "marks.pickle", b"\x80\x04" + b"(" * 300_000 + b"l" * 300_000 + b"."
    yield "tuples.pickle", b"\x80\x04)" + b"\x85" * 200_000 + b"."
    yield "number.pickle", b"\x80\x04\x8b" + (1 << 27).to_bytes(4, "little") + b"\xff" * 1000 + b"."
    yield "onnx-like.onnx", b"\x08\x07\x3a\xff\xff\xff\xff\x0f" + bytes(50)
    yield "onnx-empty.onnx", b"\x08\x07\x3a\x00"


def rezipped(data: bytes, change: Callable[[str, bytes], dict[str, bytes]], *, twice: bool = False) -> bytes:
    """A zip file with other records, compressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name)
            records = change(name, content)
            for new, bytes_ in records.items():
                archive.writestr(new, bytes_)
        if twice:
            archive.filelist.append(archive.filelist[0])
    return target.getvalue()


# -- all of it -----------------------------------------------------------------------------------------------------


def write_corpus(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write ``count`` spoilt checkpoints, each into a folder of its own."""
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    found = networks()
    files = list(hostile(folder / TRACE, found["sigmarat"]))
    files = [files[int(i)] for i in draw.permutation(len(files))][: max(count // 3, 10)]
    good = {(family, end): write(w) for family, w in found.items() for end, write in WRITERS.items()
            if not (family == "hagan" and end == "st.safetensors")}  # fmt: skip
    while len(files) < count:
        number = len(files)
        family, end = list(good)[number % len(good)]
        if number % 2:
            spoil = BYTES[number // 2 % len(BYTES)]
            files.append((f"{family}-{spoil.__name__}-{end}", spoil(good[family, end], draw)))
            continue
        change = TREES[number // 2 % len(TREES)]
        writer = "legacy.pth" if change in {huge, endless, wrapped_oddly} and "st." in end else end
        try:
            files.append((f"{family}-{change.__name__}-{writer}", WRITERS[writer](change(found[family], draw))))
        except (UnicodeError, AttributeError, ValueError):  # what this container can't even hold
            files.append((f"{family}-{change.__name__}-zip.pth", as_zip(extra(found[family], draw))))
    paths = []
    for number, (name, data) in enumerate(files):
        path = folder / f"{number:04}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    from synthview.cli.main import run

    for spoilt in write_corpus(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500):
        print(spoilt.relative_to(sys.argv[1]), run(["inspect", str(spoilt), "--json"]), flush=True)  # noqa: T201
