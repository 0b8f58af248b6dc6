"""Draws the report's plots with pyqtgraph: dark, and with the figures under the mouse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPen, QWheelEvent

from synthview.gui.theme import TOKENS
from synthview.study.report.plots import LIKERT, ForestPlot, LikertBars, PairPlot, Plot, RocPlot, Row

SERIES = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#F0E442", "#0072B2", "#BBBBBB")
"""Okabe and Ito's colours, those first that stand out on a dark ground."""
_ROW_HEIGHT, _FRAME_HEIGHT = 22, 76  # px
_MOST_IN_LEGEND = 12
_PLAIN = "#9AA4AE"


class ResultPlot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that stands still: the wheel scrolls the page, and a right click opens no menu of pyqtgraph's."""

    def __init__(self, plot: Plot) -> None:
        super().__init__(background=TOKENS.raised, enableMenu=False)
        self.plot_data = plot
        self.setMouseEnabled(x=False, y=False)
        self.setAntialiasing(True)
        self.hideButtons()
        self.setAccessibleName(plot.title)
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(TOKENS.line)
            axis.setTextPen(TOKENS.text)
        if isinstance(plot, RocPlot):
            _draw_roc(self, plot)
            self.setFixedSize(520, 400)
        elif isinstance(plot, LikertBars):
            _draw_likert(self, plot)
        else:
            _draw_forest(self, plot)
        if not isinstance(plot, RocPlot):
            legend = 32 if isinstance(plot, LikertBars) else 0
            self.setFixedHeight(_FRAME_HEIGHT + legend + _ROW_HEIGHT * len(plot.rows))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page."""
        event.ignore()


def _rows(widget: ResultPlot, labels: Sequence[str]) -> None:
    """One label a row, the first on top."""
    axis = widget.getAxis("left")
    axis.setTicks([list(enumerate(labels))])
    axis.setStyle(tickLength=0)
    longest = max((widget.fontMetrics().horizontalAdvance(label) for label in labels), default=0)
    axis.setWidth(longest + 16)
    widget.invertY(True)
    widget.setYRange(-0.6, len(labels) - 0.4, padding=0)


def _line(color: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen: QPen = pg.mkPen(color, width=width, style=style)
    return pen


def _draw_forest(widget: ResultPlot, plot: ForestPlot | PairPlot) -> None:
    is_share = isinstance(plot, PairPlot) or plot.proportion
    scale = 100.0 if is_share else 1.0
    reference = 0.5 if isinstance(plot, PairPlot) else plot.reference
    _rows(widget, [row.label for row in plot.rows])
    dashed = _line(TOKENS.text_off, 1, Qt.PenStyle.DashLine)
    widget.addItem(pg.InfiniteLine(scale * reference, angle=90, pen=dashed))
    spots: list[dict[str, object]] = []
    for i, row in enumerate(plot.rows):
        color = _row_color(row, isinstance(plot, PairPlot))
        widget.addItem(pg.PlotCurveItem([scale * row.low, scale * row.high], [i, i], pen=_line(color, 2)))
        spots.append(
            {
                "pos": (scale * row.estimate, i),
                "brush": pg.mkBrush(color),
                "pen": pg.mkPen(None),
                "symbol": "d" if row.emphasised else "o",
                "size": 12 if row.emphasised else 8,
                "data": _told(row, is_share),
            }
        )
    widget.addItem(_scatter(spots))
    if is_share:
        widget.setXRange(0, 100, padding=0.02)
    widget.setLabel("bottom", plot.axis, color=TOKENS.text_dim)


def _scatter(spots: list[dict[str, object]]) -> pg.ScatterPlotItem:
    """Points that say their figures under the mouse."""
    return pg.ScatterPlotItem(spots=spots, hoverable=True, hoverSize=14, tip=lambda x, y, data: data)


def _told(row: Row, is_share: bool) -> str:
    if is_share:
        return f"{row.label}: {100 * row.estimate:.1f} % (95 % interval {100 * row.low:.1f} to {100 * row.high:.1f} %)"
    return f"{row.label}: {row.estimate:.2f} (95 % interval {row.low:.2f} to {row.high:.2f})"


def _row_color(row: Row, by_side: bool) -> str:
    if by_side:
        return SERIES[0] if row.low > 0.5 else SERIES[1] if row.high < 0.5 else _PLAIN
    return SERIES[1] if row.emphasised else SERIES[0]


def _draw_likert(widget: ResultPlot, plot: LikertBars) -> None:
    _rows(widget, [f"{label}  (n = {n})" for label, _, n in plot.rows])
    widget.setXRange(0, 100, padding=0.01)
    widget.setYRange(-1.9, len(plot.rows) - 0.4, padding=0)  # room for the legend above
    legend = widget.addLegend(offset=(1, 1), colCount=len(plot.scores), brush=None, labelTextColor=TOKENS.text)
    legend.setParentItem(widget.getPlotItem().vb)
    colours = likert_colors(len(plot.scores))
    starts = np.zeros(len(plot.rows))
    for score, (label, color) in enumerate(zip(plot.scores, colours, strict=True)):
        widths = np.array([100 * shares[score] for _, shares, _ in plot.rows])
        bars = pg.BarGraphItem(
            x0=starts,
            y=np.arange(len(plot.rows)),
            width=widths,
            height=0.74,
            brush=color,
            pen=pg.mkPen(None),
            name=label,
        )
        widget.addItem(bars)
        for i, width in enumerate(widths):
            if width >= 6:
                ink = "#FFFFFF" if score in (0, len(colours) - 1) else "#14171A"
                text = pg.TextItem(f"{width:.0f}", color=ink, anchor=(0.5, 0.5))
                text.setPos(QPointF(starts[i] + width / 2, i))
                widget.addItem(text)
        starts = starts + widths
    widget.setLabel("bottom", plot.axis, color=TOKENS.text_dim)


def likert_colors(count: int) -> list[str]:
    """As many colours from hard (warm) to obvious (cold)."""
    stops = [QColor(color) for color in LIKERT]
    out = []
    for i in range(count):
        at = i * (len(stops) - 1) / max(1, count - 1)
        low, part = stops[min(int(at), len(stops) - 2)], at - min(int(at), len(stops) - 2)
        high = stops[min(int(at), len(stops) - 2) + 1]
        ends = ((low.red(), high.red()), (low.green(), high.green()), (low.blue(), high.blue()))
        out.append(QColor(*(round(a + part * (b - a)) for a, b in ends)).name())
    return out


def _draw_roc(widget: ResultPlot, plot: RocPlot) -> None:
    widget.addItem(pg.PlotCurveItem([0, 1], [0, 1], pen=_line(TOKENS.text_off, 1, Qt.PenStyle.DashLine)))
    legend = widget.addLegend(offset=(-8, -8), labelTextColor=TOKENS.text, brush=pg.mkBrush(TOKENS.raised))
    for i, (label, false, true, auc) in enumerate(plot.curves):
        color = SERIES[i % len(SERIES)]
        curve = pg.PlotDataItem(
            np.array(false),
            np.array(true),
            pen=_line(color, 2),
            symbol="o",
            symbolSize=5,
            symbolBrush=color,
            symbolPen=None,
        )
        widget.addItem(curve)
        if i < _MOST_IN_LEGEND:
            legend.addItem(curve, f"{label}  AUC {auc:.2f}")
    widget.setXRange(0, 1, padding=0.02)
    widget.setYRange(0, 1, padding=0.02)
    widget.setLabel("bottom", "real called synthetic (false-positive rate)", color=TOKENS.text_dim)
    widget.setLabel("left", "synthetic called synthetic (true-positive rate)", color=TOKENS.text_dim)
