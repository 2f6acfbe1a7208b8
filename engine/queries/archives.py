"""Sealed sets: which there are, whose time is over, and whether they still are what was sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from engine.archiving import contents, zipped
from engine.archiving.zipped import Fault, Pieces
from engine.errors import Conflict, NotFound
from engine.model import instance_number, label
from engine.store import sets
from engine.store.tables import archive, instance, journal, person, role, unit
from engine.store.told import facts_of


@dataclass(frozen=True, slots=True)
class Archive:
    """A sealed set of an instance."""

    instance: str
    number: int
    """Of the instance's sets, from 1; the latest counts."""
    title: str
    period: str | None
    unit: str
    unit_name: str
    sealed_at: datetime
    sealed_by: str
    custodian: str
    custodian_name: str
    retention: str | None
    keep_until: date | None
    files: int
    size: int
    sha256: str
    """Of the manifest, in hexadecimal."""


def archives(
    conn: Connection, *, units: Collection[str] | None = None, ended_by: date | None = None
) -> tuple[Archive, ...]:
    """The latest set of each instance, the newest first; only those whose time was over by a day, if wanted."""
    query = _ARCHIVES.order_by(archive.c.instance_id.desc(), archive.c.number.desc())
    if units is not None:
        query = query.where(instance.c.unit.in_(units))
    latest: dict[int, Any] = {}
    for row in conn.execute(query):
        latest.setdefault(row.instance_id, row)
    found = (_archive(row) for row in latest.values())
    return tuple(
        each
        for each in found
        if ended_by is None or (each.keep_until is not None and each.keep_until <= ended_by)
    )


def lost(conn: Connection, units: Collection[str] | None = None) -> dict[int, tuple[int, ...]]:
    """The sets that were sealed, as the journal says, and that are not there: their numbers, by instance."""
    found: dict[int, set[int]] = {}
    for entry in sets.entries(conn):
        if entry.row is None and isinstance(entry.number, int):
            found.setdefault(entry.instance, set()).add(entry.number)
    query = select(instance.c.id).where(instance.c.id.in_(list(found)))
    if units is not None:
        query = query.where(instance.c.unit.in_(units))
    return {each: tuple(sorted(found[each])) for each in conn.execute(query).scalars()}


def verified(
    conn: Connection, folder: Path, *, units: Collection[str] | None = None, number: int | None = None
) -> dict[str, list[Fault]]:
    """What is not as it was sealed, by instance: of one, or of all that were ever sealed, the newest first.

    Raises NotFound for one that never was.
    """
    query = select(archive.c.instance_id).join(instance, instance.c.id == archive.c.instance_id).distinct()
    if units is not None:
        query = query.where(instance.c.unit.in_(units))
    missing, there = lost(conn, units), set(conn.execute(query).scalars())
    wanted = {*missing, *there} if number is None else {number}
    found: dict[str, list[Fault]] = {}
    for each in sorted(wanted, reverse=True):
        template = "Set {number} was sealed, as the journal says, and is missing in the database"
        gone = [Fault(zipped.MANIFEST, template, {"number": which}) for which in missing.get(each, ())]
        found[label(each)] = gone + (_faults_of(conn, folder, each) if each in there or not gone else [])
    return found


def _faults_of(conn: Connection, folder: Path, number: int) -> list[Fault]:
    """The faults of an instance's latest set; one of its own for a row that holds what cannot be read."""
    try:
        return list(faults(conn, folder, *find(conn, number)))
    except _Damaged as error:
        return [Fault(zipped.MANIFEST, error.template, error.params)]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        template = "What the database says of it cannot be read: {reason}"
        return [Fault(zipped.MANIFEST, template, {"reason": str(error)[:200]})]


class _Damaged(Conflict):
    """A row that nobody writes so."""


