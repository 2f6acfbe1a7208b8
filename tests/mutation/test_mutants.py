"""How mutants are made and judged, on a shipped procedure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bpmn.reader import read
from engine.procedures import Change, Claim, Clause, Procedure
from tests.mutation.changing import NothingChangedError, bypasses, declared, parted
from tests.mutation.proving import NOTICED, UNNOTICED, Proof, proof_of, shortcomings
from tests.mutation.surgery import NotBypassedError


@pytest.fixture(scope="module")
def proof() -> Proof:
    return proof_of("003G")


@pytest.fixture(scope="module")
def procedure(proof: Proof) -> Procedure:
    return proof.procedure


def clause(proof: Proof, id_: str, **changes: object) -> Clause:
    found = next(each for each in proof.procedure.clauses if each.id == id_)
    return replace(found, **{"mutants": (), "claims": (), **changes})  # type: ignore[arg-type]


def change(kind: str, id_: str, without: str | None = None, **put: object) -> Change:
    return Change(kind, id_, without, {key.replace("__", "."): value for key, value in put.items()} or None)  # type: ignore[misc]


def made(procedure: Procedure, *changes: Change) -> Procedure:
    [mutant] = declared(procedure, changes)
    return mutant.build()


def test_what_led_to_a_step_leads_to_what_followed_it_and_dates_count_from_its_own_anchor(
    procedure: Procedure,
) -> None:
    [mutant] = bypasses(procedure, "statistics")
    process = read(mutant.build().diagram).processes[procedure.process]
    assert "statistics" not in process.nodes
    assert process.flows["summarise_to_statistics"].target == "list_problems"
    assert process.nodes["meeting"].properties["flow.due"] == "P3WD after collect_by"
    assert "statistics" not in process.nodes["archive"].properties["flow.in"]


def test_forms_and_records_go_with_the_step_that_used_them(procedure: Procedure) -> None:
    [mutant] = bypasses(procedure, "train")
    left = mutant.build()
    assert "training" not in left.records
    assert "training" not in left.forms


def test_a_choice_is_bypassed_once_for_every_way_out(procedure: Procedure) -> None:
    assert [each.name for each in bypasses(procedure, "approved")] == [
        "always both_approved",
        "always refused",
    ]
    always = bypasses(procedure, "approved")[0].build()
    assert (
        read(always.diagram).processes[procedure.process].flows["approve_to_approved"].target == "plan_paper"
    )


def test_an_element_without_another_way_has_no_bypass(procedure: Procedure) -> None:
    for element in ("survey_archived", "archive_to_end", "nothing_of_that_name"):
        with pytest.raises(NotBypassedError):
            bypasses(procedure, element)


def test_parts_are_changed_where_a_clause_says_so(procedure: Procedure) -> None:
    free = made(procedure, change("field", "plan.scope", "required"))
    assert [each.id for each in free.forms["plan"].questions if not each.required] == ["scope"]
    assert "scope" not in {
        each.id for each in made(procedure, change("field", "plan.scope")).forms["plan"].questions
    }
    lax = made(procedure, change("parameter", "problem_threshold", value=10))
    assert lax.values["problem_threshold"] == 10
    often = made(procedure, change("schedule", "quarter_begins", start__latest_fit={"working_days": 20}))
    assert often.schedules["quarter_begins"].written["start"]["latest_fit"] == {"working_days": 20}  # type: ignore[index, call-overload]
    nodes = read(made(procedure, change("element", "approve", lane="cs_assistant")).diagram).processes
    assert nodes[procedure.process].nodes["approve"].lane == "cs_assistant"
    nodes = read(
        made(procedure, change("element", "meeting", "flow.verify"), change("element", "train")).diagram
    ).processes
    assert "flow.verify" not in nodes[procedure.process].nodes["meeting"].properties
    assert "train" not in nodes[procedure.process].nodes


def test_one_entry_of_what_a_batch_gets_is_changed(procedure: Procedure) -> None:
    nodes = read(
        made(procedure, change("element", "rectification", flow__in__action_limit="d0")).diagram
    ).processes
    given = nodes[procedure.process].nodes["rectification"].properties["flow.in"]
    assert [each.strip() for each in parted(given)][-2:] == [
        'action_person = problem["head"]',
        "action_limit = d0",
    ]
    assert list(parted('a, b = "x, y", c = f(1, 2)')) == ["a", ' b = "x, y"', " c = f(1, 2)"]


@pytest.mark.parametrize(
    "nothing",
    [
        change("field", "plan.scoop", "required"),
        change("element", "meeting", "flow.not-same-as"),
        change("parameter", "threshold", value=1),
        change("schedule", "quarter_begins", "months"),
        change("form", "planning", version="2"),
    ],
    ids=str,
)
def test_a_mutant_that_changes_nothing_is_told(procedure: Procedure, nothing: Change) -> None:
    with pytest.raises(NothingChangedError):
        made(procedure, nothing)


def test_what_no_scenario_notices_is_reported_with_the_scenarios_that_were_played(proof: Proof) -> None:
    harmless = clause(
        proof, "003G-6", mutants=((change("record", "plan", title="另一个名称"),),), elements=()
    )
    [verdict] = proof.clause(harmless)
    assert (verdict.outcome, verdict.reason) == (UNNOTICED, "happy")
    assert shortcomings(harmless, [verdict])


@pytest.mark.slow
def test_one_of_several_elements_has_to_be_noticed(proof: Proof) -> None:
    archived = clause(proof, "003G-19", elements=("all_followed_up", "archive"), scenarios=("happy",))
    outcomes = [each.outcome for each in proof.clause(archived)]
    assert outcomes[-1] == NOTICED
    assert shortcomings(archived, list(proof.clause(archived))) == []


def test_rules_alone_prove_nothing_unless_a_mutant_or_an_assertion_is_declared(proof: Proof) -> None:
    bare = clause(proof, "003G-6", elements=())
    assert shortcomings(bare, list(proof.clause(bare)))
    said = replace(bare, claims=(Claim("field", "plan.scope", {"required": True}),))
    assert shortcomings(said, list(proof.clause(said))) == []
    untrue = replace(bare, claims=(Claim("element", "approve", {"lane": "cs_assistant"}),))
    assert shortcomings(untrue, list(proof.clause(untrue))) == [
        "assert approve: NOT NOTICED: lane of approve is 'project_gm'"
    ]
