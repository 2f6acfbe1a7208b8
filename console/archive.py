"""`flow archive`: what was sealed, where it is kept and how long, and whether it still is what was sealed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import logbook, output
from console.completions import instance_ids
from console.dates import moment_text
from console.failures import FAILURE
from console.language import tr
from console.output import Cell
from console.session import Session
from console.shape import group, option
from console.writing import FORCE, check_free, written
from engine.errors import Conflict, Invalid, Problem
from engine.model import instance_number, label

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.archiving.zipped import Fault
    from engine.queries.archives import Archive

_INSTANCE = click.argument("instance", metavar="INSTANCE", shell_complete=instance_ids)


@group("archive", example="flow archive seal SV-12 --custodian archivist\nflow archive export SV-12")
def archive() -> None:
    """Archives: seal what an instance left, verify it, hand it over."""


@archive.command("list", example="flow archive list")
@click.pass_obj
def list_(session: Session) -> None:
    """List what is archived, the newest first."""
    from engine.queries import archives

    with session.read() as conn:
        units = session.units(conn)
        _show_list(session, archives.archives(conn, units=units))
        lost = archives.lost(conn, units)
    for number in () if session.json else lost:
        output.warn("The sealed set of {label} is missing in the database: see `flow archive verify {label}`",
                    label=label(number))  # fmt: skip


@archive.command("due", example="flow archive due")
@click.pass_obj
def due(session: Session) -> None:
    """List what need not be kept any more: its time is over."""
    from engine.queries import archives

    with session.read() as conn:
        _show_list(session, archives.archives(conn, units=session.units(conn), ended_by=session.today))


def _show_list(session: Session, found: tuple[Archive, ...]) -> None:
    if session.json:
        output.dump(found)
        return
    rows = [
        (
            Cell(each.instance, bold=True), session.title(each.title), each.unit_name, each.period,
            moment_text(each.sealed_at, session.zone), each.custodian_name, str(each.files), _kept(each),
        )
        for each in found
    ]  # fmt: skip
    output.table(
        ("Instance", "Procedure", "Unit", "Period", "Sealed", "With", "Files", "Kept until"), rows, flexible=1
    )
    if not found:
        output.note("There is nothing.")
    if any(each.retention is None for each in found):
        output.note(
            "How long some are kept is not said: what is sealed from now on takes it from its procedure.yaml (the "
            "parameter archive_retention where there is one, else retention of the records); `flow archive seal … "
            "--retention` seals one again"
        )


def _kept(found: Archive) -> str:
    if found.keep_until is not None:
        return found.keep_until.isoformat()
    return tr("for ever") if found.retention else tr("not said")


@archive.command("seal", example="flow archive seal SV-12 --custodian zhao.min --retention P3Y")
@_INSTANCE
@option("--custodian", metavar="ID", help="The person or role that takes it over; by default yourself.")
@option(
    "--retention",
    metavar="DURATION",
    help="How long it is kept: P3Y, or permanent; by default as the records say.",
)
@click.pass_obj
def seal(session: Session, instance: str, custodian: str | None, retention: str | None) -> None:
    """Seal an instance that has ended: the sums of all its files go into the journal."""
    from engine.commands.archives import SealArchive, judge_retention
    from engine.commands.journal import Seal
    from engine.model import SYSTEM

    if retention is not None:
        judge_retention(retention)
    session.do(Seal(by=SYSTEM))  # so that the set can name a seal of the journal
    sealed = session.do(
        SealArchive(
            by=session.actor,
            instance=instance_number(instance),
            custodian=custodian or session.person,
            retention=retention,
        )
    )
    if session.json:
        output.dump(sealed)
    else:
        output.say("{instance} is sealed: {files} files, {sum}", instance=sealed.instance, files=sealed.files,
                   sum=sealed.sha256)  # fmt: skip


@archive.command("show", example="flow archive show SV-12")
@_INSTANCE
@click.pass_obj
def show(session: Session, instance: str) -> None:
    """Show what a sealed set holds, who has it and until when it is kept."""
    import orjson

    with session.read() as conn:
        found, manifest = _find(session, conn, instance)
        said = orjson.loads(manifest)
        names = session.names(conn)
    if session.json:
        output.dump(said)
        return
    output.heading(f"{found.instance}  {session.title(found.title)}")
    output.fields(
        (
            (tr("unit"), found.unit_name),
            (tr("period"), found.period),
            (
                tr("sealed"),
                f"{moment_text(found.sealed_at, session.zone)}  {names.get(found.sealed_by, found.sealed_by)}",
            ),
            (tr("with"), found.custodian_name),
            (tr("kept until"), _kept(found)),
            (tr("seal of the journal"), said["journal"]["seal"]),
            (tr("sum"), found.sha256),
        )
    )
    output.echo()
    output.table(
        ("File", "Record", "Code", "Bytes", "SHA-256"),
        [
            (each["name"], each.get("title"), each.get("code"), str(each["size"]), each["sha256"][:16])
            for each in said["files"]
        ],
        flexible=0,
    )


@archive.command(
    "verify", example="flow archive verify\nflow archive verify SV-12\nflow archive verify SV-12.zip"
)
@click.argument("what", metavar="[INSTANCE|FILE]", required=False)
@click.pass_obj
def verify(session: Session, what: str | None) -> None:
    """Look whether sealed sets still are what was sealed: one, an exported file, or all.

    A file is checked by itself, and against the database where there is one. Exits with 1 when anything differs.
    """
    if what is not None and what.lower().endswith(".zip"):
        found = {what: _verify_file(session, Path(what))}
    elif what is not None and (suffix := Path(what).suffix[1:]) and not suffix.isdigit():
        raise Invalid([Problem(what, "It is no archive: `flow archive export SV-12` writes one, a .zip")])
    else:
        found = _verify_sets(session, what)
    if session.json:
        output.dump({name: [str(fault) for fault in faults] for name, faults in found.items()})
    for name, faults in found.items() if not session.json else ():
        if not faults:
            output.echo(f"{click.style('✓', fg='green')} {name}")
        for fault in faults:
            text = f"{fault.name}: {tr(fault.template, **fault.params)}"
            output.echo(f"{click.style('✗', fg='red')} {name}: {text}")
    if not found and not session.json:
        output.note("There is nothing.")
    if any(found.values()):
        sys.exit(FAILURE)


def _verify_sets(session: Session, instance: str | None) -> dict[str, list[Fault]]:
    from engine.queries import archives, instances

    folder = session.workspace.folder
    with session.read() as conn:
        if instance is None:
            return archives.verified(conn, folder, units=session.units(conn))
        number = instance_number(instance)
        session.may_read(conn, instances.find(conn, number).unit, label(number))
        return archives.verified(conn, folder, number=number)


def _verify_file(session: Session, file: Path) -> list[Fault]:
    from engine.archiving.zipped import MANIFEST, Fault, check
    from engine.errors import NotFound
    from engine.queries import archives

    if not file.is_file():
        raise NotFound("There is no file {file}", file=file)
    manifest, digest, faults = check(file)
    try:
        assert session.workspace
    except NotFound:
        output.note("There is no workspace here: the file was checked by itself only.")
        return faults
    with session.read() as conn:
        known = archives.known(conn, manifest, digest)
    if known is False:
        faults.append(Fault(MANIFEST, "It is not the set that was sealed here"))
    elif known is None:
        output.note("This workspace knows no such set: the file was checked by itself only.")
    return faults


@archive.command("export", example="flow archive export SV-12 --to /mnt/archive/SV-12.zip")
@_INSTANCE
@option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; by default SV-12.zip here.",
)
@FORCE
@click.pass_obj
def export(session: Session, instance: str, file: Path | None, force: bool) -> None:
    """Write a sealed set into one zip, which anybody can check with `sha256sum -c SHA256SUMS`."""
    from engine.archiving import zipped
    from engine.queries import archives

    folder = session.workspace.folder
    with session.read() as conn:
        found, manifest = _find(session, conn, instance)
        target = file or Path(f"{found.instance}.zip")
        check_free(target, force=force)
        for fault in archives.faults(conn, folder, found, manifest):
            raise Conflict(
                "{label} is not what was sealed any more: {file}. See `flow archive verify {label}`",
                label=found.instance, file=fault.name,
            )  # fmt: skip
        files, sums = archives.to_hand_over(conn, folder, found, manifest, _told(session, conn, found))
        with written(target, force=force) as place:
            size = zipped.write(place, found.sealed_at.astimezone(session.zone), files, sums)
    if session.json:
        output.dump({"file": target, "size": size, "sha256": found.sha256})
    else:
        output.say(
            "{files} files written to {file}, {size} bytes", files=len(files) + 1, file=target, size=size
        )


def _find(session: Session, conn: Connection, instance: str) -> tuple[Archive, str]:
    from engine.queries import archives, instances

    number = instance_number(instance)
    session.may_read(conn, instances.find(conn, number).unit, label(number))
    return archives.find(conn, number)


def _told(session: Session, conn: Connection, found: Archive) -> bytes:
    """The history in sentences, as far as it was sealed, in the language of the workspace; nothing personal."""
    from engine.queries import archives, history

    number = instance_number(found.instance)
    last = archives.heads_of(conn, number)
    lines = history.of_instance(conn, number, personal=False)
    names = logbook.names_in(session, conn, {found.instance: found.title})
    steps = session.steps(conn, archives.definition_of(conn, number))
    told = [
        f"{moment_text(line.at, session.zone)}  {logbook.who(line, names)}  "
        + ("" if line.chain == found.instance else f"[{line.chain}] ")
        + logbook.sentence(line, names, session.zone, steps)
        for line in lines
        if line.seq <= last.get(line.chain, 0) and line.kind not in ("instance.moved", "variables.set")
    ]
    return "".join(f"{line}\n" for line in told).encode()
