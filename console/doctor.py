"""`flow doctor`: whether the workspace, the database and the program are sound, and what to do if not."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from console import output
from console.failures import FAILURE, finding_texts, message, of_system, problem_text
from console.language import tr
from console.session import Session
from console.shape import command, option
from console.status import JOB_FAILED, JOBS_FAILED, NOTICE_LOST, NOTICES_LOST, TICKING, last_seen, since_tick
from engine import strict_yaml
from engine.errors import EngineError, Invalid, Misbuilt
from engine.files import read_file

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MARKS = {
    "ok": click.style("✓", fg="green"),
    "warning": click.style("!", fg="yellow"),
    "error": click.style("✗", fg="red"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `warning` or `error`, and what was found."""

    level: str
    text: str


@command("doctor", example="flow doctor\nflow doctor --handlers")
@option("--handlers", is_flag=True, help="List the Python functions that diagrams may name.")
@click.pass_obj
def doctor(session: Session, handlers: bool) -> None:
    """Check the workspace, the database and the program, and bring an older database up to date.

    Exits with 1 when anything is wrong.
    """
    if handlers:
        _list_handlers(session)
        return
    found = []
    for finding in _examine(session):
        found.append(finding)
        if not session.json:
            output.echo(f"{_MARKS[finding.level]} {finding.text}")
    if session.json:
        output.dump(found)
    if any(finding.level == "error" for finding in found):
        sys.exit(FAILURE)


def _list_handlers(session: Session) -> None:
    known = sorted(session.app.registry.known.values(), key=lambda each: each.name)
    if session.json:
        output.dump([{"name": each.name, "kind": str(each.kind), "summary": each.summary} for each in known])
    else:
        output.table(("Handler", "Kind", ""), [(each.name, str(each.kind), each.summary) for each in known])


def _examine(session: Session) -> Iterator[Finding]:
    """Look from the outside in; what cannot be opened ends the examination."""
    yield _ok(
        "satisflow {version}, Python {python}", version=version("satisflow"), python=platform.python_version()
    )
    try:
        workspace = session.workspace
        yield _ok("Workspace {folder}, {zone}", folder=workspace.folder, zone=workspace.zone.key)
        yield _ok("Database {place}", place=_opened(session))
    except EngineError as error:
        yield from _faults(error)
        return
    except OSError as fault:
        if (meaning := of_system(fault)) is None:
            raise
        yield from _faults(meaning)
        return
    with session.read() as conn:
        yield from _groundwork(conn)
        yield from _clock(session, conn)
        yield from _organisation(session, conn)
        yield from _calendars(session, conn)
        yield from _procedures(session, conn)
        yield from _notices(session, conn)
        yield from _work(session, conn)


def _faults(error: EngineError) -> Iterator[Finding]:
    """An error with everything it names."""
    yield Finding("error", message(error))
    for each in error.findings if isinstance(error, Misbuilt) else ():
        yield Finding("error", ": ".join(part for part in finding_texts(each) if part))
    for problem in error.problems if isinstance(error, Invalid) else ():
        yield Finding("error", f"{problem.field}: {problem_text(problem)}")


def _clock(session: Session, conn: Connection) -> Iterator[Finding]:
    from engine.store.watch import reach

    if not session.workspace.demo and reach(conn).contradicts(session.now):
        yield Finding("error", tr("The clock and the history contradict each other: flow audit clock"))


def _groundwork(conn: Connection) -> Iterator[Finding]:
    """What all else rests on, published procedures and working-day tables, is what the journal says."""
    from engine.store import groundwork

    found: list[Finding] = []

    def say(_name: str, _seq: int | None, template: str, /, **params: object) -> None:
        found.append(Finding("error", f"{tr(template, **params)}: flow audit verify"))

    groundwork.compare(conn, say)
    yield from found


def _opened(session: Session) -> str:
    """The database's place, older tables brought up to date first. A database that is missing is not made."""
    from engine.store import open_store

    with open_store(session.workspace.database, durable=session.workspace.durable, upgrade=True,
                    create=False) as store:  # fmt: skip
        return store.place


