"""`flow record`: the documents that procedures left, which of them count, and the templates they are made with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.completions import instance_ids, procedures, units
from console.dates import moment_text
from console.failures import FAILURE
from console.language import Messages, tr
from console.output import Cell
from console.session import Session
from console.shape import NUMBER, group, option
from console.writing import FORCE, check_free, written
from engine.errors import Conflict, NotFound
from engine.model import instance_number, label

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.queries.records import Filed

_NUMBER = click.argument("number", metavar="NUMBER", type=NUMBER)
_STATES: Messages = {"as listed": "as listed", "missing": "missing", "changed": "changed since"}


@group("record", example="flow record list SV-12\nflow record open 17\nflow record export 17 18 --to folder")
def record() -> None:
    """Records: the documents that procedures left, which of them count, and their templates."""


@record.command("list", example="flow record list SV-12\nflow record list --unit office-3 --code JL-KF-07")
@click.argument("instance", metavar="[INSTANCE]", required=False, shell_complete=instance_ids)
@option("--unit", metavar="UNIT", shell_complete=units, help="Only of this unit.")
@option("--code", metavar="CODE", help="Only with this document code.")
@option("--all", "everything", is_flag=True, help="Also those whose file was written over by a later one.")
@option("-L", "--limit", type=NUMBER, default=200, show_default=True, help="At most so many, the last ones.")
@click.pass_obj
def list_(
    session: Session, instance: str | None, unit: str | None, code: str | None, everything: bool, limit: int
) -> None:
    """List the records of an instance, of a unit, or all; of a file made again, the last one counts."""
    with session.read() as conn:
        found = _chosen(session, conn, instance, unit, code, everything=everything)
    if session.json:
        output.dump([_plain(each) for each in found])
        return
    rows = [
        (
            Cell(str(each.number), bold=each.counts, dim=not each.counts),
            each.code,
            Cell(each.name, dim=not each.counts),
            each.version,
            each.path.removeprefix("records/"),
            moment_text(each.made_at, session.zone),
            each.made_by_name or tr("program"),
            each.sha256[:12],
            _remark(each),
        )
        for each in found[-limit:]
    ]
    output.table(
        ("No.", "Code", "Record", "Version", "File", "Made", "Made by", "SHA-256", "Remark"), rows, flexible=4
    )
    if len(found) > limit:
        output.note("{count} more; --limit shows them", count=len(found) - limit)
    if not found:
        output.note("There is nothing.")


def _chosen(
    session: Session, conn: Connection, instance: str | None, unit: str | None, code: str | None, *, everything: bool
) -> list[Filed]:  # fmt: skip
    from engine.queries import instances, records

    number = None if instance is None else instance_number(instance)
    if number is not None:
        session.may_read(conn, instances.find(conn, number).unit, label(number))
    return [
        each
        for each in records.filed(
            conn, session.app.services.library, number=number, units=session.units(conn)
        )
        if unit in (None, each.unit, each.unit_name)
        and code in (None, each.code)
        and (everything or each.counts)
    ]


def _remark(each: Filed) -> Cell:
    if not each.counts:
        return Cell(tr("written over; {number} counts", number=each.replaced_by), fg="yellow")
    return Cell("" if each.later is None else tr("made again: {number}", number=each.later))


def _plain(each: Filed) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(each), "counts": each.counts}


def _find(session: Session, conn: Connection, numbers: tuple[int, ...]) -> tuple[Filed, ...]:
    from engine.queries import records

    found = records.find(conn, session.app.services.library, numbers)
    for each in found:
        session.may_read(conn, each.unit, each.instance)
    return found


@record.command("show", example="flow record show 17")
@_NUMBER
@click.pass_obj
def show(session: Session, number: int) -> None:
    """Show a record, whether it counts, and whether its file still is what was listed."""
    from engine.queries import records

    with session.read() as conn:
        (found,) = _find(session, conn, (number,))
    state = None if not found.counts else records.state_of(session.workspace.folder, found.path, found.sha256)
    if session.json:
        output.dump({**_plain(found), "file": state})
        return
    output.heading(f"{found.number}  {found.name}")
    output.fields(
        (
            (tr("code"), found.code),
            (tr("version"), found.version),
            (
                tr("procedure"),
                "  ".join(filter(None, (found.root, session.title(found.procedure), found.period))),
            ),
            (tr("unit"), found.unit_name),
            (tr("step"), f"{found.instance}  {found.element}"),
            (
                tr("made"),
                f"{moment_text(found.made_at, session.zone)}  {found.made_by_name or tr('program')}",
            ),
            (tr("file"), found.path),
            (tr("bytes"), found.size),
            ("SHA-256", found.sha256),
            (tr("status"), _remark(found) if str(_remark(found)) else tr("counts")),
            (
                tr("file is"),
                None
                if state is None
                else Cell(tr(_STATES[state]), fg=None if state == "as listed" else "red"),
            ),
        )
    )


@record.command("open", example="flow record open 17")
@_NUMBER
@click.pass_obj
def open_(session: Session, number: int) -> None:
    """Open a record's file with the program of this machine that is there for its kind."""
    with session.read() as conn:
        (found,) = _find(session, conn, (number,))
    file = session.workspace.folder / _sound(session, found).path
    failed = click.launch(str(file))
    if session.json:
        output.dump({"file": file, "opened": not failed})
    elif failed:
        output.warn("No program opened it here; the file is {file}", file=file)
    if failed:
        sys.exit(FAILURE)


