"""org.yaml: what is refused, and what becomes of tasks, schedules and instances when somebody leaves it."""

from __future__ import annotations

import pytest

from engine.commands.instances import Start
from engine.commands.organisation import Imported, ImportOrganisation, Tick
from engine.commands.schedules import FireSchedules, PauseSchedule, Schedule
from engine.commands.worklist import Assign, Claim, Comment, Complete, Delegate
from engine.errors import Conflict, Denied, Misbuilt
from engine.model import SYSTEM, Actor
from engine.store import tables
from engine.strict_yaml import load
from tests.engine.stage import ORGANISATION, Stage, local
from tests.engine.test_schedules import MONTHLY, RULE
from tests.engine.test_worklist import seen, with_substitutes

ONE = "start s\nuser a\nend e\ns -> a -> e"


def without(*lines: str) -> str:
    """The organisation without what begins so."""
    kept = [
        line
        for line in ORGANISATION.splitlines()
        if not any(line.startswith(f"  - {{id: {each},") for each in lines)
    ]
    return "\n".join(kept)


def imported(stage: Stage, text: str) -> Imported:
    found = stage.do(ImportOrganisation(by=SYSTEM, document=load(text, "org.yaml"), raw=text.encode()))
    assert isinstance(found, Imported)
    return found


def test_empty_lists_in_org_yaml_say_that_there_is_nothing(quick: Stage):
    empty = ORGANISATION.replace("{id: eve, name: 伊}", "{id: eve, name: 伊, roles: [], may: []}")
    assert empty != ORGANISATION
    imported(quick, f"{empty}substitutes: []\n")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("{id: eve, name: 伊}", "{id: eve, name: 伊, system_user: root}\n  - {id: una, name: 乌, system_user: root}",
         "The system user root is already that of eve"),
        ("{id: eve, name: 伊}", "{id: engine, name: 伊}", "Nobody can be called engine"),
        ("{id: eve, name: 伊}", "{id: eve１, name: 伊}", "none of them full-width"),
        ("role: clerk, unit: west", "role: clerc, unit: west", "Did you mean clerk?"),
        ("role: clerk, unit: west", "role: 保安, unit: west", "Correct the name, or add it above"),
        ("name: 伊}", 'name: "\\u200b"}', "name is blank"),
    ],
)  # fmt: skip
def test_an_org_yaml_that_says_what_cannot_be_is_refused_with_its_remedy(quick: Stage, old, new, reason):
    assert old in ORGANISATION
    with pytest.raises(Misbuilt) as refused:
        imported(quick, ORGANISATION.replace(old, new))
    assert reason in str(refused.value)


def test_nobody_stands_in_for_themselves(quick: Stage):
    with pytest.raises(Misbuilt, match="eve cannot stand in for themselves"):
        imported(quick, with_substitutes(("eve", "eve", "2026-09-14", "2026-09-18")))


def test_a_unit_given_up_starts_nothing_more_and_the_import_says_what_goes_on_there(quick: Stage):
    quick.publish(MONTHLY, more=RULE)
    quick.do(Schedule(by=SYSTEM, procedure="p", unit="west"))
    quick.publish(ONE, "one")
    quick.start("one", unit="west", by="dan")
    found = imported(quick, without("west", "dan"))
    assert [(each.kind, each.id, each.tasks, each.instances, each.schedules) for each in found.left] == [
        ("unit", "west", 1, 1, 1),
        ("person", "dan", 0, 0, 0),
    ]
    quick.complete("a", by="cat")  # what runs there goes on: cat holds the role above
    quick.clock.move_to(local("2026-10-20T09:00"))
    assert quick.do(FireSchedules(by=SYSTEM)) == []
    for command in (
        Start(by=Actor("gus"), procedure="one", unit="west"),
        Schedule(by=SYSTEM, procedure="p", unit="west"),
        PauseSchedule(by=SYSTEM, procedure="p", unit="west", paused=False, reason="again"),
    ):
        with pytest.raises(Conflict, match="west any more"):
            quick.do(command)
    again = imported(quick, ORGANISATION)
    assert (again.left, again.paused) == ((), (("p", "west"),))
    quick.do(PauseSchedule(by=SYSTEM, procedure="p", unit="west", paused=False, reason="it is back"))
    quick.clock.move_to(local("2026-11-20T09:00"))
    assert len(quick.do(FireSchedules(by=SYSTEM))) == 1


