"""The controls of a generator: what is asked for, and when."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from synthview.generators.info import Device, Feature, GenerateRequest, GeneratorInfo
from synthview.gui.panels.generate import GeneratePanel
from synthview.gui.panels.seed_box import MAX_SEED

AGE = Feature("age", "Age", "years", low=20, high=90, default=50)
SEX = Feature("sex", "Sex", low=0, high=1, default=1, categories=("female", "male"))


def info(*features: Feature) -> GeneratorInfo:
    return GeneratorInfo(
        name="G.pth",
        path="/models/G.pth",
        sha256="ab" * 32,
        container="torch zip file",
        family="ha-gan",
        title="HA-GAN",
        arguments={},
        latent_shape=(1024,),
        features=features,
        output_shape=(1, 128, 128, 128),
        parameters=1,
    )


class Heard:
    def __init__(self, panel: GeneratePanel) -> None:
        self.previews: list[GenerateRequest] = []
        self.wanted: list[GenerateRequest] = []
        self.edits: list[tuple[GenerateRequest, GenerateRequest]] = []
        panel.preview_requested.connect(self.previews.append)
        panel.generate_requested.connect(self.wanted.append)
        panel.request_changed.connect(lambda old, new: self.edits.append((old, new)))


@pytest.fixture
def panel(qtbot) -> GeneratePanel:
    panel = GeneratePanel()
    qtbot.addWidget(panel)
    panel.set_info(info(AGE, SEX))
    with qtbot.waitActive(panel):  # keys go to the active window only
        panel.show()
        panel.activateWindow()
    return panel


@pytest.fixture
def heard(panel) -> Heard:
    return Heard(panel)


def click(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_without_a_checkpoint_it_says_why_nothing_works(qtbot):
    panel = GeneratePanel()
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.generate_button.isEnabled()
    assert not panel.seed_box.isEnabled()
    assert "Open a checkpoint" in panel._why.text()
    assert panel._why.isVisible()
    heard = Heard(panel)
    panel.next_seed()
    assert panel.request().seed == 0
    assert heard.edits == []
    panel.set_info(info())
    assert panel.generate_button.isEnabled()
    assert not panel._why.isVisible()


def test_the_request_says_what_the_controls_say(panel):
    assert panel.request() == GenerateRequest(seed=0, truncation=1.0, features={"age": 50, "sex": 1})


def test_a_request_set_comes_back_exactly_and_silently(panel, heard):
    request = GenerateRequest(seed=MAX_SEED, truncation=0.12345, features={"age": 71.25, "sex": 0})
    panel.set_request(request)
    assert panel.request() == request
    assert panel.seed_box.text() == "9223372036854775807"
    panel.set_request(GenerateRequest(seed=3, truncation=2.5, features={"age": 101}))
    assert panel.request() == GenerateRequest(seed=3, truncation=2.5, features={"age": 101, "sex": 1})
    assert (heard.previews, heard.wanted, heard.edits) == ([], [], [])


def test_a_latent_from_a_file_stays_until_the_seed_is_changed(panel, qtbot):
    panel.set_request(GenerateRequest(latent=(0.5, 1.0)))
    assert panel.request().latent == (0.5, 1.0)
    assert panel._latent_note.isVisible()
    click(qtbot, panel.next_button)
    assert panel.request().latent is None
    assert not panel._latent_note.isVisible()


def test_seed_buttons(panel, heard, qtbot):
    click(qtbot, panel.next_button)
    click(qtbot, panel.next_button)
    click(qtbot, panel.previous_button)
    assert panel.request().seed == 1
    click(qtbot, panel.random_button)
    assert panel.request().seed not in (1, 2)
    assert [(old.seed, new.seed) for old, new in heard.edits][:3] == [(0, 1), (1, 2), (2, 1)]
    assert heard.wanted == [new for _, new in heard.edits]  # live preview is on
    panel.set_request(GenerateRequest(seed=0))
    click(qtbot, panel.previous_button)
    assert panel.request().seed == 0


@pytest.mark.parametrize(("typed", "seed"), [("123456789012", 123456789012), ("", 7), ("99999999999999999999", 7)])
def test_a_typed_seed_counts_when_the_box_is_left(panel, heard, qtbot, typed, seed):
    panel.set_request(GenerateRequest(seed=7))
    panel.seed_box.setFocus()
    panel.seed_box.selectAll()
    qtbot.keyClick(panel.seed_box, Qt.Key.Key_Delete)
    if len(typed) <= 19:
        qtbot.keyClicks(panel.seed_box, typed)
    else:  # pasted: the box refuses what is too large
        QApplication.clipboard().setText(typed)
        panel.seed_box.lineEdit().paste()
    assert heard.edits == []
    qtbot.keyClick(panel.seed_box, Qt.Key.Key_Tab)
    assert panel.request().seed == seed
    assert panel.seed_box.text() == str(seed)
    assert len(heard.edits) == (seed != 7)


def test_letters_can_not_be_typed_into_the_seed(panel, qtbot):
    panel.seed_box.selectAll()
    qtbot.keyClicks(panel.seed_box, "1a-2.3")
    assert panel.seed_box.text() == "123"


def test_a_moving_slider_previews_and_letting_go_generates(panel, heard):
    slider = panel.truncation.slider
    slider.setSliderDown(True)
    slider.setSliderPosition(50)
    slider.setSliderPosition(80)
    assert [(request.truncation, request.coarse) for request in heard.previews] == [(0.5, True), (0.8, True)]
    assert (heard.wanted, heard.edits) == ([], [])
    slider.setSliderDown(False)
    assert [(request.truncation, request.coarse) for request in heard.wanted] == [(0.8, False)]
    assert [(old.truncation, new.truncation) for old, new in heard.edits] == [(1.0, 0.8)]


def test_without_live_preview_only_the_button_generates(panel, heard, qtbot):
    panel.live_box.setChecked(False)
    panel.truncation.slider.setSliderDown(True)
    panel.truncation.slider.setSliderPosition(20)
    panel.truncation.slider.setSliderDown(False)
    assert (heard.previews, heard.wanted) == ([], [])
    assert len(heard.edits) == 1
    click(qtbot, panel.generate_button)
    assert heard.wanted == [panel.request()]


def test_typing_and_resetting_a_number(panel, heard, qtbot):
    row = panel._features["age"]
    row.box.setFocus()
    row.box.selectAll()
    qtbot.keyClicks(row.box, "72")
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    assert panel.request().features["age"] == 72
    assert row.box.text() == "72.0 years"
    click(qtbot, row.reset_button)
    assert panel.request().features["age"] == 50
    assert not row.reset_button.isEnabled()
    assert [new.features["age"] for _, new in heard.edits] == [72, 50]


VENTRICLES = Feature("ventricles", "Ventricles", "ml", low=5, high=90, default=30, follows={"age": 0.5})


def type_into(qtbot, row, text: str) -> None:
    row.box.setFocus()
    row.box.selectAll()
    qtbot.keyClicks(row.box, text)
    qtbot.keyClick(row.box, Qt.Key.Key_Return)


def test_a_feature_goes_along_with_the_one_it_follows_until_it_is_set_by_hand(panel, heard, qtbot):
    panel.set_info(info(AGE, VENTRICLES))
    age, ventricles = panel._features["age"], panel._features["ventricles"]
    qtbot.waitUntil(ventricles.follow_button.isVisible)
    assert not age.follow_button.isVisible()
    age.slider.setSliderDown(True)
    age.slider.setSliderPosition(age.slider.maximum())
    assert [request.features for request in heard.previews] == [{"age": 90, "ventricles": 50}]
    age.slider.setSliderDown(False)
    assert heard.wanted[-1].features == {"age": 90, "ventricles": 50}
    type_into(qtbot, ventricles, "20")
    assert not ventricles.follows()
    type_into(qtbot, age, "40")
    assert panel.request().features == {"age": 40, "ventricles": 20}
    click(qtbot, ventricles.follow_button)
    assert heard.wanted[-1].features == {"age": 40, "ventricles": 25}
    click(qtbot, ventricles.follow_button)  # held where it is
    type_into(qtbot, age, "60")
    assert panel.request().features == {"age": 60, "ventricles": 25}


def test_what_hardly_goes_together_is_said(panel, qtbot):
    panel.set_info(info(AGE, VENTRICLES))
    assert not panel._doubt.isVisible()
    type_into(qtbot, panel._features["ventricles"], "80")
    assert panel._doubt.text() == (
        "Ventricles: far from what goes with Age in people. The volume may not show real anatomy."
    )
    assert panel._doubt.isVisible()
    type_into(qtbot, panel._features["age"], "90")  # 50 ml would follow
    assert not panel._doubt.isVisible()
    panel.set_request(GenerateRequest(features={"age": 20, "ventricles": 80}))
    assert panel._doubt.isVisible()


def test_after_a_request_is_set_what_lies_where_it_belongs_goes_along(panel):
    panel.set_info(info(AGE, VENTRICLES))
    ventricles = panel._features["ventricles"]
    panel.set_request(GenerateRequest(features={"age": 70, "ventricles": 20}))
    assert not ventricles.follows()
    panel.set_request(GenerateRequest(features={"age": 70}))
    assert panel.request().features["ventricles"] == 40
    assert ventricles.follows()


def test_choosing_one_of_two_with_a_click(panel, heard, qtbot):
    female, male = panel._features["sex"].buttons
    assert male.isChecked()
    click(qtbot, male)
    assert heard.wanted == []  # it is so already
    click(qtbot, female)
    assert panel.request().features["sex"] == 0
    assert heard.wanted[-1].features["sex"] == 0
    assert not male.isChecked()


def test_choosing_one_of_many_from_a_list(panel, heard, qtbot):
    panel.set_info(info(Feature("site", "Site", high=4, categories=tuple(f"hospital {i}" for i in range(5)))))
    combo = panel._features["site"].combo
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert panel.request().features["site"] == 1
    assert heard.wanted[-1].features["site"] == 1


def test_long_names_give_way_to_their_controls(panel, qtbot):
    long = "Ventricular volume, 0 to 1 of the range of the training subjects"
    panel.set_info(info(Feature("v", long), Feature("sex", long, high=1, categories=("female", "male"))))
    panel.resize(260, 500)
    row, switch = panel._features["v"], panel._features["sex"]
    qtbot.waitUntil(lambda: row.width() <= 260)
    for control in (row.reset_button, row.box, switch.buttons[-1]):
        qtbot.waitUntil(lambda control=control: not control.visibleRegion().isEmpty())
        right = control.mapTo(panel, QPoint(control.width(), 0)).x()
        assert right <= panel.width()


def test_a_feature_s_step_is_what_one_click_changes(panel, heard):
    panel.set_info(info(Feature("age", "Age", "years", low=20, high=90, default=50, step=2.5)))
    row = panel._features["age"]
    row.box.stepUp()
    assert panel.request().features["age"] == 52.5
    row.slider.triggerAction(row.slider.SliderAction.SliderSingleStepSub)
    assert panel.request().features["age"] == pytest.approx(50, abs=0.02)


def test_another_generator_brings_its_own_features_and_keeps_the_seed(panel, heard):
    panel.set_request(GenerateRequest(seed=5, truncation=0.7, features={"age": 30}))
    panel.set_info(info(Feature("contrast", "Contrast", default=0.25)))
    assert panel.request() == GenerateRequest(seed=5, truncation=0.7, features={"contrast": 0.25})
    assert heard.edits == []


def test_the_button_turns_into_cancel_while_busy(panel, heard, qtbot):
    cancelled = []
    panel.cancel_requested.connect(lambda: cancelled.append(True))
    panel.set_busy(True)
    panel.set_progress(0.5)
    assert panel.progress.isVisible()
    assert panel.progress.value() == panel.progress.maximum() / 2
    qtbot.waitUntil(lambda: panel.generate_button.text() == "Cancel", timeout=5000)
    click(qtbot, panel.generate_button)
    assert (len(cancelled), heard.wanted) == (1, [])
    panel.set_busy(False)
    assert panel.generate_button.text() == "Generate"
    assert not panel.progress.isVisible()


def test_pressing_the_button_from_an_edited_box_generates_once(panel, heard, qtbot):
    panel.generate_requested.connect(lambda _: panel.set_busy(True))
    panel.seed_box.setFocus()
    panel.seed_box.selectAll()
    qtbot.keyClicks(panel.seed_box, "12")
    panel.generate_button.setFocus()  # as a click does before it is one
    click(qtbot, panel.generate_button)
    assert [request.seed for request in heard.wanted] == [12]


def test_devices(panel):
    chosen = []
    panel.device_changed.connect(chosen.append)
    assert not panel.device_combo.isEnabled()
    devices = (Device("cuda:0", "NVIDIA H100 · 80 GB"), Device("cpu", "CPU · 2 threads"))
    panel.set_devices(devices)
    assert panel.device_combo.itemText(0) == "Automatic (cuda:0)"
    panel.device_combo.setCurrentIndex(2)
    panel.device_combo.activated.emit(2)
    assert chosen == ["cpu"]
    panel.set_devices(devices)  # after a restart
    assert panel.device_combo.currentData() == "cpu"
    panel.set_devices(devices[:1])
    assert chosen == ["cpu", "auto"]


def test_the_wheel_changes_only_what_has_the_focus(panel):
    row = panel.truncation
    for widget in (row.slider, row.box):
        for focused in (False, True):
            panel.set_request(GenerateRequest())
            (widget if focused else panel.live_box).setFocus()
            QApplication.sendEvent(widget, wheel_down())
            assert (panel.request().truncation != 1.0) == focused


def wheel_down() -> QWheelEvent:
    return QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
