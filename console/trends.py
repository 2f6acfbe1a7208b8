"""`flow round trend` and `priorities`: what changed from round to round, and what to improve first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console import output
from console.completions import instance_ids, units
from console.drawing import INSTANCE, PART, round_to_read
from console.figures import METHOD, method_named
from console.language import Messages, chosen, tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, Command, option
from engine.errors import NotFound
from engine.model import instance_number

if TYPE_CHECKING:
    from survey.figures import Priority, Trend, TrendLine

_QUADRANTS: Messages = {
    "improve": "improve first",
    "keep": "keep up",
    "minor": "minor",
    "beyond": "beyond what is needed",
}


@click.command(
    "trend", cls=Command, example="flow round trend 003G --unit office-3\nflow round trend SV-3 SV-19 SV-40"
)
@click.argument("names", metavar="PROCEDURE|ROUND...", nargs=-1, required=True, shell_complete=instance_ids)
@PART
@option("--unit", metavar="UNIT", shell_complete=units, help="Whose rounds, where several units have some.")
@option("--last", type=NUMBER, metavar="NUMBER", help="Only so many of a procedure's rounds.")
@METHOD
@click.pass_obj
def trend(
    session: Session, names: tuple[str, ...], part: str | None, unit: str | None, last: int | None, method: str | None
) -> None:  # fmt: skip
    """Rounds side by side: those named, or a procedure's closed ones; with the change from the last but one.

    Refused where questionnaire, version or method differ: figures of other questions or formulas are no trend.
    """
    from engine.store.organisation import units_above
    from survey import analysis

    with session.read() as conn:
        if unit is not None:
            units_above(conn, unit)  # there is such a unit
        if len(names) == 1 and not _is_round(names[0]):
            found = analysis.closed_rounds(conn, names[0], part=part, unit=unit)[-(last or 0) :]
        elif unit is not None:
            raise click.UsageError(
                tr("--unit is for a procedure's rounds; rounds that are named have their units")
            )
        else:
            found = analysis.named(conn, names, part)
        for each in found:
            session.may_read(conn, each.unit, each.name)
        made = analysis.trend_of(conn, found, method_named(method))
    if session.json:
        output.dump(_plain_trend(made))
    else:
        _show_trend(made)


def _is_round(name: str) -> bool:
    try:
        return bool(instance_number(name))
    except NotFound:
        return False


def _show_trend(made: Trend) -> None:
    from survey.figures import decimal, percent

    rows: list[tuple[str | Cell, ...]] = []
    for line in (*made.items, *made.groups, made.whole):
        points = "—" if line.change is None else decimal(line.change * 100, 1)
        sign = "+" if line.change is not None and line.change > 0 else ""
        colour = None if not line.change else "green" if line.change > 0 else "red"
        name = line.label.of(chosen()) if line is not made.whole else tr("Whole")
        rows.append((name, *map(percent, line.rates), Cell(f"{sign}{points}", fg=colour)))
    output.table(("Item", *made.names, "Change (points)"), rows, flexible=0)
    output.echo(f"{made.method.id}: {made.method.title.of(chosen())} ({made.method.clause})")


def _plain_trend(made: Trend) -> dict[str, Any]:
    from survey.figures import decimal, percent, shown

    def plain(line: TrendLine) -> dict[str, Any]:
        return {
            "rates": [percent(each) for each in line.rates],
            "means": [shown(each) for each in line.means],
            "bases": line.bases,
            "change": None if line.change is None else decimal(line.change * 100, 1),
        }

    return {
        "method": made.method.id,
        "rounds": made.names,
        "items": {each.id: plain(each) for each in made.items},
        "groups": {each.id: plain(each) for each in made.groups},
        "whole": plain(made.whole),
    }


@click.command("priorities", cls=Command, example="flow round priorities SV-12")
@INSTANCE
@PART
@click.pass_obj
def priorities(session: Session, instance: str, part: str | None) -> None:
    """Items by importance (correlation with the overall judgement) and performance (index): what to improve first."""
    from survey import rounds
    from survey.analysis import check_shown
    from survey.figures import priorities as figured

    with session.read() as conn:
        chosen_round = round_to_read(session, conn, instance, part)
        check_shown(conn, chosen_round)
        found = figured(rounds.counts_of(conn, [chosen_round]))
    order = list(_QUADRANTS)
    ranked = sorted(
        found,
        key=lambda each: (
            order.index(each.quadrant) if each.quadrant else len(order),
            -(each.importance or 0),
        ),
    )
    if session.json:
        output.dump([_plain_priority(each) for each in ranked])
        return
    output.table(
        ("Item", "Importance", "Performance", "Base", "What to do"),
        [
            (
                each.label.of(chosen()),
                "—" if each.importance is None else f"{each.importance:.2f}",
                _index(each),
                str(each.base),
                tr(_QUADRANTS[each.quadrant]) if each.quadrant else tr("nothing to compare"),
            )
            for each in ranked
        ],
    )
    output.note(
        "Above or below is meant against the mean of all items; a correlation is no proof of a cause."
    )


def _index(each: Priority) -> str:
    from survey.figures import shown

    return shown(each.performance, 1)


def _plain_priority(each: Priority) -> dict[str, Any]:
    return {
        "item": each.id, "label": each.label.of(chosen()), "importance": each.importance,
        "performance": _index(each), "base": each.base, "quadrant": each.quadrant,
    }  # fmt: skip
