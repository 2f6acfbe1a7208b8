"""Which tables a database has, and how they are brought up to date.

The revision of a database stands in its `alembic_version`; the revisions this program knows are the numbered
files of `migrations/versions`. Alembic itself is loaded only to migrate.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from engine.errors import Conflict, EngineError
from engine.store.explain import DAMAGED

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = tuple(sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")))
NEWEST = REVISIONS[-1]

_MARK = "alembic_version"
_UPGRADE_LOCK = 7_348_263_001  # any number, the same in every process that may upgrade
_ALEMBIC = threading.Lock()  # it keeps its context in module variables


def revision_of(conn: Connection, place: str) -> str | None:
    """The revision of the tables; None for a database without tables.

    Raises Conflict when they were written by a newer program, EngineError when they belong to another one or
    the mark of their revision is lost.
    """
    there = set(inspect(conn).get_table_names())
    if there and _MARK not in there and "journal" not in there:
        raise EngineError(
            "The database {place} holds the tables of another program. Give satisflow one of its own",
            place=place,
        )
    revision: str | None = None
    if _MARK in there:
        revision = conn.execute(text(f"SELECT version_num FROM {_MARK}")).scalar()  # noqa: S608
    if revision is None and there - {_MARK}:
        raise EngineError(DAMAGED, place=place, reason=f"no row in {_MARK}")
    if revision is not None and revision not in REVISIONS:
        raise Conflict(
            "The database {place} was written by a newer satisflow (revision {revision}; this program knows "
            "{newest}). Update the program",
            place=place,
            revision=revision,
            newest=NEWEST,
        )
    return revision


def bring_up_to_date(writer: Engine, place: str) -> None:
    """Bring the tables up to date, in one transaction: all of it or nothing.

    An SQLite file with data is first copied to `<file>.<revision>.backup` beside it.
    """
    with writer.connect() as conn:
        sqlite = conn.dialect.name == "sqlite"
        if sqlite:
            # Rebuilding a table must not look like deleting it. SQLite heeds this outside a transaction only.
            _drive(conn, "PRAGMA foreign_keys = OFF")
        try:
            with conn.begin():
                _upgrade_locked(conn, place)
        finally:
            if sqlite:
                _drive(conn, "PRAGMA foreign_keys = ON")


def _upgrade_locked(conn: Connection, place: str) -> None:
    sqlite = conn.dialect.name == "sqlite"
    if not sqlite:
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    # Read under the lock: another process may have been quicker.
    revision = revision_of(conn, place)
    if revision == NEWEST:
        return
    if sqlite and revision is not None and conn.engine.url.database:
        _back_up(Path(conn.engine.url.database), revision)
    _migrate(conn)
    if sqlite:
        broken = conn.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise EngineError(
                "The database {place} cannot be upgraded: a row of {table} refers to a row of {referred} "
                "that is missing. Nothing was changed; restore a sound backup",
                place=place,
                table=broken[0],
                referred=broken[2],
            )


def _migrate(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    with _ALEMBIC:
        command.upgrade(config, "head")


def _back_up(file: Path, revision: str) -> None:
    """A copy of `file` as last committed; the caller's write lock keeps others from changing it meanwhile."""
    backup = file.with_name(f"{file.name}.{revision}.backup")
    number = 1
    while backup.exists():
        number += 1
        backup = file.with_name(f"{file.name}.{revision}-{number}.backup")
    unfinished = backup.with_name(f"{backup.name}.part")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source:
        # VACUUM INTO leaves out what was erased, which a copy of the pages would keep.
        source.execute("VACUUM INTO ?", (str(unfinished),))
    unfinished.rename(backup)


def _drive(conn: Connection, statement: str) -> None:
    """Run `statement` on the driver itself, so that SQLAlchemy begins no transaction for it."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(statement)
