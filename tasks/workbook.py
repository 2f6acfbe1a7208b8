"""A round's figures as a workbook: response, methods, items, groups, cross-tables, reliability, with native charts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from documents.content import Chart, Column, Control, Series, Table, Value
from documents.excel import Sheet, workbook
from engine.errors import Invalid
from engine.handlers import Call, Handlers, Values, anything, takes
from survey.analysis import Analysis, Crossing, analyse
from survey.figures import INDICATIVE, QUADRANTS, Figures, percent, priorities
from survey.figures import method as method_called
from tasks import statistics
from tasks.controlled import SIGNED, books, listed
from tasks.findings import grouping, how, labels_of
from tasks.meaning import current
from tasks.papers import HIDDEN, TOO_FEW
from tasks.statistics import UNKNOWN, WEAK

handlers = Handlers("workbook")

_NAME = 24
"""Characters of a grouping's name in the name of a sheet, which has 31."""


@handlers.outside
@takes(
    {"flow.record": anything},
    {"flow.part": anything, "flow.by": anything, "flow.method": method_called, **SIGNED},
)
def charts(call: Call) -> Values:
    """Makes the workbook of a closed round's figures with their charts, as `flow round figures --xlsx` does.

    Properties: `flow.part`, which round; `flow.by`, groupings or items to tell answers apart by; `flow.method`,
    instead of the questionnaire's. Sets `groups_summary`: returns and rate of every group, in words.
    """
    found = current(call)
    named = call.properties.get("flow.method")
    by = listed(call.properties.get("flow.by"))
    made = analyse(call.conn, found, by, None if named is None else method_called(named))
    summary = "\n".join(_in_words(made, crossing) for crossing in made.crossings)
    return {"groups_summary": summary, "$record": books(call, list(_sheets(made)))}


def _in_words(made: Analysis, crossing: Crossing) -> str:
    form = made.questionnaire
    labels = labels_of(form, crossing.by)
    groups = [
        f"{labels.get(name, name) or UNKNOWN}：{HIDDEN if each is None else _counted(each)}"
        for name, each in crossing.groups.items()
    ]
    return f"按{grouping(form, crossing.by)}：{'；'.join(groups) or TOO_FEW}。"


def _counted(made: Figures) -> str:
    return f"{made.returned}份，满意率{percent(made.whole.rate.value)}"


def figures_workbook(found: Analysis, unit: str, today: date) -> bytes:
    """The workbook; `unit` is the name of the round's unit, `today` the day that it bears."""
    title = f"{found.questionnaire.title.zh}统计"
    about = Control(title, today, version=found.round.version, organisation=unit)
    return workbook(list(_sheets(found)), about)


def _sheets(found: Analysis) -> Iterator[Sheet]:
    made = found.made
    yield Sheet("回收情况", _response(found))
    yield Sheet(
        "各方法满意率",
        _methods(found),
        (f"本次采用：{made.method.title.zh}",),
        landscape=True,
    )
    lines = [item for item in made.items if item.id != made.whole.id]
    yield Sheet(
        "各项满意度",
        statistics.by_item(made, indicative=INDICATIVE),
        charts=statistics.rates([*lines, made.whole]),
        landscape=True,
    )
    if found.consistency:
        yield Sheet("信度", _reliability(found))
    with suppress(Invalid):  # without an overall judgement nothing says what matters
        yield Sheet("重要度与满意度", _priorities(found))
    for number, crossing in enumerate(found.crossings, 1):
        label = grouping(found.questionnaire, crossing.by)
        safe = re.sub(r"[\[\]:*?/\\']", "", label)[:_NAME] or crossing.by
        yield Sheet(
            f"{number}按{safe}",
            _groups(found, crossing, label),
            charts=_of_groups(found, crossing),
            landscape=True,
        )
        yield Sheet(
            f"{number}交叉-{safe}",
            statistics.crossed(found.questionnaire, crossing.by, crossing.items),
            landscape=True,
        )


