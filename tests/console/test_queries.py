"""What queries find: on both databases, never more than policy allows, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert

from engine import policy
from engine.model import label
from engine.queries import (
    calendars,
    definitions,
    history,
    instances,
    jobs,
    organisation,
    schedules,
    seals,
    worklist,
)
from engine.store import Store, open_store, tables
from engine.store.calendars import calendar_of
from engine.store.journal import START, Entry, append, instance_chain
from engine.store.organisation import rights_of, units_above
from tests.console.conftest import Terminal

NOW = datetime(2026, 9, 14, 1, tzinfo=UTC)
TODAY = date(2026, 9, 14)
UNITS = {"head": None, "east": "head", "west": "head", "east-1": "east"}
ROLES = ("clerk", "manager")
PEOPLE = ("a", "b", "c")


def furnish(conn: Any, holdings: set[tuple[str, str, str]], substitutes: set[tuple[str, str]]) -> None:
    """An organisation, a definition and one instance."""
    conn.execute(insert(tables.unit), [{"id": u, "name": u.title(), "parent": p} for u, p in UNITS.items()])
    conn.execute(insert(tables.role), [{"id": r, "name": r.title()} for r in ROLES])
    conn.execute(insert(tables.person), [{"id": p, "name": p.upper(), "system_user": p} for p in PEOPLE])
    for person, role, unit in sorted(holdings):
        conn.execute(insert(tables.holding).values(person=person, role=role, unit=unit))
    for person, substitute in sorted(substitutes):
        values = {"person": person, "substitute": substitute, "starts": "2026-09-01", "ends": "2026-09-30"}
        conn.execute(insert(tables.substitute).values(values))
    conn.execute(
        insert(tables.definition).values(
            hash="h1", procedure="purchase", version=1, code="P-1", title="采购", published_at=NOW, published_by="a",
            bundle=b"", facts={"process": "purchase"},
        )
    )  # fmt: skip
    start_instance(conn)


def start_instance(conn: Any, **values: Any) -> int:
    row = {
        "definition": "h1", "process": "purchase", "procedure": "purchase", "unit": "east", "title": "采购",
        "status": "running", "state": b'{"v":{"amount":3}}', "state_format": 1, "started_at": NOW, "started_by": "a",
    }  # fmt: skip
    return int(conn.execute(insert(tables.instance).values(row | values)).inserted_primary_key[0])


def open_task(conn: Any, number: int, instance: int = 1, **values: Any) -> str:
    row = {
        "id": f"SV-{instance}.{number}", "instance_id": instance, "token": str(number), "element": "request",
        "name": "申请", "role": "clerk", "unit": "east", "status": "open", "opened_at": NOW,
    }  # fmt: skip
    conn.execute(insert(tables.user_task).values(row | values))
    return str((row | values)["id"])


def keep_a_bit_of_everything(conn: Any) -> str:
    """Rows in every table the queries read; returns the id of a task that is late."""
    furnish(conn, {("a", "clerk", "head"), ("b", "manager", "east")}, {("a", "c")})
    late = open_task(conn, 1, due_at=NOW - timedelta(days=1), item={"row": 1}, draft={"what": "纸"})
    open_task(conn, 2, role=None, priority=5)
    open_task(conn, 10, due_at=NOW + timedelta(days=1), status="claimed", assignee="b")
    child = start_instance(conn, parent_id=1, root_id=1, title="整改")
    open_task(conn, 1, child, status="done", closed_by="b", closed_at=NOW, due_at=NOW - timedelta(hours=1))
    conn.execute(
        insert(tables.deadline).values(
            instance_id=1, task_id=late, element="request", name="申请", rule="P1WD", anchors={}, due_at=NOW,
            due_day="2026-09-13", status="missed", armed_at=NOW, lines=[{"day": "2026-09-13", "count": 1}],
        )
    )  # fmt: skip
    conn.execute(insert(tables.job).values(
        kind="outside", payload={"element": "send"}, idem_key="k", status="dead", instance_id=1, created_at=NOW,
        error="no connection",
    ))  # fmt: skip
    conn.execute(insert(tables.batch).values(
        instance_id=1, token="9", element="rectify", kind="task", total=9, done=2, status="active", facts={}
    ))  # fmt: skip
    conn.execute(insert(tables.schedule).values(
        procedure="purchase", unit="east", element="quarter", status="active", created_at=NOW,
        rule={"every": "month", "start": {"day": 3}}, next_at=NOW - timedelta(days=1), next_period="2026-09",
    ))  # fmt: skip
    conn.execute(insert(tables.record).values(
        instance_id=child, name="记录", element="request", path="records/SV-2/a.txt", sha256="0" * 64, size=5,
        made_at=NOW, made_by="b",
    ))  # fmt: skip
    append(conn, instance_chain(1), START, [Entry(NOW, "a", "task.opened", {"name": "申请"}, late)])
    return late


def test_every_query_runs_on_either_database(store: Store) -> None:
    with store.write() as conn:
        late = keep_a_bit_of_everything(conn)
    with store.read() as conn:
        found = worklist.worklist(conn, rights_of(conn, "c", TODAY), scope=worklist.Scope.ALL)
        assert [(task.id, str(task.why), task.on_behalf_of) for task in found] == [
            ("SV-1.1", "role of someone represented", "a"),
            ("SV-1.10", "a colleague's", None),
            ("SV-1.2", "anybody", None),
        ]
        assert worklist.worklist(conn, rights_of(conn, "c", TODAY), due_before=NOW, role="clerk", limit=1)
        assert worklist.draft_of(conn, late) == {"what": "纸"}
        assert worklist.deadlines_of(conn, late)[0].status == "missed"
        view = instances.view(conn, 1, NOW)
        assert [(step.task, step.late) for step in view.steps] == [
            ("SV-1.1", True), ("SV-1.2", False), ("SV-1.10", False), ("SV-2.1", True),
        ]  # fmt: skip
        assert [waiting.kind for waiting in view.waiting] == ["batch", "incident"]
        assert [each.id for each in view.children] == ["SV-2"]
        assert [each.path for each in view.records] == ["records/SV-2/a.txt"]
        assert (view.instance.open_tasks, view.instance.incidents) == (3, 1)
        assert [each.id for each in instances.late_instances(conn, NOW)] == ["SV-1"]
        assert instances.variables(conn, 1) == {"amount": 3}
        assert len(instances.instances(conn, children=True)) == 2
        assert [line.by_name for line in history.of_instance(conn, 1)] == ["A"]
        assert len(list(history.everything(conn, NOW, NOW + timedelta(days=1)))) == 1
        assert [(each.instance, each.error) for each in jobs.jobs(conn, incidents=True)] == [
            ("SV-1", "no connection")
        ]
        assert [each.running for each in definitions.definitions(conn)] == [2]
        [late] = schedules.overdue(
            schedules.schedules(conn), NOW, lambda unit: calendar_of(conn, unit), ZoneInfo("Asia/Shanghai")
        )
        assert late.schedule.title == "采购"
        assert organisation.person_of_system_user(conn, "b") == organisation.person(conn, "b")
        assert calendars.tables(conn) == ()
        assert seals.newest(conn) is None


TASK = st.fixed_dictionaries(
    {
        "role": st.sampled_from([*ROLES, None]),
        "unit": st.sampled_from(list(UNITS)),
        "assignee": st.sampled_from([None, None, *PEOPLE]),
    }
)


@settings(max_examples=15, deadline=None)
@given(
    holdings=st.sets(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.sampled_from(list(UNITS)))
    ),
    substitutes=st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))),
    tasks=st.lists(TASK, max_size=8),
)
def test_the_worklist_shows_what_policy_lets_a_person_see_and_nothing_else(
    holdings: set[tuple[str, str, str]], substitutes: set[tuple[str, str]], tasks: list[dict[str, Any]]
) -> None:
    with open_store("sqlite://") as store:
        with store.write() as conn:
            furnish(conn, holdings, substitutes)
            for number, values in enumerate(tasks, 1):
                open_task(conn, number, status="claimed" if values["assignee"] else "open", **values)
        with store.read() as conn:
            for person in PEOPLE:
                rights = rights_of(conn, person, TODAY)
                shown = {task.id for task in worklist.worklist(conn, rights, scope=worklist.Scope.ALL)}
                assert shown == {
                    label(1) + f".{number}"
                    for number, values in enumerate(tasks, 1)
                    if policy.may_see(work(conn, number, values), rights)
                }


def work(conn: Any, number: int, values: dict[str, Any]) -> policy.Work:
    return policy.Work(
        f"SV-1.{number}", "open", values["role"], "", units_above(conn, values["unit"]), values["assignee"]
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements executed meanwhile."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_list_costs_the_same_statements_however_long_it_is(started: Terminal) -> None:
    commands = [("task", "list"), ("instance", "list"), ("status",), ("job", "list"), ("schedule", "list")]

    def costs() -> list[int]:
        found = []
        for command in commands:
            with counted() as seen:
                started(*command, user="wang")
            found.append(len(seen))
        return found

    before = costs()
    for _ in range(5):
        started("start", "P-1", "--unit", "office-1", user="wang")
        started("start", "P-1", "--unit", "office-2", user="wang")
    assert costs() == before
