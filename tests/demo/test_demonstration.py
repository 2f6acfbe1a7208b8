"""`flow demo`, as a newcomer sees it; its figures against a computation that shares no code with ours."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import flow
from console import folders
from console.demo import stories
from engine import config
from engine.bpmn.reader import read

ANSWERS = config.shipped() / "examples" / "resident-survey-2021-09" / "resident-survey-2021-09.csv"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo") / "演示 3"
    run = CliRunner().invoke(flow, ["demo", "--folder", str(folder)], env={"FLOW_LANG": "en"})
    assert run.exit_code == 0, run.output
    again = CliRunner().invoke(flow, ["demo", "--folder", str(folder), "--resume", "--json"])
    # `--resume` of a demonstration that is over changes nothing and tells the same.
    assert again.exit_code == 0, again.output
    return folder, {"text": run.stdout, **json.loads(again.stdout)}


@pytest.fixture(scope="module")
def fresh(played: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's workspace as it was when it ended."""
    return shutil.copytree(played[0], tmp_path_factory.mktemp("tour") / "demo")


def test_the_readme_shows_what_a_reader_gets(played: tuple[Path, dict[str, Any]], fresh: Path) -> None:
    text = (config.shipped() / "README.md").read_text(encoding="utf-8")
    tour = text.partition("## Five minutes")[2].partition("\n## ")[0]
    got, compared = played[1]["text"].splitlines(), 0
    for block in tour.split("```")[1::2]:
        for line in filter(None, block.splitlines()):
            if line.startswith("$ ../.venv/bin/flow "):
                command = ["-C", str(fresh), *shlex.split(line)[2:]]
                got = CliRunner().invoke(flow, command, env={"FLOW_LANG": "en"}).output.splitlines()
            elif line == "$ make demo":
                got = played[1]["text"].splitlines()
            elif not line.startswith("$ ") and line.strip() != "...":
                assert line in got, line
                got, compared = got[got.index(line) + 1 :], compared + 1
    assert compared > 20


def rates(rows: list[dict[str, str]], item: str) -> tuple[int, int, float, float]:
    """Base, abstained, satisfied share and mean, counted by hand."""
    marks = [int(row[item]) for row in rows]
    given = [mark for mark in marks if mark != 9]
    return (
        len(given),
        len(marks) - len(given),
        sum(m >= 4 for m in given) / len(given),
        sum(given) / len(given),
    )


def test_every_office_is_started_by_the_calendar_and_archives(played: tuple[Path, dict[str, Any]]) -> None:
    courses = played[1]["courses"]
    assert [course["unit"] for course in courses] == [f"office-{number}" for number in range(1, 7)]
    assert all(course["ended_at"] for course in courses)
    assert {course["period"] for course in courses} == {"2026-Q3"}
    history = CliRunner().invoke(flow, ["-C", str(played[0]), "instance", "history", "SV-1", "--json"])
    started = json.loads(history.stdout)[0]["facts"]["variables"]
    assert started["d0"] == "2026-09-10"


def test_what_to_try_next_can_be_pasted_into_a_shell(played: tuple[Path, dict[str, Any]]) -> None:
    [line] = [each for each in played[1]["text"].splitlines() if each.startswith("  cd ")]
    [_, folder] = shlex.split(line)
    assert Path(folder).resolve() == played[0]


def test_a_demonstration_goes_on_with_the_answers_it_began_with(played: tuple[Path, dict[str, Any]]) -> None:
    args = ["demo", "--folder", str(played[0]), "--resume", "--responses", "12"]
    assert CliRunner().invoke(flow, args).exit_code == 3


def test_who_was_late_is_said(played: tuple[Path, dict[str, Any]]) -> None:
    late = {course["unit"]: course["missed"] for course in played[1]["courses"]}
    assert late["office-3"] == ["回收问卷"]
    assert late["office-1"] == []
    assert "何平" in played[1]["text"]


def test_the_figures_are_those_of_the_answers(played: tuple[Path, dict[str, Any]]) -> None:
    with ANSWERS.open(encoding="utf-8") as file:
        everybody = list(csv.DictReader(file))
    figures = played[1]["figures"]
    items = [name for name in everybody[0] if name.startswith("q")]
    assert len(items) == 70
    for unit, rows in {
        "whole": everybody,
        **{f"office-{n}": [row for row in everybody if row["district"] == str(n)] for n in range(1, 7)},
    }.items():
        found = figures[unit]
        assert found["returned"] == len(rows)
        for item in items:
            base, abstained, rate, mean = rates(rows, item)
            tally = found["items"][_column(found["items"], item)]
            assert (tally["base"], tally["abstained"], tally["blank"]) == (base, abstained, 0), (unit, item)
            assert tally["rate"] == pytest.approx(rate, abs=1e-12), (unit, item)
            assert tally["mean"] == pytest.approx(mean, abs=1e-12), (unit, item)


def _column(items: dict[str, Any], column: str) -> str:
    return next(
        name for name in items if name in (column, f"{column[:-3]}.{column}") or name.endswith(column)
    )


def test_the_journal_is_whole_and_sealed(played: tuple[Path, dict[str, Any]]) -> None:
    assert played[1]["journal"]["faults"] == []
    verified = CliRunner().invoke(flow, ["-C", str(played[0]), "audit", "verify"])
    assert verified.exit_code == 0, verified.output


