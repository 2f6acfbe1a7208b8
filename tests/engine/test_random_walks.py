"""Random diagrams and random courses: against an independent reading of BPMN, and against never reloading."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn import state
from engine.bpmn.reader import read
from engine.bpmn.rules import findings
from engine.config import shipped
from engine.errors import EngineError
from tests.engine.block_drawing import draw
from tests.engine.blocks import grow, meaning
from tests.engine.drawing import diagram
from tests.engine.test_batches import CHILDREN
from tests.engine.test_errors import CALLS_UP, ERROR
from tests.engine.test_event_subprocesses import EVENT_SUB
from tests.engine.test_gateways import PARALLEL_IN_LOOP
from tests.engine.test_lifecycle import EVERYTHING
from tests.engine.walking import Environment, Walker, walker

STEPS = 60


def agree(seed: int) -> int:
    """Walk a random diagram beside its meaning. Returns the steps taken."""
    random = Random(seed)
    block = grow(random, random.randint(2, 4))
    xml = diagram(draw(block))
    assert not findings(read(xml)), (seed, findings(read(xml)), draw(block))
    engine, expected = walker(xml), meaning(block)
    for step in range(STEPS):
        actions = expected.actions()
        assert engine.actions() == actions, f"seed {seed}, step {step}\n{draw(block)}"
        assert engine.ended is not bool(actions), f"seed {seed}, step {step}\n{draw(block)}"
        if not actions:
            return step
        single = sorted(action for action, number in actions.items() if number == 1)
        if not single:
            return step  # of several alike the two readings might take different ones
        action = random.choice(single)
        engine.act(action)
        expected.act(action)
    return STEPS


def test_random_block_diagrams_do_what_an_independent_reading_of_them_says():
    assert sum(agree(seed) for seed in range(500)) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_ten_thousand_random_block_diagrams_do_what_an_independent_reading_of_them_says(part):
    for seed in range(500 + part * 1900, 2400 + part * 1900):
        agree(seed)


DIAGRAMS = [EVERYTHING, PARALLEL_IN_LOOP, CHILDREN, CALLS_UP, ERROR, EVENT_SUB]
_DRAWN = [diagram(each.format(options="") if each is CHILDREN else each) for each in DIAGRAMS]


def beside(kept: Walker, loaded: Walker, choose) -> None:
    """Walk both in the same way; after every step nothing may tell them apart."""
    for _ in range(STEPS):
        assert kept.told == loaded.told
        assert kept.run.outcome == loaded.run.outcome
        if kept.ended:
            return
        assert orjson.loads(state.dump(kept.run)) == orjson.loads(state.dump(loaded.run))
        numbers = sorted(kept.numbers())
        if not numbers:
            return
        number = choose(numbers)
        raised = []
        for each in (kept, loaded):
            try:
                each.act_on(number)
                raised.append("")
            except EngineError as error:
                raised.append(str(error))
        assert raised[0] == raised[1]
        if raised[0]:
            return  # the command would be rolled back


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_loading_anew_after_every_step_is_the_same_as_never(seed, data):
    xml = diagram(draw(grow(Random(seed), 3)))
    beside(walker(xml), walker(xml, reload=True), lambda numbers: data.draw(st.sampled_from(numbers)))


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, len(DIAGRAMS) - 1), data=st.data())
def test_loading_anew_is_the_same_as_never_with_events_errors_and_compensation(which, data):
    xml = _DRAWN[which]
    one, other = (walker(xml, reload=reload, env=Environment({"items": [1]})) for reload in (False, True))
    beside(one, other, lambda numbers: data.draw(st.sampled_from(numbers)))


def _shipped() -> list[tuple[Path, str]]:
    files = sorted((shipped() / "processes").glob("*/*.bpmn"))
    return [(file, name) for file in files for name in read(file.read_bytes()).processes]


@pytest.mark.parametrize(("file", "process"), _shipped(), ids=lambda value: getattr(value, "stem", value))
@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_every_shipped_diagram_loads_anew_as_if_it_never_had(file, process, data, seed):
    xml = file.read_bytes()
    source = read(xml).processes[process]
    conditions = " ".join(flow.condition or "" for flow in source.flows.values())
    guesses = [True, False, *re.findall(r"[\"'](\w+)[\"']", conditions)]
    one, other = (
        walker(xml, process, reload=reload, env=Environment(seed=seed, guesses=guesses))
        for reload in (False, True)
    )
    beside(one, other, lambda numbers: data.draw(st.sampled_from(numbers)))
