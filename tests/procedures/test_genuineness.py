"""The check of genuineness, the shared block: 2-3 calls, a tenth against the originals, all once in doubt (003F)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.errors import Conflict, Denied, Invalid
from engine.store import tables
from survey import ledger, spotchecks
from survey.commands import ImportReturns
from survey.precision import part_of
from survey.tables import spot_check, spot_verdict
from tests.procedures.aftermath import ANN, HEAD, SATISFIED, Aftermath, aftermath, copied

ID = "shared/genuineness-check"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    with aftermath(tmp_path_factory.mktemp("survey")) as found:
        yield found


@pytest.fixture
def survey(played: Aftermath) -> Iterator[Aftermath]:
    """Forty were given a questionnaire, thirty-five sent it back."""
    with copied(played) as found:
        yield found


def of_check(survey: Aftermath) -> Any:
    (row,) = survey.children("genuineness_check")
    return row


def known(survey: Aftermath) -> dict[str, Any]:
    return survey.variables(of_check(survey).id)


def checks(survey: Aftermath) -> dict[str, spotchecks.Check]:
    number = of_check(survey).id
    with survey.app.store.read() as conn:
        return {each.kind: each for each in spotchecks.checks_of(conn, number)}


def phoned(survey: Aftermath, *verdicts: str) -> None:
    """Everybody drawn was called; what is not said otherwise is confirmed."""
    rows = known(survey)["phone_list"]
    said = [*verdicts, *("confirmed",) * len(rows)]
    survey.answer("phone_check", "quin", phone_list=[
        {**row, "verdict": verdict, "note": "收到过并已交回" if verdict == "contradicted" else ""}
        for row, verdict in zip(rows, said, strict=False)
    ])  # fmt: skip


def compared(survey: Aftermath, element: str = "compare", *verdicts: str) -> None:
    """Every sheet was compared; what is not said otherwise is genuine."""
    said = list(verdicts)
    while waiting := survey.open_tasks(element):
        rows = survey.variables(waiting[0].instance_id)["originals"]
        table = []
        for row in rows:
            verdict = said.pop(0) if said else row.get("verdict") or "genuine"
            note = row.get("note") or ("" if verdict == "genuine" else "与原件不符")
            table.append({**row, "verdict": verdict, "note": note})
        survey.answer(element, "quin", originals=table)


def test_three_of_five_unreturned_and_four_of_thirty_five_returned_are_drawn(survey: Aftermath) -> None:
    survey.collected()
    drawn = checks(survey)
    assert {kind: (each.population, each.size) for kind, each in drawn.items()} == {
        "phone": (5, 3),
        "recheck": (35, 4),
    }
    with survey.app.store.read() as conn:
        assert all(spotchecks.drawn_alike(conn, each) for each in drawn.values())
        called = [each.member.number for each in spotchecks.judged(conn, drawn["phone"])]
    assert set(called) <= {36, 37, 38, 39, 40}
    facts = survey.facts("check.drawn")
    assert [(each["kind"], each["seed"], each["frame_sha256"]) for each in facts] == [
        (each.kind, each.seed, each.frame_sha256) for each in drawn.values()
    ]


def test_a_draw_that_was_tampered_with_is_found_out(survey: Aftermath) -> None:
    survey.collected()
    drawn = checks(survey)["recheck"]
    with survey.app.store.write() as conn:
        taken = [each.member for each in spotchecks.judged(conn, drawn)]
        other = next(
            each for each in spotchecks.returned(conn, survey_round(survey, conn)) if each not in taken
        )
        conn.execute(update(spot_verdict).where(
            spot_verdict.c.check_id == drawn.id, spot_verdict.c.member_id == taken[0].id
        ).values(member_id=other.id))  # fmt: skip
    with survey.app.store.read() as conn:
        assert not spotchecks.drawn_alike(conn, drawn)


def survey_round(survey: Aftermath, conn: Any) -> Any:
    from survey import rounds

    return rounds.round_of(conn, survey.instance)


@given(st.integers(0, 5_000))
def test_a_tenth_is_rounded_up_and_at_least_one(returned: int) -> None:
    size = part_of(returned, "0.1")
    assert 10 * size >= returned > 10 * (size - 1) if returned else size == 0


def test_where_all_is_as_recorded_the_check_ends_and_leaves_its_record(survey: Aftermath) -> None:
    survey.collected()
    phoned(survey, "unreachable")
    compared(survey)
    found = known(survey)
    assert (found["genuine"], found["checks_made"], found["full_check"], found["report_made"]) == (
        True,
        6,
        False,
        False,
    )
    assert of_check(survey).status == "completed"
    assert {row.name for row in survey.rows(tables.record)} - {"业户满意度调查回访记录"} == {
        "未回收样本电话核对记录", "原始问卷核对表", "问卷真实性核对记录",
    }  # fmt: skip
    (own,) = survey.rows(tables.record, tables.record.c.name == "原始问卷核对表")
    assert own.code == "JL-30"  # the caller's
    found_round = survey.round()
    with survey.app.store.read() as conn:
        entries = ledger.lines(conn, found_round)
    assert [each.note for each in entries if each.kind == "recheck"] == ["真实性核对：真实一致"] * 4


def test_one_that_is_not_genuine_has_all_checked_and_reported_to_the_general_manager(
    survey: Aftermath,
) -> None:
    survey.collected()
    phoned(survey)
    compared(survey, "compare", "not_genuine", "entry_error")
    assert not survey.open_tasks("write_report")
    assert checks(survey)["full"].size == 35
    compared(survey, "compare_all")
    found = known(survey)
    assert (found["genuine"], found["full_check"], found["doubted"], found["entry_errors"]) == (
        False,
        True,
        1,
        1,
    )
    survey.answer("write_report", "hal", report_conclusion="一份由员工代填", report_proposal="剔除并追责")
    assert known(survey)["report_made"]
    (report,) = survey.rows(
        tables.record, tables.record.c.name == "真实性核对结果报告", tables.record.c.path.like("%.docx")
    )
    assert (survey.folder / report.path).stat().st_size > 5_000
    with pytest.raises(Invalid):
        survey.answer("decide", "bo", gm_decision="discipline")
    with pytest.raises(Denied):
        survey.answer("decide", "hal", gm_decision="discipline", gm_decision_text="通报")
    assert of_check(survey).status == "running"
    survey.answer("decide", "bo", gm_decision="discipline", gm_decision_text="通报并重新培训")
    assert of_check(survey).status == "completed"


def test_a_call_that_contradicts_the_records_is_enough_a_slip_of_typing_is_not(survey: Aftermath) -> None:
    survey.collected()
    with copied(survey) as other:
        phoned(other)
        compared(other, "compare", "entry_error", "entry_error")
        assert (known(other)["genuine"], known(other)["entry_errors"]) == (True, 2)
    phoned(survey, "contradicted")
    compared(survey)
    assert (known(survey)["genuine"], known(survey)["doubted"]) == (False, 1)
    assert checks(survey)["full"].size == 35


def test_every_questionnaire_drawn_gets_one_verdict_and_doubt_a_reason(survey: Aftermath) -> None:
    survey.collected()
    rows = known(survey)["phone_list"]
    with pytest.raises(Invalid) as refused:
        survey.answer("phone_check", "quin", phone_list=[
            {"number": rows[0]["number"], "verdict": "confirmed"},
            {"number": rows[0]["number"], "verdict": "confirmed"},
            {"number": 1, "verdict": "confirmed"},
            {"number": rows[1]["number"], "verdict": "contradicted"},
        ])  # fmt: skip
    assert [each.field for each in refused.value.problems] == [
        "phone_list", "phone_list.2.number", "phone_list.3.number", "phone_list.4.note",
    ]  # fmt: skip


def test_the_machine_compares_a_second_entry_and_takes_no_genuine_where_they_differ(
    survey: Aftermath,
) -> None:
    with copied(survey) as alike:
        second_entry(alike, SATISFIED)
        (task,) = alike.open_tasks("compare")
        rows = alike.variables(task.instance_id)["originals"]
        assert {row["differences"] for row in rows} == {"两次录入一致"}
        compared(alike)
    second_entry(survey, "1,3,,,")
    (task,) = survey.open_tasks("compare")
    rows = survey.variables(task.instance_id)["originals"]
    assert {row["differences"] for row in rows} == {"两次录入不一致：overall 4→1"}
    with pytest.raises(Invalid) as refused:
        survey.answer("compare", "quin", originals=[{**row, "verdict": "genuine"} for row in rows])
    assert [each.field for each in refused.value.problems] == [f"originals.{n}.verdict" for n in (1, 2, 3, 4)]
    compared(survey, "compare", *["entry_error"] * 4)
    assert known(survey)["entry_errors"] == 4


def second_entry(survey: Aftermath, said: str) -> None:
    """All was typed in again; the calls are made."""
    lines = "".join(f"H-{number},{said}\n" for number in range(1, 36))
    survey.app.do(ImportReturns(by=ANN, instance=survey.instance, data=HEAD + lines, second=True))
    survey.collected()
    phoned(survey)


@pytest.mark.parametrize(("issued", "returned", "calls"), [(2, 1, 1), (1, 1, 0), (2, 0, 2)])
def test_fewer_than_three_are_all_called_and_none_is_said_so(
    tmp_path: Path, issued: int, returned: int, calls: int
) -> None:
    with aftermath(tmp_path, issued=issued, returned=returned) as survey:
        survey.collected()
        drawn = checks(survey)
        assert (drawn["phone"].size if calls else len(drawn)) == (calls or 1)
        assert bool(survey.open_tasks("phone_check")) == bool(calls)
        if calls:
            phoned(survey)
        assert len(survey.open_tasks("compare")) == min(returned, 1)
        skipped = [each["reason"] for each in survey.facts("check.skipped")]
        assert skipped == (
            ["已发放的问卷全部收回，无需电话核对。"]
            if not calls
            else []
            if returned
            else ["没有收回的问卷，无需与原始问卷核对。"]
        )
        compared(survey)
        assert of_check(survey).status == "completed"


def test_a_check_is_drawn_once(survey: Aftermath) -> None:
    survey.collected()
    with survey.app.store.write() as conn, pytest.raises(Conflict, match="drawn already"):
        spotchecks.draw(
            conn,
            survey_round(survey, conn),
            "phone",
            2,
            instance=of_check_in(conn),
            by="quin",
            now=survey.app.clock.now(),
        )


def of_check_in(conn: Any) -> int:
    return int(conn.execute(spot_check.select()).first().instance_id)


def test_both_databases_check_alike(tmp_path: Path, database: str) -> None:
    with aftermath(tmp_path, database, issued=12, returned=11, answers={"H-1": "1,2,电梯常停,1,"}) as survey:
        survey.collected()
        phoned(survey)
        compared(survey, "compare", "not_genuine")
        compared(survey, "compare_all")
        found = known(survey)
        assert (found["genuine"], found["full_check"], found["doubted"]) == (False, True, 1)
        with survey.app.store.read() as conn:
            assert all(
                spotchecks.drawn_alike(conn, each) for each in spotchecks.checks_of(conn, of_check_in(conn))
            )
