"""Variables: what can be kept of them, and that they are the same in this step and after loading anew."""

from __future__ import annotations

import datetime
import decimal

import pytest

from engine.errors import EngineError
from engine.store import tables
from tests.engine.paths import rehearse
from tests.engine.stage import Stage

HANDLED = """
start s
user before
service fetch flow.handler=t.fetch
script use do="copy = [value, value]"
user after
end e
s -> before -> fetch -> use -> after -> e
"""

CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize("kind", ["inside", "outside"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime.date(2026, 1, 1), "2026-01-01"),
        ((1, "是"), [1, "是"]),
        ({"a": [None, 1.5, True]}, {"a": [None, 1.5, True]}),
        (2**63 - 1, 2**63 - 1),
    ],
    ids=str,
)
def test_what_a_function_returns_is_at_once_as_it_will_be_read_back(
    quick: Stage, handlers, kind, given, kept
):
    def fetch(call):
        """Fetch."""
        return {"value": given}

    getattr(handlers, kind)(fetch)
    quick.publish(HANDLED)
    number = quick.start()
    quick.complete("before")
    assert quick.open() == ["after"], [job.error for job in quick.incidents()]
    assert quick.variables(number) == {"value": kept, "copy": [kept, kept]}


@pytest.mark.parametrize(
    "given",
    [float("nan"), [float("inf")], 2**64, {1}, {1: 2}, decimal.Decimal(1), "\ud800", object(), CYCLE],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_kept_is_an_incident_and_the_person_s_work_before_it_stays_done(
    quick: Stage, handlers, given
):
    @handlers.inside
    def fetch(call):
        """Fetch."""
        return {"value": given}

    quick.publish(HANDLED)
    number = quick.start()
    quick.complete("before")
    assert [row.status for row in quick.rows(tables.user_task)] == ["done"]
    (incident,) = quick.incidents()
    assert incident.element == "fetch"
    assert "cannot be kept" in (incident.error or "")
    assert quick.variables(number) == {}


def test_a_number_that_grows_too_large_in_a_script_is_an_incident():
    found = rehearse('start s\nscript grow do="n = 2 ** 80"\nend e\ns -> grow -> e')
    assert found.ended == "incident"
    assert "cannot be kept" in found.incidents[0]


def test_nobody_starts_an_instance_with_what_cannot_be_kept(quick: Stage):
    quick.publish("start s flow.sets=value\nuser a\nend e\ns -> a -> e")
    with pytest.raises(EngineError, match="cannot be kept"):
        quick.start(value=float("nan"))
    assert not quick.rows(tables.instance)


def test_changing_a_copy_of_a_list_leaves_the_other_alone():
    found = rehearse("start s\nscript a do='x = [1]; y = x'\nscript b do='y[0] = 2'\nend e\ns -> a -> b -> e")
    assert found.variables == {"x": [1], "y": [2]}


def test_of_two_branches_that_set_the_same_variable_the_later_completion_wins_and_both_are_in_the_history(
    quick: Stage,
):
    quick.publish("""
    start s
    and split
    user a form=f
    user b form=f
    and join
    end e
    s -> split -> a -> join -> e
    split -> b -> join
    """, forms={"f": "  - {id: x, type: integer, label: x}"})  # fmt: skip
    number = quick.start()
    quick.complete("b", x=2)
    quick.complete("a", x=1)
    assert quick.variables(number) == {"x": 1}
    assert [fact.facts["values"] for fact in quick.journal("task.completed")] == [{"x": 2}, {"x": 1}]
