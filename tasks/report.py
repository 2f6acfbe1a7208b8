"""The report on a round: its figures, what people made of them, set as a controlled document.

Everything but the figures comes from variables that task forms filled, under the labels of their fields, so that
one function serves every procedure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from sqlalchemy import select

from documents.content import Block, Fields, Heading, Paragraph
from engine.errors import Conflict, Invalid, Problem
from engine.forms import Form
from engine.handlers import Call, Handlers, Values, anything, number, takes
from engine.model import label
from survey import rounds
from survey.figures import Figures, Wave, figures, open_texts, percent, shown, trend
from survey.figures import method as method_called
from survey.figures.shape import shape_of
from survey.tables import survey_round
from tasks import findings
from tasks.controlled import MADE, Setting, files, listed, setting
from tasks.meaning import current, value_of
from tasks.papers import answered_blocks, asked_for

handlers = Handlers("report")

WAVES = 5
"""Earlier rounds that a trend goes back at most."""
REMARKS = 20
"""Open answers of one question that are printed, unless the diagram says otherwise."""


@handlers.outside
@takes(
    {"flow.record": anything},
    {
        "flow.part": anything,
        "flow.method": method_called,
        "flow.by": anything,
        "flow.focus": anything,
        "flow.background": anything,
        "flow.texts": anything,
        "flow.target": anything,
        "flow.remarks": number(0, whole=True),
        **MADE,
    },
    {"indicative_base": number(0, whole=True)},
)
def analysis(call: Call) -> Values:
    """Writes the analysis report of a closed round: response, whole, items, cross-tables, charts, trend, judgement.

    Properties, beside those of every paper (`papers.form`): `flow.part`, which round; `flow.method`, instead of the
    questionnaire's; `flow.by`, groupings or items to cross with, and `flow.focus`, items or fields to come first (ids,
    or variables that hold some); `flow.background` and `flow.texts`, variables printed before and after the
    figures; `flow.target`, a percentage or the variable or parameter that holds it; `flow.remarks`, how many open
    answers a question (20). Sets `report_summary`.
    """
    found = current(call)
    if found.status != "closed":
        raise Conflict(
            "The round of {label} takes returns still: put a step with figures.close before {element}",
            label=call.label,
            element=call.element,
        )
    here = setting(call)
    form = rounds.questionnaire(call.conn, found)
    by, focus = _ids(call, "flow.by"), _ids(call, "flow.focus")
    counts = rounds.counts_of(call.conn, [found], by)
    named = call.properties.get("flow.method") or found.method
    population = rounds.population_of(call.conn, [found])
    made = figures(
        counts,
        issued=rounds.issued_of(call.conn, [found]),
        method=None if named is None else method_called(named),
        population=population,
    )
    indicative = int(value_of(call, "indicative_base") or 0)
    target = _target(call)
    blocks: list[Block] = [Heading("调查概况"), *_about(call, here, found, form)]
    progress = rounds.progress(call.conn, found)
    blocks += [Heading("回收情况"), *findings.response(made, progress, population, anonymous=found.anonymous)]
    blocks += [Heading("总体满意度"), *findings.overall(made, target)]
    blocks += [Heading("各项满意程度"), *findings.items(made, focus, indicative, target)]
    if by:
        blocks += [Heading("交叉分组分析"), *findings.crossed(counts, made, by, focus, indicative)]
    blocks += [Heading("趋势分析"), *_over_time(call, found, made)]
    most = int(call.properties.get("flow.remarks", REMARKS))
    if most:
        answers = (given for given, _ in rounds.answers_of(call.conn, [found]))
        remarks = list(findings.voices(open_texts(form, answers, most)))
        blocks += [Heading("客户意见"), *remarks] if remarks else []
    blocks += answered_blocks(call, asked_for(call, here, "flow.texts"), level=1)
    blocks += [Heading("计算说明"), Paragraph(_method(made))]
    return {"report_summary": _summary(made, population), "$record": files(call, here, blocks)}


def _about(call: Call, here: Setting, found: rounds.Round, form: Form) -> Iterator[Block]:
    begun = found.opened_at.astimezone(call.zone).date()
    ended = None if found.closed_at is None else found.closed_at.astimezone(call.zone).date()
    yield Fields(
        (
            ("单位", here.unit),
            ("期间", here.period or str(begun.year)),
            ("流程编号", call.label),
            ("问卷", f"{form.title.zh}（{form.version}）"),
            ("开始日期", begun),
            ("截止日期", ended),
        )
    )
    yield from answered_blocks(call, asked_for(call, here, "flow.background"), level=2)


def _ids(call: Call, name: str) -> list[str]:
    """The ids that a property names, a variable's own where it names one that holds some."""
    found: list[str] = []
    for each in listed(call.properties.get(name)):
        value = value_of(call, each)
        if isinstance(value, Sequence) and not isinstance(value, str):
            found += map(str, value)
        elif each in call.variables or each in call.parameters:
            found += listed(str(value)) if value else []
        else:
            found.append(each)
    return list(dict.fromkeys(found))


