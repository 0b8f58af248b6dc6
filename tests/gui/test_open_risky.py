"""The question whether a program from somebody else may run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from synthview import userdata
from synthview.errors import TrustNeededError
from synthview.gui.dialogs.open_risky import OpenRiskyDialog, ask_trust
from synthview.gui.main_window import MainWindow
from tests.generators.test_programs import LATENT, Small, put_manifest, write_script

SHA256 = "ab" * 32
WAIT_MS = 90_000


def needed() -> TrustNeededError:
    return TrustNeededError("may it run?", "/data/<b>net</b>.pt", "TorchScript archive", SHA256)


def test_it_takes_a_tick_before_it_can_be_run(qtbot):
    dialog = OpenRiskyDialog(needed())
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.open_button.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)  # the careless answer is no
    assert dialog.result() == OpenRiskyDialog.DialogCode.Rejected
    dialog.agreed.click()
    assert dialog.open_button.isEnabled()
    dialog.agreed.click()
    assert not dialog.open_button.isEnabled()


@pytest.mark.parametrize("agree", [True, False])
def test_a_yes_is_kept_and_a_no_is_not(qtbot, agree):
    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, OpenRiskyDialog)
        dialog.agreed.click()
        (dialog.open_button if agree else dialog.cancel_button).click()

    QTimer.singleShot(0, answer)
    assert ask_trust(needed()) is agree
    assert userdata.is_trusted(SHA256) is agree


def test_a_program_is_opened_in_the_window_only_after_a_yes(qtbot, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("SYNTHVIEW_3D", "off")
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=MainWindow.shut_down)
    window.show()
    path = write_script(tmp_path / "network.pt", Small())
    put_manifest(path, **LATENT)
    answers = [False, True]

    def answer(error: TrustNeededError, _parent) -> bool:
        if answers[0]:
            userdata.trust(error.sha256, Path(error.path))
        return answers.pop(0)

    monkeypatch.setattr("synthview.gui.generation.ask_trust", answer)
    window.open_paths([path])
    qtbot.waitUntil(lambda: answers == [True], timeout=WAIT_MS)
    assert window.generation.info is None
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS) as made:
        window.open_paths([path])
    assert made.args[0].shape == (4, 5, 6)
    assert made.args[2].family == "torchscript"
    with qtbot.waitSignal(window.generation.volume_made, timeout=WAIT_MS) as made:
        window.open_paths([path])  # not asked again
    assert np.isfinite(made.args[0].voxels).all()
