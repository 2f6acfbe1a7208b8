"""Who sees and does what: claims, substitutes, four eyes, units; and two people at once."""

from __future__ import annotations

import threading

import pytest

from engine.commands.worklist import Assign, Claim, Comment, Complete, Delegate, Release, SaveDraft
from engine.errors import Conflict, Denied, EngineError, NotFound
from engine.model import Actor
from engine.queries import history, worklist
from engine.store import tables
from engine.store.organisation import rights_of
from tests.engine.stage import ORGANISATION, Stage

TWO = "start s\nuser draft form=f\nuser check flow.not-same-as=draft\nend e\ns -> draft -> check -> e"
FORMS = {
    "f": "  - {id: text, type: text, label: 文字}\n  - {id: count, type: integer, label: 数, required: true}"
}

PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay", "gus")


@pytest.fixture
def office(quick: Stage) -> Stage:
    quick.publish(TWO, forms=FORMS)
    quick.start()
    return quick


def seen(stage: Stage, person: str) -> list[str]:
    """The elements on a person's worklist."""
    with stage.app.store.read() as conn:
        rights = rights_of(conn, person, stage.clock.now().astimezone(stage.app.zone).date())
        return [task.element for task in worklist.worklist(conn, rights, scope=worklist.Scope.ALL)]


def with_substitutes(*rows: tuple[str, str, str, str]) -> str:
    lines = "".join(
        f'  - {{person: {person}, substitute: {other}, from: "{start}", to: "{end}"}}\n'
        for person, other, start, end in rows
    )
    return f"{ORGANISATION}substitutes:\n{lines}"


# -- one person after the other ---------------------------------------------------------------------


def test_only_those_with_the_role_in_the_unit_or_above_it_see_and_do_a_task(office: Stage):
    assert [person for person in PEOPLE if seen(office, person)] == ["ann", "bob", "cat"]
    task = office.task("draft")
    for person in ("dan", "eve", "gus"):
        for command in (
            Claim(by=Actor(person), task=task),
            Complete(by=Actor(person), task=task, values={"count": 1}),
            SaveDraft(by=Actor(person), task=task, values={}),
            Comment(by=Actor(person), task=task, text="?"),
            Delegate(by=Actor(person), task=task, person="ann"),
        ):
            with pytest.raises(Denied):
                office.do(command)
    with pytest.raises(NotFound):
        office.do(Claim(by=Actor("nobody"), task=task))
    with pytest.raises(NotFound):
        office.do(Claim(by=Actor("ann"), task="SV-1.99"))


def test_a_role_held_below_a_unit_does_not_count_there(quick: Stage):
    quick.publish("start s\nuser a\nend e\ns -> a -> e")
    quick.start(unit="head")
    assert [person for person in PEOPLE if seen(quick, person)] == ["cat"]
    quick.start(unit="east-1")
    assert len(seen(quick, "cat")) == 2
    assert len(seen(quick, "ann")) == 1


def test_who_comes_second_is_told_who_was_first(office: Stage):
    task = office.task("draft")
    office.do(Claim(by=Actor("ann"), task=task))
    office.do(Claim(by=Actor("ann"), task=task))
    for command in (
        Claim(by=Actor("bob"), task=task),
        Complete(by=Actor("bob"), task=task, values={"count": 1}),
        SaveDraft(by=Actor("bob"), task=task, values={}),
    ):
        with pytest.raises(Conflict, match="ann"):
            office.do(command)
    office.complete("draft", count=1)
    for command in (
        Claim(by=Actor("bob"), task=task),
        Complete(by=Actor("bob"), task=task, values={"count": 1}),
    ):
        with pytest.raises(Conflict, match="already done, by ann"):
            office.do(command)
    with pytest.raises(Conflict):
        office.do(Release(by=Actor("ann"), task=task))


def test_a_released_task_is_everybody_s_again(office: Stage):
    task = office.task("draft")
    with pytest.raises(Conflict, match="not claimed"):
        office.do(Release(by=Actor("ann"), task=task))
    office.do(Claim(by=Actor("ann"), task=task))
    with pytest.raises(Denied, match="ann"):
        office.do(Release(by=Actor("bob"), task=task))
    office.do(Release(by=Actor("gus"), task=task))  # who may assign may also take back
    office.do(Claim(by=Actor("bob"), task=task))
    assert office.rows(tables.user_task)[0].assignee == "bob"


def test_a_task_is_assigned_only_to_who_may_do_it_and_only_by_who_has_it_or_may_assign(office: Stage):
    task = office.task("draft")
    with pytest.raises(Denied):
        office.do(Assign(by=Actor("gus"), task=task, person="dan"))
    with pytest.raises(Denied):
        office.do(Assign(by=Actor("eve"), task=task, person="ann"))
    office.do(Assign(by=Actor("gus"), task=task, person="bob"))
    with pytest.raises(Denied, match="bob"):
        office.do(Assign(by=Actor("ann"), task=task, person="ann"))
    office.do(Assign(by=Actor("bob"), task=task, person="ann"))
    office.complete("draft", by="ann", count=1)


