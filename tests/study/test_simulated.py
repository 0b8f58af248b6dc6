"""Simulated readers walk the session of people and come out as they were told to; results join answers and truth."""

import json
from pathlib import Path

import numpy as np
import pytest

from synthview.errors import SessionError, StudyError
from synthview.study.protocol import Protocol
from synthview.study.results import study_results, write_results
from synthview.study.schedule import draw_schedule
from synthview.study.session import Intake, ReadingSession
from synthview.study.simulated import Behaviour, SimulatedReader, simulate
from synthview.study.standing import Standing, standing
from synthview.study.trial import Answer, Material, StimulusId, Trial, Truth
from synthview.study.votes import CANNOT_TELL, Kind
from tests.study.small_study import ARMS, PASSPHRASE, make_paper_study, walk

BIG = """
title: Big
readers: 8
sitting: resumable
seed: 2
arms:
  real: {folder: a}
  zebragan: {folder: b}
  quaggaldm: {folder: c}
sections:
  - {kind: 2afc-real, title: Real, compare: [[real, zebragan]], pairs: 50, difficulty: true}
  - {kind: 2afc-synthetic, title: Arms, pairs: 50}
"""
KINDS = f"""
title: Kinds
readers: [ann, bob, cy]
sitting: resumable
seed: 3
questionnaire: [{{name: expertise, choices: [resident, specialist]}}]
{ARMS}  blurred: {{folder: d}}
sections:
  - kind: turing
    title: Single
    volumes: {{real: 4, zebragan: 4}}
    practice: 2
    attention: {{arm: blurred, count: 2}}
    repeats: 2
    cannot_tell: true
    time_limit_s: 5
  - {{kind: turing, title: Single, volumes: {{real: 3, quaggaldm: 3}}, confidence: true}}
  - kind: rating
    title: Quality
    volumes: {{zebragan: 2}}
    items: [{{name: realism}}, {{name: noise}}]
    comment: true
"""


def answers_of(behaviour: Behaviour, readers: int = 8) -> list[tuple[str, Trial, Truth, Answer]]:
    """What so many readers say to all trials of the big study, without keeping it."""
    protocol = Protocol.parse(BIG.replace("readers: 8", f"readers: {readers}"))
    materials = [
        Material(StimulusId(f"{arm}{number}"), arm, {}, "0" * 64)
        for arm, count in protocol.volumes_needed().items()
        for number in range(count)
    ]
    schedule, truths = draw_schedule(protocol, materials, 5)
    said = []
    for reader, trials in schedule.trials.items():
        simulated = SimulatedReader(reader, behaviour, truths[reader])
        for trial, truth in zip(trials, truths[reader], strict=True):
            said.append((reader, trial, truth, simulated.answer(trial, protocol.sections[trial.section].screen)))
    return said


@pytest.mark.parametrize("right", [0.5, 0.8])
def test_they_are_right_as_often_as_told(right: float) -> None:
    said = answers_of(Behaviour(right, prefers="zebragan"))
    judged = [answer.choice == truth.correct for _, _, truth, answer in said if truth.correct]
    preferred = [
        truth.arms[answer.choice == "right"] == "zebragan" for _, _, truth, answer in said if not truth.correct
    ]
    for shares in (judged, preferred):
        assert len(shares) == 400
        assert abs(np.mean(shares) - right) < 3.3 * np.sqrt(right * (1 - right) / 400)  # p = 0.001
    assert {answer.difficulty for _, trial, _, answer in said if trial.section == 0} <= {1, 2, 3, 4, 5}


def test_readers_and_pairs_differ_where_they_are_told_to() -> None:
    def spreads(behaviour: Behaviour) -> tuple[float, float]:
        right: dict[str, list[bool]] = {}
        for reader, _, truth, answer in answers_of(behaviour, readers=30):
            if truth.correct:
                right.setdefault(reader, []).append(answer.choice == truth.correct)
                right.setdefault(truth.item, []).append(answer.choice == truth.correct)
        means = {name: np.mean(values) for name, values in right.items()}
        readers = [mean for name, mean in means.items() if name.startswith("R")]
        items = [mean for name, mean in means.items() if name.startswith("S")]
        return float(np.std(readers)), float(np.std(items))

    even, by_reader, by_item = (
        spreads(Behaviour(0.6, **effects)) for effects in ({}, {"reader_sd": 1.5}, {"item_sd": 1.5})
    )
    assert even[0] < 0.1 < 0.2 < by_reader[0]  # chance gives 50 answers 0.07
    assert even[1] < 0.13 < 0.2 < by_item[1]  # and 30 answers 0.09
    assert by_reader[1] < 0.13 and by_item[0] < 0.1