def test_a_role_given_up_is_told_with_the_tasks_that_wait_for_it_and_no_new_diagram_may_name_it(quick: Stage):
    quick.publish(ONE)
    quick.start()
    found = imported(quick, without("clerk").replace("role: clerk", "role: boss").replace(
        ", {role: boss, unit: east}", ""))  # fmt: skip
    assert [(each.kind, each.id, each.tasks) for each in found.left] == [("role", "clerk", 1)]
    with pytest.raises(Misbuilt, match="no role clerk"):
        quick.publish(ONE, "new")
    imported(quick, ORGANISATION)
    quick.publish(ONE, "new")


# -- rights taken away ------------------------------------------------------------------------------


def test_who_loses_a_role_loses_what_they_took_by_it_and_the_history_says_so(stage: Stage):
    stage.publish(ONE)
    stage.start()
    task = stage.task("a")
    stage.do(Claim(by=Actor("ann"), task=task))
    found = imported(stage, ORGANISATION.replace("{id: ann, name: 安, roles: [{role: clerk, unit: east}, ",
                                                 "{id: ann, name: 安, roles: ["))  # fmt: skip
    assert found.released == (task,)
    (told,) = stage.journal("task.released")
    assert told.facts == {"from": "ann", "lapsed": True}
    assert "a" in seen(stage, "bob")
    with pytest.raises(Denied):
        stage.complete("a", by="ann")
    stage.complete("a", by="bob")


def test_what_somebody_who_left_had_is_everybody_s_again(quick: Stage):
    quick.publish(ONE)
    quick.start()
    quick.do(Delegate(by=Actor("ann"), task=quick.task("a"), person="eve"))
    assert imported(quick, without("eve")).released == (quick.task("a"),)


def test_what_was_delegated_stays_with_whom_it_was_delegated_to(quick: Stage):
    quick.publish(ONE)
    quick.start()
    quick.do(Delegate(by=Actor("ann"), task=quick.task("a"), person="eve"))
    assert imported(quick, without("ann")).released == ()
    quick.complete("a", by="eve")


def test_a_delegation_ends_when_the_task_is_given_on_to_a_holder_of_its_role(quick: Stage):
    quick.publish(ONE)
    quick.start()
    task = quick.task("a")
    quick.do(Delegate(by=Actor("ann"), task=task, person="eve"))
    quick.do(Assign(by=Actor("eve"), task=task, person="bob"))
    assert imported(quick, without("bob")).released == (task,)


def test_a_substitute_whose_time_is_over_may_no_longer_do_what_they_took(quick: Stage):
    imported(quick, with_substitutes(("ann", "eve", "2026-09-14", "2026-09-15")))
    quick.publish(ONE)
    quick.start()
    task = quick.task("a")
    quick.do(Claim(by=Actor("eve"), task=task))
    quick.clock.advance(days=1)
    quick.do(Tick(by=SYSTEM))
    assert quick.rows(tables.user_task)[0].assignee == "eve"
    quick.clock.advance(days=1)
    assert seen(quick, "eve") == []
    for command in (
        Complete(by=Actor("eve"), task=task, values={}),
        Comment(by=Actor("eve"), task=task, text="!"),
    ):
        with pytest.raises(Denied):
            quick.do(command)
    quick.do(Tick(by=SYSTEM))
    assert quick.rows(tables.user_task)[0].assignee is None
    quick.complete("a", by="ann")
