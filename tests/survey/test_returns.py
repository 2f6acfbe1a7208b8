"""Rosters and returns coming in: taken whole or refused whole, every row's problem named."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from json import loads

import pytest
from openpyxl import Workbook
from sqlalchemy import select, update

from engine.commands import worklist
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.model import Actor
from engine.store import tables
from survey.commands import ImportReturns, ImportRoster, Record
from survey.rosters import listed
from survey.rounds import figures_of, roster, round_of
from survey.tables import member
from tests.procedures.playing import ROOT
from tests.survey.waves import CLERK, Wave


@pytest.fixture(scope="module")
def wave(played: Wave) -> Wave:
    """For what is refused: it leaves no trace, so one wave serves all."""
    return played


def test_the_round_knows_who_got_a_questionnaire_from_whom(wave: Wave) -> None:
    found, counts = wave.round()
    assert (found.status, found.questionnaire, counts.issued, counts.dispositions["non-contact"]) == (
        "open",
        "questionnaire",
        4,
        1,
    )
    with wave.app.store.read() as conn:
        members = roster(conn, found.id)
    assert [(each.number, each.code, each.surveyor) for each in members] == [
        (1, "A-1", "assistant"),
        (2, "A-2", "assistant"),
        (3, "B-2", "clerk"),
        (4, "B-10", "clerk"),
        (5, "C-1", "clerk"),
    ]


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "UTF-8"), ("gbk", "GBK")])
def test_a_sound_file_is_taken_in_either_encoding(fresh_wave: Wave, encoding: str, name: str) -> None:
    data = fresh_wave.file((1, "method", "网上"), encoding=encoding)
    taken = fresh_wave.take(data)
    assert (taken.encoding, taken.taken, taken.issued, taken.returned) == (name, 3, 4, 3)
    with fresh_wave.app.store.read() as conn:
        figures = figures_of(conn, [round_of(conn, fresh_wave.instance)])
    assert (figures.issued, figures.returned, len(figures.items)) == (4, 3, 70)
    with pytest.raises(Invalid) as twice:
        fresh_wave.take(data)
    [problem] = twice.value.problems
    assert "answers of 3 customers are already in" in str(problem)
    assert "--replace" in str(problem)
    assert fresh_wave.count() == 3
    with fresh_wave.app.store.read() as conn:
        entry = conn.execute(select(tables.journal).where(tables.journal.c.kind == "round.returns")).one()
    assert (entry.by, loads(entry.facts)["taken"], loads(entry.facts)["encoding"]) == ("clerk", 3, name)


def test_only_the_rows_asked_for_are_taken(fresh_wave: Wave) -> None:
    taken = fresh_wave.take(fresh_wave.file(), method="Mail")
    assert (taken.taken, taken.left_out) == (1, 2)
    with pytest.raises(Invalid, match="No row of the file is chosen"):
        fresh_wave.take(fresh_wave.file(), method="Fax")
    with pytest.raises(Invalid, match="no column chanel"):
        fresh_wave.take(fresh_wave.file(), chanel="Mail")


def test_a_tick_in_a_rating_column_is_refused_by_its_row(wave: Wave) -> None:
    book, file = Workbook(), io.BytesIO()
    for line in wave.sound:
        book.worksheets[0].append(line)
    book.worksheets[0].cell(3, wave.sound[0].index("q2_01") + 1).value = True
    book.save(file)
    (problem,) = wave.refused(file.getvalue())
    assert problem.startswith("row 3, q2_01: ")
    assert "TRUE" in problem


def test_a_blank_answer_is_kept_apart_from_an_abstention(fresh_wave: Wave) -> None:
    fresh_wave.take(fresh_wave.file((1, "q2_01", ""), (2, "q2_01", "9"), (3, "q2_01", "不了解")))
    with fresh_wave.app.store.read() as conn:
        figures = figures_of(conn, [round_of(conn, fresh_wave.instance)])
    assert (figures.items[0].tally.base, figures.items[0].tally.abstained, figures.items[0].tally.blank) == (
        0,
        2,
        1,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((0, "q2_01", "q2_1"), "column q2_1: There is no such column; did you mean q2_01?"),
        ((0, "respondent", "who"), "column respondent: The column is missing"),
        ((0, "q3_04", "q3_05"), "column q3_05: The column stands in the header more than once"),
        ((2, "q2_01", "6"), "row 3, q2_01: 6 is not among the options"),
        ((2, "q2_01", "4.5"), "row 3, q2_01: 4.5 is not among the options"),
        ((1, "method", "Fax"), "row 2, method: Fax is not among the options"),
        ((3, "respondent", "A-1"), "row 4, respondent: Customer A-1 stands already in row 2"),
        ((3, "respondent", "Z-9"), "row 4, respondent: Customer Z-9 is not on the round's roster"),
        ((3, "respondent", ""), "row 4, respondent: Customer … is not on the round's roster"),
        ((3, "respondent", "C-1"), "Customer C-1 was given no questionnaire: non-contact"),
    ],
)
def test_what_does_not_fit_is_refused_whole_with_its_place(
    wave: Wave, change: tuple[int, str, str], said: str
) -> None:
    problems = wave.refused(wave.file(change))
    assert any(said in problem for problem in problems), problems


def test_who_is_not_expected_to_answer_returns_nothing_until_that_is_corrected(fresh_wave: Wave) -> None:
    def log(kind: str, **entry: str) -> None:
        command = Record(by=CLERK, instance=fresh_wave.instance, codes=("A-1",), kind=kind, **entry)  # type: ignore[arg-type]
        fresh_wave.app.do(command)

    for entry, word in (({"kind": "refusal"}, "refusal"), ({"disposition": "ineligible"}, "ineligible")):
        log(**{"kind": "attempt", **entry})
        (problem,) = fresh_wave.refused(fresh_wave.file())
        assert (
            f"respondent: The ledger has customer A-1 as {word}: if that is wrong, correct it first"
            in problem
        )
        log("correction", disposition="issued", note="记错了")
    assert fresh_wave.take(fresh_wave.file()).taken == 3


def test_questionnaires_that_were_never_given_out_are_named_in_one_line_with_the_remedy(
    fresh_wave: Wave,
) -> None:
    with fresh_wave.app.store.write() as conn:
        conn.execute(update(member).values(disposition="listed", issued_on=None))
    (problem,) = fresh_wave.refused(fresh_wave.file())
    assert problem.startswith("file: The ledger has no questionnaire given out to 3 customers (A-1, ")
    assert "flow round log … --kind issue" in problem


def test_a_list_of_those_who_rated_nothing_needs_no_column_of_an_item(fresh_wave: Wave) -> None:
    taken = fresh_wave.take("respondent,abstained\nA-1,1\nB-2,是\n")
    assert (taken.taken, fresh_wave.round()[1].abstained) == (2, 2)
    with pytest.raises(Invalid, match="column q2_01: The column is missing"):
        fresh_wave.take("respondent,abstained\nB-10,\n")


def test_every_wrong_row_is_named_at_once(wave: Wave) -> None:
    problems = wave.refused(wave.file((1, "q2_01", "7"), (2, "q5_02", "x"), (3, "q17_04", "-1")))
    assert [problem.partition(":")[0] for problem in problems] == [
        "row 2, q2_01",
        "row 3, q5_02",
        "row 4, q17_04",
    ]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"respondent\n", b"\xff\xfe\x00"])
def test_no_file_at_all_is_refused(wave: Wave, data: bytes) -> None:
    assert wave.refused(data)


def test_a_closed_round_takes_no_more(fresh_wave: Wave) -> None:
    fresh_wave.take(fresh_wave.file())
    app = fresh_wave.app
    values = {"returned_forms": 3}
    app.do(worklist.Complete(by=Actor("assistant"), task=fresh_wave.done("collect"), values=values))
    app.settle()
    assert fresh_wave.round()[0].status == "closed"
    with pytest.raises(Conflict, match="closed"):
        fresh_wave.take(fresh_wave.file())


def test_a_stranger_brings_nothing_in(wave: Wave) -> None:
    with pytest.raises(NotFound, match="nobody"):
        wave.app.do(ImportReturns(by=Actor("nobody"), instance=wave.instance, data=wave.file()))
    assert wave.count() == 0


def test_the_roster_names_every_problem_by_row(wave: Wave) -> None:
    data = "customer,unit\nA-1,tower\n,tower\nA-1,tower\nX,attic\n"
    with pytest.raises(Invalid) as refused:
        wave.app.do(ImportRoster(by=CLERK, data=data))
    assert [str(problem) for problem in refused.value.problems] == [
        "row 3: The customer's code is missing",
        "row 4: Customer A-1 stands already in row 2",
        "row 5: There is no unit attic; see `flow org show`",
    ]


def test_a_new_roster_retires_who_is_left_out_and_touches_no_running_round(fresh_wave: Wave) -> None:
    taken = fresh_wave.app.do(
        ImportRoster(by=CLERK, data="customer,unit,name\nA-1,tower,张三\nD-1,tower,\n")
    ).value
    assert (taken.added, taken.left, taken.units) == (1, 4, {"tower": 2})
    with fresh_wave.app.store.read() as conn:
        active = {each.code: each.contact.get("name") for each in listed(conn, active=True)}
    assert active == {"A-1": "张三", "D-1": None}
    assert fresh_wave.take(fresh_wave.file()).taken == 3


def test_whoever_has_no_role_in_the_unit_is_denied(fresh_wave: Wave) -> None:
    from sqlalchemy import insert

    with fresh_wave.app.store.write() as conn:
        conn.execute(insert(tables.person).values(id="guest", name="guest", active=True))
    with pytest.raises(Denied, match="guest holds no role in unit tower"):
        fresh_wave.app.do(
            ImportReturns(by=Actor("guest"), instance=fresh_wave.instance, data=fresh_wave.file())
        )


def test_the_example_is_one_real_round_of_six_offices() -> None:
    folder = ROOT / "examples/resident-survey-2021-09"
    with (folder / "resident-survey-2021-09.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "roster.csv").open(encoding="utf-8", newline="") as file:
        customers = [(row["unit"], row["customer"]) for row in csv.DictReader(file)]
    assert len(customers) == len(set(customers)) == len(rows) == 1033
    assert set(customers) == {(f"office-{row['district']}", row["respondent"]) for row in rows}


def test_the_clock_of_the_stage_is_local(wave: Wave) -> None:
    assert wave.app.clock.now().astimezone(wave.app.zone).replace(tzinfo=None) == datetime(2026, 9, 11, 16)  # noqa: DTZ001
