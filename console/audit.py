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

from console import logbook, output
from console.dates import moment_text
from console.failures import FAILURE
from console.language import Messages, Words, both, tr
from console.session import Session
from console.shape import group, option
from console.writing import FORCE, written
from engine.errors import Denied
from engine.files import read_file

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
    """Recompute every chain and seal of the journal, compare the tables with it, name every place that differs.

    Without --head a rewrite of everything since the last seal kept outside cannot be seen. Exits with 1 when
    anything does not agree.
    """
    from engine.queries import history, records
    from engine.store.contradictions import contradictions
    from engine.store.seal import MAX_BYTES, read_seal
    from engine.store.verify import verify as recompute

    outside = None if head is None else read_seal(read_file(head, MAX_BYTES).decode("utf-8-sig", "replace"))
    with output.working("Verifying the journal"), session.read() as conn:
        verdict = recompute(conn, outside)
        beside = (fault for compare in session.app.comparisons for fault in compare(conn))
        contradicted = (*contradictions(conn), *beside)
        files = list(records.altered(conn, session.workspace.folder))
        clocks = history.clock_changes(conn)
        names = logbook.names_in(session, conn)
    changed = [each for each in files if each is not None]
    if session.json:
        faults = [_fault(each) for each in (*verdict.faults, *contradicted)]
        output.dump({**_counts(verdict), "records": len(files), "faults": faults, "altered": changed,
                     "clocks": clocks})  # fmt: skip
    else:
        for each in changed:
            words = tr("is missing") if each.missing else tr("was changed since it was listed")
            output.echo(f"{click.style('✗', fg='red')} {click.style(each.path, bold=True)}  {words}")
        for fault in (*verdict.faults, *contradicted):
            place = fault.chain if fault.seq is None else f"{fault.chain} #{fault.seq}"
            output.echo(f"{click.style('✗', fg='red')} {click.style(place, bold=True)}  {_words(fault)}")
        output.say(
            "{chains} chains, {rows} rows, {seals} seals, {values} personal values ({erased} erased)",
            **_counts(verdict),
        )
        for line in clocks:
            _show_clock(session, line, names)
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
        if not contradicted:
            output.echo(click.style("✓ ", fg="green") + tr("The tables say what the journal says."))
    if verdict.faults or contradicted or changed:
        sys.exit(FAILURE)


def _show_clock(session: Session, line: Line, names: logbook.Names) -> None:
    place = click.style(f"{line.chain} #{line.seq}", bold=True)
    text = f"{logbook.who(line, names)}: {logbook.sentence(line, names, session.zone)}"
    output.echo(f"{click.style('!', fg='yellow')} {place}  {text}")


@audit.command(
    "clock",
    example="flow audit clock\nflow audit clock --accept --reason 'the battery of its clock was empty'",
)
@option("--accept", is_flag=True, help="Vouch for the clock: history goes on at its time.")
@option("--reason", metavar="TEXT", default="", help="Why the two contradict each other; history keeps it.")
@click.pass_obj
def clock(session: Session, accept: bool, reason: str) -> None:
    """Compare the machine's clock with the history, and vouch for it when they contradict each other.

    While a clock runs ahead, entries get times that have not come yet; once it is right, every command would lie
    before them and is refused. With --accept history goes on at what the clock says now: set it right first. Jobs
    that waited for the false time run, and schedules are planned again from now on. What was started, fired or
    found late meanwhile is not undone: the instances are listed, to be cancelled or put right.
    """
    from engine.commands.clock import AcceptClock
    from engine.queries import history
    from engine.store import watch

    if accept:
        session.do(AcceptClock(by=session.administrator, reason=reason))
    with session.read() as conn:
        reach = watch.reach(conn)
        past = history.clock_changes(conn)
        names = logbook.names_in(session, conn)
        ahead = watch.beyond(conn, session.now) if reach.contradicts(session.now) == "behind" else {}
    if session.json:
        doubt = reach.contradicts(session.now)
        output.dump({"clock": session.now, "history": reach.history, "doubt": doubt, "accepted": past})
        return
    output.fields(
        [
            (tr("clock"), moment_text(session.now, session.zone)),
            (tr("history"), "–" if reach.history is None else moment_text(reach.history, session.zone)),
        ]
    )
    for line in past:
        _show_clock(session, line, names)
        for told, chains in zip(
            _MEANWHILE, (line.facts.get("started"), line.facts.get("moved")), strict=True
        ):
            if chains:
                output.echo(f"    {tr(told, instances=both('、', ', ').join(chains))}")
    if doubt := reach.contradicts(session.now):
        output.warn(_DOUBTS[doubt])
        if ahead:
            output.say("Entries of a time that has not come: {chains}", chains=both("、", ", ").join(ahead))
        output.note("Set the clock right. When it is: flow audit clock --accept --reason TEXT")


_MEANWHILE: Words = (
    "Started in the false time, to be cancelled or put right: {instances}",
    "Went on in the false time, to be looked at: {instances}",
)
_DOUBTS: Messages = {
    "behind": "The history reaches a time that has not come yet: this clock is wrong now, or one was then.",
    "ahead": "The clock is more than 400 days beyond anything that happened here.",
}


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
    from engine.store.seal import unnamed

    session.do(Seal(by=session.operator))
    with session.read() as conn:
        newest = seals.newest(conn)
        lost = unnamed(conn)
    if lost:
        template = (
            "{count} chains are marked as sealed, but no seal names their end: flow audit verify says which"
        )
        output.warn(template, count=len(lost))
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
@FORCE
@click.pass_obj
def export(session: Session, since: str | None, until: str | None, file: Path | None, force: bool) -> None:
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
        with (
            written(file, force=force) as beside,
            beside.open("w", encoding="utf-8-sig" if as_csv else "utf-8", newline="") as sheet,
        ):
            count = _write_csv(sheet, lines) if as_csv else _write_lines(sheet, lines)
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
