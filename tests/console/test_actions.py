"""Corrective actions, listed and shown across procedures."""

from __future__ import annotations

import pytest

from engine.check import World, check
from engine.procedures import from_files, load
from tasks import registry
from tests.console.conftest import Terminal
from tests.console.office import ORGANISATION
from tests.procedures.playing import ROOT
from tests.workbooks import rows as table_of

OWNER = "roles: [{role: action_owner, unit: office-1}, "


@pytest.fixture
def acting(flow: Terminal) -> Terminal:
    """Two actions of the first office, begun on Monday: SV-1 for Wang Fang, SV-2 for nobody yet."""
    roles = "  - {id: action_owner, name: 整改责任人}\n  - {id: action_verifier, name: 整改验证人}\n"
    text = ORGANISATION.replace("people:\n", f"{roles}people:\n")
    text = text.replace("wang, roles: [", f"wang, {OWNER}")
    text = text.replace("li, roles: [", "li, roles: [{role: action_verifier, unit: office-1}, ")
    (flow.folder / "org.yaml").write_text(text, encoding="utf-8")
    flow("org", "import")
    flow("procedure", "add", "corrective-action")
    flow("procedure", "publish", "corrective-action")
    begin = ("start", "corrective-action", "--unit", "office-1", "--set")
    flow(*begin, "action_item=走廊照明损坏", "--set", "action_person=wang.fang")
    flow(*begin, "action_item=垃圾清运不及时")
    return flow


def planned(flow: Terminal, task: str, day: str) -> None:
    given = ("action_cause=灯具老化", "action_measure=更换灯具", f"action_due={day}")
    sets = [word for each in given for word in ("--set", each)]
    flow("task", "complete", task, *sets, user="wang")


def test_a_date_worked_out_on_the_way_is_explained_until_somebody_changes_it(acting: Terminal) -> None:
    told = acting.json("task", "why", "SV-1.1", user="wang")
    assert (told["worked_out"]["rule"], told["worked_out"]["instance"]) == ("P3WD", "SV-1")
    assert [line["count"] for line in told["worked_out"]["lines"] if line["count"]] == [1, 2, 3]
    assert "measure_due: P3WD" in acting("task", "why", "SV-1.1", user="wang").stdout
    acting("instance", "correct", "SV-1", "--set", "measure_due=2026-10-30", "--reason", "出差")
    assert acting.json("task", "why", "SV-1.1", user="wang")["worked_out"] is None


def test_late_actions_come_first_with_who_has_to_do_what_by_when(acting: Terminal) -> None:
    planned(acting, "SV-1.1", "2026-10-30")
    acting.pass_time(days=7)
    listed = acting.json("action", "list")
    assert [(each["id"], each["late"]) for each in listed] == [("SV-2", True), ("SV-1", False)]
    first = listed[1]
    assert (first["owner_name"], first["measure"], first["due"]) == ("王芳", "更换灯具", "2026-10-30")
    assert first["steps"] == ["实施整改"]
    shown = acting("action", "list").stdout
    assert shown.index("垃圾清运不及时") < shown.index("走廊照明损坏")
    assert "working days late" in shown
    assert "SV-1" not in acting("action", "list", "--late").stdout
    assert "SV-2" not in acting("action", "list", "--owner", "王芳").stdout


def test_problems_and_measures_are_written_as_a_workbook(acting: Terminal) -> None:
    planned(acting, "SV-1.1", "2026-10-30")
    file = acting.folder / "actions.xlsx"
    acting("action", "list", "--xlsx", str(file))
    head, *lines = table_of(file, "编号", "流程")
    found = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    assert (found["SV-1"]["问题"], found["SV-1"]["原因"]) == ("走廊照明损坏", "灯具老化")
    assert (found["SV-1"]["整改措施"], found["SV-1"]["责任人"]) == ("更换灯具", "王芳")
    assert f"{found['SV-1']['完成期限']:%Y-%m-%d}" == "2026-10-30"
    assert found["SV-2"]["当前状态"] == "制定整改措施"


def test_an_action_tells_its_rounds_and_its_effect_and_is_listed_when_it_is_over(acting: Terminal) -> None:
    planned(acting, "SV-1.1", "2026-09-18")
    acting("task", "complete", "SV-1.2", "--set", "action_done=已更换", user="wang")
    verdict = ("--set", "action_verdict=ineffective", "--set", "action_verdict_reason=灯仍不亮")
    acting("task", "complete", "SV-1.3", *verdict, "--set", "action_limit=2026-09-25", user="li")
    (found,) = [each for each in acting.json("action", "list") if each["id"] == "SV-1"]
    assert (found["rounds"], found["verdict"], found["steps"]) == (2, "ineffective", ["制定整改措施"])
    assert "Not effective" in acting("action", "list").stdout
    planned(acting, "SV-1.4", "2026-09-25")
    acting("task", "complete", "SV-1.5", "--set", "action_done=已换线路", user="wang")
    good = ("--set", "action_verdict=effective", "--set", "action_verdict_reason=现场复查")
    acting("task", "complete", "SV-1.6", *good, user="li")
    assert "SV-1" not in acting("action", "list").stdout
    assert "1 are over: --all" in acting("action", "list", "--owner", "王芳").output
    assert "有效" in acting("action", "list", "--all", lang="zh").stdout
    shown = acting("action", "show", "SV-1").stdout
    assert "rounds         2" in shown
    assert "现场复查" in shown
    assert len(acting.json("action", "show", "SV-1")["steps"]) == 6


def test_another_unit_s_actions_are_not_for_everybody_to_read(acting: Terminal) -> None:
    text = (acting.folder / "org.yaml").read_text(encoding="utf-8")
    text = text.replace("may: [act-for, assign]", "may: [act-for, assign, audit]")
    (acting.folder / "org.yaml").write_text(text, encoding="utf-8")
    acting("org", "import")
    acting.pass_time(days=7)  # until then she stands in for somebody of the head office
    assert acting.json("action", "list", user="sun") == []
    assert len(acting.json("action", "list", user="zhao")) == 2
    acting("action", "show", "SV-1", user="sun", exit_code=7)


def test_what_is_no_action_is_said_to_be_none(started: Terminal) -> None:
    assert started.json("action", "list", "--all") == []
    refused = started("action", "show", "SV-1", exit_code=5)
    assert "is no corrective action" in refused.stderr


def test_a_procedure_of_one_s_own_calls_its_items_actions_in_words_that_there_are() -> None:
    name = "owner-annual-90-80-90"
    procedure = load(ROOT / "processes" / name, ROOT / "forms")
    world = World({"cs_supervisor"}, registry())
    diagram = procedure.diagram.decode()
    assert "item = problem_text" in diagram
    for wrong, said in (
        ("itme = problem_text", "Did you mean item?"),
        ("item = problem_txt", "Did you mean problem_text?"),
        ("item: problem_text", "flow.action cannot be read"),
    ):
        changed = diagram.replace("item = problem_text", wrong).encode()
        files = {**procedure.files, f"{name}.bpmn": changed}
        found = [str(each) for each in check(from_files(files), world)]
        assert any(said in each and "rectification" in each for each in found), found
