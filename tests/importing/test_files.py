"""Whole files: several pools, the tools they come from, and that nothing in them goes untold."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from engine.bpmn.xml import BPMN
from engine.check import check_diagram
from engine.errors import Invalid
from engine.importing import proposed_name, take_in
from tests.importing.diagrams import FILES, diagram, line, loads, rows

POOLS = diagram(
    line(),
    head="""  <collaboration id="pool"><participant id="p1" name="我方" processRef="main"/>
    <participant id="p2" name="对方" processRef="theirs"/></collaboration>
  <process id="theirs" isExecutable="true"><startEvent id="s2"/><endEvent id="e2"/>
    <sequenceFlow id="f2" sourceRef="s2" targetRef="e2"/></process>
""",
)


def test_of_several_pools_one_has_to_be_named() -> None:
    with pytest.raises(Invalid, match="theirs, main"):
        take_in(POOLS, "tried")
    with pytest.raises(Invalid, match="no process nothing"):
        take_in(POOLS, "tried", "nothing")


def test_the_other_pools_do_not_run() -> None:
    found = take_in(POOLS, "tried", "main")
    assert b'<process id="theirs" isExecutable="false">' in found.diagram
    assert found.process == "main"
    assert check_diagram(found.diagram) == []


def test_a_process_called_by_the_main_one_runs() -> None:
    xml = diagram(
        line('<callActivity id="n1" calledElement="inner"/>'),
        head="""<process id="inner"><startEvent id="s2"/><endEvent id="e2"/>
        <sequenceFlow id="f2" sourceRef="s2" targetRef="e2"/></process>""",
    )
    found = take_in(xml, "tried")
    assert found.diagram == xml
    assert check_diagram(found.diagram) == []


def test_camunda_8_is_recognised_and_its_simple_conditions_are_translated() -> None:
    found = take_in((FILES / "zeebe.bpmn").read_bytes(), "claim")
    assert found.written_by == "Camunda 8"
    assert b'>amount &gt; 100 and kind == "travel"<' in found.diagram
    assert {row.what for row in rows(found, "refused")} == {
        "zeebe:assignmentDefinition",
        "zeebe:taskDefinition",
    }
    assert {finding.element for finding in check_diagram(found.diagram)} == {"fill", "book"}


def test_remarks_of_tools_stay_and_are_told_of() -> None:
    xml = (FILES / "signavio.bpmn").read_bytes()
    found = take_in(xml, "tried")
    assert found.diagram == xml
    (row,) = rows(found, "dropped")
    assert row.what == "http://www.signavio.com"
    assert check_diagram(found.diagram) == []


def test_plain_bpmn_is_taken_as_it_stands() -> None:
    xml = (FILES / "bpmn-io.bpmn").read_bytes()
    found = take_in(xml, "tried")
    assert found.written_by == "BPMN"
    assert {row.outcome for row in found.rows} == {"kept"}
    assert found.diagram == xml
    assert loads(found).process == "Process_1"


def test_activiti_modelers_remarks_are_taken_out() -> None:
    found = take_in((FILES / "activiti.bpmn").read_bytes(), "tried")
    assert found.written_by == "Activiti"
    assert b"initiator-can-complete" not in found.diagram
    assert check_diagram(found.diagram) == []


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_every_element_is_told_of(file: Path) -> None:
    xml = file.read_bytes()
    told = {row.element for row in take_in(xml, "tried").rows}
    for element in etree.fromstring(xml).iter(f"{{{BPMN}}}*"):
        if not element.tag.endswith(("EventDefinition", "}definitions")):
            assert element.get("id") is None or element.get("id") in told


@pytest.mark.parametrize(
    ("stem", "process", "name"),
    [
        ("order.bpmn20", "x", "order"),
        ("OrderApproval (2)", "x", "order-approval-2"),
        ("采购", "purchase", "purchase"),
        ("采购", "流程", ""),
    ],
)
def test_a_procedure_is_called_like_its_file_else_its_process(stem: str, process: str, name: str) -> None:
    assert proposed_name(stem, f'<process name="x" id="{process}">'.encode()) == name
