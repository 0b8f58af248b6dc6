"""A number that can be dragged, typed and reset: a name, a slider, a box and a reset button."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.panels.elided_label import control_name
from synthview.gui.theme import SPACE, TOKENS

_MAX_STEPS = 10_000


class NumberRow(QWidget):
    """Holds a number between ``low`` and ``high``; values set from elsewhere may lie outside.

    Args:
        label, low, high, default, unit: of the number.
        step: what a click on the box's arrows, and a key on the slider, changes; 0 for what suits the range.
        follows: labels of the numbers that it goes along with; then a button says whether it does.  Whoever sets it by
            hand holds it.

    Signals:
        moved: the value changes under the person's hand.
        committed: the person has let go, or typed a value.
        following: the person wants it to go along again.
    """

    moved = Signal()
    committed = Signal()
    following = Signal()

    def __init__(
        self,
        label: str,
        *,
        low: float,
        high: float,
        default: float,
        unit: str = "",
        step: float = 0.0,
        follows: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        high = high if high > low else low + 1.0
        self._low, self._high, self._default = low, high, default
        self._value = default
        decimals = min(max(2 - math.floor(math.log10(high - low)), 0), 6)
        self._steps = min(round((high - low) * 10**decimals), _MAX_STEPS)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, self._steps)
        self.slider.setPageStep(self._steps // 10)
        if step:
            self.slider.setSingleStep(max(1, round(step / (high - low) * self._steps)))
        self.box = QDoubleSpinBox(decimals=decimals, minimum=low, maximum=high)
        self.box.setKeyboardTracking(False)
        self.box.setSingleStep(step or ((high - low) / 50 if high - low <= 2 else 1.0))
        self.box.setSuffix(f" {unit}" if unit else "")
        self.reset_button = QPushButton()
        self.follow_button = QPushButton()
        self._label, self._follows = label, follows
        self._lay_out(label, unit)
        self.set_follows(bool(follows))
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderReleased.connect(self.committed)
        self.box.valueChanged.connect(self._on_typed)
        self.reset_button.clicked.connect(lambda: self._on_typed(self._default))
        self.follow_button.clicked.connect(self._on_follow)
        self.set_value(default)

    def _lay_out(self, label: str, unit: str) -> None:
        name = control_name(label, self.box)
        span = f"{self._low:g} to {self._high:g}{f' {unit}' if unit else ''}"
        for widget in (self.slider, self.box):
            widget.setToolTip(f"{label}: {span}")
            widget.setAccessibleName(label)
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            widget.installEventFilter(self)
        for button in (self.reset_button, self.follow_button):
            button.setProperty("role", "tool")
        self.follow_button.setCheckable(True)
        if not self._follows:
            self.follow_button.hide()
        self.reset_button.setIcon(icon("reset"))
        self.reset_button.setToolTip(f"Back to {self._default:g}{f' {unit}' if unit else ''}")
        self.reset_button.setAccessibleName(f"Reset {label}")
        head = QHBoxLayout()
        head.setSpacing(SPACE[0])
        head.addWidget(name, stretch=1)
        head.addWidget(self.box)
        head.addWidget(self.reset_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE[0])
        foot.addWidget(self.slider, stretch=1)
        foot.addWidget(self.follow_button)
        column.addLayout(foot)

    def value(self) -> float:
        """The number, exactly as it was set."""
        return self._value

    def follows(self) -> bool:
        """Whether it goes along with the numbers that it may follow."""
        return bool(self.follow_button.isChecked())

    def set_follows(self, follows: bool) -> None:
        """Let it go along, or hold it, where it can follow any; no signal."""
        if not self._follows:
            return
        self.follow_button.setChecked(follows)
        self.follow_button.setIcon(icon("follows" if follows else "held", TOKENS.text if follows else TOKENS.text_dim))
        along = f"with {self._follows}, as in people"
        self.follow_button.setAccessibleName(f"{self._label}: move {along}")
        self.follow_button.setToolTip(
            f"Moves {along}. Click to hold it." if follows else f"Held. Click to move it {along}."
        )

    def set_value(self, value: float) -> None:
        """Set the number; no signal."""
        self._value = value
        with QSignalBlocker(self.slider), QSignalBlocker(self.box):
            self.slider.setValue(round((value - self._low) / (self._high - self._low) * self._steps))
            self.box.setRange(min(self._low, value), max(self._high, value))
            self.box.setValue(value)
        self.reset_button.setEnabled(value != self._default)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the panel, not change a number that merely came under the pointer."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _on_slider(self, step: int) -> None:
        self._hold()
        self.set_value(round(self._low + (self._high - self._low) * step / self._steps, 9))
        if self.slider.isSliderDown():
            self.moved.emit()
        else:
            self.committed.emit()

    def _on_typed(self, value: float) -> None:
        if value != self._value:
            self._hold()
            self.set_value(value)
            self.committed.emit()

    def _hold(self) -> None:
        if self.follows():
            self.set_follows(False)

    def _on_follow(self, follows: bool) -> None:
        self.set_follows(follows)
        if follows:
            self.following.emit()
