"""`flow round`: survey rounds, their customers, returns and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.completions import instance_ids
from console.language import Messages, chosen, tr
from console.session import Session
from console.shape import group, option
from engine.errors import Invalid, Problem
from engine.model import instance_number, label

if TYPE_CHECKING:
    from survey.figures import Figures, Tally

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_STATES: Messages = {"open": "under way", "closed": "over"}


@group("round", example="flow round show SV-12\nflow round import SV-12 returns.csv")
def round_() -> None:
    """Survey rounds: customers, returns, figures."""


@round_.command("show", example="flow round show SV-12\nflow round show SV-12 --items")
@click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
@option("--items", is_flag=True, help="Every item, not only the groups.")
@click.pass_obj
def show(session: Session, instance: str, items: bool) -> None:
    """Show how far a round is, and its figures so far."""
    from engine.queries import organisation
    from survey import rounds

    with session.read() as conn:
        found = rounds.round_of(conn, instance_number(instance))
        counts = rounds.dispositions(conn, found.id)
        figures = rounds.figures_of(conn, [found])
        unit = organisation.unit_names(conn).get(found.unit, found.unit)
        title = rounds.questionnaire(conn, found).title.of(chosen())
    if session.json:
        output.dump({"round": found, "dispositions": counts, "figures": _plain(figures)})
        return
    output.heading(f"{label(found.instance)}  {unit}  {found.period or ''}".rstrip())
    output.fields(
        [
            (tr("Questionnaire"), f"{title}  {found.version}"),
            (tr("Status"), tr(_STATES[found.status])),
            *((tr(name), count) for name, count in counts.items() if count),
        ]
    )
    if figures.returned:
        output.echo()
        _show_figures(figures, items=items)


def _show_figures(figures: Figures, *, items: bool) -> None:
    from survey.figures import METHOD_TEXT, percent, shown

    def line(name: str, tally: Tally) -> tuple[str, ...]:
        numbers = (tally.base, tally.abstained, tally.blank)
        return (name, *map(str, numbers), percent(tally.rate), shown(tally.mean))

    rows = []
    for each in figures.groups:
        if items:
            rows += [
                line(f"  {item.label.of(chosen())}", item.tally)
                for item in figures.items
                if item.group == each.id
            ]
        rows.append(line(each.label.of(chosen()), each.tally))
    rows.append(line(tr("Whole"), figures.whole))
    output.table(("Item", "Base", "Don't know", "Blank", "Satisfied", "Mean"), rows)
    output.say(
        "Returned {returned} of {issued}, {rate}",
        returned=figures.returned,
        issued=figures.issued,
        rate=percent(figures.return_rate),
    )
    output.echo(f"{figures.method}: {METHOD_TEXT.of(chosen())}")


@round_.command("import", example="flow round import SV-12 returns.csv --only district=3")
@click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
@click.argument("file", metavar="FILE", type=_FILE)
@option("--only", multiple=True, metavar="COLUMN=VALUE", help="Take only the rows with this value.")
@click.pass_obj
def import_(session: Session, instance: str, file: Path, only: tuple[str, ...]) -> None:
    """Bring answers in from a CSV file: all of it, or nothing when a row does not fit."""
    from survey.commands import ImportReturns

    done = session.do(
        ImportReturns(
            by=session.actor,
            instance=instance_number(instance),
            data=file.read_bytes(),
            source=file.name,
            only=_chosen(only),
        )
    )
    if session.json:
        output.dump(done)
        return
    output.say(
        "Took in {taken} answers ({encoding}); {returned} of {issued} are back",
        taken=done.taken,
        encoding=done.encoding,
        returned=done.returned,
        issued=done.issued,
    )
    if done.left_out:
        output.note("{count} rows were not chosen by --only", count=done.left_out)


@round_.command("roster", example="flow round roster customers.csv")
@click.argument("file", metavar="FILE", type=_FILE)
@click.pass_obj
def roster(session: Session, file: Path) -> None:
    """Bring customers in from a CSV file with the columns customer and unit.

    Customers of a unit named there that the file leaves out are asked no more.
    """
    from survey.commands import ImportRoster

    done = session.do(ImportRoster(by=session.actor, data=file.read_bytes(), source=file.name))
    if session.json:
        output.dump(done)
        return
    output.table(("Unit", "Customers"), [(unit, str(count)) for unit, count in sorted(done.units.items())])
    output.say(
        "{added} are new, {retired} left ({encoding})",
        added=done.added,
        retired=done.retired,
        encoding=done.encoding,
    )


def _chosen(only: tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for each in only:
        column, sign, value = each.partition("=")
        if not (column and sign):
            raise Invalid([Problem("only", "{text} is not like COLUMN=VALUE", {"text": each})])
        chosen[column] = value
    return chosen


def _plain(figures: Figures) -> dict[str, object]:
    """Figures for programs: counts and bases exact, rates and means as printed."""
    from survey.figures import percent, shown

    def tally(each: Tally) -> dict[str, object]:
        return {
            "counts": {str(point): count for point, count in each.counts.items()},
            "abstained": each.abstained,
            "blank": each.blank,
            "satisfied": each.satisfied,
            "base": each.base,
            "rate": percent(each.rate),
            "mean": shown(each.mean),
        }

    return {
        "method": figures.method,
        "questionnaire": figures.questionnaire,
        "issued": figures.issued,
        "returned": figures.returned,
        "return_rate": percent(figures.return_rate),
        "items": {each.id: tally(each.tally) for each in figures.items},
        "groups": {each.id: tally(each.tally) for each in figures.groups},
        "whole": tally(figures.whole),
    }