def _organisation(session: Session, conn: Connection) -> Iterator[Finding]:
    from engine.queries import organisation, work
    from engine.store.arranged import ORG_HASH

    known = organisation.organisation(conn)
    active = [each for each in known.people if each.active]
    if not active:
        yield _warning("Nobody is in the organisation yet: write org.yaml, then `flow org import`")
    else:
        yield _ok("{people} people, {units} units, {roles} roles", people=len(active), units=len(known.units),
                  roles=len(known.roles))  # fmt: skip
    try:
        file = session.workspace.org_file
        known_hash = work.setting(conn, ORG_HASH)
        if file.is_file() and sha256(read_file(file, strict_yaml.MAX_BYTES)).hexdigest() != known_hash:
            yield _warning("org.yaml differs from the database: flow org import")
    except OSError as fault:
        if (error := of_system(fault)) is None:
            raise
        yield from _faults(error)
    held = {role for each in active for role, _ in each.holdings}
    for id_, name in known.roles.items():
        if id_ not in held:
            yield _warning("Nobody holds the role {name} ({id})", name=name, id=id_)


def _calendars(session: Session, conn: Connection) -> Iterator[Finding]:
    from engine.queries import calendars
    from engine.store.calendars import damaged

    status = {each.year: each.status for each in calendars.tables(conn) if each.unit is None}
    broken = damaged(conn)
    for error in broken.values():
        yield from _faults(error)
    for year in (session.today.year, session.today.year + 1):
        if year not in status:
            yield _warning("No working-day table for {year}: flow calendar import FILE", year=year)
        elif year in broken:
            continue
        elif status[year] == "provisional":
            yield _warning(
                "The working-day table for {year} is provisional: import the published one when it is out",
                year=year,
            )
        else:
            yield _ok("Working-day table for {year}", year=year)


def _procedures(session: Session, conn: Connection) -> Iterator[Finding]:
    from engine.queries import definitions

    for each in definitions.definitions(conn):
        try:
            session.app.services.library.find(conn, each.hash)
        except EngineError as error:
            for fault in _faults(error):
                yield Finding("error", f"{each.procedure}: {fault.text}")
        else:
            yield _ok(
                "{procedure} version {version}", procedure=each.code or each.procedure, version=each.version
            )


def _notices(session: Session, conn: Connection) -> Iterator[Finding]:
    from notices import listing
    from notices.settings import read_settings

    try:
        settings = read_settings(session.workspace)
        if not settings.on and session.workspace.demo:
            return  # its clock is virtual: nothing goes out
        if not settings.on:
            yield _warning(
                "Nobody is told anything by mail or chat: [notices] in flow.toml, see docs/notices.md"
            )
            return
        secrets = [settings.mail.password] if settings.mail is not None else []
        for chat in settings.chats.values():
            secrets += [chat.url, chat.secret]
        for each in secrets:
            if each is not None:
                each.read()
    except EngineError as error:
        yield from _faults(error)
        return
    yield _ok(
        "Notices by {channels}", channels=", ".join((*(["mail"] if settings.mail else []), *settings.chats))
    )
    if lost := listing.unreachable(conn, settings):
        names = ", ".join(lost[:5]) + (" …" if len(lost) > 5 else "")
        yield _warning(
            "{count} people have no mail address and get no notices: {names}", count=len(lost), names=names
        )
    if failed := listing.failed_count(conn):
        yield _warning(NOTICE_LOST if failed == 1 else NOTICES_LOST, count=failed)


def _work(session: Session, conn: Connection) -> Iterator[Finding]:
    from engine.queries import jobs
    from engine.store.watch import scheduler

    incidents = jobs.incident_count(conn)
    if incidents:
        yield _warning(JOB_FAILED if incidents == 1 else JOBS_FAILED, count=incidents)
    watching = scheduler(conn)
    if watching.running(session.now):
        yield _ok(TICKING, seconds=since_tick(session, watching.ticked_at))
    elif not session.workspace.demo:
        yield _warning("No scheduler is running, so nothing starts or falls due by itself: flow run")
        stopped = watching.stopped_at
        if text := last_seen(session, stopped or watching.ticked_at, stopped is not None):
            yield Finding("warning", text)
    yield _ok("{count} handlers", count=len(session.app.registry.known))


def _ok(template: str, /, **params: object) -> Finding:
    return Finding("ok", tr(template, **params))


def _warning(template: str, /, **params: object) -> Finding:
    return Finding("warning", tr(template, **params))
