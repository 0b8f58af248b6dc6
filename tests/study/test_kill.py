"""``kill -9`` at random moments: every confirmed answer is there exactly once, on SQLite and on PostgreSQL."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from synthview.study.record import RecordKind, verify_chain
from synthview.study.study_folder import StudyFolder
from tests.study.small_study import make_paper_study

READERS = ("ann", "bob", "cy")
LONG = """
title: Long
readers: [ann, bob, cy]
sitting: resumable
seed: 1
arms:
  real: {folder: a}
  zebragan: {folder: b}
sections:
  - {kind: turing, title: All, volumes: {real: 2000, zebragan: 2000}}
"""


@dataclass
class Walkers:
    """The forking program, and what its readers said they had confirmed."""

    process: subprocess.Popen[str]
    confirmed: dict[str, dict[int, str]] = field(default_factory=lambda: {reader: {} for reader in READERS})

    def run_and_kill(self, reader: str, seed: int, after_s: float) -> int:
        """Let a reader work for a time and kill it; returns how many answers it had confirmed."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{reader} {seed}\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline().split()[1])
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
        done = 0
        while (line := self.process.stdout.readline().strip()) != "end":
            number, choice = line.split(maxsplit=1)
            assert number != "failed", choice
            assert int(number) not in self.confirmed[reader], "asked again although it was confirmed"
            self.confirmed[reader][int(number)] = choice
            done += 1
        return done


@pytest.fixture
def study(tmp_path: Path, record: str | None) -> Iterator[StudyFolder]:
    with make_paper_study(tmp_path / "study", LONG, record) as made:
        yield made


@pytest.fixture
def walkers(study: StudyFolder) -> Iterator[Walkers]:
    command = [sys.executable, "-m", "tests.study.walker", str(study.path)]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    yield Walkers(process)
    assert process.stdin and process.stdout
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def kill_often(walkers: Walkers, study: StudyFolder, kills: int, seed: int) -> None:
    draws = random.Random(seed)
    walkers.run_and_kill(READERS[0], 0, 3.0)  # the imports come with the first
    for number in range(1, kills):
        walkers.run_and_kill(READERS[number % len(READERS)], number, draws.uniform(0.02, 0.4))
    check_study_of(walkers, study)


def check_study_of(walkers: Walkers, study: StudyFolder) -> None:
    """Everything confirmed is there once and as it was given; at most the answer under way at a kill is there too."""
    for reader in READERS:
        records = study.store.records(reader)
        verify_chain(study.store.start(reader), records)
        answers = [record for record in records if record.kind is RecordKind.ANSWER]
        found = {record.trial: record.response().answer.choice for record in answers}
        assert len(found) == len(answers)
        assert found.items() >= walkers.confirmed[reader].items()
        unheard = len(found) - len(walkers.confirmed[reader])
        sittings = sum(record.kind in (RecordKind.BEGIN, RecordKind.RESUME) for record in records)
        assert unheard <= sittings  # killed between writing it and saying so
        assert sorted(found) == list(range(1, len(found) + 1))
    assert sum(map(len, walkers.confirmed.values())) > 0


def test_fifteen_kills_lose_no_confirmed_answer(walkers: Walkers, study: StudyFolder) -> None:
    kill_often(walkers, study, 15, seed=15)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_kills_lose_no_confirmed_answer(walkers: Walkers, study: StudyFolder) -> None:
    kill_often(walkers, study, 200, seed=200)
