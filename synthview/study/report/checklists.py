"""CLAIM 2024 and GRRAS as check lists: what the study file or this report provides, and what is left to the authors.

Items in our own short words, numbered as published: Tejani et al. 2024, Radiology: Artificial Intelligence 6:e240300
(CLAIM 2024 update); Kottner et al. 2011, Journal of Clinical Epidemiology 64:96-106 (GRRAS).  A tick means that the
named place says it, not that a reviewer will be content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_CLAIM = (
    (1, "title or abstract names the AI method", ""),
    (2, "structured abstract", ""),
    (3, "background and clinical role", ""),
    (4, "aims and hypotheses", ""),
    (5, "prospective or retrospective", ""),
    (6, "goal of the study", "protocol"),
    (7, "sources of the data", "data"),
    (8, "inclusion and exclusion of cases", "selection"),
    (9, "preprocessing", "preprocessing"),
    (10, "selection of parts of the data", "selection"),
    (11, "de-identification", "blinding"),
    (12, "missing data", "missing"),
    (13, "image acquisition", ""),
    (14, "how the reference standard is defined", "reference"),
    (15, "why that reference standard", ""),
    (16, "source of the reference annotations", "reference"),
    (17, "annotation of the test set", "reference"),
    (18, "variability between and within readers", "agreement"),
    (19, "how cases were assigned to sets", "randomisation"),
    (20, "level at which sets are disjoint", ""),
    (21, "intended sample size", "sample size"),
    (22, "the model in detail", "generators"),
    (23, "software and versions", "software"),
    (24, "how weights were initialised", "generators"),
    (25, "training", "generators"),
    (26, "choice of the final model", ""),
    (27, "ensembling", ""),
    (28, "performance measures", "statistics"),
    (29, "significance and uncertainty", "uncertainty"),
    (30, "robustness or sensitivity analysis", "robustness"),
    (31, "explainability", ""),
    (32, "evaluation on internal data", ""),
    (33, "evaluation on external data", ""),
    (34, "registration", ""),
    (35, "numbers included and excluded", "counts"),
    (36, "characteristics of cases", ""),
    (37, "performance with uncertainty", "estimates"),
    (38, "estimates and their precision", "uncertainty"),
    (39, "analysis of failures", "failures"),
    (40, "limitations", ""),
    (41, "implications for practice", ""),
    (42, "full protocol", "protocol"),
    (43, "availability of software, model and data", "all data"),
    (44, "funding", ""),
)
_GRRAS = (
    (1, "title or abstract names reliability or agreement", ""),
    (2, "the measurement named and described", "protocol"),
    (3, "the population of subjects", "data"),
    (4, "the population of readers", "expertise"),
    (5, "what is known already, and rationale", ""),
    (6, "how the sample size was chosen", "sample size"),
    (7, "how subjects and readers were sampled", "selection"),
    (8, "the rating process: time, conditions, blinding", "conditions"),
    (9, "ratings made independently", "blinding"),
    (10, "statistical analysis", "statistics"),
    (11, "numbers of readers, subjects and repeats", "counts"),
    (12, "characteristics of readers and subjects", "expertise"),
    (13, "estimates with their uncertainty", "agreement"),
    (14, "practical relevance", ""),
    (15, "detailed results", "all data"),
)


@dataclass(frozen=True)
class Item:
    """One item of a check list; ``where`` is empty where the authors have to say it."""

    number: int
    text: str
    where: str


@dataclass(frozen=True)
class Checklist:
    """A reporting guideline with what is provided."""

    name: str
    items: tuple[Item, ...]

    @property
    def provided(self) -> int:
        """How many items have a place."""
        return sum(bool(item.where) for item in self.items)


def checklists(topics: Mapping[str, str]) -> tuple[Checklist, Checklist]:
    """Both lists, ticked where a topic is known.

    Args:
        topics: what the study or its report says, and where.
    """
    made = (
        Checklist(name, tuple(Item(number, text, topics.get(topic, "")) for number, text, topic in items))
        for name, items in (("CLAIM 2024", _CLAIM), ("GRRAS", _GRRAS))
    )
    first, second = made
    return first, second
