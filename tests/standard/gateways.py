"""Gateways: exclusive, parallel, inclusive, and what they make of one another's branches."""

from __future__ import annotations

from tests.standard.cases import case

CHOICE = """
start s
xor way
task a
task b
task c
end e
s -> way
way -> b : x > 1
way -> a : x > 0
way -> c : else
a -> e
b -> e
c -> e
"""
NO_DEFAULT = """
start s
{kind} way
task a
task b
end e
s -> way
way -> a : x > 0
way -> b : x > 1
a -> e
b -> e
"""
MIXED = """
start s
and split
task a
task b
{kind} way
task c
task d
end e
s -> split -> a -> way
split -> b -> way
way -> c : x > 0
way -> d : {other}
c -> e
d -> e
"""
BESIDE = """
start s
sub host
  start i
  catch wait timer=PT10M
  end o
  i -> wait -> o
boundary late on=host {event}
task h
or join
task last
end e
s -> host -> join -> last -> e
late -> h -> join
"""
LAPS = """
start s
script begin do="n = 0"
xor again
{split}
script a do="n = n + 1"
task b
{join}
xor enough
end e
s -> begin -> again -> split -> a -> join -> enough
split -> b -> join
enough -> e : n >= 3
enough -> again : else
"""
SOME = """
start s
or split
task a
task b
task c
or join
task last
end e
s -> split
split -> a : x > 0
split -> b : x > 1
split -> c : {third}
a -> join
b -> join
c -> join
join -> last -> e
"""
THIRD, DEFAULT = SOME.format(third="x > 2"), SOME.format(third="else")

