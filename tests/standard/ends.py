"""Where processes begin and end; event sub-processes by their triggers."""

from __future__ import annotations

from collections.abc import Iterator

from tests.standard.cases import Case, case

END = """
start s
task a
end e {event}
s -> a -> e
"""
INSIDE = """
start s
sub body
  start i
  and split
  receive never message=never
  catch first timer=PT1M
  end stop {event}
  end o
  i -> split -> never -> o
  split -> first -> stop
{boundary}
task last
end e
end eb
s -> body -> last -> e
{flow}
"""
HEARD = """
start s
and split
catch c {caught}
catch first timer=PT1M
end stop {event}
end e
s -> split -> c -> e
split -> first -> stop
"""

TRIGGERS = {
    "timer": ("timer=PT90S", "end t"),
    "message": ("message=go", "end t message=go"),
    "signal": ("signal=go", "end t signal=go"),
    "conditional": ("condition=x", 'script t do="x = True"'),
    "escalation": ("escalation=E", "end t escalation=E"),
    "error": ("error=E", "end t error=E"),
}
"""How the start event is declared, and what makes it come before the two minutes are over."""

FLAT = """
start s
catch long timer=PT2M
catch first timer=PT1M
{cause}
end e
{more}
s -> long -> e
s -> first -> t
event-sub aside
  start i {event}
  task b
  end o
  i -> b -> o
"""
NESTED = """
start s
sub body
  start j
  catch long timer=PT2M
  catch first timer=PT1M
  {cause}
  end p
  {more}
  j -> long -> p
  j -> first -> t
  event-sub aside
    start i {event}
    task b
    end o
    i -> b -> o
end e
s -> body -> e
"""


def _triggered() -> Iterator[Case]:
    for kind, (event, cause) in TRIGGERS.items():
        for where, drawing, trace in (
            ("the process", FLAT, "s (long | first) t aside i b o {rest}"),
            ("a sub-process", NESTED, "s body j (long | first) t aside i b o {rest} e"),
        ):
            for soft in (False, True) if kind != "error" else (False,):
                rest = "" if not soft else "e" if drawing == FLAT else "p"
                goes_on = kind == "conditional"  # the branch that makes the condition true has its own end
                drawn = drawing.replace("first -> t", "first -> t -> et") if goes_on else drawing
                expected = (
                    trace.replace("aside i b o", f"(aside i b o | et{'' if soft else '?'})")
                    if goes_on
                    else trace
                )
                yield case(
                    f"{kind} event sub-process", "13.5.4",
                    f"of {where}, {'beside it' if soft else 'in its place'}",
                    drawn.format(
                        cause=cause, event=event + (" soft" if soft else ""), more="end et" if goes_on else ""
                    ),
                    expected.format(rest=rest), given={"x": False} if kind == "conditional" else {},
                )  # fmt: skip


