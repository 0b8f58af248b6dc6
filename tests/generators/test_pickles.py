"""Plain pickles: tensors are read, anything else is refused before it runs."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from synthview.errors import CheckpointError, UnsafeCheckpointError
from synthview.generators.checkpoint import read_checkpoint


class Names:
    """Pickled, it calls what it was given; unpickled by the book, that runs."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.reduced = (call, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.reduced


def write(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_state_dicts_are_read(tmp_path: Path, protocol: int) -> None:
    weights = OrderedDict({"a.weight": torch.arange(6.0).view(2, 3).T, "a.steps": torch.tensor(3)})
    optimizer = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-3, "amsgrad": False}]}
    parts = read_checkpoint(write(tmp_path / "m.pickle", [weights, optimizer], protocol)).parts
    assert list(parts) == ["0"]
    for key, tensor in weights.items():
        assert torch.equal(parts["0"][key], tensor)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (Names(Path.mkdir, Path("ran")), "pathlib"),
        (Names(eval, "1"), "eval"),
        (Names(torch._utils._rebuild_parameter, torch.zeros(1), False, OrderedDict()), "_rebuild_parameter"),
        ({"a.weight": torch.zeros(2).numpy()}, "numpy"),
        (torch.nn.Linear(1, 1), r"torch\.nn"),
    ],
)
def test_anything_else_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, names: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsafeCheckpointError, match=rf"plain pickle.*{names}.*nothing of it was run"):
        read_checkpoint(write(tmp_path / "m.pickle", [content]))
    assert not (tmp_path / "ran").exists()


def test_what_it_names_cannot_be_changed(tmp_path: Path) -> None:
    """BUILD on a function would set its defaults for the whole process."""
    change = b"\x80\x04ctorch._utils\n_rebuild_tensor_v2\nN}\x8c\x0c__defaults__)s\x86b."
    (tmp_path / "m.pickle").write_bytes(change)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "m.pickle")
    assert torch._utils._rebuild_tensor_v2.__defaults__ != ()


def test_a_tensor_outside_its_numbers_is_damage(tmp_path: Path) -> None:
    storage = torch.arange(4.0)._typed_storage()
    outside = Names(torch._utils._rebuild_tensor_v2, storage, 2, (4,), (1,), False, OrderedDict())
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(write(tmp_path / "m.pickle", {"a.weight": outside}))


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x96" + (1 << 45).to_bytes(8, "little") + b".",  # a byte array of 32 TiB
        b"\x80\x04\x8e" + (1 << 45).to_bytes(8, "little") + b".",  # bytes, likewise
        b"\x80\x04Nr\xff\xff\xff\x7f.",  # the memo's two thousand millionth place
    ],
)
def test_claims_of_memory_are_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.pickle").write_bytes(content)
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "m.pickle")
