"""The demonstration cut off at a commit, or killed, and gone on with; and what must then be equal.

A cut is a copy of the workspace's folder taken at that moment, just before or just after the commit: what a
machine finds on its disk after a power failure. `python -m tests.demo.interrupting` goes on from every cut and
from 50 kills of the command itself; the tests take a seeded sample.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection, func, select

from console.demo import acting, stories
from engine.app import App
from engine.store import tables
from engine.store.connect import Store
from engine.store.verify import verify
from survey.tables import answers

RESPONSES = 30
QUARTER = "003G"
Cut = tuple[int, str]
"""The number of a commit, from 1, and `before` or `after`."""


@contextmanager
def cutting(take: Callable[[Cut], None]) -> Iterator[None]:
    """`take` is called at every commit, twice."""
    original, count = Store.write, 0

    @contextmanager
    def write(self: Store) -> Iterator[Connection]:
        nonlocal count
        count += 1
        number = count
        with original(self) as conn:
            yield conn
            take((number, "before"))
        take((number, "after"))

    with mock.patch.object(Store, "write", write):
        yield


def play(folder: Path, code: str = QUARTER) -> App:
    """The quarter, or one of the stories, from wherever it stands to its end."""
    if code == QUARTER:
        app = acting.prepare(folder, RESPONSES)
        acting.play(app)
        return app
    [story] = [each for each in stories.STORIES if each.code == code]
    app = stories.prepare(folder, story)
    stories.play(app, story)
    return app


def ended(folder: Path, code: str = QUARTER) -> dict[str, Any]:
    """Gone on with to its end, and its outcome."""
    app = play(folder, code)
    with app.store:
        return outcome(app)


def whole(
    folder: Path, cuts: Path, wanted: Callable[[Cut], bool], code: str = QUARTER
) -> tuple[dict[str, Any], int]:
    """Played without interruption: the outcome, and how many commits there were. Wanted cuts go to `cuts`."""
    commits = 0

    def take(cut: Cut) -> None:
        nonlocal commits
        commits = max(commits, cut[0])
        if wanted(cut):
            shutil.copytree(folder, cuts / f"{cut[0]}-{cut[1]}")

    with cutting(take):
        app = play(folder, code)
    with app.store:
        return outcome(app), commits


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
        [*command, "--responses", str(RESPONSES)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(seconds)
        process.kill()


def differing(folder: Path, wanted: dict[str, Any], code: str = QUARTER) -> list[str]:
    """Go on in a folder to the end; the parts of the outcome that differ."""
    found = ended(folder, code)
    shutil.rmtree(folder)
    return [name for name in wanted if found[name] != wanted[name]]


def main() -> int:
    """Every cut and 50 kills, or as many as asked for. Exit code 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", type=int, default=1, help="take every so manieth commit")
    parser.add_argument("--kills", type=int, default=50, help="of the quarter; a story is only cut")
    parser.add_argument("--of", choices=[QUARTER, *(each.code for each in stories.STORIES)], default=QUARTER)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="flow-interrupting-"))
    wanted, commits = whole(root / "whole", root, lambda cut: cut[0] % args.step == 0, args.of)
    folders = sorted(each for each in root.iterdir() if each.name != "whole")
    chance = random.Random(args.seed)
    sys.stdout.write(f"{commits} commits, {len(folders)} cuts\n")
    for number in range(args.kills if args.of == QUARTER else 0):
        folders.append(root / f"kill-{number}")
        kill(folders[-1], chance.uniform(0.3, 4.0))
    wrong = 0
    # Spawned: what makes PDFs has threads, and they are not there in a forked process.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for folder, different in zip(
            folders,
            pool.map(differing, folders, [wanted] * len(folders), [args.of] * len(folders)),
            strict=True,
        ):
            if different:
                wrong += 1
                sys.stdout.write(f"{folder.name}: {different} differ\n")
    sys.stdout.write(f"{wrong} of {len(folders)} interruptions end otherwise\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
