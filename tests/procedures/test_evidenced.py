"""What a survey leaves as evidence, clause by clause, with what it called."""

from __future__ import annotations

from pathlib import Path

from engine.procedures import Procedure
from engine.queries.records import FileState
from engine.scenarios import Scenarios
from tests.procedures.conftest import Courses
from tests.procedures.playing import Player, played, proven

ID = "it-service-annual-census"


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
    assert {each.late for each in found["000A-24"].tasks if each.status == "done"} == {True}
    assert found["000A-24"].status == "open"  # the forms are still to be received, for which no day is set
    assert found["000A-7"].status == "late"
    assert found["000A-31"].status == "not yet"


def statuses(courses: Courses, procedure_id: str, course: str) -> dict[str, str]:
    return {clause: each.status for clause, each in proven(courses.kept(procedure_id, course)).items()}


def test_a_quota_or_standard_that_was_missed_is_not_called_done(courses: Courses) -> None:
    short = statuses(courses, "owner-annual-90-80-90", "returns_short")
    assert (short["003I-6"], short["003I-7"]) == ("done", "not met")
    missed = statuses(courses, "owner-annual-90-80-90", "missed_standard")
    assert (missed["003I-7"], missed["003I-8"], missed["003I-9"]) == ("done", "not met", "not met")
    gap = statuses(courses, "certification-body-annual-visit", "gap_accepted")
    assert (gap["003C-7"], gap["003C-8"]) == ("not met", "not met")


def test_what_a_clause_wants_is_open_while_some_of_it_is_still_to_come(courses: Courses) -> None:
    running = statuses(courses, "owner-annual-90-80-90", "returns_short")
    assert {running["003I-1"], running["003I-34"], running["003I-15"]} == {"open"}


def test_a_record_that_was_made_again_is_no_damaged_proof(courses: Courses) -> None:
    found = proven(courses.kept("owner-annual-90-80-90", "happy"))
    assert "unproven" not in {each.status for each in found.values()}
    files = {paper.file for each in found.values() for paper in each.records}
    assert files == {FileState.SOUND, FileState.REPLACED}


def test_of_what_was_called_only_the_part_counts_at_which_the_rule_of_a_clause_stands(
    courses: Courses,
) -> None:
    found = proven(courses.kept("building-quarterly-15-workdays", "happy"))
    assert {each.element for each in found["003G-14"].tasks} == {"collect"}
    assert {each.element for each in found["003G-13"].tasks} == {"distribute"}
