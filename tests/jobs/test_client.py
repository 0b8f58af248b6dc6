"""The worker process, for real: open, generate, cancel, kill, stop, close."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthview.errors import Cancelled, CheckpointError, MissingArgumentError, SynthviewError, WorkerDiedError
from synthview.generators.info import GenerateRequest
from synthview.jobs.client import CANCEL_GRACE_S, WorkerClient
from synthview.jobs.messages import Done, Event, Failed, Progress, Ready, Restarted, Stopped
from tests.jobs.broken_workers import dies_at_once, says_nonsense
from tests.small_checkpoint import write_sigmarat

SHARED_MEMORY = Path("/dev/shm")
TIMEOUT_S = 120  # a machine may be busy with other things
posix = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")


class Events:
    """What a client has told, in order."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._new: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def wait_for(self, wanted: Callable[[Any], bool], timeout_s: float = TIMEOUT_S) -> Any:
        """The next event that is wanted; the ones before it are only noted."""
        deadline = time.monotonic() + timeout_s
        while True:
            event = self._new.get(timeout=max(deadline - time.monotonic(), 0.001))
            self.seen.append(event)
            if wanted(event):
                return event

    def answer(self, job: int, timeout_s: float = TIMEOUT_S) -> Done | Failed:
        return self.wait_for(lambda event: isinstance(event, Done | Failed) and event.job == job, timeout_s)

    def of(self, kind: type) -> Any:
        return self.wait_for(lambda event: isinstance(event, kind))

    def heard(self, job: int) -> list[Event]:
        """Every event of a job that has come by."""
        return [event for event in self.seen if getattr(event, "job", None) == job]

    put: Callable[[Event], None] = property(lambda self: self._new.put)  # type: ignore[assignment]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def client(events: Events) -> Iterator[WorkerClient]:
    """A client of the test's own, to be treated badly."""
    client = WorkerClient(events.put)
    yield client
    client.close()


