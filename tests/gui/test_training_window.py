"""The window that follows a training reads its folder and nothing else."""

import dataclasses
import math
import os
import time
from pathlib import Path

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from synthview.gui.loss_plot import LossPlot
from synthview.gui.training_window import TrainingWindow
from synthview.training.follow import read_progress, time_text
from synthview.training.journal import Journal
from synthview.training.recipe import Data, Recipe, Training
from synthview.training.runs import begin


def write_run(folder: Path, *, steps: int = 100, done: int = 3) -> Path:
    recipe = Recipe("tiny", "A tiny one", "paired", "ha-gan", Data((16, 16, 16)), Training(steps=steps))
    (folder / "set").mkdir(parents=True)
    begin(recipe, folder / "set", folder / "run")
    journal = Journal(folder / "run", 0)
    for step in range(1, done + 1):
        journal.write(step, 2.0, {"loss": 1 / step, "L1": 0.5 / step})
    journal.close()
    return folder / "run"


def test_a_run_s_folder_says_how_far_it_is_and_how_long_it_takes(tmp_path: Path) -> None:
    progress = read_progress(write_run(tmp_path))
    assert (progress.step, progress.steps, progress.finished) == (3, 100, False)
    assert progress.losses["L1"] == ([1, 2, 3], [0.5, 0.25, 0.5 / 3])
    assert progress.seconds_left == 97 * 2.0
    assert dataclasses.replace(progress, step=100).finished
    assert [time_text(s) for s in (40, 720, 12_000)] == ["40 s", "12 min", "3 h 20 min"]


def test_the_window_shows_losses_and_time_left_and_follows(qtbot: QtBot, tmp_path: Path) -> None:
    run = write_run(tmp_path)
    window = TrainingWindow(run)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: window.title_label.text() == "A tiny one")
    assert window.state_label.text() == "3 of 100 steps; at this speed 3 min more"
    assert window.bar.value() == 3
    with (run / "losses.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 100, "seconds_per_step": 2.0, "loss": 0.1, "L1": 0.05}\n')
    window.refresh()
    qtbot.waitUntil(lambda: window.state_label.text() == "100 of 100 steps: finished")
    assert len(window.plot.plot.getPlotItem().listDataItems()) == 2
    assert [label.text() for label in window.plot.findChildren(QLabel) if label.text()] == ["loss", "0.1", "L1", "0.05"]


def test_the_axis_of_losses_names_round_numbers_only(qtbot: QtBot) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.show_losses({"loss": ([1, 2, 3], [0.03, 0.2, 2.0])})
    axis = plot.plot.getAxis("left")
    values = [math.log10(value) for value in (0.01, 0.03, 0.05, 0.09, 0.1, 0.2, 0.6, 1.0)]
    assert axis.tickStrings(values, 1.0, None) == ["0.01", "", "0.05", "", "0.1", "0.2", "", "1"]


def test_a_training_that_stands_still_is_said_to(qtbot: QtBot, tmp_path: Path) -> None:
    run = write_run(tmp_path)
    an_hour_ago = time.time() - 3600
    os.utime(run / "losses.jsonl", (an_hour_ago, an_hour_ago))
    window = TrainingWindow(run)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: "3 of 100 steps; nothing new for 1 h 0 min" in window.state_label.text())
    assert not dataclasses.replace(read_progress(run), step=100).stands_still


def test_a_folder_that_is_no_run_is_said_in_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    window = TrainingWindow(tmp_path)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: "not the folder of a training" in window.state_label.text())
