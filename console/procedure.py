"""`flow procedure`: procedures checked, drawn and published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import folders, output
from console.checking import check
from console.completions import procedures
from console.dates import moment_text
from console.importing import export, import_
from console.language import both, tr
from console.output import Cell
from console.picture import picture
from console.session import Session
from console.shape import group, option
from console.tracing import trace
from console.writing import FORCE, written
from engine.errors import EngineError, Misbuilt, NotFound
from engine.files import read_file

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.folders import Folder
    from engine.commands.rescheduled import Moved

_NAME = click.argument("name", metavar="PROCEDURE", shell_complete=procedures)


@group("procedure", example="flow procedure add 003G\nflow procedure check 003G\nflow procedure publish 003G")
def procedure() -> None:
    """Procedures: check, draw, publish."""


procedure.add_command(check)
procedure.add_command(import_)
procedure.add_command(export)
procedure.add_command(trace)
procedure.add_command(picture)


@procedure.command("list", example="flow procedure list\nflow procedure list --shipped")
@option("--shipped", is_flag=True, help="Those that come with the program, to be added.")
@click.pass_obj
def list_(session: Session, shipped: bool) -> None:
    """List the published procedures, and those of the workspace with what they differ."""
    from engine.queries import definitions, instances

    if shipped:
        rows = [_shipped(each) for each in folders.shipped()]
    else:
        with session.read() as conn:
            published = {each.procedure: each for each in definitions.definitions(conn)}
            local = {each.id: each for each in folders.of_workspace(session.workspace)}
            running = Counter(
                each.procedure
                for status in ("running", "suspended")
                for each in instances.instances(conn, status=status)
            )
            rows = [
                {
                    "procedure": name,
                    "code": published[name].code if name in published else local[name].about().get("code"),
                    "title": session.title(published[name].title)
                    if name in published
                    else _title(local[name]),
                    "version": published[name].version if name in published else None,
                    "running": running[name],
                    "state": _state(conn, name, local.get(name)),
                }
                for name in sorted({*published, *local})
            ]
    if session.json:
        output.dump(rows)
        return
    output.table(
        ("Procedure", "Code", "Title", "Version", "Running", "State"),
        [
            (
                Cell(str(each["procedure"]), bold=True),
                str(each["code"] or ""),
                str(each["title"] or ""),
                str(each["version"] or ""),
                str(each["running"] or ("" if each["version"] is None else 0)),
                Cell(tr(str(each["state"])), fg="yellow" if each["state"] != "published" else None),
            )
            for each in rows
        ],
        flexible=2,
    )
    if not rows:
        output.note("No procedure yet: `flow procedure list --shipped`, then `flow procedure add NAME`")


def _shipped(folder: Folder) -> dict[str, object]:
    code = folder.about().get("code")
    return {
        "procedure": folder.id,
        "code": code,
        "title": _title(folder),
        "version": None,
        "running": 0,
        "state": "",
    }


def _title(folder: Folder) -> str:
    title = folder.about().get("title")
    return (
        both(str(title.get("zh", "")), str(title.get("en", "")))
        if isinstance(title, dict)
        else str(title or "")
    )


def _state(conn: Connection, name: str, folder: Folder | None) -> str:
    """How the workspace's folder stands to what is published."""
    from engine.procedures import bundle, bundle_hash
    from engine.queries import definitions

    try:
        newest = definitions.versions(conn, name)[0]
    except NotFound:
        return "not published"
    if folder is None:
        return "published"
    callees = {hash_ for _, _, hash_ in definitions.calls(conn, newest.hash)}
    try:
        same = bundle_hash(bundle(folder.folder, folder.forms / folder.id), sorted(callees)) == newest.hash
    except Misbuilt:
        same = False
    return "published" if same else "changed since"


