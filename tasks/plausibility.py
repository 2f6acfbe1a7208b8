"""Plausibility: whether the answers that came back can well be true, before figures are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import shown
from survey.plausibility import Answers, Doubt, doubts
from survey.returns import stored
from tasks.controlled import tabled
from tasks.meaning import current, parameter
from tasks.papers import TOO_FEW

handlers = Handlers("plausibility")

MOST_NAMED = 20
"""Doubtful questionnaires that the summary names; the list has all of them."""
_NOBODY = "（不记名）"


@handlers.inside
@takes(
    optional={"flow.part": anything, "flow.sets": anything},
    parameters={"doubt_gap": number(0)},
)
def examine(call: Call) -> Values:
    """Points out answers that are the same as others', or whose overall judgement is at odds with the single ones.

    Property: `flow.part`, which round. Parameter: `doubt_gap`, by how many points the overall judgement has to lie off
    the mean of the items. Sets `doubtful`, how many questionnaires, and `doubtful_text`; makes the list of them. In an
    anonymous round it names nobody.
    """
    found = current(call)
    form = rounds.questionnaire(call.conn, found)
    names, sets = _returns(call, found)
    made = list(doubts(form, sets, Fraction(str(parameter(call, "doubt_gap")))))
    rows = [(names[each.place], _said(each, names)) for each in made]
    count = len({each.place for each in made})
    if made:
        call.note("answers.doubted", {"part": found.part or found.name, "count": count, "of": len(sets)})
    lines = [f"{who}：{why}。" for who, why in rows[:MOST_NAMED]]
    lines += [f"等共{count}份。"] if len(rows) > MOST_NAMED else []
    nothing = f"{len(sets)}份答卷中没有发现重复或前后矛盾的答卷"
    return {
        "doubtful": count,
        "doubtful_text": "\n".join(lines) or f"{TOO_FEW if rounds.few(call.conn, [found]) else nothing}。",
        "$record": tabled(call, ("客户", "存疑原因"), rows),
    }


def _returns(call: Call, found: rounds.Round) -> tuple[Sequence[str], Sequence[Answers]]:
    """The answer sets of the round, with who gave them, where that may be known."""
    if found.anonymous:
        sets: list[Mapping[str, object]] = [given for given, _ in rounds.answers_of(call.conn, [found])]
        return [_NOBODY] * len(sets), sets
    there = stored(call.conn, found)
    members = [each for each in rounds.roster(call.conn, found.id) if each.id in there]
    return [each.code for each in members], [there[each.id].answers for each in members]


def _said(each: Doubt, names: Sequence[str]) -> str:
    if not each.others:
        return f"总体评价{shown(each.overall)}分，各项平均{shown(each.mean)}分，相差过大"
    others = list(_named(each.others, names))
    return f"与{'、'.join(others)}的回答完全相同" if others else f"另有{len(each.others)}份回答完全相同"


def _named(places: Sequence[int], names: Sequence[str]) -> Iterator[str]:
    return (names[place] for place in places[:MOST_NAMED] if names[place] != _NOBODY)
