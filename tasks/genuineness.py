"""Whether the questionnaires of a round are genuine: drawn by chance, checked by hand, all of them once one is not.

The shared process `genuineness_check` calls these; what was drawn and found stands in tables of its own
(`survey.spotchecks`), so that variables hold only totals and the sheets being worked on. Anonymous rounds refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection

from documents.content import Block, Column, Fields, Heading, Paragraph, Table, Value
from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, counts, number, takes
from engine.store.organisation import person_names
from survey import rounds, spotchecks
from survey.numbering import ranges
from survey.precision import exact, part_of
from survey.returns import Difference
from survey.spotchecks import DOUBTED, ENTRY_ERROR, FULL, GENUINE, PHONE, RECHECK, WORDS, Check, Judged
from tasks.controlled import MADE, files, setting
from tasks.dates import working_days_on
from tasks.meaning import current, note_ledger, parameter

handlers = Handlers("genuineness")

SHEET = 50
"""Questionnaires on one sheet: what one person compares in one go."""
MOST_CALLS = 3
MOST_LISTED = 200
"""Questionnaires that a paper lists one by one; of more, only those with something found."""
_DIFFERENCES = 5
"""Differing items that a sheet names."""
_KINDS = {PHONE: "未回收样本电话核对", RECHECK: "答卷与原始问卷抽样核对", FULL: "答卷与原始问卷全数核对"}


def _share(value: Any) -> None:
    """The judge of `recheck_share`: from 0, not wanted, to 1."""
    try:
        fits = 0 <= exact(str(value)) <= 1
    except (ValueError, ZeroDivisionError):
        fits = False
    if not fits:
        raise EngineError("{value} is no share from 0 to 1", value=value)


_PARAMETERS = {
    "phone_checks": number(0, MOST_CALLS, whole=True),
    "recheck_share": _share,
    "check_days": number(1, whole=True),
}


def _due(call: Call) -> Values:
    days = int(parameter(call, "check_days"))
    return {"check_due": str(call.variables.get("check_by") or working_days_on(call, days))}


@handlers.inside
@counts(_due)
@takes(parameters=_PARAMETERS)
def draw(call: Call) -> Values:
    """Draws who of those without a return is telephoned, and which answers are compared with the originals.

    Reads `phone_checks` (how many, all where there are fewer; 0: none), `recheck_share` (of the answers that are in,
    rounded up; 0: none), and `check_by`, the date due, else `check_days` working days. Sets `phone_check_id`,
    `phone_list`, `recheck_id`, `recheck_count`, `check_due`, `check_note` (what was left out), and the totals.
    """
    found, notes = current(call), []
    calls, share = int(parameter(call, "phone_checks")), parameter(call, "recheck_share")
    for name, judge in _PARAMETERS.items():
        judge(parameter(call, name))
    out, back = spotchecks.outstanding(call.conn, found), spotchecks.returned(call.conn, found)
    phone = _drawn(call, PHONE, min(calls, len(out)))
    recheck = _drawn(call, RECHECK, part_of(len(back), str(share)))
    if calls and phone is None:
        notes.append("已发放的问卷全部收回，无需电话核对。")
    if exact(str(share)) and recheck is None:
        notes.append("没有收回的问卷，无需与原始问卷核对。")
    if notes:
        call.note("check.skipped", {"reason": "".join(notes)})
    listed = [] if phone is None else [_row(each) for each in spotchecks.judged(call.conn, phone)]
    return {
        "phone_check_id": None if phone is None else phone.id,
        "phone_list": listed,
        "recheck_id": None if recheck is None else recheck.id,
        "recheck_count": 0 if recheck is None else recheck.size,
        **_due(call),
        "check_note": "".join(notes),
        "full_check": False,
        "report_made": False,
    }


@handlers.inside
def draw_all(call: Call) -> Values:
    """Has every questionnaire that came back checked; sets `recheck_id`, `recheck_count` and `full_check`."""
    found = _drawn(call, FULL, len(spotchecks.returned(call.conn, current(call))))
    return {
        "recheck_id": None if found is None else found.id,
        "recheck_count": 0 if found is None else found.size,
        "full_check": True,
    }


@handlers.collection
def sheets(call: Call) -> Iterable[object]:
    """The answers to be compared, on sheets of 50: `check`, `title`, `rows` (number, customer, what was found so far).

    Where a member's answers were typed in twice, the row says in which items the two differ.
    """
    if call.variables.get("recheck_id") is None:
        return []
    found = spotchecks.check(call.conn, int(call.variables["recheck_id"]))
    differing = spotchecks.differing(call.conn, current(call))
    before = {each.member.id: each for each in _earlier(call, found)}
    rows = [
        _row(each, differing.get(each.member.number), before.get(each.member.id))
        for each in spotchecks.judged(call.conn, found)
    ]
    parts = [rows[start : start + SHEET] for start in range(0, len(rows), SHEET)]
    return [
        {"check": found.id, "title": f"第{place}张（共{len(parts)}张）", "rows": part}
        for place, part in enumerate(parts, 1)
    ]


@handlers.verify
def calls_made(call: Call) -> None:
    """Everybody drawn was telephoned, and a contradiction says what is not so (`phone_list`)."""
    _refuse(_unfit(call, "phone_list"))


@handlers.verify
def sheet_compared(call: Call) -> None:
    """Every questionnaire of the sheet has a verdict that agrees with the second entry (`originals`)."""
    problems = [*_unfit(call, "originals")]
    said = {row["number"]: row.get("differences") or "" for row in call.variables.get("originals") or []}
    for place, row in enumerate(call.values.get("originals") or [], 1):
        if row["verdict"] == GENUINE and said.get(row["number"], "").startswith(_UNLIKE):
            template = "The second entry differs from the first: say entry_error or not_genuine"
            problems.append(Problem(f"originals.{place}.verdict", template))
    _refuse(problems)


@handlers.inside
def enter_calls(call: Call) -> Values:
    """Writes down what the telephone calls found (`phone_list`), in the ledger too."""
    _enter(call, int(call.variables["phone_check_id"]), call.variables["phone_list"])
    return {}


@handlers.inside
def enter_sheet(call: Call) -> Values:
    """Writes down what the comparison of one sheet found (`originals`), in the ledger too."""
    _enter(call, int(call.variables["check_id"]), call.variables["originals"])
    return {}


@handlers.inside
def judge(call: Call) -> Values:
    """Counts what was found: one contradiction, or one questionnaire that is not genuine, is enough for doubt.

    Sets `genuine`, `checks_made` (calls and comparisons with a verdict), `doubted`, `entry_errors`, `check_summary`.
    """
    found = spotchecks.checks_of(call.conn, _own(call))
    all_checked = any(each.kind == FULL for each in found)
    last = [each for each in found if not (all_checked and each.kind == RECHECK)]
    counts = spotchecks.counts(call.conn, last)
    doubted = sum(counts.get(name, 0) for name in DOUBTED)
    ever = any(name in DOUBTED for name in spotchecks.counts(call.conn, found))
    summary = "；".join(_counted(each, spotchecks.counts(call.conn, [each])) for each in found)
    return {
        "genuine": not ever,
        "checks_made": sum(counts.values()) - counts.get(spotchecks.UNREACHABLE, 0),
        "doubted": doubted,
        "entry_errors": counts.get(ENTRY_ERROR, 0),
        "check_summary": summary or "本次未安排核对",
    }


@handlers.inside
@takes(optional={"flow.part": anything, "flow.sets": anything})
def set_aside(call: Call) -> Values:
    """Takes the answers that a check found not to be genuine out of the figures; sets `set_aside`, how many.

    They stay stored, and the journal names them. For a round that still takes returns, before its figures are final.
    """
    found = current(call)
    rounds.open_for_returns(found)
    numbers = spotchecks.set_aside(call.conn, found)
    if numbers:
        call.note("check.set_aside", {"members": ranges(numbers), "count": len(numbers), "part": found.part})
    return {"set_aside": len(numbers)}


@handlers.outside
@takes({"flow.record": anything}, MADE)
def paper(call: Call) -> Values:
    """Sets what was drawn and found as a controlled document: the record of the check, or its report.

    What the head of the check concluded (`report_conclusion`, `report_proposal`) stands at its head, where it is
    known. Sets `report_made` once it is. Properties: those of every paper.
    """
    here = setting(call)
    about: tuple[tuple[str, Value], ...] = (
        ("单位", here.unit),
        *((("期间", here.period),) if here.period else ()),
        ("核对结论", "未发现真实性问题" if call.variables["genuine"] else "存在真实性问题"),
        ("核对情况", str(call.variables["check_summary"])),
    )
    blocks: list[Block] = [Fields(about)]
    if call.variables.get("check_note"):
        blocks.append(Paragraph(str(call.variables["check_note"])))
    concluded = [
        (title, text)
        for title, name in (("核对结论及原因", "report_conclusion"), ("处理建议", "report_proposal"))
        if (text := call.variables.get(name))
    ]
    for title, text in concluded:
        blocks += [Heading(title), Paragraph(str(text))]
    for each in spotchecks.checks_of(call.conn, _own(call)):
        blocks += _told(call, each)
    return {"report_made": bool(concluded), "$record": files(call, here, blocks)}


_UNLIKE = "两次录入不一致"


def _drawn(call: Call, kind: str, size: int) -> Check | None:
    if not size:
        return None
    found = spotchecks.draw(
        call.conn, current(call), kind, size, instance=call.instance, by=call.by, now=call.now
    )
    members = [each.member.number for each in spotchecks.judged(call.conn, found)]
    call.note("check.drawn", {**found.facts(), "members": ranges(members)})
    return found


def _own(call: Call) -> int:
    """The instance of the whole check, also from within one of its sheets."""
    known = call.variables.get("recheck_id") or call.variables.get("phone_check_id")
    return call.instance if known is None else spotchecks.check(call.conn, int(known)).instance


def _earlier(call: Call, found: Check) -> Iterator[Judged]:
    """What a recheck found before all had to be checked."""
    for each in spotchecks.checks_of(call.conn, found.instance):
        if each.kind == RECHECK and each.id != found.id:
            yield from spotchecks.judged(call.conn, each)


def _row(
    each: Judged, unlike: Sequence[Difference] | None = None, before: Judged | None = None
) -> dict[str, object]:
    row: dict[str, object] = {"number": each.member.number, "customer": each.member.code}
    if unlike is not None:
        row["differences"] = _said(unlike)
    if before is not None and before.verdict is not None:
        row |= {"verdict": before.verdict, "note": before.note or ""}
    return row


def _said(unlike: Sequence[Difference]) -> str:
    if not unlike:
        return "两次录入一致"
    shown = "、".join(
        f"{each.item} {_cell(each.first)}→{_cell(each.second)}" for each in unlike[:_DIFFERENCES]
    )
    more = f"等{len(unlike)}项" if len(unlike) > _DIFFERENCES else ""
    return f"{_UNLIKE}：{shown}{more}"


def _cell(value: object) -> str:
    return "空" if value is None else str(value)[:20]


def _unfit(call: Call, field: str) -> list[Problem]:
    """What is wrong with the rows of a sheet: the numbers drawn, each once, and a note for what is doubted."""
    rows = call.values.get(field) or []
    wanted = {row["number"] for row in call.variables.get(field) or []}
    given = [row["number"] for row in rows]
    problems = []
    if missing := sorted(wanted - set(given)):
        template = "Numbers {numbers} were drawn and have no verdict"
        problems.append(Problem(field, template, {"numbers": ranges(missing)}))
    for place, row in enumerate(rows, 1):
        if row["number"] not in wanted:
            template = "Number {number} was not drawn"
            problems.append(Problem(f"{field}.{place}.number", template, {"number": row["number"]}))
        elif row["number"] in given[: place - 1]:
            template = "Number {number} stands here twice"
            problems.append(Problem(f"{field}.{place}.number", template, {"number": row["number"]}))
        if row["verdict"] in (*DOUBTED, ENTRY_ERROR) and not row.get("note"):
            problems.append(Problem(f"{field}.{place}.note", "Say what was found"))
    return problems


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Invalid(problems)


def _enter(call: Call, check: int, rows: Iterable[Mapping[str, Any]]) -> None:
    verdicts = {row["number"]: (row["verdict"], row.get("note") or None) for row in rows}
    found = spotchecks.check(call.conn, check)
    day = date.fromisoformat(call.today)
    kind, channel = spotchecks.judge(call.conn, found, verdicts, by=call.by, day=day, now=call.now)
    note_ledger(call, rounds.by_number(call.conn, found.round), kind, verdicts, channel=channel)


def _counted(each: Check, counts: Mapping[str, int]) -> str:
    verdicts = "，".join(f"{word}{counts[name]}份" for name, word in WORDS.items() if counts.get(name))
    return f"{_KINDS[each.kind]}：{each.population}份中抽取{each.size}份，{verdicts or '尚无结论'}"


def _told(call: Call, each: Check) -> Iterator[Block]:
    """A check as a paper has it: how it was drawn, and what was found."""
    yield Heading(_KINDS[each.kind])
    drawn = f"自{each.population}份中抽取{each.size}份"
    if each.kind == FULL:
        drawn = f"全部{each.population}份"
    yield Paragraph(
        f"{drawn}，抽取于{each.drawn_at.astimezone(call.zone):%Y-%m-%d}；"
        f"随机种子{each.seed}，抽样底册SHA-256 {each.frame_sha256}。"
    )
    found = spotchecks.judged(call.conn, each)
    listed = found if len(found) <= MOST_LISTED else [one for one in found if one.verdict != GENUINE]
    names = person_names(cast(Connection, call.conn), {one.by for one in listed if one.by})
    rows = tuple(
        (
            *(one.member.number, one.member.code, WORDS.get(one.verdict or "", "尚未核对"), one.note or ""),
            *(names.get(one.by or "", one.by or ""), one.on or ""),
        )
        for one in listed
    )
    head = (
        Column("序号", "number"),
        Column("客户"),
        Column("核对结论"),
        Column("说明", width=12),
        Column("核对人"),
        Column("日期"),
    )
    left = len(found) - len(listed)
    yield Table(head, rows, _KINDS[each.kind], f"另有{left}份核对一致，未逐份列出。" if left else "")
