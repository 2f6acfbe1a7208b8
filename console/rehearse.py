"""`flow rehearse`: a procedure's scenarios, or a bare diagram, on a private database and a virtual clock."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from console import failures, folders, output, values, year
from console.dates import moment_text
from console.language import Messages, tr
from console.output import Cell
from console.session import Session, subjects
from console.shape import Real, command, option
from engine.files import read_file

if TYPE_CHECKING:
    from engine.procedures import Procedure
    from engine.rehearsal import Rehearsal, Wait
    from engine.rehearsal.courses import Played

WAITING = 9
"""Exit code of a diagram that has not come to its end, though nothing went wrong."""
_MOST_HOURS = 24.0 * 365 * 100
_WAITS: Messages = {
    "message": "the message {what}",
    "signal": "the signal {what}",
    "condition": "this to be true: {what}",
    "timer": "{until}, which lies beyond --hours",
    "flows": "what has yet to come over {what}",
    "tokens": "more to come over its flows: {what}",
    "call": "the called process {what}",
    "batch": "its instances, of which are done: {what}",
}
_OF_FILE = ("process", "sets", "hours")
_OF_PROCEDURE = ("only",)
_SECONDS = 1.0
"""Between two words on how far a long rehearsal is."""
_SHOWN = 60
"""Elements shown of a way's beginning, as many of its end, and incidents."""


@command(
    "rehearse",
    example="flow rehearse 003G\nflow rehearse my.bpmn --set approved:=true\n"
    "flow rehearse --all --from 2026-01-01 --to 2026-12-31 --seed 7",
)
@click.argument("what", metavar="[PROCEDURE|FILE]", required=False)
@option("--scenario", "only", metavar="ID", multiple=True, help="Only this scenario; may be repeated.")
@option("--process", metavar="ID", help="Of a file: the process to run; by default its first.")
@option(
    "--set",
    "sets",
    metavar="NAME=VALUE",
    multiple=True,
    help="Of a file: a variable to start with. The value is text; NAME:=VALUE gives a number or other JSON.",
)
@option(
    "--hours",
    type=Real(0, _MOST_HOURS),
    default=24.0 * 365,
    show_default=True,
    help="Of a file: virtual time that may pass.",
)
@year.options
@click.pass_obj
def rehearse(
    session: Session,
    /,
    what: str | None,
    only: tuple[str, ...],
    process: str | None,
    sets: tuple[str, ...],
    hours: float,
    everything: bool,
    **span: Any,
) -> None:
    """Play a procedure's scenarios, run a bare diagram, or play a whole year of all procedures.

    Scenarios are held against what they expect.

    With --all every schedule of all procedures runs for a sample organisation, with people who are sometimes late;
    printed are kick-offs, deadlines met and missed, open work, rounds, and what is still open at the end and why.

    Nothing of the workspace is touched: the database is in memory and the clock is virtual.

    The exit code is 0 when every scenario went as expected, or the diagram came to its end; 1 when one did not,
    an element failed, an error was not caught, or a loop came to no rest; 9 when the diagram still waits, for a
    message or for what lies beyond --hours or beyond what is played; 8 when the diagram cannot run at all.
    """
    if everything == (what is not None):
        raise click.UsageError(tr("Name a procedure or a file, or say --all"))
    if what is None:
        _refuse((*_OF_FILE, *_OF_PROCEDURE))
        year.rehearse(session, span)
    elif folders.is_diagram(file := Path(what)):
        _refuse((*_OF_PROCEDURE, *span))
        _run_file(session, file, process, values.pairs(sets), hours)
    else:
        _refuse((*_OF_FILE, *span))
        _play(session, what, only)


def _refuse(others: Collection[str]) -> None:
    """Raises click.UsageError for an option given that is of use for something else than what is rehearsed."""
    ctx = click.get_current_context()
    for each in ctx.command.params:
        if each.name in others and ctx.get_parameter_source(each.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                tr(
                    "{option} does nothing here: `flow rehearse --help` says what it is for",
                    option=each.opts[0],
                )
            )


def _run_file(
    session: Session, file: Path, process: str | None, variables: dict[str, object], hours: float
) -> None:
    from engine.bpmn.reader import read
    from engine.bpmn.rules.decisions import by_table
    from engine.decisions.document import MAX_BYTES as MOST_OF_TABLE
    from engine.rehearsal import run
    from engine.xml_text import MAX_BYTES

    xml = read_file(file, MAX_BYTES)
    diagram = read(xml)
    nodes = [node for each in diagram.processes.values() for node in each.nodes.values()]
    tables = sorted(file.parent.glob("*.dmn")) if any(map(by_table, nodes)) else []
    with _told_meanwhile() as progress:
        result = run(
            xml,
            process or next(iter(diagram.processes)),
            variables,
            horizon_s=hours * 3600,
            decisions={each.name: read_file(each, MOST_OF_TABLE) for each in tables},
            progress=progress,
        )
    if session.json:
        warnings = [failures.finding_json(each) for each in result.warnings]
        output.dump({**dataclasses.asdict(result), "warnings": warnings})
    else:
        _tell(result)
    _judge(result)


def _on_terminal() -> bool:
    return sys.stderr.isatty()


