"""`flow round enter`: questionnaires typed in one after the other, as fast as a clerk reads the paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

from console import output
from console.drawing import INSTANCE, PART, round_to_read
from console.failures import problem_text
from console.language import chosen, tr
from console.returning import show_comparison, show_unasked
from console.session import Session
from console.shape import Command, option
from engine.characters import identity
from engine.errors import EngineError, Invalid, Problem
from engine.forms import Field, Form, visible
from engine.model import label

if TYPE_CHECKING:
    from survey.commands import ReturnsTaken
    from survey.rounds import Member, Round

End = Literal["finished", "thrown away", "broken off"]


@dataclass(slots=True)
class Keying:
    """One questionnaire being typed in: which item is next, and what was typed so far."""

    form: Form
    typed: dict[str, str] = field(default_factory=dict)
    """By column, in the order of typing; a blank answer is an empty text."""
    abstained: bool = False

    def next(self) -> tuple[str, Field] | None:
        """The column to type now, and its field; None at the end."""
        from survey.questionnaires import columns_of

        columns = columns_of(self.form)
        shown = self.form.questions
        if any(each.show_if for each in self.form.fields):
            given = {columns[name]: text for name, text in self.typed.items() if text}
            shown = tuple(each for each in visible(self.form, given) if each.type != "info")
        for each in shown:
            for name in [row.id for row in each.rows] or [each.id]:
                if name not in self.typed:
                    return name, each
        return None

    def type(self, line: str) -> Problem | None:
        """Take a line: Enter leaves an item blank, digits answer one item each, a dash leaves one blank.

        What is no digit is a line for itself. Returns what could not be used: the rest of the line from the first sign
        that is no answer, or all of a line that answers more items than there are.
        """
        from survey.figures import wordless

        rest, before = line, dict(self.typed)
        while (there := self.next()) is not None:
            name, about = there
            codes = (
                {str(each.value) for each in about.options} if about.type in ("choice", "matrix") else set()
            )
            by_digits = bool(codes) and all(len(code) == 1 for code in codes)
            if rest and by_digits:
                sign = "" if wordless(rest[0]) else identity(rest[0])
                if sign and sign not in codes:
                    return _no_answer(rest, name)
                self.typed[name], rest = sign, rest[1:].lstrip()
            elif rest == line:
                self.typed[name], rest = "" if wordless(line) else line, ""
            else:
                return _no_answer(rest, name)
            if not rest:
                return None
        self.typed = before
        template = "{line} answers more items than there are: none of it is taken, type the line again"
        return Problem("", template, {"line": line})

    def rated(self) -> int:
        """How many of the rated items have an answer."""
        names = {
            name
            for each in self.form.questions
            if each.scale
            for name in [row.id for row in each.rows] or [each.id]
        }
        return sum(1 for name, text in self.typed.items() if text and name in names)

    def again(self, columns: Collection[str]) -> None:
        """Ask for these items again."""
        self.typed = {name: text for name, text in self.typed.items() if name not in columns}

    def cells(self) -> dict[str, str]:
        """What was typed, as a row of a returns file."""
        from survey.reading import ABSTAINED

        return {**self.typed, **({ABSTAINED: "1"} if self.abstained else {})}


def _no_answer(rest: str, item: str) -> Problem:
    template = "{rest} is no answer to {item}; what stood before it is taken"
    return Problem("", template, {"rest": rest, "item": item})


@click.command("enter", cls=Command, example="flow round enter SV-12\nflow round enter SV-12 --second")
@INSTANCE
@PART
@option("--second", is_flag=True, help="Type the same questionnaires in again, to find what was mistyped.")
@click.pass_obj
def enter(session: Session, instance: str, part: str | None, second: bool) -> None:
    """Type questionnaires in, one after the other.

    Digits answer one item each, several on a line if you like; Enter or - leaves an item blank, u takes the last
    answer back, a marks a questionnaire that rates nothing, x throws the one begun away, q ends. Each is kept as
    soon as it is finished: whoever comes back goes on with the next. A second entry ends with what differs.
    """
    from survey import returns, rounds

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        form = rounds.questionnaire(conn, found)
        if second:
            returns.compare(conn, found, form)  # refused before anything is typed
        if found.anonymous:
            returns.check_given_out(conn, found, 1)
    rounds.open_for_returns(found)
    taken: list[ReturnsTaken] = []
    head: dict[str, str] | None = {}
    while True:
        head = (
            _groups(session, found, form, head) if found.anonymous else _whose(session, found, second=second)
        )
        if head is None:
            break
        if not _fits(session, found, form, head, second=second):
            continue
        keying = Keying(form)
        end = _typed_in(session, found, keying)
        if end == "broken off":
            break
        if end == "finished":
            taken += _keep(session, found, {**head, **keying.cells()}, form, second=second)
    if taken and taken[-1].comparison is not None:
        show_comparison(taken[-1].comparison)
    output.say("{count} questionnaires were typed in", count=len(taken))


def _whose(session: Session, found: Round, *, second: bool) -> dict[str, str] | None:
    """The next customer; None at the end."""
    from survey import returns, rounds
    from survey.ledger import WITHOUT
    from survey.reading import CUSTOMER

    with session.read() as conn:
        members = rounds.roster(conn, found.id)
        done = returns.stored(conn, found, 2 if second else 1)
        first = returns.stored(conn, found) if second else None
    waiting = [
        each
        for each in members
        if each.issued_on
        and each.disposition not in WITHOUT
        and each.id not in done
        and (first is None or each.id in first)
    ]
    output.note("{count} are in, {waiting} are not", count=len(done), waiting=len(waiting))
    if not waiting:
        return None
    while (text := _line(tr("Customer (Enter: {code})", code=_title(waiting[0])))) == "u":
        _say_how_to_correct(found)
    if text is None or text == "q":
        return None
    if not text:
        return {CUSTOMER: waiting[0].code}
    return {CUSTOMER: next((each.code for each in members if text == f"#{each.number}"), text)}


def _title(each: Member) -> str:
    return f"#{each.number} {each.code}"


def _groups(
    session: Session, found: Round, form: Form, last: Mapping[str, str] | None
) -> dict[str, str] | None:
    """The groups of the next anonymous questionnaire, by default the last ones; None at the end."""
    from survey import rounds
    from survey.questionnaires import columns_of

    with session.read() as conn:
        counts = rounds.progress(conn, found)
    waiting = counts.issued - counts.returned
    output.note("{count} are in, {waiting} are not", count=counts.returned, waiting=waiting)
    if waiting <= 0:
        return None
    groups: dict[str, str] = {}
    columns, before = columns_of(form), last or {}
    for name in found.groups:
        if name in columns:
            continue
        text = _line(f"{tr(name)} ({before.get(name, '')})")
        if text is None or text == "q":
            return None
        groups[name] = text or before.get(name, "")
    return groups


def _fits(session: Session, found: Round, form: Form, head: Mapping[str, str], *, second: bool) -> bool:
    """Whether a questionnaire of that customer, or of those groups, may come in; if not, it is said why."""
    from survey.matching import Matcher, standing
    from survey.reading import Judged, layout
    from survey.sheets import Row

    with session.read() as conn:
        stands, columns = standing(conn, found), layout(found, form)
        matcher = Matcher(conn, found, columns, stands, entry=2 if second else 1, replace=False)
    try:
        matcher.matched([Judged(Row(1, dict(head)), None, None, ())])
    except Invalid as error:
        _warn(error.problems)
        return False
    return True


def _typed_in(session: Session, found: Round, keying: Keying) -> End:
    """One questionnaire, until all of it can be taken in: what cannot be read is asked for again."""
    from survey.questionnaires import columns_of
    from survey.reading import Reader
    from survey.sheets import Row

    reader, columns = Reader(found, keying.form, today=session.today), columns_of(keying.form)
    while (end := _keyed(found, keying)) == "finished":
        cells = keying.cells()
        if not any(cells.values()):
            output.warn("Nothing was answered: such a questionnaire is marked with a; this one is not kept")
            return "thrown away"
        wrong = {each.field.rpartition(".")[2]: each for each in reader.judged(Row(1, cells)).problems}
        for name in wrong.keys() & columns.keys():
            output.warn("{item}: {problem}", item=name, problem=problem_text(wrong[name]))
        if not wrong.keys() & columns.keys():
            break
        keying.again(wrong)
    if end == "broken off" and any(keying.typed.values()):
        output.warn("The questionnaire begun is not kept: only finished ones are")
    return end


def _keyed(found: Round, keying: Keying) -> End:
    """Take lines until there is no item left to answer."""
    last = ""
    while (there := keying.next()) is not None:
        name, about = there
        if about.id != last:
            last = about.id
            output.heading(about.label.of(chosen()))
            if about.options:
                output.echo("  ".join(f"{each.value} {each.label.of(chosen())}" for each in about.options))
        line = _line(name)
        if line is None or line == "q":
            return "broken off"
        if line == "x":
            return "thrown away"
        if line == "a" and not (rated := keying.rated()):
            keying.abstained = True
            return "finished"
        if line == "a":
            template = (
                "{count} items are rated already, so it is no abstention: u takes answers back, x throws the "
                "questionnaire away"
            )
            output.warn(template, count=rated)
        elif line == "u" and keying.typed:
            keying.typed.popitem()
        elif line == "u":
            _say_how_to_correct(found)
        elif problem := keying.type(line):
            _warn([problem])
    return "finished"


def _say_how_to_correct(found: Round) -> None:
    """Of the questionnaires that are in already."""
    if found.anonymous:
        output.note(
            "Nothing is typed yet, and nobody knows which answers of an anonymous round the last ones are"
        )
    else:
        template = (
            "Nothing is typed yet; what is in is corrected with `flow round correct {instance} CODE --set …`"
        )
        output.note(template, instance=label(found.instance))


def _warn(problems: Collection[Problem]) -> None:
    for problem in problems:
        output.warn("{problem}", problem=problem_text(problem))


def _line(prompt: str) -> str | None:
    """A line as typed; None at the end of the input."""
    try:
        text: str = click.prompt(prompt, default="", show_default=False)
    except click.Abort:
        return None
    return text.strip()


def _keep(
    session: Session, found: Round, cells: Mapping[str, str], form: Form, *, second: bool
) -> list[ReturnsTaken]:
    """Take the questionnaire in; what does not fit is said, and nothing returned."""
    from survey.commands import ImportReturns
    from survey.questionnaires import columns_of

    names = [*columns_of(form), *(name for name in cells if name not in columns_of(form))]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([names, [cells.get(name, "") for name in names]])
    command = ImportReturns(
        by=session.actor,
        instance=found.instance,
        part=found.part,
        data=text.getvalue(),
        source="typed in",
        second=second,
    )
    try:
        done = session.do(command)
    except EngineError as error:
        _warn(error.problems if isinstance(error, Invalid) else [Problem("", error.template, error.params)])
        output.warn("The questionnaire is not kept")
        return []
    show_unasked(done.unasked, named=not found.anonymous)
    return [done]
