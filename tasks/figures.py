"""Figures: what a closed round comes to, as variables and as the table that the document prescribes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from engine.handlers import Call, Handlers, Values
from survey import rounds
from survey.figures import METHOD_TEXT, Figures, Tally, percent, shown
from tasks.fieldwork import parameter, sheet

handlers = Handlers("figures")

MOST_NAMED = 10
"""Items below the threshold that the summary names; the table marks all of them."""


@handlers.inside
def summarise(call: Call) -> Values:
    """Closes the round and computes its figures; makes the table of statistics.

    Sets `issued`, `returned`, `return_rate`, `satisfaction_rate` (percent, as printed), `low_items` and
    `figures_summary`. Parameters: `problem_threshold` (percent), `indicative_base` (answers).
    """
    found = rounds.round_of(call.conn, call.root)
    rounds.close(call.conn, found.id, call.now)
    figures = rounds.figures_of(call.conn, [found])
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    low = [item for item in figures.items if item.tally.rate is not None and item.tally.rate < threshold]
    low.sort(key=lambda item: item.tally.rate or 0)
    named = "、".join(f"{item.label.zh}（{percent(item.tally.rate)}）" for item in low[:MOST_NAMED])
    summary = (
        f"发放{figures.issued}份，回收{figures.returned}份，回收率{percent(figures.return_rate)}；"
        f"总满意率{percent(figures.whole.rate)}（有效评价{figures.whole.base}项次），"
        f"平均{shown(figures.whole.mean)}分。"
    )
    if low:
        more = "等" if len(low) > MOST_NAMED else ""
        summary += f"满意率低于{percent(threshold, 0)}的项目共{len(low)}项：{named}{more}。"
    base = int(parameter(call, "indicative_base"))
    return {
        "issued": figures.issued,
        "returned": figures.returned,
        "return_rate": percent(figures.return_rate),
        "satisfaction_rate": percent(figures.whole.rate),
        "low_items": [item.id for item in low],
        "figures_summary": f"{summary}{METHOD_TEXT.zh}。",
        "$record": {"客户满意度调查统计表.csv": table(figures, threshold=threshold, indicative=base)},
    }


def table(figures: Figures, *, threshold: Fraction = Fraction(0), indicative: int = 0) -> str:
    """The figures as a CSV table: each item, each group, the whole; every line with its base and method."""
    head = (
        "项目组",
        "项目",
        *(f"{point}分" for point in figures.points),
        "不了解",
        "未答",
        "有效份数（基数）",
    )
    return sheet(
        (*head, "满意率", "平均分", "计算方法", "备注"),
        [
            *_lines(figures, threshold, indicative),
            (),
            ("发放份数", figures.issued),
            ("回收份数", figures.returned),
            ("回收率", percent(figures.return_rate), "回收份数÷发放份数"),
            ("问卷", figures.questionnaire),
            ("计算方法", f"{figures.method}：{METHOD_TEXT.zh}"),
        ],
    )


def _lines(figures: Figures, threshold: Fraction, indicative: int) -> Iterator[tuple[object, ...]]:
    for group in figures.groups:
        for item in figures.items:
            if item.group == group.id:
                yield _line(group.label.zh, item.label.zh, item.tally, figures, threshold, indicative)
        yield _line(group.label.zh, "小计", group.tally, figures, threshold, indicative)
    yield _line("合计", "", figures.whole, figures, threshold, indicative)


def _line(
    group: str, item: str, tally: Tally, figures: Figures, threshold: Fraction, indicative: int
) -> tuple[object, ...]:
    remarks = []
    if min(tally.base, figures.returned) < indicative:  # a pooled base counts each return many times
        remarks.append("基数较小，仅供参考")
    if tally.rate is not None and tally.rate < threshold:
        remarks.append(f"低于{percent(threshold, 0)}")
    counts = (tally.counts.get(point, 0) for point in figures.points)
    bases = (tally.abstained, tally.blank, tally.base)
    return (
        *(group, item, *counts, *bases),
        *(percent(tally.rate), shown(tally.mean), figures.method, "；".join(remarks)),
    )
