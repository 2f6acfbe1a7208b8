"""`flow round`: survey rounds, their customers, returns and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console import output
from console.completions import instance_ids
from console.drawing import PART, close, draw, open_, round_to_read, show_draw
from console.entering import enter
from console.figures import figures as figures_command
from console.figures import plain_figures, show_figures
from console.language import Messages, chosen, tr
from console.ledger import ledger, log
from console.returning import correct, export, import_, show_comparison
from console.session import Session
from console.shape import group, option
from console.trends import priorities, trend
from engine.errors import Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from survey.draws import Drawn, Drift
    from survey.figures import Counts, Figures
    from survey.rounds import Round

_STATES: Messages = {"open": "under way", "closed": "over"}


@group("round", example="flow round show SV-12\nflow round import SV-12 returns.csv")
def round_() -> None:
    """Survey rounds: samples, fieldwork, returns, figures."""


@round_.command("show", example="flow round show SV-12\nflow round show SV-12 --items")
@click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
@PART
@option("--items", is_flag=True, help="Every item, not only the groups.")
@option("--by", metavar="ITEM", help="Also by the answers to this item.")
@option("--method", metavar="METHOD", help="Of the satisfaction rate, instead of the questionnaire's own.")
@click.pass_obj
def show(
    session: Session, instance: str, part: str | None, items: bool, by: str | None, method: str | None
) -> None:
    """Show how far a round is, and its figures so far."""
    from engine.queries import organisation
    from survey import figures as made
    from survey import ledger as ledger_
    from survey import returns, rounds

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        drawn, drift = _drawn(conn, found)
        progress = rounds.progress(conn, found)
        form = rounds.questionnaire(conn, found)
        withheld = _withheld(conn, found)
        answers = rounds.counts_of(conn, [found], [by] if by else [])
        figures = made.figures(
            answers,
            issued=rounds.issued_of(conn, [found]),
            method=None if method is None else made.method(method),
            population=rounds.population_of(conn, [found]),
        )
        twice = None if found.anonymous else returns.compare(conn, found, form)
        closed = None if found.closed_at is None else found.closed_at.astimezone(session.zone).date()
        corrected = 0 if closed is None else ledger_.corrected_since(conn, found, closed)
        unit = organisation.unit_names(conn).get(found.unit, found.unit)
    if session.json:
        plain = {"draw": drawn, "drift": drift, "figures": None if withheld else plain_figures(figures)}
        output.dump({"round": found, "progress": progress, "corrected": corrected, "twice": twice, **plain})
        return
    output.heading(f"{found.name}  {unit}  {found.period or ''}".rstrip())
    output.fields(
        [
            (tr("Questionnaire"), f"{form.title.of(chosen())}  {found.version}"),
            (tr("Status"), tr(_STATES[found.status])),
            (tr("Answers are"), tr(found.anonymity)),
            *((tr(name), count) for name, count in progress.dispositions.items() if count),
        ]
    )
    if drawn is not None:
        show_draw(drawn)
    _show_changes(drift, corrected)
    if withheld is not None:
        output.say("Returned {returned} of {issued}", returned=progress.returned, issued=progress.issued)
        output.note(withheld.template, **withheld.params)
    elif figures.returned:
        output.echo()
        show_figures(figures, items=items)
        if by:
            _show_groups(answers, by, figures)
    if twice is not None and twice.sets:
        output.echo()
        show_comparison(twice)


def _show_changes(drift: Drift | None, corrected: int) -> None:
    """What became of the roster since the draw, and of the ledger since the closing."""
    if drift is not None and (drift.joined or drift.left):
        template = (
            "Since the draw {joined} joined the roster and {left} left it; the round stays as it was drawn"
        )
        output.note(template, joined=drift.joined, left=drift.left)
    if corrected:
        template = (
            "{count} results in the ledger were corrected since the closing: "
            "papers made before have the earlier ones"
        )
        output.note(template, count=corrected)


def _withheld(conn: Connection, found: Round) -> Conflict | None:
    """Why the figures of an anonymous round are not shown, if they are not."""
    from survey.analysis import check_shown

    try:
        check_shown(conn, found)
    except Conflict as reason:
        return reason
    return None


def _drawn(conn: Connection, found: Round) -> tuple[Drawn | None, Drift | None]:
    """How the sample was drawn; nothing for one that was not."""
    from survey import draws

    try:
        return draws.drawn(conn, found), draws.drift(conn, found)
    except NotFound:
        return None, None


def _show_groups(counts: Counts, by: str, figures: Figures) -> None:
    from survey import figures as made
    from survey.figures import hidden_groups, percent, shown

    hidden = hidden_groups(counts)
    rows: list[tuple[str, ...]] = []
    for name, part in counts.split(by).items():
        title = name or tr("not known")
        if (by, name) in hidden:
            rows.append((title, "*", "*", "*", tr("too few to be shown")))
            continue
        whole = made.figures(part, issued=0, method=figures.method).whole
        remark = tr("indicative only") if part.returned < made.INDICATIVE else ""
        rows.append((title, str(part.returned), percent(whole.rate.value), shown(whole.mean), remark))
    output.echo()
    output.table(("Group", "Returned", "Satisfied", "Mean", "Remark"), rows)


for _each in (
    *(open_, draw, ledger, log, enter, import_, export, correct, close),
    *(figures_command, trend, priorities),
):
    round_.add_command(_each)
