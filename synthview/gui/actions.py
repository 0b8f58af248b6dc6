"""Every action of the window in one table: menu entry, shortcut and icon; the shortcuts page is made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from synthview.gui.icons import icon

MENUS = ("&File", "&View", "&Generate", "&Study", "&Help")
SEPARATOR = "—"


@dataclass(frozen=True)
class ActionRow:
    """One action.

    Attributes:
        id: what the code calls it.
        menu: its menu, or "menu/submenu"; a leading "—" draws a line above it.
        text: what the menu says.
        keys: its shortcuts, the first one shown in the menu.
        icon: name in ``gui.icons``; empty for none.
        checkable: whether it is on or off.
        group: actions of one group exclude each other.
    """

    id: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    group: str = ""


ACTIONS = (
    ActionRow("open", "&File", "&Open volume or checkpoint…", ("Ctrl+O",), "open"),
    ActionRow("open-folder", "&File", "Open checkpoint &folder…", ("Ctrl+Shift+O",), "checkpoint"),
    ActionRow("open-demo", "&File", "Open the &demo head", ("Ctrl+D",), "head"),
    ActionRow("open-overlay", "&File", "Open labels as o&verlay…", ("Ctrl+L",), "palette"),
    ActionRow("open-beside", "&File", "Open &beside, to compare…", ("Ctrl+B",), "compare"),
    ActionRow("save", "—&File", "&Save volume as…", ("Ctrl+S",), "save"),
    ActionRow("screenshot", "&File", "Save s&creenshot…", ("Ctrl+Shift+S",), "screenshot"),
    ActionRow("copy-screenshot", "&File", "&Copy screenshot", ("Ctrl+Shift+C",), "copy"),
    ActionRow("quit", "—&File", "&Quit", ("Ctrl+Q",), "quit"),
    ActionRow("layout-quad", "&View/&Layout", "&2 × 2", ("Ctrl+1",), "layout-quad", True, "layout"),
    ActionRow("layout-row", "&View/&Layout", "&Three in a row", ("Ctrl+2",), "layout-row", True, "layout"),
    ActionRow("layout-large", "&View/&Layout", "&One large", ("Ctrl+3",), "layout-large", True, "layout"),
    ActionRow("layout-compare", "&View/&Layout", "&Compare two volumes", ("Ctrl+4",), "compare", True, "layout"),
    ActionRow("maximise", "&View", "&Maximise or restore the view", ("F",), "maximise"),
    ActionRow("zoom-in", "—&View", "Zoom &in", ("+", "="), "zoom-in"),
    ActionRow("zoom-out", "&View", "Zoom &out", ("-",), "zoom-out"),
    ActionRow("fit", "&View", "&Fit to the pane", ("0",), "fit"),
    ActionRow("crosshair", "—&View", "&Crosshair", ("X",), "crosshair", True),
    ActionRow("interpolate", "&View", "&Smooth between voxels", ("I",), "interpolate", True),
    ActionRow("invert", "&View", "I&nvert", ("N",), "invert", True),
    ActionRow("overlay", "&View", "&Labels and tissues in colour", ("G",), "palette", True),
    ActionRow("swap-beside", "&View", "S&wap the compared volumes", ("Ctrl+Shift+X",), "swap"),
    ActionRow("radiological", "—&View/&Orientation", "&Radiological (right on the left)", (), "", True, "orientation"),
    ActionRow("neurological", "&View/&Orientation", "&Neurological (right on the right)", (), "", True, "orientation"),
    ActionRow("swap-orientation", "&View/&Orientation", "&Switch between the two", ("O",), "orientation"),
    ActionRow("auto-window", "&View/&Window and level", "&Automatic", ("W", "1"), "window"),
    ActionRow("cine", "&View", "C&ine: play through the slices", ("C",), "play"),
    ActionRow("reset-3d", "—&View", "&Reset the 3D view", ("Shift+R",), "reset"),
    ActionRow("clip-3d", "&View", "Clipping &box in 3D", ("Shift+B",), "clip", True),
    ActionRow("panels", "—&View", "Side &panels", ("F9",), "panels", True),
    ActionRow("full-screen", "&View", "F&ull screen", ("F11",), "", True),
    ActionRow("generate", "&Generate", "&Generate", ("Return", "Enter"), "generate"),
    ActionRow("cancel", "&Generate", "&Cancel", ("Esc",), "cancel"),
    ActionRow("previous-seed", "—&Generate", "&Previous seed", ("[",), "previous"),
    ActionRow("next-seed", "&Generate", "&Next seed", ("]",), "next"),
    ActionRow("random-seed", "&Generate", "&Random seed", ("R",), "random"),
    ActionRow("reconstruct", "—&Generate", "Reconstruct a real &scan…", ("Ctrl+Shift+R",), "head"),
    ActionRow("place-like", "&Generate", "Place volumes &like an original…", (), "", True),
    ActionRow("undo", "—&Generate", "&Undo change of controls", ("Ctrl+Z",), "undo"),
    ActionRow("redo", "&Generate", "R&edo change of controls", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    ActionRow("adopt", "—&Generate", "&Set the controls to this volume", ("Ctrl+Shift+A",), "reset"),
    ActionRow("describe", "&Generate", "&Describe this checkpoint…", ("Ctrl+Shift+D",), "details"),
    ActionRow("follow-training", "—&Generate", "&Follow a training…", ("Ctrl+Shift+T",), "chart"),
    ActionRow("study-new", "&Study", "&New study…", ("Ctrl+N",), ""),
    ActionRow("study-protocol", "&Study", "&Open a protocol…"),
    ActionRow("study-read", "—&Study", "&Read a study…"),
    ActionRow("study-bundle", "&Study", "Read a &bundle…"),
    ActionRow("study-results", "—&Study", "R&esults…", ("Ctrl+Shift+E",), "details"),
    ActionRow("study-plan", "&Study", "&Plan pairs and readers…"),
    ActionRow("study-demo", "—&Study", "&Demo study…"),
    ActionRow("shortcuts", "&Help", "&Mouse and keys", ("F1", "?"), "keyboard"),
    ActionRow("about", "&Help", "&About synthview", (), "information"),
)

GESTURES = (
    ("Slice forward or back", "wheel", "↑ ↓ · Page Up/Down for ten · Home/End"),
    ("Move the crosshair", "left click or drag", ""),
    ("Window and level", "right drag: across for width, up and down for level", "W · 1 resets · 2–9 presets"),
    ("Pan", "middle drag", ""),
    ("Zoom", "Ctrl + wheel", "+ − 0"),
    ("Maximise or restore a view", "double click", "F"),
    ("Turn the 3D view", "left drag", "arrow keys"),
    ("Pan and zoom the 3D view", "middle drag · wheel or right drag", ""),
    ("Open a file", "drop it on the window", "Ctrl+O"),
    ("Open labels as overlay", "Shift + drop them on the window", "Ctrl+L"),
)
"""What the mouse does: (what, mouse, keys)."""


def build_actions(window: QMainWindow, slots: Mapping[str, Callable[..., object]]) -> dict[str, QAction]:
    """Make the menus from the table and connect each action to ``slots[id]``.

    Checkable actions call their slot with the new state when a person changes them.

    Raises:
        KeyError: an action has no slot.
    """
    actions: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {name: window.menuBar().addMenu(name) for name in MENUS}
    groups: dict[str, QActionGroup] = {}
    for row in ACTIONS:
        menu = _menu(menus, row.menu)
        action = QAction(row.text, window)
        action.setObjectName(row.id)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setCheckable(row.checkable)
        if row.group:
            groups.setdefault(row.group, QActionGroup(window)).addAction(action)
        action.triggered.connect(_with_state(slots[row.id]) if row.checkable else _without_state(slots[row.id]))
        menu.addAction(action)
        window.addAction(action)
        actions[row.id] = action
    return actions


def add_icons(actions: Mapping[str, QAction]) -> None:
    """Give the actions their icons (apart from building them: the icon font is slow to load)."""
    for row in ACTIONS:
        if row.icon:
            actions[row.id].setIcon(icon(row.icon))
            actions[row.id].setIconVisibleInMenu(not row.checkable)  # a check mark stands there


def _with_state(slot: Callable[..., object]) -> Callable[[bool], None]:
    """PySide looks at a slot's signature to decide what to hand over: this one always gets the checked state."""

    def call(checked: bool) -> None:
        slot(checked)

    return call


def _without_state(slot: Callable[..., object]) -> Callable[[], None]:
    """``triggered`` hands over a checked state that plain slots have no use for."""

    def call() -> None:
        slot()

    return call


def _menu(menus: dict[str, QMenu], path: str) -> QMenu:
    line_above, path = path.startswith(SEPARATOR), path.removeprefix(SEPARATOR)
    parent_name, _, child_name = path.partition("/")
    parent = menus[parent_name]
    if line_above:
        parent.addSeparator()
    if not child_name:
        return parent
    if path not in menus:
        menus[path] = parent.addMenu(child_name)
    return menus[path]
