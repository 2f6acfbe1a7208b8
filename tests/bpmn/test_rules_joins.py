"""What waits for ever is refused with its reason; what only looks like it runs to its end."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from engine.bpmn import effects
from engine.check import check_diagram
from tests.engine.drawing import diagram
from tests.engine.paths import rehearse
from tests.engine.walking import Environment, walker

CHOSEN = """
start s
KIND g
task b
task c
and j
end e
s -> g
g -> b : x
g -> c : else
b -> j
c -> j -> e
"""
BACK = """
start s
and j
task a
and g
end e
s -> j -> a -> g -> j
g -> e
"""
COUNTED = """
start s
and g
task a
task b
task c
complex j needs="NEEDS"
end e
s -> g -> a -> j -> e
g -> b -> j
g -> c -> j
"""
QUANTITY = """
start s
task a GIVES
task b takes=3
end e
s -> a -> b -> e
"""
EITHER = """
start s
xor x
and g1
task a
task b
task c
and j1
and j2
end e
s -> x
x -> g1 : v
x -> c : else
g1 -> a -> j1
g1 -> b -> j2
c -> j1 -> j2 -> e
"""
CROSSED = """
start s
and g
and j1
and j2
and k1
and k2
end e
s -> g -> j1 -> k1 -> j2
g -> j2 -> k2 -> j1
k1 -> e
k2 -> e
"""
MERGED = """
start s
or g
task a
task b
or m
xor x
task c
task d
and j
end e
s -> g
g -> a : v
g -> b : w
a -> m
b -> m -> x
x -> c : v
x -> d : else
c -> j
d -> j -> e
"""
OF_THREE = """
start s
xor x
and ab
and bc
and ca
task a
task b
task c
and j
end e
s -> x
x -> ab : v
x -> bc : w
x -> ca : else
ab -> a
ab -> b
bc -> b
bc -> c
ca -> c
ca -> a
a -> j
b -> j
c -> j -> e
"""
IN_TURN = """
start s
and g
or m
or n
task a
task b
task p
task q
end e
s -> g -> p -> m -> a -> n
g -> q -> n -> b -> m
a -> e
b -> e
"""

STUCK: dict[str, tuple[str, str, str]] = {
    "a join that waits for what comes only after it": (BACK, "j", "comes from g only after it went on"),
    "the same with a task that parts the flows": (
        BACK.replace("and g", "task g"), "j", "comes from g only after it went on"
    ),
    "a join of one condition and the default": (CHOSEN.replace("KIND", "task"), "j", "from b, c never have"),
    "the same behind an inclusive gateway": (CHOSEN.replace("KIND", "or"), "j", "from b, c never have a token"),
    "the same behind a complex gateway": (CHOSEN.replace("KIND", "complex"), "j", "from b, c never have a token"),
    "the same in a sub-process": (
        "start o\nsub in\n" + "\n".join(" " + line for line in CHOSEN.replace("KIND", "xor").strip().splitlines())
        + "\nend p\no -> in -> p", "j", "from b, c never have a token",
    ),
    "a join of flows that one alternative parts": (EITHER, "j1", "from a, c never have a token together"),
    "what comes behind such a join": (EITHER, "j2", "no token ever comes from j1"),
    "a join of three of which any two have a token": (OF_THREE, "j", "from a, b, c never have a token together"),
    "a choice behind an inclusive join, which lets one token on": (MERGED, "j", "from c, d never have a token"),
    "two joins that wait for each other": (CROSSED, "j1", "comes from k2 only after it went on"),
    "two inclusive joins that wait for each other": (IN_TURN, "m", "could still come to it wait for it"),
    "an activation condition that no number of flows makes true": (
        COUNTED.replace("NEEDS", "activationCount >= 5"), "j", "not true with any of its 3 incoming flows",
    ),
    "the same of nine flows": (
        "start s\nand g\ncomplex j needs='activationCount > 9'\nend e\ns -> g\nj -> e" + "\ng -> j" * 9,
        "j", "not true with any of its 9 incoming flows",
    ),
    "an activation condition that asks for two alternatives": (
        COUNTED.replace("NEEDS", "activationCount >= 2").replace("and g", "choice g").replace("task", "receive")
        .replace("receive a", "receive a message=a").replace("receive b", "receive b message=b")
        .replace("receive c", "receive c message=c"), "j", "tokens never come together",
    ),
    "an activation condition that asks for a flow that comes later": (
        BACK.replace("and j", 'complex j needs="g_to_j > 0 and s_to_j > 0"'), "j", "only after it went on",
    ),
    "a start quantity that no flow fills": (QUANTITY.replace("GIVES", ""), "b", "never more than 1 come"),
    "a start quantity that is not quite filled": (QUANTITY.replace("GIVES", "gives=2"), "b", "more than 2 come"),
    "a join of an activity and the event that interrupts it": (
        "start s\nuser a\nboundary t on=a timer=P1D\nand j\nend e\ns -> a -> j -> e\nt -> j",
        "j", "from a, t never have a token together",
    ),
    "a join of alternatives over a link": (
        CHOSEN.replace("KIND", "xor").replace("end e", "throw o link=l\ncatch i link=l\nend e")
        .replace("b -> j", "b -> o\ni -> j"), "j", "from i, c never have a token together",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STUCK)
def test_what_would_wait_for_ever_is_refused_with_its_reason(case: str) -> None:
    drawing, element, reason = STUCK[case]
    found = [each for each in check_diagram(diagram(drawing)) if "waits for ever" in each.reason]
    said = {each.element: each for each in found}
    assert reason in said[element].reason
    assert said[element].remedy
    assert said[element].level == "error"
    assert element not in entered(drawing, Random(1))


SOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "the way back leads in front of the join": (
        BACK.replace("and j", "and p\nand j\nxor m").replace("and g", "xor g")
        .replace("s -> j -> a -> g -> j", "s -> m -> p -> j -> a -> g\np -> j\ng -> m : n > 1")
        .replace("g -> e", "g -> e : else"), {"n": 1},
    ),
    "two conditions may hold at once": (
        CHOSEN.replace("KIND", "or").replace("g -> c : else", "g -> c : y"), {"x": True, "y": True}
    ),
    "two conditions and a default that leads elsewhere": (
        CHOSEN.replace("KIND", "task").replace("g -> c : else", "g -> c : y\ng -> e : else"),
        {"x": True, "y": True},
    ),
    "one flow is always taken, and the default too": (
        CHOSEN.replace("KIND", "or").replace("g -> b : x", "g -> b"), {}
    ),
    "one flow is always taken, the other on a condition": (
        CHOSEN.replace("KIND", "task").replace("g -> b : x", "g -> b").replace(": else", ": x"), {"x": True}
    ),
    "the branches of a choice meet again before the join": (
        EITHER.replace("xor x", "and x").replace(" : v", "").replace(" : else", ""), {}
    ),
    "joins that overlap, but do not wait for each other": (
        CROSSED.replace("j2 -> k2 -> j1", "j2 -> k2").replace("g -> j1", "g -> p -> j1\np -> j1").replace(
            "and g", "and g\nand p").replace("and k2", "task k2"), {},
    ),
    "two of three flows are enough": (COUNTED.replace("NEEDS", "activationCount >= 2"), {}),
    "single flows are enough, by their names": (COUNTED.replace("NEEDS", "a_to_j > 0 and c_to_j > 0"), {}),
    "several tokens on one flow are enough": (
        COUNTED.replace("NEEDS", "a_to_j > 1").replace("task a", "task a gives=2"), {}
    ),
    "how many are enough is a variable": (COUNTED.replace("NEEDS", "activationCount >= n"), {"n": 3}),
    "a start quantity is filled by one step": (QUANTITY.replace("GIVES", "gives=3"), {}),
    "a start quantity is filled by several laps": (
        QUANTITY.replace("GIVES", "").replace("s -> a -> b", "s -> m -> a -> g -> b\ng -> c -> x\nx -> m : n < 3\n"
        "x -> f : else\nb").replace("end e", 'end e\nend f\nand g\nxor m\nxor x\nscript c do="n = n + 1"'), {"n": 0},
    ),
    "an activity and an event beside it": (
        """
        start s
        and f
        receive a message=a
        boundary t on=a timer=PT1M soft
        catch w timer=PT2M
        send x message=a
        and j
        end e
        end g
        s -> f -> a -> j -> e
        t -> j
        f -> w -> x -> g
        """, {},
    ),
    "a branch that leads over a link": (
        CHOSEN.replace("KIND", "and").replace(" : x", "").replace(" : else", "")
        .replace("end e", "throw o link=l\ncatch i link=l\nend e").replace("b -> j", "b -> o\ni -> j"), {},
    ),
    "two steps that begin together": ("task a\ntask b\nand j\ntask e\na -> j\nb -> j -> e", {}),
    "an inclusive join in a loop": (
        MERGED.replace("and j\n", "").replace("d -> j -> e", "d -> e").replace("c -> j", "c -> m"),
        {"v": False, "w": True},
    ),
    "two tokens make a choice of two": (
        CHOSEN.replace("KIND", "xor").replace("s -> g", "s -> f -> m -> g\nf -> w -> m")
        .replace("xor g", "and f\nxor m\ncatch w timer=PT1M\nxor g").replace("task b", 'script b do="x = False"'),
        {"x": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SOUND)
def test_what_only_looks_as_if_it_would_wait_for_ever_runs(case: str) -> None:
    drawing, variables = SOUND[case]
    assert [str(each) for each in check_diagram(diagram(drawing)) if each.level == "error"] == []
    joins = [
        line.split()[1]
        for line in drawing.splitlines()
        if line.startswith(("and j", "complex j", "task b takes"))
    ]
    assert set(joins) <= set(rehearse(drawing, **variables).visited)


def test_a_diagram_of_two_thousand_elements_that_split_and_join_is_judged_to_its_end() -> None:
    lines = ["start s", "end e", "and g", "s -> g", "and m", "m -> x", "xor x", "task p", "task q", "and j"]
    lines += ["x -> p : v", "x -> q : else", "p -> j", "q -> j", "j -> e"]
    for n in range(140):
        lines += [
            f"and g{n}",
            f"and j{n}",
            f"xor x{n}",
            f"user a{n}",
            f"user b{n}",
            f"user c{n}",
            f"xor y{n}",
        ]
        lines += [
            f"g -> g{n} -> x{n}",
            f"x{n} -> a{n} : v",
            f"x{n} -> b{n} : else",
            f"a{n} -> y{n} -> j{n} -> m",
        ]
        lines += [f"b{n} -> y{n}", f"g{n} -> c{n} -> j{n}"]
    found = [each.element for each in check_diagram(diagram("\n".join(lines))) if "ever" in each.reason]
    assert found == ["j"]


def tangle(random: Random) -> str:
    """A diagram without any structure: gateways, and steps that lead from any of them to any."""
    kinds = [
        random.choice(["and", "and", "xor", "or", "complex", "task"]) for _ in range(random.randint(2, 6))
    ]
    lines = ["start s", "end z", "s -> g0"]
    for n, kind in enumerate(kinds):
        needs = f'needs="{random.choice(["activationCount >= 2", "n", "g0_to_g1 > 1 or n"])}"'
        takes = f"takes={random.choice([1, 2, 3])} gives={random.choice([1, 1, 2])}"
        lines.append(f"{kind} g{n} {needs if kind == 'complex' else takes if kind == 'task' else ''}")
        ways = random.randint(1, 3)
        for way in range(ways):
            step, target = f"u{n}{way}", random.choice([*(f"g{each}" for each in range(len(kinds))), "z"])
            said = random.choice(["", " : x", " : y"]) if kind in ("or", "task", "complex") else ""
            said = " : x" if kind == "xor" else said
            if (
                way == ways - 1
                and kind in ("xor", "or", "task", "complex")
                and (ways > 1 or random.random() < 0.3)
            ):
                said = random.choice([" : else", said]) if kind != "xor" else " : else"
            if target > f"g{n}" and random.random() < 0.4:  # a way back leads over a step that waits
                lines.append(f"g{n} -> {target}{said}")
                continue
            lines += [f"user {step}", f"g{n} -> {step}{said}", f"{step} -> {target}"]
            if random.random() < 0.2:
                soft = random.choice(["", " soft"])
                lines += [
                    f"boundary b{step} on={step} message=m{soft}",
                    f"b{step} -> {random.choice(['g0', 'g1', 'z'])}",
                ]
    return "\n".join(lines)


def entered(drawing: str, random: Random, steps: int = 25) -> set[str]:
    """The elements that one course of a diagram enters, its conditions holding or not at random."""
    course = walker(diagram(drawing), env=Environment(seed=random.randrange(1000)))
    for _ in range(steps):
        numbers = sorted(course.numbers())
        if course.ended or not numbers:
            break
        course.act_on(random.choice(numbers))
    return {each.element for each in course.told if isinstance(each, effects.Entered)}


def never_contradicted(seeds: range) -> tuple[int, int]:
    """Refused elements of random diagrams, none of which a course enters; and the elements entered."""
    refused = passed = 0
    for seed in seeds:
        drawing = tangle(Random(seed))
        said = {each.element for each in check_diagram(diagram(drawing)) if "waits for ever" in each.reason}
        went = set().union(*(entered(drawing, Random(turn)) for turn in range(3)))
        assert not said & went, (seed, said & went, drawing)
        refused, passed = refused + len(said), passed + len(went)
    return refused, passed


def test_no_course_of_a_random_diagram_enters_what_is_said_to_wait_for_ever() -> None:
    refused, passed = never_contradicted(range(60))
    assert refused > 15
    assert passed > 100


@pytest.mark.slow
def test_no_course_of_thousands_of_random_diagrams_enters_what_is_said_to_wait_for_ever() -> None:
    refused, passed = never_contradicted(range(60, 1200))
    assert refused > 500
    assert passed > 2500
