"""The worker process behind Qt signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthview.errors import Cancelled, CheckpointError, WorkerDiedError
from synthview.generators.info import GenerateRequest, GeneratorInfo
from synthview.gui.latest import LatestWins
from synthview.gui.worker import Worker
from synthview.volume import Volume
from tests.small_checkpoint import write_sigmarat

TIMEOUT_MS = 120_000


@pytest.fixture
def worker(qapp) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def slow(tmp_path_factory) -> Path:
    return write_sigmarat(tmp_path_factory.mktemp("slow") / "G.pth", channel=128)


def wait_for_answer(qtbot, signal_, job: int) -> list[object]:
    with qtbot.waitSignal(signal_, timeout=TIMEOUT_MS, check_params_cb=lambda number, *_: number == job) as blocker:
        pass
    return blocker.args[1:]


def test_signals_come_in_the_gui_thread_and_states_follow(qtbot, worker, tmp_path):
    path = write_sigmarat(tmp_path / "G.pth")
    states, threads, fractions = [worker.state], [], []
    worker.state_changed.connect(states.append)
    worker.finished.connect(lambda *_: threads.append(threading.current_thread()))
    worker.progressed.connect(lambda _job, fraction: fractions.append(fraction))
    with qtbot.waitSignal(worker.ready, timeout=TIMEOUT_MS) as ready:
        opening = worker.open_checkpoint(path)
    assert [device.id for device in ready.args[0]][-1] == "cpu"
    (info,) = wait_for_answer(qtbot, worker.finished, opening)
    assert isinstance(info, GeneratorInfo)
    making = worker.generate(path, GenerateRequest(seed=5))
    (volume,) = wait_for_answer(qtbot, worker.finished, making)
    assert isinstance(volume, Volume)
    assert states == ["starting", "busy", "ready", "busy", "ready"]
    assert set(threads) == {threading.main_thread()}
    assert fractions[-1] == 1


def test_failures_come_with_their_error(qtbot, worker, tmp_path):
    job = worker.open_checkpoint(tmp_path / "missing.pth")
    error, details = wait_for_answer(qtbot, worker.failed, job)
    assert isinstance(error, CheckpointError)
    assert "missing.pth" in str(error)
    assert details == ""


def test_cancelling(qtbot, worker, slow):
    job = worker.generate(slow, GenerateRequest(seed=1))
    with qtbot.waitSignal(
        worker.progressed, timeout=TIMEOUT_MS, check_params_cb=lambda number, fraction: number == job and fraction > 0
    ):
        pass
    worker.cancel(job)
    error, _ = wait_for_answer(qtbot, worker.failed, job)
    assert isinstance(error, Cancelled)
    worker.cancel(job)  # it has ended: nothing happens


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_after_a_kill_the_next_request_works(qtbot, worker, slow):
    latest = LatestWins(worker)
    latest.submit(slow, GenerateRequest(seed=1))
    with qtbot.waitSignal(latest.progressed, timeout=TIMEOUT_MS, check_params_cb=lambda fraction: fraction > 0):
        pass
    states, errors = [], []
    worker.state_changed.connect(states.append)
    latest.failed.connect(lambda _request, error, _details: errors.append(error))
    with qtbot.waitSignals([latest.failed, worker.restarted], timeout=TIMEOUT_MS):
        os.kill(worker.pid, signal.SIGKILL)
    assert [type(error) for error in errors] == [WorkerDiedError]
    assert not latest.busy
    with qtbot.waitSignal(latest.finished, timeout=TIMEOUT_MS) as made:
        latest.submit(slow, GenerateRequest(seed=2))
    assert made.args[0].seed == 2
    assert isinstance(made.args[1], Volume)
    assert states[-4:] == ["ready", "restarting", "busy", "ready"]


def test_closing_twice_and_events_after_it_do_no_harm(qtbot, qapp):
    worker = Worker()
    with qtbot.assertNotEmitted(worker.failed, wait=50):
        worker.generate("nowhere.pth", GenerateRequest())
        worker.close()
        worker.close()
