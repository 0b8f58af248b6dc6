"""What a report is told of the study beyond the votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthview.errors import WrongRequestError


@dataclass(frozen=True)
class StudyFacts:
    """What is known of a study besides its votes; a table of votes alone leaves all but the title empty.

    Attributes:
        title: of the report.
        methods: sentences for the methods, such as how readers were blinded and stimuli harmonised.
        provides: topics of the check lists that the study file documents, with where or what: ``blinding``,
            ``conditions``, ``conflicts``, ``consent``, ``data``, ``generators``, ``preprocessing``, ``protocol``,
            ``randomisation``, ``reader training``, ``reference``, ``sample size``, ``selection``, ``software``.
        thumbnails: a PNG picture for some of the items.
        captions: what stands below a picture; the item's name where there is none.
    """

    title: str = "Reader study"
    methods: tuple[str, ...] = ()
    provides: Mapping[str, str] = field(default_factory=dict)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)


def read_thumbnails(folder: Path) -> dict[str, bytes]:
    """The PNG pictures of a folder, by item: ``pair 7.png`` is that of ``pair 7``.

    Raises:
        WrongRequestError: it isn't a folder, or a file in it is no PNG.
    """
    if not folder.is_dir():
        raise WrongRequestError(f"--thumbnails {folder} is not a folder that exists")
    pictures = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    for item, content in pictures.items():
        if not content.startswith(b"\x89PNG\r\n"):
            raise WrongRequestError(f"{folder / item}.png is not a PNG picture")
    return pictures
