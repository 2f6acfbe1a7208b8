"""What starts by the calendar, and jobs that failed, as they are typed and shown."""

from __future__ import annotations

import pytest

from engine import config
from engine.bpmn import meter
from engine.config import shipped
from tests.console.conftest import Terminal
from tests.console.test_workspace import alter
from tests.engine.drawing import diagram

ROLES = """\
  - {id: project_gm, name: 项目总经理}
  - {id: cs_supervisor, name: 客服主管}
  - {id: cs_assistant, name: 客服助理}
  - {id: cs_dept, name: 客服部}
  - {id: dept_head, name: 责任部门}
  - {id: surveyor, name: 参与调查人员}
people:
"""


@pytest.fixture
def surveying(flow: Terminal) -> Terminal:
    """The shipped quarterly survey, published."""
    asked = flow("procedure", "add", "003G").stderr
    assert "Next: fill in org.yaml, then flow org import, then flow procedure publish" in asked
    assert "{id: project_gm, name: 项目总经理}" in asked
    assert "{id: surveyor, name: 参与调查人员}" in asked
    assert "archivist" not in asked  # 003G says who keeps its archive
    assert "surveyor" in flow("procedure", "check", "003G", exit_code=1).stderr
    file = flow.folder / "org.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("people:\n", ROLES), encoding="utf-8")
    flow("org", "import")
    flow("procedure", "publish", "003G")  # with what it calls
    return flow


