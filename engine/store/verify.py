"""Recomputes the whole journal and says what does not agree, in one pass and with bounded memory.

What each kind of check proves is said in `engine.store.seal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Text,
    cast,
    exists,
    literal,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from engine.store.journal import ANNOUNCED, INSTANCE_CHAIN, START, Head, digest, instance_chain
from engine.store.private import MARKER, private_digest
from engine.store.seal import Seal, seal_hash, unnamed
from engine.store.tables import NO_HASH, chain, instance, journal, private, seal

MISSING = "{name} is missing in the table {table}, though this row entered it"
UNKNOWN = "{name} stands in the table {table}, but the journal knows nothing of it"
DIFFERS = "{name}: the table {table} has {column} {found}, the journal says {expected}"
"""What `contradictions` and `groundwork` say of a table's row."""

MARK_ALTERED = "bears a delivery mark (delivered_at) that no program set there"

_CHUNK = 500
_STREAM = 2000

_ROWS = (
    select(
        journal.c.chain,
        journal.c.seq,
        type_coerce(journal.c.at, BigInteger),
        journal.c.by,
        journal.c.acting_for,
        journal.c.kind,
        journal.c.subject,
        journal.c.facts,
        journal.c.prev,
        journal.c.hash,
        type_coerce(journal.c.delivered_at, BigInteger),
    )
    .order_by(journal.c.chain, journal.c.seq)
    .execution_options(yield_per=_STREAM)
)

_SEALS = (
    select(seal.c.number, type_coerce(seal.c.at, BigInteger), seal.c.heads, seal.c.prev, seal.c.hash)
    .order_by(seal.c.number)
    .execution_options(yield_per=10)
)

