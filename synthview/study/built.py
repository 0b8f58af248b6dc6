"""What building a study's stimuli gives; ``synthview.jobs`` does it, as it may need generators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthview.study.trial import Material


@dataclass(frozen=True)
class Built:
    """Stimuli on disk, and what the leak check says of them.

    Attributes:
        materials: ``Protocol.volumes_needed()`` of each arm, or more.
        leak_passed: whether nothing but anatomy tells the arms apart.
        leak_report: what the check found, for the coordinator; plain values, kept sealed.
    """

    materials: tuple[Material, ...]
    leak_passed: bool
    leak_report: Mapping[str, Any] = field(default_factory=dict)
