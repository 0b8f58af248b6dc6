"""A box for a seed: an integer from 0 to 2⁶³ − 1, more than Qt's own spin boxes hold."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

MAX_SEED = 2**63 - 1


class SeedBox(QAbstractSpinBox):
    """Holds a seed; typed digits count when Enter is pressed or the box is left.

    Signals:
        value_changed: a person has changed the seed.
    """

    value_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0
        self.lineEdit().setText("0")
        self.editingFinished.connect(self._take_typed)

    def value(self) -> int:
        """The seed."""
        return self._value

    def set_value(self, seed: int) -> None:
        """Set the seed, brought into its range; no signal."""
        self._value = min(max(seed, 0), MAX_SEED)
        self.lineEdit().setText(str(self._value))

    def stepBy(self, steps: int) -> None:
        """Step up or down, by arrows, keys or wheel."""
        self._take_typed()
        self._change(self._value + steps)
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Which arrows work."""
        flags = QAbstractSpinBox.StepEnabledFlag.StepNone
        if self._value > 0:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        if self._value < MAX_SEED:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        return flags

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Digits only, up to the largest seed; spaces around a pasted number do no harm."""
        digits = text.strip()
        if not digits:
            return QValidator.State.Intermediate, text, position
        valid = digits.isascii() and digits.isdigit() and int(digits) <= MAX_SEED
        return (QValidator.State.Acceptable if valid else QValidator.State.Invalid), text, position

    def fixup(self, _text: str) -> str:
        """What an empty box becomes: the seed it held."""
        return str(self._value)

    def _take_typed(self) -> None:
        typed = self.lineEdit().text().strip()
        self._change(int(typed) if typed else self._value)

    def _change(self, seed: int) -> None:
        before = self._value
        self.set_value(seed)
        if self._value != before:
            self.value_changed.emit()