@contextmanager
def _told_meanwhile() -> Iterator[Callable[[datetime, int], None]]:
    """What a rehearsal tells how far it is: said every second on a terminal, and when a person breaks it off."""
    from engine.rehearsal import ZONE

    far: tuple[datetime, int] | None = None
    said, shown = monotonic(), _on_terminal()

    def tell(template: str, moment: datetime, number: int) -> None:
        output.note(template, moment=moment_text(moment, ZONE), number=number)

    def progress(now: datetime, entered: int) -> None:
        nonlocal far, said
        far = now, entered
        if shown and monotonic() - said >= _SECONDS:
            said = monotonic()
            tell("{moment}: {number} elements entered so far", *far)

    try:
        yield progress
    except KeyboardInterrupt:
        if far is not None:
            tell(
                "The rehearsal was broken off at {moment}, after {number} elements; nothing is left of it",
                *far,
            )
        raise


def _tell(result: Rehearsal) -> None:
    well = result.ended == "completed"
    output.fields(
        (
            ("ended", Cell(result.ended, fg="green" if well else "red")),
            ("visited", _shortened(result.visited)),
            *((name, str(value)) for name, value in result.variables.items()),
            *(("incident", reason) for reason in result.incidents[:_SHOWN]),
            ("left", result.left),
        )
    )
    if result.waits:
        output.heading(tr("Waits for"))
        output.table(
            ("Element", "Name", "What"),
            [(each.element, each.name, _awaited(each, result.left)) for each in result.waits[:_SHOWN]],
        )
    for each in result.warnings:
        place, reason, remedy = failures.finding_texts(each)
        output.warn(
            "{place} was passed through. {reason}. {remedy}", place=place, reason=reason, remedy=remedy
        )


def _awaited(wait: Wait, left: str) -> str:
    from engine.rehearsal import ZONE

    until = "" if wait.until is None else moment_text(wait.until, ZONE)
    if left and wait.kind == "timer":
        return until
    return tr(_WAITS[wait.kind], what=wait.what, until=until)


def _shortened(visited: tuple[str, ...]) -> str:
    """The way taken; of a long one its beginning and its end."""
    if len(visited) <= 2 * _SHOWN:
        return " > ".join(visited)
    between = tr("… {number} more …", number=len(visited) - 2 * _SHOWN)
    return " > ".join((*visited[:_SHOWN], between, *visited[-_SHOWN:]))


def _judge(result: Rehearsal) -> None:
    """End with the exit code that says what became of the diagram."""
    from engine.errors import EngineError

    if result.incidents:
        raise EngineError("The rehearsal stopped at an incident")
    if result.ended.startswith("error("):
        code = result.ended.removeprefix("error(").removesuffix(")")
        raise EngineError("The rehearsal ended with an error that nothing catches: {code}", code=code)
    if result.ended == "waiting":
        sys.exit(WAITING)


def _play(session: Session, name: str, only: tuple[str, ...]) -> None:
    from engine.errors import EngineError, NotFound
    from engine.rehearsal.courses import play
    from engine.scenarios import read_scenarios

    procedure, others = _find(session, name)
    if procedure.scenarios is None:
        raise NotFound("{procedure} has no scenarios.yaml", procedure=procedure.id)
    found = read_scenarios(procedure.scenarios)
    unknown = sorted(set(only) - set(found.scenarios))
    if unknown:
        raise NotFound(
            "There is no scenario {name}; there are: {known}",
            name=", ".join(unknown),
            known=", ".join(found.scenarios),
        )
    if not found.scenarios:
        raise NotFound("{procedure} has no scenarios in its scenarios.yaml", procedure=procedure.id)
    results = []
    for identity, scenario in found.scenarios.items():
        if not only or identity in only:
            played = play(procedure, found.stage, scenario, subjects(), others)
            results.append(played)
            if not session.json:
                _show(scenario.title.of("zh"), played)
    if session.json:
        output.dump(results)
    if not all(each.as_expected for each in results):
        raise EngineError(
            "{number} of {total} scenarios went otherwise than expected",
            number=sum(not each.as_expected for each in results), total=len(results),
        )  # fmt: skip


def rehearsed(session: Session, name: str, *, quiet: bool) -> list[Played]:
    """All scenarios of a procedure of the workspace, played and, unless `quiet`, shown; none where it has none."""
    from engine.rehearsal.courses import play
    from engine.scenarios import read_scenarios

    procedure, others = _find(session, name)
    if procedure.scenarios is None:
        return []
    found, results = read_scenarios(procedure.scenarios), []
    for scenario in found.scenarios.values():
        results.append(play(procedure, found.stage, scenario, subjects(), others))
        if not quiet:
            _show(scenario.title.of("zh"), results[-1])
    return results


def _show(title: str, played: Played) -> None:
    mark = Cell("✓", fg="green") if played.as_expected else Cell("✗", fg="red")
    output.table(("", "", ""), [(mark, Cell(played.scenario, bold=True), title)])
    for deviation in played.deviations:
        output.echo(f"    {deviation}")


def _find(session: Session, name: str) -> tuple[Procedure, list[Procedure]]:
    """The procedure and those it calls: the workspace's own copies where there are, else those that are shipped."""
    from engine.errors import Conflict, NotFound

    known = folders.at_hand(session)
    found = folders.named(name, known)
    if found is None and Path(name).is_dir():
        raise Conflict(
            "{folder} is a folder: name a procedure by its code, or the file of a diagram", folder=name
        )
    if found is None:
        raise NotFound("No procedure {name} is shipped; see `flow procedure list --shipped`", name=name)
    return found.load(), [each.load() for each in folders.called(found, known)]
