"""Compensation."""

from __future__ import annotations

from tests.standard.cases import case

DONE = """
start s
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
task b
boundary cb on=b compensate
task undo_b undoes
cb ~> undo_b
{throw}
{rest}
s -> a -> b -> back{on}
"""
THROW = DONE.format(throw="throw back compensate{which}", rest="end e", on=" -> e")
END = DONE.format(throw="end back compensate{which}", rest="", on="")
HANDLER = """
start s
sub body
  start i
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
  task c
  end o
  i -> a -> c -> o
  event-sub undo
    start j compensate
    {inside}
    end p
    j -> x -> p
throw back compensate{which}
end e
s -> body -> back -> e
"""

CASES = [
    case("compensation throw event", "13.5.5", "what is done is undone, the last first", THROW.format(which=""),
         "s a b back undo_b undo_a e"),
    case("compensation throw event", "10.7.2", "one activity may be undone alone", THROW.format(which="=a"),
         "s a b back undo_a e"),
    case("compensation throw event", "13.5.5", "what is undone once is not undone again", """
start s
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
throw back compensate
throw more compensate
end e
s -> a -> back -> more -> e
""", "s a back undo_a more e"),
    case("compensation throw event", "13.5.5", "when nothing was done, nothing is undone", """
start s
xor way
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
xor merge
throw back compensate
end e
s -> way
way -> a : go
way -> merge : else
a -> merge -> back -> e
""", "s way merge back e", given={"go": False}),
    case("compensation throw event", "13.5.5", "what is still going on is not undone", """
start s
and split
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
receive b message=done
boundary cb on=b compensate
task undo_b undoes
cb ~> undo_b
throw back compensate
throw t message=done
end e
end eb
s -> split -> a -> back -> t -> e
split -> b -> eb
""", "s split (a | b) back undo_a t (e | eb)"),
    case("compensation throw event", "13.5.5", "an activity done twice is undone twice", """
start s
xor again
script a do="n = n + 1"
boundary ca on=a compensate
script undo_a undoes do='mark("undo")'
ca ~> undo_a
xor way
throw back compensate
end e
s -> again -> a -> way
way -> again : n < 2
way -> back : else
back -> e
""", "s again a way again a way back undo_a undo_a e", given={"n": 0}, marks="undo undo"),
    case("compensation throw event", "13.5.5",
         "activities done side by side are undone in the reverse of their ends", """
start s
and split
catch w1 timer=PT2M
task a
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
catch w2 timer=PT1M
task b
boundary cb on=b compensate
task undo_b undoes
cb ~> undo_b
and join
throw back compensate
end e
s -> split -> w1 -> a -> join -> back -> e
split -> w2 -> b -> join
""", "s split (w1 | w2) b a join back undo_a undo_b e"),
    case("compensation throw event", "13.5.5", "the thrower waits until all is undone", """
start s
task a
boundary ca on=a compensate
sub undo_a undoes
  start i
  catch w timer=PT5M
  end o
  i -> w -> o
ca ~> undo_a
throw back compensate
end e
s -> a -> back -> e
""", "s a back undo_a i w o e"),
    case("compensation throw event", "13.5.5", "other branches go on meanwhile", """
start s
and split
task a
boundary ca on=a compensate
sub undo_a undoes
  start i
  catch w timer=PT5M
  end o
  i -> w -> o
ca ~> undo_a
throw back compensate
catch w2 timer=PT2M
task b
end e
end eb
s -> split -> a -> back -> e
split -> w2 -> b -> eb
""", "s split (a back undo_a i w | w2) b eb o e"),
    case("compensation throw event", "13.5.5", "a handler sees the variables as they are now", """
start s
script a do="n = 1"
boundary ca on=a compensate
script undo_a undoes do="m = n"
ca ~> undo_a
script b do="n = 2"
throw back compensate
end e
s -> a -> b -> back -> e
""", "s a b back undo_a e", left={"m": 2}),
    case("compensation end event", "13.5.6", "what is done is undone before the branch ends", END.format(which=""),
         "s a b back undo_b undo_a"),
    case("compensation end event", "10.7.2", "one activity alone", END.format(which="=b"), "s a b back undo_b"),
    case("compensation boundary event", "10.7", "it never comes by itself",
         DONE.format(throw="task back", rest="end e", on=" -> e"),
         "s a b back e"),
    case("compensation boundary event", "10.7", "on a sub-process: its handler undoes it as a whole", """
start s
sub body
  start i
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
  end o
  i -> a -> o
boundary cb on=body compensate
task undo_body undoes
cb ~> undo_body
throw back compensate
end e
s -> body -> back -> e
""", "s body i a o back undo_body e"),
    case("compensation boundary event", "10.7", "on a called process", """
start s
call a calls=other
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
throw back compensate
end e
s -> a -> back -> e
process other
start so
end eo
so -> eo
""", "s a so eo back undo_a e"),
    case("compensation boundary event; standard loop", "13.5.5", "on a loop: undone once for every round", """
start s
script a do='n = n + 1' max=3
boundary ca on=a compensate
script undo_a undoes do='mark(str(n))'
ca ~> undo_a
throw back compensate
end e
s -> a -> back -> e
""", "s a a a back undo_a undo_a undo_a e", given={"n": 0}, marks="3 3 3"),
    case("compensation boundary event; standard loop", "13.5.5",
         "in a sub-process that loops: every round, the last first", """
start s
sub body max=2
  start i
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
  task b
  boundary cb on=b compensate
  task undo_b undoes
  cb ~> undo_b
  end o
  i -> a -> b -> o
throw back compensate
end e
s -> body -> back -> e
""", "s body i a b o body i a b o back undo_b undo_a undo_b undo_a e"),
    case("compensation boundary event", "10.7", "on an activity that an error ended it does not count as done", """
start s
script a do='throw_error("E")'
boundary b on=a error=E
boundary ca on=a compensate
task undo_a undoes
ca ~> undo_a
throw back compensate
end e
end ea
s -> a -> ea
b -> back -> e
""", "s a b back e"),
    case("compensation boundary event", "13.5.5",
         "a sub-process without handler is undone by what is in it, the last first", """
start s
sub body
  start i
  task a
  boundary ca on=a compensate
  task undo_a undoes
  ca ~> undo_a
  task b
  boundary cb on=b compensate
  task undo_b undoes
  cb ~> undo_b
  end o
  i -> a -> b -> o
task c
boundary cc on=c compensate
task undo_c undoes
cc ~> undo_c
throw back compensate
end e
s -> body -> c -> back -> e
""", "s body i a b o c back undo_c undo_b undo_a e"),
    case("compensation event sub-process", "13.5.5", "it undoes the sub-process that it stands in",
         HANDLER.format(inside="task x", which=""), "s body i a c o back undo j x p e"),
    case("compensation event sub-process", "10.7.2", "it may undo the activities around it",
         HANDLER.format(inside="throw x compensate", which=""), "s body i a c o back undo j x undo_a p e"),
    case("compensation event sub-process", "10.7.2", "the sub-process may be named",
         HANDLER.format(inside="task x", which="=body"), "s body i a c o back undo j x p e"),
    case("compensation event sub-process", "13.5.5", "it does not come while its sub-process goes on", """
start s
sub body
  start i
  receive a message=done
  end o
  i -> a -> o
  event-sub undo
    start j compensate
    task x
    end p
    j -> x -> p
catch w timer=PT1M
throw back compensate
throw t message=done
end e
end eb
s -> body -> eb
s -> w -> back -> t -> e
""", "s (body i a | w) back t (e | o eb)"),
    case("call activity; compensation throw event", "10.7",
         "where a called process undoes nothing, what stands beside the call is undone", """
start s
task a
boundary ca on=a compensate
task ua undoes
ca ~> ua
call c calls=other
throw back compensate
end e
s -> a -> c -> back -> e
process other
start j
task b
end o
j -> b -> o
""", "s a c j b o back ua e"),
    case("multi-instance, parallel; compensation throw event", "10.7, 13.3.7",
         "each instance undoes what it did, and what is around them is undone without it", """
start s
task a
boundary ca on=a compensate
task ua undoes
ca ~> ua
sub m times=2
  start i
  task b
  boundary cb on=b compensate
  task ub undoes
  cb ~> ub
  throw t compensate
  end o
  i -> b -> t -> o
throw back compensate=a
end e
s -> a -> m -> back -> e
""", "s a (m i b t ub o | m i b t ub o) back ua e"),
]  # fmt: skip
