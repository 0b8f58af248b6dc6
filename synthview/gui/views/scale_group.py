"""One scale for linked views: a millimetre is as long in each of them, as in 3D Slicer and ITK-SNAP."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakSet

from PySide6.QtWidgets import QWidget


class ScaleGroup:
    """Finds the largest scale at which the slice of every visible view fits its pane."""

    def __init__(self) -> None:
        self._members: WeakSet[QWidget] = WeakSet()
        self._fits: dict[int, Callable[[], float | None]] = {}

    def add(self, view: QWidget, fit: Callable[[], float | None]) -> None:
        """Let a view take part; ``fit`` gives its own logical pixels per mm, or None without a volume."""
        self._members.add(view)
        self._fits[id(view)] = fit
        key = id(view)
        view.destroyed.connect(lambda: self._fits.pop(key, None))

    def scale(self, own: float) -> float:
        """Logical pixels per mm for a view whose slice alone would fit at ``own``."""
        fits = [self._fits[id(view)]() for view in self._members if view.isVisible() and id(view) in self._fits]
        return min([own, *(fit for fit in fits if fit is not None)])

    def changed(self) -> None:
        """A view has another size, or comes or goes: draw all of them at the new scale."""
        for view in self._members:
            view.update()
