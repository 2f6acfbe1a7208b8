"""Statistics: figures as the sheets of a workbook, with numbers that can be reckoned with and native charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from documents.content import Chart, Column, Series, Table, Target, Value
from documents.excel import Sheet
from documents.sheets import sheet_name
from engine.forms import Form
from survey.figures import (
    CrossTable,
    Figures,
    Line,
    percent,
)
from tasks.findings import grouping, how, interval, labels_of
from tasks.papers import HIDDEN, TOO_FEW

WEAK, UNKNOWN = "基数较小，仅供参考", "（未注明）"
WHOLE = "总体"


def pages(
    made: Figures, *, threshold: Fraction = Fraction(0), indicative: int = 0, name: str = ""
) -> Iterator[Sheet]:
    """Items with their chart, then the response. `name` begins the sheets' names, where figures of several stand
    in one workbook."""
    lines = [item for item in made.items if item.id != made.whole.id]
    table = by_item(made, threshold=threshold, indicative=indicative)
    charts = rates([*lines, made.whole], threshold)
    yield Sheet(sheet_name(f"{name}各项满意度"), table, charts=charts, landscape=True)
    yield Sheet(sheet_name(f"{name}回收情况"), response(made))


def by_item(made: Figures, *, threshold: Fraction = Fraction(0), indicative: int = 0) -> Table:
    """Each item, each group of several, the whole: counts, base, rate with its interval, mean, index."""
    head = (
        *(Column("类别"), Column("项目"), *(Column(f"{point}分", "number") for point in made.points)),
        *(Column("不了解", "number"), Column("未答", "number"), Column(made.method.base.zh, "number")),
        *(Column("满意率", "percent", 1), Column("平均分", "number", 2), Column("指数", "number", 1)),
        *(Column("95%置信区间"), Column("备注")),
    )

    def row(group: str, name: str, line: Line) -> tuple[Value, ...]:
        tally, remarks = line.tally, []
        if min(tally.base, made.returned) < indicative:  # a pooled base counts each return many times
            remarks.append(WEAK)
        if line.rate.value is not None and line.rate.value < threshold:
            remarks.append(f"低于{percent(threshold, 0)}")
        counted = (*tally.numbers, tally.abstained, tally.blank, line.rate.base)
        figures = (line.rate.value, line.mean, line.index, interval(line.interval))
        return (group, name, *counted, *figures, "；".join(remarks))

    rows: list[tuple[Value, ...]] = []
    strong = set()
    for group in made.groups:
        inside = [item for item in made.items if item.group == group.id]
        rows += [row(group.label.zh, item.label.zh, item) for item in inside]
        if len(inside) > 1:
            strong.add(len(rows))
            rows.append(row(group.label.zh, "小计", group))
    strong.add(len(rows))
    rows.append(row(WHOLE, made.whole.label.zh if made.whole.id else "", made.whole))
    return Table(head, tuple(rows), note=how(made), strong=frozenset(strong))


def rates(
    lines: Sequence[Line], threshold: Fraction = Fraction(0), caption: str = "各项满意率"
) -> tuple[Chart, ...]:
    """The rates as bars; with a threshold, those below it in another colour."""
    labels = tuple(line.label.zh if line.group else WHOLE for line in lines)
    values = Series("满意率", tuple(line.rate.value for line in lines))
    target = Target(threshold, "界限") if threshold else None
    return (Chart("bars", labels, (values,), caption, percent=True, places=1, target=target),)


def response(made: Figures) -> Table:
    """What was given out and came back, and by what the figures were made."""
    rows: list[tuple[Value, ...]] = [
        ("发放份数", made.issued, None, ""),
        ("回收份数", made.returned, made.return_rate, "回收率＝回收份数÷发放份数"),
        ("其中整份弃权", made.abstained, None, ""),
        *((("其中未计入", made.withheld, None, TOO_FEW),) if made.withheld else ()),
    ]
    satisfied = "、".join(f"{point}分" for point in made.satisfied)
    note = f"问卷版本：{made.questionnaire.rpartition(' ')[2]}。满意等级：{satisfied}。{how(made)}。"
    head = (Column("指标"), Column("数量", "number"), Column("比率", "percent", 1), Column("说明"))
    return Table(head, tuple(rows), note=note)


def crossed(form: Form, by: str, found: Sequence[CrossTable]) -> Table:
    """Items by the groups of `by`: base, share of each point, test of independence."""
    points = found[0].item.levels.points if found else ()
    head = (
        *(Column("项目"), Column(grouping(form, by)), Column("有效评价份数", "number")),
        *(Column(f"{point}分", "percent", 1) for point in points),
        *(Column("备注"), Column("卡方检验", width=24)),
    )
    names = labels_of(form, by)
    return Table(head, tuple(row for each in found for row in _crossed(each, names)))


def _crossed(found: CrossTable, names: Mapping[str, str]) -> Iterator[tuple[Value, ...]]:
    said = ""
    if (test := found.test) is not None:
        doubt = "；期望频数过小，结果不可靠" if test.doubtful else ""
        said = f"χ²={test.statistic:.2f}，自由度{test.df}，p={test.p:.4f}{doubt}"
    for row in found.rows:
        label = (found.item.label.zh, names.get(row.name, row.name) or UNKNOWN)
        if row.tally is None:
            yield (*label, *[None] * (len(found.total.numbers) + 1), HIDDEN, said)
        else:
            yield (*label, row.tally.base, *row.shares, WEAK if row.indicative else "", said)
        said = ""  # beside the first group of the item only
