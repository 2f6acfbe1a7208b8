"""Events in the course of a process: catching, throwing, links, and gateways that wait for events."""

from __future__ import annotations

from tests.standard.cases import case

CATCH = """
start s
catch c {event}
end e
s -> c -> e
"""
COMES = """
start s
and split
catch c {event}
catch first timer=PT1M
{cause}
end e
end et
s -> split -> c -> e
split -> first -> w -> et
"""
RACE = """
start s
and split
choice which
{events}
catch first timer=PT1M
{cause}
end ea
end eb
end et
s -> split -> which -> a -> ea
which -> b -> eb
split -> first -> w -> et
"""
LINKS = """
start s
xor way
throw t1 link=L
throw t2 link=L
task a
catch c link=L
task last
end e
s -> way
way -> t1 : x > 0
way -> a : else
a -> t2
c -> last -> e
"""
SHARED = """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
<signal id="g" name="go"/>{roots}
<process id="main" isExecutable="true"><startEvent id="s"/>{nodes}<endEvent id="e"/>{flows}</process></definitions>
"""


def _flows(*pairs: str) -> str:
    return "".join(
        f'<sequenceFlow id="f{place}" sourceRef="{source}" targetRef="{target}"/>'
        for place, (source, _, target) in enumerate(pair.partition(">") for pair in pairs)
    )


