"""What would never end is stopped at a stated limit, as an incident that says so."""

from __future__ import annotations

import pytest

from engine.bpmn import meter
from engine.bpmn.environment import BpmnError
from engine.commands import batches
from engine.commands.messages import Send
from engine.model import SYSTEM
from engine.rehearsal import run, watching
from engine.store import tables
from tests.engine.drawing import diagram
from tests.engine.stage import Stage

WAY_BACK = "\nxor way\nend e\nway -> e : n < 0\nway -> again : else\n"
FOREVER = "start s\nxor again\nscript count do='n = n + 1'\ns -> again -> count -> way" + WAY_BACK
FORK = "start s\nxor again\nand split\nuser u\ns -> again -> split -> again\nsplit -> u -> way" + WAY_BACK
INCLUSIVE_FORK = (
    "start s\nxor again\nor split\ntask a\ntask b\ns -> again -> split\nsplit -> a : True\nsplit -> b : True\n"
    "split -> way : else\na -> again\nb -> again" + WAY_BACK
)  # fmt: skip
AT_ONCE = (
    "start s\nxor again\ncatch t timer=PT0S\nscript count do='n = n + 1'\ns -> again -> t -> count -> way"
    + WAY_BACK
)
PING_PONG = (
    """
start s
xor again
and split
throw ping message=ping
catch pong message=ping
and join
script count do="n = n + 1"
s -> again -> split -> pong -> join -> count -> way
split -> ping -> join
"""
    + WAY_BACK
)
CALL_LOOP = (
    """
start s
xor again
call c calls=other
s -> again -> c -> way
"""
    + WAY_BACK
    + """
process other
start s2
script count do="n = n + 1"
end e2
s2 -> count -> e2
"""
)
HANDLERS = """
start s
script more do="n = n + 1"
throw t signal=go
xor way
end e
event-sub each
  start i signal=go soft
  catch w timer=PT1M
  end o
  i -> w -> o
s -> more -> t -> way
way -> more : n < 100
way -> e : else
"""
CALLS_ITSELF_TWICE = (
    "start s\nand a\ncall c calls=main\ncall d calls=main\nend e\ns -> a -> c -> e\na -> d -> e"
)
CALLS_ITSELF_OFTEN = "start s\ncall c calls=main times=10\nend e\ns -> c -> e"


@pytest.mark.parametrize(
    "drawing",
    [
        pytest.param(FOREVER, id="loop"),
        pytest.param(AT_ONCE, id="timer"),
        pytest.param(PING_PONG, id="message", marks=pytest.mark.slow),
        pytest.param(CALL_LOOP, id="call", marks=pytest.mark.slow),
    ],
)
def test_a_loop_that_waits_for_nobody_ends_as_one_incident(quick: Stage, monkeypatch, drawing):
    monkeypatch.setattr(meter, "MAX_VISITS", 3_000)
    monkeypatch.setattr(meter, "STEP_VISITS", 500)
    monkeypatch.setattr(meter, "_AT_ONCE", 100)
    quick.publish(drawing)
    number = quick.start(n=0)
    quick.tick()
    incidents = quick.incidents()
    assert [each.error for each in incidents] == [
        "More than 3000 elements ran without waiting; the loop has no end"
    ]
    laps = quick.variables(number)["n"]
    quick.retry()  # whoever has it tried again gives it as much again
    quick.tick()
    assert quick.variables(number)["n"] >= 1.8 * laps > 0
    assert len(quick.incidents()) == 1


def test_a_loop_that_waits_for_somebody_may_go_round_for_ever(quick: Stage, monkeypatch):
    monkeypatch.setattr(meter, "MAX_VISITS", 10)
    quick.publish(
        FOREVER.replace("script count", "receive r message=go\nscript count").replace(
            "-> count", "-> r -> count"
        )
    )
    number = quick.start(n=0)
    for _ in range(20):
        quick.do(Send(by=SYSTEM, name="go"))
    assert quick.variables(number)["n"] == 20
    assert not quick.incidents()


def test_many_items_one_after_another_are_no_endless_loop(quick: Stage, monkeypatch):
    monkeypatch.setattr(meter, "MAX_VISITS", 60)
    inner = "  start is\n  script a do=pass\n  end ie\n  is -> a -> ie"
    quick.publish(f"start s\nsub each times=100 sequential\n{inner}\nend e\ns -> each -> e")
    number = quick.start()
    assert quick.outcome(number) == "completed"


