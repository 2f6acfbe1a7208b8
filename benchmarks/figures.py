"""How long the figures of a very large round take, and how much memory: a million answer sets of fifty items."""

from __future__ import annotations

import os
import random
import resource
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import orjson
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, create_engine, insert, select

from benchmarks.measuring import Table as Found
from benchmarks.workload import POSTGRESQL
from engine.forms import Form, load_form
from survey.figures import Counting, consistency, cross, figures, priorities
from survey.rounds import PORTION

_MATRICES, _ROWS, _PROJECTS = 7, 7, 10
_SETS = Table(
    "benchmark_answer_set",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("project", Text),
    Column("answers", Text),
)


def large_round(quick: bool) -> Found:
    """Answer sets streamed from a database and counted, then everything that is figured from the counts."""
    size = 20_000 if quick else 1_000_000
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        places = {"SQLite": f"sqlite:///{Path(folder) / 'round.db'}"}
        if server := os.environ.get(POSTGRESQL):
            places["PostgreSQL"] = server.replace("postgresql:", "postgresql+psycopg:", 1)
        for name, url in places.items():
            engine = create_engine(url)
            try:
                _SETS.drop(engine, checkfirst=True)
                _fill(engine, size)
                rows.append((name, *_measured(engine, size)))
            finally:
                _SETS.drop(engine, checkfirst=True)
                engine.dispose()
    return Found(
        f"Figures of a round: {size:,} answer sets, {_MATRICES * _ROWS + 1} items on a scale of five",
        (
            f"JSON text of about 530 bytes a set, read {PORTION} at a time; {_PROJECTS} projects told apart. The",
            "rest is all figures of the whole, Cronbach's alpha, priorities, and every item crossed with the project.",
        ),
        ("database", "read and count s", "CPU s", "µs a set", "the rest s", "peak memory MiB"),
        tuple(rows),
    )


def _measured(engine: Engine, size: int) -> tuple[str, ...]:
    counting = Counting(_questionnaire(), groups=("project",))
    before, cpu = perf_counter(), process_time()
    with engine.connect() as conn:
        statement = select(_SETS.c.project, _SETS.c.answers).execution_options(yield_per=PORTION)
        for project, answers in conn.execute(statement):
            counting.add(orjson.loads(answers), {"project": project})
    counts = counting.counts()
    counted, cpu = perf_counter() - before, process_time() - cpu
    before = perf_counter()
    if figures(counts, issued=size).returned != size:
        raise RuntimeError("answers were lost")
    consistency(counts)
    priorities(counts)
    for item in counts.shape.rated_items:
        cross(counts, item.id, "project")
    rest = perf_counter() - before
    return (
        *(f"{counted:.1f}", f"{cpu:.1f}", f"{counted / size * 1e6:.1f}", f"{rest:.2f}"),
        f"{_peak() / 1024:.0f}",
    )


def _fill(engine: Engine, size: int) -> None:
    _SETS.create(engine)
    texts = list(_texts())
    for first in range(0, size, 10_000):
        rows: list[Mapping[str, Any]] = [
            {"project": f"p{number % _PROJECTS}", "answers": texts[number % len(texts)]}
            for number in range(first, min(first + 10_000, size))
        ]
        with engine.begin() as conn:
            conn.execute(insert(_SETS), rows)


def _texts() -> Iterator[str]:
    chance = random.Random(1)
    for _ in range(5_000):
        marks = {
            f"m{m}": {f"m{m}_{row}": chance.choice((5, 4, 4, 3, 2, 1, 9, None)) for row in range(_ROWS)}
            for m in range(_MATRICES)
        }
        yield orjson.dumps({**marks, "overall": chance.choice((5, 4, 3, 2, 1))}).decode()


def _questionnaire() -> Form:
    points = ", ".join(f"{{value: {value}, label: 等级{value}}}" for value in range(5, 0, -1))
    fields = "".join(
        f"  - {{id: m{m}, type: matrix, scale: s, label: 部门{m}, rows: ["
        + ", ".join(f"{{id: m{m}_{row}, label: 项目{row}}}" for row in range(_ROWS))
        + "]}\n"
        for m in range(_MATRICES)
    )
    text = (
        'form: flow/1\nid: large\nversion: "1"\nkind: questionnaire\nanonymity: confidential\ntitle: 大问卷\n'
        f"scales:\n  s: {{points: [{points}], na: {{value: 9, label: 不了解}}}}\n"
        f"score: {{method: top2/answered, overall: overall}}\nfields:\n{fields}"
        "  - {id: overall, type: choice, scale: s, label: 总体}\n"
    )
    return load_form(text.encode(), "large.yaml")


def _peak() -> int:
    """The most memory this process ever held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
