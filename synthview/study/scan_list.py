"""Scan lists: a file that says where openly licensed scans are, under which licence, and how to know them again.

A list comes with a data set, or a coordinator writes it; docs/studies.md shows one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from synthview.study.protocol_entries import Entries
from synthview.study.protocol_files import read_located
from synthview.volume.nifti import is_nifti_name

FORMAT = "synthview-scans-1"
_MOST_BYTES = 1 << 40  # of one file: a slip of the pen, not a scan
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no file names on Windows
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ScanFile:
    """One scan.

    Attributes:
        name: what it is called here; a plain file name that ends in .nii or .nii.gz.
        url: http or https.
        sha256: of its content, 64 hexadecimal digits in lower case.
        size: in bytes.
    """

    name: str
    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ScanList:
    """Openly licensed scans that can be downloaded.

    Attributes:
        name: of the data set.
        licence: an SPDX identifier, or the licence in words.
        licence_link: where it can be read.
        citation: what its makers ask to be cited.
        files: the scans, one or more, their names all different.
    """

    name: str
    licence: str
    licence_link: str
    citation: str
    files: tuple[ScanFile, ...]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)

    @property
    def folder_name(self) -> str:
        """A folder's name, the same for the same scans and another for others."""
        content = "\n".join(sorted(f"{file.sha256} {file.name}" for file in self.files))
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40] or "scans"
        return f"{words}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def facts(self) -> dict[str, str]:
        """What a person must know before downloading: name, files, licence, source, citation."""
        hosts = sorted({urlsplit(file.url).hostname or "" for file in self.files})
        count = f"{len(self.files)} file{'s' * (len(self.files) != 1)}"
        return {
            "Scans": self.name,
            "Files": f"{count}, {bytes_text(self.size)}",
            "From": ", ".join(hosts),
            "Licence": f"{self.licence} ({self.licence_link})",
            "Citation": " ".join(self.citation.split()),
        }


def bytes_text(count: int) -> str:
    """A number of bytes for people: "312 B", "1.4 MB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def read_scan_list(path: Path) -> ScanList:
    """The scan list in a YAML or JSON file.

    Raises:
        ProtocolError: it can't be read or contradicts itself; names file, line and field.
    """
    given = Entries(read_located(path, "scan list"), str(path))
    given.refuse_unknown(("format", "name", "licence", "licence_link", "citation", "files"))
    given.choice("format", (FORMAT,))
    files: list[ScanFile] = []
    for part in given.parts("files"):
        file = _read_file(part)
        if file.name.lower() in [other.name.lower() for other in files]:
            raise part.wrong("name", f"{file.name!r} is there twice; give one of them another name")
        files.append(file)
    if not files:
        raise given.wrong("files", "must be a list of one or more files, each with url, sha256 and bytes")
    licence, link = _read_licence(given)
    return ScanList(
        given.text("name", required=True), licence, link, given.text("citation", required=True), tuple(files)
    )


def _read_licence(given: Entries) -> tuple[str, str]:
    """The licence and where it can be read; for an SPDX identifier that is known."""
    licence = given.text("licence", required=True)
    if given.has("licence_link"):
        return licence, _read_link(given, "licence_link")
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        identifier = str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        identifier = ""
    if not identifier or " " in identifier or identifier.startswith("LicenseRef-"):
        raise given.wrong(
            "licence", f"{licence!r} is no SPDX identifier such as CC-BY-4.0; add licence_link, where it can be read"
        )
    return identifier, f"https://spdx.org/licenses/{identifier}.html"


def _read_file(given: Entries) -> ScanFile:
    given.refuse_unknown(("url", "sha256", "bytes", "name"))
    url = _read_link(given, "url")
    name = given.text("name") or unquote(urlsplit(url).path.rpartition("/")[2])
    field = "name" if given.has("name") else "url"
    if not _PLAIN_NAME.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name):
        raise given.wrong(
            field, f"gives the file name {name!r}; name must be a plain one: letters, digits, . _ + -, no folders"
        )
    if not is_nifti_name(Path(name)):
        raise given.wrong(field, f"gives the file name {name!r}; name must end in .nii or .nii.gz")
    sha256 = given.text("sha256", required=True).lower()
    if not _SHA256.fullmatch(sha256):
        raise given.wrong("sha256", f"must be 64 hexadecimal digits, got {len(sha256)} characters")
    size = given.whole("bytes", low=1, high=_MOST_BYTES)
    if size is None:
        raise given.wrong("bytes", "is missing; write the file's size in bytes")
    return ScanFile(name, url, sha256, size)


def _read_link(given: Entries, field: str) -> str:
    link = given.text(field, required=True)
    try:
        parts = urlsplit(link)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        fits = False
    if not fits or len(link.split()) != 1:
        raise given.wrong(field, f"must be a web address (https://…) without a user name, got {link!r}")
    return link
