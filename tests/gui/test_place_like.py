"""Volumes in the place of an original, chosen in the window."""

import nibabel as nib
import numpy as np
from PySide6.QtWidgets import QFileDialog

from tests.generators.test_placement import AFFINE
from tests.gui.test_main_window import WAIT_MS, _made, checkpoint, window  # noqa: F401  (fixtures)


def _choose(monkeypatch, path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def test_volumes_lie_where_the_original_does_until_it_is_switched_off(
    window, checkpoint, qtbot, tmp_path, monkeypatch  # noqa: F811
):  # fmt: skip
    original = tmp_path / "rat.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((64, 64, 40), np.int16), AFFINE), original)
    action = window.actions_by_id["place-like"]
    assert not action.isEnabled()
    plain = _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    assert action.isEnabled()
    _choose(monkeypatch, original)
    placed = _made(window, qtbot, action.trigger)
    np.testing.assert_allclose(placed.affine, AFFINE)
    assert action.isChecked()
    assert "where rat.nii.gz does" in window.message.text
    following = _made(window, qtbot, window.controls.next_seed)
    np.testing.assert_allclose(following.affine, AFFINE)
    back = _made(window, qtbot, action.trigger)
    np.testing.assert_allclose(back.affine, plain.affine)
    assert not action.isChecked()


def test_an_original_on_another_grid_is_refused_in_one_sentence(
    window, checkpoint, qtbot, tmp_path, monkeypatch  # noqa: F811
):  # fmt: skip
    original = tmp_path / "small.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((8, 8, 8), np.int16), np.eye(4)), original)
    _made(window, qtbot, lambda: window.open_paths([checkpoint]))
    _choose(monkeypatch, original)
    with qtbot.waitSignal(window.documents.original_opened, timeout=WAIT_MS):
        window.actions_by_id["place-like"].trigger()
    assert "small.nii.gz has 8 × 8 × 8 voxels, and the volumes have 64 × 64 × 40" in window.message.text
    assert window.generation.like is None
    assert not window.actions_by_id["place-like"].isChecked()
