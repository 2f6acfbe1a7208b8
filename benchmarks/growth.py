"""Whether a step costs the same when something has grown: a loop, a diagram, a batch, the number of instances."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from cProfile import Profile
from dataclasses import dataclass
from pstats import Stats
from statistics import median
from typing import Any

from benchmarks.measuring import Course, Table, milliseconds, spread, take_turns
from benchmarks.samples import ANSWERS, CLERK, CUSTOMER, UNIT, batch, house, in_a_row, loop
from engine.app import App
from engine.commands.instances import Start
from engine.commands.worklist import Complete

LIMIT = 1.3
"""What the large may cost, as a multiple of the small."""


@dataclass(slots=True)
class Contestant:
    """Steps on one workspace: the numbers of the tasks that are still to be completed."""

    app: App
    tasks: Iterator[str]

    def step(self, _number: int = 0) -> None:
        self.app.do(Complete(by=CLERK, task=next(self.tasks), values=ANSWERS))

    def work(self) -> tuple[int, int]:
        """What one more step takes: instructions of SQLite's machine, calls of Python functions."""
        instructions = 0

        def count() -> int:
            nonlocal instructions
            instructions += 1
            return 0

        with self.app.store.write() as conn:  # the pool has one connection, which the step uses next
            driver: Any = conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(count, 1)
        self.step()
        driver.set_progress_handler(None, 0)
        profile = Profile()
        profile.runcall(self.step)
        return instructions, Stats(profile).total_calls  # type: ignore[attr-defined]


def tasks(instances: Sequence[int], numbers: range) -> Iterator[str]:
    """The tasks of those numbers, of one instance after the other."""
    return (f"SV-{instance}.{number}" for instance in instances for number in numbers)


def start(app: App, procedure: str, **variables: object) -> int:
    """Start an instance and let it go on until it waits for people."""
    number: int = app.do(
        Start(by=CLERK, procedure=procedure, unit=UNIT, variables={**CUSTOMER, **variables})
    ).value
    app.settle()
    return number


Pair = Iterator[tuple[Contestant, Contestant]]


@contextmanager
def iterations(quick: bool, steps: int) -> Pair:
    """The same loop, long gone round and newly begun."""
    with house(loop(), durable=False) as app:
        pair = []
        for done in (100, 600 if quick else 3000):
            number = start(app, "loop", again=True)
            pair.append(Contestant(app, tasks([number], range(1, done + steps + 1))))
            for _ in range(done):
                pair[-1].step()
        yield pair[0], pair[1]


@contextmanager
def elements(quick: bool, steps: int) -> Pair:
    """The same tasks in a diagram of 25 elements and of 250."""
    sizes = {"small": 25, "large": 100 if quick else 250}
    with house(*(in_a_row(size - 2, name) for name, size in sizes.items()), durable=False) as app:
        pair = []
        for name in sizes:
            begun = [start(app, name) for _ in range(steps // 10 + 1)]
            pair.append(Contestant(app, tasks(begun, range(1, 11))))
        yield pair[0], pair[1]


@contextmanager
def items(quick: bool, steps: int) -> Pair:
    """Items of batches of 10, and of one of 10,000."""
    with house(batch(), durable=False) as app:
        small = [start(app, "batch", number=10) for _ in range(steps // 8 + 1)]
        large = start(app, "batch", number=1000 if quick else 10_000)
        yield (
            Contestant(app, tasks(small, range(1, 9))),
            Contestant(app, tasks([large], range(1, steps + 1))),
        )


@contextmanager
def open_instances(quick: bool, steps: int) -> Pair:
    """A database with 10 open instances, and one with 10,000. Of either 10 are moved."""
    length = steps // 10 + 1
    with house(in_a_row(length), durable=False) as few, house(in_a_row(length), durable=False) as many:
        pair = []
        for app, number in ((few, 10), (many, 1000 if quick else 10_000)):
            begun = [start(app, "row") for _ in range(number)][-10:]
            pair.append(Contestant(app, tasks(begun, range(1, length + 1))))
        yield pair[0], pair[1]


WORKLOADS: Mapping[str, tuple[Callable[[bool, int], Any], str, str]] = {
    "iterations of a loop": (iterations, "100 -> 3,000", "100 -> 600"),
    "elements of a diagram": (elements, "25 -> 250", "25 -> 100"),
    "items of a batch": (items, "10 -> 10,000", "10 -> 1,000"),
    "open instances": (open_instances, "10 -> 10,000", "10 -> 1,000"),
}


def growth(quick: bool) -> Table:
    """A step on the small and on the large, by turns."""
    repetitions, steps = 3, 50 if quick else 200
    rows = []
    for name, (workload, full, short) in WORKLOADS.items():
        ratios, p50 = [], []
        with workload(quick, repetitions * steps + 10) as (small, large):
            for _ in range(repetitions):
                timings = take_turns(
                    (Course("small", small.step, dict), Course("large", large.step, dict)), steps
                )
                medians = [timings[each].quantile(0.5) for each in ("small", "large")]
                ratios.append(medians[1] / medians[0])
                p50.append(medians)
            before, after = small.work(), large.work()
        rows.append(
            (
                name,
                short if quick else full,
                f"{milliseconds(median(a for a, _ in p50))} -> {milliseconds(median(b for _, b in p50))}",
                spread(ratios),
                f"{before[0]} -> {after[0]}",
                f"{before[1]} -> {after[1]}",
                "yes" if median(ratios) <= LIMIT else "NO",
            )
        )
    return Table(
        "Growth: a step where much has gathered",
        (
            f"One client, SQLite NORMAL, {steps} steps of each in turn; × is the ratio of the medians (median and",
            f"range of {repetitions} repetitions), to stay within {LIMIT}. Instructions of SQLite's machine and calls",
            "of Python functions are counted for one more step: what else the machine does cannot touch them.",
        ),
        ("what grows", "from -> to", "p50 ms", "×", "instructions", "calls", "within"),
        tuple(rows),
    )
