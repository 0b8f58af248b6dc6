"""Connections to a study's record: SQLite or PostgreSQL, and what their errors mean to a person."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from synthview.errors import StoreError, StoreOfflineError

WAIT_S = 10
"""How long a busy database is waited for."""
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_NAME = re.compile(r"[a-z0-9_]+")


def is_postgres(address: str) -> bool:
    """Whether an address is of PostgreSQL; else it is a file's path."""
    return address.partition("://")[0] in _POSTGRES


def shown(address: str) -> str:
    """An address fit to be shown: without a password."""
    return sa.make_url(address).render_as_string(hide_password=True) if is_postgres(address) else address


def without_password(address: str) -> str:
    """An address fit to be kept: PostgreSQL's password stays in ``PGPASSWORD`` or ``~/.pgpass``."""
    if not is_postgres(address):
        return address
    url = sa.make_url(address)
    bare = sa.URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    return bare.render_as_string(hide_password=False)


def connect(address: str, study: str, *, read_only: bool = False) -> sa.Engine:
    """An engine; nothing is opened yet.

    Args:
        address: a file's path, or ``postgresql://user@host/database``.
        study: the study's id; on PostgreSQL each study has a schema of its own.
        read_only: open an SQLite file that lies where nothing can be written.

    Raises:
        StoreError: the address is wrong, or psycopg is not installed.
    """
    if is_postgres(address):
        return _postgres(address, study)
    return _sqlite(Path(address), read_only=read_only)


def schema_of(study: str) -> str:
    """PostgreSQL's schema of a study."""
    if not _NAME.fullmatch(study):
        raise StoreError(f"{study!r} is not a study's id")
    return f"study_{study}"


@contextlib.contextmanager
def reading(engine: sa.Engine, where: str) -> Iterator[sa.Connection]:
    """A connection on which everything read is of one moment; errors as a person needs them."""
    with translated(where), engine.connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine, where: str) -> Iterator[sa.Connection]:
    """A transaction; when it is left, what was written is on disk."""
    with translated(where), engine.connect() as connection, connection.execution_options(writes=True).begin():
        yield connection


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """The database's errors as ours; ``IntegrityError`` stays, as only the caller knows what it means."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.DBAPIError as error:
        raise _translate(error, where) from error
    except exc.SQLAlchemyError as error:
        raise StoreOfflineError(f"{where} can't be reached now: {_first_line(error)}") from error


def _translate(error: exc.DBAPIError, where: str) -> StoreError:
    said = _first_line(error.orig)
    for sign, problem in (
        ("readonly database", "can't be written: its file or folder is read-only; ask for the right to write there"),
        ("unable to open", "can't be opened or written there; check the folder and the right to write in it"),
        ("not a database", "is not a study's record, or it is damaged; take it from a backup"),
        ("malformed", "is damaged; take it from a backup"),
        ("no such table", "is not a study's record; choose the study's folder"),
        ("does not exist", f"is not there ({said}); check the address"),
        ("append-only", f"refused a change of what was written ({said})"),
    ):
        if sign in said and not (sign == "does not exist" and "server" in said):
            return StoreError(f"{where} {problem}")
    if "disk is full" in said or "No space left" in said:
        return StoreOfflineError(f"{where} can't be written: the disk is full; make room")
    if "locked" in said:
        return StoreOfflineError(f"{where} is busy for more than {WAIT_S} s; close what else has it open")
    return StoreOfflineError(f"{where} can't be reached or written now: {said}")


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _sqlite(path: Path, *, read_only: bool) -> sa.Engine:
    if read_only:
        engine = sa.create_engine(f"sqlite+pysqlite:///file:{path}?mode=ro&immutable=1&uri=true")
    else:
        engine = sa.create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": WAIT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, and not by the driver
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(address: str, study: str) -> sa.Engine:
    try:
        url = sa.make_url(address).set(drivername="postgresql+psycopg")
    except exc.ArgumentError as error:
        raise StoreError("the address should be postgresql://user@host/database") from error
    settings = {"search_path": schema_of(study), "synchronous_commit": "on", "lock_timeout": f"{WAIT_S}s"}
    settings["statement_timeout"] = f"{2 * WAIT_S}s"
    keep_alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
    try:
        return sa.create_engine(
            url,
            pool_size=2,
            max_overflow=-1,  # each session's lock has a connection of its own
            connect_args={
                "connect_timeout": 5,
                "application_name": "synthview",
                "options": " ".join(f"-c{name}={value}" for name, value in settings.items()),
                **keep_alive,
            },
        )
    except ModuleNotFoundError as error:
        raise StoreError("PostgreSQL needs one more package: pip install 'synthview[postgresql]'") from error
