"""The designer's fourth part: how all arms are brought to one form."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from synthview.gui.labels import caption
from synthview.gui.study.fields import Entries, combo, form, put, show_choice, show_number, show_text, words_of

_INTENSITY = {
    "percentiles": "each volume's own range (0.5 to 99.5 %)",
    "window": "the same window for all (CT)",
    "matched": "each volume gets the mean distribution of all",
}
_BACKGROUND = {"cleared": "cleared outside the body", "kept": "kept"}


class HarmoniseForm(QWidget):
    """Edits the protocol's ``harmonisation``.

    Signals:
        edited: something was changed.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: Entries = {}
        self._spacing = QDoubleSpinBox(minimum=0, maximum=20, singleStep=0.5, decimals=2)
        self._spacing.setSpecialValueText("the coarsest of all volumes")
        self._spacing.setSuffix(" mm")
        self._intensity, self._background = combo(_INTENSITY), combo(_BACKGROUND)
        self._window = QLineEdit()
        self._window.setPlaceholderText("low, high – such as -1000, 600")
        self._levels = QSpinBox(minimum=16, maximum=4096)
        layout = form(self)
        layout.addRow("Voxels of", self._spacing)
        layout.addRow("Values", self._intensity)
        layout.addRow("Window", self._window)
        layout.addRow("Grey levels", self._levels)
        layout.addRow("Background", self._background)
        layout.addRow(
            "",
            caption(
                "Then a leak check tries to tell the arms apart by anything but anatomy, and says what it found.",
                wordWrap=True,
            ),
        )
        self._form = layout
        self._spacing.valueChanged.connect(self.edited)
        self._levels.valueChanged.connect(self.edited)
        self._background.currentIndexChanged.connect(self.edited)
        self._intensity.currentIndexChanged.connect(self._on_intensity)
        self._window.textEdited.connect(self.edited)

    def show_entries(self, entries: Entries) -> None:
        """Show what a protocol says."""
        self._entries = dict(entries)
        self._spacing.blockSignals(True)
        self._spacing.setValue(float(entries.get("spacing_mm") or 0))
        self._spacing.blockSignals(False)
        show_choice(self._intensity, entries.get("intensity", "percentiles"))
        show_choice(self._background, entries.get("background", "cleared"))
        window = entries.get("window")
        show_text(self._window, f"{window[0]:g}, {window[1]:g}" if window else "")
        show_number(self._levels, entries.get("levels", 256))
        self._show_window()

    def entries(self) -> Entries:
        """The protocol's ``harmonisation``; empty where all is as by default."""
        found = dict(self._entries)
        put(found, "spacing_mm", round(self._spacing.value(), 4), default=0.0)
        put(found, "intensity", self._intensity.currentData(), default="percentiles")
        put(found, "background", self._background.currentData(), default="cleared")
        put(found, "levels", self._levels.value(), default=256)
        windowed = self._intensity.currentData() == "window"
        put(found, "window", words_of(self._window.text()) if windowed else None, default=[])
        return found

    def _on_intensity(self) -> None:
        self._show_window()
        self.edited.emit()

    def _show_window(self) -> None:
        self._form.setRowVisible(self._window, self._intensity.currentData() == "window")
