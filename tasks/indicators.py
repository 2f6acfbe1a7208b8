"""Indicators: what a survey measures, on how many levels, by which question each, and what they come to weighted.

Indicators are a table (the variable `indicators`: first, second, third level); every one measured has a question of
the questionnaire (`measures`: indicator, item). Weights come from `tasks.delphi`, one set a group of customers
(`weightings`: group, weights).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from documents.content import Column, Value
from engine.errors import Invalid, Problem
from engine.forms import Form
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Counts, Levels, hidden_groups, index, overall, shown, system_of, weighted
from survey.figures.shape import Shape, shape_of
from survey.figures.weighting import LEVELS, Path, System, called
from survey.questionnaires import published, questionnaire_of
from tasks.controlled import tabled
from tasks.meaning import asked, current, parameter
from tasks.papers import HIDDEN

handlers = Handlers("indicators")

_LEVELS = {"most_levels": number(1, len(LEVELS), whole=True)}


@handlers.inside
@takes(optional={"flow.questionnaire": anything, "flow.sets": anything})
def propose(call: Call) -> Values:
    """Proposes the indicators that the questionnaire (as published last) asks about: its fields and their questions.

    Sets `indicators`, for a form that shows and changes them.
    """
    return {"indicators": asked_about(_questionnaire(call))}


def asked_about(form: Form) -> list[dict[str, object]]:
    """The rated questions of a questionnaire, but for the overall one: field and question as `first` and `second`."""
    shape = shape_of(form)
    found: list[dict[str, object]] = []
    for group in shape.rated_groups:
        if shape.overall is not None and group.first == shape.overall:
            continue
        first = group.field.label.zh
        rows: list[str | None] = [row.label.zh for row in group.field.rows] or [None]
        found += [{"first": first, "second": row, "third": None} for row in rows]
    return found


@handlers.verify
@takes(parameters=_LEVELS)
def sound(call: Call) -> None:
    """The indicators in the table `indicators` make a tree of at most `most_levels` levels, each once."""
    system_of(call.values.get("indicators") or [], int(parameter(call, "most_levels")))


@handlers.inside
@takes(optional={"flow.questionnaire": anything, "flow.sets": anything}, parameters=_LEVELS)
def match(call: Call) -> Values:
    """Proposes for each indicator the question that has its name; sets `measures` (rows with indicator and item)."""
    shape = shape_of(_questionnaire(call))
    items = {item.label.zh: item.id for item in shape.rated_items}
    leaves = system(call).leaves
    return {"measures": [{"indicator": called(leaf), "item": items.get(leaf[-1])} for leaf in leaves]}


@handlers.verify
@takes(parameters={"scale_values": anything, **_LEVELS})
def quantified(call: Call) -> None:
    """Every indicator is measured by a question of its own, answered on the scale `scale_values` (worst first)."""
    form = _questionnaire(call)
    shape = shape_of(form)
    problems = list(_scaled(call, form, shape))
    rated, wanted = {item.id for item in shape.rated_items}, {called(leaf) for leaf in system(call).leaves}
    seen: set[str] = set()
    for place, row in enumerate(call.values.get("measures") or [], 1):
        for column, known, template in (
            ("indicator", wanted, "There is no indicator {found}"),
            ("item", rated, "{found} is no question that is answered on the scale; there are {known}"),
        ):
            field, found = f"measures.{place}.{column}", row[column].strip()
            if found not in known:
                problems.append(Problem(field, template, {"found": found, "known": ", ".join(sorted(known))}))
            elif found in seen:
                problems.append(Problem(field, "{found} stands here twice", {"found": found}))
            seen.add(found)
    if missing := sorted(wanted - seen):
        template = "No question measures {indicators}: add a row for each, or a question"
        problems.append(Problem("measures", template, {"indicators": "、".join(missing)}))
    if problems:
        raise Invalid(problems)


def _scaled(call: Call, form: Form, shape: Shape) -> Iterator[Problem]:
    wanted = [Fraction(part) for part in re.split("[,，、 ]+", str(parameter(call, "scale_values")).strip())]
    found = sorted(shape.rated_items[0].levels.weights) if shape.rated else []
    if found != wanted:
        template = "The scale of {questionnaire} counts {found}, not {wanted}: correct its points"
        params = {
            "questionnaire": form.id,
            "found": ", ".join(map(str, found)) or "—",
            "wanted": ", ".join(map(str, wanted)),
        }
        yield Problem("measures", template, params)


@handlers.inside
@takes(optional={"flow.sets": anything}, parameters=_LEVELS)
def weights(call: Call) -> Values:
    """Makes the table of weights of every group; sets `weights_text`, how they were found, group by group."""
    tree = system(call)
    rows, lines = [], []
    for each in call.variables.get("weightings") or []:
        local, name = weights_of(tree, each["weights"]), each["group"]
        whole = overall(tree, local)
        for node in tree.nodes:
            level = ("一级", "二级", "三级")[len(node) - 1]
            rows.append((name, level, called(node), local[node], whole.get(node)))
        lines.append(
            f"{name}：{each['rounds']}轮，{'已稳定' if each['stable'] else '未稳定，由调查者采用'}。"
        )
    head = (
        *("顾客群体", "级别", "指标"),
        *(Column("同级权重", "number", 4), Column("占总体的权重", "number", 4)),
    )
    return {"weights_text": "\n".join(lines), "$record": tabled(call, head, rows)}


@dataclass(frozen=True, slots=True)
class Scored:
    """What one group of customers comes to."""

    name: str
    returned: int
    value: Fraction | None
    rows: tuple[tuple[Value, ...], ...]
    gaps: tuple[str, ...]
    """Indicators that nobody answered: the others share their weight."""
    hidden: bool = False


@handlers.inside
@takes(optional={"flow.part": anything, "flow.sets": anything}, parameters=_LEVELS)
def score(call: Call) -> Values:
    """Weighted satisfaction: the sum of each indicator's mean times what it weighs in the whole (004F).

    Where groups of customers (`segment`) have weights of their own, each is figured for itself, and the whole is their
    mean by returns. Sets `weighted_satisfaction` (in points), `weighted_index` (0 to 100 from worst to best),
    `weighted_share` (percent of the best) and `weighted_summary`.
    """
    counts = rounds.counts_of(call.conn, [current(call)], ["segment"])
    parts, tree = counts.split("segment"), system(call)
    hidden = {name for _, name in hidden_groups(counts)}
    items = {row["indicator"].strip(): row["item"].strip() for row in call.variables["measures"]}
    found = []
    for each in call.variables["weightings"]:
        part = counts if each["segment"] is None else parts.get(each["segment"])
        if part is not None:
            scored = _scored(each["group"], part, tree, weights_of(tree, each["weights"]), items)
            found.append(_veiled(scored) if each["segment"] in hidden else scored)
    total = weighted((each.value, Fraction(each.returned)) for each in found)
    levels = counts.shape.items[0].levels
    left = sum(cell.returned for cell in counts.cells.values()) - sum(each.returned for each in found)
    rows = [row for each in found for row in each.rows]
    rows.append(("合计", None, None, None, total))
    head = (
        *("顾客群体", "指标", Column("占总体的权重", "number", 4)),
        *(Column("平均分", "number", 2), Column("加权分", "number", 4)),
    )
    best = None if total is None else total / levels.best * 100
    return {
        "weighted_satisfaction": shown(total),
        "weighted_index": shown(index(total, levels), 1),
        "weighted_share": shown(best, 1),
        "weighted_summary": _summary(found, total, best, levels, left),
        "$record": tabled(call, head, rows),
    }


def _scored(
    name: str, part: Counts, tree: System, local: Mapping[Path, Fraction], items: Mapping[str, str]
) -> Scored:
    whole = overall(tree, local)
    means = {leaf: part.tallies[part.shape.place(items[called(leaf)])].mean for leaf in tree.leaves}
    value = weighted((means[leaf], whole[leaf]) for leaf in tree.leaves)
    rows: list[tuple[Value, ...]] = []
    for leaf, mean in means.items():
        product = None if mean is None else mean * whole[leaf]
        rows.append((name, called(leaf), whole[leaf], mean, product))
    rows.append((name, "小计", None, None, value))
    gaps = tuple(called(leaf) for leaf, mean in means.items() if mean is None)
    return Scored(name, part.returned, value, tuple(rows), gaps)


def _veiled(scored: Scored) -> Scored:
    """The group counted into the whole, and nothing shown of it: too few of them answered anonymously."""
    return replace(scored, rows=((scored.name, HIDDEN, None, None, None),), gaps=(), hidden=True)


def _summary(
    found: list[Scored], total: Fraction | None, best: Fraction | None, levels: Levels, left: int
) -> str:
    text = (
        f"加权满意度{shown(total)}分（满分{shown(levels.best, 0)}分），"
        f"指数{shown(index(total, levels), 1)}，相当于满分的{shown(best, 1)}%。"
    )
    if len(found) > 1:
        text += "".join(
            f"{each.name}：{HIDDEN}。"
            if each.hidden
            else f"{each.name}：{shown(each.value)}分（{each.returned}份）。"
            for each in found
        )
    for each in found:
        if each.gaps:
            text += f"{each.name}没有有效回答的指标：{'、'.join(each.gaps)}，其权重由其余指标按比例分担。"
    return text + (f"另有{left}份不属于已确定权重的群体，未计入。" if left else "")


def system(call: Call) -> System:
    """The indicators of the survey."""
    return system_of(call.variables.get("indicators") or [], int(parameter(call, "most_levels")))


def weights_of(tree: System, given: Mapping[str, str]) -> dict[Path, Fraction]:
    """Weights as variables hold them (exact, as `1/3`), by indicator."""
    return {node: Fraction(given[called(node)]) for node in tree.nodes}


def _questionnaire(call: Call) -> Form:
    return questionnaire_of(call.conn, published(call.conn, call.procedure), asked(call))
