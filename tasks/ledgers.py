"""Ledgers: whom a round asked and what became of it, and corrective actions, as the sheets of a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo

from documents.content import Column, Table, Value
from documents.excel import Sheet
from engine.queries.actions import Action
from survey.ledger import CHANNELS, Line
from survey.rounds import Member
from tasks.findings import DISPOSITIONS

KINDS = {
    "issue": "发放",
    "reminder": "催收",
    "attempt": "联系",
    "return": "回收",
    "refusal": "拒访",
    "recheck": "复核",
    "correction": "更正",
}
"""What the entries of the ledger are called."""
_STATES = {
    "running": "进行中",
    "suspended": "已暂停",
    "completed": "已完成",
    "cancelled": "已取消",
    "failed": "已中止",
}
_DAY = 6
"""The breadth of a column of days, in Chinese characters."""


def of_members(members: Iterable[Member], tries: Mapping[int, int], names: Mapping[str, str]) -> Sheet:
    """A line for each customer of the sample. `tries`: how often each was contacted; `names`: of surveyors, by id."""
    rows = tuple(
        (
            *(each.number, each.code, names.get(each.surveyor or "", each.surveyor)),
            *(CHANNELS.get(each.channel or "", each.channel), _day(each.issued_on), _day(each.returned_on)),
            *(DISPOSITIONS.get(each.disposition, each.disposition), tries.get(each.id, 0)),
        )
        for each in members
    )
    head = (
        *(Column("序号", "number"), Column("客户"), Column("调查人员"), Column("渠道")),
        *(Column("发放日期", "date", width=_DAY), Column("收回日期", "date", width=_DAY)),
        *(Column("结果"), Column("联系次数", "number")),
    )
    return Sheet("发放回收台账", Table(head, rows), landscape=True)


def of_entries(lines: Iterable[Line], names: Mapping[str, str]) -> Sheet:
    """A line for each entry, in the order made. `names`: of those who made them, by id."""
    rows = tuple(
        (
            *(line.number, line.code, KINDS.get(line.kind, line.kind), CHANNELS.get(line.channel or "", "")),
            *(_day(line.day), names.get(line.recorded_by, line.recorded_by), line.note),
        )
        for line in lines
    )
    head = (
        *(Column("序号", "number"), Column("客户"), Column("事项"), Column("方式")),
        *(Column("日期", "date", width=_DAY), Column("登记人"), Column("说明")),
    )
    return Sheet("联系台账", Table(head, rows), landscape=True)


def of_actions(actions: Sequence[Action], zone: tzinfo) -> Sheet:
    """A line for each corrective action: the problem, its cause and measure, who and by when, whether it helped."""
    rows: list[tuple[Value, ...]] = []
    for each in actions:
        verdict = each.verdict if each.verdict_label is None else each.verdict_label.zh
        state = "、".join(each.steps) or _STATES.get(each.status, each.status)
        ended = None if each.ended_at is None else each.ended_at.astimezone(zone).date()
        rows.append(
            (
                *(each.id, each.procedure, each.period, each.unit_name, each.item, each.cause, each.measure),
                *(each.owner_name or each.owner, _day(each.due), state, "逾期" if each.late else None),
                *(each.done, None if verdict is None else str(verdict), each.rounds, ended),
            )
        )
    head = (
        *(Column("编号"), Column("流程", width=10), Column("期间"), Column("单位"), Column("问题", width=14)),
        *(Column("原因", width=12), Column("整改措施", width=14), Column("责任人")),
        *(Column("完成期限", "date", width=_DAY), Column("当前状态"), Column("是否逾期", width=3)),
        *(Column("完成情况", width=10), Column("效果"), Column("轮次", "number")),
        Column("结束日期", "date", width=_DAY),
    )
    return Sheet("问题及整改措施", Table(head, tuple(rows)), landscape=True)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
