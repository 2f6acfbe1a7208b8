"""`flow audit`: the journal, checked, sealed and handed out."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import output
from console.failures import FAILURE
from console.language import tr
from console.session import Session
from console.shape import group, option
from engine.errors import Denied

if TYPE_CHECKING:
    from engine.queries.history import Line
    from engine.store.verify import Fault


@group("audit", example="flow audit verify\nflow audit head > head.txt")
def audit() -> None:
    """The journal: verify, seal, export."""


@audit.command("verify", example="flow audit verify --head head.txt")
@option(
    "--head",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A seal kept outside, as `flow audit head` printed it: proves that nothing before it was rewritten.",
)
@click.pass_obj
def verify(session: Session, head: Path | None) -> None:
    """Recompute every chain and seal of the journal and name every place that does not agree.

    Without --head a rewrite of everything since the last seal kept outside cannot be seen. Exits with 1 when
    anything does not agree.
    """
    from engine.queries import records
    from engine.store.seal import read_seal
    from engine.store.verify import verify as recompute

    outside = None if head is None else read_seal(head.read_bytes().decode("utf-8-sig", "replace"))
    with output.working("Verifying the journal"), session.read() as conn:
        verdict = recompute(conn, outside)
        files = list(records.altered(conn, session.workspace.folder))
    changed = [each for each in files if each is not None]
    if session.json:
        faults = [_fault(each) for each in verdict.faults]
        output.dump({**_counts(verdict), "records": len(files), "faults": faults, "altered": changed})
    else:
        for each in changed:
            words = tr("is missing") if each.missing else tr("was changed since it was listed")
            output.echo(f"{click.style('✗', fg='red')} {click.style(each.path, bold=True)}  {words}")
        for fault in verdict.faults:
            place = fault.chain if fault.seq is None else f"{fault.chain} #{fault.seq}"
            output.echo(f"{click.style('✗', fg='red')} {click.style(place, bold=True)}  {_words(fault)}")
        output.say(
            "{chains} chains, {rows} rows, {seals} seals, {values} personal values ({erased} erased)",
            **_counts(verdict),
        )
        if not changed:
            output.echo(
                click.style("✓ ", fg="green") + tr("{count} records are as listed.", count=len(files))
            )
        if not verdict.faults:
            output.echo(click.style("✓ ", fg="green") + tr("The journal agrees with itself."))
            if outside is not None:
                output.echo(
                    click.style("✓ ", fg="green")
                    + tr("Nothing before seal {number} was rewritten.", number=outside.number)
                )
    if verdict.faults or changed:
        sys.exit(FAILURE)


def _counts(verdict: object) -> dict[str, int]:
    return {name: getattr(verdict, name) for name in ("chains", "rows", "seals", "values", "erased")}


def _fault(fault: Fault) -> dict[str, object]:
    return {"chain": fault.chain, "seq": fault.seq, "message": _words(fault)}


def _words(fault: Fault) -> str:
    return tr(fault.template, **fault.params)


@audit.command("head", example="flow audit head > head-2026-09.txt")
@click.pass_obj
def head(session: Session) -> None:
    """Seal the journal and print the seal: keep it where nobody who runs this program can change it."""
    from engine.commands.journal import Seal
    from engine.queries import seals

    session.do(Seal(by=session.operator))
    with session.read() as conn:
        newest = seals.newest(conn)
    if session.json:
        output.dump(newest)
    elif newest is None:
        output.note("The journal is empty: there is nothing to seal.")
    else:
        output.echo(str(newest))


@audit.command("export", example="flow audit export --since 2026-07-01 --until 2026-09-30 -o journal.csv")
@option("--since", metavar="DATE", help="From this day on.")
@option("--until", metavar="DATE", help="Up to this day, included.")
@option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv or .jsonl file; by default JSON lines on the screen.",
)
@click.pass_obj
def export(session: Session, since: str | None, until: str | None, file: Path | None) -> None:
    """Write the journal out: every row with its hash, personal values in their places."""
    from engine.queries import history

    begin = _day(session, since, "--since")
    end = _day(session, until, "--until")
    with session.read() as conn:
        if session.units(conn) is not None:
            raise Denied("Only auditors and administrators read everything: `may: [audit]` in org.yaml")
        lines = history.everything(conn, begin, None if end is None else end + timedelta(days=1))
        if file is None:
            for line in lines:
                output.echo(_json(line))
            return
        as_csv = file.suffix.lower() == ".csv"
        beside = file.with_name(f".{file.name}.part")
        with beside.open("w", encoding="utf-8-sig" if as_csv else "utf-8", newline="") as sheet:
            count = _write_csv(sheet, lines) if as_csv else _write_lines(sheet, lines)
        beside.replace(file)
    output.note("{count} rows written to {file}", count=count, file=file)


def _day(session: Session, text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), session.zone)
    except ValueError:
        raise click.UsageError(
            tr("{option} expects a date as 2026-07-01, found {text!r}", option=name, text=text)
        ) from None


def _json(line: Line) -> str:
    return json.dumps(output.plain(line), ensure_ascii=False, default=output.plain)


def _write_lines(sheet: io.TextIOBase, lines: Iterable[Line]) -> int:
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007
        sheet.write(_json(line) + "\n")
    return count


def _write_csv(sheet: io.TextIOBase, lines: Iterable[Line]) -> int:
    writer = csv.writer(sheet)
    writer.writerow(["chain", "seq", "at", "by", "by_name", "acting_for", "kind", "subject", "facts", "hash"])
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007
        facts = json.dumps(line.facts, ensure_ascii=False, sort_keys=True)
        writer.writerow(
            [line.chain, line.seq, line.at.isoformat(), line.by, line.by_name, line.acting_for or "", line.kind,
             line.subject or "", facts, line.hash]
        )  # fmt: skip
    return count
