"""A reader's sitting: what is asked, kept and refused, the same on SQLite and PostgreSQL."""

from pathlib import Path

import pytest

from synthview.errors import SealError, SessionError, SessionTakenError, StoreError, StudyError
from synthview.study.record import RecordKind
from synthview.study.session import Intake, ReadingSession
from synthview.study.session_clock import Clock
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from synthview.study.trial import Answer
from tests.study.small_study import ARMS, PASSPHRASE, PUBLISHED, RESUMABLE, any_answer, make_study, walk

EVERYTHING = f"""
title: Everything at once
readers: [ann]
sitting: resumable
consent: I agree.
seed: 3
questionnaire:
  - {{name: role, choices: [Resident, Radiologist]}}
  - {{name: years, kind: number, low: 0, high: 60}}
  - {{name: remarks, required: false}}
{ARMS}  blurred: {{folder: /secret/blurred}}
sections:
  - kind: 2afc-real
    title: With practice
    compare: [[real, zebragan]]
    pairs: 4
    practice: 2
    attention: {{arm: blurred, count: 1}}
    repeats: 1
    difficulty: true
    time_limit_s: 10
    break_every: 4
  - kind: turing
    title: How sure
    volumes: {{real: 2, quaggaldm: 2}}
    confidence: true
    changes: until-section-end
  - kind: rating
    title: Quality
    volumes: {{zebragan: 2}}
    items: [{{name: realism}}, {{name: noise, labels: [much, some, none]}}]
    comment: true
"""
INTAKE = Intake(consent=True, questionnaire={"role": "Resident", "years": "4"})


class SteppedClock:
    """Time that goes on only when told to."""

    def __init__(self) -> None:
        self.steady_s, self.wall_s = 100.0, 1_000_000.0
        self.clock = Clock(steady=lambda: self.steady_s, wall=lambda: self.wall_s)

    def pass_time(self, seconds: float) -> None:
        self.steady_s += seconds
        self.wall_s += seconds


@pytest.fixture
def study(tmp_path: Path, record: str | None) -> StudyFolder:
    with make_study(tmp_path / "study", RESUMABLE, record) as made:
        yield made


@pytest.fixture
def everything(tmp_path: Path) -> StudyFolder:
    with make_study(tmp_path / "study", EVERYTHING) as made:
        yield made


def test_a_session_is_resumed_where_it_was_left_and_then_finished(study: StudyFolder) -> None:
    assert standing(study, "ann") is Standing.NEW
    with ReadingSession.begin(study, "ann") as session:
        walk(session, 7)
        session.leave()
    assert standing(study, "ann") is Standing.RESUMABLE
    with ReadingSession.begin(study, "ann") as session:
        assert session.progress == (7, 20)
        assert session.trial is not None and session.trial.number == 8
        assert [trial.number for trial in session.upcoming(2)] == [9, 10]
        walk(session)
        assert session.trial is None
    assert standing(study, "ann") is Standing.FINISHED
    kinds = [record.kind for record in study.store.records("ann")]
    assert kinds == ["begin", *["answer"] * 7, "leave", "resume", *["answer"] * 13, "finish"]
    with pytest.raises(SessionError, match="answered everything"):
        ReadingSession.begin(study, "ann")


def test_the_second_window_of_a_reader_is_refused_and_others_are_not(study: StudyFolder) -> None:
    with ReadingSession.begin(study, "ann"):
        again = StudyFolder.open(study.path)
        with again, pytest.raises(SessionTakenError, match="ann is reading in another window"):
            ReadingSession.begin(again, "ann")
        with ReadingSession.begin(study, "bob") as other:
            walk(other, 1)
    with ReadingSession.begin(study, "ann") as session:
        walk(session, 1)


def test_an_answer_is_in_the_record_before_the_next_trial_is_on(study: StudyFolder) -> None:
    with ReadingSession.begin(study, "ann") as session, StudyFolder.open(study.path) as elsewhere:
        session.shown()
        session.log("slice", plane="axial", index=3)
        session.confirm(Answer("synthetic", comment="odd sulci"))
        response = elsewhere.store.responses("ann")[1]
    assert response.answer == Answer("synthetic", comment="odd sulci")
    assert [entry["kind"] for entry in response.activity] == ["slice"]