@pytest.fixture(scope="module")
def common() -> Iterator[tuple[WorkerClient, Events]]:
    """A client that several tests use, each leaving it idle; starting a process takes its time."""
    events = Events()
    client = WorkerClient(events.put)
    yield client, events
    client.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sigmarat(tmp_path_factory.mktemp("small") / "G_iter100.pth")


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that takes long enough for something to happen meanwhile."""
    return write_sigmarat(tmp_path_factory.mktemp("slow") / "G_iter200.pth", channel=128)


def prefix_of(client: WorkerClient) -> str:
    assert client._process is not None
    return client._process.prefix


def blocks(prefix: str) -> list[str]:
    return [path.name for path in SHARED_MEMORY.glob(f"{prefix}*")]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start_slow_job(client: WorkerClient, events: Events, path: Path) -> int:
    """Begin a volume and wait until it is well under way."""
    job = client.generate(path, GenerateRequest(seed=1))
    events.wait_for(lambda event: isinstance(event, Progress) and event.job == job and event.fraction > 0)
    return job


def test_open_generate_and_the_same_seed_again(common, small):
    client, events = common
    opened = events.answer(client.open_checkpoint(small))
    assert isinstance(opened, Done), opened
    assert (opened.result.family, opened.result.output_shape) == ("sigmarat", (1, 64, 64, 64))
    ready = [event for event in events.seen if isinstance(event, Ready)]
    assert "cpu" in [device.id for device in ready[0].devices]

    jobs = [client.generate(small, GenerateRequest(seed=seed)) for seed in (7, 8, 7)]
    volumes = [events.answer(job).result for job in jobs]
    assert volumes[0].provenance.seed == 7
    np.testing.assert_array_equal(volumes[0].voxels, volumes[2].voxels)
    assert not np.array_equal(volumes[0].voxels, volumes[1].voxels)
    fractions = [event.fraction for event in events.heard(jobs[0]) if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert blocks(prefix_of(client)) == []


def test_a_file_that_is_no_checkpoint_fails_with_its_sentence(common, tmp_path):
    client, events = common
    (tmp_path / "G.pth").write_bytes(b"not a checkpoint")
    failed = events.answer(client.open_checkpoint(tmp_path / "G.pth"))
    assert isinstance(failed.error, CheckpointError)
    assert "G.pth" in str(failed.error)
    assert failed.details == ""


def test_a_fault_is_told_in_a_sentence_with_the_trace_behind_it(common, small):
    client, events = common
    failed = events.answer(client.generate(small, GenerateRequest(seed=None, truncation="much")))  # type: ignore[arg-type]
    assert isinstance(failed.error, SynthviewError)
    assert "fault in synthview" in str(failed.error)
    assert "Traceback" in failed.details
    assert isinstance(events.answer(client.generate(small, GenerateRequest(seed=1))), Done)


def test_what_the_weights_leave_open_is_asked_then_kept(common, shared, tmp_path):
    client, events = common
    checkpoint = tmp_path / "G_iter80000.pth"  # without the configs.json that would say it
    checkpoint.symlink_to(shared / "conformance" / "hagan_128" / "G_iter80000.pth")
    failed = events.answer(client.open_checkpoint(checkpoint))
    assert isinstance(failed.error, MissingArgumentError)
    assert "128" in failed.error.argument.choices
    answered = events.answer(
        client.open_checkpoint(checkpoint, arguments={failed.error.argument.name: "128"}, remember=True)
    )
    assert answered.result.output_shape == (1, 128, 128, 128)
    assert isinstance(events.answer(client.open_checkpoint(checkpoint)), Done)


def test_cancelling_a_running_job_is_quick_and_keeps_the_process(common, slow):
    client, events = common
    job = start_slow_job(client, events, slow)
    pid, before = client.pid, time.monotonic()
    client.cancel(job)
    client.cancel(job)
    failed = events.answer(job)
    assert isinstance(failed.error, Cancelled)
    assert time.monotonic() - before < 2  # a good deal less on an idle machine, and than the whole volume takes
    assert isinstance(events.answer(client.generate(slow, GenerateRequest(seed=2))), Done)
    assert client.pid == pid


def test_cancelling_the_largest_published_generator(common, shared):
    client, events = common
    checkpoint = shared / "conformance" / "hagan_256" / "G_iter80000.pth"
    events.answer(client.open_checkpoint(checkpoint, arguments={"size": "256"}))
    job = start_slow_job(client, events, checkpoint)
    before = time.monotonic()
    client.cancel(job)
    assert isinstance(events.answer(job).error, Cancelled)
    assert time.monotonic() - before < CANCEL_GRACE_S + 2  # between two layers, else with the process


def test_cancelling_a_waiting_job_leaves_the_running_one_alone(common, slow):
    client, events = common
    running = start_slow_job(client, events, slow)
    waiting = client.generate(slow, GenerateRequest(seed=2))
    client.cancel(waiting)
    first = events.wait_for(lambda event: isinstance(event, Done | Failed))
    assert (first.job, type(first.error)) == (waiting, Cancelled)
    assert isinstance(events.answer(running), Done)


def test_cancelling_while_the_process_starts(client, events, small):
    job = client.generate(small, GenerateRequest(seed=2))
    client.cancel(job)
    assert isinstance(events.answer(job).error, Cancelled)
    assert not any(isinstance(event, Ready) for event in events.seen)


def test_a_checkpoint_is_known_by_the_path_it_was_opened_by_and_by_its_own(common, small):
    client, events = common
    relative = os.path.relpath(small)
    opened = events.answer(client.open_checkpoint(relative, arguments={"batch_statistics": True}))
    assert opened.result.path != relative
    for path in (relative, opened.result.path):
        done = events.answer(client.generate(path, GenerateRequest(seed=1)))
        assert done.result.provenance.arguments["batch_statistics"] is True


def test_the_process_can_be_started_later(events, small):
    client = WorkerClient(events.put, start=False)
    try:
        assert client.pid is None
        client.start()
        events.of(Ready)
        pid = client.pid
        client.start()
        assert isinstance(events.answer(client.generate(small, GenerateRequest(seed=1))), Done)
        assert client.pid == pid
    finally:
        client.close()


@posix
def test_a_killed_worker_is_told_of_and_the_next_volume_works(client, events, slow):
    opened = events.answer(client.open_checkpoint(slow, arguments={"batch_statistics": True}))
    assert isinstance(opened, Done), opened
    lost = [start_slow_job(client, events, slow), client.generate(slow, GenerateRequest(seed=2))]
    prefix, pid = prefix_of(client), client.pid
    os.kill(pid, signal.SIGKILL)
    for job in lost:
        failed = events.answer(job)
        assert isinstance(failed.error, WorkerDiedError)
        assert slow.name in str(failed.error)
    events.of(Restarted)
    assert blocks(prefix) == []
    done = events.answer(client.generate(slow, GenerateRequest(seed=1)))
    assert isinstance(done, Done), done
    assert done.result.provenance.arguments["batch_statistics"] is True  # opened again as it was
    assert client.pid != pid


@posix
@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_without_work_comes_back(client, events, small, signal_name):
    events.of(Ready)
    os.kill(client.pid, getattr(signal, signal_name))
    restarted = events.of(Restarted)
    assert ("memory" if signal_name == "SIGKILL" else "SIGSEGV") in restarted.reason
    assert isinstance(events.answer(client.generate(small, GenerateRequest(seed=1))), Done)


@posix
def test_a_worker_that_does_not_react_is_ended_and_waiting_work_is_done_by_the_next(events, slow):
    client = WorkerClient(events.put, cancel_grace_s=0.5)
    try:
        running = start_slow_job(client, events, slow)
        waiting = client.generate(slow, GenerateRequest(seed=2))
        stuck = client.pid
        os.kill(stuck, signal.SIGSTOP)
        before = time.monotonic()
        client.cancel(running)
        assert isinstance(events.answer(running).error, Cancelled)
        assert 0.5 <= time.monotonic() - before < 5
        events.of(Restarted)
        assert isinstance(events.answer(waiting), Done)
        assert not is_running(stuck)
    finally:
        client.close()


@posix
def test_closing_while_it_works_leaves_no_process_and_no_memory(events, slow):
    client = WorkerClient(events.put)
    start_slow_job(client, events, slow)
    pid, prefix = client.pid, prefix_of(client)
    before = time.monotonic()
    client.close()
    assert time.monotonic() - before < 2
    assert not is_running(pid)
    assert blocks(prefix) == []
    client.close()  # twice does no harm


@posix
def test_closing_ends_even_a_stopped_process(events):
    client = WorkerClient(events.put)
    events.of(Ready)
    pid = client.pid
    os.kill(pid, signal.SIGSTOP)
    client.close()
    assert not is_running(pid)


def test_a_worker_that_keeps_dying_is_given_up_until_it_is_needed(events, small):
    client = WorkerClient(events.put, entry=dies_at_once)
    try:
        stopped = events.of(Stopped)
        assert "3 times in a row" in stopped.reason
        assert sum(isinstance(event, Restarted) for event in events.seen) == 2
        assert client.pid is None
        failed = events.answer(client.generate(small, GenerateRequest(seed=1)))
        assert isinstance(failed.error, WorkerDiedError)
        events.of(Stopped)
    finally:
        client.close()


def test_a_worker_that_sends_nonsense_is_ended(events):
    client = WorkerClient(events.put, entry=says_nonsense)
    try:
        assert "damaged message" in events.of(Restarted).reason
    finally:
        client.close()
