"""Two people bring the same thing in at the same moment: it is in once, and the other is told why not twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.app import App, Bell
from engine.errors import EngineError
from engine.model import Actor
from engine.store import open_store, tables
from survey import callbacks, rounds
from survey.commands import ImportCallbacks, ImportReturns
from survey.tables import answers
from tests.procedures.aftermath import ANN, HEAD, SATISFIED, Aftermath, aftermath

EVE = Actor("eve")
ANSWERS = {f"H-{number}": "1,2,电梯常停,1," for number in range(1, 6)}


@pytest.fixture
def survey(database: str, tmp_path: Path) -> Iterator[Aftermath]:
    """Five of ten households to be called back; four have not sent theirs back yet."""
    with aftermath(tmp_path, database, answers=ANSWERS, issued=10, returned=6) as found:
        yield found


def at_once(app: App, database: str, *work: Callable[[App], object]) -> list[object]:
    """Each on its own connections, begun together. Returns what each gave, or how it was refused."""
    gate, results = threading.Barrier(len(work)), list[object]([None] * len(work))

    def run(place: int, own: App) -> None:
        gate.wait(timeout=30)
        try:
            results[place] = work[place](own)
        except EngineError as refusal:
            results[place] = refusal

    with ExitStack() as stack:
        apps = [
            replace(app, store=stack.enter_context(open_store(database)), bell=Bell(), witness=None)
            for _ in work
        ]
        threads = [threading.Thread(target=run, args=pair) for pair in enumerate(apps)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(timeout=60)
    return results


@pytest.mark.parametrize("turned", [False, True])
def test_a_sheet_of_call_backs_is_entered_once(survey: Aftermath, database: str, turned: bool) -> None:
    survey.collected("2026-07-20")
    with survey.app.store.read() as conn:
        found = callbacks.callbacks(conn, root=survey.instance)
    rows = [f"{each.task},satisfied,对处理结果认可\n" for each in found]
    sheet = "task,outcome,note\n" + "".join(rows)
    other = "task,outcome,note\n" + "".join(reversed(rows)) if turned else sheet
    results = at_once(
        survey.app,
        database,
        lambda app: app.do(ImportCallbacks(by=ANN, data=sheet)).value,
        lambda app: app.do(ImportCallbacks(by=EVE, data=other)).value,
    )
    refused = [each for each in results if isinstance(each, EngineError)]
    assert len(refused) == 1, results
    with survey.app.store.read() as conn:
        after = callbacks.callbacks(conn, root=survey.instance)
        done = (tables.user_task.c.element == callbacks.CALL, tables.user_task.c.status == "done")
        closed = conn.execute(select(func.count()).select_from(tables.user_task).where(*done)).scalar_one()
    assert [len(each.attempts) for each in after] == [1] * len(found)
    assert closed == len(found)
    assert len({attempt.by for each in after for attempt in each.attempts}) == 1


def test_an_entry_sheet_brought_in_twice_is_in_once(survey: Aftermath, database: str) -> None:
    sheet = HEAD + "".join(f"H-{number},{SATISFIED}\n" for number in range(7, 11))

    def bring(by: Actor) -> Callable[[App], object]:
        return lambda app: app.do(ImportReturns(by=by, instance=survey.instance, data=sheet)).value

    results = at_once(survey.app, database, bring(ANN), bring(EVE))
    assert len([each for each in results if isinstance(each, EngineError)]) == 1, results
    with survey.app.store.read() as conn:
        there = conn.execute(select(answers.c.member_id, answers.c.recorded_by)).all()
        found = rounds.round_of(conn, survey.instance)
        assert rounds.progress(conn, found).returned == 10
    assert set(Counter(row.member_id for row in there).values()) == {1}
