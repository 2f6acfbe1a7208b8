"""The workflow control-flow patterns, as far as BPMN can say them."""

from __future__ import annotations

from tests.standard.cases import case

MANY_MERGE = """
start s
and split
task a
task b
task c
xor merge
task d
end e
s -> split -> a -> merge -> d -> e
split -> b -> merge
split -> c -> merge
"""
PARTIAL = """
start s
and split
catch a timer=PT3M
catch b timer=PT1M
catch c timer=PT2M
complex join needs='activationCount >= {count}'
task d
end e
s -> split -> a -> join -> d -> e
split -> b -> join
split -> c -> join
"""
DISCRIMINATOR = """
start s
sub race
  start i
  and split
  catch a timer=PT3M
  catch b timer=PT1M
  catch c timer=PT2M
  xor first
  end won terminate
  i -> split -> a -> first -> won
  split -> b -> first
  split -> c -> first
task d
end e
s -> race -> d -> e
"""
CYCLES = """
start s
xor m1
script a do="n = n + 1"
xor m2
script b do="k = k + 1"
xor x1
xor x2
end e
s -> m1 -> a -> m2 -> b -> x1
x1 -> m1 : k < 2
x1 -> x2 : else
x2 -> m2 : k < 4
x2 -> e : else
"""
RECURSION = """
start s
script a do="n = n - 1"
xor more
call again calls=main
xor merge
script b do='mark("back")'
end e
s -> a -> more
more -> again : n > 0
more -> merge : else
again -> merge -> b -> e
"""
INTERLEAVED = """
start s
script begin do="a_done = False; b_done = False"
xor again
choice free
catch ready_a condition='not a_done'
catch ready_b condition='a_done and not b_done'
script a do="a_done = True"
script b do="b_done = True"
xor merge
xor all
end e
s -> begin -> again -> free -> ready_a -> a -> merge -> all
free -> ready_b -> b -> merge
all -> e : a_done and b_done
all -> again : else
"""