@procedure.command("show", example="flow procedure show 003G --clauses\nflow procedure show 004G --steps")
@_NAME
@option("--steps", is_flag=True, help="Also who does which step, what it asks for, and the record it leaves.")
@option("--clauses", is_flag=True, help="Also each requirement of the source document and what fulfils it.")
@click.pass_obj
def show(session: Session, name: str, steps: bool, clauses: bool) -> None:
    """Show a published procedure: source, versions, schedule, parameters, forms, records."""
    from console import pages
    from engine.queries import definitions

    with session.read() as conn:
        versions = definitions.versions(conn, name)
        definition = session.app.services.library.find(conn, versions[0].hash)
    if session.json:
        output.dump(pages.plain(definition.procedure, versions))
    else:
        pages.show(session, definition.procedure, versions, with_clauses=clauses, with_steps=steps)


@procedure.command("publish", example="flow procedure publish 003G")
@click.argument("names", metavar="PROCEDURE...", nargs=-1, required=True, shell_complete=procedures)
@option(
    "--callers",
    is_flag=True,
    help="Also, without asking, those that call them, if their scenarios come as written.",
)
@click.pass_obj
def publish(session: Session, names: tuple[str, ...], callers: bool) -> None:
    """Publish procedures as they stand now: checked, versioned, never changed again. Running instances keep theirs.

    What they call is published first where it never was. Procedures that call one of them go on with its older version
    until they are published again: that is offered, after their scenarios were played with the new one. Exit code 1
    when some of --callers were not for that reason.
    """
    from engine.commands.definitions import Publish

    done = []
    waiting, left = _callees_first(session, names), list[str]()
    while waiting:
        published = session.do(
            Publish(by=session.operator, procedure=folders.find(session.workspace, waiting.pop(0)).load())
        )
        done.append(published)
        if not session.json:
            template = "{procedure} is published as version {version}" if published.fresh else (
                "{procedure}: these very files are version {version} already; nothing changed"
            )  # fmt: skip
            output.say(template, procedure=published.procedure, version=published.version)
            for moved in published.moved:
                _show_moved(session, moved)
        for each in published.callers:
            if each not in waiting:
                (waiting if _republish(session, each, callers=callers) else left).append(each)
    if session.json:
        output.dump(done)
    if callers and left:
        raise EngineError(
            "Not published again, but still with an older version: {names}", names=", ".join(left)
        )
    if left:
        output.note(
            "Still calling it by an older version: {callers}. To play their scenarios with the new one, and publish "
            "again those that come as written: `flow procedure publish {names} --callers`; for one of them alone: "
            "`flow rehearse NAME`, then `flow procedure publish NAME`",
            callers=", ".join(left), names=" ".join(names),
        )  # fmt: skip


def _show_moved(session: Session, moved: Moved) -> None:
    """What a changed schedule starts now, and next."""
    zone, unit = session.zone, moved.unit
    for each in moved.fired:
        due = moment_text(each.due, zone)
        if each.instance is None:
            output.warn("{unit}: {period} was to start on {due} and could not be started: see flow status",
                        unit=unit, period=each.period, due=due)  # fmt: skip
        else:
            output.warn("{unit}: {period} was to start on {due}: {instance} is started now, late", unit=unit,
                        period=each.period, due=due, instance=each.instance)  # fmt: skip
    if moved.at is not None and moved.old_at is not None:
        output.say(
            "{unit}: next {period} on {due}; it was {old_period} on {old_due}", unit=unit, period=moved.period,
            due=moment_text(moved.at, zone), old_period=moved.old_period, old_due=moment_text(moved.old_at, zone),
        )  # fmt: skip
    elif moved.at is not None:
        due = moment_text(moved.at, zone)
        output.say("{unit}: next {period} on {due}", unit=unit, period=moved.period, due=due)
    elif moved.reason is not None:
        output.warn("{unit} has no next start: {reason}", unit=unit, reason=moved.reason)


def _callees_first(session: Session, names: tuple[str, ...]) -> list[str]:
    """The procedures to be published, before each what it calls, if that lies here and was never published."""
    from engine.queries import definitions

    known, found = folders.of_workspace(session.workspace), list[str]()
    with session.read() as conn:
        published = {each.procedure for each in definitions.definitions(conn)}
    for name in names:
        for each in folders.called(folders.find(session.workspace, name), known):
            if each.id not in (*published, *found, *names):
                found.append(each.id)
        found.append(name)
    return found


