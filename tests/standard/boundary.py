"""Boundary events: each kind, interrupting or not, on each kind of activity."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from tests.standard.cases import Case, case

HOSTS = {
    "a task": ("receive host message=done", "host", "", ""),
    "a sub-process": ("sub host\n  start i\n  catch wait message=done\n  end o\n  i -> wait -> o",
         "host i wait", "o", ""),
    "a call activity": (
        "call host calls=other", "host i wait", "o",
        "process other\nstart i\ncatch wait message=done\nend o\ni -> wait -> o\n",
    ),
    "a multi-instance sub-process": (
        "sub host times=2\n  start i\n  catch wait signal=done\n  end o\n  i -> wait -> o",
        "(host i wait | host i wait)", "(o | o)", "",
    ),
}  # fmt: skip
"""What waits: its lines, the trace until it waits and from there to its end, other processes."""

EVENTS = {
    "timer": ("timer=PT1M", "task w"),
    "message": ("message=go", "throw w message=go"),
    "signal": ("signal=go", "throw w signal=go"),
    "conditional": ("condition=x", 'script w do="x = True"'),
}
"""How the event is declared, and what makes it come a minute after the start."""

COURSE = """
start s
and split
{host}
boundary b on=host {event}
task after
catch first timer=PT1M
{cause}
catch then timer=PT1M
throw done message=done
end e
end eb
end et
s -> split -> host -> e
b -> after -> eb
split -> first -> w -> then -> done -> et
{others}
"""
UNDER = """
start s
{host}
boundary b on=host {kind}=E{soft}
task after
end e
end eb
s -> host -> e
b -> after -> eb
{others}
"""
INNER = "start i\n{throw} t {kind}=E\ntask rest\nend o\ni -> t -> rest -> o"
ENDING = "start i\nend t {kind}=E\ni -> t"


def _waiting() -> Iterator[Case]:
    for kind, (event, cause) in EVENTS.items():
        for where, (host, begin, finish, others) in HOSTS.items():
            for soft in (False, True):
                drawing = COURSE.format(
                    host=host, event=f"{event} soft" if soft else event, cause=cause, others=others
                )
                if "times=" in host:  # a message would reach one of the instances only
                    drawing = drawing.replace("throw done message", "throw done signal")
                comes, goes_on = "b after eb", "then done et"
                if soft:
                    goes_on = f"then done (et | {finish} e)"
                together = f"w ({comes} | {goes_on})" if kind != "timer" else f"({comes} | w {goes_on})"
                yield case(
                    f"{kind} boundary event", "13.5.3", f"on {where}, {'lets it go on' if soft else 'interrupts it'}",
                    drawing, f"s split ({begin} | first) {together}",
                    given={"x": False} if kind == "conditional" else {},
                )  # fmt: skip


def _thrown() -> Iterator[Case]:
    for kind in ("error", "escalation"):
        for where, host in (
            ("a sub-process", "sub host\n{inner}"),
            ("a call activity", "call host calls=other"),
            ("a multi-instance sub-process", "sub host times=2 sequential\n{inner}"),
            (
                "a sub-process two levels up",
                "sub host\n  start j\n  sub deep\n{deeper}\n  end p\n  j -> deep -> p",
            ),
        ):
            inner = ENDING.format(kind=kind) if kind == "error" else INNER.format(kind=kind, throw="throw")
            for soft in (False, True) if kind == "escalation" else (False,):
                drawing = UNDER.format(
                    host=host.format(inner=indent(inner, "  "), deeper=indent(inner, "    ")),
                    kind=kind, soft=" soft" if soft else "",
                    others=f"process other\n{inner}" if "calls" in host else "",
                )  # fmt: skip
                begin = "s host " + ("j deep " if "deep" in host else "") + "i t"
                end = "rest o" + (" p" if "deep" in host else "")
                if "times" in host:
                    trace = (
                        f"s host i t (b after eb | {end} host i t (b after eb | {end} e))"
                        if soft
                        else f"{begin} b after eb"
                    )
                else:
                    trace = f"{begin} (b after eb | {end} e)" if soft else f"{begin} b after eb"
                manner = "lets it go on" if soft else "interrupts it"
                yield case(f"{kind} boundary event", "13.5.3", f"on {where}, {manner}", drawing, trace)


ERRORS = """
start s
{host}
boundary b on=host error=E
boundary c on=host error=F
boundary any on=host error=
task after
end e
s -> host -> e
b -> after -> e
c -> after
any -> after
"""

CASES = [
    *_waiting(),
    *_thrown(),
    case("error boundary event", "13.5.3", "on a script task that throws",
         ERRORS.format(host="script host do='throw_error(\"F\")'"), "s host c after e"),
    case("error boundary event", "10.5.5", "one without an error catches those that no other names",
         ERRORS.format(host="script host do='throw_error(\"G\")'"), "s host any after e"),
    case("error boundary event", "10.5.1", "the innermost that fits catches", """
start s
sub outer
  start i
  sub inner
    start j
    end t error=E
    j -> t
  boundary other on=inner error=F
  boundary b on=inner error=E
  end o
  end ob
  i -> inner -> o
  b -> ob
  other -> o
