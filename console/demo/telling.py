"""What came of the demonstration: a timeline, a line an office, the figures, and what to try next."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import output
from console.dates import day_text
from console.demo.acting import DISTRICTS, PERIOD, PROCEDURE
from console.language import chosen, tr
from console.output import Cell
from engine.model import label
from engine.queries import definitions, demonstration
from engine.store.verify import Verdict, verify
from survey import rounds
from survey.figures import Figures, Line, percent, shown

SHOWN = 2
"""The office whose timeline is printed: one with somebody late and a substitute."""

if TYPE_CHECKING:
    from engine.app import App
    from engine.queries.demonstration import Course


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to be told."""

    courses: tuple[Course, ...]
    offices: list[Figures]
    whole: Figures
    verdict: Verdict
    titles: Mapping[str, str]
    """The procedure's English title by the other."""


def told(app: App) -> Told:
    """What came of the quarter."""
    with app.store.read() as conn:
        courses = demonstration.courses(conn, PROCEDURE, PERIOD)
        found = [rounds.round_of(conn, each.instance) for each in courses]
        offices = [rounds.figures_of(conn, [each]) for each in found]
        titles = definitions.english(conn) if chosen() == "en" else {}
        return Told(courses, offices, rounds.figures_of(conn, found), verify(conn), titles)


def plain(found: Told) -> dict[str, Any]:
    """The same for --json."""
    figures = {c.unit: figures_plain(f) for c, f in zip(found.courses, found.offices, strict=True)}
    return {
        "courses": found.courses,
        "figures": {"whole": figures_plain(found.whole)} | figures,
        "journal": {"rows": found.verdict.rows, "faults": [str(fault) for fault in found.verdict.faults]},
    }


def show(app: App, found: Told) -> None:
    """Print it."""
    courses, verdict = found.courses, found.verdict
    _timeline(app, courses[SHOWN], found.titles)
    _offices(app, courses, found.offices)
    _figures(courses, found.offices, found.whole)
    folder = app.workspace.records.relative_to(app.workspace.folder.parent)
    output.echo()
    output.say("Records: {folder}/SV-…, each with SHA256SUMS", folder=folder)
    if verdict.faults:
        output.warn("The journal has {number} faults", number=len(verdict.faults))
    else:
        output.say(
            "Journal verified: {rows} entries in {chains} chains, no fault",
            rows=verdict.rows,
            chains=verdict.chains,
        )
    output.echo()
    output.heading(tr("Try next"))
    flow = flow_from(app.workspace.folder)
    late = next(task for task in courses[SHOWN].tasks if task.late)
    for line in (
        f"cd {shlex.quote(os.path.relpath(app.workspace.folder))}",
        f"{flow} task why {late.id} --as guo.li",
        f"{flow} instance history {label(courses[SHOWN].instance)}",
        f"{flow} demo clock --to 2026-11-20T09:00 && {flow} task list --as chen.jing",
    ):
        output.echo(f"  {line}")


def flow_from(folder: Path) -> str:
    """How the program is called by somebody who works in a folder."""
    program = Path(sys.argv[0]).resolve()
    return shlex.quote(os.path.relpath(program, folder)) if program.is_file() else "flow"


def _timeline(app: App, course: Course, titles: Mapping[str, str]) -> None:
    title = titles.get(course.title, course.title)
    output.heading(f"{label(course.instance)}  {course.unit_name}  {title}  {course.period}")
    rows = []
    for task in course.tasks:
        due = None if task.due_day is None else day_text(date.fromisoformat(task.due_day))
        done = task.closed_at.astimezone(app.zone)
        who = task.person + (f"({tr('for {person}', person=task.acting_for)})" if task.acting_for else "")
        mark = Cell(tr("late"), fg="red") if task.late else Cell(tr("in time"), dim=True) if due else Cell("")
        rows.append((task.id, task.name, task.role, who, due, done.strftime("%m-%d %H:%M"), mark))
    output.table(("ID", "Step", "Role", "Person", "Due", "Done", ""), rows)


def _offices(app: App, courses: tuple[Course, ...], offices: list[Figures]) -> None:
    output.echo()
    rows = []
    for course, figures in zip(courses, offices, strict=True):
        ended = course.ended_at.astimezone(app.zone).strftime("%m-%d") if course.ended_at else "-"
        rows.append(
            (
                label(course.instance),
                course.unit_name,
                course.started_at.astimezone(app.zone).strftime("%m-%d"),
                ended,
                str(len(course.tasks)),
                Cell("、".join(course.missed), fg="red") if course.missed else Cell("-"),
                f"{figures.returned}/{figures.issued}",
                percent(figures.whole.rate.value),
            )
        )
    output.table(("ID", "Unit", "Started", "Ended", "Tasks", "Missed", "Returned", "Satisfied"), rows)


def _figures(courses: tuple[Course, ...], offices: list[Figures], whole: Figures) -> None:
    output.echo()
    output.heading(whole.method.title.of(chosen()))
    heads = (
        "Item",
        "Base",
        "Don't know",
        "Mean",
        "Satisfied",
        *(DISTRICTS[course.unit] for course in courses),
    )
    rows: list[tuple[Any, ...]] = []
    for group in whole.groups:
        for place, item in enumerate(whole.items):
            if item.group == group.id:
                per_office = [percent(each.items[place].rate.value) for each in offices]
                name = f"  {item.label.of(chosen())}"
                rows.append((name, *_numbers(item), *per_office))
        place = whole.groups.index(group)
        rows.append(
            (Cell(group.label.of(chosen()), bold=True), *_numbers(group),
             *(percent(each.groups[place].rate.value) for each in offices))
        )  # fmt: skip
    rows.append(
        (
            Cell(tr("Whole"), bold=True),
            *_numbers(whole.whole),
            *(percent(each.whole.rate.value) for each in offices),
        )
    )
    output.table(heads, rows)


def _numbers(line: Line) -> tuple[str, str, str, str]:
    return (str(line.rate.base), str(line.tally.abstained), shown(line.mean), percent(line.rate.value))


def figures_plain(figures: Figures) -> dict[str, Any]:
    """Figures for --json, by item."""

    def line_plain(line: Line) -> dict[str, Any]:
        tally, rate = line.tally, line.rate
        return {
            "base": rate.base, "abstained": tally.abstained, "blank": tally.blank, "satisfied": tally.satisfied,
            "rate": None if rate.value is None else float(rate.value),
            "mean": None if line.mean is None else float(line.mean),
        }  # fmt: skip

    return {
        "method": figures.method.id, "issued": figures.issued, "returned": figures.returned,
        "whole": line_plain(figures.whole),
        "groups": {each.id: line_plain(each) for each in figures.groups},
        "items": {each.id: line_plain(each) for each in figures.items},
    }  # fmt: skip