def test_one_sitting_left_unfinished_is_recorded_as_abandoned_and_stays_so(tmp_path: Path) -> None:
    with make_study(tmp_path / "study", PUBLISHED) as study:
        with ReadingSession.begin(study, "R01") as session:
            walk(session, 3)
            session.leave()
        with ReadingSession.begin(study, "R02") as session:
            walk(session, 2)  # and the program ends without a word
        for reader, reason in (("R01", "the reader left"), ("R02", "found unfinished")):
            assert standing(study, reader) is Standing.ABANDONED
            with pytest.raises(SessionError, match="recorded as abandoned"):
                ReadingSession.begin(study, reader)
            last = study.store.records(reader)[-1]
            assert (last.kind, last.body["reason"]) == (RecordKind.ABANDON, reason)
        assert len(study.store.responses("R01")) == 3


def test_consent_and_questionnaire_come_first(everything: StudyFolder) -> None:
    wrong = {
        "please agree": Intake(),
        "Please answer: Role": Intake(consent=True, questionnaire={"years": "3"}),
        "none of Resident, Radiologist": Intake(consent=True, questionnaire={"role": "Vet", "years": "3"}),
        "from 0 to 60": Intake(consent=True, questionnaire={"role": "Resident", "years": "many"}),
        "no question 'age'": Intake(consent=True, questionnaire={**INTAKE.questionnaire, "age": "3"}),
    }
    for sentence, intake in wrong.items():
        with pytest.raises(SessionError, match=sentence):
            ReadingSession.begin(everything, "ann", intake)
    assert standing(everything, "ann") is Standing.NEW
    with ReadingSession.begin(everything, "ann", INTAKE):
        body = everything.store.records("ann")[0].body
    assert body["questionnaire"] == INTAKE.questionnaire and body["consent"] is True


def test_practice_tells_what_was_right_and_nothing_else_does(everything: StudyFolder) -> None:
    truths = everything.key(PASSPHRASE).truths["ann"]
    with ReadingSession.begin(everything, "ann", INTAKE) as session:
        told = []
        while (trial := session.trial) is not None:
            session.shown()
            told.append(
                (trial.practice, session.confirm(any_answer(session)).feedback, truths[trial.number - 1].correct)
            )
    assert [feedback for practice, feedback, correct in told if practice] == [right for p, _, right in told if p]
    assert {feedback for practice, feedback, _ in told if not practice} == {""}
    assert sum(practice for practice, _, _ in told) == 2


@pytest.mark.parametrize(
    ("section", "answer"),
    [
        (0, Answer()),
        (0, Answer("left")),
        (0, Answer("middle", difficulty=3)),
        (0, Answer("left", difficulty=6)),
        (0, Answer("left", difficulty=3, comment="no comment was asked")),
        (0, Answer("left", difficulty=3, confidence=2)),
        (1, Answer("real")),
        (1, Answer(confidence=0)),
        (2, Answer(ratings={"realism": 2})),
        (2, Answer(ratings={"realism": 2, "noise": 4})),
        (2, Answer(ratings={"realism": 2, "noise": 2, "beauty": 2})),
        (2, Answer(ratings={"realism": 2, "noise": 2}, comment="x" * 5000)),
    ],
)
def test_what_the_screen_did_not_ask_is_refused_and_the_trial_stays(
    everything: StudyFolder, section: int, answer: Answer
) -> None:
    with ReadingSession.begin(everything, "ann", INTAKE) as session:
        while session.screen is not everything.store.protocol.screens[section]:
            walk(session, 1)
        trial, kept = session.trial, len(everything.store.records("ann"))
        session.shown()
        with pytest.raises(SessionError):
            session.confirm(answer)
        assert session.trial == trial
        assert len(everything.store.records("ann")) == kept
        session.confirm(any_answer(session))


def test_an_answer_without_a_painted_trial_or_in_a_break_is_refused(everything: StudyFolder) -> None:
    with ReadingSession.begin(everything, "ann", INTAKE) as session:
        with pytest.raises(SessionError, match="not on the screen"):
            session.confirm(any_answer(session))
        session.shown()
        session.start_break()
        with pytest.raises(SessionError, match="not on the screen"):
            session.confirm(any_answer(session))
        session.end_break()
        session.confirm(any_answer(session))


