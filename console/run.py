"""`flow run`: the scheduler in the foreground."""

from __future__ import annotations

import click

from console import output
from console.session import Session
from console.shape import command


@command("run", example="flow run")
@click.pass_obj
def run(session: Session) -> None:
    """Watch the calendar and the deadlines until stopped with Ctrl-C or SIGTERM.

    Timers fire and schedules start instances only while this runs. Several may run at once.
    """
    from engine.errors import Conflict
    from engine.scheduler import serve

    if session.workspace.demo:
        raise Conflict("A demo workspace has a virtual clock; move it with `flow demo clock --advance P1D`")
    output.note("Watching {place}; stop with Ctrl-C", place=session.app.store.place)
    serve(session.app)
    output.note("Stopped")
