"""Draws that can be repeated, the ledger, second entry, corrections, entry forms."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from json import loads

import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, func, insert, select, update

from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.store import tables
from survey import draws, entry_form, returns, rounds
from survey.commands import (
    CorrectAnswers,
    DrawSample,
    Exclude,
    ImportReturns,
    ImportRoster,
    OpenRound,
    Record,
    ReturnsTaken,
)
from survey.figures import outcomes
from survey.tables import draw, member, survey_round
from tests.survey.waves import CLERK, Wave

HUNDRED = "customer,unit,project,since\n" + "".join(
    f"K-{number},tower,{'一期' if number % 4 else '二期'},{'2026-09-01' if number > 90 else '2020-01-01'}\n"
    for number in range(1, 101)
)


@pytest.fixture
def wave(fresh_wave: Wave) -> Wave:
    return fresh_wave


@pytest.fixture
def drawn(wave: Wave) -> Wave:
    """A second round of the instance on a hundred customers, not drawn yet."""
    wave.app.do(ImportRoster(by=CLERK, data=HUNDRED))
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="phone"))
    return wave


def sample(wave: Wave, seed: str | None = None, again: str | None = None, **design: object) -> draws.Drawn:
    command = DrawSample(
        by=CLERK, instance=wave.instance, part="phone", design=design, seed=seed, again=again
    )
    made = wave.app.do(command).value
    assert isinstance(made, draws.Drawn)
    return made


def codes(wave: Wave, part: str = "phone") -> list[str]:
    with wave.app.store.read() as conn:
        return [each.code for each in rounds.roster(conn, rounds.round_of(conn, wave.instance, part).id)]


def faults(wave: Wave, part: str = "phone") -> list[str]:
    with wave.app.store.read() as conn:
        return [str(each) for each in draws.verify(conn, rounds.round_of(conn, wave.instance, part))]


def test_the_census_of_the_shipped_procedure_can_be_drawn_again(wave: Wave) -> None:
    assert faults(wave, "") == []
    with wave.app.store.read() as conn:
        made = draws.drawn(conn, rounds.round_of(conn, wave.instance))
    assert (made.method, made.population, made.size) == ("census", 5, 5)


def test_a_draw_is_proved_and_a_changed_sample_found_out(drawn: Wave) -> None:
    made = sample(drawn, method="stratified", stratify="project", error="5%")
    assert (made.population, made.size, made.strata) == (100, 80, {"一期": 60, "二期": 20})
    assert faults(drawn) == []
    with drawn.app.store.read() as conn:
        entry = conn.execute(
            select(tables.journal.c.facts).where(tables.journal.c.kind == "round.drawn")
        ).scalars()
        facts = loads(list(entry)[-1])
    assert (facts["seed"], facts["frame_sha256"], facts["size"]) == (made.seed, made.frame_sha256, 80)
    last = codes(drawn)[-1]
    with drawn.app.store.write() as conn:
        conn.execute(delete(member).where(member.c.number == 80))
    assert faults(drawn) == [f"sample: Drawn, but not in the sample: {last}"]
    with drawn.app.store.write() as conn:
        conn.execute(update(draw).values(frame_sha256="0" * 64))
    assert "frame: " in faults(drawn)[0]


def test_a_sample_is_drawn_once_and_again_only_with_a_reason_before_anything_happened(drawn: Wave) -> None:
    first = sample(drawn, method="simple", size=10)
    with pytest.raises(Conflict, match="drawn already"):
        sample(drawn, method="simple", size=10)
    with pytest.raises(Invalid, match="Say why"):
        sample(drawn, method="simple", size=12, again=" ")
    assert sample(drawn, method="simple", size=12, again="样本量有误").size == 12
    with drawn.app.store.read() as conn:
        kinds = tables.journal.c.kind == "round.draw_taken_back"
        (facts,) = conn.execute(select(tables.journal.c.facts).where(kinds)).scalars()
    assert (loads(facts)["seed"], loads(facts)["reason"]) == (first.seed, "样本量有误")
    drawn.app.do(Record(by=CLERK, instance=drawn.instance, part="phone", codes=("*",), kind="issue"))
    with pytest.raises(Conflict, match="stays as it was drawn"):
        sample(drawn, method="simple", size=10, again="noch einmal")


def test_a_sample_drawn_again_keeps_its_design_and_only_an_admin_gives_it_another(drawn: Wave) -> None:
    first = sample(drawn, method="simple", size=10, no_repeat=True)
    again = sample(drawn, again="换一批")
    assert (again.design, again.size) == (first.design, 10)
    assert again.seed != first.seed
    with drawn.app.store.write() as conn:
        conn.execute(insert(tables.permission).values(person="manager", name="admin"))
    with pytest.raises(Denied, match="drawn by simple, as its procedure says"):
        sample(drawn, method="targeted", codes=("K-2", "K-3"), reason="熟人", again="换人")
    assert sample(drawn, again="再换一批").size == 10


def test_the_new_the_excluded_and_the_others_are_left_out_and_counted_003i(drawn: Wave) -> None:
    drawn.app.do(Exclude(by=CLERK, code="K-1", reason="空置"))
    made = sample(drawn, method="simple", share="10%", months=6, where={"project": "一期"})
    assert made.left_out == {"excluded": 1, "where": 25, "months": 7}
    assert (made.population, made.size) == (67, 7)
    with pytest.raises(Invalid, match="The roster has no column ward"):
        sample(drawn, method="simple", size=1, where={"ward": "1"}, again="r")


def test_a_small_frame_makes_a_census_of_a_sample_and_says_so(drawn: Wave) -> None:
    made = sample(drawn, method="simple", size=200, least=200)
    assert (made.size, str(made.remark)) == (
        100,
        "size: The frame has 100, fewer than the 200 wanted: all of them are taken",
    )


def test_a_roster_changed_in_mid_round_changes_nothing_of_the_round(drawn: Wave) -> None:
    sample(drawn, method="simple", size=20)
    before = codes(drawn)
    drawn.app.do(ImportRoster(by=CLERK, data=HUNDRED.replace("K-7,", "K-107,").replace("二期", "三期")))
    assert (codes(drawn), faults(drawn)) == (before, [])
    with drawn.app.store.read() as conn:
        found = rounds.round_of(conn, drawn.instance, "phone")
        assert {each.project for each in rounds.roster(conn, found.id)} <= {"一期", "二期"}
        assert draws.drift(conn, found) == draws.Drift(joined=1, left=1)


def test_rounds_after_one_another_ask_everybody_before_anybody_again(drawn: Wave) -> None:
    """Three rounds of 40 out of 100, as three periods of one procedure would draw them."""
    asked: list[set[str]] = []
    for turn in ("a", "b", "c"):
        if asked:  # the round of the period before, under a name of its own
            drawn.app.do(OpenRound(by=CLERK, instance=drawn.instance, part="phone"))
        sample(drawn, seed=turn, method="simple", size=40, no_repeat=True)
        drawn.app.do(Record(by=CLERK, instance=drawn.instance, part="phone", codes=("*",), kind="issue"))
        asked.append(set(codes(drawn)))
        with drawn.app.store.write() as conn:
            before = select(tables.instance.c.id).order_by(tables.instance.c.id)
            other = insert(tables.instance).from_select(
                [each.name for each in tables.instance.c if each.name != "id"],
                select(*(each for each in tables.instance.c if each.name != "id")).where(
                    tables.instance.c.id == before.limit(1).scalar_subquery()
                ),
            )
            conn.execute(other)
            number = conn.execute(select(func.max(tables.instance.c.id))).scalar_one()
            conn.execute(
                update(survey_round).where(survey_round.c.part == "phone", survey_round.c.instance_id == drawn.instance)
                .values(instance_id=number)
            )  # fmt: skip
    assert not asked[0] & asked[1]
    assert len((asked[0] | asked[1]) & asked[2]) == 20
    assert len(asked[0] | asked[1] | asked[2]) == 100


def test_an_empty_roster_cannot_be_drawn_from(drawn: Wave) -> None:
    with pytest.raises(Conflict, match="Nobody in unit tower may be asked"):
        sample(drawn, method="simple", size=1, where={"project": "四期"})


def test_several_rounds_have_to_be_told_apart(drawn: Wave) -> None:
    with drawn.app.store.read() as conn:
        with pytest.raises(Conflict, match=r'several rounds: "", phone\. Say which one with --part'):
            rounds.round_of(conn, drawn.instance)
        with pytest.raises(NotFound, match="no round mail"):
            rounds.round_of(conn, drawn.instance, "mail")


def back(wave: Wave, data: bytes, **options: bool | str | None) -> ReturnsTaken:
    taken = wave.app.do(ImportReturns(by=CLERK, instance=wave.instance, data=data, **options)).value  # type: ignore[arg-type]
    assert isinstance(taken, ReturnsTaken)
    return taken


def test_a_second_entry_is_compared_item_by_item(wave: Wave) -> None:
    with pytest.raises(Invalid, match="not entered a first time yet"):
        back(wave, wave.file(), second=True)
    back(wave, wave.file())
    twice = back(wave, wave.file((1, "q2_01", "5"), (3, "q3_02", "")), second=True).comparison
    assert twice is not None
    assert (twice.sets, len(twice.differences), twice.items - twice.agreed) == (3, 2, 2)
    assert [(each.code, each.item, each.first, each.second) for each in twice.differences] == [
        ("A-1", "q2_01", 3, 5),
        ("B-10", "q3_02", 2, None),
    ]
    assert wave.round()[1].returned == 3


def test_replaced_answers_stay_in_the_history(wave: Wave) -> None:
    back(wave, wave.file())
    for reason in (None, " "):
        with pytest.raises(Invalid, match="reason: 1 answers that are in would change: say why"):
            back(wave, wave.file((1, "q2_01", "5")), replace=True, reason=reason)
    done = back(wave, wave.file((1, "q2_01", "5")), replace=True, reason="看错")
    assert (done.taken, done.replaced, wave.count()) == (0, 3, 3)
    with wave.app.store.read() as conn:
        facts = conn.execute(
            select(tables.journal.c.facts).where(tables.journal.c.kind == "round.returns")
        ).scalars()
        told = loads(list(facts)[-1])
        assert told["changed"] == [{"respondent": "A-1", "item": "q2_01", "first": 3, "second": 5}]
        assert told["reason"] == "看错"


def correct(
    wave: Wave, code: str, values: Mapping[str, str], reason: str = "看错"
) -> list[returns.Difference]:
    command = CorrectAnswers(by=CLERK, instance=wave.instance, code=code, values=values, reason=reason)
    return list(wave.app.do(command).value)


def test_an_answer_is_corrected_with_a_reason(wave: Wave) -> None:
    back(wave, wave.file())
    (change,) = correct(wave, "A-1", {"q2_01": "5"})
    assert (change.item, change.first, change.second) == ("q2_01", 3, 5)
    assert correct(wave, "A-1", {"q2_01": "5"}) == []
    (blanked,) = correct(wave, "A-1", {"q2_01": ""})
    assert blanked.second is None
    for code, values, reason, said in (
        ("A-1", {"q2_1": "5"}, "r", "There is no such column"),
        ("A-1", {"q2_01": "6"}, "r", "6 is not among the options"),
        ("A-1", {"q2_01": "5"}, "", "Say why"),
    ):
        with pytest.raises(Invalid, match=said):
            correct(wave, code, values, reason)
    with pytest.raises(NotFound, match="not in yet"):
        correct(wave, "B-2", {"q2_01": "5"})


def test_a_return_of_few_answers_is_partial_and_one_of_none_an_abstention_and_no_interview(
    wave: Wave,
) -> None:
    header, *lines = wave.sound
    nothing = [[line[0], line[1]] + [""] * (len(line) - 2) for line in lines]
    few = nothing[1][:2] + ["4"] * 55 + [""] * 15
    marked = [*header, "弃权"]
    rows = [marked, [*nothing[0], "1"], [*few, ""], [*lines[2], "否"]]
    text = "\n".join(",".join(row) for row in rows)
    back(wave, text.encode())
    counts = wave.round()[1]
    assert (counts.returned, counts.abstained) == (3, 1)
    assert [counts.dispositions[name] for name in ("complete", "partial", "blank")] == [1, 1, 1]
    rated = outcomes(counts.dispositions)
    assert (rated.response_rate_1, rated.response_rate_2) == (Fraction(1, 5), Fraction(2, 5))
    assert (rated.cooperation_rate_1, rated.refusal_rate_1) == (Fraction(1, 3), Fraction(1, 5))
    with pytest.raises(Conflict, match="The answers of A-1 are in"):
        wave.app.do(
            Record(by=CLERK, instance=wave.instance, codes=("A-1",), kind="attempt", disposition="refusal")
        )
    correct(wave, "A-1", {name: "4" for name in header[2:] if name.startswith("q")})
    assert wave.round()[1].dispositions["blank"] == 0


def test_a_blank_row_and_a_contradiction_are_refused_by_row(wave: Wave) -> None:
    header, *lines = wave.sound
    blank = [lines[0][0]] + [""] * (len(lines[0]) - 1)
    rows = [[*header, "abstained"], [*blank, ""], [*lines[1], "1"], [*lines[2], "maybe"]]
    problems = wave.refused("\n".join(",".join(row) for row in rows).encode())
    assert [each.partition(":")[0] for each in problems] == ["row 2", "row 3, abstained", "row 4, abstained"]


def test_the_entry_form_is_filled_in_and_read_back(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance)
        form = rounds.questionnaire(conn, found)
        members = rounds.roster(conn, found.id)
    made = entry_form.entry_form(found, form, members)
    assert made == entry_form.entry_form(found, form, members)
    book = load_workbook(io.BytesIO(made))
    sheet = book["录入"]
    heads = [str(each.value).split("\n")[0] for each in sheet[1]]
    assert (heads[:3], heads[-1], sheet.freeze_panes) == (
        ["number", "respondent", "method"],
        "abstained",
        "C2",
    )
    assert [each.value for each in sheet["B"]][1:] == ["A-1", "A-2", "B-2", "B-10", "C-1"]
    rules = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules[sheet.cell(2, heads.index("q2_01") + 1).coordinate] == '"5,4,3,2,1,9"'
    for place, name in enumerate(heads, 1):
        if name.startswith("q"):
            sheet.cell(3, place, 4)
    file = io.BytesIO()
    book.save(file)
    taken = back(wave, file.getvalue())
    assert (taken.encoding, taken.taken, taken.returned, taken.left_out) == ("XLSX", 1, 1, 0)


def test_exported_answers_of_a_named_round_can_be_imported_again(wave: Wave) -> None:
    back(wave, wave.file())
    with wave.app.store.read() as conn:
        found = replace(rounds.round_of(conn, wave.instance), anonymity="named")
        there = returns.stored(conn, found)
        sets = [
            (each.code, {}, there[each.id].answers)
            for each in rounds.roster(conn, found.id)
            if each.id in there
        ]
        text = entry_form.answers_table(found, rounds.questionnaire(conn, found), sets)
    again = back(wave, text.encode(), replace=True)
    assert (again.replaced, again.taken) == (3, 0)
    with wave.app.store.read() as conn:
        assert returns.stored(conn, found) == there


def test_an_empty_round_has_figures_of_nothing(drawn: Wave) -> None:
    with drawn.app.store.read() as conn:
        found = rounds.round_of(conn, drawn.instance, "phone")
        made = rounds.figures_of(conn, [found])
        assert (made.issued, made.returned, made.return_rate) == (0, 0, None)
        assert conn.execute(select(func.count()).where(member.c.round_id == found.id)).scalar_one() == 0
