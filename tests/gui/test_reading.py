"""The reading window, by key presses: both published studies, and what must never happen in one."""

import json
import logging
import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

from synthview.study.bundle_export import export_bundle
from synthview.study.bundle_import import import_responses
from synthview.study.place import open_place
from synthview.study.record import RecordKind
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from tests.gui.reading_keys import K, reading
from tests.study.small_study import ARMS, PASSPHRASE, PUBLISHED, make_study

SINGLE = f"""
title: One at a time
readers: 4
seed: 11
{ARMS}
sections:
  - kind: turing
    title: Single scans
    volumes: {{real: 20, zebragan: 15, quaggaldm: 15}}
    tools: {{planes: false}}
"""
SHORT = f"""
title: A short one
readers: [ann, bob]
seed: 3
{ARMS}
sections:
  - kind: 2afc-real
    title: Pairs
    pairs: 2
    difficulty: true
    comment: true
"""


def _with(text, **fields):
    """The protocol with more fields in its only section."""
    return text.rstrip() + "".join(f"\n    {name}: {json.dumps(value)}" for name, value in fields.items()) + "\n"


def _answers(folder, reader):
    with open_place(folder) as place:
        return place.store.responses(reader), place.store.trials(reader)


def _left_and_three(hand, _session):
    hand.press(K.Key_Left, K.Key_3)


def test_the_published_pairs_study_is_read_by_key_presses(qtbot, tmp_path):
    make_study(tmp_path / "a", PUBLISHED).close()
    expected = {}

    def answer(hand, session):
        trial = session.trial
        side, number = (K.Key_Left, "left") if trial.number % 3 else (K.Key_Right, "right"), trial.number % 5 + 1
        expected[trial.number] = (side[1], number)
        hand.press(side[0], Qt.Key(K.Key_0 + number))

    with reading(qtbot, tmp_path / "a", "R07") as hand:
        hand.wait_for("Real or synthetic?")
        hand.press(K.Key_Return)
        hand.wait_for("How far are you?")
        hand.press(K.Key_2, K.Key_Return)
        hand.wait_for("Part 1 of 2")
        hand.read(answer)
    given, trials = _answers(tmp_path / "a", "R07")
    assert len(trials) == 40
    assert {n: (one.answer.choice, one.answer.difficulty) for n, one in given.items()} == expected
    assert all(0 <= one.response_time_ms < 20_000 for one in given.values())
    with open_place(tmp_path / "a") as place:
        begin = place.store.records("R07")[0]
        assert begin.body["questionnaire"] == {"expertise": "specialist"}
        assert standing(place, "R07") is Standing.FINISHED


def test_the_published_single_scan_study_is_read_by_key_presses(qtbot, tmp_path):
    make_study(tmp_path / "b", SINGLE).close()
    expected = {}

    def answer(hand, session):
        number = session.trial.number
        expected[number] = "real" if number % 2 else "synthetic"
        hand.press(K.Key_Up, K.Key_Left if number % 2 else K.Key_Right)

    with reading(qtbot, tmp_path / "b", "R01") as hand:
        hand.read(answer)
    given, trials = _answers(tmp_path / "b", "R01")
    assert len(trials) == 50
    assert {number: one.answer.choice for number, one in given.items()} == expected


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "readers"), [(PUBLISHED, 12), (SINGLE, 4)])
def test_every_reader_of_both_studies(qtbot, tmp_path, protocol, readers):
    make_study(tmp_path / "s", protocol).close()
    for number in range(1, readers + 1):
        with reading(qtbot, tmp_path / "s", f"R{number:02d}") as hand:
            hand.read(
                lambda hand, session: hand.press(K.Key_Left if session.trial.number % 2 else K.Key_Right, K.Key_4)
            )
    with open_place(tmp_path / "s") as place:
        assert all(standing(place, name) is Standing.FINISHED for name in place.store.readers)


