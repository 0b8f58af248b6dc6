"""How values become brightness and colour, and which way round the patient is drawn."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from synthview.gui.colormaps import colormap_names, rgb32_table
from synthview.gui.labels import caption, title
from synthview.gui.panels.histogram import HistogramStrip
from synthview.gui.state import ViewModel, ViewState
from synthview.gui.theme import SPACE
from synthview.volume import Window, window_presets
from synthview.volume.summary import histogram

_AUTOMATIC = "Automatic"
_HISTOGRAM_DELAY_MS = 60  # volumes that follow each other faster (a moving slider) share one histogram
_SWATCH = QSize(48, 12)
_LIMIT = 1e9


class DisplayPanel(QWidget):
    """Window and level, colour map, and the switches for how slices are drawn; bound both ways to the model."""

    def __init__(self, model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._strip = HistogramStrip()
        self._level = _number_box("Level", "The value drawn mid-grey")
        self._width = _number_box("Width", "White minus black")
        self._presets = QComboBox()
        self._presets.setPlaceholderText("Custom")
        self._presets.setAccessibleName("Window preset")
        self._auto = QPushButton("Auto")
        self._auto.setToolTip("Back to the volume's own window (W)")
        self._colormap = QComboBox()
        self._colormap.setAccessibleName("Colour map")
        self._colormap.setIconSize(_SWATCH)
        self._switches = {
            "inverted": _switch("Invert", "Exchange black and white (N)"),
            "interpolated": _switch("Smooth between voxels", "Off: show every voxel as a square (I)"),
            "show_crosshair": _switch("Crosshair", "Show where the three slices cut each other (X)"),
        }
        self._radiological = _half_button("Radiological", "The patient's right is drawn on the left")
        self._neurological = _half_button("Neurological", "The patient's right is drawn on the right")
        self._histogram_timer = QTimer(self, singleShot=True, interval=_HISTOGRAM_DELAY_MS)
        self._fill_colormaps()
        self._lay_out()
        self._connect()
        self._on_volume_changed(model.volume)
        self._show_state(model.state)

    def add_below(self, panel: QWidget) -> None:
        """Put a panel that comes and goes below the switches."""
        column = self.layout()
        assert column is not None  # made in _lay_out
        column.addWidget(panel)

    def _fill_colormaps(self) -> None:
        for name, label in colormap_names().items():
            self._colormap.addItem(_swatch(name), label, name)

    def _lay_out(self) -> None:
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(SPACE[1])
        numbers.setVerticalSpacing(SPACE[1])
        numbers.addWidget(_name_of(self._level, "Level"), 0, 0)
        numbers.addWidget(_name_of(self._width, "Width"), 0, 1)
        numbers.addWidget(self._level, 1, 0)
        numbers.addWidget(self._width, 1, 1)
        numbers.addWidget(self._presets, 2, 0)
        numbers.addWidget(self._auto, 2, 1)
        numbers.setColumnStretch(0, 1)
        numbers.setColumnStretch(1, 1)
        side = QHBoxLayout()
        side.setSpacing(0)
        side.addWidget(self._radiological)
        side.addWidget(self._neurological)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addWidget(title("Display"))
        column.addWidget(self._strip)
        column.addLayout(numbers)
        column.addSpacing(SPACE[0])
        column.addWidget(_name_of(self._colormap, "Colour map"))
        column.addWidget(self._colormap)
        for switch in self._switches.values():
            column.addWidget(switch)
        column.addSpacing(SPACE[0])
        column.addWidget(caption("Orientation"))
        column.addLayout(side)

    def _connect(self) -> None:
        model = self._model
        self._strip.window_chosen.connect(lambda window: model.change(window=window))
        self._level.valueChanged.connect(lambda level: model.change(window=Window(level, model.state.window.width)))
        self._width.valueChanged.connect(lambda width: model.change(window=Window(model.state.window.level, width)))
        self._presets.activated.connect(self._on_preset)
        self._auto.clicked.connect(self._set_automatic)
        self._colormap.activated.connect(lambda _: model.change(colormap=self._colormap.currentData()))
        for field, switch in self._switches.items():
            switch.toggled.connect(lambda on, field=field: model.change(**{field: on}))
        both = QButtonGroup(self)
        both.addButton(self._radiological)
        both.addButton(self._neurological)
        self._radiological.toggled.connect(lambda on: model.change(radiological=on))
        self._histogram_timer.timeout.connect(self._draw_histogram)
        model.volume_changed.connect(self._on_volume_changed)
        model.state_changed.connect(lambda _old, new: self._show_state(new))

    # -- what a person does --

    def _on_preset(self, _row: int) -> None:
        window = self._presets.currentData()
        if window is None:
            self._set_automatic()
        else:
            self._model.change(window=Window(*window))

    def _set_automatic(self) -> None:
        volume = self._model.original
        if volume is not None:
            self._model.change(window=volume.display_window)

    # -- following the model --

    def _on_volume_changed(self, _volume: object) -> None:
        volume = self._model.original
        for widget in (self._strip, self._level, self._width, self._presets, self._auto):
            widget.setEnabled(volume is not None)
        is_map = volume is not None and volume.voxels.ndim == 4
        self._colormap.setEnabled(not is_map)
        self._colormap.setToolTip("A tissue map is drawn in the colours of its classes" if is_map else "")
        self._presets.clear()
        self._presets.addItem(_AUTOMATIC, None)
        if volume is not None:
            for name, window in window_presets(volume.kind).items():
                self._presets.addItem(name, (window.level, window.width))
        unit = f" {volume.unit}" if volume is not None and volume.unit else ""
        for box in (self._level, self._width):
            box.setSuffix(unit)
        self._show_state(self._model.state)
        self._histogram_timer.start()

    def _draw_histogram(self) -> None:
        volume = self._model.volume
        self._strip.set_histogram(histogram(volume.voxels) if volume is not None else None)

    def _show_state(self, state: ViewState) -> None:
        self._strip.set_window(state.window)
        self._show_numbers(state.window)
        self._presets.setCurrentIndex(self._preset_row(state.window))
        self._colormap.setCurrentIndex(self._colormap.findData(state.colormap))
        for field, switch in self._switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(getattr(state, field))
        chosen = self._radiological if state.radiological else self._neurological
        with QSignalBlocker(self._radiological), QSignalBlocker(self._neurological):
            chosen.setChecked(True)

    def _show_numbers(self, window: Window) -> None:
        decimals = min(max(2 - math.floor(math.log10(window.width)), 0), 9)
        for box, value in ((self._level, window.level), (self._width, window.width)):
            with QSignalBlocker(box):
                box.setDecimals(decimals)
                box.setSingleStep(10.0 ** math.floor(math.log10(window.width) - 1))
                box.setValue(value)
        with QSignalBlocker(self._width):
            self._width.setMinimum(10.0**-decimals)

    def _preset_row(self, window: Window) -> int:
        volume = self._model.original
        for row in range(1, self._presets.count()):
            if Window(*self._presets.itemData(row)) == window:
                return row
        return 0 if volume is not None and volume.display_window == window else -1


def _number_box(name: str, what: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox(minimum=-_LIMIT, maximum=_LIMIT)
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    box.setToolTip(what)
    box.setMinimumWidth(64)
    box.lineEdit().setTextMargins(SPACE[0], 0, 0, 0)  # the style sheet's padding does not reach it
    return box


def _switch(text: str, what: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(what)
    return box


def _half_button(text: str, what: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setProperty("role", "segment")
    button.setToolTip(what)
    return button


def _name_of(field: QWidget, name: str) -> QLabel:
    label = caption(name)
    label.setBuddy(field)
    return label


def _swatch(name: str) -> QIcon:
    row = rgb32_table(name)
    strip = QImage(row.tobytes(), len(row), 1, 4 * len(row), QImage.Format.Format_RGB32)
    mode = Qt.TransformationMode.SmoothTransformation
    return QIcon(QPixmap.fromImage(strip.scaled(_SWATCH, Qt.AspectRatioMode.IgnoreAspectRatio, mode)))
