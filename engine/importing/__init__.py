"""Other tools' diagrams made a procedure: plain BPMN, Camunda 7 and its relatives, what can be of Camunda 8.

Only what is translated changes in the file, place by place; the rest, its drawing included, keeps every byte.
What became of each construct is told in a report. docs/importing.md lists the constructs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from engine.bpmn.rules.foreign import ENGINES, astray
from engine.bpmn.xml import BPMN, BPMNDI, CAMUNDA, local, tag
from engine.check import check_diagram
from engine.errors import Invalid, Problem
from engine.importing import course, people
from engine.importing.elements import translate
from engine.importing.forms import slug
from engine.importing.report import OUTCOMES, Outcome, Row
from engine.importing.source import Source
from engine.importing.work import VENDORS, ZEEBE, Work, owning, refuse_twice

__all__ = ["OUTCOMES", "Import", "Outcome", "Row", "proposed_name", "take_in"]

_KNOWN = frozenset(
    {
        *(BPMN, BPMNDI, "http://www.omg.org/spec/DD/20100524/DC", "http://www.omg.org/spec/DD/20100524/DI"),
        *("http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace"),
        *("http://bpmn.io/schema/bpmn/biocolor/1.0", "http://www.omg.org/spec/BPMN/non-normative/color/1.0"),
        *VENDORS,
        *ENGINES,
    }
)
"""Namespaces of which more is said than that they are there."""


@dataclass(frozen=True, slots=True)
class Import:
    """What becomes of a file."""

    name: str
    process: str
    """The id of the process that a start begins with."""
    written_by: str
    """The engine that the file was drawn for, as far as it shows; else `BPMN`."""
    diagram: bytes
    procedure: str
    """procedure.yaml, to be completed."""
    forms: Mapping[str, str]
    """Forms in YAML, by id."""
    rows: tuple[Row, ...]


def proposed_name(stem: str, xml: bytes) -> str:
    """An id for the procedure: like the file's name, else like its process's id; empty when neither gives one."""
    for text in (stem.removesuffix(".bpmn20"), *re.findall(rb"process[^>]*?\sid=[\"']([\w.-]+)", xml)[:1]):
        found = slug(text if isinstance(text, str) else text.decode(), "").replace("_", "-").strip("-")
        if found:
            return found
    return ""


def take_in(xml: bytes, name: str, process: str | None = None) -> Import:
    """The file as the procedure `name`, begun by `process` if it has several.

    Raises Misbuilt for what is no BPMN file, Invalid when it is open which process begins.
    """
    source = Source(xml)
    refuse_twice(source)
    main = _main(source.root, process)
    work = Work(source, main)
    work.initiators = {
        each[1] for element in source.elements if (each := work.vendor(element, "initiator")) is not None
    }
    written_by = _namespaces(work)
    people.rename_variables(work)
    for element in source.elements:
        translate(work, element)
    course.executable(work)
    diagram = work.finish()
    _objections(work, diagram)
    _kept(work)
    rows = [replace(each, params={"procedure": name, **each.params}) for each in work.rows]
    rows.sort(key=lambda row: (OUTCOMES.index(row.outcome), row.line))
    text = _procedure(source.root, main, name, written_by)
    return Import(name, main.get("id", ""), written_by, diagram, text, work.forms, tuple(rows))


def _main(root: etree._Element, wanted: str | None) -> etree._Element:
    processes = {each.get("id", ""): each for each in root.findall(tag("process"))}
    called = {each.get("calledElement") for each in root.iter(tag("callActivity"))}
    running = [
        each for each, process in processes.items() if process.get("isExecutable") not in ("false", "0")
    ]
    if wanted is not None:
        if wanted not in processes:
            template = "The file has no process {name}, but {known}"
            raise Invalid([Problem("--process", template, {"name": wanted, "known": ", ".join(processes)})])
        return processes[wanted]
    filled = [each for each in running or processes if len(processes[each])]
    begun = [each for each in filled if each not in called] or filled or list(processes)
    if len(begun) != 1:
        template = "Several processes could begin; say which one of {known} does"
        if not processes:
            template = "The file has no process"
        raise Invalid([Problem("--process", template, {"known": ", ".join(begun)})])
    return processes[begun[0]]


def _namespaces(work: Work) -> str:
    """Let the vendors' prefixes stand for the namespace read here. Returns what drew the file."""
    found = ""
    used = {etree.QName(key).namespace for each in work.source.elements for key in (each.tag, *each.attrib)}
    declared: dict[str, Row] = {}
    for attribute, namespace in work.source.declarations():
        if namespace in VENDORS:
            found = found or (VENDORS[namespace] if namespace in used else "")
            if namespace != CAMUNDA:
                work.source.set_value(attribute, CAMUNDA)
                line = work.source.text.count("\n", 0, attribute.start) + 1
                declared.setdefault(
                    attribute.name, Row("translated", "", line, attribute.name, namespace, CAMUNDA)
                )
        elif namespace == ZEEBE and namespace in used:
            found = "Camunda 8"
    work.rows += declared.values()
    strange: Counter[str] = Counter()
    first: dict[str, int] = {}
    for element in work.source.elements:
        for key in (*([] if astray(element) else [element.tag]), *element.attrib):
            namespace = etree.QName(key).namespace
            if namespace and namespace not in _KNOWN:
                strange[namespace] += 1
                first.setdefault(namespace, element.sourceline or 0)
    for namespace, count in strange.items():
        reason = "A tool's own remarks, which stay in the file and are not read"
        work.rows.append(Row("dropped", "", first[namespace], namespace, f"{count} ×", "", reason))
    return found or "BPMN"


