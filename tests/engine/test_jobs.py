"""Jobs: called at least once, with effect exactly once; failures end in an incident that a person decides."""

from __future__ import annotations

import pytest

from engine.bpmn.environment import BpmnError
from engine.commands.instances import Cancel, Start
from engine.commands.jobs import ATTEMPTS, AnswerJob, RetryJob, RunJob, SkipJob
from engine.commands.timers import FireTimers
from engine.errors import Conflict, EngineError, Invalid, NotFound
from engine.handlers import Call, Handlers
from engine.model import SYSTEM, Actor
from engine.store import tables
from tests.engine.stage import Stage, open_stage
from tests.engine.test_worklist import at_once

OUTSIDE = """
start s
service call flow.handler=t.post flow.to=office
boundary failed on=call error=E
user after
user mended
end e
s -> call -> after -> e
failed -> mended -> e
"""


class Post:
    """An outside handler that fails as often as it is told to."""

    def __init__(self, handlers: Handlers, failures: int = 0, error: Exception | None = None) -> None:
        self.calls: list[Call] = []
        self.failures = failures
        self.error = error or EngineError("the post office is closed")

        @handlers.outside
        def post(call: Call) -> dict[str, object]:
            """Send something."""
            self.calls.append(call)
            if len(self.calls) <= self.failures:
                raise self.error
            return {"sent": len(self.calls)}


def test_an_outside_handler_is_called_after_the_commit_and_its_answer_becomes_variables(
    stage: Stage, handlers
):
    post = Post(handlers)
    stage.publish(OUTSIDE)
    number = stage.start()
    assert stage.open() == ["after"]
    assert stage.variables(number) == {"sent": 1}
    (call,) = post.calls
    assert (call.label, call.unit, call.properties["flow.to"]) == (f"SV-{number}", "east", "office")


def test_no_transaction_is_open_while_an_outside_handler_runs_and_it_can_still_read_and_take_notes(
    stage: Stage, handlers
):
    @handlers.outside
    def post(call: Call) -> dict[str, object]:
        """Write to the database by another way, which an open transaction would not let happen."""
        with stage.app.store.write() as conn:
            conn.execute(tables.setting.insert().values(name="outside", value=1))
        rows = call.conn.execute(tables.setting.select()).all()
        call.note("post.sent", {"letters": 3})
        return {"read": [row.name for row in rows if row.name == "outside"]}

    stage.publish(OUTSIDE)
    number = stage.start()
    assert stage.variables(number) == {"read": ["outside"]}
    (told,) = stage.journal("post.sent")
    assert (told.instance, told.subject, told.facts) == (number, "call", {"letters": 3})


def test_a_failing_call_is_tried_again_with_growing_delay_under_the_same_key_and_then_left_to_a_person(
    quick: Stage, handlers
):
    post = Post(handlers, failures=ATTEMPTS)
    quick.publish(OUTSIDE)
    number = quick.start()
    waits = []
    while not quick.incidents():
        (job,) = quick.rows(tables.job)
        waits.append((job.not_before - quick.clock.now()).total_seconds())
        quick.app.settle()
        assert len(post.calls) == len(waits), "not before its time"
        quick.clock.move_to(job.not_before)
        quick.app.settle()
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert len(post.calls) == ATTEMPTS
    assert len({call.key for call in post.calls}) == 1
    assert "closed" in (quick.incidents()[0].error or "")
    quick.retry()
    assert quick.variables(number)["sent"] == ATTEMPTS + 1
    assert quick.open() == ["after"]
    assert len({call.key for call in post.calls}) == 1


def test_a_bug_in_a_handler_becomes_an_incident_and_stops_nobody_else(quick: Stage, handlers, caplog):
    post = Post(handlers, failures=99, error=ZeroDivisionError("division"))
    quick.publish(OUTSIDE)
    quick.start()
    for _ in range(ATTEMPTS):
        quick.wait(days=1)
    assert "ZeroDivisionError" in (quick.incidents()[0].error or "")
    assert "ZeroDivisionError" in caplog.text
    assert len(post.calls) == ATTEMPTS


