"""What a person is told when the database fails: which one, why, and what to do."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from engine.errors import Conflict, Denied, EngineError, Invalid, NotFound
from engine.store import Store, open_store, tables
from engine.store.explain import explain
from tests.databases import GUARDED, PostgreSQL
from tests.store.rows import is_postgresql, names, new_setting, run, sqlite_file


@pytest.mark.parametrize("url", ["mysql://localhost/x", "satisflow.db", ""])
def test_another_kind_of_database_is_refused_with_the_kinds_there_are(url: str) -> None:
    with pytest.raises(Invalid, match="sqlite:///FILE or postgresql://"):
        open_store(url)


def test_a_missing_file_is_not_made_by_mistake(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no database .*mistyped\.db.*flow init"):
        open_store(f"sqlite:///{tmp_path / 'mistyped.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no folder .*nowhere"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'satisflow.db'}", upgrade=True)


def test_a_text_file_is_not_taken_for_a_database(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("尊敬的客户：\n" * 200, encoding="utf-8")
    before = file.read_bytes()
    for upgrade in (False, True):
        with pytest.raises(EngineError, match=r"letter\.txt is not an SQLite database"):
            open_store(f"sqlite:///{file}", upgrade=upgrade)
    assert file.read_bytes() == before


def test_a_folder_is_not_taken_for_a_database(tmp_path: Path) -> None:
    with pytest.raises(Denied, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_database_of_another_program_is_left_alone(empty_database: str) -> None:
    if is_postgresql(empty_database):
        import psycopg

        with psycopg.connect(empty_database) as other:
            other.execute("CREATE TABLE theirs (n int)")
    else:
        with closing(sqlite3.connect(sqlite_file(empty_database))) as other:
            other.execute("CREATE TABLE theirs (n int)")
    with pytest.raises(EngineError, match="another program"):
        open_store(empty_database, upgrade=True)


def test_a_damaged_database_sends_one_to_the_backup(tmp_path: Path) -> None:
    file = tmp_path / "satisflow.db"
    with open_store(f"sqlite:///{file}", upgrade=True) as store:
        for i in range(200):
            new_setting(store, f"n{i}", "x" * 500)
    pages = file.read_bytes()
    file.write_bytes(pages[:8192] + b"\xff" * (len(pages) - 8192))
    with pytest.raises(EngineError, match=r"damaged.*backup"), open_store(f"sqlite:///{file}") as store:
        names(store)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'satisflow.db'}", upgrade=True) as store:
        new_setting(store, "before", 1)
        with store.read() as conn:
            pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        disk = text(f"PRAGMA max_page_count = {pages + 2}")
        rows = [insert(tables.setting).values(name=f"n{i}", value="x" * 5000) for i in range(20)]
        with pytest.raises(EngineError, match=r"full.*Nothing was changed"):
            run(store, disk, *rows)
        assert names(store) == ["before"]


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may write everything, so step down for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_file_can_be_read_and_says_why_it_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "satisflow.db"
        with open_store(f"sqlite:///{file}", upgrade=True) as store:
            new_setting(store, "before", 1)
        file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        Path(folder).chmod(0o777)
        with as_an_ordinary_user(), open_store(f"sqlite:///{file}") as store:
            assert names(store) == ["before"]
            with pytest.raises(Denied, match=r"may only be read.*right to write"):
                new_setting(store, "after", 1)


def test_where_nothing_can_be_written_the_file_is_read_with_its_log_and_nothing_is_left_beside_it() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "satis flow#1.db"
        with open_store(f"sqlite:///{file}", upgrade=True) as store:
            new_setting(store, "before", 1)
        Path(folder).chmod(0o555)
        with as_an_ordinary_user(), open_store(f"sqlite:///{file}") as store:
            assert store.read_only
            assert names(store) == ["before"]
            with pytest.raises(Denied, match="may only be read"):
                new_setting(store, "after", 1)
            assert list(Path(folder).iterdir()) == [file]
        Path(folder).chmod(0o777)
        with open_store(f"sqlite:///{file}") as other:
            new_setting(other, "logged", 1)
            Path(folder).chmod(0o555)
            with as_an_ordinary_user(), open_store(f"sqlite:///{file}") as store:
                assert names(store) == ["before", "logged"]
        Path(folder).chmod(0o777)


def test_an_error_of_a_disk_without_space_is_said_to_be_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    place = str(tmp_path / "satisflow.db")
    space = os.statvfs(tmp_path)
    for free, said in ((space.f_blocks, "failed .*whether it is full"), (0, "is full.*free some space")):
        monkeypatch.setattr(
            os, "statvfs", lambda _path, free=free: os.statvfs_result((*space[:4], free, *space[5:]))
        )
        assert re.search(said, str(explain(error, place)))


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Conflict, match=r"No connection to .*127\.0\.0\.1:1/x") as told:
        open_store("postgresql://zhang:secret@127.0.0.1:1/x")
    assert "secret" not in str(told.value)


@pytest.mark.postgres
def test_a_missing_postgresql_database_or_user_is_named(postgresql: PostgreSQL) -> None:
    with pytest.raises(NotFound, match=r"no such database or user: .*nowhere"):
        open_store(postgresql.url("nowhere"), upgrade=True)
    with pytest.raises(NotFound, match=r"no such database or user: .*nobody"):
        open_store(postgresql.url("postgres").replace("tests@", "nobody@"))


@pytest.mark.postgres
def test_a_wrong_password_is_told_from_a_missing_server(postgresql: PostgreSQL) -> None:
    with pytest.raises(Denied, match="refused the name or the password") as told:
        open_store(postgresql.url(GUARDED).replace("tests@", "tests:wrong@"))
    assert "wrong@" not in str(told.value)


@pytest.mark.postgres
def test_a_connection_cut_by_the_server_is_told_and_the_next_one_works(postgresql: PostgreSQL) -> None:
    def be_cut_off(store: Store) -> None:
        with store.write() as conn:
            conn.execute(insert(tables.setting).values(name="half", value=1))
            mine = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with store.write() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 1000)"), {"pid": mine})
            conn.execute(insert(tables.setting).values(name="rest", value=1))

    with postgresql.database() as url, open_store(url) as store:
        with pytest.raises(Conflict, match="No connection"):
            be_cut_off(store)
        assert names(store) == []
