"""Dates that a step works out: how they are written down, and the weeks of a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import App
from engine.errors import EngineError
from engine.handlers import Call
from engine.procedures import load
from engine.scenarios import read_scenarios
from engine.store.calendars import calendar_of
from tasks import dates
from tests.procedures.playing import ROOT, stage_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    procedure = load(ROOT / "processes" / "shared" / "corrective-action", ROOT / "forms")
    assert procedure.scenarios is not None
    stage = read_scenarios(procedure.scenarios).stage
    begin = datetime(2026, 9, 1, 9)  # noqa: DTZ001
    with stage_app(procedure, stage, begin, tmp_path_factory.mktemp("dates")) as opened:
        yield opened


def call(app: App, conn: Any, today: date, **given: Any) -> Call:
    now = datetime(today.year, today.month, today.day, 4, tzinfo=UTC)
    properties = {f"flow.{name}": text for name, text in given.pop("properties", {}).items()}
    return Call(
        instance=1, label="SV-1", root=1, unit="site", procedure="p", element="e", name="", properties=properties,
        variables=given, parameters={"days": 5}, by="owner", now=now,
        today=today.isoformat(), conn=conn, folder=Path(),
    )  # fmt: skip


def work_out(app: App, today: date, text: str, shift: str = "keep", **given: Any) -> dict[str, Any]:
    with app.store.read() as conn:
        return dict(
            dates.work_out(call(app, conn, today, properties={"dates": text, "shift": shift}, **given))
        )


def test_a_date_may_count_from_one_before_it_and_by_a_parameter(app: App) -> None:
    found = work_out(app, date(2026, 9, 1), "first: P{days}WD; second: P3D after first")
    assert found == {"first": "2026-09-08", "second": "2026-09-11"}


def test_dates_with_a_label_that_coincide_only_by_design_are_no_warning(app: App) -> None:
    found = work_out(app, date(2026, 9, 1), "a 甲: P1D; b 乙: P1D", shift="next")
    assert found["date_warning"] == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day 5 of next month", "is no date: write as in"),
        ("a: every other day", "is no due date"),
        ("a: PT4H", "gives a time, not a date"),
    ],
)
def test_what_is_no_date_is_found_by_the_check(text: str, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        dates.wanted(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: P1D after d0", "e needs the date d0"), ("a: P{weeks}D", "e needs the parameter weeks")],
)
def test_a_date_or_number_that_is_missing_is_named(app: App, text: str, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        work_out(app, date(2026, 9, 1), text)


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
def test_the_weeks_of_a_month_have_each_of_its_working_days_once(app: App, day: date) -> None:
    begin = day.replace(day=1)
    with app.store.read() as conn:
        calendar = calendar_of(conn, "site")
        weeks: list[Any] = list(dates.weeks(call(app, conn, begin, d0=day.isoformat())))
    spans = [(date.fromisoformat(week["first"]), date.fromisoformat(week["last"])) for week in weeks]
    covered = [
        first + timedelta(days=each) for first, last in spans for each in range((last - first).days + 1)
    ]
    month = [begin + timedelta(days=each) for each in range(31)]
    working = {each for each in month if each.month == day.month and calendar.is_working(each)}
    assert len(covered) == len(set(covered))
    assert working <= set(covered)
    assert {last for _, last in spans} <= working


def test_weeks_that_are_over_when_the_fieldwork_begins_are_left_out(app: App) -> None:
    with app.store.read() as conn:
        weeks: list[Any] = list(dates.weeks(call(app, conn, date(2026, 9, 15), d0="2026-09-01")))
    assert [week["number"] for week in weeks] == [3, 4, 5]


def test_a_date_that_is_set_is_kept_and_others_count_from_it(app: App) -> None:
    text = "by?: P{days}WD; then: P1D after by"
    assert work_out(app, date(2026, 9, 1), text, by="2026-09-30") == {"then": "2026-10-01"}
    assert work_out(app, date(2026, 9, 1), text, by=None) == {"by": "2026-09-08", "then": "2026-09-09"}