def test_time_goes_on_from_there(played: tuple[Path, dict[str, Any]]) -> None:
    run = CliRunner().invoke(flow, ["-C", str(played[0]), "demo", "clock", "--to", "2026-11-20T09:00"])
    assert run.exit_code == 0, run.output
    tasks = CliRunner().invoke(flow, ["-C", str(played[0]), "task", "list", "--as", "chen.jing", "--json"])
    assert [task["element"] for task in json.loads(tasks.stdout)] == ["draft_plan"]


def test_a_promise_that_was_kept_brings_no_overdue_notice(played: tuple[Path, dict[str, Any]]) -> None:
    run = CliRunner().invoke(flow, ["-C", str(played[0]), "instance", "history", "SV-1", "--json"])
    told = [line["facts"]["name"] for line in json.loads(run.stdout) if line["kind"] == "notice.overdue"]
    assert told == []


def test_managers_see_what_is_late_in_their_units_and_no_other(played: tuple[Path, dict[str, Any]]) -> None:
    folder = str(played[0])
    CliRunner().invoke(flow, ["-C", folder, "demo", "clock", "--to", "2026-12-04T10:00"])
    run = CliRunner().invoke(flow, ["-C", folder, "status", "--as", "li.hong", "--json"])
    late = json.loads(run.stdout)["overview"]["late_tasks"]
    assert {(task["unit"], task["name"]) for task in late} == {
        ("office-3", "编制调查方案"),
        ("office-4", "编制调查方案"),
    }
    listed = CliRunner().invoke(flow, ["-C", folder, "instance", "list", "--as", "li.hong", "--json"])
    assert {each["unit"] for each in json.loads(listed.stdout)} == {"office-3", "office-4"}
    other = CliRunner().invoke(flow, ["-C", folder, "instance", "history", "SV-1", "--as", "li.hong"])
    assert other.exit_code == 7
    assert CliRunner().invoke(flow, ["-C", folder, "audit", "export", "--as", "li.hong"]).exit_code == 7


def test_a_record_that_was_changed_is_found(played: tuple[Path, dict[str, Any]]) -> None:
    file = next((played[0] / "records" / "SV-2").glob("plan-*.txt"))
    kept = file.read_bytes()
    try:
        file.write_bytes(kept + "改".encode())
        run = CliRunner().invoke(flow, ["-C", str(played[0]), "audit", "verify", "--json"])
        assert run.exit_code == 1
        assert [each["path"] for each in json.loads(run.stdout)["altered"]] == [f"records/SV-2/{file.name}"]
    finally:
        file.write_bytes(kept)


STORIES = {story.code: story for story in stories.STORIES}


@pytest.mark.parametrize("code", STORIES)
def test_a_story_goes_as_its_course_says(played: tuple[Path, dict[str, Any]], code: str) -> None:
    course, story = played[1]["stories"][code]["course"], STORIES[code]
    assert course["period"] == story.period
    listed = CliRunner().invoke(flow, ["-C", str(played[0] / code), "instance", "list", "--json"])
    [status] = [each["status"] for each in json.loads(listed.stdout) if each["id"] == "SV-1"]
    assert status == story.scenario.end.status
    procedure = next(each for each in folders.shipped() if each.id == story.procedure).load()
    names = {
        node.id: node.name
        for each in read(procedure.diagram).processes.values()
        for node in each.nodes.values()
    }
    assert set(course["missed"]) == {names[element] for element in story.scenario.end.missed}
    verified = CliRunner().invoke(flow, ["-C", str(played[0] / code), "audit", "verify"])
    assert verified.exit_code == 0, verified.output


def screen(text: str, code: str) -> list[str]:
    lines = text[text.index(f"\n{code}  ") :].lstrip("\n").splitlines()
    return lines[: lines.index("")] if "" in lines else lines


@pytest.mark.parametrize("code", STORIES)
def test_a_story_is_told_on_one_screen(
    played: tuple[Path, dict[str, Any]], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = screen(played[1]["text"], code)
    assert len(lines) <= 24
    for part in ("Asked", "Came back", "Item", "Late", "Documents", "See more"):
        assert any(line.startswith(part) for line in lines), part
    documents = played[1]["stories"][code]["documents"]
    assert documents
    for each in documents:
        assert (played[0] / code / each).stat().st_size > 1000
        assert any(str(Path(each).with_suffix("")) in line for line in lines), each
    more = next(place for place, line in enumerate(lines) if line.startswith("See more"))
    [_, folder] = shlex.split(lines[more].removeprefix("See more"))
    assert Path(folder).resolve() == played[0] / code
    for line in lines[more + 1 :]:
        run = CliRunner().invoke(flow, ["-C", folder, *shlex.split(line)[1:]])
        assert run.exit_code == 0, (line, run.output)


@pytest.mark.parametrize("code", STORIES)
def test_a_story_has_the_figures_of_its_answers(
    played: tuple[Path, dict[str, Any]], code: str, tmp_path: Path
) -> None:
    for part, found in played[1]["stories"][code]["rounds"].items():
        file = tmp_path / f"{part}.csv"
        person = next(iter(STORIES[code].course.stage.people))
        args = ["-C", str(played[0] / code), "round", "export", "SV-1", "-o", str(file), "--as", person]
        run = CliRunner().invoke(flow, [*args, *(["--part", part] if part else [])])
        assert run.exit_code == 0, run.output
        with file.open(encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
        assert found["returned"] == len(rows) > 0
        for item, tally in found["items"].items():
            base, abstained, rate, _ = rates(rows, item)
            assert (tally["base"], tally["abstained"]) == (base, abstained), item
            assert tally["rate"] == pytest.approx(rate, abs=1e-12), item
