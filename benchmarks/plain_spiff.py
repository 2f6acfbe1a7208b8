"""SpiffWorkflow as it comes: its own parser, workflow and serializer, and one row a step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.util.task import TaskState

from benchmarks.measuring import Course
from benchmarks.samples import ANSWERS, CUSTOMER, in_a_row

_TABLES = """
CREATE TABLE instance (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE step (id INTEGER PRIMARY KEY, instance_id INTEGER NOT NULL, task TEXT NOT NULL);
"""


@contextmanager
def on_sqlite(instances: int, *, durable: bool) -> Iterator[Course]:
    """Three user tasks in a row: read the workflow, complete what is ready, write it back with one step's row."""
    parser = BpmnParser()
    parser.add_bpmn_str(in_a_row(3)["row.bpmn"])
    spec = parser.get_spec("row")
    serializer = BpmnWorkflowSerializer()
    with TemporaryDirectory(prefix="satisflow-benchmark-") as folder:
        driver = sqlite3.connect(Path(folder) / "spiff.db", isolation_level=None, cached_statements=256)
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        driver.executescript(_TABLES)
        driver.execute("BEGIN IMMEDIATE")
        for number in range(instances):
            workflow = BpmnWorkflow(spec)
            workflow.task_tree.data.update(CUSTOMER)
            workflow.do_engine_steps()
            driver.execute(
                "INSERT INTO instance VALUES (?, 1, ?)", (number, serializer.serialize_json(workflow))
            )
        driver.execute("COMMIT")

        def step(number: int) -> None:
            instance = number % instances
            driver.execute("BEGIN IMMEDIATE")
            version, state = driver.execute(
                "SELECT version, state FROM instance WHERE id = ?", (instance,)
            ).fetchone()
            workflow = serializer.deserialize_json(state)
            task = next(each for each in workflow.get_tasks(state=TaskState.READY) if each.task_spec.manual)
            task.data.update(ANSWERS)
            task.run()
            workflow.do_engine_steps()
            changed = driver.execute(
                "UPDATE instance SET version = version + 1, state = ? WHERE id = ? AND version = ?",
                (serializer.serialize_json(workflow), instance, version),
            )
            if changed.rowcount != 1:
                raise RuntimeError(f"instance {instance} was moved by another")
            driver.execute("INSERT INTO step VALUES (NULL, ?, ?)", (instance, task.task_spec.bpmn_id))
            driver.execute("COMMIT")

        def counts() -> dict[str, int]:
            ended = 0
            for (state,) in driver.execute("SELECT state FROM instance"):
                ended += serializer.deserialize_json(state).completed
            return {
                "steps": driver.execute("SELECT count(*) FROM step").fetchone()[0],
                "ended": ended,
            }

        yield Course("SpiffWorkflow", step, counts)
        driver.close()
