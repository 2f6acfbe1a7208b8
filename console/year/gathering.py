"""What a rehearsed year came to, as plain values: the same for print and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from console.year.playing import Play
from engine.errors import EngineError
from engine.model import label
from engine.queries import rehearsed
from survey import rounds

if TYPE_CHECKING:
    from sqlalchemy import Connection


_OFTEN = 10
"""A step done so often in one instance does not lead on."""


@dataclass(frozen=True, slots=True)
class Line:
    """One procedure in the span."""

    code: str
    zh: str
    en: str
    by_calendar: int
    by_hand: int
    ended: int
    """Instances that came to an end, whichever."""
    open: int
    tasks: int
    """Done."""
    met: int
    missed: int


@dataclass(frozen=True, slots=True)
class Kickoff:
    """One instance that was started."""

    instance: str
    code: str
    period: str | None
    by_calendar: bool
    started_on: date
    ended_on: date | None
    status: str


@dataclass(frozen=True, slots=True)
class Missed:
    """A step whose deadline was missed, all times together."""

    code: str
    step: str
    missed: int
    due: int
    """How often it fell due."""


@dataclass(frozen=True, slots=True)
class Load:
    """The open tasks of a role at the end of each week."""

    role: str
    name: str
    weeks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """One survey round."""

    name: str
    code: str
    period: str | None
    status: str
    members: int
    issued: int
    returned: int
    rate: float | None
    """Returned over issued."""
    satisfied: float | None
    """By the round's own method."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is still open: `kind`, and what it is about."""

    kind: str
    """planned | again | refused | order | incident | timer | message | nothing"""
    step: str = ""
    role: str | None = None
    on: date | None = None
    """When it is planned or fires."""
    error: EngineError | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """An instance that is still open, and why; or that has ended with an incident left behind."""

    instance: str
    code: str
    period: str | None
    started_on: date
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """Everything."""

    begin: date
    end: date
    """The last day."""
    weeks: tuple[date, ...]
    """The Mondays of the weeks."""
    procedures: tuple[Line, ...]
    kickoffs: tuple[Kickoff, ...]
    missed: tuple[Missed, ...]
    loads: tuple[Load, ...]
    rounds: tuple[Wave, ...]
    left: tuple[Left, ...]
    not_started: tuple[tuple[str, EngineError], ...]
    incidents: int
    """Steps that failed, and wait for somebody to try them again; each is named in `left`."""
    beyond: tuple[str, ...]
    """Procedures that the calendar started, though so that nothing of them came to its end."""


def gather(play: Play, begin: date, end: date) -> Year:
    """What the play came to, from the database it was played on."""
    with play.place.app.store.read() as conn:
        runs = rehearsed.runs(conn)
        promises = [each for each in rehearsed.promises(conn) if each.status != "armed"]
        lain = rehearsed.lain(conn)
        codes = {office.procedure.id: office.code for office in play.place.offices}
        of = {run.id: codes[run.procedure] for run in runs}
        weeks = _weeks(begin, end)
        return Year(
            begin,
            end,
            weeks,
            _lines(play, runs, promises, lain, of),
            tuple(_kickoff(play, run, of[run.id]) for run in runs),
            _missed(promises, of),
            _loads(play, lain, weeks, rehearsed.role_names(conn)),
            tuple(_waves(conn, runs, of)),
            tuple(_left(conn, play, runs, of)),
            tuple(play.refused),
            len(rehearsed.incidents(conn)),
            _beyond(runs, of),
        )


def _beyond(runs: Sequence[rehearsed.Run], of: Mapping[int, str]) -> tuple[str, ...]:
    begun = [run for run in runs if run.by_calendar]
    ended = {of[run.id] for run in begun if run.ended_at is not None}
    return tuple(sorted({of[run.id] for run in begun} - ended))


def _day(play: Play, at: datetime) -> date:
    return at.astimezone(play.place.app.zone).date()


def _lines(
    play: Play,
    runs: Sequence[rehearsed.Run],
    promises: Sequence[rehearsed.Promise],
    lain: Sequence[rehearsed.Lain],
    of: Mapping[int, str],
) -> tuple[Line, ...]:
    ends = Counter((of[each.root], each.status) for each in promises)
    done = Counter(of[each.root] for each in lain if each.status == "done")
    started = Counter((of[run.id], run.by_calendar) for run in runs)
    still = Counter(of[run.id] for run in runs if run.ended_at is None)
    return tuple(
        Line(
            office.code, office.procedure.title.zh, office.procedure.title.of("en"),
            started[office.code, True], started[office.code, False],
            started[office.code, True] + started[office.code, False] - still[office.code],
            still[office.code], done[office.code], ends[office.code, "met"], ends[office.code, "missed"],
        )
        for office in sorted(play.place.offices, key=lambda each: each.code)
    )  # fmt: skip


