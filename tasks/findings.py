"""What the figures of a round look like in a report: tables and charts, each with its base and method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from documents.content import Block, Chart, Column, Heading, Number, Paragraph, Series, Table, Target, Value
from engine.forms import Form
from survey.figures import (
    Counts,
    Figures,
    Interval,
    Line,
    Remarks,
    Trend,
    cross,
    decimal,
    figures,
    hidden_groups,
    outcomes,
    percent,
    shown,
)
from survey.rounds import Progress
from tasks.papers import HIDDEN, TOO_FEW

GROUPINGS = {
    **{"project": "项目", "segment": "客户类别", "unit": "单位"},
    **{"sex": "性别", "age": "年龄", "occupation": "职业", "region": "地区", "department": "科室"},
}
"""What the groups that every roster has are called, and such attributes as rosters often have."""
DISPOSITIONS = {
    "complete": "完整答卷",
    "partial": "部分答卷",
    "blank": "空白答卷",
    "refusal": "拒访",
    "non-contact": "未能联系",
    "other": "其他未访成",
    "unknown-eligibility": "资格不明",
    "ineligible": "不属调查对象",
    "issued": "已发放未回收",
    "listed": "未发放",
}
"""What became of whoever was asked, as papers call it."""
_UNKNOWN = "（未注明）"
_WEAK = "仅供参考"
_SERIES = 6
"""Lines that one chart of a trend holds."""


def how(made: Figures) -> str:
    """How the rate is figured, in a sentence."""
    return f"计算方法：{made.method.title.zh}"


def interval(found: Interval | None) -> str:
    """An interval of a rate in percent, of a mean in its own unit; a dash where there is none."""
    if found is None:
        return "—"
    times, places = (1, 2) if found.method == "t" else (100, 1)
    low, high = (decimal(Fraction(end) * times, places) for end in (found.low, found.high))
    return f"{low}～{high}{'' if times == 1 else '%'}"


def response(made: Figures, progress: Progress, population: int, *, anonymous: bool) -> Iterator[Block]:
    """Who was asked, and what became of it."""
    rows: list[tuple[Value, ...]] = [
        ("调查对象总数（N）", population),
        ("本次调查名单", progress.members),
        ("发放份数", made.issued),
        ("回收份数（n）", made.returned),
        ("回收率（回收÷发放）", percent(made.return_rate)),
    ]
    note = TOO_FEW if made.withheld else ""
    if not anonymous:
        known = outcomes(progress.dispositions)
        rows += [
            ("应答率RR1（完整答卷）", percent(known.response_rate_1)),
            ("应答率RR2（含部分答卷）", percent(known.response_rate_2)),
        ]
        note = "RR1、RR2按AAPOR《Standard Definitions》计算，结果不明者计为合格对象。"
    yield Table((Column("指标"), Column("数值", "number")), tuple(rows), "回收情况", note)
    if not anonymous:
        finals = [(DISPOSITIONS[name], count) for name, count in progress.dispositions.items() if count]
        yield Table((Column("最终结果"), Column("数量", "number")), tuple(finals), "调查对象最终结果")


def overall(made: Figures, target: Fraction | None) -> Iterator[Block]:
    """The whole, and each field of items beside it."""
    whole = made.whole
    name = f"“{whole.label.zh}”" if whole.id else "各项合计"
    yield Paragraph(
        f"{name}：满意率{percent(whole.rate.value)}（{made.method.base.zh}{whole.rate.base}，"
        f"95%置信区间{interval(whole.interval)}），平均{shown(whole.mean)}分，指数{shown(whole.index, 1)}。"
    )
    parts = [group for group in made.groups if group.id != whole.id]
    if len(parts) > 1:
        yield _table([*parts, whole], "各类满意度", 0, made, total=True)
        yield _rates([whole, *parts], "各类满意率与总体满意率", made, target)


def items(made: Figures, focus: Sequence[str], indicative: int, target: Fraction | None) -> Iterator[Block]:
    """Every item: those in focus (items, or all of a field) first, then field by field, then as charts."""
    first = [item for item in made.items if item.id in focus or item.group in focus]
    if first:
        yield Heading("重点关注项目", 2)
        yield _table(first, "重点关注项目满意度", indicative, made)
    for group in made.groups:
        inside = [item for item in made.items if item.group == group.id]
        if len(inside) > 1 or inside[0].id != made.whole.id:
            yield Heading(group.label.zh, 2)
            several = len(inside) > 1
            lines = [*inside, group] if several else inside
            yield _table(lines, group.label.zh, indicative, made, total=several)
    ordered = [*first, *(item for item in made.items if item not in first and item.id != made.whole.id)]
    yield Heading("图表分析", 2)
    yield _rates([made.whole, *ordered], "各项满意率与总体满意率", made, target)
    yield Chart(
        "bars",
        tuple(map(_called, [made.whole, *ordered])),
        (Series("满意度均值", tuple(item.mean for item in [made.whole, *ordered])),),
        "各项满意度均值与总体均值",
        places=2,
    )


def _rates(lines: Sequence[Line], caption: str, made: Figures, target: Fraction | None) -> Chart:
    """Rates as bars, against the target where there is one."""
    return Chart(
        "bars",
        tuple(map(_called, lines)),
        (Series("满意率", tuple(each.rate.value for each in lines)),),
        caption,
        percent=True,
        places=1,
        target=None if target is None else Target(target),
        note=how(made),
    )


def _called(line: Line) -> str:
    return line.label.zh if line.group else "总体"


def _table(
    lines: Sequence[Line], caption: str, indicative: int, made: Figures, *, total: bool = False
) -> Table:
    """The figures of lines, of which the last may be the total of those above."""
    head = (
        Column("项目", width=12),
        Column(made.method.base.zh, "number"),
        Column("满意率", "percent", 1),
        Column("平均分", "number", 2),
        Column("指数", "number", 1),
        Column("95%置信区间", width=7),
        Column("备注"),
    )
    rows = tuple(
        (
            *(line.label.zh, line.rate.base, line.rate.value, line.mean, line.index, interval(line.interval)),
            _WEAK if min(line.tally.base, made.returned) < indicative else "",
        )
        for line in lines
    )
    strong = frozenset({len(lines) - 1} if total else ())
    note = f"{how(made)}{_weak(rows, indicative)}"
    return Table(head, rows, caption, note, strong)


def _weak(rows: Iterable[Sequence[Value]], indicative: int) -> str:
    """What the remark of a row means, where one has it."""
    return f"；“{_WEAK}”：基数少于{indicative}份" if any(row[-1] == _WEAK for row in rows) else ""


def crossed(
    counts: Counts, made: Figures, by: Sequence[str], focus: Sequence[str], indicative: int
) -> Iterator[Block]:
    """For each grouping: the figures of every group, then how the overall item and those in focus were answered."""
    hidden = hidden_groups(counts)
    ids = [item.id for item in counts.shape.rated_items]
    chosen = [name for name in dict.fromkeys((made.whole.id, *focus)) if name in ids]
    for name in by:
        label = grouping(counts.questionnaire, name)
        yield Heading(f"按{label}", 2)
        yield _groups(counts, made, name, label, hidden, indicative)
        for item in chosen:
            yield from _crossed(counts, item, name, label, hidden, indicative)


def grouping(form: Form, name: str) -> str:
    """What a grouping is called: an item by its label."""
    for field in form.questions:
        for row in field.rows:
            if row.id == name:
                return row.label.zh
        if field.id == name:
            return field.label.zh
    return GROUPINGS.get(name, name)


def _groups(
    counts: Counts, made: Figures, by: str, label: str, hidden: frozenset[tuple[str, str]], indicative: int
) -> Table:
    parts = [group for group in made.groups if group.id != made.whole.id]
    head = (
        Column(label),
        Column("份数", "number"),
        Column("总体满意率", "percent", 1),
        *(Column(group.label.zh, "percent", 1) for group in parts),
        Column("备注"),
    )
    names = labels_of(counts.questionnaire, by)
    rows: list[tuple[Value, ...]] = []
    for name, part in counts.split(by).items():
        title = names.get(name, name) or _UNKNOWN
        if (by, name) in hidden:
            rows.append((title, *[None] * (len(parts) + 2), HIDDEN))
            continue
        found = figures(part, issued=part.returned, method=made.method)
        rates = {group.id: group.rate.value for group in found.groups}
        remark = _WEAK if part.returned < indicative else ""
        rows.append(
            (title, found.returned, found.whole.rate.value, *(rates[group.id] for group in parts), remark)
        )
    rows.append(("合计", made.returned, made.whole.rate.value, *(group.rate.value for group in parts), ""))
    strong = frozenset({len(rows) - 1})
    note = f"{how(made)}{_weak(rows, indicative)}"
    return Table(head, tuple(rows), f"按{label}的满意率", note, strong)


def _crossed(
    counts: Counts, item: str, by: str, label: str, hidden: frozenset[tuple[str, str]], indicative: int
) -> Iterator[Block]:
    """The row per cent of one item by group, with the test of independence."""
    found = cross(counts, item, by, hidden=hidden, indicative=indicative)
    names, points = labels_of(counts.questionnaire, by), labels_of(counts.questionnaire, item)
    labels = [points.get(str(point), str(point)) for point in found.item.levels.points]
    head = (
        Column(label),
        Column("份数", "number"),
        *(Column(each, "percent", 1) for each in labels),
        Column("备注"),
    )
    rows: list[tuple[Value, ...]] = []
    for row in found.rows:
        title = names.get(row.name, row.name) or _UNKNOWN
        if row.tally is None:
            rows.append((title, *[None] * (len(labels) + 1), HIDDEN))
        else:
            rows.append((title, row.tally.base, *row.shares, _WEAK if row.indicative else ""))
    note = "各组之间未作卡方检验：有答卷的组或等级不足两个"
    if (test := found.test) is not None:
        doubt = "；期望频数过小，检验结果不可靠" if test.doubtful else ""
        note = f"卡方检验：χ²={test.statistic:.2f}，自由度{test.df}，p={test.p:.4f}{doubt}"
    note += _weak(rows, indicative)
    title = found.item.label.zh
    yield Table(head, tuple(rows), f"“{title}”按{label}交叉分组（行百分比）", note)
    shown_rows = [row for row in found.rows if row.tally is not None and row.tally.base]
    if len(shown_rows) > 1:
        yield Chart(
            "stacked",
            tuple(names.get(row.name, row.name) or _UNKNOWN for row in shown_rows),
            tuple(
                Series(name, tuple(row.shares[place] for row in shown_rows))
                for place, name in enumerate(labels)
            ),
            f"“{title}”按{label}",
            percent=True,
        )


def labels_of(form: Form, name: str) -> Mapping[str, str]:
    """The labels of an item's options, by value as text."""
    for field in form.questions:
        if field.id == name or any(row.id == name for row in field.rows):
            return {str(option.value): option.label.zh for option in field.options}
    return {}


