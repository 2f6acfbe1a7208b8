"""Sampling: what a plan has to know of the roster before a round is opened, and the list of whom chance took."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from documents.content import Column, Fields, Table, Value
from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import draws, rounds
from survey.figures import percent
from survey.sampling import Design, design_of, wanted
from tasks.controlled import MADE, files, setting, tabled
from tasks.fieldwork import SETTINGS, settings
from tasks.meaning import current, parameter

handlers = Handlers("sampling")

_REASONS = {
    "excluded": "已注明不调查",
    "left": "已迁出",
    "where": "不在调查范围",
    "moved_in": "未入住",
    "months": "未满规定时间",
    "until": "之后加入",
    "dated": "期间内没有服务",
}


@handlers.inside
@takes(optional={**SETTINGS, "flow.sets": anything})
def frame(call: Call) -> Values:
    """How many of the roster may be asked, and how many the design draws of them, before a round is opened.

    Properties: those of `fieldwork.open_round` that say how a sample is drawn. Sets `frame_size`, `sample_size` and
    `frame_text`, which says it in words and why others are left out.
    """
    design = design_of(settings(call))
    there, left_out = draws.candidates(call.conn, call.unit, design, date.fromisoformat(call.today))
    size = min(_size(design, len(there)), len(there))
    others = "，".join(f"{_REASONS[reason]}{count}" for reason, count in left_out.items())
    text = f"可调查{len(there)}，抽取{size}" + (f"；未列入：{others}" if others else "")
    return {"frame_size": len(there), "sample_size": size, "frame_text": f"{text}。"}


def _size(design: Design, population: int) -> int:
    if design.method == "targeted":
        return len(set(design.codes))
    if design.fixed is not None:
        raise EngineError(
            "How many {number} of each stratum make is known when they are drawn", number=design.fixed
        )
    return wanted(design, population)


@handlers.outside
@takes({"flow.record": anything}, {"flow.part": anything, **MADE})
def listing(call: Call) -> Values:
    """Sets the sample as a controlled document: whom chance took, and all that is needed to draw it again.

    Properties: `flow.part`, which round, and those of every paper. Customers stand in it by code. Sets nothing.
    """
    here, found = setting(call), current(call)
    drawn = draws.drawn(call.conn, found)
    about: tuple[tuple[str, Value], ...] = (
        ("单位", here.unit),
        *((("期间", here.period),) if here.period else ()),
        ("抽取日期", drawn.drawn_at.astimezone(call.zone).date()),
        ("可调查客户数", str(drawn.population)),
        ("抽取数", str(drawn.size)),
        ("随机种子", drawn.seed),
        ("抽样底册SHA-256", drawn.frame_sha256),
    )
    rows = tuple((each.number, each.code, each.project or "") for each in rounds.roster(call.conn, found.id))
    head = (Column("序号", "number"), Column("客户", width=12), Column("项目", width=12))
    return {"$record": files(call, here, [Fields(about), Table(head, rows, "抽取的客户")])}


@handlers.inside
@takes(optional={"flow.part": anything, "flow.sets": anything}, parameters={"share_new": number(0, 1)})
def newcomers(call: Call) -> Values:
    """Lists the sample that was drawn, and who in it was never asked before, by whichever procedure.

    Parameter: `share_new`, which part of the sample has to be new. Sets `sample_text` and `sample_new`, how many are.
    """
    found = current(call)
    there, known = rounds.roster(call.conn, found.id), draws.last_asked(call.conn, found.unit)
    new = [each.number for each in there if each.respondent not in known]
    share = Fraction(str(parameter(call, "share_new")))
    text = f"样本{len(there)}个，其中从未调查过的{len(new)}个，要求至少{percent(share)}。"
    if len(new) < share * len(there):
        text += "名册中从未调查过的客户不足，已全部列入。"
    rows = [(each.number, each.code, each.segment, "是" if each.number in new else "否") for each in there]
    head = ("序号", "客户", "客户类型", "首次接受调查")
    return {"sample_text": text, "sample_new": len(new), "$record": tabled(call, head, rows)}
