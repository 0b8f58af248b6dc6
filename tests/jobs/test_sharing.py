"""Messages between processes: what goes in comes out, nothing is left in shared memory, damage is noticed."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import secrets
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthview.errors import Cancelled, CheckpointError, MissingArgumentError, SynthviewError, WrongRequestError
from synthview.generators.info import OpenArgument
from synthview.jobs import sharing
from synthview.jobs.messages import Done, Failed
from synthview.jobs.sharing import DamagedMessageError, Receiver, Sender, sendable_error
from synthview.volume import Volume, VolumeKind

SHARED_MEMORY = Path("/dev/shm")
on_linux = pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="blocks can be listed on Linux only")


@pytest.fixture
def prefix() -> str:
    return f"svt{secrets.token_hex(4)}_"


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        yield ours, theirs


def blocks(prefix: str) -> list[str]:
    return sorted(path.name for path in SHARED_MEMORY.glob(f"{prefix}*"))


def example(order: str = "C", shape: tuple[int, ...] = (40, 50, 60)) -> Volume:
    voxels = np.asarray(np.random.default_rng(0).normal(size=shape).astype(np.float32), order=order)
    return Volume(voxels, np.diag([2.0, 2.0, 2.0, 1.0]), kind=VolumeKind.CT, unit="HU", name="example", notes=("note",))


def cross(message: object, pipe: tuple[Connection, Connection], prefix: str) -> tuple[Any, str | None]:
    sender, receiver = Sender(pipe[0], prefix), Receiver(pipe[1], prefix)
    thread = threading.Thread(target=sender.send, args=(message,))  # what goes through the pipe must be read meanwhile
    thread.start()
    received = receiver.receive()
    thread.join()
    if received[1] is not None:
        sender.on_received(received[1])
    return received


def test_errors_cross_after_dask_has_changed_how_they_are_pickled(pipe, prefix):
    pytest.importorskip("distributed")
    received, _ = cross(Failed(3, CheckpointError("G.pth is damaged")), pipe, prefix)
    assert isinstance(received.error, CheckpointError)
    assert str(received.error) == "G.pth is damaged"


def test_an_enum_crosses_as_a_value_whatever_python_makes_of_it(pipe, prefix, monkeypatch):
    monkeypatch.setattr(VolumeKind, "__reduce_ex__", lambda self, _: (getattr, (type(self), self.name)))  # as 3.11.2
    received, _ = cross(VolumeKind.CT, pipe, prefix)
    assert received is VolumeKind.CT


@on_linux
@pytest.mark.parametrize("view", ["as it is", "Fortran order", "flipped and cropped"])
def test_a_volume_crosses_in_shared_memory_and_leaves_none(pipe, prefix, view):
    volume = example("F" if view == "Fortran order" else "C")
    if view == "flipped and cropped":
        volume = Volume(volume.voxels[::-1, 3:, ::2], volume.affine, kind=volume.kind, unit="HU", name="example")
    received, block = cross(Done(7, volume), pipe, prefix)
    assert block == f"{prefix}0"
    assert received.job == 7
    np.testing.assert_array_equal(received.result.voxels, volume.voxels)
    np.testing.assert_array_equal(received.result.affine, volume.affine)
    assert (received.result.kind, received.result.unit, received.result.notes) == (VolumeKind.CT, "HU", volume.notes)
    assert received.result.voxels.flags.writeable
    assert blocks(prefix) == []


def test_several_arrays_each_come_back_in_their_own_place(pipe, prefix):
    arrays = [np.arange(n, dtype=np.float64) for n in (20_000, 3, 30_001)]
    received, _ = cross(Done(1, arrays), pipe, prefix)
    for array, expected in zip(received.result, arrays, strict=True):
        np.testing.assert_array_equal(array, expected)


@on_linux
def test_small_messages_need_no_shared_memory(pipe, prefix):
    received, block = cross(Done(1, np.arange(10)), pipe, prefix)
    assert block is None
    np.testing.assert_array_equal(received.result, np.arange(10))


@on_linux
def test_where_shared_memory_has_no_room_the_voxels_follow_in_the_pipe(pipe, prefix, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    volume = example()
    received, block = cross(Done(1, volume), pipe, prefix)
    assert block is None
    np.testing.assert_array_equal(received.result.voxels, volume.voxels)
    assert blocks(prefix) == []


@on_linux
def test_a_receiver_cleans_up_after_a_dead_sender(pipe, prefix):
    sender, receiver = Sender(pipe[0], prefix), Receiver(pipe[1], prefix)
    sender.send(Done(1, example()))
    sender.send(Done(2, example()))
    received, _ = receiver.receive()
    assert received.job == 1
    assert blocks(prefix) == [f"{prefix}1"]
    receiver.discard_unread()
    assert blocks(prefix) == []
    sender.discard_unread()  # and the other side may do so too


@on_linux
def test_a_sender_cleans_up_after_a_dead_receiver(pipe, prefix):
    sender = Sender(pipe[0], prefix)
    sender.send(Done(1, example()))
    assert blocks(prefix) == [f"{prefix}0"]
    sender.discard_unread()
    assert blocks(prefix) == []


class Opaque(Exception):
    """Can be pickled, but not read again: its constructor wants two arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


