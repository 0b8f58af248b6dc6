"""Downloads the scans of a scan list into the user's data folder, each checked before it counts.

    list ─▶ what is missing ─▶ pooch: a file of its own beside them ─▶ size, SHA-256 ─▶ its name

A file that came whole stays, whatever happens later; a part of one never does.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from synthview.errors import DownloadError
from synthview.jobs.task import Progress
from synthview.study.scan_list import ScanFile, ScanList, bytes_text
from synthview.userdata import data_dir

_CHUNK = 1 << 16  # bytes between two looks at whether the work is still wanted
_TIMEOUT_S = 30.0  # of silence
_PART = "tmp????????"  # what pooch calls a file before it is checked
_KEPT = "the files that came whole are kept; try again"


def scan_folder(scans: ScanList) -> Path:
    """Where the scans of a list are kept; it may not exist yet."""
    return data_dir() / "scans" / scans.folder_name


def missing_scans(scans: ScanList, folder: Path) -> list[ScanFile]:
    """The scans that aren't in a folder yet, judged by name and size."""
    return [file for file in scans.files if not _has_size(folder / file.name, file.size)]


def download_scans(scans: ScanList, progress: Progress | None = None) -> Path:
    """Download what is missing, check everything.

    Args:
        scans: where they are, and how to know them again.
        progress: called with the fraction of bytes done; may raise ``Cancelled``.

    Returns:
        A folder with these scans and no others, their licence beside them.

    Raises:
        DownloadError: the connection, the server, the content or the disk; what came whole is kept.
    """
    from filelock import FileLock, Timeout

    folder = scan_folder(scans)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock"), timeout=0):
            _fetch_all(scans, folder, progress or (lambda _: None))
    except Timeout as error:
        raise DownloadError("another synthview is downloading these scans; wait for it, then try again") from error
    except OSError as error:
        raise _disk_error(error, folder) from error
    return folder


def _fetch_all(scans: ScanList, folder: Path, progress: Progress) -> None:
    _tidy(scans, folder)
    needed = sum(file.size for file in missing_scans(scans, folder))
    if needed > (free := shutil.disk_usage(folder).free):
        raise DownloadError(
            f"the scans need {bytes_text(needed)} and the disk with {folder} has {bytes_text(free)} left; free some"
        )
    about = "\n".join(f"{name}: {value}" for name, value in scans.facts().items())
    (folder / "ABOUT.txt").write_text(about + "\n", "utf-8")
    done = 0
    for file in scans.files:
        _fetch(file, folder, lambda part, done=done: progress((done + part) / scans.size))  # type: ignore[misc]
        done += file.size
        progress(done / scans.size)


def _tidy(scans: ScanList, folder: Path) -> None:
    """Take away the parts of files that a killed run left."""
    names = {file.name for file in scans.files}
    for part in folder.glob(_PART):
        if part.name not in names:
            part.unlink(missing_ok=True)


def _fetch(file: ScanFile, folder: Path, progress: Progress) -> None:
    """One file, unless it is there and right."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)

    def download(url: str, part: str, _: object) -> None:
        with ExitStack() as stack:

            def look(response: Any, **_: object) -> None:
                stack.callback(response.close)  # pooch leaves it open where it fails
                _check_redirect(response)

            target = stack.enter_context(Path(part).open("w+b"))
            counted = _Counted(target, file, progress)
            pooch.HTTPDownloader(
                chunk_size=_CHUNK,
                timeout=_TIMEOUT_S,
                headers={"Accept-Encoding": "identity"},  # the bytes as they lie there, or no checksum would fit
                hooks={"response": look},
            )(url, counted, None)
            counted.end()

    with _sentences(file):
        pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=file.name, path=folder, downloader=download)


class _Counted:
    """A file that counts what is written, and takes no more than it should."""

    def __init__(self, target: BinaryIO, file: ScanFile, progress: Progress) -> None:
        self._target, self._file, self._progress, self._done = target, file, progress, 0

    def write(self, content: bytes) -> int:
        self._done += len(content)
        if self._done > self._file.size:
            raise _wrong_content(self._file, f"is larger than the {bytes_text(self._file.size)} of the list")
        self._progress(self._done)
        return self._target.write(content)

    def flush(self) -> None:
        self._target.flush()

    def end(self) -> None:
        if self._done < self._file.size:
            raise _wrong_content(
                self._file, f"has {bytes_text(self._done)} instead of the {bytes_text(self._file.size)} of the list"
            )


def _check_redirect(response: Any, **_: object) -> None:
    """Follow redirects within http(s) only, and never from https back to http."""
    if not response.is_redirect:
        return
    old, new = response.url, urljoin(response.url, response.headers["location"])
    allowed = ("https",) if urlsplit(old).scheme == "https" else ("http", "https")
    if urlsplit(new).scheme not in allowed:
        raise DownloadError(f"{old} sends on to {new}, which is not {' or '.join(allowed)}; it was not followed")


@contextmanager
def _sentences(file: ScanFile) -> Iterator[None]:
    """One sentence for whatever goes wrong with a file's download."""
    import requests

    host = urlsplit(file.url).hostname
    try:
        yield
    except requests.HTTPError as error:
        answer = error.response
        status = f"{answer.status_code} {answer.reason}" if answer is not None else "with an error"
        raise DownloadError(f"{file.url}: the server answered {status}; ask whoever made the list") from error
    except requests.exceptions.SSLError as error:
        raise DownloadError(f"{file.name}: {host} could not prove that it is {host}; nothing was taken") from error
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise DownloadError(f"{file.name}: the connection to {host} can't be made or was lost; {_KEPT}") from error
    except requests.RequestException as error:
        raise DownloadError(f"{file.url} can't be downloaded ({error}); ask whoever made the list") from error
    except ValueError as error:  # pooch's word for another checksum
        raise _wrong_content(file, "has another SHA-256 than the list says") from error


def _wrong_content(file: ScanFile, problem: str) -> DownloadError:
    return DownloadError(
        f"{file.name}: what {urlsplit(file.url).hostname} sent {problem}; it was thrown away: "
        "the file was changed there or on the way, try again or ask whoever made the list"
    )


def _disk_error(error: OSError, folder: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(f"the disk with {folder} is full; free some space: {_KEPT}")
    return DownloadError(f"{folder} can't be written: {error.strerror or error}")


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
