"""Help → About synthview."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.labels import caption, heading
from synthview.gui.theme import SPACE, TOKENS
from synthview.userdata import data_dir

_PACKAGES = ("PySide6-Essentials", "vtk", "torch", "nibabel", "numpy")

_TEXT = """<p>Open a generator checkpoint, make synthetic 3D medical images, look at them, and judge them.</p>
<p><b>Not a medical device.</b> For research; not for diagnosis or treatment.</p>
<p>Apache License 2.0. The demo head is Colin 27, copyright (C) Louis Collins, McConnell Brain Imaging Centre, Montreal
Neurological Institute, McGill University; see <i>resources/demo</i> for its licence. Icons: Material Design Icons
(Apache 2.0) through QtAwesome (MIT). Qt and PySide6 are used under the LGPL 3.</p>"""


def version_lines() -> list[str]:
    """Name and version of synthview and of what it stands on, one a line."""
    lines = []
    for package in ("synthview", *_PACKAGES):
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} (version unknown)")
    return [*lines, f"Python {platform.python_version()} on {platform.platform(terse=True)}"]


class AboutDialog(QDialog):
    """What this program is, its versions and licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About synthview")
        self.setMinimumWidth(520)
        logo = QLabel(pixmap=icon("checkpoint", TOKENS.accent).pixmap(QSize(56, 56)))
        title = heading("synthview")
        text = QLabel(_TEXT, wordWrap=True, textFormat=Qt.TextFormat.RichText)
        selectable = Qt.TextInteractionFlag.TextSelectableByMouse
        versions = caption("\n".join(version_lines()), textInteractionFlags=selectable)
        folder = caption(f"Your settings: {data_dir()}", wordWrap=True, textInteractionFlags=selectable)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy versions", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText("\n".join(version_lines())))
        buttons.rejected.connect(self.reject)
        words = QVBoxLayout()
        words.setSpacing(SPACE[2])
        for widget in (title, text, versions, folder):
            words.addWidget(widget)
        top = QHBoxLayout()
        top.setSpacing(SPACE[4])
        top.addWidget(logo, alignment=Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        layout.setSpacing(SPACE[3])
        layout.addLayout(top)
        layout.addWidget(buttons)
