"""`flow round import`, `export` and `correct`: answers come in from files, go out to files, are put right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.drawing import INSTANCE, PART, pairs, round_to_read
from console.session import Session
from console.shape import NUMBER, Command, option
from engine import config
from engine.model import instance_number

if TYPE_CHECKING:
    from survey.commands import ReturnsTaken
    from survey.returns import Difference

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
@option("--reason", metavar="TEXT", help="Why answers that are in change, for the history.")
@option("--second", is_flag=True, help="The same questionnaires typed in again: say where the two differ.")
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
) -> None:
    """Bring answers in from a CSV file or workbook: all of it, or nothing when a row does not fit."""
    from survey.commands import ImportReturns

    if replace and second:
        raise click.UsageError("Give either --replace or --second")
    done = session.do(
        ImportReturns(
            by=session.actor,
            instance=instance_number(instance),
            part=part,
            data=file.read_bytes(),
            source=file.name,
            only=pairs(only, "only"),
            replace=replace,
            reason=reason,
            second=second,
        )
    )
    if session.json:
        output.dump(done)
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
            "answers of an anonymous round in together, {least} or more at a time"
        )
        output.note(template, count=done.taken, least=LEAST)
    if done.comparison is not None:
        twice = done.comparison
        show_differences(twice.differences)
        output.say(
            "{sets} were entered twice: {agreed} of {items} items agree, {differences} differ",
            sets=twice.sets,
            agreed=twice.agreed,
            items=twice.items,
            differences=len(twice.differences),
        )
    if done.left_out:
        output.note("{count} rows were not chosen by --only", count=done.left_out)


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
@click.pass_obj
def export(
    session: Session, instance: str, part: str | None, entry: bool, rows: int, target: Path | None
) -> None:
    """Write the answers to a CSV file, or a workbook to type them in; without names, telephones and addresses."""
    from survey import entry_form, returns, rounds
    from survey.analysis import check_shown

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        form = rounds.questionnaire(conn, found)
        members = rounds.roster(conn, found.id)
        if entry:
            known = list(rounds.counted(conn, found, rounds.HANDED_OUT))
            text = entry_form.entry_form(found, form, members, rows if found.anonymous else 0, known)
        elif found.anonymous:
            check_shown(conn, found)
            sets = [("", groups, given) for given, groups in rounds.answers_of(conn, [found])]
            text = entry_form.answers_table(found, form, sets).encode()
        else:
            there = returns.stored(conn, found)
            named: list[tuple[str, Mapping[str, str], Mapping[str, object]]]
            named = [(each.code, {}, there[each.id].answers) for each in members if each.id in there]
            text = entry_form.answers_table(found, form, named).encode()
    name = f"{found.name.replace(' ', '-')}-{'entry.xlsx' if entry else 'answers.csv'}"
    file = target or Path(name)
    with config.whole(file) as beside:
        beside.write_bytes(text)
    if session.json:
        output.dump({"file": file, "members": len(members)})
    else:
        output.say("{file} is written", file=file)


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
    from survey.commands import Correct

    changed = session.do(
        Correct(
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
