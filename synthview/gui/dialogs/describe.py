"""Asks for what the weights of a checkpoint can't say, and gives it as a manifest's content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from synthview.generators.info import GeneratorInfo
from synthview.generators.manifest_draft import draft_of, problems
from synthview.gui.dialogs.describe_features import FeatureTable
from synthview.gui.dialogs.describe_output import OutputFields
from synthview.gui.dialogs.fields import FieldRow, TextBox, line_edit
from synthview.gui.theme import SPACE

_WIDTH_PX, _HEIGHT_PX = 640, 720
_WIDE_PX = 1000  # with a table of features
_WHERE = "Kept as manifest.json beside the checkpoint; where that can't be written, in your user data."


class DescribeDialog(QDialog):
    """A form, filled with what is known; Save is open while nothing in it is wrong.

    Args:
        info: of the generator.
        content: what a person has already said, to be corrected.

    Attributes:
        texts: inputs for name, licence, training data and citation, by field.
        output: inputs about the volumes.
        features: the table of conditioning inputs; None for a generator without any.
    """

    def __init__(
        self, info: GeneratorInfo, content: Mapping[str, Any] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Describe this checkpoint")
        self.resize(_WIDE_PX if info.features else _WIDTH_PX, _HEIGHT_PX)
        self._info = info
        self._named = bool(info.manifest) or (content is not None and "features" in content)
        said = {**draft_of(info), **(content or {})}
        self.texts: dict[str, Any] = {
            "name": line_edit(said["name"], "What to call it"),
            "licence": line_edit(said.get("licence", ""), "Such as CC-BY-4.0"),
            "training_data": TextBox(said.get("training_data", ""), "Such as AOMIC ID1000, 928 subjects"),
            "citation": TextBox(said.get("citation", ""), "What to cite"),
        }
        self.output = OutputFields(info, said.get("output", {}))
        self.features = FeatureTable(said["features"]) if info.features else None
        words = {"name": "Name", "licence": "Licence", "training_data": "Training data", "citation": "Citation"}
        self._rows = [FieldRow(field, words[field], widget) for field, widget in self.texts.items()]
        self._lay_out()
        self._connect()
        self._check()

    def content(self) -> dict[str, Any]:
        """The manifest as plain values; features are left out while nobody has named them."""
        texts = {field: _text(widget).strip() for field, widget in self.texts.items()}
        content: dict[str, Any] = {field: text for field, text in texts.items() if text}
        content.setdefault("name", "")
        if output := self.output.content():
            content["output"] = output
        if self.features is not None and (self.features.touched or self._named):
            content["features"] = self.features.content()
        return content | ({"metrics": dict(self._info.metrics)} if self._info.metrics else {})

    def row(self, field: str) -> FieldRow:
        """The row of a field, such as "output.spacing"."""
        return next(row for row in (*self._rows, *self.output.rows) if row.field == field)

    def _lay_out(self) -> None:
        info = self._info
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, SPACE[2], 0)
        column.setSpacing(SPACE[1])
        column.addWidget(_label(info.name, "heading"))
        column.addWidget(_label(_known(info), "caption"))
        for note in info.notes:
            column.addWidget(_label(f"⚠ {note}", "warn"))
        self._section(column, "About", *self._rows)
        self._section(column, "Volumes", self.output)
        if self.features is not None:
            self._section(column, "Features, in the network's order", self.features)
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(form)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # the desktop's own icons are in other colours
        self.save_button = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        self.save_button.setProperty("role", "primary")
        self._state = _label(_WHERE, "caption")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        outer.setSpacing(SPACE[2])
        outer.addWidget(area, stretch=1)
        outer.addWidget(self._state)
        outer.addWidget(self.buttons)

    @staticmethod
    def _section(column: QVBoxLayout, title: str, *widgets: QWidget) -> None:
        column.addSpacing(SPACE[1])
        column.addWidget(_label(title, "title"))
        for widget in widgets:
            column.addWidget(widget)

    def _connect(self) -> None:
        for widget in self.texts.values():
            (widget.changed if isinstance(widget, TextBox) else widget.textChanged).connect(self._check)
        self.output.changed.connect(self._check)
        if self.features is not None:
            self.features.changed.connect(self._check)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _check(self) -> None:
        """Say of each field what is wrong with it."""
        found = problems(self.content())
        for row in (*self._rows, *self.output.rows):
            row.show_problem(_of(row.field, found))
        if self.features is not None:
            self.features.show_problems(found)
        self.save_button.setEnabled(not found)
        wrong = f"{len(found)} field{'s' if len(found) > 1 else ''} to correct before it can be saved."
        self._state.setText(wrong if found else _WHERE)


def ask_description(
    info: GeneratorInfo, content: Mapping[str, Any] | None = None, parent: QWidget | None = None
) -> Mapping[str, Any] | None:
    """Let a person describe a checkpoint, or correct what they said; None if they would rather not."""
    dialog = DescribeDialog(info, content, parent)
    try:
        return dialog.content() if dialog.exec() == QDialog.DialogCode.Accepted else None
    finally:
        dialog.deleteLater()


def _of(field: str, found: Mapping[str, str]) -> str:
    return next((text for name, text in found.items() if name == field or name.startswith(f"{field}.")), "")


def _known(info: GeneratorInfo) -> str:
    """What the weights do say; the arguments are saved with the description."""
    plain = {k: v for k, v in info.arguments.items() if isinstance(v, str | int | float | tuple)}
    arguments = ", ".join(f"{k} {'×'.join(map(str, v)) if isinstance(v, tuple) else v}" for k, v in plain.items())
    return f"{info.title} · opened with {arguments}, which is kept too." if arguments else info.title


def _text(widget: Any) -> str:
    return str(widget.toPlainText() if isinstance(widget, TextBox) else widget.text())


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label