def test_consent_questions_and_the_screen_check_are_on_record(qtbot, tmp_path):
    asked = """
consent: I agree.
display_check: true
questionnaire:
  - {name: role, question: "What do you do?", choices: [Resident, Radiologist]}
  - {name: years, question: "Years of experience", kind: number, low: 0, high: 60}
"""
    make_study(tmp_path / "s", asked + SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.wait_for("A short one")
        hand.press(K.Key_Return)
        hand.wait_for("I agree.")
        hand.press(K.Key_Return)  # agreeing has a key of its own
        assert "I agree." in hand.text()
        hand.press(K.Key_Y)
        hand.wait_for("About you")
        hand.press(K.Key_Return)
        assert "Please answer: What do you do?" in hand.text()
        hand.press(K.Key_2, K.Key_Tab, K.Key_9, K.Key_9, K.Key_Return)
        assert "please give a number from 0 to 60" in hand.text()
        hand.press(K.Key_Backspace, K.Key_Return)
        hand.wait_for("Your screen")
        digits = hand.window.pages.currentWidget().digits
        hand.press(
            K.Key_Y, K.Key_Y, K.Key_Backspace, K.Key_N, *(Qt.Key(K.Key_0 + digit) for digit in digits[:2]), K.Key_0
        )
        hand.press(K.Key_Return, K.Key_Return)
        hand.through_words()
    with open_place(tmp_path / "s") as place:
        body = place.store.records("ann")[0].body
    assert body["consent"] is True
    assert body["questionnaire"] == {"role": "Radiologist", "years": "9"}
    display = body["display"]
    assert (display["five_percent_visible"], display["ninety_five_percent_visible"]) == (True, False)
    assert [display[name]["answered"] for name in ("dark", "middle", "bright")] == [*digits[:2], 0]
    assert display["bright"]["shown"] == digits[2]
    assert display["screen"]["width"] >= 800


def test_an_incomplete_answer_is_not_taken(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Return)
        assert hand.page.message == "Choose left or right first."
        hand.press(K.Key_Right, K.Key_Return)
        assert hand.page.message == "How hard was it? Press 1 to 5."
        hand.press(K.Key_7, K.Key_Return)
        assert hand.window.session.trial.number == 1
        hand.press(K.Key_5, K.Key_Return)
        hand.wait_for_trial(2)


def test_a_comment_is_written_without_confirming(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Left, K.Key_2, K.Key_M)
        hand.press(K.Key_X, K.Key_5, K.Key_Left, K.Key_Return)
        assert hand.window.session.trial.number == 1
        hand.press(K.Key_Return)
        hand.wait_for_trial(2)
    given, _ = _answers(tmp_path / "s", "ann")
    assert (given[1].answer.choice, given[1].answer.difficulty, given[1].answer.comment) == ("left", 2, "x5")


def test_both_panels_are_alike_and_move_together(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        left, right = hand.page.panels.canvases
        assert left.size() == right.size()
        assert left.y() == right.y()
        start = left.index
        hand.press(K.Key_Up, K.Key_BracketLeft, K.Key_Plus)
        assert left.index == right.index == start + 1
        assert left.model.state == right.model.state
        qtbot.mousePress(right, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
        assert left.model.state.crosshair_mm == right.model.state.crosshair_mm
        assert left.model.state.show_crosshair
        qtbot.mouseRelease(right, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
        assert not left.model.state.show_crosshair
        assert left.model.volume is not right.model.volume


def test_what_is_locked_does_nothing(qtbot, tmp_path):
    protocol = _with(SHORT, tools={"window": False, "zoom": False}, presentation={"shown_as": "fixed-slice"})
    make_study(tmp_path / "s", protocol).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        before = hand.page.panels.models[0].state
        hand.press(K.Key_Up, K.Key_PageDown, K.Key_BracketLeft, K.Key_F6, K.Key_Plus, K.Key_C, K.Key_W)
        assert hand.page.panels.models[0].state == before
        assert hand.page.panels.plane.value == "axial"


def test_what_the_reader_did_is_on_record(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Up, K.Key_Up, K.Key_Down, K.Key_F6, K.Key_Plus, K.Key_Left, K.Key_Right, K.Key_4, K.Key_Return)
        hand.wait_for_trial(2)
    given, _ = _answers(tmp_path / "s", "ann")
    kinds = [one["kind"] for one in given[1].activity]
    slices = [one["index"] for one in given[1].activity if one["kind"] == "slice"]
    assert np.diff(slices).tolist() == [1, 1, -1]
    assert {"window", "zoom"} <= set(kinds)
    assert [one["choice"] for one in given[1].activity if one["kind"] == "choice"] == ["left", "right"]
    times = [one["ms"] for one in given[1].activity]
    assert times == sorted(times)
    assert times[-1] <= given[1].response_time_ms


def test_looking_at_another_window_is_on_record(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        other = QWidget()
        qtbot.addWidget(other)
        other.show()
        other.activateWindow()
        qtbot.waitUntil(lambda: not hand.window.isActiveWindow())
        hand.window.activateWindow()
        qtbot.waitUntil(hand.window.isActiveWindow)
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)
        hand.wait_for_trial(2)
    given, _ = _answers(tmp_path / "s", "ann")
    assert [one["has"] for one in given[1].activity if one["kind"] == "focus"] == [False, True]


def test_3d_covers_both_panels_and_turns_them_together(qtbot, tmp_path):
    make_study(tmp_path / "s", _with(SHORT, tools={"volume_3d": True})).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        panels = hand.page.panels
        hand.press(K.Key_V)
        left, right = panels.solid.views
        qtbot.waitUntil(lambda: left.settled and right.settled, timeout=30_000)
        assert left.geometry() == panels.canvases[0].geometry()
        left.view_from("L")
        qtbot.waitUntil(lambda: right.camera == left.camera, timeout=10_000)
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)  # the keys are still the page's
        hand.wait_for_trial(2)
        assert not left.isVisible()
    given, _ = _answers(tmp_path / "s", "ann")
    assert {"ms", "kind", "shown"} <= next(one for one in given[1].activity if one["kind"] == "3d").keys()


def test_practice_tells_and_the_rest_does_not(qtbot, tmp_path):
    make_study(tmp_path / "s", _with(SHORT, practice=1)).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        assert "Practice" in hand.page.message
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)
        qtbot.waitUntil(lambda: "That was" in hand.page.message)
        hand.press(K.Key_Left, K.Key_5)  # too late to change
        hand.press(K.Key_Return)
        hand.wait_for_trial(2)
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)
        hand.wait_for_trial(3)
        assert hand.page.message == ""
    given, _ = _answers(tmp_path / "s", "ann")
    assert given[1].answer.difficulty == 1


def test_breaks_are_not_counted(qtbot, tmp_path):
    make_study(tmp_path / "s", _with(SHORT, break_every=1)).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Escape)
        hand.wait_for("recorded as left unfinished")
        qtbot.wait(600)
        hand.press(K.Key_Return)
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)
        hand.wait_for("Time for a break")
        qtbot.wait(600)
        hand.press(K.Key_Return)
        hand.wait_for_trial(2)
    with open_place(tmp_path / "s") as place:
        given = place.store.responses("ann")
        rests = [record for record in place.store.records("ann") if record.kind is RecordKind.BREAK]
    assert given[1].response_time_ms < 600
    assert [record.body["seconds"] >= 0.5 for record in rests] == [True, True]


