"""`flow demo`: the third quarter of 2026 at six management offices, on a virtual clock, with real answers."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from console import language, output
from console.session import Session
from console.shape import MOST, group, option

FOLDER = Path("demo")


@group("demo", example="flow demo\nflow demo --resume\nflow demo clock --advance P1D", alone=True)
@option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Where it is kept."
)
@option("--resume", is_flag=True, help="Go on where it was interrupted, instead of starting afresh.")
@option("--responses", type=click.IntRange(12, MOST), help="Replay only so many of the answers.")
@click.pass_context
def demo(ctx: click.Context, folder: Path, resume: bool, responses: int | None) -> None:
    """Play a quarterly survey of six offices with 1,033 real answers, and print what came of it.

    The workspace stays in the folder `demo`, with its virtual clock. One that is there already is made anew.
    """
    if ctx.invoked_subcommand is None:
        _play(ctx.ensure_object(Session), folder, resume, responses)


def _play(session: Session, folder: Path, resume: bool, responses: int | None) -> None:
    from console.demo import acting, telling
    from engine import config
    from engine.errors import Conflict, NotFound

    if language.asked(sys.argv[1:], os.environ) is None:
        language.use("zh")  # as the staff of these offices read it
    marked = (folder / config.FILE).is_file() and config.read(folder).demo
    if resume:
        begun = acting.begun(folder) if marked else 0
        if not begun:
            raise NotFound(
                "No demonstration has begun in {folder} that could go on; begin one with `flow demo` without --resume",
                folder=folder,
            )
        if responses not in (None, begun):
            raise Conflict(
                "This demonstration began with {begun} answers and goes on with them; leave --responses out",
                begun=begun,
            )
    elif marked:
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise Conflict("{folder} is there already and is no demo; name another folder", folder=folder)
    app = acting.prepare(folder, responses)
    with app.store:
        with output.working("Playing July to October 2026 for six offices"):
            acting.play(app)
        telling.tell(app, as_json=session.json)


@demo.command("clock", example="flow demo clock --advance P1D")
@option("--advance", metavar="DURATION", help="Move on by an ISO 8601 duration, working days allowed (P2WD).")
@option("--to", "moment", metavar="TIME", help="Move on to a local time, as 2026-10-12T09:00.")
@click.pass_obj
def clock(session: Session, advance: str | None, moment: str | None) -> None:
    """Show the virtual clock of this workspace, or let time pass; what falls due meanwhile happens."""
    from console.demo import acting
    from engine.calendar.durations import parse_duration, parse_instant
    from engine.errors import Conflict

    if not session.workspace.demo:
        raise Conflict("This is no demo workspace: its clock is the machine's")
    app = session.app
    if advance is not None:
        with session.read() as conn:
            calendar = session.calendar(conn, session.home(conn))
        acting.pass_time(app, parse_duration(advance).after(app.clock.now(), session.zone, calendar))
    elif moment is not None:
        acting.pass_time(app, parse_instant(moment).at(session.zone))
    now = app.clock.now().astimezone(session.zone)
    if session.json:
        output.dump({"clock": now.isoformat()})
    else:
        output.say("The clock stands at {moment}", moment=now.strftime("%Y-%m-%d %H:%M"))
