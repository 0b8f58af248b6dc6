"""What each action does: one method per row of ``gui.actions`` that needs more than one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog

from synthview.generators.info import Reconstruction
from synthview.gui.dialogs.about import AboutDialog
from synthview.gui.dialogs.describe import ask_description
from synthview.gui.dialogs.shortcuts import ShortcutsDialog
from synthview.gui.message_bar import Level
from synthview.gui.results.opening import open_plan, open_results
from synthview.gui.state import Layout, Plane, ViewState
from synthview.gui.study.commands import StudyCommands
from synthview.resources import resource_path
from synthview.volume import Volume

if TYPE_CHECKING:
    from synthview.gui.main_window import MainWindow

_ZOOM_STEP = 1.25
_ZOOM_LIMITS = (0.1, 40.0)
_LAYOUTS = {
    "layout-quad": Layout.QUAD,
    "layout-row": Layout.ROW,
    "layout-large": Layout.LARGE,
    "layout-compare": Layout.COMPARE,
}
_SWITCHES = {
    "crosshair": "show_crosshair",
    "interpolate": "interpolated",
    "invert": "inverted",
    "overlay": "overlay_shown",
}


_NEED_A_VOLUME = (
    "save", "screenshot", "copy-screenshot", "auto-window", "cine", "fit", "zoom-in", "zoom-out", "open-overlay",
    "open-beside",
)  # fmt: skip


class Commands(QObject):
    """The slots of the window's actions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._coarse = False
        self._training: QDialog | None = None

    def slots(self) -> dict[str, Callable[..., object]]:
        """Action id to what it calls."""
        window, model = self._window, self._window.model
        generation, controls = window.generation, window.controls
        table: dict[str, Callable[..., object]] = {
            "open": self.open_file,
            "open-folder": self.open_folder,
            "open-demo": self.open_demo,
            "save": self.save,
            "screenshot": self.save_screenshot,
            "copy-screenshot": self.copy_screenshot,
            "quit": window.close,
            "maximise": self.maximise,
            "zoom-in": lambda: self._zoom(_ZOOM_STEP),
            "zoom-out": lambda: self._zoom(1 / _ZOOM_STEP),
            "fit": lambda: model.change(zoom=1.0, pan_mm=(0.0, 0.0, 0.0)),
            "radiological": lambda _: model.change(radiological=True),
            "neurological": lambda _: model.change(radiological=False),
            "swap-orientation": lambda: model.change(radiological=not model.state.radiological),
            "auto-window": self.auto_window,
            "cine": window.ortho.toggle_cine,
            "reset-3d": window.volume_view.reset_view,
            "clip-3d": window.render_panel.set_clipping,
            "panels": self.show_panels,
            "full-screen": self.full_screen,
            "generate": generation.generate,
            "cancel": generation.cancel,
            "previous-seed": controls.previous_seed,
            "next-seed": controls.next_seed,
            "random-seed": controls.random_seed,
            "undo": generation.history.undo,
            "redo": generation.history.redo,
            "adopt": self.adopt,
            "describe": self.describe,
            "follow-training": self.follow_training,
            "open-overlay": self.open_overlay,
            "open-beside": self.open_beside,
            "swap-beside": window.comparison.swap,
            "reconstruct": self.reconstruct,
            "place-like": self.place_like,
            "shortcuts": lambda: ShortcutsDialog(window).exec(),
            "about": lambda: AboutDialog(window).exec(),
        }
        table |= StudyCommands(window).slots()
        table["study-results"] = lambda: open_results(window, window.settings)
        table["study-plan"] = lambda: open_plan(window, window.settings)
        for name, layout in _LAYOUTS.items():
            table[name] = lambda _checked, layout=layout: model.change(layout=layout)
        for name, field in _SWITCHES.items():
            table[name] = lambda checked, field=field: model.change(**{field: checked})
        return table

    # -- files --

    def open_file(self) -> None:
        """Ask for a volume or checkpoint and open it."""
        self._open(self._window.documents.choose_file())

    def open_folder(self) -> None:
        """Ask for a checkpoint folder and open it."""
        self._open(self._window.documents.choose_folder())

    def open_demo(self) -> None:
        """Open the head that comes with synthview."""
        self._open(resource_path("demo", "colin27_T1w.nii.gz"))

    def open_overlay(self, path: Path | None = None) -> None:
        """Lay the labels or tissues in a file over the volume shown."""
        over = self._window.model.volume
        path = path or self._window.documents.choose_scan("Open labels or a tissue map as an overlay")
        if path is not None and over is not None:
            self._window.documents.open_overlay(path, over)

    def open_beside(self) -> None:
        """Compare the volume shown with one from a file."""
        path = self._window.documents.choose_scan("Open a volume to compare with")
        if path is not None:
            self._window.documents.open_beside(path)

    def reconstruct(self) -> None:
        """Ask for a real scan, encode and decode it."""
        path = self._window.documents.choose_scan("Choose a real scan to reconstruct")
        if path is not None:
            self._window.generation.reconstruct(path)

    def place_like(self, on: bool) -> None:
        """Give volumes the place of an original that a person chooses, or stop doing so."""
        window = self._window
        if not on:
            window.generation.place_like(None)
            return
        window.actions_by_id["place-like"].setChecked(False)  # until there is an original that fits
        path = window.documents.choose_scan("Choose the original whose place the volumes shall take")
        if path is not None:
            window.documents.open_original(path)

    def on_original(self, original: Volume) -> None:
        """Place volumes like it, if it is on their grid."""
        shown = self._window.model.original
        if shown is not None and shown.provenance is not None and shown.shape != original.shape:
            wanted, got = (" × ".join(map(str, volume.shape)) for volume in (shown, original))
            self._window.show_error(f"{original.name} has {got} voxels, and the volumes have {wanted}; choose another.")
            return
        self._window.actions_by_id["place-like"].setChecked(True)
        self._window.generation.place_like(original)
        self._window.message.show_message(
            f"Volumes now lie where {original.name} does, and say so when they are saved."
        )

    def on_reconstructed(self, scan: Path, found: Reconstruction) -> None:
        """Show the scan, and the reconstruction beside it."""
        self._window.open_paths([scan], then=lambda: self._compare_reconstruction(scan, found))

    def _compare_reconstruction(self, scan: Path, found: Reconstruction) -> None:
        window, info = self._window, self._window.generation.info
        window.comparison.show(found.volume)
        window.message.show_message(
            f"Above {scan.name}, below what {info.name if info else 'the network'} makes of it.",
            offer="Save the reconstruction…",
            on_offer=lambda: window.documents.save_as(found.volume, suggested=_stem(found.volume.name)),
        )

    def save(self) -> None:
        """Ask where to save the volume shown, and save it."""
        volume = self._window.model.original
        if volume is None:
            return
        if self._coarse:
            self._window.message.show_message(
                "This is a quick preview, made coarse while a control moved. Press Generate, then save the full volume."
            )
            return
        self._window.documents.save_as(volume, suggested=_stem(volume.name))

    def save_screenshot(self) -> None:
        """Ask where to save a picture of the views, and save it."""
        window = self._window
        picture = window.ortho.grab_image()
        start = Path(window.settings.folder("screenshot")) / "synthview.png"
        name, _ = QFileDialog.getSaveFileName(window, "Save a screenshot", str(start), "PNG picture (*.png)")
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(name + ".png")
        window.settings.keep_folder("screenshot", path.parent)
        if picture.save(str(path)):
            window.message.show_message(f"Saved {path}.")
        else:
            window.show_error(f"{path} could not be written. Choose another folder or make room, then save again.")

    def copy_screenshot(self) -> None:
        """Put a picture of the views on the clipboard."""
        QGuiApplication.clipboard().setImage(self._window.ortho.grab_image())

    def adopt(self) -> None:
        """Set the controls to how the volume shown was made."""
        volume = self._window.model.original
        if volume is not None and volume.provenance is not None:
            self._window.generation.adopt(volume.provenance)

    def describe(self, content: Mapping[str, Any] | None = None) -> None:
        """Ask what the weights of the generator in use can't say, and keep it."""
        info = self._window.generation.info
        if info is None:
            return
        said = ask_description(info, content, self._window)
        if said is not None:
            self._window.generation.describe(said)

    def follow_training(self, folder: Path | None = None) -> None:
        """Show a training as it goes on, beside the window."""
        from synthview.gui.training_window import TrainingWindow  # plots are slow to load

        folder = folder or self._window.documents.choose_folder("Follow a training: choose its folder")
        if folder is not None:
            self._training = TrainingWindow(folder, self._window)
            self._training.show()

    def on_describe_failed(self, sentence: str, content: Mapping[str, Any]) -> None:
        """Say why a description was not kept, and offer it for correction."""
        self._window.message.show_message(
            sentence, Level.BAD, offer="Correct it", on_offer=lambda: self.describe(content)
        )

    # -- views --

    def maximise(self) -> None:
        """Show the pane under the mouse (or in focus) alone, or all of them again."""
        ortho = self._window.ortho
        ortho.toggle_large(ortho.active_pane() or Plane.AXIAL.value)

    def auto_window(self) -> None:
        """Back to the volume's own window."""
        volume = self._window.model.original
        if volume is not None:
            self._window.model.change(window=volume.display_window)

    def show_panels(self, shown: bool) -> None:
        """Show or hide both docks."""
        self._window.left_dock.setVisible(shown)
        self._window.right_dock.setVisible(shown)

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or go back to a window."""
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()

    def on_state_changed(self, _old: ViewState, state: ViewState) -> None:
        """Keep the check marks in the menus true."""
        actions = self._window.actions_by_id
        for name, layout in _LAYOUTS.items():
            actions[name].setChecked(state.layout is layout)
        for name, field in _SWITCHES.items():
            actions[name].setChecked(getattr(state, field))
        actions["radiological"].setChecked(state.radiological)
        actions["neurological"].setChecked(not state.radiological)

    def on_volume_shown(self, *, coarse: bool) -> None:
        """Enable what needs a volume."""
        self._coarse = coarse
        self.enable_for_volume()

    def enable_for_volume(self) -> None:
        """Enable or disable the actions that need a volume, by whether there is one."""
        volume = self._window.model.original
        actions = self._window.actions_by_id
        for name in _NEED_A_VOLUME:
            actions[name].setEnabled(volume is not None)
        info = self._window.generation.info
        actions["reconstruct"].setEnabled(info is not None and info.can_encode)
        actions["place-like"].setEnabled(info is not None and info.takes_place)
        actions["place-like"].setChecked(self._window.generation.like is not None)
        actions["describe"].setEnabled(self._window.generation.info is not None)
        actions["adopt"].setEnabled(volume is not None and volume.provenance is not None)

    def _zoom(self, factor: float) -> None:
        low, high = _ZOOM_LIMITS
        model = self._window.model
        model.change(zoom=min(max(model.state.zoom * factor, low), high))

    def _open(self, path: Path | None) -> None:
        if path is not None:
            self._window.open_paths([path])


def _stem(name: str) -> str:
    """A file name to suggest: without the ending, and without what file systems dislike."""
    for suffix in (".nii.gz", ".nii"):
        name = name.removesuffix(suffix)
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name) or "volume"
