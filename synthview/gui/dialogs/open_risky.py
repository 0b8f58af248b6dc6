"""Asks whether a program from somebody else may run: a TorchScript or torch.export file can do what its maker likes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from synthview import userdata
from synthview.errors import TrustNeededError
from synthview.gui.theme import SPACE

_WIDTH_PX = 480
_RISK = (
    "To open it, code from the file has to run on this computer, with your rights. Such code could read, change or "
    "send away anything that you can, patients' data included. synthview can't tell whether it does."
)
_OTHERWISE = (
    "If you are not sure, ask its maker for the weights alone (a state_dict, or safetensors) or for an ONNX file: "
    "those are data, and open without this question."
)


class OpenRiskyDialog(QDialog):
    """What the risk is, and a box to tick before the file can be opened; Return alone does not open it."""

    def __init__(self, error: TrustNeededError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open checkpoint")
        self.setMinimumWidth(_WIDTH_PX)
        self.agreed = QCheckBox("I know who made this file, and trust them")
        self.agreed.toggled.connect(self._on_agreed)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.open_button = self.buttons.addButton("Run it", QDialogButtonBox.ButtonRole.AcceptRole)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # the desktop's own icons are in other colours
        self.open_button.setEnabled(False)
        self.cancel_button = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        self.cancel_button.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        name = Path(error.path).name
        column.addWidget(_label(f"{name} is a program. Run it?", "heading"))
        column.addWidget(_label(f"It is a {error.what}, not just weights. {_RISK}", "value"))
        column.addWidget(_label(_OTHERWISE, "caption"))
        column.addWidget(_label(f"{error.path}\nSHA-256 {error.sha256[:32]}\n{error.sha256[32:]}", "caption"))
        column.addSpacing(SPACE[0])
        column.addWidget(self.agreed)
        column.addWidget(
            _label("Your yes holds for this very file: were it changed, you would be asked again.", "caption")
        )
        column.addSpacing(SPACE[0])
        column.addWidget(self.buttons)
        self.cancel_button.setFocus()

    def _on_agreed(self, agreed: bool) -> None:
        self.open_button.setEnabled(agreed)
        self.open_button.setProperty("role", "primary" if agreed else "")
        self.open_button.style().polish(self.open_button)


def ask_trust(error: TrustNeededError, parent: QWidget | None = None) -> bool:
    """Ask a person whether the program may run; a yes is kept for a file of this content."""
    dialog = OpenRiskyDialog(error, parent)
    try:
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return False
        userdata.trust(error.sha256, Path(error.path))
        return True
    finally:
        dialog.deleteLater()


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label
