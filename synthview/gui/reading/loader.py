"""Reads stimuli ahead of time, on a thread, so that the next trial is there when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from synthview.errors import SynthviewError
from synthview.gui.background import Background
from synthview.volume import Volume

if TYPE_CHECKING:
    from synthview.study.trial import StimulusId


class StimulusLoader(QObject):
    """Keeps the stimuli that were asked for last, and no others.

    Signals:
        loaded: a stimulus's name; it is in memory now.
        failed: a sentence and its details.
    """

    loaded = Signal(str)
    failed = Signal(str, str)

    def __init__(self, load: Callable[[StimulusId], Volume], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._background = Background(self)
        self._kept: dict[StimulusId, Volume] = {}
        self._under_way: set[StimulusId] = set()

    def want(self, names: Iterable[StimulusId]) -> None:
        """Have these in memory, in this order of haste, and forget all others."""
        wanted = list(dict.fromkeys(names))
        self._kept = {name: volume for name, volume in self._kept.items() if name in wanted}
        for name in wanted:
            if name not in self._kept and name not in self._under_way:
                self._under_way.add(name)
                self._start(name)

    def _start(self, name: StimulusId) -> None:
        self._background.run(
            lambda: self._load(name),
            lambda volume: self._on_loaded(name, volume),
            lambda error, details: self._on_failed(name, error, details),
        )

    def get(self, names: Iterable[StimulusId]) -> list[Volume] | None:
        """The stimuli, all of them; None while one is still on its way."""
        found = [self._kept.get(name) for name in names]
        return None if any(volume is None for volume in found) else [volume for volume in found if volume is not None]

    def close(self) -> None:
        """Wait for what is being read."""
        self._background.wait()

    def _on_loaded(self, name: StimulusId, volume: Volume) -> None:
        self._under_way.discard(name)
        self._kept[name] = volume
        self.loaded.emit(name)

    def _on_failed(self, name: StimulusId, error: SynthviewError, details: str) -> None:
        self._under_way.discard(name)
        self.failed.emit(str(error), details)