def _republish(session: Session, caller: str, *, callers: bool) -> bool:
    """Whether a procedure that calls the one published shall be published again, to take it up."""
    try:
        folders.find(session.workspace, caller)
    except EngineError:
        there = False
    else:
        there = True
    if there and (callers or (output.interactive() and not session.json)):
        well = _rehearsed(session, caller)
        if callers:
            return well
        question = tr("{caller} calls it by an older version. Publish it again?", caller=caller)
        return click.confirm(question, default=well)
    return False


def _rehearsed(session: Session, name: str) -> bool:
    """Whether a procedure's scenarios, if it has any, come as they are written with what it calls as it is now."""
    from console.rehearse import rehearsed

    output.note("The scenarios of {procedure}, played with it:", procedure=name)
    results = rehearsed(session, name, quiet=session.json)
    missed = sum(not each.as_expected for each in results)
    if missed:
        template = "{procedure}: {number} of {total} scenarios went otherwise than expected"
        output.warn(template, procedure=name, number=missed, total=len(results))
    return not missed


@procedure.command("add", example="flow procedure add 003G")
@_NAME
@click.pass_obj
def add(session: Session, name: str) -> None:
    """Copy a shipped procedure, with its forms and what it calls, into the workspace to be edited."""
    copies = folders.copy(session.workspace, name)
    if session.json:
        output.dump([{"procedure": each.id, "folder": each.folder} for each in copies])
        return
    for each in copies:
        output.say("{procedure} lies in {folder}", procedure=each.id, folder=each.folder)
    unknown = _unknown_roles(session, copies[-1])
    if unknown:
        output.warn("org.yaml lacks these roles; add them and run `flow org import` before publishing:")
        for id_, lane in unknown.items():
            output.echo(f"  - {{id: {id_}, name: {lane}}}", err=True)
    names = " ".join(each.id for each in copies)
    if unknown:
        output.note(
            "Next: fill in org.yaml, then flow org import, then flow procedure publish {names}", names=names
        )
    else:
        output.note("Next: flow procedure publish {names}", names=names)


def _unknown_roles(session: Session, folder: Folder) -> dict[str, str]:
    """The roles that a procedure needs and the organisation does not have: id to what people call it.

    Those of what it calls are among them, as its calls name them.
    """
    from engine.check import Called, called
    from engine.queries import organisation

    known: dict[str, Called] = {}
    for each in folders.called(folder, folders.of_workspace(session.workspace)):
        callee = each.load()
        known[callee.process] = called(callee, session.app.registry, known)
    procedure = folder.load()
    if procedure.called:
        return {}  # its callers say who does it
    needed = called(procedure, session.app.registry, known).roles
    with session.read() as conn:
        there = organisation.roles(conn)
    return {id_: name for id_, name in needed.items() if id_ not in there}


@procedure.command("layout", example="flow procedure layout 003G\nflow procedure layout sketch.bpmn --redraw")
@click.argument("name", metavar="PROCEDURE|FILE", shell_complete=procedures)
@option("--redraw", is_flag=True, help="Draw afresh, even where there is a drawing.")
@option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write there, instead of over the diagram itself.",
)
@FORCE
@click.pass_obj
def layout(session: Session, name: str, redraw: bool, file: Path | None, force: bool) -> None:
    """Draw a diagram where its drawing is missing: lanes as bands, left to right. A hand-made drawing stays."""
    from engine.layout import draw
    from engine.xml_text import MAX_BYTES

    source = Path(name)
    if not folders.is_diagram(source):
        folder = folders.find(session.workspace, name)
        source = folder.folder / f"{folder.id}.bpmn"
        if not source.is_file():
            raise NotFound("There is no file {file}", file=source)
    before = read_file(source, MAX_BYTES)
    after = draw(before, redraw=redraw)
    target = file or source
    changed = after != before or target != source
    if changed:
        with written(target, force=force or target == source) as beside:
            beside.write_bytes(after)
    if session.json:
        output.dump({"file": target, "changed": changed})
    elif changed:
        output.say("{file} is drawn", file=target)
    else:
        output.say("{file} has a drawing already; --redraw makes a new one", file=source)
