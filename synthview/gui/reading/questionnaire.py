"""The questions about the reader, answered by keyboard before the first trial."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from synthview.errors import SessionError
from synthview.gui.reading.words import ENTER, ESCAPE, GO_ON, LEAVE, ReadingPage, key_row, label
from synthview.gui.theme import SPACE
from synthview.study.protocol_questionnaire import Question, QuestionKind


class _Choices(QWidget):
    """One of several: number keys or arrows."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._choices = question.choices
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for number, choice in enumerate(question.choices, start=1):
            button = QRadioButton(f"{number}  {choice}" if number < 10 else choice)
            button.installEventFilter(self)
            self._group.addButton(button, number)
            column.addWidget(button)
        self.setFocusProxy(self._group.button(1))

    def text(self) -> str:
        """The chosen text; empty for none."""
        picked = self._group.checkedId()
        return self._choices[picked - 1] if picked > 0 else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A number key picks that choice."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            button = (
                self._group.button(event.key() - Qt.Key.Key_0) if Qt.Key.Key_1 <= event.key() <= Qt.Key.Key_9 else None
            )
            if button is not None:
                button.setChecked(True)
                button.setFocus()
                return True
        return super().eventFilter(watched, event)


class QuestionnairePage(ReadingPage):
    """All questions on one page; Tab goes from one to the next, Enter goes on when all are answered.

    Signals:
        filled: the answers by name of the question.
    """

    filled = Signal(dict)

    def __init__(self, questions: Sequence[Question], parent: QWidget | None = None) -> None:
        super().__init__({ENTER: GO_ON, Qt.Key.Key_Enter: GO_ON, ESCAPE: LEAVE}, parent)
        self._questions = tuple(questions)
        self._fields: dict[str, _Choices | QLineEdit] = {}
        self._error = label("", "warn")
        self.column.addWidget(label("About you", "heading"))
        for question in questions:
            self._add(question)
        self.column.addSpacing(SPACE[2])
        self.column.addWidget(self._error)
        self.column.addLayout(key_row({"Tab": "next question", "Enter": "go on", "Esc": "leave"}))
        self.column.addStretch(1)
        self.setFocusProxy(next(iter(self._fields.values())))

    def answers(self) -> dict[str, str]:
        """What is answered so far; unanswered questions are left out."""
        return {name: text for name, field in self._fields.items() if (text := field.text().strip())}

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes on only when every answer may stand."""
        if Qt.Key(event.key()) in (ENTER, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._finish()
        else:
            super().keyPressEvent(event)

    def _add(self, question: Question) -> None:
        field: _Choices | QLineEdit
        if question.kind is QuestionKind.CHOICE:
            field = _Choices(question)
        else:
            field = QLineEdit()
            field.setMaximumWidth(160 if question.kind is QuestionKind.NUMBER else 600)
            field.setMaxLength(1000)
        optional = "" if question.required else "  (may be left empty)"
        words = label(question.question + optional, "question")
        words.setBuddy(field)
        self._fields[question.name] = field
        block = QVBoxLayout()
        block.setSpacing(SPACE[0])
        block.addWidget(words)
        block.addWidget(field)
        self.column.addLayout(block)

    def _finish(self) -> None:
        answers = self.answers()
        for question in self._questions:
            try:
                question.check(answers.get(question.name, ""))
            except SessionError as error:
                self._error.setText(str(error))
                self._fields[question.name].setFocus()
                return
        if not self._is_answered:
            self._is_answered = True
            self.filled.emit(answers)
