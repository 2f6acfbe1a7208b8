"""What people read: tasks with their choices, history in sentences, faults with the file they are in."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import pytest

from console import logbook
from tests.console.conftest import Terminal
from tests.workbooks import rows as table_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_task_shows_what_may_be_chosen_and_how_to_hand_it_in(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    shown = started("task", "view", "SV-1.2", lang="zh")
    assert "（必填）decision：选一项" in shown.stdout
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["agree", "同意"] in lines
    assert ["refuse", "退回"] in lines
    assert "flow task complete SV-1.2 --set decision=…" in shown.stderr


@pytest.fixture
def listing(flow: Terminal) -> Terminal:
    """A purchase whose request is a table, and is kept as a record."""
    form = flow.folder / "forms" / "purchase" / "request.yaml"
    form.write_text(
        """\
form: flow/1
id: request
version: "2"
title: {zh: 采购申请, en: Request}
fields:
  - id: goods
    type: table
    required: true
    label: {zh: 物资清单, en: Goods}
    fields:
      - {id: what, type: text, required: true, label: {zh: 名称, en: What}}
      - {id: urgent, type: boolean, label: {zh: 加急, en: Urgent}}
      - {id: buyer, type: person, label: {zh: 采购人, en: Buyer}}
  - {id: note, type: long_text, label: {zh: 说明, en: Note}}
""",
        encoding="utf-8",
    )
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    diagram.write_text(
        diagram.read_text(encoding="utf-8").replace(
            '<camunda:property name="flow.due" value="P3WD"/>',
            '<camunda:property name="flow.due" value="P3WD"/><camunda:property name="flow.record" value="wanted"/>',
        ),
        encoding="utf-8",
    )
    about = flow.folder / "processes" / "purchase" / "procedure.yaml"
    about.write_text(
        about.read_text(encoding="utf-8") + "records:\n  wanted: {title: {zh: 采购申请单}, code: R-1}\n",
        encoding="utf-8",
    )
    flow("procedure", "publish", "purchase")
    flow("start", "P-1", "--unit", "office-1", user="wang")
    return flow


def test_a_table_s_columns_are_shown_and_its_rows_are_given_as_json(listing: Terminal) -> None:
    shown = listing("task", "view", "SV-1.1", lang="zh", user="wang")
    assert "what  名称（必填）" in shown.stdout
    assert """--set 'goods=[{"what": "…", "urgent": "…", "buyer": "…"}]'""" in shown.stderr
    listing("task", "complete", "SV-1.1", "--set", 'goods=[{"what": "纸", "urgent": "是"}]', user="wang")
    assert "名称：纸；加急：是" in listing("task", "view", "SV-1.1", lang="zh", user="wang").stdout


def test_a_form_is_kept_as_the_files_that_its_record_names(listing: Terminal) -> None:
    about = next((listing.folder / "processes").glob("*/procedure.yaml"))
    text = about.read_text(encoding="utf-8")
    record = "wanted: {title: {zh: 采购申请单}, code: R-1"
    about.write_text(text.replace(record, f"{record}, files: [word, pdf, excel]"), encoding="utf-8")
    listing("procedure", "publish", "purchase")
    listing("start", "P-1", "--unit", "office-1", user="wang")
    goods = 'goods=[{"what": "纸", "urgent": "yes", "buyer": "li.lei"}, {"what": "笔", "urgent": "no"}]'
    listing("task", "complete", "SV-2.1", "--set", goods, "--as", "wang.fang")
    kept = listing.folder / "records" / "SV-2"
    assert sorted(each.name for each in kept.iterdir()) == [
        *("采购申请单-1.docx", "采购申请单-1.pdf", "采购申请单-1.xlsx")
    ]
    with zipfile.ZipFile(kept / "采购申请单-1.docx") as parts:
        said = parts.read("word/document.xml").decode("utf-8")
    for words in ("采购申请单", "R-1", "填写", "赵敏（代王芳）", "李雷", "第一管理处"):
        assert words in said
    assert [line[1:3] for line in table_of(kept / "采购申请单-1.xlsx", "序号")] == [
        *(["名称", "加急"], ["纸", "是"], ["笔", "否"])
    ]
    listed = listing.json("record", "list", "SV-2")
    assert {(each["code"], each["later"]) for each in listed} == {("R-1", None)}
    listing("record", "template", "purchase", "wanted")
    listing("procedure", "publish", "purchase")  # a template of one's own is for a form, too
    about.write_text(text.replace(record, f"{record}, files: [word, txt]"), encoding="utf-8")
    refused = listing("procedure", "publish", "purchase", exit_code=8)
    assert "txt is no kind of file" in refused.output


def test_a_kept_form_reads_as_a_document_and_the_approver_finds_it(listing: Terminal) -> None:
    goods = 'goods=[{"what": "纸", "urgent": "yes", "buyer": "li.lei"}, {"what": "笔", "urgent": "no"}]'
    listing("task", "complete", "SV-1.1", "--set", goods, "--as", "wang.fang")
    assert "records/SV-1/wanted-1.txt" in listing("task", "view", "SV-1.2").stdout
    assert (listing.folder / "records" / "SV-1" / "wanted-1.txt").read_text(encoding="utf-8") == (
        """\