CASES = [
    case("WCP01 sequence", "8.4.13", "one after another", "start s\ntask a\ntask b\nend e\ns -> a -> b -> e",
         "s a b e"),
    case("WCP02 parallel split", "13.4.1", "side by side",
         "start s\nand x\ntask a\ntask b\nend e\ns -> x -> a -> e\nx -> b -> e",
         "s x (a e | b e)"),
    case("WCP03 synchronisation", "13.4.1", "all branches are waited for",
         "start s\nand x\ntask a\ncatch b timer=PT1M\nand y\nend e\ns -> x -> a -> y -> e\nx -> b -> y",
         "s x (a | b) y e"),
    case("WCP04 exclusive choice", "13.4.2", "one of two",
         "start s\nxor x\ntask a\ntask b\nend e\ns -> x\nx -> a : n == 1\nx -> b : else\na -> e\nb -> e",
         "s x a e", given={"n": 1}),
    case("WCP05 simple merge", "13.4.2", "no waiting where alternatives meet",
         "start s\nxor x\ntask a\ntask b\nxor y\nend e\ns -> x\nx -> a : n == 1\nx -> b : else\na -> y -> e\nb -> y",
         "s x b y e",
         given={"n": 2}),
    case("WCP06 multi-choice", "13.4.3", "any number of branches",
         "start s\nor x\ntask a\ntask b\ntask c\nend e\ns -> x\nx -> a : n > 0\nx -> b : n > 1\nx -> c : n > 2\n"
         "a -> e\nb -> e\nc -> e",
         "s x (a e | b e)", given={"n": 2}),
    case("WCP07 structured synchronising merge", "13.4.3", "the branches taken are waited for", """
start s
or x
task a
catch b timer=PT1M
task c
or y
end e
s -> x
x -> a : n > 0
x -> b : n > 1
x -> c : n > 2
a -> y -> e
b -> y
c -> y
""", "s x (a | b) y e", given={"n": 2}),
    case("WCP08 multi-merge", "13.4.2", "what follows runs once for each branch", MANY_MERGE,
         "s split (a merge d e | b merge d e | c merge d e)"),
    case("WCP09 structured discriminator", "13.4.5",
         "the first branch leads on, the others are taken in without effect",
         PARTIAL.format(count=1), "s split (a | b | c) join d e"),
    case("WCP10 arbitrary cycles", "13.4.2", "loops with two ways in and two ways out", CYCLES,
         "s m1 a m2 b x1 m1 a m2 b x1 x2 m2 b x1 x2 m2 b x1 x2 e", given={"n": 0, "k": 0}),
    case("WCP11 implicit termination", "13.2", "the process ends when nothing is left to do",
         "and x\ntask a\ncatch b timer=PT1M\nx -> a\nx -> b", "x (a | b)"),
    case("WCP12 multiple instances without synchronisation", "13.4.2",
         "instances are begun in a loop and not waited for", """
start s
xor again
script count do="n = n + 1"
and fork
catch work timer=PT5M
end done
xor more
task after
end e
s -> again -> count -> fork -> work -> done
fork -> more
more -> again : n < 3
more -> after : else
after -> e
""",
         "s again count fork (work | more again count fork (work | more again count fork (work | more after e))) "
         "done done done",
         given={"n": 0}),
    case("WCP13 multiple instances, number known at design time", "13.3.7", "three, and all are waited for",
         "start s\nscript a times=3 do='mark(\"x\")'\nend e\ns -> a -> e", "s (a | a | a) e", marks="x x x"),
    case("WCP14 multiple instances, number known at run time", "13.3.7", "as many as there are items",
         "start s\nscript a each=items:it do='mark(it)'\nend e\ns -> a -> e", "s (a | a) e", marks="(p | q)",
         given={"items": ["p", "q"]}),
    case("WCP15 multiple instances, number not known beforehand", "13.3.6",
         "a loop asks after each whether one more is needed",
         "start s\nscript a while='n < 3' do='n = n + 1'\nend e\ns -> a -> e", "s a a a e", given={"n": 0}),
    case("WCP16 deferred choice", "13.4.4", "what happens first decides",
         "start s\nchoice x\ncatch a timer=PT2M\ncatch b timer=PT1M\nend ea\nend eb\ns -> x -> a -> ea\nx -> b -> eb",
         "s x b eb"),
    case("WCP17 interleaved parallel routing", "10.5.5",
         "one at a time, in an order that is found while it runs", INTERLEAVED,
         "s begin again free ready_a a merge all again free ready_b b merge all e"),
    case("WCP18 milestone", "10.5.5", "something may be done only while a state lasts", """
start s
and split
sub open
  start i
  catch w timer=PT5M
  end o
  i -> w -> o
  event-sub window
    start j message=entry soft
    task enter
    end p
    j -> enter -> p
catch w1 timer=PT1M
throw early message=entry
catch w2 timer=PT10M
throw late message=entry
end e
end et
s -> split -> open -> e
split -> w1 -> early -> w2 -> late -> et
""", "s split (open i w | w1) early (window j enter p | w2) o e late et"),
    case("WCP19 cancel task", "13.5.3", "an open task is withdrawn", """
start s
and split
user a
boundary stop on=a signal=stop
throw t signal=stop
end e
end es
end et
s -> split -> a -> e
split -> t -> et
stop -> es
""", "s split (a | t) (stop es | et)"),
    case("WCP20 cancel case", "13.5.6", "the whole process is ended",
         "start s\nand x\nreceive a message=never\ncatch w timer=PT1M\nend e\nend stop terminate\n"
         "s -> x -> a -> e\nx -> w -> stop",
         "s x (a | w) stop", ended="completed"),
    case("WCP21 structured loop", "13.3.6", "while a condition holds, tested before",
         "start s\nscript a while='n < 2' test-before do='n = n + 1'\nend e\ns -> a -> e", "s a a e", given={"n": 0}),
    case("WCP22 recursion", "10.3.6", "a process calls itself", RECURSION,
         "s a more again s a more again s a more merge b e merge b e merge b e", given={"n": 3},
         marks="back back back"),
    case("WCP23 transient trigger", "10.5.5", "a signal that nobody waits for is lost",
         "start s\nthrow t signal=go\ncatch c signal=go\nend e\ns -> t -> c -> e", "s t c", ended="waiting"),
    case("WCP25 cancel region", "13.5.3", "a part of the process is ended, the rest goes on", """
start s
and split
sub region
  start i
  and both
  receive a message=never
  receive b message=never
  end o
  i -> both -> a -> o
  both -> b -> o
boundary stop on=region timer=PT1M
catch slow timer=PT2M
end e
end es
end et
s -> split -> region -> e
split -> slow -> et
stop -> es
""", "s split (region i both (a | b) | slow) stop es et"),
    case("WCP26 cancel multiple instances", "13.5.3", "all that are open end", """
start s
sub a times=2
  start i
  catch w timer=PT5M
  end o
  i -> w -> o
boundary stop on=a timer=PT1M
end e
end es
s -> a -> e
stop -> es
""", "s (a i w | a i w) stop es"),
    case("WCP27 complete multiple instances", "13.3.7", "those still open are given up when enough are done", """
start s
sub a each=items:it until='numberOfCompletedInstances >= 1'
  start i
  catch w timer=it
  end o
  i -> w -> o
task after
end e
s -> a -> after -> e
""", "s (a i w | a i w) o after e", given={"items": ["PT5M", "PT1M"]}),
    case("WCP28 blocking discriminator", "13.4.5",
         "what comes for the next round waits until all of this one have come", """
start s
and rounds
catch later timer=PT10S
xor merge
and split
task a
catch b timer=PT1M
task c
complex join needs='activationCount >= 1'
task d
end e
s -> rounds -> merge -> split -> a -> join -> d -> e
rounds -> later -> merge
split -> b -> c -> join
""", "s rounds (merge split (a join d e | b) | later) merge split (a | b) c (join d e | c)"),
    case("WCP29 cancelling discriminator", "13.5.6", "the first branch ends the others", DISCRIMINATOR,
         "s race i split (a | b | c) first won d e"),
    case("WCP30 structured partial join", "13.4.5", "two of three lead on, the third is taken in without effect",
         PARTIAL.format(count=2), "s split (a | b | c) join d e"),
    case("WCP32 cancelling partial join", "13.3.7", "two of three, the third is ended", """
start s
sub a each=items:it until='numberOfCompletedInstances >= 2'
  start i
  catch w timer=it
  end o
  i -> w -> o
end e
s -> a -> e
""", "s (a i w | a i w | a i w) o o e", given={"items": ["PT5M", "PT1M", "PT2M"]}),
    case("WCP33 generalised AND-join", "13.4.1", "tokens of different rounds are joined one of each flow", """
start s
and split
and twice
xor m1
and twice2
xor m2
task a
task b
and join
end e
s -> split -> twice -> m1 -> a -> join -> e
twice -> m1
split -> twice2 -> m2 -> b -> join
twice2 -> m2
""", "s split (twice (m1 a | m1 a) | twice2 (m2 b | m2 b)) (join e | join e)"),
    case("WCP34 static partial join for multiple instances", "13.3.7",
         "enough are done, the others are ended with them", """
start s
sub a times=3 sequential until='numberOfCompletedInstances == 2'
  start i
  task t
  end o
  i -> t -> o
end e
s -> a -> e
""", "s a i t o a i t o e"),
    case("WCP36 dynamic partial join for multiple instances", "13.3.7",
         "how many are enough is decided while they run", """
start s
sub a each=items:it until='enough' gather=all:enough sequential
  start i
  script t do="enough = it > 1"
  end o
  i -> t -> o
end e
s -> a -> e
""", "s a i t o a i t o e", given={"items": [1, 2, 3]}),
    case("WCP37 local synchronising merge", "13.4.3",
         "it is seen from the diagram which branches are still to come", """
start s
and split
task a
catch w timer=PT1M
xor way
task b
or join
end e
end aside
s -> split -> a -> join -> e
split -> w -> way
way -> b : n > 0
way -> aside : else
b -> join
""", "s split (a | w) way b join e", given={"n": 1}),
    case("WCP38 general synchronising merge", "13.4.3", "in a loop too", """
start s
xor again
or split
task a
task b
or join
script count do="n = n + 1"
xor more
end e
s -> again -> split
split -> a : n < 1
split -> b : n < 5
a -> join -> count -> more
b -> join
more -> again : n < 2
more -> e : else
""", "s again split (a | b) join count more again split b join count more e", given={"n": 0}),
    case("WCP40 interleaved routing", "13.3.7", "several tasks one at a time",
         "start s\nscript a each=items:it sequential do='mark(it)'\nend e\ns -> a -> e", "s a a e", marks="p q",
         given={"items": ["p", "q"]}),
    case("WCP41 thread merge", "13.4.1", "a fixed number of tokens becomes one", """
start s
and split
task a
task b
task c
and join
task d
end e
s -> split -> a -> join -> d -> e
split -> b -> join
split -> c -> join
""", "s split (a | b | c) join d e"),
    case("WCP42 thread split", "13.3.1", "one token becomes a fixed number", """
start s
task a
xor merge
task b
end e
s -> a -> merge -> b -> e
a -> merge
a -> merge
""", "s a (merge b e | merge b e | merge b e)"),
    case("WCP43 explicit termination", "13.5.6", "an end event that ends everything",
         "start s\nand x\nreceive a message=never\nend e\nend stop terminate\ns -> x -> a -> e\nx -> stop",
         "s x (a | stop)",
         ended="completed"),
]  # fmt: skip