def test_an_incident_is_skipped_only_with_a_reason_and_the_procedure_goes_on(quick: Stage, handlers):
    Post(handlers, failures=99)
    quick.publish(OUTSIDE)
    quick.start()
    job = quick.rows(tables.job)[0].id
    for command in (RetryJob(by=Actor("gus"), job=job), SkipJob(by=Actor("gus"), job=job, reason="x")):
        with pytest.raises(Conflict, match="needs nobody"):
            quick.do(command)
    for _ in range(ATTEMPTS):
        quick.wait(days=1)
    with pytest.raises(Invalid, match="Say why"):
        quick.do(SkipJob(by=Actor("gus"), job=job, reason=" "))
    quick.do(SkipJob(by=Actor("gus"), job=job, reason="sent by hand"))
    quick.app.settle()
    assert quick.open() == ["after"]
    assert not quick.incidents()
    (fact,) = quick.journal("job.skipped")
    assert fact.facts["reason"] == "sent by hand"
    with pytest.raises(NotFound):
        quick.do(RetryJob(by=Actor("gus"), job=999))


def test_a_bpmn_error_from_a_handler_takes_the_error_boundary(quick: Stage, handlers):
    Post(handlers, failures=1, error=BpmnError("E"))

    @handlers.inside
    def check(call: Call) -> dict[str, object]:
        """Check."""
        raise BpmnError("E")

    quick.publish(OUTSIDE)
    quick.start()
    assert quick.open() == ["mended"]
    quick.publish(OUTSIDE.replace("t.post", "t.check"))
    quick.start()
    assert quick.open() == ["mended", "mended"]


def test_an_inside_handler_that_refuses_leaves_an_incident_and_what_was_done_before_stays(
    stage: Stage, handlers
):
    tries = []

    @handlers.inside
    def check(call: Call) -> dict[str, object]:
        """Check."""
        tries.append(call.variables["x"])
        call.conn.execute(tables.setting.insert().values(name=f"try {len(tries)}", value=1))
        if len(tries) < 3:
            raise EngineError("not yet")
        return {"checked": True}

    stage.publish("start s\nuser a form=f\nservice check flow.handler=t.check\nend e\ns -> a -> check -> e",
                  forms={"f": "  - {id: x, type: integer, label: x}"})  # fmt: skip
    number = stage.start()
    stage.complete("a", x=7)
    assert stage.open() == []
    assert [job.error for job in stage.incidents()] == ["not yet"]
    stage.retry()
    assert [job.error for job in stage.incidents()] == ["not yet"]
    stage.retry()
    assert not stage.incidents()
    assert stage.outcome(number) == "completed"
    assert tries == [7, 7, 7]


def test_a_failed_element_is_not_run_again_by_what_happens_beside_it(quick: Stage, handlers):
    tries = []

    @handlers.inside
    def check(call: Call) -> dict[str, object]:
        """Check."""
        tries.append(1)
        raise EngineError("never")

    quick.publish("""
    start s
    and split
    service check flow.handler=t.check
    user a
    user b
    end e
    s -> split -> check -> e
    split -> a -> b -> e
    """)
    number = quick.start()
    quick.complete("a")
    quick.complete("b")
    assert len(tries) == 1
    assert len(quick.incidents()) == 1
    assert quick.outcome(number) is None


def test_a_job_run_twice_takes_effect_once(quick: Stage, handlers):
    post = Post(handlers)
    quick.publish(OUTSIDE)
    number = quick.do(_start())
    (job,) = quick.rows(tables.job)
    quick.app.work(job.id)
    quick.app.work(job.id)
    quick.app.settle()
    quick.do(AnswerJob(by=SYSTEM, job=job.id, values={"sent": 99}))
    assert quick.do(RunJob(by=SYSTEM, job=job.id)) is False
    assert quick.variables(number) == {"sent": 1}
    assert len(post.calls) == 1
    assert quick.open() == ["after"]


