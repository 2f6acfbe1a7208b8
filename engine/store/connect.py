"""The way into the database: one place opens it, one place begins and ends transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from engine.errors import Conflict, EngineError, Invalid, NotFound, Problem
from engine.store.explain import explain
from engine.store.schema import NEWEST, bring_up_to_date, revision_of

PATIENCE = 30.0
"""Seconds that one SQLite writer waits for another: long enough for some sixty commands typed at the same moment
on a busy machine of two cores, each of which holds the lock for a quarter of a second there."""

SILENCE = 2.0
"""Seconds after which a writer that waits says so."""

# A lock is waited for longer than a statement of a sound writer takes; a client that fell silent inside a
# transaction is cut off before those who wait for it lose their patience for good.
_SETTINGS = "-c lock_timeout=20s -c statement_timeout=30s -c idle_in_transaction_session_timeout=15s"

_DATABASE_ERRORS = (DBAPIError, PoolTimeout, sqlite3.Error)


class Store:
    """An open database. `write()` and `read()` are the only ways to its rows; `close()` it after use.

    Several threads may use one store. SQLite has one writer at a time, the others wait up to `PATIENCE`; an
    in-memory database has one connection, so there a reader waits as well.
    """

    def __init__(self, engine: Engine, place: str, *, read_only: bool = False) -> None:
        self.place = place
        """The file or the address without password, for messages."""
        self.read_only = read_only
        """The file lies where this user cannot write; it is read as it stands, and nothing is left beside it."""
        self.waits: Callable[[], None] | None = None
        """Is told, each time, when a writer has to wait for another one (SQLite only)."""
        self.dialect = engine.dialect.name
        """`sqlite` or `postgresql`."""
        self._writer = engine.execution_options(writes=True)
        self._reader = engine
        if self.dialect == "postgresql":
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        else:
            event.listen(engine, "begin", self._begin)

    def _begin(self, conn: Connection) -> None:
        """Begin a transaction on SQLite: the driver would guess where one begins from the statements it sees."""
        driver = _driver(conn)
        if not conn.get_execution_options().get("writes"):
            driver.execute("BEGIN")
            return
        quiet = min(SILENCE, PATIENCE)
        try:
            driver.execute(f"PRAGMA busy_timeout = {quiet * 1000:.0f}")
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                if self.waits is not None:
                    self.waits()
                driver.execute(f"PRAGMA busy_timeout = {(PATIENCE - quiet) * 1000:.0f}")
                driver.execute("BEGIN IMMEDIATE")
        finally:
            driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        On SQLite the write lock is taken at once, so what is read inside stays true until the commit; on
        PostgreSQL (READ COMMITTED) lock the rows you decide on. Raises Conflict when others write for too
        long, Denied when the database may only be read, EngineError when it fails (disk full, damaged).
        """
        with _explained(self.place), self._writer.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout, takes no locks and changes nothing."""
        with _explained(self.place), self._reader.connect() as conn:
            yield conn

    def close(self) -> None:
        """Give the connections back. The store can not be used afterwards."""
        self._writer.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def savepoint(conn: Connection) -> Iterator[None]:
    """Part of a transaction that is undone by itself when the block raises."""
    with conn.begin_nested():
        yield


def open_store(url: str, *, durable: bool = True, upgrade: bool = False, create: bool = True) -> Store:
    """Open the database at `url`: `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://USER@HOST/NAME`.

    An SQLite file in a folder that this user cannot write to is opened for reading only.

    With `upgrade` missing tables are made (but not where `create` is false) and older ones migrated, in one
    transaction, after a backup copy of an SQLite file; an in-memory database always gets its tables. Without
    `durable` the last commits may be lost when the power fails (never half of one).

    Raises Invalid for another kind of address, NotFound for a missing file, folder, database or tables, Denied for a
    wrong password or missing rights, Conflict for a server that does not answer and for tables newer than the
    program or (without `upgrade`) older, EngineError for what is not a database of ours or is damaged.
    """
    address = _address(url)
    place = _place(address)
    in_memory = address.get_backend_name() == "sqlite" and not _file(address)
    upgrade = upgrade or in_memory
    if (file := _file(address)) is not None:
        _check_file(file, may_create=upgrade and create)
    read_only = file is not None and not _writable(file.parent)
    engine = _sqlite(address, durable, read_only) if file or in_memory else _postgresql(address, durable)
    store = Store(engine, place, read_only=read_only)
    try:
        if in_memory:
            _lay_out(store)
        else:
            _check_tables(store, may_upgrade=upgrade, may_create=upgrade and create)
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except _DATABASE_ERRORS as error:
        if (meaning := explain(error, place)) is None:
            raise
        raise meaning from error


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
    if address is None or address.get_backend_name() not in drivers:
        kind = "" if address is None else address.drivername
        raise Invalid(
            [
                Problem(
                    "database",
                    "{kind!r} is no kind of database: write sqlite:///FILE or postgresql://USER@HOST/NAME",
                    {"kind": kind},
                )
            ]
        )
    return address.set(drivername=drivers[address.get_backend_name()])


def _file(address: URL) -> Path | None:
    """The SQLite file; None for an in-memory database and for PostgreSQL."""
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def _place(address: URL) -> str:
    if address.get_backend_name() == "sqlite":
        return str(_file(address) or "in memory")
    return address.set(drivername="postgresql").render_as_string(hide_password=True)


def _check_file(file: Path, *, may_create: bool) -> None:
    """Look before SQLite does: it would make an empty database of a mistyped name."""
    if not file.parent.is_dir():
        raise NotFound(
            "There is no folder {folder} for the database. Make it, or correct the address",
            folder=file.parent,
        )
    if not may_create and not file.exists():
        raise NotFound(
            "There is no database {place}. Restore it from a backup, correct the address, or begin anew, without "
            "anything of what happened, with `flow init` on the workspace's folder",
            place=file,
        )


def _check_tables(store: Store, *, may_upgrade: bool, may_create: bool) -> None:
    with store.read() as conn:
        revision = revision_of(conn, store.place)
    if revision == NEWEST:
        return
    if may_create if revision is None else may_upgrade:
        with _explained(store.place):
            bring_up_to_date(store._writer, store.place)
    elif revision is None:
        raise NotFound(
            "The database {place} is empty. Restore it from a backup, or make its tables with `flow init` on the "
            "workspace's folder",
            place=store.place,
        )
    else:
        raise Conflict(
            "The database {place} was written by an older satisflow (revision {revision}; this program needs "
            "{newest}). Run `flow doctor` to bring it up to date",
            place=store.place,
            revision=revision,
            newest=NEWEST,
        )


@cache
def _blank() -> bytes:
    """An empty database with all its tables, migrated once per program: rehearsals make many."""
    with Store(_sqlite(make_url("sqlite+pysqlite://"), False), "in memory") as store:
        _check_tables(store, may_upgrade=True, may_create=True)
        with store.read() as conn:
            return bytes(_driver(conn).serialize())


def _lay_out(store: Store) -> None:
    raw = _blank()
    driver = store._reader.raw_connection()
    try:
        connection: Any = driver.driver_connection
        connection.deserialize(raw)
    finally:
        driver.close()


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _as_it_stands(file: Path) -> sqlite3.Connection:
    """A connection to a file beside which none can be made.

    SQLite reads a log that lies there; without one it has to be told that nobody writes, or it would make one
    (sqlite.org/wal.html, "Read-Only Databases").
    """
    log = file.with_name(f"{file.name}-wal")
    alone = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=ro{alone}",
        uri=True,
        timeout=PATIENCE,
        check_same_thread=False,
        cached_statements=256,
    )


def _sqlite(address: URL, durable: bool, read_only: bool = False) -> Engine:
    # One connection only when it is the database: a second one would open another, empty one.
    size, more = (5, 20) if _file(address) else (1, 0)
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=more,
        pool_timeout=PATIENCE,
        connect_args={"timeout": PATIENCE, "check_same_thread": False, "cached_statements": 256},
        **({"creator": lambda: _as_it_stands(Path(str(address.database)))} if read_only else {}),
    )

    @event.listens_for(engine, "connect")
    def prepare(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None  # transactions are begun by the store
        if read_only:
            return
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        driver.execute("PRAGMA foreign_keys = ON")

    return engine


def _postgresql(address: URL, durable: bool) -> Engine:
    settings = _SETTINGS if durable else f"{_SETTINGS} -c synchronous_commit=off"
    try:
        return create_engine(
            address,
            isolation_level="READ COMMITTED",
            pool_size=5,
            max_overflow=20,
            connect_args={
                "options": settings,
                "application_name": "satisflow",
                "connect_timeout": 10,
                "keepalives_idle": 30,
            },
        )
    except ModuleNotFoundError as error:
        raise EngineError(
            "PostgreSQL needs a driver that is not installed: pip install 'satisflow[postgresql]'"
        ) from error
