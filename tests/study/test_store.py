"""The record: append-only, chained, checked row by row, on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import synthview.study.migrations
from synthview.errors import ChainError, SealError, SessionTakenError, StudyError
from synthview.study import store_schema
from synthview.study.record import RecordKind
from synthview.study.seal import open_key, seal_key
from synthview.study.session import ReadingSession
from synthview.study.store_engine import is_postgres
from synthview.study.study_check import balance, check_key, check_study
from synthview.study.study_folder import StudyFolder
from synthview.study.trial import AnswerKey
from tests.study.postgres_server import PostgresServer
from tests.study.small_study import PASSPHRASE, RESUMABLE, make_study, walk

TABLES = ("study", "readers", "stimuli", "trials", "records", "notes", "bundles")


@pytest.fixture
def study(tmp_path: Path, record: str | None) -> Iterator[StudyFolder]:
    with make_study(tmp_path / "study", RESUMABLE, record) as made:
        with ReadingSession.begin(made, "ann") as session:
            walk(session, 4)
        yield made


def tamper(study: StudyFolder, statement: str) -> None:
    """Change the record behind the program's back, as somebody with a database tool could: triggers off."""
    with study.store.engine.begin() as connection:
        if is_postgres(study.store.address):
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")
            return
        triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql(statement)
        for _, sql in triggers:
            connection.exec_driver_sql(sql)


def test_no_row_can_be_changed_or_taken_away(study: StudyFolder) -> None:
    study.store.add_bundle("b1", ["ann"], "00")
    engine = study.store.engine
    for table in TABLES:
        column = getattr(store_schema, table).columns.keys()[0]
        for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(sa.exc.DBAPIError, match=f"{table} is append-only"), engine.begin() as connection:
                connection.exec_driver_sql(act)


def test_the_database_itself_refuses_what_can_not_be(study: StudyFolder) -> None:
    row = {"reader": "bob", "seq": 1, "session": "s", "kind": "answer", "trial": 1, "revision": 0, "choice": "real"}
    row |= {"response_time_ms": 5, "body": "{}", "at": "now", "previous": "0" * 64, "hash": "1" * 64}
    for wrong in (
        {"difficulty": 6},
        {"difficulty": 0},
        {"choice": "neither"},
        {"response_time_ms": -1},
        {"trial": 999},
        {"reader": "zed"},
        {"kind": "maybe"},
        {"trial": None},
        {"hash": "short"},
    ):
        with pytest.raises(sa.exc.IntegrityError), study.store.engine.begin() as connection:
            connection.execute(sa.insert(store_schema.records), row | wrong)
    with study.store.engine.begin() as connection:
        connection.execute(sa.insert(store_schema.records), row)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE records SET body = replace(body, 'real', 'synthetic') WHERE seq = 3",
            "row 3: its content was changed",
        ),
        ("UPDATE records SET choice = 'synthetic' WHERE seq = 4", "row 4: its columns were changed"),
        ("UPDATE records SET at = '2001' WHERE seq = 2", "row 2: its content was changed"),
        ("DELETE FROM records WHERE seq = 3", "row 4: row 3 should come here"),
        ("UPDATE records SET body = 'nonsense' WHERE seq = 5", "row 5: its content was changed"),
        (f"UPDATE records SET previous = '{'0' * 64}' WHERE seq = 4", "row 4: it does not follow"),
    ],
)
def test_a_changed_row_is_named(tmp_path: Path, statement: str, named: str) -> None:
    with make_study(tmp_path / "study", RESUMABLE) as study:
        with ReadingSession.begin(study, "ann") as session:
            walk(session, 4)
        check_study(study)
        tamper(study, statement)
        with pytest.raises(ChainError, match=f"reader ann, {named}"):
            check_study(study)


def test_a_row_rewritten_with_its_hash_breaks_the_next(study: StudyFolder) -> None:
    first, second = study.store.records("ann")[1:3]
    forged = type(first).from_dict({**first.to_dict(), "at": "2001-01-01T00:00:00+00:00"})
    tamper(study, f"UPDATE records SET at = '{forged.at}', hash = '{forged.expected_hash()}' WHERE seq = {first.seq}")
    with pytest.raises(ChainError, match=f"reader ann, row {second.seq}: it does not follow from the row before"):
        check_study(study)


