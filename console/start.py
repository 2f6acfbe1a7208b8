"""`flow start`: an instance started by hand."""

from __future__ import annotations

from pathlib import Path

import click

from console import output, values
from console.completions import procedures, units
from console.failures import problem_text
from console.language import both
from console.session import Session
from console.shape import NUMBER, UNIT, command, option
from engine.model import label


@command(
    "start",
    example="flow start 003G --unit office-1 --set d0=2026-09-24\nflow start 003G --unit office-1 --set count:=12",
)
@click.argument("procedure", metavar="PROCEDURE", shell_complete=procedures)
@option("--unit", type=UNIT, required=True, metavar="UNIT", shell_complete=units, help="The unit it is for.")
@option(
    "--set",
    "sets",
    metavar="NAME=VALUE",
    multiple=True,
    help="A variable to start with; may be repeated. The value is text; NAME:=VALUE gives a number or other JSON.",
)
@option(
    "--form",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML or JSON file of variables.",
)
@option("--title", metavar="TEXT", help="What to call it; by default the procedure's title.")
@option("--period", metavar="KEY", help="The period it is for, as 2026-Q3.")
@option("--again", is_flag=True, help="Start it though the period was started already.")
@option("--element", metavar="ID", help="The start event; by default the plain one.")
@option("--version", type=NUMBER, help="The version; by default the newest.")
@click.pass_obj
def start(
    session: Session, procedure: str, unit: str, sets: tuple[str, ...], file: Path | None, title: str | None,
    period: str | None, again: bool, element: str | None, version: int | None,
) -> None:  # fmt: skip
    """Start a procedure by hand."""
    from engine.commands.instances import Start
    from engine.queries import instances, schedules

    variables = {**(values.from_file(file) if file else {}), **values.pairs(sets)}
    number = session.do(
        Start(
            by=session.administrator, procedure=procedure, unit=unit, variables=variables, title=title, period=period,
            again=again, element=element, version=version,
        )
    )  # fmt: skip
    if session.json:
        with session.read() as conn:
            output.dump(instances.find(conn, number))
        return
    output.say("{instance} is started", instance=label(number))
    with session.read() as conn:
        definition = session.app.services.library.find(conn, instances.find(conn, number).definition)
        known = instances.variables(conn, number)
        now = {definition.awaits(element, known) for element in instances.open_elements(conn, number)}
        waiting = {name: steps for name, steps in definition.awaited(known).items() if name in now}
        misfits = list(schedules.misfits(conn, definition.procedure, known, unit))
    for misfit in misfits:
        output.echo(click.style(problem_text(misfit), fg="yellow"), err=True)
    for name, steps in waiting.items():
        output.warn(
            "These due dates wait for the date {name}, which a later step gives; to give it now: flow instance "
            "correct {instance} --set {name}=DATE --reason TEXT: {steps}",
            name=name, instance=label(number), steps=both("、", ", ").join(steps),
        )  # fmt: skip
    output.note("See its steps with: flow instance view {instance}", instance=label(number))
