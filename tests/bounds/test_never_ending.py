"""Whatever goes on for ever in a rehearsal is left after so many steps, in whichever way it goes on."""

from __future__ import annotations

import pytest

from engine.bpmn import meter
from engine.commands import batches
from engine.rehearsal import run, watching
from tests.engine.drawing import diagram

COUNT = "script count do='n = n + 1'"
OTHER = "\nprocess o\nstart os\nend oe\nos -> oe"
BEAT = "start s\nreceive r message=go\nend e\ns -> r -> e\nboundary b on=r cycle=R/PT1S soft\nend eb\n"
LISTENS = "event-sub z\n  start i signal=go soft\n  script w do='m = n'\n  end o\n  i -> w -> o\n"


def lap(elements: str, course: str) -> str:
    """A loop of gateways around these elements, that never comes to its end."""
    return (
        f"start s\nxor again\n{elements}\nxor way\nend e\ns -> again -> {course} -> way\n"
        "way -> e : n < 0\nway -> again : else"
    )


SHAPES = {
    "gateways": lap(COUNT, "count"),
    "a list that grows": lap("script count do='l = l + [n]'", "count"),
    "standard loop": f"start s\n{COUNT} while='n >= 0'\nend e\ns -> count -> e",
    "standard loop of nothing": "start s\ntask a while='n >= 0'\nend e\ns -> a -> e",
    "standard loop of a sub-process": (
        f"start s\nsub a while='n >= 0'\n  start is\n  {COUNT}\n  end ie\n  is -> count -> ie\nend e\ns -> a -> e"
    ),
    "task": lap(COUNT + "\nuser u", "u -> count"),
    "call": lap(COUNT + "\ncall c calls=o", "count -> c") + OTHER,
    "calls itself": "start s\ncall c calls=main\nend e\ns -> c -> e",
    "instances": lap(COUNT + "\nscript a times=5 do='x = 1'", "a -> count"),
    "message to itself": lap(
        COUNT + "\nand split\nthrow ping message=ping\ncatch pong message=ping\nand join",
        "split -> pong -> join -> count",
    )
    + "\nsplit -> ping -> join",
    "event sub-process": lap(COUNT + "\nthrow t signal=go", "count -> t") + "\n" + LISTENS,
    "timer": lap(COUNT + "\ncatch t timer=PT1S", "t -> count"),
    "timer again and again": BEAT + COUNT + "\nb -> count -> eb",
    "tokens that pile up": BEAT + "receive never message=never\nb -> never -> eb",
    "tokens that split": lap("and split\n" + COUNT, "split -> count") + "\nsplit -> again",
}  # fmt: skip


ANEW = ("gateways", "standard loop", "call", "timer", "tokens that pile up")


@pytest.mark.parametrize(
    ("shape", "share", "reload"),
    [
        *((shape, 100, False) for shape in SHAPES),
        *((shape, 100, True) for shape in ANEW),
        *(pytest.param(shape, 1, False, marks=pytest.mark.slow) for shape in SHAPES),
    ],
)
def test_what_never_ends_is_left_after_a_number_of_steps(monkeypatch, shape, share, reload):
    """With limits of a hundredth, and as they are."""
    for module, names in (
        (watching, ("MAX_VISITED", "MAX_VISITED_ANEW", "MAX_STEPS", "MAX_FIRED", "MAX_INSTANCES")),
        (meter, ("STEP_VISITS",)),
        (batches, ("MAX_RECURSION",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) // share)
    turns: list[int] = []
    found = run(
        diagram(SHAPES[shape]), "main", {"n": 1, "m": 0, "l": []}, horizon_s=10**9, reload=reload,
        progress=lambda _, visited: turns.append(visited),
    )  # fmt: skip
    assert (found.ended, bool(found.incidents)) in {("incident", True), ("waiting", False)}
    assert any(
        "is left as it stands" in each or "without end" in each for each in (*found.incidents, found.left)
    )
    most = watching.MAX_VISITED_ANEW if reload else watching.MAX_VISITED
    assert max(turns, default=0) <= most + meter.STEP_VISITS
    assert len(turns) <= (most if reload else 2 * watching.MAX_STEPS)


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
def test_the_more_is_alive_the_sooner_it_is_left(monkeypatch, reload):
    monkeypatch.setattr(watching, "MAX_STEPS", 300)
    piled = diagram(SHAPES["tokens that pile up"])
    before = run(piled, "main", {}, horizon_s=10**9, reload=reload)
    monkeypatch.setattr(watching, "_CROWD", 50)
    after = run(piled, "main", {}, horizon_s=10**9, reload=reload)
    assert (before.ended, after.ended) == ("waiting", "waiting")
    assert before.visited.count("b") == 100
    assert 10 < after.visited.count("b") < 50


def test_the_items_of_an_activity_count_for_nothing_the_first_time_and_then_they_do(monkeypatch):
    monkeypatch.setattr(watching, "MAX_STEPS", 50)
    once = run(diagram("start s\nuser a times=30\nend e\ns -> a -> e"), "main", {})
    assert (once.ended, once.visited.count("a")) == ("completed", 30)
    twice = run(diagram(lap(COUNT + "\nuser a times=30", "a -> count")), "main", {"n": 0})
    assert (twice.ended, "times tasks, instances and messages" in twice.incidents[0]) == ("incident", True)
