"""000A, the annual census of after-sales customers: what the source asks for, by the numbers of the acceptance list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.bootstrap import open_app
from engine.bpmn.reader import read
from engine.bpmn.state import variables
from engine.calendar.kickoffs import kickoffs
from engine.calendar.tables import CalendarTable
from engine.calendar.working import WorkingCalendar
from engine.clock import VirtualClock
from engine.commands import definitions, instances, organisation, schedules, worklist
from engine.config import Workspace
from engine.errors import Conflict, Denied, Invalid
from engine.forms import clean
from engine.model import SYSTEM, Actor, label
from engine.procedures import Procedure, from_files
from engine.scenarios import Scenarios
from engine.store import tables
from engine.store.connect import open_store
from engine.strict_yaml import load as load_yaml
from survey import rounds
from survey.commands import Exclude, Record
from tasks import subjects
from tests.procedures.it_census import Census, at, refused
from tests.procedures.playing import ROOT, ZONE, called_by, stage_app
from tests.workbooks import rows as table_of

ROLES = {"biz_manager", "team_leader", "team_member", "archivist", "frontline_support"}
ACTION = {"action_owner", "action_verifier"}

ID = "it-service-annual-census"


@pytest.fixture
def census(procedure: Procedure, scenarios: Scenarios, tmp_path: Path) -> Iterator[Census]:
    with stage_app(procedure, scenarios.stage, datetime(2026, 1, 5, 9), tmp_path) as app:  # noqa: DTZ001
        yield Census(app, scenarios.stage)


def test_nothing_goes_on_at_118_of_120_customers(census: Census) -> None:
    census.roster(120)
    census.start()
    census.to_fieldwork()
    census.answers(range(1, 119))
    [found] = refused(census.do, "survey", forms_handed_in=118)
    assert "118 of 120" in found
    assert "(98.3%)" in found
    assert "119-120" in found
    assert census.open() == ["survey"]
    census.unreachable(119, 120)
    census.do("survey", forms_handed_in=118)
    assert census.open() == ["receive_forms"]
    assert census.variables()["coverage_text"] == "应覆盖120个客户，已有最终结果120个，覆盖率100.0%。"
    census.do("receive_forms")
    assert census.open() == ["write_report"]


def test_a_customer_kept_off_the_list_blocks_the_census(census: Census) -> None:
    census.roster(4)
    census.app.do(Exclude(by=Actor("manager"), code="C-004", reason="合同纠纷"))
    census.start()
    census.do("decide_survey", callback_reports=None)
    census.do("make_plan")
    parts = [{"surveyor": "amy"}]
    assert "leaves 1 customers out" in refused(census.do, "allocate", parts=parts)[0]


def test_who_becomes_a_customer_later_is_left_to_next_year(census: Census) -> None:
    census.roster(3)
    census.start()
    census.to_fieldwork()
    census.roster(1, first=4)
    census.answers(range(1, 4))
    census.do("survey", forms_handed_in=3)
    assert "新增客户1个" in census.variables()["coverage_text"]
    census.do("receive_forms")


def test_only_the_member_named_reports_on_their_customers(census: Census) -> None:
    census.roster(4)
    census.start()
    census.to_fieldwork(("amy", "ben"))
    census.answers(range(1, 5))
    with pytest.raises(Conflict, match="claimed by amy"):
        census.do("survey", by="ben", forms_handed_in=2)
    census.app.do(worklist.Release(by=Actor("amy"), task=census.open("survey")[0]))
    [found] = refused(census.do, "survey", by="cid", forms_handed_in=2)
    assert "given to amy" in found


def told(census: Census) -> list[tuple[list[str], str]]:
    """Who was told what, in the order of the history."""
    journal = tables.journal
    with census.app.store.read() as conn:
        found = conn.execute(
            select(journal.c.facts).where(journal.c.kind == "notice.given").order_by(journal.c.seq)
        )
        facts = [json.loads(each) for each in found.scalars()]
    return [(each["to"], each["text"]) for each in facts]


def test_a_progress_report_comes_every_week_until_the_forms_are_in(census: Census) -> None:
    census.roster(4)
    census.start()
    census.to_fieldwork()
    at(census, 2026, 1, 12, 9)
    assert census.open() == ["survey", "report_progress"]
    census.answers(range(1, 4))
    at(census, 2026, 1, 19, 9)
    assert census.open().count("report_progress") == 2
    with census.app.store.read() as conn:
        child = select(tables.instance.c.state).where(tables.instance.c.root_id == census.instance)
        found = variables(conn.execute(child).scalar_one())
    assert (found["forms_in"], found["customers_count"], found["done_rate"]) == (3, 4, "75.0%")
    census.do("report_progress", 1, progress_difficulties="一家客户停业")
    assert told(census) == [
        (["lead"], "amy：3/4个客户有最终结果（75.0%），已上交调查表3份；疑难问题：一家客户停业")
    ]
    census.unreachable(4)
    census.do("survey", forms_handed_in=3)
    assert census.open() == ["receive_forms"]


def test_a_second_census_in_the_year_is_warned_of(census: Census) -> None:
    census.roster(1)
    first = census.start(improvement="handed_over")
    assert census.variables()["already"] == ""
    census.to_fieldwork()
    census.answers(range(1, 2))
    census.do("survey", forms_handed_in=1)
    census.to_report()
    for step in ("receive_report", "determine_measures", "acknowledge", "hand_over", "archive"):
        census.do(step)
    census.start()
    assert label(first) in census.variables()["already"]
    with census.app.store.read() as conn:
        warned = select(func.count()).where(tables.journal.c.kind == "timetable.warned")
        assert conn.execute(warned.select_from(tables.journal)).scalar_one() == 1
    at(census, 2027, 1, 4, 9)
    census.start()
    assert census.variables()["already"] == ""


def test_calls_to_customers_stand_in_the_ledger(census: Census) -> None:
    census.roster(1)
    census.start()
    census.to_fieldwork()
    amy, codes = Actor("amy"), ("C-001",)
    note = "无人接听"
    census.app.do(
        Record(by=amy, instance=census.instance, codes=codes, kind="attempt", channel="phone", note=note)
    )
    census.unreachable(1)
    census.do("survey", forms_handed_in=0)
    lines = table_of(census.file("调查联系台账.xlsx"), "序号", "客户")
    said = [[str(cell or "") for cell in line] for line in lines[1:3]]
    assert [line[:4] for line in said] == [["1", "C-001", "发放", "电话"], ["1", "C-001", "联系", "电话"]]
    assert [line[4][:10] for line in said] == ["2026-01-05", "2026-01-05"]
    assert said[1][6] == "无人接听"


def test_a_census_not_done_by_the_years_end_is_overdue(census: Census) -> None:
    census.start()
    at(census, 2027, 1, 1, 0)
    with census.app.store.read() as conn:
        row = conn.execute(select(tables.deadline).where(tables.deadline.c.element == "*")).one()
    assert (row.due_day, row.status) == ("2026-12-31", "missed")


def test_its_schedule_asks_on_the_first_working_day_of_each_year(procedure: Procedure) -> None:
    files = sorted((ROOT / "processes/calendars").glob("*.yaml"))
    known = WorkingCalendar.of(
        [CalendarTable.from_document(load_yaml(f.read_bytes(), f.name)) for f in files]
    )
    rule = procedure.schedules["year_begins"].rule
    found = kickoffs(rule, date(2024, 1, 1), date(2026, 12, 31), known, ZONE)
    assert {each.period: f"{each.at.astimezone(ZONE):%m-%d %H:%M}" for each in found} == {
        "2024": "01-02 09:00",
        "2025": "01-02 09:00",
        "2026": "01-04 09:00",
    }


def test_the_calendar_starts_one_a_year(census: Census) -> None:
    census.app.do(schedules.Schedule(by=SYSTEM, procedure="000A", unit=census.stage.unit))
    at(census, 2027, 1, 4, 9)
    census.app.do(schedules.FireSchedules(by=SYSTEM))
    with census.app.store.read() as conn:
        rows = conn.execute(select(tables.instance.c.period, tables.instance.c.unit)).all()
    assert [tuple(row) for row in rows] == [("2027", "business")]


def test_who_is_of_another_department_cannot_start_it(procedure: Procedure, tmp_path: Path) -> None:
    roles = ", ".join(f"{{id: {role}, name: {role}}}" for role in sorted(ROLES | ACTION))
    raw = (
        "organisation: flow/1\n"
        "units: [{id: business, name: 业务部}, {id: finance, name: 财务部}]\n"
        f"roles: [{roles}]\n"
        "people:\n"
        "  - {id: boss, name: 总, may: [admin]}\n"
        "  - {id: manager, name: 甲, roles: [{role: biz_manager, unit: business}]}\n"
        "  - {id: stranger, name: 乙, roles: [{role: biz_manager, unit: finance}]}\n"
    ).encode()
    workspace = Workspace(tmp_path, "公司", ZONE, "zh", "sqlite://", durable=True, demo=False)
    clock = VirtualClock(datetime(2026, 1, 5, 9, tzinfo=ZONE))
    app = open_app(workspace, subjects(), clock=clock, store=open_store("sqlite://", upgrade=True))
    with app.store:
        app.do(organisation.ImportOrganisation(by=SYSTEM, document=load_yaml(raw, "org.yaml"), raw=raw))
        for each in (*called_by(procedure), procedure):
            app.do(definitions.Publish(by=SYSTEM, procedure=each))
        with pytest.raises(Denied, match="holds no role in unit business"):
            app.do(instances.Start(by=Actor("stranger"), procedure="000A", unit="business"))
        assert app.do(instances.Start(by=Actor("manager"), procedure="000A", unit="business")).value


@pytest.mark.parametrize("field", ["survey_from", "survey_to", "leader", "members", "theme"])
def test_a_decision_without_one_of_its_five_parts_is_refused(
    procedure: Procedure, scenarios: Scenarios, field: str
) -> None:
    values = dict(scenarios.stage.answers["decide_survey"].values)
    del values[field]
    with pytest.raises(Invalid) as found:
        clean(procedure.forms["decide"], values, today=date(2026, 1, 4), variables={})
    assert field in {problem.field for problem in found.value.problems}


@pytest.mark.parametrize(
    "field", ["needs", "survey_items", "survey_method", "staffing", "plan_end", "questionnaire_ready"]
)
def test_a_plan_without_one_of_its_parts_is_refused(
    procedure: Procedure, scenarios: Scenarios, field: str
) -> None:
    dates = {"plan_start": "2026-01-12", "plan_end": "2026-01-30"}
    values = {**scenarios.stage.answers["make_plan"].values, **dates}
    del values[field]
    with pytest.raises(Invalid) as found:
        clean(procedure.forms["plan"], values, today=date(2026, 1, 5), variables={})
    assert field in {problem.field for problem in found.value.problems}


def test_a_callback_report_comes_from_first_line_support(census: Census) -> None:
    report = {"report_title": "回访汇总", "reported_by": "keeper", "received_on": "2026-01-05"}
    census.start()
    [found] = refused(census.do, "decide_survey", callback_reports=[report])
    assert "frontline_support" in found
    census.do("decide_survey", callback_reports=[{**report, "reported_by": "helpdesk"}])
    assert "helpdesk" in census.file("decision-1.txt").decode()


def test_an_item_that_the_questionnaire_does_not_ask_about_is_refused(
    census: Census, procedure: Procedure
) -> None:
    changed = dict(procedure.files)
    name = "forms/questionnaire.yaml"
    text = changed[name].decode()
    start, end = text.index("  - id: training"), text.index("  - id: overall")
    changed[name] = (text[:start] + text[end:]).replace('version: "1"', 'version: "2"').encode()
    census.roster(1)
    census.start()
    census.do("decide_survey", callback_reports=None)
    census.app.do(definitions.Publish(by=SYSTEM, procedure=from_files(changed)))
    assert "no question on training" in refused(census.do, "make_plan")[0]
    census.do("make_plan", survey_items=["response", "solving"], focus=None)
    with census.app.store.read() as conn:
        assert rounds.round_of(conn, census.instance).version == "2"  # the one drawn up for this survey


def test_a_questionnaire_that_does_not_ask_for_the_whole_is_refused(
    census: Census, procedure: Procedure
) -> None:
    name = "forms/questionnaire.yaml"
    text = procedure.files[name].decode()
    start, end = text.index("  - id: overall"), text.index("  - id: wishes")
    text = (
        (text[:start] + text[end:])
        .replace(", overall: overall}", "}")
        .replace('version: "1"', 'version: "2"')
    )
    census.roster(1)
    census.start()
    census.do("decide_survey", callback_reports=None)
    changed = from_files({**procedure.files, name: text.encode()})
    census.app.do(definitions.Publish(by=SYSTEM, procedure=changed))
    assert "one that asks for the overall judgement" in refused(census.do, "make_plan")[0]


def test_each_measure_is_tracked_by_an_instance_of_its_own_that_the_archive_lists(census: Census) -> None:
    census.roster(2)
    census.start()
    census.to_fieldwork()
    census.answers(range(1, 3))
    census.do("survey", forms_handed_in=2)
    census.to_report()
    census.do("receive_report")
    census.do("determine_measures")
    census.do("acknowledge")
    with census.app.store.read() as conn:
        child = tables.instance
        where = (child.c.root_id == census.instance, child.c.procedure == "corrective-action")
        tracked = conn.execute(select(child.c.id).where(*where)).scalars().all()
        state = conn.execute(select(child.c.state).where(child.c.id == tracked[0])).scalar_one()
    assert len(tracked) == 2
    assert "XX-ITSMS-QP-13" in str(variables(state)["action_source"])
    for step in ("plan_action", "execute_action", "verify_effect"):
        census.do(step)
        census.do(step)
    assert census.open() == ["archive"]
    (sums,) = (census.app.workspace.folder / "records").glob("*/SHA256SUMS")
    listed = sums.read_text(encoding="utf-8")
    assert "服务改进方案.docx" in listed
    assert f"../{label(tracked[0])}/action_effect" in listed
    census.do("archive")
    with census.app.store.read() as conn:
        sealed = conn.execute(
            select(tables.archive).where(tables.archive.c.instance_id == census.instance)
        ).one()
    assert sealed.custodian == "keeper"


def test_its_steps_stand_in_the_lanes_of_the_source(procedure: Procedure) -> None:
    nodes = read(procedure.diagram).processes[procedure.process].nodes
    people = {node.id: node.lane for node in nodes.values() if node.tag == "userTask"}
    assert people == {
        "decide_survey": "biz_manager",
        "make_plan": "team_leader",
        "review_plan": "biz_manager",
        "allocate": "team_leader",
        "survey": "team_member",
        "report_progress": "team_member",
        "receive_forms": "team_leader",
        "write_report": "team_leader",
        "receive_report": "biz_manager",
        "determine_measures": "team_leader",
        "acknowledge": "biz_manager",
        "hand_over": "biz_manager",
    }