def test_a_schedule_is_made_looked_at_paused_and_fired(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")
    [start] = surveying.json("schedule", "next", "--days", "90")
    assert (start["period"], start["at"], start["anchors"]["d0"]) == (
        "2026-Q4",
        "2026-11-20T01:00:00+00:00",
        "2026-12-11",
    )
    assert "2026-11-20 Fri" in surveying("schedule", "next").stdout
    for words in (("schedule", "next"), ("schedule", "list")):
        assert "Quarterly survey of" in surveying(*words).stdout
        assert "大楼客户满意度季度调查" in surveying(*words, lang="zh").stdout
    surveying("schedule", "pause", "003G", "--unit", "office-1", "--reason", "撤场")
    assert surveying.json("schedule", "next") == []
    surveying("schedule", "resume", "003G", "--unit", "office-1", "--reason", "进场")
    assert "2026-Q4" in surveying("schedule", "list").stdout
    again = surveying("schedule", "resume", "003G", "--unit", "office-1", "--reason", "进场", exit_code=3)
    assert "starts by the calendar for office-1 already" in again.stderr


def test_a_kick_off_that_did_not_happen_is_reported(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1", "--since", "2026-07-01")
    [late] = surveying.json("status")["overview"]["not_started"]
    assert [each["period"] for each in late["missed"]] == ["2026-Q3"]
    assert "2026-08-20 09:00" in surveying("status").stderr


def test_every_kick_off_that_did_not_happen_is_named_and_of_many_the_rest_are_counted(
    surveying: Terminal,
) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1", "--since", "2025-07-01")
    surveying("schedule", "add", "003G", "--unit", "office-2")
    surveying.pass_time(days=300)
    late = surveying.json("status")["overview"]["not_started"]
    periods = [[each["period"] for each in one["missed"]] + [one["more"]] for one in late]
    assert periods == [
        ["2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", 2],
        ["2026-Q4", "2027-Q1", "2027-Q2", 0],
    ]
    said = surveying("status").stderr
    assert "2026-Q4 (2026-11-20 09:00), and 2 more" in said
    assert "2026-Q4（2026-11-20 09:00）、另有 2 期" in surveying("status", lang="zh").stderr


def test_a_schedule_that_comes_too_late_for_this_period_says_how_to_start_it(surveying: Terminal) -> None:
    add = ("schedule", "add", "003G", "--unit")
    command = "flow schedule fire 003G --unit office-1 --period 2026-Q3"
    said = surveying(*add, "office-1").stderr
    assert f"The kick-off of 2026-Q3 was on 2026-08-20 Thu and has passed; `{command}` starts it" in said
    [passed] = surveying.json(*add, "office-2")["passed"]
    assert (passed["period"], passed["at"]) == ("2026-Q3", "2026-08-20T01:00:00+00:00")
    assert "has passed" not in surveying(*add, "head", "--since", "2026-07-01").stderr
    surveying(*command.split()[1:])
    assert "has passed" not in surveying(*add, "office-1").stderr


def test_what_a_person_fires_is_not_said_to_be_started_by_the_calendar(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")
    surveying("schedule", "fire", "003G", "--unit", "office-1", "--period", "2026-Q3")
    told = surveying("instance", "history", "SV-1").stdout
    assert "started by hand for 2026-Q3 (late)" in told
    assert "by the calendar" not in told
    assert surveying.json("audit", "verify")["faults"] == []


def test_a_provisional_year_is_marked_and_a_year_without_table_is_told(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")
    coming = surveying.json("schedule", "next", "--days", "200")
    assert [start["provisional"] for start in coming] == [False, True]


def test_what_is_known_is_shown_though_a_later_year_has_no_table(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")
    beyond = surveying("schedule", "next", "--days", "900")
    for period in ("2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3"):
        assert period in beyond.stdout
    assert "What starts after these days cannot be told yet: No working-day table for 2028" in beyond.stderr
    assert "no next start" not in beyond.stderr
    periods = [start["period"] for start in surveying.json("schedule", "next", "--days", "900")]
    assert periods == [start["period"] for start in surveying.json("schedule", "next", "--days", "470")]


def test_a_schedule_whose_year_has_no_table_is_told_until_the_table_comes(surveying: Terminal) -> None:
    alter(surveying, "DELETE FROM calendar_table WHERE year >= 2026")
    surveying("schedule", "add", "003G", "--unit", "office-1")
    for words in (("status",), ("schedule", "list"), ("schedule", "next", "--days", "5")):
        said = surveying(*words, lang="zh").stderr
        assert "大楼客户满意度季度调查（第一管理处）没有下一次启动时间" in said
        assert "2026" in said
        assert "flow calendar import" in said
    [row] = surveying.json("schedule", "list")
    assert "2026" in row["waits_for"]
    surveying("schedule", "add", "003G", "--unit", "office-2")
    for words in (("status",), ("schedule", "list"), ("schedule", "next", "--days", "5")):
        assert surveying(*words).stderr.count("has no next start for 2 units: No working-day table") == 1
    for year in (2026, 2027):
        surveying("calendar", "import", str(shipped() / "processes" / "calendars" / f"{year}.yaml"))
    assert surveying.json("status")["overview"]["unplanned"] == []
    row, _ = surveying.json("schedule", "list")
    assert (row["waits_for"], row["next_period"]) == (None, "2026-Q4")


def test_the_survey_started_by_hand_knows_its_variables(surveying: Terminal) -> None:
    said = surveying("start", "003G", "--unit", "office-1", "--set", "d1=2026-09-24", exit_code=6).stderr
    assert "d1: The procedure knows no variable d1" in said
    assert "d0: " not in said


def test_a_survey_started_by_hand_too_late_for_its_quarter_is_told_so_at_once(surveying: Terminal) -> None:
    start = ("start", "003G", "--unit", "office-1", "--set")
    assert "begin by 2026-12-11" in surveying(*start, "d0=2026-12-14").stderr
    assert "begin by" not in surveying(*start, "d0=2026-12-10").stderr


def test_a_procedure_without_schedule_cannot_be_scheduled(flow: Terminal) -> None:
    flow("schedule", "add", "P-1", "--unit", "office-1", exit_code=3)


@pytest.mark.parametrize("verb", [("retry", "1"), ("skip", "1", "--reason", "已手工处理")])
def test_a_failed_job_is_listed_and_dealt_with(flow: Terminal, verb: tuple[str, ...]) -> None:
    flow("start", "P-1", "--unit", "office-1")
    alter(
        flow,
        "INSERT INTO job (kind, payload, idem_key, status, attempts, created_at, error) VALUES "
        """('signal', '{"name": "x", "origin": 1}', 'k', 'dead', 5, 1, 'no connection')""",
    )
    assert "no connection" in flow("job", "list", "--incidents").stdout
    assert flow.json("status")["overview"]["incidents"] == 1
    assert flow.json("job", *verb) == {"number": 1, "status": "done"}
    assert flow.json("job", "list") == []
    flow("job", *verb, exit_code=3)


LOOP = """
start s
xor again
script count do='n = n + 1'
xor way
end e
s -> again -> count -> way
way -> e : n < 0
way -> again : else
"""
LOOP_PROCEDURE = "procedure: flow/1\nid: loop\ntitle: {zh: 循环, en: Loop}\nprocess: main\n"


@pytest.fixture
def looping(flow: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A procedure that comes to no rest, published."""
    monkeypatch.setattr(meter, "MAX_VISITS", 300)
    monkeypatch.setattr(meter, "STEP_VISITS", 50)
    folder = flow.folder / "processes" / "loop"
    folder.mkdir()
    (folder / "loop.bpmn").write_bytes(diagram(LOOP, "main"))
    (folder / "procedure.yaml").write_text(LOOP_PROCEDURE, encoding="utf-8")
    flow("procedure", "layout", "loop", "--redraw")
    flow("procedure", "publish", "loop")
    return flow


def begun(flow: Terminal) -> tuple[str, ...]:
    """The words that begin it."""
    file = flow.folder / "n.yaml"
    file.write_text("n: 0\n", encoding="utf-8")
    return ("start", "loop", "--unit", "office-1", "--form", str(file))


def test_an_incident_that_a_command_brings_about_is_told_though_the_command_is_done(
    looping: Terminal,
) -> None:
    told = looping(*begun(looping), user="wang")
    assert "SV-1 is started" in told.stdout
    assert "SV-1 again failed: More than 300 elements ran without waiting" in told.stderr
    assert "flow job list --incidents" in told.stderr
    assert "出错" in looping(*begun(looping), user="wang", lang="zh").stderr
    again = looping("job", "retry", "1", exit_code=3)
    assert "needs nobody" in again.stderr
    [job, _] = looping.json("job", "list", "--incidents")
    assert looping("job", "retry", str(job["number"])).stderr.count("More than 300") == 1


def test_a_command_goes_on_for_a_limited_time_and_leaves_the_rest_to_the_scheduler(
    looping: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.session.PATIENCE", -1.0)
    told = looping(*begun(looping), user="wang")
    assert "it goes on in `flow run`" in told.stderr
    assert "failed" not in told.stderr
    [left] = looping.json("job", "list")
    assert (left["kind"], left["instance"]) == ("go-on", "SV-1")
    monkeypatch.setattr("console.session.PATIENCE", 10.0)
    others = looping("start", "P-1", "--unit", "office-1", user="wang")
    assert "failed" not in others.stderr
    assert looping.json("job", "list") == [left], "what another command left waiting is not this one's to do"
    looping("instance", "suspend", "SV-1", "--reason", "停")
    assert "More than 300" in looping("instance", "resume", "SV-1").stderr


PREPARED = """
start s
user prepare
catch begin date="'2026-09-14T00:00'"
user survey
end e
s -> prepare -> begin -> survey -> e
"""


def test_in_a_demonstration_a_timer_that_is_past_already_fires_with_what_armed_it(flow: Terminal) -> None:
    folder = flow.folder / "processes" / "prepared"
    folder.mkdir()
    (folder / "prepared.bpmn").write_bytes(diagram(PREPARED, "main"))
    (folder / "procedure.yaml").write_text(
        LOOP_PROCEDURE.replace("id: loop", "id: prepared"), encoding="utf-8"
    )
    flow("procedure", "layout", "prepared", "--redraw")
    flow("procedure", "publish", "prepared")
    with (flow.folder / config.FILE).open("a", encoding="utf-8") as file:
        file.write("demo = true\n")
    flow("start", "prepared", "--unit", "office-1", user="nobody")
    flow("task", "complete", "SV-1.1", "--as", "wang.fang", user="nobody")
    assert [task["element"] for task in flow.json("task", "list", "--as", "wang.fang", user="nobody")] == [
        "survey"
    ]
