"""Sequence flows: alone, with conditions, with a default; where they split and merge without a gateway."""

from __future__ import annotations

from tests.standard.cases import case

OUT_OF_TASK = """
start s
task a
task b
task c
task d
end e
s -> a
a -> b : x > 0
a -> c : x > 1
a -> d
b -> e
c -> e
d -> e
"""
DEFAULT = OUT_OF_TASK.replace("a -> d", "a -> d : else")
OUT_OF_SCOPES = """
start s
sub body
  start i
  script inner do="n = 5"
  end o
  i -> inner -> o
call out calls=other
task big
task small
end e
s -> body
body -> out : n > 4
body -> small : else
out -> big : m == 7
out -> small : else
big -> e
small -> e
process other
start so
script give do="m = 7"
end eo
so -> give -> eo
"""

CASES = [
    case("sequence flow", "8.4.13", "a token goes from one element to the next", """
start s
task a
task b
end e
s -> a -> b -> e
""", "s a b e"),
    case("sequence flow", "13.3.1", "several flows out of an activity are taken side by side", """
start s
task a
task b
task c
end e
s -> a -> b -> e
a -> c -> e
""", "s a (b e | c e)"),
    case("sequence flow", "13.3.1", "an activity with two incoming flows begins once for each token", """
start s
and split
task a
task b
task both
end e
s -> split -> a -> both -> e
split -> b -> both
""", "s split (a both e | b both e)"),
    case("sequence flow", "13.3.1", "two flows between the same elements carry two tokens", """
start s
task a
task b
end e
s -> a -> b -> e
a -> b
""", "s a (b e | b e)"),
    case("sequence flow", "10.5.2", "several flows out of a start event are taken side by side", """
start s
task a
task b
end e
s -> a -> e
s -> b -> e
""", "s (a e | b e)"),
    case("sequence flow", "10.5.4", "several flows out of an intermediate event are taken side by side", """
start s
catch c timer=PT1S
task a
task b
end e
s -> c -> a -> e
c -> b -> e
""", "s c (a e | b e)"),
    case("sequence flow", "13.2",
         "without start events what has no incoming flow begins, and a path may end without end event", """
task a
task b
task c
a -> c
""", "(a c | b)"),
    case("sequence flow", "13.5.6", "the process is complete only when every branch has ended", """
start s
task a
catch c timer=PT10M
end quick
end slow
s -> a -> quick
s -> c -> slow
""", "s (a quick | c) slow"),
    case("conditional sequence flow", "13.3.1", "every flow out of an activity whose condition holds is taken",
         OUT_OF_TASK,
         "s a (b e | c e | d e)", given={"x": 2}),
    case("conditional sequence flow", "13.3.1", "a flow whose condition does not hold is not taken", OUT_OF_TASK,
         "s a (b e | d e)", given={"x": 1}),
    case("conditional sequence flow", "13.3.1", "flows without condition are taken though none holds", OUT_OF_TASK,
         "s a d e", given={"x": 0}),
    case("conditional sequence flow", "10.3", "a condition sees what its own activity has set", """
start s
script a do="x = x + 1"
task b
task c
end e
s -> a
a -> b : x == 3
a -> c : x == 2
b -> e
c -> e
""", "s a b e", given={"x": 2}),
    case("conditional sequence flow", "13.3.1", "with no condition that holds and no default the activity fails", """
start s
task a
task b
task c
end e
s -> a
a -> b : x > 0
a -> c : x > 1
b -> e
c -> e
""", "s a", given={"x": 0}, ended="incident"),
    case("conditional sequence flow", "10.3", "flows out of a sub-process and of a call activity have conditions too",
         OUT_OF_SCOPES, "s body i inner o out so give eo big e", given={"m": 0, "n": 0}),
    case("default sequence flow", "10.3", "the default flow is taken when no condition holds", DEFAULT,
         "s a d e", given={"x": 0}),
    case("default sequence flow", "10.3", "the default flow is not taken beside one that holds", DEFAULT,
         "s a b e", given={"x": 1}),
    case("default sequence flow", "10.3", "the default flow is not taken beside several that hold", DEFAULT,
         "s a (b e | c e)", given={"x": 2}),
    case("default sequence flow", "13.3.1", "a flow without condition is taken beside the default", """
start s
task a
task b
task c
task d
end e
s -> a
a -> b
a -> c : x > 0
a -> d : else
b -> e
c -> e
d -> e
""", "s a (b e | d e)", given={"x": 0}),
]  # fmt: skip
