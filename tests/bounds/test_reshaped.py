"""A diagram means the same in whatever order it is written, however its elements are called and placed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from zlib import crc32

import pytest

from engine.bpmn.reader import read
from engine.commands.environment import expression
from engine.config import shipped
from engine.rehearsal import run
from tests.bounds.reshaping import moved, renamed, shuffled
from tests.engine.block_drawing import draw
from tests.engine.blocks import grow, meaning
from tests.engine.drawing import diagram
from tests.engine.walking import Environment, walker
from tests.standard.cases import Case, fits
from tests.standard.catalogue import CASES

_NAMED_FLOWS = [each for each in CASES if "activation" not in each.bpmn.decode()]
"""Conditions of complex gateways name flows, so that those cannot be renamed from outside."""


def course(case: Case, xml: bytes, before: dict[str, str], *, reload: bool) -> None:
    """Run the case's diagram as it is written now, and hold it against what the case prescribes."""
    marks: list[str] = []
    found = run(
        xml, "main", dict(case.given), functions={"mark": marks.append}, also_start=case.also_start,
        horizon_s=case.hours * 3600, reload=reload,
    )  # fmt: skip
    assert found.ended == case.ended, (found.ended, found.incidents, found.visited)
    visited = [before.get(each, each) for each in found.visited]
    if case.trace:
        assert fits(visited, case.trace), " ".join(visited)
    if case.marks:
        assert fits(marks, case.marks), " ".join(marks)
    assert {name: found.variables.get(name) for name in case.left} == dict(case.left)


def _some(cases: list[Case]) -> list[object]:
    """Every tenth at once, the others when all tests run."""
    return [
        pytest.param(
            each, id=each.title.replace(" ", "_"), marks=[] if place % 10 == 0 else [pytest.mark.slow]
        )
        for place, each in enumerate(cases)
    ]


@pytest.mark.parametrize("case", _some(list(CASES)))
def test_a_case_of_the_standard_holds_in_any_order_of_writing(case: Case):
    xml = moved(shuffled(case.bpmn, Random(case.title)), Random(case.title))
    course(case, xml, {}, reload=len(case.title) % 2 == 0)


@pytest.mark.parametrize("case", _some(_NAMED_FLOWS))
def test_a_case_of_the_standard_holds_under_other_ids(case: Case):
    xml, before = renamed(case.bpmn, Random(len(case.title)))
    course(case, xml, before, reload=False)


def reshaped(xml: bytes, random: Random) -> tuple[bytes, dict[str, str]]:
    """Written, called and drawn otherwise, all at once."""
    after, before = renamed(shuffled(xml, random), random)
    return moved(after, random), before


def as_meant(seed: int) -> None:
    """Walk a random diagram, reshaped and read anew after every step, beside its meaning."""
    random = Random(seed)
    block = grow(random, random.randint(2, 4))
    xml, before = reshaped(diagram(draw(block)), random)
    after = {old: new for new, old in before.items()}
    engine, expected = walker(xml, reload=True), meaning(block)
    for _ in range(40):
        found = Counter({(verb, before[name]): number for (verb, name), number in engine.actions().items()})
        assert found == expected.actions(), f"seed {seed}\n{draw(block)}"
        single = sorted(action for action, number in found.items() if number == 1)
        if not single:
            return
        verb, name = random.choice(single)
        engine.act((verb, after[name]))
        expected.act((verb, name))


def test_random_diagrams_mean_the_same_when_reshaped():
    for seed in range(60):
        as_meant(seed)


@pytest.mark.slow
def test_many_random_diagrams_mean_the_same_when_reshaped():
    for seed in range(60, 400):
        as_meant(seed)


class Decided(Environment):
    """Unknown names have a value of their own, whenever and in whatever order they are asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__(guesses=(True, False, "approve", "refuse", 0, 3))
        self.seed = seed

    def evaluate(self, text, variables):
        names = expression(text, frozenset()).names - set(variables)
        known = {name: self.guesses[crc32(f"{self.seed}{name}".encode()) % 6] for name in names}
        return super().evaluate(text, {**known, **variables})


def _models() -> list[tuple[Path, str]]:
    folders = [shipped() / "processes", Path(__file__).parents[1] / "layout"]
    files = [file for folder in folders for file in sorted(folder.glob("*/*.bpmn"))]
    return [(file, name) for file in files for name in read(file.read_bytes()).processes]


@pytest.mark.parametrize(("file", "process"), _models(), ids=lambda value: getattr(value, "stem", value))
def test_a_drawn_diagram_takes_the_same_course_when_reshaped(file: Path, process: str):
    for seed in range(6):
        random = Random(seed)
        xml, before = reshaped(file.read_bytes(), random)
        after = {old: new for new, old in before.items()}
        one, other = (walker(each, process, env=Decided(seed)) for each in (file.read_bytes(), xml))
        for _ in range(60):
            found = Counter({(verb, before[name]): n for (verb, name), n in other.actions().items()})
            assert one.actions() == found
            assert one.run.outcome == other.run.outcome
            assert one.run.data == other.run.data
            if not found:
                break
            verb, name = random.choice(sorted(found))
            one.act((verb, name))
            other.act((verb, after[name]))