def _target(call: Call) -> Fraction | None:
    given = call.properties.get("flow.target", "").strip()
    return findings.exactly(value_of(call, given) if value_of(call, given) is not None else given)


def _over_time(call: Call, found: rounds.Round, made: Figures) -> Iterator[Block]:
    """The trend over earlier rounds that asked the same; why there is none."""
    earlier = _earlier(call, found)
    same = [
        each for each in earlier if (each.questionnaire, each.version) == (found.questionnaire, found.version)
    ]
    waves = [Wave(_name(each), rounds.figures_of(call.conn, [each], made.method)) for each in same]
    waves.append(Wave(_name(found), made))
    if len(waves) > 1:
        try:
            yield from findings.over_time(trend(waves))
        except Invalid:
            yield Paragraph("以往调查的题目或评价等级与本次不同，不具可比性，未作趋势分析。")
        if len(same) < len(earlier):
            yield Paragraph(f"另有{len(earlier) - len(same)}次调查使用其他版本的问卷，未列入比较。")
    elif earlier:
        yield Paragraph("以往调查使用其他版本的问卷，不具可比性，未作趋势分析。")
    else:
        yield Paragraph("本单位此前没有可供比较的同类调查，未作趋势分析。")


def _earlier(call: Call, found: rounds.Round) -> list[rounds.Round]:
    """The latest closed rounds of the procedure in the unit before this one, the oldest first."""
    table = survey_round
    rows = call.conn.execute(
        select(table.c.instance_id)
        .where(
            table.c.unit == found.unit,
            table.c.procedure == found.procedure,
            table.c.part == found.part,
            table.c.status == "closed",
            table.c.id != found.id,
            table.c.opened_at < found.opened_at,
        )
        .order_by(table.c.opened_at.desc())
        .limit(WAVES)
    )
    return [rounds.round_of(call.conn, row.instance_id, found.part) for row in reversed(rows.all())]


def _name(found: rounds.Round) -> str:
    return found.period or f"{found.opened_at:%Y-%m} {label(found.instance)}"


def _method(made: Figures) -> str:
    satisfied = "、".join(map(str, made.satisfied))
    return (
        f"{made.method.title.zh}。计为满意的等级：{satisfied}分。\n"
        "平均分按各等级分值对有效评价加权；指数将平均分换算为0至100。置信区间按抽样总体修正，普查且全部回收时不存在抽样误差。\n"
        "判断一律按份数计算，打印的百分比为四舍五入后的结果。"
    )


def _summary(made: Figures, population: int) -> str:
    return (
        f"调查对象{population}个，发放{made.issued}份，回收{made.returned}份，回收率{percent(made.return_rate)}；"
        f"总体满意率{percent(made.whole.rate.value)}，平均{shown(made.whole.mean)}分。"
    )


@handlers.verify
def figures_cited(call: Call) -> None:
    """Every row of the form's tables that has a `statistic` names figures of the report: items, fields, or 总体."""
    form = rounds.questionnaire(call.conn, current(call))
    known = _citable(form)
    problems = []
    for name, rows in call.values.items():
        for place, row in enumerate(rows if isinstance(rows, list) else [], 1):
            cited = row.get("statistic") if isinstance(row, Mapping) else None
            strange = [] if cited is None else [each for each in listed(cited) if each not in known]
            if strange:
                template = "The report has no figure {names}; it has {known}"
                params = {"names": "、".join(strange), "known": "、".join(known)}
                problems.append(Problem(f"{name}.{place}.statistic", template, params))
    if problems:
        raise Invalid(problems)


def _citable(form: Form) -> dict[str, None]:
    """What a figure may be called by: the label or the id of an item or a field."""
    shape = shape_of(form)
    labels = [item.label.zh for item in shape.rated_items]
    labels += [group.field.label.zh for group in shape.rated_groups if group.field.rows]
    ids = [item.id for item in shape.rated_items] + [group.field.id for group in shape.rated_groups]
    return dict.fromkeys(("总体", *labels, *ids))
