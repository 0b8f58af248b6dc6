"""Protocols to start from: plain values, as ``Protocol.to_dict`` gives them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

QUESTIONNAIRE: list[dict[str, Any]] = [
    {"name": "role", "question": "What do you do?", "choices": ["Radiologist", "Resident", "Researcher", "Other"]},
    {"name": "years", "question": "Years of experience with these images", "kind": "number", "low": 0, "high": 60},
    {
        "name": "expertise",
        "question": "How would you rate your expertise?",
        "choices": ["novice", "intermediate", "expert"],
    },
]
CONSENT = "I take part of my own free will, and agree that my answers are kept under my reader's number."
_REAL: dict[str, Any] = {"real": True, "folder": ""}
_PAIRS: dict[str, Any] = {
    "title": "Real or synthetic?",
    "instructions": "You will see two scans at a time. One of them is real, the other was made by a computer.",
    "consent": CONSENT,
    "display_check": True,
    "readers": 12,
    "sitting": "one",
    "questionnaire": QUESTIONNAIRE,
    "arms": {
        "real": _REAL,
        "generator-a": {"generate": {"checkpoint": "", "seed": 0}},
        "generator-b": {"generate": {"checkpoint": "", "seed": 1000}},
    },
    "sections": [
        {
            "kind": "2afc-real",
            "title": "First part",
            "pairs": 5,
            "difficulty": True,
            "presentation": {"shown_as": "random-slice", "planes": ["axial", "coronal", "sagittal"]},
        },
        {
            "kind": "2afc-synthetic",
            "title": "Second part",
            "pairs": 30,
            "difficulty": True,
            "presentation": {"shown_as": "random-slice", "planes": ["axial", "coronal", "sagittal"]},
        },
    ],
}
_SINGLE: dict[str, Any] = {
    "title": "One scan at a time",
    "instructions": "You will see one scan at a time. Some are real, some were made by a computer.",
    "consent": CONSENT,
    "display_check": True,
    "readers": 4,
    "sitting": "one",
    "questionnaire": QUESTIONNAIRE,
    "arms": _PAIRS["arms"],
    "sections": [
        {
            "kind": "turing",
            "title": "Single scans",
            "volumes": {"real": 20, "generator-a": 15, "generator-b": 15},
            "presentation": {"shown_as": "volume", "planes": ["axial"]},
        }
    ],
}
_RATING: dict[str, Any] = {
    "title": "Image quality",
    "instructions": "Please rate each scan.",
    "consent": CONSENT,
    "readers": 3,
    "sitting": "resumable",
    "questionnaire": QUESTIONNAIRE,
    "arms": {"real": _REAL, "generator-a": {"generate": {"checkpoint": "", "seed": 0}}},
    "sections": [
        {
            "kind": "rating",
            "title": "Ratings",
            "volumes": {"real": 10, "generator-a": 10},
            "items": [{"name": "realism"}, {"name": "anatomy"}, {"name": "noise"}, {"name": "artefacts"}],
        }
    ],
}
_TEMPLATES = {
    "Pairs: real or synthetic, then which generator is more realistic": _PAIRS,
    "Single scans: real or synthetic": _SINGLE,
    "Ratings: realism, anatomy, noise, artefacts": _RATING,
}
NAMES = tuple(_TEMPLATES)
NEW_SECTIONS: dict[str, dict[str, Any]] = {
    "2afc-real": {"title": "Real or synthetic?", "pairs": 10, "difficulty": True},
    "2afc-synthetic": {"title": "Which is more realistic?", "pairs": 10, "difficulty": True},
    "turing": {"title": "Single scans", "volumes": {}},
    "rating": {"title": "Ratings", "volumes": {}, "items": [{"name": "realism"}]},
}


def template(name: str) -> dict[str, Any]:
    """A protocol to start from, free to be changed."""
    return deepcopy(_TEMPLATES[name])
