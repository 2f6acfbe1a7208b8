"""Rectification: the problems customers raised, who is responsible, who was told what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from engine.bpmn.state import variables
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, asks_for
from engine.store import tables
from survey.numbering import ranges
from tasks.appointments import all_hold
from tasks.callbacks import strangers

handlers = Handlers("rectification")

HEAD = "dept_head"
"""The role of those who answer for a department."""
ACTION = "corrective_action"
"""The shared process of one measure."""
MOST_NAMED = 5
"""Open measures that a refusal names."""
_OPEN = ("running", "suspended")
_VOID = ("cancelled", "failed")


@handlers.verify
@asks_for({HEAD: "责任部门"})
def problems_assigned(call: Call) -> None:
    """Whoever is named in `problems` as the head of a responsible department holds that role.

    Where something was missed (`failed`, of `standards.judge`), every `item` of it is taken up there.
    """
    problems = all_hold(call, "problems", "head", HEAD)
    taken_up = {row.get("item") for row in call.values.get("problems") or []}
    left = [each["item"] for each in call.variables.get("failed") or [] if each["item"] not in taken_up]
    if left:
        template = "Nobody answers for {names} yet: add a row for each, with its name as the item"
        problems.append(Problem("problems", template, {"names": "、".join(left)}))
    if problems:
        raise Invalid(problems)


@handlers.verify
def customers_known(call: Call) -> None:
    """Whoever stands in `problems` as `customer` is in the round or on the roster."""
    if faults := list(strangers(call, "problems")):
        raise Invalid(faults)


@handlers.inside
def take_up(call: Call) -> Values:
    """What was missed (`failed`, of `standards.judge`) becomes the first rows of `problems`, for a form to go on."""
    return {"problems": call.variables["failed"]}


@handlers.inside
def listed(call: Call) -> Values:
    """Puts the measures in the variable `problems` into words, one a line; sets `measures_text`.

    Each has `description`, `department`, `measure` and `expected_on`, and once it is over `final_on`.
    """
    lines = []
    for place, each in enumerate(call.variables.get("problems") or [], 1):
        line = f"{place}. {each['description']}（{each['department']}）：{each['measure']}，"
        line += f"预计{each['expected_on']}完成"
        lines.append(line + (f"，实际{each['final_on']}完成" if each.get("final_on") else ""))
    return {"measures_text": "\n".join(lines)}


@handlers.verify
def disposed(call: Call) -> None:
    """Every problem is either given to somebody to correct or put off with a reason, and once only.

    Problems are the rows of the variable `problems`; the tables `corrected` and `deferred` name them by `number`.
    Where the parameter `corrector` names a role, whoever is to correct something (`person`) has to hold it.
    """
    size = len(call.variables.get("problems") or [])
    role = call.parameters.get("corrector")
    faults = all_hold(call, "corrected", "person", str(role)) if role else []
    seen: Counter[int] = Counter()
    for table in ("corrected", "deferred"):
        for place, row in enumerate(call.values.get(table) or [], 1):
            seen[row["number"]] += 1
            if row["number"] > size:
                params = {"numbers": row["number"]}
                faults.append(Problem(f"{table}.{place}.number", "There is no problem {numbers}", params))
    if twice := sorted(number for number, times in seen.items() if times > 1):
        template = "Problem {numbers} stands here more than once"
        faults.append(Problem("corrected", template, {"numbers": ranges(twice)}))
    missing = [number for number in range(1, size + 1) if number not in seen]
    if missing and not faults:
        template = "Problem {numbers} is neither to be corrected nor put off: add a row for it"
        faults.append(Problem("corrected", template, {"numbers": ranges(missing)}))
    if faults:
        raise Invalid(faults)


@handlers.inside
def decided(call: Call) -> Values:
    """Puts what was decided on the problems (see `disposed`) into words for customers.

    Sets `corrections` (rows `item`, `person`, `limit`, for corrective actions), `measures_text` and `deferred_text`, a
    line each; nobody is named in them.
    """
    raised = call.variables.get("problems") or []
    corrected = call.variables.get("corrected") or []
    deferred = call.variables.get("deferred") or []
    corrections = [
        {"item": raised[row["number"] - 1]["description"], "person": row["person"], "limit": row["limit"]}
        for row in corrected
    ]
    measures = [
        f"{place}. {each['item']}：{each['limit']}前整改" for place, each in enumerate(corrections, 1)
    ]
    put_off = [
        f"{place}. {raised[row['number'] - 1]['description']}：暂不能实施，原因：{row['reason']}"
        for place, row in enumerate(deferred, 1)
    ]
    texts = {"measures_text": "\n".join(measures), "deferred_text": "\n".join(put_off)}
    return {"corrections": corrections, **texts}


@handlers.inside
def gather(call: Call) -> Values:
    """Lists the heads to be invited (`heads`) and the customers to be answered (`feedback_list`)."""
    raised = _raised(call.variables)
    heads: dict[str, list[str]] = {}
    for each in raised:
        departments = heads.setdefault(each["head"], [])
        if each["department"] not in departments:
            departments.append(each["department"])
    return {
        "heads": [{"head": head, "department": "、".join(names)} for head, names in heads.items()],
        "feedback_list": [{"number": each["number"], "customer": each["customer"]} for each in raised],
    }


@handlers.collection
def problems(call: Call) -> Iterable[object]:
    """The problems raised: number, customer, description, department, head."""
    return _raised(call.variables)


@handlers.verify
def heads_attended(call: Call) -> None:
    """The head of every responsible department was present at the meeting."""
    present = {row["head"] for row in call.values.get("meeting_attendance") or [] if row["present"]}
    absent = [each["head"] for each in call.variables.get("heads") or [] if each["head"] not in present]
    if absent:
        template = (
            "Every responsible head has to be there; absent: {absent}. Hold the meeting again with them"
        )
        raise Invalid([Problem("meeting_attendance", template, {"absent": ", ".join(absent)})])


@handlers.verify
def raisers_answered(call: Call) -> None:
    """Everybody who raised a problem was told what is done about it."""
    raised = {each["number"] for each in _raised(call.variables)}
    told = [row["number"] for row in call.values.get("feedback_given") or []]
    faults = []
    if missing := sorted(raised - set(told)):
        template = "Who raised problem {numbers} got no feedback yet: add a row for each"
        faults.append(Problem("feedback_given", template, {"numbers": ranges(missing)}))
    if strange := sorted(set(told) - raised):
        template = "There is no problem {numbers}"
        faults.append(Problem("feedback_given", template, {"numbers": ranges(strange)}))
    if faults:
        raise Invalid(faults)


@handlers.inside
def actions(call: Call) -> Values:
    """How the corrective actions of the survey stand: sets `actions_summary`, a line each, and `actions_open`."""
    lines, still = [], 0
    for place, (status, known) in enumerate(_actions(call), 1):
        still += status in _OPEN
        due = known.get("action_due")
        state = "未关闭" if status in _OPEN else "已关闭"
        words = [f"措施：{known.get('action_measure') or '未制定'}", *([f"期限：{due}"] if due else [])]
        words += [f"验证：{known['action_verdict_reason']}"] if known.get("action_verdict_reason") else []
        lines.append(f"{place}. {known.get('action_item') or '—'}（{state}）；{'；'.join(words)}。")
    return {"actions_summary": "\n".join(lines) or "没有改进措施。", "actions_open": still}


@handlers.verify
def actions_closed(call: Call) -> None:
    """A review that ends the reviewing (`review_decision` close) finds every corrective action closed."""
    if call.values.get("review_decision") != "close":
        return
    still = [str(known.get("action_item") or "—") for status, known in _actions(call) if status in _OPEN]
    if still:
        template = "Still open are {count} measures: {items}. Go on reviewing until they are closed"
        params = {"count": len(still), "items": "；".join(still[:MOST_NAMED])}
        raise Invalid([Problem("review_decision", template, params)])


def _actions(call: Call) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The status and variables of each corrective action of the survey, in the order in which they began."""
    table = tables.instance
    rows = call.conn.execute(
        select(table.c.status, table.c.state)
        .where(table.c.root_id == call.root, table.c.process == ACTION, table.c.status.not_in(_VOID))
        .order_by(table.c.id)
    )
    for row in rows:
        yield row.status, variables(row.state)


def _raised(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"number": place, **row} for place, row in enumerate(variables.get("problems") or [], 1)]
