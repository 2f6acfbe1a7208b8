"""What is seldom drawn: complex gateways, token quantities, multi-instance behaviours, global tasks,
and other corners."""

from __future__ import annotations

from tests.standard.cases import case

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">'
    '<signal id="g" name="one"/><signal id="h" name="two"/>'
    '<signalEventDefinition id="dg" signalRef="g"/><signalEventDefinition id="dh" signalRef="h"/>'
)


def xml(nodes: str, *flows: str, roots: str = "", elsewhere: str = "") -> str:
    """A file of one process; flows are written `a>b`, with a condition `a>b if x`."""
    drawn = ""
    for place, flow in enumerate(flows):
        ends, _, condition = flow.partition(" if ")
        source, _, target = ends.partition(">")
        test = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        drawn += (
            f'<sequenceFlow id="f{place}" sourceRef="{source}" targetRef="{target}">{test}</sequenceFlow>'
        )
    return (
        f'{HEAD}{roots}<process id="main" isExecutable="true"><startEvent id="s"/>{nodes}<endEvent id="e"/>'
        f"{drawn}</process>{elsewhere}</definitions>"
    )


def wait(identity: str, minutes: int) -> str:
    duration = f"<timeDuration>PT{minutes}M</timeDuration>"
    return (
        f'<intermediateCatchEvent id="{identity}"><timerEventDefinition>{duration}</timerEventDefinition>'
        "</intermediateCatchEvent>"
    )


def complex_join(condition: str) -> str:
    branches = wait("a", 3) + wait("b", 1) + wait("c", 2)
    return xml(
        f'<parallelGateway id="split"/>{branches}<complexGateway id="join">'
        f'<activationCondition>{condition}</activationCondition></complexGateway><task id="d"/>',
        *("s>split", "split>a", "split>b", "split>c", "a>join", "b>join", "c>join", "join>d", "d>e"),
    )


COMPLEX_SPLIT = xml(
    '<complexGateway id="way" default="f4"/><task id="a"/><task id="b"/><task id="c"/>',
    *("s>way", "way>a if x &gt; 0", "way>b if x &gt; 1", "a>e", "way>c", "b>e", "c>e"),
)


def behaving(attributes: str, more: str = "") -> str:
    """Three instances one after another, with a boundary event that goes on beside them."""
    return xml(
        '<subProcess id="q"><startEvent id="i"/><endEvent id="o"/><sequenceFlow id="q1" sourceRef="i" targetRef="o"/>'
        f'<multiInstanceLoopCharacteristics isSequential="true" {attributes}>'
        f"<loopCardinality>3</loopCardinality>{more}</multiInstanceLoopCharacteristics></subProcess>"
        '<boundaryEvent id="b" attachedToRef="q" cancelActivity="false"><eventDefinitionRef>dg</eventDefinitionRef>'
        '</boundaryEvent><task id="t"/><endEvent id="eb"/>',
        *("s>q", "q>e", "b>t", "t>eb"),
    )


def quantity(attributes: str, tokens: int) -> str:
    if tokens == 1:
        return xml(f'<task id="a" {attributes}/>', "s>a", "a>e")
    return xml(
        f'<parallelGateway id="split"/><exclusiveGateway id="merge"/><task id="a" {attributes}/>',
        *("s>split", *["split>merge"] * tokens, "merge>a", "a>e"),
    )


def calls(task: str) -> str:
    return xml(
        '<callActivity id="a" calledElement="shared"/><task id="b"/>', "s>a", "a>b", "b>e", elsewhere=task
    )