采购申请单
==========

编号：R-1
流程：物资采购
单位：第一管理处
步骤：填写采购申请
任务：SV-1.1
填写人：赵敏（代王芳）
日期：2026-09-14

物资清单：
  名称  加急  采购人
  纸    是    李雷
  笔    否
"""
    )


def test_a_person_a_role_and_a_unit_of_one_id_are_told_apart_in_the_history(flow: Terminal) -> None:
    org = flow.folder / "org.yaml"
    text = org.read_text(encoding="utf-8")
    for old, new in (("wang.fang", "head"), ("manager", "head"), ("li.lei", "office-1")):
        text = text.replace(old, new)
    org.write_text(text, encoding="utf-8")
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    diagram.write_text(diagram.read_text("utf-8").replace('"manager"', '"head"'), encoding="utf-8")
    flow("org", "import")
    flow("procedure", "publish", "purchase")
    flow("start", "P-1", "--unit", "office-1", user="wang")
    flow("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=20", user="wang")
    flow("task", "assign", "SV-1.2", "office-1", user="zhao")
    told = flow("instance", "history", "SV-1").stdout
    assert re.search(r"王芳 +.*started for 第一管理处", told)
    assert re.search(r"王芳 +SV-1.1 填写采购申请 done", told)
    assert re.search(r"审批采购申请 opened for 项目总经理", told)
    assert "SV-1.2 given to 李雷" in told


def test_every_kind_of_entry_has_a_sentence() -> None:
    kinds = {
        node.args[0].value
        for package in ("engine", "survey", "notices", "tasks")
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert len(kinds) > 20
    assert not kinds - set(logbook._SENTENCES)


def test_a_fault_of_a_file_is_said_of_the_file_and_once(flow: Terminal) -> None:
    org = flow.folder / "org.yaml"
    org.write_text(org.read_text(encoding="utf-8").replace("{role: clerk", "{rolle: clerk"), encoding="utf-8")
    said = flow("org", "import", lang="zh", exit_code=8).stderr
    assert "错误：org.yaml 有误，不能采用" in said
    assert "流程不能" not in said
    assert said.count("rolle") == 1
    assert "✗ 表示有错，必须改正" in said


def test_a_role_that_is_missing_is_said_once_for_all_its_steps(flow: Terminal) -> None:
    diagram = flow.folder / "processes" / "purchase" / "purchase.bpmn"
    text = diagram.read_text(encoding="utf-8").replace('"clerk"', '"buyer"')
    diagram.write_text(
        text.replace("<flowNodeRef>approve</flowNodeRef>", "").replace(
            "<flowNodeRef>request</flowNodeRef>",
            "<flowNodeRef>request</flowNodeRef><flowNodeRef>approve</flowNodeRef>",
        ),
        encoding="utf-8",
    )
    said = flow("procedure", "check", "purchase", exit_code=1).stderr
    assert said.count("has no role buyer") == 1
    assert "request, approve" in said
    assert "! is missing yet" in said


def test_the_list_of_procedures_counts_what_runs_of_every_version(started: Terminal) -> None:
    form = started.folder / "forms" / "purchase" / "approve.yaml"
    form.write_text(form.read_text(encoding="utf-8").replace("审批意见", "意见"), encoding="utf-8")
    started("procedure", "publish", "purchase")
    started("start", "P-1", "--unit", "office-1", user="wang")
    [row] = started.json("procedure", "list")
    assert (row["version"], row["running"]) == (2, 2)
