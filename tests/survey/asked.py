"""Small questionnaires for tests of figures."""

from __future__ import annotations

from engine.forms import Form, load_form

OVERALL = "  - {id: overall, type: choice, scale: s, label: 总体}\n"


def form(
    levels: int,
    matrices: str,
    *,
    anonymity: str = "anonymous",
    version: str = "1",
    points: str = "",
    satisfied: int = 0,
    score: str = "",
    more: str = "",
) -> Form:
    """A questionnaire on one scale, with the matrices told by line: `id: item item*weight`.

    `points` instead of so many levels; `score` and `more` fields as they stand in the file.
    """
    points = points or ", ".join(f"{{value: {value}, label: 等级{value}}}" for value in range(levels, 0, -1))
    scale = f"points: [{points}]" + (f", satisfied: {satisfied}" if satisfied else "")
    fields = ""
    for line in matrices.splitlines():
        name, items = line.split(": ")
        rows = ", ".join(_row(*item.split("*")) for item in items.split())
        fields += f"  - {{id: {name}, type: matrix, scale: s, label: 部门{name}, rows: [{rows}]}}\n"
    head = f'form: flow/1\nid: tried\nversion: "{version}"\nkind: questionnaire\nanonymity: {anonymity}\ntitle: 问卷\n'
    text = f"{head}scales:\n  s: {{{scale}}}\n{score and f'score: {score}'}\nfields:\n{fields}{more}"
    return load_form(text.encode(), "tried.yaml")


def with_overall(levels: int, matrices: str, method: str, more: str = "") -> Form:
    """The same, named, with an item that asks for the overall judgement."""
    score = f"{{method: {method}, overall: overall}}"
    return form(levels, matrices, anonymity="named", score=score, more=OVERALL + more)


def _row(name: str, weight: str = "") -> str:
    return f"{{id: {name}, label: 项目{name}" + (f", weight: {weight}}}" if weight else "}")
