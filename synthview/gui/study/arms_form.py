"""The designer's second part: where the volumes come from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from synthview.gui.labels import caption
from synthview.gui.study.fields import Entries, combo, number, show_choice, show_number, show_text
from synthview.gui.theme import SPACE
from synthview.resources import bundled_checkpoints

_SOURCES = {"folder": "files in a folder", "dicom": "DICOM series in a folder", "generate": "made from a checkpoint"}
_TRUTHS = {"real": "real", "synthetic": "synthetic"}


class ArmCard(QFrame):
    """One arm.

    Signals:
        edited: something was changed.
        removed: the person takes it out.
    """

    edited = Signal()
    removed = Signal()

    def __init__(self, name: str, entries: Entries, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._entries = entries
        self._name = QLineEdit()
        self._truth, self._source = combo(_TRUTHS), combo(_SOURCES)
        self._path = QComboBox()
        self._path.setEditable(True)
        self._path.addItems(list(bundled_checkpoints()))
        self._browse = QPushButton("Choose…")
        self._seed_label = QLabel("First seed")
        self._seed = number(0, 2**31 - 1)
        remove = QPushButton("Take out")
        row = QGridLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[1])
        row.setSpacing(SPACE[1])
        row.addWidget(self._name, 0, 0)
        row.addWidget(self._truth, 0, 1)
        row.addWidget(self._source, 0, 2)
        row.addWidget(remove, 0, 3)
        below = QHBoxLayout()
        below.addWidget(self._path, stretch=1)
        below.addWidget(self._browse)
        below.addWidget(self._seed_label)
        below.addWidget(self._seed)
        row.addLayout(below, 1, 0, 1, 4)
        row.setColumnStretch(0, 1)
        self._show(name)
        self._name.textEdited.connect(self.edited)
        self._truth.currentIndexChanged.connect(self.edited)
        self._source.currentIndexChanged.connect(self._on_source)
        self._path.editTextChanged.connect(self.edited)
        self._seed.valueChanged.connect(self.edited)
        self._browse.clicked.connect(self._choose)
        remove.clicked.connect(self.removed)

    @property
    def name(self) -> str:
        """What the coordinator calls it."""
        return self._name.text().strip()

    def entries(self) -> Entries:
        """What the protocol says of it; what the card doesn't show is kept."""
        source, path = str(self._source.currentData()), self._path.currentText().strip()
        kept = self._entries.get(source)
        found: Entries = {"real": self._truth.currentData() == "real"}
        if source == "generate":
            found[source] = {**(kept if isinstance(kept, dict) else {}), "checkpoint": path, "seed": self._seed.value()}
        else:
            found[source] = {**kept, "path": path} if isinstance(kept, dict) else path
        return found

    def _show(self, name: str) -> None:
        source = next((word for word in _SOURCES if word in self._entries), "folder")
        content = self._entries.get(source, "")
        path = content.get("checkpoint", content.get("path", "")) if isinstance(content, dict) else content
        show_text(self._name, name)
        show_choice(self._truth, "real" if self._entries.get("real", name == "real") else "synthetic")
        show_choice(self._source, source)
        self._path.setCurrentText(str(path))
        show_number(self._seed, content.get("seed", 0) if isinstance(content, dict) else 0)
        self._show_source()

    def _show_source(self) -> None:
        made = self._source.currentData() == "generate"
        self._seed_label.setVisible(made)
        self._seed.setVisible(made)
        self._path.lineEdit().setPlaceholderText(  # type: ignore[union-attr]
            "checkpoint file, folder, or name of a bundled one" if made else "folder of the volumes"
        )

    def _on_source(self) -> None:
        if self._source.currentData() == "generate":
            show_choice(self._truth, "synthetic")
        self._show_source()
        self.edited.emit()

    def _choose(self) -> None:
        start = self._path.currentText() or str(Path.home())
        if self._source.currentData() == "generate":
            name, _ = QFileDialog.getOpenFileName(self, "Choose a checkpoint", start)
        else:
            name = QFileDialog.getExistingDirectory(self, "Choose the folder of the volumes", start)
        if name:
            self._path.setCurrentText(name)


class ArmsForm(QWidget):
    """All arms, one card each.

    Signals:
        edited: something was changed.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[ArmCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[1])
        self._column.addWidget(
            caption("Readers never see these names. All arms go through one harmonisation.", wordWrap=True)
        )
        self._add_button = QPushButton("Add an arm")
        self._add_button.clicked.connect(self._on_add)
        row = QHBoxLayout()
        row.addWidget(self._add_button)
        row.addStretch(1)
        self._column.addLayout(row)

    def show_entries(self, arms: Entries) -> None:
        """Show a protocol's arms."""
        for card in self._cards:
            card.deleteLater()
        self._cards = []
        for name, entries in arms.items():
            self._add(name, entries)

    def entries(self) -> Entries:
        """The protocol's ``arms``; an arm without a name is left out."""
        return {card.name: card.entries() for card in self._cards if card.name}

    def _add(self, name: str, entries: Entries) -> None:
        card = ArmCard(name, entries)
        card.edited.connect(self.edited)
        card.removed.connect(lambda: self._remove(card))
        self._cards.append(card)
        self._column.insertWidget(self._column.count() - 1, card)

    def _remove(self, card: ArmCard) -> None:
        self._cards.remove(card)
        card.deleteLater()
        self.edited.emit()

    def _on_add(self) -> None:
        taken = {card.name for card in self._cards}
        letters = (f"generator-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
        self._add(next(name for name in letters if name not in taken), {"real": False, "generate": {"checkpoint": ""}})
        self.edited.emit()
