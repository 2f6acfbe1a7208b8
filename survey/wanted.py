"""Who is to be called back after a round, and why: dissatisfied, with a written opinion, a complaint, a key account.

Functions work in the caller's transaction and raise `Conflict` for an anonymous round, of which nobody knows who
answered what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from engine.errors import Conflict, Invalid, Problem
from engine.forms import Field, Form
from engine.ports import Connection
from survey import returns, rounds
from survey.figures.shape import CountedItem, shape_of
from survey.returns import flat
from survey.rounds import Member, Round
from survey.tables import respondent

_MOST = 300
"""Characters of an opinion that a reason quotes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody who is to be called back."""

    number: int | None
    """Of the round, from 1; None for a customer of the roster alone."""
    customer: str
    reason: str
    returned_on: str | None = None
    """The day on which the questionnaire came back."""

    def item(self) -> dict[str, object]:
        """As a batch hands it to its child."""
        return {
            "number": self.number,
            "customer": self.customer,
            "reason": self.reason,
            "returned_on": self.returned_on,
        }


def named(found: Round) -> Round:
    """The round. Raises `Conflict` for an anonymous one: nobody is to know who answered what."""
    if found.anonymous:
        template = "{round} is anonymous: nobody knows whom to call back, or whose questionnaire to check"
        raise Conflict(template, round=found.name)
    return found


def dissatisfied(conn: Connection, found: Round, *, any_item: bool = False) -> Iterator[Wanted]:
    """Who rated the overall item below satisfied; where `any_item` says so, or there is no such item, any of them."""
    form = rounds.questionnaire(conn, named(found))
    shape = shape_of(form)
    judged = shape.rated_items if any_item or shape.overall is None else (shape.items[shape.overall],)
    words = {item.id: _words(form, item) for item in judged}
    for who, given in _answered(conn, found):
        answers = flat(given)
        bad = [
            f"{item.label.zh}：{words[item.id][point]}"
            for item in judged
            if (point := item.levels.place(answers.get(item.id))) is not None
            and point not in item.levels.satisfied
        ]
        if bad:
            yield Wanted(who.number, who.code, "；".join(bad), who.returned_on)


def _words(form: Form, item: CountedItem) -> list[str]:
    """What the points of the item are called."""
    field = next(each for each in form.questions if each.id == item.group)
    assert field.scale is not None
    return [point.label.zh for point in field.scale.points]


def opinions(conn: Connection, found: Round, items: Collection[str] = ()) -> Iterator[Wanted]:
    """Who wrote something: in these items, or in any open one that is not personal."""
    form = rounds.questionnaire(conn, named(found))
    asked = _open_items(form, items)
    for who, given in _answered(conn, found):
        said = [f"{each.label.zh}：{text}" for each in asked if (text := _text(given.get(each.id)))]
        if said:
            yield Wanted(who.number, who.code, "；".join(said), who.returned_on)


def complaints(conn: Connection, found: Round, item: str) -> Iterator[Wanted]:
    """Who raised a complaint: in the questionnaire's item of that id, a yes or a text. Raises `Invalid` without it."""
    form = rounds.questionnaire(conn, named(found))
    field = next((each for each in form.questions if each.id == item), None)
    if field is None:
        raise Invalid([Problem(item, "The questionnaire has no item {item}", {"item": item})])
    for who, given in _answered(conn, found):
        value = given.get(item)
        if value is True:
            others = [
                f"{each.label.zh}：{text}"
                for each in _open_items(form, ())
                if (text := _text(given.get(each.id)))
            ]
            yield Wanted(who.number, who.code, "；".join(others) or field.label.zh, who.returned_on)
        elif isinstance(value, str) and (text := _text(value)):
            yield Wanted(who.number, who.code, text, who.returned_on)


def key_accounts(conn: Connection, found: Round) -> Iterator[Wanted]:
    """The members who are key accounts on the roster."""
    there = rounds.roster(conn, named(found).id)
    known = select(respondent.c.id).where(
        respondent.c.id.in_([each.respondent for each in there]), respondent.c.key_account
    )
    chosen = set(conn.execute(known).scalars())
    for each in there:
        if each.respondent in chosen:
            yield Wanted(each.number, each.code, "重点客户", each.returned_on)


def _open_items(form: Form, items: Collection[str]) -> list[Field]:
    texts = [each for each in form.questions if each.type in ("text", "long_text") and not each.personal]
    strange = [name for name in items if name not in {each.id for each in texts}]
    if strange:
        template = "The questionnaire has no open item {item}"
        raise Invalid([Problem("opinion_items", template, {"item": ", ".join(strange)})])
    return [each for each in texts if not items or each.id in items]


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def _answered(conn: Connection, found: Round) -> Iterator[tuple[Member, Mapping[str, object]]]:
    there = returns.stored(conn, found)
    for each in rounds.roster(conn, found.id):
        if each.id in there:
            yield each, there[each.id].answers
