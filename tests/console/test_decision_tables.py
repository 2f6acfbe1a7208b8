"""A procedure with a decision table, as its owner and an auditor see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.conftest import Terminal
from tests.decisions.tables import dmn, table
from tests.engine.drawing import diagram

DRAWING = """
    start asked
    user ask name=询问满意度 form=ask
    rule measure name=确定处理措施 decision=measure
    xor which
    user visit name=上门回访
    end over
    asked -> ask -> measure -> which
    which -> visit : measure == "上门回访"
    which -> over : else
    visit -> over
"""
FORM = """\
form: flow/1
id: ask
version: "1"
title: 满意度
fields:
  - id: grade
    type: choice
    label: 满意度等级
    required: true
    options: [{value: 满意, label: 满意}, {value: 一般, label: 一般}, {value: 不满意, label: 不满意}]
"""
RULES = [('"满意"', '"归档"'), ('"一般"', '"电话回访"'), ('"不满意"', '"上门回访"')]


def lay(workspace: Path, rules: list[tuple[str, str]]) -> None:
    """The procedure's folder."""
    folder, forms = workspace / "processes" / "feedback", workspace / "forms" / "feedback"
    folder.mkdir(exist_ok=True)
    forms.mkdir(exist_ok=True)
    measures = table(
        rules, [{"name": "grade", "label": "满意度等级"}], ("measure",), id="measure", name="处理措施"
    )
    (folder / "feedback.bpmn").write_bytes(diagram(DRAWING))
    (folder / "measures.dmn").write_bytes(dmn(measures))
    main = "procedure: flow/1\nid: feedback\ntitle: 满意度反馈\nprocess: main\n"
    (folder / "procedure.yaml").write_text(main, encoding="utf-8")
    (forms / "ask.yaml").write_text(FORM, encoding="utf-8")


def test_a_faulty_cell_is_told_in_chinese_with_file_table_rule_and_column(flow: Terminal) -> None:
    lay(flow.folder, [RULES[0], ("“一般”", '"电话回访"'), ('"不满意"', '"上门回访"')])
    said = flow("procedure", "check", "feedback", exit_code=1, lang="zh").stderr
    assert "measures.dmn measure" in said
    assert "规则 2，满意度等级 列：第 1 行第 1 列：“" in said
    lay(flow.folder, [*RULES, ('not("一般")', '"归档"')])
    said = flow("procedure", "check", "feedback", exit_code=1, lang="zh").stderr
    assert "规则 1 和 4 可能同时适用" in said


@pytest.mark.parametrize(("grade", "then"), [("不满意", ["上门回访"]), ("一般", [])])
def test_the_table_decides_and_the_history_says_by_which_rule(
    flow: Terminal, grade: str, then: list[str]
) -> None:
    lay(flow.folder, RULES)
    assert flow("procedure", "check", "feedback").exit_code == 0
    flow("procedure", "publish", "feedback")
    flow("start", "feedback", "--unit", "office-1", user="wang")
    flow("task", "complete", "SV-1.1", "--set", f"grade={grade}", user="wang")
    assert [each["name"] for each in flow.json("task", "list", user="wang")] == then
    number = [cell for cell, _ in RULES].index(f'"{grade}"') + 1
    history = flow("instance", "history", "SV-1", "--all", lang="zh").stdout
    assert f"确定处理措施：处理措施（满意度等级：{grade}）：适用规则 {number}：" in history


def test_a_bare_diagram_is_rehearsed_with_the_tables_beside_it(flow: Terminal) -> None:
    lay(flow.folder, RULES)
    folder = flow.folder / "processes" / "feedback"
    said = flow("rehearse", str(folder / "feedback.bpmn"), "--set", "grade=不满意").stdout
    assert "visit" in said
    (folder / "measures.dmn").unlink()
    said = flow("rehearse", str(folder / "feedback.bpmn"), "--set", "grade=不满意", exit_code=8).stderr
    assert "There is no decision measure" in said
