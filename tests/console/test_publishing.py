"""What is shared is published with who calls it, and a change to it is tried on them first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.conftest import Terminal

DIAGRAM = """\
<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="http://example.org/notice">
  <process id="notice" isExecutable="true">
    <startEvent id="s"/>
    <callActivity id="tell" name="公示" calledElement="announcement">
      <extensionElements><camunda:properties>
        <camunda:property name="flow.in" value="announcement_subject = &quot;停水&quot;"/>
        <camunda:property name="flow.out" value="announced_on"/>
        <camunda:property name="flow.roles" value="announcer = clerk"/>
        <camunda:property name="flow.records" value="announcement = posted"/>
      </camunda:properties></extensionElements>
    </callActivity>
    <endEvent id="e"/>
    <sequenceFlow id="f1" sourceRef="s" targetRef="tell"/><sequenceFlow id="f2" sourceRef="tell" targetRef="e"/>
  </process>
</definitions>
"""
PROCEDURE = """\
procedure: flow/1
id: notice
title: 停水通知
process: notice
records: {posted: {title: 停水公告, code: N-1}}
"""
SCENARIOS = """\
rehearsal: flow/1
stage:
  unit: {id: u, name: 一处}
  people: {ann: [clerk]}
scenarios:
  told:
    title: 通知
    start: {at: "2026-09-01 09:00"}
    steps:
      - {do: announce, by: ann, with: {announcement_text: 明日停水, announcement_place: 一楼}}
    end: {status: completed, variables: {announced_on: "2026-09-01"}}
"""


@pytest.fixture
def notifying(flow: Terminal) -> Terminal:
    """A workspace with a procedure of its own that calls a shipped one, which org.yaml has no role for."""
    assert "announcer" not in flow("procedure", "add", "announcement").stderr
    folder = flow.folder / "processes" / "notice"
    folder.mkdir()
    for name, text in {
        "notice.bpmn": DIAGRAM,
        "procedure.yaml": PROCEDURE,
        "scenarios.yaml": SCENARIOS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    flow("procedure", "layout", "notice")
    said = flow("procedure", "publish", "notice").stdout
    assert said.index("announcement is published") < said.index("notice is published")
    return flow


def form(flow: Terminal) -> Path:
    return flow.folder / "forms" / "announcement" / "announcement.yaml"


def alter(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_tasks_of_a_shared_process_are_those_of_the_role_that_the_caller_names(
    notifying: Terminal,
) -> None:
    notifying("start", "notice", "--unit", "office-1", user="wang")
    [task] = notifying.json("task", "list", user="wang")
    assert (task["name"], task["role"]) == ("公示", "clerk")


def test_what_a_change_does_to_the_callers_is_seen_before_they_take_it_up(notifying: Terminal) -> None:
    alter(form(notifying), "title: {zh: 公示, en: Public notice}", "title: {zh: 公告, en: Public notice}")
    left = notifying("procedure", "publish", "announcement")
    assert "older version: notice. " in left.stderr
    assert "`flow procedure publish announcement --callers`" in left.stderr
    taken = notifying("procedure", "publish", "announcement", "--callers").stdout
    assert "✓" in taken
    assert "told" in taken
    assert "notice is published as version 2" in taken


def test_callers_whose_scenarios_a_change_breaks_keep_the_older_version(notifying: Terminal) -> None:
    alter(
        form(notifying),
        "fields:\n",
        "fields:\n  - {id: approved_by, type: text, label: 批准人, required: true}\n",
    )
    told = notifying("procedure", "publish", "announcement", "--callers", exit_code=1)
    assert "notice: 1 of 1 scenarios went otherwise than expected" in told.stderr
    assert "announce was refused: approved_by" in told.stdout
    [row] = [row for row in notifying.json("procedure", "list") if row["procedure"] == "notice"]
    assert row["version"] == 1
