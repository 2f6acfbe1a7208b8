"""`flow round open`, `draw` and `close`: a round begins, its sample is drawn and proved, it ends."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from console import output
from console.completions import instance_ids
from console.failures import problem_text
from console.language import tr
from console.session import Session
from console.shape import NUMBER, Command, option
from engine.errors import Conflict, Invalid, Problem
from engine.model import instance_number, label

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from survey.draws import Drawn
    from survey.rounds import Round

INSTANCE = click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)
PART = option("--part", metavar="NAME", help="Which round, where the instance has several.")


def round_to_read(session: Session, conn: Connection, instance: str, part: str | None) -> Round:
    """The round, if the person may read it: its members, its ledger, its answers, its figures."""
    from survey import rounds

    found = rounds.round_of(conn, instance_number(instance), part)
    session.may_read(conn, found.unit, found.name)
    return found


@click.command("open", cls=Command, example="flow round open SV-12 --part inpatients --groups ward")
@INSTANCE
@option(
    "--questionnaire",
    default="questionnaire",
    show_default=True,
    metavar="FORM",
    help="Of the procedure's forms.",
)
@option("--part", default="", metavar="NAME", help="The round's name, where the instance is to have several.")
@option(
    "--groups",
    metavar="NAMES",
    help="By what answers are grouped: project, segment, attributes; with commas.",
)
@click.pass_obj
def open_(session: Session, instance: str, questionnaire: str, part: str, groups: str | None) -> None:
    """Open a round by hand, where the diagram does not; its sample is drawn with `flow round draw`."""
    from survey.commands import OpenRound

    names = None if groups is None else tuple(name.strip() for name in groups.split(",") if name.strip())
    found = session.do(
        OpenRound(
            by=session.actor,
            instance=instance_number(instance),
            questionnaire=questionnaire,
            part=part,
            groups=names,
        )
    )
    if session.json:
        output.dump(found)
    else:
        words = ["flow", "round", "draw", label(found.instance), *(["--part", part] if part else [])]
        template = "The round {name} is open; draw its sample: `{command}`"
        output.say(template, name=found.name, command=shlex.join(words))


_DESIGN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--size", {"type": NUMBER, "help": "How many."}),
    ("--share", {"metavar": "PART", "help": "How many, as a part of all: 10%, rounded up."}),
    ("--error", {"metavar": "PART", "help": "How many, for this precision at 95 %: 5%."}),
    (
        "--response",
        {"metavar": "PART", "help": "Draw so many more, as only this part is expected to answer."},
    ),
    ("--least", {"type": NUMBER, "help": "The smallest size that is allowed."}),
    ("--stratify", {"metavar": "COLUMN", "help": "By project, segment or an attribute."}),
    ("--fixed", {"type": NUMBER, "help": "So many of each stratum, instead of in proportion."}),
    ("--least-each", {"type": NUMBER, "help": "At least so many of each stratum."}),
    ("--reason", {"metavar": "TEXT", "help": "Why these customers: of a targeted sample."}),
    ("--months", {"type": NUMBER, "help": "Only who has been there for so many months."}),
    ("--window", {"type": NUMBER, "help": "Of these, whose months ended within the last so many days."}),
    ("--moved-in", {"is_flag": True, "help": "Only whose day of moving in is known and past."}),
    ("--until", {"metavar": "DATE", "help": "Only who was there on that day."}),
    (
        "--dated",
        {
            "metavar": "COLUMN",
            "help": "Only whose day in this column (since, an attribute) lies in a period.",
        },
    ),
    ("--first-day", {"metavar": "DATE", "help": "The first day of that period."}),
    ("--last-day", {"metavar": "DATE", "help": "The last day of that period."}),
    ("--new-share", {"metavar": "PART", "help": "At least this part was never asked before: 20%."}),
)


def _designed(function: Callable[..., None]) -> Callable[..., None]:
    for name, attributes in reversed(_DESIGN):
        function = option(name, **attributes)(function)
    return function


@click.command(
    "draw",
    cls=Command,
    example="flow round draw SV-12 --method stratified --stratify project --error 5%\nflow round draw SV-12 --verify",
)
@INSTANCE
@PART
@option(
    "--method",
    type=click.Choice(["census", "simple", "stratified", "systematic", "targeted"]),
    help="How the sample is drawn; by default a census.",
)
@_designed
@option(
    "--code",
    "codes",
    multiple=True,
    metavar="CODE",
    help="Of a targeted sample: a customer. May be repeated.",
)
@option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="Only customers with this value. May be repeated."
)
@option("--no-repeat", is_flag=True, help="Nobody again before everybody was asked.")
@option(
    "--seed",
    metavar="TEXT",
    help="What chance starts from; by default taken from the history, chosen by nobody.",
)
@option(
    "--again",
    metavar="REASON",
    help="Take an earlier draw back that nobody has acted on, and draw in the same way.",
)
@option("--verify", is_flag=True, help="Draw the stored sample anew and compare.")
@click.pass_obj
def draw(session: Session, /, instance: str, part: str | None, *, verify: bool, **given: Any) -> None:
    """Draw a round's sample, so that anybody can draw it again and find the same."""
    if verify:
        _verify(session, instance, part)
        return
    from survey.commands import DrawSample

    seed, again = given.pop("seed"), given.pop("again")
    given["where"] = pairs(given.pop("where"), "where")
    design = {name: value for name, value in given.items() if value not in (None, (), {}, False)}
    made = session.do(
        DrawSample(
            by=session.actor,
            instance=instance_number(instance),
            part=part,
            design=design,
            seed=seed,
            again=again,
        )
    )
    if session.json:
        output.dump(made)
    else:
        show_draw(made)


