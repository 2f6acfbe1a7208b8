"""The floor: the rows that a step leaves, written with the database's own driver and nothing else.

The tables, indexes, rows and hash chains are the engine's; what is missing is every decision: no diagram, form,
right or calendar is looked at, no value is checked. No engine that keeps this history can be faster.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks.measuring import Course
from benchmarks.samples import ANSWERS, BEGIN, CUSTOMER
from engine.store import open_store
from engine.store.columns import to_micros
from engine.store.journal import digest

TABLES = ("instance", "user_task", "deadline", "journal")
_NOW = to_micros(BEGIN)
_FIRST = bytes(32)
_STATE = orjson.dumps(
    {"v": {**CUSTOMER, **ANSWERS}, "n": 4, "s": [[1, "row", None, None, 1]], "t": [[4, "task", 1, 8]]}
)
_LINES = orjson.dumps(
    [
        {"day": "2026-01-05", "count": n, "reason": "weekday", "name": "", "provisional": False}
        for n in range(4)
    ]
).decode()

_SQL = {
    "start": "INSERT INTO instance (definition, process, procedure, unit, title, status, state, state_format, version,"
    " next_task, head_seq, head_hash, sealed, started_at, started_by)"
    " VALUES ('d', 'row', 'row', 'office', 't', 'running', ?, 1, 1, 2, ?, ?, FALSE, ?, 'clerk') RETURNING id",
    "instance": "SELECT version, head_seq, head_hash, state, status, definition, process, unit"
    " FROM instance WHERE id = ?",
    "task": "SELECT * FROM user_task WHERE id = ?",
    "close": "UPDATE user_task SET status = 'done', closed_at = ?, closed_by = 'clerk', version = version + 1"
    " WHERE id = ? AND version = 0",
    "met": "UPDATE deadline SET status = 'met', closed_at = ?"
    " WHERE instance_id = ? AND task_id = ? AND status = 'armed' RETURNING name, due_day",
    "arm": "INSERT INTO deadline (instance_id, task_id, token, element, name, rule, anchors, calendar, due_at, due_day,"
    " status, armed_at, lines) VALUES (?, ?, 4, 'task', 'n', 'P3WD', '{}', 'c', ?, '2026-01-08', 'armed', ?, ?)",
    "open": "INSERT INTO user_task (id, instance_id, token, element, name, role, unit, status, due_at, priority, form,"
    " opened_at, version) VALUES (?, ?, 4, 'task', 'n', 'clerk', 'office', 'open', ?, 0, 'entry', ?, 0)",
    "journal": "INSERT INTO journal (chain, seq, at, by, kind, subject, facts, prev, hash)"
    " VALUES (?, ?, ?, 'clerk', ?, ?, ?, ?, ?)",
    "save": "UPDATE instance SET status = ?, state = ?, version = ?, next_task = ?, head_seq = ?, head_hash = ?,"
    " sealed = FALSE WHERE id = ? AND version = ?",
    "define": "INSERT INTO definition"
    " (hash, procedure, version, code, title, published_at, published_by, bundle, facts)"
    " VALUES ('d', 'row', 1, '', 't', 0, 'clerk', ?, '{}')",
}

_OPENED: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("deadline.armed", {"name": "登记", "rule": "P3WD", "due": "2026-01-08", "provisional": False}),
    ("task.opened", {"element": "task1", "name": "登记", "role": "clerk", "due": "2026-01-08"}),
)
_MOVED: tuple[str, Mapping[str, object]] = ("instance.moved", {"path": ["task1"]})
_COMPLETED: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("deadline.met", {"name": "登记", "due": "2026-01-08"}),
    ("task.completed", {"element": "task0", "name": "登记", "values": ANSWERS, "late": False}),
)
_ENDED: tuple[str, Mapping[str, object]] = ("instance.completed", {"outcome": "completed"})


class Floor:
    """Instances of three tasks in a row, by bare statements."""

    def __init__(self, run: Callable[..., Any], many: Callable[..., Any], mark: str, lock: str) -> None:
        self.run, self.many = run, many
        self.sql = {name: text.replace("?", mark) for name, text in _SQL.items()}
        for name in ("instance", "task"):
            self.sql[name] += lock
        self.numbers: list[int] = []

    def begin(self, instances: int) -> None:
        """Lay the instances out, each at its first task. The caller commits."""
        self.run(self.sql["define"], (b"",))
        for _ in range(instances):
            number = self.run(self.sql["start"], (_STATE, 0, _FIRST, _NOW)).fetchone()[0]
            rows, head = self._chain(number, 0, _FIRST, [("instance.started", CUSTOMER), *_OPENED, _MOVED])
            self._open(number, 1)
            self.many(self.sql["journal"], rows)
            self.run(self.sql["save"], ("running", _STATE, 2, 2, len(rows), head, number, 1))
            self.numbers.append(number)

    def step(self, number: int) -> None:
        """Close a task, meet its deadline, open the next. The caller begins and commits."""
        place, count = divmod(number, len(self.numbers))[::-1]
        instance, last = self.numbers[place], count == 2
        task = f"SV-{instance}.{count + 1}"
        row = self.run(self.sql["instance"], (instance,)).fetchone()
        self.run(self.sql["task"], (task,)).fetchone()
        version, seq, head = row[0], row[1], bytes(row[2])
        facts = [*_COMPLETED, _MOVED, _ENDED] if last else [*_COMPLETED, *_OPENED, _MOVED]
        rows, head = self._chain(instance, seq, head, facts)
        if self.run(self.sql["close"], (_NOW, task)).rowcount != 1:
            raise RuntimeError(f"{task} was closed already")
        self.run(self.sql["met"], (_NOW, instance, task)).fetchall()
        if not last:
            self._open(instance, count + 2)
        self.many(self.sql["journal"], rows)
        status = "completed" if last else "running"
        values = (status, _STATE, version + 1, count + 3, seq + len(rows), head, instance, version)
        if self.run(self.sql["save"], values).rowcount != 1:
            raise RuntimeError(f"instance {instance} was moved by another")

    def _open(self, instance: int, number: int) -> None:
        task = f"SV-{instance}.{number}"
        self.run(self.sql["arm"], (instance, task, _NOW, _NOW, _LINES))
        self.run(self.sql["open"], (task, instance, _NOW, _NOW))

    def _chain(
        self, instance: int, seq: int, head: bytes, facts: Sequence[tuple[str, Mapping[str, object]]]
    ) -> tuple[list[tuple[object, ...]], bytes]:
        rows: list[tuple[object, ...]] = []
        chain = f"SV-{instance}"
        for kind, values in facts:
            seq += 1
            text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
            now = digest(head, chain, seq, _NOW, "clerk", None, kind, chain, text)
            rows.append((chain, seq, _NOW, kind, chain, text, head, now))
            head = now
        return rows, head


@contextmanager
def on_sqlite(instances: int, *, durable: bool) -> Iterator[Course]:
    """The floor on an SQLite file, with the engine's pragmas."""
    with TemporaryDirectory(prefix="satisflow-benchmark-") as folder:
        file = Path(folder) / "floor.db"
        open_store(f"sqlite:///{file}", upgrade=True).close()
        driver = sqlite3.connect(file, isolation_level=None, cached_statements=256)
        driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        driver.execute("PRAGMA foreign_keys = ON")
        floor = Floor(driver.execute, driver.executemany, "?", "")
        driver.execute("BEGIN IMMEDIATE")
        floor.begin(instances)
        driver.execute("COMMIT")

        def step(number: int) -> None:
            driver.execute("BEGIN IMMEDIATE")
            floor.step(number)
            driver.execute("COMMIT")

        yield Course("floor", step, lambda: _counts(driver.execute))
        driver.close()


@contextmanager
def postgresql_database(server: str) -> Iterator[str]:
    """The address of a new, empty database beside the one named; it is dropped in the end."""
    import psycopg

    name = f"satisflow_benchmark_{token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as driver:
        driver.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            driver.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def on_postgresql(url: str, instances: int) -> Iterator[Course]:
    """The floor on PostgreSQL, by psycopg."""
    import psycopg

    open_store(url, upgrade=True).close()
    with psycopg.connect(url) as driver:
        cursor = driver.cursor()
        floor = Floor(cursor.execute, cursor.executemany, "%s", " FOR UPDATE")
        floor.begin(instances)
        driver.commit()

        def step(number: int) -> None:
            floor.step(number)
            driver.commit()

        yield Course("floor", step, lambda: _counts(cursor.execute))


def _counts(run: Callable[..., Any]) -> dict[str, int]:
    return {name: run(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
