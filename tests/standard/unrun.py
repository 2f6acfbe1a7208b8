"""What does not run: models that are refused, and models whose elements say nothing about the course."""

from __future__ import annotations

from tests.engine.drawing import diagram
from tests.standard.rare import HEAD, xml

TIMED = '<timerEventDefinition id="{id}"><timeDuration>PT1M</timeDuration></timerEventDefinition>'
STARTED = '<endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>'


def _start(definition: str, attributes: str = "") -> str:
    roots = '<error id="x" errorCode="E"/><escalation id="k" escalationCode="C"/>'
    start = f'<startEvent id="s" {attributes}>{definition}</startEvent>'
    return f'{HEAD}{roots}<process id="main" isExecutable="true">{start}{STARTED}'


def _many(attributes: str, *, interrupting: bool) -> str:
    return xml(
        '<subProcess id="q"><startEvent id="i"/><endEvent id="o"/><sequenceFlow id="q1" sourceRef="i" targetRef="o"/>'
        f"<multiInstanceLoopCharacteristics {attributes}><loopCardinality>3</loopCardinality>"
        "</multiInstanceLoopCharacteristics></subProcess>"
        f'<boundaryEvent id="b" attachedToRef="q" cancelActivity="{str(interrupting).lower()}">'
        "<eventDefinitionRef>dg</eventDefinitionRef></boundaryEvent>",
        *("s>q", "q>e", "b>e"),
    )


def _beside(more: str) -> str:
    """A plain process with something at the file's top level beside it."""
    return xml('<task id="a"/>', "s>a", "a>e", elsewhere=more)


def _within(more: str, task: str = '<task id="a"/>', roots: str = "") -> str:
    """A plain process with something in it that no flow leads to."""
    return xml(task + more, "s>a", "a>e", roots=roots)


MANY = """
  sub p each=xs:x
    start i
    script a do="done = x"
    boundary ca on=a compensate
    script ua do="undone = x" undoes
    ca ~> ua
    end o
    i -> a -> o
"""
"""A multi-instance sub-process in which something is undone."""
CALLED = """
process other
start j
task b
boundary cb on=b compensate
task ub undoes
cb ~> ub
end jo
j -> b -> jo
"""
"""A process that undoes something itself."""


def _cancelled(inside: str, first: str) -> str:
    return (
        f"start s\ntransaction q\n  start qs\n{inside}\n  end qo cancel\n  qs -> {first} -> qo\n"
        "boundary bc on=q cancel\nend e\nend e2\ns -> q -> e\nbc -> e2\n"
    )


def _held(inside: str, first: str, outside: str = "throw t compensate=q", last: str = "end qo") -> str:
    """A sub-process that is undone from outside, or by what is `inside` it."""
    way = "s -> q -> t -> e" if outside else "s -> q -> e"
    return f"start s\nsub q\n  start qs\n{inside}\n  {last}\n  qs -> {first} -> qo\n{outside}\nend e\n{way}\n"


BESIDE = """
  event-sub es
    start ess error=E
    throw t compensate
    end ee
    ess -> t -> ee
"""

COLLABORATION = """<collaboration id="c"><participant id="p1" name="We" processRef="main"/>
<participant id="p2" name="They"/>{more}</collaboration>"""

_DATA = '<dataInput id="i1" name="x"/><dataOutput id="o1" name="y"/>'
_SETS = (
    '<inputSet id="is"><dataInputRefs>i1</dataInputRefs></inputSet>'
    '<outputSet id="os"><dataOutputRefs>o1</dataOutputRefs></outputSet>'
)


def _connected(source: str, target: str, kind: str = "task") -> str:
    """A task that data flows into from `source`, and out of to `target`."""
    attributes = ' calledElement="o"' if kind == "callActivity" else ""
    return (
        f'<{kind} id="a"{attributes}><ioSpecification>{_DATA}{_SETS}</ioSpecification>'
        f"<dataInputAssociation><sourceRef>{source}</sourceRef><targetRef>i1</targetRef></dataInputAssociation>"
        f"<dataOutputAssociation><sourceRef>o1</sourceRef><targetRef>{target}</targetRef></dataOutputAssociation></{kind}>"
    )


