"""The choice that generators published in training mode leave: statistics of the training, or of each batch."""

from __future__ import annotations

from synthview.generators.info import Setting


def batch_setting(batch_statistics: bool) -> Setting:
    """As it stands, for the window."""
    return Setting(
        "batch_statistics",
        "Normalised by",
        str(batch_statistics).lower(),
        (("false", "the training's averages"), ("true", "each volume's own, as published")),
        "The published volumes were made in training mode, where the norms use what they are given",
    )
