"""Distribution: who gets a questionnaire, who is tried again, struck off, or reminded. For rounds with a sample by
member, for questionnaires handed out to whoever comes by counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from documents.content import Column
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, takes
from survey import ledger, rounds
from survey.figures import percent
from tasks.controlled import listed, tabled
from tasks.fieldwork import issue as issue_to_members
from tasks.fieldwork import open_round
from tasks.meaning import channel_of, current, note_ledger

handlers = Handlers("distribution")

PART = {"flow.part": anything}
_TABLES = ("not_issued", "struck_off")


@handlers.inside
@takes(optional={**PART, "flow.questionnaire": anything, "flow.sets": anything})
def standing(call: Call) -> Values:
    """What is to be distributed: sets `customers` (the size of the sample), `has_sample` and `anonymous`.

    Property: `flow.questionnaire`, which is asked of everybody where the process runs by itself: no caller is there
    then who could have opened a round.
    """
    if call.root == call.instance and not rounds.rounds_of(call.conn, call.root):
        open_round(call)
    found = current(call)
    size = rounds.progress(call.conn, found).members
    return {"customers": size, "has_sample": size > 0, "anonymous": found.anonymous}


@handlers.verify
def counts_sound(call: Call) -> None:
    """The customers in the tables `not_issued` and `struck_off` are in the sample, each once; in `handed_out` no group
    stands twice.

    The variable `channels` (with commas), where the caller gives it, says which ways (`channel`) are allowed.
    """
    size = rounds.progress(call.conn, current(call)).members
    problems = [each for table in _TABLES for each in _misnumbered(call, table, size)]
    problems += _twice(call.values.get("handed_out") or [])
    problems += _disallowed(call)
    if problems:
        raise Invalid(problems)


def _misnumbered(call: Call, table: str, size: int) -> Iterator[Problem]:
    """What is wrong with the numbers in a table of customers, where the roster has so many."""
    seen: set[int] = set()
    for place, row in enumerate(call.values.get(table) or [], 1):
        number = row["number"]
        if number > size:
            yield Problem(f"{table}.{place}.number", "The roster goes from 1 to {size}", {"size": size})
        elif number in seen:
            template = "Customer {number} stands here twice"
            yield Problem(f"{table}.{place}.number", template, {"number": number})
        seen.add(number)


def _disallowed(call: Call) -> Iterator[Problem]:
    allowed = listed(call.variables.get("channels"))
    if allowed and call.values.get("channel", allowed[0]) not in allowed:
        ways = "、".join(ledger.CHANNELS.get(each, each) for each in allowed)
        yield Problem("channel", "Questionnaires are given out by these ways only: {ways}", {"ways": ways})


def _twice(rows: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    names = [row["department"] for row in rows]
    for place, name in enumerate(names, 1):
        if name in names[: place - 1]:
            params = {"department": name}
            yield Problem(f"handed_out.{place}.department", "{department} stands here twice", params)


@handlers.inside
@takes(optional={**PART, "flow.channel": anything, "flow.rest": anything, "flow.sets": anything})
def give_out(call: Call) -> Values:
    """Writes down what was given out, and makes the distribution record; sets `issued`, how many are out by now.

    Of a sample as `fieldwork.issue`; where there is none, the rows of the variable `handed_out` (department, issued)
    are counted by the first of the round's groups.
    """
    found = current(call)
    if rounds.progress(call.conn, found).members:
        return issue_to_members(call)
    given: Counter[str] = Counter()
    for row in call.variables.get("handed_out") or []:
        given[row["department"]] += int(row["issued"])
    ledger.hand_out(call.conn, found, given, {})
    facts = {"part": found.part or found.name, "issued": given.total(), "collected": 0}
    call.note("round.handed_out", {**facts, "handed_out": dict(given)})
    counts = rounds.counted(call.conn, found, rounds.HANDED_OUT)
    way = ledger.CHANNELS[channel_of(call)]
    rows = [(name, count, way) for name, count in sorted(counts.items())]
    table = tabled(call, ("分组", "累计发放份数", "本次渠道"), rows)
    return {"issued": sum(counts.values()), "$record": table}


@handlers.inside
@takes(optional=PART)
def try_again(call: Call) -> Values:
    """Who was not met is listed again, to be tried once more; sets nothing."""
    found = current(call)
    count = ledger.try_again(call.conn, found)
    call.note("round.tried_again", {"count": count})
    return {}


@handlers.inside
@takes(optional={**PART, "flow.sets": anything})
def strike_off(call: Call) -> Values:
    """Takes customers of the variable `struck_off` (number, reason) out of the sample; sets `customers`, who is left.

    They stay on its list as ineligible, with the reason in the ledger, and are drawn again like who was never asked.
    """
    found = current(call)
    members = {each.number: each for each in rounds.roster(call.conn, found.id)}
    rows = call.variables.get("struck_off") or []
    for row in rows:
        ledger.record(
            call.conn,
            found,
            [members[row["number"]]],
            "attempt",
            by=call.by,
            day=date.fromisoformat(call.today),
            now=call.now,
            disposition="ineligible",
            note=str(row["reason"]),
        )
    if rows:
        note_ledger(call, found, "attempt", sorted(row["number"] for row in rows), disposition="ineligible")
    there = rounds.progress(call.conn, found)
    return {"customers": there.members - there.dispositions["ineligible"]}


@handlers.inside
@takes(optional={**PART, "flow.sets": anything})
def outstanding(call: Call) -> Values:
    """What has not come back yet; sets `outstanding`, how many, and `outstanding_text`, who: of an anonymous round
    nobody knows, so that only all together can be reminded.
    """
    found = current(call)
    if found.anonymous:
        there = rounds.progress(call.conn, found)
        missing = max(0, there.issued - there.returned)
        text = f"发放{there.issued}份，已收回{there.returned}份；不记名调查，只能向全体作一般提醒。"
        return {"outstanding": missing, "outstanding_text": text}
    waiting = _waiting(call, found)
    codes = "、".join(each.code for each in waiting[:100]) + ("……" if len(waiting) > 100 else "")
    return {"outstanding": len(waiting), "outstanding_text": f"尚未收回{len(waiting)}份：{codes}。"}


@handlers.inside
@takes(optional={**PART, "flow.channel": anything})
def reminded(call: Call) -> Values:
    """Writes into the ledger who was reminded: all whose questionnaires are still out; sets nothing.

    Property: `flow.channel`, how, or a variable that says so. The variable `remind_note` stands beside each. In an
    anonymous round nobody is named: the journal has that everybody was reminded.
    """
    found, channel = current(call), channel_of(call)
    if found.anonymous:
        call.note("round.reminded", {"channel": channel, "day": call.today})
        return {}
    waiting = _waiting(call, found)
    ledger.record(
        call.conn,
        found,
        waiting,
        "reminder",
        by=call.by,
        day=date.fromisoformat(call.today),
        now=call.now,
        channel=channel,
        note=call.variables.get("remind_note"),
    )
    note_ledger(call, found, "reminder", [each.number for each in waiting], channel=channel)
    return {}


@handlers.inside
@takes(optional={**PART, "flow.sets": anything})
def by_channel(call: Call) -> Values:
    """How many answered by each channel, of those it reached; sets `channel_text`, and makes the table.

    Reads the variable `promotions`, rows with `channel` and `reached`; the channel of an answer is that of its return.
    """
    members = rounds.roster(call.conn, current(call).id)
    came = Counter(each.channel for each in members if each.disposition in ledger.RETURNED)
    rows: list[tuple[str, int | None, int, Fraction | None]] = []
    for each in call.variables.get("promotions") or []:
        reached, back = int(each["reached"]), came.pop(each["channel"], 0)
        rate = Fraction(back, reached) if reached else None
        rows.append((ledger.CHANNELS[each["channel"]], reached, back, rate))
    rows += [(ledger.CHANNELS.get(name or "", "（未注明）"), None, back, None) for name, back in came.items()]
    text = "；".join(
        f"{name}触达{reached or '—'}，回应{back}（{percent(rate)}）" for name, reached, back, rate in rows
    )
    head = ("渠道", "触达人数", "回应份数", Column("回应率", "percent", 1))
    table = tabled(call, head, rows)
    return {"channel_text": f"{text}。" if text else "", "$record": table}


def _waiting(call: Call, found: rounds.Round) -> tuple[rounds.Member, ...]:
    return ledger.to_remind(call.conn, found, 0, date.fromisoformat(call.today))
