"""The command line's entry: `flow`. Its commands are loaded when they are used."""

from __future__ import annotations

from pathlib import Path

import click

from console.session import Session
from console.shape import Option, Root, Sections

SECTIONS: Sections = {
    "Work": {
        "status": (
            "console.status:status",
            "Show what waits for me, what is late, and whether the program does its work.",
        ),
        "task": ("console.task:task", "The worklist: find, take, fill in and complete tasks."),
        "start": ("console.start:start", "Start a procedure by hand."),
        "round": ("console.round:round_", "Survey rounds: samples, fieldwork, returns, figures."),
        "roster": ("console.roster:roster", "Rosters: who can be asked, who moved in, who left."),
        "callback": (
            "console.callback:callback",
            "Call-backs: whom to call and why, what came of it, sheets to do it with.",
        ),
        "action": (
            "console.action:action",
            "Corrective actions of all procedures: who does what by when, and whether it helped.",
        ),
        "record": (
            "console.record:record",
            "Records: the documents that procedures left, which of them count, and their templates.",
        ),
        "instance": ("console.instance:instance", "Runs of procedures: their steps, dates and history."),
    },
    "Procedures": {
        "procedure": ("console.procedure:procedure", "Procedures: check, draw, publish."),
        "rehearse": (
            "console.rehearse:rehearse",
            "Play a procedure's scenarios, run a bare diagram, or play a whole year of all procedures.",
        ),
        "schedule": ("console.schedule:schedule", "What starts by the calendar, and when."),
        "calendar": ("console.calendar:calendar", "Working-day tables."),
        "org": ("console.org:org", "The organisation: units, roles, people, substitutes."),
    },
    "Running": {
        "run": (
            "console.run:run",
            "Watch the calendar and the deadlines until stopped with Ctrl-C or SIGTERM.",
        ),
        "job": ("console.job:job", "What the program has to do, and what failed."),
        "notice": (
            "console.notice:notice",
            "Notices by mail and in group chats: what was sent, and what failed.",
        ),
        "message": ("console.message:message", "Messages that instances wait for."),
        "archive": (
            "console.archive:archive",
            "Archives: seal what an instance left, verify it, hand it over.",
        ),
        "audit": ("console.audit:audit", "The journal: verify, seal, export."),
        "doctor": (
            "console.doctor:doctor",
            "Check the workspace, the database and the program, and bring an older database up to date.",
        ),
    },
    "Setting up": {
        "demo": (
            "console.demo:demo",
            "Play a quarterly survey of six offices with 1,033 real answers, and three other procedures.",
        ),
        "init": (
            "console.init:init",
            "Make a workspace: settings, an organisation to be filled in, a database, the working-day tables.",
        ),
        "completion": (
            "console.completion:completion",
            "Print the script that makes the shell complete commands, and ids with the names of what they stand for.",
        ),
    },
}
"""Section of the help, to command, to its place and summary."""


def _in_folder(ctx: click.Context, _param: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        ctx.ensure_object(Session).folder = folder


@click.group(
    "flow", cls=Root, sections=SECTIONS, example="flow status\nflow task list --mine\nflow task next"
)
@click.option(
    "-C",
    "--workspace",
    cls=Option,
    type=click.Path(file_okay=False, path_type=Path),
    expose_value=False,
    callback=_in_folder,
    help="The workspace's folder; by default the nearest one upward from here, or FLOW_HOME.",
)
@click.version_option(
    package_name="satisflow", prog_name="flow", cls=Option, help="Show the version and exit."
)
@click.pass_context
def flow(ctx: click.Context) -> None:
    """Run documented procedures: every step to the person whose role it is, every deadline watched."""
    ctx.ensure_object(Session)


def main() -> None:
    """Run the command line of this process."""
    flow.main()


if __name__ == "__main__":
    main()
