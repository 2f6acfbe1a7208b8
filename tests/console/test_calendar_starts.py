"""What starts by the calendar, and jobs that failed, as they are typed and shown."""

from __future__ import annotations

import pytest

from engine.config import shipped
from tests.console.conftest import Terminal
from tests.console.test_workspace import alter

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
    assert "{id: project_gm, name: 项目总经理}" in asked
    assert "{id: surveyor, name: 参与调查人员}" in asked
    assert "surveyor" in flow("procedure", "check", "003G", exit_code=1).stderr
    file = flow.folder / "org.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("people:\n", ROLES), encoding="utf-8")
    flow("org", "import")
    flow("procedure", "publish", "003G")
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
    surveying("schedule", "pause", "003G", "--unit", "office-1", "--reason", "撤场")
    assert surveying.json("schedule", "next") == []
    surveying("schedule", "resume", "003G", "--unit", "office-1", "--reason", "进场")
    assert "2026-Q4" in surveying("schedule", "list").stdout


def test_a_kick_off_that_did_not_happen_is_reported(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1", "--since", "2026-07-01")
    [missed] = surveying.json("status")["overview"]["not_started"]
    assert missed["next_period"] == "2026-Q3"
    assert "2026-08-20 09:00" in surveying("status").stderr


def test_a_provisional_year_is_marked_and_a_year_without_table_is_told(surveying: Terminal) -> None:
    surveying("schedule", "add", "003G", "--unit", "office-1")
    coming = surveying.json("schedule", "next", "--days", "200")
    assert [start["provisional"] for start in coming] == [False, True]
    beyond = surveying("schedule", "next", "--days", "900")
    assert "2028" in beyond.stderr


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
    for year in (2026, 2027):
        surveying("calendar", "import", str(shipped() / "processes" / "calendars" / f"{year}.yaml"))
    assert surveying.json("status")["overview"]["unplanned"] == []
    [row] = surveying.json("schedule", "list")
    assert (row["waits_for"], row["next_period"]) == (None, "2026-Q4")


def test_the_survey_started_by_hand_knows_its_variables(surveying: Terminal) -> None:
    said = surveying("start", "003G", "--unit", "office-1", "--set", "d1=2026-09-24", exit_code=6).stderr
    assert "d1: The procedure knows no variable d1" in said
    assert "d0: " not in said


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
