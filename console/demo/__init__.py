"""`flow demo`: the third quarter of 2026 at six management offices, on a virtual clock, with real answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from console import language, output
from console.session import Session
from console.shape import MOST, group, option

FOLDER = Path("demo")


@group(
    "demo",
    example="flow demo\nflow demo --resume\nflow demo --again\nflow demo clock --advance P1D",
    alone=True,
)
@option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Where it is kept."
)
@option(
    "--resume",
    is_flag=True,
    help="Go on where it was interrupted, instead of starting afresh; begin where nothing has begun.",
)
@option(
    "--again", is_flag=True, help="Play afresh one that is there already: what was changed in it is lost."
)
@option("--responses", type=click.IntRange(12, MOST), help="Replay only so many of the answers.")
@click.pass_context
def demo(ctx: click.Context, folder: Path, resume: bool, again: bool, responses: int | None) -> None:
    """Play a quarterly survey of six offices with 1,033 real answers, and three other procedures.

    The others are a year of an IT service's census, a year of a pharmaceutical group's surveys, and a hospital's month,
    with made-up customers and answers. The workspaces stay in the folder `demo`, each with its virtual clock.
    """
    if ctx.invoked_subcommand is None:
        if resume and again:
            raise click.UsageError("Give either --resume or --again")
        _play(ctx.ensure_object(Session), folder, resume, again, responses)


def _play(session: Session, folder: Path, resume: bool, again: bool, responses: int | None) -> None:
    from console.demo import acting, place, screens, stories, telling

    if language.asked(sys.argv[1:], os.environ) is None:
        language.use("zh")  # as the staff of these offices read it
    ask = output.interactive() and not session.json
    values = {}
    with place.ready(folder, responses, resume=resume, again=again, ask=ask) as number:
        app = acting.prepare(folder, number)
        with app.store:
            with output.working("Playing July to October 2026 for six offices"):
                acting.play(app)
            told = telling.told(app)
        if session.json:
            values = telling.plain(told)
        else:
            telling.show(app, told)
        others = {}
        for story in stories.STORIES:
            app = stories.prepare(folder, story)
            with app.store:
                with output.working("Playing {story}", story=f"{story.code} {language.tr(story.title)}"):
                    stories.play(app, story)
                found = screens.told(app, story)
            if session.json:
                others[story.code] = screens.plain(found)
            else:
                screens.show(app, story, found)
    if session.json:
        output.dump({**values, "stories": others})


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
