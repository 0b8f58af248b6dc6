"""The part of "Describe this checkpoint" about its conditioning inputs: one row each, in the network's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from synthview.gui.dialogs.fields import number_or_text
from synthview.gui.theme import SPACE, TOKENS

_COLUMNS = {
    "name": ("Name", "As in --set age=72: letters, digits and _"),
    "label": ("Label", "What the screen says; the name if empty"),
    "unit": ("Unit", "Such as years"),
    "low": ("Lowest", "Of a number's range; empty for mean − 3 std"),
    "high": ("Highest", "Of a number's range; empty for mean + 3 std"),
    "default": ("Default", "Where its control stands; empty for the mean. A category's number, from 0"),
    "step": ("Step", "What one click changes"),
    "mean": ("Mean", "Of the training subjects: the network gets (value − mean) / std"),
    "std": ("Std", "Of the training subjects: the network gets (value − mean) / std"),
    "follows": ("Follows", "Of a number: others that it goes with in people, and by how much a unit: age=0.6, bmi=-2"),
    "categories": ("Categories", "Of a category: its choices, separated by commas; then it takes no range"),
}
_NUMBERS = ("low", "high", "default", "step", "mean", "std")
_NOT_FOR_CATEGORIES = ("low", "high", "step", "follows")
_ROWS_SHOWN = 6


class FeatureTable(QWidget):
    """A table of features.  A row with categories is a category, any other a number.

    Args:
        features: entries of a manifest, in the network's order.

    Signals:
        changed: a cell was changed.
    """

    changed = Signal()

    def __init__(self, features: Sequence[Mapping[str, Any]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QTableWidget(len(features), len(_COLUMNS))
        self.table.setVerticalHeaderLabels([str(number) for number in range(1, len(features) + 1)])
        self.table.setAccessibleName("Features, in the network's order")
        for column, (title, words) in enumerate(_COLUMNS.values()):
            head = QTableWidgetItem(title)
            head.setToolTip(words)
            self.table.setHorizontalHeaderItem(column, head)
        for row, feature in enumerate(features):
            self._fill(row, feature)
        self._before = self._cells()
        self._problem = QLabel(wordWrap=True)
        self._problem.setProperty("role", "bad")
        self._problem.hide()
        self._lay_out(len(features))
        self.table.cellChanged.connect(self.changed)

    @property
    def touched(self) -> bool:
        """Whether anything was changed."""
        return self._cells() != self._before

    @property
    def problem(self) -> str:
        """What is wrong with the first cell that is; empty while nothing is."""
        return self._problem.text()

    def content(self) -> list[dict[str, Any]]:
        """The features as a manifest's entries; problems are still in them."""
        return [self._entry(row) for row in self._cells()]

    def set_cell(self, row: int, field: str, text: str) -> None:
        """Change a cell as typing into it would."""
        self._item(row, list(_COLUMNS).index(field)).setText(text)

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Mark the cells that ``problems`` names ("features[2].low") and say what is wrong with the first."""
        said = {field: text for field, text in problems.items() if field.startswith("features")}
        with QSignalBlocker(self.table):
            for row in range(self.table.rowCount()):
                for column, name in enumerate(_COLUMNS):
                    problem = said.get(f"features[{row}].{name}", "")
                    item = self._item(row, column)
                    item.setForeground(QColor(TOKENS.bad if problem else TOKENS.text))
                    item.setBackground(QColor(TOKENS.raised if problem else TOKENS.panel))
                    item.setToolTip(problem)
        first = next(iter(said.items()), None)
        self._problem.setText(_sentence(*first) if first else "")
        self._problem.setVisible(first is not None)

    def _lay_out(self, count: int) -> None:
        self.table.setHorizontalScrollMode(QTableWidget.ScrollMode.ScrollPerPixel)
        header = self.table.horizontalHeader()
        header.setDefaultSectionSize(64)
        header.setSectionResizeMode(list(_COLUMNS).index("categories"), QHeaderView.ResizeMode.Stretch)
        for name, width in (("name", 112), ("label", 112)):
            header.resizeSection(list(_COLUMNS).index(name), width)
        rows = min(count, _ROWS_SHOWN)
        self.table.setFixedHeight(header.sizeHint().height() + rows * self.table.rowHeight(0) + 2 * SPACE[0])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(self.table)
        column.addWidget(self._problem)

    def _fill(self, row: int, entry: Mapping[str, Any]) -> None:
        for column, name in enumerate(_COLUMNS):
            value = entry.get(name, "")
            item = QTableWidgetItem(_text(value))
            if name in _NUMBERS:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        assert item is not None  # _fill made one for every cell
        return item

    def _cells(self) -> list[dict[str, str]]:
        return [
            {name: self._item(row, column).text().strip() for column, name in enumerate(_COLUMNS)}
            for row in range(self.table.rowCount())
        ]

    @staticmethod
    def _entry(cells: Mapping[str, str]) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": cells["name"]}
        entry |= {name: cells[name] for name in ("label", "unit") if cells[name]}
        if cells["categories"]:
            entry["kind"] = "category"
            entry["categories"] = [text.strip() for text in cells["categories"].split(",")]
        left_out = _NOT_FOR_CATEGORIES if cells["categories"] else ()
        if cells["follows"] and "follows" not in left_out:
            entry["follows"] = _slopes(cells["follows"])
        numbers = [name for name in _NUMBERS if cells[name] and name not in left_out]
        return entry | {name: number_or_text(cells[name]) for name in numbers}


def _slopes(text: str) -> dict[str, float | str]:
    """What "age=0.6, bmi=-2" says."""
    pairs = [piece.partition("=") for piece in text.split(",")]
    return {name.strip(): number_or_text(slope.strip()) for name, _, slope in pairs}


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_text(slope)}" for name, slope in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _sentence(field: str, problem: str) -> str:
    """A field such as "features[2].low" in the table's words: row 3, Lowest."""
    place, _, name = field.partition(".")
    row = int(place.removeprefix("features[").removesuffix("]")) + 1
    title = _COLUMNS[name][0] if name in _COLUMNS else name
    return f"Row {row}, {title}: {problem}"