def _sound(session: Session, found: Filed) -> Filed:
    """The record, if its file is the one listed; else raises."""
    from engine.queries.records import FileState, state_of

    params = {"number": found.number, "name": found.name, "file": found.path}
    if not found.counts:
        template = "Record {number} ({name}) was made again, and its file written over; record {last} counts"
        raise Conflict(template, **params, last=found.replaced_by)
    state = state_of(session.workspace.folder, found.path, found.sha256)
    if state is FileState.MISSING:
        raise NotFound(
            "The file {file} of record {number} ({name}) is missing: restore it from a backup", **params
        )
    if state is FileState.CHANGED:
        template = (
            "The file {file} of record {number} ({name}) is not what was listed: restore it from a backup, or look "
            "who changed it"
        )
        raise Conflict(template, **params)
    return found


@record.command(
    "export", example="flow record export --instance SV-12 --to folder\nflow record export 17 18 --to folder"
)
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=NUMBER)
@option("--instance", metavar="INSTANCE", shell_complete=instance_ids, help="All of an instance.")
@option("--unit", metavar="UNIT", shell_complete=units, help="All of a unit.")
@option("--code", metavar="CODE", help="Only with this document code.")
@option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder; it is made.",
)
@option("--force", is_flag=True, help="Write over files that are there.")
@click.pass_obj
def export(
    session: Session, numbers: tuple[int, ...], instance: str | None, unit: str | None, code: str | None, folder: Path,
    force: bool,
) -> None:  # fmt: skip
    """Copy records into a folder, with a list of them and their sums, which `sha256sum -c SHA256SUMS` checks.

    Nothing is copied when a file is not what was listed.
    """
    if bool(numbers) == bool(instance or unit or code):
        raise click.UsageError(tr("Name records by number, or choose them with --instance, --unit or --code"))
    with session.read() as conn:
        found = (
            _find(session, conn, numbers)
            if numbers
            else _chosen(session, conn, instance, unit, code, everything=False)
        )
    if not found:
        raise NotFound("No record is chosen; `flow record list` shows those there are")
    files = {folder / each.instance / Path(each.path).name: _sound(session, each) for each in found}
    lists = [folder / _LIST, folder / _SUMS]
    for target in (*files, *lists):
        if target.exists() and not force:
            raise Conflict("{file} is there already: name another folder, or add --force", file=target)
    _copy(session, files, folder)
    if session.json:
        output.dump({"folder": folder, "records": [each.number for each in found]})
    else:
        output.say("{count} records are in {folder}", count=len(found), folder=folder)


_LIST, _SUMS = "records.csv", "SHA256SUMS"


def _copy(session: Session, files: dict[Path, Filed], folder: Path) -> None:
    from engine.config import whole
    from survey.sheets import csv_text

    rows, sums = [], []
    for target, each in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as beside:
            beside.write_bytes((session.workspace.folder / each.path).read_bytes())
        name = target.relative_to(folder).as_posix()
        made = moment_text(each.made_at, session.zone)
        who = each.made_by_name or tr("program")
        rows.append((each.number, each.code, each.name, each.version, name, each.sha256, who, made))
        sums.append(f"{each.sha256}  {name}\n")
    heads = ("No.", "Code", "Record", "Version", "File", "SHA-256", "Made by", "Made")
    for name, text in ((_LIST, csv_text([tr(head) for head in heads], rows)), (_SUMS, "".join(sums))):
        with whole(folder / name) as beside:
            beside.write_bytes(text.encode())


@record.command(
    "template", example="flow record template 000A report\nflow record template 000A report --to report.docx"
)
@click.argument("procedure", metavar="PROCEDURE", shell_complete=procedures)
@click.argument("name", metavar="RECORD")
@option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; by default where the next publication takes it from.",
)
@FORCE
@click.pass_obj
def template(session: Session, procedure: str, name: str, file: Path | None, force: bool) -> None:
    """Write the standard template of a record, for a department to edit in Word.

    RECORD is its id in procedure.yaml or its document code. Publishing the procedure takes the template in,
    or says what is wrong with it; papers made from then on have its look.
    """
    from console import folders
    from engine.bpmn.reader import read
    from engine.check.settings import made_by
    from tasks import templates

    place = folders.find(session.workspace, procedure)
    found = place.load()
    chosen = [each.id for each in found.records.values() if name in (each.id, each.code, each.title.zh)]
    processes = read(found.diagram).processes.values()
    steps = made_by(found, [node for process in processes for node in process.nodes.values()])
    made = templates.in_word(steps)
    record_id = next((each for each in chosen if each in made), chosen[0] if chosen else name)
    content = templates.standard(found, steps, record_id)
    target = file or place.folder / templates.FOLDER / f"{record_id}.docx"
    check_free(target, force=force)
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target, force=force) as beside:
        beside.write_bytes(content)
    if session.json:
        output.dump({"file": target, "record": record_id})
        return
    output.say("{file} is written: edit it in Word", file=target)
    if file is not None:
        home = place.folder / templates.FOLDER / f"{record_id}.docx"
        output.say("Then put it there: {file}", file=home)
    output.say("`flow procedure publish {procedure}` takes it in", procedure=procedure)
