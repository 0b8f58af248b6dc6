"""A training as it goes on: losses, the newest samples beside real ones, time left.

It reads the run's folder, so that it follows a training wherever that was started, and closing it stops nothing.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.gui.background import Background
from synthview.gui.labels import caption, title
from synthview.gui.loss_plot import LossPlot
from synthview.gui.theme import SPACE
from synthview.training.follow import Progress, read_progress, time_text

_EVERY_MS = 2000


class TrainingWindow(QDialog):
    """Follows one run.

    Args:
        folder: the run's.
        parent: the window it belongs to.
    """

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path(folder)
        self.setWindowTitle("Training")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(900, 940)
        self._background = Background(self)
        self._asking = False
        self._shown: tuple[Path | None, Path | None, int] = (None, None, 0)
        self._build()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self.refresh()

    def _build(self) -> None:
        self.title_label = title(str(self.folder))
        self.state_label = caption("reading…")
        self.bar = QProgressBar(textVisible=False)
        self.plot = LossPlot()
        self.real, self.samples = _picture(), _picture()
        pictures = QVBoxLayout()
        for name, label in (("Real", self.real), ("Samples", self.samples)):
            column = QVBoxLayout()
            column.setSpacing(SPACE[0])
            column.addWidget(caption(name))
            column.addWidget(label, stretch=1)
            pictures.addLayout(column, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[3])
        layout.setSpacing(SPACE[2])
        for widget in (self.title_label, self.state_label, self.bar):
            layout.addWidget(widget)
        layout.addWidget(self.plot, stretch=1)
        layout.addLayout(pictures, stretch=2)

    def refresh(self) -> None:
        """Read the run again, off the GUI thread."""
        if not self._asking:
            self._asking = True
            self._background.run(lambda: read_progress(self.folder), self._show, self._show_failure)

    def _show(self, progress: Progress) -> None:
        self._asking = False
        self.title_label.setText(progress.title)
        self.bar.setRange(0, progress.steps)
        self.bar.setValue(progress.step)
        self.state_label.setText(_state(progress))
        self.plot.show_losses(progress.losses)
        self._show_pictures(progress)

    def _show_pictures(self, progress: Progress) -> None:
        wanted = (progress.real, progress.sheet, self.samples.width())
        if wanted == self._shown:
            return
        self._shown = wanted
        for label, path in ((self.real, progress.real), (self.samples, progress.sheet)):
            picture = QPixmap(str(path)) if path is not None else QPixmap()
            if picture.isNull():
                label.setText("not yet")
                continue
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            label.setPixmap(picture.scaled(label.size(), keep, smooth))
            label.setToolTip(str(path))

    def _show_failure(self, error: SynthviewError, _details: str) -> None:
        self._asking = False
        self._timer.stop()
        self.state_label.setText(str(error))
        self.state_label.setProperty("role", "bad")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop looking; the training goes on."""
        self._timer.stop()
        self._background.wait()
        super().closeEvent(event)


def _picture() -> QLabel:
    label = QLabel("not yet", alignment=Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setMinimumSize(240, 120)
    return label


def _state(progress: Progress) -> str:
    done = f"{progress.step:,} of {progress.steps:,} steps".replace(",", " ")
    if progress.finished:
        return f"{done}: finished"
    if progress.seconds_left is None:
        return f"{done}: it has just begun"
    if progress.stands_still:
        return f"{done}; nothing new for {time_text(progress.silent_seconds)}: was it stopped?"
    return f"{done}; at this speed {time_text(progress.seconds_left)} more"
