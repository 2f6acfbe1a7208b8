"""What procedures plan with: who is in the frame, quotas, a year's coverage; and who is struck off a sample."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.errors import Conflict, Denied, EngineError, Invalid
from engine.handlers import Call
from engine.ports import Connection
from survey import ledger, rounds
from survey.commands import DrawSample, ImportRoster, OpenRound
from survey.draws import Drawn, candidates, verify
from survey.sampling import design_of
from survey.tables import member
from tasks import coverage, distribution, fieldwork, quotas, sampling
from tests.survey.waves import CLERK, Wave
from tests.workbooks import rows as table_of

ROSTER = """customer,unit,project,segment,since,key_account,attr:last_service
M-1,tower,一期,签约,2026-02-28,1,2026-08-01
M-2,tower,一期,签约,2026-01-15,0,2026-03-31
M-3,tower,二期,意向,2026-08-31,1,
M-4,tower,二期,意向,2020-01-01,0,2026-06-30
M-5,tower,二期,意向,,0,2026-07-01
"""


@pytest.fixture
def wave(fresh_wave: Wave) -> Wave:
    fresh_wave.app.do(ImportRoster(by=CLERK, data=ROSTER, partial=True))
    return fresh_wave


def call(conn: Connection, wave: Wave, today: str = "2026-09-14", **given: Any) -> Call:
    properties = {f"flow.{name}": text for name, text in given.pop("properties", {}).items()}
    return Call(
        instance=wave.instance, label="SV-1", root=wave.instance, unit="tower", procedure="p", element="e", name="",
        properties=properties, variables=given, parameters={}, by="clerk",
        now=datetime(2026, 9, 14, 4, tzinfo=UTC), today=today, conn=conn, folder=Path(), values=given,
    )  # fmt: skip


def frame(wave: Wave, day: str, **design: object) -> tuple[list[str], dict[str, int]]:
    with wave.app.store.read() as conn:
        there, left_out = candidates(conn, "tower", design_of(design), date.fromisoformat(day))
    return list(there), left_out


@pytest.mark.parametrize(
    ("day", "design", "codes"),
    [
        ("2026-09-14", {"moved_in": True}, "M-1 M-2 M-3 M-4"),
        ("2026-02-01", {"moved_in": True}, "M-2 M-4"),
        ("2026-07-14", {"months": 6}, "M-4"),
        ("2026-07-15", {"months": 6}, "M-2 M-4"),  # moved in on 15 January: half a year is over
        ("2027-02-28", {"months": 6}, "M-1 M-2 M-3 M-4"),  # there is no 31 February
        ("2026-08-14", {"months": 6, "window": 30}, "M-2"),
        ("2026-08-15", {"months": 6, "window": 30}, ""),
        ("2026-09-14", {"where": {"key_account": "1"}}, "M-1 M-3"),
        ("2026-09-14", {"dated": "last_service", "first_day": "2026-07-01"}, "M-1 M-5"),
        ("2026-09-14", {"dated": "last_service", "last_day": "2026-06-30"}, "M-2 M-4"),
        ("2026-09-14", {"dated": "since", "first_day": "2026-01-01", "last_day": "2026-06-30"}, "M-1 M-2"),
    ],
)
def test_a_frame_is_who_has_been_there_long_enough_or_was_served_in_a_period(
    wave: Wave, day: str, design: dict[str, object], codes: str
) -> None:
    found, left_out = frame(wave, day, **{"where": {}, **design})
    assert [code for code in found if code.startswith("M-")] == codes.split()
    assert len(found) + sum(left_out.values()) == 10


def test_a_frame_by_a_day_that_the_roster_does_not_have_is_refused(wave: Wave) -> None:
    with pytest.raises(Invalid, match="dated: The roster has no column last_visit"):
        frame(wave, "2026-09-14", dated="last_visit", first_day="2026-01-01")
    for design, said in (
        ({"dated": "since"}, "which day has to lie in which period"),
        ({"window": 30}, "after how many months"),
        ({"new_share": "20%", "method": "census"}, "Only a simple random sample"),
        ({"first_day": "soon", "dated": "since"}, "first_day: Expected a date"),
    ):
        with pytest.raises(Invalid, match=said):
            design_of(design)


def draw(wave: Wave, **design: object) -> Drawn:
    command = DrawSample(by=CLERK, instance=wave.instance, part="more", design=design, seed="s")
    made = wave.app.do(command).value
    assert isinstance(made, Drawn)
    return made


def test_a_share_of_the_sample_was_never_asked_before_004h(wave: Wave) -> None:
    """A-1, A-2, B-2 and B-10 have a questionnaire of another round; C-1 was not met."""
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="more"))
    made = draw(wave, method="simple", size=8, new_share="75%")
    with wave.app.store.read() as conn:
        found = rounds.round_of(conn, wave.instance, "more")
        codes = {each.code for each in rounds.roster(conn, found.id)}
        assert verify(conn, found) == ()
    assert (made.population, len(codes), made.remark) == (10, 8, None)
    assert codes >= {"C-1", *(f"M-{number}" for number in range(1, 6))}


def test_too_few_new_ones_are_all_taken_and_it_is_said(wave: Wave) -> None:
    wave.app.do(OpenRound(by=CLERK, instance=wave.instance, part="more"))
    made = draw(wave, method="simple", size=8, new_share="100%")
    assert "8 of the sample have to be new, but only 6" in str(made.remark)


@pytest.mark.parametrize("written", [90, "90", "90%", "90 ％", 0.9, "0.9", "0.90"])
def test_a_share_is_read_as_people_write_it(written: object) -> None:
    assert quotas.share(written) == 90


@pytest.mark.parametrize("written", [0, 101, "-1", "1e1", "ninety", "", True, None, "0.1234567", "0%"])
def test_what_is_no_share_is_refused(written: object) -> None:
    with pytest.raises(EngineError, match="is no share: write 90"):
        quotas.share(written)


@given(st.integers(0, 5000), st.integers(1, 1000))
def test_a_target_is_the_least_count_that_reaches_the_share(base: int, tenths: int) -> None:
    from survey.figures import quota

    percent = quotas.share(f"{tenths / 10}%")
    assert percent == Fraction(tenths, 10)
    needed = quota(0, base, percent).needed
    assert needed * 1000 >= base * tenths > (needed - 1) * 1000 or base == needed == 0


@pytest.mark.parametrize(
    ("properties", "variables", "wanted"),
    [
        ({"base": "moved-in", "issue": "90%", "return": "80"}, {}, (4, 4, 4)),
        ({"base": "roster", "issue": "share"}, {"share": 50}, (10, 5, None)),
        (
            {"base": "moved-in", "where": "kind = customer, segment = chosen"},
            {"chosen": "签约"},
            (2, 2, None),
        ),
        ({"base": "sample", "issue": "90", "return": "share"}, {"share": None}, (5, 5, None)),
        ({"base": "counted", "issue": "90", "return": "80"}, {"counted": 1013}, (1013, 912, 730)),
    ],
)
def test_targets_are_a_share_of_what_is_counted(
    wave: Wave, properties: dict[str, str], variables: dict[str, Any], wanted: tuple[object, ...]
) -> None:
    with wave.app.store.read() as conn:
        found = quotas.targets(call(conn, wave, properties=properties, **variables))
    assert (found["quota_base"], found["issue_target"], found["return_target"]) == wanted


def test_a_share_of_what_was_given_out_leaves_the_target_of_giving_out_alone(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        found = quotas.targets(call(conn, wave, properties={"base": "issued", "return": "80%"}))
        assert ("issue_target" in found, found["return_target"]) == (False, 4)
        with pytest.raises(EngineError, match="needs the whole number counted"):
            quotas.targets(call(conn, wave, properties={"base": "counted"}, counted="3.5"))


def test_a_plan_says_how_many_may_be_asked_and_why_others_are_not(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        made = sampling.frame(
            call(
                conn,
                wave,
                properties={"method": "mode", "share": "part", "moved-in": "true"},
                mode="simple",
                part="25%",
            )
        )
        assert (made["frame_size"], made["sample_size"]) == (4, 1)
        assert made["frame_text"] == "可调查4，抽取1；未列入：未入住6。"
        empty = sampling.frame(call(conn, wave, properties={"where": "project=四期"}))
        assert (empty["frame_size"], empty["sample_size"]) == (0, 0)


def lines(made: Any) -> list[list[Any]]:
    (book,) = made["$record"].values()
    return table_of(book, "客户")


def test_a_years_plan_is_proposed_and_passes_its_own_judgement(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        made = coverage.propose(call(conn, wave, plan_year=2027))
        assert (made["coverage_total"], made["coverage_needed"]) == (10, 4)
        codes = str(made["planned_codes"]).split("、")
        assert {"M-4", "M-5", "M-1", "M-2", "M-3"} <= {*codes}, "due or new"
        assert [row[0] for row in lines(made)[1:]] == codes
        coverage.sound(call(conn, wave, plan_year=2027, planned_codes=made["planned_codes"]))
        coverage.sound(call(conn, wave, plan_year=2027, visits=[{"customer": code} for code in codes]))
        coverage.sound(call(conn, wave, plan_year=2027, rows=[{"codes": "、".join(codes)}]))


def test_in_fixed_periods_somebody_not_asked_is_due_in_the_last_year_only(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        made = {
            year: coverage.propose(call(conn, wave, plan_year=year, coverage_from=2025))["coverage_due"]
            for year in (2025, 2026, 2027, 2030)
        }
        said = str(coverage.report(call(conn, wave, coverage_year=2026, coverage_from=2025))["coverage_text"])
    assert (made[2025], made[2026], made[2030]) == (0, 0, 10)
    assert made[2027]
    assert "2025至2026年共覆盖" in said


def test_a_years_plan_short_of_the_share_or_of_somebody_due_is_refused(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        with pytest.raises(Invalid) as refused:
            coverage.sound(call(conn, wave, plan_year=2027, planned_codes="M-1，M-2;X-9"))
        said = [str(problem) for problem in refused.value.problems]
        assert said[0] == "planned_codes: Not on the roster: X-9"
        assert "2 of 10 customers; 40% a year are 4" in said[1]
        assert "M-4" in said[2]
        with pytest.raises(Invalid, match="visits: The plan has 1 of 10"):
            coverage.sound(call(conn, wave, plan_year=2027, visits=[{"customer": "M-1"}]))


def test_a_year_is_judged_by_who_was_asked_in_it_003c(wave: Wave) -> None:
    with wave.app.store.read() as conn:
        made = coverage.report(call(conn, wave))
        assert (made["coverage_done"], made["coverage_needed"]) == (4, 4)
        assert (made["coverage_overdue"], made["coverage_met"]) == (3, False)
        assert ["A-1", "本年已调查"] in [[row[0], row[-1]] for row in lines(made)]
        later = coverage.report(call(conn, wave, coverage_year=2027, coverage_share="10%", coverage_years=20))
        assert (later["coverage_done"], later["coverage_needed"], later["coverage_met"]) == (0, 1, False)


def test_who_is_struck_off_stays_on_the_list_with_the_reason(wave: Wave) -> None:
    rows = [{"number": 1, "reason": "已空置"}, {"number": 2, "reason": "已搬离"}]
    with wave.app.store.write() as conn:
        conn.execute(update(member).values(disposition="listed", issued_on=None))
        with pytest.raises(Invalid, match="Customer 1 stands here twice"):
            distribution.counts_sound(call(conn, wave, struck_off=[rows[0], rows[0]]))
        assert distribution.strike_off(call(conn, wave, struck_off=rows)) == {"customers": 3}
        found = rounds.round_of(conn, wave.instance)
        notes = [each.note for each in ledger.lines(conn, found) if each.kind == "attempt"]
        assert notes == ["已空置", "已搬离"]
        assert rounds.population_of(conn, [found]) == 3


def test_a_round_is_opened_with_the_questionnaire_that_a_variable_names(wave: Wave) -> None:
    settings = {
        "questionnaire": "which",
        "part": "other",
        "method": "simple",
        "size": "2",
        "where": "project = building",
    }
    with wave.app.store.write() as conn:
        made = call(conn, wave, properties=settings, which="questionnaire", building="一期")
        assert fieldwork.open_round(made) == {"customers": 2}
        found = rounds.round_of(conn, wave.instance, "other")
        assert {each.code for each in rounds.roster(conn, found.id)} == {"M-1", "M-2"}
        nobody = {**settings, "part": "nobody", "where": "project=四期"}
        with pytest.raises(Conflict, match="Nobody in unit tower may be asked"):
            fieldwork.open_round(call(conn, wave, properties=nobody, which="questionnaire"))


def test_a_sample_drawn_for_an_office_is_drawn_again_only_by_who_draws_003f(wave: Wave) -> None:
    settings = {"part": "drawn", "method": "simple", "size": "2", "redraw": "project_gm"}
    with wave.app.store.write() as conn:
        fieldwork.open_round(call(conn, wave, properties=settings))
    again = DrawSample(
        by=CLERK, instance=wave.instance, part="drawn", design={"method": "simple", "size": 2}, again="想换人"
    )
    with pytest.raises(Denied, match="only by the role project_gm, which clerk does not hold"):
        wave.app.do(again)
