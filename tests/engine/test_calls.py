"""Calls with other roles and records: what a called process leaves is its caller's, however deep it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from engine.commands.batches import CHUNK
from engine.commands.instances import Start
from engine.errors import Conflict, Misbuilt
from engine.handlers import Call, Handlers, a_role, asks_for, takes
from engine.model import Actor
from engine.store import tables
from engine.store.contradictions import contradictions
from tests.engine.stage import ORGANISATION, Stage
from tests.store.histories import tampering

BLOCK = """
start s
user a lane=doer flow.record=paper flow.due=P2D flow.remind="P1D before due, P1D before due: head" \
flow.overdue="P0D after due: head"
end e
s -> a -> e
"""
CALLER = 'start s\ncall c calls={process} flow.roles="{roles}" {more}\nend e\ns -> c -> e'
RECORDS = "records:\n  {}: {{title: {}, code: {}}}\n"
MADE_TO_BE_CALLED = "called: true\n"


def block(stage: Stage) -> None:
    more = MADE_TO_BE_CALLED + RECORDS.format("paper", "通用记录", "B-1")
    stage.publish(BLOCK, "block", process="block", more=more)


def caller(
    stage: Stage, name: str = "p", process: str = "block", roles: str = "doer = clerk, head = boss", **more
):
    text = CALLER.format(process=process, roles=roles, more=more.get("options", ""))
    stage.publish(text, name, process=more.get("own", "main"), more=more.get("yaml", ""))


def roles_of(stage: Stage, element: str = "a") -> list[str | None]:
    return [row.role for row in stage.rows(tables.user_task, tables.user_task.c.element == element)]


def test_a_task_of_a_called_process_waits_for_the_role_that_the_caller_names(stage: Stage):
    block(stage)
    caller(stage)
    number = stage.start()
    assert roles_of(stage) == ["clerk"]
    (opened,) = stage.journal("task.opened")
    assert opened.facts["role"] == "clerk"
    assert stage.journal("instance.started")[1].facts["called_as"]["roles"] == {
        "doer": "clerk",
        "head": "boss",
    }
    stage.complete("a")
    assert stage.row(number).status == "completed"


def test_reminders_and_overdue_notices_go_to_the_caller_s_people(quick: Stage):
    block(quick)
    caller(quick)
    quick.start()
    quick.wait(days=3)
    reminders = [(fact.facts["role"], fact.facts["to"]) for fact in quick.journal("notice.reminder")]
    assert sorted(reminders) == [("boss", ["ann", "bob", "gus"]), ("clerk", ["ann", "bob", "cat"])]
    (overdue,) = quick.journal("notice.overdue")
    assert (overdue.facts["role"], overdue.facts["to"]) == ("boss", ["ann", "bob", "gus"])


def test_what_a_called_process_files_is_the_caller_s_record(quick: Stage, tmp_path: Path):
    block(quick)
    caller(quick, options='flow.records="paper = visit"', yaml=RECORDS.format("visit", "回访记录", "P-7"))
    quick.start()
    quick.complete("a")
    (row,) = quick.rows(tables.record)
    assert (row.name, row.code) == ("回访记录", "P-7")
    assert row.path.endswith("visit-1.txt")
    assert quick.journal("record.made")[0].facts["record"] == "visit"
    assert (tmp_path / row.path).read_text(encoding="utf-8").startswith("回访记录")


def test_without_a_word_of_the_caller_roles_and_records_stay_as_they_are(quick: Stage):
    quick.organise(ORGANISATION.replace("- {id: boss,", "- {id: doer, name: 办}\n  - {id: boss,"))
    block(quick)
    caller(quick, roles="head = boss")
    quick.start()
    assert roles_of(quick) == ["doer"]
    (row,) = quick.rows(tables.instance, tables.instance.c.parent_id.is_not(None))
    assert row.called_as == {"roles": {"head": "boss"}, "records": {}}


def test_calls_within_calls_pass_on_what_the_outermost_says(quick: Stage):
    block(quick)
    middle = MADE_TO_BE_CALLED + RECORDS.format("note", "中间记录", "M-1")
    caller(
        quick,
        "middle",
        roles="doer = worker",
        options='flow.records="paper = note"',
        own="middle",
        yaml=middle,
    )
    caller(
        quick, process="middle", roles="worker = clerk, head = boss", options='flow.records="note = visit"',
        yaml=RECORDS.format("visit", "回访记录", "P-7"),
    )  # fmt: skip
    quick.start()
    assert roles_of(quick) == ["clerk"]
    quick.complete("a")
    assert [row.code for row in quick.rows(tables.record)] == ["P-7"]


def test_the_middle_of_three_files_what_its_caller_does_not_name(quick: Stage):
    block(quick)
    middle = MADE_TO_BE_CALLED + RECORDS.format("note", "中间记录", "M-1")
    caller(
        quick,
        "middle",
        roles="doer = worker",
        options='flow.records="paper = note"',
        own="middle",
        yaml=middle,
    )
    caller(quick, process="middle", roles="worker = clerk, head = boss")
    quick.start()
    quick.complete("a")
    assert [row.code for row in quick.rows(tables.record)] == ["M-1"]


def test_what_was_said_of_a_process_holds_in_its_batches_and_for_its_functions(
    quick: Stage, handlers: Handlers
):
    asked: list[tuple[str, str]] = []

    @handlers.verify
    @asks_for({"doer": "办事人"})
    def may(call: Call) -> None:
        """Notes the role that it would look for."""
        asked.append((call.element, call.role("doer")))

    @handlers.inside
    @takes({"flow.to": a_role})
    def told(call: Call) -> dict[str, object]:
        """The same of a service task's property."""
        asked.append((call.element, call.role(call.properties["flow.to"])))
        return {}

    quick.publish(
        "start s\nsub each times=2\n  start s2\n  user a lane=doer flow.verify=t.may\n  end e2\n  s2 -> a -> e2\n"
        "service tell flow.handler=t.told flow.to=head\nend e\ns -> each -> tell -> e",
        "block", process="block", more=MADE_TO_BE_CALLED,
    )  # fmt: skip
    caller(quick)
    quick.start()
    assert roles_of(quick) == ["clerk", "clerk"]
    for task in quick.tasks("a"):
        quick.complete(task)
    assert asked == [("a", "clerk"), ("a", "clerk"), ("tell", "boss")]