def _thrown(collaboration: str, subscription: str = "") -> str:
    """A message `m` that one process throws, and two others await."""
    awaiting = "".join(
        f'<process id="p{n}" isExecutable="true"><startEvent id="s{n}"/><receiveTask id="r{n}" messageRef="m"/>'
        f'<endEvent id="e{n}"/><sequenceFlow id="x{n}" sourceRef="s{n}" targetRef="r{n}"/>'
        f'<sequenceFlow id="y{n}" sourceRef="r{n}" targetRef="e{n}"/>{subscription if n == 2 else ""}</process>'
        for n in (2, 3)
    )
    pools = "".join(f'<participant id="pool{n}" processRef="p{n}"/>' for n in (2, 3))
    around = f'<collaboration id="c"><participant id="pool1" processRef="main"/>{pools}{collaboration}</collaboration>'
    return xml(
        '<sendTask id="a" messageRef="m"/>',
        "s>a",
        "a>e",
        roots='<message id="m"/>',
        elsewhere=awaiting + around,
    )


_PROPERTY = (
    '<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m"><messagePath>x</messagePath>'
    "</correlationPropertyRetrievalExpression></correlationProperty>"
)
_KEYED = '<correlationKey id="ck"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey>'
_SUBSCRIPTION = (
    '<correlationSubscription id="cs" correlationKeyRef="ck"><correlationPropertyBinding correlationPropertyRef="cp">'
    "<dataPath>x</dataPath></correlationPropertyBinding></correlationSubscription>"
)

