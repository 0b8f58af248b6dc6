"""The demo study's dialog with scans to download: the licence comes first, and nothing before a yes."""

import pytest

from synthview.gui.study.demo import DemoDialog


@pytest.fixture
def dialog(qtbot):
    dialog = DemoDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_list_that_is_wrong_is_said_and_another_may_be_chosen(dialog, tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("format: synthview-scans-1\nfiles: []\n")
    dialog.offer(path)
    assert "files must be a list of one or more files" in dialog._words.text()
    assert dialog._list.isVisible()
    assert not dialog._agree.isVisible()


def test_the_licence_is_shown_before_and_a_failure_after(dialog, qtbot, scan_server, tmp_path):
    dialog.offer(scan_server.write(tmp_path, a="missing"))
    shown = dialog._licence.toPlainText()
    assert "Licence: CC-BY-4.0 (https://spdx.org/licenses/CC-BY-4.0.html)" in shown
    assert "Files: 4 files" in shown
    assert dialog._licence.isVisible()
    assert not dialog._agree.hasFocus()
    assert scan_server.asked == []
    dialog._agree.click()
    qtbot.waitUntil(lambda: "the server answered 404" in dialog._words.text(), timeout=60_000)
    assert dialog._agree.isEnabled()


def test_closing_stops_the_download(dialog, qtbot, scan_server, tmp_path, user_data_dir):
    dialog.offer(scan_server.write(tmp_path, b="slow"))
    dialog._agree.click()
    qtbot.waitUntil(lambda: len(scan_server.asked) == 2, timeout=60_000)
    dialog.close()
    assert not dialog.isVisible()
    scan_server.going_on.set()
    folders = [path for path in (user_data_dir / "scans").iterdir() if path.is_dir()]
    qtbot.waitUntil(
        lambda: sorted(path.name for path in folders[0].iterdir()) in (["ABOUT.txt", "a.nii.gz"],), timeout=60_000
    )
    assert len(scan_server.asked) == 2


def test_the_study_is_made_with_them(dialog, qtbot, scan_server, tmp_path):
    dialog.offer(scan_server.write(tmp_path))
    with qtbot.waitSignal(dialog.made, timeout=240_000) as made:
        dialog._agree.click()
    folder, reader = made.args
    assert (folder / "protocol.yaml").parent.name == "study-with-real-scans"
    assert reader == "R01"
    assert len(scan_server.asked) == 4
