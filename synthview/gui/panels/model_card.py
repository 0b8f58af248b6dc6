"""One model in the library: its name, what it is, and what one should know about it."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDesktopServices,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPixmap,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from synthview.errors import SynthviewError
from synthview.generators.info import GeneratorInfo
from synthview.generators.manifest import MANIFEST_NAME, Manifest
from synthview.gui.icons import icon
from synthview.gui.panels.elided_label import ElidedLabel
from synthview.gui.theme import SPACE, TOKENS

_ICON_PX, _THUMBNAIL_PX = 20, 48
_THUMBNAIL = "thumbnail.png"  # in a bundled generator's folder


class CardState(Enum):
    """What is known of a model."""

    UNKNOWN = auto()
    OPENING = auto()
    OPENED = auto()
    FAILED = auto()


class ModelCard(QFrame):
    """A button with two lines of text.

    Signals:
        chosen: it was clicked, or Enter or Space pressed on it.
        forget_requested: it shall leave the list; only where ``can_forget``.
        describe_requested: a person wants to say what its weights can't; only of the model in use.
    """

    chosen = Signal(object)
    forget_requested = Signal(object)
    describe_requested = Signal()

    def __init__(self, name: str, path: Path, *, bundled: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.can_forget = not bundled
        self._bundled = bundled
        self._info: GeneratorInfo | None = None
        self.setProperty("role", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._thumbnail = _thumbnail(path) if bundled else QPixmap()
        self._icon = QLabel()
        side = _ICON_PX if self._thumbnail.isNull() else _THUMBNAIL_PX
        self._icon.setFixedSize(side, side)
        self.name_label = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self.name_label.setText(name)
        self.caption = ElidedLabel(Qt.TextElideMode.ElideRight)
        self.note = ElidedLabel(Qt.TextElideMode.ElideRight)
        self.note.setProperty("role", "warn")
        self._lay_out()
        self.show_unknown()
        self.set_current(False)

    def _lay_out(self) -> None:
        text = QVBoxLayout()
        text.setSpacing(0)
        for label in (self.name_label, self.caption, self.note):
            text.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[1])
        row.setSpacing(SPACE[1])
        row.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, stretch=1)

    # ── what is known ──

    @property
    def info(self) -> GeneratorInfo | None:
        """What the model is, once it has been opened."""
        return self._info

    def show_unknown(self) -> None:
        """It has not been opened yet."""
        where = _said_by_its_manifest(self.path) if self._bundled else str(self.path.parent)
        self._show(CardState.UNKNOWN, where, "", f"{self.path}\n{where}" if self._bundled else str(self.path))

    def show_opening(self) -> None:
        """It is being opened."""
        self._show(CardState.OPENING, "opening…", "", str(self.path))

    def show_info(self, info: GeneratorInfo) -> None:
        """It has been opened; what is unknown about it is said with a warning sign."""
        self._info = info
        about = f"{info.title} · {size_text((1, *info.output_shape[1:]))}"  # channels would be cut off
        whole = f"{info.title} · {size_text(info.output_shape)}"
        said = filter(None, [info.label, whole, f"Licence: {info.licence}" if info.licence else ""])
        tooltip = "\n".join([str(self.path), *said, *(f"⚠ {note}" for note in info.notes)])
        self._show(CardState.OPENED, about, info.notes[0] if info.notes else "", tooltip)

    def show_failure(self, sentence: str) -> None:
        """It could not be opened."""
        self._info = None
        self._show(CardState.FAILED, "could not be opened", sentence, f"{self.path}\n{sentence}")

    def set_current(self, current: bool) -> None:
        """Whether it is the model in use."""
        self.setProperty("current", current)
        self._repolish(self)
        self._say_accessibly()

    def _show(self, state: CardState, caption: str, note: str, tooltip: str) -> None:
        self.state = state
        self.caption.setText(caption)
        self.caption.setProperty("role", "caption")
        self.note.setText(note)
        self.note.setProperty("role", "bad" if state is CardState.FAILED else "warn")
        self.note.setVisible(bool(note))
        self._repolish(self.note)
        self.setToolTip(tooltip)
        if state is CardState.FAILED:
            name, color = "error", TOKENS.bad
        elif note:
            name, color = "warning", TOKENS.warn
        else:
            name, color = ("bundled" if self._bundled else "checkpoint"), TOKENS.text_dim
        if self._thumbnail.isNull() or name != "bundled":
            self._icon.setPixmap(icon(name, color).pixmap(_ICON_PX, _ICON_PX))
        else:
            self._icon.setPixmap(self._thumbnail)
        self._say_accessibly()

    def _say_accessibly(self) -> None:
        parts = [self.name_label.text(), self.caption.text(), self.note.text()]
        self.setAccessibleName(", ".join(filter(None, parts)))
        self.setAccessibleDescription("in use" if self.property("current") else "")

    @staticmethod
    def _repolish(widget: QWidget) -> None:
        widget.style().unpolish(widget)
        widget.style().polish(widget)

    # ── what a person does ──

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A left click chooses it."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.path)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Space choose it, arrows go to its neighbours, Delete takes it from the list."""
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.chosen.emit(self.path)
            case Qt.Key.Key_Down:
                self.focusNextChild()
            case Qt.Key.Key_Up:
                self.focusPreviousChild()
            case Qt.Key.Key_Delete if self.can_forget:
                self.forget_requested.emit(self.path)
            case _:
                super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with it."""
        menu = self.menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def menu(self) -> QMenu:
        """The context menu."""
        menu = QMenu(self)
        menu.addAction(icon("open"), "Open", lambda: self.chosen.emit(self.path))
        describe = menu.addAction(icon("details"), "Describe this checkpoint…")
        describe.triggered.connect(self.describe_requested)
        describe.setEnabled(bool(self.property("current")) and self._info is not None)
        menu.addAction("Show in folder", self._show_in_folder)
        copy = menu.addAction(icon("copy"), "Copy SHA-256", self._copy_sha256)
        copy.setEnabled(self._info is not None)
        if self.can_forget:
            menu.addSeparator()
            menu.addAction("Remove from recent", lambda: self.forget_requested.emit(self.path))
        return menu

    def _show_in_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.path.parent)))

    def _copy_sha256(self) -> None:
        if self._info is not None:
            QGuiApplication.clipboard().setText(self._info.sha256)


def _thumbnail(folder: Path) -> QPixmap:
    """A picture of what a bundled generator makes; null where there is none."""
    picture = QPixmap(str(folder / _THUMBNAIL))
    if picture.isNull():
        return picture
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return picture.scaled(_THUMBNAIL_PX, _THUMBNAIL_PX, keep, smooth)


def _said_by_its_manifest(folder: Path) -> str:
    """What a bundled generator makes, and its licence, without opening it."""
    try:
        manifest = Manifest.load(folder / MANIFEST_NAME)
    except SynthviewError:
        return "bundled with synthview"
    return f"{manifest.name} · {manifest.licence}" if manifest.licence else manifest.name


def size_text(output_shape: tuple[int, ...]) -> str:
    """The grid of one output for people: "256³", "144 × 192 × 144", "4 × 80 × 128 × 128" for several channels."""
    channels, spatial = output_shape[0], output_shape[1:]
    cube = len(spatial) == 3 and len(set(spatial)) == 1
    grid = f"{spatial[0]}³" if cube else " × ".join(str(n) for n in spatial)
    return grid if channels == 1 else f"{channels} × {grid}"
