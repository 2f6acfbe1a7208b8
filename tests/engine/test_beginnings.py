"""How instances begin (BPMN 2.0.2, 10.5.2, 13.3.3, 13.4.4): by messages and signals, at receive tasks and gateways."""

from __future__ import annotations

import pytest

from engine.bpmn.reader import read
from engine.commands.messages import Send
from engine.errors import Misbuilt
from engine.model import SYSTEM
from engine.rehearsal import run
from tests.engine.drawing import diagram
from tests.engine.stage import Stage

THROWER = """
start s
throw t {event}
script sent do="mark('sent')"
end e
s -> t -> sent -> e
process other
{other}
script began do="mark('began')"
{flows}
"""


def marks(drawing: str, *also: str, process: str = "main", **variables: object) -> list[str]:
    """What the scripts of a drawing's processes marked, which must not depend on loading anew."""
    found: list[list[str]] = []
    for reload in (False, True):
        marked: list[str] = []
        run(
            diagram(drawing), process, dict(variables), functions={"mark": marked.append}, also_start=also,
            reload=reload,
        )  # fmt: skip
        found.append(sorted(marked))
    assert found[0] == found[1]
    return found[0]


def thrown(event: str, other: str, flows: str) -> str:
    return THROWER.format(event=event, other=other, flows=flows)


@pytest.mark.parametrize(
    ("event", "other", "flows"),
    [
        ("message=m", "start s2 message=m\nend e2", "s2 -> began -> e2"),
        ("signal=x", "start s2 signal=x\nend e2", "s2 -> began -> e2"),
        ("message=m", "start s2 message=n|m\nend e2", "s2 -> began -> e2"),
        ("signal=x", "start s0\nstart s2 signal=x\ntask no\nend e2", "s0 -> no -> e2\ns2 -> began -> e2"),
        ("message=m", "receive r message=m begins", "r -> began"),
        ("message=m", "start s2\nreceive r message=m begins\nend e2", "s2 -> r -> began -> e2"),
        ("message=m", "receive r message=m begins max=2", "r -> began"),
        (
            "signal=x",
            "choice g begins\ncatch one message=m\ncatch two signal=x",
            "g -> one\ng -> two -> began",
        ),
        (
            "message=m",
            "choice g begins\nreceive one message=m\ncatch two signal=x",
            "g -> two\ng -> one -> began",
        ),
    ],
)
def test_what_is_thrown_begins_a_process_of_the_file_that_waits_for_it(event, other, flows):
    expected = ["sent"] if "max=2" in other else ["began", "sent"]
    assert marks(thrown(event, other, flows)) == expected


def test_a_process_that_only_an_event_begins_may_be_rehearsed_as_though_the_event_had_come():
    for start in (
        "start s2 signal=x",
        "start s2 message=m",
        "start s2 condition='n > 1'",
        "start s2 timer=PT1H",
    ):
        assert marks(thrown("signal=x", f"{start}\nend e2", "s2 -> began -> e2"), process="other", n=1) == [
            "began"
        ]


def test_a_process_rehearsed_beside_the_one_that_throws_its_event_begins_once():
    drawing = thrown("signal=x", "start s2 signal=x\nend e2", "s2 -> began -> e2")
    assert marks(drawing, "main", process="other") == ["began", "sent"]


def test_a_plain_start_takes_the_plain_start_event_and_not_those_that_wait():
    drawing = """
    start m message=m
    start s
    script a do="mark('message')"
    script b do="mark('plain')"
    end e
    m -> a -> e
    s -> b -> e
    """
    assert marks(drawing) == ["plain"]


def test_a_parallel_event_gateway_begins_with_one_event_and_goes_on_with_each():
    drawing = """
    start s
    throw one signal=x
    throw again message=m
    throw third signal=y
    end e
    s -> one -> again -> third -> e
    process other
    choice g begins all
    catch cx signal=x
    catch cm message=m
    catch cy signal=z
    script x do="mark('x')"
    script m do="mark('m')"
    script z do="mark('z')"
    g -> cx -> x
    g -> cm -> m
    g -> cy -> z
    """
    assert marks(drawing) == ["m", "x"]


