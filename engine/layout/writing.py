"""The drawing as text inside the BPMN file, every other byte of which stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from engine.layout.drawing import Drawing
from engine.layout.labels import Rect
from engine.layout.reading import BPMN, BPMNDI, DC, DI, SCOPES, Chart
from engine.xml_text import decode


@dataclass(frozen=True, slots=True)
class Spans:
    """Byte offsets in a file: its drawings, the first process, the end tag of the root."""

    diagrams: tuple[tuple[int, int], ...]
    process: int
    end: int


def spans(xml: bytes) -> Spans:
    """Find where a drawing is, or would go. The file must be well-formed; it is UTF-8 whatever it declares."""
    depth = 0
    begun: list[int] = []
    diagrams: list[tuple[int, int]] = []
    processes: list[int] = []
    ends: list[int] = []
    parser = expat.ParserCreate("utf-8", " ")

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 2 and name == f"{BPMNDI} BPMNDiagram":
            begun.append(parser.CurrentByteIndex)
        elif depth == 2 and name == f"{BPMN} process":
            processes.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        nonlocal depth
        at = parser.CurrentByteIndex
        if depth == 2 and name == f"{BPMNDI} BPMNDiagram":
            # For an element without content the parser already stands behind it.
            diagrams.append((begun[-1], xml.index(b">", at) + 1 if xml.startswith(b"</", at) else at))
        elif depth == 1:
            ends.append(at)
        depth -= 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(xml, True)
    return Spans(tuple(diagrams), processes[0], ends[0])


def insert(xml: bytes, root: etree._Element, chart: Chart, drawing: Drawing) -> bytes:
    """`xml` with `drawing` in place of the drawings it had, and with a collaboration if the chart lacks one.

    What comes back is in the encoding that the file has.
    """
    original = decode(xml)
    xml = original.text.encode()
    places = spans(xml)
    newline = "\r\n" if b"\r\n" in xml else "\n"
    text = newline.join(_diagram(root, chart, drawing))
    pieces: list[bytes] = []
    at = 0
    if chart.missing_collaboration:
        line = _line_start(xml, places.process)
        indent = xml[line : places.process].decode() if not xml[line : places.process].strip() else ""
        added = newline.join([*_collaboration(root, chart, indent), indent])
        pieces += [xml[: places.process], added.lstrip().encode()]
        at = places.process
    if places.diagrams:
        first = places.diagrams[0]
        pieces += [xml[at : first[0]], text.strip().encode(), xml[first[1] : first[1]]]
        at = first[1]
        for begin, stop in places.diagrams[1:]:
            line = _line_start(xml, begin)
            pieces.append(xml[at : line if not xml[line:begin].strip() else begin].rstrip())
            at = stop
        pieces.append(xml[at:])
    else:
        line = _line_start(xml, places.end)
        alone = not xml[line : places.end].strip()
        pieces += [xml[at : line if alone else places.end], b"" if alone else newline.encode(), text.encode()]
        pieces += [newline.encode(), xml[line if alone else places.end :]]
    return original.write(b"".join(pieces).decode())


def _line_start(xml: bytes, at: int) -> int:
    return xml.rfind(b"\n", 0, at) + 1


def _collaboration(root: etree._Element, chart: Chart, indent: str) -> list[str]:
    tag = _prefixes(root)[0][BPMN]
    lines = [f'{indent}<{tag}collaboration id="{chart.plane}">']
    for pool in chart.pools:
        assert pool.scope is not None
        name = f" name={quoteattr(pool.name)}" if pool.name else ""
        lines.append(
            f"{indent}  <{tag}participant id={quoteattr(pool.id)}{name} processRef={quoteattr(pool.scope.id)} />"
        )
    return [*lines, f"{indent}</{tag}collaboration>"]


def _prefixes(root: etree._Element) -> tuple[dict[str, str], str]:
    """The document's own prefixes with their colon, and the declarations of those it lacks."""
    tags: dict[str, str] = {}
    for prefix, uri in root.nsmap.items():
        if uri not in tags or not prefix:
            tags[uri] = f"{prefix}:" if prefix else ""
    declared = ""
    for uri, wanted in ((BPMNDI, "bpmndi"), (DC, "dc"), (DI, "di")):
        if uri not in tags:
            prefix = next(name for name in (wanted, f"{wanted}1", f"{wanted}2") if name not in root.nsmap)
            tags[uri] = f"{prefix}:"
            declared += f' xmlns:{prefix}="{uri}"'
    return tags, declared


def _diagram(root: etree._Element, chart: Chart, drawing: Drawing) -> list[str]:
    tags, declared = _prefixes(root)
    taken = set(root.xpath("//@id"))
    for old in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        taken -= set(old.xpath(".//@id | @id"))

    def fresh(wanted: str) -> str:
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        return quoteattr(name)

    di, dc, dd = tags[BPMNDI], tags[DC], tags[DI]
    kinds = {
        item.get("id"): etree.QName(item).localname
        for item in root.iter(f"{{{BPMN}}}*")
        if item.get("id") in drawing.shapes
    }
    lines = [
        f"  <{di}BPMNDiagram{declared} id={fresh(f'Diagram_{chart.plane}')}>",
        f"    <{di}BPMNPlane id={fresh(f'Plane_{chart.plane}')} bpmnElement={quoteattr(chart.plane)}>",
    ]
    for key, rect in drawing.shapes.items():
        kind = kinds.get(key, "participant")
        extra = ' isHorizontal="true"' if kind in ("participant", "lane") else ""
        extra += ' isExpanded="true"' if kind in SCOPES else ""
        extra += ' isMarkerVisible="true"' if kind == "exclusiveGateway" else ""
        lines.append(f"      <{di}BPMNShape id={fresh(f'{key}_di')} bpmnElement={quoteattr(key)}{extra}>")
        lines.append(_bounds(dc, rect, "        "))
        lines += _label(di, dc, drawing.labels.get(key))
        lines.append(f"      </{di}BPMNShape>")
    for key, points in drawing.lines.items():
        lines.append(f"      <{di}BPMNEdge id={fresh(f'{key}_di')} bpmnElement={quoteattr(key)}>")
        lines += [f'        <{dd}waypoint x="{x}" y="{y}" />' for x, y in points]
        lines += _label(di, dc, drawing.labels.get(key))
        lines.append(f"      </{di}BPMNEdge>")
    return [*lines, f"    </{di}BPMNPlane>", f"  </{di}BPMNDiagram>"]


def _label(di: str, dc: str, rect: Rect | None) -> list[str]:
    if rect is None:
        return []
    return [f"        <{di}BPMNLabel>", _bounds(dc, rect, "          "), f"        </{di}BPMNLabel>"]


def _bounds(dc: str, rect: Rect, indent: str) -> str:
    return f'{indent}<{dc}Bounds x="{rect.x}" y="{rect.y}" width="{rect.width}" height="{rect.height}" />'