def test_a_leaning_to_the_left_shows_in_the_side_only() -> None:
    left = [answer.choice == "left" for _, _, _, answer in answers_of(Behaviour(0.5, left_bias=0.4))]
    assert np.mean(left) == pytest.approx(0.4 + 0.6 * 0.5, abs=0.055)


def test_the_same_seed_gives_the_same_answers_and_a_session_may_be_continued(tmp_path: Path) -> None:
    with make_paper_study(tmp_path / "study", BIG) as study:
        key = study.key(PASSPHRASE)
        assert simulate(study, "R01", Behaviour(), key, most=7) == 7
        assert standing(study, "R01") is Standing.RESUMABLE
        assert simulate(study, "R01", Behaviour(), key) == 93
        assert study.store.records("R01")[0].body["simulated"] == "right 0.5, seed 0"
        times = [response.response_time_ms for response in study.store.responses("R01").values()]
    assert 4000 < np.median(times) < 9000  # a clock of its own: nobody waited


def test_simulated_readers_do_not_go_on_with_a_persons_session_nor_people_with_theirs(tmp_path: Path) -> None:
    with make_paper_study(tmp_path / "study", BIG) as study:
        key = study.key(PASSPHRASE)
        with ReadingSession.begin(study, "R01") as session:
            walk(session, 1)
        with pytest.raises(SessionError, match="begun by a person"):
            simulate(study, "R01", Behaviour(), key)
        simulate(study, "R02", Behaviour(), key, most=1)
        with pytest.raises(SessionError, match="begun by a simulated reader"):
            ReadingSession.begin(study, "R02")
        assert [len(study.store.records(reader)) for reader in ("R01", "R02")] == [2, 2]


def test_behaviour_that_can_not_be_is_refused() -> None:
    for wrong in ({"right": 1.2}, {"left_bias": -0.1}, {"item_sd": -1}):
        with pytest.raises(StudyError):
            Behaviour(**wrong)


def test_results_join_every_kind_of_answer_with_its_truth(tmp_path: Path) -> None:
    with make_paper_study(tmp_path / "study", KINDS) as study:
        key = study.key(PASSPHRASE)
        simulate(study, "ann", Behaviour(1.0), key)
        results = study_results(study, key)
        votes = results.votes
        assert {(vote.section, vote.kind) for vote in votes} == {
            ("Single", Kind.TURING),
            ("Single (2)", Kind.TURING),
            ("Quality/realism", Kind.RATING),
            ("Quality/noise", Kind.RATING),
        }
        single = [vote for vote in votes if vote.section == "Single"]
        assert len(single) == 8 + 2  # repeats are second rows; no practice, no checks
        assert len({vote.item for vote in single}) == 8
        assert all(
            vote.correct and vote.answer == ("real" if vote.arm_left == "real" else "synthetic") for vote in single
        )
        sure = [vote for vote in votes if vote.section == "Single (2)"]
        assert all((float(vote.answer) >= 3) == (vote.arm_left != "real") or vote.answer == "3" for vote in sure)
        assert {vote.expertise for vote in votes} == {"resident"}
        ann, bob, _ = results.readers
        assert (ann.standing, ann.answered, ann.trials, ann.checks_passed, ann.checks) == ("finished", 22, 22, 2, 2)
        assert (bob.standing, bob.answered) == ("new", 0)
        assert "Reader bob has not begun." in results.left_out


def test_people_push_simulated_readers_out_and_lapses_are_said(tmp_path: Path) -> None:
    with make_paper_study(tmp_path / "study", KINDS) as study:
        key = study.key(PASSPHRASE)
        simulate(study, "ann", Behaviour(1.0), key)
        with ReadingSession.begin(study, "bob", Intake(questionnaire={"expertise": "specialist"})) as session:
            for number in range(14):
                session.shown()
                answer = Answer("cannot-tell") if number % 2 else Answer(timed_out=True)
                session.confirm(answer)
            walk(session, 6)
            session.shown()
            session.confirm(Answer(ratings={"realism": 5, "noise": 1}, comment="=SUM(A1)")) if session.trial else None
        results = study_results(study, key)
        assert {vote.reader for vote in results.votes} == {"bob"}
        said = " ".join(results.left_out)
        assert "Reader ann was simulated and is left out" in said
        assert "Reader bob passed 0 of 2 attention checks." in said
        assert "Reader bob let the time run out in 7 trials" in said
        single = [vote for vote in results.votes if vote.section == "Single"]
        assert {vote.answer for vote in single} == {"", CANNOT_TELL}
        assert {vote.correct for vote in single} == {None}
        written = write_results(results, tmp_path)
    assert [path.name for path in written] == ["responses.csv", "readers.csv", "trials.csv", "activity.jsonl"]
    lines = (tmp_path / "activity.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[0]) == {"reader": "bob", "trial": 1, "activity": []}