boundary far on=outer error=E
end e
end ef
s -> outer -> e
far -> ef
""", "s outer i inner j t b ob e"),
    case("error boundary event", "10.5.1", "an error passes those that do not fit", """
start s
sub outer
  start i
  sub inner
    start j
    end t error=E
    j -> t
  boundary other on=inner error=F
  end o
  i -> inner -> o
  other -> o
boundary far on=outer error=E
end e
end ef
s -> outer -> e
far -> ef
""", "s outer i inner j t far ef"),
    case("error boundary event", "13.5.3", "the branches beside the one that throws end with it", """
start s
sub body
  start i
  catch slow timer=PT1H
  catch quick timer=PT1M
  end o
  end t error=E
  i -> slow -> o
  i -> quick -> t
boundary b on=body error=E
end e
end eb
s -> body -> e
b -> eb
""", "s body i (slow | quick) t b eb"),
    case("error boundary event", "10.5.1",
         "an error thrown behind a boundary event is not caught by its neighbour", """
start s
sub outer
  start i
  script a do='throw_error("E")'
  boundary b on=a error=E
  boundary c on=a error=F
  script more do='throw_error("F")'
  end o
  i -> a -> o
  b -> more -> o
  c -> o
boundary far on=outer error=F
end e
end ef
s -> outer -> e
far -> ef
""", "s outer i a b more far ef"),
    case("escalation boundary event", "10.5.5", "one without a code catches every escalation", """
start s
sub body
  start i
  end t escalation=X
  i -> t
boundary b on=body escalation= soft
end e
end eb
s -> body -> e
b -> eb
""", "s body i t (b eb | e)"),
    case("escalation boundary event", "10.5.1", "an escalation that nothing catches changes nothing", """
start s
sub body
  start i
  throw t escalation=X
  task rest
  end o
  i -> t -> rest -> o
boundary b on=body escalation=Y
end e
end eb
s -> body -> e
b -> eb
""", "s body i t rest o e"),
    case("timer boundary event", "13.5.3", "when the activity is done in time the event does not come", """
start s
sub body
  start i
  catch wait timer=PT1M
  end o
  i -> wait -> o
boundary b on=body timer=PT2M
catch long timer=PT5M
end e
end eb
s -> body -> long -> e
b -> eb
""", "s body i wait o long e"),
    case("timer boundary event", "13.5.3", "a cycle that does not interrupt comes again and again", """
start s
sub body
  start i
  catch wait timer=PT10M
  end o
  i -> wait -> o
boundary b on=body cycle=R3/PT1M soft
task after
end e
end eb
s -> body -> e
b -> after -> eb
""", "s body i wait b after eb b after eb b after eb o e"),
    case("timer boundary event", "13.5.3", "a cycle that interrupts comes once", """
start s
receive host message=never
boundary b on=host cycle=R3/PT1M
task after
end e
end eb
s -> host -> e
b -> after -> eb
""", "s host b after eb"),
    case("timer boundary event", "13.5.3", "several on one activity, the earliest that interrupts wins", """
start s
receive host message=never
boundary late on=host timer=PT3M
boundary soon on=host timer=PT2M
boundary warn on=host timer=PT1M soft
end e
end el
end es
end ew
s -> host -> e
late -> el
soon -> es
warn -> ew
""", "s host warn ew soon es"),
    case("signal boundary event", "13.5.3", "a signal that does not interrupt comes as often as it is sent", """
start s
receive host message=done
boundary b on=host signal=go soft
catch w1 timer=PT1M
throw t1 signal=go
catch w2 timer=PT1M
throw t2 signal=go
catch w3 timer=PT1M
throw done message=done
end e
end eb
end et
s -> host -> e
s -> w1 -> t1 -> w2 -> t2 -> w3 -> done -> et
b -> eb
""", "s (host | w1) t1 (b eb | w2) t2 (b eb | w3) done (et | e)"),
    case("conditional boundary event", "10.5.5", "a condition comes when it becomes true, not while it stays so", """
start s
receive host message=done
boundary b on=host condition='n > 0' soft
catch w1 timer=PT1M
script one do="n = 1"
catch w2 timer=PT1M
script two do="n = 2"
catch w3 timer=PT1M
script none do="n = 0"
catch w4 timer=PT1M
script again do="n = 1"
catch w5 timer=PT1M
throw done message=done
end e
end eb
end et
s -> host -> e
s -> w1 -> one -> w2 -> two -> w3 -> none -> w4 -> again -> w5 -> done -> et
b -> eb
""", "s (host | w1) one (b eb | w2) two w3 none w4 again (b eb | w5) done (et | e)", given={"n": 0}),
    case("multiple boundary event", "10.5.5", "one of its events is enough", """
start s
receive host message=never
boundary b on=host timer=PT1M signal=go message=letter
end e
end eb
s -> host -> e
b -> eb
""", "s host b eb"),
    case("parallel multiple boundary event", "10.5.5", "it comes when all of its events have", """
start s
receive host message=never
boundary b on=host timer=PT2M signal=go all
catch w1 timer=PT1M
throw t1 signal=go
end e
end eb
end et
s -> host -> e
s -> w1 -> t1 -> et
b -> eb
""", "s (host | w1) t1 et b eb"),
]  # fmt: skip
