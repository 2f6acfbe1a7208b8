"""What fulfils each clause of a document, and what shows that an instance did."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import Terminal

CLAUSES = """\
- {id: P-1-1, level: must, statement: {zh: 书面申请, en: A purchase is asked for in writing.}, elements: [request]}
- {id: P-1-2, level: must, statement: {zh: 经理审批, en: The manager approves.}, elements: [manager], rules: [flow.due]}
- {id: P-1-3, level: should, statement: {zh: 到货登记, en: Its arrival is noted.}, elements: [arrival]}
- {id: P-1-4, level: must, statement: {zh: 退回须重填, en: What is refused is asked for again.}, elements: [f4]}
- {id: P-1-5, level: may, statement: {zh: 金额, en: The amount is known.}, rules: [request.amount]}
"""


@pytest.fixture
def office(flow: Terminal) -> Terminal:
    """The purchase, with clauses and a record of the request."""
    folder = flow.folder / "processes" / "purchase"
    (folder / "clauses.yaml").write_text(CLAUSES, encoding="utf-8")
    main, diagram = folder / "procedure.yaml", folder / "purchase.bpmn"
    main.write_text(
        main.read_text("utf-8") + "records:\n  request: {title: 采购申请单, code: P-01}\n", encoding="utf-8"
    )
    due = '<camunda:property name="flow.due" value="P3WD"/>'
    filed = due + '<camunda:property name="flow.record" value="request"/>'
    text = diagram.read_text("utf-8")
    assert due in text
    diagram.write_text(text.replace(due, filed), encoding="utf-8")
    flow("procedure", "publish", "purchase")
    flow("start", "P-1", "--unit", "office-1", user="wang")
    return flow


def states(flow: Terminal) -> dict[str, str]:
    return {each["clause"]: each["status"] for each in flow.json("instance", "evidence", "SV-1")}


def of(flow: Terminal, clause: str) -> dict[str, Any]:
    [found] = flow.json("instance", "evidence", "SV-1", "--clause", clause)
    return found  # type: ignore[no-any-return]


def request_it(flow: Terminal, number: int = 1) -> None:
    flow("task", "complete", f"SV-1.{number}", "--set", "what=纸", "--set", "amount=20", user="wang")


def test_what_was_done_in_time_is_proven_by_who_when_record_and_journal(office: Terminal) -> None:
    assert states(office) == {
        "P-1-1": "open", "P-1-2": "not yet", "P-1-3": "not yet", "P-1-4": "not yet", "P-1-5": "open",
    }  # fmt: skip
    request_it(office)
    found = of(office, "P-1-1")
    assert found["status"] == "done"
    assert [(each["task"], each["person"], each["late"]) for each in found["tasks"]] == [
        ("SV-1.1", "wang.fang", False)
    ]
    assert [(each["due_day"], each["status"]) for each in found["deadlines"]] == [("2026-09-17", "met")]
    [paper] = found["records"]
    file = office.folder / paper["path"]
    assert paper["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (paper["code"], paper["file"]) == ("P-01", "as listed")
    kinds = [line["kind"] for line in found["journal"]]
    assert {"task.opened", "task.completed", "deadline.met", "record.made"} <= set(kinds)
    history = {line["hash"] for line in office.json("instance", "history", "SV-1")}
    assert {line["hash"] for line in found["journal"]} <= history


def test_a_record_whose_file_was_changed_is_no_proof_any_more(office: Terminal) -> None:
    request_it(office)
    [paper] = of(office, "P-1-1")["records"]
    Path(office.folder / paper["path"]).write_text("另一份", encoding="utf-8")
    found = of(office, "P-1-1")
    assert (found["status"], found["records"][0]["file"]) == ("unproven", "changed")
    assert "changed" in office("instance", "evidence", "SV-1").stdout


def test_a_missed_deadline_is_shown_while_the_step_is_open_and_after_it_is_done(office: Terminal) -> None:
    request_it(office)
    office.pass_time(days=3)
    assert of(office, "P-1-2")["status"] == "overdue"
    office("task", "complete", "SV-1.2", "--set", "decision=agree", user="li")
    found = of(office, "P-1-2")
    assert found["status"] == "late"
    assert [each["status"] for each in found["deadlines"]] == ["missed"]
    assert "LATE" in office("instance", "evidence", "SV-1", "--clause", "P-1-2").stdout


def test_what_the_instance_ended_without_is_bypassed_and_what_it_broke_off_is_withdrawn(
    office: Terminal,
) -> None:
    request_it(office)
    office("task", "complete", "SV-1.2", "--set", "decision=agree", user="li")
    assert states(office) == {
        "P-1-1": "done", "P-1-2": "done", "P-1-3": "open", "P-1-4": "not yet", "P-1-5": "done",
    }  # fmt: skip
    office("instance", "cancel", "SV-1", "--reason", "不再需要", "--yes")
    assert states(office) == {
        "P-1-1": "done", "P-1-2": "done", "P-1-3": "withdrawn", "P-1-4": "bypassed", "P-1-5": "done",
    }  # fmt: skip


def test_a_way_that_was_taken_is_done(office: Terminal) -> None:
    request_it(office)
    refusal = ("--set", "decision=refuse", "--set", "reason=太贵")
    office("task", "complete", "SV-1.2", *refusal, user="li")
    assert of(office, "P-1-4")["status"] == "done"
    assert of(office, "P-1-1")["status"] == "open"  # asked for again


def test_a_clause_that_there_is_not_is_refused(office: Terminal) -> None:
    assert (
        "has no clause P-9" in office("instance", "evidence", "SV-1", "--clause", "P-9", exit_code=5).stderr
    )


def test_every_clause_is_traced_to_what_fulfils_it(office: Terminal) -> None:
    [first, second, *_] = office.json("procedure", "trace", "P-1")
    assert first == {
        "procedure": "purchase", "clause": "P-1-1", "level": "must", "statement": "A purchase is asked for in writing.",
        "elements": ["request"], "rules": [], "scenarios": [],
    }  # fmt: skip
    assert (second["elements"], second["rules"]) == (["manager"], ["flow.due"])
    shown = office("procedure", "trace", "purchase")
    assert "填写采购申请 (request)" in shown.stdout
    assert "P-1-1, P-1-2, P-1-4" in shown.stderr  # no scenario proves them
    shared = office("procedure", "trace", "plan-approval").stdout
    assert "plan-approval is a shared block" in shared
    assert "003B" in shared
    everything = {each["procedure"] for each in office.json("procedure", "trace")}
    assert {"purchase", "hospital-monthly"} <= everything