def test_whoever_the_diagram_assigns_has_to_hold_the_caller_s_role(quick: Stage):
    quick.publish(
        "start s\nuser a lane=doer assignee=who\nend e\ns -> a -> e", "block", process="block",
        more=MADE_TO_BE_CALLED,
    )  # fmt: skip
    caller(quick, roles="doer = clerk")
    quick.start(who="ann")
    quick.start(who="eve")
    found = [(row.status, row.assignee) for row in quick.rows(tables.user_task)]
    assert found == [("claimed", "ann"), ("open", None)]
    assert quick.journal("task.opened")[1].facts["doubt"] == "eve does not hold clerk"


def test_a_call_in_several_instances_says_it_for_each(quick: Stage):
    block(quick)
    caller(quick, options=f"times={CHUNK + 3}")
    quick.start()
    assert roles_of(quick) == ["clerk"] * (CHUNK + 3)


def test_what_is_made_to_be_called_is_not_begun_by_itself_without_its_roles(quick: Stage):
    block(quick)
    with pytest.raises(Conflict, match=r"roles that org\.yaml does not have: doer, head"):
        quick.do(Start(by=Actor("ann"), procedure="block", unit="east"))


def test_an_instance_begun_before_calls_could_say_so_goes_on_as_it_began(quick: Stage):
    quick.publish("start s\nuser b\nuser c\nend e\ns -> b -> c -> e", "block", process="block")
    quick.publish("start s\ncall c calls=block\nend e\ns -> c -> e")
    number = quick.start()
    with quick.app.store.write() as conn:  # as every row is after the upgrade
        conn.execute(update(tables.instance).values(called_as=None))
    quick.complete("b")
    assert roles_of(quick, "c") == ["clerk"]
    quick.complete("c")
    assert quick.row(number).status == "completed"


def test_an_altered_row_of_who_does_it_is_found(quick: Stage):
    block(quick)
    caller(quick)
    quick.start()
    table = tables.instance
    with quick.app.store.write() as conn:
        kept = conn.execute(table.select().where(table.c.called_as.is_not(None))).one()
        changed = {**kept.called_as, "roles": {"doer": "boss"}}
        conn.execute(update(table).where(table.c.id == kept.id).values(called_as=changed))
    with quick.app.store.read() as conn:
        assert ["called_as" in str(fault) for fault in contradictions(conn)] == [True]
    with quick.app.store.write() as conn:
        conn.execute(update(table).where(table.c.id == kept.id).values(called_as=kept.called_as))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('flow.roles="dooer = clerk, head = boss"', "flow.roles names dooer, which the called process"),
        ('flow.roles="doer = clark, head = boss"', "The organisation has no role clark"),
        ('flow.roles="doer = clerk"', "The called process block needs the role head"),
        ('flow.roles="doer = clerk, head = boss" flow.records="papr = x"', "flow.records names papr"),
        ('flow.roles="doer = clerk, head = boss" flow.records="paper = x"', "procedure.yaml knows no record x"),
    ],
)  # fmt: skip
def test_a_caller_that_names_what_there_is_not_is_refused_at_the_call(quick: Stage, options: str, said: str):
    block(quick)
    with pytest.raises(Misbuilt) as refused:
        quick.publish(f"start s\ncall c calls=block {options}\nend e\ns -> c -> e")
    assert said in str(refused.value)
    assert {finding.element for finding in refused.value.findings} == {"c"}


