"""Call-backs: whom a survey asks to call back, what each call brought, and the record of all of them.

The lists are collections for a multi-instance call of the shared process `call_back`; each item has `number` (of the
round), `customer` (the code) and `reason`, or what was answered (`returned`). Of an anonymous round they refuse: nobody
knows whom to call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import cast

from sqlalchemy import Connection, select

from documents.content import Block, Column, Fields, Table, Value
from engine.characters import identity
from engine.errors import EngineError, Invalid, Problem
from engine.forms import Form
from engine.forms.wording import option_words, words
from engine.handlers import Call, Handlers, Values, anything, counts, number, takes
from engine.store import tables
from engine.store.organisation import person_names
from survey import callbacks, ledger, returns, rounds, wanted
from survey.callbacks import Callback
from survey.rounds import Member, Round
from survey.wanted import Wanted
from tasks.controlled import MADE, files, listed, setting
from tasks.dates import working_days_on
from tasks.meaning import current, note_ledger, parameter, part_of, value_of

handlers = Handlers("callbacks")

OUTCOMES = {"satisfied": "满意", "dissatisfied": "不满意", "unreachable": "未联系上", "closed": "已关闭"}
MODES = {"phone": "电话", "visit": "上门", "email": "邮件"}


@handlers.collection
def dissatisfied(call: Call) -> Iterable[object]:
    """The members whose overall item is below satisfied; any item, where the parameter `dissatisfied_by` says `any`."""
    return _items(wanted.dissatisfied(call.conn, current(call), any_item=_dissatisfied_by(call) == "any"))


def _dissatisfied_by(call: Call) -> str:
    by = _option(call, "dissatisfied_by", "overall")
    if by not in ("overall", "any"):
        raise EngineError("{value} is none of {known}", value=by, known="overall, any")
    return by


@handlers.inside
@takes(optional={"flow.part": anything, "flow.sets": anything})
def newly_dissatisfied(call: Call) -> Values:
    """Who became dissatisfied since this was asked last, while answers are still coming in (as `dissatisfied`).

    Sets `dissatisfied_now`, the items, and `dissatisfied_known`, the numbers of all found so far: each once.
    """
    known = [int(number) for number in call.variables.get("dissatisfied_known") or []]
    any_item = _dissatisfied_by(call) == "any"
    now = [
        each
        for each in wanted.dissatisfied(call.conn, current(call), any_item=any_item)
        if each.number not in known
    ]
    return {
        "dissatisfied_now": _items(now),
        "dissatisfied_known": [*known, *(each.number for each in now if each.number is not None)],
    }


@handlers.collection
def opinions(call: Call) -> Iterable[object]:
    """The members who wrote something in an open item (`opinion_items`: in these only, with commas)."""
    return _items(wanted.opinions(call.conn, current(call), listed(_option(call, "opinion_items", ""))))


@handlers.collection
def late_opinions(call: Call) -> Iterable[object]:
    """Of `opinions` those without a call-back in this round: entered after the others were listed.

    An event sub-process that waits for the message `opinion_entered` calls them; whoever enters or corrects answers
    sends it.
    """
    return _items(callbacks.uncalled(call.conn, current(call), listed(_option(call, "opinion_items", ""))))


@handlers.collection
def complaints(call: Call) -> Iterable[object]:
    """The members who raised a complaint in the questionnaire's item `complaint_item` (`complaint`)."""
    return _items(wanted.complaints(call.conn, current(call), _option(call, "complaint_item", "complaint")))


@handlers.collection
def key_accounts(call: Call) -> Iterable[object]:
    """The members who are key accounts on the roster."""
    return _items(wanted.key_accounts(call.conn, current(call)))


@handlers.collection
def listed_customers(call: Call) -> Iterable[object]:
    """The customers that a form listed in `key_customers` (columns `customer`, `reason`)."""
    for row in call.variables.get("key_customers") or []:
        code = identity(row["customer"])
        found = _customer(call, code)
        yield Wanted(None if found is None else found.number, code, row["reason"]).item()


@handlers.collection
def returned(call: Call) -> Iterable[object]:
    """The members whose answers are in: `number`, `customer`, and `answers`, a line a question, none that is personal.

    For whoever goes through them customer by customer, before or instead of calling.
    """
    found = wanted.named(current(call))
    form, there = rounds.questionnaire(call.conn, found), returns.stored(call.conn, found)
    for each in rounds.roster(call.conn, found.id):
        if each.id in there:
            lines = _answered(form, there[each.id].answers)
            yield {"number": each.number, "customer": each.code, "answers": "\n".join(lines)}


def _answered(form: Form, answers: Mapping[str, object]) -> Iterator[str]:
    for field in form.questions:
        given = answers.get(field.id)
        if field.personal or given in (None, "", [], {}):
            continue
        if field.rows and isinstance(given, Mapping):
            for row in field.rows:
                if (text := option_words(field, given.get(row.id))) != "":
                    yield f"{row.label.zh}：{text}"
        else:
            yield f"{field.label.zh}：{words(field, given, {})}"


