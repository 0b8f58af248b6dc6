"""Where a study's record may be: an SQLite file, and a PostgreSQL server where Debian's package is installed."""

from collections.abc import Iterator

import pytest

from tests.study.postgres_server import PostgresServer, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run; each study has a schema of its own in it."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("needs Debian's package postgresql (packaging/setup.sh test installs it)")
    server = PostgresServer(binaries)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def record(request: pytest.FixtureRequest) -> str | None:
    """What ``create_study`` takes: None for SQLite, or the server's address."""
    return request.getfixturevalue("postgres").url if request.param == "postgresql" else None
