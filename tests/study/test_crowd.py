"""Many readers from many processes in one study: nothing lost, nothing double, nobody's answer under another's name."""

import subprocess
import sys
from pathlib import Path

import pytest

from synthview.study.record import RecordKind, verify_chain
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from tests.study.crowd import choice
from tests.study.small_study import make_paper_study

CROWD = """
title: Crowd
readers: {readers}
sitting: resumable
seed: 1
arms:
  real: {{folder: a}}
  zebragan: {{folder: b}}
sections:
  - {{kind: turing, title: All, volumes: {{real: {half}, zebragan: {half}}}}}
"""


def read_together(study: StudyFolder, processes: int) -> None:
    root = Path(__file__).resolve().parents[2]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.study.crowd", str(study.path), str(number), str(processes)], cwd=root
        )
        for number in range(processes)
    ]
    assert [process.wait() for process in running] == [0] * processes


def check_everything_is_there_once(study: StudyFolder, trials: int) -> None:
    for reader in study.store.readers:
        records = study.store.records(reader)
        verify_chain(study.store.start(reader), records)
        answers = [(r.trial, r.response().answer.choice) for r in records if r.kind is RecordKind.ANSWER]
        assert answers == [(number, choice(reader, number)) for number in range(1, trials + 1)]
        assert standing(study, reader) is Standing.FINISHED


def test_readers_from_several_processes_at_once(tmp_path: Path, record: str | None) -> None:
    with make_paper_study(tmp_path / "study", CROWD.format(readers=9, half=10), record) as study:
        read_together(study, 3)
        check_everything_is_there_once(study, 20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_readers_of_five_hundred_trials_from_eight_processes(tmp_path: Path, postgres) -> None:
    with make_paper_study(tmp_path / "study", CROWD.format(readers=50, half=250), postgres.url) as study:
        read_together(study, 8)
        check_everything_is_there_once(study, 500)
