"""What `flow rehearse FILE` says, and the exit code it says it with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from engine.errors import Misbuilt
from engine.rehearsal import run
from tests.engine.drawing import diagram

LOOP = """
start s
xor again
catch t timer=PT0S
xor way
end e
s -> again -> t -> way
way -> again : n == '1'
way -> e : else
"""


def rehearse(folder: Path, drawing: str, *options: str) -> Result:
    file = folder / "drawn.bpmn"
    file.write_bytes(diagram(drawing))
    return CliRunner().invoke(cli.flow, ["rehearse", str(file), *options], env={"FLOW_LANG": "en"})


@pytest.mark.parametrize(
    ("drawing", "code", "said"),
    [
        ("start s\nuser a\nend e\ns -> a -> e", 0, "completed"),
        ("start s\nuser a\nend e terminate\ns -> a -> e", 0, "completed"),
        ("start s\nscript a do='x = y'\nend e\ns -> a -> e", 1, "there is no variable y"),
        ("start s\nend e error=E1\ns -> e", 1, "an error that nothing catches: E1"),
        (LOOP, 1, "the loop has no end"),
        ("start s\nuser a\nend e\ns -> a", 8, "cannot be accepted"),
        ("start s\ncatch a message=go\nend e\ns -> a -> e", 9, "waiting"),
    ],
    ids=["ended", "terminated", "incident", "error", "endless", "misbuilt", "waiting"],
)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["shown", "json"])
def test_the_exit_code_says_what_became_of_the_diagram(tmp_path, drawing, code, said, options):
    result = rehearse(tmp_path, drawing, "--set", "n=1", *options)
    assert result.exit_code == code, result.output
    assert said in result.output


def test_a_diagram_that_waits_for_what_lies_beyond_the_hours_given_waits(tmp_path):
    drawing = "start s\ncatch a timer=P2D\nend e\ns -> a -> e"
    assert rehearse(tmp_path, drawing, "--hours", "24").exit_code == 9
    assert rehearse(tmp_path, drawing, "--hours", "49").exit_code == 0


def test_a_long_way_is_shown_by_its_beginning_and_its_end(tmp_path):
    shown = rehearse(tmp_path, LOOP, "--set", "n=1").output
    assert "s > again > t" in shown
    assert "more …" in shown
    assert len(shown) < 3000


@pytest.mark.parametrize("where", ["elsewhere", "idle"])
def test_a_call_of_what_the_file_does_not_run_is_refused_before_anything_runs(where):
    xml = diagram(f"start s\ncall a calls={where}\nend e\ns -> a -> e\nprocess idle\nstart i\nend o\ni -> o")
    xml = xml.replace(b'id="idle" isExecutable="true"', b'id="idle" isExecutable="false"')
    with pytest.raises(Misbuilt) as refused:
        run(xml, "main", {})
    assert [each.element for each in refused.value.findings] == ["a"]


def test_the_example_of_the_help_runs_and_text_for_a_truth_value_names_the_remedy(tmp_path):
    drawing = "start s\nxor g\nend y\nend n\ns -> g\ng -> y : approved\ng -> n : else"
    [example] = [
        line for line in cli.flow.get_command(None, "rehearse").example.split("\n") if "--set" in line
    ]
    given = example.split()[-2:]
    assert rehearse(tmp_path, drawing, *given).exit_code == 0
    refused = rehearse(tmp_path, drawing, "--set", "approved=true")
    assert refused.exit_code == 1
    assert "gives 'true', a text, not true or false" in refused.stdout
    assert "NAME:=true" in refused.stdout
    assert "found '[1,'" in rehearse(tmp_path, drawing, "--set", "approved:=[1,").stderr


@pytest.mark.parametrize("hours", ["nan", "-1", "inf", "1e99"])
def test_hours_that_are_no_span_of_time_are_refused(tmp_path, hours):
    assert rehearse(tmp_path, "start s\nend e\ns -> e", "--hours", hours).exit_code == 2


def test_a_service_task_that_nothing_was_done_for_is_told(tmp_path):
    drawing = """
        start s
        xor g
        service a
        service b
        end e
        s -> g
        g -> a : x == '1'
        g -> b : else
        a -> e
        b -> e
    """
    shown = rehearse(tmp_path, drawing, "--set", "x=1")
    assert shown.exit_code == 0
    assert "a was passed through. Nothing says what the service task does" in shown.stderr
    assert "b was passed through" not in shown.stderr
    [warning] = json.loads(rehearse(tmp_path, drawing, "--set", "x=1", "--json").stdout)["warnings"]
    assert (warning["element"], warning["level"]) == ("a", "incomplete")


def test_functions_of_a_workspace_are_not_called_but_named(tmp_path):
    drawing = """
        start s
        service a flow.handler=fieldwork.open
        user u flow.verify=visits.recorded
        end e
        s -> a -> u -> e
    """
    shown = rehearse(tmp_path, drawing)
    assert shown.exit_code == 0, shown.output
    assert "a was passed through. The function fieldwork.open is not called" in shown.stderr
    assert "u was passed through. The function visits.recorded is not called" in shown.stderr


def test_options_for_something_else_than_what_is_rehearsed_are_refused(tmp_path):
    drawing = "start s\nend e\ns -> e"
    for given in (("--scenario", "one"), ("--seed", "1")):
        refused = rehearse(tmp_path, drawing, *given)
        assert (refused.exit_code, f"{given[0]} does nothing here" in refused.stderr) == (2, True)
    span = ("--all", "--from", "2026-01-01", "--to", "2026-01-02")
    for given in (
        ("003H", "--set", "a=1"),
        ("003H", "--hours", "3"),
        ("003H", "--late", "1"),
        (*span, "--process", "p"),
    ):
        refused = CliRunner().invoke(cli.flow, ["rehearse", *given], env={"FLOW_LANG": "en"})
        assert (refused.exit_code, f"{given[-2]} does nothing here" in refused.stderr) == (2, True)


CALLED = "process other\nstart os\nreceive r message=go\nend oe\nos -> r -> oe"


@pytest.mark.parametrize(
    ("drawing", "said"),
    [
        ("start s\ncatch a message=go\nend e\ns -> a -> e", ["a  the message go"]),
        ("start s\ncatch a signal=go\nend e\ns -> a -> e", ["a  the signal go"]),
        (
            "start s\ncatch a timer=P2D\nend e\ns -> a -> e",
            ["a  2026-01-07 09:00, which lies beyond --hours"],
        ),
        ("start s\ncatch a condition='x > 1'\nend e\ns -> a -> e", ["a  this to be true: x > 1"]),
        (
            "start s\nand f\ncatch a message=go\nand j\nend e\ns -> f -> a -> j -> e\nf -> j",
            ["a  the message go", "j  what has yet to come over a_to_j (a)"],
        ),
        (
            "start s\nor f\ncatch a message=go\nuser b\nor j\nend e\ns -> f -> a -> j -> e\nf -> b -> j",
            ["a  the message go", "j  what has yet to come over a_to_j (a)"],
        ),
        (
            "start s\nand f\ncatch a message=go\nuser b\ncomplex j needs='activationCount >= 2'\nend e\n"
            "s -> f -> a -> j -> e\nf -> b -> j",
            ["a  the message go", "j  this to be true: activationCount >= 2"],
        ),
        (
            "start s\nand f\ncatch a message=go\nuser b takes=2\nend e\ns -> f -> a -> b -> e\nf -> b",
            ["a  the message go", "b  more to come over its flows: 1/2"],
        ),
        (
            "start s\nchoice g\ncatch a message=go\ncatch b timer=P9D\nend e\ns -> g -> a -> e\ng -> b -> e",
            ["a  the message go", "b  2026-01-14 09:00, which lies beyond --hours"],
        ),
        (
            "start s\nsub m times=3\n  start ms\n  receive r message=go\n  end me\n  ms -> r -> me\nend e\ns -> m -> e",
            ["m  its instances, of which are done: 0/3", "r  the message go"],
        ),
        (
            f"start s\ncall m calls=other\nend e\ns -> m -> e\n{CALLED}",
            ["m  the called process other", "r  the message go"],
        ),
        (
            "start s\ncatch a message=go\nend e\ns -> a -> e\n"
            "event-sub z\n  start t message=halt\n  end te\n  t -> te",
            ["a  the message go"],
        ),
    ],
    ids=[
        "message",
        "signal",
        "timer",
        "condition",
        "join",
        "inclusive",
        "complex",
        "tokens",
        "choice",
        "batch",
        "call",
        "event-sub",
    ],
)
def test_what_a_diagram_that_waits_waits_for_is_told_element_by_element(tmp_path, drawing, said):
    result = rehearse(tmp_path, drawing, "--hours", "24")
    assert result.exit_code == 9, result.output
    told = result.stdout.split("Waits for\n")[1].splitlines()[1:]
    assert [re.sub(r"^(\w+) +\1 +", r"\1  ", line) for line in told] == said
    waits = json.loads(rehearse(tmp_path, drawing, "--hours", "24", "--json").stdout)["waits"]
    assert [each["element"] for each in waits] == [line.split()[0] for line in said]


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("script o do='x = y'\nend oe", "In the process other: Line 1, column 5: there is no variable y"),
        ("task o\nend oe error=E9", "In the process other: it ended with error(E9), which nothing catches"),
    ],
    ids=["incident", "error"],
)
def test_what_stopped_the_other_process_is_told_of_one_that_waits(tmp_path, failing, said):
    main = "start s\nsend x message=hi\ncatch a message=go\nend e\ns -> x -> a -> e"
    result = rehearse(tmp_path, f"{main}\nprocess other\nstart os message=hi\n{failing}\nos -> o -> oe")
    assert result.exit_code == 1
    assert re.search(r"ended +waiting", result.stdout)
    assert said in result.stdout
    assert "the message go" in result.stdout


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.touch(), "The file is empty"),
        (lambda file: file.write_bytes(b"\x7fELF\x02\x01\xff"), "The file is not XML"),
        (lambda file: file.mkdir(), "is a folder"),
        (lambda file: None, "There is no"),
    ],
    ids=["empty", "program", "folder", "missing"],
)
@pytest.mark.parametrize("name", ["drawn.bpmn", "drawn"])
def test_what_is_no_diagram_is_not_taken_for_a_procedure(tmp_path, make, said, name):
    make(tmp_path / name)
    result = CliRunner().invoke(cli.flow, ["rehearse", str(tmp_path / name)], env={"FLOW_LANG": "en"})
    assert result.exit_code in (3, 5, 8)
    assert said in result.stderr or (name, said) == ("drawn", "There is no")


ANOTHER = "start s\nend e\ns -> e\nprocess other\nstart so\nend eo\nso -> eo"


@pytest.mark.parametrize("also", [("main",), ("other", "other"), ("main", "other")], ids=" ".join)
def test_a_process_named_twice_is_started_once(also):
    found = run(diagram(ANOTHER), "main", {}, also_start=also)
    assert (found.visited, found.ended, found.incidents) == (("s", "e"), "completed", ())


@pytest.mark.parametrize(("process", "also"), [("nobody", ()), ("main", ("nobody",))], ids=["main", "also"])
def test_a_process_that_the_file_does_not_have_is_refused_with_those_it_has(process, also):
    with pytest.raises(Misbuilt, match=r"nobody: The file has no such process. Name one of main, other"):
        run(diagram(ANOTHER), process, {}, also_start=also)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1])
def test_a_span_of_time_that_is_none_is_refused_with_a_sentence(seconds):
    with pytest.raises(ValueError, match="give a number of seconds from 0"):
        run(diagram(ANOTHER), "main", {}, horizon_s=seconds)


def test_a_diagram_may_come_as_anything_that_holds_bytes_but_not_as_text():
    xml = diagram(ANOTHER)
    for given in (bytearray(xml), memoryview(xml)):
        assert run(given, "main", {}).ended == "completed"
    with pytest.raises(TypeError, match="the diagram's file as bytes, not str"):
        run(xml.decode(), "main", {})


def test_one_id_given_for_a_list_of_them_is_refused_with_the_list_meant():
    with pytest.raises(TypeError, match=r"also_start is a list of ids.*\['main'\]"):
        run(diagram(ANOTHER), "main", {}, also_start="main")


@pytest.mark.parametrize("name", ["sleep", "throw_error"])
def test_a_function_that_scripts_have_already_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match=f"functions holds {name}"):
        run(diagram(ANOTHER), "main", {}, functions={name: print})


BEAT = "start s\nreceive r message=go\nend e\nend eb\ns -> r -> e\nboundary b on=r cycle=R/PT1S soft\nb -> eb"


def test_a_diagram_left_because_its_timers_go_on_says_so_and_waits(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.rehearsal.watching.MAX_FIRED", 30)
    result = rehearse(tmp_path, BEAT)
    assert result.exit_code == 9
    assert re.search("left +Timers fired 30 times while nothing changed", result.stdout)
    assert re.search("r +the message go", result.stdout)
    assert re.search("b +2026-01-05 09:00$", result.stdout, re.MULTILINE)
    assert "beyond --hours" not in result.stdout
    assert json.loads(rehearse(tmp_path, BEAT, "--json").stdout)["left"].startswith("Timers fired 30 times")
    assert "beyond --hours" in rehearse(tmp_path, BEAT, "--hours", "0.002").stdout


def test_a_long_rehearsal_says_on_a_terminal_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.rehearsal.watching.MAX_FIRED", 30)
    monkeypatch.setattr("console.rehearse._SECONDS", 0.0)
    assert "so far" not in rehearse(tmp_path, BEAT).stderr
    monkeypatch.setattr("console.rehearse._on_terminal", lambda: True)
    told = re.findall(
        r"^2026-01-05 09:00: (\d+) elements entered so far", rehearse(tmp_path, BEAT).stderr, re.M
    )
    assert [int(each) for each in told] == sorted(int(each) for each in told)
    assert int(told[-1]) >= 60
    monkeypatch.setattr("console.rehearse._SECONDS", 1000.0)
    assert "so far" not in rehearse(tmp_path, BEAT).stderr


def test_a_rehearsal_broken_off_says_where_it_was(tmp_path, monkeypatch):
    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.rehearsal.watching.Watch.may_wait", interrupted)
    result = rehearse(tmp_path, BEAT)
    assert result.exit_code == 130
    assert "broken off at 2026-01-05 09:00, after 2 elements; nothing is left of it" in result.stderr
    assert result.stdout == ""


FAILING = {
    "script": "start s\nscript a do='fail(1)'\nend e\ns -> a -> e",
    "flow": "start s\nxor a\nend e\nend f\ns -> a\na -> e : fail(1)\na -> f : else",
    "event": "start s\ncatch a condition='fail(1)'\nend e\ns -> a -> e",
    "times": "start s\ntask a times='fail(1)'\nend e\ns -> a -> e",
    "assignee": "start s\nuser a assignee='fail(1)'\nend e\ns -> a -> e",
}


@pytest.mark.parametrize("reload", [False, True], ids=["kept", "read anew"])
@pytest.mark.parametrize("where", FAILING)
def test_what_a_function_given_raises_is_an_incident_at_the_element_that_called_it(where, reload):
    def fail():
        """Takes no argument."""

    found = run(diagram(FAILING[where]), "main", {}, functions={"fail": fail}, reload=reload)
    assert (found.visited, found.ended) == (("s", "a"), "incident")
    (reason,) = found.incidents
    assert reason.startswith("Function fail failed: TypeError: ")
    assert "takes 0 positional arguments but 1 was given" in reason


def test_a_text_given_for_seconds_is_told_with_its_quotes():
    found = run(diagram("start s\nscript a do='sleep(\"1\")'\nend e\ns -> a -> e"), "main", {})
    assert found.incidents[0].startswith("sleep('1') is no time to wait")