def test_a_process_of_the_same_file_needs_the_roles_that_its_call_names(quick: Stage):
    drawing = (
        'start s\ncall c calls=inner flow.roles="doer = clerk"\nend e\ns -> c -> e\n'
        "process inner\nstart s2\nuser a lane=doer\nend e2\ns2 -> a -> e2"
    )
    quick.publish(drawing)
    quick.start()
    assert roles_of(quick) == ["clerk"]


@pytest.mark.parametrize("who", ["bob", ["bob"], None])
def test_who_may_not_do_a_step_may_stand_in_a_variable(quick: Stage, who: object):
    quick.publish('start s flow.sets=drafter\nuser a flow.not-same-as="(drafter)"\nend e\ns -> a -> e')
    quick.start(drafter=who)
    (row,) = quick.rows(tables.user_task)
    assert row.excluded == (None if who is None else [["bob", "drafter"]])


def test_a_batch_that_has_more_or_fewer_items_than_the_journal_says_is_found(quick: Stage):
    quick.publish("start s\nuser each times=3\nuser after\nend e\ns -> each -> after -> e")
    quick.start()
    for task in quick.tasks("each"):
        quick.complete(task)
    item, batch = tables.batch_item, tables.batch
    for change, words in (
        (delete(item).where(item.c.idx == 2), "items 2"),
        (insert(item).values(batch_id=1, idx=9, status="done"), "items 4"),
        (update(batch).values(done=99), "done 99"),
        (update(batch).values(status="cancelled"), "status cancelled"),
    ):
        with tampering(quick.app.store) as conn:
            conn.execute(change)
            (fault,) = contradictions(conn)
            assert words in str(fault)


def tampered(stage: Stage, *tries: tuple[str, str]) -> None:
    """Each statement, tried by itself, is found with those words."""
    for statement, words in tries:
        with tampering(stage.app.store) as conn:
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            conn.exec_driver_sql(statement)
            assert words in " ".join(map(str, contradictions(conn))), statement


def test_the_batch_of_a_call_a_running_batch_and_a_waiting_timer_are_held_against_the_journal(quick: Stage):
    block(quick)
    quick.publish(
        'start s\ncall c calls=block flow.roles="doer = clerk, head = boss"\nuser each times=2\n'
        "catch rest timer=PT2H\nend e\ns -> c -> each -> rest -> e"
    )
    quick.start()
    tampered(
        quick,
        ("DELETE FROM batch_item", "items 0"),
        ("DELETE FROM batch", "SV-2 was called, but its batch 1 is missing"),
        ("UPDATE instance SET batch_id = NULL", "SV-2 was called, but its batch – is missing"),
        ("UPDATE batch SET total = 2", "total 2"),
        ("UPDATE batch SET element = 'each'", "element each, the journal says c"),
        ("UPDATE batch SET status = 'done'", "done 0, the journal says 1"),
        ("UPDATE batch SET status = 'done', done = 1", "ended 0"),
    )
    quick.complete("a")
    tampered(
        quick,
        ("UPDATE batch SET status = 'active' WHERE id = 1", "done 1, the journal says 0"),
        ("UPDATE batch SET status = 'done' WHERE id = 2", "status done, the journal says active"),
        ("DELETE FROM batch WHERE id = 2", "2 is missing in the table batch"),
    )
    for task in quick.tasks("each"):
        quick.complete(task)
    tampered(
        quick,
        ("UPDATE timer SET due_at = due_at + 1 WHERE kind = 'event'", "stands in the table timer"),
        ("UPDATE timer SET element = 'each' WHERE kind = 'event'", "each ("),
        ("UPDATE timer SET status = 'armed', kind = 'event' WHERE kind != 'event'", "a ("),
    )
