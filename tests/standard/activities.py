"""Tasks of every type, sub-processes, called processes, and the data they see."""

from __future__ import annotations

from tests.standard.cases import case

ONE = """
start s
{task}
end e
s -> a -> e
"""
DEEP = """
start s
script begin do="n = 1"
sub one
  start i1
  sub two
    start i2
    sub three
      start i3
      script inner do="n = n + 1"
      end o3
      i3 -> inner -> o3
    end o2
    i2 -> three -> o2
  end o1
  i1 -> two -> o1
script last do="n = n * 10"
end e
s -> begin -> one -> last -> e
"""
CALLS = """
start s
script begin do="n = 1"
call a calls=other {options}
task last
end e
s -> begin -> a -> last -> e
process other
start so
script inner do="n = n + 1"
script more do="m = n * 2"
end eo
so -> inner -> more -> eo
"""

CHAIN = "\nprocess ".join(
    [
        f"{f'p{n}' if n else ''}\nstart s{n}\ncall c{n} calls=p{n + 1}\nend e{n}\ns{n} -> c{n} -> e{n}"
        for n in range(45)
    ]
    + ["p45\nstart s45\nend e45\ns45 -> e45"]
)
COUNTED = """
start s
script n do="n = n + 1"
xor way
call again calls=main
xor join
end e
s -> n -> way
way -> again : n < 45
way -> join : else
again -> join -> e
"""