def over_time(found: Trend) -> Iterator[Block]:
    """Rates of the whole and of each field over the rounds."""
    lines = [found.whole, *(group for group in found.groups if group.id != found.whole.id)]
    head = (
        Column("项目"),
        *(Column(name, "percent", 1) for name in found.names),
        Column("较上期（百分点）"),
    )
    rows = tuple((line.label.zh, *line.rates, _points(line.change)) for line in lines)
    bases = "、".join(f"{name}：{base}" for name, base in zip(found.names, found.whole.bases, strict=True))
    note = f"基数（{found.method.base.zh}）：{bases}。各期问卷版本及计算方法相同。"
    yield Table(head, rows, "历次满意率", note)
    yield Chart(
        "lines",
        found.names,
        tuple(Series(line.label.zh, line.rates) for line in lines[:_SERIES]),
        "满意率趋势",
        percent=True,
        places=1,
    )


def _points(change: Fraction | None) -> str:
    if change is None:
        return "—"
    return f"{'+' if change > 0 else ''}{shown(change * 100, 1)}"


def voices(remarks: Iterable[Remarks]) -> Iterator[Block]:
    """What was written to open questions, in no order that tells who wrote it.

    Signs that the fonts lack, as pictures sent by telephone, stand there by their numbers: what one customer wrote
    must not keep the report from being made.
    """
    for each in remarks:
        if each.texts:
            rows = tuple((number, _printable(text)) for number, text in enumerate(each.texts, 1))
            more = f"另有{each.left_out}条未列出。" if each.left_out else ""
            yield Table((Column("序号", "number"), Column("内容", width=30)), rows, each.label.zh, more)


def _printable(text: str) -> str:
    return "".join(sign if _covered(sign) else f"[U+{ord(sign):04X}]" for sign in text)


def _covered(sign: str) -> bool:
    """Whether the shipped fonts have it: they cover GBK, and Latin letters."""
    try:
        return sign < "\u0250" or bool(sign.encode("gbk"))
    except UnicodeEncodeError:
        return False


def exactly(value: object) -> Fraction | None:
    """A percentage as a share; None where nothing, or nothing above zero, is said."""
    try:
        found: Number = Fraction(str(value).strip().removesuffix("%")) / 100
    except (ValueError, ZeroDivisionError):
        return None
    return Fraction(found) if found > 0 else None