def find(conn: Connection, number: int) -> tuple[Archive, str]:
    """The latest set of an instance, and its manifest. Raises NotFound."""
    query = _ARCHIVES.where(archive.c.instance_id == number).order_by(archive.c.number.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    if row is None and number in lost(conn):
        template = "The sealed set of {label} is missing in the database: see `flow archive verify {label}`"
        raise NotFound(template, label=label(number))
    if row is None:
        raise NotFound("{label} is not archived: flow archive seal {label}", label=label(number))
    return _archive(row), row.manifest


def files_of(conn: Connection, folder: Path, manifest: str) -> Mapping[str, Callable[[], Pieces]]:
    """How each file of a set is read, by its name there. Reading one that is missing raises FileNotFoundError."""
    said = orjson.loads(manifest)
    number = instance_number(said["instance"])
    chains = [(chain, seq, hash_) for chain, seq, hash_ in said["journal"]["heads"]]
    numbers = [instance_number(chain) for chain, _, _ in chains]
    bundles = {
        f"{place}/{name}": raw
        for place, files in contents.definitions(conn, numbers or [number]).items()
        for name, raw in files.items()
    }

    def reading(name: str) -> Callable[[], Pieces]:
        if name == contents.HISTORY:
            return lambda: contents.history(conn, chains)
        if name in bundles:
            return lambda: [bundles[name]]
        return lambda: zipped.pieces_of(folder / name)

    return {each["name"]: reading(each["name"]) for each in said["files"]}


def to_hand_over(
    conn: Connection, folder: Path, found: Archive, manifest: str, told: bytes
) -> tuple[dict[str, Pieces], dict[str, str]]:
    """The files of a set as it is handed over, and their sums, by name; `told` is the history as people read it."""
    read_me = zipped.read_me(title=found.title, instance=found.instance, sha256=found.sha256)
    beside = {zipped.MANIFEST: manifest.encode(), zipped.READ_ME: read_me, zipped.TOLD: told}
    sums = {each["name"]: each["sha256"] for each in orjson.loads(manifest)["files"]}
    sums |= {name: sha256(raw).hexdigest() for name, raw in beside.items()}
    files: dict[str, Pieces] = {name: read() for name, read in files_of(conn, folder, manifest).items()}
    return files | {name: [raw] for name, raw in beside.items()}, sums


def heads_of(conn: Connection, number: int) -> dict[str, int]:
    """How far each chain of an instance's latest set goes."""
    _, manifest = find(conn, number)
    return {chain: seq for chain, seq, _ in orjson.loads(manifest)["journal"]["heads"]}


def definition_of(conn: Connection, number: int) -> str:
    """The hash of the definition that an instance runs."""
    return str(conn.execute(select(instance.c.definition).where(instance.c.id == number)).scalar_one())


def faults(conn: Connection, folder: Path, found: Archive, manifest: str) -> Iterator[Fault]:
    """What of a set is not what was sealed, by file."""
    digest = sha256(manifest.encode()).hexdigest()
    entered = _entered(conn, found)
    if digest != found.sha256 or digest not in entered:
        yield Fault(zipped.MANIFEST, "It is not the one whose sum stands in the journal: it was changed")
        return
    until = None if found.keep_until is None else found.keep_until.isoformat()
    now_said = {"files": found.files, "size": found.size, "custodian": found.custodian,
                "retention": found.retention, "keep_until": until}  # fmt: skip
    for column, value in now_said.items():
        if entered[digest].get(column, value) != value:
            template = "The database has {column} {found}, the journal says {expected}"
            expected = entered[digest][column]
            yield Fault(zipped.MANIFEST, template, {"column": column, "found": value, "expected": expected})
    reading = files_of(conn, folder, manifest)
    for each in orjson.loads(manifest)["files"]:
        name = each["name"]
        try:
            now, _ = contents.measured(iter(reading[name]()))
        except OSError:
            yield Fault(name, "It is missing")
            continue
        if now != each["sha256"]:
            yield Fault(name, "It is not what was sealed: it was changed")


def _entered(conn: Connection, found: Archive) -> dict[str, Mapping[str, Any]]:
    """What the journal says of sets of that number, by sum; one the instance called may have sealed them for it."""
    chains = [label(each) for each in contents.family(conn, instance_number(found.instance))]
    query = select(journal.c.facts).where(journal.c.chain.in_(chains), journal.c.kind == "archive.sealed")
    entries = map(facts_of, conn.execute(query).scalars())
    return {str(facts.get("sha256")): facts for facts in entries if facts.get("number") == found.number}


def known(conn: Connection, manifest: Mapping[str, Any], digest: str) -> bool | None:
    """Whether a manifest is that of a set sealed here; None when the instance has none of that number."""
    number = instance_number(str(manifest["instance"]))
    query = select(archive.c.sha256).where(
        archive.c.instance_id == number, archive.c.number == manifest["number"]
    )
    here = conn.execute(query).scalar_one_or_none()
    return None if here is None else here == digest


_ARCHIVES = select(
    archive, instance.c.title, instance.c.period, instance.c.unit, unit.c.name.label("unit_name"),
    func.coalesce(person.c.name, role.c.name, archive.c.custodian).label("custodian_name"),
).select_from(
    archive.join(instance, instance.c.id == archive.c.instance_id)
    .outerjoin(unit, unit.c.id == instance.c.unit)
    .outerjoin(person, person.c.id == archive.c.custodian)
    .outerjoin(role, role.c.id == archive.c.custodian)
)  # fmt: skip


def _archive(row: Any) -> Archive:
    return Archive(
        instance=label(row.instance_id), number=row.number, title=row.title, period=row.period, unit=row.unit,
        unit_name=row.unit_name or row.unit, sealed_at=row.sealed_at, sealed_by=row.sealed_by,
        custodian=row.custodian, custodian_name=row.custodian_name, retention=row.retention,
        keep_until=_day(row), files=row.files,
        size=row.size, sha256=row.sha256,
    )  # fmt: skip


def _day(row: Any) -> date | None:
    """The day until which a set is kept. Raises Conflict for what somebody left that is none."""
    try:
        return None if row.keep_until is None else date.fromisoformat(row.keep_until)
    except (TypeError, ValueError):
        raise _Damaged(
            "{label}: keep_until in the table archive holds {found}, which is no date: see `flow audit verify`",
            label=label(row.instance_id), found=str(row.keep_until)[:40],
        ) from None  # fmt: skip
