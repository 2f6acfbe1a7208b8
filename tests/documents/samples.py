"""An analysis report as departments write them, with everything that is hard to set."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from documents.content import (
    Chart,
    Column,
    Control,
    Document,
    Fields,
    Heading,
    PageBreak,
    Paragraph,
    Series,
    Signature,
    Table,
    Target,
)

ITEMS = ("电梯运行与维护", "公共区域保洁", "停车场管理", "投诉处理的及时性与处理结果反馈", "Service attitude")
CONTROL = Control(
    title="大楼客户满意度调查分析报告",
    dated=date(2026, 9, 30),
    code="JL-KF-07",
    version="A/1",
    organisation="第三管理处",
    signatures=(
        Signature("编制", "赵敏", date(2026, 9, 28)),
        Signature("审核", "阿依古丽·买买提", date(2026, 9, 29)),
        Signature("批准"),
    ),
)
RATES = Chart(
    "bars",
    ITEMS,
    (Series("满意率", tuple(Fraction(95 - 5 * number, 100) for number in range(5))),),
    caption="各项目满意率",
    percent=True,
    places=1,
    target=Target(Fraction(85, 100)),
)
TREND = Chart(
    "lines",
    ("2026-Q1", "2026-Q2", "2026-Q3"),
    (Series("总满意率", (Fraction(8, 10), None, Fraction(9, 10))), Series("回收率", (0.7, 0.72, 0.75))),
    caption="趋势",
    percent=True,
)
CROSS = Chart(
    "stacked",
    ITEMS[:3],
    (Series("满意", (8, 5, 0)), Series("一般", (1, 3, 0)), Series("不满意", (1, 2, 0))),
    caption="评价分布",
)
COLUMNS = (
    Column("项目"),
    Column("份数", "number"),
    Column("满意率", "percent", 1),
    Column("平均分", "number", 2),
    Column("日期", "date"),
)


def table(rows: int) -> Table:
    """A table of so many rows; every fourth has no rate."""
    return Table(
        COLUMNS,
        tuple(
            (
                ITEMS[number % 5],
                100 - number % 7,
                Fraction(number % 101, 101) if number % 4 else None,
                Fraction(31, 8),
                date(2026, 9, 1 + number % 28),
            )
            for number in range(rows)
        ),
        caption="各项目统计",
        note="注：满意率＝评为最高两级的份数÷有效评价份数。",
        strong=frozenset({rows - 1}),
    )


REPORT = Document(
    CONTROL,
    (
        Heading("调查概况"),
        Paragraph("回收73份，误差±3.6个百分点（≥ 70%），按ISO 10004①执行；㎡、℃、＋－＝、㐂。\n第二段。"),
        Heading("结果"),
        Heading("满意率", 2),
        RATES,
        Heading("趋势", 2),
        Heading("近三季", 3),
        TREND,
        CROSS,
        PageBreak(),
        table(120),
        Table(COLUMNS, (), caption="需要整改的项目"),
        Heading("回访"),
        Fields(
            (
                ("客户", "翠湖花园8-1201"),
                ("日期", date(2026, 9, 20)),
                ("原因", "早高峰等候时间长。\n地面湿滑。"),
            )
        ),
        Paragraph("第三管理处\n2026年9月30日", "right"),
    ),
)
