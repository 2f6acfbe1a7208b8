"""Multi-instance activities and calls (BPMN 2.0.2, 13.3.7): children in rows of their own, joined by a count."""

from __future__ import annotations

import pytest

from engine.commands.instances import Cancel
from engine.commands.jobs import SkipJob
from engine.commands.messages import Send
from engine.errors import Conflict
from engine.handlers import Handlers
from engine.model import SYSTEM, Actor
from engine.queries import history
from engine.store import tables
from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

USERS = "start s\nuser each {options}\nuser after\nend e\ns -> each -> after -> e"


def test_a_parallel_user_task_opens_once_an_item_and_goes_on_after_the_last(quick: Stage):
    quick.publish(USERS.format(options="each=houses:house flow.output=visits"))
    number = quick.start(houses=["A1", "A2", "A3"])
    found = quick.rows(tables.user_task)
    assert [row.item for row in found] == ["A1", "A2", "A3"]
    for task in reversed(quick.tasks("each")):
        assert quick.open()[0] == "each"
        quick.complete(task)
    assert quick.open() == ["after"]
    assert quick.variables(number)["visits"] == {"total": 3, "done": 3}


def test_a_sequential_user_task_opens_its_items_one_after_the_other(quick: Stage):
    quick.publish(USERS.format(options="times=3 sequential"))
    quick.start()
    for _ in range(3):
        assert quick.open() == ["each"]
        quick.complete("each")
    assert quick.open() == ["after"]


def test_a_completion_condition_ends_a_batch_early_and_withdraws_the_rest(quick: Stage):
    quick.publish(
        USERS.format(
            options='times=5 until="numberOfCompletedInstances >= 2" flow.due=P3D flow.remind="P1D before due"'
        )
    )
    number = quick.start()
    for task in quick.tasks("each")[:2]:
        quick.complete(task)
    assert quick.open() == ["after"]
    assert sorted(row.status for row in quick.rows(tables.deadline)) == ["cancelled"] * 3 + ["met"] * 2
    assert not quick.rows(tables.timer, tables.ARMED_TIMER)
    assert len(quick.journal("task.withdrawn", instance=number)) == 3


def test_what_a_person_entered_may_decide_the_completion_condition(quick: Stage):
    quick.publish(
        USERS.format(options='times=4 sequential form=f until="agreed"'),
        forms={"f": "  - {id: agreed, type: boolean, label: x, required: true}"},
    )
    quick.start()
    quick.complete("each", agreed=False)
    quick.complete("each", agreed=True)
    assert quick.open() == ["after"]


@pytest.mark.parametrize("options", ["times=0", "each=none:one", "many=one flow.collection=t.nothing"])
def test_a_batch_of_nothing_goes_on_at_once_and_doubles_nothing(quick: Stage, handlers: Handlers, options):
    @handlers.collection
    def nothing(call):
        """Nothing."""
        return []

    quick.publish(f"""
    start s flow.sets=none
    and split
    user beside
    sub before
      script a do=pass
    sub each {options}
      script b do=pass
    user after
    end e
    s -> split -> beside -> e
    split -> before -> each -> after -> e
    """)
    number = quick.start(none=[])
    assert quick.open() == ["beside", "after"]
    assert not quick.incidents()
    assert quick.trace(number) == ["s", "split", "beside", "before", "a", "each", "after"]


@pytest.mark.parametrize("order", ["", "sequential"])
def test_the_results_of_scripts_and_sub_processes_are_gathered_in_the_order_of_the_items(order):
    script = f'start s\nscript each do="twice = x * 2" each=numbers:x gather=all:twice {order}\nend e\ns -> each -> e'
    found = rehearse(script, numbers=[3, 1, 2])
    assert found.variables["all"] == [6, 2, 4]
    assert "x" not in found.variables
    assert "twice" not in found.variables
    sub = f"""
    start s
    sub each each=numbers:x gather=all:twice {order}
      start s2
      user a
      script b do="twice = x * 2 + loopCounter"
      end e2
      s2 -> a -> b -> e2
    end e
    s -> each -> e
    """
    assert rehearse(sub, side_by_side=True, numbers=[3, 1, 2]).variables["all"] == [6, 3, 6]


def test_the_number_of_instances_may_be_an_expression_and_has_to_be_a_number():
    drawing = "start s\nscript each do=pass times={times}\nend e\ns -> each -> e"
    assert path(drawing.format(times="n+1"), n=2) == "s each each each e"
    for wrong in (-5, "3", 2.5, True, None):
        found = rehearse(drawing.format(times="n"), n=wrong)
        assert found.ended == "incident"
        assert "not a whole number" in found.incidents[0]


def test_items_that_are_no_list_are_an_incident():
    found = rehearse("start s\nscript each do=pass each=items:x\nend e\ns -> each -> e", items="abc")
    assert found.ended == "incident"
    assert "items is no list" in found.incidents[0]


