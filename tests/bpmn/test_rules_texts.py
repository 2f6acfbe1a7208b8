"""Conditions, scripts, timers, due dates, properties: each rule broken once."""

from __future__ import annotations

import pytest

from engine.check import check_diagram
from tests.bpmn.models import (
    END,
    ENDS,
    OTHER,
    START,
    TASK,
    XOR,
    boundary,
    catch,
    line,
    process,
    properties,
    refused,
    service,
    task,
    timer,
)


def call(**values: str) -> bytes:
    """A call with these properties, between a start and an end."""
    return line(f'<callActivity id="c" calledElement="other">{properties(**values)}</callActivity>', "c")


REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a condition that is none": (
        process(f"{ENDS}{XOR}{TASK}", "s > x1; x1 > t if ${x > 1}; x1 > e if x < 1; t > e"),
        "f2",
        "",
    ),
    "a script that is none": (
        line('<scriptTask id="t"><script>import os</script></scriptTask>', "t"),
        "t",
        "",
    ),
    "a script that calls an unknown function": (
        line('<scriptTask id="t"><script>launch("x")</script></scriptTask>', "t"),
        "t",
        "launch",
    ),
    "an assignee that is no expression": (
        line('<userTask id="t" camunda:assignee="${boss}"/>', "t"),
        "t",
        "",
    ),
    "a priority that is no number": (
        line('<userTask id="t" camunda:priority="high"/>', "t"),
        "t",
        "high is no whole number",
    ),
    "two roles for one task": (
        line('<userTask id="t" camunda:candidateGroups="a, b"/>', "t"),
        "t",
        "is not one role",
    ),
    "a timer without a time": (line(catch("<timerEventDefinition/>"), "c"), "c", "timer has no time"),
    "a timer mistyped": (line(catch(timer("P15DD")), "c"), "c", "timer cannot be read"),
    **{
        f"{text} is no timer": (line(catch(timer(text, kind)), "c"), "c", "timer cannot be read")
        for text, kind in [
            *(("PT", "timeDuration"), ("Pfoo", "timeDuration"), ("pt5m", "timeDuration")),
            *(("R-1/PT10M", "timeCycle"), ("R", "timeCycle"), ("r/pt1h", "timeCycle")),
        ]
    },
    "a function set as a variable": (
        line('<scriptTask id="t"><script>sleep = 5</script></scriptTask>', "t"),
        "t",
        "sleep is a function",
    ),
    "a timer with a decimal": (line(catch(timer("P1.5D")), "c"), "c", "timer cannot be read"),
    "a date declared a duration": (
        line(catch(timer("2026-12-31")), "c"),
        "c",
        "declared a duration, but 2026-12-31 is none",
    ),
    "a day that no month has": (
        line(catch(timer("2026-02-30", "timeDate")), "c"),
        "c",
        "names no day or hour",
    ),
    "such a day as an expression": (
        line(catch(timer("'2026-02-30'", "timeDate")), "c"),
        "c",
        "names no day or hour",
    ),
    "a timer that gives a number": (line(catch(timer("2 * 3", "timeDate")), "c"), "c", "timer"),
    "a list for a timer": (line(catch(timer("[1]", "timeDate")), "c"), "c", "gives […], which is no date"),
    "a duration declared a cycle": (
        line(catch(timer("PT1H", "timeCycle")), "c"),
        "c",
        "declared a cycle, but PT1H is none",
    ),
    "a timer as an impossible expression": (line(catch(timer("d0 +")), "c"), "c", ""),
    "a due date that is none": (task(due="soon"), "t", "flow.due cannot be read"),
    "a due date from an unknown element": (
        task(due="P3WD after planned(colect)"),
        "t",
        "planned(colect), but there is no such element",
    ),
    "a due date planned from an element without one": (
        process(
            f'{START}{OTHER}<userTask id="t">{properties(due="P1D after planned(u)")}</userTask>{END}',
            "s > u; u > t; t > e",
        ),
        "t",
        "u has no due date",
    ),
    "a due date planned from one that counts from its opening": (
        process(
            f'{START}<userTask id="u">{properties(due="P2D")}</userTask>'
            f'<userTask id="t">{properties(due="P1D after planned(u)")}</userTask>{END}',
            "s > u; u > t; t > e",
        ),
        "t",
        "known only when that task opens",
    ),
    "due dates in a circle": (
        process(
            f'{START}<userTask id="u">{properties(due="P2D after planned(t)")}</userTask>'
            f'<userTask id="t">{properties(due="P1D after planned(u)")}</userTask>{END}',
            "s > u; u > t; t > e",
        ),
        "u",
        "count from one another",
    ),
    "an unknown property": (task(dew="P1D"), "t", "Unknown property flow.dew"),
    "a property without a value": (task(due=""), "t", "flow.due is empty"),
    "a due date of a service task": (service(due="P1D"), "t", "flow.due has no effect here"),
    "a handler of a send task": (service("sendTask", handler="a.b"), "t", "flow.handler has no effect here"),
    "a collection without instances": (task(collection="a.b"), "t", "flow.collection has no effect here"),
    "a reminder that is none": (task(due="P5D", remind="tomorrow"), "t", "flow.remind cannot be read"),
    "an overdue notice before": (
        task(due="P5D", overdue="P1D before due: boss"),
        "t",
        "flow.overdue cannot be read",
    ),
    "a reminder without a due date": (task(remind="P1D before due"), "t", "but there is none"),
    "roles given to a step that calls nothing": (task(roles="a = b"), "t", "has no effect here"),
    "a role without the other": (call(roles="doer"), "c", "'doer' is not like `theirs = ours`"),
    "a role said twice": (call(roles="a = b, a = c"), "c", "a stands there twice"),
    "a record that is an expression": (call(records="paper = x + 1"), "c", "'paper = x + 1' is not like"),
    "an input with a blank in its name": (
        call(**{"in": "a b = max(1, 2)"}),
        "c",
        "flow.in sets a b, which cannot",
    ),
    "an input whose expression breaks off": (call(**{"in": "a = max(1, 2"}), "c", ""),
    "four eyes with nobody": (task(not_same_as="gone"), "t", "which is no other user task"),
    "four eyes with itself": (task(not_same_as="t"), "t", "which is no other user task"),
    "a function without a subject": (service(handler="summarise"), "t", "names no function"),
    "an output that is no name": (
        line(f'<callActivity id="t" calledElement="q">{properties(out="a-b")}</callActivity>', "t"),
        "t",
        "cannot be a variable",
    ),
    "an input that is no name": (
        line(f'<callActivity id="t" calledElement="q">{properties(**{"in": "a-b = 1"})}</callActivity>', "t"),
        "t",
        "cannot be a variable",
    ),
    "an input that is no expression": (
        line(f'<callActivity id="t" calledElement="q">{properties(**{"in": "a = b +"})}</callActivity>', "t"),
        "t",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_diagram_that_cannot_run_faithfully_is_refused_with_place_reason_and_remedy(case: str) -> None:
    refused(*REFUSED[case])


@pytest.mark.parametrize(
    ("text", "named"), [("PT", True), ("Pfoo", True), ("P1W2D", False), (f"PT{'9' * 30}H", False)]
)
def test_only_what_could_be_a_variable_is_advised_to_go_into_brackets(text: str, named: bool) -> None:
    (found,) = check_diagram(line(catch(timer(text)), "c"))
    assert ("goes into brackets" in found.remedy) is named


@pytest.mark.parametrize("text", ["(Pfoo)", "period", "Plan['start']", "P15D", "R/PT1H"])
def test_a_timer_may_read_a_variable_whatever_its_name(text: str) -> None:
    kind = "timeCycle" if text.startswith("R") else "timeDuration"
    held = '<userTask id="t"/>' + boundary(timer(text, kind), 'cancelActivity="false"')
    assert check_diagram(process(f"{ENDS}{held}", "s > t; t > e; b > e")) == []
