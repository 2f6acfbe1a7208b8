"""What a survey leaves as evidence, clause by clause, with what it called."""

from __future__ import annotations

from pathlib import Path

from engine.procedures import Procedure
from engine.queries.evidence import Evidence, evidence
from engine.queries.records import FileState
from engine.scenarios import Scenarios
from tests.procedures.playing import Player, stage_app

ID = "it-service-annual-census"


def proven(procedure: Procedure, scenarios: Scenarios, name: str, folder: Path) -> dict[str, Evidence]:
    scenario = scenarios.scenarios[name]
    with stage_app(procedure, scenarios.stage, scenario.begin.at, folder) as app:
        player = Player(app, procedure, scenarios.stage, scenario)
        assert player.play().as_expected
        with app.store.read() as conn:
            library = app.services.library
            found = evidence(conn, library, player.instance, app.clock.now(), folder)
    return {each.clause: each for each in found}


def test_what_was_called_counts_with_the_step_that_called_it(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    found = proven(procedure, scenarios, "happy", tmp_path)
    assert list(found) == [clause.id for clause in procedure.clauses]
    carried_out = found["000A-29"]
    assert (carried_out.status, carried_out.reached, carried_out.unreached) == (
        "done",
        ("improve",),
        ("hand_over",),
    )
    assert [each.element for each in carried_out.tasks].count(
        "execute_action"
    ) == 2  # of the called procedure
    assert {each.status for each in carried_out.deadlines} == {"met"}
    assert all(each.file is FileState.SOUND for each in carried_out.records)
    assert {line.chain for line in carried_out.journal} > {"SV-1"}
    assert {each.record.code for each in found["000A-33"].records} >= {
        f"XX-ITSMS-QR-07-0{n}" for n in (1, 2, 3)
    }
    assert {each.status for each in found.values()} == {"done"}


def test_a_survey_done_after_its_time_is_evidence_of_that(
    procedure: Procedure, scenarios: Scenarios, tmp_path: Path
) -> None:
    found = proven(procedure, scenarios, "fieldwork_late", tmp_path)
    assert "missed" in {each.status for each in found["000A-24"].deadlines}
    assert found["000A-24"].status == "overdue"  # the forms are still to be received
    assert found["000A-7"].status == "late"
    assert found["000A-31"].status == "not yet"
