"""The newest request wins, exactly: with a worker that does what the test says, when the test says it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Signal

from synthview.errors import Cancelled, WorkerDiedError
from synthview.generators.info import GenerateRequest
from synthview.gui import latest as latest_module
from synthview.gui.latest import LatestWins


class HandWorker(QObject):
    """Takes jobs as ``Worker`` does and ends them by hand; the "volume" is the request's truncation."""

    progressed = Signal(int, float)
    finished = Signal(int, object)
    failed = Signal(int, object, str)

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[str, GenerateRequest, str]] = []
        self.cancelled: list[int] = []
        self.ended = 0

    def generate(self, path: str, request: GenerateRequest, *, device: str) -> int:
        self.given.append((path, request, device))
        return len(self.given)

    def cancel(self, job: int) -> None:
        self.cancelled.append(job)

    def end_one(self, error: Exception | None = None) -> None:
        """End the oldest job under way."""
        self.ended += 1
        if error is None:
            self.finished.emit(self.ended, self.given[self.ended - 1][1].truncation)
        else:
            self.failed.emit(self.ended, error, "details")

    @property
    def under_way(self) -> int:
        return len(self.given) - self.ended


@pytest.fixture
def worker(qapp) -> HandWorker:
    return HandWorker()


class Heard:
    def __init__(self, latest: LatestWins) -> None:
        self.results: list[tuple[float, object]] = []
        self.failures: list[tuple[float, Exception, str]] = []
        self.fractions: list[float] = []
        self.busy: list[bool] = []
        latest.finished.connect(lambda request, volume: self.results.append((request.truncation, volume)))
        latest.failed.connect(lambda request, error, text: self.failures.append((request.truncation, error, text)))
        latest.progressed.connect(self.fractions.append)
        latest.busy_changed.connect(self.busy.append)


@pytest.fixture
def latest(worker) -> LatestWins:
    return LatestWins(worker)


@pytest.fixture
def heard(latest) -> Heard:
    return Heard(latest)


def submit(latest: LatestWins, *truncations: float) -> None:
    for truncation in truncations:
        latest.submit("G.pth", GenerateRequest(truncation=truncation), "cpu")


def test_the_first_and_the_newest_are_made(worker, latest, heard):
    submit(latest, 0.1, 0.2, 0.3, 0.4)
    assert worker.under_way == 1
    worker.end_one()
    assert worker.under_way == 1
    worker.end_one()
    assert worker.under_way == 0
    assert heard.results == [(0.1, 0.1), (0.4, 0.4)]
    assert worker.cancelled == []
    assert heard.busy == [True, False]
    assert worker.given[-1] == ("G.pth", GenerateRequest(truncation=0.4), "cpu")


def test_a_steady_drag_shows_every_volume_made(worker, latest, heard):
    for step in range(10):
        submit(latest, step, step + 0.5)
        worker.end_one()
    worker.end_one()
    assert [made for made, _ in heard.results] == [0, *(step + 0.5 for step in range(10))]


def test_cancel_forgets_both_and_late_news(worker, latest, heard):
    submit(latest, 0.1, 0.2)
    latest.cancel()
    assert worker.cancelled == [1]
    assert heard.busy == [True, False]
    assert not latest.busy
    worker.progressed.emit(1, 0.5)
    worker.end_one(Cancelled())
    assert (heard.results, heard.failures, heard.fractions) == ([], [], [])
    latest.cancel()  # with nothing to cancel
    assert worker.cancelled == [1]


def test_a_new_request_right_after_cancel_is_not_mistaken_for_the_old(worker, latest, heard):
    submit(latest, 0.1)
    latest.cancel()
    submit(latest, 0.2)
    worker.end_one(Cancelled())
    assert latest.busy
    worker.end_one()
    assert heard.results == [(0.2, 0.2)]


def test_a_failure_is_told_and_the_waiting_one_goes_on(worker, latest, heard):
    submit(latest, 0.1, 0.2)
    worker.end_one(WorkerDiedError("it died"))
    worker.end_one()
    assert [(made, str(error), text) for made, error, text in heard.failures] == [(0.1, "it died", "details")]
    assert heard.results == [(0.2, 0.2)]


def test_progress_is_that_of_the_running_one(worker, latest, heard):
    submit(latest, 0.1)
    worker.progressed.emit(1, 0.25)
    worker.progressed.emit(99, 0.9)  # somebody else's job
    worker.finished.emit(99, "an opened checkpoint")
    assert heard.fractions == [0.25]
    assert latest.busy


def test_what_takes_many_steps_is_given_up_for_a_newer_request(latest, worker, heard):
    latest.submit("m", GenerateRequest(truncation=0.1), preempt=True)
    assert worker.cancelled == []
    for psi in (0.2, 0.3):
        latest.submit("m", GenerateRequest(truncation=psi), preempt=True)
    assert set(worker.cancelled) == {1}
    worker.end_one(Cancelled())
    assert [given[1].truncation for given in worker.given] == [0.1, 0.3]
    worker.end_one()
    assert heard.results == [(0.3, 0.3)]
    assert heard.failures == []
    assert heard.busy == [True, False]


def test_a_drag_shows_coarse_previews_of_what_takes_many_steps(latest, worker, heard):
    for psi in (0.1, 0.2, 0.3):
        latest.submit("m", GenerateRequest(truncation=psi, coarse=True), preempt=True)
    latest.submit("m", GenerateRequest(truncation=0.3), preempt=True)  # the hand lets go
    assert worker.cancelled == []
    worker.end_one()
    worker.end_one()
    assert [made for made, _ in heard.results] == [0.1, 0.3]
    assert not worker.given[-1][1].coarse


def test_a_preview_that_takes_long_is_given_up_too(latest, worker, monkeypatch):
    monkeypatch.setattr(latest_module, "_PREVIEW_WORTH_ENDING_MS", 0)
    for psi in (0.1, 0.2):
        latest.submit("m", GenerateRequest(truncation=psi, coarse=True), preempt=True)
    assert worker.cancelled == [1]
