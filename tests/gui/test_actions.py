"""The table of actions: complete, and without two actions on one key."""

from collections import Counter

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from synthview.gui.actions import ACTIONS, MENUS, SEPARATOR, add_icons, build_actions
from synthview.gui.dialogs.shortcuts import ShortcutsDialog, shortcut_rows


def test_no_two_actions_share_a_key():
    keys = Counter(QKeySequence(key).toString() for row in ACTIONS for key in row.keys)
    keys.update(str(preset) for preset in range(2, 7))  # the window presets' keys
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_key_is_one_that_qt_understands():
    assert [row.id for row in ACTIONS for key in row.keys if not QKeySequence(key).toString()] == []


def test_every_action_has_a_menu_and_calls_its_slot(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    called = []
    slots = {row.id: (lambda *args, name=row.id: called.append((name, args))) for row in ACTIONS}
    actions = build_actions(window, slots)
    add_icons(actions)
    for row in ACTIONS:
        assert row.menu.removeprefix(SEPARATOR).split("/")[0] in MENUS
        if not row.group:
            actions[row.id].trigger()
    plain = {row.id for row in ACTIONS if not row.checkable}
    assert {name for name, args in called if not args} == plain
    assert all(args == (True,) for name, args in called if name not in plain)
    assert all(not actions[row.id].icon().isNull() for row in ACTIONS if row.icon)


def test_the_shortcuts_page_lists_every_key(qtbot):
    dialog = ShortcutsDialog()
    qtbot.addWidget(dialog)
    assert len(shortcut_rows()) == sum(bool(row.keys) for row in ACTIONS)
    assert next(r[:2] for r in shortcut_rows() if r[0] == "Generate") == ("Generate", "Generate")
