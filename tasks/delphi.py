"""Delphi rounds: experts weight indicators each for themselves, see what all came to without names, and do it again.

A round is one item a expert (`panel`); `combine` says what it came to and whether the weights stand still. The variable
`answers` has what came back: rows with `expert` and `weights` (node, weight), null of who did not answer in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from documents.content import Column
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, asks_for, number, takes
from survey.figures import Concordance, Opinion, concordance, furthest, opinion, overall, shown, unbalanced
from survey.figures.weighting import Path, System, called
from tasks.appointments import all_hold
from tasks.controlled import tabled
from tasks.indicators import system, weights_of
from tasks.meaning import parameter

handlers = Handlers("delphi")

EXPERT = "expert"
"""The role of those who may sit on a panel."""
EVERYBODY = "全部顾客"
"""What the one group is called where all customers have the same weights."""


@handlers.verify
@asks_for({EXPERT: "专家"})
@takes(parameters={"least_experts": number(1, whole=True), "most_experts": number(1, 200, whole=True)})
def panel_sound(call: Call) -> None:
    """The panel (`experts`) has from `least_experts` to `most_experts` members, each once, each with the role."""
    rows = call.values.get("experts") or []
    least, most = int(parameter(call, "least_experts")), int(parameter(call, "most_experts"))
    problems = []
    if not least <= len(rows) <= most:
        template = "A panel has {least} to {most} experts, found {found}"
        problems.append(Problem("experts", template, {"least": least, "most": most, "found": len(rows)}))
    problems += all_hold(call, "experts", "expert", EXPERT, once=True)
    if problems:
        raise Invalid(problems)


@handlers.collection
def groups(call: Call) -> Iterable[object]:
    """The groups of customers that get weights of their own, or all together (`weights_for` all).

    Each has `group` (its name), `segment` (as the roster calls it; null: everybody) and `text`, what matters to it.
    """
    rows = call.variables.get("groups") or []
    told = [f"{row['group']}：{row['needs']}；侧重{row['emphasis']}。" for row in rows]
    if call.variables.get("weights_for") == "all":
        return [{"group": EVERYBODY, "segment": None, "text": "\n".join(told)}]
    return [
        {"group": row["group"], "segment": row["group"], "text": text}
        for row, text in zip(rows, told, strict=True)
    ]


@handlers.collection
def panel(call: Call) -> Iterable[object]:
    """The experts of a round, each with the form to fill in: `rows` with their own last weights, and `shown`, what
    all came to in the round before, beside their own.
    """
    nodes = system(call)
    summary = call.variables.get("delphi_summary") or []
    last = call.variables.get("delphi_last") or {}
    for row in call.variables["experts"]:
        own = {each["node"]: each["weight"] for each in last.get(row["expert"]) or []}
        yield {
            "expert": row["expert"],
            "rows": [{"node": called(node), "weight": own.get(called(node))} for node in nodes.nodes],
            "shown": [{**each, "own": own.get(each["node"])} for each in summary],
        }


@handlers.verify
def weighed(call: Call) -> None:
    """An expert's weights (`weights`): every indicator once, and neighbours add up to exactly 1."""
    tree = system(call)
    names = {called(node): node for node in tree.nodes}
    rows, found = call.values.get("weights") or [], dict[Path, Fraction]()
    problems = []
    for place, row in enumerate(rows, 1):
        field, name = f"weights.{place}.node", row["node"].strip()
        if name not in names:
            problems.append(Problem(field, "There is no indicator {found}", {"found": name}))
        elif names[name] in found:
            problems.append(Problem(field, "{found} stands here twice", {"found": name}))
        else:
            found[names[name]] = Fraction(str(row["weight"]))
    if missing := [name for name, node in names.items() if node not in found]:
        template = "These have no weight: {indicators}"
        problems.append(Problem("weights", template, {"indicators": "、".join(missing)}))
    if not problems:
        for above, total in unbalanced(tree, found).items():
            template = "The weights under {above} add up to {total}; they have to make 1"
            params = {"above": called(above) or "—", "total": f"{float(total):g}"}
            problems.append(Problem("weights", template, params))
    if problems:
        raise Invalid(problems)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to."""

    answered: int
    opinions: Mapping[Path, Opinion]
    change: Fraction | None
    """The greatest change of a mean since the round before; None in the first."""
    order: Concordance | None
    alike: bool
    """All gave the same order, or the same weights: where W has no value, the latter says it."""

    @property
    def variation(self) -> float:
        """The greatest coefficient of variation."""
        return max((each.variation or 0.0 for each in self.opinions.values()), default=0.0)


AGREEMENTS = ("variation", "concordance")
_RULE = {
    "delphi_change": number(0, 1),
    "delphi_agreement": anything,
    "delphi_variation": number(0),
    "delphi_concordance": number(0, 1),
    "delphi_significance": number(0, 1),
    "least_answers": number(1, whole=True),
}


@handlers.inside
@takes(optional={"flow.sets": anything}, parameters=_RULE)
def combine(call: Call) -> Values:
    """Puts a round's answers together: what each weight comes to, and whether the weights stand still.

    Stable is a round with at least `least_answers` answers after which no mean moved by more than `delphi_change`, and
    whose experts agree: every coefficient of variation at most `delphi_variation`, or where `delphi_agreement` says
    `concordance`, Kendall's W of the measured indicators' weights at least `delphi_concordance` with p under
    `delphi_significance`. Sets `delphi_weights` (the means, exact), `delphi_summary` (mean, median,
    quartiles, variation), `delphi_last`, `delphi_stable`,
    `delphi_text`. Names stand in none of what the experts are shown.
    """
    tree = system(call)
    given = {
        row["expert"]: row["weights"] for row in call.variables.get("answers") or [] if row.get("weights")
    }
    turn, last = int(call.variables["delphi_round"]), dict(call.variables.get("delphi_last") or {})
    if not given:
        text = f"第{turn}轮：没有收到答复，沿用上一轮结果。"
        table = tabled(call, ("说明",), [(text,)], name=f"第{turn}轮综合结果")
        return {"delphi_stable": False, "delphi_text": text, "$record": table}
    sets = [_weights(tree, rows) for rows in given.values()]
    before = call.variables.get("delphi_weights")
    found = _round(tree, sets, None if before is None else weights_of(tree, before))
    stable = _stable(call, found)
    rows = [
        {
            "node": called(node),
            "mean": shown(each.mean, 3),
            "median": shown(each.median, 3),
            "lower": shown(each.lower, 3),
            "upper": shown(each.upper, 3),
            "variation": "—" if each.variation is None else f"{each.variation:.3f}",
        }
        for node, each in found.opinions.items()
    ]
    text = _text(call, turn, found, stable=stable)
    names = ("均值", "中位数", "下四分位数", "上四分位数", "变异系数")
    head = (Column("指标"), *(Column(each, "number", 3) for each in names))
    figured = [
        (called(node), each.mean, each.median, each.lower, each.upper, each.variation)
        for node, each in found.opinions.items()
    ]
    return {
        "delphi_weights": {called(node): str(each.mean) for node, each in found.opinions.items()},
        "delphi_summary": rows,
        "delphi_last": {**last, **given},
        "delphi_stable": stable,
        "delphi_text": text,
        "$record": tabled(call, head, figured, name=f"第{turn}轮综合结果", note=text),
    }


def _weights(tree: System, rows: Sequence[Mapping[str, Any]]) -> dict[Path, Fraction]:
    given = {row["node"].strip(): Fraction(str(row["weight"])) for row in rows}
    return {node: given[called(node)] for node in tree.nodes}


def _round(
    tree: System, sets: Sequence[Mapping[Path, Fraction]], before: Mapping[Path, Fraction] | None
) -> Round:
    opinions = {node: opinion([each[node] for each in sets]) for node in tree.nodes}
    rows = [list(overall(tree, each).values()) for each in sets]
    change = furthest(before or {}, {node: each.mean for node, each in opinions.items()})
    return Round(len(sets), opinions, change, concordance(rows), all(row == rows[0] for row in rows))


def _exact(call: Call, name: str) -> Fraction:
    return Fraction(str(parameter(call, name)))


def _stable(call: Call, found: Round) -> bool:
    enough = found.answered >= int(parameter(call, "least_answers"))
    if not enough or found.change is None or found.change > _exact(call, "delphi_change"):
        return False
    if _by_order(call):
        return found.alike or (
            found.order is not None
            and found.order.w >= _exact(call, "delphi_concordance")
            and found.order.p < float(_exact(call, "delphi_significance"))
        )
    limit = _exact(call, "delphi_variation")
    return all(each.varies_at_most(limit) for each in found.opinions.values())


def _by_order(call: Call) -> bool:
    named = str(parameter(call, "delphi_agreement"))
    if named not in AGREEMENTS:
        params = {"found": named, "known": ", ".join(AGREEMENTS)}
        raise Invalid([Problem("delphi_agreement", "There is no {found}; there are: {known}", params)])
    return named == "concordance"


def _text(call: Call, turn: int, found: Round, *, stable: bool) -> str:
    return f"第{turn}轮：收到{found.answered}份；" + "，".join(_said(call, found, stable=stable)) + "。"


def _said(call: Call, found: Round, *, stable: bool) -> Iterator[str]:
    if found.answered < (least := int(parameter(call, "least_answers"))):
        yield f"少于{least}份，不足以判断"
    if found.change is None:
        yield "首轮，尚无变动可比"
    else:
        yield f"均值最大变动{shown(found.change, 3)}（限{parameter(call, 'delphi_change')}）"
    if not _by_order(call):
        yield f"变异系数最大{found.variation:.3f}（限{parameter(call, 'delphi_variation')}）"
    elif found.order is None:
        yield "各指标权重相同，无从排序"
    else:
        limits = f"至少{parameter(call, 'delphi_concordance')}，p小于{parameter(call, 'delphi_significance')}"
        yield f"协调系数W={shown(found.order.w, 3)}，p={found.order.p:.4f}（{limits}）"
    yield "权重已稳定" if stable else "权重尚未稳定"


@handlers.verify
def decided(call: Call) -> None:
    """Weights can only be adopted (`unstable_decision` adopt) where somebody has given some."""
    if call.values.get("unstable_decision") == "adopt" and not call.variables.get("delphi_weights"):
        template = "No expert has answered yet: there is nothing to adopt"
        raise Invalid([Problem("unstable_decision", template)])