_SAID = re.compile(
    r"(?:The extension|The attribute|The script is in|The expression is in|Line {line}|The timer|candidateGroups"
    r"|The priority|The collection|The called process {called} is no)"
)
"""How objections begin to what a refusal of the same element has said already, nearer to the matter."""


def _objections(work: Work, diagram: bytes) -> None:
    """What `check` finds wrong with the diagram besides, element by element."""
    told = {row.element for row in work.rows if row.outcome == "refused" and row.element}
    by_id = {each.get("id"): each for each in work.source.elements if local(each)}
    for finding in check_diagram(diagram, tables={}, closed=False):
        element = by_id.get(finding.element)
        owner = None if element is None else owning(element)
        identity = finding.element if owner is None else str(owner.get("id", ""))
        if finding.level != "error" or (identity in told and _SAID.match(finding.template)):
            continue
        row = Row(
            outcome="refused",
            element=identity,
            line=finding.line or 0 if element is None else element.sourceline or 0,
            what="" if element is None else work.written(element),
            before="" if element is None else element.get("name") or "",
            reason=finding.template,
            remedy=finding.remedy_template,
            params=finding.params,
        )
        work.rows.append(row)


def _kept(work: Work) -> None:
    """Each element means here what it meant there, unless something of it is refused or it is told of itself.

    What was translated or dropped of it (an attribute, an extension) has a row of its own beside that.
    """
    told = {row.element for row in work.rows if row.outcome == "refused"}
    own = {(row.element, row.what) for row in work.rows}
    for element in work.source.elements:
        identity, name = element.get("id"), element.get("name") or ""
        if not local(element) or owning(element) is not element or identity in told:
            continue
        if (identity, work.written(element)) not in own:
            work.row("kept", element, work.written(element), name)
    for plane in work.source.root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        rows = sum(1 for _ in plane.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge"))
        work.row("kept", plane, work.written(plane), f"{rows} ×")


def _procedure(root: etree._Element, main: etree._Element, name: str, written_by: str) -> str:
    """procedure.yaml: what is known, and what has to be added."""
    title = main.get("name") or ""
    if not title.strip():
        target = main.get("id")
        pools = [each for each in root.iter(tag("participant")) if each.get("processRef") == target]
        title = pools[0].get("name") or "" if pools else ""
    lines = [
        f"# Imported from a diagram for {written_by}. `flow procedure check {name}` says what is missing.",
        "procedure: flow/1",
        f"id: {name}",
        f"title: {json.dumps(' '.join(title.split()) or name, ensure_ascii=False)}",
        f"process: {json.dumps(main.get('id', ''), ensure_ascii=False)}",
    ]
    starts = [
        (str(start.get("id", "")), " ".join("".join(timer.itertext()).split()))
        for start in main.findall(tag("startEvent"))
        for timer in start.findall(tag("timerEventDefinition"))
    ]
    if starts:
        lines += ["# When it starts by itself: docs/formats.md has the rules.", "# schedules:"]
        lines += [f"#   {start}: manual   # {text}".rstrip("# ") for start, text in starts]
    return "\n".join(lines) + "\n"