def _kickoff(play: Play, run: rehearsed.Run, code: str) -> Kickoff:
    ended = None if run.ended_at is None else _day(play, run.ended_at)
    started = _day(play, run.started_at)
    return Kickoff(label(run.id), code, run.period, run.by_calendar, started, ended, run.status)


def _missed(promises: Sequence[rehearsed.Promise], of: Mapping[int, str]) -> tuple[Missed, ...]:
    due = Counter((of[each.root], each.name) for each in promises)
    missed = Counter((of[each.root], each.name) for each in promises if each.status == "missed")
    ranked = sorted(missed.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Missed(code, step, count, due[code, step]) for (code, step), count in ranked)


def _weeks(begin: date, end: date) -> tuple[date, ...]:
    monday = begin - timedelta(days=begin.weekday())
    return tuple(monday + timedelta(weeks=number) for number in range((end - monday).days // 7 + 1))


def _loads(
    play: Play, lain: Sequence[rehearsed.Lain], weeks: Sequence[date], names: Mapping[str, str]
) -> tuple[Load, ...]:
    zone = play.place.app.zone
    ends = [datetime.combine(week + timedelta(weeks=1), time(), zone).astimezone(UTC) for week in weeks]
    counts: dict[str, list[int]] = {}
    for each in lain:
        row = counts.setdefault(each.role or "", [0] * len(weeks))
        for place, end in enumerate(ends):
            if each.opened_at < end and (each.closed_at is None or each.closed_at >= end):
                row[place] += 1
    return tuple(Load(role, names.get(role, role), tuple(row)) for role, row in sorted(counts.items()))


def _waves(conn: Connection, runs: Sequence[rehearsed.Run], of: Mapping[int, str]) -> list[Wave]:
    found = []
    for run in runs:
        for each in rounds.rounds_of(conn, run.id):
            counts = rounds.progress(conn, each)
            rate = counts.returned / counts.issued if counts.issued else None
            satisfied = _satisfied(conn, each) if counts.returned else None
            found.append(
                Wave(
                    each.name, of[run.id], run.period, each.status, counts.members, counts.issued,
                    counts.returned, rate, None if satisfied is None else float(satisfied),
                )
            )  # fmt: skip
    return found


def _satisfied(conn: Connection, found: rounds.Round) -> Fraction | None:
    try:
        return rounds.figures_of(conn, [found]).whole.rate.value
    except EngineError:  # a questionnaire without a method of its own has no such rate
        return None


def _left(conn: Connection, play: Play, runs: Sequence[rehearsed.Run], of: Mapping[int, str]) -> list[Left]:
    waiting: dict[int, list[rehearsed.Waiting]] = {}
    for task in rehearsed.waiting(conn):
        waiting.setdefault(task.root, []).append(task)
    failed: dict[int, list[str]] = {}
    for root, text in rehearsed.incidents(conn):
        failed.setdefault(root, []).append(text)
    found = []
    for run in runs:
        if run.ended_at is not None and run.id not in failed:
            continue
        reasons = [Reason("incident", text=text) for text in dict.fromkeys(failed.get(run.id, ()))]
        reasons += [
            Reason("order", kind, error=error)
            for (root, kind), error in sorted(play.people.turned_down.items(), key=lambda each: each[0])
            if root == run.id
        ]
        reasons += [_task_reason(play, task) for task in waiting.get(run.id, ())]
        if (timer := rehearsed.next_timer(conn, run.id)) is not None:
            reasons.append(Reason("timer", timer[0], on=_day(play, timer[1])))
        if names := rehearsed.received(conn, run.id):
            reasons.append(Reason("message", text=", ".join(names)))
        found.append(
            Left(
                label(run.id), of[run.id], run.period, _day(play, run.started_at),
                tuple(reasons) or (Reason("nothing"),),
            )
        )  # fmt: skip
    return found


def _task_reason(play: Play, task: rehearsed.Waiting) -> Reason:
    step, blocked = f"{task.id} {task.name}", play.people.blocked.get(task.id)
    if blocked is not None:
        return Reason("refused", step, task.role, error=blocked)
    at = play.planned.get(task.id)
    on, times = None if at is None else _day(play, at), play.people.times(task)
    if times >= _OFTEN:
        return Reason("again", step, task.role, on=on, text=str(times))
    return Reason("planned", step, task.role, on=on)
