"""Reading clauses.yaml: what the source document requires, what fulfils it, and how that is put to the proof."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Finding, Misbuilt
from engine.expressions import Expression, compile_expression
from engine.forms.loading import read_text
from engine.procedures.procedure import Change, Claim, Clause
from engine.strict_yaml import Reader, Value, load, shown

LEVELS = ("must", "should", "may")
PARTS = ("element", "field", "form", "parameter", "schedule", "record", "decision")
"""What a mutant changes and an assertion is about."""


def read_clauses(name: str, text: bytes) -> tuple[Clause, ...]:
    """The clauses, in the order written. Raises `Misbuilt`."""
    document = load(text, name)
    if not isinstance(document.value, list):
        raise Misbuilt([document.finding((), "The file is no list of clauses", "Begin each with `- id: `")])
    findings: list[Finding] = []
    clauses: dict[str, Clause] = {}
    for index, value in enumerate(document.value):
        entry = Reader(document, (index,), value, findings)
        clause = Clause(
            id=entry.text("id"),
            level=entry.choice("level", LEVELS),
            statement=read_text(entry, "statement"),
            elements=entry.texts("elements", required=False),
            rules=entry.texts("rules", required=False),
            scenarios=entry.texts("scenarios", required=False),
            line=document.line((index,)),
            mutants=tuple(_mutants(entry)),
            claims=tuple(_claim(each) for each in entry.mappings("assert", required=False)),
            fulfilled=_fulfilled(entry),
        )
        entry.done()
        if clause.id in clauses:
            entry.fault("The clause {id} stands twice", "Delete one of them", at=("id",), id=clause.id)
        clauses[clause.id] = clause
    Reader(document, (), {}, findings).raise_faults()
    return tuple(clauses.values())


def _fulfilled(clause: Reader) -> Expression | None:
    text = clause.optional_text("fulfilled")
    if text is None:
        return None
    try:
        return compile_expression(text, ())
    except Misbuilt as error:
        for each in error.findings:
            clause.fault(each.template, each.remedy_template, at=("fulfilled",), **each.params)
        return None


def _mutants(clause: Reader) -> Iterator[tuple[Change, ...]]:
    for each in clause.mappings("mutant", required=False):
        if each.has("together"):
            yield tuple(_change(part) for part in each.mappings("together"))
            each.done()
        else:
            yield (_change(each),)


def _change(entry: Reader) -> Change:
    kind, identity = _part(entry)
    change = Change(kind, identity, entry.optional_text("without"), _values(entry, "set") or None)
    if change.without is not None and change.put is not None:
        entry.fault("A change has both without and set", "Keep one of them, or write two, under together")
    if kind not in ("element", "field") and change.without is None and change.put is None:
        entry.fault("Nothing is changed here", "Add `set: {{key: value}}` or `without: key`")
    entry.done()
    return change


def _claim(entry: Reader) -> Claim:
    kind, identity = _part(entry)
    claim = Claim(kind, identity, _values(entry, "is"))
    if not claim.holds:
        entry.fault("Nothing is asserted here", "Add `is: {{key: value}}`")
    entry.done()
    return claim


def _part(entry: Reader) -> tuple[str, str]:
    kinds = [kind for kind in PARTS if entry.value(kind) is not None]
    if len(kinds) != 1:
        entry.fault("Exactly one part is named here", "Keep one of: {known}", known=", ".join(PARTS))
        return PARTS[0], ""
    return kinds[0], entry.text(kinds[0])


def _values(entry: Reader, key: str) -> dict[str, Value]:
    found = entry.value(key)
    if isinstance(found, dict):
        return found
    if found is not None:
        remedy = "Write each as `key: value`"
        entry.fault(
            "{key} expects keys with values, found {found}", remedy, at=(key,), key=key, found=shown(found)
        )
    return {}
