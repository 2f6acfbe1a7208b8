"""What is asked of every procedure and shared block under processes/, whichever they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from engine.check import check, needed_roles
from engine.layout.geometry import faults
from tasks import registry
from tests.procedures.conftest import Courses
from tests.procedures.playing import world_of
from tests.procedures.shipped import ACCEPTANCE, HOME, Shipped, procedure_of, scenarios_of, shipped
from tests.procedures.walking import all_ways

COPIED = 12
"""So many characters in a row that stand in the source, too, are a copy, unless they name a document."""
CODE = re.compile(r"[A-Z]+(?:-[A-Z\d]+)+")
"""The code of a document: the source's own, and no sentence."""

every = pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in shipped()])
documented = pytest.mark.parametrize(
    "each", [pytest.param(each, id=each.name) for each in shipped() if not each.id.startswith("shared/")]
)


@cache
def acceptance() -> dict[str, dict[str, Any]]:
    """What the procedures have to fulfil, by code."""
    if not ACCEPTANCE.exists():
        pytest.skip("needs the acceptance list beside the clone")
    listed = yaml.load(ACCEPTANCE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {each["code"]: each for each in listed}


@every
def test_it_takes_its_first_course(each: Shipped, courses: Courses) -> None:
    assert each.courses
    courses.kept(each.id)  # its own tests go on from there
    assert courses.taken(each.id, each.courses[0]).deviations == []


@pytest.mark.slow
@every
def test_it_takes_all_its_courses_and_they_walk_it_all(each: Shipped, courses: Courses) -> None:
    taken = {name: courses.taken(each.id, name) for name in each.courses}
    assert {name: course.deviations for name, course in taken.items() if course.deviations} == {}
    walked = set().union(*(course.ways for course in taken.values()))
    assert sorted(all_ways(procedure_of(each.id)) - walked) == []


@every
def test_it_can_be_published_where_its_scenarios_take_place(each: Shipped) -> None:
    procedure = procedure_of(each.id)
    people = scenarios_of(each.id).stage.people
    roles = {role for held in people.values() for role in held}
    assert [str(finding) for finding in check(procedure, world_of(procedure, roles))] == []
    if procedure.called:  # whatever roles an organisation has: its callers say who does it
        assert [str(finding) for finding in check(procedure, world_of(procedure, ()))] == []


@every
def test_its_drawing_has_no_faults(each: Shipped) -> None:
    assert [str(fault) for fault in faults(procedure_of(each.id).diagram)] == []


@every
def test_its_readme_says_what_it_follows_or_who_works_in_it(each: Shipped) -> None:
    text = " ".join((HOME / each.id / "README.md").read_text(encoding="utf-8").split())
    procedure = procedure_of(each.id)
    said = {f"flow rehearse {each.name}", "clauses.yaml"}
    if procedure.source is None:  # a shared block: its callers give its roles to their own
        said = {*needed_roles(procedure, registry()), procedure.process}
    assert [word for word in sorted(said) if word not in text] == []
    assert text.startswith("# " if procedure.source is None else f"# {each.name}: ")


@documented
def test_it_has_clauses(each: Shipped) -> None:
    assert procedure_of(each.id).clauses


@documented
def test_every_clause_is_fulfilled_and_shown(each: Shipped) -> None:
    for clause in procedure_of(each.id).clauses:  # that these are there is found by the check
        assert clause.elements or clause.rules, clause.id
        assert clause.scenarios, clause.id
        assert clause.statement.zh, clause.id
        assert clause.statement.en, clause.id


@documented
def test_its_clauses_are_all_the_requirements_and_no_others(each: Shipped) -> None:
    wanted = {one["id"]: one["level"] for one in acceptance()[each.name]["requirements"]}
    assert {clause.id: clause.level for clause in procedure_of(each.id).clauses} == wanted


@documented
def test_every_reading_that_is_a_parameter_is_an_ambiguity_of_the_source(each: Shipped) -> None:
    readings = {one.reading for one in procedure_of(each.id).parameters.values() if one.reading}
    assert readings <= {one["id"] for one in acceptance()[each.name]["ambiguities"]}


@documented
def test_no_sentence_of_the_source_is_copied(each: Shipped) -> None:
    source, procedure = acceptance()[each.name], procedure_of(each.id)
    runs = {run for quote in quotes(source) for run in runs_of(bare(quote))}
    assert len(runs) > 100
    titles = {source["title"], procedure.title.zh, *re.findall("《([^》]+)》", str(source))}
    titles |= {record["name"] for record in source.get("records", [])}
    titles |= {record.title.zh for record in procedure.records.values()}
    longest = sorted(titles, key=len, reverse=True)
    found = []
    for file in each.files:
        text = CODE.sub("", file.read_text(encoding="utf-8"))
        for title in longest:
            text = text.replace(title.strip("《》"), "")
        found += [f"{file.name}: {run}" for run in runs_of(bare(text)) if run in runs]
    assert found == []


def quotes(value: Any, key: str = "") -> Iterator[str]:
    """What the list quotes from the source."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from quotes(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from quotes(inner, key)
    elif key == "quote" and isinstance(value, str):
        yield value


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def runs_of(text: str) -> Iterator[str]:
    return (text[start : start + COPIED] for start in range(len(text) - COPIED + 1))
