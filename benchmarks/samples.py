"""The procedures that are measured, and the workspace they run in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from engine import strict_yaml
from engine.app import App
from engine.bootstrap import Subject, open_app
from engine.clock import VirtualClock
from engine.commands.calendars import ImportCalendar
from engine.commands.definitions import Publish
from engine.commands.organisation import ImportOrganisation
from engine.config import Workspace
from engine.handlers import Call, Handlers
from engine.layout import draw
from engine.model import Actor
from engine.procedures import from_files

BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
CLERK = Actor("clerk")
UNIT = "office"
CUSTOMER = {"customer": {f"attribute_{n}": f"value of customer attribute {n}" for n in range(12)}}
ANSWERS = {f"field_{n}": f"what was entered in field {n}" for n in range(8)}
"""What a clerk fills in: eight fields of text."""

_ORGANISATION = """\
organisation: flow/1
units: [{id: office, name: 管理处}, {id: head, name: 总部}]
roles: [{id: clerk, name: 客服人员}]
people:
  - {id: clerk, name: 王芳, roles: [{role: clerk, unit: office}]}
"""
_OTHERS = "".join(
    f"  - {{id: clerk-{n}, name: 员工{n}, roles: [{{role: clerk, unit: office}}]}}\n" for n in range(50)
)
_FORM = "form: flow/1\nid: entry\nversion: 'A'\ntitle: {zh: 登记, en: Entry}\nfields:\n" + "".join(
    f"  - {{id: {name}, type: text, label: {{zh: 栏目{n}, en: Field {n}}}, required: true}}\n"
    for n, name in enumerate(ANSWERS)
)
_FILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="file" targetNamespace="urn:benchmark">
<bpmn:process id="{name}" isExecutable="true"><bpmn:laneSet id="lanes">
<bpmn:lane id="clerk" name="客服人员">{members}</bpmn:lane></bpmn:laneSet>
{nodes}{flows}</bpmn:process></bpmn:definitions>
"""

handlers = Handlers("benchmark")


@handlers.collection
def items(call: Call) -> Iterator[object]:
    """As many items as the variable `number` says."""
    for number in range(call.variables["number"]):
        yield {"customer": number}


def _procedure(
    name: str, nodes: Sequence[tuple[str, str]], flows: Sequence[tuple[str, str, str]]
) -> dict[str, bytes]:
    """A bundle: nodes are (id, XML), flows (source, target, condition or nothing)."""
    members = "".join(f"<bpmn:flowNodeRef>{each}</bpmn:flowNodeRef>" for each, _ in nodes)
    lines = []
    for number, (source, target, condition) in enumerate(flows):
        inside = (
            f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>'
            if condition
            else ""
        )
        lines.append(
            f'<bpmn:sequenceFlow id="flow{number}" sourceRef="{source}" targetRef="{target}">'
            f"{inside}</bpmn:sequenceFlow>"
        )
    diagram = _FILE.format(
        name=name.replace("-", "_"),
        members=members,
        nodes="\n".join(xml for _, xml in nodes),
        flows="\n".join(lines),
    )
    settings = f"procedure: flow/1\nid: {name}\ntitle: {{zh: 测试, en: Benchmark}}\nprocess: {name.replace('-', '_')}\n"
    return {
        "procedure.yaml": settings.encode(),
        f"{name}.bpmn": draw(diagram.encode()),
        "forms/entry.yaml": _FORM.encode(),
    }


def _task(name: str, loop: str = "", due: str = "P3WD") -> tuple[str, str]:
    """A user task with the form, due so long after it opens."""
    return name, (
        f'<bpmn:userTask id="{name}" name="登记" camunda:formKey="entry"><bpmn:extensionElements><camunda:properties>'
        f'<camunda:property name="flow.due" value="{due}"/></camunda:properties></bpmn:extensionElements>'
        f"{loop}</bpmn:userTask>"
    )


_START = (
    "start",
    '<bpmn:startEvent id="start"><bpmn:extensionElements><camunda:properties>'
    '<camunda:property name="flow.sets" value="customer, number"/></camunda:properties></bpmn:extensionElements>'
    "</bpmn:startEvent>",
)
_END = ("end", '<bpmn:endEvent id="end"/>')


def in_a_row(tasks: int, name: str = "row", due: str = "P3WD") -> dict[str, bytes]:
    """So many user tasks, one after the other: three of them are workload W."""
    names = [f"task{n}" for n in range(tasks)]
    places = ["start", *names, "end"]
    return _procedure(
        name,
        [_START, *(_task(each, due=due) for each in names), _END],
        [(source, target, "") for source, target in pairwise(places)],
    )


def loop() -> dict[str, bytes]:
    """A user task that is done again until `again` is false."""
    return _procedure(
        "loop",
        [
            _START,
            ("join", '<bpmn:exclusiveGateway id="join"/>'),
            _task("task"),
            ("split", '<bpmn:exclusiveGateway id="split" default="flow4"/>'),
            _END,
        ],
        [
            ("start", "join", ""),
            ("join", "task", ""),
            ("task", "split", ""),
            ("split", "join", "again"),
            ("split", "end", ""),
        ],
    )


def batch() -> dict[str, bytes]:
    """A user task for each of `number` items, each with a reminder."""
    marker = "<bpmn:multiInstanceLoopCharacteristics/>"
    name, xml = _task("call", marker)
    more = (
        '<camunda:property name="flow.collection" value="benchmark.items"/>'
        '<camunda:property name="flow.remind" value="P1D before due"/></camunda:properties>'
    )
    return _procedure(
        "batch",
        [_START, (name, xml.replace("</camunda:properties>", more)), _END],
        [("start", "call", ""), ("call", "end", "")],
    )


@contextmanager
def house(*procedures: dict[str, bytes], database: str | None = None, durable: bool = True) -> Iterator[App]:
    """A workspace in a temporary folder with 51 people and the shipped calendars, the procedures published.

    `database` is a PostgreSQL address; by default an SQLite file in that folder.
    """
    with TemporaryDirectory(prefix="satisflow-benchmark-") as name:
        folder = Path(name)
        workspace = Workspace(
            folder, "benchmark", ZoneInfo("Asia/Shanghai"), "zh",
            database or f"sqlite:///{folder / 'flow.db'}", durable, False,
        )  # fmt: skip
        app = open_app(workspace, (Subject(handlers),), clock=VirtualClock(BEGIN), upgrade=True)
        with app.store:
            organisation = (_ORGANISATION + _OTHERS).encode()
            app.do(ImportOrganisation(by=CLERK, document=strict_yaml.load(organisation, "org.yaml")))
            calendars = Path(__file__).parent.parent / "processes" / "calendars"
            for year in sorted(calendars.glob("*.yaml")):
                app.do(ImportCalendar(by=CLERK, document=strict_yaml.load(year.read_bytes(), year.name)))
            for files in procedures:
                app.do(Publish(by=CLERK, procedure=from_files(files)))
            yield app
