"""The year as people read it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from console import failures, output
from console.dates import day_text
from console.language import Messages, both, tr
from console.output import Cell
from console.year.gathering import Kickoff, Left, Reason, Wave, Year
from console.year.people import Manners
from engine.errors import EngineError, Invalid

_WHY: Messages = {
    "planned": "{step}: to be done on {on}",
    "again": "{step}: was done {text} times and is open again, to be done on {on}",
    "refused": "{step}: {error}",
    "order": "{step}: {error}",
    "incident": "incident: {text}",
    "timer": "{step}: waits until {on}",
    "message": "waits for the message {text}",
    "nothing": "nothing is open in it",
}


def tell(year: Year, manners: Manners) -> None:
    """Print everything, the longest part first things first: what happened, then what is still open and why."""
    habits = manners.respondents
    output.heading(
        tr(
            "{begin} to {end}, seed {seed}",
            begin=day_text(year.begin),
            end=day_text(year.end),
            seed=manners.seed,
        )
    )
    output.say(
        "{late} of the tasks with a due date are done late, by {late_days} working days on average (geometric); "
        "{unusual} of the steps are decided otherwise than usual; {share} of those asked answer, after {days} days "
        "on average (geometric)",
        late=_percent(manners.late), late_days=f"{manners.late_days:g}", unusual=_percent(manners.unusual),
        share=_percent(habits.share), days=f"{habits.days:g}",
    )  # fmt: skip
    _part(tr("Procedures"))
    output.table(
        ("Procedure", "By calendar", "By hand", "Finished", "Still open", "Tasks", "Met", "Missed", "Title"),
        [
            (
                Cell(each.code, bold=True), each.by_calendar, each.by_hand, each.ended, each.open, each.tasks,
                each.met, _missed(each.missed), both(each.zh, each.en),
            )
            for each in year.procedures
        ],
    )  # fmt: skip
    _totals(year)
    _part(tr("Kick-offs"))
    output.table(("Started on", "ID", "Procedure", "Period", "How", "Ended on"), map(_kickoff, year.kickoffs))
    if year.missed:
        _part(tr("Missed deadlines"))
        rows = [(each.code, each.step, f"{each.missed}/{each.due}") for each in year.missed]
        output.table(("Procedure", "Step", "Missed"), rows)
    _part(tr("Open work at the end of each week"))
    _loads(year)
    if year.rounds:
        _part(tr("Rounds"))
        output.table(
            ("Round", "Procedure", "Period", "Members", "Issued", "Returned", "Rate", "Satisfied", ""),
            map(_wave, year.rounds),
        )
    _still_open(year)


def _still_open(year: Year) -> None:
    _part(tr("Still open, and why"))
    if not (year.left or year.not_started):
        output.say("Nothing.")
    if year.beyond:
        output.say(
            "What the calendar starts of {codes} does not end within this span: begin it earlier, or end it later",
            codes=", ".join(year.beyond),
        )
    for code, error in year.not_started:
        output.echo(f"{code}  {tr('could not be started')}: {reason(error)}")
    for each in year.left:
        _left(each)


def _part(title: str) -> None:
    output.echo()
    output.heading(title)


def _totals(year: Year) -> None:
    lines = year.procedures
    met, missed = sum(each.met for each in lines), sum(each.missed for each in lines)
    output.say(
        "{runs} instances, {tasks} tasks done, {incidents} incidents; of {due} deadlines {met} were met and {missed} "
        "missed ({share})",
        runs=len(year.kickoffs), tasks=sum(each.tasks for each in lines), due=met + missed, met=met,
        missed=missed, incidents=year.incidents, share=_percent(missed / (met + missed)) if met + missed else "—",
    )  # fmt: skip


def _missed(number: int) -> Cell:
    return Cell(str(number), fg="red" if number else None)


def _kickoff(each: Kickoff) -> tuple[Any, ...]:
    how = tr("by calendar") if each.by_calendar else tr("by hand")
    ended = tr("still open") if each.ended_on is None else day_text(each.ended_on)
    if each.ended_on is not None and each.status != "completed":
        ended = f"{ended} {tr(each.status)}"
    return (day_text(each.started_on), each.instance, each.code, each.period or "", how, ended)


def _loads(year: Year) -> None:
    """A row a role, a sign a week: how many tasks are open at its end, `+` for ten and more."""
    rows = [
        (
            each.name if each.name == each.role else f"{each.name} {each.role}",
            max(each.weeks),
            _signs(each.weeks),
        )
        for each in year.loads
        if any(each.weeks)
    ]
    whole = [sum(each.weeks[place] for each in year.loads) for place in range(len(year.weeks))]
    heads: list[tuple[Any, ...]] = [("", "", _months(year.weeks))]
    output.table(("Role", "Most", "Week"), [*heads, *rows, (tr("All"), max(whole, default=0), "")])
    pairs = [f"{week.strftime('%m-%d')} {count}" for week, count in zip(year.weeks, whole, strict=True)]
    for first in range(0, len(pairs), 9):
        output.echo("  " + "  ".join(f"{each:<9}" for each in pairs[first : first + 9]).rstrip())


def _signs(weeks: tuple[int, ...]) -> str:
    return "".join("·" if not count else str(count) if count < 10 else "+" for count in weeks)


def _months(weeks: tuple[date, ...]) -> str:
    """Over the first week of each month the month's last digit; a week belongs to the month of its Thursday."""
    signs, last = "", 0
    for week in weeks:
        month = (week + timedelta(days=3)).month
        signs += str(month % 10) if month != last else " "
        last = month
    return signs.rstrip()


def _wave(each: Wave) -> tuple[Any, ...]:
    rate = "—" if each.rate is None else _percent(each.rate)
    satisfied = "—" if each.satisfied is None else _percent(each.satisfied)
    return (
        each.name, each.code, each.period or "", each.members or "—", each.issued, each.returned, rate, satisfied,
        tr("still open") if each.status == "open" else tr("closed"),
    )  # fmt: skip


def _left(each: Left) -> None:
    started = tr("since {day}", day=day_text(each.started_on))
    output.echo("  ".join(part for part in (each.instance, each.code, each.period or "", started) if part))
    for why in each.reasons:
        output.echo(f"    {_why(why)}")


def _why(why: Reason) -> str:
    on = "—" if why.on is None else day_text(why.on)
    error = "" if why.error is None else reason(why.error)
    return tr(_WHY[why.kind], step=why.step, on=on, error=error, text=why.text)


def reason(error: EngineError) -> str:
    """An error on one line, in the language in use."""
    if isinstance(error, Invalid):
        return "; ".join(f"{each.field}: {failures.problem_text(each)}" for each in error.problems)
    return failures.message(error)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%"


def plain(year: Year, manners: Manners) -> dict[str, Any]:
    """The year for JSON: by what it was played, and everything that came of it, errors in words."""
    told: dict[str, Any] = {"manners": manners}
    told |= {each.name: getattr(year, each.name) for each in fields(year)}
    told["not_started"] = [{"code": code, "error": reason(error)} for code, error in year.not_started]
    told["left"] = [
        {**_shallow(each), "reasons": [_reason(why) for why in each.reasons]} for each in year.left
    ]
    return told


def _reason(why: Reason) -> dict[str, Any]:
    return {**_shallow(why), "error": None if why.error is None else reason(why.error)}


def _shallow(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}
