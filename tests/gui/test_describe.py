"""Describing a checkpoint: the form by itself, and in the window with the real worker."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from synthview.generators.info import Feature
from synthview.generators.manifest_draft import problems
from synthview.gui import commands
from synthview.gui.dialogs.describe import DescribeDialog
from synthview.gui.dialogs.describe_features import FeatureTable
from tests.gui.test_library import INFO
from tests.gui.test_main_window import WAIT_MS, checkpoint, window  # noqa: F401  (fixtures)

FEATURES = (
    Feature("f0", "f0", low=-3, high=3),
    Feature("f1", "f1", low=-3, high=3),
)


@pytest.fixture
def dialog(qtbot) -> DescribeDialog:
    dialog = DescribeDialog(replace(INFO, features=FEATURES, notes=("Spacing is unknown.",)))
    qtbot.addWidget(dialog)
    return dialog


def test_it_starts_with_what_is_known_and_asserts_nothing_else(dialog):
    assert dialog.content() == {"name": "mine.pth"}
    assert dialog.save_button.isEnabled()


def test_each_wrong_field_is_said_where_it_is(dialog, qtbot):
    dialog.show()
    dialog.texts["name"].clear()
    qtbot.keyClicks(dialog.output.spacing[0], "two")
    dialog.output.orientation.setCurrentText("RR")
    dialog.features.set_cell(1, "low", "9")
    assert dialog.row("name").problem.startswith("Name must be a text")
    assert dialog.row("output.spacing").problem.startswith("Spacing, mm must be a number")
    assert "three directions" in dialog.row("output.orientation").problem
    assert dialog.features.problem == "Row 2, Lowest: must be below high, got 9 and 3; correct them"
    assert not dialog.save_button.isEnabled()


def test_what_is_typed_is_the_manifest(dialog, qtbot):
    dialog.show()
    for edit in dialog.output.spacing:
        qtbot.keyClicks(edit, "1,5")  # as half the world writes it
    dialog.output.orientation.setCurrentText("ras")
    dialog.output.kind.setCurrentIndex(dialog.output.kind.findData("CT"))
    qtbot.keyClicks(dialog.output.unit, "HU")
    qtbot.keyClicks(dialog.output.level, "40")
    qtbot.keyClicks(dialog.output.width_box, "400")
    qtbot.keyClicks(dialog.texts["training_data"], "900 chests")
    for field, text in {"name": "age", "unit": "years", "low": "18", "high": "90", "default": "40"}.items():
        dialog.features.set_cell(0, field, text)
    dialog.features.set_cell(1, "name", "sex")
    dialog.features.set_cell(1, "categories", "female, male")
    dialog.features.set_cell(1, "default", "")
    assert dialog.content() == {
        "name": "mine.pth",
        "training_data": "900 chests",
        "output": {
            "spacing": [1.5, 1.5, 1.5], "orientation": "RAS", "kind": "CT", "unit": "HU",
            "window": {"level": 40.0, "width": 400.0},
        },
        "features": [
            {"name": "age", "unit": "years", "low": 18.0, "high": 90.0, "default": 40.0},
            {"name": "sex", "kind": "category", "categories": ["female", "male"]},
        ],
    }  # fmt: skip
    assert dialog.save_button.isEnabled()


def test_what_a_feature_follows_comes_back_as_it_was(qtbot):
    bmi = {"name": "bmi", "low": 15.0, "high": 50.0, "follows": {"age": 0.25, "memory": -2.0}}
    table = FeatureTable([{"name": "age"}, bmi])
    qtbot.addWidget(table)
    assert table.content()[1] == bmi
    table.set_cell(1, "follows", "age = 0.5")
    assert table.content()[1]["follows"] == {"age": 0.5}
    table.set_cell(1, "follows", "age")
    table.show_problems(problems({"name": "Mine", "features": table.content()}))
    assert table.problem.startswith("Row 2, Follows: must be names with numbers")


def test_only_kinds_that_the_channels_allow_are_offered(dialog, qtbot):
    kinds = [dialog.output.kind.itemData(i) for i in range(dialog.output.kind.count())]
    assert "T1w" in kinds
    assert "tissue map" not in kinds
    of_maps = DescribeDialog(replace(INFO, output_shape=(4, 80, 128, 128)))
    qtbot.addWidget(of_maps)
    assert [of_maps.output.kind.itemData(i) for i in range(of_maps.output.kind.count())] == ["", "tissue map"]


def test_what_could_not_be_kept_is_there_to_be_corrected(qtbot):
    said = {"name": "Mine", "output": {"spacing": [2.0, 2.0, 2.5], "window": {"level": 1.0, "width": 2.0}}}
    dialog = DescribeDialog(INFO, said)
    qtbot.addWidget(dialog)
    assert dialog.content() == said


def _answer(monkeypatch, fill) -> None:
    def exec_(dialog: DescribeDialog) -> QDialog.DialogCode:
        fill(dialog)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(DescribeDialog, "exec", exec_)


def _fill(dialog: DescribeDialog) -> None:
    dialog.texts["name"].setText("Rat brains")
    dialog.texts["licence"].setText("CC0")
    dialog.texts["training_data"].setPlainText("210 rats")
    for edit in dialog.output.spacing:
        edit.setText("0.5")
    dialog.output.orientation.setCurrentText("RAS")


def test_in_the_window_it_is_applied_at_once_and_the_card_no_longer_warns(window, checkpoint, qtbot, monkeypatch):  # noqa: F811
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.open_paths([checkpoint])
    card = window.library.card(checkpoint)
    assert not card.note.isHidden()
    _answer(monkeypatch, _fill)
    qtbot.keyClick(window, Qt.Key.Key_BracketRight)
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        pass
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS) as made:
        window.actions_by_id["describe"].trigger()
    assert card.note.isHidden()
    assert "Licence: CC0" in card.toolTip()
    assert made.args[0].spacing == (0.5, 0.5, 0.5)
    assert made.args[0].provenance.seed == 1  # what was looked at stays
    assert checkpoint.with_name("manifest.json").is_file()


def test_in_the_window_a_description_that_contradicts_is_offered_for_correction(
    window, checkpoint, qtbot, monkeypatch  # noqa: F811
):  # fmt: skip
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS):
        window.open_paths([checkpoint])
    with qtbot.waitSignal(window.generation.describe_failed, timeout=WAIT_MS):
        window.generation.describe({"name": "x", "output": {"kind": "tissue map"}})
    assert "output.kind is 'tissue map'" in window.message.text
    offered = []
    monkeypatch.setattr(commands, "ask_description", lambda _info, content, _parent: offered.append(content))
    window.message._offer.click()
    assert offered == [{"name": "x", "output": {"kind": "tissue map"}}]
    assert not Path(checkpoint).with_name("manifest.json").exists()