@handlers.verify
def customers_known(call: Call) -> None:
    """The customers listed in `key_customers` are in the round or on the roster, each once."""
    if problems := list(strangers(call, "key_customers", once=True)):
        raise Invalid(problems)


def strangers(call: Call, table: str, *, once: bool = False) -> Iterator[Problem]:
    """The rows of a form's table whose `customer` is neither in the round nor on the roster, or stands there twice."""
    seen = set[str]()
    for place, row in enumerate(call.values.get(table) or [], 1):
        code, field = identity(row["customer"]), f"{table}.{place}.customer"
        if once and code in seen:
            yield Problem(field, "Customer {code} stands here twice", {"code": code})
        elif _customer(call, code) is None and callbacks.on_roster(call.conn, call.unit, code) is None:
            template = "Customer {code} stands neither in the round nor on the roster"
            yield Problem(field, template, {"code": code})
        seen.add(code)


@handlers.verify
def attempt_sound(call: Call) -> None:
    """An attempt was made in a way that is allowed (`callback_mode`, of those in `callback_modes`), on a possible day.

    The day (`callback_on`) is not before the attempt before it; for the first, not before the survey began.
    """
    modes = listed(call.variables.get("callback_modes"))
    if modes and call.values.get("callback_mode") not in modes:
        ways = "、".join(MODES.get(each, each) for each in modes)
        raise Invalid(
            [Problem("callback_mode", "Customers are called back by these ways only: {ways}", {"ways": ways})]
        )
    on, least = str(call.values["callback_on"]), _earliest(call)
    if on < least:
        template = "{day} is before {earliest}, the day of the last attempt, or on which the survey began"
        raise Invalid([Problem("callback_on", template, {"day": on, "earliest": least})])


def _earliest(call: Call) -> str:
    """The first day on which the next attempt may have been made."""
    log = call.variables.get("callback_log")
    if log:
        return str(log[-1]["on"])
    if call.variables.get("callback_number") is not None and (found := _round(call)) is not None:
        began = found.opened_at
    else:
        table = tables.instance
        began = call.conn.execute(select(table.c.started_at).where(table.c.id == call.root)).scalar_one()
    return began.astimezone(call.zone).date().isoformat()


def _first_by(call: Call) -> Values:
    return {"callback_by": call.variables.get("callback_by") or _limit(call)}


def _next_by(call: Call) -> Values:
    """Until when to call again: whoever was not satisfied is given time for what is promised."""
    if call.variables["callback_outcome"] != "dissatisfied":
        return {}
    return {"callback_by": max(str(call.variables["callback_by"]), _limit(call))}


@handlers.inside
@counts(_first_by)
@takes(parameters={"callback_days": number(0, whole=True)})
def begin(call: Call) -> Values:
    """Looks up who is to be called back, and until when: in the round, else on the roster, else by code alone.

    Reads `callback_number` or `callback_customer`, and `callback_by`; without a date, `callback_days` working days are
    given. Sets these, `callback_respondent`, and everything that attempts change to its beginning.
    """
    given, code = (
        call.variables.get("callback_number"),
        identity(str(call.variables.get("callback_customer") or "")),
    )
    if given is None and not code:
        raise EngineError(
            "{element} needs to know whom to call back: callback_number or callback_customer",
            element=call.element,
        )
    who = _customer(call, code, None if given is None else int(given))
    known = None if who is not None else callbacks.on_roster(call.conn, call.unit, code)
    return {
        "callback_number": who.number if who is not None else None,
        "callback_customer": who.code if who is not None else code,
        "callback_respondent": who.respondent if who is not None else known.id if known else None,
        **_first_by(call),
        "callback_attempts": 0,
        "callback_log": [],
        "callback_outcome": None,
        "callback_complaint": False,
        "callback_complaint_text": "",
    }


@handlers.inside
@counts(_next_by)
@takes(parameters={"callback_days": number(0, whole=True)})
def enter(call: Call) -> Values:
    """Enters the attempt that the form tells of: in the ledger of the round, and in `callback_log`.

    Sets `callback_attempts`, `callback_complaint` and its text, which stay once raised, and for another attempt with a
    customer who was reached a new `callback_by`, where the old one would leave less than `callback_days`.
    """
    told, outcome = call.variables, str(call.variables["callback_outcome"])
    note = told.get("callback_note") if outcome != callbacks.UNREACHABLE else told.get("callback_failure")
    attempt = {
        "on": told["callback_on"],
        "mode": told["callback_mode"],
        "outcome": outcome,
        "note": note or "",
        "told": told.get("callback_solution") or "",
        "by": call.who or call.by,
    }
    if told.get("callback_number") is not None and (found := _round(call)) is not None:
        who = callbacks.in_round(call.conn, found, number=told["callback_number"], customer="")
        ledger.follow_up(
            call.conn,
            found,
            [] if who is None else [who],
            "attempt",
            by=call.by,
            day=date.fromisoformat(attempt["on"]),
            now=call.now,
            channel=attempt["mode"],
            note=f"回访：{OUTCOMES[outcome]}",
        )
        if who is not None:
            note_ledger(call, found, "attempt", [who.number], day=attempt["on"], channel=attempt["mode"])
    raised = outcome != callbacks.UNREACHABLE and bool(told.get("complaint_raised"))
    texts: list[str | None] = [
        told["callback_complaint_text"],
        told.get("complaint_text") if raised else None,
    ]
    log = [*told["callback_log"], attempt]
    values: dict[str, object] = {
        "callback_log": log,
        "callback_attempts": len(log),
        "callback_complaint": bool(told["callback_complaint"]) or raised,
        "callback_complaint_text": "；".join(filter(None, texts)),
    }
    values |= _next_by(call)
    return values


