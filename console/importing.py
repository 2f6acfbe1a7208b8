"""`flow procedure import` and `export`: diagrams of other tools taken in, published files given out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import failures, folders, output
from console.completions import procedures
from console.language import Messages, both, tr
from console.session import Session
from console.shape import NUMBER, Command, option
from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.files import read_file
from engine.procedures.reading import ID

if TYPE_CHECKING:
    from engine.importing import Import, Row

_OUTCOMES: Messages = {
    "kept": "Kept",
    "translated": "Translated",
    "dropped": "Dropped: without effect here",
    "refused": "Refused: to be put right by hand",
}
_UNNAMED = "procedure"
"""What a file is called while it is only looked at, and nothing gives it an id."""
_COLOURS = {"translated": "green", "dropped": "yellow", "refused": "red"}


@click.command(
    "import",
    cls=Command,
    example="flow procedure import order.bpmn --dry-run\nflow procedure import order.bpmn --name order",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@option(
    "--name",
    metavar="ID",
    help="The procedure's id; by default after the file's name, else its process's id.",
)
@option("--process", metavar="ID", help="The process that begins, where the file has several.")
@option("--dry-run", is_flag=True, help="Only say what would become of the file.")
@click.pass_obj
def import_(session: Session, file: Path, name: str | None, process: str | None, dry_run: bool) -> None:
    """Make a procedure of another tool's diagram: plain BPMN, Camunda 7, Operaton, CIB seven, Flowable, Activiti.

    Only what is translated changes in the file. Says of every construct whether it was kept, translated,
    dropped or refused.
    """
    from engine.importing import proposed_name, take_in
    from engine.xml_text import MAX_BYTES

    xml = read_file(file, MAX_BYTES)
    proposed = name or proposed_name(file.stem, xml)
    wanted = proposed or (_UNNAMED if dry_run else "")
    if not ID.fullmatch(wanted):
        template = "{name} cannot be a procedure's id: write a-z, 0-9, - and _, a letter first"
        if not wanted:
            template = "Neither the file's name nor its process gives an id: say one with --name"
        raise Invalid([Problem("--name", template, {"name": wanted})])
    taken = None if dry_run else folders.free(session.workspace, wanted)
    found = take_in(xml, wanted, process)
    if taken is not None:
        forms = {f"{form}.yaml": text.encode() for form, text in found.forms.items()}
        files = {f"{wanted}.bpmn": found.diagram, folders.PROCEDURE: found.procedure.encode()}
        folders.write(taken.forms / wanted, forms)
        folders.write(taken.folder, files)
    if session.json:
        output.dump(_plain(found, taken) | ({} if proposed else {"procedure": None}))
    else:
        _show(found, taken, proposed)
        if proposed and name is None and wanted != file.stem.removesuffix(".bpmn20"):
            output.note("{file} becomes {name}; --name gives another id", file=file.name, name=wanted)


def _plain(found: Import, folder: folders.Folder | None) -> dict[str, object]:
    return {
        "procedure": found.name,
        "process": found.process,
        "written_by": found.written_by,
        "folder": None if folder is None else folder.folder,
        "forms": sorted(found.forms),
        "constructs": [
            {
                "outcome": row.outcome,
                "element": row.element,
                "line": row.line,
                "what": row.what,
                "from": row.before,
                "to": row.after,
                "reason": _filled(row.reason, row),
                "remedy": _filled(row.remedy, row),
            }
            for row in found.rows
        ],
    }


def _filled(template: str, row: Row) -> str:
    return tr(template, **failures.translated(row.params)) if template else ""


def _show(found: Import, folder: folders.Folder | None, name: str) -> None:
    counts = Counter(row.outcome for row in found.rows)
    for outcome in ("translated", "dropped", "refused"):
        rows = [row for row in found.rows if row.outcome == outcome]
        if rows:
            output.echo(click.style(tr(_OUTCOMES[outcome]), fg=_COLOURS[outcome], bold=True))
            for row in rows:
                _show_row(row)
            output.echo()
    kept = Counter(row.what for row in found.rows if row.outcome == "kept")
    output.heading(tr(_OUTCOMES["kept"]))
    listed = both("、", ", ").join(f"{what} ×{count}" for what, count in kept.items())
    for line in output.wrap(listed, 100):
        output.echo(f"  {line}")
    output.echo()
    output.say(
        "{written_by}: {kept} kept, {translated} translated, {dropped} dropped, {refused} refused",
        written_by=found.written_by,
        **{outcome: counts[outcome] for outcome in _OUTCOMES},
    )
    if folder is None and not name:
        output.note(
            "Nothing was written. Neither the file's name nor its process gives an id: say one with --name"
        )
        return
    if folder is None:
        output.note("Nothing was written; without --dry-run it becomes the procedure {name}", name=found.name)
        return
    output.say("{procedure} lies in {folder}", procedure=found.name, folder=folder.folder)
    output.note("Next: `flow procedure check {name}` says what is missing", name=found.name)


def _show_row(row: Row) -> None:
    place = " ".join(part for part in (row.element, tr("line {number}", number=row.line)) if part)
    change = " → ".join(" ".join(part.split()) for part in (row.before, row.after) if part)
    texts = " ".join(part for part in (row.what, change) if part)
    output.echo(f"  {click.style(place, bold=True)}  {texts}")
    for template in (row.reason, row.remedy):
        if template:
            output.echo(click.style(f"      {_filled(template, row)}", dim=True))


@click.command(
    "export",
    cls=Command,
    example="flow procedure export 003G\nflow procedure export 003G --version 1 -o audit",
)
@click.argument("name", metavar="PROCEDURE", shell_complete=procedures)
@option("--version", type=NUMBER, help="Which version; by default the newest.")
@option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write there; by default into a folder named after procedure and version.",
)
@click.pass_obj
def export(session: Session, name: str, version: int | None, folder: Path | None) -> None:
    """Write the files of a published version out, byte for byte as they were published, for auditors and editors."""
    from engine.queries import definitions

    with session.read() as conn:
        versions = definitions.versions(conn, name)
        wanted = next((each for each in versions if version in (None, each.version)), None)
        if wanted is None:
            known = ", ".join(str(each.version) for each in reversed(versions))
            template = "{name} has no version {version}, but {known}"
            raise NotFound(template, name=name, version=version, known=known)
        files = session.app.services.library.find(conn, wanted.hash).procedure.files
    target = folder or Path(f"{wanted.procedure}-v{wanted.version}")
    if target.exists():
        raise Conflict("{folder} is there already", folder=target)
    folders.write(target, _laid_out(wanted.procedure, files))
    if session.json:
        output.dump(
            {
                "procedure": wanted.procedure,
                "version": wanted.version,
                "hash": wanted.hash,
                "folder": target,
                "files": sorted(_laid_out(wanted.procedure, files)),
            }
        )
        return
    output.say(
        "{count} files of {procedure}, version {version}, lie in {folder}",
        count=len(files),
        procedure=wanted.procedure,
        version=wanted.version,
        folder=target,
    )
    output.note("Its hash in the journal is {hash}", hash=wanted.hash)


def _laid_out(procedure: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a bundle where a workspace has them."""
    return {
        f"forms/{procedure}/{name.removeprefix('forms/')}"
        if name.startswith("forms/")
        else f"processes/{procedure}/{name}": text
        for name, text in files.items()
    }
