"""Every column is held against the journal by `flow audit verify`, or docs/journal.md names it as one that is not.

The columns are tried out on a survey that was played to its end: with call-backs, checks, an archive, a schedule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from engine.app import App
from engine.commands.schedules import Schedule
from engine.model import SYSTEM
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store import tables
from engine.store.columns import Instant, Json, metadata
from engine.store.contradictions import contradictions
from engine.store.verify import Fault, verify
from tests.databases import PostgreSQL
from tests.procedures.playing import ROOT, played
from tests.store.histories import tampering
from tests.survey.waves import make_wave

_UNSEEN = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)
ENGINE = {each.name for each in vars(tables).values() if isinstance(each, Table)}
_NO_ROWS = {"seal", "private", "substitute", "permission", "delivery", "contact", "kickoff", "subscription"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    procedure = load(ROOT / "processes" / "owner-annual-90-80-90", ROOT / "forms")
    assert procedure.scenarios is not None
    scenarios = read_scenarios(procedure.scenarios)
    with played(scenarios, procedure, "happy", tmp_path_factory.mktemp("survey")) as player:
        player.app.do(Schedule(by=SYSTEM, procedure=procedure.id, unit=scenarios.stage.unit))
        yield player.app


def unseen() -> dict[str, set[str]]:
    """Table to columns, as docs/journal.md lists what cannot be seen."""
    text = (ROOT / "docs" / "journal.md").read_text(encoding="utf-8")
    part = text.partition("**What it cannot see.**")[2].partition("\n**")[0]
    return {name: set(re.findall(r"`(\w+)`", columns)) for name, columns in _UNSEEN.findall(part)}


def other(kind: TypeEngine[object], name: str) -> str:
    """SQL for a value that a column did not have."""
    if isinstance(kind, Boolean):
        return f"NOT coalesce({name}, 0)"
    if isinstance(kind, Integer | Instant):
        return f"coalesce({name}, 0) + 100000"
    if isinstance(kind, LargeBinary):
        return "x'00'"
    return "'{\"other\":1}'" if isinstance(kind, Json) else f"coalesce({name}, '') || 'x'"


def found(app: App, conn: Connection, name: str = "") -> Iterator[Fault]:
    """What is found, first by whoever has to do with the table of that name."""
    if name not in ENGINE:
        for compare in app.comparisons:
            yield from compare(conn)
    yield from contradictions(conn)
    yield from verify(conn).faults
    if name in ENGINE:
        for compare in app.comparisons:
            yield from compare(conn)


def last(table: Table) -> str:
    """SQL for the row with the greatest key alone."""
    key = ", ".join(f'"{each.name}"' for each in table.primary_key)
    down = key.replace(",", " DESC,")
    return f'WHERE ({key}) = (SELECT {key} FROM "{table.name}" ORDER BY {down} DESC LIMIT 1)'


def altered(conn: Connection, table: Table, column: str, where: str = "") -> None:
    """In all rows, or those that `where` says: the column has another value; of `rows` there is none."""
    if column == "rows":
        conn.exec_driver_sql(f'DELETE FROM "{table.name}" {where}')
        return
    conn.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    value = other(table.c[column].type, f'"{column}"')
    conn.exec_driver_sql(f'UPDATE "{table.name}" SET "{column}" = {value} {where}')


def test_every_column_is_held_against_the_journal_or_named_as_one_that_is_not(app: App) -> None:
    known, wrong = unseen(), []
    with app.store.read() as conn:
        assert [str(each) for each in found(app, conn)] == []
        filled = {
            name for name, each in metadata.tables.items() if conn.execute(each.select().limit(1)).first()
        }
    assert set(metadata.tables) - filled == _NO_ROWS
    for name in sorted(filled):
        table, hidden = metadata.tables[name], known.get(name, set())
        columns = [*table.c.keys(), "rows"]
        assert hidden <= set(columns), name
        for column in columns:
            with tampering(app.store) as conn:
                conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                if column not in hidden:
                    altered(conn, table, column, last(table))
                    if next(found(app, conn, name), None) is None:
                        wrong.append(f"{name}.{column} is altered in one row, and nobody says so")
        with tampering(app.store) as conn:
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for column in hidden - {"rows"}:
                altered(conn, table, column)
            wrong += [f"{name}: one of {sorted(hidden)} is seen: {each}" for each in found(app, conn)]
    assert not wrong, "\n".join(wrong)


def test_a_survey_agrees_with_its_journal_on_postgresql_too(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with postgresql.database() as url:
        for wave in make_wave(tmp_path, url):
            with wave.app.store.read() as conn:
                assert [str(each) for each in found(wave.app, conn)] == []
            with tampering(wave.app.store) as conn:
                conn.exec_driver_sql("UPDATE draw SET population = population + 1")
                (fault,) = found(wave.app, conn)
                assert "the table draw has population" in str(fault)
