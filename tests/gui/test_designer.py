"""The designer: from a template to a protocol's file, and from there to a study that readers can begin."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from synthview.gui.study import designer as designer_module
from synthview.gui.study.designer import Designer
from synthview.gui.study.outlook import outlook, schedule_preview
from synthview.gui.study.templates import NAMES, template
from synthview.study.place import open_place
from synthview.study.protocol import Protocol
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from synthview.volume import save_volume
from tests.gui.reading_keys import K, reading
from tests.study.bodies import body
from tests.study.small_study import PUBLISHED

PASSPHRASE = "correct horse battery"


@pytest.fixture
def designer(qtbot):
    page = Designer()
    qtbot.addWidget(page, before_close_func=lambda page: setattr(page, "_saved", page.entries()))
    page.show()
    return page


def _fill_arms(page, *paths):
    for card, path in zip(page._arms._cards, paths, strict=True):
        card._source.setCurrentIndex(card._source.findData("folder"))
        card._path.setCurrentText(str(path))
        card._truth.setCurrentIndex(card._truth.findData("real" if card.name == "real" else "synthetic"))


def _settle(qtbot, page):
    qtbot.waitUntil(lambda: not page._settle.isActive(), timeout=3000)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_a_protocol_once_its_arms_are_named(name):
    entries = template(name)
    for arm in entries["arms"].values():
        if "generate" in arm:
            arm["generate"]["checkpoint"] = "x"
        else:
            arm["folder"] = "scans"
    protocol = Protocol.from_dict(entries)
    assert "questions each" in outlook(protocol)
    assert schedule_preview(protocol)


def test_what_is_missing_is_said_and_nothing_can_be_made(designer, qtbot):
    assert "arms.real.folder is empty" in designer._summary.toPlainText()
    assert not designer.making._make.isEnabled()
    _fill_arms(designer, "scans", "a", "b")
    qtbot.waitUntil(designer.making._make.isEnabled, timeout=3000)
    assert designer._summary.toPlainText().startswith("12 readers, 40 questions each")
    assert "real on the left in 5, on the right in 5" in designer._schedule.toPlainText()


def test_a_coordinator_makes_the_published_study(designer, qtbot, tmp_path, monkeypatch):
    _fill_arms(designer, "scans", "a", "b")
    designer._about._title.clear()
    qtbot.keyClicks(designer._about._title, "Hands on")
    designer._sections._cards[0]._counts.clear()
    qtbot.keyClicks(designer._sections._cards[0]._counts, "4")
    designer._sections._cards[1]._checks["comment"].setChecked(True)
    designer._sections._cards[1]._limit.setValue(30)
    designer._harmonise._spacing.setValue(1.5)
    target = tmp_path / "mine.yaml"
    monkeypatch.setattr(designer_module.QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    assert designer.save()
    made = Protocol.load(target)
    assert (made.title, len(made.readers), made.harmonisation.spacing_mm) == ("Hands on", 12, 1.5)
    assert [section.pairs for section in made.sections] == [4, 30]
    assert made.sections[1].screen.comment
    assert made.sections[1].screen.time_limit_s == 30
    assert [q.name for q in made.questionnaire] == ["role", "years", "expertise"]


def test_a_file_comes_through_the_forms_unchanged(designer, tmp_path):
    protocol = Protocol.parse(
        PUBLISHED.replace("pairs: 5", "pairs: 5\n    practice: 2\n    tools: {window: false}\n    repeats: 1")
    )
    path = tmp_path / "p.yaml"
    path.write_text(protocol.to_yaml())
    designer.open(path)
    assert designer.protocol() == protocol
    assert designer.entries() == designer._saved


def test_a_wrong_file_is_named_and_the_forms_stay(designer, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("title: x\nreaders: 1\narms: {}\nsections: []\nloud: true\n")
    before = designer.entries()
    designer.open(path)
    assert "p.yaml, line 5: loud is not a field here" in designer.message.text
    assert designer.entries() == before


def test_the_text_may_be_edited_too(designer, qtbot):
    _fill_arms(designer, "scans", "a", "b")
    _settle(qtbot, designer)
    text = designer._text.toPlainText()
    designer._text.setPlainText(text.replace("pairs: 30", "pairs: 7"))
    qtbot.mouseClick(designer._apply, Qt.MouseButton.LeftButton)
    assert designer._sections._cards[1]._counts.text() == "7"
    designer._text.setPlainText("title: [")
    qtbot.mouseClick(designer._apply, Qt.MouseButton.LeftButton)
    assert "line 1" in designer.message.text
    assert designer._sections._cards[1]._counts.text() == "7"


def test_parts_and_arms_are_added_changed_and_taken_out(designer, qtbot):
    _fill_arms(designer, "scans", "a", "b")
    designer._sections._on_add()
    card = designer._sections._cards[2]
    card._kind.setCurrentIndex(card._kind.findData("rating"))
    card._counts.setText("real: 3, generator-a: 3")
    card._items.setText("realism, noise")
    made = designer.protocol().sections[2]
    assert (dict(made.volumes), [item.name for item in made.screen.items]) == (
        {"real": 3, "generator-a": 3},
        ["realism", "noise"],
    )
    designer._sections._remove(card)
    designer._sections._remove(designer._sections._cards[1])
    designer._arms._remove(designer._arms._cards[2])
    assert list(designer.protocol().arms) == ["real", "generator-a"]
    designer._arms._on_add()
    assert designer._arms._cards[2].name == "generator-b"


def test_changes_are_not_lost_by_closing(designer, monkeypatch):
    designer._about._title.setText("Changed")
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *a: asked.append(a) or QMessageBox.StandardButton.Cancel)
    assert not designer.close()
    assert asked
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    assert designer.close()


@pytest.fixture
def scans(tmp_path):
    for name, first in (("scans", 0), ("a", 100), ("b", 200)):
        (tmp_path / name).mkdir()
        for seed in range(first, first + 4):
            save_volume(body(seed, shape=(24, 28, 26), spacing=3.0), tmp_path / name / f"{seed}.nii.gz")
    return tmp_path


def _small(page, scans):
    _fill_arms(page, scans / "scans", scans / "a", scans / "b")
    page._about._display.setChecked(False)
    page._about._questionnaire.setChecked(False)
    page._about._consent.clear()
    page._about._readers.setText("2")
    page._harmonise._levels.setValue(16)
    for card in page._sections._cards:
        card._counts.setText("2")


def test_from_the_designer_to_a_finished_reader(designer, qtbot, scans):
    _small(designer, scans)
    with qtbot.waitSignal(designer.making.finished, timeout=120_000) as made:
        designer.making.order_requested.emit(scans / "study", PASSPHRASE)
    if not made.args[0].leak_passed:  # of four volumes in an arm little can be said
        assert not designer.making._overrule.isHidden()
        designer.making._reason.setText("Made-up heads that only test the window.")
        qtbot.mouseClick(designer.making._overrule, Qt.MouseButton.LeftButton)
    assert not designer.making._read.isHidden()
    with StudyFolder.open(scans / "study") as study:
        assert study.key(PASSPHRASE).materials[0].provenance["file"].endswith(".nii.gz")
    with reading(qtbot, scans / "study", "R01") as hand:
        hand.read(lambda hand, session: hand.press(K.Key_Right, K.Key_2))
    with open_place(scans / "study") as place:
        assert len(place.store.responses("R01")) == 6  # 2 of real with each generator, 2 between them
        assert standing(place, "R01") is Standing.FINISHED


def test_what_can_not_be_made_is_said_and_leaves_nothing(designer, qtbot, scans):
    _small(designer, scans)
    designer._sections._cards[1]._counts.setText("50")
    with qtbot.waitSignal(designer.making.failed, timeout=120_000) as failed:
        designer.making.order_requested.emit(scans / "study", PASSPHRASE)
    assert "holds 4 volumes, and the sections need" in str(failed.args[0])
    assert "holds 4 volumes" in designer.message.text
    assert not (scans / "study").exists()
    assert designer.making._make.isEnabled()
