"""Whoever changes a table behind the program's back is found by the journal, and the place is named."""

from __future__ import annotations

import json

import pytest

from engine.store import open_store
from engine.store.contradictions import contradictions
from tests.console.conftest import Terminal
from tests.console.test_workspace import alter
from tests.store.histories import tampering


@pytest.fixture
def worked(started: Terminal) -> Terminal:
    """One task done, the next one open."""
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=10", user="wang")
    return started


LATER = "PRAGMA defer_foreign_keys = ON"
CLOSED_BY = "UPDATE user_task SET closed_by = 'li.lei' WHERE id = 'SV-1.1'"
BY = "json_replace(lines, '$[1].count', 7)"
TAMPERED = [
    ("UPDATE definition SET bundle = x'00'", "org", "the files in the table definition are not those"),
    ("UPDATE definition SET facts = json_replace(facts, '$.title_en', 'Sale')", "org", "facts"),
    ("UPDATE definition SET title = '销售'", "org", "title 销售"),
    ("UPDATE definition SET version = 2", "org", "version 2"),
    (f"{LATER}; UPDATE definition SET hash = 'abc'", "org", "purchase 1 is missing in the table definition"),
    (f"{LATER}; DELETE FROM definition", "org", "purchase 1 is missing in the table definition"),
    ("INSERT INTO definition_call SELECT hash, 'other', hash FROM definition", "org", "calls"),
    (
        "UPDATE calendar_table SET body = replace(body, '2026-10-01', '2026-10-09') WHERE year = 2026",
        "org",
        "sha256",
    ),
    ("UPDATE calendar_table SET body = '{}' WHERE year = 2026", "org", "2026: the table calendar_table"),
    ("UPDATE calendar_table SET body = 'x' WHERE year = 2026", "org", "2026: the table calendar_table"),
    ("UPDATE calendar_table SET status = 'published' WHERE year = 2027", "org", "status published"),
    ("DELETE FROM calendar_table WHERE year = 2026", "org", "2026 is missing in the table calendar_table"),
    (
        "INSERT INTO calendar_table SELECT 99, unit, 2028, status, body, imported_at, imported_by "
        "FROM calendar_table WHERE year = 2026",
        "org",
        "2028 stands in the table calendar_table",
    ),
    (f"UPDATE deadline SET lines = {BY} WHERE task_id = 'SV-1.2'", "SV-1", "arithmetic"),
    ("UPDATE deadline SET lines = 'x' WHERE task_id = 'SV-1.2'", "SV-1", "arithmetic"),
    ("UPDATE deadline SET calendar = 'other' WHERE task_id = 'SV-1.2'", "SV-1", "arithmetic"),
    ("UPDATE instance SET title = '别的'", "SV-1", "title 别的"),
    ("UPDATE user_task SET form = 'request' WHERE id = 'SV-1.2'", "SV-1", "form request"),
    ("UPDATE user_task SET unit = 'office-2' WHERE id = 'SV-1.1'", "SV-1", "unit office-2"),
    ("UPDATE person SET active = 0 WHERE id = 'li.lei'", "org", "imported from org.yaml"),
    ("INSERT INTO permission VALUES ('li.lei', 'clock')", "org", "imported from org.yaml"),
    ("UPDATE setting SET value = '\"x\"' WHERE name = 'org_hash'", "org", "org_hash"),
    (CLOSED_BY, "SV-1", "closed_by li.lei"),
    ("UPDATE user_task SET status = 'open' WHERE id = 'SV-1.1'", "SV-1", "status open"),
    ("UPDATE user_task SET due_at = due_at + 1 WHERE id = 'SV-1.2'", "SV-1", "due_at"),
    ("UPDATE user_task SET closed_at = 'never' WHERE id = 'SV-1.1'", "SV-1", "closed_at never"),
    ("DELETE FROM user_task WHERE id = 'SV-1.1'", "SV-1", "SV-1.1 is missing"),
    ("UPDATE deadline SET due_day = '2026-12-31' WHERE task_id = 'SV-1.2'", "SV-1", "due_day 2026-12-31"),
    ("UPDATE deadline SET due_at = due_at + 1 WHERE task_id = 'SV-1.2'", "SV-1", "due_at"),
    ("UPDATE deadline SET status = 'missed' WHERE task_id = 'SV-1.1'", "SV-1", "status missed"),
    ("DELETE FROM deadline WHERE task_id = 'SV-1.1'", "SV-1", "is missing"),
    ("UPDATE instance SET status = 'completed'", "SV-1", "status completed"),
    ("UPDATE instance SET unit = 'office-2'", "SV-1", "unit office-2"),
    (
        "INSERT INTO record (instance_id, name, code, element, path, sha256, size, made_at, made_by) "
        "VALUES (1, 'n', 'R-9', 'request', 'records/SV-1/n.txt', 'ab', 3, 0, 'wang.fang')",
        "SV-1",
        "records/SV-1/n.txt (3 B, sha256 ab, R-9) stands in",
    ),
    (
        "INSERT INTO user_task SELECT 'SV-1.9', instance_id, token, element, name, role, unit, status, assignee, "
        "delegated_by, due_at, priority, form, batch_id, batch_index, item, draft, excluded, opened_at, "
        "claimed_at, closed_at, closed_by, closed_for, version FROM user_task WHERE id = 'SV-1.1'",
        "SV-1",
        "SV-1.9 stands in the table",
    ),
    (
        "INSERT INTO schedule VALUES (1, 'purchase', 'office-1', 'asked', '{}', NULL, NULL, NULL, 'active', 0); "
        "INSERT INTO kickoff VALUES (1, '2026-Q3', 0, 0, 0, 1, 'started')",
        "SV-1",
        "2026-Q3 stands in the table",
    ),
    (
        "INSERT INTO schedule VALUES (1, 'purchase', 'office-1', 'asked', '{}', NULL, NULL, NULL, 'active', 0); "
        "INSERT INTO kickoff VALUES (1, '2026-Q3', 0, NULL, 1, NULL, 'missed')",
        "org",
        "2026-Q3 stands in the table",
    ),
]