def test_a_delegated_task_is_done_by_whom_its_holder_chose_and_history_names_both(office: Stage):
    task = office.task("draft")
    office.do(Claim(by=Actor("ann"), task=task))
    office.do(Delegate(by=Actor("ann"), task=task, person="eve"))
    assert seen(office, "eve") == ["draft"]
    with pytest.raises(Conflict, match="eve"):
        office.complete("draft", by="ann", count=1)
    office.complete("draft", by="eve", count=1)
    with office.app.store.read() as conn:
        told = [(line.kind, line.by, line.facts.get("to")) for line in history.of_task(conn, 1, task)]
    assert ("task.delegated", "ann", "eve") in told
    assert ("task.completed", "eve", None) in told


def test_drafts_are_kept_added_to_and_gone_when_the_task_is_done(office: Stage):
    task = office.task("draft")
    office.do(SaveDraft(by=Actor("ann"), task=task, values={"text": "half"}))
    office.do(SaveDraft(by=Actor("ann"), task=task, values={"count": 3}))
    with office.app.store.read() as conn:
        assert worklist.draft_of(conn, task) == {"text": "half", "count": 3}
    assert "half" not in str(office.journal("task.drafted"))
    office.complete("draft", count=1)
    with office.app.store.read() as conn:
        assert worklist.draft_of(conn, task) == {}


def test_comments_are_in_the_task_s_history(office: Stage):
    task = office.task("draft")
    office.do(Comment(by=Actor("bob"), task=task, text="请核对"))
    with pytest.raises(EngineError, match="empty"):
        office.do(Comment(by=Actor("bob"), task=task, text=" \n"))
    with office.app.store.read() as conn:
        told = [
            line.facts["text"] for line in history.of_task(conn, 1, task) if line.kind == "task.commented"
        ]
    assert told == ["请核对"]


def test_the_diagram_may_assign_a_task_to_a_person_but_not_to_one_who_may_not_do_it(quick: Stage):
    quick.publish("start s\nuser a assignee=who\nend e\ns -> a -> e")
    for who, assignee in (("bob", "bob"), ("dan", None), ("ghost", None), (None, None)):
        number = quick.start(who=who)
        row = quick.rows(tables.user_task, tables.user_task.c.instance_id == number)[0]
        assert (row.assignee, row.status) == (assignee, "claimed" if assignee else "open"), who
    doubts = [fact.facts.get("doubt") for fact in quick.journal("task.opened")]
    assert doubts[0] is None
    assert "dan" in doubts[1]
    assert "ghost" in doubts[2]


# -- four eyes --------------------------------------------------------------------------------------


def test_who_did_one_step_may_not_do_the_one_that_checks_it(office: Stage):
    office.complete("draft", by="ann", count=1)
    check = office.task("check")
    for command in (
        Claim(by=Actor("ann"), task=check),
        Complete(by=Actor("ann"), task=check, values={}),
        Assign(by=Actor("gus"), task=check, person="ann"),
        Delegate(by=Actor("bob"), task=check, person="ann"),
    ):
        with pytest.raises(Denied, match="second pair of eyes"):
            office.do(command)
    office.complete("check", by="bob")


def test_a_substitute_is_not_a_second_pair_of_eyes_for_the_one_they_stand_in_for(office: Stage):
    """Neither may fay check what she drafted in ann's place, nor ann, nor fay by another's right what ann drafted."""
    office.organise(
        with_substitutes(
            ("ann", "fay", "2026-09-01", "2026-09-30"), ("bob", "gus", "2026-09-01", "2026-09-30")
        )
    )
    office.complete("draft", by="fay", count=1)
    check = office.task("check")
    for person in ("fay", "ann"):
        with pytest.raises(Denied, match="second pair of eyes"):
            office.do(Claim(by=Actor(person), task=check))
    office.complete("check", by="gus")
    row = office.rows(tables.user_task, tables.user_task.c.id == check)[0]
    assert (row.closed_by, row.closed_for) == ("gus", "bob")


def test_whose_right_only_comes_from_who_did_the_step_may_not_check_it(office: Stage):
    office.organise(with_substitutes(("ann", "fay", "2026-09-01", "2026-09-30")))
    office.complete("draft", by="ann", count=1)
    with pytest.raises(Denied, match="second pair of eyes"):
        office.complete("check", by="fay")


def test_one_account_is_one_pair_of_eyes_in_whosever_name_it_acts(office: Stage):
    """Whoever may act for others did what was done in their names, and cannot check it in a third one's."""
    office.do(Complete(by=Actor("gus", "ann"), task=office.task("draft"), values={"count": 1}))
    check = office.task("check")
    for actor in (Actor("gus", "bob"), Actor("eve", "ann"), Actor("ann")):
        for command in (Claim(by=actor, task=check), Complete(by=actor, task=check, values={})):
            with pytest.raises(Denied, match="second pair of eyes"):
                office.do(command)
    office.do(Complete(by=Actor("eve", "bob"), task=check, values={}))


