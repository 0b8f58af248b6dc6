"""Drives the trials: loads ahead, shows, keeps each answer before the next one shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from synthview.errors import SessionTakenError, SynthviewError
from synthview.gui.reading import screens
from synthview.gui.reading.activity import ActivityLog
from synthview.gui.reading.draft import Draft
from synthview.gui.reading.loader import StimulusLoader
from synthview.gui.reading.trial_page import TrialPage
from synthview.study.place import load_stimulus
from synthview.study.session import Confirmed, ReadingSession
from synthview.study.trial import Answer, Trial

if TYPE_CHECKING:
    from synthview.gui.reading.window import ReadingWindow
    from synthview.study.place import StudyPlace

_AHEAD = 2  # trials loaded beforehand
_TICK_MS = 100


class Trials(QObject):
    """The middle of a reading, from the first part's page to the last answer.

    Attributes:
        page: shows the trials.

    Signals:
        ended: every trial is answered.
        stopped: an error after which reading can't go on.
        leave_requested: the reader wants to leave.
    """

    ended = Signal()
    stopped = Signal(object)
    leave_requested = Signal()

    def __init__(self, window: ReadingWindow, place: StudyPlace, session: ReadingSession) -> None:
        super().__init__(window)
        self._window, self._place, self._session = window, place, session
        self.page = TrialPage()
        window.pages.addWidget(self.page)
        self._loader = StimulusLoader(lambda name: load_stimulus(place, name), self)
        self._activity = ActivityLog(self.page.panels, session.log, self)
        self._section = -1
        self._waiting_to_show = self._keeping = self._break_due = False
        self._ticking = QTimer(self, interval=_TICK_MS)
        self._connect()

    def _connect(self) -> None:
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(lambda sentence, _details: self.stopped.emit(SynthviewError(sentence)))
        self.page.panels.first_painted.connect(self._on_first_painted)
        self.page.confirm_requested.connect(self._confirm)
        self.page.next_requested.connect(self._after_feedback)
        self.page.back_requested.connect(self._go_back)
        self.page.leave_requested.connect(self.leave_requested)
        self.page.noted.connect(lambda kind, details: self._session.log(kind, **details))
        self._ticking.timeout.connect(self._tick)

    def go_on(self) -> None:
        """Show the next trial, after the page of its part where a new one begins."""
        trial = self._session.trial
        if trial is None:
            self._ticking.stop()
            self.ended.emit()
            return
        if self._loader.get(trial.stimuli) is None or trial.section != self._section:
            self._load_ahead(trial)  # else it waits until the trial is painted, and doesn't slow that down
        if trial.section == self._section:
            self._show()
            return
        self._section = trial.section
        page = screens.part(self._session.screen, *self._place_of(trial))
        page.answered.connect(lambda _word: self._begin_part())
        self._window.show_page(page)

    def show_waiting(self, waiting: int) -> None:
        """Tell the reader that answers wait on this computer, or that they don't any more."""
        many = f"{waiting} answers wait" if waiting != 1 else "1 answer waits"
        self.page.set_note(
            f"The study's database can't be reached. {many} safely on this computer; go on reading." if waiting else ""
        )

    def note_focus(self, *, has: bool) -> None:
        """The window got or lost the keyboard."""
        self._activity.focus(has=has)

    def close(self) -> None:
        """Stop loading and ticking."""
        self._ticking.stop()
        self.page.panels.close_panels()
        self._loader.close()

    # -- showing --

    def _place_of(self, trial: Trial) -> tuple[int, int, int]:
        """Number of the trial's part, how many parts there are, and how many trials it has."""
        order = list(dict.fromkeys(one.section for one in self._session.trials))
        trials = sum(one.section == trial.section for one in self._session.trials)
        return order.index(trial.section) + 1, len(order), trials

    def _begin_part(self) -> None:
        self.page.set_section(self._session.screen)
        self._window.show_page(self.page)
        self._show()

    def _load_ahead(self, trial: Trial) -> None:
        following = self._session.upcoming(_AHEAD)
        self._loader.want(name for one in (trial, *following) for name in one.stimuli)

    def _show(self) -> None:
        trial = self._session.trial
        assert trial is not None
        volumes = self._loader.get(trial.stimuli)
        self._waiting_to_show = volumes is None
        if volumes is None:
            self.page.wait_for_stimuli()
            return
        draft = Draft.of(self._session.screen, self._session.given)
        self.page.ask(trial, draft, volumes, self._session.progress)

    def _on_loaded(self, _name: str) -> None:
        if self._waiting_to_show and self._window.pages.currentWidget() is self.page:
            self._show()

    def _on_first_painted(self) -> None:
        self._session.shown()
        self._activity.begin()
        if (trial := self._session.trial) is not None:
            self._load_ahead(trial)
        if self._session.screen.time_limit_s is not None:
            self._ticking.start()

    # -- the answer --

    def _confirm(self, answer: Answer) -> None:
        self._activity.flush()
        self._keep(lambda: self._session.confirm(answer))

    def _keep(self, work: Any) -> None:
        self._keeping = True
        self._ticking.stop()
        self.page.set_busy()
        self._window.run(work, self._on_confirmed, self._on_not_kept)

    def _on_confirmed(self, confirmed: Confirmed) -> None:
        self._keeping = False
        self.show_waiting(confirmed.waiting)
        self._break_due = confirmed.break_due
        if confirmed.feedback:
            self.page.show_feedback(confirmed.feedback)
        else:
            self._after_feedback()

    def _on_not_kept(self, error: SynthviewError, _details: str) -> None:
        self._keeping = False
        if isinstance(error, SessionTakenError):
            self.stopped.emit(error)
            return
        self.page.listen_again(str(error))
        if self._session.trial is not None and self._session.screen.time_limit_s is not None:
            self._ticking.start()

    def _after_feedback(self) -> None:
        if not self._break_due:
            self.go_on()
            return
        self._break_due = False
        trial = self._session.trial
        if trial is not None:
            self._load_ahead(trial)
        self._session.start_break()
        page = screens.rest()
        page.answered.connect(lambda _word: self._end_break())
        self._window.show_page(page)

    def _end_break(self) -> None:
        def go_on(*_: object) -> None:
            self._window.show_page(self.page)
            self.go_on()

        self._window.run(self._session.end_break, go_on, go_on)  # where it can't be kept, reading goes on all the same

    def _go_back(self) -> None:
        try:
            trial = self._session.go_back()
        except SynthviewError as error:
            self.page.set_message(str(error), "warn")
            return
        self._load_ahead(trial)
        self._show()

    def _tick(self) -> None:
        """Show the time left; at its end the trial is over, whatever was said."""
        if self._keeping or self._session.trial is None:
            return
        left = self._session.time_left_s()
        self.page.set_time_left(left)
        if left is not None and left <= 0:
            self._activity.flush()
            self._keep(self._session.expire)
