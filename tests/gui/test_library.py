"""The model library: cards, what they say, and what a person can do with them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from synthview.generators.info import GeneratorInfo
from synthview.gui.panels.library import LibraryPanel
from synthview.gui.panels.model_card import CardState, ModelCard, size_text
from synthview.resources import bundled_checkpoints

BUNDLED = {"brain-t1": Path("/weights/brain-t1"), "lung-ct": Path("/weights/lung-ct")}
MINE, YOURS = Path("/models/mine.pth"), Path("/models/yours.pth")
INFO = GeneratorInfo(
    name="mine.pth",
    path=str(MINE),
    sha256="ab" * 32,
    container="torch zip file",
    family="ha-gan",
    title="HA-GAN",
    arguments={},
    latent_shape=(1024,),
    features=(),
    output_shape=(1, 256, 256, 256),
    parameters=1,
)


@pytest.fixture
def library(qtbot) -> LibraryPanel:
    library = LibraryPanel()
    qtbot.addWidget(library)
    library.resize(260, 500)
    with qtbot.waitActive(library):  # keys go to the active window only
        library.show()
        library.activateWindow()
    return library


@pytest.fixture
def filled(library) -> LibraryPanel:
    library.set_bundled(BUNDLED)
    library.set_recent([MINE, YOURS])
    return library


def names(library: LibraryPanel) -> list[str]:
    """Names of the cards from top to bottom."""
    QApplication.processEvents()
    cards = [card for card in library.findChildren(ModelCard) if card.isVisible()]
    return [card.name_label.text() for card in sorted(cards, key=lambda card: card.y())]


def card(library: LibraryPanel, path: Path) -> ModelCard:
    found = library.card(path)
    assert found is not None
    return found


def test_an_empty_library_says_what_to_drop(library):
    assert library.empty_label.isVisible()
    assert "Drop a checkpoint" in library.empty_label.text()
    assert not library.bundled_caption.isVisible()
    assert not library.recent_caption.isVisible()


def test_bundled_first_then_recent(filled):
    assert names(filled) == ["brain-t1", "lung-ct", "mine.pth", "yours.pth"]
    assert not filled.empty_label.isVisible()
    filled.set_recent([YOURS])
    assert names(filled) == ["brain-t1", "lung-ct", "yours.pth"]


def test_a_bundled_one_says_its_licence_before_it_is_opened(library):
    models = bundled_checkpoints()
    library.set_bundled(models)
    assert "CC BY-NC 3.0" in card(library, models["brain-t1"]).toolTip()  # the line itself is cut short


def test_a_model_both_bundled_and_recent_has_one_card(filled):
    filled.set_recent([BUNDLED["lung-ct"], MINE])
    assert names(filled) == ["brain-t1", "lung-ct", "mine.pth"]


def test_a_card_says_what_is_known(filled):
    mine = card(filled, MINE)
    assert mine.caption.text() == "/models"
    filled.set_opening(MINE)
    assert (mine.state, mine.caption.text()) == (CardState.OPENING, "opening…")
    filled.set_info(MINE, INFO)
    assert (mine.state, mine.caption.text()) == (CardState.OPENED, "HA-GAN · 256³")
    assert not mine.note.isVisible()
    filled.set_info(MINE, replace(INFO, title="CSegSynth", output_shape=(4, 80, 128, 128)))
    assert mine.caption.text() == "CSegSynth · 80 × 128 × 128"
    assert "4 × 80 × 128 × 128" in mine.toolTip()
    filled.set_info(MINE, replace(INFO, notes=("The spacing is not known.", "Nor the licence.")))
    assert mine.note.isVisible()
    assert mine.note.text() == "The spacing is not known."
    assert "Nor the licence." in mine.toolTip()
    assert "The spacing is not known." in mine.accessibleName()


def test_what_a_manifest_says_is_in_the_tooltip(filled):
    filled.set_info(MINE, replace(INFO, label="Brains of adults", licence="CC-BY-4.0"))
    tooltip = card(filled, MINE).toolTip()
    assert tooltip.splitlines() == [str(MINE), "Brains of adults", "HA-GAN · 256³", "Licence: CC-BY-4.0"]


def test_a_failure_is_on_the_card_and_goes_when_it_opens_after_all(filled):
    filled.set_failed(MINE, "mine.pth is empty.")
    mine = card(filled, MINE)
    assert (mine.state, mine.note.text(), mine.note.isVisible()) == (CardState.FAILED, "mine.pth is empty.", True)
    assert "mine.pth is empty." in mine.toolTip()
    filled.set_info(MINE, INFO)
    assert (mine.state, mine.note.isVisible()) == (CardState.OPENED, False)


def test_what_cards_say_survives_a_new_order(filled):
    filled.set_info(MINE, INFO)
    filled.set_current(MINE)
    before = card(filled, MINE)
    filled.set_recent([YOURS, MINE])
    assert card(filled, MINE) is before
    assert before.caption.text() == "HA-GAN · 256³"
    assert before.property("current") is True


def test_a_model_that_is_not_listed_gets_a_card_while_it_opens(library):
    library.set_opening(MINE)
    assert names(library) == ["mine.pth"]
    library.set_recent([YOURS, MINE])
    assert names(library) == ["yours.pth", "mine.pth"]
    library.set_failed(Path("/models/broken.pth"), "broken.pth is empty.")
    assert names(library) == ["broken.pth", "yours.pth", "mine.pth"]


def test_only_one_is_current(filled):
    filled.set_current(MINE)
    filled.set_current(YOURS)
    assert [card(filled, path).property("current") for path in (MINE, YOURS)] == [False, True]
    filled.set_current(None)
    assert card(filled, YOURS).property("current") is False


def test_the_current_one_stays_in_sight_when_there_is_less_room(filled, qtbot):
    filled.set_current(YOURS)
    below = card(filled, YOURS)
    QApplication.processEvents()
    assert below.visibleRegion().boundingRect() == below.rect()
    filled.resize(260, 260)
    qtbot.waitUntil(lambda: below.visibleRegion().boundingRect() == below.rect(), timeout=2000)
    top = card(filled, BUNDLED["brain-t1"])
    assert top.visibleRegion().boundingRect() != top.rect(), "no room was missing"
    for path in (*BUNDLED.values(), MINE):
        card(filled, path).show_failure("It is damaged.")  # a line more
    before = below.y()
    qtbot.waitUntil(lambda: below.y() > before and below.visibleRegion().boundingRect() == below.rect(), timeout=2000)


def test_opening_with_mouse_and_keys(filled, qtbot):
    asked = []
    filled.open_requested.connect(asked.append)
    qtbot.mouseClick(card(filled, MINE), Qt.MouseButton.LeftButton)
    first = card(filled, BUNDLED["brain-t1"])
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Return)
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert card(filled, BUNDLED["lung-ct"]).hasFocus()
    qtbot.keyClick(card(filled, BUNDLED["lung-ct"]), Qt.Key.Key_Space)
    qtbot.keyClick(card(filled, BUNDLED["lung-ct"]), Qt.Key.Key_Up)
    assert first.hasFocus()
    assert asked == [MINE, BUNDLED["brain-t1"], BUNDLED["lung-ct"]]


def test_a_right_click_does_not_open(filled, qtbot):
    with qtbot.assertNotEmitted(filled.open_requested):
        qtbot.mouseRelease(card(filled, MINE), Qt.MouseButton.RightButton)


def test_tab_goes_down_the_list_to_the_button(filled, qtbot):
    path = [*BUNDLED.values(), MINE, YOURS]
    card(filled, path[0]).setFocus()
    for before, after in zip(path, [*path[1:], None], strict=True):
        qtbot.keyClick(card(filled, before), Qt.Key.Key_Tab)
        assert (card(filled, after) if after else filled.open_button).hasFocus()


def test_browsing(filled, qtbot):
    with qtbot.waitSignal(filled.browse_requested):
        qtbot.mouseClick(filled.open_button, Qt.MouseButton.LeftButton)


def test_the_context_menu(filled):
    asked, forgotten = [], []
    filled.open_requested.connect(asked.append)
    filled.forget_requested.connect(forgotten.append)
    filled.set_info(MINE, INFO)
    entries = {action.text(): action for action in card(filled, MINE).menu().actions()}
    entries["Open"].trigger()
    entries["Copy SHA-256"].trigger()
    entries["Remove from recent"].trigger()
    assert (asked, forgotten) == ([MINE], [MINE])
    assert QGuiApplication.clipboard().text() == INFO.sha256
    bundled = {action.text(): action for action in card(filled, BUNDLED["brain-t1"]).menu().actions()}
    assert "Remove from recent" not in bundled
    assert not bundled["Copy SHA-256"].isEnabled()


def test_a_failed_model_that_was_never_listed_can_be_removed(library, qtbot):
    library.set_failed(MINE, "mine.pth is empty.")
    with qtbot.waitSignal(library.forget_requested):
        qtbot.keyClick(card(library, MINE), Qt.Key.Key_Delete)
    assert names(library) == []
    assert library.empty_label.isVisible()


def drop(library: LibraryPanel, *paths: Path) -> bool:
    """Drag files onto the library and let go; whether it took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newest Qt would rather have a QPointF
        enter = QDragEnterEvent(QPoint(5, 5), *how)
    QApplication.sendEvent(library, enter)
    if enter.isAccepted():
        QApplication.sendEvent(library, QDropEvent(QPointF(5, 5), *how))
    return enter.isAccepted()


def test_dropping_checkpoints_opens_them_and_leaves_volumes_to_the_window(library, tmp_path):
    asked = []
    library.open_requested.connect(asked.append)
    assert drop(library, MINE, tmp_path)
    assert asked == [MINE, tmp_path]
    assert not drop(library, Path("/scans/head.nii.gz"))
    assert not drop(library)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("shape", "text"),
    [((1, 64, 64, 64), "64³"), ((1, 144, 192, 144), "144 × 192 × 144"), ((4, 80, 128, 128), "4 × 80 × 128 × 128")],
)
def test_sizes(shape, text):
    assert size_text(shape) == text


def test_files_of_one_name_are_told_apart_by_their_folders(library, tmp_path):
    paths = [tmp_path / run / "G_iter80000.pth" for run in ("lung", "brain")]
    library.set_recent([*paths, tmp_path / "other.pth"])
    names = [library.card(path).name_label.text() for path in (*paths, tmp_path / "other.pth")]
    assert names == ["lung/G_iter80000.pth", "brain/G_iter80000.pth", "other.pth"]