CASES = [
    case("none end event", "13.5.6", "it ends its own branch only", """
start s
and split
task a
catch slow timer=PT1M
end ea
end eb
s -> split -> a -> ea
split -> slow -> eb
""", "s split (a ea | slow) eb"),
    case("none end event", "13.5.6", "an end event may be reached by several tokens", """
start s
and split
task a
task b
end e
s -> split -> a -> e
split -> b -> e
""", "s split (a e | b e)"),
    case("message end event", "13.5.6", "its message is sent", HEARD.format(caught="message=go", event="message=go"),
         "s split (c | first) stop e"),
    case("signal end event", "13.5.6", "its signal is thrown", HEARD.format(caught="signal=go", event="signal=go"),
         "s split (c | first) stop e"),
    case("multiple end event", "13.5.6", "all of its events are thrown", """
start s
and split
catch a signal=one
catch b message=two
catch first timer=PT1M
end stop signal=one message=two
end e
s -> split -> a -> e
split -> b -> e
split -> first -> stop
""", "s split (a | b | first) stop (e | e)"),
    case("error end event", "13.5.6", "uncaught it ends the process, whatever else is going on", """
start s
and split
receive never message=never
catch first timer=PT1M
end stop error=E
end e
s -> split -> never -> e
split -> first -> stop
""", "s split (never | first) stop", ended="error(E)"),
    case("error end event", "13.5.6", "caught at the border it ends the sub-process",
         INSIDE.format(event="error=E", boundary="boundary b on=body error=E", flow="b -> eb"),
         "s body i split (never | first) stop b eb"),
    case("error end event", "10.5.1", "uncaught in a sub-process it ends the process",
         INSIDE.format(event="error=E", boundary="", flow="").replace("end eb\n", ""),
         "s body i split (never | first) stop", ended="error(E)"),
    case("escalation end event", "13.5.6", "the other branches of the sub-process go on", """
start s
sub body
  start i
  and split
  catch slow timer=PT5M
  end up escalation=E
  end o
  i -> split -> slow -> o
  split -> up
boundary b on=body escalation=E soft
task last
end e
end eb
s -> body -> last -> e
b -> eb
""", "s body i split (slow | up b eb) o last e"),
    case("terminate end event", "13.5.6", "everything in the process ends at once", """
start s
and split
receive never message=never
catch first timer=PT1M
end stop terminate
end e
s -> split -> never -> e
split -> first -> stop
""", "s split (never | first) stop", ended="completed"),
    case("terminate end event", "13.5.6", "in a sub-process it ends that, and the process goes on",
         INSIDE.format(event="terminate", boundary="", flow="").replace("end eb\n", ""),
         "s body i split (never | first) stop last e"),
    case("terminate end event", "13.5.6",
         "it ends what runs inside the scope too: sub-processes, calls, instances", """
start s
and split
sub body
  start i
  catch w1 timer=PT5M
  task never1
  end o
  i -> w1 -> never1 -> o
call called calls=other
sub many times=2
  start k
  catch w3 timer=PT5M
  task never3
  end m
  k -> w3 -> never3 -> m
catch first timer=PT1M
end stop terminate
end e
s -> split -> body -> e
split -> called -> e
split -> many -> e
split -> first -> stop
process other
start so
catch w2 timer=PT5M
task never2
end eo
so -> w2 -> never2 -> eo
""", "s split (body i w1 | called so w2 | (many k w3 | many k w3) | first) stop", ended="completed"),
    case("terminate end event", "13.5.6", "in an instance of a multi-instance sub-process it ends that instance", """
start s
sub many times=2 sequential
  start i
  and split
  receive never message=never
  end stop terminate
  end o
  i -> split -> never -> o
  split -> stop
task last
end e
s -> many -> last -> e
""", "s many i split (never | stop) many i split (never | stop) last e"),
    case("terminate end event", "10.5.3", "nothing is compensated and no event sub-process begins", """
start s
task a
boundary ca on=a compensate
task undo undoes
ca ~> undo
end stop terminate
s -> a -> stop
event-sub aside
  start i signal=go
  task b
  end o
  i -> b -> o
""", "s a stop", ended="completed"),
    case("none start event", "10.5.2", "the process begins there, though another start event waits for a message", """
start s
start other message=go
task a
end e
s -> a -> e
other -> e
""", "s a e"),
    *_triggered(),
    case("error event sub-process", "13.5.4", "an error thrown in a sub-process reaches that of the process", """
start s
sub body
  start j
  end t error=E
  j -> t
end e
s -> body -> e
event-sub aside
  start i error=E
  task b
  end o
  i -> b -> o
""", "s body j t aside i b o"),
    case("error event sub-process", "13.5.4", "a boundary event of the activity that throws comes first", """
start s
script a do='throw_error("E")'
boundary b on=a error=E
end e
end eb
s -> a -> e
b -> eb
event-sub aside
  start i error=E
  end o
  i -> o
""", "s a b eb"),
    case("error event sub-process", "13.5.4", "it may throw the error on to its surroundings", """
start s
sub body
  start j
  end t error=E
  j -> t
  event-sub aside
    start i error=E
    end up error=E
    i -> up
boundary b on=body error=E
end e
end eb
s -> body -> e
b -> eb
""", "s body j t aside i up b eb"),
    case("message event sub-process", "13.5.4", "beside it, as often as its message comes", """
start s
catch first timer=PT1M
throw t1 message=go
catch w timer=PT1M
throw t2 message=go
catch w2 timer=PT1M
end e
s -> first -> t1 -> w -> t2 -> w2 -> e
event-sub aside
  start i message=go soft
  task b
  end o
  i -> b -> o
""", "s first t1 (aside i b o | w) t2 (aside i b o | w2) e"),
    case("timer event sub-process", "13.5.4", "beside it, a cycle comes again and again", """
start s
catch long timer=PT10M
end e
s -> long -> e
event-sub aside
  start i cycle=R2/PT1M soft
  task b
  end o
  i -> b -> o
""", "s long aside i b o aside i b o e"),
    case("event sub-process", "13.5.4", "one that interrupts ends what runs inside sub-processes and calls", """
start s
and split
sub body
  start j
  catch w1 timer=PT5M
  end p
  j -> w1 -> p
call called calls=other
end e
s -> split -> body -> e
split -> called -> e
event-sub aside
  start i timer=PT1M
  task b
  catch long timer=PT10M
  end o
  i -> b -> long -> o
process other
start so
catch w2 timer=PT5M
end eo
so -> w2 -> eo
""", "s split (body j w1 | called so w2) aside i b long o"),
]  # fmt: skip
