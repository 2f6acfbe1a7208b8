"""Every fault a reader would see in a drawing is found, and named with its element."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import Misbuilt
from engine.layout import draw
from engine.layout.geometry import faults
from tests.layout.building import Process, file


def drawn() -> str:
    """A rejection loop over two lanes, with a timer and a sub-process, drawn."""
    process = Process("p", "程序")
    process.add("startEvent", "s", "开始", "甲")
    process.add("userTask", "a", "编制方案", "甲")
    process.boundary("t", "a", "十五个工作日")
    process.add("exclusiveGateway", "g", "是否批准", "乙")
    inner = Process("sub")
    inner.path(inner.add("startEvent", "is"), inner.add("task", "it", "内部"), inner.add("endEvent", "ie"))
    process.add("subProcess", "sub", "执行", "乙", inner.body())
    process.add("endEvent", "e", "结束", "乙")
    process.add("endEvent", "late", "超期", "甲")
    process.path("s", "a", "g")
    process.flow("g", "a", "退回")
    process.flow("g", "sub", "批准")
    process.flow("sub", "e")
    process.flow("t", "late")
    return draw(file(process)).decode()


def bounds(xml: str, key: str, change: Callable[[list[float]], list[float]], label: bool = False) -> str:
    """The file with the bounds of a shape (or of its label) changed."""
    begin = xml.index(f'bpmnElement="{key}"')
    if label:
        begin = xml.index("BPMNLabel", begin)
    found = re.compile(r'x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"').search(xml, begin)
    assert found is not None
    x, y, width, height = change([float(value) for value in found.groups()])
    return f'{xml[: found.start()]}x="{x}" y="{y}" width="{width}" height="{height}"{xml[found.end() :]}'


def points(
    xml: str, key: str, change: Callable[[list[tuple[float, float]]], list[tuple[float, float]]]
) -> str:
    """The file with the waypoints of an edge changed."""
    begin = xml.index(">", xml.index(f'bpmnElement="{key}"')) + 1
    end = min(xml.index("</bpmndi:BPMNEdge>", begin), xml.find("<bpmndi:BPMNLabel>", begin) % len(xml))
    line = [(float(x), float(y)) for x, y in re.findall(r'x="([^"]+)" y="([^"]+)"', xml[begin:end])]
    text = "".join(f'<di:waypoint x="{x}" y="{y}" />' for x, y in change(line))
    return xml[:begin] + text + xml[end:]


def place(xml: str, key: str) -> list[float]:
    found: list[float] = []
    bounds(xml, key, lambda values: found.extend(values) or values)
    return found


def moved(across: float, down: float) -> Callable[[list[float]], list[float]]:
    return lambda at: [at[0] + across, at[1] + down, at[2], at[3]]


def over(xml: str, other: str) -> Callable[[list[float]], list[float]]:
    """Move a box to the middle of another shape."""
    x, y, width, height = place(xml, other)
    return lambda at: [x + width / 2 - at[2] / 2, y + height / 2 - at[3] / 2, at[2], at[3]]


def reasons(xml: str) -> set[str]:
    return {f"{fault.element}: {fault.reason}" for fault in faults(xml.encode())}


def test_a_good_drawing_has_no_faults() -> None:
    assert reasons(drawn()) == set()


def test_shapes_on_top_of_each_other_are_found() -> None:
    xml = drawn()
    assert {"a: It overlaps s", "s: It overlaps a"} & reasons(bounds(xml, "s", over(xml, "a")))


def test_a_shape_outside_its_lane_is_found() -> None:
    assert "s: It lies outside p_l0" in reasons(bounds(drawn(), "s", moved(0, 400)))


def test_a_shape_outside_its_sub_process_is_found() -> None:
    assert "it: It lies outside sub" in reasons(bounds(drawn(), "it", moved(0, -120)))


def test_a_boundary_event_away_from_its_host_is_found() -> None:
    assert "t: It does not sit on the border of a" in reasons(bounds(drawn(), "t", moved(0, 60)))
    assert "t: It does not sit on the border of a" in reasons(bounds(drawn(), "t", moved(0, -25)))


def test_lanes_on_top_of_each_other_are_found() -> None:
    found = reasons(bounds(drawn(), "p_l1", moved(0, -40)))
    assert "p_l0: It overlaps p_l1" in found


def test_a_slanted_edge_is_found() -> None:
    assert "p_f2: It is not drawn with right angles" in reasons(
        points(drawn(), "p_f2", lambda line: [line[0], line[-1]])
    )


def test_an_edge_that_ends_beside_its_shape_is_found() -> None:
    xml = points(drawn(), "p_f1", lambda line: [line[0], (line[-1][0] - 15, line[-1][1])])
    assert reasons(xml) == {"p_f1: It does not end at the outline of a"}


def test_an_edge_through_a_shape_is_found() -> None:
    xml = drawn()
    x, y, _, height = place(xml, "a")
    detour = [(x - 10, y + height / 2), (x - 10, y + 20), (x + 160, y + 20), (x + 160, y + height / 2)]
    xml = points(xml, "p_f6", lambda line: [line[0], *detour, line[-1]])
    assert "p_f6: It runs through a" in reasons(xml)


def test_an_edge_through_its_own_target_is_found() -> None:
    xml = drawn()
    x, y, width, height = place(xml, "a")
    around = [
        (x + width + 5, y + height / 2),
        (x + width + 5, y - 5),
        (x + width / 2, y - 5),
        (x + width / 2, y),
    ]
    assert "p_f1: It runs through a" in reasons(points(xml, "p_f1", lambda line: [line[0], *around]))


def test_edges_of_different_elements_on_top_of_each_other_are_found() -> None:
    xml = drawn()
    lines: dict[str, list[tuple[float, float]]] = {}
    points(xml, "p_f1", lambda line: lines.setdefault("f1", line))
    xml = points(xml, "p_f6", lambda line: [line[0], *lines["f1"], line[-1]])
    assert {"p_f6: It is drawn on top of p_f1", "p_f1: It is drawn on top of p_f6"} & reasons(xml)


def test_a_label_on_a_shape_is_found() -> None:
    xml = drawn()
    assert "s: Its label covers a" in reasons(bounds(xml, "s", over(xml, "a"), label=True))


def test_a_label_outside_its_pool_is_found() -> None:
    assert "s: Its label lies outside Pool_p" in reasons(bounds(drawn(), "s", moved(0, -300), label=True))


def test_labels_on_each_other_and_on_edges_are_found() -> None:
    xml = drawn()
    at = re.search(r"is", xml)
    assert at is not None
    begin = xml.index("BPMNLabel", xml.index('bpmnElement="g"'))
    found = re.compile(r'x="([^"]+)" y="([^"]+)"').search(xml, begin)
    assert found is not None
    x, y = map(float, found.groups())
    xml = bounds(xml, "p_f4", lambda box: [x, y, box[2], box[3]], label=True)
    assert {"g: Its label overlaps the label of p_f4", "p_f4: Its label overlaps the label of g"} & reasons(
        xml
    )
    x, y, _, height = place(drawn(), "a")
    struck = bounds(drawn(), "s", lambda box: [x - 30, y + height / 2 - 8, 24, 32], label=True)
    assert not any("p_f1 runs through" in reason for reason in reasons(struck)), (
        "its own edge may touch a label"
    )
    struck = bounds(drawn(), "late", lambda box: [x - 30, y + height / 2 - 8, 28, 16], label=True)
    assert "late: The edge p_f1 runs through its label" in reasons(struck)


def test_a_clipped_label_is_found() -> None:
    long = drawn().replace('name="编制方案"', 'name="' + "编制全年顾客满意度调查方案" * 4 + '"')
    assert "a: Its label does not fit" in reasons(long)
    assert "t: Its label does not fit" in reasons(
        bounds(drawn(), "t", lambda at: [*at[:2], 20, 14], label=True)
    )
    lane = drawn().replace('name="甲"', 'name="' + "质量管理部" * 20 + '"')
    assert "p_l0: Its name does not fit" in reasons(lane)


def test_an_element_without_a_shape_is_found() -> None:
    xml = drawn()
    begin = xml.index("<bpmndi:BPMNShape", xml.index('bpmnElement="ie"') - 90)
    xml = xml[:begin] + xml[xml.index("</bpmndi:BPMNShape>", begin) + len("</bpmndi:BPMNShape>") :]
    assert "ie: The drawing does not show this element" in reasons(xml)


def test_what_a_folded_sub_process_hides_is_not_missing() -> None:
    xml = drawn()
    for key in ("is", "it", "ie", "sub_f1", "sub_f2"):
        begin = xml.rindex("<bpmndi:", 0, xml.index(f'bpmnElement="{key}"'))
        end = xml.index("</bpmndi:BPMN", begin)
        end = min(xml.find(f"</bpmndi:BPMN{kind}>", begin) % (1 << 40) for kind in ("Shape", "Edge"))
        xml = xml[:begin] + xml[xml.index(">", end) + 1 :]
    assert "it: The drawing does not show this element" in reasons(xml)
    assert not any(
        "does not show" in reason
        for reason in reasons(xml.replace('isExpanded="true"', 'isExpanded="false"'))
    )


def test_a_flow_from_right_to_left_is_found_unless_it_closes_a_loop() -> None:
    xml = drawn()
    x, _, _, _ = place(xml, "s")
    xml = bounds(xml, "late", lambda at: [x, at[1] - 2, at[2], at[3]])
    found = reasons(xml)
    assert "p_f6: It leads from right to left and is no loop back" in found
    assert not any(reason.startswith("p_f3: It leads") for reason in found)


def test_lanes_without_a_pool_are_a_fault() -> None:
    xml = Path(__file__).with_name("diagrams").joinpath("survey.bpmn").read_text(encoding="utf-8")
    begin, end = xml.index("  <bpmn:collaboration"), xml.index("</bpmn:collaboration>\n")
    found = faults((xml[:begin] + xml[end + len("</bpmn:collaboration>\n") :]).encode())
    assert any("stand in no pool" in fault.reason for fault in found)


@pytest.mark.parametrize(
    "damage", [('height="80"', 'height="tall"'), ("<dc:Bounds", "<dc:Other"), ("<di:way", "<di:w")]
)
def test_unreadable_coordinates_are_refused(damage: tuple[str, str]) -> None:
    with pytest.raises(Misbuilt, match="no valid coordinates"):
        faults(drawn().replace(*damage).encode())