CHILDREN = """
start s
call each calls=child each=items:item flow.in="item, rate=2 * item" flow.out=answer gather=answers:answer {options}
boundary late on=each timer=PT1H
boundary failed on=each error=E
boundary told on=each escalation=X soft
user after
user instead
user mended
user heard
end e
s -> each -> after -> e
late -> instead -> e
failed -> mended -> e
told -> heard -> e
process child
start s2
user a
xor way
throw up escalation=X
end fails error=E
script b do="answer = rate"
end e2
s2 -> a -> way
way -> fails : item == 13
way -> up : item == 7
way -> b : else
up -> b -> e2
"""


def test_called_processes_get_only_their_inputs_and_give_only_their_outputs(quick: Stage):
    quick.publish(CHILDREN.format(options="").replace("start s\n", "start s flow.sets=secret\n"))
    number = quick.start(items=[1, 2], secret=3)
    children = quick.rows(tables.instance, tables.instance.c.parent_id == number)
    assert [quick.variables(row.id) for row in children] == [
        {"item": 1, "rate": 2, "loopCounter": 0},
        {"item": 2, "rate": 4, "loopCounter": 1},
    ]
    for task in quick.tasks("a"):
        quick.complete(task)
    assert quick.open() == ["after"]
    assert quick.variables(number)["answers"] == [2, 4]
    assert "rate" not in quick.variables(number)


def test_a_boundary_timer_of_a_batch_takes_all_its_children_away(quick: Stage):
    quick.publish(CHILDREN.format(options=""))
    number = quick.start(items=[1, 2, 3])
    quick.complete(quick.tasks("a")[0])
    quick.wait(hours=1)
    assert quick.open() == ["instead"]
    statuses = [row.status for row in quick.rows(tables.instance, tables.instance.c.parent_id == number)]
    assert statuses == ["completed", "cancelled", "cancelled"]


def test_an_error_in_one_child_ends_the_batch_and_takes_the_boundary_event(quick: Stage):
    quick.publish(CHILDREN.format(options=""))
    number = quick.start(items=[1, 13, 3])
    quick.complete(quick.tasks("a")[1])
    assert quick.open() == ["mended"]
    statuses = [row.status for row in quick.rows(tables.instance, tables.instance.c.parent_id == number)]
    assert statuses == ["cancelled", "failed", "cancelled"]
    assert not quick.incidents()


def test_an_escalation_from_a_child_is_heard_while_the_batch_goes_on(quick: Stage):
    quick.publish(CHILDREN.format(options=""))
    quick.start(items=[7, 7])
    for task in quick.tasks("a"):
        quick.complete(task)
    assert sorted(quick.open()) == ["after", "heard", "heard"]


def test_children_one_after_the_other(quick: Stage):
    quick.publish(CHILDREN.format(options="sequential"))
    quick.start(items=[1, 2])
    assert quick.open() == ["a"]
    quick.complete("a")
    assert quick.open() == ["a"]
    quick.complete("a")
    assert quick.open() == ["after"]


def test_a_collection_function_lays_out_many_children_in_chunks(quick: Stage, handlers: Handlers):
    @handlers.collection
    def many(call):
        """Many."""
        return ({"number": n} for n in range(450))

    quick.publish("""
    start s
    sub each many=house flow.collection=t.many flow.output=sum
      start s2
      receive r message=go flow.key="str(house['number'])"
      end e2
      s2 -> r -> e2
    end e
    s -> each -> e
    """)
    number = quick.start()
    assert len(quick.rows(tables.instance, tables.instance.c.parent_id == number)) == 450
    for n in range(450):
        quick.do(Send(by=SYSTEM, name="go", key=str(n)))
    quick.app.settle()
    assert quick.outcome(number) == "completed"
    assert quick.variables(number)["sum"] == {"total": 450, "done": 450}


def test_more_results_than_a_variable_may_hold_are_refused_before_anybody_works_for_them(quick: Stage):
    quick.publish(
        "start s\nsub each each=items:item gather=all:x\n  user x_task\nuser after\nend e\ns -> each -> after -> e"
    )
    quick.start(items=list(range(201)))
    assert [job.element for job in quick.incidents()] == ["each"]
    assert "at most 200" in (quick.incidents()[0].error or "")
    assert quick.open() == []


def test_a_child_s_end_that_cannot_be_counted_may_be_left_out_and_the_batch_still_ends(quick: Stage):
    quick.publish("""
    start s
    sub each times=2 flow.out=x until="x > 1"
      start s2
      user a form=f
      end e2
      s2 -> a -> e2
    user after
    end e
    s -> each -> after -> e
    """, forms={"f": "  - {id: x, type: integer, label: x}"})  # fmt: skip
    quick.start()
    quick.complete(quick.tasks("a")[0])  # leaves x open, so that the condition cannot be judged
    for _ in range(6):
        quick.wait(days=1)
    (incident,) = quick.incidents()
    assert incident.kind == "child"
    quick.complete("a", x=0)
    assert quick.open() == []
    quick.do(SkipJob(by=Actor("gus"), job=incident.number, reason="counted by hand"))
    assert quick.open() == ["after"]