CASES = [
    case("task", "13.3.3", "a task of no type passes the token on", ONE.format(task="task a"), "s a e"),
    case("user task", "10.3.3", "a user task is done by a person, then the token goes on",
         ONE.format(task="user a"), "s a e"),
    case("user task", "13.3.2", "a user task reached by two tokens is done twice", """
start s
and split
xor merge
user a
end e
s -> split -> merge -> a -> e
split -> merge
""", "s split (merge a e | merge a e)"),
    case("manual task", "10.3.3", "a manual task is done by a person too", ONE.format(task="manual a"), "s a e"),
    case("service task", "10.3.3", "a service task passes the token on when it is done",
         ONE.format(task="service a"), "s a e"),
    case("script task", "10.3.3", "a script sets variables that the next one sees", """
start s
script a do="n = 2"
script b do="m = n * 3"
end e
s -> a -> b -> e
""", "s a b e", left={"n": 2, "m": 6}),
    case("script task", "13.3.2", "a script that fails keeps its token, and nothing of what it set", """
start s
script a do="n = 1; m = n / 0"
end e
s -> a -> e
""", "s a", given={"n": 0}, ended="incident", left={"n": 0}),
    case("script task", "13.3.2", "while one branch has failed, the other goes on", """
start s
script a do="m = 1 / n"
catch later timer=PT1M
task b
end e
s -> a -> e
s -> later -> b -> e
""", "s (a | later b e)", ended="incident"),
    case("send task; receive task", "10.3.3", "what a send task sends, a receive task that waits for it receives", """
start s
and split
receive a message=letter
catch later timer=PT1M
send b message=letter
end e
s -> split -> a -> e
split -> later -> b -> e
""", "s split (a | later) b (e | e)"),
    case("send task", "10.3.3", "a send task does not wait for anybody to receive",
         ONE.format(task="send a message=letter"), "s a e"),
    case("receive task", "10.3.3", "a receive task waits while no message comes",
         ONE.format(task="receive a message=letter"),
         "s a", ended="waiting"),
    case("receive task", "8.4.2", "of two that wait with different keys, the message's key says which receives", """
start s
and split
receive a message=letter flow.key='"one"'
receive b message=letter flow.key='"two"'
catch later timer=PT1M
send c message=letter flow.key='"two"'
end e
end ea
end eb
s -> split -> a -> ea
split -> b -> eb
split -> later -> c -> e
""", "s split (a | b | later) c (e | eb)", ended="waiting"),
    case("receive task", "10.3.3", "a message goes to one receiver, not to all", """
start s
and split
receive a message=letter
receive b message=letter
catch later timer=PT1M
send c message=letter
end e
end got
s -> split -> a -> got
split -> b -> got
split -> later -> c -> e
""", "s split (a | b | later) c (e | got)", ended="waiting"),
    case("embedded sub-process", "13.3.4", "it begins with its start event and ends when all in it has ended", """
start s
sub body
  start i
  and split
  task a
  catch slow timer=PT1M
  end o
  i -> split -> a -> o
  split -> slow -> o
task last
end e
s -> body -> last -> e
""", "s body i split (a o | slow) o last e"),
    case("embedded sub-process", "13.3.4", "without start event what has no incoming flow begins, side by side", """
start s
sub body
  task a
  task b
  task c
  a -> c
end e
s -> body -> e
""", "s body (a c | b) e"),
    case("embedded sub-process", "13.3.4", "sub-processes nest", DEEP,
         "s begin one i1 two i2 three i3 inner o3 o2 o1 last e", left={"n": 20}),
    case("embedded sub-process", "13.3.4", "two tokens run it twice, each with its own joins", """
start s
and twice
sub body
  start i
  and split
  task a
  task b
  and join
  end o
  i -> split -> a -> join -> o
  split -> b -> join
end e
s -> twice -> body -> e
twice -> body
""", "s twice (body i split (a | b) join o e | body i split (a | b) join o e)"),
    case("data object and property", "10.4.1", "what the process holds is seen and set at any depth",
         DEEP.replace("end e\n", """end e
"""), "s begin one i1 two i2 three i3 inner o3 o2 o1 last e", left={"n": 20}),
    case("data object and property", "10.4.1", "a data object and a property are variables under their names", """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="main" isExecutable="true">
<property id="p1" name="count"/><dataObject id="d1" name="items"/><dataObjectReference id="r1" dataObjectRef="d1"/>
<startEvent id="s"/><scriptTask id="a"><script>items = [1, 2]</script></scriptTask>
<scriptTask id="b"><script>count = len(items)</script></scriptTask><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="b"/>
<sequenceFlow id="f3" sourceRef="b" targetRef="e"/></process></definitions>
""", "s a b e", left={"count": 2, "items": [1, 2]}),
    case("data object and property", "10.4.1",
         "a data object of the process feeds a multi-instance task two levels down", """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="main" isExecutable="true">
<dataObject id="d1" name="items"/><startEvent id="s"/><subProcess id="one"><subProcess id="two">
<scriptTask id="a"><script>mark(item)</script><multiInstanceLoopCharacteristics isSequential="true">
<loopDataInputRef>d1</loopDataInputRef><inputDataItem id="x" name="item"/></multiInstanceLoopCharacteristics>
</scriptTask>
</subProcess></subProcess><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="one"/>
<sequenceFlow id="f2" sourceRef="one" targetRef="e"/></process></definitions>
""", "s one two a a e", marks="p q", given={"items": ["p", "q"]}),
    case("data object and property", "10.4.1", "of two branches that set the same, the later one counts", """
start s
script a do="n = 1"
catch later timer=PT1M
script b do="n = n + 1"
end e
s -> a -> e
s -> later -> b -> e
""", "s (a e | later) b e", left={"n": 2}),
    case("call activity", "13.3.4", "the called process runs, then the caller goes on", CALLS.format(options=""),
         "s begin a so inner more eo last e"),
    case("call activity", "10.3.6", "without mapping the called process gets all variables and gives all back",
         CALLS.format(options=""), "s begin a so inner more eo last e", left={"n": 2, "m": 4}),
    case("call activity", "10.3.6", "declared inputs and outputs alone cross over",
         CALLS.format(options='flow.in="n = 5" flow.out=m'), "s begin a so inner more eo last e",
         left={"n": 1, "m": 12}),
    case("call activity", "10.3.6", "a called process may call another", """
start s
call a calls=second
end e
s -> a -> e
process second
start s2
call b calls=third
end e2
s2 -> b -> e2
process third
start s3
task c
end e3
s3 -> c -> e3
""", "s a s2 b s3 c e3 e2 e"),
    case("call activity", "13.3.4", "two calls side by side do not see one another's variables", """
start s
call a calls=other flow.in="n = 1" flow.out=a_out
call b calls=other flow.in="n = 10" flow.out=b_out
and join
end e
s -> a -> join -> e
s -> b -> join
process other
start so
catch wait timer=PT1M
script give do="a_out = n; b_out = n"
end eo
so -> wait -> give -> eo
""", "s (a so wait give eo | b so wait give eo) join e", left={"a_out": 1, "b_out": 10}),
    case("call activity", "13.5.6", "a terminate end event ends the called process only", """
start s
call a calls=other
task last
end e
s -> a -> last -> e
process other
start so
and split
catch never message=never
end stop terminate
end eo
so -> split -> never -> eo
split -> stop
""", "s a so split (never | stop) last e"),
    case("call activity", "10.5.1", "an error that nothing catches in the called process is thrown by the call", """
start s
call a calls=other
boundary b on=a error=E
task last
end e
s -> a -> e
b -> last -> e
process other
start so
end oops error=E
so -> oops
""", "s a so oops b last e"),
    case("event sub-process", "13.5.4", "one whose event does not come does not keep its scope waiting", """
start s
task a
end e
s -> a -> e
event-sub aside
  start i message=never
  task b
  end o
  i -> b -> o
""", "s a e"),
    case("event sub-process", "13.5.4", "its variables are those of the process around", """
start s
script a do="n = 1"
catch wait timer=PT1M
end e
s -> a -> wait -> e
event-sub aside
  start i timer=PT1S soft
  script b do="n = n + 1"
  end o
  i -> b -> o
""", "s (a wait | ) aside i b o e", left={"n": 2}),
    case("event sub-process", "10.3.5", "one may stand inside another", """
start s
catch never message=never
end e
s -> never -> e
event-sub outer
  start i timer=PT1S
  catch long timer=PT10M
  end o
  i -> long -> o
  event-sub inner
    start j timer=PT1M
    task b
    end p
    j -> b -> p
""", "s never outer i long inner j b p"),
    case("event sub-process", "13.5.4", "a process waits for one that runs beside it", """
start s
task a
catch short timer=PT2S
end e
s -> a -> short -> e
event-sub aside
  start i timer=PT1S soft
  catch long timer=PT10M
  task b
  end o
  i -> long -> b -> o
""", "s a short aside i long e b o"),
    case("call activity", "10.3.6", "calls of one process by another go as deep as there are processes", CHAIN,
         " ".join(f"s{n} c{n}" for n in range(45)) + " s45 " + " ".join(f"e{n}" for n in reversed(range(46)))),
    case("call activity", "10.3.6", "a process that calls itself goes as deep as its own condition says", COUNTED,
         "s n way again " * 44 + "s n way " + "join e " * 45, given={"n": 0}),
]  # fmt: skip
