"""The sentence above the views."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from synthview.gui.message_bar import Level, MessageBar


def _buttons(bar):
    return {b.text(): b for b in bar.findChildren(QPushButton) if not b.isHidden() and b.text()}


def test_an_error_can_be_read_unfolded_and_copied(qtbot):
    bar = MessageBar()
    qtbot.addWidget(bar)
    assert bar.isHidden()
    bar.show_message("G.pth is cut short. Copy it again.", Level.BAD, details="line 1\nline 2")
    assert bar.text == "G.pth is cut short. Copy it again."
    _buttons(bar)["Copy"].click()
    assert QGuiApplication.clipboard().text() == "G.pth is cut short. Copy it again.\n\nline 1\nline 2"


def test_an_offer_closes_the_message_and_is_taken_once(qtbot):
    bar = MessageBar()
    qtbot.addWidget(bar)
    taken = []
    bar.show_message("Made by synthview.", offer="Set the controls to it", on_offer=lambda: taken.append(1))
    _buttons(bar)["Set the controls to it"].click()
    assert taken == [1]
    assert bar.text == ""
    bar.show_message("Something else.")
    assert "Set the controls to it" not in _buttons(bar)
    assert "Details" not in _buttons(bar)