CASES = [
    case("none intermediate event", "10.5.4", "one without a definition passes the token on", """
start s
throw t
end e
s -> t -> e
""", "s t e"),
    case("timer intermediate event", "10.5.5", "a duration is waited for", CATCH.format(event="timer=PT30M"),
         "s c e"),
    case("timer intermediate event", "10.5.5", "before its time nothing goes on",
         CATCH.format(event="timer=PT61M"), "s c", ended="waiting"),
    case("timer intermediate event", "10.5.5", "a date is waited for",
         CATCH.format(event="date=2026-01-05T09:30:00+08:00"), "s c e"),
    case("timer intermediate event", "10.5.5", "a date in another zone is that moment",
         CATCH.format(event="date=2026-01-05T02:30:00Z"), "s c", ended="waiting"),
    case("timer intermediate event", "10.5.5", "a date that is past is no wait",
         CATCH.format(event="date=2020-01-01T00:00:00Z"), "s c e"),
    case("timer intermediate event", "10.5.5", "an expression gives the time",
         CATCH.format(event="timer=wait"), "s c e",
         given={"wait": "PT59M"}),
    case("timer intermediate event", "10.5.5", "working days pass over the weekend",
         CATCH.format(event="timer=P5WD").replace("catch c", "catch c"), "s c e", hours=24 * 8),
    case("timer intermediate event", "10.5.5", "five working days are not over after five days",
         CATCH.format(event="timer=P5WD"), "s c", hours=24 * 5 + 12, ended="waiting"),
    case("message intermediate event", "10.5.5", "what is thrown is caught by one that waits",
         COMES.format(event="message=go", cause="throw w message=go"), "s split (c | first) w (e | et)"),
    case("message intermediate event", "10.5.5", "a message of another name is not caught",
         COMES.format(event="message=go", cause="throw w message=stop"), "s split (c | first) w et", ended="waiting"),
    case("message intermediate event", "8.4.2", "a message of another key is not caught",
         COMES.format(event="message=go flow.key=1", cause="throw w message=go flow.key=2"),
         "s split (c | first) w et", ended="waiting"),
    case("message intermediate event", "10.5.5", "a message reaches another process", """
start s
throw t message=ask
catch c message=answer
end e
s -> t -> c -> e
process other
start so
catch asked message=ask
catch think timer=PT1M
throw reply message=answer
end eo
so -> asked -> think -> reply -> eo
""", "s t c e", also_start=("other",)),
    case("signal intermediate event", "10.5.5", "what is thrown is caught",
         COMES.format(event="signal=go", cause="throw w signal=go"), "s split (c | first) w (e | et)"),
    case("signal intermediate event", "10.5.5", "all that wait catch it", """
start s
and split
catch a signal=go
catch b signal=go
catch first timer=PT1M
throw w signal=go
end e
s -> split -> a -> e
split -> b -> e
split -> first -> w -> e
""", "s split (a | b | first) w (e | e | e)"),
    case("signal intermediate event", "10.5.5", "it reaches other processes", """
start s
catch c signal=go
end e
s -> c -> e
process other
start so
catch first timer=PT1M
throw w signal=go
end eo
so -> first -> w -> eo
""", "s c e", also_start=("other",)),
    case("signal intermediate event", "10.5.5", "who begins to wait later does not catch it", """
start s
throw t signal=go
catch c signal=go
end e
s -> t -> c -> e
""", "s t c", ended="waiting"),
    case("signal intermediate event", "10.5.5", "it reaches into sub-processes and called processes", """
start s
and split
sub body
  start i
  catch a signal=go
  end o
  i -> a -> o
call called calls=other
catch first timer=PT1M
throw w signal=go
end e
s -> split -> body -> e
split -> called -> e
split -> first -> w -> e
process other
start so
catch b signal=go
end eo
so -> b -> eo
""", "s split (body i a | called so b | first) w (e | o e | eo e)"),
    case("conditional intermediate event", "10.5.5", "it waits until its condition becomes true",
         COMES.format(event="condition='n > 1'", cause='script w do="n = 2"'),
         "s split (c | first) w (e | et)", given={"n": 0}),
    case("conditional intermediate event", "10.5.5", "a condition that holds already is no wait",
         CATCH.format(event="condition='n > 1'"), "s c e", given={"n": 2}),
    case("conditional intermediate event", "10.5.5", "it waits while the condition does not hold",
         COMES.format(event="condition='n > 1'", cause='script w do="n = 1"'), "s split (c | first) w et",
         given={"n": 0}, ended="waiting"),
    case("escalation intermediate event", "10.5.4",
         "thrown in passing, with nobody to catch it, the process goes on", """
start s
throw t escalation=X
end e
s -> t -> e
""", "s t e"),
    case("link event", "10.5.5", "the token goes from the throwing link to the catching one", LINKS,
         "s way t1 c last e", given={"x": 1}),
    case("link event", "10.5.5", "several may throw what one catches", LINKS, "s way a t2 c last e", given={"x": 0}),
    case("link event", "10.5.5", "a link may lead back, as a loop", """
start s
catch c link=again
script a do="n = n + 1"
xor way
throw t link=again
end e
s -> merge
xor merge
merge -> a
c -> merge
a -> way
way -> t : n < 3
way -> e : else
""", "s merge a way t c merge a way t c merge a way e", given={"n": 0}),
    case("link event", "10.5.5", "links in a sub-process are its own", """
start s
sub body
  start i
  throw t link=L
  catch c link=L
  task a
  end o
  i -> t
  c -> a -> o
throw t2 link=L
catch c2 link=L
task b
end e
s -> body -> t2
c2 -> b -> e
""", "s body i t c a o t2 c2 b e"),
    case("multiple intermediate event", "10.5.5", "the first of its events is enough",
         COMES.format(event="signal=go message=letter timer=PT30M", cause="throw w message=letter"),
         "s split (c | first) w (e | et)"),
    case("multiple intermediate event", "10.5.5", "several messages, any of them",
         COMES.format(event="message=one|two", cause="throw w message=two"), "s split (c | first) w (e | et)"),
    case("multiple intermediate event", "10.5.5", "thrown, all of its events are thrown", """
start s
and split
catch a signal=one
catch b message=two
catch first timer=PT1M
throw w signal=one message=two
end e
s -> split -> a -> e
split -> b -> e
split -> first -> w -> e
""", "s split (a | b | first) w (e | e | e)"),
    case("parallel multiple intermediate event", "10.5.5", "it waits until all of its events have come", """
start s
and split
catch c all signal=one message=two timer=PT3M
catch w1 timer=PT1M
throw t1 message=two
throw t2 signal=one
end e
end et
s -> split -> c -> e
split -> w1 -> t1 -> t2 -> et
""", "s split (c | w1) t1 t2 et e"),
    case("parallel multiple intermediate event", "10.5.5",
         "one event that comes twice does not count for the other", """
start s
and split
catch c all signal=one signal=two
catch w1 timer=PT1M
throw t1 signal=one
throw t2 signal=one
end e
end et
s -> split -> c -> e
split -> w1 -> t1 -> t2 -> et
""".replace("signal=one signal=two", "signal=one|two"), "s split (c | w1) t1 t2 et", ended="waiting"),
    case("eventDefinitionRef", "10.5.5", "a definition shared by two events is waited for by each", SHARED.format(
        roots='<timerEventDefinition id="t"><timeDuration>PT1M</timeDuration></timerEventDefinition>',
        nodes='<intermediateCatchEvent id="a"><eventDefinitionRef>t</eventDefinitionRef></intermediateCatchEvent>'
        '<intermediateCatchEvent id="b"><eventDefinitionRef>t</eventDefinitionRef></intermediateCatchEvent>',
        flows=_flows("s>a", "a>b", "b>e")), "s a b e"),
    case("eventDefinitionRef", "10.5.5", "thrown and caught by reference to one signal definition", SHARED.format(
        roots='<signalEventDefinition id="d" signalRef="g"/>',
        nodes='<intermediateCatchEvent id="a"><eventDefinitionRef>d</eventDefinitionRef></intermediateCatchEvent>'
        '<intermediateCatchEvent id="w"><timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>'
        '</intermediateCatchEvent>'
        '<intermediateThrowEvent id="b"><eventDefinitionRef>d</eventDefinitionRef></intermediateThrowEvent>',
        flows=_flows("s>a", "a>e", "s>w", "w>b", "b>e")), "s (a | w) b (e | e)"),
    case("eventDefinitionRef", "10.5.5", "a boundary event refers to a shared error definition", SHARED.format(
        roots='<error id="x" errorCode="E"/><errorEventDefinition id="d" errorRef="x"/>',
        nodes='<subProcess id="q"><startEvent id="i"/><endEvent id="o">'
        '<eventDefinitionRef>d</eventDefinitionRef></endEvent>'
        '<sequenceFlow id="g1" sourceRef="i" targetRef="o"/></subProcess>'
        '<boundaryEvent id="b" attachedToRef="q"><eventDefinitionRef>d</eventDefinitionRef></boundaryEvent>'
        '<task id="a"/>',
        flows=_flows("s>q", "q>e", "b>a", "a>e")), "s q i o b a e"),
    case("event-based gateway", "13.4.4", "of several timers the earliest decides",
         RACE.format(events="catch a timer=PT2M\ncatch b timer=PT1M", cause="task w"),
         "s split (which b eb | first w et)"),
    case("event-based gateway", "13.4.4", "a signal decides",
         RACE.format(events="catch a signal=one\ncatch b signal=two", cause="throw w signal=two"),
         "s split (which | first) w (b eb | et)"),
    case("event-based gateway", "13.4.4", "a message decides",
         RACE.format(events="catch a message=one\ncatch b message=two", cause="throw w message=one"),
         "s split (which | first) w (a ea | et)"),
    case("event-based gateway", "13.4.4", "a condition decides",
         RACE.format(events="catch a condition='n > 5'\ncatch b timer=PT9M", cause='script w do="n = 6"'),
         "s split (which | first) w (a ea | et)", given={"n": 0}),
    case("event-based gateway", "13.4.4", "a condition that holds already decides at once",
         RACE.format(events="catch a condition='n > 5'\ncatch b timer=PT9M", cause="task w"),
         "s split (which a ea | first w et)", given={"n": 6}),
    case("event-based gateway", "13.4.4", "a receive task is chosen by its message",
         RACE.format(events="receive a message=one\nreceive b message=two", cause="throw w message=two"),
         "s split (which | first) w (b eb | et)"),
    case("event-based gateway", "13.4.4", "with a timer for the case that nothing else comes",
         RACE.format(events="catch a message=one\ncatch b timer=PT10M", cause="throw w message=two"),
         "s split (which | first) w et b eb"),
    case("event-based gateway", "13.4.4", "when one has come, the others come no more", """
start s
and split
choice which
catch a signal=one
catch b signal=two
catch first timer=PT1M
throw t1 signal=one
throw t2 signal=two
end ea
end eb
end et
s -> split -> which -> a -> ea
which -> b -> eb
split -> first -> t1 -> t2 -> et
""", "s split (which | first) t1 (a ea | t2 et)"),
    case("event-based gateway", "13.4.4", "in a loop it waits anew each time round", """
start s
script begin do="n = 0"
xor again
choice which
catch a timer=PT1M
catch b timer=PT2M
script count do="n = n + 1"
xor way
end e
end eb
s -> begin -> again -> which -> a -> count -> way
which -> b -> eb
way -> again : n < 2
way -> e : else
""", "s begin again which a count way again which a count way e"),
    case("event-based gateway", "13.4.4", "two tokens at it each wait for their own event", """
start s
and twice
choice which
catch a timer=PT1M
catch b timer=PT2M
end ea
end eb
s -> twice -> which -> a -> ea
twice -> which
which -> b -> eb
""", "s twice (which a ea | which a ea)"),
]  # fmt: skip