def test_answers_change_only_where_allowed_and_the_last_one_stands(everything: StudyFolder) -> None:
    with ReadingSession.begin(everything, "ann", INTAKE) as session:
        walk(session, 1)
        with pytest.raises(SessionError, match="can't be changed"):
            session.go_back()
        walk(session, 7)  # the first of "How sure" is next
        with pytest.raises(SessionError, match="begins here"):
            session.go_back()
        first = session.trial
        assert first is not None
        walk(session, 2)
        assert session.go_back(2) == first
        assert session.given == Answer(confidence=3)
        session.shown()
        session.confirm(Answer(confidence=5))
        assert session.trial is not None and session.trial.number == first.number + 2
        session.go_back()
        session.go_on()
        assert session.trial.number == first.number + 2
        walk(session)
    assert everything.store.responses("ann")[first.number].answer.confidence == 5
    answers = [r for r in everything.store.records("ann") if r.trial == first.number]
    assert [(r.revision, r.body["answer"]["confidence"]) for r in answers] == [(0, 3), (1, 5)]


def test_time_counts_from_the_first_frame_and_not_in_breaks(everything: StudyFolder) -> None:
    time = SteppedClock()
    with ReadingSession.begin(everything, "ann", INTAKE, clock=time.clock) as session:
        time.pass_time(5)  # loading
        session.shown()
        time.pass_time(1.5)
        session.start_break()
        time.pass_time(60)
        session.end_break()
        session.shown()  # painted again: changes nothing
        time.pass_time(0.25)
        assert session.time_left_s() == pytest.approx(8.25)
        session.confirm(any_answer(session))
    assert everything.store.responses("ann")[1].response_time_ms == 1750
    assert [r.body for r in everything.store.records("ann") if r.kind == "break"] == [{"seconds": 60.0}]


def test_a_wall_clock_that_jumps_changes_no_response_time_and_is_noted(everything: StudyFolder) -> None:
    time = SteppedClock()
    with ReadingSession.begin(everything, "ann", INTAKE, clock=time.clock) as session:
        session.shown()
        time.pass_time(2)
        time.wall_s -= 3600
        session.confirm(any_answer(session))
    response = everything.store.responses("ann")[1]
    assert response.response_time_ms == 2000
    assert [(entry["kind"], entry["seconds"]) for entry in response.activity] == [("clock-jump", -3600.0)]


def test_a_trial_whose_time_runs_out_is_recorded_without_an_answer(everything: StudyFolder) -> None:
    time = SteppedClock()
    with ReadingSession.begin(everything, "ann", INTAKE, clock=time.clock) as session:
        session.shown()
        with pytest.raises(SessionError, match="has not run out"):
            session.expire()
        time.pass_time(10)
        session.expire()
        assert session.progress[0] == 1
    assert everything.store.responses("ann")[1].answer == Answer(timed_out=True)


def test_breaks_are_due_and_sections_end_where_the_protocol_says(everything: StudyFolder) -> None:
    with ReadingSession.begin(everything, "ann", INTAKE) as session:
        marks = []
        while session.trial is not None:
            session.shown()
            confirmed = session.confirm(any_answer(session))
            marks.append("end" if confirmed.section_ended else "break" if confirmed.break_due else "")
    assert marks == ["", "", "", "break", "", "", "", "end", "", "", "", "end", "", "end"]


def test_the_leak_check_blocks_people_until_it_is_overruled_with_a_reason(tmp_path: Path) -> None:
    with make_study(tmp_path / "study", RESUMABLE, leak_passed=False) as study:
        with pytest.raises(SessionError, match="leak check"):
            ReadingSession.begin(study, "ann")
        with pytest.raises(StudyError, match="needs a reason"):
            study.overrule("ok", PASSPHRASE)
        with pytest.raises(SealError, match="wrong passphrase"):
            study.overrule("seen and judged harmless", "not the passphrase")
        study.overrule("the header differs by rounding only", PASSPHRASE)
        with ReadingSession.begin(study, "ann") as session:
            walk(session, 1)
        assert study.store.notes("overruled")[-1]["reason"] == "the header differs by rounding only"


def test_an_unknown_reader_is_named(study: StudyFolder) -> None:
    with pytest.raises(StoreError, match="no reader 'zed'; its readers are ann, bob, cy"):
        ReadingSession.begin(study, "zed")