@pytest.mark.parametrize("drawing", [FORK, INCLUSIVE_FORK], ids=["parallel", "inclusive"])
def test_a_gateway_that_feeds_itself_ends_as_one_incident(quick: Stage, drawing):
    quick.publish(drawing)
    number = quick.start(n=0)
    assert [each.error for each in quick.incidents()] == [
        "More than 2000 tokens are on their way at once: more begin than end"
    ]
    assert len(quick.row(number).state) < 500_000


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
def test_that_more_begins_than_ends_is_said_once(monkeypatch, reload):
    monkeypatch.setattr(meter, "MAX_TOKENS", 30)
    found = run(diagram(HANDLERS), "main", {"n": 0}, reload=reload)
    assert found.ended == "incident"
    assert found.incidents == (
        "More than 30 tokens are on their way at once: more begin than end",
        "Nothing more is done with so many; the rehearsal is left as it stands",
    )


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
def test_a_process_that_calls_itself_without_end_stops_at_the_number_of_instances_stated(reload):
    found = run(diagram("start s\ncall c calls=main\nend e\ns -> c -> e"), "main", {}, reload=reload)
    assert found.incidents == ("main calls itself without end: 500 instances have come of one",)
    assert found.visited == ("s", "c") * 501


@pytest.mark.parametrize("drawing", [CALLS_ITSELF_TWICE, CALLS_ITSELF_OFTEN], ids=["twice", "often"])
def test_a_process_that_calls_itself_several_times_stops_at_a_number_of_instances(
    quick: Stage, monkeypatch, drawing
):
    monkeypatch.setattr(batches, "MAX_RECURSION", 60)
    quick.publish(drawing)
    quick.start()
    assert (
        len(quick.rows(tables.instance)) <= 1 + 60 * 10
    )  # what each of the sixty has begun comes to its end
    assert {each.error for each in quick.incidents()} == {
        "main calls itself without end: 60 instances have come of one"
    }


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        (FOREVER, "More than 100000 elements were entered"),
        (FOREVER.replace("n = n + 1", "n = 1"), "times while nothing changed"),
        (AT_ONCE.replace("n = n + 1", "pass"), "times while nothing changed"),
        (FORK, "Nothing more is done with so many"),
        (FOREVER.replace("script count do='n = n + 1'", "user count"), "times while nothing changed"),
    ],
    ids=["counting", "idle", "timer", "fork", "task"],
)  # fmt: skip
def test_a_rehearsal_that_comes_to_no_rest_says_so(monkeypatch, drawing, reason):
    if "100000" in reason:
        monkeypatch.setattr(watching, "MAX_VISITED", 10_000)
        reason = reason.replace("100000", "10000")
    found = run(diagram(drawing), "main", {"n": 0}, horizon_s=10**7)
    assert found.ended == "incident"
    assert reason in found.incidents[-1]


LAPS = (
    "start s\nxor m\nuser a\nscript n do='n = n + 1'\nxor g\nend e\n"
    "s -> m -> a -> n -> g\ng -> m : n < N\ng -> e : else"
)


@pytest.mark.parametrize(
    ("limits", "laps"),
    [({"MAX_STEPS": 125, "MAX_INSTANCES": 30}, 60), pytest.param({}, 5_000, marks=pytest.mark.slow)],
    ids=["lower limits", "as they are"],
)
@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
def test_what_ends_a_long_loop_is_the_elements_entered_and_not_how_its_state_is_kept(
    monkeypatch, limits, laps, reload
):
    for name, limit in limits.items():
        monkeypatch.setattr(watching, name, limit)
    found = run(diagram(LAPS), "main", {"n": 0, "N": laps}, reload=reload)
    assert (found.ended, found.incidents, len(found.visited)) == ("completed", (), 4 * laps + 2)


