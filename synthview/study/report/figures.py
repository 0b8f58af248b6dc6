"""Draws plots with Matplotlib, for paper: light ground, no more ink than needed, text as outlines."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synthview.study.report.plots import LIKERT, OKABE_ITO, ForestPlot, LikertBars, PairPlot, Plot, RocPlot, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}
PRINT_DPI = 300
_WIDTH = 6.3  # inches, a text column of A4
_INK, _SOFT = "#1A1A1A", "#8A8A8A"


@lru_cache(maxsize=32)
def figure_svg(plot: Plot) -> str:
    """The figure as an SVG element, to be put into HTML as it is."""
    text = _saved(plot, "svg").decode("utf-8")
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    label = plot.title.replace("&", "and").replace('"', "'").replace("<", "")
    return body.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


@lru_cache(maxsize=32)
def figure_png(plot: Plot, dpi: int = PRINT_DPI) -> bytes:
    """The figure as a PNG file."""
    return _saved(plot, "png", dpi)


def _saved(plot: Plot, kind: str, dpi: int = 100) -> bytes:
    import matplotlib as mpl

    with mpl.rc_context({**_STYLE, "svg.hashsalt": plot.name}):
        figure = draw(plot)
        out = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(out, format=kind, dpi=dpi, bbox_inches="tight", metadata=metadata)
    return out.getvalue()


def draw(plot: Plot) -> Figure:
    """The figure, in the style that is set around the call."""
    from matplotlib.figure import Figure as MplFigure

    if isinstance(plot, RocPlot):
        figure = MplFigure(figsize=(_WIDTH * 0.62, _WIDTH * 0.55))
        _roc(figure.add_subplot(), plot)
        return figure
    per_row = 0.21 if len(plot.rows) < 40 else 0.14
    figure = MplFigure(figsize=(_WIDTH, 0.9 + per_row * len(plot.rows)))
    axes = figure.add_subplot()
    if isinstance(plot, LikertBars):
        _likert(axes, plot)
    else:
        _forest(axes, plot)
    return figure


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    """One label a row, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _forest(axes: Axes, plot: ForestPlot | PairPlot) -> None:
    scale = 100.0 if isinstance(plot, PairPlot) or plot.proportion else 1.0
    reference = 0.5 if isinstance(plot, PairPlot) else plot.reference
    axes.axvline(scale * reference, color=_SOFT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    for i, row in enumerate(plot.rows):
        colour = _row_colour(row, isinstance(plot, PairPlot))
        axes.plot([scale * row.low, scale * row.high], [i, i], color=colour, linewidth=1.1, solid_capstyle="butt")
        marker, size = ("D", 5.0) if row.emphasised else ("o", 3.6)
        axes.plot(scale * row.estimate, i, marker, color=colour, markersize=size)
    _rows(axes, [row.label for row in plot.rows])
    if scale == 100:
        axes.set_xlim(-1, 101)
    axes.set_xlabel(plot.axis)
    axes.set_title(plot.title)
    for i, row in enumerate(plot.rows):
        if len(plot.rows) < 40:
            digits = 0 if scale == 100 else 2
            text = f"{scale * row.estimate:.{digits}f} [{scale * row.low:.{digits}f}, {scale * row.high:.{digits}f}]"
            axes.text(1.02, i, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7, color=_INK)


def _row_colour(row: Row, by_side: bool) -> str:
    if by_side and (row.low > 0.5 or row.high < 0.5):
        return OKABE_ITO[0] if row.low > 0.5 else OKABE_ITO[1]
    if by_side:
        return "#5A5A5A"
    return OKABE_ITO[1] if row.emphasised else OKABE_ITO[0]


def _likert(axes: Axes, plot: LikertBars) -> None:
    colours = _likert_colours(len(plot.scores))
    starts = [0.0] * len(plot.rows)
    for score, (label, colour) in enumerate(zip(plot.scores, colours, strict=True)):
        widths = [100 * shares[score] for _, shares, _ in plot.rows]
        axes.barh(range(len(plot.rows)), widths, left=starts, height=0.72, color=colour, label=label)
        for i, (start, width) in enumerate(zip(starts, widths, strict=True)):
            if width >= 6:
                white = score in (0, len(colours) - 1)
                axes.text(start + width / 2, i, f"{width:.0f}", ha="center", va="center", fontsize=6.5,
                          color="white" if white else _INK)  # fmt: skip
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    _rows(axes, [f"{label}  (n = {n})" for label, _, n in plot.rows])
    axes.set_xlim(0, 100)
    axes.set_xlabel(plot.axis)
    axes.set_title(plot.title, pad=22)
    axes.legend(ncols=min(5, len(colours)), loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=6.5,
                handlelength=1, handleheight=1, columnspacing=1, borderaxespad=0.2)  # fmt: skip


def _likert_colours(count: int) -> list[str]:
    if count == len(LIKERT):
        return list(LIKERT)
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("likert", LIKERT)
    return [to_hex(ramp(i / max(1, count - 1))) for i in range(count)]


def _roc(axes: Axes, plot: RocPlot) -> None:
    axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
    for i, (label, false, true, auc) in enumerate(plot.curves):
        colour = OKABE_ITO[i % len(OKABE_ITO)]
        axes.plot(false, true, color=colour, linewidth=1.2, marker="o", markersize=2.2, label=f"{label}  AUC {auc:.2f}")
    axes.set_aspect("equal")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_xlabel("real called synthetic (false-positive rate)")
    axes.set_ylabel("synthetic called synthetic (true-positive rate)")
    axes.set_title(plot.title)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=7, ncols=1 + (len(plot.curves) > 20))