CASES = [
    case("complex gateway", "13.4.5", "it goes on with the first, the later ones are taken in without effect",
         complex_join("activationCount &gt;= 1"), "s split (a | b | c) join d e"),
    case("complex gateway", "13.4.5", "it goes on when two of three have come",
         complex_join("activationCount &gt;= 2"), "s split (a | b | c) join d e"),
    case("complex gateway", "13.4.5", "its condition may ask variables",
         complex_join("activationCount &gt;= need"), "s split (a | b | c) join d e", given={"need": 3}),
    case("complex gateway", "10.6.5", "splitting, every flow whose condition holds is taken", COMPLEX_SPLIT,
         "s way (a e | b e)", given={"x": 2}),
    case("complex gateway", "10.6.5", "splitting, the default is taken when none holds", COMPLEX_SPLIT,
         "s way c e", given={"x": 0}),
    case("complex gateway", "13.4.5", "in a loop it begins anew when all have come", """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="main" isExecutable="true">
<startEvent id="s"/><exclusiveGateway id="again"/><parallelGateway id="split"/><task id="a"/><task id="b"/>
<complexGateway id="join"><activationCondition>activationCount == 2</activationCondition></complexGateway>
<scriptTask id="count"><script>n = n + 1</script></scriptTask>
<exclusiveGateway id="way" default="f9"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="again"/><sequenceFlow id="f2" sourceRef="again" targetRef="split"/>
<sequenceFlow id="f3" sourceRef="split" targetRef="a"/><sequenceFlow id="f4" sourceRef="split" targetRef="b"/>
<sequenceFlow id="f5" sourceRef="a" targetRef="join"/><sequenceFlow id="f6" sourceRef="b" targetRef="join"/>
<sequenceFlow id="f7" sourceRef="join" targetRef="count"/><sequenceFlow id="f8" sourceRef="count" targetRef="way"/>
<sequenceFlow id="f9" sourceRef="way" targetRef="e"/>
<sequenceFlow id="f10" sourceRef="way" targetRef="again">
<conditionExpression>n &lt; 2</conditionExpression></sequenceFlow>
</process></definitions>
""", "s again split (a | b) join count way again split (a | b) join count way e", given={"n": 0}),
    case("token quantities", "13.3.2", "with a start quantity of 2 two tokens begin it once",
         quantity('startQuantity="2"', 2), "s split (merge | merge) a e"),
    case("token quantities", "13.3.2", "with one token more it waits for another", quantity('startQuantity="2"', 3),
         "s split (merge | merge | merge | a e)", ended="waiting"),
    case("token quantities", "13.3.2", "with four tokens it begins twice", quantity('startQuantity="2"', 4),
         "s split (merge | merge | merge | merge | a e | a e)"),
    case("token quantities", "13.3.2", "with a completion quantity of 3 three tokens leave it",
         quantity('completionQuantity="3"', 1), "s a (e | e | e)"),
    case("multi-instance: behaviour", "13.3.7", "None: the event is thrown as each instance completes",
         behaving('behavior="None" noneBehaviorEventRef="dg"'),
         "s q i o (b t eb | q i o (b t eb | q i o (b t eb | e)))"),
    case("multi-instance: behaviour", "13.3.7", "One: the event is thrown as the first instance completes",
         behaving('behavior="One" oneBehaviorEventRef="dg"'), "s q i o (b t eb | q i o q i o e)"),
    case("multi-instance: behaviour", "13.3.7", "All: no event is thrown", behaving('behavior="All"'),
         "s q i o q i o q i o e"),
    case("multi-instance: behaviour", "13.3.7",
         "Complex: the event is thrown when its condition holds as an instance completes",
         behaving('behavior="Complex"',
         "<complexBehaviorDefinition><condition>numberOfCompletedInstances == 2</condition>"
                  '<event id="v"><eventDefinitionRef>dg</eventDefinitionRef></event></complexBehaviorDefinition>'),
         "s q i o q i o (b t eb | q i o e)"),
    case("global task", "10.3.7", "a global task of no type is called", calls('<globalTask id="shared"/>'),
         "s a b e"),
    case("global user task", "10.3.7", "a global user task is done by a person",
         calls('<globalUserTask id="shared"/>'),
         "s a b e"),
    case("global manual task", "10.3.7", "a global manual task is done by a person",
         calls('<globalManualTask id="shared"/>'),
         "s a b e"),
    case("global script task", "10.3.7", "a global script task sets variables of the caller",
         calls('<globalScriptTask id="shared"><script>n = 7</script></globalScriptTask>'), "s a b e", left={"n": 7}),
    case("compensation throw event", "10.5.5", "one that does not wait goes on at once", """
start s
task a
boundary ca on=a compensate
sub undo_a undoes
  start i
  catch w timer=PT5M
  end o
  i -> w -> o
ca ~> undo_a
throw back compensate no-wait
task b
end e
s -> a -> back -> b -> e
""", "s a back (undo_a i w | b e) o"),
    case("multiple boundary event", "10.5.5", "one that does not interrupt comes for each of its events", """
start s
receive host message=done
boundary b on=host signal=one|two soft
catch w1 timer=PT1M
throw t1 signal=one
catch w2 timer=PT1M
throw t2 signal=two
catch w3 timer=PT1M
throw t3 message=done
end e
end eb
end et
s -> host -> e
s -> w1 -> t1 -> w2 -> t2 -> w3 -> t3 -> et
b -> eb
""", "s (host | w1) t1 (b eb | w2) t2 (b eb | w3) t3 (et | e)"),
    case("multiple boundary event", "10.5.5", "an error or a timer, whichever comes", """
start s
sub body
  start i
  catch w timer=PT1M
  end oops error=E
  i -> w -> oops
boundary b on=body error=E timer=PT5M
end e
end eb
s -> body -> e
b -> eb
""", "s body i w oops b eb"),
    case("multiple event sub-process", "10.5.2", "one of its events begins it", """
start s
catch long timer=PT5M
catch w timer=PT1M
end t signal=go
end e
s -> long -> e
s -> w -> t
event-sub aside
  start i signal=go message=letter
  task b
  end o
  i -> b -> o
""", "s (long | w) t aside i b o"),
    case("multiple intermediate event", "10.5.5", "a condition or a timer, whichever comes", """
start s
catch c condition='n > 1' timer=PT10M
catch w timer=PT1M
script a do="n = 2"
end e
end ea
s -> c -> e
s -> w -> a -> ea
""", "s (c | w) a (e | ea)", given={"n": 0}),
    case("multiple end event", "13.5.6",
         "an error beside a signal: the signal is thrown, then the error ends the scope", """
start s
sub body
  start i
  end oops signal=go error=E
  i -> oops
boundary b on=body error=E
catch c signal=go
end e
end eb
end ec
catch w timer=PT1M
s -> c -> ec
s -> w -> body -> e
b -> eb
""", "s (c | w) body i oops (ec | b eb)"),
]  # fmt: skip
