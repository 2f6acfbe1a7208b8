"""What programs do: scripts, and the code that service tasks and listeners of other engines name."""

from __future__ import annotations

import re

from lxml import etree

from engine.bpmn.xml import local, tag
from engine.errors import Misbuilt
from engine.expressions import compile_script
from engine.importing.language import translated, usable
from engine.importing.report import Refusal
from engine.importing.source import Attribute
from engine.importing.work import Work

HANDLED = ("serviceTask", "businessRuleTask")
_FUNCTIONS = frozenset({"throw_error"})
_SETTING = re.compile(r"execution\.setVariable\(\s*(\"[^\"\\]*\"|'[^'\\]*')\s*,(.+)\)\s*;?", re.DOTALL)


def script(work: Work, element: etree._Element) -> None:
    """A script task: taken over where each statement is one of ours or sets a variable."""
    body, result = element.find(tag("script")), work.vendor(element, "resultVariable")
    before = "" if body is None else (body.text or "").strip()
    if work.vendor(element, "resource") or body is None:
        raise Refusal(
            "The script stands in another file", "Write it into the diagram as lines of name = value"
        )
    if work.source.has_remarks(body):
        template = "A comment stands inside the text, which would be lost"
        raise Refusal(template, "Move the comment in front of the element, and import again")
    if result is not None:
        name = work.names.get(result[1], result[1])
        text = before if before.startswith(("${", "#{", "=")) else f"${{{before.rstrip(';')}}}"
        after = f"{name} = {translated(text, work.names)}"
        if not usable(name):
            raise Refusal("A variable cannot be called {name} here", "Choose another name", name=name)
        work.source.remove_attribute(result[0])
    else:
        after = _statements(work, before)
    if after != before:
        _compiled(after)
    work.write_text(body, before, after)
    work.ours(element, "scriptFormat")


def _statements(work: Work, text: str) -> str:
    if "execution.setVariable" in text:
        lines = []
        for line in re.split(r";\s*\n|;|\n", text):
            match = _SETTING.fullmatch(line.strip())
            if match is not None:
                name = match[1][1:-1]
                value = translated(f"${{{match[2].strip()}}}", work.names)
                lines.append(f"{work.names.get(name, name)} = {value}")
            elif line.strip():
                raise Refusal(
                    "The script does more than set variables",
                    "Write it by hand as lines of name = value, or as a function",
                )
        return "\n".join(lines)
    names = _compiled(text)
    renamed = sorted(names & work.names.keys())
    if renamed:
        template, name = "The variable {name} is called {after} here", renamed[0]
        raise Refusal(template, "Write {after}", name=name, after=work.names[name])
    return text


def _compiled(text: str) -> frozenset[str]:
    """The names that a script of ours reads and sets. Raises Refusal."""
    try:
        found = compile_script(text, _FUNCTIONS)
    except Misbuilt as error:
        finding = error.findings[0]
        raise Refusal(finding.template, finding.remedy_template, **finding.params) from None
    return found.names | found.assigns


def decided(work: Work, element: etree._Element, at: Attribute, text: str) -> None:
    """A decision table, the same here; its file has to be put beside the diagram."""
    if at.name.endswith("decisionRef") and "{" in text:
        template = "Which table decides is computed"
        raise Refusal(template, "Branch to one business rule task for each table")
    after = work.names.get(text, text) if at.name.endswith("resultVariable") else text
    work.write_value(element, at, text, after)


def parameters(work: Work, owner: etree._Element, element: etree._Element) -> None:
    """Fixed inputs of a service become parameters of its function; other mappings have no counterpart."""
    for each in [element] if etree.QName(element).localname == "field" else list(element):
        if not isinstance(each.tag, str):
            continue
        name, value = each.get("name", ""), _fixed(each)
        if local(owner) in HANDLED and value is not None and re.fullmatch(r"[\w.-]+", name):
            work.into_property(owner, f"flow.{name}", value)
            work.remove(each)
            work.row("translated", each, work.written(each), f"{name} = {value}", f"flow.{name}: {value}")
        else:
            template = "A step has no variables of its own here"
            remedy = "Set the variable in a script before or after, and delete the mapping"
            work.refused(each, work.written(each), name, Refusal(template, remedy))


def _fixed(element: etree._Element) -> str | None:
    """The text that an input or field always has; None when it is computed or structured."""
    if etree.QName(element).localname not in ("inputParameter", "field"):
        return None
    inner = [each for each in element if isinstance(each.tag, str)]
    if [etree.QName(each).localname for each in inner] == ["string"]:
        value = inner[0].text or ""
    elif inner:
        return None
    else:
        value = element.get("stringValue") or element.text or ""
    value = value.strip()
    return None if not value or "${" in value or "#{" in value else value
