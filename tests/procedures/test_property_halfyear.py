"""003F, half-yearly samples with a check of genuineness: the list's oracles, and what its scenarios cannot say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.app import App
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.clock import VirtualClock
from engine.commands import organisation, worklist
from engine.forms import Form
from engine.model import SYSTEM, Actor
from engine.procedures import Procedure
from engine.scenarios import Scenarios
from engine.scheduler import tick
from engine.store import tables
from engine.store.calendars import calendar_of
from engine.strict_yaml import load
from survey import draws, rounds, spotchecks
from survey.commands import DrawSample, ImportReturns, ImportRoster
from tests.procedures.playing import ZONE, Player, complete, played, proven, records, stage_app, started
from tests.workbooks import rows as table_of

ID = "property-halfyear-sampling-audit"
ROLES = {"office_director", "gad", "office_head", "cs_supervisor", "cs_admin", "survey_owner", "gm"}


class Office:
    """The survey of one office, step by step as the scenarios' people do it."""

    def __init__(self, app: App, scenarios: Scenarios, instance: int) -> None:
        self.app, self.scenarios, self.instance = app, scenarios, instance

    def do(self, element: str, **values: object) -> None:
        usual = self.scenarios.stage.answers[element]
        complete(self.app, self.instance, element, usual.by, {**usual.values, **values})

    def until_collected(self, **values: object) -> None:
        """Drawn, given out to everybody a fortnight later, nothing back yet."""
        begins = self.today + timedelta(days=14)
        self.do("appoint", fieldwork_start=begins.isoformat())
        self.do("fix_range", **values)
        self.do("list_and_plan", distribute_by=begins.isoformat(), collect_by=begins.isoformat())
        self.do("prepare_materials")
        self.move(begins)
        self.do("distribute")

    def move(self, day: date) -> None:
        """Time passes until early on the day."""
        clock = self.app.clock
        assert isinstance(clock, VirtualClock)
        clock.move_to(datetime(day.year, day.month, day.day, 0, 1, tzinfo=ZONE))
        while tick(self.app):
            self.app.settle()

    @property
    def questionnaire(self) -> Form:
        with self.app.store.read() as conn:
            return rounds.questionnaire(conn, rounds.round_of(conn, self.instance))

    @property
    def today(self) -> date:
        return self.app.clock.now().astimezone(ZONE).date()

    def round(self) -> rounds.Round:
        with self.app.store.read() as conn:
            return rounds.round_of(conn, self.instance)

    def variables(self) -> dict[str, Any]:
        table = tables.instance
        with self.app.store.read() as conn:
            row = conn.execute(select(table.c.state).where(table.c.id == self.instance)).one()
        return dict(variables(row.state))


@contextmanager
def staged(
    procedure: Procedure, scenarios: Scenarios, folder: Path, customers: int, prefix: str = "H"
) -> Iterator[App]:
    """Early on the day on which a survey begins, with so many customers."""
    with stage_app(procedure, scenarios.stage, datetime(2026, 7, 1, 9), folder) as app:  # noqa: DTZ001
        roster(app, "office", customers, prefix)
        yield app


def roster(app: App, unit: str, customers: int, prefix: str) -> None:
    rows = "".join(f"{prefix}-{number},{unit}\n" for number in range(1, customers + 1))
    app.do(ImportRoster(by=Actor("head"), data=f"customer,unit\n{rows}", partial=True))


def begun(
    app: App,
    procedure: Procedure,
    scenarios: Scenarios,
    unit: str = "office",
    parameters: Mapping[str, object] | None = None,
) -> Office:
    stage = replace(scenarios.stage, unit=unit)
    return Office(app, scenarios, started(app, procedure, stage, parameters or {}))


def returned(office: Office, count: int, blank: int = 0) -> None:
    """The first so many came back, the overall item satisfied; in some of them it was left out."""
    matrices = (each for each in office.questionnaire.questions if each.rows)
    items = [row.id for each in matrices for row in each.rows]
    head = ",".join(("respondent", "overall", *items))
    lines = [f"H-{n},{'' if n <= blank else 4},{','.join('4' for _ in items)}" for n in range(1, count + 1)]
    office.app.do(ImportReturns(by=Actor("admin"), instance=office.instance, data="\n".join((head, *lines))))
    office.do("collect", returned_forms=count)
    office.do("support_statistics")
    office.do("statistics")
    office.do("email_raw_data")


