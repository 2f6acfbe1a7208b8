"""The migrations make the tables of the metadata, all of them or none, and lose nothing on the way."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

import notices.tables  # noqa: F401  (every package that has tables adds them to the metadata)
import survey.tables  # noqa: F401
from engine.errors import Conflict, EngineError, NotFound
from engine.store import Store, open_store, schema, tables
from engine.store.columns import metadata
from tests.databases import PostgreSQL

OLDER = schema.NEWEST
MIGRATIONS = schema.MIGRATIONS

_PARTS = re.compile(r"[,()\n]")

STEP = """
from alembic import op
import sqlalchemy as sa
revision = "9999"
down_revision = "{before}"
def upgrade():
    op.create_table("extra", sa.Column("n", sa.Integer()))
    with op.batch_alter_table("instance") as batch:
        batch.add_column(sa.Column("mood", sa.Text()))
    {then}
"""


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program with one migration more; the test writes `9999_next.py` into the folder."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr("engine.store.connect.NEWEST", "9999")
    monkeypatch.setattr(schema, "NEWEST", "9999")
    return folder / "versions" / "9999_next.py"


def open_in_old_program(url: str, *, upgrade: bool = False) -> Store:
    """As the program of today opens it, whatever the next release brings."""
    with pytest.MonkeyPatch.context() as today:
        today.setattr(schema, "MIGRATIONS", MIGRATIONS)
        today.setattr(schema, "NEWEST", OLDER)
        today.setattr("engine.store.connect.NEWEST", OLDER)
        return open_store(url, upgrade=upgrade)


def remember(store: Store) -> None:
    with store.write() as conn:
        conn.execute(insert(tables.setting).values(name="before", value=1))


def remembered(store: Store) -> list[str]:
    with store.read() as conn:
        return list(conn.execute(select(tables.setting.c.name)).scalars())


@pytest.fixture
def database_in_use(database: str) -> str:
    """A database of today's program with a row in it."""
    with open_store(database) as store:
        remember(store)
    return database


def made_of(conn: Connection) -> set[str]:
    """Every table and index of a database, in its own words."""
    if conn.dialect.name == "sqlite":
        rows = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        # Columns and constraints are compared as a set: their order says nothing (a column added later stands last),
        # nor do quotes round a name.
        return {
            f"{name}: {sorted(part.strip().replace(chr(34), '') for part in _PARTS.split(sql) if part.strip())}"
            for name, sql in rows
            if name != "alembic_version" and sql
        }
    columns = conn.execute(
        text(
            "SELECT table_name, column_name, data_type, is_nullable, column_default, identity_generation"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        )
    )
    indexes = conn.execute(text("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    constraints = conn.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
        )
    )
    found = [*columns, *indexes, *constraints]
    return {str(tuple(row)) for row in found if row[0] != "alembic_version"}


