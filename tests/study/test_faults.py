"""What goes wrong on a ward: the database is lost, the disk is full, the folder is read-only."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from synthview.errors import SessionTakenError, StoreError, StoreOfflineError
from synthview.study.record import RecordKind, verify_chain
from synthview.study.session import ReadingSession
from synthview.study.session_keeping import deliver_waiting
from synthview.study.standing import Standing, standing
from synthview.study.study_folder import StudyFolder
from synthview.study.waiting import WaitingRecords
from tests.study.postgres_server import PostgresServer
from tests.study.small_study import RESUMABLE, any_answer, make_study, walk


@pytest.fixture
def shared_study(tmp_path: Path, postgres: PostgresServer) -> Iterator[StudyFolder]:
    with make_study(tmp_path / "study", RESUMABLE, postgres.url) as study:
        yield study


@pytest.fixture
def local_study(tmp_path: Path) -> Iterator[StudyFolder]:
    with make_study(tmp_path / "study", RESUMABLE) as study:
        yield study


def answers(study: StudyFolder, reader: str) -> list[int]:
    records = study.store.records(reader)
    verify_chain(study.store.start(reader), records)
    return [record.trial for record in records if record.kind is RecordKind.ANSWER]


def test_answers_wait_on_the_local_disk_while_the_database_is_lost(
    shared_study: StudyFolder, postgres: PostgresServer
) -> None:
    with ReadingSession.begin(shared_study, "ann") as session:
        walk(session, 2)
        postgres.stop()
        try:
            told = []
            for _ in range(3):
                session.shown()
                told.append(session.confirm(any_answer(session)).waiting)
            assert told == [1, 2, 3]
            assert len(WaitingRecords(shared_study.store.id, "ann").records()) == 3
            assert session.deliver() == 3
        finally:
            postgres.start()
        assert session.deliver() == 0
        walk(session, 1)
    assert answers(shared_study, "ann") == [1, 2, 3, 4, 5, 6]
    assert WaitingRecords(shared_study.store.id, "ann").records() == []


def test_what_waits_when_the_program_ends_is_delivered_by_the_next_once(
    shared_study: StudyFolder, postgres: PostgresServer
) -> None:
    session = ReadingSession.begin(shared_study, "ann")
    walk(session, 2)
    postgres.stop()
    try:
        walk(session, 2)
        session.close()  # as at the end of a program: it can't deliver either
        with pytest.raises(StoreOfflineError, match="can't be reached"):
            standing(shared_study, "ann")
    finally:
        postgres.start()
    waiting = WaitingRecords(shared_study.store.id, "ann")
    kept = waiting.path.read_bytes()
    assert standing(shared_study, "ann") is Standing.RESUMABLE
    assert answers(shared_study, "ann") == [1, 2, 3, 4]
    waiting.path.write_bytes(kept + kept[:50])  # a crash before forgetting; a line cut short
    with ReadingSession.begin(shared_study, "ann") as session:
        walk(session, 1)
    assert answers(shared_study, "ann") == [1, 2, 3, 4, 5]


def test_waiting_answers_that_others_replaced_are_set_aside_and_said(shared_study: StudyFolder) -> None:
    with ReadingSession.begin(shared_study, "ann") as session:
        walk(session, 1)
        record = session._keeper.chain.next("other", RecordKind.LEAVE, {"reason": "never delivered"})
        walk(session, 1)
    waiting = WaitingRecords(shared_study.store.id, "ann")
    waiting.add(record)
    with pytest.raises(SessionTakenError, match="tell the coordinator"):
        deliver_waiting(shared_study.store, "ann")
    assert not waiting.path.exists()
    assert len(list(waiting.path.parent.glob("*.kept"))) == 1
    assert standing(shared_study, "ann") is Standing.RESUMABLE


def test_a_reader_whose_server_lock_went_to_another_machine_is_stopped(
    shared_study: StudyFolder, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ReadingSession.begin(shared_study, "ann") as session:
        walk(session, 1)
        postgres.stop()
        try:
            walk(session, 1)
        finally:
            postgres.start()
        with monkeypatch.context() as another_machine:
            another_machine.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path / "another-machine"))
            elsewhere = StudyFolder.open(shared_study.path)
            other = ReadingSession.begin(elsewhere, "ann")
        with elsewhere, other:
            walk(other, 1)
            with pytest.raises(SessionTakenError):
                session.deliver()
    assert answers(shared_study, "ann") == [1, 2]


def test_a_server_that_is_not_there_is_named_without_its_password(
    shared_study: StudyFolder, postgres: PostgresServer
) -> None:
    postgres.stop()
    try:
        with pytest.raises(StoreOfflineError, match=r"coordinator@127.0.0.1:\d+/postgres can't be reached"):
            StudyFolder.open(shared_study.path)
    finally:
        postgres.start()


def fill_disk(study: StudyFolder) -> None:
    """Let the record's file grow no more, which SQLite meets as a full disk."""
    with study.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def free_disk(study: StudyFolder) -> None:
    with study.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")