def test_a_trial_ends_with_its_time(qtbot, tmp_path):
    make_study(tmp_path / "s", _with(SHORT, time_limit_s=1)).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Left)
        qtbot.waitUntil(lambda: "s left" in hand.text())
        hand.wait_for_trial(2)
    given, _ = _answers(tmp_path / "s", "ann")
    assert given[1].answer.timed_out
    assert given[1].answer.choice == ""


def test_leaving_one_sitting_is_asked_for_and_final(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.window.close()  # as Alt+F4 does
        assert hand.window.isVisible()
        hand.wait_for("you can't go on later")
        with qtbot.waitSignal(hand.window.closed):
            hand.press(K.Key_L)
    with open_place(tmp_path / "s") as place:
        assert standing(place, "ann") is Standing.ABANDONED
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.wait_for("recorded as abandoned")


def test_a_resumable_session_goes_on_where_it_was(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT.replace("readers:", "sitting: resumable\nreaders:")).close()
    with reading(qtbot, tmp_path / "s", "bob") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Right, K.Key_1, K.Key_Return)
        hand.wait_for_trial(2)
    with reading(qtbot, tmp_path / "s", "bob") as hand:
        hand.wait_for("1 of 4 questions are answered")
        hand.through_words()
        hand.wait_for_trial(2)


def test_an_answer_may_be_changed_where_the_study_allows(qtbot, tmp_path):
    make_study(tmp_path / "s", _with(SHORT, changes="until-section-end")).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Left, K.Key_1, K.Key_Return)
        hand.wait_for_trial(2)
        hand.press(K.Key_Backspace)
        hand.wait_for_trial(1)
        hand.press(K.Key_Right, K.Key_Return)
        hand.wait_for_trial(2)
    given, _ = _answers(tmp_path / "s", "ann")
    assert (given[1].answer.choice, given[1].answer.difficulty, given[1].revision) == ("right", 1, 1)


def test_a_second_window_is_refused(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT.replace("readers:", "sitting: resumable\nreaders:")).close()
    with reading(qtbot, tmp_path / "s", "ann") as first:
        first.through_words()
        with reading(qtbot, tmp_path / "s", "ann") as second:
            second.wait_for("0 of 4 questions")
            second.press(K.Key_Return)
            second.wait_for("Reading can't go on")


