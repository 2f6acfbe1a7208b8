"""`flow round enter`: questionnaires typed in one after the other, as fast as a clerk reads the paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from console import output
from console.drawing import INSTANCE, PART, round_to_read
from console.failures import problem_text
from console.language import chosen, tr
from console.returning import show_comparison, show_unasked
from console.session import Session
from console.shape import Command, option
from engine.errors import Invalid
from engine.forms import Field, Form, visible

if TYPE_CHECKING:
    from survey.commands import ReturnsTaken
    from survey.rounds import Member, Round


@dataclass(slots=True)
class Keying:
    """One questionnaire being typed in: which item is next, and what was typed so far."""

    form: Form
    typed: dict[str, str] = field(default_factory=dict)
    """By column, in the order of typing; a blank answer is an empty text."""

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

    def type(self, line: str) -> str:
        """Take a line: Enter leaves an item blank, digits answer one item each, `-` leaves one blank.

        What could not be used is returned: the rest of the line, from the first character that is no answer.
        """
        if not line:
            self._put("")
        while line:
            there = self.next()
            if there is None:
                return line
            name, about = there
            codes = {str(option.value) for option in about.options}
            if about.type not in ("choice", "matrix") or any(len(code) > 1 for code in codes):
                self.typed[name] = line
                return ""
            if line[0] not in codes | {"-"}:
                return line
            self.typed[name], line = line[0].replace("-", ""), line[1:].lstrip()
        return ""

    def undo(self) -> None:
        """Take the last answer back."""
        if self.typed:
            self.typed.popitem()

    def _put(self, text: str) -> None:
        if (there := self.next()) is not None:
            self.typed[there[0]] = text


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
    from survey import rounds
    from survey.reading import CUSTOMER

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        form = rounds.questionnaire(conn, found)
    rounds.open_for_returns(found)
    taken: list[ReturnsTaken] = []
    groups: dict[str, str] = {}
    while True:
        who = _whose(session, found, second=second) if not found.anonymous else ""
        if who is None:
            break
        if found.anonymous and not _grouped(found, form, groups):
            break
        cells = _keyed(form)
        if cells is None:
            break
        if not cells:
            continue
        head = {CUSTOMER: who} if who else groups
        taken += _keep(session, found, {**head, **cells}, form, second=second)
    if taken and taken[-1].comparison is not None:
        show_comparison(taken[-1].comparison)
    output.say("{count} questionnaires were typed in", count=len(taken))


def _whose(session: Session, found: Round, *, second: bool) -> str | None:
    """The next customer's code; None at the end."""
    from survey import returns, rounds
    from survey.ledger import WITHOUT

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
    text = _line(tr("Customer (Enter: {code})", code=_title(waiting[0])))
    if text is None or text == "q":
        return None
    if not text:
        return waiting[0].code
    return next((each.code for each in members if text == f"#{each.number}"), text)


def _title(each: Member) -> str:
    return f"#{each.number} {each.code}"


def _grouped(found: Round, form: Form, groups: dict[str, str]) -> bool:
    """Ask for the groups of an anonymous questionnaire; the last ones stand. False at the end."""
    from survey.questionnaires import columns_of

    columns = columns_of(form)
    names = [name for name in found.groups if name not in columns]
    for name in names:
        text = _line(f"{tr(name)} ({groups.get(name, '')})")
        if text is None or text == "q":
            return False
        groups[name] = text or groups.get(name, "")
    return True


def _keyed(form: Form) -> dict[str, str] | None:
    """The cells of one questionnaire: none when it is thrown away, None when all is to end."""
    from survey.reading import ABSTAINED

    keying = Keying(form)
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
            return None
        if line == "x":
            return {}
        if line == "a":
            return {ABSTAINED: "1"}
        if line == "u":
            keying.undo()
            continue
        if rest := keying.type(line):
            output.warn("{rest} is no answer to {item}; what stood before it is taken", rest=rest, item=name)
    return keying.typed


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
    except Invalid as error:
        for problem in error.problems:
            output.warn("{problem}", problem=problem_text(problem))
        return []
    show_unasked(done.unasked, named=not found.anonymous)
    return [done]
