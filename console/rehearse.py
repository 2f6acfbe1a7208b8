"""`flow rehearse`: a procedure's scenarios, or a bare diagram, on a private database and a virtual clock."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console import output, values, year
from console.language import tr
from console.output import Cell
from console.session import Session, subjects
from console.shape import command, option

if TYPE_CHECKING:
    from engine.procedures import Procedure
    from engine.rehearsal import Rehearsal
    from engine.rehearsal.courses import Played

WAITING = 9
"""Exit code of a diagram that has not come to its end, though nothing went wrong."""
_SHOWN = 60
"""Elements shown of a way's beginning, as many of its end, and incidents."""


@command(
    "rehearse",
    example="flow rehearse 003G\nflow rehearse my.bpmn --set approved=true\n"
    "flow rehearse --all --from 2026-01-01 --to 2026-12-31 --seed 7",
)
@click.argument("what", metavar="[PROCEDURE|FILE]", required=False)
@option("--scenario", "only", metavar="ID", multiple=True, help="Only this scenario; may be repeated.")
@option("--process", metavar="ID", help="Of a file: the process to run; by default its first.")
@option("--set", "sets", metavar="NAME=VALUE", multiple=True, help="Of a file: a variable to start with.")
@option(
    "--hours",
    type=float,
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
    message or for what lies beyond --hours; 8 when the diagram cannot run at all.
    """
    if everything == (what is not None):
        raise click.UsageError(tr("Name a procedure or a file, or say --all"))
    if what is None:
        year.rehearse(session, span)
        return
    file = Path(what)
    if file.suffix.lower() in (".bpmn", ".xml"):
        _run_file(session, file, process, values.pairs(sets), hours)
    else:
        _play(session, what, only)


def _run_file(
    session: Session, file: Path, process: str | None, variables: dict[str, object], hours: float
) -> None:
    from engine.bpmn.reader import read
    from engine.bpmn.rules.decisions import by_table
    from engine.errors import NotFound
    from engine.rehearsal import run

    if not file.is_file():
        raise NotFound("There is no file {file}", file=file)
    xml = file.read_bytes()
    diagram = read(xml)
    nodes = [node for each in diagram.processes.values() for node in each.nodes.values()]
    tables = sorted(file.parent.glob("*.dmn")) if any(map(by_table, nodes)) else []
    result = run(
        xml,
        process or next(iter(diagram.processes)),
        variables,
        horizon_s=hours * 3600,
        decisions={each.name: each.read_bytes() for each in tables},
    )
    if session.json:
        output.dump(result)
        _judge(result)
        return
    well = result.ended == "completed"
    output.fields(
        (
            ("ended", Cell(result.ended, fg="green" if well else "red")),
            ("visited", _shortened(result.visited)),
            *((name, str(value)) for name, value in result.variables.items()),
            *(("incident", reason) for reason in result.incidents[:_SHOWN]),
        )
    )
    _judge(result)


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
    from console import folders
    from engine.errors import NotFound

    known = folders.shipped()
    with suppress(NotFound):  # no workspace is needed to rehearse what is shipped
        known = folders.of_workspace(session.workspace) + known
    found = folders.named(name, known)
    if found is None:
        raise NotFound("No procedure {name} is shipped; see `flow procedure list --shipped`", name=name)
    return found.load(), [each.load() for each in folders.called(found, known)]