def test_the_migrations_make_the_tables_of_the_metadata(store: Store) -> None:
    with store.read() as conn:
        context = MigrationContext.configure(conn, opts={"target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_migrated_sqlite_tables_are_spelled_as_the_metadata_spells_them() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    with open_store("sqlite://") as store, store.read() as migrated, engine.connect() as conn:
        metadata.create_all(conn)
        assert made_of(migrated) == made_of(conn)


@pytest.mark.postgres
def test_migrated_postgresql_tables_are_spelled_as_the_metadata_spells_them(postgresql: PostgreSQL) -> None:
    with postgresql.database() as url, postgresql.database(migrated=False) as bare:
        engine = create_engine(bare.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with open_store(url) as store, store.read() as migrated, engine.connect() as conn:
            metadata.create_all(conn)
            assert made_of(migrated) == made_of(conn)


def test_the_history_of_migrations_is_one_line() -> None:
    script = ScriptDirectory(str(schema.MIGRATIONS))
    steps = [step.revision for step in script.walk_revisions()]
    assert steps == sorted(schema.REVISIONS, reverse=True)
    assert script.get_heads() == [schema.NEWEST]


def test_an_empty_database_gets_its_tables_only_when_asked(empty_database: str) -> None:
    with pytest.raises(NotFound, match="flow init"):
        open_store(empty_database)
    with open_store(empty_database, upgrade=True) as store:
        remember(store)
    with open_store(empty_database) as store:
        assert remembered(store) == ["before"]


def test_several_programs_may_open_a_new_database_at_once(empty_database: str) -> None:
    program = f"from engine.store import open_store; open_store({empty_database!r}, upgrade=True).close()"
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", program]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]


def test_several_threads_may_open_databases_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(open_store, ["sqlite://"] * 4))
    for store in stores:
        with store:
            remember(store)
            assert remembered(store) == ["before"]


def test_tables_of_a_newer_program_are_left_alone(database: str) -> None:
    with open_store(database) as store, store.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9998'"))
    for upgrade in (False, True):
        with pytest.raises(Conflict, match=r"newer satisflow \(revision 9998;.*Update the program"):
            open_store(database, upgrade=upgrade)


def test_older_tables_are_migrated_only_when_asked_and_keep_their_rows(
    database_in_use: str, next_release: Path
) -> None:
    next_release.write_text(STEP.format(before=OLDER, then="pass"))
    with pytest.raises(Conflict, match=rf"older satisflow \(revision {OLDER};.*flow doctor"):
        open_store(database_in_use)
    with open_store(database_in_use, upgrade=True) as store:
        assert remembered(store) == ["before"]
        with store.read() as conn:
            assert conn.execute(text("SELECT count(mood) FROM instance")).scalar_one() == 0
        with pytest.raises(IntegrityError), store.write() as conn:
            conn.execute(insert(tables.permission).values(person="nobody", name="act-for"))


def test_a_migration_that_fails_changes_nothing(database_in_use: str, next_release: Path) -> None:
    next_release.write_text(STEP.format(before=OLDER, then="raise RuntimeError('half way')"))
    with open_in_old_program(database_in_use) as store, store.read() as conn:
        before = made_of(conn)
    with pytest.raises(RuntimeError, match="half way"):
        open_store(database_in_use, upgrade=True)
    with open_in_old_program(database_in_use) as store, store.read() as conn:
        assert made_of(conn) == before
        assert remembered(store) == ["before"]


def test_an_sqlite_file_is_copied_before_it_is_migrated(tmp_path: Path, next_release: Path) -> None:
    file = tmp_path / "satisflow.db"
    with open_in_old_program(f"sqlite:///{file}", upgrade=True) as store:
        remember(store)
    earlier = tmp_path / f"satisflow.db.{OLDER}.backup"
    earlier.write_text("an earlier copy")
    next_release.write_text(STEP.format(before=OLDER, then="op.drop_table('setting')"))
    open_store(f"sqlite:///{file}", upgrade=True).close()
    assert earlier.read_text() == "an earlier copy"
    assert sorted(path.name for path in tmp_path.glob("*backup*")) == [
        f"satisflow.db.{OLDER}-2.backup",
        f"satisflow.db.{OLDER}.backup",
    ]
    with open_in_old_program(f"sqlite:///{tmp_path / f'satisflow.db.{OLDER}-2.backup'}") as store:
        assert remembered(store) == ["before"]


def test_a_migration_that_leaves_orphans_is_taken_back(tmp_path: Path, next_release: Path) -> None:
    file = f"sqlite:///{tmp_path / 'satisflow.db'}"
    open_in_old_program(file, upgrade=True).close()
    orphan = "INSERT INTO permission (person, name) VALUES ('nobody', 'act-for')"
    next_release.write_text(STEP.format(before=OLDER, then=f'op.execute("{orphan}")'))
    with pytest.raises(EngineError, match="row of permission refers to a row of person that is missing"):
        open_store(file, upgrade=True)
    with open_in_old_program(file) as store, store.read() as conn:
        assert conn.execute(select(tables.permission)).all() == []
