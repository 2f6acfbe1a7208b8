"""Opinions: what customers wrote, each with a number; people sort them, and none is passed over.

A form sorts them in a table with the column `numbers` (`1-3, 7`), a row for those that belong together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from documents.content import Value
from engine.errors import EngineError, Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, takes
from survey import rounds
from survey.numbering import ranges
from survey.opinions import Opinion, numbers_in, written
from survey.rounds import Member, Round
from survey.wanted import Wanted, named
from tasks.appointments import all_hold
from tasks.controlled import listed, tabled
from tasks.meaning import current, part_of, value_of
from tasks.papers import TOO_FEW

handlers = Handlers("opinions")

MOST_SHOWN = 100
"""Opinions that a form shows; the list on file has all of them."""
_TABLE = "opinion_groups"


@handlers.inside
@takes({"flow.record": anything}, {"flow.part": anything, "flow.sets": anything})
def gather(call: Call) -> Values:
    """Numbers and lists what was written to the open questions; the record is the list.

    Property: `flow.part`, which round (all of them where there are several and none is said). The parameter
    `opinion_items` names the questions, if not all count. Sets `opinions_count`, and `opinions_text`, the first
    hundred, a line each.
    """
    said = _said(call)
    lines = [f"{each.number}. {each.text}（{each.question}）" for each in said[:MOST_SHOWN]]
    if len(said) > MOST_SHOWN:
        lines.append(f"其余{len(said) - MOST_SHOWN}条见客户意见清单。")
    own = ("客户",) if all(each.named for each in _rounds(call)) else ()
    none = TOO_FEW if rounds.few(call.conn, _rounds(call)) else "没有书面意见"
    rows: list[tuple[Value, ...]] = [
        (each.number, *(_whose(each) if own else ()), each.question, each.text) for each in said
    ]
    return {
        "opinions_count": len(said),
        "opinions_text": "\n".join(lines) or f"{none}。",
        "$record": tabled(call, ("序号", *own, "题目", "意见"), rows),
    }


def _whose(opinion: Opinion) -> tuple[str, ...]:
    return () if opinion.member is None else (opinion.member.code,)


@handlers.verify
def all_sorted(call: Call) -> None:
    """Every opinion stands in exactly one row of the table `opinion_groups`.

    Where the parameter `opinion_head` names a role, whoever answers for a row (`head`) has to hold it.
    """
    size = len(_said(call))
    role = call.parameters.get("opinion_head")
    problems = all_hold(call, _TABLE, "head", str(role)) if role else []
    seen: Counter[int] = Counter()
    for place, row in enumerate(call.values.get(_TABLE) or [], 1):
        try:
            for numbers in numbers_in(str(row.get("numbers") or "")):
                if numbers[-1] > size:
                    raise ValueError(str(numbers[-1]))
                seen.update(numbers)
        except ValueError as strange:
            template = "{part} is no number of an opinion: write as in 1-3, 7; the last one is {size}"
            problems.append(Problem(f"{_TABLE}.{place}.numbers", template, {"part": strange, "size": size}))
    if twice := sorted(number for number, times in seen.items() if times > 1):
        template = "Opinions {numbers} stand in more than one row"
        problems.append(Problem(_TABLE, template, {"numbers": ranges(twice)}))
    missing = [number for number in range(1, size + 1) if number not in seen]
    if missing and not problems:
        template = "Opinions {numbers} are not sorted yet"
        problems.append(Problem(_TABLE, template, {"numbers": ranges(missing)}))
    if problems:
        raise Invalid(problems)


@handlers.collection
def raised_by(call: Call) -> Iterable[object]:
    """Who wrote the opinions of the variable `opinion_numbers` (`1-3, 7`): number, customer, reason; each once."""
    return [each.item() for each in _raisers(call, str(call.variables.get("opinion_numbers") or ""))]


def _raisers(call: Call, text: str) -> Iterator[Wanted]:
    said = _said(call)
    for each_round in _rounds(call):
        named(each_round)
    try:
        chosen = {number for numbers in numbers_in(text) for number in numbers}
    except ValueError as strange:
        template = "{part} is no number of an opinion: write as in 1-3, 7; the last one is {size}"
        raise EngineError(template, part=strange, size=len(said)) from None
    found: dict[str, tuple[Member, list[str]]] = {}
    for each in said:
        if each.number in chosen and each.member is not None:
            found.setdefault(each.member.code, (each.member, []))[1].append(each.text)
    only = len(_rounds(call)) == 1
    for member, texts in found.values():
        yield Wanted(member.number if only else None, member.code, "；".join(texts))


def _rounds(call: Call) -> list[Round]:
    """The round that is meant; all of the instance where there are several and none is said."""
    there = rounds.rounds_of(call.conn, call.root) if part_of(call) is None else []
    return list(there) if len(there) > 1 else [current(call)]


def _said(call: Call) -> list[Opinion]:
    """What was written in these rounds, numbered through; with `opinion_items`, to these questions only."""
    items = listed(value_of(call, "opinion_items"))
    said = [each for found in _rounds(call) for each in written(call.conn, found, items)]
    return [replace(each, number=number) for number, each in enumerate(said, 1)]
