"""An ONNX model's files: the model, and those that its large tensors lie in.  Data, not code; still not to be trusted.

A model names the files of its tensors itself.  One that names a file outside its folder could have any file of this
computer read, so that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from synthview.errors import CheckpointError, IncompleteCheckpointError, UnsafeCheckpointError
from synthview.generators.sniffing import AGAIN
from synthview.generators.wording import brief, one_line

_DEEPEST = 20  # graphs within graphs
_NEEDS = "needs the packages of the extra onnx: pip install 'synthview[onnx]'"


def read_model(path: Path) -> Any:
    """An ``onnx.ModelProto`` without the tensors in other files.

    Raises:
        CheckpointError: it is damaged, or the package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise CheckpointError(f"{path} is an ONNX model, which {_NEEDS}") from error
    try:
        return onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's and onnx's own
        raise CheckpointError(f"{path} is a damaged ONNX model ({one_line(str(error), 120)}); {AGAIN}") from error


def runtime(path: Path) -> Any:
    """The package onnxruntime.

    Raises:
        CheckpointError: it is missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise CheckpointError(f"{path} is an ONNX model, and to run it {_NEEDS}") from error
    return onnxruntime


def onnx_files(path: Path) -> tuple[Path, ...]:
    """The model's file, then the files of its tensors.

    Raises:
        UnsafeCheckpointError: a tensor lies outside the model's folder.
        IncompleteCheckpointError: a file is missing; names it.
        CheckpointError: it is damaged, or the package onnx is missing.
    """
    files: dict[Path, None] = {path: None}
    for tensor in tensors(read_model(path)):
        if tensor.data_location != tensor.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        file = _inside(path, entries.get("location", ""))
        end = _number(entries.get("offset")) + _number(entries.get("length"))
        if end > file.stat().st_size:
            raise CheckpointError(
                f"{file} is cut short, or another model's: {path.name} expects {end} bytes in it; {AGAIN}"
            )
        files[file] = None
    return tuple(files)


def tensors(model: Any) -> Iterator[Any]:
    """Every tensor of a model, those of graphs within its nodes too."""
    yield from _graph_tensors(model.graph, 0)
    for function in model.functions:
        yield from _node_tensors(function.node, 0)


def _graph_tensors(graph: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise CheckpointError("an ONNX model with so many graphs within graphs is damaged, or made to do harm")
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node, depth)


def _node_tensors(nodes: Any, depth: int) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for graph in (attribute.g, *attribute.graphs):
                yield from _graph_tensors(graph, depth + 1)


def _inside(path: Path, location: str) -> Path:
    """The file that a model names, which has to lie in its folder, links followed."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    parts = (*posix.parts, *windows.parts)
    folder = path.parent.resolve()
    file = path.parent / location
    outside = posix.is_absolute() or windows.drive or windows.root or ".." in parts or not location.strip()
    if outside or "\0" in location or not file.resolve().is_relative_to(folder):
        raise UnsafeCheckpointError(
            f"{path} wants to read {brief(location) or 'a file without a name'!r}, which is outside its folder; "
            "nothing was read: export the model again with its data beside it"
        )
    if not file.is_file():
        raise IncompleteCheckpointError(
            f"{path} keeps its weights in {brief(location)}, which is missing: put that file into the same folder"
        )
    return file


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
