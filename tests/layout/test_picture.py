"""Pictures show what the drawing shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from engine.layout import draw
from engine.layout.picture import svg
from engine.layout.shown import planes
from tests.layout.building import Process, file

DIAGRAMS = sorted((Path(__file__).parent / "diagrams").glob("*.bpmn"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_every_element_and_every_label_is_in_the_picture(path: Path) -> None:
    drawn = draw(path.read_bytes())
    root = etree.fromstring(drawn)
    picture = etree.fromstring(svg(drawn).encode())
    groups = {item.get("data-element-id") for item in picture.iter(f"{SVG}g")}
    (plane,) = planes(root)
    assert groups - {None} == {*plane.shapes, *plane.lines}
    text = "".join("".join(item.itertext()) for item in picture.iter(f"{SVG}text")).replace(" ", "")
    for item in root.xpath("//@name | //*[local-name()='text']/text()"):
        if item.getparent().get("id") in groups or item.getparent().tag.endswith("text"):
            assert str(item).replace(" ", "") in text


def test_names_are_escaped_and_marks_colour_their_shapes() -> None:
    process = Process("p")
    process.add("task", "a", "<b>&\"'")
    drawn = draw(file(process, pools=False))
    picture = etree.fromstring(svg(drawn, marks={"a": 'red"/>'}).encode())
    (group,) = [item for item in picture.iter(f"{SVG}g") if item.get("data-element-id") == "a"]
    assert "".join(group.itertext()) == "<b>&\"'"
    assert group[0].get("style") == 'fill:red"/>'


def test_the_picture_is_as_large_as_the_drawing_with_a_margin() -> None:
    process = Process("p")
    process.add("task", "a", "甲")
    picture = etree.fromstring(svg(draw(file(process, pools=False))).encode())
    assert (picture.get("width"), picture.get("height")) == ("140", "120")


def test_a_file_without_a_drawing_gives_an_empty_picture() -> None:
    picture = etree.fromstring(svg(file(Process("p"), pools=False)).encode())
    assert not list(picture.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("picture", "diagram"),
    [("003G", "building-quarterly-15-workdays"), ("call-back", "shared/call-back")],
)
def test_the_pictures_of_the_readme_are_those_of_the_diagrams(picture: str, diagram: str) -> None:
    """After a change: `flow procedure picture FILE --to docs/pictures/….svg --force`."""
    root = Path(__file__).parents[2]
    file = root / "processes" / diagram / f"{Path(diagram).name}.bpmn"
    kept = (root / "docs" / "pictures" / f"{picture}.svg").read_text(encoding="utf-8")
    assert kept == svg(draw(file.read_bytes()))