def test_on_a_full_disk_answers_wait_where_there_is_room(local_study: StudyFolder) -> None:
    with ReadingSession.begin(local_study, "ann") as session:
        fill_disk(local_study)
        walk(session)
        assert session.waiting > 0
        free_disk(local_study)
        assert session.deliver() == 0
    assert answers(local_study, "ann") == list(range(1, 21))
    assert standing(local_study, "ann") is Standing.FINISHED


def test_where_no_disk_takes_an_answer_it_is_said_and_the_trial_stays(
    local_study: StudyFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with ReadingSession.begin(local_study, "ann") as session:
        monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path / "file" / "no-folder"))
        session._keeper._local = WaitingRecords(local_study.store.id, "ann")
        fill_disk(local_study)
        with pytest.raises(StoreError, match="the disk is full; make room"):
            walk(session)
        stopped_at = session.trial
        assert stopped_at is not None
        assert answers(local_study, "ann") == list(range(1, stopped_at.number))
        free_disk(local_study)
        walk(session)
    assert answers(local_study, "ann") == list(range(1, 21))


def test_an_answer_that_was_kept_although_that_seemed_to_fail_is_not_kept_twice(
    local_study: StudyFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    append = local_study.store.append

    def lost_after_commit(records: object) -> None:
        append(records)  # type: ignore[arg-type]
        raise StoreOfflineError("the connection broke before the server could say that it had written")

    with ReadingSession.begin(local_study, "ann") as session:
        monkeypatch.setenv("SYNTHVIEW_DATA_DIR", str(tmp_path / "file" / "no-folder"))
        session._keeper._local = WaitingRecords(local_study.store.id, "ann")
        monkeypatch.setattr(local_study.store, "append", lost_after_commit)
        with pytest.raises(StoreError, match="could not be kept"):
            walk(session, 1)
        monkeypatch.setattr(local_study.store, "append", append)
        walk(session)
    assert answers(local_study, "ann") == list(range(1, 21))


READ_ONLY = """
import os, sys
from synthview.study.place import open_place
from synthview.study.session import ReadingSession
from synthview.study.study_check import check_study
with open_place(sys.argv[1]) as place:  # what is imported late is imported by this
    check_study(place)
for folder, _, files in os.walk(sys.argv[1]):
    os.chmod(folder, 0o555)
    [os.chmod(os.path.join(folder, file), 0o444) for file in files]
if os.getuid() == 0:
    os.setresuid(65534, 65534, 65534)  # root may write anywhere
with open_place(sys.argv[1]) as place:
    print(check_study(place).readers[0].answered)
    try:
        ReadingSession.begin(place, "ann")
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_a_read_only_folder_is_said_before_the_reader_begins_and_can_still_be_checked() -> None:
    with tempfile.TemporaryDirectory(prefix="sv-read-only-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "study"
        with make_study(path, RESUMABLE) as study, ReadingSession.begin(study, "ann") as session:
            walk(session, 2)
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-c", READ_ONLY, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
        for entry in (path, *path.rglob("*")):
            entry.chmod(0o755)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2"
    assert lines[1].startswith("StoreError") and "right to write" in lines[1]


def test_a_disk_with_hardly_any_room_is_said_before_the_reader_begins(
    local_study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthview.study.place._LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(StoreError, match="make room"):
        ReadingSession.begin(local_study, "ann")
    assert local_study.store.records("ann") == []


def test_a_record_that_is_no_record_is_named(tmp_path: Path) -> None:
    with make_study(tmp_path / "study", RESUMABLE):
        pass
    record = tmp_path / "study" / "record.db"
    record.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"record.db is not a study's record, or it is damaged"):
        StudyFolder.open(tmp_path / "study")
    record.unlink()
    with pytest.raises(StoreError, match=r"record.db is not there"):
        StudyFolder.open(tmp_path / "study")


def test_a_newer_record_is_refused_politely(tmp_path: Path, record: str | None) -> None:
    with make_study(tmp_path / "study", RESUMABLE, record) as study, study.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"made by a newer synthview .*9999.* knows up to 0001.* update synthview"):
        StudyFolder.open(tmp_path / "study")
