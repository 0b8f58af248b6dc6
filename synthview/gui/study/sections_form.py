"""The designer's third part: what is asked, section by section."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from synthview.gui.labels import caption
from synthview.gui.study.fields import (
    Entries,
    combo,
    form,
    joined,
    number,
    put,
    show_check,
    show_choice,
    show_number,
    show_text,
    words_of,
)
from synthview.gui.study.templates import NEW_SECTIONS
from synthview.gui.theme import SPACE

KINDS = {
    "2afc-real": "pairs: which one is real?",
    "2afc-synthetic": "pairs: which one is more realistic?",
    "turing": "single scans: real or synthetic?",
    "rating": "single scans: ratings",
}
_SHOWN = {
    "volume": "whole volumes, to scroll through",
    "random-slice": "one slice, at a random position",
    "fixed-slice": "one slice, in the middle",
}
_PLANES = {
    "axial": "axial",
    "coronal": "coronal",
    "sagittal": "sagittal",
    "axial, coronal, sagittal": "axial, coronal and sagittal in turn",
}
_CHANGES = {"never": "never", "until-section-end": "until the part ends"}


class SectionCard(QFrame):
    """One section.

    Signals:
        edited: something was changed.
        removed: the person takes it out.
    """

    edited = Signal()
    removed = Signal()

    def __init__(self, entries: Entries, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._entries = dict(entries)
        self._kind, self._title, self._counts = combo(KINDS), QLineEdit(), QLineEdit()
        self._items = QLineEdit()
        self._shown, self._planes, self._changes = combo(_SHOWN), combo(_PLANES), combo(_CHANGES)
        self._checks = {
            "difficulty": QCheckBox("Ask how hard it was"),
            "confidence": QCheckBox("Ask how sure they are instead"),
            "cannot_tell": QCheckBox("Allow “can't tell”"),
            "comment": QCheckBox("Allow a comment"),
            "reuse": QCheckBox("May show volumes of an earlier part"),
        }
        self._practice, self._repeats = number(0, 100, none="none"), number(0, 1000, none="none")
        self._limit, self._break = number(0, 3600, none="none"), number(0, 1000, none="none")
        self._limit.setSuffix(" s")
        self._break.setPrefix("every ")
        self._remove = QPushButton("Take out")
        self._lay_out()
        self._show()
        self._connect()

    def entries(self) -> Entries:
        """What the protocol says of it; what the card doesn't show is kept."""
        kind = str(self._kind.currentData())
        found = {**self._entries, "kind": kind, "title": self._title.text().strip()}
        _write_counts(found, kind, self._counts.text())
        shown, planes = self._shown.currentData(), words_of(str(self._planes.currentData()))
        given = found.get("presentation")
        same = isinstance(given, dict) and given.get("shown_as", "volume") == shown
        presentation = {**(given if same and isinstance(given, dict) else {}), "shown_as": shown, "planes": planes}
        put(found, "presentation", presentation, default={"shown_as": "volume", "planes": ["axial"]})
        for name, check in self._checks.items():
            keep = found.get(name) if check.isChecked() and isinstance(found.get(name), dict) else check.isChecked()
            put(found, name, keep if not check.isHidden() else None, default=False)
        for name, box in (("practice", self._practice), ("repeats", self._repeats), ("break_every", self._break)):
            put(found, name, box.value(), default=0)
        put(found, "time_limit_s", self._limit.value(), default=0)
        put(found, "changes", self._changes.currentData(), default="never")
        if kind == "rating":
            known = {item["name"]: item for item in found.get("items", ())}
            found["items"] = [known.get(name, {"name": name}) for name in words_of(self._items.text())]
        else:
            found.pop("items", None)
        return found

    def _lay_out(self) -> None:
        layout = form()
        layout.addRow("Kind", self._kind)
        layout.addRow("Title", self._title)
        layout.addRow("How many", self._counts)
        layout.addRow("Rated", self._items)
        layout.addRow("Shown", self._shown)
        layout.addRow("Plane", self._planes)
        for row in (("difficulty", "confidence"), ("cannot_tell", "comment"), ("reuse",)):
            line = QHBoxLayout()
            line.setSpacing(SPACE[3])
            for name in row:
                line.addWidget(self._checks[name])
            line.addStretch(1)
            layout.addRow("", line)
        for names, boxes in (
            (("Practice", "Repeated"), (self._practice, self._repeats)),
            (("Time limit", "Break"), (self._limit, self._break)),
        ):
            line = QHBoxLayout()
            line.setSpacing(SPACE[1])
            line.addWidget(boxes[0], stretch=1)
            line.addSpacing(SPACE[3])
            line.addWidget(caption(names[1]))
            line.addWidget(boxes[1], stretch=1)
            layout.addRow(names[0], line)
        layout.addRow("Answers may change", self._changes)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self._remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        column.addLayout(layout)
        column.addLayout(line)
        self._form = layout

    def _connect(self) -> None:
        self._kind.currentIndexChanged.connect(self._on_kind)
        for line in (self._title, self._counts, self._items):
            line.textEdited.connect(self.edited)
        for box in (self._shown, self._planes, self._changes):
            box.currentIndexChanged.connect(self.edited)
        for check in self._checks.values():
            check.toggled.connect(self.edited)
        for spin in (self._practice, self._repeats, self._limit, self._break):
            spin.valueChanged.connect(self.edited)
        self._remove.clicked.connect(self.removed)

    def _show(self) -> None:
        given = self._entries
        presentation = given.get("presentation") or {}
        show_choice(self._kind, given.get("kind", "2afc-real"))
        show_text(self._title, given.get("title"))
        show_text(self._counts, _counts_text(given))
        show_text(self._items, joined(item["name"] for item in given.get("items", ())))
        show_choice(self._shown, presentation.get("shown_as", "volume"))
        planes = joined(presentation.get("planes", ("axial",)))
        if self._planes.findData(planes) < 0:
            self._planes.addItem(planes, planes)
        show_choice(self._planes, planes)
        for name, check in self._checks.items():
            show_check(check, given.get(name))
        for name, box in (("practice", self._practice), ("repeats", self._repeats), ("break_every", self._break)):
            show_number(box, given.get(name, 0))
        show_number(self._limit, given.get("time_limit_s", 0))
        show_choice(self._changes, given.get("changes", "never"))
        self._show_kind()

    def _show_kind(self) -> None:
        kind = self._kind.currentData()
        paired = str(kind).startswith("2afc")
        self._counts.setPlaceholderText("pairs of each pair of arms" if paired else "real: 20, generator-a: 15")
        self._form.setRowVisible(self._items, kind == "rating")
        for name in ("confidence", "cannot_tell"):
            self._checks[name].setVisible(kind == "turing")

    def _on_kind(self) -> None:
        kind = str(self._kind.currentData())
        kept: Entries = {
            name: self._entries[name] for name in ("presentation", "tools", "comment") if name in self._entries
        }
        self._entries = {"kind": kind, **NEW_SECTIONS[kind], **kept}
        self._show()
        self.edited.emit()


