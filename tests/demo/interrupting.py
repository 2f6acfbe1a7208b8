"""The demonstration interrupted at a commit, or killed, and gone on with; and what must then be equal.

`python -m tests.demo.interrupting` does it at every commit boundary, before and after, and with 50 kills: the
tests take a seeded sample.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection, func, select

from console.demo import acting
from engine.app import App
from engine.store import tables
from engine.store.connect import Store
from engine.store.verify import verify
from survey.tables import answers

RESPONSES = 30


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def killed_at(number: int, *, after: bool) -> Iterator[Counter[str]]:
    """Die at the number-th commit (from 1), just before or just after it; 0 never. Counts the commits."""
    count: Counter[str] = Counter()
    original = Store.write

    @contextmanager
    def write(self: Store) -> Iterator[Connection]:
        with original(self) as conn:
            yield conn
            count["commits"] += 1
            if count["commits"] == number and not after:
                raise Killed
        if count["commits"] == number and after:
            raise Killed

    with mock.patch.object(Store, "write", write):
        yield count


def play(folder: Path) -> App:
    """The demonstration from wherever it stands to its end."""
    app = acting.prepare(folder, RESPONSES)
    acting.play(app)
    return app


def interrupted(folder: Path, number: int, *, after: bool) -> dict[str, Any]:
    """Played until it dies, then gone on with."""
    with killed_at(number, after=after), suppress(Killed):
        play(folder).store.close()
    app = play(folder)
    with app.store:
        return outcome(app)


def whole(folder: Path) -> tuple[dict[str, Any], int]:
    """Played without interruption: the outcome, and how many commits there were."""
    with killed_at(0, after=False) as count:
        app = play(folder)
    with app.store:
        return outcome(app), count["commits"]


def outcome(app: App) -> dict[str, Any]:
    """Everything that must not depend on an interruption: all but ids and the wall clock."""
    task, instance, deadline, record = tables.user_task, tables.instance, tables.deadline, tables.record
    journal, timer, job = tables.journal, tables.timer, tables.job
    with app.store.read() as conn:
        verdict = verify(conn)
        assert not verdict.faults, verdict.faults

        def rows(query: Any) -> list[tuple[Any, ...]]:
            return sorted((tuple(row) for row in conn.execute(query)), key=repr)

        return {
            "instances": rows(select(instance.c.unit, instance.c.process, instance.c.status, instance.c.ended_at)),
            "tasks": rows(
                select(task.c.unit, task.c.element, task.c.status, task.c.closed_by, task.c.closed_for,
                       task.c.opened_at, task.c.due_at, task.c.closed_at)
            ),
            "deadlines": rows(
                select(instance.c.unit, deadline.c.element, deadline.c.status, deadline.c.due_day, deadline.c.closed_at)
                .join(instance, instance.c.id == deadline.c.instance_id)
            ),
            "timers": rows(select(timer.c.element, timer.c.kind, timer.c.status, timer.c.due_at)),
            "jobs": rows(select(job.c.kind, job.c.status, func.count()).group_by(job.c.kind, job.c.status)),
            "records": rows(
                select(instance.c.unit, record.c.name, record.c.element).join(
                    instance, instance.c.id == record.c.instance_id
                )
            ),
            "files": sorted(path.name for path in app.workspace.records.rglob("*") if path.is_file()),
            "answers": conn.execute(select(func.count()).select_from(answers)).scalar_one(),
            "history": rows(select(journal.c.at, journal.c.by, journal.c.kind)),
        }  # fmt: skip


def kill(folder: Path, seconds: float) -> None:
    """Run the command itself and kill it (SIGKILL) after so long."""
    command = [sys.executable, "-c", "from cli import main; main()", "demo", "--folder", str(folder)]
    with subprocess.Popen(
        [*command, "--responses", str(RESPONSES), "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(seconds)
        process.kill()


def main() -> int:
    """Every boundary and 50 kills, or as many as asked for. Exit code 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=1, help="take every so manieth commit")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="flow-interrupting-"))
    wanted, commits = whole(root / "whole")
    sys.stdout.write(f"{commits} commits\n")
    wrong = 0
    for number in range(1, commits + 1, args.step):
        for after in (False, True):
            folder = root / f"{number}-{after}"
            found = interrupted(folder, number, after=after)
            different = [name for name in wanted if found[name] != wanted[name]]
            if different:
                wrong += 1
                sys.stdout.write(f"commit {number} {'after' if after else 'before'}: {different} differ\n")
            shutil.rmtree(folder)
    chance = random.Random(args.seed)
    for number in range(args.kills):
        folder = root / f"kill-{number}"
        kill(folder, chance.uniform(0.3, 4.0))
        app = play(folder)
        with app.store:
            different = [name for name in wanted if outcome(app)[name] != wanted[name]]
        if different:
            wrong += 1
            sys.stdout.write(f"kill {number}: {different} differ\n")
        shutil.rmtree(folder)
    sys.stdout.write(
        f"{wrong} of {2 * len(range(1, commits + 1, args.step)) + args.kills} interruptions differ\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