@handlers.outside
@takes({"flow.record": anything}, {**MADE, "flow.calls": anything})
def record(call: Call) -> Values:
    """Sets the record of the survey's call-backs, an attempt a line, as a controlled document.

    Properties: those of every paper; `flow.calls`, the call activities whose call-backs it holds (all, if none). Sets
    `callbacks_made`, `callbacks_open`, and how many ended each way: `callbacks_satisfied`, `callbacks_dissatisfied`,
    `callbacks_unreachable`, `callbacks_closed`.
    """
    found = callbacks.callbacks(
        call.conn, root=call.root, called_by=listed(call.properties.get("flow.calls"))
    )
    here = setting(call)
    table = _table(call, found)
    ended = [each.outcome for each in found if each.status == "completed"]
    summary = "，".join(
        f"{word}{ended.count(name)}户" for name, word in OUTCOMES.items() if ended.count(name)
    )
    about: tuple[tuple[str, Value], ...] = (
        ("单位", here.unit),
        *((("期间", here.period),) if here.period else ()),
        ("应回访户数", str(len(found))),
        ("回访结果", summary or "—"),
    )
    blocks: list[Block] = [Fields(about), table]
    return {
        "callbacks_made": len(ended),
        "callbacks_open": sum(each.status in ("running", "suspended") for each in found),
        **{f"callbacks_{name}": ended.count(name) for name in OUTCOMES},
        "$record": files(call, here, blocks, landscape=True),
    }


def _table(call: Call, found: Sequence[Callback]) -> Table:
    people = {attempt.by for each in found for attempt in each.attempts}
    names = person_names(cast(Connection, call.conn), people)
    head = (
        Column("序号", "number"),
        Column("客户", width=6),
        Column("回访事由", width=12),
        Column("告知内容", width=10),
        Column("日期", width=6),
        Column("方式", width=3),
        Column("回访情况", width=14),
        Column("结果", width=4),
        Column("投诉", width=3),
        Column("回访人", width=5),
    )
    return Table(head, tuple(_rows(found, names)), "回访记录", empty="（无需回访的客户）")


def _rows(found: Sequence[Callback], names: dict[str, str]) -> Iterator[tuple[Value, ...]]:
    for place, each in enumerate(found, 1):
        start = (place, each.customer, each.reason)
        if not each.attempts:
            yield (*start, each.solution, "", "", "", "尚未回访", "", "")
        for turn, attempt in enumerate(each.attempts, 1):
            last = turn == len(each.attempts)
            outcome = each.outcome if last and each.outcome else attempt.outcome
            yield (
                *start,
                *(attempt.told, attempt.on, MODES.get(attempt.mode, attempt.mode), attempt.note),
                *(OUTCOMES.get(outcome, outcome), "是" if last and each.complaint else ""),
                names.get(attempt.by, attempt.by),
            )


def _option(call: Call, name: str, otherwise: str) -> str:
    """A variable or parameter that the caller may leave out."""
    return str(value_of(call, name) or otherwise)


def _items(found: Iterable[Wanted]) -> list[object]:
    return [each.item() for each in found]


def _round(call: Call) -> Round | None:
    """The round that the call-back belongs to, if the survey has one."""
    return current(call) if rounds.rounds_of(call.conn, call.root) else None


def _customer(call: Call, code: str, number: int | None = None) -> Member | None:
    """The member of the round; None for a code that is not in it, or where no one round is meant."""
    part = part_of(call)
    there = [each for each in rounds.rounds_of(call.conn, call.root) if part is None or each.part == part]
    if number is None:
        plain = there[0] if len(there) == 1 and not there[0].anonymous else None
        return None if plain is None else callbacks.in_round(call.conn, plain, number=None, customer=code)
    found = _round(call)
    if found is None:
        template = "There is no number {number}: {label} has no round"
        raise EngineError(template, number=number, label=call.label)
    return callbacks.in_round(call.conn, found, number=number, customer=code)


def _limit(call: Call) -> str:
    return working_days_on(call, int(parameter(call, "callback_days"))).isoformat()
