from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.calendar.due import anchors, parse_due, plan, resolve
from engine.errors import Invalid, Misbuilt, NotFound

D0 = date(2026, 9, 14)
OPENED = datetime(2026, 9, 14, 2, tzinfo=UTC)  # ten in the morning in Shanghai

QUARTERLY = {
    "submit_plan": "P14D before d0",
    "notice": "P7D before d0",
    "allocate": "P2D before d0, previous working day",
    "distribute": "P2WD counted d0",
    "collect": "P3WD after planned(distribute)",
    "statistics": "P2WD after planned(collect)",
    "meeting": "P3WD after planned(statistics)",
    "tracking": "P5WD after planned(meeting)",
    "whole_survey": "P15WD counted d0",
}


@pytest.fixture
def due(china, shanghai):
    def work_out(text, opened=OPENED, counting=None, **dates):
        return resolve(parse_due(text), dates, opened, china, shanghai, counting)

    return work_out


def planned_days(china, shanghai, counting, texts=QUARTERLY, d0=D0):
    dues = plan({k: parse_due(v) for k, v in texts.items()}, {"d0": d0}, china, shanghai, counting)
    return {element: due.day.isoformat()[5:] for element, due in dues.items()}


def test_the_quarterly_survey_ends_on_the_9th_when_the_first_day_counts(china, shanghai):
    assert planned_days(china, shanghai, "from") == {
        "submit_plan": "08-31",
        "notice": "09-07",
        "allocate": "09-11",
        "distribute": "09-15",
        "collect": "09-18",
        "statistics": "09-21",
        "meeting": "09-24",
        "tracking": "10-09",
        "whole_survey": "10-09",
    }


def test_the_same_survey_ends_a_day_later_when_the_first_day_does_not_count(china, shanghai):
    days = planned_days(china, shanghai, "after")
    assert [days[name] for name in ("distribute", "collect", "statistics", "meeting", "tracking")] == [
        "09-16",
        "09-20",
        "09-22",
        "09-28",
        "10-10",
    ]


def test_a_day_is_due_until_midnight_local_time(due):
    result = due("P1D")
    assert result.day == date(2026, 9, 15)
    assert result.at == datetime.fromisoformat("2026-09-16T00:00:00+08:00")
    assert result.at.tzinfo is UTC


def test_a_task_opened_late_in_the_evening_utc_counts_from_its_local_day(due):
    assert due("P1D", opened=datetime(2026, 9, 14, 17, tzinfo=UTC)).day == date(2026, 9, 16)


def test_midnight_follows_summer_time(china, berlin):
    for day, offset in (("2026-03-29", "+02:00"), ("2026-10-25", "+01:00")):
        result = resolve(parse_due(day), {}, OPENED, china, berlin)
        following = date.fromisoformat(day).replace(day=int(day[-2:]) + 1)
        assert result.at == datetime.fromisoformat(f"{following}T00:00:00{offset}")


def test_hours_give_an_exact_instant(due):
    result = due("PT4H")
    assert result.at == datetime(2026, 9, 14, 6, tzinfo=UTC)
    assert not result.whole_day


def test_hours_from_a_date_begin_at_the_edge_of_its_day(due):
    assert due("PT4H after d0", d0=D0).at.isoformat() == "2026-09-14T20:00:00+00:00"
    assert due("PT4H from d0", d0=D0).at.isoformat() == "2026-09-13T20:00:00+00:00"
    assert due("PT4H before d0", d0=D0).at.isoformat() == "2026-09-13T12:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("P15D after closed", "2026-08-04"),
        ("P7D before closed", "2026-07-13"),
        ("P15D from closed", "2026-08-03"),
        ("P1M from closed", "2026-08-19"),
        ("P0D from closed", "2026-07-20"),
        ("P2WD from closed", "2026-07-21"),
        ("P2WD before closed", "2026-07-16"),
        ("day 5 of next month of closed", "2026-08-05"),
        ("day 31 of next quarter of closed", "2026-10-31"),
        ("day 31 of previous month of closed", "2026-06-30"),
        ("last day of month of closed", "2026-07-31"),
        ("first working day of half-year of closed", "2026-07-01"),
        ("last working day of quarter of closed", "2026-09-30"),
        ("working day 3 of month of closed", "2026-07-03"),
        ("31 December of year of closed", "2026-12-31"),
        ("29 february of next year of closed", "2027-02-28"),
        ("P15D AFTER closed, NEXT WORKING DAY", "2026-08-04"),
    ],
)
def test_each_form_of_the_grammar_gives_its_day(due, text, day):
    assert due(text, closed=date(2026, 7, 20)).day.isoformat() == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("P5WD", "2026-09-20"),
        ("day 5 of next month, next working day", "2026-10-08"),
        ("day 5 of next month, previous working day", "2026-09-30"),
        ("last working day of quarter", "2026-09-30"),
        ("2026-12-31", "2026-12-31"),
        ("31 december", "2026-12-31"),
        ("1 march", "2026-03-01"),
        ("2026-10-03, next working day", "2026-10-08"),
    ],
)
def test_without_an_anchor_the_opening_of_the_task_counts(due, text, day):
    assert due(text).day.isoformat() == day


