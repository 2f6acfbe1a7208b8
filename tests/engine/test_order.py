"""What is thrown comes before what goes on by itself, whether it has to cross to another instance or not."""

from __future__ import annotations

import pytest

from engine.rehearsal import run
from tests.engine.drawing import diagram

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
def test_a_message_that_nobody_waits_for_yet_is_not_kept(reload):
    drawing = "start s\nthrow th message=x\ntask a\ncatch c message=x\nend e\ns -> th -> a -> c -> e"
    found = run(diagram(drawing), "main", {}, reload=reload)
    assert (" ".join(found.visited), found.ended) == ("s th a c", "waiting")


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
