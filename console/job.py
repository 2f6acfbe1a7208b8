"""`flow job`: what the program has to do, and what failed and waits for a person."""

from __future__ import annotations

import click

from console import output
from console.dates import moment_text
from console.language import tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option

_JOB = click.argument("job", metavar="JOB", type=NUMBER)


@group("job", example="flow job list --incidents\nflow job retry 41")
def job() -> None:
    """What the program has to do, and what failed."""


@job.command("list", example="flow job list --incidents")
@option("--incidents", is_flag=True, help="Only what failed and waits for a person.")
@option("-L", "--limit", type=NUMBER, default=50, show_default=True, help="At most so many.")
@click.pass_obj
def list_(session: Session, incidents: bool, limit: int) -> None:
    """List what is not done, the oldest first."""
    from engine.queries import jobs

    with session.read() as conn:
        found = jobs.jobs(conn, incidents=incidents, limit=limit)
        total = jobs.jobs_total(conn, incidents=incidents) if len(found) == limit else 0
    output.cut(limit, total)
    if session.json:
        output.dump(found)
        return
    rows = [
        (
            Cell(str(each.number), bold=True),
            each.kind,
            each.instance,
            each.element,
            Cell(tr("incident"), fg="red") if each.incident else tr("waits"),
            str(each.attempts or ""),
            "" if each.not_before is None or each.incident else moment_text(each.not_before, session.zone),
            each.error,
        )
        for each in found
    ]
    output.table(
        ("Job", "Kind", "Instance", "Element", "Status", "Attempts", "Next try", "Error"), rows, flexible=7
    )
    if not found:
        output.note("Nothing waits.")


@job.command("retry", example="flow job retry 41")
@_JOB
@click.pass_obj
def retry(session: Session, job: int) -> None:
    """Have an incident tried again."""
    from engine.commands.jobs import RetryJob

    before = _incidents(session)
    session.do(RetryJob(by=session.administrator, job=job), tell=False)
    _report(session, job, before)


@job.command("skip", example='flow job skip 41 --reason "已手工发送"')
@_JOB
@option("--reason", required=True, metavar="TEXT", help="Why; it goes into the history.")
@click.pass_obj
def skip(session: Session, job: int, reason: str) -> None:
    """Leave an incident out; the procedure goes on as if it had been done."""
    from engine.commands.jobs import SkipJob

    before = _incidents(session)
    session.do(SkipJob(by=session.administrator, job=job, reason=reason), tell=False)
    _report(session, job, before)


def _incidents(session: Session) -> set[int]:
    from engine.queries import jobs

    with session.read() as conn:
        return {each.number for each in jobs.jobs(conn, incidents=True, limit=10_000)}


def _report(session: Session, number: int, before: set[int]) -> None:
    """What became of the job: it ran in this very command, or failed again (an element's failure is a new job)."""
    from engine.queries import jobs

    with session.read() as conn:
        left = next(
            (
                each
                for each in jobs.jobs(conn, limit=10_000)
                if each.number == number
                or (each.incident and each.number not in before and each.number > number)
            ),
            None,
        )
    if session.json:
        output.dump(left or {"number": number, "status": "done"})
    elif left is None:
        output.say("Job {job} is done", job=number)
    else:
        output.warn("It failed again, as job {job}: {reason}", job=left.number, reason=left.error or "")
        output.note("A wrong variable is put right with `flow instance correct`")
