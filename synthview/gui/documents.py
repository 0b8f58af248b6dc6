"""Opening and saving volumes: off the GUI thread, with one sentence where it fails."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from synthview.errors import SynthviewError, VolumeError
from synthview.gui.background import Background
from synthview.gui.label_overlay import LabelOverlay, overlay_of
from synthview.gui.settings import WindowSettings
from synthview.volume import Volume, save_volume
from synthview.volume.dicom import is_dicom_file, is_dicom_folder, read_volume
from synthview.volume.nifti import is_nifti_name, looks_like_nifti

_OPEN_FILTER = (
    "Volumes and checkpoints (*.nii *.nii.gz *.dcm *.pth *.pt *.pt2 *.onnx *.pickle *.safetensors *.bin *.ckpt);;"
    "NIfTI volumes (*.nii *.nii.gz);;DICOM slices (*.dcm);;All files (*)"
)
_SCAN_FILTER = "Volumes (*.nii *.nii.gz *.dcm);;All files (*)"
_SAVE_FILTERS = {".nii.gz": "Compressed NIfTI (*.nii.gz)", ".nii": "NIfTI (*.nii)"}


def is_volume_file(path: Path) -> bool:
    """Whether a path is to be opened as a volume: NIfTI, or DICOM slices; everything else is tried as a checkpoint."""
    if path.is_dir():
        return is_dicom_folder(path)
    return is_nifti_name(path) or is_dicom_file(path) or looks_like_nifti(path)


class Documents(QObject):
    """Volume files in and out.

    Signals:
        opened: a volume and the path it came from.
        saved: the path written.
        overlay_opened: a ``LabelOverlay``.
        beside_opened: a volume to be compared with the one shown.
        original_opened: a volume whose place others shall take.
        failed: a sentence and its details.
    """

    opened = Signal(object, object)
    saved = Signal(object)
    overlay_opened = Signal(object)
    beside_opened = Signal(object)
    original_opened = Signal(object)
    failed = Signal(str, str)

    def __init__(self, settings: WindowSettings, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._settings = settings
        self.background = Background(self)
        self._newest: Path | None = None

    def choose_file(self) -> Path | None:
        """Ask for a volume or checkpoint file; None if the person changed their mind."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a volume or a checkpoint", self._settings.folder("open"), _OPEN_FILTER
        )
        return self._chosen(name)

    def choose_folder(self, title: str = "Open a checkpoint folder") -> Path | None:
        """Ask for a folder; None if the person changed their mind."""
        name = QFileDialog.getExistingDirectory(self._window, title, self._settings.folder("open"))
        return self._chosen(name)

    def open_volume(self, path: Path) -> None:
        """Read a volume; of several asked for in a row, the newest is shown."""
        self._newest = path

        def on_done(volume: Volume) -> None:
            if path == self._newest:
                self._settings.add_recent("volumes", path)
                self.opened.emit(volume, path)

        self.background.run(lambda: _load_for_display(path), on_done, self._on_failed)

    def choose_scan(self, title: str) -> Path | None:
        """Ask for a volume file, the one opened last to begin with; None if the person changed their mind."""
        newest = self._newest
        start = str(newest) if newest is not None and newest.exists() else self._settings.folder("open")
        name, _ = QFileDialog.getOpenFileName(self._window, title, start, _SCAN_FILTER)
        return self._chosen(name)

    def open_overlay(self, path: Path, over: Volume) -> None:
        """Read labels or a tissue map to be laid over a volume."""
        self.background.run(lambda: _load_overlay(path, over), self.overlay_opened.emit, self._on_failed)

    def open_beside(self, path: Path) -> None:
        """Read a volume to be compared with the one shown."""
        self.background.run(lambda: _load_for_display(path), self.beside_opened.emit, self._on_failed)

    def open_original(self, path: Path) -> None:
        """Read a volume whose place others shall take."""
        self.background.run(lambda: read_volume(path), self.original_opened.emit, self._on_failed)

    def save_as(self, volume: Volume, suggested: str) -> None:
        """Ask where to save, then write the file and (for a made volume) the JSON beside it."""
        start = Path(self._settings.folder("save")) / f"{suggested}.nii.gz"
        name, chosen = QFileDialog.getSaveFileName(
            self._window, "Save the volume", str(start), ";;".join(_SAVE_FILTERS.values())
        )
        if not name:
            return
        path = Path(name)
        if not is_nifti_name(path):
            path = path.with_name(path.name + next(s for s, text in _SAVE_FILTERS.items() if text == chosen))
        self._settings.keep_folder("save", path.parent)
        self.save(volume, path)

    def save(self, volume: Volume, path: Path) -> None:
        """Write the volume to ``path``; ``saved`` or ``failed`` follows."""

        def on_done(written: Path) -> None:
            self._settings.add_recent("volumes", written)
            self.saved.emit(written)

        self.background.run(lambda: save_volume(volume, path), on_done, self._on_failed)

    def _chosen(self, name: str) -> Path | None:
        if not name:
            return None
        path = Path(name)
        self._settings.keep_folder("open", path.parent)
        return path

    def _on_failed(self, error: SynthviewError, details: str) -> None:
        self.failed.emit(str(error), details)


def _load_for_display(path: Path) -> Volume:
    """Read a volume and work out its window while still off the GUI thread."""
    volume = read_volume(path)
    _ = volume.display_window
    return volume


def _load_overlay(path: Path, over: Volume) -> LabelOverlay:
    """Read an overlay and make sure that it lies where the volume is.

    Raises:
        VolumeError: it is no label map or tissue map, or lies elsewhere.
    """
    overlay = overlay_of(read_volume(path))
    if not _touch(overlay.volume, over):
        raise VolumeError(
            f"{path} lies elsewhere than {over.name or 'the volume shown'}: they have no place in common; choose the "
            "labels of this very scan, in its own space"
        )
    return overlay


def _touch(first: Volume, second: Volume) -> bool:
    """Whether the boxes around two volumes have a place in common."""
    boxes = []
    for volume in (first, second):
        i, j, k = ((-0.5, n - 0.5) for n in volume.shape)
        corners = np.array([volume.ijk_to_mm(corner) for corner in itertools.product(i, j, k)])
        boxes.append((corners.min(axis=0), corners.max(axis=0)))
    (low, high), (other_low, other_high) = boxes
    return bool((low < other_high).all() and (other_low < high).all())
