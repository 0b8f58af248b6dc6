"""A reader's sitting: which trial is on, what is done in it, and every confirmed answer on disk before the next shows.

No screen is known here: the window and simulated readers walk the same session.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from synthview.errors import SessionError, StoreError, SynthviewError
from synthview.study.place import StudyPlace, check_room, lock_reader
from synthview.study.protocol import Sitting
from synthview.study.protocol_questionnaire import check_answers
from synthview.study.protocol_screen import Changes, Screen
from synthview.study.record import Record, RecordKind, verify_chain
from synthview.study.session_answers import check_answer
from synthview.study.session_clock import Clock, Stopwatch
from synthview.study.session_keeping import Keeper, deliver_waiting
from synthview.study.standing import Standing, standing_of
from synthview.study.store_locks import ReaderLock
from synthview.study.trial import Answer, Response, Trial

_MOST_ACTIVITY = 5000  # entries of one trial's log; what is beyond is counted


@dataclass(frozen=True)
class Intake:
    """What a reader says before the first trial.

    Attributes:
        consent: whether the reader agrees with ``ReadingProtocol.consent``.
        questionnaire: answers by name of the question, as texts.
        display: answers of the luminance page; plain values.
    """

    consent: bool = False
    questionnaire: Mapping[str, str] = field(default_factory=dict)
    display: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Confirmed:
    """What follows from a confirmed answer.

    Attributes:
        feedback: after a practice trial the right choice; else empty.
        section_ended: whether the next trial is of another section, or there is none.
        break_due: whether a break should be offered now.
        waiting: records that are on this computer's disk only, as the study's record can't be reached.
    """

    feedback: str
    section_ended: bool
    break_due: bool
    waiting: int


class ReadingSession:
    """One reader at work.  Made by ``begin``; ends with ``close`` (or ``with``), which frees the reader's lock.

    Attributes:
        reader: who reads.
        trials: all of the reader's, in order.
        handed_back: once it has ended, the signed answers that a bundle's reader sends back; else None.
    """

    def __init__(
        self, place: StudyPlace, lock: ReaderLock, keeper: Keeper, responses: Mapping[int, Response], clock: Clock
    ) -> None:
        self._place, self._lock, self._keeper, self._clock = place, lock, keeper, clock
        self.reader = reader = keeper.chain.reader
        self.trials = place.store.trials(reader)
        self.handed_back: Path | None = None
        self._feedback = place.store.feedback(reader)
        self._given = {number: response.answer for number, response in responses.items()}
        self._revisions = {number: response.revision for number, response in responses.items()}
        self._index = self._first_open()
        self._watch: Stopwatch | None = None
        self._break: Stopwatch | None = None
        self._activity: list[dict[str, Any]] = []
        self._unlogged = 0

    @classmethod
    def begin(
        cls,
        place: StudyPlace,
        reader: str,
        intake: Intake | None = None,
        *,
        simulated: str = "",
        clock: Clock | None = None,
    ) -> Self:
        """Begin a session, or go on with one that may be resumed.

        Args:
            place: the study's folder or the reader's bundle.
            reader: one of the study's.
            intake: what the reader said before; not needed to resume.
            simulated: what kind of simulated reader it is; empty for a person.
            clock: for tests.

        Raises:
            SessionError: consent or an answer is missing; or this reader has finished, or has left a study of one
                sitting (which is on record now), or is a simulated one; or the leak check blocks the study.
            SessionTakenError: another window is reading as this reader.
            StoreError: answers could not be kept.
            ChainError: the record was tampered with.
        """
        store, clock = place.store, clock or Clock()
        store.trials(reader)
        if not simulated and (reason := place.blocked()):
            raise SessionError(reason)
        lock = lock_reader(place, reader)
        try:
            check_room(place)
            deliver_waiting(store, reader)
            history = store.records(reader)
            _check_kind(history, simulated)
            keeper = Keeper(store, lock, verify_chain(store.start(reader), history), secrets.token_hex(8))
            _open_record(place, keeper, standing_of(place, history), intake or Intake(), simulated)
            session = cls(place, lock, keeper, store.responses(reader), clock)
        except BaseException:
            lock.release()
            raise
        return session

    @property
    def trial(self) -> Trial | None:
        """The trial that is on; None when everything is answered."""
        return self.trials[self._index] if self._index < len(self.trials) else None

    @property
    def screen(self) -> Screen:
        """The section of the trial that is on.

        Raises:
            SessionError: everything is answered.
        """
        return self._place.store.protocol.screens[self._current().section]

    @property
    def given(self) -> Answer | None:
        """The answer that the trial that is on has already, where it may be changed."""
        return None if self.trial is None else self._given.get(self.trial.number)

    @property
    def progress(self) -> tuple[int, int]:
        """How many trials are answered, and how many there are."""
        return len(self._given), len(self.trials)

    @property
    def waiting(self) -> int:
        """Records that are on this computer's disk only, as the study's record can't be reached."""
        return self._keeper.waiting

    def upcoming(self, count: int = 1) -> tuple[Trial, ...]:
        """The next trials, to be loaded beforehand."""
        return self.trials[self._index + 1 : self._index + 1 + count]

    def shown(self) -> None:
        """The trial's first frame is painted: its time begins.  Saying it again changes nothing."""
        self._current()
        if self._watch is None:
            self._watch = Stopwatch(self._clock)
            self._activity, self._unlogged = [], 0

    def log(self, kind: str, **details: float | str | bool) -> None:
        """Note what the reader does with the trial that is on: slice, window, zoom, focus."""
        if self._watch is None:
            return
        if len(self._activity) < _MOST_ACTIVITY:
            self._activity.append({"ms": self._watch.elapsed_ms(), "kind": kind, **details})
        else:
            self._unlogged += 1

    def time_left_s(self) -> float | None:
        """Seconds left for the trial; None where there is no limit."""
        limit = self.screen.time_limit_s
        if limit is None:
            return None
        return limit if self._watch is None else max(0.0, limit - self._watch.elapsed_ms() / 1000)

    def confirm(self, answer: Answer) -> Confirmed:
        """Keep the answer and go to the next trial; when this returns, it is on a disk.

        Raises:
            SessionError: the answer isn't one that the screen asked for; nothing is kept.
            StoreError: it could not be kept anywhere; the trial stays.
        """
        trial, screen, watch = self._current(), self.screen, self._watch
        if watch is None or self._break is not None:
            raise SessionError("the trial is not on the screen; nothing was kept")
        check_answer(screen, answer)
        revision = self._revisions.get(trial.number, -1) + 1
        kept = self._keeper.keep(RecordKind.ANSWER, self._body(answer, watch), trial.number, revision).response()
        self._given[trial.number], self._revisions[trial.number] = kept.answer, kept.revision
        self._watch = None
        self._index = self._first_open()
        if self.trial is None:
            with contextlib.suppress(StoreError):  # every answer is kept; only the closing row would be missing
                self._keeper.keep(RecordKind.FINISH, {})
            self._hand_back()
        ended = self.trial is None or self.trial.section != trial.section
        return Confirmed(
            self._feedback.get(trial.number, ""), ended, not ended and self._break_due(trial, screen), self.waiting
        )

    def expire(self) -> Confirmed:
        """The trial's time has run out: this is kept, and the next trial comes.

        Raises:
            SessionError: it has no time limit, or time is left.
            StoreError: it could not be kept anywhere; the trial stays.
        """
        if (left := self.time_left_s()) is None or left > 0:
            raise SessionError("the trial's time has not run out")
        return self.confirm(Answer(timed_out=True))

    def go_back(self, steps: int = 1) -> Trial:
        """Take up an earlier trial of the section again, to look at and change its answer.

        Raises:
            SessionError: the section doesn't allow it, or begins here.
        """
        trial = self._current()
        earlier = self._index - steps
        if self.screen.changes is Changes.NEVER:
            raise SessionError("answers can't be changed in this part")
        if earlier < 0 or self.trials[earlier].section != trial.section:
            raise SessionError("this part begins here; earlier parts are closed")
        self._index, self._watch = earlier, None
        return self.trials[earlier]

    def go_on(self) -> None:
        """Leave a trial that was taken up again as it is, and go to the first without an answer."""
        if self.given is not None:
            self._index, self._watch = self._first_open(), None

    def start_break(self) -> None:
        """The reader rests; no time is counted."""
        if self._break is None:
            self._break = Stopwatch(self._clock)
            if self._watch is not None:
                self._watch.pause()

    def end_break(self) -> None:
        """The reader goes on; the break is recorded.

        Raises:
            StoreError: that could not be kept anywhere; the session goes on all the same.
        """
        if self._break is None:
            return
        seconds, self._break = self._break.elapsed_ms() / 1000, None
        if self._watch is not None:
            self._watch.go_on()
        self._keeper.keep(RecordKind.BREAK, {"seconds": seconds})

    def deliver(self) -> int:
        """Try to hand over what waits on this computer; returns how many records still do."""
        return self._keeper.deliver()

    def leave(self) -> None:
        """End the session unfinished: for good in a study of one sitting, else to be resumed.

        Raises:
            StoreError: that could not be kept anywhere; answers are safe all the same.
        """
        if self.trial is not None:
            resumable = self._place.store.protocol.sitting is Sitting.RESUMABLE
            self._keeper.keep(RecordKind.LEAVE if resumable else RecordKind.ABANDON, {"reason": "the reader left"})
        self.close()

    def close(self) -> None:
        """Free the reader's lock.  Nothing is recorded: a session that was not finished stays unfinished."""
        if self._keeper.waiting:
            with contextlib.suppress(StoreError, SessionError):
                self._keeper.deliver()
        if self.handed_back is None:
            self._hand_back()
        self._lock.release()

    def _hand_back(self) -> None:
        with contextlib.suppress(SynthviewError):  # the answers are safe in the record, and can be exported from there
            self.handed_back = self._place.hand_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> Trial:
        if self.trial is None:
            raise SessionError("every trial is answered")
        return self.trial

    def _first_open(self) -> int:
        return next((k for k, trial in enumerate(self.trials) if trial.number not in self._given), len(self.trials))

    def _break_due(self, trial: Trial, screen: Screen) -> bool:
        done = sum(t.section == trial.section and t.number in self._given for t in self.trials)
        return screen.break_every > 0 and done % screen.break_every == 0

    def _body(self, answer: Answer, watch: Stopwatch) -> dict[str, Any]:
        elapsed_ms, jump_s = watch.elapsed_ms(), watch.wall_jump_s()
        activity = list(self._activity)
        if jump_s:
            activity.append({"ms": elapsed_ms, "kind": "clock-jump", "seconds": jump_s})
        if self._unlogged:
            activity.append({"ms": elapsed_ms, "kind": "not-logged", "count": self._unlogged})
        return {"answer": answer.to_dict(), "response_time_ms": elapsed_ms, "activity": activity}


