"""Diagrams as other tools write them, made for these tests."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from engine.importing import Import, Row, take_in
from engine.procedures import from_files
from engine.procedures.procedure import Procedure

FILES = Path(__file__).parent / "files"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"


def diagram(
    inside: str, *, head: str = "", vendor: str = CAMUNDA, prefix: str = "camunda", process: str = ""
) -> bytes:
    """A file with one process around `inside`; `head` stands before the process."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:{prefix}="{vendor}" id="defs" targetNamespace="http://example.org/own">
{head}  <process id="main" name="流程" isExecutable="true"{process}>
    {inside}
  </process>
</definitions>
""".encode()


def line(*nodes: str, flows: str = "") -> str:
    """A start event, these nodes (each with the id `n1`, `n2`, …) and an end event in a row."""
    ids = ["begin", *(f"n{number}" for number in range(1, len(nodes) + 1)), "end"]
    joined = "".join(
        f'<sequenceFlow id="to_{after}" sourceRef="{before}" targetRef="{after}"/>'
        for before, after in pairwise(ids)
    )
    return f'<startEvent id="begin"/>{"".join(nodes)}<endEvent id="end"/>{joined}{flows}'


def choice(condition: str) -> bytes:
    """A process with one condition."""
    inside = f"""<startEvent id="begin"/><exclusiveGateway id="gate" default="no"/><endEvent id="yes_end"/>
    <endEvent id="no_end"/><sequenceFlow id="in" sourceRef="begin" targetRef="gate"/>
    <sequenceFlow id="yes" sourceRef="gate" targetRef="yes_end"><conditionExpression
      xsi:type="tFormalExpression">{condition}</conditionExpression></sequenceFlow>
    <sequenceFlow id="no" sourceRef="gate" targetRef="no_end"/>"""
    return diagram(inside)


def imported(inside: str, **more: str) -> Import:
    """What becomes of such a file."""
    return take_in(diagram(inside, **more), "tried")


def rows(found: Import, outcome: str, what: str = "") -> list[Row]:
    """Its rows of one outcome, those about `what`."""
    return [row for row in found.rows if row.outcome == outcome and row.what.endswith(what)]


def loads(found: Import) -> Procedure:
    """The procedure that was written, read as the program reads it."""
    forms = {f"forms/{form}.yaml": text.encode() for form, text in found.forms.items()}
    files = {f"{found.name}.bpmn": found.diagram, "procedure.yaml": found.procedure.encode(), **forms}
    return from_files(files)
