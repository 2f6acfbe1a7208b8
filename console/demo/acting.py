"""The people of the demonstration: who does which step when, and with which values.

Everything they do is decided by what stands in the database, so that an interrupted demonstration goes on as if
nothing had happened. Their answers are those of the procedure's own scenarios; the returns are real.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from console import folders
from console.session import subjects
from engine import config
from engine.app import App
from engine.bootstrap import open_app
from engine.calendar.counting import add_working_days, roll
from engine.clock import VirtualClock
from engine.commands import calendars, definitions, journal, organisation, schedules, worklist
from engine.commands.core import Context
from engine.config import shipped
from engine.errors import NotFound
from engine.model import SYSTEM, Actor
from engine.procedures import load as load_procedure
from engine.queries import demonstration, work
from engine.queries.demonstration import OpenTask
from engine.scenarios import Stage, read_scenarios
from engine.scheduler import tick
from engine.store import open_store
from engine.store.arranged import ORG_HASH
from engine.store.watch import UNKNOWN
from engine.strict_yaml import load
from survey import rounds
from survey.commands import ImportReturns, ImportRoster

PROCEDURE = "building-quarterly-15-workdays"
PERIOD = "2026-Q3"
DISTRICTS = {f"office-{number}": str(number) for number in range(1, 7)}
"""The city's districts play the management offices."""
ZONE = ZoneInfo("Asia/Shanghai")
BEGINS = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
EXAMPLE = Path("examples") / "resident-survey-2021-09"
LATE = {
    ("office-3", "collect"): 2,
    ("office-5", "approve"): 1,
    ("office-2", "execute_action"): 1,
    ("office-6", "meeting"): 1,
}
"""Who is late with what, by working days."""


def prepare(folder: Path, responses: int) -> App:
    """The workspace, laid out as far as it is not yet: every part of this may be done twice."""
    app = lay_out(folder, "示例物业公司", BEGINS, shipped() / EXAMPLE / "org.yaml")
    with app.store.read() as conn:
        households = demonstration.households(conn)
    if not households:
        app.do(ImportRoster(by=SYSTEM, data=_roster(responses), source="roster.csv"))
    put_in_force(app, PROCEDURE, list(DISTRICTS))
    return app


def lay_out(folder: Path, organisation_name: str, begins: datetime, org_file: Path) -> App:
    """A demo workspace with its clock, the working-day tables and an organisation, made as far as it is not yet."""
    if not (folder / config.FILE).is_file():
        config.make(folder, organisation=organisation_name, zone=ZONE.key, language="zh", demo=True)
    workspace = config.read(folder)
    app = open_app(workspace, subjects(), upgrade=True)
    if not isinstance(app.clock, VirtualClock):
        app.clock = VirtualClock(begins)
        app.reach = UNKNOWN
        app.do(organisation.MoveClock(by=SYSTEM, to=begins))
    for file in sorted((shipped() / "processes" / "calendars").glob("*.yaml")):
        app.do(calendars.ImportCalendar(by=SYSTEM, document=load(file.read_bytes(), file.name)))
    _copy(org_file, workspace.org_file)
    raw = workspace.org_file.read_bytes()
    with app.store.read() as conn:
        known = work.setting(conn, ORG_HASH)
    if known is None:
        app.do(organisation.ImportOrganisation(by=SYSTEM, document=load(raw, "org.yaml"), raw=raw))
    return app


def put_in_force(app: App, procedure: str, units: Sequence[str]) -> None:
    """A shipped procedure, copied, published with what it calls, and started by its calendar in these units."""
    workspace = app.workspace
    if not (workspace.processes / procedure).exists():
        folders.copy(workspace, procedure)
    known = folders.of_workspace(workspace)
    source = folders.find(workspace, procedure)
    for each in (*folders.called(source, known), source):
        app.do(definitions.Publish(by=SYSTEM, procedure=each.load()))
    for unit in units:
        app.do(schedules.Schedule(by=SYSTEM, procedure=procedure, unit=unit))


