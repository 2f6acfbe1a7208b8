"""Figures: what a closed round comes to, as variables and as the table that the document prescribes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from engine.errors import Conflict, EngineError
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import (
    Counts,
    CrossTable,
    Figures,
    Interval,
    Line,
    cross,
    decimal,
    figures,
    hidden_groups,
    percent,
    shown,
)
from survey.figures import method as method_called
from tasks.fieldwork import current, parameter, sheet
from tasks.papers import listed

handlers = Handlers("figures")

MOST_NAMED = 10
"""Items below the threshold that the summary names; the table marks all of them."""

_PARAMETERS = {"problem_threshold": number(0, 100), "indicative_base": number(0, whole=True)}
_OPTIONAL = {"flow.method": method_called, "flow.by": anything, "flow.part": anything}


def _closes(value: object) -> None:
    """The judge of `flow.closes`."""
    if value not in ("true", "false"):
        raise EngineError("{value} is neither true nor false", value=value)


@handlers.inside
@takes(optional={**_OPTIONAL, "flow.closes": _closes}, parameters=_PARAMETERS)
def summarise(call: Call) -> Values:
    """Closes the round and computes its figures; makes the table of statistics.

    Properties: `flow.part`, which round, where there are several; `flow.method`, instead of the round's or the
    questionnaire's; `flow.by`, items to cross with all others (a table each), or the parameter that names them;
    `flow.closes`, `false` where answers are checked and corrected after a first count (003F), so that another step
    closes the round. Sets `issued`, `returned`, `return_rate`, `satisfaction_rate` (percent, as printed), `low_items`,
    `low_fields` (fields of several items below the threshold), `fields_summary` (every such field with its rate and
    mean) and `figures_summary`.
    Parameters: `problem_threshold` (percent), `indicative_base` (answers).
    """
    found = current(call)
    if call.properties.get("flow.closes") != "false":
        rounds.close(call.conn, found.id, call.now)
    return _values(call, found)


@handlers.inside
@takes(optional={"flow.part": anything})
def close(call: Call) -> Values:
    """Closes the round, for `figures.compute` to follow: no more returns are taken."""
    found = current(call)
    rounds.close(call.conn, found.id, call.now)
    return {}


@handlers.outside
@takes(optional=_OPTIONAL, parameters=_PARAMETERS)
def compute(call: Call) -> Values:
    """Computes the figures of a round closed before (`figures.close`), as `figures.summarise` does, but as a job.

    For rounds of many thousand returns: nobody else has to wait meanwhile.
    """
    found = current(call)
    if found.status != "closed":
        raise Conflict(
            "The round of {label} takes returns still: put a step with figures.close before {element}",
            label=call.label,
            element=call.element,
        )
    return _values(call, found)


def _values(call: Call, found: rounds.Round) -> Values:
    by = _groupings(call)
    counts = rounds.counts_of(call.conn, [found], by)
    named = call.properties.get("flow.method") or found.method
    made = figures(
        counts,
        issued=rounds.issued_of(call.conn, [found]),
        method=None if named is None else method_called(named),
        population=rounds.population_of(call.conn, [found]),
    )
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    least = int(parameter(call, "indicative_base"))
    files = {"客户满意度调查统计表.csv": table(made, threshold=threshold, indicative=least)}
    for name in by:
        files[f"交叉分组表-{name}.csv"] = cross_table(counts, name, least)
    low = below(made, threshold)
    return {
        "issued": made.issued,
        "returned": made.returned,
        "return_rate": percent(made.return_rate),
        "satisfaction_rate": percent(made.whole.rate.value),
        "low_items": [item.id for item in low],
        **_fields(made, threshold),
        "figures_summary": in_brief(made, low, threshold),
        "$record": files,
    }


def _groupings(call: Call) -> list[str]:
    """The items that `flow.by` names; a parameter among them stands for those that it holds."""
    found: list[str] = []
    for each in listed(call.properties.get("flow.by")):
        found += listed(str(parameter(call, each))) if each in call.parameters else [each]
    return found


def _fields(made: Figures, threshold: Fraction) -> Values:
    """The fields of several items, by what a form calls its dimensions: all of them, and those below the threshold."""
    matrices = [group for group in made.groups if sum(item.group == group.id for item in made.items) > 1]
    lines = [f"{each.label.zh}：{percent(each.rate.value)}，平均{shown(each.mean)}分" for each in matrices]
    low = [each for each in matrices if each.rate.value is not None and each.rate.value < threshold]
    return {"low_fields": [each.id for each in low], "fields_summary": "\n".join(lines)}


def below(made: Figures, threshold: Fraction) -> list[Line]:
    """The items whose rate lies below the threshold, the lowest first."""
    rated = [(item.rate.value, item) for item in made.items if item.rate.value is not None]
    return [item for value, item in sorted(rated, key=lambda each: each[0]) if value < threshold]


def in_brief(made: Figures, low: Sequence[Line], threshold: Fraction) -> str:
    """The figures in a few sentences: response, whole, the items that lie below the threshold, the method."""
    summary = (
        f"发放{made.issued}份，回收{made.returned}份，回收率{percent(made.return_rate)}；"
        f"总满意率{percent(made.whole.rate.value)}（{_base(made)}），"
        f"平均{shown(made.whole.mean)}分。"
    )
    if low:
        named = "、".join(f"{item.label.zh}（{percent(item.rate.value)}）" for item in low[:MOST_NAMED])
        more = "等" if len(low) > MOST_NAMED else ""
        summary += f"满意率低于{percent(threshold, 0)}的项目共{len(low)}项：{named}{more}。"
    return f"{summary}{made.method.title.zh}。"


def _base(made: Figures) -> str:
    """The base of the whole: one item's answers, or the answers to all."""
    if made.whole.id:
        return f"“{made.whole.label.zh}”{made.method.base.zh}{made.whole.rate.base}"
    if made.method.id.endswith("returned"):
        return f"回收评价{made.whole.rate.base}项次"
    return f"有效评价{made.whole.rate.base}项次"


