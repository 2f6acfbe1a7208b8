"""Call-backs, the shared block: who is called back, until when, how often; documents 003C, 003F and 003I."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.handlers import Call
from engine.model import Actor
from engine.store import tables
from survey import callbacks, ledger, rosters, wanted
from survey.commands import CallbacksTaken, CorrectAnswers, EraseRespondent, ImportCallbacks, LogCallback
from tasks.callbacks import attempt_sound
from tests.procedures.aftermath import ANN, Aftermath, aftermath, copied

ID = "shared/call-back"

ANSWERS = {
    "H-1": "1,2,电梯常停,1,13900000009",  # dissatisfied, with an opinion and a complaint
    "H-2": "2,4,,,",  # dissatisfied on the whole
    "H-3": "4,1,,,",  # only with one item
    "H-4": "3,3,希望多种树,,",
    "H-5": ",,,,13700000000",  # said nothing but a telephone number
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    with aftermath(tmp_path_factory.mktemp("survey"), answers=ANSWERS, returned=6, issued=8) as found:
        yield found


@pytest.fixture
def survey(played: Aftermath) -> Iterator[Aftermath]:
    with copied(played) as found:
        yield found


def log(survey: Aftermath, item: str, by: Actor = ANN, **values: str) -> callbacks.Callback:
    survey.app.do(LogCallback(by=by, item=item, values=values))
    survey.app.settle()
    with survey.app.store.read() as conn:
        return callbacks.callback(conn, int(item.partition(".")[0].removeprefix("SV-")))


def all_of(survey: Aftermath, *called_by: str) -> list[callbacks.Callback]:
    with survey.app.store.read() as conn:
        return list(callbacks.callbacks(conn, root=survey.instance, called_by=called_by))


def one(survey: Aftermath, called_by: str, customer: str) -> callbacks.Callback:
    return next(each for each in all_of(survey, called_by) if each.customer == customer)


def test_a_way_that_is_not_allowed_is_refused_in_the_words_of_the_form(survey: Aftermath) -> None:
    with survey.app.store.read() as conn:
        call = Call(
            instance=survey.instance, label="SV-1", root=survey.instance, unit="tower", procedure=ID, element="e",
            name="", properties={}, variables={"callback_modes": "phone，visit"}, parameters={}, by="ann",
            now=datetime(2026, 7, 21, 4, tzinfo=UTC), today="2026-07-21", conn=conn, folder=Path(),
            values={"callback_mode": "email", "callback_on": "2026-07-21"},
        )  # fmt: skip
        with pytest.raises(Invalid) as refused:
            attempt_sound(call)
    assert [problem.params for problem in refused.value.problems] == [{"ways": "电话、上门"}]


def test_who_wrote_an_opinion_is_called_within_fifteen_days_of_collection_003f(survey: Aftermath) -> None:
    survey.collected("2026-07-20")
    found = all_of(survey, "phone_opinions")
    assert [(each.customer, each.reason, each.due) for each in found] == [
        ("H-1", "其他意见：电梯常停", "2026-08-04"),
        ("H-4", "其他意见：希望多种树", "2026-08-04"),
    ]
    tasks = {task.id: task for task in survey.open_tasks("call_customer")}
    assert {tasks[each.task or ""].role for each in found} == {"assistant"}
    survey.move("2026-08-04 23:59")
    log(survey, found[0].id, outcome="satisfied", note="已告知维修安排")
    survey.move("2026-08-05 00:01")
    log(survey, found[1].id, outcome="satisfied", note="已答复")
    deadline = tables.deadline
    status = {
        row.task_id: row.status
        for row in survey.rows(deadline)
        if row.task_id in {each.task for each in found}
    }
    assert [status[each.task or ""] for each in found] == ["met", "missed"]


def test_an_opinion_entered_when_a_survey_lists_nobody_any_more_stands_in_its_history(
    survey: Aftermath,
) -> None:
    def write(code: str, opinion: str) -> None:
        values = {"opinion": opinion}
        survey.app.do(
            CorrectAnswers(by=ANN, instance=survey.instance, code=code, values=values, reason="漏录")
        )

    write("H-5", "楼道太暗")  # in time: the list is yet to be made
    survey.collected()
    assert "H-5" in {each.customer for each in all_of(survey, "phone_opinions")}
    write("H-5", "楼道太暗，电梯常停")  # is called back already
    assert survey.facts("round.uncalled") == []
    write("H-6", "停车难")
    assert [each["members"] for each in survey.facts("round.uncalled")] == ["6"]


def test_the_dissatisfied_are_those_below_satisfied_on_the_whole_or_by_choice_on_any_item_003i(
    survey: Aftermath,
) -> None:
    found = survey.round()
    with survey.app.store.read() as conn:
        overall = [(each.customer, each.reason) for each in wanted.dissatisfied(conn, found)]
        every = [(each.customer, each.reason) for each in wanted.dissatisfied(conn, found, any_item=True)]
        complained = [(each.customer, each.reason) for each in wanted.complaints(conn, found, "complaint")]
    assert overall == [("H-1", "总体评价：很不满意"), ("H-2", "总体评价：不太满意")]
    assert every == [
        ("H-1", "总体评价：很不满意；礼仪礼貌：不太满意"),
        ("H-2", "总体评价：不太满意"),
        ("H-3", "礼仪礼貌：很不满意"),
    ]
    assert complained == [("H-1", "其他意见：电梯常停")]


def test_the_dissatisfied_are_called_until_satisfied_and_the_head_decides_at_the_end_003i(
    survey: Aftermath,
) -> None:
    survey.collected()
    item = one(survey, "phone_dissatisfied", "H-2")
    again = log(survey, item.id, outcome="dissatisfied", note="仍不满意", complaint="要求换人")
    assert (again.to_call, again.complaint, len(again.attempts)) == (True, True, 1)
    assert again.task != item.task
    log(survey, item.id, outcome="unreachable", note="无人接听")
    escalated = log(survey, item.id, outcome="dissatisfied", note="不接受")
    assert (escalated.element, escalated.status) == ("decide_callback", "running")
    with pytest.raises(Conflict, match="the head decides first"):
        survey.app.do(LogCallback(by=ANN, item=item.id, values={"outcome": "satisfied", "note": "x"}))
    place = [task.id for task in survey.open_tasks("decide_callback")].index(escalated.task or "")
    survey.answer(
        "decide_callback", "hal", place, callback_decision="close", callback_decision_reason="已尽力"
    )
    closed = one(survey, "phone_dissatisfied", "H-2")
    assert (closed.status, closed.outcome, len(closed.attempts)) == ("completed", "closed", 3)


def test_an_attempt_is_not_dated_before_the_round_nor_before_the_last_attempt(survey: Aftermath) -> None:
    survey.collected("2026-07-20")
    survey.move("2026-07-23 09:00")
    item = one(survey, "phone_opinions", "H-1").id
    for day in ("2020-01-01", "2026-06-30"):
        with pytest.raises(Invalid, match=f"on: {day} is before 2026-07-01"):
            log(survey, item, outcome="unreachable", note="无人接听", on=day)
    log(survey, item, outcome="unreachable", note="无人接听", on="2026-07-22")
    with pytest.raises(Invalid, match="on: 2026-07-21 is before 2026-07-22, the day of the last attempt"):
        log(survey, item, outcome="satisfied", note="好", on="2026-07-21")
    assert len(log(survey, item, outcome="satisfied", note="好", on="2026-07-22").attempts) == 2


def test_key_customers_are_listed_by_hand_each_known_and_each_called_003i(survey: Aftermath) -> None:
    with pytest.raises(Invalid) as refused:
        survey.collected(keys=[{"customer": "H-8", "reason": "大户"}, {"customer": "X-9", "reason": "?"}])
    assert [problem.field for problem in refused.value.problems] == ["key_customers.2.customer"]
    survey.collected(keys=[{"customer": "H-8", "reason": "大户"}])
    (found,) = all_of(survey, "phone_key")
    assert (found.customer, found.number, found.reason) == ("H-8", 8, "大户")


def test_every_attempt_stands_in_the_ledger_and_changes_nothing_of_the_return(survey: Aftermath) -> None:
    survey.collected()
    log(survey, one(survey, "phone_opinions", "H-4").id, outcome="satisfied", note="好", mode="visit")
    found = survey.round()
    with survey.app.store.read() as conn:
        last = ledger.lines(conn, found, 4)[-1]
        member = callbacks.in_round(conn, found, number=4, customer="")
    assert (last.kind, last.channel, last.note, last.day) == ("attempt", "visit", "回访：满意", "2026-07-20")
    assert member is not None
    assert (member.disposition, member.channel) == ("complete", "paper")


def test_no_telephone_number_enters_variables_or_history(survey: Aftermath) -> None:
    survey.collected()
    found = one(survey, "phone_opinions", "H-1")
    with survey.app.store.read() as conn:
        assert callbacks.contacts(conn, [found])[found.respondent or 0]["phone"] == "13800000001"
    log(survey, found.id, outcome="satisfied", note="好")
    states = [survey.variables(row.id) for row in survey.rows(tables.instance)]
    written = f"{states}" + "".join(f"{row.facts}" for row in rows_of_journal(survey))
    assert "13800000001" not in written
    assert "13900000009" not in written  # a personal answer of the questionnaire
    survey.app.do(EraseRespondent(by=ANN, code="H-1", reason="本人要求"))
    with survey.app.store.read() as conn:
        assert callbacks.contacts(conn, [found]) == {}
        assert rosters.find(conn, "H-1").code == "H-1"


def rows_of_journal(survey: Aftermath) -> list[Any]:
    with survey.app.store.read() as conn:
        return list(conn.execute(tables.journal.select()))


def test_who_lacks_the_role_enters_nothing(survey: Aftermath) -> None:
    survey.collected()
    item = one(survey, "phone_opinions", "H-4")
    with pytest.raises(Denied):
        survey.app.do(LogCallback(by=Actor("bo"), item=item.id, values={"outcome": "satisfied", "note": "x"}))
    with pytest.raises(NotFound, match="is no call-back"):
        survey.app.do(LogCallback(by=ANN, item=f"SV-{survey.instance}", values={"outcome": "satisfied"}))


def sheet(rows: list[tuple[str, ...]]) -> str:
    lines = [
        "任务,结果,说明,方式,日期,投诉内容,电话",
        *(",".join((*row, "", "", "", "")[:7]) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def test_a_sheet_of_outcomes_is_entered_whole_or_not_at_all(survey: Aftermath) -> None:
    survey.collected()
    tasks = [each.task or "" for each in all_of(survey)]
    good: list[tuple[str, ...]] = [
        (tasks[0], "满意", "认可", "上门", "2026年7月20日", "", "13800000001"),
        (tasks[1], "未联系上", "关机", "", "", "", ""),
        (tasks[2], "不满意", "仍不满意", "", "", "要求退费", ""),
        (tasks[3], "", "", "", "", "", ""),
    ]
    bad = [
        *good,
        (tasks[3], "很好", "", "", "", ""),
        (tasks[0], "满意", "", "", "", ""),
        ("SV-999.1", "满意", "x", "", "", ""),
    ]
    bad[0] = (tasks[0], "满意", "", "", "2026-07-21", "", "")
    with pytest.raises(Invalid) as refused:
        survey.app.do(ImportCallbacks(by=ANN, data=sheet(bad)))
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["row 2, on", "row 2, note", "row 6, outcome", "row 7, task", "row 8"]
    assert [each.attempts for each in all_of(survey)] == [()] * len(tasks)
    taken = survey.app.do(ImportCallbacks(by=ANN, data=sheet(good))).value
    assert isinstance(taken, CallbacksTaken)
    assert (taken.taken, taken.left_out) == (3, 1)
    assert taken.outcomes == {"satisfied": 1, "unreachable": 1, "dissatisfied": 1}
    survey.app.settle()
    first, second, third, fourth = all_of(survey)[:4]
    assert [(a.on, a.mode, a.note) for a in first.attempts] == [("2026-07-20", "visit", "认可")]
    assert (second.attempts[0].note, second.to_call, second.task) == ("关机", True, f"{second.id}.2")
    assert (third.complaint, fourth.attempts) == (True, ())
    with pytest.raises(Invalid) as twice:
        survey.app.do(ImportCallbacks(by=ANN, data=sheet(good)))
    assert len(twice.value.problems) == 3
    assert all("is done already" in str(problem) for problem in twice.value.problems)


def test_the_record_of_all_call_backs_is_word_and_excel_an_attempt_a_line(
    survey: Aftermath,
) -> None:
    survey.collected()
    log(survey, one(survey, "phone_opinions", "H-1").id, outcome="unreachable", note="无人接听")
    while waiting := [each for each in all_of(survey) if each.to_call]:
        for each in waiting:
            log(survey, each.id, outcome="satisfied", note="=1+1", told="已派工")
    survey.answer("phone_check", "quin", phone_list=[
        {"number": row["number"], "verdict": "confirmed"} for row in survey.variables(check_of(survey))["phone_list"]
    ])  # fmt: skip
    originals = survey.open_tasks("compare")
    rows = survey.variables(originals[0].instance_id)["originals"]
    survey.answer(
        "compare", "quin", originals=[{"number": row["number"], "verdict": "genuine"} for row in rows]
    )
    kept = survey.rows(tables.record, tables.record.c.name == "业户满意度调查回访记录")
    assert [(row.code, Path(row.path).suffix) for row in kept] == [("JL-28", ".docx"), ("JL-28", ".xlsx")]
    book = load_workbook(io.BytesIO((survey.folder / kept[1].path).read_bytes()))
    cells = [[cell.value for cell in row] for row in book.active.iter_rows()]  # type: ignore[union-attr]
    attempts = [row for row in cells if row[1] and str(row[1]).startswith("H-")]
    assert len(attempts) == sum(len(each.attempts) for each in all_of(survey)) == 5
    assert [attempts[0][place] for place in (1, 2, 6, 7, 9)] == [
        "H-1",
        "其他意见：电梯常停",
        "无人接听",
        "未联系上",
        "ann",
    ]
    own = survey.rows(tables.record, tables.record.c.name == "业户回访表")
    assert {row.code for row in own} == {"JL-27"}
    assert survey.variables()["callbacks_made"] == len(all_of(survey))


def check_of(survey: Aftermath) -> int:
    (row,) = survey.children("genuineness_check")
    return int(row.id)


def test_an_anonymous_round_calls_nobody_back(tmp_path: Path) -> None:
    with aftermath(tmp_path, anonymity="anonymous", issued=3) as survey:
        found = survey.round()
        with survey.app.store.read() as conn:
            for listing in (
                wanted.dissatisfied(conn, found),
                wanted.opinions(conn, found),
                wanted.key_accounts(conn, found),
            ):
                with pytest.raises(Conflict, match="nobody knows whom to call back"):
                    list(listing)
        survey.collected()
        incidents = [row.error for row in survey.rows(tables.job) if row.status == "dead"]
        assert (
            len(incidents) == 3
        )  # opinions, the dissatisfied, and the check; those listed by hand are called
        assert all("nobody knows whom to call back" in each for each in incidents)
        assert not all_of(survey)