def begun(folder: Path) -> int:
    """How many households a demonstration plays with; 0 for one that was cut off before it knew."""
    try:
        with open_store(config.read(folder).database) as store, store.read() as conn:
            return demonstration.households(conn)
    except NotFound:
        return 0


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all."""
    if not target.exists():
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, beside)
        beside.replace(target)


def answers(responses: int | None) -> int:
    """How many answers are played when so many are asked for; None: all there are."""
    there = len(_households()) - 1
    return there if responses is None else min(responses, there)


def _households() -> list[str]:
    return (shipped() / EXAMPLE / "roster.csv").read_text(encoding="utf-8").splitlines()


def _roster(responses: int) -> bytes:
    lines = _households()
    return ("\n".join(lines if responses >= len(lines) - 1 else _spread(lines, responses)) + "\n").encode()


def _spread(lines: list[str], number: int) -> list[str]:
    """The first rows of every office in turn, so that few responses still reach all six."""
    by_unit: dict[str, list[str]] = {}
    for line in lines[1:]:
        by_unit.setdefault(line.rpartition(",")[2], []).append(line)
    chosen: list[str] = []
    for place in range(max(map(len, by_unit.values()))):
        chosen += [rows[place] for rows in by_unit.values() if place < len(rows)]
    return [lines[0], *chosen[:number]]


def play(app: App) -> None:
    """Let the quarter pass: whatever is due or planned next happens next."""
    workspace = app.workspace
    procedure = load_procedure(workspace.processes / PROCEDURE, workspace.forms)
    assert procedure.scenarios is not None
    people = People(app, read_scenarios(procedure.scenarios).stage)
    tick(app)
    while True:
        with app.store.read() as conn:
            if demonstration.over(conn, PROCEDURE, PERIOD, len(DISTRICTS)):
                break
            tasks = demonstration.open_tasks(conn)
            due = work.next_due(conn)
        planned = sorted((people.when(task), task.id, task) for task in tasks)
        moments = [due] if due is not None else []
        if planned:
            moments.append(planned[0][0])
        _move(app, max(min(moments), app.clock.now()))
        tick(app)
        if planned and planned[0][0] <= app.clock.now():
            people.do(planned[0][2])
    app.do(journal.Seal(by=SYSTEM))


def pass_time(app: App, until: datetime) -> None:
    """Let time pass, stopping at everything that falls due by itself. Raises Conflict where the clock does not go."""
    organisation.may_move(until)
    while True:
        with app.store.read() as conn:
            due = work.next_due(conn)
        if due is None or due > until:
            break
        _move(app, max(due, app.clock.now()))
        if not tick(app):
            break
    _move(app, until)
    tick(app)


def _move(app: App, moment: datetime) -> None:
    """Keep the time first: a demonstration cut off here goes on from the later moment."""
    if moment == app.clock.now():
        return
    app.do(organisation.MoveClock(by=SYSTEM, to=moment))
    assert isinstance(app.clock, VirtualClock)
    app.clock.move_to(moment)


@dataclass
class People:
    """Who acts, when, and with what."""

    app: App
    stage: Stage

    @property
    def zone(self) -> ZoneInfo:
        """Where the offices are."""
        return self.app.zone

    def when(self, task: OpenTask) -> datetime:
        """When a task will be done: in time as a rule, on a working day, at an hour of its own."""
        with self.app.store.read() as conn:
            calendar = Context(conn, self.app.clock.now(), SYSTEM, self.app.services).calendar(task.unit)
        mark = crc32(f"{task.unit}/{task.element}/{task.place}".encode())
        opened = task.opened_at.astimezone(self.zone)
        late = LATE.get((task.unit, task.element), 0)
        if task.due_at is None:
            day = roll(opened.date() + timedelta(days=1), "next", calendar).day
        else:
            day = (task.due_at.astimezone(self.zone) - timedelta(seconds=1)).date()
            day = add_working_days(day, late, calendar).day if late else roll(day, "previous", calendar).day
            if task.element in ("draft_plan", "approve", "train") and not late:
                day = roll(day - timedelta(days=1 + mark % 3), "previous", calendar).day
        moment = datetime.combine(day, time(9, 5), self.zone) + timedelta(minutes=mark % 430)
        return max(moment, opened + timedelta(minutes=40 + mark % 90)).astimezone(UTC)

    def do(self, task: OpenTask) -> None:
        """Hand a task in, as a person of the unit would."""
        if task.element == "collect":
            self._bring_returns(task)
        values = self._values(task)
        self.app.do(worklist.Complete(by=Actor(self._who(task)), task=task.id, values=values))
        self.app.settle()

    def _who(self, task: OpenTask) -> str:
        today = self.app.clock.now().astimezone(self.zone).date()
        with self.app.store.read() as conn:
            if task.assignee is not None:
                return demonstration.stand_in(conn, task.assignee, today) or task.assignee
            held = [
                each
                for each in demonstration.holders(conn, task.role or "", task.unit)
                if demonstration.stand_in(conn, each, today) is None
            ]
        wanted = self.stage.answers[task.element].by
        mine = self._cast(task.unit).get(wanted)
        return (
            mine
            if mine in held and mine not in task.excluded
            else next(p for p in held if p not in task.excluded)
        )

    def _cast(self, unit: str) -> dict[str, str]:
        """The people of the scenarios' stage, played by people of the unit."""
        cast: dict[str, str] = {}
        taken: dict[str, int] = {}
        with self.app.store.read() as conn:
            for person, roles in self.stage.people.items():
                every = [demonstration.holders(conn, role, unit) for role in roles]
                held = [each for each in every[0] if all(each in others for others in every)] or every[0]
                cast[person] = held[taken.get(roles[0], 0) % len(held)]
                taken[roles[0]] = taken.get(roles[0], 0) + 1
        return cast

    def _values(self, task: OpenTask) -> dict[str, Any]:
        cast = self._cast(task.unit)
        values: dict[str, Any] = _recast(dict(self.stage.answers[task.element].values), cast)
        today = self.app.clock.now().astimezone(self.zone).date().isoformat()
        match task.element:
            case "train":
                values["attendance"] = [
                    {"surveyor": person, "present": True} for person in self._surveyors(task)
                ]
            case "allocate":
                values["parts"] = [{"surveyor": person} for person in self._surveyors(task)]
            case "draft_plan":
                values["scope"] = f"{task.unit_name}全体客户"
            case "distribute":
                values["not_issued"] = []
            case "collect":
                values["returned_forms"] = self._returned(task)
            case "statistics":
                values["problems"] = self._problems(task, cast)
                values["analysis"] = "满意率最低的两个项目列为问题,由责任部门整改"
            case "meeting":
                heads = self._variables(task).get("heads", [])
                values["meeting_attendance"] = [{"head": each["head"], "present": True} for each in heads]
            case "feedback_track":
                listed = self._variables(task).get("feedback_list", [])
                values["feedback_given"] = [
                    {**each, "told_on": today, "told": "整改措施及进展", "state": "under_way"}
                    for each in listed
                ]
                values["tracking_conclusion"] = "问题正在整改，已逐户反馈，继续跟踪至整改有效"
            case "kickoff_meeting":
                there = dict.fromkeys(self._present(row["person"]) for row in values["kickoff_present"])
                values["kickoff_present"] = [{"person": person} for person in there]
        return values

    def _variables(self, task: OpenTask) -> Mapping[str, Any]:
        with self.app.store.read() as conn:
            return demonstration.variables(conn, task.root)

    def _present(self, person: str) -> str:
        """Who comes for a person: on leave, their substitute."""
        today = self.app.clock.now().astimezone(self.zone).date()
        with self.app.store.read() as conn:
            return demonstration.stand_in(conn, person, today) or person

    def _surveyors(self, task: OpenTask) -> list[str]:
        with self.app.store.read() as conn:
            return demonstration.holders(conn, "surveyor", task.unit)[:2]

    def _bring_returns(self, task: OpenTask) -> None:
        if self._returned(task):
            return  # brought in before the interruption
        with self.app.store.read() as conn:
            asked = {each.code for each in rounds.roster(conn, rounds.round_of(conn, task.root).id)}
        self.app.do(
            ImportReturns(
                by=Actor(self._who(task)), instance=task.root, data=_returns(DISTRICTS[task.unit], asked),
                source="resident-survey-2021-09.csv",
            )
        )  # fmt: skip

    def _returned(self, task: OpenTask) -> int:
        with self.app.store.read() as conn:
            return rounds.progress(conn, rounds.round_of(conn, task.root)).returned

    def _problems(self, task: OpenTask, cast: Mapping[str, str]) -> list[dict[str, Any]]:
        """The two items that satisfied fewest, each with a customer who said so."""
        with self.app.store.read() as conn:
            found = rounds.round_of(conn, task.root)
            figures = rounds.figures_of(conn, [found])
            codes = [each.code for each in rounds.roster(conn, found.id)]
        rated = sorted(
            (item.rate.value, item.id, item) for item in figures.items if item.rate.value is not None
        )
        heads = [("工程部", cast["engineer"]), ("环境部", cast["cleaner"])]
        return [
            {
                "customer": codes[place % len(codes)],
                "description": f"客户对“{item.label.of('zh')}”满意率最低",
                "department": heads[place][0],
                "head": heads[place][1],
            }
            for place, (_, _, item) in enumerate(rated[:2])
        ]


def _recast(value: Any, cast: Mapping[str, str]) -> Any:
    """The same values with the unit's own people in them."""
    if isinstance(value, dict):
        return {key: _recast(each, cast) for key, each in value.items()}
    if isinstance(value, list):
        return [_recast(each, cast) for each in value]
    return cast.get(value, value) if isinstance(value, str) else value


def _returns(district: str, asked: set[str]) -> bytes:
    """The real answers of a district's respondents."""
    file = shipped() / EXAMPLE / "resident-survey-2021-09.csv"
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    kept = [row for row in rows if row["district"] == district and row["respondent"] in asked]
    out = io.StringIO()
    columns = [name for name in rows[0] if name not in ("district", "round")]
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return out.getvalue().encode()
