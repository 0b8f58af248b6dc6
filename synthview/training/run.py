"""A training from its recipe: it can be killed at any time and goes on to the same result.

A run is a folder:

    run.json          the recipe, the training set and the versions it was begun with
    codes.npz         what the method found before the training
    checkpoint.pt     networks, averages, optimisers, and how far it is
    losses.jsonl      the losses; tensorboard/ holds the same
    samples/          a sheet of samples every so many steps, samples/real.png real ones

Everything random depends on the seed and the number of the step, so that nothing has to be remembered of it, and a step
always sees the same samples in the same order.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from synthview.errors import TrainingError
from synthview.training.averages import Averages
from synthview.training.checkpoints import load_checkpoint, save_checkpoint
from synthview.training.dataset import TrainingSet
from synthview.training.journal import Journal
from synthview.training.methods.base import Losses, Method, Setting
from synthview.training.methods.registry import find_method
from synthview.training.randomness import seed_of, torch_generator
from synthview.training.recipe import Recipe
from synthview.training.runs import RunRecord, begin, cached_arrays, nothing_left_unless_begun
from synthview.training.samples import Samples
from synthview.training.schedule import set_learning_rates
from synthview.training.sheets import grey, save_sheet, sheet
from synthview.training.start import keep_start, load_start

Report = Callable[[int, int, dict[str, float]], None]
"""Called after some steps with how many are done, how many there are, and the latest losses; may raise to stop."""
_SHEET, _PAIR = (
    8,
    2,
)  # volumes on a sheet, and at a time: for one volume on one thread torch takes its slowest convolution


@dataclass(frozen=True)
class Outcome:
    """How far a call of ``train`` came.

    Attributes:
        folder: the run's.
        step: steps done, in all.
        steps: steps there are.
        reason: "finished", "time is up" or "stopped".
    """

    folder: Path
    step: int
    steps: int
    reason: str


def train(
    recipe: Recipe,
    data: str | Path | None,
    out: str | Path,
    *,
    device: str = "cpu",
    minutes: float | None = None,
    start_from: str | Path | None = None,
    report: Report | None = None,
) -> Outcome:
    """Train, or go on with a training.

    Args:
        recipe: what to do.
        data: the training set's folder; None: the one the run was begun with.
        out: the run's folder, new or begun with the same recipe.
        device: "cpu", "cuda", "cuda:1" or "auto".
        minutes: end after so many, with a checkpoint; None: when all steps are done.
        start_from: for a new run, the folder of another whose averaged weights it begins with, or a generator of the
            same family (a bundled one's name, or a checkpoint), as far as networks and tensors have the same names and
            shapes (CSegSynth: conditional training after unconditional).
        report: hears how it goes.

    Raises:
        WrongRequestError: the recipe can't be followed, or the folder is another run's.
        TrainingDataError: the training set can't be used.
        TrainingError: the losses are no numbers any more.
    """
    ends = None if minutes is None else time.monotonic() + 60 * minutes
    with _settings(recipe):
        with nothing_left_unless_begun(Path(out)):
            record = begin(recipe, data, Path(out))
            if start_from is not None:
                keep_start(record, start_from)
            trainer = _Trainer(record, recipe, _device(device))
        return trainer.run(ends, report)


class _Trainer:
    """One process's part of a run."""

    def __init__(self, record: RunRecord, recipe: Recipe, device: torch.device) -> None:
        self.record, self.recipe, self.folder = record, recipe, record.folder
        self.samples = Samples(TrainingSet.open(record.data), recipe.data)
        kind = find_method(recipe.method)
        cached = cached_arrays(self.folder, lambda: kind.prepare(recipe, self.samples))
        torch.manual_seed(seed_of(recipe.seed, "weights"))
        self.method: Method = kind(Setting(recipe, self.samples, device, cached))
        chosen = {name: self.method.networks[name] for name in self.method.averaged}
        self.averages = Averages(chosen, recipe.training.ema)
        self.step = 0
        load_start(self.folder, self.method.networks, self.averages.networks)
        self._restore()
        self._journal: Journal | None = None  # only who trains writes

    def run(self, ends: float | None, report: Report | None) -> Outcome:
        """Steps, until they are done, time is up, or someone asks to stop."""
        training = self.recipe.training
        self._journal = journal = Journal(self.folder, self.step)
        if self.step == 0:
            self._show_real()
        begun, last = time.monotonic(), self.step
        reason = "finished"
        with _stop_signals() as stopped:
            try:
                while self.step < training.steps:
                    losses = self._one_step()
                    if self.step % training.log_every == 0 or self.step == training.steps:
                        spent = (time.monotonic() - begun) / (self.step - last)
                        begun, last = time.monotonic(), self.step
                        self._log(spent, losses, report)
                    if self.step % training.sample_every == 0 or self.step == training.steps:
                        self._show_samples()
                    if self.step % training.checkpoint_every == 0:
                        self._save()
                    if stopped.is_set() or (ends is not None and time.monotonic() >= ends):
                        reason = "stopped" if stopped.is_set() else "time is up"
                        break
            finally:
                journal.close()
        self._save()
        if reason != "finished" and self.step == training.steps:
            reason = "finished"
        return Outcome(self.folder, self.step, training.steps, reason)

    def _one_step(self) -> Losses:
        recipe = self.recipe
        torch.manual_seed(seed_of(recipe.seed, "step", self.step))
        set_learning_rates(self.method.optimisers, self.method.done(self.step), recipe.training.learning_rate_end)
        batch = self.samples.batch(recipe.seed, self.step, recipe.training.batch)
        losses = self.method.step(batch, self.step)
        self.averages.update(self.step)
        self.step += 1
        return losses

    def _log(self, seconds: float, losses: Losses, report: Report | None) -> None:
        numbers = {name: float(value.detach()) for name, value in losses.items()}
        if not all(map(math.isfinite, numbers.values())):
            raise TrainingError(
                f"the losses are no numbers any more after {self.step} steps: {numbers}; the checkpoint in "
                f"{self.folder} is from before that: lower the learning rate of the recipe, and begin a new run"
            )
        if self._journal is not None:
            self._journal.write(self.step, seconds, numbers)
        if report is not None:
            report(self.step, self.recipe.training.steps, numbers)

    @torch.no_grad()
    def _show_samples(self) -> None:
        method = self.method
        z = method.latents(_SHEET, torch_generator(self.recipe.seed, "sheet"))
        features = self.samples.features
        if features is not None:
            places = torch.linspace(0, len(features) - 1, _SHEET).long()
            order = features[:, 0].argsort(stable=True)
            features = features[order[places]].to(method.device)
        pairs = [slice(first, first + _PAIR) for first in range(0, _SHEET, _PAIR)]
        told = [None if features is None else features[pair] for pair in pairs]
        made = [method.sample(self.averages.networks, z[p], f) for p, f in zip(pairs, told, strict=True)]
        self._save_sheet(f"step-{self.step:07d}.png", torch.cat(made))

    def _show_real(self) -> None:
        source = self.samples
        places = torch.linspace(0, len(source) - 1, _SHEET).long().tolist()
        self._save_sheet("real.png", source.take(places).volumes)

    def _save_sheet(self, name: str, volumes: torch.Tensor) -> None:
        (self.folder / "samples").mkdir(exist_ok=True)
        picture = sheet(grey(volumes), _SHEET)
        save_sheet(self.folder / "samples" / name, picture)
        if self._journal is not None:
            self._journal.picture(self.step, picture)

    def _save(self) -> None:
        save_checkpoint(
            self.folder,
            {
                "step": self.step,
                "networks": {name: network.state_dict() for name, network in self.method.networks.items()},
                "averages": {name: network.state_dict() for name, network in self.averages.networks.items()},
                "optimisers": {name: optimiser.state_dict() for name, optimiser in self.method.optimisers.items()},
            },
        )

    def _restore(self) -> None:
        state = load_checkpoint(self.folder)
        if state is None:
            return
        self.step = int(state["step"])
        for name, network in self.method.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, network in self.averages.networks.items():
            network.load_state_dict(state["averages"].get(name, state["networks"][name]))
        for name, optimiser in self.method.optimisers.items():
            if name in state["optimisers"]:  # a run that travelled light comes without: they begin anew
                optimiser.load_state_dict(state["optimisers"][name])


def load_averages(folder: Path) -> tuple[Method, Averages, int]:
    """A run's method and averaged networks as they are now, and the steps they had."""
    record = RunRecord.open(folder)
    trainer = _Trainer(record, record.recipe, torch.device("cpu"))
    return trainer.method, trainer.averages, trainer.step


def _device(name: str) -> torch.device:
    from synthview.generators.device import resolve_device

    return resolve_device(name)


@contextmanager
def _settings(recipe: Recipe) -> Iterator[None]:
    """Deterministic algorithms and the recipe's number of threads, while it trains."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(recipe.training.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)  # a GPU lacks some
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Ctrl+C and SIGTERM end the training after the step, with a checkpoint; a second one ends it at once."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before: dict[int, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before[number])
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
