"""A procedure changed in one place, and made to fit together again, so that it can be published."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine import strict_yaml
from engine.bpmn.reader import read
from engine.bpmn.rules.decisions import by_table
from engine.bpmn.xml import BPMN, CAMUNDA
from engine.check import BUILT_IN, names
from engine.procedures import PROCEDURE, Change, Procedure, from_files
from engine.procedures.reading import CLAUSES, SCENARIOS
from tests.mutation.surgery import TIMED, Drawing, bypassed, drop, local, opened

ATTRIBUTES = ("formKey", "assignee", "candidateGroups", "priority", "decisionRef", "resultVariable")
"""Those of `camunda:`."""
ENTRIES = re.compile(r"(flow\.(?:in|out|roles|records))\.(\w+)")


class NothingChangedError(Exception):
    """A mutant names what is not there, or leaves the procedure as it was."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A procedure that breaks a clause."""

    name: str
    build: Callable[[], Procedure]
    """Raises NothingChangedError, NotBypassedError or Misbuilt where there is no such procedure."""


def bypasses(procedure: Procedure, element: str) -> list[Mutant]:
    """The procedure with an element bypassed, each way there is. Raises NotBypassedError."""
    return [
        Mutant(name, lambda drawing=drawing: _whole(procedure, {}, drawing))  # type: ignore[misc]
        for name, drawing in bypassed(procedure.diagram, element)
    ]


def declared(procedure: Procedure, changes: tuple[Change, ...]) -> list[Mutant]:
    """The mutant that a clause declares; several where it bypasses a choice and nothing else."""
    first = changes[0]
    if len(changes) == 1 and first.kind == "element" and first.without is None and first.put is None:
        return bypasses(procedure, first.id)
    return [Mutant("; ".join(map(said, changes)), lambda: _changed(procedure, changes))]


def said(change: Change) -> str:
    """A change in a few words."""
    if change.put is not None:
        return f"{change.id}: " + ", ".join(f"{key} = {value}" for key, value in change.put.items())
    return f"{change.id} without {change.without}" if change.without else f"without {change.id}"


def _changed(procedure: Procedure, changes: Iterable[Change]) -> Procedure:
    drawing, files = opened(procedure.diagram), dict(procedure.files)
    drawn = False
    for change in changes:
        if change.kind == "element":
            drawn = True
            if change.without is None and change.put is None:
                [(_, drawing)] = bypassed(drawing.written(), change.id)
                continue
            put = {str(change.without): None} if change.put is None else change.put
            for key, value in put.items():
                set_in_drawing(drawing, drawing.find(change.id), key, value)
        elif change.kind == "decision":
            _decide(files, change)
        else:
            _rewrite(files, procedure, change)
    return _whole(procedure, files, drawing if drawn else None)


def _whole(procedure: Procedure, files: Mapping[str, bytes], drawing: Drawing | None) -> Procedure:
    """The procedure with changed files, fitting together again. Raises Misbuilt."""
    files = {**procedure.files, **files}
    if drawing is not None:
        drawing.sound()
        files[procedure.diagram_name] = drawing.written()
    if files == dict(procedure.files):
        raise NothingChangedError("nothing changed")
    for name in (CLAUSES, SCENARIOS):
        files.pop(name, None)
    files = _fitting(procedure, files)
    return from_files(files)


def _fitting(procedure: Procedure, files: dict[str, bytes]) -> dict[str, bytes]:
    """Without forms, records, schedules and tables that nothing uses any more; what is unset counts as given."""
    diagram = read(files[procedure.diagram_name])
    nodes = [node for each in diagram.processes.values() for node in each.nodes.values()]
    used = {value for node in nodes for value in node.properties.values()}
    used |= {node.attributes.get("formKey", "") for node in nodes}
    asked = {
        node.properties["flow.questionnaire"] for node in nodes if "flow.questionnaire" in node.properties
    }
    if not asked <= procedure.forms.keys():  # a variable says which questionnaire: it may be any
        used |= {name for name, form in procedure.forms.items() if form.kind != "task"}
    files = {
        name: text for name, text in files.items()
        if not name.startswith("forms/") or name[len("forms/") : -len(".yaml")] in used
    }  # fmt: skip
    main = _value(files, PROCEDURE)
    made = {node.properties.get("flow.record", "").strip() for node in nodes}
    for node in nodes:
        made |= {
            part.partition("=")[2].strip() for part in node.properties.get("flow.records", "").split(",")
        }
    timed = {node.id for node in nodes if node.tag == "startEvent" and node.events}
    for key, kept in (("records", made), ("schedules", timed)):
        if main.get(key):
            main[key] = {name: value for name, value in main[key].items() if name in kept}
            main = main if main[key] else {name: value for name, value in main.items() if name != key}
    files[PROCEDURE] = _text(main)
    decided = {node.attributes["decisionRef"] for node in nodes if by_table(node)}
    needed = decided.union(
        *(procedure.decisions[name].after for name in decided if name in procedure.decisions)
    )
    kept_tables = {procedure.decisions[name].file for name in needed if name in procedure.decisions}
    files = {name: text for name, text in files.items() if not name.endswith(".dmn") or name in kept_tables}
    return _given(procedure, files)


