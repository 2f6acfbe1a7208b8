"""Planning: what went before, the customers' file, and the surveys of a year with their samples.

The plan is a table of surveys (the variable `surveys`): name, mode (random, targeted), target, response (the
percentage expected to answer), codes and reason of a targeted one, first and last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, asks_for, takes
from survey import rosters, rounds
from survey.draws import units_below
from survey.figures import percent
from survey.numbering import some
from survey.rosters import Respondent
from survey.sampling import Design, wanted
from survey.tables import survey_round
from tasks import coverage
from tasks.appointments import all_hold
from tasks.controlled import listed, tabled
from tasks.meaning import codes_in, parameter
from tasks.questionnaires import latest

handlers = Handlers("planning")

OWNER = "action_owner"
"""The role of those who correct something: see the shared process corrective-action."""
DEPARTMENT = "business_dept"
"""The role of those who answer for a department's part of a plan."""
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
    head = ("客户", "销售公司", "客户类型", "合作日期")
    text = f"{year - 1}年新开发客户{len(new)}个，列入{year}年度计划。"
    return {
        "plan_year": year,
        "last_summary": "".join(_surveys_of(call, year - 1)) or f"没有{year - 1}年度的调查记录。",
        "form_version": latest(call).version,
        "new_customers": len(new),
        "new_customers_text": text,
        "customers_until": f"{year - 1}-12-31",
        "$record": tabled(call, head, rows, name=f"新开发客户统计-{year - 1}"),
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
    types = listed(str(parameter(call, "customer_types")))
    there = _customers(call)
    problems = []
    if not there:
        template = "The roster is empty: bring the customers in with `flow roster import FILE`"
        problems.append(Problem("file_checked", template))
    if strange := [each.code for each in there if each.segment not in types]:
        template = "These customers are of no known type ({types}): {codes}"
        params = {"types": "、".join(types), "codes": some(strange)}
        problems.append(Problem("file_checked", template, params))
    if homeless := [each.code for each in there if not each.project]:
        template = "The sales company (project) of these customers is missing: {codes}"
        problems.append(Problem("file_checked", template, {"codes": some(homeless)}))
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


@handlers.verify
def waves_distinct(call: Call) -> None:
    """In the table `waves` no two rows ask the same kind of customers (`object`) by the same `method`."""
    seen: set[tuple[object, object]] = set()
    problems = []
    for place, row in enumerate(call.values.get("waves") or [], 1):
        wave = (row.get("object"), row.get("method"))
        if wave in seen:
            problems.append(
                Problem(f"waves.{place}.method", "Another row says the same already: delete one of them")
            )
        seen.add(wave)
    if problems:
        raise Invalid(problems)


def _days(place: int, row: Mapping[str, Any], year: str, table: str = "surveys") -> Iterator[Problem]:
    if not row["first_day"].startswith(year):
        template = "The plan is for {year}; the survey has to begin in it"
        yield Problem(f"{table}.{place}.first_day", template, {"year": year})
    if row["last_day"] < row["first_day"]:
        yield Problem(f"{table}.{place}.last_day", "The survey ends before it begins")


def _targeted(place: int, row: Mapping[str, Any], size: int, known: set[str]) -> Iterator[Problem]:
    codes = codes_of(row)
    if not (row.get("reason") or "").strip():
        template = "Say why these customers were chosen: a targeted sample is no random one"
        yield Problem(f"surveys.{place}.reason", template)
    if strange := [code for code in codes if code not in known]:
        yield Problem(f"surveys.{place}.codes", "Not on the roster: {codes}", {"codes": some(strange)})
    if len(codes) < size:
        template = "{size} questionnaires have to be given out, but {count} customers are named"
        yield Problem(f"surveys.{place}.codes", template, {"size": size, "count": len(codes)})


def codes_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The customers that a row of the plan names, each once."""
    return codes_in(row.get("codes"))


def issue_size(row: Mapping[str, Any], counts: str) -> int:
    """How many questionnaires have to be given out: the target over the part expected to answer, rounded up.

    Where the document counts what is given out (`counts` issued), the target itself.
    """
    if counts == "issued":
        return int(row["target"])
    return wanted(Design(method="simple", size=row["target"], response=f"{row['response']}/100"), 0)


@handlers.verify
@asks_for({DEPARTMENT: "业务部门"})
def rows_sound(call: Call) -> None:
    """The table `plan_rows` keeps coverage, and every row can be carried out.

    A row has a name, the `department` with its `head`, first and last day, and the `codes` of its customers, who
    belong to the department (the roster's project, where it says so) and stand in no other row. Once rounds have
    been opened, further rows are judged by themselves: coverage is then counted on who was asked.
    """
    rows = call.values.get("plan_rows") or []
    known, year = {each.code: each for each in _customers(call)}, str(call.variables["plan_year"])
    begun = rounds.rounds_of(call.conn, call.root)
    names, placed = {each.part for each in begun}, dict[str, int]()
    problems = all_hold(call, "plan_rows", "head", DEPARTMENT)
    for place, row in enumerate(rows, 1):
        if row["name"] in names:
            params = {"name": row["name"]}
            problems.append(Problem(f"plan_rows.{place}.name", "There are two surveys called {name}", params))
        names.add(row["name"])
        problems += _days(place, row, year, "plan_rows")
        problems += _customers_of(place, row, known, placed)
    try:
        if not begun:
            coverage.sound(call)
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)


def _customers_of(
    place: int, row: Mapping[str, Any], known: Mapping[str, Respondent], placed: dict[str, int]
) -> Iterator[Problem]:
    """What is wrong with the customers of a row; `placed` says in which row others stand."""
    field, codes = f"plan_rows.{place}.codes", codes_of(row)
    if strange := [code for code in codes if code not in known]:
        yield Problem(field, "Not on the roster: {codes}", {"codes": some(strange)})
    if twice := [code for code in codes if code in placed]:
        yield Problem(field, "These customers stand in another row as well: {codes}", {"codes": some(twice)})
    of = row["department"]
    if others := [code for code in codes if code in known and (known[code].project or of) != of]:
        template = "These customers belong to another department than {department}: {codes}"
        yield Problem(field, template, {"department": of, "codes": some(others)})
    placed.update(dict.fromkeys(codes, place))


@handlers.collection
def departments(call: Call) -> Iterable[object]:
    """Whoever answers for rows of the plan (`plan_rows`): head, department, and their rows in words."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in call.variables.get("plan_rows") or []:
        found.setdefault(row["head"], []).append(row)
    return [
        {
            "head": head,
            "department": "、".join(dict.fromkeys(row["department"] for row in rows)),
            "rows": "\n".join(map(_row_text, rows)),
        }
        for head, rows in found.items()
    ]


@handlers.inside
def objections(call: Call) -> Values:
    """Puts the rows of the plan, and what departments object to in it (`confirm_opinions`), into words.

    Sets `plan_text`, and `plan_objections`, which is empty when everybody agrees.
    """
    rows = call.variables.get("plan_rows") or []
    return {
        "plan_text": "\n".join(f"{row['department']}，{_row_text(row)}" for row in rows),
        "plan_objections": "\n".join(filter(None, call.variables.get("confirm_opinions") or [])),
    }


def _row_text(row: Mapping[str, Any]) -> str:
    codes = codes_of(row)
    days = f"{row['first_day']}至{row['last_day']}"
    return f"{row['name']}：{days}，{len(codes)}个顾客（{'、'.join(codes)}）；{row['arrangement']}"


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
    if missing := [each for each in listed(str(parameter(call, "parties"))) if each not in there]:
        template = "Nobody of {parties} took part: the plan is discussed together with them"
        raise Invalid([Problem("attendees", template, {"parties": ", ".join(missing)})])


@handlers.verify
@asks_for({OWNER: "整改责任人"})
def measures_owned(call: Call) -> None:
    """Who owns a measure in a table `measures_<role>` holds that role, and may carry measures out."""
    problems = [
        problem
        for name in call.values
        if name.startswith(_TABLE)
        for problem in all_hold(call, name, "owner", name.removeprefix(_TABLE), OWNER)
    ]
    if problems:
        raise Invalid(problems)
