"""The line at the bottom: what is going on, what is shown, how it lies."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar

from synthview.gui.state import ViewModel
from synthview.gui.theme import TOKENS
from synthview.volume import Volume

_WORKER_WORDS = {
    "starting": ("worker starting", TOKENS.warn),
    "ready": ("worker ready", TOKENS.good),
    "busy": ("worker busy", TOKENS.accent),
    "restarting": ("worker restarting", TOKENS.warn),
    "stopped": ("worker stopped", TOKENS.bad),
}


class StatusLine(QObject):
    """Fills a status bar."""

    cancel_requested = Signal()

    def __init__(self, bar: QStatusBar, model: ViewModel) -> None:
        super().__init__(bar)
        bar.setSizeGripEnabled(False)
        self._activity = QLabel()
        self._progress = QProgressBar(minimum=0, maximum=1000, textVisible=False)
        self._progress.setFixedWidth(160)
        self._cancel = QPushButton("Cancel")
        self._cancel.setProperty("role", "link")
        self._cancel.clicked.connect(self.cancel_requested)
        self._shown = QLabel()
        self._orientation = QLabel()
        self._worker = QLabel()
        for widget in (self._activity, self._progress, self._cancel):
            bar.addWidget(widget)
        for widget in (self._shown, self._orientation, self._worker):
            bar.addPermanentWidget(widget)
        self.set_busy(False)
        self.set_worker("starting")
        model.state_changed.connect(lambda _old, state: self._say_orientation(state.radiological))
        self._say_orientation(model.state.radiological)

    def set_busy(self, busy: bool) -> None:
        """Show or hide progress and its Cancel button."""
        self._activity.setText("Generating" if busy else "")
        self._progress.setVisible(busy)
        self._cancel.setVisible(busy)
        if not busy:
            self._progress.setValue(0)

    def set_progress(self, fraction: float) -> None:
        """Fraction done, 0-1."""
        self._progress.setValue(round(fraction * 1000))

    def set_file_busy(self, busy: bool) -> None:
        """Say that a file is being read or written."""
        if not self._progress.isVisible():
            self._activity.setText("Reading or writing a file" if busy else "")

    def set_worker(self, state: str) -> None:
        """The worker's state: starting, ready, busy, restarting or stopped."""
        words, color = _WORKER_WORDS[state]
        self._worker.setText(f'<span style="color:{color}">●</span>&nbsp;{words}')

    def set_volume(self, volume: Volume, *, coarse: bool) -> None:
        """Say what is shown: how it was made, or its file and grid."""
        shape = " × ".join(str(n) for n in volume.shape)
        made = volume.provenance
        if made is None:
            self._shown.setText(f"{volume.name} · {shape}")
            return
        seed = f"seed {made.seed}" if made.seed is not None else "given latent"
        preview = " · preview" if coarse else ""
        self._shown.setText(f"{made.checkpoint_name} · {seed} · ψ {made.truncation:g} · {shape}{preview}")

    def _say_orientation(self, radiological: bool) -> None:
        self._orientation.setText("RAS+ · radiological" if radiological else "RAS+ · neurological")
