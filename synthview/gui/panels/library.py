"""The model library: what comes with synthview, what was opened recently, and the way to more."""

from __future__ import annotations

import itertools
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from synthview.generators.info import GeneratorInfo
from synthview.gui.icons import icon
from synthview.gui.labels import caption, title
from synthview.gui.panels.model_card import ModelCard
from synthview.gui.theme import SPACE

_VOLUME_ENDINGS = (".nii", ".nii.gz")
_LEAST_HEIGHT_PX = 168  # three cards
_EMPTY = "Drop a checkpoint here: a .pth or .safetensors file, or a folder. Or open one."


class LibraryPanel(QWidget):
    """Shows a card for each model; says what a person wants with them.

    Signals:
        open_requested: the Path of a model to open.
        browse_requested: a person wants to look for a checkpoint.
        forget_requested: the Path of a model to take from the recent ones.
        describe_requested: a person wants to say what the weights of the model in use can't.
    """

    open_requested = Signal(object)
    browse_requested = Signal()
    forget_requested = Signal(object)
    describe_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self._bundled: dict[str, Path] = {}
        self._recent: list[Path] = []
        self._passing: list[Path] = []  # being opened, not (yet) among the recent ones
        self._cards: dict[Path, ModelCard] = {}
        self._current: Path | None = None
        self._build()
        self._arrange()

    def _build(self) -> None:
        self.open_button = QPushButton(icon("open"), "Open checkpoint…")
        self.open_button.clicked.connect(self.browse_requested)
        self.empty_label = caption(_EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.empty_label.setMinimumHeight(_LEAST_HEIGHT_PX // 2)
        self.bundled_caption = caption("Bundled")
        self.recent_caption = caption("Recent")
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(SPACE[0])
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumHeight(_LEAST_HEIGHT_PX)
        area.setWidget(content)
        area.verticalScrollBar().rangeChanged.connect(self._show_current)
        self._area = area
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addWidget(title("Library"))
        column.addWidget(area, stretch=1)
        column.addWidget(self.open_button)

    # ── what the window tells ──

    def set_bundled(self, models: dict[str, Path]) -> None:
        """Show the bundled models: name to folder."""
        self._bundled = {name: Path(path) for name, path in models.items()}
        self._arrange()

    def set_recent(self, paths: list[Path]) -> None:
        """Show the recently opened models, the newest first."""
        self._recent = [Path(path) for path in paths]
        self._passing = [path for path in self._passing if path not in self._recent]
        self._arrange()

    def set_opening(self, path: Path) -> None:
        """Say that a model is being opened; one that isn't listed gets a card."""
        self._card(path).show_opening()

    def set_info(self, path: Path, info: GeneratorInfo) -> None:
        """Say what a model is."""
        self._card(path).show_info(info)

    def set_failed(self, path: Path, sentence: str) -> None:
        """Say why a model could not be opened."""
        self._card(path).show_failure(sentence)

    def set_current(self, path: Path | None) -> None:
        """Mark the model in use; None for none."""
        self._current = None if path is None else Path(path)
        for known, card in self._cards.items():
            card.set_current(known == self._current)
        self._show_current()

    def card(self, path: Path) -> ModelCard | None:
        """The card of a model, if it is listed."""
        return self._cards.get(Path(path))

    # ── inside ──

    def _show_current(self) -> None:
        """Keep the model in use in sight, also when its features take room from the list or cards above it grow."""
        if self._current in self._cards:
            self._area.ensureWidgetVisible(self._cards[self._current], 0, SPACE[1])

    def _card(self, path: Path) -> ModelCard:
        path = Path(path)
        if path not in self._cards:
            self._passing.insert(0, path)
            self._arrange()
        return self._cards[path]

    def _arrange(self) -> None:
        """Put the cards in order; those that stay keep what they show, and the focus."""
        bundled = {path: name for name, path in self._bundled.items()}
        others = [path for path in dict.fromkeys([*self._passing, *self._recent]) if path not in bundled]
        for path in self._cards.keys() - bundled.keys() - set(others):
            gone = self._cards.pop(path)
            gone.hide()
            gone.deleteLater()
        while self._list.takeAt(0) is not None:
            pass  # the widgets live on
        self._add([*bundled], self.bundled_caption, bundled)
        if bundled and others:
            self._list.addSpacing(SPACE[1])
        self._add(others, self.recent_caption, bundled)
        self.empty_label.setVisible(not self._cards)
        self._list.addWidget(self.empty_label)
        self._list.addStretch(1)
        self._order_focus([*bundled, *others])

    def _add(self, paths: list[Path], label: QLabel, bundled: dict[Path, str]) -> None:
        label.setVisible(bool(paths))
        self._list.addWidget(label)
        for path in paths:
            if path not in self._cards:
                self._cards[path] = self._new_card(path, bundled=path in bundled)
            self._cards[path].name_label.setText(bundled.get(path) or _name_among(path, paths))
            self._list.addWidget(self._cards[path])

    def _new_card(self, path: Path, *, bundled: bool) -> ModelCard:
        card = ModelCard(path.name, path, bundled=bundled)
        card.set_current(path == self._current)
        card.chosen.connect(self.open_requested)
        card.forget_requested.connect(self._forget)
        card.describe_requested.connect(self.describe_requested)
        return card

    def _order_focus(self, paths: list[Path]) -> None:
        chain: list[QWidget] = [*(self._cards[path] for path in paths), self.open_button]
        for before, after in itertools.pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _forget(self, path: Path) -> None:
        if path in self._passing:
            self._passing.remove(path)
            self._arrange()
        self.forget_requested.emit(path)

    # ── drag and drop ──

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders that may be checkpoints; volumes are the window's."""
        if _dropped(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask to open what was dropped."""
        for path in _dropped(event):
            self.open_requested.emit(path)
        event.acceptProposedAction()


def _name_among(path: Path, paths: list[Path]) -> str:
    """The file's name, with its folder's where another has the same: each training run has a G_iter80000.pth."""
    alone = sum(other.name == path.name for other in paths) == 1
    return path.name if alone else f"{path.parent.name}/{path.name}"


def _dropped(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [] if any(path.name.lower().endswith(_VOLUME_ENDINGS) for path in paths) else paths
