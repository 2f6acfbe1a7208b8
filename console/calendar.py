"""`flow calendar`: working-day tables."""

from __future__ import annotations

from pathlib import Path

import click

from console import output
from console.completions import units
from console.dates import day_text, moment_text
from console.failures import problem_text
from console.language import tr
from console.output import Cell
from console.session import Session
from console.shape import group, option
from engine.calendar.rules import LatestFit
from engine.errors import NotFound

_SHOWN = 10
"""Instances named of those in which dates moved."""
_UNIT = option("--unit", metavar="UNIT", shell_complete=units, help="The days a unit decides otherwise.")


@group("calendar", example="flow calendar show 2026\nflow calendar import 2027.yaml")
def calendar() -> None:
    """Working-day tables."""


@calendar.command("show", example="flow calendar show\nflow calendar show 2026")
@click.argument("year", metavar="[YEAR]", required=False, type=click.IntRange(1, 9999))
@_UNIT
@click.pass_obj
def show(session: Session, year: int | None, unit: str | None) -> None:
    """List the tables, or show the days of a year that differ from the plain week."""
    from engine.queries import calendars
    from engine.store.calendars import damaged

    with session.read() as conn:
        broken = damaged(conn)
        found = [
            each
            for each in calendars.tables(conn)
            if (unit is None or each.unit == unit)
            and (year is None or each.year == year or each.unit is not None)
        ]
    if year is not None and not any(each.year == year for each in found) and unit is None:
        raise NotFound(
            "No working-day table for {year}: import one with `flow calendar import FILE`", year=year
        )
    if session.json:
        output.dump(found)
        return
    if year is None and unit is None:
        rows = [
            (
                str(each.year or ""),
                each.unit,
                Cell(tr("damaged"), fg="red")
                if each.unit is None and each.year in broken
                else Cell(tr(each.status), fg="yellow" if each.status == "provisional" else None),
                (each.body.get("notice") or {}).get("number"),
                moment_text(each.imported_at, session.zone),
                str(each.versions),
            )
            for each in found
        ]
        output.table(("Year", "Unit", "Status", "Notice", "Imported", "Versions"), rows)
        return
    for each in found:
        if each.unit is None and each.year in broken:
            raise broken[each.year]
        _show_days(each.body, each.unit)


def _show_days(body: object, unit: str | None) -> None:
    from engine.calendar.tables import CalendarTable, Exceptions

    assert isinstance(body, dict)
    if unit is None:
        table = CalendarTable.from_mapping(body, "table")
        days = table.exceptions
        output.heading(
            f"{table.year}  {tr(table.status.value)}  {table.notice.number if table.notice else ''}".rstrip()
        )
    else:
        days = Exceptions.from_mapping(body, "table")
        output.heading(unit)
    rows = [
        *((day, name, Cell(tr("off"), fg="green")) for day, name in days.days_off.items()),
        *((day, name, Cell(tr("worked"), fg="yellow")) for day, name in days.days_worked.items()),
    ]
    output.table(
        ("Day", "", ""), [(day_text(day), mark, name) for day, name, mark in sorted(rows, key=lambda r: r[0])]
    )


@calendar.command(
    "import", example="flow calendar import 2027.yaml\nflow calendar import own-days.yaml --unit office-1"
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_UNIT
@click.pass_obj
def import_(session: Session, file: Path, unit: str | None) -> None:
    """Take in a year's table; open due dates are counted again by it, and each that moves is journaled.

    Such a file lists what differs from the plain week, after the State Council's notice; without the notice it is
    `status: provisional`:

        year: 2028
        status: published
        notice: {number: 国办发明电〔2027〕1号, date: "2027-11-04"}
        days_off:
          元旦: ["2028-01-01", "2028-01-02", "2028-01-03"]
        days_worked:
          元旦: ["2028-01-08"]

    A unit's own days are a file of `days_off` and `days_worked` alone. The shipped tables lie in processes/calendars
    where satisflow is installed.
    """
    from engine import strict_yaml
    from engine.commands.calendars import ImportCalendar
    from engine.files import read_file

    document = strict_yaml.load(read_file(file, strict_yaml.MAX_BYTES), file.name)
    with output.working("Counting the open due dates again"):
        done = session.do(ImportCalendar(by=session.operator, document=document, unit=unit))
    if session.json:
        output.dump(done)
    elif not done.fresh:
        output.say("This table was imported before; nothing changed")
    else:
        output.say(
            "Imported; due dates that moved: {count}; timers: {timers}", count=done.moved, timers=done.timers
        )
        if done.instances:
            some = ", ".join(done.instances[:_SHOWN]) + (" …" if len(done.instances) > _SHOWN else "")
            output.say("That was in {instances}: flow instance history tells which", instances=some)
        _warn_of_misfits(session)


def _warn_of_misfits(session: Session) -> None:
    """Say which surveys still to begin no longer end within their period. When they begin stays with people."""
    from engine.queries import instances, schedules

    with session.read() as conn:
        for each in instances.instances(conn, status="running"):
            procedure = session.app.services.library.find(conn, each.definition).procedure
            if any(isinstance(known.rule.start, LatestFit) for known in procedure.schedules.values()):
                variables = instances.variables(conn, each.number)
                if str(variables.get("d0", "")) >= session.today.isoformat():
                    for misfit in schedules.misfits(conn, procedure, variables, each.unit):
                        output.echo(click.style(f"{each.id}  {problem_text(misfit)}", fg="yellow"), err=True)
