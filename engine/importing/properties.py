"""Properties of ours written into an element: beside those it has, else with all that has to be around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from engine.bpmn.xml import tag
from engine.importing.source import Source, escaped

_STEP = "  "


def write_properties(
    source: Source, element: etree._Element, properties: Mapping[str, str], prefix: str
) -> None:
    """Add the properties (name to value) to a BPMN element; `prefix` stands for the extensions' namespace."""
    entries = [
        f'<{prefix}:property name="{escaped(name, chr(34))}" value="{escaped(value, chr(34))}" />'
        for name, value in properties.items()
    ]
    place = source.places[element]
    margin = source.newline + (source.indent(element) or "")
    holder = element.find(tag("extensionElements"))
    listed = None if holder is None else holder.find("{*}properties")
    if listed is not None:
        _append(source, listed, _lines(margin, 3, entries), margin + _STEP * 2)
        return
    block = _lines(margin, 2, [f"<{prefix}:properties>"])
    block += _lines(margin, 3, entries) + _lines(margin, 2, [f"</{prefix}:properties>"])
    if holder is not None:
        _append(source, holder, block, margin + _STEP)
        return
    name = place.name.removesuffix(etree.QName(element).localname) + "extensionElements"
    whole = _lines(margin, 1, [f"<{name}>"]) + block + _lines(margin, 1, [f"</{name}>"])
    documented = element.findall(tag("documentation"))
    if documented:  # which the standard's schema has first
        at = source.places[documented[-1]].end
        source.replace(at, at, whole)
    else:
        _append(source, element, whole, margin, first=True)


def _lines(margin: str, level: int, texts: Sequence[str]) -> str:
    return "".join(f"{margin}{_STEP * level}{text}" for text in texts)


def _append(source: Source, element: etree._Element, inside: str, tail: str, *, first: bool = False) -> None:
    """Put text into an element behind its children, or before them; one tag becomes two."""
    place = source.places[element]
    children = [each for each in element if isinstance(each.tag, str)]
    if place.empty:
        source.replace(place.head_end - 2, place.head_end, f">{inside}{tail}</{place.name}>")
    elif first or not children:
        source.replace(place.head_end, place.head_end, inside + ("" if children else tail))
    else:
        at = source.places[children[-1]].end
        source.replace(at, at, inside)