def _check_kind(history: Sequence[Record], simulated: str) -> None:
    """A person's session is gone on with by a person, a simulated reader's by a simulated one."""
    if history and bool(history[0].body.get("simulated")) != bool(simulated):
        who = "a person" if simulated else "a simulated reader"
        raise SessionError(f"reader {history[0].reader} was begun by {who}; choose another reader")


def _open_record(place: StudyPlace, keeper: Keeper, stands: Standing, intake: Intake, simulated: str) -> None:
    """Record that the session begins or goes on.

    Raises:
        SessionError: it can't; what is found unfinished in a study of one sitting is recorded as abandoned.
    """
    protocol, reader = place.store.protocol, keeper.chain.reader
    kinds = {record.kind for record in place.store.records(reader)}
    if stands is Standing.FINISHED:
        if RecordKind.FINISH not in kinds:
            keeper.keep(RecordKind.FINISH, {})
        raise SessionError(f"reader {reader} has answered everything; there is nothing left to read")
    if stands is Standing.ABANDONED:
        if RecordKind.ABANDON not in kinds:
            keeper.keep(RecordKind.ABANDON, {"reason": "found unfinished"})
        raise SessionError(
            f"reader {reader} left this study of one sitting unfinished; it is recorded as abandoned and stays so"
        )
    if stands is Standing.RESUMABLE:
        keeper.keep(RecordKind.RESUME, {"simulated": simulated} if simulated else {})
        return
    if protocol.consent and not intake.consent:
        raise SessionError("please agree to taking part first")
    check_answers(protocol.questionnaire, intake.questionnaire)
    body: dict[str, Any] = {"questionnaire": dict(intake.questionnaire), "display": dict(intake.display)}
    if protocol.consent:
        body["consent"] = True
    if simulated:
        body["simulated"] = simulated
    keeper.keep(RecordKind.BEGIN, body)
