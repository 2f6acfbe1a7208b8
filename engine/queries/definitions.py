"""Published procedures and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, func, select

from engine.bpmn.diagram import Diagram
from engine.errors import NotFound
from engine.procedures import Procedure
from engine.store.tables import definition, definition_call, instance


@dataclass(frozen=True, slots=True)
class Definition:
    """One published version of a procedure."""

    hash: str
    procedure: str
    version: int
    code: str
    title: str
    published_at: datetime
    published_by: str
    newest: bool
    running: int
    """Its instances that are running or suspended."""


class Published(Protocol):
    """A published definition, read."""

    @property
    def version(self) -> int:
        """Of its procedure, from 1."""

    @property
    def diagram(self) -> Diagram:
        """What runs."""

    @property
    def procedure(self) -> Procedure:
        """Its files."""


class Library(Protocol):
    """Where definitions are read, once each."""

    def find(self, conn: Connection, hash_: str, /) -> Published:
        """The definition of that hash. Raises NotFound."""


def definitions(conn: Connection, *, all_versions: bool = False) -> tuple[Definition, ...]:
    """The newest version of each procedure, or every version; by procedure, the newest first."""
    found = _definitions(conn)
    return found if all_versions else tuple(each for each in found if each.newest)


def versions(conn: Connection, name: str) -> tuple[Definition, ...]:
    """All versions of a procedure, by its id or code, the newest first. Raises NotFound."""
    found = tuple(each for each in _definitions(conn) if name in (each.procedure, each.code))
    if not found:
        raise NotFound(
            "No procedure {name} is published here; see `flow procedure list`, then `flow procedure publish {name}`",
            name=name,
        )
    return found


def calls(conn: Connection, hash_: str) -> tuple[tuple[str, str, str], ...]:
    """What a definition calls: (process, procedure, hash)."""
    query = (
        select(definition_call.c.process, definition.c.procedure, definition.c.hash)
        .select_from(definition_call.join(definition, definition.c.hash == definition_call.c.callee))
        .where(definition_call.c.caller == hash_)
        .order_by(definition_call.c.process)
    )
    return tuple((row.process, row.procedure, row.hash) for row in conn.execute(query))


def processes(conn: Connection) -> dict[str, str]:
    """The main process of each published procedure, to the hash of its newest version."""
    query = select(definition.c.facts, definition.c.hash).order_by(
        definition.c.published_at, definition.c.version
    )
    return {row.facts["process"]: row.hash for row in conn.execute(query)}


def english(conn: Connection) -> dict[str, str]:
    """What published procedures are called in English, by the Chinese title that they and their instances bear."""
    query = select(definition.c.title, definition.c.facts).order_by(
        definition.c.published_at, definition.c.version
    )
    return {row.title: row.facts["title_en"] for row in conn.execute(query) if row.facts.get("title_en")}


def _definitions(conn: Connection) -> tuple[Definition, ...]:
    running = (
        select(instance.c.definition, func.count().label("running"))
        .where(instance.c.status.in_(("running", "suspended")))
        .group_by(instance.c.definition)
        .subquery()
    )
    columns = [each for each in definition.c if each.name not in ("bundle", "facts")]
    query = (
        select(*columns, func.coalesce(running.c.running, 0).label("running"))
        .select_from(definition.outerjoin(running, running.c.definition == definition.c.hash))
        .order_by(definition.c.procedure, definition.c.version.desc())
    )
    found: list[Definition] = []
    for row in conn.execute(query):
        newest = not found or found[-1].procedure != row.procedure
        found.append(
            Definition(
                row.hash, row.procedure, row.version, row.code, row.title, row.published_at, row.published_by, newest,
                row.running,
            )
        )  # fmt: skip
    return tuple(found)