def _response(found: Analysis) -> Table:
    made, known = found.made, found.outcomes
    rows: list[tuple[Value, ...]] = [
        ("调查对象总数（N）", found.population, None),
        ("发放份数", made.issued, None),
        ("回收份数（n）及回收率（回收÷发放）", made.returned, made.return_rate),
        ("其中整份弃权", made.abstained, None),
    ]
    if known is not None:
        rows += [
            ("应答率RR1（完整答卷）", known.complete, known.response_rate_1),
            ("应答率RR2（含部分答卷）", known.interviewed, known.response_rate_2),
            ("合作率COOP1", known.complete, known.cooperation_rate_1),
            ("拒访率REF1", known.refusal, known.refusal_rate_1),
            ("联系率CON1", None, known.contact_rate_1),
        ]
    columns = (Column("指标"), Column("数量", "number"), Column("比率", "percent", 1))
    note = "RR1至CON1按AAPOR《Standard Definitions》第10版计算，结果不明者计为合格对象" if known else ""
    return Table(columns, tuple(rows), note=note)


def _methods(found: Analysis) -> Table:
    """Every field and the whole by each method: they do not agree, and need not."""
    head = (Column("项目"), *(Column(made.method.id, "percent", 1) for made in found.by_method))
    groups = [
        (group.label.zh, *(made.groups[place].rate.value for made in found.by_method))
        for place, group in enumerate(found.made.groups)
    ]
    rows = (*groups, ("总体", *(made.whole.rate.value for made in found.by_method)))
    note = "；".join(f"{made.method.id}：{made.method.title.zh}" for made in found.by_method)
    return Table(head, rows, note=note, strong=frozenset({len(rows) - 1}))


def _reliability(found: Analysis) -> Table:
    rows = tuple(
        (each.label.zh, each.items, each.base, each.alpha, "低于0.7，慎用" if each.doubtful else "")
        for each in found.consistency
    )
    head = (
        Column("类别"),
        Column("项目数", "number"),
        Column("有效份数", "number"),
        Column("α系数", "number", 3),
        Column("备注"),
    )
    return Table(head, rows, note="Cronbach's α，按各项均作答的答卷计算")


def _priorities(found: Analysis) -> Table:
    rows: list[tuple[Value, ...]] = []
    for each in priorities(found.counts):
        place = "" if each.quadrant is None else QUADRANTS[each.quadrant].zh
        rows.append((each.label.zh, each.importance, each.performance, each.base, place))
    head = (
        *(
            Column("项目"),
            Column("重要度（与总体评价的相关系数）", "number", 2),
            Column("满意度指数", "number", 1),
        ),
        *(Column("份数", "number"), Column("象限")),
    )
    return Table(head, tuple(rows), note="以各项均值为界；相关不等于因果")


def _groups(found: Analysis, crossing: Crossing, label: str) -> Table:
    parts = [group for group in found.made.groups if group.id != found.made.whole.id]
    head = (
        *(Column(label), Column("份数", "number"), Column("总体满意率", "percent", 1)),
        *(Column("平均分", "number", 2), Column("指数", "number", 1)),
        *(Column(group.label.zh, "percent", 1) for group in parts),
        Column("备注"),
    )
    rows: list[tuple[Value, ...]] = []
    labels = labels_of(found.questionnaire, crossing.by)
    for name, made in crossing.groups.items():
        title = labels.get(name, name) or UNKNOWN
        if made is None:
            rows.append((title, *[None] * (len(parts) + 4), HIDDEN))
            continue
        rates = {group.id: group.rate.value for group in made.groups}
        weak = WEAK if made.returned < INDICATIVE else ""
        figures = (made.returned, made.whole.rate.value, made.whole.mean, made.whole.index)
        rows.append((title, *figures, *(rates[group.id] for group in parts), weak))
    return Table(head, tuple(rows), note=how(found.made))


def _of_groups(found: Analysis, crossing: Crossing) -> tuple[Chart, ...]:
    shown = [(name, made) for name, made in crossing.groups.items() if made is not None]
    names = labels_of(found.questionnaire, crossing.by)
    labels = tuple(names.get(name, name) or UNKNOWN for name, _ in shown)
    values = Series("总体满意率", tuple(made.whole.rate.value for _, made in shown))
    return (
        (Chart("bars", labels, (values,), "各组总体满意率", percent=True, places=1),)
        if len(shown) > 1
        else ()
    )
