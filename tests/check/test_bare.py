"""What a bare diagram names is there, or the check says where it is missing."""

from __future__ import annotations

from engine.check import Around, check_bare, check_diagram
from tests.bpmn.models import line, properties
from tests.check.sample import WORLD


def test_a_bare_diagram_lacks_what_it_calls_and_what_its_service_tasks_do() -> None:
    xml = line('<callActivity id="c" calledElement="archive"/><serviceTask id="t"/>', "c", "t")
    found = check_bare(xml)
    assert [(each.element, each.level) for each in found] == [("c", "incomplete"), ("t", "incomplete")]
    assert [each.element for each in check_bare(xml, Around(["archive"]))] == ["t"]
    assert check_diagram(xml) == []


NAMES = line(
    '<laneSet id="l"><lane id="clerk"><flowNodeRef>u</flowNodeRef></lane></laneSet>'
    '<userTask id="u" camunda:formKey="paper"/><serviceTask id="v">'
    + properties(handler="work.comput")
    + '</serviceTask><businessRuleTask id="r" camunda:decisionRef="fee"/>',
    *("u", "v", "r"),
)


def test_what_a_bare_diagram_names_is_looked_for_where_it_could_be() -> None:
    around = Around(registry=WORLD.registry, tables=dict, roles=["boss"], forms=["papers"], name="demo")
    assert {(each.element, each.level, each.reason, each.remedy) for each in check_bare(NAMES, around)} == {
        ("u", "incomplete", "There is no form paper", "Did you mean papers?"),
        ("u", "incomplete", "The organisation has no role clerk",
         "Use the id of a role, or add it to org.yaml and import that"),
        ("v", "incomplete", "flow.handler names the function work.comput, which does not exist",
         "Did you mean work.compute?"),
        ("r", "error", "There is no decision fee", "Put the .dmn file that has it beside the diagram"),
    }  # fmt: skip
    assert check_bare(NAMES) == []


def test_a_faulty_table_beside_a_bare_diagram_is_told_under_its_own_name() -> None:
    (found,) = check_bare(NAMES, Around(tables=lambda: {"fee.dmn": b"<no>"}))
    assert (found.level, found.file) == ("error", "fee.dmn")
