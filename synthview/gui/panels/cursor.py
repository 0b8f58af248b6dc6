"""What is under the mouse or the crosshair, and what the volume is."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.gui.background import Background
from synthview.gui.colormaps import tissue_names
from synthview.gui.icons import icon
from synthview.gui.state import ViewModel, ViewState
from synthview.gui.theme import SPACE
from synthview.volume import Volume
from synthview.volume.slicing import Reading, read_at
from synthview.volume.summary import Summary, summarise

_SUMMARY_DELAY_MS = 150  # volumes that follow each other faster (a moving slider) are not looked through


class CursorPanel(QWidget):
    """Position and value under the mouse, else at the crosshair; below it the facts about the volume."""

    def __init__(self, model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._hover: Reading | None = None
        self._title = _label("At the crosshair", "title")
        self._copy = QPushButton()
        self._copy.setProperty("role", "tool")
        self._copy.setToolTip("Copy position and value")
        self._copy.setAccessibleName("Copy position and value")
        self._reading = _Facts("Place", "RAS mm", "Voxel", "Value")
        self._facts = _Facts("Name", "Voxels", "Spacing", "Axes", "Kind", "Values", "Amount")
        self._notes = _label("", "warn")
        self._notes.setWordWrap(True)
        self._background = Background(self)
        self._summary_timer = QTimer(self, singleShot=True, interval=_SUMMARY_DELAY_MS)
        self._lay_out()
        self._copy.clicked.connect(self._on_copy)
        self._summary_timer.timeout.connect(self._look_through)
        model.volume_changed.connect(self._on_volume_changed)
        model.state_changed.connect(self._on_state_changed)
        self._on_volume_changed(model.volume)

    def show_hover(self, reading: Reading | None) -> None:
        """Show what is under the mouse; None goes back to the crosshair."""
        self._hover = reading
        self._title.setText("At the crosshair" if reading is None else "Under the mouse")
        self._show_reading()

    def text(self) -> str:
        """What the copy button puts on the clipboard."""
        return self._reading.text()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._title, stretch=1)
        head.addWidget(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addLayout(head)
        column.addWidget(self._reading)
        column.addSpacing(SPACE[1])
        column.addWidget(_label("Volume", "title"))
        column.addWidget(self._facts)
        column.addWidget(self._notes)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the icon once this is on the screen (the icon font is slow to load)."""
        super().showEvent(event)
        QTimer.singleShot(0, self, lambda: self._copy.setIcon(icon("copy")))

    # -- the reading --

    def _on_state_changed(self, old: ViewState, new: ViewState) -> None:
        if old.crosshair_mm != new.crosshair_mm and self._hover is None:
            self._show_reading()

    def _show_reading(self) -> None:
        volume = self._model.original
        reading = self._hover
        if reading is None and volume is not None:
            reading = read_at(volume, self._model.state.crosshair_mm)
        if reading is None or volume is None:
            self._reading.set(Place="–", Voxel="–", Value="–", **{"RAS mm": "–"})
            return
        self._reading.set(
            Place=place_text(reading.mm),
            Voxel="  ".join(str(index) for index in reading.ijk),
            Value=value_text(reading.value, volume.unit),
            **{"RAS mm": "  ".join(f"{mm:.1f}" for mm in _rounded(reading.mm))},
        )

    # -- the volume --

    def _on_volume_changed(self, _volume: object) -> None:
        volume = self._model.original
        self._copy.setEnabled(volume is not None)
        self._hover = None
        self.show_hover(None)
        if volume is None:
            self._facts.set(Name="–", Voxels="–", Spacing="–", Axes="–", Kind="–", Values="–", Amount="")
            self._notes.hide()
            return
        self._facts.set(
            Name=volume.name or "unnamed",
            Voxels=" × ".join(str(n) for n in volume.shape),
            Spacing=" × ".join(number_text(mm) for mm in volume.spacing) + " mm",
            Axes="".join(volume.axis_codes) + "+",
            Kind=str(volume.kind),
            Values="…",
            Amount="",
        )
        self._notes.setText("\n".join(volume.notes))
        self._notes.setVisible(bool(volume.notes))
        self._summary_timer.start()

    def _look_through(self) -> None:
        volume = self._model.original
        if volume is not None:
            self._background.run(
                lambda: summarise(volume),
                lambda summary: self._show_summary(volume, summary),
                lambda error, _details: self._show_no_summary(volume, error),
            )

    def _show_summary(self, volume: Volume, summary: Summary) -> None:
        if volume is not self._model.original:
            return
        unit = f" {volume.unit}" if volume.unit else ""
        self._facts.set(Values=f"{number_text(summary.low)} to {number_text(summary.high)}{unit}")
        names = tissue_names(len(summary.class_ml))
        pairs = zip(names, summary.class_ml, strict=True)
        amounts = [f"{name} {ml:.0f} mL" for name, ml in pairs if name != "background"]
        self._facts.set(Amount="\n".join(amounts))

    def _show_no_summary(self, volume: Volume, error: SynthviewError) -> None:
        if volume is self._model.original:
            self._facts.set(Values=f"not known: {error}")


class _Facts(QWidget):
    """Rows of a name and a text that can be selected; empty rows are hidden."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._captions = {name: _label(name, "caption") for name in names}
        self._values = {name: _label("", "value") for name in names}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[2])
        grid.setVerticalSpacing(SPACE[0])
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, self.fontMetrics().horizontalAdvance("Spacing"))  # alike in all such tables
        for row, name in enumerate(names):
            value = self._values[name]
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid.addWidget(self._captions[name], row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)

    def set(self, **texts: str) -> None:
        """Set some of the rows."""
        for name, text in texts.items():
            if self._values[name].text() != text:
                self._values[name].setText(text)
            self._captions[name].setVisible(bool(text))
            self._values[name].setVisible(bool(text))

    def text(self) -> str:
        """All rows as lines."""
        return "\n".join(f"{name}: {value.text()}" for name, value in self._values.items() if value.text())


def place_text(mm: tuple[float, float, float]) -> str:
    """A position in words of direction: "R 12.0  A 8.5  S 31.0"."""
    letters = (("L", "R"), ("P", "A"), ("I", "S"))
    return "  ".join(f"{pair[x >= 0]} {abs(x):.1f}" for pair, x in zip(letters, _rounded(mm), strict=True))


def value_text(value: float | tuple[float, ...], unit: str) -> str:
    """A value with its unit; for a tissue map each class with its probability."""
    if isinstance(value, tuple):
        names = tissue_names(len(value))
        return "\n".join(f"{name} {probability:.2f}" for name, probability in zip(names, value, strict=True))
    return f"{number_text(value)} {unit}".strip()


def number_text(value: float) -> str:
    """A number with five significant digits (all those before the point), and no more than it needs."""
    if value == round(value) or 1e5 <= abs(value) < 1e9:
        return f"{round(value)}" if abs(value) < 1e9 else f"{value:.4g}"
    if not 1e-4 <= abs(value) < 1e9:
        return f"{value:.4g}"
    return np.format_float_positional(value, precision=5, fractional=False, trim="-")


def _rounded(mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """To a tenth of a millimetre, and never -0.0."""
    x, y, z = (round(value, 1) + 0.0 for value in mm)
    return x, y, z


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    return label
