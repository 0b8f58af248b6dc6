"""A bundled generator's card shows its picture, its name and its licence before it is opened."""

from pathlib import Path

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from synthview.generators.manifest import Manifest
from synthview.gui.panels.model_card import ModelCard


def test_a_bundled_card_shows_picture_name_and_licence(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "rat"
    folder.mkdir()
    Manifest(name="Rat brains", licence="CC BY-SA 4.0").save(folder / "manifest.json")
    picture = QImage(64, 64, QImage.Format.Format_Grayscale8)
    picture.fill(200)
    assert picture.save(str(folder / "thumbnail.png"))
    card = ModelCard("rat", folder, bundled=True)
    qtbot.addWidget(card)
    assert card.caption.text() == "Rat brains · CC BY-SA 4.0"
    assert card._icon.pixmap().toImage().pixelColor(24, 24).red() == 200


def test_without_a_picture_there_is_an_icon(qtbot: QtBot, tmp_path: Path) -> None:
    card = ModelCard("rat", tmp_path, bundled=True)
    qtbot.addWidget(card)
    assert card.caption.text() == "bundled with synthview"
    assert not card._icon.pixmap().isNull()