BEAT = "start s\nreceive r message=go\nend e\ns -> r -> e\nboundary b on=r cycle=R/PT1S soft\n"
TWO_BEATS = BEAT + "boundary c on=r cycle=R/PT1S soft\nend eb\nend ec\nb -> eb\nc -> ec"
HEARD_INSIDE = (
    "start s\nreceive r message=go\nend e\ns -> r -> e\n"
    "event-sub z\n  start t cycle=R/PT1S soft\n  end te\n  t -> te"
)
TIMED_LAP = (
    "start s\nxor x\ncatch t timer=PT1S\nBODY\nend e\ns -> x -> t -> w -> y\nxor y\n"
    "y -> x : n < 10**6\ny -> e : else"
)
FOR_EVER = {
    "timer": BEAT + "end eb\nb -> eb",
    "two timers": TWO_BEATS,
    "event sub-process": HEARD_INSIDE,
    "task each time": BEAT + "user u\nend eb\nb -> u -> eb",
    "call each time": BEAT + "call k calls=o\nend eb\nb -> k -> eb\nprocess o\nstart os\nend oe\nos -> oe",
    "lap": TIMED_LAP.replace("BODY", "task w"),
}
COUNTING = {
    "timer": BEAT + "script w do='n = n + 1'\nend eb\nb -> w -> eb",
    "lap": TIMED_LAP.replace("BODY", "script w do='n = n + 1'"),
}


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
@pytest.mark.parametrize("way", FOR_EVER)
def test_timers_that_change_nothing_are_left_waiting_after_a_number_of_firings(monkeypatch, way, reload):
    monkeypatch.setattr(watching, "MAX_FIRED", 40)
    found = run(diagram(FOR_EVER[way]), "main", {"n": 0}, horizon_s=10**8, reload=reload)
    assert (found.ended, found.incidents) == ("waiting", ())
    assert found.left == (
        f"Timers fired {found.left.split()[2]} times while nothing changed; the rehearsal is left as it stands"
    )
    assert 40 <= int(found.left.split()[2]) <= 41
    assert found.waits


@pytest.mark.parametrize("way", FOR_EVER)
def test_what_the_horizon_ends_is_not_said_to_be_left(way):
    found = run(diagram(FOR_EVER[way]), "main", {"n": 0}, horizon_s=20)
    assert (found.ended, found.incidents, found.left) == ("waiting", (), "")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
@pytest.mark.parametrize("way", COUNTING)
def test_timers_that_change_something_each_time_go_on_longer_but_not_for_ever(monkeypatch, way, reload):
    monkeypatch.setattr(watching, "MAX_FIRED", 20)
    monkeypatch.setattr(watching, "MAX_STEPS", 150)
    found = run(diagram(COUNTING[way]), "main", {"n": 0}, horizon_s=10**8, reload=reload)
    assert (found.ended, found.incidents, found.variables["n"]) == ("waiting", (), 50)
    assert "and timers go on" in found.left


@pytest.mark.slow
def test_an_hour_of_a_timer_each_second_is_played_whole():
    found = run(diagram(FOR_EVER["timer"]), "main", {})
    assert (found.ended, found.left, found.visited.count("b")) == ("waiting", "", 3600)


@pytest.mark.slow
def test_three_and_a_half_thousand_laps_with_a_timer_in_each_run_to_their_end():
    drawing = COUNTING["lap"].replace("10**6", "3500")
    found = run(diagram(drawing), "main", {"n": 0}, horizon_s=10**8)
    assert (found.ended, found.variables["n"]) == ("completed", 3500)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["user", "script"])
def test_ten_thousand_instances_of_an_activity_run_to_the_last(kind):
    body = " do=pass" if kind == "script" else ""
    found = run(diagram(f"start s\n{kind} a times=10000{body}\nend e\ns -> a -> e"), "main", {})
    assert (found.ended, found.visited.count("a")) == ("completed", 10_000)


def test_what_is_alive_at_once_does_not_count_for_how_its_state_is_kept(monkeypatch):
    """Only what is done in it counts: here nothing is, but elements are entered."""
    monkeypatch.setattr(watching, "MAX_STEPS", 60)
    monkeypatch.setattr(watching, "_CROWD", 50)
    listening = "".join(
        f"event-sub z{n}\n  start i{n} condition='x == 1' soft\n  end o{n}\n  i{n} -> o{n}\n"
        for n in range(30)
    )
    drawing = f"start s\nscript w do='x = 1'\ntask a\nend e\n{listening}s -> w -> a -> e"
    kept, anew = (run(diagram(drawing), "main", {"x": 0}, reload=reload) for reload in (False, True))
    assert (kept.ended, kept.incidents, len(kept.visited)) == ("completed", (), 94)
    assert (anew.ended, anew.incidents, sorted(anew.visited)) == ("completed", (), sorted(kept.visited))


