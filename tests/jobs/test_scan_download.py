"""Downloading scans from a real server on the loopback: what comes whole stays, whatever goes wrong is one sentence."""

import errno
import os
import shutil
import threading

import pytest
from filelock import FileLock

from synthview.errors import Cancelled, DownloadError
from synthview.jobs import scan_download
from synthview.jobs.scan_download import download_scans, missing_scans, scan_folder
from synthview.study.scan_list import read_scan_list
from tests.study.scan_server import ScanServer, small_heads


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    return small_heads(tmp_path_factory.mktemp("heads"), 3)


@pytest.fixture
def server(heads, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ScanServer(heads)
    yield server
    server.close()


def refusal(scans) -> str:
    """What is said; nothing but whole files is left."""
    with pytest.raises(DownloadError) as caught:
        download_scans(scans)
    return str(caught.value)


def left(scans) -> list[str]:
    return sorted(path.name for path in scan_folder(scans).iterdir() if path.name != "ABOUT.txt")


def test_all_come_with_their_licence_and_come_once(server, heads, tmp_path):
    scans = read_scan_list(server.write(tmp_path))
    fractions = []
    folder = download_scans(scans, fractions.append)
    assert {name: (folder / name).read_bytes() for name in heads} == heads
    assert left(scans) == sorted(heads)
    assert "Licence: CC-BY-4.0 (https://spdx.org" in (folder / "ABOUT.txt").read_text("utf-8")
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert download_scans(scans) == folder
    assert len(server.asked) == 3


def test_it_goes_on_after_a_cut_connection(server, heads, tmp_path):
    scans = read_scan_list(server.write(tmp_path, b="cut"))
    assert "b.nii.gz: the connection to 127.0.0.1 can't be made or was lost" in refusal(scans)
    assert left(scans) == ["a.nii.gz"]
    again = read_scan_list(server.write(tmp_path))
    assert [file.name for file in missing_scans(again, scan_folder(again))] == ["b.nii.gz", "c.nii.gz"]
    download_scans(again)
    assert server.asked == ["/good/a.nii.gz", "/cut/b.nii.gz", "/good/b.nii.gz", "/good/c.nii.gz"]
    assert left(again) == sorted(heads)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("missing", "/missing/b.nii.gz: the server answered 404 Not Found"),
        ("changed", "b.nii.gz: what 127.0.0.1 sent has another SHA-256 than the list says; it was thrown away"),
        ("longer", "sent is larger than the"),
        ("endless", "sent is larger than the"),
        ("shorter", "sent has 100 B instead of"),
    ],
)
def test_what_is_wrong_is_thrown_away(server, tmp_path, way, said):
    scans = read_scan_list(server.write(tmp_path, b=way))
    assert said in refusal(scans)
    assert left(scans) == ["a.nii.gz"]


def test_redirects_stay_within_the_web(server, heads, tmp_path):
    scans = read_scan_list(server.write(tmp_path, b="moved"))
    for elsewhere in ("file:///etc/hostname", "ftp://127.0.0.1/b.nii.gz"):
        server.elsewhere = elsewhere
        assert f"sends on to {elsewhere}, which is not http or https" in refusal(scans)
        assert left(scans) == ["a.nii.gz"]
    server.elsewhere = ""
    download_scans(scans)
    assert left(scans) == sorted(heads)


def test_a_secure_address_never_sends_on_to_an_open_one():
    class Response:
        is_redirect, url, headers = True, "https://scans.example/a.nii", {"location": "http://scans.example/a.nii"}

    with pytest.raises(DownloadError, match="which is not https"):
        scan_download._check_redirect(Response())
    Response.headers = {"location": "/elsewhere/a.nii"}
    scan_download._check_redirect(Response())


def test_a_server_that_is_not_there(server, tmp_path):
    scans = read_scan_list(server.write(tmp_path))
    server.close()
    assert "the connection to 127.0.0.1 can't be made" in refusal(scans)


def test_stopping_leaves_whole_files_only(server, tmp_path):
    scans = read_scan_list(server.write(tmp_path, b="slow"))
    seen = []

    def stop(fraction: float) -> None:
        seen.append(fraction)
        if len(server.asked) == 2:
            raise Cancelled

    waiting = threading.Timer(0.2, server.going_on.set)  # the client looks up when its chunk is full
    waiting.start()
    with pytest.raises(Cancelled):
        download_scans(scans, stop)
    waiting.join()
    assert left(scans) == ["a.nii.gz"]


def test_what_was_damaged_or_left_over_is_made_good(server, heads, tmp_path):
    scans = read_scan_list(server.write(tmp_path))
    folder = download_scans(scans)
    (folder / "b.nii.gz").write_bytes(bytes(len(heads["b.nii.gz"])))
    (folder / "tmp0123abcd").write_bytes(b"part")
    download_scans(scans)
    assert {name: (folder / name).read_bytes() for name in left(scans)} == heads
    assert len(server.asked) == 4


def test_a_disk_too_small_is_noticed_before(server, tmp_path, monkeypatch):
    scans = read_scan_list(server.write(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    assert "has 10 B left; free some" in refusal(scans)
    assert server.asked == []


def test_a_disk_that_fills_up(server, tmp_path, monkeypatch):
    scans = read_scan_list(server.write(tmp_path))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(scan_download._Counted, "write", full)
    assert "is full; free some space" in refusal(scans)
    assert left(scans) == []


def test_one_at_a_time(server, tmp_path):
    scans = read_scan_list(server.write(tmp_path))
    folder = scan_folder(scans)
    folder.parent.mkdir(parents=True)
    with FileLock(folder.with_name(folder.name + ".lock")):
        assert "another synthview is downloading these scans" in refusal(scans)
