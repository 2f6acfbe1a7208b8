"""`flow round import`, `export` and `correct`: answers come in from files, go out to files, are put right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.drawing import INSTANCE, PART, pairs, round_to_read
from console.language import chosen, tr
from console.session import Session
from console.shape import NUMBER, Command, option
from console.writing import FORCE, written
from engine.files import read_file
from engine.model import instance_number

if TYPE_CHECKING:
    from survey.commands import ReturnsTaken
    from survey.reading import Unasked
    from survey.returns import Comparison, Difference

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MOST = 20


@click.command(
    "import",
    cls=Command,
    example="flow round import SV-12 returns.csv --only district=3\nflow round import SV-12 again.xlsx --second",
)
@INSTANCE
@click.argument("file", metavar="FILE", type=_FILE)
@PART
@option("--only", multiple=True, metavar="COLUMN=VALUE", help="Take only the rows with this value.")
@option(
    "--replace", is_flag=True, help="Replace answers that are in already; the history keeps the old ones."
)
@option(
    "--reason",
    metavar="TEXT",
    help="Why answers that are in change, or an anonymous round's are alike, for the history.",
)
@option("--second", is_flag=True, help="The same questionnaires typed in again: say where the two differ.")
@option(
    "--take-back",
    is_flag=True,
    help="Strike out of an anonymous round what this file brought in (permission admin; with --reason).",
)
@click.pass_obj
def import_(
    session: Session,
    instance: str,
    file: Path,
    part: str | None,
    only: tuple[str, ...],
    replace: bool,
    reason: str | None,
    second: bool,
    take_back: bool,
) -> None:
    """Bring answers in from a CSV file or workbook: all of it, or nothing when a row does not fit."""
    from survey.commands import ImportReturns
    from survey.sheets import MAX_BYTES

    if replace + second + take_back > 1:
        raise click.UsageError(tr("Give one of --replace, --second and --take-back"))
    done = session.do(
        ImportReturns(
            by=session.actor,
            instance=instance_number(instance),
            part=part,
            data=read_file(file, MAX_BYTES),
            source=file.name,
            only=pairs(only, "only"),
            replace=replace,
            reason=reason,
            second=second,
            take_back=take_back,
        )
    )
    if session.json:
        output.dump(done)
    elif take_back:
        output.say(
            "{count} answer sets are taken back; {returned} of {issued} are back",
            count=done.taken_back,
            returned=done.returned,
            issued=done.issued,
        )
    else:
        _report(done)


def _report(done: ReturnsTaken) -> None:
    from survey.figures import LEAST

    output.say(
        "Took in {taken} answers ({encoding}); {returned} of {issued} are back",
        taken=done.taken,
        encoding=done.encoding,
        returned=done.returned,
        issued=done.issued,
    )
    if done.replaced:
        output.say("{count} were in already and are replaced", count=done.replaced)
    if done.groups and list(done.groups) != [""]:
        output.table(
            ("Group", "Returned"), [(name, str(count)) for name, count in sorted(done.groups.items())]
        )
    if done.groups and done.taken < LEAST:
        template = (
            "Only {count} came in this file: the history tells that so many came in now, and by whom. Take the "
            "answers of an anonymous round in together, {least} or more at a time. Nor can anybody tell of so few "
            "whether they were taken in before"
        )
        output.note(template, count=done.taken, least=LEAST)
    if done.comparison is not None:
        show_comparison(done.comparison)
    if done.left_out:
        output.note("{count} rows were not chosen by --only", count=done.left_out)
    show_unasked(done.unasked, named=not done.groups)


def show_unasked(found: tuple[Unasked, ...], *, named: bool) -> None:
    """Answers that were not taken in, by their rows, and why; the first of many."""
    for each in found[:_MOST]:
        output.warn(
            "Row {row}, {column}: not taken in, since it is asked only where {when}",
            row=each.row,
            column=each.column,
            when=each.when.of(chosen()),
        )
    if found:
        output.warn("{count} answers to questions that were not asked are not taken in", count=len(found))
    if found and named:
        output.note(
            "If one is to count, correct it together with the answer that hides it: flow round correct"
        )


def show_comparison(twice: Comparison) -> None:
    """Where first and second entry differ, and how often they agree."""
    show_differences(twice.differences)
    output.say(
        "{sets} were entered twice: {agreed} of {items} items agree, {differences} differ",
        sets=twice.sets,
        agreed=twice.agreed,
        items=twice.items,
        differences=len(twice.differences),
    )


def show_differences(found: tuple[Difference, ...]) -> None:
    """Items with their two values; the first of many."""
    rows = [
        (str(each.number), each.code, each.item, str(each.first or ""), str(each.second or ""))
        for each in found[:_MOST]
    ]
    output.table(("No.", "Customer", "Item", "First", "Second"), rows)
    if len(found) > _MOST:
        output.note("{count} more; --json lists all", count=len(found) - _MOST)


@click.command(
    "export",
    cls=Command,
    example="flow round export SV-12 --entry -o entry.xlsx\nflow round export SV-12 -o answers.csv",
)
@INSTANCE
@PART
@option("--entry", is_flag=True, help="A workbook to type answers in, a row for each customer.")
@option(
    "--rows", type=NUMBER, default=200, show_default=True, help="Rows of an anonymous round's entry form."
)
@option("-o", "--output", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write there.")
@FORCE
@click.pass_obj
def export(
    session: Session,
    instance: str,
    part: str | None,
    entry: bool,
    rows: int,
    target: Path | None,
    force: bool,
) -> None:
    """Write the answers to a CSV file, or a workbook to type them in; without names, telephones and addresses.

    Only a named round's answers have the customers' codes; --entry has them unless the round is anonymous.
    """
    from survey import entry_form, returns, rounds
    from survey.analysis import shown_answers
    from survey.figures import LEAST

    blank = 0
    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        form = rounds.questionnaire(conn, found)
        members = rounds.roster(conn, found.id)
        if entry:
            known = list(rounds.counted(conn, found, rounds.HANDED_OUT))
            text = entry_form.entry_form(found, form, members, rows if found.anonymous else 0, known)
        elif not found.named:
            shown = shown_answers(conn, found)
            blank = 0 if not found.groups else sum(not groups for groups, _ in shown)
            text = entry_form.answers_table(found, form, [("", *each) for each in shown]).encode()
        else:
            there = returns.stored(conn, found)
            named: list[tuple[str, Mapping[str, str], Mapping[str, object]]]
            named = [(each.code, {}, there[each.id].answers) for each in members if each.id in there]
            text = entry_form.answers_table(found, form, named).encode()
    name = f"{found.name.replace(' ', '-')}-{'entry.xlsx' if entry else 'answers.csv'}"
    file = target or Path(name)
    with written(file, force=force) as beside:
        beside.write_bytes(text)
    if session.json:
        output.dump({"file": file, "members": len(members), "without_groups": blank})
        return
    output.say("{file} is written", file=file)
    if blank:
        template = (
            "{count} rows stand there without their groups: groups of fewer than {least} of a round that is "
            "not named are not shown, nor those by which they could be worked out"
        )
        output.note(template, count=blank, least=LEAST)


@click.command(
    "correct",
    cls=Command,
    example='flow round correct SV-12 B-1203 --set q2_01=4 --reason "misread the paper"',
)
@INSTANCE
@click.argument("code", metavar="CODE")
@PART
@option(
    "--set",
    "values",
    multiple=True,
    metavar="COLUMN=VALUE",
    required=True,
    help="The right answer; blank: none.",
)
@option("--reason", metavar="TEXT", required=True, help="Why, for the history.")
@click.pass_obj
def correct(
    session: Session, instance: str, code: str, part: str | None, values: tuple[str, ...], reason: str
) -> None:
    """Correct answers that are in; the history keeps the old ones."""
    from survey.commands import CorrectAnswers

    changed = session.do(
        CorrectAnswers(
            by=session.actor,
            instance=instance_number(instance),
            part=part,
            code=code,
            values=pairs(values, "set"),
            reason=reason,
        )
    )
    if session.json:
        output.dump(changed)
    elif changed:
        show_differences(changed)
    else:
        output.note("Nothing changed: the answers were so already")
