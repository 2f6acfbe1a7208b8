"""Assessment: all rounds of an instance taken together, who answered in each and what they come to.

For procedures that ask several kinds of customers, each in a round of its own: those that were asked the same
questionnaire make one result, those that were asked another one are told apart and do not enter it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Figures, percent, shown
from tasks.fieldwork import parameter, sheet
from tasks.figures import below, in_brief, table

handlers = Handlers("assessment")

MOST_WANTED = 5
"""Items that are named as what matters most to those who were asked another questionnaire."""


@handlers.inside
@takes(parameters={"minimum_responses": number(0, whole=True)})
def coverage(call: Call) -> Values:
    """How many answered in every round of the instance, and which rounds have fewer than they should.

    Sets `coverage_summary`, in words, and `coverage_gaps`, the rounds with fewer returns than the parameter
    `minimum_responses`; these are entered in the history as well.
    """
    least = int(parameter(call, "minimum_responses"))
    rows, gaps, lines = [], [], []
    for found in rounds.rounds_of(call.conn, call.root):
        known = rounds.progress(call.conn, found)
        enough = known.returned >= least
        name = found.part or found.name
        rows.append((name, known.members, known.issued, known.returned, "充分" if enough else "不足"))
        lines.append(f"{name}：名单{known.members}个，回收{known.returned}份{'' if enough else '，不足'}。")
        if not enough:
            gaps.append(name)
    if gaps:
        call.note("coverage.warned", {"least": least, "rounds": gaps})
    head = ("调查对象", "名单数", "发放数", "回收数", f"是否充分（至少{least}份）")
    return {
        "coverage_summary": "\n".join(lines),
        "coverage_gaps": gaps,
        "$record": {"调查覆盖面核对表.csv": sheet(head, rows)},
    }


@handlers.inside
@takes(
    optional={"flow.questionnaire": anything},
    parameters={"problem_threshold": number(0, 100), "indicative_base": number(0, whole=True)},
)
def make(call: Call) -> Values:
    """Closes all rounds of the instance and computes what those with the same questionnaire come to together.

    Property: `flow.questionnaire`, the one that satisfaction is figured from (`questionnaire`). Sets `issued`,
    `returned`, `return_rate`, `satisfaction_rate` (percent, as printed), `satisfaction_index` (0 to 100), `low_items`
    and `figures_summary` of these rounds, and `expectations`, in words, of the others. Makes a table for each round
    and one for those together.
    """
    asked = call.properties.get("flow.questionnaire", "questionnaire").strip()
    there = rounds.rounds_of(call.conn, call.root)
    for found in there:
        rounds.close(call.conn, found.id, call.now)
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    least = int(parameter(call, "indicative_base"))
    own = [each for each in there if each.questionnaire == asked]
    others = [each for each in there if each.questionnaire != asked]
    parts = {each.part or each.name: rounds.figures_of(call.conn, [each]) for each in own}
    files = {
        f"满意度统计表-{name}.csv": table(part, threshold=threshold, indicative=least)
        for name, part in parts.items()
    }
    apart = {each.part or each.name: rounds.figures_of(call.conn, [each]) for each in others}
    files |= {f"期望和需求统计表-{name}.csv": _expected(part) for name, part in apart.items()}
    expectations = "".join(_wanted(name, part) for name, part in apart.items())
    if not own:
        nothing = {"issued": 0, "returned": 0, "return_rate": "—", "satisfaction_rate": "—"}
        words = {"figures_summary": "没有计入满意度的调查。", "expectations": expectations}
        return {**nothing, "satisfaction_index": "—", "low_items": [], **words, "$record": files}
    made = rounds.figures_of(call.conn, own)
    files["客户满意度评估结果.csv"] = table(made, threshold=threshold, indicative=least)
    low = below(made, threshold)
    return {
        "issued": made.issued,
        "returned": made.returned,
        "return_rate": percent(made.return_rate),
        "satisfaction_rate": percent(made.whole.rate.value),
        "satisfaction_index": shown(made.whole.index, 1),
        "low_items": [item.id for item in low],
        "figures_summary": in_brief(made, low, threshold) + _by_part(parts),
        "expectations": expectations,
        "$record": files,
    }


def _by_part(parts: dict[str, Figures]) -> str:
    """A sentence a round, where there are several."""
    if len(parts) < 2:
        return ""
    lines = (
        f"{name}：{part.returned}份，满意率{percent(part.whole.rate.value)}" for name, part in parts.items()
    )
    return f"其中{'；'.join(lines)}。"


def _expected(made: Figures) -> str:
    """What those of a round that has no part in satisfaction answered, item by item."""
    rows = [(item.label.zh, item.tally.base, shown(item.mean)) for item in made.items]
    return sheet(
        ("项目", "有效回答", "平均分"), [*rows, (), ("发放份数", made.issued), ("回收份数", made.returned)]
    )


def _wanted(name: str, made: Figures) -> str:
    """What those of a round that has no part in satisfaction hold to be most important."""
    rated = [item for item in made.items if item.mean is not None]
    first: Sequence[str] = [
        f"{item.label.zh}（{shown(item.mean)}）"
        for item in sorted(rated, key=lambda each: -(each.mean or 0))[:MOST_WANTED]
    ]
    return (
        f"{name}：回收{made.returned}份，最看重{'、'.join(first)}，不计入满意度。"
        if first
        else (f"{name}：没有可统计的回答。")
    )
