"""The main window: its parts and their wiring, read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from synthview.generators.info import GenerateRequest, GeneratorInfo
from synthview.gui.actions import add_icons, build_actions
from synthview.gui.commands import Commands
from synthview.gui.comparison import Comparison
from synthview.gui.docks import build_docks
from synthview.gui.documents import Documents, is_volume_file
from synthview.gui.generation import Generation
from synthview.gui.menus import RecentVolumesMenu, WindowPresetsMenu
from synthview.gui.message_bar import Level, MessageBar
from synthview.gui.panels.cursor import CursorPanel
from synthview.gui.panels.display import DisplayPanel
from synthview.gui.panels.generate import GeneratePanel
from synthview.gui.panels.library import LibraryPanel
from synthview.gui.panels.overlay import OverlayPanel
from synthview.gui.panels.render import RenderPanel
from synthview.gui.settings import WindowSettings
from synthview.gui.state import ViewModel, ViewState
from synthview.gui.status import StatusLine
from synthview.gui.toolbar import build_toolbar
from synthview.gui.views.ortho_view import OrthoView
from synthview.gui.views.volume_view import VolumeView
from synthview.volume import Volume

_NARROW_PX = 1100  # below this width the right dock steps aside


class MainWindow(QMainWindow):
    """Library and controls at the left, the views in the middle, display and cursor at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("synthview")
        self.setAcceptDrops(True)
        self._is_shut_down = False
        self._then: Callable[[], None] | None = None
        self.settings = WindowSettings()
        self.model = ViewModel(self)
        self.model.change(**self.settings.view_preferences())
        self._build_parts()
        self.documents = Documents(self.settings, self)
        self.generation = Generation(self.library, self.controls, self.settings, self)
        self.commands = Commands(self)
        self.actions_by_id = build_actions(self, self.commands.slots())
        self.toolbar = build_toolbar(self, self.actions_by_id)
        self.recent_menu = RecentVolumesMenu(self.menuBar(), self.actions_by_id, self.settings)
        self.presets_menu = WindowPresetsMenu(self, self.actions_by_id, self.model)
        self._connect()
        self._restore()
        QTimer.singleShot(0, self._after_first_show)

    def _build_parts(self) -> None:
        self.volume_view = VolumeView(self.model)
        self.comparison = Comparison(self.model, self)
        self.ortho = OrthoView(self.model, self.volume_view, self.comparison.beside)
        self.message = MessageBar()
        self.library = LibraryPanel()
        self.controls = GeneratePanel()
        self.display = DisplayPanel(self.model)
        self.overlay_panel = OverlayPanel(self.model)
        self.display.add_below(self.overlay_panel)
        self.render_panel = RenderPanel(self.volume_view)
        self.cursor_panel = CursorPanel(self.model)
        self.status = StatusLine(self.statusBar(), self.model)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.message)
        column.addWidget(self.ortho, stretch=1)
        self.setCentralWidget(middle)
        self.left_dock, self.right_dock = build_docks(
            self,
            left=[self.library, self.controls],
            right=[self.display, self.cursor_panel, self.render_panel],
        )

    def _connect(self) -> None:
        self.ortho.hovered.connect(self.cursor_panel.show_hover)
        self.ortho.empty.open_requested.connect(self.commands.open_file)
        self.ortho.empty.demo_requested.connect(self.commands.open_demo)
        self.documents.opened.connect(self._on_volume_opened)
        self.documents.saved.connect(lambda path: self.message.show_message(f"Saved {path}."))
        self.documents.overlay_opened.connect(self.model.set_overlay)
        self.documents.beside_opened.connect(self.comparison.show)
        self.documents.original_opened.connect(self.commands.on_original)
        self.comparison.changed.connect(self.ortho.name_compared)
        self.generation.reconstructed.connect(self.commands.on_reconstructed)
        self.documents.failed.connect(self.show_error)
        self.generation.volume_made.connect(self._on_volume_made)
        self.generation.failed.connect(self.show_error)
        self.generation.current_changed.connect(lambda _info: self.commands.enable_for_volume())
        self.generation.describe_failed.connect(self.commands.on_describe_failed)
        self.generation.busy_changed.connect(self.status.set_busy)
        self.generation.busy_changed.connect(self.ortho.empty.set_busy)
        self.generation.progressed.connect(self.status.set_progress)
        self.generation.worker.state_changed.connect(self.status.set_worker)
        self.generation.worker.restarted.connect(lambda reason: self.message.show_message(reason, Level.WARN))
        self.generation.worker.stopped.connect(self.show_error)
        self.status.cancel_requested.connect(self.generation.cancel)
        self.library.describe_requested.connect(self.commands.describe)
        self.library.browse_requested.connect(self.commands.open_file)
        self.recent_menu.chosen.connect(self.documents.open_volume)
        self.documents.background.busy_changed.connect(self.status.set_file_busy)
        self.model.state_changed.connect(self.commands.on_state_changed)

    # -- what is opened and made --

    def open_paths(self, paths: list[Path], then: Callable[[], None] | None = None) -> None:
        """Open files: volumes are shown, anything else is tried as a checkpoint.

        Args:
            paths: of the files.
            then: called when the volume is shown, instead of saying how it was made.
        """
        self._then = then
        for path in paths:
            if not path.exists():
                self.show_error(f"{path} does not exist.", "")
            elif is_volume_file(path):
                self.documents.open_volume(path)
            else:
                self.generation.open(path)

    def show_error(self, sentence: str, details: str = "") -> None:
        """Say what went wrong above the views."""
        self.message.show_message(sentence, Level.BAD, details=details)

    def _on_volume_opened(self, volume: Volume, path: Path) -> None:
        self.message.clear()
        self._show(volume, title=path.name, keep_view=False, coarse=False)
        then, self._then = self._then, None
        if then is not None:
            then()
        elif volume.provenance is not None:
            made = volume.provenance
            how = f"seed {made.seed}" if made.seed is not None else "a given latent"
            self.message.show_message(
                f"synthview made this volume with {made.checkpoint_name}, {how}, ψ {made.truncation:g}.",
                offer="Set the controls to it",
                on_offer=self.commands.adopt,
            )
        elif volume.notes:
            self.message.show_message(" ".join(volume.notes))

    def _on_volume_made(self, volume: Volume, request: GenerateRequest, info: GeneratorInfo) -> None:
        before = self.model.original
        same_source = (
            before is not None and before.provenance is not None and before.provenance.checkpoint_sha256 == info.sha256
        )
        self._show(volume, title=volume.name, keep_view=same_source, coarse=request.coarse)

    def _show(self, volume: Volume, *, title: str, keep_view: bool, coarse: bool) -> None:
        self.model.show(volume, keep_view=keep_view)
        self.setWindowTitle(f"{title} — synthview")
        self.commands.on_volume_shown(coarse=coarse)
        self.status.set_volume(volume, coarse=coarse)

    # -- the window itself --

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept local files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped; with Shift, lay it over the volume shown."""
        event.acceptProposedAction()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self.model.volume is not None:
            self.commands.open_overlay(Path(event.mimeData().urls()[0].toLocalFile()))
            return
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the right dock step aside when the window becomes narrow, and come back when it is wide again."""
        super().resizeEvent(event)
        was_wide, is_wide = event.oldSize().width() >= _NARROW_PX, event.size().width() >= _NARROW_PX
        if event.oldSize().isValid() and was_wide != is_wide:
            self.right_dock.setVisible(is_wide and self.left_dock.isVisible())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the window's state; a file being written is finished first."""
        self.settings.keep_bytes("geometry", self.saveGeometry())
        self.settings.keep_bytes("state", self.saveState())
        self.settings.keep_view_preferences(self.model.state)
        self.settings.sync()
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """End the processes beside the window; what is being written to disk is finished first.  Safe to call twice."""
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self.documents.background.wait()
        self.generation.close()
        self.volume_view.close()

    def _restore(self) -> None:
        geometry = self.settings.bytes_of("geometry")
        if geometry.isEmpty() or not self.restoreGeometry(geometry):
            room = self.screen().availableSize() * 0.94  # the window manager adds a frame
            self.resize(QSize(1480, 920).boundedTo(room))
        self.restoreState(self.settings.bytes_of("state"))
        state = self.model.state
        self.commands.on_state_changed(ViewState(), state)
        self.commands.enable_for_volume()
        self.actions_by_id["panels"].setChecked(True)

    def _after_first_show(self) -> None:
        self.ortho.setFocus()
        add_icons(self.actions_by_id)