def _verify(session: Session, instance: str, part: str | None) -> None:
    from survey import draws

    with session.read() as conn:
        found = round_to_read(session, conn, instance, part)
        made, problems = draws.drawn(conn, found), draws.verify(conn, found)
    if session.json:
        output.dump({"draw": made, "same": not problems, "problems": [str(each) for each in problems]})
    else:
        show_draw(made)
        for problem in problems:
            output.warn("{field}: {problem}", field=tr(problem.field), problem=problem_text(problem))
    if problems:
        raise Conflict("The sample of {name} is not the one that was drawn", name=found.name)
    if not session.json:
        output.say("Drawn again from frame, design and seed: the same {count} customers", count=made.size)


def show_draw(made: Drawn) -> None:
    """How a sample was drawn, and how precise it can be."""
    output.fields(
        [
            (tr("Method"), tr(made.method)),
            (tr("Sample"), tr("{size} of {population}", size=made.size, population=made.population)),
            (tr("Precision"), _precision(made)),
            (tr("Strata"), ", ".join(f"{name or '…'} {count}" for name, count in made.strata.items())),
            (tr("Left out"), ", ".join(f"{tr(why)} {count}" for why, count in made.left_out.items())),
            (tr("Seed"), made.seed),
            (tr("Frame"), f"SHA-256 {made.frame_sha256}"),
        ]
    )
    if made.remark is not None:
        output.warn("{problem}", problem=problem_text(made.remark))


def _precision(made: Drawn) -> str | None:
    from survey.precision import precision

    if made.method == "targeted":
        return tr("none: who was chosen is no random sample, so no margin of error can be given")
    error = precision(made.size, made.population)
    return None if error is None else tr("± {points} points at 95 %", points=f"{100 * error:.1f}")


def pairs(texts: tuple[str, ...], name: str) -> dict[str, str]:
    """`COLUMN=VALUE` each. Raises `Invalid` for what is not like that."""
    chosen = {}
    for each in texts:
        column, sign, value = each.partition("=")
        if not (column and sign):
            raise Invalid([Problem(name, "{text} is not like COLUMN=VALUE", {"text": each})])
        chosen[column] = value
    return chosen


@click.command("close", cls=Command, example="flow round close SV-12")
@INSTANCE
@PART
@click.pass_obj
def close(session: Session, instance: str, part: str | None) -> None:
    """Take no more returns, where the diagram does not close the round."""
    from survey.commands import CloseRound

    found = session.do(CloseRound(by=session.actor, instance=instance_number(instance), part=part))
    if session.json:
        output.dump(found)
    else:
        output.say("The round {name} is closed", name=found.name)
