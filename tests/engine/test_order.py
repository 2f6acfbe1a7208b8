"""What is thrown and when it arrives.

What the thrower or its callers catch comes before what goes on by itself; to all others it goes when the thrower
has come to rest.
"""

from __future__ import annotations

import pytest

from engine.bpmn import meter
from engine.commands.instances import Start
from engine.model import SYSTEM
from engine.rehearsal import run
from engine.store import tables
from tests.engine.drawing import diagram
from tests.engine.stage import Stage

IN_ITSELF = """
start s
sub b
  start s1
  throw th {kind}=x
  task u
  end e1
  s1 -> th -> u -> e1
boundary stop on=b {kind}=x
task instead
end e
s -> b -> e
stop -> instead -> e
"""
FROM_A_CALL = """
start s
call b calls=other
boundary stop on=b {kind}=x
task instead
end e
s -> b -> e
stop -> instead -> e
process other
start s1
throw th {kind}=x
task u
end e1
s1 -> th -> u -> e1
"""
AT_ITS_END = """
start s
call b calls=other
boundary stop on=b {kind}=x
task instead
end e
s -> b -> e
stop -> instead -> e
process other
start s1
end th {kind}=x
s1 -> th
"""
ENOUGH = """
start s
sub b times=3 until="numberOfCompletedInstances >= {enough}"
  start s1
  catch wait timer=PT1S
  task u
  end e1
  s1 -> wait -> u -> e1
end e
s -> b -> e
"""
FAILING = """
start s
sub b times=3
  start s1
  xor which
  task t
  end e1
  end bad error=E
  s1 -> which
  which -> bad : loopCounter == 0
  which -> t : else
  t -> e1
boundary caught on=b error=E
end e
s -> b -> e
caught -> e
"""


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
@pytest.mark.parametrize("kind", ["message", "signal", "escalation"])
@pytest.mark.parametrize(
    ("drawing", "way"),
    [
        (IN_ITSELF, "s b s1 th stop instead e"),
        (FROM_A_CALL, "s b s1 th stop instead e"),
        (AT_ITS_END, "s b s1 th stop instead e"),
    ],
    ids=["in itself", "from a called process", "at the end of a called process"],
)
def test_what_is_thrown_is_caught_before_the_next_automatic_step(drawing, way, kind, reload):
    found = run(diagram(drawing.format(kind=kind)), "main", {}, reload=reload)
    assert (" ".join(found.visited), found.ended) == (way, "completed")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
def test_a_message_that_nobody_waits_for_when_its_thrower_has_come_to_rest_is_not_kept(reload):
    drawing = "start s\nthrow th message=x\nuser a\ncatch c message=x\nend e\ns -> th -> a -> c -> e"
    found = run(diagram(drawing), "main", {}, reload=reload)
    assert (" ".join(found.visited), found.ended) == ("s th a c", "waiting")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
@pytest.mark.parametrize("kind", ["message", "signal"])
@pytest.mark.parametrize("between", [[], ["t"], ["t", "u"]], ids=["nothing", "a step", "two steps"])
@pytest.mark.parametrize("begun", [True, False], ids=["begun by it", "waiting for it"])
def test_who_asks_another_process_is_reached_by_an_answer_that_comes_at_once(between, begun, kind, reload):
    way = ["s", "ask", *between, "answer", "e"]
    steps = "\n".join(f"task {each}" for each in between)
    bpmn = diagram(f"""
start s
throw ask {kind}=question
{steps}
catch answer {kind}=reply
end e
{" -> ".join(way)}
process other
start so {f"{kind}=question" if begun else ""}
{"task asked" if begun else f"catch asked {kind}=question"}
end say {kind}=reply
so -> asked -> say
""")
    found = run(bpmn, "main", {}, also_start=() if begun else ("other",), reload=reload)
    assert (list(found.visited), found.ended) == (way, "completed")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
@pytest.mark.parametrize("kind", ["message", "signal"])
@pytest.mark.parametrize("first", ["th", "c"], ids=["the thrower first", "the catcher first"])
def test_of_two_branches_one_catches_what_the_other_throws_in_either_order(first, kind, reload):
    second = "c" if first == "th" else "th"
    drawing = f"""
start s
and split
throw th {kind}=x
catch c {kind}=x
end e
s -> split -> {first} -> e
split -> {second} -> e
"""
    found = run(diagram(drawing), "main", {}, reload=reload)
    assert (sorted(found.visited), found.ended) == (["c", "e", "e", "s", "split", "th"], "completed")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
def test_what_a_called_process_sends_at_its_end_finds_its_caller_waiting_behind_the_call(reload):
    drawing = """
start s
call b calls=other
task t
catch c message=x
end e
s -> b -> t -> c -> e
process other
start s1
end th message=x
s1 -> th
"""
    found = run(diagram(drawing), "main", {}, reload=reload)
    assert (" ".join(found.visited), found.ended) == ("s b s1 th t c e", "completed")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
@pytest.mark.parametrize("enough", [1, 2, 3])
def test_no_item_ends_once_enough_have(enough, reload):
    found = run(diagram(ENOUGH.format(enough=enough)), "main", {}, reload=reload)
    assert (found.visited.count("e1"), found.visited[-1], found.ended) == (enough, "e", "completed")


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "reloaded"])
def test_no_item_goes_on_once_one_has_failed(reload):
    found = run(diagram(FAILING), "main", {}, reload=reload)
    assert "t" not in found.visited[found.visited.index("caught") :]
    assert "e1" not in found.visited
    assert (found.visited[-1], found.ended) == ("e", "completed")


def test_a_message_waits_for_its_thrower_whichever_worker_takes_it_up_first(quick: Stage, monkeypatch):
    monkeypatch.setattr(meter, "STEP_VISITS", 1)
    quick.publish("start so message=question\nend say message=reply\nso -> say", "asked")
    quick.publish("start s\nthrow ask message=question\nscript t do=pass\ncatch answer message=reply\nend e\n"
                  "s -> ask -> t -> answer -> e")  # fmt: skip
    number = quick.do(Start(by=SYSTEM, procedure="p", unit="east", variables={}))
    while not (letters := quick.rows(tables.job, tables.NEW_JOB, tables.job.c.kind == "letter")):
        (going_on,) = quick.rows(tables.job, tables.NEW_JOB)
        quick.app.work(going_on.id)
    quick.app.work(letters[0].id)
    assert len(quick.rows(tables.instance)) == 1
    quick.app.settle()
    assert quick.trace(number) == ["s", "ask", "t", "answer", "e"]
    assert quick.journal("message.unreceived") == []