def test_every_office_begins_twice_a_year(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> None:
    with staged(procedure, scenarios, tmp_path, 1) as app, app.store.read() as conn:
        calendar = calendar_of(conn, "office")
    rule = procedure.schedules["half_year"].rule
    for year in (2025, 2026):
        found = kickoffs(rule, date(year, 1, 1), date(year, 12, 31), calendar, ZONE)
        assert [each.period for each in found] == [f"{year}-H1", f"{year}-H2"]


def test_of_forty_issued_and_thirty_five_returned_three_are_telephoned_and_four_compared(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with staged(procedure, scenarios, tmp_path, 40) as app:
        office = begun(app, procedure, scenarios)
        office.until_collected(sample_size=40)
        returned(office, 35, blank=2)
        known = office.variables()
        assert (known["issued"], known["returned"], known["unreturned"]) == (40, 35, 5)
        assert "有效评价份数33" in known["figures_summary"]
        assert known["satisfaction_rate"] == "100.0%"
        assert drawn_for_checks(office) == {"phone": (3, 5), "recheck": (4, 35)}


@pytest.mark.parametrize(
    ("parameters", "drawn"),
    [
        pytest.param({}, {"phone": (3, 10), "recheck": (3, 30)}, marks=pytest.mark.slow),
        pytest.param(
            {"recheck_of": "issued"}, {"phone": (3, 10), "recheck": (4, 30)}, marks=pytest.mark.slow
        ),
        ({"phone_checks": 2, "recheck_percent": 25}, {"phone": (2, 10), "recheck": (8, 30)}),
    ],
)
def test_how_many_are_checked_is_said_by_parameters(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path, parameters: dict[str, object], drawn: object
) -> None:
    with staged(procedure, scenarios, tmp_path, 40) as app:
        office = begun(app, procedure, scenarios, parameters=parameters)
        office.until_collected(sample_size=40)
        returned(office, 30)
        assert drawn_for_checks(office) == drawn


def drawn_for_checks(office: Office) -> dict[str, tuple[int, int]]:
    """How many of how many, by kind of check; and that anybody can draw them again."""
    table = tables.instance
    with office.app.store.read() as conn:
        checking = select(table.c.id).where(table.c.process == "genuineness_check")
        found = spotchecks.checks_of(conn, conn.execute(checking).scalar_one())
        assert all(spotchecks.drawn_alike(conn, each) for each in found)
    return {each.kind: (each.size, each.population) for each in found}


def test_nobody_is_asked_again_until_everybody_was(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    asked: list[set[str]] = []
    with staged(procedure, scenarios, tmp_path, 10) as app:
        for _ in range(3):
            office = begun(app, procedure, scenarios)
            office.until_collected(sample_size=4)
            found = office.round()
            with app.store.read() as conn:
                members = rounds.roster(conn, found.id)
                assert draws.verify(conn, found) == ()
                assert draws.drawn(conn, found).seed
            asked.append({each.code for each in members})
    first, second, third = asked
    assert [len(each) for each in asked] == [4, 4, 4]
    assert not first & second
    left = {f"H-{number}" for number in range(1, 11)} - first - second
    assert left < third


def test_a_draw_taken_back_and_the_one_in_its_place_are_evidence_of_the_drawing_clause(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with staged(procedure, scenarios, tmp_path, 6) as app:
        office = begun(app, procedure, scenarios)
        office.do("appoint", fieldwork_start="2026-07-15")
        office.do("fix_range", sample_size=3)
        for reason in ("名册有误", "再次更正名册"):
            app.do(DrawSample(by=Actor("hq"), instance=office.instance, design={}, again=reason))
        drawn = [each for each in proven(office)["003F-6"].journal if each.kind.startswith("round.")]
    opened, first, back, second, back_again, third = drawn
    assert opened.kind == "round.opened"
    assert [each.kind for each in (first, second, third)] == ["round.drawn"] * 3
    assert [each.kind for each in (back, back_again)] == ["round.draw_taken_back"] * 2
    assert (back.facts["reason"], back.facts["seed"]) == ("名册有误", first.facts["seed"])
    assert back_again.facts["seed"] == second.facts["seed"] != third.facts["seed"]


def test_one_start_proves_its_own_half_of_the_year_and_the_calendar_the_other(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with played(scenarios, procedure, "calendar", tmp_path) as player:
        office = Office(player.app, scenarios, player.instance)
        twice = proven(office)["003F-5"]
        assert twice.status == "in part"
        assert [(each.period, str(each.day), each.status, each.instance) for each in twice.turns] == [
            ("2026-H1", "2026-05-15", "this", "SV-1"),
            ("2026-H2", "2026-11-16", "to come", None),
        ]
        assert proven(office)["003F-4"].turns == ()
        clock = player.app.clock
        assert isinstance(clock, VirtualClock)
        clock.move_to(datetime(2026, 11, 17, tzinfo=ZONE))
        assert [each.status for each in proven(office)["003F-5"].turns] == ["this", "not started"]
        office.move(date(2026, 11, 18))
        twice = proven(office)["003F-5"]
        assert (twice.status, [each.status for each in twice.turns]) == ("done", ["this", "started"])


def test_the_list_of_whom_chance_took_and_the_raw_data_are_on_file(happy: Player) -> None:
    assert records(happy, "随机抽取的调查客户.docx")
    (data,) = records(happy, "客户满意度调查问卷-答卷.csv")
    head, *lines = data.read_text(encoding="utf-8-sig").splitlines()
    assert (len(lines), lines) == (8, sorted(lines))
    assert not head.startswith("客户,")  # the questionnaire is confidential
    assert records(happy, "客户满意度调查报告.pdf")
    assert records(happy, "电话回访记录.docx")
    table = tables.record
    with happy.app.store.read() as conn:
        sums = conn.execute(select(table.c.sha256).where(table.c.element == "raw_data")).scalars().all()
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in sums)


def test_the_office_above_sees_whose_report_is_missing_and_what_all_come_to(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with staged(procedure, scenarios, tmp_path, 4) as app:
        two_offices(app, scenarios)
        roster(app, "office-2", 4, "K")
        begun(app, procedure, scenarios, "office-2")
        office = begun(app, procedure, scenarios)
        office.until_collected(sample_size=4)
        returned(office, 4)
        compare(office)
        office.do("fill_report")
        known = office.variables()
        assert known["offices_missing"] == ["二号管理处"]
        assert known["offices_text"] == (
            "一号管理处2026-07-15上报（待审阅），满意率100.0%；二号管理处未上报。"
            "2026-H2全部2个单位，合计满意率100.0%。尚未上报：二号管理处。"
        )
        (file,) = (tmp_path / "records").glob("*/各管理处报告上报情况.xlsx")
        assert ["二号管理处", "SV-1", "未上报"] in [line[:3] for line in table_of(file, "单位")]


def two_offices(app: App, scenarios: Scenarios) -> None:
    document = {
        "organisation": "flow/1",
        "units": [{"id": "office", "name": "一号管理处"}, {"id": "office-2", "name": "二号管理处"}],
        "roles": [{"id": role, "name": role} for role in sorted(ROLES)],
        "people": [
            {
                "id": person,
                "name": person,
                "roles": [{"role": role, "unit": unit} for role in held for unit in ("office", "office-2")],
            }
            for person, held in scenarios.stage.people.items()
        ],
    }
    raw = json.dumps(document, ensure_ascii=False).encode()
    app.do(organisation.ImportOrganisation(by=SYSTEM, document=load(raw, "org"), raw=raw))


def compare(office: Office) -> None:
    """Whoever was drawn is found to be genuine."""
    task = tables.user_task
    with office.app.store.read() as conn:
        row = conn.execute(select(task).where(tables.OPEN_WORK, task.c.element == "compare")).one()
        item = conn.execute(select(tables.instance).where(tables.instance.c.id == row.instance_id)).one()
    listed: Any = variables(item.state)["originals"]
    rows = [{"number": each["number"], "verdict": "genuine"} for each in listed]
    office.app.do(worklist.Complete(by=Actor("hq"), task=row.id, values={"originals": rows}))
    office.app.settle()


def test_a_waiting_survey_goes_on_when_its_day_comes(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    with staged(procedure, scenarios, tmp_path, 4) as app:
        office = begun(app, procedure, scenarios)
        office.do("appoint", fieldwork_start="2026-07-15")
        office.do("fix_range", sample_size=2)
        office.do("list_and_plan", distribute_by="2026-07-17", collect_by="2026-07-24")
        office.do("prepare_materials")
        assert not waiting(office, "distribute")
        office.move(date(2026, 7, 15))
        assert waiting(office, "distribute")


def waiting(office: Office, element: str) -> bool:
    """Whether somebody has the step to do."""
    task = tables.user_task
    with office.app.store.read() as conn:
        found = select(task.c.id).where(tables.OPEN_WORK, task.c.element == element)
        return conn.execute(found).first() is not None


def test_its_lanes_are_the_roles_of_the_source(procedure: Procedure) -> None:
    lanes = read(procedure.diagram).processes[procedure.process].lanes
    assert {lane.id: lane.name for lane in lanes} == {
        "office_director": "管理处主任",
        "gad": "综合管理部",
        "office_head": "管理处负责人",
        "cs_supervisor": "客服中心主管",
        "cs_admin": "客服中心管理员",
        "survey_owner": "专项负责人",
        "gm": "总经理",
    }


def test_every_reading_that_can_be_switched_is_a_parameter(procedure: Procedure) -> None:
    found = {each.reading for each in procedure.parameters.values() if each.reading}
    assert found == {f"003F-A{number}" for number in (1, 3, 4, 6, 8, 9, 10)}
