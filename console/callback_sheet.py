"""The sheet of call-backs to be made: a workbook or CSV with a row for each, read back by `flow callback import`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from documents.content import Column, Table, Value
from documents.excel import Entry, Sheet, workbook
from survey.callbacks import Callback
from survey.sheets import csv_text

Rows = Sequence[tuple[Callback, Mapping[str, str | None]]]

_SHOWN = (
    Column("任务"),
    Column("客户"),
    Column("姓名"),
    Column("电话", width=8),
    Column("事由", width=20),
    Column("期限"),
    Column("次数", "number"),
)
_ENTRIES = {
    "结果": Entry(("满意", "不满意", "未联系上"), hint="未回访的留空，读入时跳过"),
    "方式": Entry(("电话", "上门", "邮件"), hint="留空即电话"),
    "日期": Entry(hint="留空即读入当日"),
    "说明": Entry(hint="客户意见，或未联系上的情况；不写姓名、电话"),
    "投诉内容": Entry(hint="客户提出投诉时填写"),
    "告知内容": Entry(hint="告知客户的解决方案"),
}
_FILLED = (
    Column("结果"),
    Column("方式"),
    Column("日期", "date", width=6),
    Column("说明", width=18),
    Column("投诉内容", width=10),
    Column("告知内容", width=10),
)


def as_workbook(rows: Rows) -> bytes:
    """The sheet as .xlsx: only what has to be filled in can be."""
    table = Table((*_SHOWN, *_FILLED), tuple(_row(*each) for each in rows))
    return workbook([Sheet("回访", table, entries=_ENTRIES, landscape=True)])


def as_csv(rows: Rows) -> bytes:
    """The sheet as CSV that spreadsheets open in the right encoding."""
    head = [column.title for column in (*_SHOWN, *_FILLED)]
    return csv_text(head, (_row(*each) for each in rows)).encode()


def _row(each: Callback, contact: Mapping[str, str | None]) -> tuple[Value, ...]:
    known = (each.task, each.customer, contact.get("name"), contact.get("phone"), each.reason, each.due)
    return (*known, len(each.attempts), None, None, None, None, None, each.solution or None)