def test_the_reader_is_asked_for_where_nobody_said(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "") as hand:
        hand.wait_for("Who is reading?")
        hand.press(K.Key_2)
        hand.wait_for("A short one")
        hand.press(K.Key_Return)
        hand.through_words()
        assert hand.window.session.reader == "bob"


def test_a_study_that_leaks_can_not_be_read(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT, leak_passed=False).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.wait_for("A short one")
        hand.press(K.Key_Return)
        hand.wait_for("the leak check found something")


def test_the_next_pair_is_there_at_once(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        qtbot.waitUntil(lambda: hand.window.trials._loader.get(hand.window.session.trials[1].stimuli) is not None)
        messages = []
        hand.press(K.Key_Left, K.Key_3, K.Key_Return)
        qtbot.waitUntil(lambda: messages.append(hand.page.message) or hand.window.session.trial.number == 2)
        hand.wait_for_trial(2)
        assert "Loading…" not in messages


def test_nothing_on_the_screen_or_in_memory_names_an_arm(qtbot, tmp_path, caplog):
    make_study(tmp_path / "s", PUBLISHED.replace("readers: 12", "readers: 2")).close()
    caplog.set_level(logging.DEBUG)
    seen = []

    def answer(hand, session):
        if session.trial.number in (1, 12):
            seen.append(_everything(hand))
        _left_and_three(hand, session)

    with reading(qtbot, tmp_path / "s", "R01") as hand:
        hand.wait_for("Real or synthetic?")
        hand.press(K.Key_Return)
        hand.wait_for("How far are you?")
        hand.press(K.Key_1, K.Key_Return)
        hand.read(answer)
    words = " ".join([*seen, caplog.text])
    assert len(words) > 5000
    for secret in ("zebragan", "quaggaldm", "oasis30", "/secret", PASSPHRASE, "provenance:"):
        assert secret not in words


def _everything(hand):
    """All texts, names, tooltips and Python attributes that hang on the window."""
    found, done, waiting = [], set(), [*QApplication.allWidgets(), hand.window.session, hand.window._place]
    for widget in QApplication.allWidgets():
        for name in ("windowTitle", "toolTip", "statusTip", "whatsThis", "accessibleName", "objectName", "text"):
            value = getattr(widget, name, None)
            found.append(str(value()) if callable(value) and isinstance(widget, QWidget) else "")
    while waiting:
        one = waiting.pop()
        if id(one) in done or len(done) > 200_000:
            continue
        done.add(id(one))
        if isinstance(one, str | bytes | int | float):
            found.append(str(one))
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += list(one)
        elif isinstance(getattr(one, "__dict__", None), dict) and type(one).__module__.startswith("synthview"):
            waiting += list(vars(one).values())
    return " ".join(found)


def test_a_bundle_is_read_elsewhere_and_comes_home(qtbot, tmp_path):
    with make_study(tmp_path / "s", SHORT) as study:
        bundle = export_bundle(study, ["bob"], tmp_path / "bob.svbundle")
    assert not any(secret in bundle.read_bytes() for secret in (b"zebragan", b"quaggaldm", b"oasis30"))
    with reading(qtbot, bundle, "") as hand:  # a bundle of one reader asks for no name
        hand.read(_left_and_three)
        answers = tmp_path / "bob.svanswers"
        assert str(answers) in hand.text()
    with StudyFolder.open(tmp_path / "s") as study:
        import_responses(study, answers)
        assert {one.answer.choice for one in study.store.responses("bob").values()} == {"left"}


def test_text_is_large_enough_for_a_dark_room(qtbot, tmp_path):
    from PySide6.QtWidgets import QLabel, QPushButton

    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        widgets = [*hand.page.findChildren(QLabel), *hand.page.findChildren(QPushButton)]
        assert min(widget.font().pointSizeF() for widget in widgets) >= 12
        assert min(canvas.font().pointSizeF() for canvas in hand.page.panels.canvases) * 0.9 >= 12


def test_time_is_measured_from_the_first_painted_frame(qtbot, tmp_path):
    make_study(tmp_path / "s", SHORT).close()
    with reading(qtbot, tmp_path / "s", "ann") as hand:
        began = time.monotonic()
        hand.through_words()
        hand.wait_for_trial(1)
        running = time.monotonic()
        qtbot.wait(300)  # or a little less: Qt's timers are coarse
        least = (time.monotonic() - running) * 1000 - 1  # answers are kept in whole milliseconds
        hand.press(K.Key_Left, K.Key_3, K.Key_Return)
        hand.wait_for_trial(2)
        most = (time.monotonic() - began) * 1000
    given, _ = _answers(tmp_path / "s", "ann")
    assert least <= given[1].response_time_ms <= most
