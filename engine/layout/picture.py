"""A drawn BPMN diagram as an SVG picture, without any tool beside it: for documents, pages and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from math import hypot

from lxml import etree

from engine.layout import lettering
from engine.layout.icons import EVENT_ICONS, TASK_ICONS, marker
from engine.layout.reading import BPMN, DATA, EVENTS, GATEWAYS, SCOPES, TASKS, parse
from engine.layout.shown import Bounds, Plane, Point, planes

_INK, _PAPER, _SHADE = "#22242a", "#ffffff", "#f5f6f8"
_FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"
_SIZE = 12
_PAD = 20

_STYLE = f"""
text{{font:{_SIZE}px {_FONT};fill:{_INK}}}
.s{{fill:{_PAPER};stroke:{_INK};stroke-width:1.5}}
.bold{{stroke-width:3.5}}
.i{{fill:none;stroke:{_INK};stroke-width:1.2;stroke-linejoin:round;stroke-linecap:round}}
.f{{fill:{_INK};stroke:{_INK};stroke-width:1;stroke-linejoin:round}}
.pool{{fill:{_PAPER};stroke:#6b7080;stroke-width:1.2}}
.head{{fill:{_SHADE};stroke:#6b7080;stroke-width:1.2}}
.e{{fill:none;stroke:{_INK};stroke-width:1.4;stroke-linejoin:round}}
.dash{{stroke-dasharray:6 4}}
.dot{{stroke-dasharray:1.5 4;stroke-linecap:round}}
"""


def svg(xml: bytes, *, marks: Mapping[str, str] | None = None) -> str:
    """The drawing of the BPMN file `xml` as an SVG document, its planes one below the other.

    `marks` fills the shapes of the given ids with a CSS colour. Raises Misbuilt when the file cannot be read;
    what is not drawn is not shown.
    """
    root = parse(xml)
    things = {str(item.get("id")): item for item in root.iter(f"{{{BPMN}}}*") if item.get("id")}
    body: list[str] = []
    width, top = 0.0, 0.0
    for plane in planes(root):
        if not plane.shapes:
            continue
        frame = _extent(plane)
        body.append(f'<g transform="translate({_n(_PAD - frame.x)} {_n(_PAD + top - frame.y)})">')
        body += _plane(plane, things, marks or {})
        body.append("</g>")
        width, top = max(width, frame.width), top + frame.height + _PAD
    size = f"{_n(width + 2 * _PAD)} {_n(top + _PAD)}"
    across, down = size.split()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" viewBox="0 0 {size}">'
        f"<style>{_STYLE}</style>"
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>'
    )
    return "\n".join([head, *body, "</svg>\n"])


def _extent(plane: Plane) -> Bounds:
    points = [point for line in plane.lines.values() for point in line]
    for box in (*plane.shapes.values(), *plane.labels.values()):
        points += [(box.x, box.y), (box.right, box.bottom)]
    x, y = min(x for x, _ in points), min(y for _, y in points)
    return Bounds(x, y, max(x for x, _ in points) - x, max(y for _, y in points) - y)


def _plane(plane: Plane, things: Mapping[str, etree._Element], marks: Mapping[str, str]) -> Iterator[str]:
    """Pools first, then lines, then shapes from the outside in, then labels."""
    kinds = {key: etree.QName(item).localname for key, item in things.items()}
    order = sorted(plane.shapes, key=lambda key: -plane.shapes[key].width * plane.shapes[key].height)
    back = [key for key in order if kinds.get(key) in ("participant", "lane")]
    scopes = [key for key in order if kinds.get(key) in SCOPES]
    guests = [key for key in order if kinds.get(key) == "boundaryEvent"]
    rest = [key for key in order if key not in {*back, *scopes, *guests}]
    for key in back:
        yield _group(key, _band(plane, key, kinds[key], things[key], marks.get(key)))
    for key in scopes:
        yield _group(key, _shape(plane, key, kinds[key], things[key], marks.get(key)))
    for key, line in plane.lines.items():
        if key in things:
            yield _group(key, _line(line, kinds[key], things[key], things))
    for key in (*rest, *guests):
        if key in things:
            yield _group(key, _shape(plane, key, kinds[key], things[key], marks.get(key)))
    for key in (*plane.shapes, *plane.lines):
        if key in things and kinds[key] not in TASKS | SCOPES | {"participant", "lane", "textAnnotation"}:
            yield from _label(plane, key, things[key].get("name", ""))


def _group(key: str, parts: Iterator[str]) -> str:
    return f'<g data-element-id="{escape(key)}">{"".join(parts)}</g>'


def _band(plane: Plane, key: str, kind: str, item: etree._Element, mark: str | None) -> Iterator[str]:
    """A pool or lane with its name upright at the left; a black box with its name in the middle."""
    box = plane.shapes[key]
    yield _rect(box, "pool", mark)
    name = item.get("name", "")
    upright = key in plane.upright
    if kind == "participant" and not item.get("processRef"):
        yield from _text(name, box, 0)
        return
    head = Bounds(box.x, box.y, box.width, 30) if upright else Bounds(box.x, box.y, 30, box.height)
    if kind == "participant":
        yield _rect(head, "head", None)
    turn = "" if upright else f' transform="rotate(-90 {_n(head.middle[0])} {_n(head.middle[1])})"'
    x, y = head.middle
    yield f'<text x="{_n(x)}" y="{_n(y + 4)}" text-anchor="middle"{turn}>{escape(name)}</text>'


def _shape(plane: Plane, key: str, kind: str, item: etree._Element, mark: str | None) -> Iterator[str]:
    box = plane.shapes[key]
    x, y = box.middle
    if kind in EVENTS:
        yield from _event(box, kind, item, mark)
    elif kind in GATEWAYS:
        points = f"{_n(x)},{_n(box.y)} {_n(box.right)},{_n(y)} {_n(x)},{_n(box.bottom)} {_n(box.x)},{_n(y)}"
        yield f'<polygon class="s" points="{points}"{_fill(mark)}/>'
        yield marker(kind, x, y)
    elif kind in DATA:
        yield from _data(box, kind, mark)
    elif kind == "textAnnotation":
        side = f"M{_n(box.x + 12)} {_n(box.y)}H{_n(box.x)}V{_n(box.bottom)}H{_n(box.x + 12)}"
        yield f'<path class="i" d="{side}"/>'
        text = (item.findtext(f"{{{BPMN}}}text") or "").strip()
        yield from _text(text, Bounds(box.x + 8, box.y, box.width - 10, box.height), 0)
    else:
        yield from _activity(plane, key, kind, item, mark)


def _activity(plane: Plane, key: str, kind: str, item: etree._Element, mark: str | None) -> Iterator[str]:
    box = plane.shapes[key]
    open_scope = kind in SCOPES and key not in plane.folded
    style = "s bold" if kind == "callActivity" else "s"
    dots = ' stroke-dasharray="2 4"' if item.get("triggeredByEvent") == "true" else ""
    size = f'width="{_n(box.width)}" height="{_n(box.height)}"'
    yield f'<rect class="{style}" x="{_n(box.x)}" y="{_n(box.y)}" {size} rx="10"{dots}{_fill(mark)}/>'
    if kind == "transaction":
        yield _rect(box.shrunk(3, 3), "i", None)
    if kind in TASK_ICONS:
        yield f'<g transform="translate({_n(box.x + 6)} {_n(box.y + 6)})">{TASK_ICONS[kind]}</g>'
    name = item.get("name", "")
    if open_scope:
        yield from _text(name, Bounds(box.x, box.y + 4, box.width, 20), 8)
    else:
        yield from _text(name, box, 6)
    marks = []
    several = item.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    if several is not None:
        marks.append("sequential" if several.get("isSequential") == "true" else "parallel")
    if item.find(f"{{{BPMN}}}standardLoopCharacteristics") is not None:
        marks.append("loop")
    if kind == "callActivity" or key in plane.folded:
        marks.append("plus")
    for number, name in enumerate(marks):
        yield marker(name, box.middle[0] + 18 * (number - (len(marks) - 1) / 2), box.bottom - 10)


def _event(box: Bounds, kind: str, item: etree._Element, mark: str | None) -> Iterator[str]:
    x, y = box.middle
    radius = min(box.width, box.height) / 2
    calm = item.get("cancelActivity") == "false" or item.get("isInterrupting") == "false"
    dash = ' stroke-dasharray="4 3"' if calm else ""
    style = "s bold" if kind == "endEvent" else "s"
    yield f'<circle class="{style}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"{dash}{_fill(mark)}/>'
    if kind in ("intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"):
        yield f'<circle class="i" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius - 3.5)}"{dash}/>'
    for child in item:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name in EVENT_ICONS:
            throws = kind in ("endEvent", "intermediateThrowEvent")
            icon = EVENT_ICONS[name].replace('class="x"', f'class="{"f" if throws else "i"}"')
            yield f'<g transform="translate({_n(x)} {_n(y)})">{icon}</g>'


def _data(box: Bounds, kind: str, mark: str | None) -> Iterator[str]:
    x, y, right, bottom = box.x, box.y, box.right, box.bottom
    if kind == "dataStoreReference":
        half = box.width / 2
        arc = f"a{_n(half)} 7 0 0 1 {_n(box.width)} 0"
        path = f"M{_n(x)} {_n(y + 7)}{arc}V{_n(bottom - 7)}a{_n(half)} 7 0 0 1 {_n(-box.width)} 0Z"
        yield f'<path class="s" d="{path}"{_fill(mark)}/>'
        yield f'<path class="i" d="M{_n(x)} {_n(y + 7)}a{_n(half)} 7 0 0 0 {_n(box.width)} 0"/>'
        return
    fold = f"M{_n(right - 10)} {_n(y)}V{_n(y + 10)}H{_n(right)}"
    path = f"M{_n(x)} {_n(y)}H{_n(right - 10)}L{_n(right)} {_n(y + 10)}V{_n(bottom)}H{_n(x)}Z"
    yield f'<path class="s" d="{path}"{_fill(mark)}/><path class="i" d="{fold}"/>'


def _line(
    line: list[Point], kind: str, item: etree._Element, things: Mapping[str, etree._Element]
) -> Iterator[str]:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in line)
    style = {"sequenceFlow": "e", "messageFlow": "e dash"}.get(kind, "e dot")
    yield f'<polyline class="{style}" points="{points}"/>'
    if kind == "association":
        return
    (x, y), (u, v) = line[-2], line[-1]
    length = hypot(u - x, v - y) or 1.0
    a, b = (u - x) / length, (v - y) / length
    tips = [(u - 10 * a - 4 * b, v - 10 * b + 4 * a), (u, v), (u - 10 * a + 4 * b, v - 10 * b - 4 * a)]
    head = " ".join(f"{_n(p)},{_n(q)}" for p, q in tips)
    if kind == "sequenceFlow":
        yield f'<polygon class="f" points="{head}"/>'
    elif kind == "messageFlow":
        yield f'<polygon class="s" points="{head}"/>'
        yield f'<circle class="s" cx="{_n(line[0][0])}" cy="{_n(line[0][1])}" r="4"/>'
    else:
        yield f'<polyline class="i" points="{head}"/>'
    source = things.get(item.get("sourceRef", ""))
    if source is not None and source.get("default") == item.get("id"):
        (x, y), (u, v) = line[0], line[1]
        length = hypot(u - x, v - y) or 1.0
        p, q = x + 10 * (u - x) / length, y + 10 * (v - y) / length
        yield f'<path class="i" d="M{_n(p - 4)} {_n(q + 5)}L{_n(p + 4)} {_n(q - 5)}"/>'


def _label(plane: Plane, key: str, name: str) -> Iterator[str]:
    """A label in its own bounds, or where modelers put one that has none."""
    if not name:
        return
    if key in plane.labels:
        yield from _text(name, plane.labels[key], 0)
    elif key in plane.shapes:
        box = plane.shapes[key]
        yield from _text(name, Bounds(box.middle[0] - 50, box.bottom + 2, 100, 32), 0)
    else:
        (x, y), (u, v) = max(
            pairwise(plane.lines[key]),
            key=lambda pair: hypot(pair[0][0] - pair[1][0], pair[0][1] - pair[1][1]),
        )
        yield from _text(name, Bounds((x + u) / 2 - 50, (y + v) / 2 - 18, 100, 16), 0)


def _text(text: str, box: Bounds, pad: float) -> Iterator[str]:
    """Lines centred in a box."""
    lines = lettering.block(text, box.width - 2 * pad).lines
    x, y = box.middle
    first = y - lettering.LINE * (len(lines) - 1) / 2 + 4
    for number, line in enumerate(lines):
        down = first + lettering.LINE * number
        yield f'<text x="{_n(x)}" y="{_n(down)}" text-anchor="middle">{escape(line)}</text>'


def _rect(box: Bounds, style: str, mark: str | None) -> str:
    size = f'width="{_n(box.width)}" height="{_n(box.height)}"'
    return f'<rect class="{style}" x="{_n(box.x)}" y="{_n(box.y)}" {size}{_fill(mark)}/>'


def _fill(mark: str | None) -> str:
    return f' style="fill:{escape(mark)}"' if mark else ""


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
