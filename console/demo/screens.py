"""One screen a story: who was asked, what came back, the figures, who was late, the documents, how to see more."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import output
from console.dates import day_text
from console.demo.stories import Story
from console.demo.telling import figures_plain, flow_from
from console.language import both, chosen, tr
from console.output import Cell
from engine.errors import NotFound
from engine.forms import Text
from engine.model import label
from engine.queries import demonstration, records
from survey import draws, rounds
from survey.draws import Drawn
from survey.figures import Figures, Line, percent, shown
from survey.rounds import Progress, Round

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from engine.app import App
    from engine.queries.demonstration import Course, DoneTask

LOWEST = 3
"""So many of the items are named that satisfied fewest."""
OPENED = (".docx", ".xlsx", ".pdf")
MOST_PAPERS = 5
"""What is opened with an office's programs."""


@dataclass(frozen=True, slots=True)
class Survey:
    """One round of a story."""

    found: Round
    questionnaire: Text
    """Its title."""
    progress: Progress
    drawn: Drawn | None
    departments: int
    """Where whoever came was asked, and no roster says who that was."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class Told:
    """What a screen shows."""

    course: Course
    surveys: tuple[Survey, ...]
    documents: tuple[str, ...]
    """Paths within the workspace, by name; of one that is there in several forms, each."""

    @property
    def late(self) -> tuple[DoneTask, ...]:
        """What was done after its time."""
        return tuple(task for task in self.course.tasks if task.late)


def told(app: App, story: Story) -> Told:
    """What there is to be told of a story that was played."""
    with app.store.read() as conn:
        course = demonstration.courses(conn, story.procedure, story.period)[0]
        surveys = []
        for each in rounds.rounds_of(conn, course.instance):
            try:
                drawn = draws.drawn(conn, each)
            except NotFound:  # whoever came was asked
                drawn = None
            departments = len(rounds.counted(conn, each, rounds.HANDED_OUT)) if each.anonymous else 0
            figures = rounds.figures_of(conn, [each])
            title, progress = rounds.questionnaire(conn, each).title, rounds.progress(conn, each)
            surveys.append(Survey(each, title, progress, drawn, departments, figures))
        filed = records.filed(conn, app.services.library, number=course.instance)
    paths = dict.fromkeys(each.path for each in filed if each.counts and Path(each.path).suffix in OPENED)
    return Told(course, tuple(surveys), _papers(tuple(paths)))


def _papers(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The first papers, before workbooks; not what single tasks left, whose files bear the task's number."""
    whole = [each for each in paths if not re.search(r"-\d+$", Path(each).stem)]
    set_ = {_joined_name(each) for each in whole if not each.endswith(".xlsx")}
    ordered = sorted(dict.fromkeys(map(_joined_name, whole)), key=lambda name: name not in set_)
    return tuple(each for name in ordered[:MOST_PAPERS] for each in whole if _joined_name(each) == name)


def _joined_name(path: str) -> str:
    return str(Path(path).with_suffix(""))


def plain(found: Told) -> dict[str, Any]:
    """The same for --json."""
    return {
        "course": found.course,
        "rounds": {each.found.part: figures_plain(each.figures) for each in found.surveys},
        "documents": found.documents,
    }


def show(app: App, story: Story, found: Told) -> None:
    """Print the screen."""
    course, folder = found.course, app.workspace.folder
    days = [
        day and day.astimezone(app.zone).date().isoformat() for day in (course.started_at, course.ended_at)
    ]
    output.echo()
    output.heading(
        f"{story.code}  {tr(story.title)}  {label(course.instance)}  {days[0]} – {days[1] or tr('running')}"
    )
    output.fields(
        [
            (tr("Asked"), "\n".join(map(_asked, found.surveys))),
            (tr("Came back"), "\n".join(map(_came_back, found.surveys))),
        ]
    )
    output.table(("Item", "Base", "Don't know", "Mean", "Satisfied"), _rows(found.surveys))
    flow = flow_from(folder)
    documents = [os.path.relpath(folder / each) for each in _joined(found.documents)]
    output.fields(
        [
            (tr("Lowest"), _lowest(found.surveys)),
            (tr("Late"), Cell("\n".join(_late(task, app.zone) for task in found.late), fg="red")),
            (tr("Documents"), "\n".join(documents)),
            (
                tr("See more"),
                "\n".join(
                    (
                        f"cd {shlex.quote(os.path.relpath(folder))}",
                        *(f"{flow} {line.format(label(course.instance))}" for line in story.more),
                    )
                ),
            ),
        ]
    )


def _asked(each: Survey) -> str:
    figures, drawn = each.figures, each.drawn
    what = tr("{title} ({items} items)", title=each.questionnaire.of(chosen()), items=len(figures.items))
    if drawn is None:
        whom = tr("whoever came to {departments} departments, {issued} questionnaires",
                  departments=each.departments, issued=figures.issued)  # fmt: skip
    else:
        whom = tr("{size} of {population} customers ({method}); given out: {issued}", size=drawn.size,
                  population=drawn.population, method=tr(drawn.method), issued=figures.issued)  # fmt: skip
    return f"{what}: {whom}"


def _came_back(each: Survey) -> str:
    figures, others = each.figures, each.progress.dispositions
    said = [tr("{returned} answers, {rate}", returned=figures.returned, rate=percent(figures.return_rate))]
    said += [f"{tr(name)} {others[name]}" for name in ("refusal", "non-contact") if others[name]]
    if others["issued"]:
        said.append(tr("not back: {number}", number=others["issued"]))
    text = both("；", "; ").join(said)
    return f"{each.found.part}: {text}" if each.found.part else text


def _rows(surveys: tuple[Survey, ...]) -> Iterator[tuple[Any, ...]]:
    for each in surveys:
        figures, part = each.figures, f"{each.found.part} " if len(surveys) > 1 else ""
        items = {item.id for item in figures.items}
        for line in figures.groups:
            if line.id not in items:  # else it is one item, the overall judgement as a rule
                yield (f"{part}{line.label.of(chosen())}", *_numbers(line))
        yield (Cell(f"{part}{tr('Whole')}", bold=True), *_numbers(figures.whole))


def _numbers(line: Line) -> tuple[str, str, str, str]:
    return (str(line.rate.base), str(line.tally.abstained), shown(line.mean), percent(line.rate.value))


def _lowest(surveys: tuple[Survey, ...]) -> str:
    rated = [
        (item.rate.value, item.label.of(chosen()))
        for each in surveys
        for item in each.figures.items
        if item.rate.value is not None
    ]
    return both("；", "; ").join(f"{name} {percent(rate)}" for rate, name in sorted(rated)[:LOWEST])


def _late(task: DoneTask, zone: ZoneInfo) -> str:
    due = "" if task.due_day is None else day_text(date.fromisoformat(task.due_day))
    return tr("{task} {name}, {person}: was due {due}, done {done}", task=task.id, name=task.name,
              person=task.person, due=due, done=day_text(task.closed_at.astimezone(zone).date()))  # fmt: skip


def _joined(paths: tuple[str, ...]) -> list[str]:
    """A line for a document that is there as Word and PDF."""
    forms: dict[str, list[str]] = {}
    for each in paths:
        forms.setdefault(_joined_name(each), []).append(Path(each).suffix)
    return [name + ", ".join(suffixes) for name, suffixes in forms.items()]
