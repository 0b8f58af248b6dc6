"""The part of "Describe this checkpoint" about the volumes: spacing, axes, kind, unit and window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthview.generators.info import GeneratorInfo
from synthview.gui.dialogs.fields import Choice, FieldRow, choice, line_edit, number_or_text
from synthview.gui.theme import SPACE
from synthview.volume import VolumeKind

_ORIENTATIONS = ("", "RAS", "LAS", "LPS", "RPS", "SPL", "SAR", "IPL")
_ASSUMED = "as assumed"


class OutputFields(QWidget):
    """Inputs for a manifest's ``output``; what is left empty stays as the family assumes.

    Args:
        info: of the generator.
        said: the manifest's ``output`` so far.

    Signals:
        changed: an input was changed.
    """

    changed = Signal()

    def __init__(self, info: GeneratorInfo, said: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        spacing = said.get("spacing") or ("", "", "")
        self.spacing = [line_edit(_text(mm), _ASSUMED) for mm in spacing]
        self.orientation = Choice()
        self.orientation.setLineEdit(line_edit("", _ASSUMED))
        self.orientation.addItems(list(_ORIENTATIONS))
        self.orientation.setCurrentText(str(said.get("orientation", "")))
        self.kind = choice(_kinds(info), str(said.get("kind", "")))
        self.unit = line_edit(str(said.get("unit", "")), "such as HU")
        level, width = _window(said.get("window"))
        self.level = line_edit(level, "level")
        self.width_box = line_edit(width, "width")
        self.rows = [
            FieldRow("output.spacing", "Spacing, mm", *self.spacing),
            FieldRow("output.orientation", "Axes point to", self.orientation),
            FieldRow("output.kind", "Kind of image", self.kind),
            FieldRow("output.unit", "Unit of values", self.unit),
            FieldRow("output.window", "Window", self.level, self.width_box),
        ]
        self._explain()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        for row in self.rows:
            column.addWidget(row)
        for edit in (*self.spacing, self.unit, self.level, self.width_box):
            edit.textChanged.connect(self.changed)
        self.orientation.currentTextChanged.connect(self.changed)
        self.kind.currentIndexChanged.connect(self.changed)

    def content(self) -> dict[str, Any]:
        """What was said, as a manifest's ``output``; problems are still in it."""
        content: dict[str, Any] = {}
        spacing = [edit.text().strip() for edit in self.spacing]
        if any(spacing):
            content["spacing"] = [number_or_text(text) if text else None for text in spacing]
        texts = {"orientation": self.orientation.currentText().strip().upper(), "unit": self.unit.text().strip()}
        content |= {name: text for name, text in texts.items() if text}
        if self.kind.currentData():
            content["kind"] = self.kind.currentData()
        window = {"level": self.level.text(), "width": self.width_box.text()}
        if any(text.strip() for text in window.values()):
            content["window"] = {name: number_or_text(text) for name, text in window.items() if text.strip()}
        return content

    def _explain(self) -> None:
        raw = "of the network's raw output, as synthview decode writes it"
        for axis, edit in zip(("first", "second", "third"), self.spacing, strict=True):
            edit.setToolTip(f"Millimetres per voxel along the {axis} axis {raw}")
        self.orientation.setToolTip(
            f"Where the three axes {raw}, point: R or L, A or P, S or I. RAS is right, anterior, superior."
        )
        self.level.setToolTip("The value drawn mid-grey, in the volume's unit")
        self.width_box.setToolTip("White minus black, in the volume's unit")


def _kinds(info: GeneratorInfo) -> dict[str, str]:
    """The kinds that a network with so many channels can make."""
    several = len(info.output_shape) == 4 and info.output_shape[0] > 1 and info.output_shape[1] != 1
    kinds = [k for k in VolumeKind if k is not VolumeKind.UNKNOWN and (k is VolumeKind.TISSUE_MAP) == several]
    return {"": "not known", **{kind.value: kind.value for kind in kinds}}


def _window(said: Any) -> tuple[str, str]:
    return (_text(said.get("level", "")), _text(said.get("width", ""))) if said else ("", "")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)
