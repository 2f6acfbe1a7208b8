"""How fast diagrams are rehearsed: the engine on a private database in memory, from check to end."""

from __future__ import annotations

from time import perf_counter

from benchmarks.measuring import Table, Timing, milliseconds
from benchmarks.samples import in_a_row
from engine import rehearsal


def rehearsals(quick: bool) -> Table:
    """Diagrams of three sizes, each run through many times."""
    repetitions = 5 if quick else 30
    rows = []
    for size in (5, 25, 250):
        diagram = in_a_row(size - 2, due="P3D")["row.bpmn"]
        timing = Timing()
        for _ in range(repetitions):
            before = perf_counter()
            found = rehearsal.run(diagram, "row", {}, horizon_s=0)
            timing.steps.append(perf_counter() - before)
            if found.ended != "completed" or len(found.visited) != size:
                raise RuntimeError(f"the rehearsal went another way: {found.ended}, {len(found.visited)}")
        middle = timing.quantile(0.5)
        rows.append(
            (
                str(size),
                f"{1 / middle:.1f}",
                milliseconds(middle),
                milliseconds(timing.quantile(0.99)),
                milliseconds(middle / (size - 2)),
            )
        )
    return Table(
        "Rehearsals: a diagram checked and run to its end",
        (
            f"User tasks in a row, completed one after the other; {repetitions} runs each, none kept on a disk.",
            "Due dates are in plain days: a bare diagram brings no working-day tables. Checking the diagram and",
            "making the tables in memory are part of every run.",
        ),
        ("elements", "runs/s", "p50 ms", "p99 ms", "ms a task"),
        tuple(rows),
    )
