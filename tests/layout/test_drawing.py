"""Drawings with lanes: complete, free of faults, and the rest of the file untouched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from engine.errors import Misbuilt
from engine.layout import draw
from engine.layout.geometry import faults
from engine.layout.reading import BPMNDI, everything, parse, read
from engine.layout.shown import Plane, planes
from tests.layout.building import Process, file
from tests.layout.procedures import procedures, tangles

DIAGRAMS = sorted((Path(__file__).parent / "diagrams").glob("*.bpmn"))
ROOT = Path(__file__).parents[2]

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
long = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def without_drawing(xml: bytes) -> bytes:
    """The file with its (indented, inserted) drawing taken out again."""
    begin, end = xml.index(b"  <bpmndi:BPMNDiagram"), xml.index(b"</bpmndi:BPMNDiagram>")
    return xml[:begin] + xml[xml.index(b"\n", end) + 1 :]


def shown(xml: bytes) -> Plane:
    (plane,) = planes(etree.fromstring(xml))
    return plane


def small(*lanes: str) -> Process:
    """Start, two tasks and an end; each goes to the next of the lanes."""
    process = Process("p", "小程序")
    kinds = [
        ("startEvent", "s", "开始"),
        ("userTask", "a", "编制"),
        ("userTask", "b", "审批"),
        ("endEvent", "e", "完"),
    ]
    for number, kind in enumerate(kinds):
        process.add(*kind, lane=lanes[number % len(lanes)] if lanes else "")
    process.path("s", "a", "b", "e")
    return process


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_a_diagram_is_drawn_whole_and_without_faults(path: Path) -> None:
    xml = path.read_bytes()
    drawn = draw(xml)
    assert faults(drawn) == []
    plane = shown(drawn)
    assert {key for key, _ in everything(read(parse(xml)))} == {*plane.shapes, *plane.lines} - {""}
    assert without_drawing(drawn) == xml


@given(xml=procedures(40))
@quick
def test_any_procedure_is_drawn_without_faults(xml: bytes) -> None:
    drawn = draw(xml)
    assert [str(fault) for fault in faults(drawn)] == []
    assert without_drawing(drawn) == xml
    assert draw(drawn) is drawn
    assert draw(drawn, redraw=True) == drawn


@given(xml=tangles())
@quick
def test_even_a_tangle_of_flows_is_drawn_without_faults(xml: bytes) -> None:
    assert [str(fault) for fault in faults(draw(xml))] == []


@pytest.mark.slow
@given(xml=procedures(90))
@long
def test_large_procedures_are_drawn_without_faults(xml: bytes) -> None:
    assert [str(fault) for fault in faults(draw(xml))] == []


@pytest.mark.slow
@given(xml=tangles())
@settings(parent=long, max_examples=1500)
def test_many_tangles_are_drawn_without_faults(xml: bytes) -> None:
    assert [str(fault) for fault in faults(draw(xml))] == []


def test_lanes_are_bands_in_their_order_that_fill_the_pool_and_hold_their_elements() -> None:
    plane = shown(draw(file(small("主办部门", "管理者代表", "系统"))))
    pool = plane.shapes["Pool_p"]
    lanes = [plane.shapes[f"p_l{number}"] for number in range(3)]
    assert [lane.y for lane in lanes] == [pool.y, lanes[0].bottom, lanes[1].bottom]
    assert lanes[2].bottom == pool.bottom
    assert {lane.right for lane in lanes} == {pool.right}
    assert lanes[1].holds(plane.shapes["a"])
    assert lanes[0].holds(plane.shapes["e"])


def test_the_flow_runs_from_left_to_right_in_one_line_when_nothing_branches() -> None:
    plane = shown(draw(file(small("主办部门"))))
    middles = [plane.shapes[key].middle for key in ("s", "a", "b", "e")]
    assert middles == sorted(middles)
    assert len({y for _, y in middles}) == 1
    assert all(len(line) == 2 for line in plane.lines.values())


def test_a_wide_sub_process_does_not_pull_apart_what_stands_beside_it() -> None:
    process, inside = Process("p", "并行"), Process("sub")
    inside.path(*(inside.add("task", f"i{number}", "步骤") for number in range(8)))
    start, fork = process.add("startEvent", "s", lane="甲"), process.add("parallelGateway", "fork", lane="甲")
    process.add("subProcess", "wide", "逐户处理", "乙", inside.body())
    beside = [process.add("task", f"t{number}", "步骤", "甲") for number in range(5)]
    join, end = process.add("parallelGateway", "join", lane="甲"), process.add("endEvent", "e", lane="甲")
    process.path(start, fork, "wide", join, end)
    process.path(fork, *beside, join)
    drawn = draw(file(process))
    assert faults(drawn) == []
    shapes = shown(drawn).shapes
    gaps = [shapes[after].x - shapes[before].right for before, after in pairwise(beside)]
    assert max(gaps) < shapes["t0"].width
    assert all(shapes["wide"].x < shapes[each].middle[0] < shapes["wide"].right for each in beside)


def test_a_file_with_lanes_but_no_collaboration_gets_one() -> None:
    xml = file(small("主办部门", "系统"), pools=False)
    drawn = draw(xml)
    root = etree.fromstring(drawn)
    (participant,) = root.findall("{*}collaboration/{*}participant")
    assert (participant.get("processRef"), participant.get("name")) == ("p", "小程序")
    assert faults(drawn) == []
    assert draw(drawn, redraw=True) == drawn
    assert b"".join(drawn.split(b"\n")).startswith(
        b"".join(xml[: xml.index(b"  <bpmn:process")].split(b"\n"))
    )


def test_a_plain_process_needs_no_pool() -> None:
    drawn = draw(file(small(), pools=False))
    assert b"collaboration" not in drawn
    assert shown(drawn).element == "p"


def test_nested_lanes_are_drawn_inside_each_other() -> None:
    text = file(small("外业组", "内业组")).decode()
    outer = '<bpmn:laneSet id="p_ls">\n<bpmn:lane id="out" name="调查小组"><bpmn:childLaneSet id="c">'
    text = text.replace('<bpmn:laneSet id="p_ls">', outer)
    text = text.replace("</bpmn:laneSet>", "</bpmn:childLaneSet></bpmn:lane></bpmn:laneSet>")
    drawn = draw(text.encode())
    plane = shown(drawn)
    assert faults(drawn) == []
    assert plane.shapes["out"].holds(plane.shapes["p_l0"])
    assert plane.shapes["out"].holds(plane.shapes["p_l1"])


def test_a_complete_drawing_made_by_hand_comes_back_byte_for_byte() -> None:
    drawn = draw(file(small("主办部门"))).replace(b'height="80"', b'height="88"')
    assert draw(drawn) is drawn
    assert draw(drawn, redraw=True) != drawn


def test_a_partial_drawing_is_refused_with_the_missing_elements_named() -> None:
    process = small("主办部门")
    drawn = draw(file(process)).decode()
    grown = drawn.replace("</bpmn:process>", '<bpmn:task id="later" /><bpmn:task id="last" /></bpmn:process>')
    with pytest.raises(Misbuilt) as refusal:
        draw(grown.encode())
    assert [finding.element for finding in refusal.value.findings] == ["later", "last"]
    assert all("--redraw" in finding.remedy for finding in refusal.value.findings)
    assert faults(draw(grown.encode(), redraw=True)) == []


def test_redrawing_replaces_every_old_drawing_and_nothing_else() -> None:
    drawn = draw(file(small("主办部门")))
    extra = (
        b'  <bpmndi:BPMNDiagram id="second"><bpmndi:BPMNPlane id="x" bpmnElement="p" /></bpmndi:BPMNDiagram>\n'
        b"  <!-- kept -->\n"
    )
    twice = drawn.replace(b"</bpmn:definitions>", extra + b"</bpmn:definitions>")
    assert draw(twice, redraw=True) == drawn.replace(
        b"</bpmn:definitions>", b"  <!-- kept -->\n</bpmn:definitions>"
    )


def test_an_empty_drawing_element_is_filled() -> None:
    xml = file(small()).replace(b"</bpmn:def", b'<bpmndi:BPMNDiagram id="d" />\n</bpmn:def')
    drawn = draw(xml)
    assert drawn.count(b"<bpmndi:BPMNDiagram") == 1
    assert faults(drawn) == []


def test_the_documents_own_prefixes_and_line_ends_are_used() -> None:
    xml = file(small("主办部门")).replace(b"bpmn:", b"").replace(b"xmlns:bpmn=", b"xmlns=")
    xml = xml.replace(b"xmlns:bpmndi", b"xmlns:pic").replace(
        b' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"', b""
    )
    drawn = draw(xml.replace(b"\n", b"\r\n"))
    assert b"<pic:BPMNShape" in drawn
    assert b"\n" not in drawn.replace(b"\r\n", b"")
    assert faults(drawn) == []


def test_a_file_on_one_line_is_drawn_too() -> None:
    assert faults(draw(file(small("主办部门"), pools=False).replace(b"\n", b" "))) == []


@pytest.mark.parametrize("encoding", ["GBK", "UTF-16", "utf-8-sig"])
def test_a_file_is_drawn_in_the_encoding_it_has(encoding: str) -> None:
    text = (
        file(small("项目总经理", "客服主管")).decode().replace('encoding="UTF-8"', f'encoding="{encoding}"')
    )
    text = text.replace('encoding="utf-8-sig"', 'encoding="UTF-8"')
    xml = text.encode(encoding)
    drawn = draw(xml)
    assert faults(drawn) == []
    shown = drawn.decode(encoding)
    assert "审批" in shown
    assert (
        shown.replace(shown[shown.index("  <bpmndi:BPMNDiagram") : shown.index("</bpmn:definitions>")], "")
        == text
    )


def test_the_drawing_is_the_same_in_every_run() -> None:
    code = (
        "import sys, hashlib, pathlib; from engine.layout import draw\n"
        "for path in sys.argv[1:]: print(hashlib.sha256(draw(pathlib.Path(path).read_bytes())).hexdigest())"
    )
    outcomes = {
        subprocess.run(
            [sys.executable, "-c", code, *map(str, DIAGRAMS)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outcomes) == 1


def test_two_hundred_and_fifty_elements_are_drawn_within_five_seconds() -> None:
    process = Process("p", "大程序")
    here = process.add("startEvent", "s", "开始", "甲")
    for number in range(49):
        a, b, c, g, j = (f"{letter}{number}" for letter in "abcgj")
        process.add("userTask", a, "编制调查方案", "甲乙丙"[number % 3])
        process.add("exclusiveGateway", g, "是否合格", "甲乙丙"[number % 3])
        process.add("userTask", b, "整改", "甲乙丙"[(number + 1) % 3])
        process.add("serviceTask", c, "汇总", "甲乙丙"[(number + 2) % 3])
        process.add("exclusiveGateway", j, "", "丙乙甲"[number % 3])
        process.path(here, a, g, b, j)
        process.path(g, c, j)
        process.flow(g, a if number % 5 else "a0", "退回")
        here = j
    process.flow(here, process.add("endEvent", "e", "结束", "丁"))
    begun = time.perf_counter()
    drawn = draw(file(process))
    assert time.perf_counter() - begun < 5
    assert faults(drawn) == []


@pytest.mark.parametrize(
    ("change", "element", "words"),
    [
        ((b'targetRef="b"', b'targetRef="nobody"'), "p_f2", "leads nowhere"),
        ((b'targetRef="b"', b'targetRef=""'), "p_f2", "leads nowhere"),
        (
            (b'<bpmn:task id="x" />', b'<bpmn:boundaryEvent id="x" attachedToRef="s" />'),
            "x",
            "sits on no activity",
        ),
        ((b'<bpmn:task id="x" />', b"<bpmn:task />"), "line", "has no id"),
        ((b'processRef="p"', b""), "p", "No participant"),
        ((b"</bpmn:definitions>", b""), "", "Not well-formed"),
        ((b"bpmn:definitions", b"bpmn:other"), "", "Not a BPMN 2.0 file"),
        ((b'name="', b'name="\xff'), "", "no text of the encoding utf-8"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_place_and_remedy(
    change: tuple[bytes, bytes], element: str, words: str
) -> None:
    xml = file(small()).replace(b"</bpmn:process>", b'<bpmn:task id="x" /></bpmn:process>').replace(*change)
    with pytest.raises(Misbuilt) as refusal:
        draw(xml)
    (finding,) = refusal.value.findings
    assert finding.element.startswith(element)
    assert words in finding.reason
    assert finding.remedy


def test_a_note_on_a_flow_is_refused_rather_than_dropped() -> None:
    process = small()
    process.note("n", "说明", "p_f1")
    with pytest.raises(Misbuilt, match="n_a: The association does not join two shapes"):
        draw(file(process))


def test_a_diagram_without_shapes_stays_valid() -> None:
    drawn = draw(file(Process("p"), pools=False))
    assert draw(drawn) == drawn
    assert etree.fromstring(drawn).find(f"{{{BPMNDI}}}BPMNDiagram") is not None
