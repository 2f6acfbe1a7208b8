"""docs/bpmn-support.md says what the program does: each row is held by cases,
each element of the schema has a row."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import pytest
from lxml import etree

from engine.bpmn import effects, meter, rules, sizes, xml
from engine.bpmn.rules import activities, flows, joins
from engine.check import check_diagram
from engine.commands import batches
from engine.rehearsal import run, watching
from tests.conformance.test_kit import needed
from tests.standard.table import KIT, PAGE, Row, counts, of_kit, rows
from tests.standard.unrun import INERT, REFUSED

ROWS = rows()


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name.replace(" ", "_")) for row in ROWS])
def test_a_row_says_how_many_cases_it_has_and_has_some(row: Row):
    """`python -m tests.standard.table` counts anew."""
    known = counts()
    assert row.cases == known[row.state][row.name]
    assert row.cases or row.state == "abstract"


def test_every_case_speaks_for_rows_that_there_are():
    for state, known in counts().items():
        assert set(known) <= {row.name for row in ROWS if row.state == state}
    assert len(ROWS) == len({row.name for row in ROWS})


def test_every_element_of_the_schema_stands_in_exactly_one_row():
    schema = files("SpiffWorkflow.bpmn.parser.schema").joinpath("Semantic.xsd").read_bytes()
    names = etree.fromstring(schema).xpath("/*/*[local-name() = 'element']/@name")
    assert len(names) > 100
    assert Counter(name for row in ROWS for name in row.elements) == Counter(names)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, id=f"{row}:_{place}".replace(" ", "_"))
        for row, models in REFUSED.items()
        for place, model in enumerate(models)
    ],
)
def test_what_is_said_to_be_refused_is_refused_with_reason_and_remedy(model):
    found = check_diagram(model.encode())
    assert found
    assert all(each.reason and each.remedy for each in found)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, id=f"{row}:_{place}".replace(" ", "_"))
        for row, models in INERT.items()
        for place, model in enumerate(models)
    ],
)
def test_what_is_said_to_have_no_effect_has_none(model):
    assert run(model.encode(), "main", {}).visited == ("s", "a", "e")


@needed
def test_the_page_says_how_much_of_the_conformance_kit_runs():
    written = KIT.search(PAGE.read_text("utf-8"))
    assert written is not None
    assert tuple(int(each) for each in written.groups()) == of_kit()


def test_the_limits_the_page_states_are_those_of_the_program():
    stated = re.findall(r"^\| [^|]+ \| (\d[\d,; ]+)", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    figures = [int(figure.replace(",", "")) for row in stated for figure in re.findall(r"[\d,]*\d", row)]
    assert figures == [
        *(xml.MAX_BYTES, xml.MAX_ELEMENTS, xml.MAX_DEPTH),
        *(flows.MAX_ID, xml.MAX_ATTRIBUTE, xml.MAX_ATTRIBUTES, xml.MAX_CHILDREN),
        *(sizes.MAX_PROCESSES, sizes.MAX_TEXT, rules.MOST),
        *(activities.MAX_NESTING, activities.MAX_TOKENS, meter.MAX_TOKENS, meter.MAX_VISITS),
        *(watching.MAX_VISITED, watching.MAX_VISITED_ANEW, joins.MARKINGS, joins.WORK),
        *(watching.MAX_STEPS, watching.MAX_FIRED),
        *(effects.MAX_ITEMS, watching.MAX_INSTANCES, batches.MAX_OUTPUTS, batches.MAX_RECURSION),
    ]
