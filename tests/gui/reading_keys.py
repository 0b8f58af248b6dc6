"""A reader made of key presses: what a hand would do, on the window that has the keyboard."""

import contextlib

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthview.gui.reading.questionnaire import QuestionnairePage
from synthview.gui.reading.trial_page import TrialPage
from synthview.gui.reading.window import ReadingWindow
from synthview.gui.reading.words import WordsPage
from synthview.study.place import open_place

K = Qt.Key
PATIENCE_MS = 30_000


@contextlib.contextmanager
def reading(qtbot, path, reader):
    """An open reading window, closed without a word at the end."""
    window = ReadingWindow(open_place(path), reader)
    qtbot.addWidget(window)
    window.resize(900, 700)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE_MS)
    try:
        yield Hand(qtbot, window)
    finally:
        window.close_now()


class Hand:
    """Presses keys and waits for what they bring."""

    def __init__(self, qtbot, window):
        self.qtbot, self.window = qtbot, window

    def press(self, *keys):
        """Press keys, one after the other, where the keyboard is."""
        for key in keys:
            page = self.window.pages.currentWidget()
            QTest.keyClick(QApplication.focusWidget() or page, key)

    def text(self):
        """All that can be read on the page shown."""
        from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton

        page = self.window.pages.currentWidget()
        if page is None:
            return ""
        return "\n".join(w.text() for kind in (QLabel, QPushButton, QRadioButton) for w in page.findChildren(kind))

    def wait_for(self, words):
        """Wait until a page says so."""
        self.qtbot.waitUntil(lambda: words in self.text(), timeout=PATIENCE_MS)

    @property
    def page(self) -> TrialPage:
        return self.window.trials.page

    def wait_for_trial(self, number):
        """Wait until the trial is painted and its time runs."""

        def painted():
            session = self.window.session
            return (
                session is not None
                and session.trial is not None
                and session.trial.number == number
                and self.window.pages.currentWidget() is self.page
                and session._watch is not None
                and self.page._listening
            )

        self.qtbot.waitUntil(painted, timeout=PATIENCE_MS)

    def through_words(self):
        """Enter on every page of words, and of questions that may be left open, until a trial is on."""

        def step():
            page = self.window.pages.currentWidget()
            if isinstance(page, WordsPage | QuestionnairePage):
                self.press(K.Key_Return)
            return self.window.trials is not None and page is self.page

        self.qtbot.waitUntil(step, timeout=PATIENCE_MS)

    def read(self, answer):
        """Walk the whole session; ``answer`` presses the keys of one trial's answer, Enter follows."""
        self.through_words()
        session = self.window.session
        while session.trial is not None:
            number = session.trial.number
            self.qtbot.waitUntil(lambda n=number: self._on(n), timeout=PATIENCE_MS)
            answer(self, session)
            self.press(K.Key_Return)
            self.qtbot.waitUntil(lambda n=number: self._is_past(n), timeout=PATIENCE_MS)
        self.wait_for("Thank you")

    def _is_past(self, number):
        trial = self.window.session.trial
        return trial is None or trial.number != number

    def _on(self, number):
        """Whether the trial is painted; pages of words and feedback before it are answered with Enter."""
        page, session = self.window.pages.currentWidget(), self.window.session
        if isinstance(page, WordsPage) or (page is self.page and self.page._in_feedback):
            self.press(K.Key_Return)
        return page is self.page and session._watch is not None and self.page._listening
