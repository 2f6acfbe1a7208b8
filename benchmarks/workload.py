"""Workload W: three user tasks in a row, each with a form of eight fields and a deadline in working days."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from benchmarks import floor, plain_spiff
from benchmarks.measuring import Course, Table, Timing, milliseconds, same, spread, take_turns
from benchmarks.samples import ANSWERS, CLERK, CUSTOMER, UNIT, house, in_a_row
from engine.app import App
from engine.commands.instances import Start
from engine.commands.worklist import Complete
from engine.store import tables
from engine.store.columns import metadata

POSTGRESQL = "SATISFLOW_BENCHMARK_POSTGRESQL"
"""The environment variable that names a PostgreSQL database, as a user who may create others beside it."""


@contextmanager
def ours(instances: int, *, durable: bool = True, database: str | None = None) -> Iterator[Course]:
    """The engine, through `App.do`."""
    with house(in_a_row(3), durable=durable, database=database) as app:
        begun = [
            app.do(Start(by=CLERK, procedure="row", unit=UNIT, variables=CUSTOMER)).value
            for _ in range(instances)
        ]

        def step(number: int) -> None:
            place, count = divmod(number, instances)[::-1]
            app.do(Complete(by=CLERK, task=f"SV-{begun[place]}.{count + 1}", values=ANSWERS))

        yield Course("satisflow", step, lambda: counts(app))


def counts(app: App) -> dict[str, int]:
    """The rows of instances, in the tables that the floor fills too."""
    with app.store.read() as conn:
        found = {
            name: conn.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
            for name in floor.TABLES
        }
        journal = tables.journal
        others = select(func.count()).select_from(journal).where(journal.c.chain.not_like("SV-%"))
        found["journal"] -= conn.execute(others).scalar_one()
    return found


def workload(quick: bool) -> Table:
    """The engine against the floor and against plain SpiffWorkflow, on SQLite and, when there, PostgreSQL."""
    instances, repetitions = (50, 3) if quick else (300, 5)
    rows = []
    for durable in (True, False):
        found = [_sqlite(instances, durable=durable) for _ in range(repetitions)]
        rows += _rows(f"SQLite {'FULL' if durable else 'NORMAL'}", found)
    if server := os.environ.get(POSTGRESQL):
        found = [_postgresql(instances, server) for _ in range(repetitions)]
        rows += _rows("PostgreSQL", found)
    return Table(
        "Workload W: a step of a clerk",
        (
            f"{instances} instances of three user tasks, breadth-first, {instances * 3} steps, one commit each; a step",
            "completes a task with eight fields, meets its deadline, opens the next task and arms its deadline.",
            "FULL: every commit is on the disk. NORMAL: a power failure may take the last ones.",
            "Floor: the same rows in the same tables by the bare driver. SpiffWorkflow: its own serializer, one row a",
            "step, no deadlines, rights, forms or journal. All take turns; × is time per step against the floor's in",
            f"the same repetition, median and range of {repetitions}.",
        ),
        ("database", "contestant", "steps/s", "p50 ms", "p99 ms", "CPU ms", "× floor"),
        tuple(rows),
    )


def _sqlite(instances: int, *, durable: bool) -> dict[str, Timing]:
    with (
        floor.on_sqlite(instances, durable=durable) as bare,
        ours(instances, durable=durable) as engine,
        plain_spiff.on_sqlite(instances, durable=durable) as spiff,
    ):
        timings = take_turns((bare, engine, spiff), instances * 3)
        same((bare.counts(), engine.counts()), "workload W")
        if spiff.counts() != {"steps": instances * 3, "ended": instances}:
            raise RuntimeError(f"SpiffWorkflow did not finish: {spiff.counts()}")
        return timings


def _postgresql(instances: int, server: str) -> dict[str, Timing]:
    with (
        floor.postgresql_database(server) as first,
        floor.on_postgresql(first, instances) as bare,
        floor.postgresql_database(server) as second,
        ours(instances, database=second) as engine,
    ):
        timings = take_turns((bare, engine), instances * 3)
        same((bare.counts(), engine.counts()), "workload W")
        return timings


def _rows(place: str, found: list[dict[str, Timing]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name in found[0]:
        mine = [each[name] for each in found]
        steps = Timing([step for each in mine for step in each.steps])
        cpu = sum(each.cpu for each in mine) / len(steps.steps)
        rows.append(
            (
                place,
                name,
                spread((1 / each.mean for each in mine), 0),
                milliseconds(steps.quantile(0.5)),
                milliseconds(steps.quantile(0.99)),
                milliseconds(cpu),
                spread(each[name].mean / each["floor"].mean for each in found),
            )
        )
    return rows