def test_a_child_cannot_be_cancelled_from_under_its_parent(quick: Stage):
    quick.publish(CHILDREN.format(options=""))
    number = quick.start(items=[1])
    with pytest.raises(Conflict, match=f"SV-{number + 1} is part of SV-{number}"):
        quick.do(Cancel(by=Actor("gus"), instance=number + 1, reason="no"))
    quick.do(Cancel(by=Actor("gus"), instance=number, reason="no"))
    quick.app.settle()
    assert [row.status for row in quick.rows(tables.instance)] == ["cancelled", "cancelled"]
    assert quick.open() == []


def test_a_call_activity_without_declared_outputs_gives_everything_back():
    drawing = """
    start s
    call c calls=child
    end e
    s -> c -> e
    process child
    start s2
    script t do="y = x + 1"
    end e2
    s2 -> t -> e2
    """
    found = rehearse(drawing, x=1)
    assert found.ended == "completed"
    assert found.variables == {"x": 1, "y": 2}


def test_calls_nest_deep():
    drawing = "start s\ncall c calls=p1\nend e\ns -> c -> e\n"
    for n in range(1, 25):
        inner = f"call c{n} calls=p{n + 1}" if n < 24 else f"task c{n}"
        drawing += f"process p{n}\nstart s{n}\n{inner}\nend e{n}\ns{n} -> c{n} -> e{n}\n"
    assert path(drawing).split()[-1] == "e"


def test_another_procedure_s_process_is_called_in_the_version_it_had_when_the_caller_was_published(
    quick: Stage,
):
    quick.publish("start s2\nuser old\nend e2\ns2 -> old -> e2", "shared", process="share")
    quick.publish("start s\ncall c calls=share\nend e\ns -> c -> e", "caller")
    again = quick.publish("start s2\nuser new\nend e2\ns2 -> new -> e2", "shared", process="share")
    assert again.callers == ("caller",)
    number = quick.start("caller")
    assert quick.open() == ["old"]
    quick.publish("start s\ncall c calls=share\nend e\ns -> c -> e", "caller")
    quick.start("caller")
    assert quick.open() == ["old", "new"]
    quick.complete("old")
    assert quick.outcome(number) == "completed"


def test_a_multi_instance_sub_process_with_an_error_of_its_own(quick: Stage):
    quick.publish("""
    start s
    sub each each=items:item
      start s2
      user a
      end fails error=E
      s2 -> a -> fails
    boundary caught on=each error=E
    user mended
    end e
    s -> each -> e
    caught -> mended -> e
    """)
    quick.start(items=[1, 2])
    quick.complete(quick.tasks("a")[0])
    assert quick.open() == ["mended"]


def test_more_instances_than_anybody_means_are_an_incident_and_hold_nobody_up(quick: Stage):
    quick.publish("start s\nscript work do=pass times=100000000\nend e\ns -> work -> e")
    quick.start()
    [incident] = quick.incidents()
    assert "are more than 200000" in str(incident.error)


def test_a_process_that_calls_itself_without_end_is_an_incident(quick: Stage):
    quick.publish("start s\ncall again calls=main\nend e\ns -> again -> e")
    quick.start()
    assert any("calls itself without end" in str(each.error) for each in quick.incidents())


def test_a_history_tells_the_end_of_a_batch_after_the_ends_of_its_children(quick: Stage):
    """Also when all of it happens in one instant, as on a virtual clock."""
    quick.publish("""
    start s
    sub each times=2
      start s2
      sub inner times=2
        user a
      end e2
      s2 -> inner -> e2
    end e
    s -> each -> e
    """)
    number = quick.start()
    for task in quick.tasks("a"):
        quick.complete(task)
    with quick.app.store.read() as conn:
        lines = [(line.chain, line.kind) for line in history.of_instance(conn, number)]
    for chain in ("SV-1", "SV-2", "SV-5"):
        own = [place for place, (each, _) in enumerate(lines) if each == chain]
        assert [lines[place] for place in own] == [
            (line.chain, line.kind) for line in _chain(quick, chain)
        ], "a chain keeps its own order"
    done = lines.index(("SV-1", "batch.done"))
    assert lines.index(("SV-2", "batch.done")) < lines.index(("SV-2", "instance.completed")) < done
    assert lines.index(("SV-5", "batch.done")) < lines.index(("SV-5", "instance.completed")) < done
    assert [kind for chain, kind in lines if chain == "SV-1"][-1] == "instance.completed"


def _chain(stage: Stage, chain: str) -> tuple[history.Line, ...]:
    with stage.app.store.read() as conn:
        return history.of_chain(conn, chain)
