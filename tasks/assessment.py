"""Assessment: all rounds of an instance taken together, who answered in each and what they come to.

For procedures that ask several kinds of customers, each in a round of its own: those that were asked the same
questionnaire make one result, those that were asked another one are told apart and do not enter it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from documents.content import Chart, Column, Series, Table
from documents.excel import Sheet
from documents.sheets import sheet_name
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Figures, percent, shown
from tasks import statistics
from tasks.controlled import SIGNED, books, tabled
from tasks.figures import below, in_brief
from tasks.meaning import close, parameter

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
        "$record": tabled(call, head, rows),
    }


@handlers.inside
@takes(
    optional={"flow.questionnaire": anything, **SIGNED},
    parameters={"problem_threshold": number(0, 100), "indicative_base": number(0, whole=True)},
)
def make(call: Call) -> Values:
    """Closes all rounds of the instance and computes what those with the same questionnaire come to together.

    Property: `flow.questionnaire`, the one that satisfaction is figured from (`questionnaire`). Sets `issued`,
    `returned`, `return_rate`, `satisfaction_rate` (percent, as printed), `satisfaction_index` (0 to 100), `low_items`
    and `figures_summary` of these rounds, and `expectations`, in words, of the others. Makes a workbook: those
    together, then each round.
    """
    asked = call.properties.get("flow.questionnaire", "questionnaire").strip()
    there = rounds.rounds_of(call.conn, call.root)
    for found in there:
        close(call, found)
    threshold = Fraction(str(parameter(call, "problem_threshold"))) / 100
    least = int(parameter(call, "indicative_base"))
    own = [each for each in there if each.questionnaire == asked]
    others = [each for each in there if each.questionnaire != asked]
    parts = {each.part or each.name: rounds.figures_of(call.conn, [each]) for each in own}
    pages = [
        page
        for name, part in parts.items()
        for page in statistics.pages(part, threshold=threshold, indicative=least, name=f"{name}-")
    ]
    apart = {each.part or each.name: rounds.figures_of(call.conn, [each]) for each in others}
    pages += [_expected(name, part) for name, part in apart.items()]
    expectations = "".join(_wanted(name, part) for name, part in apart.items())
    if not own:
        nothing = {"issued": 0, "returned": 0, "return_rate": "—", "satisfaction_rate": "—"}
        words = {"figures_summary": "没有计入满意度的调查。", "expectations": expectations}
        return {**nothing, "satisfaction_index": "—", "low_items": [], **words, "$record": books(call, pages)}
    made = rounds.figures_of(call.conn, own)
    whole = list(statistics.pages(made, threshold=threshold, indicative=least))
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
        "$record": books(call, [*whole, *(pages if len(parts) > 1 or apart else ())]),
    }


def _by_part(parts: dict[str, Figures]) -> str:
    """A sentence a round, where there are several."""
    if len(parts) < 2:
        return ""
    lines = (
        f"{name}：{part.returned}份，满意率{percent(part.whole.rate.value)}" for name, part in parts.items()
    )
    return f"其中{'；'.join(lines)}。"


def _expected(name: str, made: Figures) -> Sheet:
    """What those of a round that has no part in satisfaction answered, item by item."""
    rows = tuple((item.label.zh, item.tally.base, item.mean) for item in made.items)
    head = (Column("项目"), Column("有效回答", "number"), Column("平均分", "number", 2))
    labels, means = tuple(item.label.zh for item in made.items), tuple(item.mean for item in made.items)
    chart = Chart("bars", labels, (Series("平均分", means),), "各项平均分", places=2)
    note = f"发放{made.issued}份，回收{made.returned}份，不计入满意度"
    return Sheet(sheet_name(f"{name}-期望和需求"), Table(head, rows, note=note), charts=(chart,))


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
