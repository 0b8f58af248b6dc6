"""The reading window: one page after the other, from the instructions to the last answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from synthview.errors import StoreError, SynthviewError
from synthview.gui.background import Background
from synthview.gui.reading import screens
from synthview.gui.reading.luminance import LuminancePage
from synthview.gui.reading.questionnaire import QuestionnairePage
from synthview.gui.reading.trials import Trials
from synthview.gui.reading.words import LEAVE, STYLE, WordsPage
from synthview.study.session import Intake, ReadingSession
from synthview.study.standing import Standing, standing

if TYPE_CHECKING:
    from synthview.study.place import StudyPlace

_DELIVER_MS = 5000


class ReadingWindow(QWidget):
    """Takes one reader through a study.

    Args:
        place: the study's folder or the reader's bundle; closed with the window.
        reader: who reads; empty to ask.

    Attributes:
        pages: the page shown last is its current widget.
        trials: the trials' page and what drives it; None before the session has begun.

    Signals:
        closed: the window is gone.
    """

    closed = Signal()

    def __init__(self, place: StudyPlace, reader: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reading")
        self.setWindowTitle("synthview")
        self.setStyleSheet(STYLE)
        self.pages = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self.trials: Trials | None = None
        self._place, self._reader = place, reader
        self._session: ReadingSession | None = None
        self._intake: dict[str, Any] = {}
        self._before: Iterator[QWidget] = iter(())
        self._may_close = False
        self._background = Background(self)
        self._one_call = threading.Lock()  # a session takes one call at a time
        self._delivering = QTimer(self, interval=_DELIVER_MS)
        self._delivering.timeout.connect(self._deliver)
        QTimer.singleShot(0, self, self._choose_reader)

    @property
    def session(self) -> ReadingSession | None:
        """The reader's session, once it has begun."""
        return self._session

    # -- before the session --

    def _choose_reader(self) -> None:
        if self._reader:
            self._welcome(self._reader)
            return

        def look() -> list[tuple[str, Standing]]:
            return [(name, standing(self._place, name)) for name in self._place.store.readers]

        def ask(found: list[tuple[str, Standing]]) -> None:
            if len(found) == 1:
                self._welcome(found[0][0])
            else:
                self._show_words(screens.who(found), self._on_reader)

        self.run(look, ask, self._stop)

    def _on_reader(self, word: str) -> None:
        if word == LEAVE:
            self.close()
        else:
            self._welcome(word)

    def _welcome(self, reader: str) -> None:
        self._reader = reader

        def look() -> tuple[Standing, int, int]:
            stands = standing(self._place, reader)
            return stands, len(self._place.store.responses(reader)), len(self._place.store.trials(reader))

        self.run(look, lambda found: self._open(*found), self._stop)

    def _open(self, stands: Standing, done: int, total: int) -> None:
        protocol = self._place.store.protocol
        if stands is Standing.NEW:
            self._before = self._pages_before(total)
        elif stands is Standing.RESUMABLE:
            self._before = iter((self._words(screens.welcome_back(protocol, done, total)),))
        self._next_before()

    def _pages_before(self, total: int) -> Iterator[QWidget]:
        """What comes before the first trial, each made when it is its turn."""
        protocol = self._place.store.protocol
        yield self._words(screens.welcome(protocol, total))
        if protocol.consent:
            yield self._words(screens.consent(protocol))
            self._intake["consent"] = True
        if protocol.questionnaire:
            questions = QuestionnairePage(protocol.questionnaire)
            questions.filled.connect(lambda answers: self._took("questionnaire", answers))
            questions.answered.connect(self._on_word_before)
            yield questions
        if protocol.display_check:
            display = LuminancePage()
            display.finished.connect(lambda answers: self._took("display", answers))
            display.leave_requested.connect(self.close)
            yield display

    def _words(self, page: WordsPage) -> WordsPage:
        page.answered.connect(self._on_word_before)
        return page

    def _on_word_before(self, word: str) -> None:
        if word == LEAVE:
            self.close()
        elif not isinstance(self.pages.currentWidget(), QuestionnairePage):
            self._next_before()

    def _took(self, what: str, answers: dict[str, Any]) -> None:
        self._intake[what] = answers
        self._next_before()

    def _next_before(self) -> None:
        page = next(self._before, None)
        if page is not None:
            self.show_page(page)
            return
        intake = Intake(**self._intake)
        self.run(lambda: ReadingSession.begin(self._place, self._reader, intake), self._begin, self._stop)

    # -- the session --

    def _begin(self, session: ReadingSession) -> None:
        self._session = session
        self.trials = Trials(self, self._place, session)
        self.trials.ended.connect(self._on_ended)
        self.trials.stopped.connect(lambda error: self._stop(error, ""))
        self.trials.leave_requested.connect(self._ask_to_leave)
        self._delivering.start()
        self.trials.go_on()

    def _ask_to_leave(self) -> None:
        if self._session is None or self._session.trial is None:
            self.close()
            return
        before = self.pages.currentWidget()
        self._session.start_break()
        page = screens.leaving(self._place.store.protocol)
        page.answered.connect(lambda word: self._leave() if word == LEAVE else self._stay(before))
        self.show_page(page)

    def _stay(self, page: QWidget | None) -> None:
        session = self._session
        assert session is not None
        assert page is not None  # leaving is asked for on a page
        self.show_page(page)
        self.run(session.end_break, lambda _: None, lambda _error, _details: None)  # the session goes on all the same

    def _leave(self) -> None:
        session = self._session
        assert session is not None
        self.run(session.leave, lambda _: self.close_now(), lambda _error, _details: self.close_now())

    def _on_ended(self) -> None:
        session = self._session
        assert session is not None
        if session.waiting:
            self._show_words(screens.thanks_waiting(session.waiting), self._on_end_word)
        else:
            self._show_words(screens.thanks(session.handed_back), self._on_end_word)

    def _on_end_word(self, word: str) -> None:
        if word == LEAVE:
            self.close_now()
        else:
            self._deliver()

    def _deliver(self) -> None:
        """Try again to hand over what waits on this computer, without holding anything up."""
        session = self._session
        if session is None or not session.waiting or self._one_call.locked():
            return
        self.run(session.deliver, self._on_delivered, lambda _error, _details: None)

    def _on_delivered(self, waiting: int) -> None:
        if self._session is not None and self._session.trial is None:
            self._on_ended()
        elif self.trials is not None:
            self.trials.show_waiting(waiting)

    # -- pages --

    def show_page(self, page: QWidget) -> None:
        """Show a page; the one before goes, unless it is the trials' own."""
        before = self.pages.currentWidget()
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        page.setFocus()
        if (
            before is not None
            and before is not page
            and isinstance(before, WordsPage | QuestionnairePage | LuminancePage)
        ):
            self.pages.removeWidget(before)
            before.deleteLater()

    def _show_words(self, page: WordsPage, on_word: Callable[[str], None]) -> None:
        page.answered.connect(on_word)
        self.show_page(page)

    def _stop(self, error: SynthviewError, _details: str) -> None:
        """Say why it can't go on; what was confirmed is safe."""
        retry = isinstance(error, StoreError) and self._session is None

        def on_word(word: str) -> None:
            if word == LEAVE:
                self.close_now()
            else:
                self._intake, self._before = {}, iter(())
                self._choose_reader()

        self._show_words(screens.stopped(str(error), retry=retry), on_word)

    # -- work that may take its time --

    def run(
        self,
        work: Callable[[], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[SynthviewError, str], None],
    ) -> None:
        """Call the session or the store off the GUI thread, one call at a time."""

        def one() -> Any:
            with self._one_call:
                return work()

        self._background.run(one, on_done, on_failed)

    # -- the window itself --

    def changeEvent(self, event: QEvent) -> None:
        """Note when the reader looks at another window."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.trials is not None:
            self.trials.note_focus(has=self.isActiveWindow())

    def closeEvent(self, event: QCloseEvent) -> None:
        """A session under way is left by asking first."""
        if not self._may_close and self._session is not None and self._session.trial is not None:
            event.ignore()
            if not isinstance(self.pages.currentWidget(), WordsPage):
                self._ask_to_leave()
            return
        self._shut_down()
        super().closeEvent(event)
        self.closed.emit()

    def close_now(self) -> None:
        """Close without asking and without recording that the reader left."""
        self._may_close = True
        self.close()

    def _shut_down(self) -> None:
        self._delivering.stop()
        if self.trials is not None:
            self.trials.close()
        self._background.wait()
        if self._session is not None:
            self._session.close()
        self._place.close()
