"""The course of a procedure: conditions, timers, loops and calls."""

from __future__ import annotations

import re

from lxml import etree

from engine.bpmn.xml import local, tag
from engine.calendar.durations import parse_timer
from engine.errors import Invalid
from engine.importing.counterparts import NO_EFFECT
from engine.importing.language import usable
from engine.importing.report import Refusal
from engine.importing.source import Attribute
from engine.importing.work import Work

CONDITIONS = ("conditionExpression", "condition", "loopCondition", "loopCardinality", "completionCondition")
TIMERS = ("timeDate", "timeDuration", "timeCycle")
_CRON = re.compile(r"[0-9*?/,LW#A-Za-z-]+(\s+[0-9*?/,LW#A-Za-z-]+){4,6}")
_LANGUAGES = ("juel", "uel", "python", "feel", "")


def condition(work: Work, element: etree._Element) -> None:
    """An expression that is an element's text."""
    language = (element.get("language") or "").rstrip("/").rpartition("/")[2].lower()
    if work.vendor(element, "resource"):
        template = "The condition stands in another file"
        raise Refusal(template, "Write it into the diagram, in the language of docs/formats.md")
    if language not in _LANGUAGES and "xpath" not in language:
        template = "The condition is written in {language}"
        remedy = "Write it by hand, in the language of docs/formats.md"
        raise Refusal(template, remedy, language=element.get("language"))
    if (element.text or "").strip() and work.translate_text(element):
        work.ours(element, "language")


def timer(work: Work, element: etree._Element) -> None:
    """A time, literal or computed; that of a start stands in procedure.yaml."""
    text = (element.text or "").strip()
    definition = element.getparent()
    start = None if definition is None else definition.getparent()
    if start is not None and local(start) == "startEvent" and start.getparent() is work.main:
        template = "When a procedure starts by itself is said in procedure.yaml"
        remedy = "Write a rule under schedules: {start}, and leave the timer in the diagram empty"
        raise Refusal(template, remedy, start=start.get("id", ""))
    if not text or "{" in text or text.startswith("="):
        if text:
            work.translate_text(element)
        return
    try:
        parse_timer(text)
    except Invalid as error:
        if _CRON.fullmatch(text):
            template, remedy = "A cron pattern is no timer here", "Write a repeat such as R/P1D or R/P1W"
            raise Refusal(template, remedy) from None
        if usable(text):
            work.translate_text(element)
            return
        problem = error.problems[0]
        raise Refusal(problem.template, "Write it by hand", **problem.params) from None
    work.row("kept", element, local(element), text)


