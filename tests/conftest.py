"""What every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.study.scan_server import ScanServer

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # plain `pytest`; make test brings a screen


@pytest.fixture(scope="session", autouse=True)
def _data_dir_of_shared_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for what several tests share, such as a worker process: it begins before a test's own folder is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path_factory.mktemp("shared-user-data")))
        yield


@pytest.fixture(autouse=True)
def user_data_dir(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what a test makes synthview remember away from the user's own folder."""
    folder = tmp_path_factory.mktemp("user-data")
    monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def scan_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[ScanServer]":
    """A web server on this machine with small scans."""
    from tests.study.scan_server import ScanServer, small_heads

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ScanServer(small_heads(tmp_path))
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared(checkout: Path) -> Path:
    """The project's shared folder (golden packs, real scans) beside the checkout; skips where it is absent."""
    folder = checkout.parent / "shared"
    if not (folder / "conformance").is_dir():
        pytest.skip("needs the golden packs and scans in ../shared")
    return folder