def test_a_row_that_the_journal_contradicts_is_named(worked: Terminal) -> None:
    assert worked.json("audit", "verify")["faults"] == []
    with open_store(f"sqlite:///{worked.folder / 'flow.db'}") as store:
        for statement, place, words in TAMPERED:
            with tampering(store) as conn:
                for each in statement.split("; "):
                    conn.exec_driver_sql(each)
                found = contradictions(conn)
                assert place in {each.chain for each in found} <= {place, "org"}, statement
                assert any(words in str(each) for each in found), [str(each) for each in found]
    alter(worked, CLOSED_BY)
    (fault,) = json.loads(worked("audit", "verify", "--json", exit_code=1).stdout)["faults"]
    assert (fault["chain"], fault["seq"]) == ("SV-1", 6)
    assert "wang.fang" in worked("audit", "verify", exit_code=1).stdout


def test_a_damaged_setting_or_value_is_named_with_the_remedy(worked: Terminal) -> None:
    alter(worked, "UPDATE setting SET value = value || 'x' WHERE name = 'org_hash'")
    for command in (("status",), ("doctor",)):
        said = worked(*command, exit_code=1).output
        assert "The setting org_hash in the database was altered" in said
        assert "restore the last backup" in said
    (fault, other) = json.loads(worked("audit", "verify", "--json", exit_code=1).stdout)["faults"]
    assert "The setting org_hash in the database was altered" in fault["message"]
    assert "org_hash" in other["message"]
    alter(worked, "INSERT INTO setting VALUES ('clock_accepted', '[1]')")
    assert "The setting clock_accepted" in worked("audit", "verify", exit_code=1).output
    alter(worked, "DELETE FROM setting WHERE name = 'clock_accepted'")
    alter(worked, "UPDATE user_task SET excluded = 'x' WHERE id = 'SV-1.2'")
    said = worked("task", "list", user="li", exit_code=1).output
    assert "The column excluded of the table user_task was altered: nobody can read 'x'" in said


@pytest.mark.parametrize(
    ("mark", "kind"),
    [("5", "task.opened"), ("5", "task.completed"), ("NULL", "task.completed"), ("at + 1", "task.completed")],
)
def test_a_delivery_mark_that_cannot_be_is_named(worked: Terminal, mark: str, kind: str) -> None:
    alter(worked, f"UPDATE journal SET delivered_at = {mark} WHERE kind = '{kind}' AND chain = 'SV-1'")
    told = worked("audit", "verify", exit_code=1).stdout
    assert "delivery mark" in told
    assert "does not give its hash" not in told


def test_a_start_for_a_period_that_is_none_or_started_is_refused(flow: Terminal) -> None:
    start = ("start", "P-1", "--unit", "office-1", "--period")
    assert "2026-06, 2026-Q3, 2026-H1, 2026" in flow(*start, "third quarter", user="wang", exit_code=6).output
    flow(*start, "2026-Q3", user="wang")
    assert "2026-Q3 was started already: SV-1" in flow(*start, "2026-Q3", user="wang", exit_code=3).output
    flow(*start, "2026-Q4", user="wang")
    flow(*start, "2026-Q3", "--again", user="wang")
    flow("start", "P-1", "--unit", "office-1", user="wang")
