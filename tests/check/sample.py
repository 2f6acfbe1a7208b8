"""A procedure in order, as files that tests change."""

from __future__ import annotations

import re

from engine.calendar.durations import parse_duration
from engine.check import World, check
from engine.errors import Finding
from engine.handlers import Call, Handlers, asks_for, number, takes
from engine.procedures import from_files
from tests.bpmn.models import HEAD, flows, properties

BODY = (
    '<laneSet id="ls"><lane id="owner" name="物业"><flowNodeRef>write</flowNodeRef></lane>'
    '<lane id="boss" name="经理"><flowNodeRef>agree</flowNodeRef></lane></laneSet>'
    '<startEvent id="quarter"><timerEventDefinition/></startEvent><endEvent id="done"/>'
    '<userTask id="write" camunda:formKey="plan">'
    + properties(due="P2D before d0", record="plan", verify="work.complete")
    + "</userTask><userTask id='agree' camunda:formKey='verdict'>"
    + properties(
        due="P1WD counted limit", overdue="P0D after due: owner", remind="P1D before due", not_same_as="write"
    )
    + '</userTask><exclusiveGateway id="choice"/><serviceTask id="sum">'
    + properties(handler="work.compute", sets="closed")
    + '</serviceTask><callActivity id="call" calledElement="archive">'
    + properties(**{"in": "limit", "out": "place"})
    + '</callActivity><userTask id="each">'
    + properties(collection="work.items", due="P5WD after closed")
    + "<multiInstanceLoopCharacteristics/></userTask>"
    + flows(
        "quarter > write; write > agree; agree > choice; choice > write if verdict == 'no';"
        "choice > sum if verdict == 'yes' and score >= target; sum > call; call > each; each > done"
    )
)
LANES = BODY.replace(
    "<flowNodeRef>agree</flowNodeRef>", "<flowNodeRef>agree</flowNodeRef><flowNodeRef>each</flowNodeRef>"
)
PROCEDURE = """\
procedure: flow/1
id: demo
code: 003G
title: {zh: 演示, en: Demo}
source: {document: 管理规程, section: "1-4"}
process: p
schedules:
  quarter: {every: quarter, start: {latest_fit: {working_days: 15}, preparation: P14D}}
parameters:
  counting: {value: from, options: [from, after], title: {zh: 计数}}
  target: {value: 60, title: {zh: 目标}}
records:
  plan: {title: {zh: 调查方案}, retention: P3Y}
"""
PLAN = """\
form: flow/1
id: plan
version: "1"
title: 方案
fields:
  - {id: limit, type: date, label: 期限}
  - {id: score, type: integer, label: 分}
"""
VERDICT = """\
form: flow/1
id: verdict
version: "1"
title: 审批
fields:
  - {id: verdict, type: text, label: 结论}
"""
CLAUSES = """\
- {id: 003G-1, level: must, statement: {zh: 先编制再审批}, elements: [write, agree], scenarios: [happy]}
- {id: 003G-2, level: should, statement: {zh: 每季一次}, rules: [quarter]}
"""
SCENARIOS = """\
rehearsal: flow/1
stage:
  unit: {id: tower, name: 一号楼}
  people: {ann: [owner], bob: [boss]}
scenarios:
  happy:
    title: {zh: 顺利}
    start: {at: "2026-08-20 09:00", event: quarter}
    dues: {whole: "2026-09-30", write: "2026-08-27"}
    steps:
      - {do: write, by: ann}
    end: {status: completed}
"""


_PLACE = '<dc:Bounds xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" x="0" y="0" width="9" height="9"/>'
_LINE = '<di:waypoint xmlns:di="http://www.omg.org/spec/DD/20100524/DI" x="0" y="0"/>' * 2


def drawn(body: str) -> str:
    """A drawing that shows every node and flow."""
    found = re.findall(r'<(\w+) id=["\'](\w+)["\']', body)
    shown = "".join(
        f'<bpmndi:BPMNEdge bpmnElement="{name}">{_LINE}</bpmndi:BPMNEdge>'
        if tag == "sequenceFlow"
        else f'<bpmndi:BPMNShape bpmnElement="{name}">{_PLACE}</bpmndi:BPMNShape>'
        for tag, name in found
        if tag not in ("lane", "laneSet")
    )
    return f"<bpmndi:BPMNDiagram>{shown}</bpmndi:BPMNDiagram>"


def files(body: str = LANES, drawing: str | None = None, **changes: str) -> dict[str, bytes]:
    """The bundle; `changes` replace whole files, named without suffix (forms: `form_plan`)."""
    picture = drawn(body) if drawing is None else drawing
    texts = {
        "demo.bpmn": f'{HEAD}<process id="p">{body}</process>{picture}</definitions>',
        "procedure.yaml": changes.pop("procedure", PROCEDURE),
        "clauses.yaml": changes.pop("clauses", CLAUSES),
        "scenarios.yaml": changes.pop("scenarios", SCENARIOS),
        "forms/plan.yaml": changes.pop("form_plan", PLAN),
        "forms/verdict.yaml": changes.pop("form_verdict", VERDICT),
    }
    return {name: text.encode() for name, text in {**texts, **changes}.items() if text}


def registry() -> Handlers:
    """The functions that the sample names."""
    work = Handlers("work")

    @work.inside
    def compute(call: Call) -> dict[str, object]:
        """Compute the figures."""
        return {}

    @work.inside
    @takes({"flow.working-days": number(1, 250, whole=True)}, {"flow.preparation": parse_duration},
           {"target": number(0, 100)})  # fmt: skip
    def timetable(call: Call) -> dict[str, object]:
        """Work out the days."""
        return {}

    @work.verify
    def complete(call: Call) -> None:
        """Everything is there."""

    @work.verify
    @asks_for({"surveyor": "参与调查人员"})
    def allotted(call: Call) -> None:
        """Every customer has a surveyor."""

    @work.collection
    def items(call: Call) -> list[object]:
        """The households."""
        return []

    return work


WORLD = World(roles={"owner", "boss"}, registry=registry(), processes={"archive": "0" * 64})


def checked(bundle: dict[str, bytes], world: World = WORLD) -> list[Finding]:
    """What the check finds in a bundle."""
    return check(from_files(bundle), world)
