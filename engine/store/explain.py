"""What a database complains of, in the words of whoever has to mend it."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import Conflict, Denied, EngineError, NotFound
from engine.store.columns import metadata

_BUSY = "The database {place} is busy: another has been writing for too long. Nothing was changed; try again"
_FULL = "The disk of the database {place} is full. Nothing was changed; free some space on it and try again"
_NO_SPACE = 1 << 20
"""Bytes; SQLite calls it an I/O error when not even the index of its log (`-shm`) has room, as in a memory disk."""
_READ_ONLY = (
    "The database {place} may only be read. Nothing was changed; "
    "give this user the right to write the file and its folder"
)
DAMAGED = (
    "The database {place} is damaged ({reason}). Stop every program that uses it and restore the last backup"
)
_GONE = "No connection to the database {place} ({reason}). See that it runs, and try again"


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[EngineError]
    template: str


_SQLITE = {
    sqlite3.SQLITE_BUSY: _Meaning(Conflict, _BUSY),
    sqlite3.SQLITE_LOCKED: _Meaning(Conflict, _BUSY),
    sqlite3.SQLITE_FULL: _Meaning(EngineError, _FULL),
    sqlite3.SQLITE_READONLY: _Meaning(Denied, _READ_ONLY),
    sqlite3.SQLITE_PERM: _Meaning(Denied, _READ_ONLY),
    sqlite3.SQLITE_CORRUPT: _Meaning(EngineError, DAMAGED),
    sqlite3.SQLITE_NOTADB: _Meaning(
        EngineError,
        "{place} is not an SQLite database. Name another file, or restore this one from the last backup",
    ),
    sqlite3.SQLITE_CANTOPEN: _Meaning(
        Denied,
        "The database {place} cannot be opened. "
        "See that it is a file and that this user may read it and write to its folder",
    ),
    sqlite3.SQLITE_IOERR: _Meaning(
        EngineError,
        "The disk of the database {place} failed ({reason}). Nothing was changed; see whether it is full, "
        "then check it",
    ),
}

# By SQLSTATE: PostgreSQL 15, appendix A.
_POSTGRESQL = {
    "55P03": _Meaning(Conflict, _BUSY),  # lock_not_available
    "57014": _Meaning(Conflict, _BUSY),  # query_canceled: statement_timeout
    "40P01": _Meaning(Conflict, _BUSY),  # deadlock_detected
    "40001": _Meaning(Conflict, _BUSY),  # serialization_failure
    "25P03": _Meaning(Conflict, _GONE),  # idle_in_transaction_session_timeout
    "53100": _Meaning(EngineError, _FULL),
    "53300": _Meaning(
        Conflict,
        "The database {place} has no connection left. Try again, or raise its max_connections",
    ),
    "25006": _Meaning(Denied, _READ_ONLY),
    "42501": _Meaning(
        Denied,
        "This user may not do that in the database {place} ({reason}). Let the database's owner grant it",
    ),
    "XX001": _Meaning(EngineError, DAMAGED),
    "XX002": _Meaning(EngineError, DAMAGED),
}

_NO_TABLE = re.compile(r'no such table: (?:main\.)?(\w+)|relation "(\w+)" does not exist')

# libpq reports a failed connection in words only.
_UNCONNECTED = {
    "password": _Meaning(
        Denied, "The database {place} refused the name or the password. Correct the database address"
    ),
    "does not exist": _Meaning(
        NotFound,
        "The server has no such database or user: {place}. Create it, or correct the database address",
    ),
    "too many clients": _POSTGRESQL["53300"],
}


def explain(error: Exception, place: str) -> EngineError | None:
    """What `error`, met at the database `place`, means to a person; None when it is a bug of ours.

    Takes the drivers' errors, bare or wrapped by SQLAlchemy.
    """
    if isinstance(error, PoolTimeout):
        return Conflict(_BUSY, place=place)
    origin = error.orig if isinstance(error, DBAPIError) else error
    meaning = _sqlite(origin) if isinstance(origin, sqlite3.Error) else _postgresql(origin)
    reason = str(origin).strip().split("\n", 1)[0]
    if meaning is None and (lost := _NO_TABLE.search(reason)) and (lost[1] or lost[2]) in metadata.tables:
        meaning = _Meaning(EngineError, DAMAGED)  # any other name would be a bug of ours
    if meaning is None:
        return None
    if meaning is _SQLITE[sqlite3.SQLITE_IOERR] and _full(place):
        meaning = _SQLITE[sqlite3.SQLITE_FULL]
    return meaning.kind(meaning.template, place=place, reason=reason)


def _full(place: str) -> bool:
    """Whether hardly anything has room beside the database any more, or nothing that is new."""
    try:
        disk = os.statvfs(Path(place).parent)
    except (OSError, AttributeError):  # Windows has no such call
        return False
    return disk.f_bavail * disk.f_frsize < _NO_SPACE or (disk.f_files > 0 and disk.f_favail == 0)


def _sqlite(origin: sqlite3.Error) -> _Meaning | None:
    # The low byte is the kind, the rest the occasion (sqlite.org/rescode.html).
    return _SQLITE.get(getattr(origin, "sqlite_errorcode", 0) & 0xFF)


def _postgresql(origin: BaseException | None) -> _Meaning | None:
    if origin is None or not hasattr(origin, "sqlstate"):
        return None
    state = origin.sqlstate
    if state is not None:
        if state in _POSTGRESQL:
            return _POSTGRESQL[state]
        return _Meaning(Conflict, _GONE) if state[:2] == "08" or state[:4] == "57P0" else None
    if type(origin).__name__ not in ("OperationalError", "ConnectionTimeout"):
        return None
    for words, meaning in _UNCONNECTED.items():
        if words in str(origin):
            return meaning
    return _Meaning(Conflict, _GONE)
