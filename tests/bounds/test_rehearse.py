"""What `flow rehearse FILE` says, and the exit code it says it with."""

from __future__ import annotations

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