def _start() -> Start:
    return Start(by=Actor("ann"), procedure="p", unit="east")


def test_two_workers_at_the_same_jobs_double_and_lose_nothing(stage: Stage, handlers, tmp_path):
    Post(handlers)
    stage.publish("""
    start s
    sub each times=8
      service call flow.handler=t.post
      catch t timer=PT1H
      user a
      call -> t -> a
    user after
    end e
    s -> each -> after -> e
    """)
    number = stage.start()
    other = open_stage(stage.app.store, tmp_path, handlers, clock=stage.clock)
    other.app.registry.known = handlers.known
    stage.clock.advance(hours=2)
    assert at_once(stage.tick, other.tick) == [None, None]
    stage.tick()
    assert stage.open() == ["a"] * 8
    tasks = stage.tasks("a")
    assert at_once(
        lambda: [stage.complete(task) for task in tasks[:4]],
        lambda: [other.complete(task) for task in tasks[4:]],
    ) == [None, None]
    stage.tick()
    assert stage.open() == ["after"]
    assert stage.trace(number).count("after") == 1
    assert not stage.incidents()


def test_an_answer_for_a_step_that_was_withdrawn_meanwhile_changes_nothing(quick: Stage, handlers):
    @handlers.outside
    def post(call: Call) -> dict[str, object]:
        """Be overtaken by the timer."""
        quick.clock.advance(hours=1)
        quick.do(FireTimers(by=SYSTEM))
        (timer,) = quick.rows(tables.job, tables.job.c.kind == "timer")
        quick.do(RunJob(by=SYSTEM, job=timer.id))
        return {"sent": 1}

    quick.publish(OUTSIDE.replace("error=E", "timer=PT1H"))
    number = quick.do(_start())
    quick.app.work(quick.rows(tables.job)[0].id)
    assert quick.open() == ["mended"]
    assert quick.variables(number) == {}
    assert not quick.incidents()


def test_nobody_is_called_for_a_step_already_withdrawn_or_an_instance_that_ended(quick: Stage, handlers):
    post = Post(handlers)
    quick.publish(OUTSIDE)
    number = quick.do(_start())
    quick.do(Cancel(by=Actor("gus"), instance=number, reason="no"))
    quick.app.settle()
    assert not post.calls
    assert not quick.incidents()
    assert not quick.rows(tables.job, tables.NEW_JOB)


def test_the_incidents_of_an_instance_that_ended_can_be_cleared(quick: Stage, handlers):
    Post(handlers, failures=99)
    quick.publish(OUTSIDE)
    number = quick.start()
    for _ in range(ATTEMPTS):
        quick.wait(days=1)
    quick.do(Cancel(by=Actor("gus"), instance=number, reason="no"))
    quick.do(SkipJob(by=Actor("gus"), job=quick.incidents()[0].number, reason="cancelled anyway"))
    assert not quick.incidents()


def test_a_boundary_timer_that_cannot_be_read_is_an_incident_of_its_own_and_skipping_it_gives_it_up(
    quick: Stage,
):
    quick.publish("""
    start s
    user a
    boundary late on=a timer=when
    user instead
    end e
    s -> a -> e
    late -> instead -> e
    """)
    number = quick.start()
    assert quick.open() == ["a"]
    quick.retry()
    assert quick.open() == ["a"]
    (incident,) = quick.incidents()
    assert incident.element == "late"
    quick.do(SkipJob(by=Actor("gus"), job=incident.number, reason="no timer needed"))
    assert quick.open() == ["a"]
    quick.complete("a")
    assert quick.outcome(number) == "completed"


def test_a_job_rung_for_by_a_transaction_that_was_rolled_back_is_nothing_to_worry_about(
    quick: Stage, handlers
):
    Post(handlers)
    quick.publish(OUTSIDE)
    quick.app.bell.ring(None, 12345, None, rank=0)
    quick.app.settle()
    quick.start()
    assert quick.open() == ["after"]
