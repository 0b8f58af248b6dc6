"""Calls on threads: their outcome in the GUI thread, and a window that closes while they run."""

import subprocess
import sys
import threading

import shiboken6

from synthview.errors import SynthviewError
from synthview.gui.background import Background


def _outcome(qtbot, work):
    background = Background()
    told = []
    background.run(
        work,
        lambda result: told.append((result, threading.current_thread())),
        lambda error, details: told.append((str(error), details, threading.current_thread())),
    )
    qtbot.waitUntil(lambda: not background.busy)
    return told[0]


def test_the_result_comes_to_the_gui_thread(qtbot):
    here = threading.current_thread()
    worked_in, told_in = _outcome(qtbot, threading.current_thread)
    assert worked_in is not here
    assert told_in is here


def test_an_error_with_a_sentence_comes_without_details(qtbot):
    def work():
        raise SynthviewError("scan.nii holds no volume.")

    sentence, details, _ = _outcome(qtbot, work)
    assert (sentence, details) == ("scan.nii holds no volume.", "")


def test_a_defect_comes_with_where_it_was(qtbot):
    sentence, details, _ = _outcome(qtbot, lambda: 1 / 0)
    assert "division by zero" in sentence
    assert "Traceback" in details


def test_destroying_it_while_it_works_neither_waits_nor_tells(qtbot):
    background = Background()
    go_on = threading.Event()
    told = []

    def work():
        go_on.wait(30)  # as Python code does, it needs Python's lock to end

    background.run(work, told.append, lambda *error: told.append(error))
    shiboken6.delete(background)
    go_on.set()
    background.wait()
    qtbot.wait(50)
    assert told == []


def test_windows_may_go_as_soon_as_they_are_told(qtbot):
    """In a process of its own: what this guards against is corrupted memory."""
    script = """
from PySide6.QtWidgets import QApplication, QWidget
from synthview.gui.background import Background
app = QApplication([])
class Window(QWidget):
    def __init__(self, told):
        super().__init__()
        self.told = told
        Background(self).run(lambda: 1, self.show_result, None)
    def show_result(self, result):
        self.told.append(result)
for _ in range(3000):
    told = []
    window = Window(told)
    while not told:
        app.processEvents()
    del window
print("unharmed")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("unharmed\n", "", 0)
