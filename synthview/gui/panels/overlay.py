"""Colours over the grey image: on or off, how strong, which class is which colour, and how much there is of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from synthview.gui.colormaps import tissue_colors, tissue_names
from synthview.gui.icons import icon
from synthview.gui.labels import caption, swatch, title
from synthview.gui.state import ViewModel, ViewState
from synthview.gui.theme import SPACE

_MOST_ROWS = 12  # classes listed

_Row = tuple[str, QColor, str]


class OverlayPanel(QWidget):
    """Bound both ways to the model; hidden while there is nothing to draw in colour."""

    def __init__(self, model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.switch = QCheckBox("Show colours")
        self.switch.setToolTip("Labels and tissues in colour over the grey image (G)")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName("Opacity of the colours")
        self.remove_button = QPushButton()
        self.remove_button.setProperty("role", "tool")
        self.remove_button.setToolTip("Take the overlay away")
        self.remove_button.setAccessibleName("Take the overlay away")
        self._name = caption()
        self._more = caption()
        self._legend = QGridLayout()
        self._shown: list[QLabel] = []
        self._lay_out()
        self.switch.toggled.connect(lambda on: model.change(overlay_shown=on))
        self.opacity.valueChanged.connect(lambda percent: model.change(overlay_opacity=percent / 100))
        self.remove_button.clicked.connect(lambda: model.set_overlay(None))
        model.volume_changed.connect(self._fill)
        model.overlay_changed.connect(self._fill)
        model.state_changed.connect(lambda _old, new: self._show_state(new))
        self._show_state(model.state)
        self._fill()

    def legend_texts(self) -> list[str]:
        """The legend's lines."""
        return [label.text() for label in self._shown if label.text()]

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(title("Labels and tissues"), stretch=1)
        head.addWidget(self.remove_button)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(caption("Opacity"))
        row.addWidget(self.opacity, stretch=1)
        self._legend.setHorizontalSpacing(SPACE[1])
        self._legend.setVerticalSpacing(SPACE[0])
        self._legend.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addLayout(head)
        column.addWidget(self._name)
        column.addWidget(self.switch)
        column.addLayout(row)
        column.addLayout(self._legend)
        column.addWidget(self._more)

    def _fill(self, _changed: object = None) -> None:
        overlay = self._model.overlay
        self.setVisible(self._model.has_colors)
        self.remove_button.setVisible(overlay is not None)
        self.remove_button.setIcon(icon("cancel"))
        self._name.setText(overlay.volume.name if overlay is not None else "")
        self._name.setVisible(overlay is not None)
        rows = self._rows()
        for label in self._shown:
            self._legend.removeWidget(label)
            label.deleteLater()
        self._shown = []
        for number, (name, color, amount) in enumerate(rows[:_MOST_ROWS]):
            value = caption(amount)
            for column, label in enumerate((swatch(color), QLabel(name), value)):
                self._legend.addWidget(label, number, column)
                self._shown.append(label)
            self._legend.setAlignment(value, Qt.AlignmentFlag.AlignRight)
        hidden = len(rows) - _MOST_ROWS
        self._more.setText(f"and {hidden} smaller ones")
        self._more.setVisible(hidden > 0)

    def _rows(self) -> list[_Row]:
        """Name, colour and amount of each class in the order of their numbers; of too many, the largest first."""
        overlay, volume = self._model.overlay, self._model.volume
        if overlay is not None:
            many = len(overlay.ml) > _MOST_ROWS
            order = np.argsort([-ml for ml in overlay.ml], kind="stable") if many else range(len(overlay.ml))
            return [(overlay.names[n], _rgb(overlay.colors[n]), _ml_text(overlay.ml[n])) for n in order]
        if volume is None or volume.voxels.ndim == 3:
            return []
        count = volume.voxels.shape[0]
        pairs = zip(tissue_names(count), tissue_colors(count), strict=True)
        return [(name, _rgb(color), "") for name, color in pairs if name != "background"]

    def _show_state(self, state: ViewState) -> None:
        with QSignalBlocker(self.switch), QSignalBlocker(self.opacity):
            self.switch.setChecked(state.overlay_shown)
            self.opacity.setValue(round(state.overlay_opacity * 100))
        self.opacity.setToolTip(f"{state.overlay_opacity:.0%}")
        self.opacity.setEnabled(state.overlay_shown)


def _ml_text(ml: float) -> str:
    return f"{ml:.0f} mL" if ml >= 10 else f"{ml:.2g} mL"


def _rgb(color: npt.NDArray[np.float32]) -> QColor:
    return QColor(*(round(float(channel)) for channel in color))
