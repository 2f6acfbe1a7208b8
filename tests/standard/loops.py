"""Activities that run several times: standard loops and multi-instance activities."""

from __future__ import annotations

from tests.standard.cases import case

LOOP = """
start s
script a do="n = n + 1" {loop}
task last
end e
s -> a -> last -> e
"""
MANY = """
start s
sub a {many}
  start i
  script work do='{script}'
  end o
  i -> work -> o
task last
end e
s -> a -> last -> e
"""
TASK = """
start s
script a {many} do='{script}'
task last
end e
s -> a -> last -> e
"""
WAITS = """
start s
sub a {many}
  start i
  catch wait timer='{time}'
  script work do='mark(str(loopCounter))'
  end o
  i -> wait -> work -> o
task last
end e
s -> a -> last -> e
"""
LETTERS = {"items": ["p", "q", "r"]}

CASES = [
    case("standard loop", "13.3.6", "tested after, it runs once though its condition never holds",
         LOOP.format(loop="while='n < 0'"), "s a last e", given={"n": 0}),
    case("standard loop", "13.3.6", "tested after, it runs again while its condition holds",
         LOOP.format(loop="while='n < 3'"), "s a a a last e", given={"n": 0}, left={"n": 3}),
    case("standard loop", "13.3.6", "tested before, it does not run when its condition does not hold",
         LOOP.format(loop="while='n < 0' test-before"), "s a last e", given={"n": 0}, left={"n": 0}),
    case("standard loop", "13.3.6", "tested before, it runs while its condition holds",
         LOOP.format(loop="while='n < 3' test-before"), "s a a a last e", given={"n": 0}, left={"n": 3}),
    case("standard loop", "10.3.8", "the maximum ends it though the condition still holds",
         LOOP.format(loop="while=True max=2"), "s a a last e", given={"n": 0}, left={"n": 2}),
    case("standard loop", "10.3.8", "tested before, the maximum ends it too",
         LOOP.format(loop="while=True max=2 test-before"), "s a a last e", given={"n": 0}, left={"n": 2}),
    case("standard loop", "10.3.8", "a maximum alone says how often",
         LOOP.format(loop="max=3"), "s a a a last e", given={"n": 0}, left={"n": 3}),
    case("standard loop", "13.3.6", "loopCounter counts the rounds that are done",
         LOOP.format(loop="while='loopCounter < 4'"), "s a a a a last e", given={"n": 0}, left={"n": 4}),
    case("standard loop", "13.3.6", "a user task loops", """
start s
user a max=2
end e
s -> a -> e
""", "s a a e"),
    case("standard loop; embedded sub-process", "13.3.6", "a sub-process loops as a whole", """
start s
sub body while='n < 2'
  start i
  script a do="n = n + 1"
  catch wait timer=PT1M
  end o
  i -> a -> wait -> o
end e
s -> body -> e
""", "s body i a wait o body i a wait o e", given={"n": 0}),
    case("standard loop; call activity", "13.3.6", "a called process is called again each time round", """
start s
call a calls=other while='n < 2'
end e
s -> a -> e
process other
start so
script add do="n = n + 1"
end eo
so -> add -> eo
""", "s a so add eo a so add eo e", given={"n": 0}, left={"n": 2}),
    case("standard loop", "13.3.6", "a loop in a loop begins its count anew each time", """
start s
sub body max=2
  start i
  script a do='mark("x")' max=2
  end o
  i -> a -> o
end e
s -> body -> e
""", "s body i a a o body i a a o e", marks="x x x x"),
    case("standard loop", "13.5.3", "a boundary event ends the loop, not only one round", """
start s
sub body while=True
  start i
  catch wait timer=PT10M
  end o
  i -> wait -> o
boundary late on=body timer=PT25M
task last
end e
end never
s -> body -> never
late -> last -> e
""", "s body i wait o body i wait o body i wait late last e"),
    case("multi-instance, parallel", "13.3.7", "a cardinality says how many instances run",
         MANY.format(many="times=3", script="pass"), "s (a i work o | a i work o | a i work o) last e"),
    case("multi-instance, parallel", "13.3.7", "a cardinality may be an expression over variables",
         MANY.format(many="times='n * 2'", script="pass"), "s (a i work o | a i work o) last e", given={"n": 1}),
    case("multi-instance, parallel", "13.3.7", "with a cardinality of 0 the activity is passed over",
         MANY.format(many="times=0", script="pass"), "s a last e"),
    case("multi-instance, parallel", "13.3.7", "an empty collection passes the activity over",
         MANY.format(many="each=items:it", script="pass"), "s a last e", given={"items": []}),
    case("multi-instance, parallel", "13.3.7", "each instance gets its item of the collection",
         MANY.format(many="each=items:it", script="mark(it)"), "s (a i work o | a i work o | a i work o) last e",
         given=LETTERS, marks="(p | q | r)"),
    case("multi-instance, parallel", "13.3.7", "all instances are active at the same time",
         WAITS.format(many="each=items:it", time='it'),
         "s (a i wait work o | a i wait work o | a i wait work o) last e",
         given={"items": ["PT3M", "PT1M", "PT2M"]}, marks="1 2 0"),
    case("multi-instance, parallel", "13.3.7", "a task of no sub-process runs for each item",
         TASK.format(many="each=items:it", script="mark(it)"),
         "s (a | a | a) last e", given=LETTERS, marks="(p | q | r)"),
    case("multi-instance, parallel", "13.3.7", "a user task opens for each item, and the token waits for all", """
start s
user a each=items:it
task last
end e
s -> a -> last -> e
""", "s (a | a | a) last e", given=LETTERS),
    case("multi-instance, parallel", "13.3.7", "instances do not see one another's variables",
         MANY.format(many="each=items:it gather=all:own", script="n = n + 1; own = n"),
         "s (a i work o | a i work o | a i work o) last e", given={**LETTERS, "n": 0}, left={"all": [1, 1, 1], "n": 0}),
    case("multi-instance, sequential", "13.3.7", "instances run one after the other, in the order of the collection",
         MANY.format(many="each=items:it sequential", script="mark(it)"), "s a i work o a i work o a i work o last e",
         given=LETTERS, marks="p q r"),
    case("multi-instance, sequential", "13.3.7", "the next begins when the one before has ended",
         WAITS.format(many="times=2 sequential", time="PT5M"), "s a i wait work o a i wait work o last e", marks="0 1"),
    case("multi-instance, sequential", "13.3.7", "a task of no sub-process runs for each item in order",
         TASK.format(many="each=items:it sequential", script="mark(it)"),
         "s a a a last e", given=LETTERS, marks="p q r"),
    case("multi-instance, sequential", "13.3.7", "the number is fixed when the activity begins",
         MANY.format(many="times=n sequential", script="n = 9"), "s a i work o a i work o last e", given={"n": 2}),
    case("multi-instance: outputs", "10.3.8", "the outputs come in the order of the items, not of the ends", """
start s
sub a each=items:it gather=all:own
  start i
  catch wait timer=it
  script work do='own = it'
  end o
  i -> wait -> work -> o
end e
s -> a -> e
""", "s (a i wait work o | a i wait work o) e", given={"items": ["PT2M", "PT1M"]}, left={"all": ["PT2M", "PT1M"]}),
    case("multi-instance: outputs", "10.3.8", "only the declared output comes back",
         MANY.format(many="each=items:it gather=all:own", script='own = it + "!"; other = 1'),
         "s (a i work o | a i work o | a i work o) last e", given=LETTERS,
         left={"all": ["p!", "q!", "r!"], "other": None}),
    case("multi-instance: outputs", "10.3.8", "a sequential one gathers too",
         MANY.format(many="each=items:it gather=all:own sequential", script="own = it"),
         "s a i work o a i work o a i work o last e", given=LETTERS, left={"all": ["p", "q", "r"]}),
    case("multi-instance: completion condition", "13.3.7", "once it holds, the instances still active are cancelled",
         WAITS.format(many="each=items:it until='numberOfCompletedInstances >= 2'", time="it"),
         "s (a i wait work o | a i wait work o | a i wait) last e", given={"items": ["PT1M", "PT30M", "PT2M"]},
         marks="0 2"),
    case("multi-instance: completion condition", "13.3.7", "a sequential one begins no further instance",
         MANY.format(many="times=5 sequential until='numberOfCompletedInstances == 2'", script="pass"),
         "s a i work o a i work o last e"),
    case("multi-instance: completion condition", "13.3.7", "one that never holds lets all instances end",
         MANY.format(many="times=2 until='numberOfCompletedInstances > 5'", script="pass"),
         "s (a i work o | a i work o) last e"),
    case("multi-instance: completion condition", "10.3.8", "it sees how many there are, are active and are done",
         WAITS.format(many="times=3 sequential until='numberOfInstances == 3 and numberOfActiveInstances == 0 "
                      "and loopCounter == 1'",
         time="PT1M"), "s a i wait work o a i wait work o last e", marks="0 1"),
    case("multi-instance: completion condition", "10.3.8", "it sees what the instance returns",
         MANY.format(many="each=items:it gather=all:own sequential until='own == \"q\"'", script="own = it"),
         "s a i work o a i work o last e", given=LETTERS, left={"all": ["p", "q", None]}),
    case("multi-instance, parallel; call activity", "13.3.7", "a process is called for each item", """
start s
call a calls=other each=items:it gather=all:own
end e
s -> a -> e
process other
start so
script give do='own = it'
end eo
so -> give -> eo
""", "s (a so give eo | a so give eo | a so give eo) e", given=LETTERS, left={"all": ["p", "q", "r"]}),
    case("multi-instance, sequential; call activity", "13.3.7", "processes are called one after the other", """
start s
call a calls=other times=2 sequential
end e
s -> a -> e
process other
start so
catch wait timer=PT1M
end eo
so -> wait -> eo
""", "s a so wait eo a so wait eo e"),
    case("multi-instance, parallel", "13.3.7", "multi-instance activities nest", """
start s
sub a times=2
  start i
  script work times=2 do='mark("x")'
  end o
  i -> work -> o
end e
s -> a -> e
""", "s (a i (work | work) o | a i (work | work) o) e", marks="x x x x"),
    case("multi-instance, parallel", "10.5.1", "an error that one instance throws ends all of them", """
start s
sub a each=items:it
  start i
  catch wait timer=it
  end o error=E
  i -> wait -> o
boundary b on=a error=E
task last
end e
s -> a -> e
b -> last -> e
""", "s (a i wait | a i wait) o b last e", given={"items": ["PT30M", "PT1M"]}),
    case("multi-instance, parallel", "13.3.7", "all instances are there before one of them fails", """
start s
sub p each=xs:x
  start i
  xor way
  end bad error=E
  task ok
  end o
  i -> way
  way -> bad : x == 2
  way -> ok : else
  ok -> o
boundary be on=p error=E
end e
end e2
s -> p -> e
be -> e2
""", "s (p i way ok? o? | p i way bad | p i? way? ok? o?) be e2", given={"xs": [1, 2, 3]}),
]  # fmt: skip
