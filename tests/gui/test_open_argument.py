"""The question for what weights leave open."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from synthview.errors import MissingArgumentError
from synthview.generators.info import OpenArgument
from synthview.gui.dialogs.open_argument import OpenArgumentDialog, ask_argument

FEW = ("64", "128", "256", "144x192x144")
MANY = tuple(str(n) for n in range(10))


def missing(choices: tuple[str, ...]) -> MissingArgumentError:
    return MissingArgumentError("G.pth: say it", OpenArgument("size", "Which size do its volumes have?", choices))


def open_button(dialog: OpenArgumentDialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Open)


def test_nothing_is_chosen_until_a_person_does(qtbot):
    dialog = OpenArgumentDialog(missing(FEW))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.value() is None
    assert not open_button(dialog).isEnabled()
    assert [button.text() for button in dialog.radio_buttons] == ["64", "128", "256", "144 × 192 × 144"]
    dialog.radio_buttons[3].click()
    assert dialog.value() == "144x192x144"
    assert open_button(dialog).isEnabled()


def test_many_choices_are_a_list(qtbot):
    dialog = OpenArgumentDialog(missing(MANY))
    qtbot.addWidget(dialog)
    assert dialog.combo is not None
    assert dialog.value() is None
    dialog.combo.setCurrentIndex(4)
    assert dialog.value() == "4"


@pytest.mark.parametrize(("accept", "answer"), [(True, "256"), (False, None)])
def test_asking(qtbot, accept, answer):
    def answer_it() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, OpenArgumentDialog)
        dialog.radio_buttons[2].click()
        if accept:
            open_button(dialog).click()
        else:
            dialog.reject()

    QTimer.singleShot(0, answer_it)
    assert ask_argument(missing(FEW)) == answer
