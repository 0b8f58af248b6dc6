"""Settings of a network in the controls, and the button that stays in sight however many features there are."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from synthview.generators.info import Feature, Setting
from synthview.gui.panels.generate import GeneratePanel
from tests.gui.test_generate_panel import info
from tests.gui.test_main_window import _made, checkpoint, window  # noqa: F401  (fixtures)

VALUES = Setting("output", "Values", "unit", (("unit", "0 to 1"), ("hu", "HU, -1024 to 600")), "What the values mean")


@pytest.fixture
def panel(qtbot) -> GeneratePanel:
    panel = GeneratePanel()
    qtbot.addWidget(panel)
    panel.set_info(replace(info(), settings=(VALUES,)))
    panel.show()
    return panel


def test_a_setting_shows_how_it_was_opened_and_says_another_choice(panel, qtbot):
    combo = panel.settings["output"].combo
    assert combo.currentText() == "0 to 1"
    with qtbot.assertNotEmitted(panel.setting_changed, wait=10):
        combo.activated.emit(combo.currentIndex())
    combo.setCurrentIndex(1)
    with qtbot.waitSignal(panel.setting_changed) as chosen:
        combo.activated.emit(1)
    assert chosen.args == ["output", "hu"]
    panel.set_info(info())
    assert panel.settings == {}


def test_the_button_is_in_sight_with_many_features(window, qtbot):  # noqa: F811
    window.resize(1200, 720)
    many = tuple(Feature(f"f{i}", f"Feature {i}", low=-3, high=3) for i in range(20))
    window.controls.set_info(info(*many))
    button = window.controls.generate_button
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled())

    def in_sight() -> bool:
        corner = button.mapTo(window, QPoint(0, button.height()))
        return button.visibleRegion().boundingRect().height() == button.height() and corner.y() <= window.height()

    bar = window.controls._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)  # the features scroll
    assert in_sight()
    bar.setValue(bar.maximum())
    last = window.controls._features["f19"]
    qtbot.waitUntil(lambda: not last.visibleRegion().isEmpty())
    assert in_sight()
    window.controls.set_info(info())
    qtbot.waitUntil(lambda: bar.maximum() == 0)  # few controls take no more room than they need


def test_a_setting_opens_the_network_again_and_what_is_looked_at_stays(window, checkpoint, qtbot):  # noqa: F811
    first = _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    second = _made(window, qtbot, lambda: qtbot.keyClick(window, Qt.Key.Key_BracketRight))
    row = window.controls.settings["batch_statistics"]
    assert row.combo.currentData() == "false"

    def choose() -> None:
        row.combo.setCurrentIndex(row.combo.findData("true"))
        row.combo.activated.emit(row.combo.currentIndex())

    again = _made(window, qtbot, choose)
    assert again.provenance.arguments["batch_statistics"] is True
    assert (again.provenance.seed, second.provenance.seed, first.provenance.seed) == (1, 1, 0)
    assert np.isfinite(again.voxels).all()
    assert window.controls.settings["batch_statistics"].combo.currentData() == "true"
