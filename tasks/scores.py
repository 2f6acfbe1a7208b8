"""Scores: item by item, department by department, and as a whole, by the weights of the scale; a table each.

A department is a matrix of the questionnaire, an item one of its rows (003E 4.2). How departments make the whole is
the method of the round (`survey.figures.methods`).
"""

from __future__ import annotations

from fractions import Fraction

from documents.content import Column, Table
from documents.excel import Sheet
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Figures, Line, percent, shown
from survey.figures.shape import shape_of
from survey.rounds import Round
from tasks import statistics
from tasks.controlled import SIGNED, books, columns, tabled
from tasks.figures import below, in_brief
from tasks.findings import how
from tasks.meaning import close, current, parameter

handlers = Handlers("scores")

_TAKES = {"flow.part": anything, "flow.sets": anything, **SIGNED}
_HEAD = (
    Column("部门"),
    Column("小项数", "number"),
    Column("分值", "number", 2),
    Column("满意度", "percent", 1),
)


@handlers.inside
@takes({"flow.record": anything}, _TAKES)
def items(call: Call) -> Values:
    """Closes the round and scores every item: how many chose each level, the weighted mean, its share of the best.

    Property: `flow.part`, which round. Sets `issued`, `returned`, `return_rate` and `item_scores`, by id, as printed.
    """
    found = current(call)
    close(call, found)
    made = rounds.figures_of(call.conn, [found])
    names = {group.id: group.label.zh for group in made.groups}
    rows = [
        (
            *(names[each.group], each.label.zh),
            *(each.tally.counts.get(point, 0) for point in made.points),
            *(each.rate.base, each.mean, each.rate.value),
        )
        for each in made.items
    ]
    head: tuple[str | Column, ...] = (
        *("部门", "小项", *_levels(call, found), "有效份数"),
        *(Column("小项分值", "number", 2), Column("满意度", "percent", 1)),
    )
    table = Table(columns(head, rows), tuple(rows), note=how(made))
    charts = statistics.rates(made.items)
    return {
        "issued": made.issued,
        "returned": made.returned,
        "return_rate": percent(made.return_rate),
        "item_scores": {each.id: shown(each.mean) for each in made.items},
        "$record": books(call, [Sheet("小项分值", table, charts=charts, landscape=True)]),
    }


def _levels(call: Call, found: Round) -> list[str]:
    """What the points of the scale are called, each with its weight."""
    scale = shape_of(rounds.questionnaire(call.conn, found)).rated_groups[0].field.scale
    assert scale is not None
    return [
        f"{point.label.zh}（{point.value if point.weight is None else f'{point.weight:g}'}）"
        for point in scale.points
    ]


@handlers.inside
@takes({"flow.record": anything}, _TAKES)
def departments(call: Call) -> Values:
    """The satisfaction with every department, from the scores of its items, of a closed round.

    Property: `flow.part`, which round. Sets `department_scores`, by the id of the matrix, and `departments_text`, a
    line each.
    """
    made = rounds.figures_of(call.conn, [current(call)])
    rows = [_row(made, each) for each in made.groups]
    lines = [f"{name}：{shown(score)}分，{percent(rate)}" for name, _, score, rate in rows]
    return {
        "department_scores": {each.id: shown(each.mean) for each in made.groups},
        "departments_text": "\n".join(lines),
        "$record": tabled(call, _HEAD, rows, name="各部门满意度", note=how(made)),
    }


def _row(made: Figures, department: Line) -> tuple[str, int, Fraction | None, Fraction | None]:
    count = sum(item.group == department.id for item in made.items)
    return department.label.zh, count, department.mean, department.rate.value


@handlers.inside
@takes({"flow.record": anything}, _TAKES, {"problem_threshold": number(0, 100)})
def whole(call: Call) -> Values:
    """The satisfaction with the whole project, from its departments, of a closed round.

    Property: `flow.part`, which round. Parameter: `problem_threshold` (percent). Sets `whole_score`,
    `satisfaction_rate`, `low_items` (ids of items below the threshold) and `figures_summary`.
    """
    made = rounds.figures_of(call.conn, [current(call)])
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    low = below(made, threshold)
    score, rate = shown(made.whole.mean), percent(made.whole.rate.value)
    rows = [
        *(_row(made, each) for each in made.groups),
        ("项目整体", len(made.items), made.whole.mean, made.whole.rate.value),
    ]
    came = f"发放{made.issued}份，回收{made.returned}份，收回率{percent(made.return_rate)}。"
    table = Table(_HEAD, tuple(rows), note=came + how(made), strong=frozenset({len(rows) - 1}))
    charts = statistics.rates([*made.groups, made.whole], caption="各部门及整体满意度")
    return {
        "whole_score": score,
        "satisfaction_rate": rate,
        "low_items": [each.id for each in low],
        "figures_summary": in_brief(made, low, threshold),
        "$record": books(call, [Sheet("各部门及整体满意度", table, charts=charts)]),
    }