def test_a_start_event_that_needs_several_events_goes_on_when_all_have_come():
    drawing = """
    start s
    throw one signal=x
    throw two {second}
    end e
    s -> one -> two -> e
    process other
    start all_of message=m signal=x all
    script began do="mark('began')"
    end e2
    all_of -> began -> e2
    """
    assert marks(drawing.format(second="message=m")) == ["began"]
    assert marks(drawing.format(second="message=n")) == []


BEGUN_BY_SIGNAL = """
start s
start by_signal signal=alarm
user a
user b
end e
s -> a -> e
by_signal -> b -> e
"""


def test_a_signal_begins_the_newest_version_of_every_procedure_that_waits_for_it_in_the_unit_it_was_thrown_in(
    stage: Stage,
):
    stage.publish("start s signal=alarm\nuser old\nend e\ns -> old -> e", "first")
    stage.publish("start s signal=alarm\nuser new\nend e\ns -> new -> e", "first")
    stage.publish(BEGUN_BY_SIGNAL, "second")
    stage.publish("start s\nthrow t signal=alarm\nend e\ns -> t -> e", "thrower")
    stage.start("thrower", unit="west", by="dan")
    assert sorted(stage.open()) == ["b", "new"]
    assert {row.unit for row in stage.rows(_instances())} == {"west"}


def _instances():
    from engine.store import tables

    return tables.instance


def test_a_signal_reaches_those_who_wait_and_begins_procedures_besides(stage: Stage):
    stage.publish("start s\ncatch c signal=alarm\nuser after\nend e\ns -> c -> after -> e", "waiting")
    stage.publish(BEGUN_BY_SIGNAL, "begun")
    stage.publish("start s\nthrow t signal=alarm\nend e\ns -> t -> e", "thrower")
    stage.start("waiting")
    stage.start("thrower")
    assert sorted(stage.open()) == ["after", "b"]


def test_a_message_from_outside_begins_a_procedure_at_its_receive_task(stage: Stage):
    stage.publish("receive r message=order begins\nuser a\nr -> a")
    number = stage.do(Send(by=SYSTEM, name="order", unit="east", values={"n": 3}))
    stage.app.settle()
    assert stage.open(number) == ["a"]
    assert stage.variables(number)["n"] == 3
    assert stage.trace(number) == ["r", "a"]


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        ("start s\ntask t\nreceive r message=m begins\nend e\ns -> t -> r -> e", "stands where none begins"),
        (
            "choice g begins\ncatch a message=m\ncatch b timer=PT1H\ng -> a\ng -> b",
            "cannot begin an instance",
        ),
        ("start s\nchoice g all\ncatch a message=m\ncatch b signal=x\ns -> g -> a\ng -> b", "has to begin"),
        ("start s signal=x timer=PT1H all\nend e\ns -> e", "cannot be waited for together"),
    ],
)
def test_a_beginning_that_could_never_happen_is_refused(drawing, reason):
    with pytest.raises(Misbuilt, match=reason):
        run(diagram(drawing), "main", {})


def test_a_start_by_a_condition_is_rehearsed_but_not_published(stage: Stage):
    with pytest.raises(Misbuilt, match="Nobody watches the condition of a start event"):
        stage.publish("start s condition='n > 1'\nuser a\nend e\ns -> a -> e")


def test_a_call_activity_that_calls_a_global_task_does_what_that_task_does():
    drawing = """
    global note do="mark('noted'); n = n + 1"
    start s
    call c calls=note max=2
    end e
    s -> c -> e
    """
    assert marks(drawing, n=0) == ["noted", "noted"]
    node = read(diagram(drawing)).processes["main"].nodes["c"]
    assert (node.tag, node.called) == ("scriptTask", None)
