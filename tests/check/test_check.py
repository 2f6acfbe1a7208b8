"""The files of a procedure fit together, and into the organisation, or the check says what is missing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine.check import check_bare, check_diagram
from engine.errors import Finding
from engine.layout import draw
from tests.bpmn.models import BASIC, FLOWS, process
from tests.check.sample import (
    CLAUSES,
    LANES,
    PLAN,
    PROCEDURE,
    SCENARIOS,
    VERDICT,
    WORLD,
    checked,
    drawn,
    files,
)


def test_a_procedure_in_order_has_no_findings() -> None:
    assert [str(each) for each in checked(files())] == []


def swapped(old: str, new: str) -> dict[str, bytes]:
    """The sample with its diagram changed."""
    assert old in LANES
    return files(LANES.replace(old, new))


def written(old: str, new: str) -> dict[str, bytes]:
    """The sample with procedure.yaml changed."""
    assert old in PROCEDURE
    return files(procedure=PROCEDURE.replace(old, new))


DIAGRAM = "demo.bpmn"
COUNTING = "  counting: {value: from, options: [from, after], title: {zh: 计数}}\n"
CASES: dict[str, tuple[dict[str, bytes], str, str, str]] = {
    "an unknown role": (
        swapped('lane id="boss"', 'lane id="chief"'),
        DIAGRAM,
        "agree",
        "no role chief",
    ),
    "a step in nobody's lane": (
        swapped("<flowNodeRef>each</flowNodeRef>", ""),
        DIAGRAM,
        "each",
        "Nobody's role does this step",
    ),
    "an overdue notice to an unknown role": (
        swapped("after due: owner", "after due: ovner"),
        DIAGRAM,
        "agree",
        "goes to the role ovner",
    ),
    "a reminder to an unknown role": (
        swapped("before due", "before due: asistant"),
        DIAGRAM,
        "agree",
        "The reminder goes to the role asistant",
    ),
    "a function that asks for a role": (
        swapped("work.complete", "work.allotted"),
        DIAGRAM,
        "write",
        "The function work.allotted asks for the role surveyor",
    ),
    "a form without a file": (files(form_plan=""), DIAGRAM, "write", "There is no form plan"),
    "a questionnaire as the form of a step": (
        files(form_plan=PLAN.replace('title: 方案', 'title: 方案\nkind: questionnaire\nanonymity: named')),
        DIAGRAM,
        "write",
        "is a questionnaire",
    ),
    "a form that nobody uses": (
        files(**{"forms/other.yaml": VERDICT.replace("id: verdict\nversion", "id: other\nversion")}),
        "forms/other.yaml",
        "",
        "No step uses the form",
    ),
    "an unknown function": (
        swapped("work.compute", "work.compote"),
        DIAGRAM,
        "sum",
        "work.compote, which does not exist",
    ),
    "a function of another kind": (
        swapped("work.compute", "work.items"),
        DIAGRAM,
        "sum",
        "which is of the kind collection",
    ),
    "a verification that is none": (
        swapped("work.complete", "work.compute"),
        DIAGRAM,
        "write",
        "which is of the kind inside",
    ),
    "a service task without a function": (
        swapped('name="flow.handler"', 'name="handler"'),
        DIAGRAM,
        "sum",
        "Nothing says what the service task does",
    ),
    "a task without a type": (
        swapped('</callActivity>', '</callActivity><task id="idle"/>'),
        DIAGRAM,
        "idle",
        "Nothing happens in a task without a type",
    ),
    "a called process that is not published": (
        swapped('calledElement="archive"', 'calledElement="archieve"'),
        DIAGRAM,
        "call",
        "archieve is not published",
    ),
    "an unknown record": (
        swapped('name="flow.record" value="plan"', 'name="flow.record" value="plaan"'),
        DIAGRAM,
        "write",
        "knows no record plaan",
    ),
    "a record that nobody makes": (
        written("records:\n", "records:\n  minutes: {title: {zh: 纪要}}\n"),
        "procedure.yaml",
        "line 13",
        "No step makes the record minutes",
    ),
    "a timer start without a schedule": (
        written("  quarter: {", "  month: {"),
        DIAGRAM,
        "quarter",
        "No schedule says when this timer starts",
    ),
    "a schedule without a timer start": (
        written("  quarter: {", "  month: {"),
        "procedure.yaml",
        "line 8",
        "no timer start event month",
    ),
    "a main process that is not there": (
        written("process: p\n", "process: q\n"),
        "procedure.yaml",
        "line 6",
        "The diagram has no process q",
    ),
    "a due date from a date that nothing sets": (
        swapped("P2D before d0", "P2D before start"),
        DIAGRAM,
        "write",
        "counts from start, which nothing sets",
    ),
    "a due date from a number": (
        swapped("P2D before d0", "P2D before score"),
        DIAGRAM,
        "write",
        "counts from score, which is no date",
    ),
    "a due date counted in a way that is left open": (
        files(
            procedure=PROCEDURE.replace(COUNTING, "").replace("working_days: 15", "working_days: 15, counting: from")
        ),
        DIAGRAM,
        "agree",
        "leaves open how to count",
    ),
    "a variable that nothing sets": (
        swapped("score &gt;= target", "rate &gt;= target"),
        DIAGRAM,
        "f5",
        "rate is read here, but nothing sets it",
    ),
    "a clause with an unknown element": (
        files(clauses=CLAUSES.replace("[write, agree]", "[write, agrees]")),
        "clauses.yaml",
        "line 1",
        "names the element agrees",
    ),
    "a clause with an unknown scenario": (
        files(clauses=CLAUSES.replace("[happy]", "[hapy]")),
        "clauses.yaml",
        "line 1",
        "names the scenario hapy",
    ),
    "a clause with an unknown rule": (
        files(clauses=CLAUSES.replace("[quarter]", "[quarters]")),
        "clauses.yaml",
        "line 2",
        "names the rule quarters",
    ),
    "a scenario with an unknown element": (
        files(scenarios=SCENARIOS.replace("do: write", "do: wrote")),
        "scenarios.yaml",
        "line 6",
        "The scenario happy names the element wrote",
    ),
    "a scenario that cannot be read": (
        files(scenarios=SCENARIOS.replace("do: write", "make: write")),
        "scenarios.yaml",
        "line 11",
        "Unknown key make",
    ),
    "a clause that nothing fulfils": (
        files(clauses=CLAUSES.replace(", rules: [quarter]", "")),
        "clauses.yaml",
        "line 2",
        "Nothing fulfils the clause 003G-2",
    ),
    "no drawing": (files(drawing=""), DIAGRAM, "", "has no drawing"),
    "an element missing in the drawing": (
        files(drawing=drawn('<userTask id="write">')),
        DIAGRAM,
        "agree",
        "missing in the drawing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "rule", ["quarter", "counting", "plan", "flow.due", "work.compute", "work.items", "plan.limit"]
)
def test_a_clause_may_be_fulfilled_by_whatever_the_procedure_has(rule: str) -> None:
    assert checked(files(clauses=CLAUSES.replace("[quarter]", f"[{rule}]"))) == []


@pytest.mark.parametrize("case", CASES)
def test_what_does_not_fit_is_named_with_file_place_reason_and_remedy(case: str) -> None:
    bundle, file, element, reason = CASES[case]
    everything = checked(bundle)
    found = [
        each for each in everything if (each.file, each.element) == (file, element) and reason in each.reason
    ]
    assert found, [str(each) for each in everything]
    assert all(each.remedy and str(each) for each in everything)


def test_what_is_missing_is_incomplete_and_what_cannot_run_is_an_error() -> None:
    assert {each.level for each in checked(files(drawing=""))} == {"incomplete"}
    [broken] = checked(swapped("verdict == 'no'", "verdict =="))
    assert (broken.level, broken.file, broken.element) == ("error", DIAGRAM, "f4")


def test_a_diagram_that_cannot_be_read_is_the_only_thing_said_about_it() -> None:
    found = checked(files() | {"demo.bpmn": b"<definitions"})
    assert [(each.file, each.level) for each in found] == [("demo.bpmn", "error")]


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant() -> None:
    found = checked(swapped("work.compute", "work.compote"))
    assert [str(each) for each in found if "Did you mean work.compute?" in str(each)]


def test_a_variable_that_only_a_function_sets_has_to_be_declared() -> None:
    bundle = swapped("score &gt;= target", "rate &gt;= target")
    [finding] = [str(each) for each in checked(bundle)]
    assert "rate is read here, but nothing sets it" in finding
    assert "flow.sets" in finding
    bundle["demo.bpmn"] = bundle["demo.bpmn"].replace(
        b'name="flow.sets" value="closed"', b'name="flow.sets" value="closed, rate"'
    )
    assert [str(each) for each in checked(bundle)] == []


def test_dates_that_whoever_starts_by_hand_gives_are_not_reported() -> None:
    by_hand = PROCEDURE.replace(
        "schedules:\n  quarter: {every: quarter, start: {latest_fit: {working_days: 15}, preparation: P14D}}\n",
        "",
    )
    bundle = files(
        LANES.replace("<timerEventDefinition/>", "").replace("before d0", "before inspection"),
        procedure=by_hand,
        clauses=CLAUSES.replace("[quarter]", "[counting]"),
    )
    assert [str(each) for each in checked(bundle)] == []


def test_roles_are_those_of_the_organisation() -> None:
    found: list[Finding] = checked(files(), replace(WORLD, roles=set()))
    assert {each.element for each in found} == {"write", "agree", "each"}


def test_a_bare_diagram_is_judged_by_its_errors_alone() -> None:
    assert check_diagram(files(drawing="")["demo.bpmn"]) == []
    assert [each.level for each in check_diagram(b"not xml")] == ["error"]


def told(more: str = "", procedure: str = PROCEDURE) -> list[tuple[str, str]]:
    """What is found when the service task calls a function that says what it takes."""
    handler = '<camunda:property name="flow.handler" value="work.compute"/>'
    assert handler in LANES
    changed = LANES.replace(handler, handler.replace("compute", "timetable") + more)
    return [(each.element, each.reason) for each in checked(files(changed, procedure=procedure))]


def setting(name: str, value: str) -> str:
    return f'<camunda:property name="flow.{name}" value="{value}"/>'


FIFTEEN = setting("working-days", "15")


def test_a_function_gets_the_properties_and_parameters_that_it_can_read() -> None:
    assert told(FIFTEEN) == []
    assert told(FIFTEEN + setting("preparation", "P14D")) == []
    assert told() == [("sum", "The function work.timetable needs the property flow.working-days")]
    [(element, reason)] = told(setting("working-days", "abc"))
    assert (element, reason) == (
        "sum", "The property flow.working-days cannot be read: abc is no whole number from 1 to 250",
    )  # fmt: skip
    [(_, reason)] = told(FIFTEEN + setting("preparation", "fourteen"))
    assert "flow.preparation cannot be read" in reason
    [(_, reason)] = told(FIFTEEN + setting("preperation", "P14D"))
    assert reason == "The function work.timetable takes no property flow.preperation"
    [(element, reason)] = told(FIFTEEN, PROCEDURE.replace("value: 60", "value: 600"))
    assert element.startswith("line ")
    assert reason == "The parameter target does not fit work.timetable: 600 is no number from 0 to 100"


def test_findings_of_the_diagram_say_on_which_line_they_are() -> None:
    found = checked(swapped('lane id="boss"', 'lane id="chief"'))
    assert {(each.file, each.line) for each in found if "no role" in each.reason} == {("demo.bpmn", 1)}


NAMED = 'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
SHAPE = '<bpmndi:BPMNShape id="one" bpmnElement="t">{}</bpmndi:BPMNShape>'
BOUNDS = '<dc:Bounds x="1" y="1" width="9" height="9"/>'
EDGE = '<bpmndi:BPMNEdge id="two" bpmnElement="f1">{}</bpmndi:BPMNEdge>'
POINT = '<di:waypoint x="1" y="2"/>'
DRAWINGS = {
    "in order": (SHAPE.format(BOUNDS) + EDGE.format(POINT * 2), None, ""),
    "an id twice": (
        SHAPE.format(BOUNDS) + EDGE.replace("two", "one").format(POINT * 2),
        "incomplete",
        "stands twice",
    ),
    "an element's id": (SHAPE.replace("one", "t").format(BOUNDS), "error", "an element of the diagram has"),
    "a shape without bounds": (SHAPE.format(""), "incomplete", "The shape has no place"),
    "a shape somewhere": (
        SHAPE.format(BOUNDS.replace('"9"', '"wide"')),
        "incomplete",
        "The shape has no place",
    ),
    "a line of one point": (EDGE.format(POINT), "incomplete", "fewer than two points"),
    "nonsense": ("<bpmndi:Nonsense/>", "incomplete", "knows no Nonsense"),
}


@pytest.mark.parametrize("case", DRAWINGS)
def test_a_drawing_that_an_editor_cannot_open_is_drawn_anew(case: str) -> None:
    drawing, level, reason = DRAWINGS[case]
    picture = f"<bpmndi:BPMNDiagram {NAMED}>{drawing}</bpmndi:BPMNDiagram>"
    xml = process(BASIC, FLOWS, after=picture)
    found = check_bare(xml)
    assert [each.level for each in found] == ([level] if level else [])
    assert all(reason in each.reason and "flow procedure layout --redraw" in each.remedy for each in found)
    assert check_diagram(xml) == []
    assert check_bare(draw(xml, redraw=True)) == []
    in_procedure = checked(files(drawing=picture.replace('"t"', '"write"')))
    assert any(reason in each.reason for each in in_procedure) or level is None


def test_a_remedy_is_filled_in_as_the_reason_is() -> None:
    changed = files(body=LANES.replace('calledElement="archive"', 'calledElement="arhive"'))
    (found,) = (each for each in checked(changed) if "is not published" in each.reason)
    assert found.remedy == "Did you mean archive?"
    everything = [each for case in CASES.values() for each in checked(case[0])]
    assert not [each.remedy for each in everything if re.search(r"\{[a-z]+\}", each.remedy)]
