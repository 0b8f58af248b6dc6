"""The reading screen while the study's database is lost: the reader sees it, and no answer is."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from synthview.study.study_folder import StudyFolder
from tests.gui.reading_keys import K, reading
from tests.study.postgres_server import PostgresServer
from tests.study.small_study import RESUMABLE, make_study


def test_a_lost_database_is_shown_and_answers_wait(qtbot: QtBot, tmp_path: Path, postgres: PostgresServer) -> None:
    make_study(tmp_path / "study", RESUMABLE, postgres.url).close()
    with reading(qtbot, tmp_path / "study", "ann") as hand:
        hand.through_words()
        hand.wait_for_trial(1)
        hand.press(K.Key_Left, K.Key_Return)
        hand.wait_for_trial(2)
        postgres.stop()
        try:
            for number in (2, 3):
                hand.press(K.Key_Right, K.Key_Return)
                hand.wait_for_trial(number + 1)
            assert "database can't be reached. 2 answers wait safely on this computer" in hand.text()
        finally:
            postgres.start()
        hand.window._deliver()
        qtbot.waitUntil(lambda: "can't be reached" not in hand.text(), timeout=20_000)
    with StudyFolder.open(tmp_path / "study") as study:
        given = study.store.responses("ann")
    assert [given[number].answer.choice for number in (1, 2, 3)] == ["real", "synthetic", "synthetic"]
