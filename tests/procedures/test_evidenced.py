"""What a survey leaves as evidence, clause by clause, with what it called."""

from __future__ import annotations

from pathlib import Path

from engine.procedures import Procedure
from engine.queries.evidence import Evidence, evidence
from engine.queries.records import FileState
from engine.scenarios import Scenarios
from tests.procedures.playing import Player, played

ID = "it-service-annual-census"


def proven(player: Player) -> dict[str, Evidence]:
    app = player.app
    with app.store.read() as conn:
        found = evidence(conn, app.services.library, player.instance, app.clock.now(), app.workspace.folder)
    return {each.clause: each for each in found}


def test_what_was_called_counts_with_the_step_that_called_it(procedure: Procedure, happy: Player) -> None:
    found = proven(happy)
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
    with played(scenarios, procedure, "fieldwork_late", tmp_path) as player:
        assert player.deviations == []
        found = proven(player)
    assert "missed" in {each.status for each in found["000A-24"].deadlines}
    assert found["000A-24"].status == "overdue"  # the forms are still to be received
    assert found["000A-7"].status == "late"
    assert found["000A-31"].status == "not yet"
