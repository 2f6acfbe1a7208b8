"""Standards: the rates that a closed round has to reach, as a whole and item by item, exactly and inclusively.

90 % is reached by 657 of 730 and missed by 656, whatever rounding would print (003I). What counts as a satisfied
questionnaire where a document does not say so is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Counts, Figures, percent
from survey.figures import figures as figures_of
from survey.figures import method as method_called
from tasks.meaning import current, parameter
from tasks.papers import TOO_FEW

handlers = Handlers("standards")

WHOLE = "整体满意率"
OVERALL, ALL, MOST = "overall", "all", "most"
SATISFIED_BY = {OVERALL: "总体评价为满意", ALL: "所评各项均为满意", MOST: "所评各项过半为满意"}
"""When a questionnaire as a whole is a satisfied one: by its overall item, or by the items that were rated."""


_UNJUDGED: Values = {
    "overall_rate": "—",
    "overall_met": False,
    "items_met": False,
    "standard_mark": "未评定",
    "standard_text": f"{TOO_FEW}，未作评定。",
    "problems": [],
    "failed": [{"item": WHOLE, "description": f"{TOO_FEW}，未作评定"}],
}
"""Of an anonymous round of which so few came back that nothing of it is shown: no item was missed, none reached."""


def _satisfied_by(value: Any) -> None:
    """The judge of the parameter `satisfied_by`."""
    if value not in SATISFIED_BY:
        raise EngineError("{value} is none of {known}", value=value, known=", ".join(SATISFIED_BY))


@handlers.inside
@takes(
    optional={"flow.part": anything, "flow.method": method_called, "flow.sets": anything},
    parameters={
        "overall_target": number(0, 100),
        "item_target": number(0, 100),
        "satisfied_by": _satisfied_by,
    },
)
def judge(call: Call) -> Values:
    """Holds a closed round against its targets: the whole, and every item.

    Properties: `flow.part`, which round; `flow.method`, instead of the questionnaire's. Parameters: `overall_target`
    and `item_target`, percentages; `satisfied_by`, when a questionnaire is a satisfied one: `overall` (the rate of
    the whole as the method has it), `all` or `most` (of the rated items; then satisfied ÷ returned). Sets
    `overall_rate` (as printed), `overall_met`, `items_met`, `standard_mark` (达标, 未达标, or 未评定 where too few
    answered anonymously), `standard_text`, and `failed`, what was missed: `item`, its name, and `description`. It is
    journaled. Sets `problems` empty, for `rectification.take_up` and a form to fill.
    """
    found = current(call)
    counts, named = rounds.counts_of(call.conn, [found]), call.properties.get("flow.method") or found.method
    if counts.withheld == counts.returned > 0:
        return dict(_UNJUDGED)
    made = figures_of(
        counts,
        issued=rounds.issued_of(call.conn, [found]),
        method=None if named is None else method_called(named),
    )
    by = str(parameter(call, "satisfied_by"))
    overall, items = (_target(call, name) for name in ("overall_target", "item_target"))
    rate = made.whole.rate.value if by == OVERALL else _satisfied(counts, by)
    held = [(WHOLE, rate, overall), *((name, value, items) for name, value in _rates(made))]
    missed = [each for each in held if each[1] is None or each[1] < each[2]]
    below = [each for each in missed if each[0] != WHOLE]
    overall_met = len(below) == len(missed)
    text = f"整体满意率{percent(rate)}（{SATISFIED_BY[by]}），{_mark(overall_met)}；"
    text += f"分项未达标{len(below)}项：" if below else "分项均达标"
    text += "、".join(f"{name}（{percent(value)}）" for name, value, _ in below)
    if missed:
        call.note("standard.missed", {"missed": [name for name, _, _ in missed], "overall": percent(rate)})
    return {
        "overall_rate": percent(rate),
        "overall_met": overall_met,
        "items_met": not below,
        "standard_mark": _mark(not missed),
        "standard_text": f"{text}。",
        "problems": [],
        "failed": [
            {"item": name, "description": f"{name}{percent(value)}，低于{percent(target, 0)}"}
            for name, value, target in missed
        ],
    }


def _mark(met: bool) -> str:
    return "达标" if met else "未达标"


def _target(call: Call, name: str) -> Fraction:
    return Fraction(str(parameter(call, name))) / 100


def _satisfied(counts: Counts, by: str) -> Fraction | None:
    """The questionnaires whose rated items are all (mostly) satisfied, over those returned."""
    profile = counts.whole.profile
    returned = sum(profile.values())
    many = sum(
        count
        for (_, answered, satisfied), count in profile.items()
        if answered and (satisfied == answered if by == ALL else satisfied * 2 > answered)
    )
    return Fraction(many, returned) if returned else None


def _rates(made: Figures) -> Iterator[tuple[str, Fraction | None]]:
    """Every item but the overall one, called by its field and its own name."""
    fields = {group.id: group.label.zh for group in made.groups}
    for item in made.items:
        if item.id != made.whole.id:
            field = fields.get(item.group, "")
            name = item.label.zh if field in ("", item.label.zh) else f"{field}·{item.label.zh}"
            yield name, item.rate.value
