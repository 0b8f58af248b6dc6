"""The report as PDF, made with ReportLab from the same cards as the HTML."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from synthview.study.report.cards import Card, cards
from synthview.study.report.checklists import Checklist, checklists
from synthview.study.report.facts import StudyFacts
from synthview.study.report.figures import PRINT_DPI, figure_png
from synthview.study.report.methods import known_topics, methods_text
from synthview.study.report.words import HEADINGS, table_row, unbroken
from synthview.study.statistics.analyse import Analysis
from synthview.study.statistics.result import Result

_INK, _SOFT, _LINE, _GROUND, _WARN, _WARN_GROUND = "#1a1d20", "#5a636b", "#d9dde1", "#f7f8f9", "#7a5000", "#fdf3dc"
_MOST_ROWS = 60
_WIDTHS = (0.12, 0.11, 0.09, 0.245, 0.105, 0.075, 0.075, 0.13, 0.05)


def report_pdf(analysis: Analysis, facts: StudyFacts) -> bytes:
    """The whole report, A4."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    _fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=18 * mm, bottomMargin=20 * mm,
        title=facts.title, creator="synthview", author="", invariant=1,
    )  # fmt: skip
    story = list(_story(analysis, facts, document.width))

    def footer(canvas: Any, made: Any) -> None:
        canvas.setFont("Report", 7.5)
        canvas.setFillColor(_SOFT)
        canvas.drawString(20 * mm, 11 * mm, facts.title)
        canvas.drawRightString(A4[0] - 20 * mm, 11 * mm, str(made.page))

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


@cache
def _fonts() -> None:
    """DejaVu Sans, which comes with Matplotlib: the PDF base fonts lack χ, κ and ′."""
    import matplotlib as mpl
    from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    registerFont(TTFont("Report", folder / "DejaVuSans.ttf"))
    registerFont(TTFont("Report-Bold", folder / "DejaVuSans-Bold.ttf"))
    registerFontFamily("Report", normal="Report", bold="Report-Bold", italic="Report", boldItalic="Report-Bold")


def _paragraph(text: str, style: str) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(escape(text), _styles()[style])


@cache
def _styles() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, size: float, **more: Any) -> Any:
        fields = {"fontName": "Report", "fontSize": size, "leading": size * 1.4, "textColor": _INK, **more}
        return ParagraphStyle(name, **fields)

    return {
        "title": style("title", 19, fontName="Report-Bold", spaceAfter=6),
        "section": style("section", 13.5, fontName="Report-Bold", spaceBefore=14, spaceAfter=6),
        "question": style("question", 10.5, fontName="Report-Bold", spaceBefore=8, spaceAfter=3),
        "headline": style("headline", 9.5, spaceAfter=4),
        "text": style("text", 8.5, spaceAfter=5),
        "warning": style("warning", 8, textColor=_WARN, backColor=_WARN_GROUND, borderPadding=(3, 5, 3, 5),
                         leftIndent=5, rightIndent=5, spaceBefore=4, spaceAfter=5),
        "cell": style("cell", 6, leading=7.4),
        "head": style("head", 6, leading=7.4, textColor=_SOFT, fontName="Report-Bold"),
        "caption": style("caption", 7, textColor=_SOFT),
        "item": style("item", 7.5, leading=9.5),
    }  # fmt: skip


def _story(analysis: Analysis, facts: StudyFacts, width: float) -> Iterator[Any]:
    yield _paragraph(facts.title, "title")
    for note in analysis.notes:
        yield _paragraph(f"Warning: {note}", "warning")
    section = None
    for card in cards(analysis):
        if card.section != section:
            section = card.section
            yield _paragraph(section, "section")
        yield from _card(card, facts, width)
    yield _paragraph("Methods", "section")
    for text in methods_text(analysis, facts):
        yield _paragraph(text, "text")
    yield _paragraph("Check lists", "section")
    yield _paragraph("A tick says where this study or report says it. The rest is for the authors.", "text")
    for checklist in checklists(known_topics(analysis, facts)):
        yield from _checklist(checklist, width)