REFUSED: dict[str, list[str]] = {
    "ad-hoc sub-process": [
        xml('<adHocSubProcess id="q"><task id="t"/><completionCondition>True</completionCondition></adHocSubProcess>',
            "s>q", "q>e"),
    ],
    "choreography": [
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><choreography id="c"><participant id="p"/>'
        '<participant id="q"/><startEvent id="s"/><choreographyTask id="t" initiatingParticipantRef="p">'
        "<participantRef>p</participantRef><participantRef>q</participantRef><messageFlowRef>m</messageFlowRef>"
        "</choreographyTask></choreography></definitions>",
        _beside('<globalChoreographyTask id="c" initiatingParticipantRef="p"><participant id="p"/>'
                "</globalChoreographyTask>"),
    ],
    "conversation": [
        _beside(COLLABORATION.format(more='<conversation id="v"><participantRef>p1</participantRef>'
                                     "<participantRef>p2</participantRef></conversation>")),
        _beside('<globalConversation id="v"/>'),
    ],
    "start event of a process: error, escalation, compensation": [
        _start('<errorEventDefinition errorRef="x"/>'), _start('<escalationEventDefinition escalationRef="k"/>'),
        _start("<compensateEventDefinition/>"),
    ],
    "start event of an embedded sub-process with a trigger": [
        xml(f'<subProcess id="q"><startEvent id="i">{TIMED.format(id="t")}</startEvent><endEvent id="o"/>'
            '<sequenceFlow id="q1" sourceRef="i" targetRef="o"/></subProcess>', "s>q", "q>e"),
    ],
    "parallel multiple event with an error, escalation or compensation": [
        xml('<subProcess id="q"><startEvent id="i"/><endEvent id="o"/><sequenceFlow id="q1" sourceRef="i" '
            'targetRef="o"/></subProcess><boundaryEvent id="b" attachedToRef="q" parallelMultiple="true">'
            '<eventDefinitionRef>dg</eventDefinitionRef><errorEventDefinition errorRef="x"/></boundaryEvent>',
            *("s>q", "q>e", "b>e"), roots='<error id="x" errorCode="E"/>'),
    ],
    "multiple event with a compensation, cancel or link": [
        xml('<intermediateThrowEvent id="w"><compensateEventDefinition/><eventDefinitionRef>dg</eventDefinitionRef>'
            "</intermediateThrowEvent>", "s>w", "w>e"),
    ],
    "multi-instance: an event caught by an interrupting boundary event": [
        _many('behavior="None" noneBehaviorEventRef="dg"', interrupting=True),
    ],
    "multi-instance: as a compensation handler": [
        diagram("start s\ntask a\nboundary b on=a compensate\nscript u undoes times=2 do=pass\nb ~> u\n"
                "throw t compensate\nend e\ns -> a -> t -> e").decode(),
    ],
    "compensation of a multi-instance activity": [
        diagram("start s\nscript a times=2 do=pass\nboundary b on=a compensate\ntask u undoes\nb ~> u\n"
                "throw t compensate\nend e\ns -> a -> t -> e").decode(),
        diagram(_cancelled(MANY, "p")).decode(),
        diagram(_held(MANY, "p")).decode(),
        diagram(_held(MANY, "p", outside="throw t compensate")).decode(),
        diagram(_held(MANY + BESIDE, "p", outside="", last="end qo error=E")).decode(),
    ],
    "cancellation of a multi-instance transaction": [
        diagram("start s\ntransaction q each=xs:x\n  start i\n  end o cancel\n  i -> o\nboundary bc on=q cancel\n"
                "end e\nend e2\ns -> q -> e\nbc -> e2").decode(),
    ],
    "data objects of one name in different scopes": [
        xml(f'<dataObject id="d0" name="x"/><subProcess id="p"><{kind} id="d1" name="x"/><task id="a"/></subProcess>',
            "s>p", "p>e")
        for kind in ("dataObject", "property")
    ] + [
        xml("".join(f'<subProcess id="p{n}"><dataObject id="d{n}" name="x"/><task id="a{n}"/></subProcess>'
                    for n in (1, 2)), "s>p1", "p1>p2", "p2>e"),
    ],
    "compensation of an activity that nothing undoes": [
        diagram("start s\ntask a\nthrow t compensate=a\nend e\ns -> a -> t -> e").decode(),
        diagram("start s\nsub a\n  start i\n  task b\n  end o\n  i -> b -> o\nthrow t compensate=a\nend e\n"
                "s -> a -> t -> e").decode(),
    ],
    "compensation of a call activity without a handler of its own": [
        diagram("start s\ncall a calls=other\nthrow t compensate=a\nend e\ns -> a -> t -> e\nprocess other\nstart i\n"
                "task b\nboundary c on=b compensate\ntask u undoes\nc ~> u\nend o\ni -> b -> o").decode(),
        diagram("start s\ncall c calls=other\nthrow t compensate\nend e\ns -> c -> t -> e" + CALLED).decode(),
        diagram(_cancelled("  call c calls=other", "c") + CALLED).decode(),
        diagram(_held("  call c calls=other\n  task d\n  boundary cd on=d compensate\n  task ud undoes\n  cd ~> ud",
                      "c -> d") + CALLED).decode(),
        diagram(_cancelled("  call c calls=elsewhere", "c")).decode(),
    ],
    "performer, human performer, potential owner, resource": [
        _within("", f'<userTask id="a"><{role} id="p"><resourceRef>r</resourceRef></{role}></userTask>',
                roots='<resource id="r" name="clerks"/>')
        for role in ("performer", "humanPerformer", "potentialOwner")
    ],
    "element of another namespace outside `extensionElements`": [
        _beside('<x:note xmlns:x="urn:x"/>'),
        _within('<x:note xmlns:x="urn:x"/>', '<task id="a"/>'),
    ],
    "import of another BPMN file, extension that must be understood": [
        _beside('<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" location="b" namespace="urn:x"/>'),
        _beside('<extension mustUnderstand="true" definition="x"/>'),
    ],
    "data association between two variables": [
        _within('<dataObject id="d"/><dataObject id="d2" name="y"/>', _connected("d", "d2")),
        _within('<dataObject id="d" name="x"/><dataObject id="d2"/><dataObjectReference id="r" dataObjectRef="d2"/>',
                _connected("d", "r")),
        xml('<dataObject id="d"/><dataObject id="d2" name="y"/>' + _connected("d", "d2", "callActivity"), "s>a", "a>e",
            elsewhere='<process id="o" isExecutable="true"><task id="ot"/></process>'),
    ],
    "correlation of a message whose elements have no key": [
        _thrown(_KEYED).replace('<message id="m"/>', '<message id="m"/>' + _PROPERTY),
        _thrown(_KEYED, _SUBSCRIPTION).replace('<message id="m"/>', '<message id="m"/><correlationProperty id="cp"/>'),
    ],
    "message flow to one of several elements that await the message": [
        _thrown('<messageFlow id="mf" sourceRef="a" targetRef="r2"/>'),
    ],
    "data association that computes": [
        _within('<dataObject id="d"/>', '<task id="a"><ioSpecification><dataInput id="i1"/><inputSet><dataInputRefs>i1'
                "</dataInputRefs></inputSet><outputSet/></ioSpecification><dataInputAssociation><targetRef>i1"
                f"</targetRef>{part}</dataInputAssociation></task>")
        for part in ("<assignment><from>1</from><to>i1</to></assignment>", "<transformation>x</transformation>")
    ],
    "default sequence flow with a condition": [
        xml('<exclusiveGateway id="way" default="f1"/><task id="a"/><task id="b"/>',
            *("s>way", "way>a if x", "way>b if y", "a>e", "b>e")),
    ],
    "business rule task that nothing decides": [xml('<businessRuleTask id="a"/>', "s>a", "a>e")],
    "file without an executable process": [
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="main" isExecutable="false">'
        '<startEvent id="s"/>' + STARTED,
    ],
}  # fmt: skip
"""By row of the table: models that give a finding."""

