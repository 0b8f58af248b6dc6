"""The page of a trial: the stimuli, the question, the progress, the keys; nothing else."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from synthview.gui.reading.comment import CommentLine
from synthview.gui.reading.draft import Draft
from synthview.gui.reading.keys import KEYS, NUMBERS, PRESETS, SLICE_STEPS, Do, hints
from synthview.gui.reading.panels import Panels
from synthview.gui.reading.scales import Scales, option, set_picked
from synthview.gui.reading.words import label
from synthview.gui.state import Plane
from synthview.gui.theme import SPACE
from synthview.gui.views.slice_gestures import dragged_window
from synthview.study.protocol_screen import Changes, Screen, SectionKind, ShownAs
from synthview.study.trial import Trial
from synthview.volume import Volume

_WINDOW_PX = 20  # a press of a window key is worth a drag of so many pixels
_ZOOM_STEP = 1.25
_MESSAGE_PX = 32  # kept free for the largest message, or the stimuli would move when one comes
_CHOICE_TEXTS = {
    (SectionKind.TWO_AFC_REAL, "left"): "←  left is real",
    (SectionKind.TWO_AFC_REAL, "right"): "right is real  →",
    (SectionKind.TWO_AFC_SYNTHETIC, "left"): "←  left",
    (SectionKind.TWO_AFC_SYNTHETIC, "right"): "right  →",
    (SectionKind.TURING, "real"): "←  real",
    (SectionKind.TURING, "synthetic"): "synthetic  →",
    (SectionKind.TURING, "cannot-tell"): "X  can't tell",
}
_PLANES = {Do.AXIAL: Plane.AXIAL, Do.SAGITTAL: Plane.SAGITTAL, Do.CORONAL: Plane.CORONAL}


class TrialPage(QWidget):
    """Shows trials, one after the other, and gathers the answer.

    Attributes:
        panels: the stimuli.

    Signals:
        confirm_requested: the draft is complete and the reader pressed Enter.
        next_requested: Enter after feedback.
        back_requested: the reader wants the trial before.
        leave_requested: Esc.
        noted: a kind and details for the behaviour log.
    """

    confirm_requested = Signal(object)  # Answer
    next_requested = Signal()
    back_requested = Signal()
    leave_requested = Signal()
    noted = Signal(str, dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = Panels()
        self._draft: Draft | None = None
        self._listening = self._in_feedback = False
        self._note = label("", "warn")
        self._time = label("", "hint", wrap=False)
        self._count = label("", "hint", wrap=False)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(160)
        self._question = label("", "question")
        self._question.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._choices = QWidget()
        self._choice_buttons: dict[str, QPushButton] = {}
        self._scales: Scales | None = None
        self._comment = CommentLine()
        self._message = label("", "hint")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setMinimumHeight(_MESSAGE_PX)
        self._hints = label("", "hint")
        self._hints.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._comment.textEdited.connect(self._on_comment)
        self._comment.done.connect(self.setFocus)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._note, stretch=1)
        top.addWidget(self._time)
        top.addSpacing(SPACE[4])
        top.addWidget(self._count)
        top.addSpacing(SPACE[1])
        top.addWidget(self._bar, alignment=Qt.AlignmentFlag.AlignVCenter)
        QHBoxLayout(self._choices).setContentsMargins(0, 0, 0, 0)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(SPACE[4], SPACE[2], SPACE[4], SPACE[2])
        self._column.setSpacing(SPACE[1])
        self._column.addLayout(top)
        self._column.addWidget(self.panels, stretch=1)
        for widget in (self._choices, self._question, self._comment, self._message, self._hints):
            self._column.addWidget(widget)

    # -- showing a trial --

    def set_section(self, screen: Screen) -> None:
        """Lay the page out for a section, so that from trial to trial nothing moves."""
        self._question.setText(screen.question)
        self._hints.setText("      ".join(hints(screen)))
        self._comment.setVisible(screen.comment)
        self._make_choices(screen)
        if self._scales is not None:
            self._column.removeWidget(self._scales)
            self._scales.deleteLater()
            self._scales = None
        draft = Draft.of(screen, None)
        if draft.scales:
            self._scales = Scales(draft.scales)
            self._scales.rated.connect(self._on_scale_clicked)
            self._column.insertWidget(self._column.indexOf(self._comment), self._scales)

    def ask(self, trial: Trial, draft: Draft, volumes: list[Volume], progress: tuple[int, int]) -> None:
        """Fade in a trial and take its answer."""
        self._in_feedback, self._listening = False, True
        told = draft.screen.kind in (SectionKind.TWO_AFC_REAL, SectionKind.TURING) and bool(draft.screen.choices)
        practice = "Practice: you are told the answer afterwards." if told else "Practice."
        self.set_message(practice if trial.practice else "")
        done, total = progress
        self._count.setText(f"{min(done + 1, total)} / {total}")
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._comment.setText(draft.comment)
        self.set_time_left(None)
        presentation = draft.screen.presentation
        self.panels.present(
            volumes,
            trial.plane,
            trial.position,
            draft.screen.tools,
            scrollable=presentation.shown_as is ShownAs.VOLUME,
        )
        self._set_draft(draft)
        self.setFocus()

    def wait_for_stimuli(self) -> None:
        """Nothing is shown until both stimuli are there."""
        self._listening = False
        self.panels.blank()
        self.set_message("Loading…")

    def set_busy(self) -> None:
        """The answer is being kept; keys wait."""
        self._listening = False

    def listen_again(self, message: str, role: str = "bad") -> None:
        """The answer could not be kept: say so, and take it again."""
        self._listening = True
        self.set_message(message, role)

    def show_feedback(self, correct: str) -> None:
        """After a practice trial: was it right?"""
        self._in_feedback = True
        right = self._draft is not None and self._draft.choice == correct
        what = {"left": "the left one", "right": "the right one"}.get(correct, correct)
        verdict = "That was right" if right else "That was not right"
        self.set_message(f"{verdict}: it is {what}.      Enter  next", "good" if right else "warn")

    def set_note(self, sentence: str) -> None:
        """What the reader has to know all the time, such as a lost database; empty for nothing."""
        self._note.setText(sentence)

    def set_time_left(self, seconds: float | None) -> None:
        """Show the time left; None for no limit."""
        self._time.setText("" if seconds is None else f"{int(seconds + 0.999)} s left")

    def set_message(self, sentence: str, role: str = "hint") -> None:
        """The line above the hints."""
        self._message.setText(sentence)
        if self._message.property("role") != role:
            self._message.setProperty("role", role)
            self._message.style().unpolish(self._message)
            self._message.style().polish(self._message)

    @property
    def message(self) -> str:
        """The line above the hints."""
        return self._message.text()

    def _make_choices(self, screen: Screen) -> None:
        row = self._choices.layout()
        assert row is not None
        while (item := row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._choice_buttons = {}
        for choice in screen.choices:
            button = option(_CHOICE_TEXTS[screen.kind, choice], "choice")
            button.clicked.connect(lambda _=False, choice=choice: self._pick(choice))
            self._choice_buttons[choice] = button
            row.addWidget(button)
        self._choices.setVisible(bool(screen.choices))

    def _set_draft(self, draft: Draft) -> None:
        self._draft = draft
        for choice, button in self._choice_buttons.items():
            set_picked(button, choice == draft.choice)
        self.panels.choose({"left": 0, "right": 1}.get(draft.choice))
        if self._scales is not None:
            self._scales.show_state(draft.numbers, draft.active)

    # -- keys --

    def focusNextPrevChild(self, _forward: bool) -> bool:
        """Tab is a key of the page."""
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Look the key up in the table."""
        key, draft = Qt.Key(event.key()), self._draft
        if key in SLICE_STEPS:
            self.panels.step(SLICE_STEPS[key])
            return
        do = KEYS.get(key)
        if event.isAutoRepeat() and do in (Do.CONFIRM, Do.LEAVE, Do.GO_BACK, None):
            return
        if do is Do.LEAVE:
            self.leave_requested.emit()
        elif self._in_feedback:
            if do is Do.CONFIRM:
                self._in_feedback = False
                self.next_requested.emit()
        elif draft is None or not self._listening:
            return
        elif key in NUMBERS:
            self._rate(draft, NUMBERS[key])
        elif key in PRESETS:
            if draft.screen.tools.window:
                self.panels.preset(*PRESETS[key][1:])
        elif do is not None and not self._answer_key(draft, do):
            self._picture_key(draft.screen, do)

    def _answer_key(self, draft: Draft, do: Do) -> bool:
        """Keys of the answer; False for another."""
        choices = draft.screen.choices
        if do is Do.CONFIRM:
            self._confirm(draft)
        elif do in (Do.CHOOSE_FIRST, Do.CHOOSE_SECOND) and choices:
            self._pick(choices[0 if do is Do.CHOOSE_FIRST else 1])
        elif do is Do.CANNOT_TELL:
            self._pick("cannot-tell")
        elif do in (Do.NEXT_SCALE, Do.PREVIOUS_SCALE):
            self._set_draft(draft.step(1 if do is Do.NEXT_SCALE else -1))
        elif do is Do.COMMENT and draft.screen.comment:
            self._comment.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif do is Do.GO_BACK and draft.screen.changes is Changes.UNTIL_SECTION_END:
            self.back_requested.emit()
        else:
            return False
        return True

    def _picture_key(self, screen: Screen, do: Do) -> None:
        tools, panels = screen.tools, self.panels
        moved = {
            Do.WIDTH_UP: (_WINDOW_PX, 0),
            Do.WIDTH_DOWN: (-_WINDOW_PX, 0),
            Do.LEVEL_UP: (0, -_WINDOW_PX),
            Do.LEVEL_DOWN: (0, _WINDOW_PX),
        }
        if do is Do.WINDOW_RESET and tools.window:
            panels.preset(0.0, 1.0)
        elif do in moved and tools.window:
            panels.set_window(dragged_window(panels.models[0].state.window, *moved[do]))
        elif do in (Do.ZOOM_IN, Do.ZOOM_OUT, Do.ZOOM_RESET) and tools.zoom:
            panels.zoom({Do.ZOOM_IN: _ZOOM_STEP, Do.ZOOM_OUT: 1 / _ZOOM_STEP}.get(do))
        elif do in _PLANES and tools.planes:
            panels.set_plane(_PLANES[do])
        elif do is Do.SWITCH_3D and tools.volume_3d:
            self.noted.emit("3d", {"shown": panels.switch_3d()})

    # -- the answer --

    def _pick(self, choice: str) -> None:
        if self._draft is None or not self._listening:
            return
        changed = self._draft.choose(choice)
        if changed is not self._draft:
            self.noted.emit("choice", {"choice": choice})
            self._set_draft(changed)
            self.set_message("")

    def _rate(self, draft: Draft, number: int) -> None:
        changed = draft.rate(number)
        if changed is not draft:
            self.noted.emit("number", {"scale": draft.scales[draft.active].name, "number": number})
            self._set_draft(changed)
            self.set_message("")

    def _on_scale_clicked(self, index: int, number: int) -> None:
        if self._draft is not None and self._listening:
            self._rate(self._draft.step(index - self._draft.active), number)

    def _on_comment(self, text: str) -> None:
        if self._draft is not None:
            self._draft = self._draft.write(text)

    def _confirm(self, draft: Draft) -> None:
        if missing := draft.missing():
            self.set_message(missing, "warn")
        else:
            self.confirm_requested.emit(draft.answer())