class SectionsForm(QWidget):
    """All sections, one card each.

    Signals:
        edited: something was changed.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[SectionCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[1])
        add = QPushButton("Add a part")
        add.clicked.connect(self._on_add)
        row = QHBoxLayout()
        row.addWidget(add)
        row.addStretch(1)
        self._column.addLayout(row)

    def show_entries(self, sections: list[Entries]) -> None:
        """Show a protocol's sections."""
        for card in self._cards:
            card.deleteLater()
        self._cards = []
        for entries in sections:
            self._add(entries)

    def entries(self) -> list[Entries]:
        """The protocol's ``sections``."""
        return [card.entries() for card in self._cards]

    def _add(self, entries: Entries) -> None:
        card = SectionCard(entries)
        card.edited.connect(self.edited)
        card.removed.connect(lambda: self._remove(card))
        self._cards.append(card)
        self._column.insertWidget(self._column.count() - 1, card)

    def _remove(self, card: SectionCard) -> None:
        self._cards.remove(card)
        card.deleteLater()
        self.edited.emit()

    def _on_add(self) -> None:
        self._add({"kind": "2afc-real", **NEW_SECTIONS["2afc-real"]})
        self.edited.emit()


def _counts_text(entries: Entries) -> str:
    if "pairs" in entries:
        return str(entries["pairs"])
    return joined(f"{arm}: {count}" for arm, count in (entries.get("volumes") or {}).items())


def _write_counts(entries: Entries, kind: str, text: str) -> None:
    """``pairs: 10`` or ``volumes: {real: 20, …}``, as they stand in the line; the protocol says what is wrong."""
    entries.pop("pairs", None)
    entries.pop("volumes", None)
    if kind.startswith("2afc"):
        put(entries, "pairs", _whole(text))
        return
    volumes: dict[str, Any] = {}
    for word in words_of(text):
        arm, _, count = word.partition(":")
        volumes[arm.strip()] = _whole(count)
    put(entries, "volumes", volumes, default={})


def _whole(text: str) -> int | str:
    return int(text) if text.strip().isdigit() else text.strip()
