"""`flow round figures`: what a round comes to, by which method, over which base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console import output
from console.drawing import INSTANCE, PART, round_to_read
from console.language import chosen, tr
from console.session import Session
from console.shape import Command, option
from console.writing import FORCE, check_free, written

if TYPE_CHECKING:
    from survey.analysis import Analysis, Crossing
    from survey.figures import CrossTable, Figures, Interval, Line, Method

METHOD = option(
    "--method", metavar="METHOD", help="Of the satisfaction rate, instead of the questionnaire's own."
)
_FEW, _HIDDEN = "indicative only", "too few to be shown"


@click.command(
    "figures",
    cls=Command,
    example="flow round figures SV-12 --by project,segment\nflow round figures SV-12 --xlsx figures.xlsx",
)
@INSTANCE
@PART
@option("--by", metavar="NAMES", help="Also by these groups or items; with commas.")
@METHOD
@option("--xlsx", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it all as a workbook.")
@FORCE
@click.pass_obj
def figures(
    session: Session, instance: str, part: str | None, by: str | None, method: str | None, file: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Figures of a round: response, every item by its method and by all others, reliability, cross-tables.

    Small groups are hidden unless the round is a named one, and all of an anonymous one while it is open; --json and
    --xlsx have all cross-tables.
    """
    from survey.analysis import analyse, check_shown

    names = list(dict.fromkeys(name.strip() for name in (by or "").split(",") if name.strip()))
    check_free(file, force=force)
    with session.read() as conn:
        chosen_round = round_to_read(session, conn, instance, part)
        check_shown(conn, chosen_round)
        found = analyse(conn, chosen_round, names, method_named(method))
    if file is not None:
        _write(session, found, file, force=force)
    if session.json:
        output.dump(plain_analysis(found) | ({} if file is None else {"file": file}))
    elif file is not None:
        output.say("{file} is written", file=file)
    else:
        _show(found)


def method_named(name: str | None) -> Method | None:
    """The method of that id, if there is one named. Raises Invalid."""
    from survey.figures import method

    return None if name is None else method(name)


def _write(session: Session, found: Analysis, file: Path, *, force: bool) -> None:
    from engine.queries import organisation
    from tasks.workbook import figures_workbook

    with session.read() as conn:
        unit = organisation.unit_names(conn).get(found.round.unit, found.round.unit)
    content = figures_workbook(found, unit, session.today)
    with written(file, force=force) as beside:
        beside.write_bytes(content)


def _show(found: Analysis) -> None:
    """Part after part, each under its heading."""
    from survey.figures import percent, shown

    output.heading(f"{found.round.name}  {found.questionnaire.title.of(chosen())}  {found.round.version}")
    _show_response(found)
    output.echo()
    output.heading(tr("Satisfied, by each method"))
    groups = found.by_method[0].groups
    lines = [(each.label.of(chosen()), place) for place, each in enumerate(groups)]
    rows = [
        (name, *(percent(made.groups[place].rate.value) for made in found.by_method)) for name, place in lines
    ]
    rows.append((tr("Whole"), *(percent(made.whole.rate.value) for made in found.by_method)))
    output.table(("", *(made.method.id for made in found.by_method)), rows)
    if found.made.returned:
        output.echo()
        output.heading(tr("Items"))
        show_figures(found.made, items=True)
    if found.consistency:
        output.echo()
        output.heading(tr("Reliability (Cronbach's alpha)"))
        remarks = [tr("doubtful: under 0.7") if each.doubtful else "" for each in found.consistency]
        output.table(
            ("Field", "Items", "Base", "Alpha", "Remark"),
            [
                (each.label.of(chosen()), str(each.items), str(each.base), shown(each.alpha), remark)
                for each, remark in zip(found.consistency, remarks, strict=True)
            ],
        )
    for crossing in found.crossings:
        _show_crossing(crossing)


def _show_response(found: Analysis) -> None:
    from survey.figures import percent

    known = found.outcomes
    rates = () if known is None else (
        ("RR1", percent(known.response_rate_1)), ("RR2", percent(known.response_rate_2)),
        ("COOP1", percent(known.cooperation_rate_1)), ("REF1", percent(known.refusal_rate_1)),
        ("CON1", percent(known.contact_rate_1)),
    )  # fmt: skip
    output.fields(
        (
            (tr("Could be asked"), found.population),
            (tr("Issued"), found.made.issued),
            (tr("Returned"), found.made.returned),
            (tr("Without a rating"), found.made.abstained),
            (tr("Return rate"), percent(found.made.return_rate)),
            *rates,
        )
    )


def _show_crossing(crossing: Crossing) -> None:
    from survey.figures import INDICATIVE, percent, shown

    output.echo()
    output.heading(tr("By {name}", name=crossing.by))
    rows: list[tuple[str, ...]] = []
    for group, made in crossing.groups.items():
        title = group or tr("not known")
        if made is None:
            rows.append((title, "*", "*", "*", "*", tr(_HIDDEN)))
            continue
        remark = tr(_FEW) if made.returned < INDICATIVE else ""
        whole = made.whole
        rows.append(
            (
                title,
                str(made.returned),
                percent(whole.rate.value),
                shown(whole.mean),
                shown(whole.index, 1),
                remark,
            )
        )
    output.table(("Group", "Returned", "Satisfied", "Mean", "Index", "Remark"), rows)
    output.echo()
    tests = [(each.item.label.of(chosen()), *_test(each)) for each in crossing.items]
    output.table(("Item", "χ²", "df", "p", "Remark"), tests)


