"""Losses over the steps of a training, each with its colour, name and latest value beside the plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from synthview.gui.labels import caption, swatch
from synthview.gui.theme import SPACE, TOKENS

_COLORS = (
    "#5aa9e6", "#f4a259", "#7fc97f", "#e06c75", "#b48ead", "#e5d352", "#56c2b6", "#f0a3c4", "#a9b1bb", "#c08a5a",
)  # fmt: skip
_LEAST = 1e-9  # the axis is logarithmic, and a loss may be nought


class LossPlot(QWidget):
    """The plot with its legend, which grows with the losses' names; the axis of losses is logarithmic."""

    def __init__(self, parent: QWidget | None = None) -> None:
        import pyqtgraph

        super().__init__(parent)
        self.plot = pyqtgraph.PlotWidget(background=TOKENS.panel, axisItems={"left": _log_axis()})
        self.plot.setLogMode(y=True)
        self.plot.setLabel("bottom", "step")
        self.plot.setLabel("left", "loss")
        self.plot.getAxis("left").enableAutoSIPrefix(False)
        self.plot.setMinimumHeight(220)
        self._curves: dict[str, tuple[object, QLabel]] = {}
        self._legend = QGridLayout()
        self._legend.setHorizontalSpacing(SPACE[1])
        self._legend.setVerticalSpacing(SPACE[0])
        self._legend.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE[3])
        layout.addWidget(self.plot, stretch=1)
        layout.addLayout(self._legend)

    def show_losses(self, losses: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
        """Draw them.

        Args:
            losses: name to (steps, values); of no steps nothing is drawn.
        """
        for name, (steps, values) in losses.items():
            if name not in self._curves:
                self._add(name)
            curve, latest = self._curves[name]
            curve.setData(steps, [max(value, _LEAST) for value in values])  # type: ignore[attr-defined]
            latest.setText(f"{values[-1]:.3g}" if values else "")

    def _add(self, name: str) -> None:
        row = len(self._curves)
        color = _COLORS[row % len(_COLORS)]
        latest = caption(alignment=Qt.AlignmentFlag.AlignRight)
        for column, label in enumerate((swatch(QColor(color)), QLabel(name), latest)):
            self._legend.addWidget(label, row, column)
        self._curves[name] = (self.plot.plot(name=name, pen=color), latest)


def _log_axis() -> object:
    """An axis that names 1, 2, 5, 10 and so on: the names of all the numbers between lie over each other."""
    import pyqtgraph

    class LogAxis(pyqtgraph.AxisItem):  # type: ignore[misc]
        def tickStrings(self, values: Sequence[float], scale: float, spacing: float | None) -> list[str]:
            """Names of ticks at these logarithms; empty for those left out."""
            names = super().tickStrings(values, scale, spacing)
            round_ones = (round(10 ** (value % 1)) in {1, 2, 5, 10} for value in values)
            return [name if named else "" for name, named in zip(names, round_ones, strict=True)]

    return LogAxis("left")
