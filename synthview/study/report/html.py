"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from synthview.resources import resource_path
from synthview.study.report.cards import Card, cards
from synthview.study.report.checklists import checklists
from synthview.study.report.facts import StudyFacts
from synthview.study.report.figures import figure_svg
from synthview.study.report.methods import known_topics, methods_text
from synthview.study.report.plots import RocPlot
from synthview.study.report.words import HEADINGS, table_row, unbroken
from synthview.study.statistics.analyse import Analysis


def report_html(analysis: Analysis, facts: StudyFacts) -> str:
    """The whole report; figures are SVG, thumbnails are embedded."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resource_path("report")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made = [_card(card, facts) for card in cards(analysis)]
    sections = [(name, list(members)) for name, members in groupby(made, key=lambda card: card["section"])]
    return environment.get_template("report.html.j2").render(
        title=facts.title,
        notes=analysis.notes,
        sections=sections,
        headings=HEADINGS,
        methods=methods_text(analysis, facts),
        checklists=checklists(known_topics(analysis, facts)),
    )


def _card(card: Card, facts: StudyFacts) -> dict[str, Any]:
    return {
        "section": card.section,
        "title": card.title,
        "headline": unbroken(card.headline),
        "warnings": [unbroken(warning) for warning in card.warnings],
        "figures": [(isinstance(plot, RocPlot), figure_svg(plot)) for plot in card.plots],
        "pairs": _pictures(card.pairs, facts),
        "rows": [table_row(result) for result in card.results],
        "sentences": [
            " ".join((unbroken(result.sentence), *(f"({unbroken(warning)})" for warning in result.warnings)))
            for result in card.results
            if not result.scope.startswith("item ")
        ],
    }


def _pictures(pairs: Sequence[str], facts: StudyFacts) -> list[tuple[str, str]]:
    """Thumbnails of pairs as data addresses; pairs without one are left out."""
    return [
        (facts.captions.get(pair, pair), "data:image/png;base64," + base64.b64encode(facts.thumbnails[pair]).decode())
        for pair in pairs
        if pair in facts.thumbnails
    ]