def _test(table: CrossTable) -> tuple[str, str, str, str]:
    found = table.test
    if found is None:
        return ("—", "—", "—", tr("nothing to compare"))
    doubt = tr("doubtful: small expected counts") if found.doubtful else ""
    return (f"{found.statistic:.2f}", str(found.df), f"{found.p:.4f}", doubt)


def show_figures(figures: Figures, *, items: bool) -> None:
    """Print the table of fields, with their items where wanted, and the whole; response and method below it."""
    from survey.figures import percent, shown

    def line(name: str, each: Line) -> tuple[str, ...]:
        numbers = (each.rate.base, each.tally.abstained, each.tally.blank)
        rate = (percent(each.rate.value), _interval(each.interval))
        return (name, *map(str, numbers), *rate, shown(each.mean), shown(each.index, 1))

    rows = []
    for each in figures.groups:
        inside = [item for item in figures.items if item.group == each.id and item.id != each.id]
        if items:
            rows += [line(f"  {item.label.of(chosen())}", item) for item in inside]
        rows.append(line(each.label.of(chosen()), each))
    rows.append(line(tr("Whole"), figures.whole))
    output.table(("Item", "Base", "Don't know", "Blank", "Satisfied", "95% interval", "Mean", "Index"), rows)
    output.say(
        "Returned {returned} of {issued}, {rate}",
        returned=figures.returned,
        issued=figures.issued,
        rate=percent(figures.return_rate),
    )
    if figures.abstained:
        output.say("Returned without a single rating: {count}", count=figures.abstained)
    output.echo(f"{figures.method.id}: {figures.method.title.of(chosen())} ({figures.method.clause})")


def _interval(found: Interval | None) -> str:
    if found is None:
        return "—"
    if found.method == "t":
        return f"{found.low:.2f}–{found.high:.2f}"
    return f"{100 * found.low:.1f}–{100 * found.high:.1f}%"


def plain_figures(figures: Figures) -> dict[str, Any]:
    """Figures for programs: counts and bases exact, rates and means as printed."""
    from survey.figures import percent, shown

    def plain(each: Line) -> dict[str, object]:
        tally, interval = each.tally, each.interval
        return {
            "counts": {str(point): count for point, count in tally.counts.items()},
            "abstained": tally.abstained,
            "blank": tally.blank,
            "satisfied": tally.satisfied,
            "base": each.rate.base,
            "rate": percent(each.rate.value),
            "mean": shown(each.mean),
            "index": shown(each.index, 1),
            "interval": None if interval is None else [interval.low, interval.high, interval.method],
        }

    return {
        "method": figures.method.id,
        "questionnaire": figures.questionnaire,
        "issued": figures.issued,
        "returned": figures.returned,
        "abstained": figures.abstained,
        "return_rate": percent(figures.return_rate),
        "items": {each.id: plain(each) for each in figures.items},
        "groups": {each.id: plain(each) for each in figures.groups},
        "whole": plain(figures.whole),
    }


def plain_analysis(found: Analysis) -> dict[str, Any]:
    """All figures of a round for programs."""
    from survey.figures import INDICATIVE, percent, shown

    known = found.outcomes
    response = None if known is None else {
        "rr1": percent(known.response_rate_1), "rr2": percent(known.response_rate_2),
        "coop1": percent(known.cooperation_rate_1), "ref1": percent(known.refusal_rate_1),
        "con1": percent(known.contact_rate_1),
    }  # fmt: skip
    return {
        "round": found.round,
        "population": found.population,
        "dispositions": None if known is None else found.progress.dispositions,
        "response": response,
        "figures": plain_figures(found.made),
        "methods": {made.method.id: plain_figures(made) for made in found.by_method},
        "reliability": {
            each.group: {"items": each.items, "base": each.base, "alpha": shown(each.alpha), "doubtful": each.doubtful}
            for each in found.consistency
        },
        "by": {
            crossing.by: {
                "groups": {
                    name: None if made is None
                    else {**plain_figures(made), "indicative": made.returned < INDICATIVE}
                    for name, made in crossing.groups.items()
                },
                "items": {each.item.id: _plain_cross(each) for each in crossing.items},
            }
            for crossing in found.crossings
        },
    }  # fmt: skip


def _plain_cross(table: CrossTable) -> dict[str, Any]:
    return {
        "rows": {
            row.name: None if row.tally is None else {
                "base": row.tally.base, "indicative": row.indicative,
                "counts": {str(point): count for point, count in row.tally.counts.items()},
            }
            for row in table.rows
        },
        "test": table.test,
    }  # fmt: skip