def test_four_eyes_hold_for_every_item_of_a_batch(quick: Stage):
    quick.publish(
        "start s\nuser each times=2\nuser check flow.not-same-as=each\nend e\ns -> each -> check -> e"
    )
    quick.start()
    quick.complete(quick.tasks("each")[0], by="ann")
    quick.complete(quick.tasks("each")[0], by="bob")
    for person in ("ann", "bob"):
        with pytest.raises(Denied, match="second pair of eyes"):
            quick.complete("check", by=person)
    quick.complete("check", by="cat")


# -- substitutes ------------------------------------------------------------------------------------


def test_substitutes_stand_in_on_their_days_only_the_last_one_included(office: Stage):
    office.organise(with_substitutes(("ann", "eve", "2026-09-15", "2026-09-16")))
    found = []
    for _ in range(4):
        found.append(bool(seen(office, "eve")))
        office.clock.advance(days=1)
    assert found == [False, True, True, False]


def test_the_last_day_of_a_substitution_ends_at_midnight_local_time(office: Stage):
    office.organise(with_substitutes(("ann", "eve", "2026-09-14", "2026-09-14")))
    office.clock.advance(hours=14, minutes=59)
    assert seen(office, "eve") == ["draft"]
    office.clock.advance(minutes=1)
    assert seen(office, "eve") == []
    with pytest.raises(Denied):
        office.complete("draft", by="eve", count=1)


def test_substitutes_of_substitutes_act_and_circles_end(office: Stage):
    always = ("2026-01-01", "2026-12-31")
    office.organise(
        with_substitutes(("ann", "eve", *always), ("eve", "fay", *always), ("fay", "ann", *always))
    )
    assert seen(office, "fay") == ["draft"]
    office.complete("draft", by="fay", count=1)
    row = office.rows(tables.user_task)[0]
    assert (row.closed_by, row.closed_for) == ("fay", "ann")
    with office.app.store.read() as conn:
        line = next(x for x in history.of_instance(conn, 1) if x.kind == "task.completed")
    assert (line.by, line.acting_for) == ("fay", "ann")


def test_a_substitute_takes_up_what_the_absent_person_had_claimed(office: Stage):
    task = office.task("draft")
    office.do(Claim(by=Actor("ann"), task=task))
    office.organise(with_substitutes(("ann", "eve", "2026-09-14", "2026-09-18")))
    office.complete("draft", by="eve", count=1)
    assert office.rows(tables.user_task)[0].closed_for == "ann"


def test_people_who_left_do_nothing_any_more(office: Stage):
    gone = "\n".join(line for line in ORGANISATION.splitlines() if "id: bob" not in line)
    office.organise(gone)
    with pytest.raises(NotFound, match="bob"):
        office.complete("draft", by="bob", count=1)


# -- two at once ------------------------------------------------------------------------------------


def at_once(*acts) -> list[Exception | None]:
    """Carry the acts out in threads of their own, begun together; what each raised."""
    gate = threading.Barrier(len(acts))
    found: list[Exception | None] = [None] * len(acts)

    def run(index, act):
        gate.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001
            found[index] = error

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.mark.parametrize("verb", ["claim", "complete"])
def test_of_two_people_at_once_one_wins_and_the_other_is_told_who(stage: Stage, verb):
    stage.publish(TWO, forms=FORMS)
    for _ in range(5):
        stage.start()
    for task in stage.tasks("draft"):
        commands = {
            person: Claim(by=Actor(person), task=task)
            if verb == "claim"
            else Complete(by=Actor(person), task=task, values={"count": 1})
            for person in ("ann", "bob")
        }
        found = at_once(*(lambda command=each: stage.app.do(command) for each in commands.values()))
        losers = [error for error in found if error is not None]
        assert len(losers) == 1, found
        winner = "bob" if found[0] is losers[0] else "ann"
        assert isinstance(losers[0], Conflict)
        assert winner in str(losers[0])
    kind = "task.claimed" if verb == "claim" else "task.completed"
    assert len(stage.journal(kind)) == 5


def test_two_branches_completed_at_once_both_count(stage: Stage):
    stage.publish("""
    start s
    and split
    user a form=a
    user b form=b
    and join
    user after
    end e
    s -> split -> a -> join -> after -> e
    split -> b -> join
    """, forms={"a": "  - {id: x, type: integer, label: x}", "b": "  - {id: y, type: integer, label: y}"})  # fmt: skip
    for _ in range(5):
        number = stage.start()
        a, b = stage.task("a"), stage.task("b")
        found = at_once(
            lambda task=a: stage.app.do(Complete(by=Actor("ann"), task=task, values={"x": 1})),
            lambda task=b: stage.app.do(Complete(by=Actor("bob"), task=task, values={"y": 2})),
        )
        assert found == [None, None]
        assert stage.open(number) == ["after"]
        assert stage.variables(number) == {"x": 1, "y": 2}