def table(made: Figures, *, threshold: Fraction = Fraction(0), indicative: int = 0) -> str:
    """The figures as a CSV table: each item, each group, the whole; every line with its base and method."""
    head = (
        "项目组",
        "项目",
        *(f"{point}分" for point in made.points),
        "不了解",
        "未答",
        f"{made.method.base.zh}（基数）",
    )
    return sheet(
        (*head, "满意率", "平均分", "指数", "95%置信区间", "计算方法", "备注"),
        [
            *_lines(made, threshold, indicative),
            (),
            ("发放份数", made.issued),
            ("回收份数", made.returned),
            ("其中整份弃权", made.abstained),
            ("回收率", percent(made.return_rate), "回收份数÷发放份数"),
            ("问卷", made.questionnaire),
            ("满意等级", "、".join(f"{point}分" for point in made.satisfied)),
            ("计算方法", f"{made.method.id}：{made.method.title.zh}"),
            ("依据", made.method.clause),
        ],
    )


def cross_table(counts: Counts, by: str, indicative: int) -> str:
    """Every rated item by the groups of `by` as a CSV table: base, share of each point, test of independence."""
    hidden = hidden_groups(counts)
    rows: list[tuple[object, ...]] = []
    for item in counts.shape.rated_items:
        found = cross(counts, item.id, by, hidden=hidden, indicative=indicative)
        rows += _crossed(found)
    points = counts.shape.items[0].levels.points if counts.shape.rated else ()
    return sheet(("项目", "分组", "有效份数（基数）", *(f"{point}分" for point in points), "备注"), rows)


def _crossed(found: CrossTable) -> Iterator[tuple[object, ...]]:
    label = found.item.label.zh
    for row in found.rows:
        name = row.name or "（未注明）"
        if row.tally is None:
            yield (
                label,
                name,
                *("*" for _ in range(len(found.total.numbers) + 1)),
                "份数过少，为保密不予列示",
            )
        else:
            remark = "基数较小，仅供参考" if row.indicative else ""
            yield (label, name, row.tally.base, *map(percent, row.shares), remark)
    test = found.test
    if test is not None:
        doubt = "；期望频数过小，结果不可靠" if test.doubtful else ""
        yield (label, "卡方检验", f"χ²={test.statistic:.2f}，自由度{test.df}，p={test.p:.4f}{doubt}")


def _lines(made: Figures, threshold: Fraction, indicative: int) -> Iterator[tuple[object, ...]]:
    for group in made.groups:
        for item in made.items:
            if item.group == group.id:
                yield _line(group.label.zh, item.label.zh, item, made, threshold, indicative)
        yield _line(group.label.zh, "小计", group, made, threshold, indicative)
    yield _line("合计", made.whole.label.zh if made.whole.id else "", made.whole, made, threshold, indicative)


def _line(
    group: str, item: str, line: Line, made: Figures, threshold: Fraction, indicative: int
) -> tuple[object, ...]:
    tally, rate = line.tally, line.rate
    remarks = []
    if min(tally.base, made.returned) < indicative:  # a pooled base counts each return many times
        remarks.append("基数较小，仅供参考")
    if rate.value is not None and rate.value < threshold:
        remarks.append(f"低于{percent(threshold, 0)}")
    counts = (tally.counts.get(point, 0) for point in made.points)
    return (
        *(group, item, *counts, tally.abstained, tally.blank, rate.base),
        *(percent(rate.value), shown(line.mean), shown(line.index, 1), interval(line.interval)),
        *(made.method.id, "；".join(remarks)),
    )


def interval(found: Interval | None) -> str:
    """An interval of a rate in percent, of a mean in its own unit; a dash where there is none."""
    if found is None:
        return "—"
    times, places = (1, 2) if found.method == "t" else (100, 1)
    low, high = (decimal(Fraction(end) * times, places) for end in (found.low, found.high))
    return f"{low}～{high}{'' if times == 1 else '%'}"