def _given(procedure: Procedure, files: dict[str, bytes]) -> dict[str, bytes]:
    """What the part that is gone has set counts as given at the start, so that only a run misses it."""
    after = from_files(files)
    old, new = (names(each, read(each.diagram), BUILT_IN).known for each in (procedure, after))
    set_before = _set_by(procedure)
    lost = sorted(name for name in set_before - _set_by(after) if name in old | new)
    if not lost:
        return files
    drawing = opened(after.diagram)
    process = drawing.find(procedure.process)
    start = next(each for each in process if local(each) == "startEvent")
    sets = next(
        (each for each in start.iter(f"{{{CAMUNDA}}}property") if each.get("name") == "flow.sets"), None
    )
    value = ", ".join([*([str(sets.get("value"))] if sets is not None else []), *lost])
    set_in_drawing(drawing, start, "flow.sets", value)
    return {**files, procedure.diagram_name: drawing.written()}


def _set_by(procedure: Procedure) -> set[str]:
    """What nodes of the diagram set: by their forms, properties, loops and scripts."""
    found: set[str] = set()
    for process in read(procedure.diagram).processes.values():
        for node in process.nodes.values():
            for name in ("flow.sets", "flow.out", "flow.output"):
                found |= {part.strip() for part in node.properties.get(name, "").split(",")}
            form = procedure.forms.get(node.attributes.get("formKey", ""))
            found |= {each.id for each in form.questions} if form is not None else set()
            if node.loop is not None:
                found |= {node.loop.output or "", node.loop.output_item or ""}
            found |= set(re.findall(r"^\s*(\w+)\s*[+]?=(?!=)", node.script or "", re.MULTILINE))
            decision = procedure.decisions.get(node.attributes.get("decisionRef", ""))
            for each in decision.outputs if decision is not None else ():
                found.add(node.attributes.get("resultVariable", each.name))
    return found - {""}


def set_in_drawing(drawing: Drawing, element: etree._Element, key: str, value: object) -> None:
    """Give an element of the diagram a property, an attribute, a lane, a condition or a time; None takes it away."""
    text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    entry = ENTRIES.fullmatch(key)
    if entry is not None:
        _set_entry(element, entry[1], entry[2], text)
    elif key.startswith("flow."):
        _set_property(element, key, text)
    elif key == "lane":
        _move(drawing, element, text)
    elif key in ("condition", "completionCondition", "loopCardinality"):
        tag = {"condition": "conditionExpression"}.get(key, key)
        _set_text(element, [tag], text, key)
    elif key == "timer":
        _set_text(element, ["timeDate", "timeDuration", "timeCycle"], text, key)
    else:
        holder = element
        if key == "isSequential":
            holder = next(element.iter(f"{{{BPMN}}}multiInstanceLoopCharacteristics"), element)
        name = f"{{{CAMUNDA}}}{key}" if key in ATTRIBUTES else key
        if holder.get(name) is None and text is None:
            raise NothingChangedError(f"{element.get('id')} has no {key}")
        holder.attrib.pop(name, None)
        if text is not None:
            holder.set(name, text)


def _set_text(element: etree._Element, tags: list[str], text: str | None, key: str) -> None:
    found = [each for tag in tags for each in element.iter(f"{{{BPMN}}}{tag}")]
    if not found:
        raise NothingChangedError(f"{element.get('id')} has no {key}")
    if text is None:
        drop(found[0])
    else:
        found[0].text = text


def _set_property(element: etree._Element, name: str, value: str | None) -> None:
    holder = element.find(f"{{{BPMN}}}extensionElements")
    if holder is None:
        holder = etree.Element(f"{{{BPMN}}}extensionElements")
        element.insert(1 if len(element) and local(element[0]) == "documentation" else 0, holder)
    box = holder.find(f"{{{CAMUNDA}}}properties")
    if box is None:
        box = etree.SubElement(holder, f"{{{CAMUNDA}}}properties")
    found = next((each for each in box if each.get("name") == name), None)
    if found is None and value is None:
        raise NothingChangedError(f"{element.get('id')} has no {name}")
    if value is None:  # nothing reminds of a date that there is not
        for each in list(box):
            if each is found or (name == "flow.due" and each.get("name") in TIMED):
                box.remove(each)
    elif found is None:
        etree.SubElement(box, f"{{{CAMUNDA}}}property", name=name, value=value)
    else:
        found.set("value", value)