INERT: dict[str, list[str]] = {
    "text annotation, association": [
        _within('<textAnnotation id="n"><text>Why this is so</text></textAnnotation>'
                '<association id="l" sourceRef="a" targetRef="n"/>'),
    ],
    "group, category": [
        _within('<group id="g1" categoryValueRef="v"/>',
                roots='<category id="c"><categoryValue id="v" value="late"/></category>'),
    ],
    "extension, extension elements of editors": [
        _within("",
         '<task id="a"><extensionElements><x xmlns="http://example.org/editor"/></extensionElements></task>'),
        _beside('<extension definition="x"/>'),
    ],
    "rendering": [_within("", '<userTask id="a"><rendering id="r"/></userTask>')],
    "documentation": [_within("", '<task id="a"><documentation>How it is done</documentation></task>')],
    "pool, message flow": [
        _beside(COLLABORATION.format(more='<messageFlow id="m" sourceRef="p1" targetRef="p2"/>')),
        _beside('<collaboration id="c"><participant id="p1" processRef="main"><participantMultiplicity maximum="5"/>'
                "</participant></collaboration>"),
        _beside(COLLABORATION.format(more='<participantAssociation><innerParticipantRef>p1</innerParticipantRef>'
                                     "<outerParticipantRef>p2</outerParticipantRef></participantAssociation>")),
        _beside('<message id="m"/><process id="o" isExecutable="true"><receiveTask id="r" messageRef="m"/>'
                '</process><collaboration id="c">'
                '<participant id="p1" processRef="main"/><participant id="p2" processRef="o"/>'
                '<messageFlow id="mf" sourceRef="p1" targetRef="r"/></collaboration>'),
    ],
    "data store": [
        _within('<dataStoreReference id="r" dataStoreRef="d"/>', roots='<dataStore id="d" name="archive"/>'),
    ],
    "data state, item definition": [
        _within('<dataObject id="d" itemSubjectRef="it"/><dataObjectReference id="r" dataObjectRef="d">'
                '<dataState name="signed"/></dataObjectReference>', roots='<itemDefinition id="it"/>'),
    ],
    "data inputs, outputs and associations": [
        _within('<dataObject id="d" name="x"/><dataObject id="d2" name="y"/>'
                '<dataObjectReference id="r" dataObjectRef="d2"/>', _connected("d", "r")),
        _within('<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="d"/>',
                '<task id="a"><property id="p" name="__targetRef_placeholder"/><dataInputAssociation><sourceRef>r'
                "</sourceRef><targetRef>p</targetRef></dataInputAssociation><dataOutputAssociation><targetRef>r"
                "</targetRef></dataOutputAssociation></task>"),
    ],
    "interface, operation": [
        _beside('<message id="m"/><interface id="i" name="i"><operation id="o" name="o"><inMessageRef>m</inMessageRef>'
                "</operation></interface>"),
    ],
    "correlation key, property, subscription": [
        _beside('<message id="m"/><correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m">'
                "<messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"
                + COLLABORATION.format(more='<messageFlow id="mf" sourceRef="p1" targetRef="p2"/>'
                                       '<correlationKey name="k">'
                                       "<correlationPropertyRef>cp</correlationPropertyRef></correlationKey>")),
    ],
    "partner, end point": [
        _beside('<partnerEntity id="a1" name="They"/><partnerRole id="a2" name="Supplier"/><endPoint id="a3"/>'),
    ],
    "monitoring, auditing": [_within("", '<task id="a"><auditing id="u1"/><monitoring id="m1"/></task>')],
    "relationship": [
        _beside('<relationship type="source"><source>main</source><target>main</target></relationship>'),
    ],
}  # fmt: skip
"""By row of the table: models in which a token goes from s over a to e all the same."""
