"""Planning: what went before, the customers' file, and the surveys of a year with their samples.

The plan is a table of surveys (the variable `surveys`): name, mode (random, targeted), target, response (the
percentage expected to answer), codes and reason of a targeted one, first and last day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, asks_for, takes
from survey import rosters, rounds
from survey.draws import units_below
from survey.figures import percent
from survey.rosters import Respondent
from survey.sampling import Design, wanted
from survey.tables import survey_round
from tasks.fieldwork import holds, parameter, sheet
from tasks.questionnaires import latest

handlers = Handlers("planning")

OWNER = "action_owner"
"""The role of those who correct something: see the shared process corrective-action."""
_TABLE = "measures_"


@handlers.inside
def last_year(call: Call) -> Values:
    """What is known when the year's plan is made: the surveys of last year, and the customers that came then.

    Sets `plan_year`, `last_summary`, `form_version` (of the questionnaire as published), `new_customers` (how many),
    `new_customers_text` and `customers_until`, the last day of last year.
    """
    year = int(call.today[:4])
    new = [each for each in _customers(call) if (each.since or "")[:4] == f"{year - 1}"]
    rows = [(each.code, each.project, each.segment, each.since) for each in new]
    text = f"{year - 1}年新开发客户{len(new)}个，列入{year}年度计划。"
    return {
        "plan_year": year,
        "last_summary": "".join(_surveys_of(call, year - 1)) or f"没有{year - 1}年度的调查记录。",
        "form_version": latest(call).version,
        "new_customers": len(new),
        "new_customers_text": text,
        "customers_until": f"{year - 1}-12-31",
        "$record": {
            f"新开发客户统计-{year - 1}.csv": sheet(("客户", "销售公司", "客户类型", "合作日期"), rows)
        },
    }


def _surveys_of(call: Call, year: int) -> Iterator[str]:
    """A sentence on each survey of the unit that was closed in the year."""
    table = survey_round
    rows = call.conn.execute(
        select(table.c.instance_id, table.c.part, table.c.closed_at)
        .where(
            table.c.unit == call.unit,
            table.c.procedure == call.procedure,
            table.c.status == "closed",
            table.c.closed_at >= datetime(year, 1, 1, tzinfo=call.zone),
            table.c.closed_at < datetime(year + 1, 1, 1, tzinfo=call.zone),
        )
        .order_by(table.c.closed_at, table.c.id)
    )
    for row in rows:
        found = rounds.round_of(call.conn, row.instance_id, row.part)
        made = rounds.figures_of(call.conn, [found])
        yield (
            f"{found.part or found.name}：回收{made.returned}份，回收率{percent(made.return_rate)}，"
            f"满意率{percent(made.whole.rate.value)}，问卷{found.version}版。"
        )


def _customers(call: Call) -> list[Respondent]:
    """The active customers of the unit and those below."""
    return rosters.listed(call.conn, units=units_below(call.conn, call.unit), active=True)


@handlers.verify
def file_complete(call: Call) -> None:
    """Every customer has a sales company (project) and, as segment, one of the types (`customer_types`)."""
    types = _listed(parameter(call, "customer_types"))
    there = _customers(call)
    problems = []
    if not there:
        template = "The roster is empty: bring the customers in with `flow roster import FILE`"
        problems.append(Problem("file_checked", template))
    if strange := [each.code for each in there if each.segment not in types]:
        template = "These customers are of no known type ({types}): {codes}"
        params = {"types": "、".join(types), "codes": _some(strange)}
        problems.append(Problem("file_checked", template, params))
    if homeless := [each.code for each in there if not each.project]:
        template = "The sales company (project) of these customers is missing: {codes}"
        problems.append(Problem("file_checked", template, {"codes": _some(homeless)}))
    if problems:
        raise Invalid(problems)


@handlers.verify
def surveys_sound(call: Call) -> None:
    """Every survey of the plan lies in its year, has samples enough, and a targeted one its customers and a reason."""
    rows = call.values.get("surveys") or []
    least, counts = int(parameter(call, "minimum_sample")), str(parameter(call, "sample_counts"))
    known = {each.code for each in _customers(call)}
    year, names = str(call.variables["plan_year"]), [row.get("name") for row in rows]
    problems: list[Problem] = []
    for place, row in enumerate(rows, 1):
        if names.index(row.get("name")) < place - 1:
            params = {"name": row["name"]}
            problems.append(Problem(f"surveys.{place}.name", "There are two surveys called {name}", params))
        if row["target"] < least:
            template = "At least {least} samples have to be planned, found {found}"
            problems.append(
                Problem(f"surveys.{place}.target", template, {"least": least, "found": row["target"]})
            )
        problems += _days(place, row, year)
        if row["mode"] == "targeted":
            problems += _targeted(place, row, issue_size(row, counts), known)
    if problems:
        raise Invalid(problems)


def _days(place: int, row: Mapping[str, Any], year: str) -> Iterator[Problem]:
    if not row["first_day"].startswith(year):
        template = "The plan is for {year}; the survey has to begin in it"
        yield Problem(f"surveys.{place}.first_day", template, {"year": year})
    if row["last_day"] < row["first_day"]:
        yield Problem(f"surveys.{place}.last_day", "The survey ends before it begins")


def _targeted(place: int, row: Mapping[str, Any], size: int, known: set[str]) -> Iterator[Problem]:
    codes = codes_of(row)
    if not (row.get("reason") or "").strip():
        template = "Say why these customers were chosen: a targeted sample is no random one"
        yield Problem(f"surveys.{place}.reason", template)
    if strange := [code for code in codes if code not in known]:
        yield Problem(f"surveys.{place}.codes", "Not on the roster: {codes}", {"codes": _some(strange)})
    if len(codes) < size:
        template = "{size} questionnaires have to be given out, but {count} customers are named"
        yield Problem(f"surveys.{place}.codes", template, {"size": size, "count": len(codes)})


def codes_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The customers that a row of the plan names, each once."""
    return tuple(dict.fromkeys(re.findall(r"[^\s,，、;；]+", row.get("codes") or "")))


