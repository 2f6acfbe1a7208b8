"""scenarios.yaml: read into values, or refused with every fault's line."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Misbuilt, NotFound
from engine.rehearsal.orders import command_of
from engine.scenarios import Act, Look, Scenarios, read_scenarios
from engine.strict_yaml import load
from tests.procedures.conftest import Courses
from tests.procedures.shipped import procedure_of

SOUND = """\
rehearsal: flow/1
stage:
  unit: {id: u, name: 一处}
  people: {ann: [clerk], bob: [clerk, head]}
  orders:
    fetch: {command: Fetch, by: bob, with: {instance: $instance}}
  before: [fetch]
  answers:
    write: {by: ann, with: {text: hello, note: x}}
scenarios:
  plain:
    title: 平常
    start: {at: "2026-09-01 09:00", variables: {d0: "2026-09-10"}}
    dues: {write: "2026-09-02"}
    steps:
      - {at: "2026-09-02 10:00", do: write, with: {note: null, more: 1}, late: true}
      - {do: write, by: bob, item: 2, refused: [text]}
      - {order: fetch}
      - {at: "2026-09-03 10:00", open: [b, a]}
    end: {status: running, missed: [write], overdue: {write: [head]}}
"""


def read(text: str) -> Scenarios:
    return read_scenarios(load(text.encode(), "scenarios.yaml"))


def test_a_step_is_laid_over_what_the_stage_says() -> None:
    steps = read(SOUND).scenarios["plain"].steps
    first, second, third, fourth = steps
    assert isinstance(first, Act)
    assert (first.element, first.by, first.late, dict(first.values)) == (
        "write",
        "ann",
        True,
        {"text": "hello", "more": 1},
    )
    assert isinstance(second, Act)
    assert (second.by, second.item, second.refused, second.at) == ("bob", 2, ("text",), first.at)
    assert isinstance(third, Act)
    assert third.order is not None
    assert (third.order.command, third.by, dict(third.values)) == ("Fetch", "bob", {"instance": "$instance"})
    assert fourth == Look(datetime(2026, 9, 3, 10), ("a", "b"))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("by: bob, item: 2", "by: carl, item: 2", "line 17: The stage has no person carl"),
        ("order: fetch}", "order: fech}", "line 18: The stage has no order fech"),
        ("variables: {d0", "before: [other], variables: {d0", "line 13: The stage has no order other"),
        ("before: [fetch]", "before: [other]", "line 7: The stage has no order other"),
        (
            'at: "2026-09-03 10:00"',
            'at: "2026-09-01 10:00"',
            "line 19: The step lies before the one above it",
        ),
        (
            'at: "2026-09-02 10:00"',
            'at: "2026-09-02"',
            'line 16: 2026-09-02 is no time. Write it as in "2026-09-14 09:00"',
        ),
        ('{write: "2026-09-02"}', '{write: "2026-02-30"}', "line 14: 2026-02-30 is no day"),
        ("open: [b, a]", "opne: [b, a]", "line 19: A step needs exactly one of do, order, open"),
        ("status: running", "status: ended", "line 20: status cannot be ended"),
        (
            "variables: {d0",
            "by_calendar: true, variables: {d0",
            "line 13: What starts by the calendar is given",
        ),
        ("refused: [text]", "refused: [text], denied: true", "line 17: A step is both denied and refused"),
        ("late: true", "lat: true", "line 16: Unknown key lat. Did you mean late?"),
        ("with: {note: null, more: 1}", "with: [1]", "line 16: with expects a mapping"),
        ("scenarios:", "szenarios:", "Unknown key szenarios. Did you mean scenarios?"),
        ("    title: 平常\n", "", "title is missing"),
    ],
)
def test_a_slip_is_named_with_its_line(written: str, instead: str, said: str) -> None:
    assert SOUND.count(written) == 1
    with pytest.raises(Misbuilt) as refused:
        read(SOUND.replace(written, instead))
    assert said in str(refused.value)


def test_orders_of_one_scenario_come_before_its_start() -> None:
    found = read(SOUND.replace("variables: {d0", "before: [fetch, fetch], variables: {d0"))
    assert found.scenarios["plain"].begin.before == ("fetch", "fetch")


@pytest.mark.parametrize("file", ["forms/questionnaire.yaml", "forms/strange.yaml"])
def test_a_text_to_replace_that_is_not_there_is_named_with_its_file(courses: Courses, file: str) -> None:
    changed = {file: {"version: 77": "version: 78"}}
    procedure, app = procedure_of("pharma-annual-plan-200"), courses.kept("shared/archiving").app
    with pytest.raises(NotFound, match=f"{file} has no text version: 77 to replace"):
        command_of(app, procedure, 1, "Publish", "staff", {"changed": changed})


@given(st.data())
def test_a_file_with_lines_lost_is_read_or_refused(data: st.DataObject) -> None:
    lines = SOUND.splitlines()
    lost = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=4))
    try:
        read("\n".join(line for place, line in enumerate(lines) if place not in lost))
    except Misbuilt as refused:
        assert all(finding.remedy for finding in refused.findings)  # noqa: PT017