def _set_entry(element: etree._Element, name: str, entry: str, value: str | None) -> None:
    """One entry of a property that is a list of `name = expression`; commas in quotes and brackets part nothing."""
    properties = element.iter(f"{{{CAMUNDA}}}property")
    whole = next((str(each.get("value")) for each in properties if each.get("name") == name), "")
    parts = {part.partition("=")[0].strip(): part.strip() for part in parted(whole)}
    if value is None and entry not in parts:
        raise NothingChangedError(f"{element.get('id')} has no {name}.{entry}")
    parts.pop(entry, None) if value is None else parts.update({entry: f"{entry} = {value}"})
    _set_property(element, name, ", ".join(parts.values()))


def parted(text: str) -> Iterator[str]:
    """The parts of a list with commas."""
    depth, quote, begin = 0, "", 0
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and not depth:
            yield text[begin:place]
            begin = place + 1
    if text[begin:].strip():
        yield text[begin:]


def _move(drawing: Drawing, element: etree._Element, lane: str | None) -> None:
    target = drawing.find(str(lane))
    for each in list(drawing.root.iter(f"{{{BPMN}}}flowNodeRef")):
        if (each.text or "").strip() == element.get("id"):
            drop(each)
    etree.SubElement(target, f"{{{BPMN}}}flowNodeRef").text = str(element.get("id"))


def _decide(files: dict[str, bytes], change: Change) -> None:
    """A decision table without one of its rules (by number, from 1), or with other results in one."""
    for name in [each for each in files if each.endswith(".dmn")]:
        root = etree.fromstring(files[name], etree.XMLParser(resolve_entities=False, no_network=True))
        for decision in root.iter("{*}decision"):
            if decision.get("id") != change.id:
                continue
            rules = list(decision.iter("{*}rule"))
            for key, value in ({str(change.without): None} if change.put is None else change.put).items():
                if not key.isdigit() or not 0 < int(key) <= len(rules):
                    raise NothingChangedError(f"{change.id} has no rule {key}")
                rule = rules[int(key) - 1]
                if value is None:
                    drop(rule)
                else:
                    next(rule.iter("{*}outputEntry"))[0].text = str(value)
            files[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
            return
    raise NothingChangedError(f"there is no decision {change.id}")


def _rewrite(files: dict[str, bytes], procedure: Procedure, change: Change) -> None:
    """A key of a YAML file otherwise, or a field of a form left out."""
    name = f"forms/{change.id.partition('.')[0]}.yaml" if change.kind in ("form", "field") else PROCEDURE
    if name not in files:
        raise NothingChangedError(f"there is no {name}")
    whole = _value(files, name)
    holder, key = part_of(whole, change.kind, change.id)
    if change.without is None and change.put is None:
        del holder[key]
    else:
        put = {str(change.without): None} if change.put is None else change.put
        for path, value in put.items():
            _put(holder[key], path.split("."), value, change.id)
    files[name] = _text(whole)


def part_of(whole: Any, kind: str, identity: str) -> tuple[Any, Any]:
    """Where a part stands in its YAML file: what holds it, and under which key. Raises NothingChangedError."""
    if kind == "form":
        return {"": whole}, ""
    if kind == "field":
        fields, path = whole.get("fields", []), identity.split(".")[1:]
        for each in path[:-1]:
            fields = fields[_place(fields, each, identity)].get("fields", [])
        return fields, _place(fields, path[-1], identity)
    holder = whole.get(f"{kind}s", {})
    if identity not in holder:
        raise NothingChangedError(f"there is no {kind} {identity}")
    return holder, identity


def _place(fields: Any, field: str, identity: str) -> int:
    for place, each in enumerate(fields):
        if each.get("id") == field:
            return place
    raise NothingChangedError(f"there is no field {identity}")


def _put(holder: Any, path: list[str], value: object, identity: str) -> None:
    for each in path[:-1]:
        holder = holder.setdefault(each, {})
    if value is None and path[-1] not in holder:
        raise NothingChangedError(f"{identity} has no {'.'.join(path)}")
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value


def _value(files: Mapping[str, bytes], name: str) -> Any:
    return strict_yaml.load(files[name], name).value


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
