"""A BPMN file as its elements, for the rules that look at more than nodes and flows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from engine.bpmn.diagram import ACTIVITIES, EVENTS, GATEWAYS
from engine.bpmn.xml import BPMN, local
from engine.errors import Finding

_SHOWN = (
    ACTIVITIES
    | EVENTS
    | GATEWAYS
    | {
        *("sequenceFlow", "messageFlow", "association", "textAnnotation", "group", "participant", "lane"),
        *(
            "dataObject",
            "dataObjectReference",
            "dataStoreReference",
            "correlationKey",
            "operation",
            "conversation",
        ),
        *("choreographyTask", "subChoreography", "callChoreography", "correlationSubscription"),
        *("subConversation", "callConversation", "conversationLink"),
    }
)


@dataclass
class Document:
    """The tree of a file, with the indexes that the rules look things up in."""

    root: etree._Element
    ids: dict[str, etree._Element] = field(default_factory=dict)
    by_tag: dict[str, list[etree._Element]] = field(default_factory=dict)
    """The BPMN elements, by local name."""

    def __post_init__(self) -> None:
        for element in self.root.iter(f"{{{BPMN}}}*"):
            self.by_tag.setdefault(local(element), []).append(element)
            identity = element.get("id")
            if identity is not None:
                self.ids.setdefault(identity, element)

    def all(self, *tags: str) -> Iterator[etree._Element]:
        """Every BPMN element of these names."""
        for tag in tags:
            yield from self.by_tag.get(tag, ())

    def named(self, reference: str | None) -> etree._Element | None:
        """What a reference (a qualified name) means, its prefix left aside: one file is one namespace."""
        return self.ids.get((reference or "").strip().rpartition(":")[2])

    def elsewhere(self, element: etree._Element, reference: str) -> str | None:
        """The namespace that the prefix of a reference stands for, if it is another than the file's own.

        Tools write names of the file without a prefix, or with one for BPMN's namespace.
        """
        prefix, colon, _ = reference.strip().rpartition(":")
        own = self.root.get("targetNamespace")
        if not colon or not own:
            return None
        namespace: str | None = element.nsmap.get(prefix)
        return None if namespace in (None, BPMN, own) else namespace

    def process(self, element: etree._Element) -> etree._Element | None:
        """The process that an element stands in."""
        for each in (element, *element.iterancestors()):
            if local(each) == "process":
                return each
        return None

    @cached_property
    def idle(self) -> frozenset[str]:
        """The processes that are not run: those marked as not executable, beside one that is."""
        marked = {
            each.get("id", ""): each.get("isExecutable", "true").strip() in ("false", "0")
            for each in self.all("process")
        }
        return frozenset(name for name, idle in marked.items() if idle and not all(marked.values()))

    def judged(self, element: etree._Element) -> bool:
        """Whether the element may be run; a process beside it may be another participant's view."""
        around = self.process(element)
        return around is None or around.get("id", "") not in self.idle


def place(element: etree._Element) -> str:
    """Where an element stands, as an editor shows it: the id of the step, flow or the like that it is part of."""
    for each in (element, *element.iterancestors()):
        if local(each) in ("process", "collaboration", "definitions"):
            break
        identity = each.get("id")
        if identity and not _part(each):
            return str(identity)
    own = element.get("id")
    return str(own) if own else f"line {element.sourceline}"


def _part(element: etree._Element) -> bool:
    """Whether an element is only part of what is drawn."""
    around = element.getparent()
    return around is not None and local(around) != "definitions" and local(element) not in _SHOWN


def fault(element: etree._Element, template: str, remedy: str, /, **params: object) -> Finding:
    """A fault at an element for which the diagram is refused."""
    return Finding("error", "", place(element), template, remedy, params, element.sourceline)


def text(element: etree._Element | None) -> str:
    """The text of an element, without the spaces around it."""
    return "" if element is None else (element.text or "").strip()
