"""Pages of text: whatever keys they offer can be read."""

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from synthview.gui.reading.screens import who
from synthview.gui.reading.words import STYLE
from synthview.study.standing import Standing


@pytest.mark.parametrize("readers", [2, 9, 30])
def test_every_reader_and_the_number_to_press_can_be_read(qtbot: QtBot, readers: int) -> None:
    page = who([(f"reader-{number:02}", Standing.NEW) for number in range(1, readers + 1)])
    page.setObjectName("reading")
    page.setStyleSheet(STYLE)
    qtbot.addWidget(page)
    page.resize(1280, 720)
    page.show()
    qtbot.waitExposed(page)
    offered = min(readers, 9)  # as many as there are number keys; the page says how the others begin
    labels = {label.text(): label for label in page.findChildren(QLabel)}
    for text in [
        *(str(number) for number in range(1, offered + 1)),
        "reader-01",
        f"reader-{offered:02}",
        "Esc",
        "leave",
    ]:
        label = labels[text]
        assert label.width() >= label.sizeHint().width(), text
        assert page.rect().contains(label.mapTo(page, label.rect().bottomRight())), text