def test_the_three_dates_of_the_hospital_collide_after_the_national_day(due):
    september = date(2026, 9, 1)
    texts = [f"day {n} of next month of data_month, next working day" for n in (1, 5, 8)]
    assert {due(text, data_month=september).day for text in texts} == {date(2026, 10, 8)}


def test_the_fifth_or_the_eighth_is_not_worked_in_24_of_36_months(china):
    months = [(year, month) for year in (2024, 2025, 2026) for month in range(1, 13)]
    off = [m for m in months if not (china.is_working(date(*m, 5)) and china.is_working(date(*m, 8)))]
    assert len(off) == 24


def test_call_backs_are_due_15_calendar_days_after_collection_closed(due):
    assert due("P15D after fieldwork_closed", fieldwork_closed=date(2026, 7, 20)).day == date(2026, 8, 4)
    assert due("P7D before fieldwork_start", fieldwork_start=date(2026, 7, 1)).day == date(2026, 6, 24)


def test_a_date_written_with_its_time_is_exact_and_keeps_it_when_moved(due):
    assert due("2026-10-03T17:00").at == datetime(2026, 10, 3, 9, tzinfo=UTC)
    moved = due("2026-10-03T17:00, next working day")
    assert moved.at == datetime(2026, 10, 8, 9, tzinfo=UTC)
    assert moved.day == date(2026, 10, 8)


def test_the_lines_show_the_arithmetic_day_by_day(due):
    lines = due("P2WD after d0, next working day", d0=date(2026, 9, 18)).lines
    assert [(str(line.day), line.count, line.reason, line.name) for line in lines[:-1]] == [
        ("2026-09-18", None, "start", "d0"),
        ("2026-09-19", None, "weekend", ""),
        ("2026-09-20", 1, "make-up day", "国庆节"),
        ("2026-09-21", 2, "weekday", ""),
    ]


def test_a_date_that_rests_on_an_unpublished_year_says_so(due):
    opened = datetime(2026, 12, 28, tzinfo=UTC)
    assert due("P15WD", opened=opened).provisional
    assert not due("P3WD", opened=opened).provisional
    assert not due("P15D", opened=opened).provisional
    assert due("P15D, next working day", opened=opened).provisional


def test_calendar_days_need_no_table(due):
    assert due("P30D", opened=datetime(2035, 1, 1, tzinfo=UTC)).day == date(2035, 1, 31)
    with pytest.raises(NotFound, match="2035"):
        due("P30WD", opened=datetime(2035, 1, 1, tzinfo=UTC))


def test_the_anchors_are_listed_as_they_must_be_given():
    assert anchors(parse_due("P1D after d0")) == ("d0",)
    assert anchors(parse_due("P1D after planned(collect)")) == ("planned(collect)",)
    assert anchors(parse_due("P1D from actual( Activity_0-a.b )")) == ("actual(Activity_0-a.b)",)
    assert anchors(parse_due("day 5 of month of data_month")) == ("data_month",)
    assert anchors(parse_due("1 march of next year of planned")) == ("planned",)
    assert anchors(parse_due("last day of month")) == ()


def test_an_anchor_without_a_value_is_named(due):
    with pytest.raises(NotFound, match=r"'P1D after planned\(x\)' needs the date planned\(x\)"):
        due("P1D after planned(x)")


def test_the_counting_word_without_its_parameter_is_refused(due):
    with pytest.raises(Invalid, match="parameter `counting`"):
        due("P2WD counted d0", d0=D0)


