"""What the people of a rehearsed year know: who does a step, and which answers carried it through in a scenario.

Taken from a procedure's scenarios.yaml, so that nothing of its flow stands here. Pure values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from engine.scenarios import Act, Order, Scenario, Scenarios, Stage, Values

RETURNS = "ImportReturns"
"""The order whose data the made-up respondents give instead."""
_RESPONDENTS = (RETURNS, "Record")
"""Orders that say what became of respondents: the made-up ones decide that themselves."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a step was done once."""

    by: str
    values: Values
    day: date | None
    """The day of the scenario on which it was; None where no scenario does it."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of one procedure's steps."""

    stage: Stage
    usual: Mapping[str, tuple[Way, ...]]
    """By element, as the first scenario that comes to its end does it, in order; else the first that does it."""
    unusual: Mapping[str, tuple[Way, ...]]
    """By element, what other scenarios that come to their end answer otherwise."""
    later: Mapping[str, tuple[Way, ...]]
    """By element, what a scenario does when it comes to the step more often than the usual one does."""
    before: Mapping[str, tuple[Act, ...]]
    """By element, the orders that the first scenario carries out before the step, returns left out."""
    starts: Mapping[str | None, tuple[date, Values]]
    """By start event, the day and the variables that a scenario starts with."""

    @property
    def importer(self) -> str:
        """Who brings returns in; empty where no scenario has any."""
        return next((each.by for each in self.stage.orders.values() if each.command == RETURNS), "")

    @property
    def beforehand(self) -> tuple[Order, ...]:
        """The orders that every scenario begins with."""
        return tuple(self.stage.orders[name] for name in self.stage.before)


def knowledge(found: Scenarios) -> Knowledge:
    """What people know who have seen these scenarios."""
    played = sorted(found.scenarios.values(), key=lambda each: each.end.status != "completed")
    usual: dict[str, list[Way]] = {}
    unusual: dict[str, list[Way]] = {}
    later: dict[str, list[Way]] = {}
    starts: dict[str | None, tuple[date, Values]] = {}
    for scenario in played:
        here: dict[str, list[Way]] = {}
        for act in _done(scenario):
            if act.element is not None:
                here.setdefault(act.element, []).append(Way(act.by, act.values, act.at.date()))
        for element, ways in here.items():
            if element not in usual:
                usual[element] = ways
            elif scenario.end.status == "completed":
                unusual.setdefault(element, []).extend(_other(ways, usual[element]))
                later.setdefault(element, []).extend(ways[len(usual[element]) :])
        begin = scenario.begin
        starts.setdefault(begin.event, (begin.at.date(), begin.variables))
    for element, answer in found.stage.answers.items():
        usual.setdefault(element, [Way(answer.by, answer.values, None)])
    return Knowledge(
        found.stage,
        {element: tuple(ways) for element, ways in usual.items()},
        {element: tuple(ways) for element, ways in unusual.items()},
        {element: tuple(ways) for element, ways in later.items()},
        dict(_before(played[0])) if played else {},
        starts,
    )


def _done(scenario: Scenario) -> Iterator[Act]:
    """What people did that was taken."""
    for step in scenario.steps:
        if isinstance(step, Act) and not step.refused and not step.denied:
            yield step


def _other(ways: list[Way], known: list[Way]) -> list[Way]:
    """Those that decide otherwise; a table that is written otherwise belongs to that scenario's case alone."""
    return [
        way
        for way in ways
        if all(way.values != each.values for each in known)
        and any(_tables(way) == _tables(each) for each in known)
    ]


def _tables(way: Way) -> dict[str, object]:
    return {name: value for name, value in way.values.items() if isinstance(value, list)}


def _before(scenario: Scenario) -> Iterator[tuple[str, tuple[Act, ...]]]:
    waiting: list[Act] = []
    seen: set[str] = set()
    for act in _done(scenario):
        if act.order is not None:
            if act.order.command not in _RESPONDENTS:
                waiting.append(act)
        elif act.element is not None:
            if waiting and act.element not in seen:
                yield act.element, tuple(waiting)
                waiting = []
            seen.add(act.element)