def issue_size(row: Mapping[str, Any], counts: str) -> int:
    """How many questionnaires have to be given out: the target over the part expected to answer, rounded up.

    Where the document counts what is given out (`counts` issued), the target itself.
    """
    if counts == "issued":
        return int(row["target"])
    return wanted(Design(method="simple", size=row["target"], response=f"{row['response']}/100"), 0)


@handlers.inside
def samples(call: Call) -> Values:
    """Works out how many questionnaires each survey of the plan gives out, and whether there are customers enough.

    Sets `plan_samples`, in words; what falls short is journaled as well, for whoever decides on the plan.
    """
    counts = str(parameter(call, "sample_counts"))
    until = str(call.variables["customers_until"])
    frame = sum(each.excluded is None and (each.since or "") <= until for each in _customers(call))
    lines = []
    for row in call.variables["surveys"]:
        size = issue_size(row, counts)
        line = f"{row['name']}：样本量{row['target']}，预计回收率{row['response']}%，应发放{size}份"
        if row["mode"] == "random":
            line += f"，名册内可抽取{frame}个"
            if frame < size:
                line += "，不足，将全部调查"
                facts = {"reason": "fewer customers than questionnaires", "survey": row["name"]}
                call.note("timetable.warned", {**facts, "frame": frame, "size": size})
        lines.append(f"{line}。")
    return {"plan_samples": "\n".join(lines)}


@handlers.inside
@takes({"flow.survey": anything})
def sample_design(call: Call) -> Values:
    """How the sample of one survey is drawn, as `fieldwork.open_round` takes it.

    Property: `flow.survey`, the variable with the plan's row. Sets `sample_method`, `sample_codes`, `sample_reason`,
    `sample_target`, `sample_response` and `sample_note`, which says in the report what the sample stands for.
    """
    row = call.variables[call.properties["flow.survey"]]
    targeted = row["mode"] == "targeted"
    note = "样本按客户类型分层随机抽取，结果可以推及全部客户，精度见置信区间。"
    if targeted:
        note = f"样本为有针对性选取（{row['reason']}），结果只反映所选客户，不能推及全部客户。"
    return {
        "sample_method": "targeted" if targeted else "stratified",
        "sample_codes": list(codes_of(row)) if targeted else [],
        "sample_reason": row.get("reason") or "",
        "sample_target": row["target"],
        "sample_response": "1" if parameter(call, "sample_counts") == "issued" else f"{row['response']}/100",
        "sample_note": note,
    }


@handlers.verify
def parties_there(call: Call) -> None:
    """Everybody who has to take part (the parameter `parties`) is listed in the table `attendees`."""
    there = {row["party"] for row in call.values.get("attendees") or []}
    if missing := [each for each in _listed(parameter(call, "parties")) if each not in there]:
        template = "Nobody of {parties} took part: the plan is discussed together with them"
        raise Invalid([Problem("attendees", template, {"parties": ", ".join(missing)})])


@handlers.verify
@asks_for({OWNER: "整改责任人"})
def measures_owned(call: Call) -> None:
    """Who owns a measure in a table `measures_<role>` holds that role, and may carry measures out."""
    problems = [
        problem
        for name, rows in call.values.items()
        if name.startswith(_TABLE)
        for place, row in enumerate(rows or [], 1)
        for role in (name.removeprefix(_TABLE), OWNER)
        for problem in holds(call, f"{name}.{place}.owner", row["owner"], role)
    ]
    if problems:
        raise Invalid(problems)


def _listed(value: Any) -> list[str]:
    return [part.strip() for part in re.split("[,，、]", str(value)) if part.strip()]


def _some(codes: Iterable[str]) -> str:
    found = list(codes)
    return ", ".join(found[:20]) + (", …" if len(found) > 20 else "")