def _card(card: Card, facts: StudyFacts, width: float) -> Iterator[Any]:
    from reportlab.platypus import KeepTogether

    top = [_paragraph(card.title, "question"), _paragraph(unbroken(card.headline), "headline")]
    top += [_paragraph(unbroken(f"Warning: {warning}"), "warning") for warning in card.warnings]
    figures = [_picture(figure_png(plot), width, PRINT_DPI) for plot in card.plots]
    yield KeepTogether([*top, *figures[:1]])
    yield from figures[1:]
    shown = [
        (facts.captions.get(pair, pair), facts.thumbnails[pair]) for pair in card.pairs if pair in facts.thumbnails
    ]
    if shown:
        yield _thumbnails(shown, width)
    rows = [result for result in card.results if _on_paper(result)]
    if rows:
        yield _results_table([table_row(result) for result in rows[:_MOST_ROWS]], width)
    left = len(card.results) - min(len(rows), _MOST_ROWS)
    if left and card.results[0].question != "data":
        yield _paragraph(f"{left} more (single items, every two readers, single readers) in results.csv.", "caption")


def _on_paper(result: Result) -> bool:
    """Whether a row is printed: not single items, not every two readers, not what the figure already shows."""
    if result.question == "data" or result.scope.startswith("item "):
        return False
    if result.question in ("agreement", "reader_difference"):
        return " vs " not in result.scope
    shown_elsewhere = result.question in ("d_prime", "difficulty", "criterion", "confusion", "kappa_truth")
    return not (result.scope.startswith("reader ") and (shown_elsewhere or "Clopper" in result.method))


def _picture(png: bytes, width: float, dpi: int = 96) -> Any:
    """A figure at its own size, or as wide as the text."""
    from reportlab.platypus import Image

    image = Image(io.BytesIO(png))
    scale = min(72 / dpi, width / image.imageWidth, 640 / image.imageHeight)
    image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
    image.hAlign = "LEFT"
    return image


def _thumbnails(shown: Sequence[tuple[str, bytes]], width: float) -> Any:
    """Up to three pictures a row with their names."""
    from reportlab.platypus import Table

    each = width / 3
    cells = []
    for pair, png in shown:
        picture = _picture(png, each - 12)
        picture.hAlign = "CENTER"
        cells.append([picture, _paragraph(pair, "caption")])
    rows = [cells[i : i + 3] for i in range(0, len(cells), 3)]
    blank: list[Any] = [""] * (3 - len(rows[-1]))
    rows[-1] += blank
    return Table(rows, colWidths=[each] * 3)


def _results_table(rows: Sequence[tuple[str, ...]], width: float) -> Any:
    from reportlab.platypus import Table, TableStyle

    head = [_paragraph(heading, "head") for heading in HEADINGS]
    body = [[_paragraph(cell, "cell") for cell in row] for row in rows]
    table = Table(
        [head, *body], colWidths=[width * part for part in _WIDTHS], repeatRows=1, spaceBefore=4, spaceAfter=8
    )
    table.setStyle(TableStyle([*_RULES, ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 4)]))
    return table


_RULES: list[tuple[Any, ...]] = [
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]


def _checklist(checklist: Checklist, width: float) -> Iterator[Any]:
    from reportlab.platypus import Table, TableStyle

    yield _paragraph(f"{checklist.name}: {checklist.provided} of {len(checklist.items)} provided", "question")
    rows = [
        [
            _paragraph(str(item.number), "item"),
            _paragraph(item.text, "item"),
            _paragraph(f"✓ {item.where}" if item.where else "for the authors", "item" if item.where else "caption"),
        ]
        for item in checklist.items
    ]
    table = Table(rows, colWidths=[width * 0.06, width * 0.47, width * 0.47], spaceAfter=8)
    table.setStyle(TableStyle(_RULES))
    yield table