def test_a_working_day_the_month_does_not_have_is_refused(due):
    with pytest.raises(Invalid, match="2026-09 has fewer working days"):
        due("working day 25 of month")


def test_a_plan_leaves_out_what_waits_for_its_task_or_for_a_date(china, shanghai):
    texts = {
        "a": "P1D",
        "b": "P1D after planned(a)",
        "c": "P1D after unknown",
        "d": "P1D after d0",
        "e": "2026-12-31",
    }
    assert planned_days(china, shanghai, None, texts) == {"d": "09-15", "e": "12-31"}


def test_a_planned_date_already_known_stands(china, shanghai):
    known = {"planned(a)": date(2026, 11, 2), "d0": D0}
    texts = {"a": parse_due("P1D after d0"), "b": parse_due("P1D after planned(a)")}
    assert plan(texts, known, china, shanghai)["b"].day == date(2026, 11, 3)


def test_an_exact_planned_time_is_passed_on_exactly(china, shanghai):
    texts = {"a": parse_due("2026-11-02T10:00"), "b": parse_due("PT2H after planned(a)")}
    assert plan(texts, {}, china, shanghai)["b"].at == datetime(2026, 11, 2, 4, tzinfo=UTC)


def test_dates_that_wait_for_one_another_are_refused(china, shanghai):
    texts = {"a": "P1D after planned(b)", "b": "P1D after planned(c)", "c": "P1D after planned(b)"}
    with pytest.raises(Misbuilt, match="b > c > b"):
        planned_days(china, shanghai, None, texts)


@pytest.mark.parametrize(
    ("text", "column", "remedy"),
    [
        ("", 1, "begin with a duration"),
        ("soon", 1, "begin with a duration"),
        ("P1.5D after d0", 1, "smaller unit"),
        ("P15D  until d0", 7, "after, before, from or counted"),
        ("P15D after", 11, "name one"),
        ("P15D after 5", 12, "name one"),
        ("P15D after planned(", 20, "write its id"),
        ("P15D after planned(x", 21, "')' is missing"),
        ("P15D after d0 d1", 15, "remove the rest"),
        ("P15D after d0,", 15, "next working day"),
        ("P15D after d0, next day", 21, "'working' is missing"),
        ("day of month", 5, "write one from 1"),
        ("day 0 of month", 5, "write one from 1"),
        ("day 32 of month", 5, "up to 31"),
        ("day 5 month", 7, "'of' is missing"),
        ("day 5 of next week", 15, "month, quarter"),
        ("31 decembre", 4, "31 december"),
        ("31 june", 1, "correct it"),
        ("31 december of next month", 16, "of next year"),
        ("2026-02-30", 1, "correct it"),
        ("P15D & d0", 6, "after, before"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_column_and_a_remedy(text, column, remedy):
    with pytest.raises(Invalid) as refusal:
        parse_due(text)
    assert refusal.value.problems[0].field == f"column {column}"
    assert remedy in str(refusal.value)


WORDS = (
    "P15D P2WD PT4H P1,5D 2026-12-31 31 december day last working of next month quarter year after from "
    "before counted planned actual ( ) , d0 collect ½ ① P１D 0 99999999999"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join) | st.text(max_size=30))
@example("P15D after d0, next working day")
def test_any_text_is_either_understood_or_refused_with_a_place(text):
    try:
        told = parse_due(text).text
    except Invalid as refusal:
        told = str(refusal)
        place = refusal.problems[0].field
    else:
        place = "column 1"
    assert told == text.strip() or told.startswith(place)
    assert place.startswith("column ")


@settings(deadline=None)
@given(
    st.sampled_from(("P{}D", "P{}WD", "P{}M", "PT{}H")),
    st.integers(0, 11),
    st.sampled_from(("after", "from", "before", "counted")),
    st.sampled_from(("", ", next working day", ", previous working day")),
    st.dates(date(2025, 1, 1), date(2026, 12, 31)),
)
def test_what_is_due_ends_no_earlier_than_the_day_it_names(china, shanghai, form, n, counting, roll, d0):
    expression = parse_due(f"{form.format(n)} {counting} d0{roll}")
    due = resolve(expression, {"d0": d0}, OPENED, china, shanghai, "after")
    last = due.at.astimezone(shanghai).date()
    assert (last - due.day).days == due.whole_day
    assert not roll or china.is_working(due.day)
    if not roll and n:
        assert (due.day >= d0) if counting != "before" else (due.day <= d0)