def collection(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """The list of a multi-instance activity is a variable."""
    after = work.expression(element, text) if "{" in text else work.names.get(text, text)
    if not usable(after):
        template = "The list is computed"
        remedy = "Set it as a variable in a script before, and name that; or write flow.collection"
        raise Refusal(template, remedy)
    work.write_value(element, at, text, after)


def variable(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """An attribute that holds a variable's name."""
    if not usable(text):
        raise Refusal("A variable cannot be called {name} here", "Choose another name", name=text[:60])
    work.write_value(element, at, text, work.names.get(text, text))


def index(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """The number of an instance is always called loopCounter."""
    if text != "loopCounter":
        raise Refusal("The number of an instance is called loopCounter here", "Use this name in its place")
    drop_attribute(work, element, at, text)


def drop_attribute(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """Take an attribute out that would have no effect, and that `check` would object to."""
    work.source.remove_attribute(at)
    work.row("dropped", element, at.name, text, "", NO_EFFECT)


def binding(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """Which version is called: always the one published with the caller."""
    if text not in ("latest", "deployment", "key"):
        remedy = "Delete the attribute: the version published with the caller is called"
        raise Refusal("Here a caller is bound to the version that was newest when it was published", remedy)
    drop_attribute(work, element, at, text)


def called(work: Work, element: etree._Element) -> None:
    """A call activity: what goes in and what comes back."""
    target = element.get("calledElement") or ""
    local_names = _inputs(work, element)
    entering = [each for each in work.extensions(element, "in") if not each.get("businessKey")]
    leaving = list(work.extensions(element, "out"))
    _mapped(work, element, "flow.in", entering, local_names)
    _mapped(work, element, "flow.out", leaving, {})
    for each in work.extensions(element, "in"):
        if each.get("businessKey"):
            work.remove(each)
            work.row("dropped", each, work.written(each), each.get("businessKey", ""), "",
                     "An instance has its number here, and no business key")  # fmt: skip
    if not entering or not leaving:
        reason = "Without flow.in a called process gets all variables, without flow.out it gives all back"
        work.row("kept", element, "callActivity", target, "", reason)
    if "{" in target:
        template, remedy = "What is called is computed", "Branch to one call activity for each process"
        raise Refusal(template, remedy)


def _inputs(work: Work, element: etree._Element) -> dict[str, str]:
    """The input parameters of a call activity: local names to the expressions behind them."""
    found: dict[str, str] = {}
    for holder in work.extensions(element, "inputOutput"):
        for each in holder:
            if not isinstance(each.tag, str):
                continue
            text, name = (each.text or "").strip(), each.get("name", "")
            try:
                if etree.QName(each).localname != "inputParameter" or len(each) or "{" not in text:
                    raise Refusal(
                        "Only inputs that are one expression have a counterpart",
                        "Set the variable in a script before or after, and delete the mapping",
                    )
                found[name] = work.expression(each, text)
            except Refusal as refusal:
                work.refused(each, work.written(each), name, refusal)
                continue
            work.remove(each)
    return found


def _mapped(
    work: Work, element: etree._Element, name: str, mappings: list[etree._Element], inner: dict[str, str]
) -> None:
    """`in` or `out` elements as one property; all of them, or none when one has no counterpart."""
    parts: list[str] = []
    try:
        for each in mappings:
            parts.append(_mapping(work, each, inner, outward=name == "flow.out"))
    except Refusal as refusal:
        for each in mappings:
            work.refused(each, work.written(each), _said(each), refusal)
        return
    for each in mappings:
        work.remove(each)
    if "all" in parts and len(parts) == 1:
        work.row("translated", element, work.written(mappings[0]), 'variables="all"', f"({name})")
    elif parts:
        value = ", ".join(parts)
        work.into_property(element, name, value)
        work.row("translated", element, work.written(mappings[0]), f"{len(parts)} ×", f"{name}: {value}")


def _said(mapping: etree._Element) -> str:
    """What an `in` or `out` element says, for the report."""
    if mapping.get("variables"):
        return f'variables="{mapping.get("variables")}"'
    return f"{mapping.get('source') or mapping.get('sourceExpression') or '…'} → {mapping.get('target', '')}"


def _mapping(work: Work, each: etree._Element, inner: dict[str, str], *, outward: bool) -> str:
    if each.get("variables") == "all":
        if len(list(each.getparent().findall(each.tag))) > 1:
            raise Refusal("All variables and some of them are mapped at once", "Keep one of the two")
        return "all"
    source, target = each.get("source", ""), each.get("target", "")
    target = work.names.get(target, target)
    value = inner.get(source) or work.names.get(source, source)
    if not source:
        value = work.expression(each, each.get("sourceExpression") or "")
    if not usable(target) or (not inner.get(source) and source and not usable(value)):
        raise Refusal("A variable cannot be called {name} here", "Choose another name", name=target or source)
    if "," in value:
        raise Refusal(
            "An input with a comma in it cannot be listed", "Set it as a variable in a script before"
        )
    if outward and value != target:
        remedy = "Let the called process set the name that its caller reads"
        raise Refusal("What comes back keeps its name here", remedy)
    return target if value == target else f"{target} = {value}"


def thrown(element: etree._Element) -> None:
    """A message or signal has one name."""
    if "${" in (element.get("name") or ""):
        raise Refusal("A computed name is never thrown or caught here", "Write a fixed name")


def executable(work: Work) -> None:
    """Mark the main process and those it calls to be run, and the other participants' as not."""
    processes = {each.get("id", ""): each for each in work.source.root.findall(tag("process"))}
    wanted = {work.main.get("id", "")}
    waiting = list(wanted)
    while waiting:
        for each in processes[waiting.pop()].iter(tag("callActivity")):
            target = each.get("calledElement") or ""
            if target in processes and target not in wanted:
                wanted.add(target)
                waiting.append(target)
    for name, process in processes.items():
        now = process.get("isExecutable")
        if name in wanted:
            if now in ("false", "0"):
                work.source.set_value(work.source.attribute(process, "isExecutable"), "true")
                work.row("translated", process, "isExecutable", now, "true")
        elif now not in ("false", "0"):
            reason = "Another participant's process, which does not run in this procedure"
            if now is None:
                work.source.add_attribute(process, "isExecutable", "false")
            else:
                work.source.set_value(work.source.attribute(process, "isExecutable"), "false")
            remedy = "For a procedure of its own, import the file again with --process {process}"
            work.row("translated", process, "isExecutable", now or "", "false", reason, remedy, process=name)
