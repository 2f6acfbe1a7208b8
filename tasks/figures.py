"""Figures: what a closed round comes to, as variables and as the table that the document prescribes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from documents.excel import Sheet
from documents.sheets import sheet_name
from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, after, anything, number, takes
from survey import rounds
from survey.figures import (
    Counts,
    Figures,
    Line,
    cross,
    figures,
    hidden_groups,
    percent,
    shown,
)
from survey.figures import method as method_called
from tasks import meaning, statistics
from tasks.controlled import SIGNED, books, listed
from tasks.findings import grouping
from tasks.meaning import current, parameter
from tasks.papers import TOO_FEW

handlers = Handlers("figures")

MOST_NAMED = 10
"""Items below the threshold that the summary names; the table marks all of them."""

_PARAMETERS = {"problem_threshold": number(0, 100), "indicative_base": number(0, whole=True)}
_OPTIONAL = {"flow.method": method_called, "flow.by": anything, "flow.part": anything, **SIGNED}


def _closes(value: object) -> None:
    """The judge of `flow.closes`."""
    if value not in ("true", "false"):
        raise EngineError("{value} is neither true nor false", value=value)


@handlers.inside
@takes(optional={"flow.part": anything})
def close(call: Call) -> Values:
    """Closes the round where the document has a step of its own for it: no more returns are taken."""
    meaning.close(call, current(call))
    return {}


def _close(call: Call) -> None:
    if call.properties.get("flow.closes") != "false":
        close(call)


@handlers.outside
@after(_close)
@takes(optional={**_OPTIONAL, "flow.closes": _closes}, parameters=_PARAMETERS)
def summarise(call: Call) -> Values:
    """Closes the round and computes its figures as a job, so that nobody waits for it; makes the table of statistics.

    Properties: `flow.part`, which round, where there are several; `flow.method`, instead of the round's or the
    questionnaire's; `flow.by`, items to cross with all others (a sheet each), or the parameter that names them;
    `flow.closes`, `false` where answers are checked and corrected after a first count (003F), so that another step
    closes the round. Sets `issued`, `returned`, `return_rate`, `satisfaction_rate` (percent, as printed), `low_items`,
    `low_fields` (fields of several items below the threshold), `fields_summary` (every such field with its rate and
    mean) and `figures_summary`.
    Parameters: `problem_threshold` (percent), `indicative_base` (answers).
    """
    return _values(call, current(call))


def _values(call: Call, found: rounds.Round) -> Values:
    by = _groupings(call)
    counts = rounds.counts_of(call.conn, [found], by)
    named = call.properties.get("flow.method") or found.method
    made = figures(
        counts,
        issued=rounds.issued_of(call.conn, [found]),
        method=None if named is None else method_called(named),
        population=rounds.population_of(call.conn, [found]),
    )
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    least = int(parameter(call, "indicative_base"))
    sheets = [
        *statistics.pages(made, threshold=threshold, indicative=least),
        *(_by_group(counts, name, least) for name in by),
    ]
    low = below(made, threshold)
    return {
        "issued": made.issued,
        "returned": made.returned,
        "return_rate": percent(made.return_rate),
        "satisfaction_rate": percent(made.whole.rate.value),
        "low_items": [item.id for item in low],
        **_fields(made, threshold),
        "figures_summary": in_brief(made, low, threshold),
        "$record": books(call, sheets),
    }


def _by_group(counts: Counts, by: str, indicative: int) -> Sheet:
    """Every rated item by the groups of `by`."""
    hidden, items = hidden_groups(counts), counts.shape.rated_items
    found = [cross(counts, item.id, by, hidden=hidden, indicative=indicative) for item in items]
    form = counts.questionnaire
    name = sheet_name(f"按{grouping(form, by)}交叉分组")
    return Sheet(name, statistics.crossed(form, by, found), landscape=True)


def _groupings(call: Call) -> list[str]:
    """The items that `flow.by` names; a parameter among them stands for those that it holds."""
    found: list[str] = []
    for each in listed(call.properties.get("flow.by")):
        found += listed(str(parameter(call, each))) if each in call.parameters else [each]
    return found


def _fields(made: Figures, threshold: Fraction) -> Values:
    """The fields of several items, by what a form calls its dimensions: all of them, and those below the threshold."""
    matrices = [group for group in made.groups if sum(item.group == group.id for item in made.items) > 1]
    lines = [f"{each.label.zh}：{percent(each.rate.value)}，平均{shown(each.mean)}分" for each in matrices]
    low = [each for each in matrices if each.rate.value is not None and each.rate.value < threshold]
    return {"low_fields": [each.id for each in low], "fields_summary": "\n".join(lines)}


def below(made: Figures, threshold: Fraction) -> list[Line]:
    """The items whose rate lies below the threshold, the lowest first."""
    rated = [(item.rate.value, item) for item in made.items if item.rate.value is not None]
    return [item for value, item in sorted(rated, key=lambda each: each[0]) if value < threshold]


def in_brief(made: Figures, low: Sequence[Line], threshold: Fraction) -> str:
    """The figures in a few sentences: response, whole, the items that lie below the threshold, the method."""
    if made.withheld == made.returned > 0:
        return f"发放{made.issued}份，回收{made.returned}份，回收率{percent(made.return_rate)}；{TOO_FEW}。"
    summary = (
        f"发放{made.issued}份，回收{made.returned}份，回收率{percent(made.return_rate)}；"
        f"总满意率{percent(made.whole.rate.value)}（{_base(made)}），"
        f"平均{shown(made.whole.mean)}分。"
    )
    if low:
        named = "、".join(f"{item.label.zh}（{percent(item.rate.value)}）" for item in low[:MOST_NAMED])
        more = "等" if len(low) > MOST_NAMED else ""
        summary += f"满意率低于{percent(threshold, 0)}的项目共{len(low)}项：{named}{more}。"
    if made.withheld:
        summary += f"其中{made.withheld}份未计入：{TOO_FEW}。"
    return f"{summary}{made.method.title.zh}。"


def _base(made: Figures) -> str:
    """The base of the whole: one item's answers, or the answers to all."""
    if made.whole.id:
        return f"“{made.whole.label.zh}”{made.method.base.zh}{made.whole.rate.base}"
    if made.method.id.endswith("returned"):
        return f"回收评价{made.whole.rate.base}项次"
    return f"有效评价{made.whole.rate.base}项次"
