"""Timing by turns, and tables of what came of it."""

from __future__ import annotations

import gc
import platform
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from os import cpu_count
from statistics import median
from time import perf_counter, process_time
from unicodedata import east_asian_width

TURN = 25
"""Steps one contestant takes before the next has its turn: a busy moment of the machine hits them alike."""


@dataclass(frozen=True, slots=True)
class Course:
    """One contestant on one workload, ready to run."""

    name: str
    step: Callable[[int], None]
    """Does the step of that number (from 0); each is one commit."""
    counts: Callable[[], Mapping[str, int]]
    """Rows by table, to see that the work was done."""


@dataclass(slots=True)
class Timing:
    """How long the steps of one contestant took, in seconds."""

    steps: list[float] = field(default_factory=list)
    cpu: float = 0.0

    @property
    def mean(self) -> float:
        return sum(self.steps) / len(self.steps)

    def quantile(self, share: float) -> float:
        """The step that `share` of the steps are not slower than."""
        ordered = sorted(self.steps)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def take_turns(courses: Sequence[Course], steps: int) -> dict[str, Timing]:
    """Run every contestant through all its steps, a few steps each in turn; who begins a turn changes."""
    timings = {course.name: Timing() for course in courses}
    for begin in range(0, steps, TURN):
        for course in courses if begin // TURN % 2 else reversed(courses):
            timing = timings[course.name]
            gc.collect()
            cpu = process_time()
            for number in range(begin, min(begin + TURN, steps)):
                before = perf_counter()
                course.step(number)
                timing.steps.append(perf_counter() - before)
            timing.cpu += process_time() - cpu
    return timings


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found."""

    title: str
    notes: tuple[str, ...]
    """Workload, durability, comparison."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(_width(line[column]) for line in lines) for column in range(len(self.header))]
        text = [self.title, "-" * _width(self.title), *self.notes, ""]
        text += [
            "  ".join(
                cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join(text)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Median and range, as in `1.96 (1.94-2.03)`."""
    found = sorted(values)
    return f"{median(found):.{digits}f} ({found[0]:.{digits}f}-{found[-1]:.{digits}f})"


def milliseconds(seconds: float) -> str:
    """As in `0.25`."""
    return f"{seconds * 1000:.2f}"


def same(counts: Sequence[Mapping[str, int]], what: str) -> None:
    """Raises RuntimeError unless all wrote the same number of rows: otherwise the times mean nothing."""
    if any(each != counts[0] for each in counts):
        raise RuntimeError(f"{what}: the contestants did not do the same work: {list(counts)}")


def machine() -> str:
    """What it ran on, in a line."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "SpiffWorkflow"))
    return (
        f"{cpu_count()} cores {platform.machine()}, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}"
    )