class OpaqueRequestError(WrongRequestError):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def test_errors_cross_as_they_are(pipe, prefix):
    argument = OpenArgument("size", "Which size?", ("64", "128"))
    for error in (MissingArgumentError("open", argument), CheckpointError("G.pth is empty"), Cancelled()):
        received, _ = cross(Failed(3, sendable_error(error), "details"), pipe, prefix)
        assert type(received.error) is type(error)
        assert str(received.error) == str(error)
        assert getattr(received.error, "argument", argument) == argument


@pytest.mark.parametrize(
    ("error", "crosses_as"), [(Opaque("a", "b"), SynthviewError), (OpaqueRequestError("a", "b"), WrongRequestError)]
)
def test_an_error_that_can_not_cross_is_replaced_by_the_nearest_one(pipe, prefix, error, crosses_as):
    received, _ = cross(Failed(3, sendable_error(error)), pipe, prefix)
    assert type(received.error) is crosses_as
    assert str(received.error) == "a b"


def damaged_envelopes() -> dict[str, bytes]:
    body = pickle.dumps(1)
    return {
        "not a pickle": b"hello",
        "truncated": pickle.dumps((body, None, ()))[:-4],
        "another shape": pickle.dumps([body]),
        "runs a function": b"cos\nsystem\n(S'true'\ntR.",
        "runs a builtin": b"cbuiltins\neval\n(S'1'\ntR.",
        "brings torch": b"ctorch\nzeros\n(I3\ntR.",
        "impossibly large": pickle.dumps((body, None, (10**15,))),
        "negative size": pickle.dumps((body, None, (-1,))),
        "somebody else's block": pickle.dumps((body, "psm_other", (10,))),
        "a body that is none": pickle.dumps((b"x", None, ())),
    }


@pytest.mark.parametrize("case", damaged_envelopes())
def test_damaged_messages_are_refused(pipe, prefix, case):
    pipe[0].send_bytes(damaged_envelopes()[case])
    with pytest.raises(DamagedMessageError):
        Receiver(pipe[1], prefix).receive()


def test_a_huge_message_is_refused_before_it_is_read(pipe, prefix, monkeypatch):
    monkeypatch.setattr(sharing, "MAX_BODY_BYTES", 1000)
    pipe[0].send_bytes(b"x" * 2000)
    with pytest.raises(OSError, match="bad message length"):
        Receiver(pipe[1], prefix).receive()


@on_linux
def test_a_block_smaller_than_announced_is_refused_and_removed(pipe, prefix):
    sender = Sender(pipe[0], prefix)
    sender.send(Done(1, np.zeros(20_000)))
    body, block, _ = pickle.loads(pipe[1].recv_bytes())
    pipe[0].send_bytes(pickle.dumps((body, block, (10**9,))))
    with pytest.raises(DamagedMessageError, match="smaller"):
        Receiver(pipe[1], prefix).receive()
    assert blocks(prefix) == []
    sender.discard_unread()