MANY_TOKENS = "start s\ntask a gives=600\nscript b do=pass\nend e\ns -> a -> b -> e"
_LEVELS = "\n".join(
    f"and g{n}\ntask a{n}\ntask b{n}\nxor j{n}\ng{n} -> a{n} -> j{n} -> g{n + 1}\ng{n} -> b{n} -> j{n}"
    for n in range(10)
)
DOUBLED = f"start s\nend e\n{_LEVELS}\ntask g10\ns -> g0\ng10 -> e"


@pytest.mark.parametrize(
    ("drawing", "often"), [(MANY_TOKENS, 600), (DOUBLED, 1024)], ids=["given", "doubled"]
)
def test_many_tokens_on_one_way_are_no_loop(drawing, often):
    found = run(diagram(drawing), "main", {})
    assert (found.ended, found.incidents) == ("completed", ())
    assert found.visited.count("e") == often


def test_a_loop_beside_what_splits_is_still_found_to_be_endless():
    found = run(diagram("start s\nand split\nxor again\ntask t\nend e\ns -> split -> again -> t\nsplit -> e\n"
                        "t -> again : x == 1\nt -> e : else"), "main", {"x": 1})  # fmt: skip
    assert (found.ended, "times while nothing changed" in found.incidents[-1]) == ("incident", True)


def test_more_instances_than_a_rehearsal_can_play_are_said_at_once():
    found = run(diagram("start s\nscript a times=200000 do='x = 1'\nend e\ns -> a -> e"), "main", {})
    assert (found.ended, len(found.incidents)) == ("incident", 1)
    assert found.incidents[0].startswith(
        "200000 instances of multi-instance activities, the last of them of a,"
    )


@pytest.mark.parametrize("kind", ["sub", "script"])
def test_instances_within_instances_count_together(monkeypatch, kind):
    monkeypatch.setattr(watching, "MAX_INSTANCES", 30)
    inner = {
        "script": "  script b times=6 do=pass",
        "sub": "  sub b times=6\n    start bs\n    end be\n    bs -> be",
    }[kind]
    drawing = f"start s\nsub a times=N\n  start as\n{inner}\n  end ae\n  as -> b -> ae\nend e\ns -> a -> e"
    few, many = (run(diagram(drawing.replace("N", str(n))), "main", {}) for n in (4, 5))
    assert (few.ended, few.visited.count("b")) == ("completed", 24)
    assert many.ended == "incident"
    assert many.incidents[0].startswith("35 instances of multi-instance activities, the last of them of b,")


@pytest.mark.parametrize("seconds", ["-5", "1e12", "1e300", '"x"', "True", "None", "0 - 0.1"])
def test_a_script_that_sleeps_for_no_time_there_is_is_an_incident_at_its_element(seconds):
    found = run(diagram(f"start s\nscript a do='sleep({seconds})'\nend e\ns -> a -> e"), "main", {})
    assert (found.visited, found.ended) == (("s", "a"), "incident")
    assert "is no time to wait" in found.incidents[0]


def test_scripts_that_sleep_for_a_century_together_are_an_incident_too():
    found = run(diagram("start s\nxor again\nscript a do='n = n + 1; sleep(315360000)'\nend e\ns -> again -> a\n"
                        "a -> again : n < 900\na -> e : else"), "main", {"n": 0}, horizon_s=10**12)  # fmt: skip
    assert "is no time to wait" in found.incidents[0]
    assert (found.ended, found.variables["n"]) == ("incident", 10)


def test_a_rehearsal_waits_for_a_loop_that_counts_by_itself():
    found = run(diagram("start s\nuser a max=600\nend e\ns -> a -> e"), "main", {})
    assert found.ended == "completed"
    assert found.visited.count("a") == 600


def test_a_task_that_cannot_be_completed_is_an_incident_of_the_rehearsal():
    found = run(
        diagram("start s\nuser a\nend e\nend f\ns -> a\na -> e : n > 1\na -> f : n < 1"), "main", {"n": 1}
    )
    assert found.ended == "incident"
    assert "No outgoing flow's condition holds" in found.incidents[0]


def test_an_error_thrown_by_an_expression_is_an_incident():
    def refuse():
        raise BpmnError("E")

    drawing = "start s\ncatch c timer='refuse()'\nend e\ns -> c -> e"
    found = run(diagram(drawing), "main", {}, functions={"refuse": refuse})
    assert found.ended == "incident"
    assert found.incidents == ("Only a script throws errors; this expression throws E",)
