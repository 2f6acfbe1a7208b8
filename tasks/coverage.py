"""Coverage over the years: whom a year's plan has to name, whether it does, and how far the year has come.

The parameters `coverage_share` (of all customers, every year; 40 %) and `coverage_years` (within which everybody is
asked; 3) say what is wanted: 003C 4.1. The years roll with each customer, unless `coverage_from` names the first year
of a fixed period; 0 names none. `coverage_segment` is the segment of the roster that counts; empty, everybody does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from documents.content import Value
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import coverage
from survey.coverage import Known
from survey.figures import percent
from survey.numbering import some
from survey.precision import part_of
from survey.rosters import Respondent
from survey.sampling import Design
from survey.surveyed import asked_between, known
from tasks.controlled import tabled
from tasks.meaning import codes_in, conditions
from tasks.quotas import share

handlers = Handlers("coverage")

PARAMETERS = {
    "coverage_share": share,
    "coverage_years": number(1, 20, whole=True),
    "coverage_from": number(0, 9999, whole=True),
    "coverage_segment": anything,
}
_OPTIONAL = dict.fromkeys(("flow.where", "flow.sets"), anything)


@handlers.inside
@takes(optional=_OPTIONAL, parameters=PARAMETERS)
def propose(call: Call) -> Values:
    """Whom the year's plan has to name: who is due, who is new, and who was asked longest ago, up to the share.

    The year is the variable `plan_year` (next year without it); `flow.where` says which customers count. Sets
    `plan_year`, `planned_codes`, to be proposed in a form, `coverage_total`, `coverage_needed`, `coverage_due` (how
    many may not be left out), `coverage_new` and `coverage_text`; the record is the list with the reason of each.
    """
    there, year = _known(call), _year(call, 1)
    wanted, years, begun = _wanted(call)
    everybody = [each for each, _ in there.values()]
    seed = f"{call.label} {year}"
    made = coverage.plan(everybody, year, share=wanted, years=years, begun=begun, seed=seed)
    why = {**dict.fromkeys(made.filled, "按比例补足"), **dict.fromkeys(made.new, "上年新客户")}
    why |= dict.fromkeys(made.due, f"{years}年内须覆盖")
    rows = [_row(there[code], why[code]) for code in made.codes]
    needed = part_of(len(there), wanted)
    text = (
        f"客户{len(there)}，{year}年至少调查{needed}（{float(wanted * 100):g}%），"
        f"其中到{year}年底满{years}年未调查、必须列入的{len(made.due)}，上年新客户{len(made.new)}。"
    )
    return {
        "plan_year": year,
        "planned_codes": "、".join(made.codes),
        "coverage_total": len(there),
        "coverage_needed": needed,
        "coverage_due": len(made.due),
        "coverage_new": len(made.new),
        "coverage_text": text,
        "$record": tabled(
            call, ("客户", "项目", "类型", "最近调查", "列入原因"), rows, name=f"调查对象建议-{year}"
        ),
    }


@handlers.verify
def sound(call: Call) -> None:
    """A year's plan names enough customers and nobody who is due is left out.

    It names them in the field `planned_codes`, or in a table's column `customer` or `codes` (several in a row).
    """
    there, everywhere = _known(call), _known(call, counted=False)
    field, planned = _planned(call.values)
    wanted, years, begun = _wanted(call)
    problems = []
    if strange := [code for code in planned if code not in everywhere]:
        problems.append(Problem(field, "Not on the roster: {codes}", {"codes": some(strange)}))
    everybody = [each for each, _ in there.values()]
    year = _year(call, 1)
    for each in coverage.check(planned, everybody, year, share=wanted, years=years, begun=begun):
        problems.append(Problem(field, each.template, each.params))
    if problems:
        raise Invalid(problems)


@handlers.inside
@takes(optional=_OPTIONAL, parameters=PARAMETERS)
def report(call: Call) -> Values:
    """How far a year has come: who was asked in it, and who has not been for too long.

    The year is the variable `coverage_year` (this year without it). Sets `coverage_total`, `coverage_needed`,
    `coverage_done`, `coverage_overdue`, `coverage_met`, `coverage_covered` (how many were asked in the years up to it,
    or in the fixed period) and `coverage_text`; the record lists everybody. A rule not kept is journaled.
    """
    there, year = _known(call), _year(call, 0, "coverage_year")
    wanted, years, begun = _wanted(call)
    first = year - years + 1 if begun is None else coverage.period(year, years, begun)[0]
    reached = asked_between(call.conn, call.unit, date(first, 1, 1), date(year, 12, 31))
    covered = sum(each.id in reached for _, each in there.values())
    asked = asked_between(call.conn, call.unit, date(year, 1, 1), date(year, 12, 31))
    done = sum(each.id in asked for _, each in there.values())
    overdue = coverage.due([each for each, _ in there.values()], year, years, begun)
    needed = part_of(len(there), wanted)
    met = done >= needed and not overdue
    state = {**dict.fromkeys(there, ""), **dict.fromkeys(overdue, f"满{years}年未调查")}
    rows = [_row(each, "本年已调查" if each[1].id in asked else state[code]) for code, each in there.items()]
    text = (
        f"{year}年已调查{done}，客户{len(there)}，应不少于{needed}（{float(wanted * 100):g}%）；"
        f"到年底满{years}年未调查的{len(overdue)}；{first}至{year}年共覆盖{covered}"
        + (f"（{percent(Fraction(covered, len(there)))}）。" if there else "。")
    )
    if not met:
        call.note("coverage.missed", {"year": year, "done": done, "needed": needed, "overdue": len(overdue)})
    return {
        "coverage_total": len(there),
        "coverage_needed": needed,
        "coverage_done": done,
        "coverage_overdue": len(overdue),
        "coverage_covered": covered,
        "coverage_met": met,
        "coverage_text": text,
        "$record": tabled(
            call, ("客户", "项目", "类型", "最近调查", "情况"), rows, name=f"调查覆盖情况-{year}"
        ),
    }


def _known(call: Call, *, counted: bool = True) -> dict[str, tuple[Known, Respondent]]:
    segment = {**call.parameters, **call.variables}.get("coverage_segment") if counted else None
    design = Design(where={**conditions(call), **({"segment": str(segment)} if segment else {})})
    return known(call.conn, call.unit, design, date.fromisoformat(call.today))


def _row(each: tuple[Known, Respondent], remark: str) -> tuple[Value, ...]:
    seen, customer = each
    return (seen.code, customer.project, customer.segment, seen.last or "", remark)


def _wanted(call: Call) -> tuple[Fraction, int, int | None]:
    """The share of a year, within how many years everybody is asked, and the first year of a fixed period."""
    known_ = {**call.parameters, **call.variables}
    given, years = known_.get("coverage_share"), known_.get("coverage_years")
    wanted = coverage.SHARE if given is None else share(given) / 100
    return (
        wanted,
        coverage.YEARS if years is None else int(years),
        int(known_.get("coverage_from") or 0) or None,
    )


def _year(call: Call, later: int, name: str = "plan_year") -> int:
    given = call.values.get(name) or call.variables.get(name)
    return int(call.today[:4]) + later if given is None else int(given)


def _planned(values: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The field that names customers, and whom it names, each once."""
    if isinstance(text := values.get("planned_codes"), str):
        return "planned_codes", list(codes_in(text))
    for field, rows in values.items():
        for column in ("customer", "codes"):
            if isinstance(rows, list) and any(isinstance(row, Mapping) and column in row for row in rows):
                return field, list(dict.fromkeys(code for row in rows for code in codes_in(row.get(column))))
    return "planned_codes", []
