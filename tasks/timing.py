"""Timing: how long each step of a survey took, against the day by which it was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import cast

from sqlalchemy import Connection

from documents.content import Value
from engine.calendar.counting import working_days_between
from engine.calendar.working import WorkingCalendar
from engine.handlers import Call, Handlers, Values, anything, takes
from engine.queries.instances import Step, steps_of
from engine.store.calendars import calendar_of
from survey.figures import shown
from tasks.controlled import tabled

handlers = Handlers("timing")

RESOLUTION = timedelta(microseconds=1)
_HEAD = ("步骤", "负责角色", "经办人", "开始日期", "应完成日期", "完成日期", "用时（工作日）", "状态")


@handlers.inside
@takes(optional={"flow.sets": anything})
def steps(call: Call) -> Values:
    """Lists every step done so far, here and in what was called: who, from when to when, in how many working days.

    Sets `steps_done`, `steps_late` and `steps_summary`; makes the table. A day that begins and ends a step counts 0.
    """
    conn = cast(Connection, call.conn)
    calendar = calendar_of(conn, call.unit)
    done = [each for each in steps_of(conn, call.root, call.now) if each.status == "done"]
    took = [_took(call, each, calendar) for each in done]
    late = sum(each.late for each in done)
    mean = shown(Fraction(sum(took), len(took)), 1) if took else "—"
    longest = _longest(done, took)
    return {
        "steps_done": len(done),
        "steps_late": late,
        "steps_summary": f"共完成{len(done)}个步骤，逾期{late}个，平均用时{mean}个工作日{longest}。",
        "$record": tabled(call, _HEAD, _rows(call, done, took)),
    }


def _took(call: Call, step: Step, calendar: WorkingCalendar) -> int:
    assert step.closed_at is not None  # it is done
    return max(0, working_days_between(_day(call, step.opened_at), _day(call, step.closed_at), calendar))


def _longest(done: Sequence[Step], took: Sequence[int]) -> str:
    if not took or not max(took):
        return ""
    step = done[took.index(max(took))]
    return f"，最长的是“{step.name}”（{max(took)}个工作日）"


def _rows(call: Call, done: Sequence[Step], took: Sequence[int]) -> Iterator[tuple[Value, ...]]:
    for step, days in zip(done, took, strict=True):
        assert step.closed_at is not None
        dates = (step.opened_at, None if step.due_at is None else _last(step.due_at), step.closed_at)
        yield (
            *(step.name, step.role_name, step.person_name),
            *(None if each is None else _day(call, each) for each in dates),
            *(days, "逾期" if step.late else "按期" if step.due_at else "无期限"),
        )


def _day(call: Call, moment: datetime) -> date:
    return moment.astimezone(call.zone).date()


def _last(due: datetime) -> datetime:
    """The last moment that is in time: a date ends at 24:00, which is the next day's beginning."""
    return due - RESOLUTION
