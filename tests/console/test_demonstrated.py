"""The demonstration's documents, rounds and history are in Chinese throughout."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

import cli
from engine import strict_yaml

PROCEDURE = "building-quarterly-15-workdays"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read") / "demo"
    run = CliRunner().invoke(cli.flow, ["demo", "--folder", str(folder), "--lang", "zh"])
    assert run.exit_code == 0, run.output
    return folder


def said(folder: Path, *args: str, who: str = "wang.jianguo") -> str:
    run = CliRunner().invoke(
        cli.flow, [*args, "--as", who], env={"FLOW_HOME": str(folder), "FLOW_LANG": "zh"}
    )
    assert run.exit_code == 0, run.output
    return run.stdout


def values_of_options(node: object) -> Iterator[str]:
    """What options store, where it is not what they are read as."""
    if isinstance(node, dict):
        if {"value", "label"} <= set(node):
            yield str(node["value"])
        for each in node.values():
            yield from values_of_options(each)
    elif isinstance(node, list | tuple):
        for each in node:
            yield from values_of_options(each)


def test_every_form_that_is_kept_reads_as_chinese(folder: Path) -> None:
    files = [file for kind in ("txt", "docx") for file in sorted((folder / "records").rglob(f"*-*.{kind}"))]
    kept = {file.stem.rpartition("-")[0]: file for file in files}
    assert len(kept) >= 13
    assert {file.suffix for file in kept.values()} == {".txt", ".docx"}
    stored: set[str] = set()
    for form in sorted((folder / "forms" / PROCEDURE).glob("*.yaml")):
        stored |= set(values_of_options(strict_yaml.load(form.read_bytes(), form.name).value))
    people = set(re.findall(r"id: ([a-z]+\.[a-z]+)", (folder / "org.yaml").read_text(encoding="utf-8")))
    assert len(people) > 10
    for file in kept.values():
        text = printed(file) if file.suffix == ".docx" else file.read_text(encoding="utf-8")
        words = set(re.findall(r"[A-Za-z_.]+", text))
        assert not words & (stored | people | {"True", "False", "None"}), file
        assert not re.search(r"[一-鿿]:|\n\n\n", text), file
        assert file.suffix == ".docx" or text.splitlines()[1].strip("=") == ""


def printed(file: Path) -> str:
    """What stands in a Word document, a line each."""
    with ZipFile(file) as parts:
        return "\n".join(
            re.findall(r"<w:t[^>]*>([^<]+)</w:t>", parts.read("word/document.xml").decode("utf-8"))
        )


def test_whoever_stood_in_is_named_with_whom_they_stood_in_for(folder: Path) -> None:
    texts = [file.read_text(encoding="utf-8") for file in (folder / "records").rglob("*.txt")]
    assert any("填写人：何平（代郭丽）" in text for text in texts)


def test_a_round_is_shown_in_chinese(folder: Path) -> None:
    shown = said(folder, "round", "show", "SV-3")
    assert shown.startswith("SV-3  第三管理处  2026-Q3")
    assert re.search(r"状态 +已结束", shown)
    assert re.search(r"已收回，完整 +150", shown)


def test_history_names_procedure_steps_and_what_is_due(folder: Path) -> None:
    told = said(folder, "instance", "history", "SV-3", "--all")
    assert "大楼客户满意度季度调查 第 1 版为 第三管理处 启动" in told
    assert "逾期通知发给 赵敏：回收问卷（2026-09-16 到期）" in told
    assert "记录《调查方案》" in told
    assert PROCEDURE not in told
    assert "round.returns" not in told
    assert "draft_plan" not in told


def test_the_arithmetic_of_a_due_date_names_the_step_it_starts_from(folder: Path) -> None:
    assert "从次日起计（“统计、汇总分析”的计划完成日）" in said(folder, "task", "why", "SV-3.7", who="guo.li")


def test_a_date_that_the_caller_worked_out_is_explained_by_its_rule_there(folder: Path) -> None:
    told = said(folder, "task", "why", "SV-15.2", who="guo.li")
    assert re.search(r"推算 +collect_by: P3WD after distribute_by（SV-3 推算发放、回收期限）", told)
    assert "2026-09-11 周五        从次日起计（distribute_by）" in told
    assert "2026-09-16 周三  3     工作日" in told
    noticed = said(folder, "task", "why", "SV-11.1", who="guo.li")
    assert re.search(r"notice_by: P7D before d0（SV-3 推算公示日期）", noticed)


def test_what_the_procedure_sealed_itself_is_found_unchanged_and_handed_over(
    folder: Path, tmp_path: Path
) -> None:
    assert "✗" not in said(folder, "archive", "verify")
    said(folder, "archive", "export", "SV-3", "--to", str(tmp_path / "三季度.zip"))
    with ZipFile(tmp_path / "三季度.zip") as packed:
        assert any(name.endswith("manifest.json") for name in packed.namelist())


def test_of_a_sealed_set_the_very_file_that_was_changed_is_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with (copy / "records" / "SV-4" / "任务分配表.xlsx").open("ab") as file:
        file.write(b"x")
    run = CliRunner().invoke(cli.flow, ["archive", "verify"], env={"FLOW_HOME": str(copy), "FLOW_LANG": "zh"})
    assert run.exit_code == 1
    assert [line for line in run.output.splitlines() if "✗" in line and "任务分配表.xlsx" in line]
    assert "manifest.json" not in run.output


def test_a_working_day_table_that_comes_later_moves_what_the_month_has_worked_out(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "医院"
    shutil.copytree(folder / "004G", copy)
    table = (copy.parent / "放假安排.yaml").resolve()
    shipped = Path("processes/calendars/2026.yaml").read_text(encoding="utf-8")
    days = "".join(f'    - "2026-11-{day:02}"\n' for day in (2, 3, 4, 5, 9, 10))
    table.write_text(shipped.replace("days_off:\n", f"days_off:\n  院庆:\n{days}"), encoding="utf-8")
    said(copy, "calendar", "import", str(table), who="qiu.shan")
    shown = said(copy, "instance", "view", "SV-7", who="qiu.shan")
    assert "2026-11-11 周三" in shown
    assert re.search(r"month_over +2026-11-06 +2026-11-06 00:00", shown)
    told = said(copy, "instance", "history", "SV-7", who="qiu.shan")
    assert "“推算本月日程”的日期重新推算：" in told
    assert "statistics_on 2026-11-02 → 2026-11-06" in told
    said(copy, "demo", "clock", "--advance", "P23D", who="qiu.shan")
    why = said(copy, "task", "why", "SV-7.5", who="tian.lu")
    assert re.search(r"推算 +statistics_on: day 1 of next month of d0（SV-7 推算本月日程）", why)
    assert "2026-11-06 周五" in why