_HASHES = select(journal.c.chain, journal.c.seq, journal.c.hash)
_INSTANCE_HEADS = select(instance.c.id, instance.c.head_seq, instance.c.head_hash)
_CHAIN_HEADS = select(chain.c.name, chain.c.seq, chain.c.hash)
_INSTANCE_CHAIN = literal("SV-") + cast(instance.c.id, Text)
_EMPTIED = union_all(
    select(_INSTANCE_CHAIN, instance.c.head_seq)
    .where(instance.c.head_seq > 0)
    .where(~exists().where(journal.c.chain == _INSTANCE_CHAIN)),
    select(chain.c.name, chain.c.seq)
    .where(chain.c.seq > 0)
    .where(~exists().where(journal.c.chain == chain.c.name)),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not agree: in which chain (`seal` for the seals), at which row, and what."""

    chain: str
    seq: int | None
    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        place = self.chain if self.seq is None else f"{self.chain} row {self.seq}"
        return f"{place}: {self.template.format(**self.params) if self.params else self.template}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: the faults, and how much was looked at."""

    faults: tuple[Fault, ...]
    chains: int
    rows: int
    seals: int
    values: int
    """Personal values that the journal refers to and that are there, unaltered."""
    erased: int
    """Personal values that were erased; the rows that refer to them still agree."""


def verify(conn: Connection, outside: Seal | None = None) -> Verdict:
    """Recompute every chain, seal and personal digest, and compare with `outside`, a seal kept elsewhere.

    Use a connection of `Store.read()`, so that writers going on meanwhile are not seen. Memory is bounded
    except for the faults themselves and, while seals are looked at, two numbers for each sealed instance.
    """
    check = _Verification(conn)
    for part in (check.chains, check.heads_without_rows, lambda: check.seals(outside)):
        try:
            part()
        except (
            TypeError,
            ValueError,
            ArithmeticError,
            DBAPIError,
        ) as error:  # a value of a kind that nobody writes
            check.fault("journal", None, "cannot be read to its end: {reason}", reason=str(error)[:200])
    return Verdict(
        tuple(check.faults), check.chain_count, check.row_count, check.seal_count, check.values, check.erased
    )


class _Verification:
    """One walk over everything; keeps what it needs to compare in chunks, never all of it."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.faults: list[Fault] = []
        self.chain_count = self.row_count = self.seal_count = self.values = self.erased = 0
        self._ends: dict[str, Head] = {}
        self._markers: list[tuple[str, str, int]] = []

    def fault(self, name: str, seq: int | None, template: str, /, **params: object) -> None:
        self.faults.append(Fault(name, seq, template, params))

    def chains(self) -> None:
        """Every row of the journal, in order."""
        name, last = "", START
        for row in self.conn.execute(_ROWS):
            if row[0] != name:
                self._end(name, last)
                name, last = row[0], START
            last = self._row(row, last)
        self._end(name, last)
        self._compare_heads()
        self._compare_values()

    def _row(self, row: Row[Any], last: Head) -> Head:
        name, seq, at, by, acting_for, kind, subject, facts, prev, stored, delivered = tuple(row)
        self.row_count += 1
        if not (
            isinstance(at, int)
            and isinstance(facts, str)
            and isinstance(prev, bytes)
            and isinstance(stored, bytes)
        ):
            self.fault(name, seq, "was altered: it holds a value of another kind")
            return Head(seq, stored if isinstance(stored, bytes) else NO_HASH)
        expected = last.seq + 1
        if seq < expected:
            self.fault(name, seq, "does not belong here: a chain begins with row 1")
        elif seq > expected:
            self.fault(name, expected, "is missing, with all rows before row {seq}", seq=seq)
        elif prev != last.hash:
            self.fault(name, seq, "does not follow from the row before it")
        if digest(prev, name, seq, at, by, acting_for, kind, subject, facts) != stored:
            self.fault(name, seq, "was altered: what it says does not give its hash")
        waits = delivered is None and kind in ANNOUNCED
        late = isinstance(delivered, int) and delivered > at and kind in ANNOUNCED
        if not (waits or late or delivered == at):
            self.fault(name, seq, MARK_ALTERED)
        for marker in MARKER.findall(facts):
            self._markers.append((marker, name, seq))
        if len(self._markers) >= _CHUNK:
            self._compare_values()
        return Head(seq, bytes(stored))

    def _end(self, name: str, last: Head) -> None:
        if last is START:
            return
        self.chain_count += 1
        self._ends[name] = last
        if len(self._ends) >= _CHUNK:
            self._compare_heads()

    def _compare_heads(self) -> None:
        """The last rows of some chains against the heads that instances and the table `chain` keep."""
        ids = [int(match[1]) for match in map(INSTANCE_CHAIN.fullmatch, self._ends) if match]
        kept = {
            instance_chain(id_): Head(seq, bytes(hash_))
            for id_, seq, hash_ in self.conn.execute(_INSTANCE_HEADS.where(instance.c.id.in_(ids)))
        }
        for name, seq, hash_ in self.conn.execute(_CHAIN_HEADS.where(chain.c.name.in_(list(self._ends)))):
            kept[name] = Head(seq, bytes(hash_))
        for name, last in self._ends.items():
            head = kept.get(name)
            if head is None:
                self.fault(name, last.seq, "ends a chain whose head was deleted")
            elif head.seq > last.seq:
                self.fault(
                    name, last.seq + 1, "is missing, with all rows up to the head, row {seq}", seq=head.seq
                )
            elif head.seq < last.seq:
                self.fault(name, head.seq + 1, "lies beyond the head of the chain: it was added by hand")
            elif head.hash != last.hash:
                self.fault(name, last.seq, "is not the row that the head of the chain names")
        self._ends.clear()

    def heads_without_rows(self) -> None:
        """Chains of which no row is left though their head says otherwise."""
        for name, seq in self.conn.execute(_EMPTIED):
            self.fault(name, 1, "is missing, with all rows up to the head, row {seq}", seq=seq)

    def _compare_values(self) -> None:
        """Personal values against the digests that the journal refers to them by."""
        wanted = private.c.digest.in_({marker for marker, _, _ in self._markers})
        kept = {row.digest: row for row in self.conn.execute(select(private).where(wanted))}
        for marker, name, seq in self._markers:
            row = kept.get(marker)
            if row is None:
                self.fault(name, seq, "refers to a personal value that is missing, though it was not erased")
            elif row.erased_at is not None and row.value is None:
                self.erased += 1
            elif row.value is None or row.salt is None or private_digest(row.salt, row.value) != marker:
                self.fault(name, seq, "refers to a personal value that was altered")
            else:
                self.values += 1
        self._markers.clear()

    def seals(self, outside: Seal | None) -> None:
        """Every seal, the rows it names, and the seal kept outside."""
        last, last_hash, found = 0, NO_HASH, None
        for number, at, heads, prev, stored in self.conn.execute(_SEALS):
            self.seal_count += 1
            if number != last + 1:
                self.fault("seal", last + 1, "is missing, with all seals before seal {number}", number=number)
            elif prev != last_hash:
                self.fault("seal", number, "does not follow from the seal before it")
            if seal_hash(prev, number, at, heads) != stored:
                self.fault("seal", number, "was altered: what it says does not give its hash")
            else:
                self._sealed_rows(number, heads)
            if outside is not None and number == outside.number:
                found = bytes(stored)
            last, last_hash = number, bytes(stored)
        lost = unnamed(self.conn)
        if lost and not self.seal_count:
            self.fault("seal", 1, "is missing, though chains were sealed: the seals were deleted")
        elif lost:
            self._seal_lost(last + 1, lost)
        if outside is None or found == outside.hash:
            return
        if found is None:
            self.fault("seal", outside.number, "was kept outside but is missing here: history was cut off")
        else:
            self.fault(
                "seal", outside.number, "differs from the one kept outside: history before it was rewritten"
            )

    def _seal_lost(self, number: int, lost: Mapping[str, int]) -> None:
        for name, seq in lost.items():
            template = "is marked as sealed, but no seal names it: seal {number} or a later one was deleted"
            self.fault(name, seq, template, number=number)

    def _sealed_rows(self, number: int, heads: str) -> None:
        """The rows that a seal names are there, as they were."""
        try:
            named = {(str(name), int(seq)): bytes.fromhex(hash_) for name, seq, hash_ in orjson.loads(heads)}
        except (ValueError, TypeError):
            self.fault("seal", number, "cannot be read: its heads were replaced")
            return
        places = list(named)
        for start in range(0, len(places), _CHUNK):
            chunk = places[start : start + _CHUNK]
            there = {
                (name, seq): bytes(hash_)
                for name, seq, hash_ in self.conn.execute(
                    _HASHES.where(tuple_(journal.c.chain, journal.c.seq).in_(chunk))
                )
            }
            for name, seq in chunk:
                if (name, seq) not in there:
                    self.fault(name, seq, "is missing, though seal {number} names it", number=number)
                elif there[name, seq] != named[name, seq]:
                    self.fault(name, seq, "is not the row that seal {number} names", number=number)