CASES = [
    case("exclusive gateway", "13.4.2", "the first flow in order whose condition holds is taken, and no other",
         CHOICE,
         "s way b e", given={"x": 2}),
    case("exclusive gateway", "13.4.2", "a condition that does not hold is passed over", CHOICE, "s way a e",
         given={"x": 1}),
    case("exclusive gateway", "10.6.2", "the default flow is taken when no condition holds", CHOICE,
         "s way c e", given={"x": 0}),
    case("exclusive gateway", "13.4.2", "with no condition that holds and no default the gateway fails",
         NO_DEFAULT.format(kind="xor"), "s way", given={"x": 0}, ended="incident"),
    case("exclusive gateway", "13.4.2", "the order is that of the gateway's outgoing list, not of the flows", """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="main" isExecutable="true">
<startEvent id="s"/><exclusiveGateway id="way"><outgoing>f3</outgoing><outgoing>f2</outgoing></exclusiveGateway>
<task id="a"/><task id="b"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="way"/>
<sequenceFlow id="f2" sourceRef="way" targetRef="a"><conditionExpression>x &gt; 0</conditionExpression></sequenceFlow>
<sequenceFlow id="f3" sourceRef="way" targetRef="b"><conditionExpression>x &gt; 0</conditionExpression></sequenceFlow>
<sequenceFlow id="f4" sourceRef="a" targetRef="e"/><sequenceFlow id="f5" sourceRef="b" targetRef="e"/>
</process></definitions>
""", "s way b e", given={"x": 1}),
    case("exclusive gateway", "13.4.2", "a merge passes every token on at once", """
start s
and split
task a
task b
xor merge
task c
end e
s -> split -> a -> merge -> c -> e
split -> b -> merge
""", "s split (a merge c e | b merge c e)"),
    case("exclusive gateway", "10.6.2", "merging and choosing, each token chooses for itself",
         MIXED.format(kind="xor", other="else"), "s split (a way c e | b way c e)", given={"x": 1}),
    case("exclusive gateway", "13.4.2", "conditions are looked at anew each time round a loop", """
start s
xor again
script a do="x = x + 1"
xor way
end e
s -> again -> a -> way
way -> again : x < 3
way -> e : else
""", "s again a way again a way again a way e", given={"x": 0}),
    case("parallel gateway", "13.4.1", "one token goes along every outgoing flow, and the join waits for all", """
start s
and split
task a
task b
task c
and join
end e
s -> split -> a -> join -> e
split -> b -> join
split -> c -> join
""", "s split (a | b | c) join e"),
    case("parallel gateway", "13.4.1", "the join waits for the slowest branch", """
start s
and split
task a
catch slow timer=PT20M
task b
and join
task last
end e
s -> split -> a -> join -> last -> e
split -> slow -> b -> join
""", "s split (a | slow b) join last e"),
    case("parallel gateway", "13.4.1", "a join waits for ever for a branch that went another way", """
start s
and split
task a
xor way
task b
and join
end e
end aside
s -> split -> a -> join -> e
split -> way
way -> b : go
way -> aside : else
b -> join
""", "s split (a | way aside)", given={"go": False}, ended="waiting"),
    case("parallel gateway", "13.4.1", "joining and splitting in one gateway", """
start s
and split
task a
task b
and both
task c
task d
task f
end e
s -> split -> a -> both -> c -> e
split -> b -> both -> d -> e
both -> f -> e
""", "s split (a | b) both (c e | d e | f e)"),
    case("parallel gateway", "13.4.1", "one that is nested joins before the outer one", """
start s
and split
task a
and inner
task b
task c
and joined
and join
end e
s -> split -> a -> join -> e
split -> inner -> b -> joined -> join
inner -> c -> joined
""", "s split (a | inner (b | c) joined) join e"),
    case("parallel gateway", "13.4.1", "in a loop it joins once every time round",
         LAPS.format(split="and split", join="and join"),
         "s begin again split (a | b) join enough again split (a | b) join enough again split (a | b) join enough e"),
    case("parallel gateway", "13.4.1", "a token in excess on one flow stays for the next time", """
start s
and split
and twice
xor merge
task a
catch later timer=PT1M
task b
and join
task last
end e
s -> split -> twice -> merge -> a -> join -> last -> e
twice -> merge
split -> later -> b -> join
""", "s split (twice (merge a | merge a) | later) b join last e", ended="waiting"),
    case("parallel gateway", "13.4.1", "a joining gateway is satisfied again by tokens that come again", """
start s
and twice
xor merge
and split
task a
task b
and join
task last
end e
s -> twice -> merge -> split -> a -> join -> last -> e
twice -> merge
split -> b -> join
""", "s twice (merge split (a | b) | merge split (a | b)) (join last e | join last e)"),
    case("inclusive gateway", "13.4.3", "one of three conditions holds", THIRD, "s split a join last e",
         given={"x": 1}),
    case("inclusive gateway", "13.4.3", "two of three conditions hold, the join waits for both", THIRD,
         "s split (a | b) join last e", given={"x": 2}),
    case("inclusive gateway", "13.4.3", "all conditions hold, the join waits for all", THIRD,
         "s split (a | b | c) join last e", given={"x": 3}),
    case("inclusive gateway", "10.6.3", "the default is taken when no condition holds", DEFAULT,
         "s split c join last e", given={"x": 0}),
    case("inclusive gateway", "10.6.3", "the default is not taken beside a flow that holds", DEFAULT,
         "s split (a | b) join last e", given={"x": 2}),
    case("inclusive gateway", "13.4.3", "with no condition that holds and no default the gateway fails",
         NO_DEFAULT.format(kind="or"), "s way", given={"x": 0}, ended="incident"),
    case("inclusive gateway", "13.4.3", "joining and choosing in one gateway, once for all that came",
         MIXED.format(kind="or", other="x > 1"), "s split (a | b) way (c e | d e)", given={"x": 2}),
    case("inclusive gateway", "13.4.3", "after an exclusive choice it waits for nobody", """
start s
xor way
task a
task b
or join
end e
s -> way
way -> a : x > 0
way -> b : else
a -> join -> e
b -> join
""", "s way b join e", given={"x": 0}),
    case("inclusive gateway", "13.4.3", "after a parallel split it waits for all", """
start s
and split
task a
catch slow timer=PT5M
or join
end e
s -> split -> a -> join -> e
split -> slow -> join
""", "s split (a | slow) join e"),
    case("inclusive gateway", "13.4.3",
         "a token that may still come is waited for, one that turned away no longer", """
start s
and split
task a
catch slow timer=PT5M
xor way
task b
or join
task last
end e
end aside
s -> split -> a -> join -> last -> e
split -> slow -> way
way -> b : go
way -> aside : else
b -> join
""", "s split (a | slow) way (aside | join last e)", given={"go": False}),
    case("inclusive gateway", "13.4.3", "a token that may come by a boundary event is waited for", """
start s
and split
task a
receive never message=never
boundary late on=never timer=PT5M
or join
task last
end e
end other
s -> split -> a -> join -> last -> e
split -> never -> other
late -> join
""", "s split (a | never) late join last e"),
    case("inclusive gateway", "13.4.3", "an activity whose boundary event filled the other flow is waited for",
         BESIDE.format(event="timer=PT2M soft"), "s host i wait late h o join last e"),
    case("inclusive gateway", "13.4.3", "what such an event brings again stays behind, a token for each time",
         BESIDE.format(event="cycle=R3/PT2M soft"),
         "s host i wait late h late h late h o join last e join last e join last e"),
    case("inclusive gateway", "13.4.3", "an activity that its boundary event ended is not waited for",
         BESIDE.format(event="timer=PT2M"), "s host i wait late h join last e"),
    case("inclusive gateway", "13.4.3", "a token that can come only by the flow already filled is not waited for", """
start s
and split
task a
catch slow timer=PT5M
xor merge
task b
or join
task last
end e
s -> split -> a -> merge -> join -> last -> e
split -> slow -> merge
split -> b -> join
""", "s split (a merge | slow | b) join last e merge join last e"),
    case("inclusive gateway", "13.4.3", "in a loop it joins once every time round",
         LAPS.format(split="or split", join="or join").replace("split -> b ->", "split -> b : True\nb ->")
         .replace("split -> a ->", "split -> a : True\na ->").replace("again : else\na ->", "again : else\na ->"),
         "s begin again split (a | b) join enough again split (a | b) join enough again split (a | b) join enough e"),
    case("inclusive gateway", "13.4.3", "one that is nested joins before the outer one", """
start s
or split
or inner
task a
task b
or joined
task c
or join
end e
s -> split
split -> inner : x > 0
split -> c : x > 0
inner -> a : x > 0
inner -> b : x > 0
a -> joined -> join -> e
b -> joined
c -> join
""", "s split (inner (a | b) joined | c) join e", given={"x": 1}),
    case("inclusive gateway; exclusive gateway", "13.4.2",
         "an exclusive merge behind an inclusive split passes each token on", """
start s
or split
task a
task b
xor merge
task last
end e
s -> split
split -> a : x > 0
split -> b : x > 1
a -> merge -> last -> e
b -> merge
""", "s split (a merge last e | b merge last e)", given={"x": 2}),
]  # fmt: skip