def test_an_exchanged_schedule_or_note_is_noticed(study: StudyFolder) -> None:
    tamper(study, 'UPDATE notes SET body = \'{"passed":true, "by":"me"}\' WHERE seq = 2')
    with pytest.raises(ChainError, match="notes, row 2"):
        check_study(study)


def test_an_exchanged_trial_is_noticed(study: StudyFolder) -> None:
    tamper(study, "UPDATE trials SET position = 0.1 WHERE number = 7 AND reader = 'bob'")
    with pytest.raises(ChainError, match="schedule was changed"):
        check_study(study)


def test_records_are_delivered_once_and_forks_are_refused(study: StudyFolder) -> None:
    records = study.store.records("ann")
    study.store.append(records[-2:])
    assert study.store.records("ann") == records
    chain = study.store.start("ann")
    fork = chain.after(records[0]).next("other", RecordKind.LEAVE, {})
    with pytest.raises(SessionTakenError, match="another window"):
        study.store.append([fork])
    assert study.store.records("ann") == records


def test_the_schedule_is_what_the_sealed_protocol_and_seed_give(study: StudyFolder) -> None:
    key = study.key(PASSPHRASE)
    check_key(study, key)
    assert balance(key)["ann"]["alone"] == {"real": 8, "zebragan": 6, "quaggaldm": 6}
    other = AnswerKey(key.study, key.protocol, key.seed + 1, key.materials, key.truths)
    with pytest.raises(StudyError, match="schedule is not the one"):
        check_key(study, other)


def test_the_key_opens_with_its_passphrase_only_and_for_its_study_only(study: StudyFolder) -> None:
    key = study.key(PASSPHRASE)
    sealed = study.store.sealed_key()
    assert open_key(sealed, PASSPHRASE, study.store.id) == key
    with pytest.raises(SealError, match="wrong passphrase"):
        open_key(sealed, PASSPHRASE + " ", study.store.id)
    with pytest.raises(SealError, match="wrong passphrase, or the sealed key was changed"):
        open_key(sealed, PASSPHRASE, "another")
    content = json.loads(sealed)
    changed = ("A" if content["key"][0] != "A" else "B") + content["key"][1:]
    with pytest.raises(SealError, match="was changed"):
        open_key(json.dumps({**content, "key": changed}), PASSPHRASE, study.store.id)
    for damaged in ("", "[]", json.dumps({**content, "memory_kib": 1 << 40}), json.dumps({**content, "salt": "?"})):
        with pytest.raises(SealError):
            open_key(damaged, PASSPHRASE, study.store.id)
    with pytest.raises(SealError, match="use 8 or more"):
        seal_key(key, "short")


def test_the_queries_name_the_tables_that_the_migrations_make(study: StudyFolder) -> None:
    folder = Path(synthview.study.migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_current_head() == store_schema.HEAD
    with study.store.engine.connect() as connection:
        made = sa.MetaData()
        made.reflect(connection)
        for table in TABLES:
            assert list(made.tables[table].columns.keys()) == list(getattr(store_schema, table).columns.keys())
        context = MigrationContext.configure(connection)
        differences = [d for d in compare_metadata(context, made) if d[0] not in ("add_table", "remove_table")]
    assert differences == []


def test_a_databases_password_is_neither_kept_nor_shown(tmp_path: Path, postgres: PostgresServer) -> None:
    address = postgres.url.replace("coordinator@", "coordinator:hunter2@")
    with make_study(tmp_path / "study", RESUMABLE, address) as study:
        assert "hunter2" not in study.store.where and "coordinator:***@" in study.store.where
    assert "hunter2" not in (tmp_path / "study" / "study.json").read_text("utf-8")
    with StudyFolder.open(tmp_path / "study") as again:
        assert again.store.readers == ("ann", "bob", "cy")
    assert not (tmp_path / "study" / "record.db").exists()


def test_sqlite_is_as_safe_as_it_can_be_set(tmp_path: Path) -> None:
    with make_study(tmp_path / "study", RESUMABLE) as study, study.store.engine.connect() as connection:
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in SAFE}
        strict = connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE strict = 1").scalars().all()
    assert settings == SAFE
    assert set(strict) == set(TABLES)


SAFE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL
