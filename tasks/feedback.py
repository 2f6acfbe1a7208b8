"""Feedback: what each customer answered, in words, for whoever analyses it customer by customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.forms import Form
from engine.forms.wording import option_words, words
from engine.handlers import Call, Handlers
from survey import returns, rounds
from survey.wanted import named
from tasks.fieldwork import current

handlers = Handlers("feedback")


@handlers.collection
def returned(call: Call) -> Iterable[object]:
    """The members whose answers are in: `number`, `customer`, and `answers`, a line a question.

    The variable `round_part` says which round. Refuses an anonymous one: nobody knows whose answers they are.
    """
    found = named(current(call))
    form, there = rounds.questionnaire(call.conn, found), returns.stored(call.conn, found)
    return [
        {
            "number": each.number,
            "customer": each.code,
            "answers": "\n".join(_lines(form, there[each.id].answers)),
        }
        for each in rounds.roster(call.conn, found.id)
        if each.id in there
    ]


def _lines(form: Form, answers: Mapping[str, object]) -> Iterator[str]:
    """What was answered, question by question, without what is personal."""
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
