"""What is as large as the limits allow is judged within seconds; what is larger is refused before it is looked at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest

from engine.bpmn.sizes import MAX_PROCESSES, MAX_TEXT
from engine.check import check_diagram
from engine.errors import Finding
from tests.bounds.broken import HEAD

SECONDS = 5.0
"""Of the processor, not of the clock: the machine may be shared."""
LONGEST = 9_900
MANY = MAX_TEXT // 10_000 - 1
ENDS = '<startEvent id="s"/><endEvent id="e"/>'


def judged(xml: str) -> list[Finding]:
    begun = time.process_time()
    found = check_diagram(xml.encode())
    taken = time.process_time() - begun
    assert taken < SECONDS, f"{taken:.1f} s"
    return found


def process(body: str, name: str = "main") -> str:
    return f'<process id="{name}" isExecutable="true">{body}</process>'


def alone(body: str) -> str:
    return f"{HEAD}{process(ENDS + body)}</definitions>"


def flow(source: str, target: str, number: object, inside: str = "") -> str:
    return f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


def in_a_row(steps: Sequence[str]) -> str:
    """Elements one after another; `ID` stands for the id of each."""
    ids = ["s", *(f"t{n}" for n in range(len(steps))), "e"]
    nodes = "".join(each.replace("ID", f"t{n}") for n, each in enumerate(steps))
    return alone(nodes + "".join(flow(a, b, a) for a, b in pairwise(ids)))


def scripts(line: str, many: int, length: int = LONGEST) -> str:
    each = line * (length // len(line))
    return in_a_row(
        [f'<scriptTask id="ID"><script>y = {n}\n{each}</script></scriptTask>' for n in range(many)]
    )


def choice(many: int, length: int) -> str:
    part = "x != 0 and "
    texts = [part * (length // len(part)) + f"x == {n}" for n in range(many)]
    ways = [
        flow("g", "e", n, f"<conditionExpression>{text}</conditionExpression>")
        for n, text in enumerate(texts)
    ]
    return alone('<exclusiveGateway id="g"/>' + flow("s", "g", "s") + "".join(ways))


def ring(many: int, end: str = "") -> str:
    """Processes that call one another."""
    return (
        HEAD
        + "".join(
            process(
                f'<startEvent id="s{n}"/><callActivity id="c{n}" calledElement="p{(n + 1) % many}"/>'
                f'<endEvent id="e{n}">{end}</endEvent>'
                + flow(f"s{n}", f"c{n}", n)
                + flow(f"c{n}", f"e{n}", f"_{n}"),
                f"p{n}",
            )
            for n in range(many)
        )
        + "</definitions>"
    )


def tasks(many: int, name: str, value: str) -> str:
    said = f'<camunda:properties><camunda:property name="{name}" value="{value}"/></camunda:properties>'
    return in_a_row([f'<userTask id="ID"><extensionElements>{said}</extensionElements></userTask>'] * many)


def joins(many: int, wide: int) -> str:
    condition = "activationCount != 0 and " * 350 + f"activationCount == {wide}"
    body = ""
    for n in range(many):
        body += f'<parallelGateway id="a{n}"/><complexGateway id="b{n}"><activationCondition>{condition}'
        body += "</activationCondition></complexGateway>"
        body += "".join(flow(f"a{n}", f"b{n}", f"{n}_{m}") for m in range(wide))
        body += flow(f"b{n}", f"a{n + 1}" if n + 1 < many else "e", f"n{n}")
    return alone(body + flow("s", "a0", "s"))


def test_scripts_as_long_as_the_limits_allow_are_judged_within_seconds():
    assert not judged(scripts("x = -x\n", MANY))


def test_conditions_as_long_as_the_limits_allow_are_judged_within_seconds():
    assert not judged(choice(MANY, LONGEST))


def test_two_thousand_scripts_in_a_row_have_room():
    assert not judged(scripts("total = total + price * 2\n", 2000, 200))


@pytest.mark.parametrize("end", ["", "<compensateEventDefinition/>"])
def test_processes_that_call_one_another_in_a_ring_are_judged_within_seconds(end):
    judged(ring(MAX_PROCESSES, end))


def test_a_name_that_is_written_a_hundred_thousand_times_is_looked_for_once_a_task():
    found = judged(tasks(300, "flow.not-same-as", "tt," * 500))
    assert len(found) == 300


def test_long_activation_conditions_of_wide_gateways_are_judged_within_seconds():
    assert not judged(joins(20, 1000))


def test_scripts_longer_than_the_limit_are_refused_at_the_longest():
    (found,) = judged(scripts("x = -x\n", MANY + 3).replace("y = 1\n", "y = 1" + "0" * 50 + "\n"))
    assert found.element == "t1"
    assert "500000 are allowed" in str(found)


def test_more_processes_than_the_limit_are_refused():
    (found,) = judged(ring(MAX_PROCESSES + 1))
    assert "1001 processes; 1000 are allowed" in str(found)
