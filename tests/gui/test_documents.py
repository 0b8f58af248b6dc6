"""Opening and saving volumes from the window's side."""

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from synthview.gui.documents import Documents, is_volume_file
from synthview.gui.settings import WindowSettings
from synthview.volume import Volume


@pytest.fixture
def documents(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path / "data"))
    window = QWidget()
    qtbot.addWidget(window)
    return Documents(WindowSettings(), window)


@pytest.fixture
def volume():
    return Volume(np.arange(60, dtype=np.float32).reshape(3, 4, 5), np.diag([2.0, 2.0, 3.0, 1.0]), name="ramp")


def test_a_volume_saved_is_opened_again_and_both_are_recent(documents, volume, tmp_path, qtbot):
    path = tmp_path / "ramp.nii.gz"
    with qtbot.waitSignal(documents.saved) as saved:
        documents.save(volume, path)
    assert saved.args == [path]
    with qtbot.waitSignal(documents.opened) as opened:
        documents.open_volume(path)
    np.testing.assert_array_equal(opened.args[0].voxels, volume.voxels)
    assert WindowSettings().recent("volumes") == [path]


def test_of_several_files_asked_for_in_a_row_the_newest_is_shown(documents, volume, tmp_path, qtbot):
    paths = [tmp_path / f"{n}.nii" for n in range(3)]
    for path in paths:
        volume.save(path)
    shown = []
    documents.opened.connect(lambda _volume, path: shown.append(path))
    for path in paths:
        documents.open_volume(path)
    qtbot.waitUntil(lambda: not documents.background.busy)
    assert shown == [paths[-1]]


def test_a_file_that_cannot_be_read_is_one_sentence(documents, tmp_path, qtbot):
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00")
    with qtbot.waitSignal(documents.failed) as failed:
        documents.open_volume(path)
    sentence, details = failed.args
    assert "cut.nii.gz" in sentence
    assert details == ""
    assert WindowSettings().recent("volumes") == []


def test_what_is_a_volume_is_told_by_name_then_by_content(volume, tmp_path):
    real = volume.save(tmp_path / "a.nii")
    renamed = tmp_path / "volume-without-ending"
    renamed.write_bytes(real.read_bytes())
    checkpoint = tmp_path / "G_iter80000.pth"
    checkpoint.write_bytes(b"PK\x03\x04rest")
    assert is_volume_file(real)
    assert is_volume_file(renamed)
    assert not is_volume_file(checkpoint)
    assert not is_volume_file(tmp_path)
