"""Messages: which of those that wait for one gets it (BPMN 2.0.2, 8.4.2, 9.4).

A message finds its receiver by its name and by the property `flow.key`. What a diagram says of it otherwise has to
come to the same, and is refused where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.bpmn.rules.document import Document, fault, text
from engine.bpmn.xml import CAMUNDA, local, tag
from engine.errors import Finding

_THROWING = ("sendTask", "intermediateThrowEvent", "endEvent")
_AWAITING = ("receiveTask", "startEvent", "intermediateCatchEvent", "boundaryEvent")


def correlation(document: Document) -> Iterator[Finding]:
    """Keys have properties, and subscriptions bind those of their key (8.4.2)."""
    for key in document.all("correlationKey"):
        if not key.findall(tag("correlationPropertyRef")):
            template, remedy = "The correlation key has no properties", "Add a correlationPropertyRef"
            yield fault(key, template, remedy)
    for subscription in document.all("correlationSubscription"):
        target = document.named(subscription.get("correlationKeyRef"))
        if target is None or not document.judged(subscription):
            continue
        wanted = {text(each) for each in target.findall(tag("correlationPropertyRef"))}
        bound = [
            each.get("correlationPropertyRef")
            for each in subscription.findall(tag("correlationPropertyBinding"))
        ]
        if {*bound} != wanted or len(bound) != len(wanted):
            template = "The subscription binds other properties than its key {key} has"
            yield fault(subscription, template, "Bind each property of the key once", key=target.get("id"))


def keyed(document: Document) -> Iterator[Finding]:
    """Correlation properties are not evaluated: the property flow.key says which instance a message is for (8.4.2)."""
    expressions = document.all("correlationPropertyRetrievalExpression")
    referred = (document.named(each.get("messageRef")) for each in expressions)
    correlated = {_name(message) for message in referred if message is not None}
    subscribed = [
        document.process(each) for each in document.all("correlationSubscription") if document.judged(each)
    ]
    users = _users(document)
    for element, names in users.items():
        if _awaits(element) and document.process(element) in subscribed:
            correlated |= names
    for element, names in users.items():
        if _begins(element) or _key(element):
            continue
        for name in sorted(names & correlated):
            template = (
                "The message {message} is correlated, which has no effect without the property flow.key"
            )
            remedy = "Give what throws the message and what awaits it the property flow.key"
            yield fault(element, template, remedy, message=name)


def addressed(document: Document) -> Iterator[Finding]:
    """A message flow to one of several that await a message does not decide which of them gets it (9.4)."""
    users = _users(document)
    drawn = [
        (flow, document.named(flow.get("sourceRef")), document.named(flow.get("targetRef")))
        for flow in document.all("messageFlow")
    ]
    for flow, source, target in drawn:
        if source is None or target is None or not (source in users and target in users):
            continue
        if _key(source) and _key(target):
            continue
        names = users[source] & users[target]
        meant = {end for _, begin, end in drawn if begin is source}
        for other in users:
            if other not in meant and _awaits(other) and names & users[other]:
                template = (
                    "The message flow leads to {target}, but {other} awaits the message {message} too "
                    "and may get it"
                )
                remedy = "Give {source} and {target} the property flow.key, or their message another name"
                params = {"target": target.get("id"), "other": other.get("id"), "source": source.get("id")}
                yield fault(flow, template, remedy, message=min(names & users[other]), **params)


def _users(document: Document) -> dict[etree._Element, set[str]]:
    """The elements that throw or await messages, with the names of these."""
    found: dict[etree._Element, set[str]] = {}
    for element in document.all(*_THROWING, *_AWAITING):
        if not document.judged(element):
            continue
        shared = [document.named(text(each)) for each in element.findall(tag("eventDefinitionRef"))]
        definitions = (
            *(element, *element.findall(tag("messageEventDefinition"))),
            *(each for each in shared if each is not None and local(each) == "messageEventDefinition"),
        )
        messages = (document.named(each.get("messageRef")) for each in definitions)
        if names := {_name(message) for message in messages if message is not None}:
            found[element] = names
    return found


def _awaits(element: etree._Element) -> bool:
    return local(element) in _AWAITING


def _begins(element: etree._Element) -> bool:
    """Whether the message begins an instance, so that none waits for it."""
    around = element.getparent()
    if local(element) == "receiveTask":
        return element.get("instantiate", "false").strip() in ("true", "1")
    return local(element) == "startEvent" and around is not None and local(around) == "process"


def _key(element: etree._Element) -> bool:
    path = f"{tag('extensionElements')}/{{{CAMUNDA}}}properties/{{{CAMUNDA}}}property"
    return any(each.get("name") == "flow.key" for each in element.findall(path))


def _name(message: etree._Element) -> str:
    return message.get("name") or message.get("id") or ""
