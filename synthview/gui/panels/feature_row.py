"""The control of one conditioning input: a slider for a number, a switch or a list for a category; and of a setting."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QPushButton, QWidget

from synthview.generators.info import Feature, Setting
from synthview.generators.wording import listed
from synthview.gui.panels.elided_label import control_name
from synthview.gui.panels.number_row import NumberRow

_MOST_BUTTONS, _MOST_LETTERS = 3, 18  # of categories that are shown as buttons side by side


class CategoryRow(QWidget):
    """Holds one of several categories, as its number.

    Signals:
        committed: a person has chosen another.
    """

    committed = Signal()

    def __init__(self, feature: Feature, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.combo = QComboBox()
        self.combo.addItems(list(feature.categories))
        self.combo.setAccessibleName(feature.label)
        name = control_name(feature.label, self.combo)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(name, stretch=1)
        row.addWidget(self.combo)
        self.set_value(feature.default)
        self.combo.currentIndexChanged.connect(self.committed)

    def value(self) -> float:
        """Number of the category, from 0."""
        return float(self.combo.currentIndex())

    def set_value(self, value: float) -> None:
        """Choose a category by its number, brought into range; no signal."""
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(min(max(round(value), 0), self.combo.count() - 1))


class SwitchRow(QWidget):
    """Holds one of two or three categories with short names, as its number: a button for each.

    Signals:
        committed: a person has chosen another.
    """

    committed = Signal()

    def __init__(self, feature: Feature, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = [QPushButton(category) for category in feature.categories]
        self._group = QButtonGroup(self)
        name = control_name(feature.label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(name, stretch=1)
        for number, button in enumerate(self.buttons):
            button.setCheckable(True)
            button.setProperty("role", "segment")
            button.setAccessibleName(f"{feature.label}: {feature.categories[number]}")
            self._group.addButton(button, number)
            row.addWidget(button)
        self._value = -1
        self.set_value(feature.default)
        self._group.idClicked.connect(self._on_clicked)

    def value(self) -> float:
        """Number of the category, from 0."""
        return float(self._group.checkedId())

    def set_value(self, value: float) -> None:
        """Choose a category by its number, brought into range; no signal."""
        self._value = min(max(round(value), 0), len(self.buttons) - 1)
        self.buttons[self._value].setChecked(True)

    def _on_clicked(self, number: int) -> None:
        if number != self._value:
            self._value = number
            self.committed.emit()


class SettingRow(QWidget):
    """One way to use the network, out of several.

    Signals:
        chosen: the setting's name and the value that a person has chosen.
    """

    chosen = Signal(str, str)

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self.combo = QComboBox()
        for value, words in setting.choices:
            self.combo.addItem(words, value)
        self.combo.setCurrentIndex(self.combo.findData(setting.value))
        self.combo.setAccessibleName(setting.label)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(10)
        self.combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        name = control_name(setting.label, self.combo)
        self.setToolTip(setting.what)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(name, stretch=2)
        row.addWidget(self.combo, stretch=3)
        self.combo.activated.connect(self._on_chosen)

    def _on_chosen(self) -> None:
        value = self.combo.currentData()
        if value != self.setting.value:
            self.chosen.emit(self.setting.name, value)


FeatureRow = CategoryRow | SwitchRow | NumberRow


def feature_row(feature: Feature, features: Sequence[Feature] = ()) -> FeatureRow:
    """The control for a feature, at its default; ``features`` are all of them, by which it names those it follows."""
    if feature.categories:
        few = len(feature.categories) <= _MOST_BUTTONS
        short = sum(map(len, feature.categories)) <= _MOST_LETTERS
        return SwitchRow(feature) if few and short else CategoryRow(feature)
    return NumberRow(
        feature.label,
        low=feature.low,
        high=feature.high,
        default=feature.default,
        unit=feature.unit,
        step=feature.step,
        follows=listed([other.label for other in features if other.name in feature.follows]),
    )
