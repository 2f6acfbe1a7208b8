"""Summary: the figures of all rounds of an instance side by side, by part and by department, and what displeased.

For rounds whose answers are grouped by department (the first of the round's groups). An item counts as
dissatisfied where so many rated it with one of the scale's worst points (the lower half, the middle not in it) as the
parameter `dissatisfied_least` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from documents.content import Block, Chart, Column, Heading, Paragraph, Series, Table, Value
from documents.excel import Sheet, workbook
from engine.errors import Invalid, Problem
from engine.handlers import Call, Handlers, Values, anything, number, takes
from survey import rounds
from survey.figures import Counts, Figures, Line, Tally, figures, hidden_groups, percent
from tasks import papers
from tasks.controlled import MADE, SIGNED, control, files, setting
from tasks.handouts import answers_by
from tasks.meaning import close, parameter
from tasks.papers import HIDDEN, TOO_FEW

handlers = Handlers("summary")

WEAK = "基数较小，仅供参考"
_PARAMETERS = {"dissatisfied_least": number(1, whole=True), "indicative_base": number(0, whole=True)}


@dataclass(frozen=True, slots=True)
class Part:
    """A round with its figures."""

    round: rounds.Round
    counts: Counts
    figures: Figures
    departments: Mapping[str, Figures]
    """By name, in the order of names."""
    hidden: frozenset[str]
    """Departments whose numbers may not be shown."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.round.part or "调查"


@dataclass(frozen=True, slots=True)
class Complaint:
    """An item that a department's customers were dissatisfied with."""

    part: str
    department: str
    item: str
    label: str
    dissatisfied: int
    base: int
    shown: bool
    """Whether its numbers may be shown."""


@handlers.inside
@takes({"flow.record": anything}, SIGNED, _PARAMETERS)
def make(call: Call) -> Values:
    """Closes all rounds of the instance and makes the summary as a workbook: parts, items, departments, complaints.

    Properties: those of every paper (`papers.form`), but for the kinds of files. Sets `issued`, `returned`,
    `figures_summary`, `departments` (rows for the feedback: `department`, its `dissatisfied` items) and
    `dissatisfied_departments`, how many of them have any.
    """
    parts = _parts(call)
    for part in parts:
        close(call, part.round)
    complaints = _complaints(call, parts)
    about = control(call, setting(call))
    names = sorted({name for part in parts for name in part.departments})
    counted = {name: [each for each in complaints if each.department == name] for name in names}
    return {
        "issued": sum(part.figures.issued for part in parts),
        "returned": sum(part.figures.returned for part in parts),
        "figures_summary": _summary(parts, complaints),
        "departments": [{"department": name, "dissatisfied": len(counted[name])} for name in names],
        "dissatisfied_departments": sum(1 for each in counted.values() if each),
        "$record": {f"{about.title}.xlsx": workbook(_sheets(call, parts, complaints), about)},
    }


@handlers.outside
@takes({"flow.form": anything, "flow.record": anything}, MADE, _PARAMETERS)
def report(call: Call) -> Values:
    """Writes the report: what was filled in on task forms and, behind `figures_summary`, the figures of all rounds.

    These are a table of the parts, and for each a table of its items and a chart of their rates. Properties: those of
    `papers.form`. Sets nothing.
    """
    here = setting(call)
    fields = papers.shown(call, here)
    place = next((at for at, each in enumerate(fields, 1) if each.id == "figures_summary"), len(fields))
    before, behind = (
        papers.answered_blocks(call, some, level=1) for some in (fields[:place], fields[place:])
    )
    blocks = [papers.about(call, here), *before, *_figures(call, _parts(call)), *behind]
    return {"$record": files(call, here, blocks)}


@handlers.collection
def dissatisfied(call: Call) -> Iterable[object]:
    """The departments with dissatisfied items: `department`, `head` (who took the feedback), `items`, `text`."""
    told = {row["department"]: row.get("told_to") for row in call.variables.get("feedback_given") or []}
    found: dict[str, list[Complaint]] = {}
    for each in _complaints(call, _parts(call)):
        found.setdefault(each.department, []).append(each)
    return [
        {
            "department": name,
            "head": told.get(name),
            "items": [_row(each) for each in complaints],
            "text": "；".join(f"{each.part}：{each.label}" for each in complaints),
        }
        for name, complaints in sorted(found.items())
    ]


@handlers.verify
def everyone_told(call: Call) -> None:
    """Every surveyed department was told its results, each once (`feedback_given`)."""
    rows = call.values.get("feedback_given") or []
    known = {each["department"] for each in call.variables.get("departments") or []}
    given = [row["department"] for row in rows]
    _all_there("feedback_given", known, given, "These departments were not told yet: {names}")


@handlers.verify
def causes_given(call: Call) -> None:
    """Every dissatisfied item of the department has its cause on the notice (`causes`)."""
    known = {_name(each) for each in call.variables.get("notice_items") or []}
    rows = [_name(row) for row in call.values.get("causes") or []]
    _all_there("causes", known, rows, "These items have no cause yet: {names}")


def _all_there(field: str, known: set[str], given: list[str], template: str) -> None:
    problems = []
    if missing := sorted(known - set(given)):
        problems.append(Problem(field, template, {"names": "、".join(missing)}))
    if strange := sorted(set(given) - known):
        problems.append(Problem(field, "{names} is not among them", {"names": "、".join(strange)}))
    if twice := sorted({name for name in given if given.count(name) > 1}):
        problems.append(Problem(field, "{names} stands there twice", {"names": "、".join(twice)}))
    if problems:
        raise Invalid(problems)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['part']}：{row['item']}"


def _row(each: Complaint) -> dict[str, object]:
    numbers = f"{each.dissatisfied}/{each.base}" if each.shown else HIDDEN
    return {"part": each.part, "item": each.label, "numbers": numbers}


def _parts(call: Call) -> list[Part]:
    found = []
    for each in rounds.rounds_of(call.conn, call.root):
        counts = rounds.counts_of(call.conn, [each], each.groups[:1])
        issued = rounds.issued_of(call.conn, [each])
        handed = rounds.counted(call.conn, each, rounds.HANDED_OUT)
        by = each.groups[0] if each.groups else ""
        split = counts.split(by) if by else {}
        departments = {
            name: figures(part, issued=handed.get(name, part.returned)) for name, part in split.items()
        }
        hidden = frozenset(name for group, name in hidden_groups(counts, named=each.named) if group == by)
        if by and counts.withheld:
            # They were surveyed and are told so, without numbers.
            departments = {
                name: figures(counts, issued=handed.get(name, number))
                for name, number in sorted(answers_by(call, each).items())
            }
            hidden = frozenset(departments)
        found.append(Part(each, counts, figures(counts, issued=issued), departments, hidden))
    return found


def _complaints(call: Call, parts: Iterable[Part]) -> list[Complaint]:
    least = int(parameter(call, "dissatisfied_least"))
    return [
        Complaint(part.name, name, line.id, line.label.zh, count, line.tally.base, name not in part.hidden)
        for part in parts
        for name, made in part.departments.items()
        for line in made.items
        if (count := _unhappy(line.tally)) >= least
    ]


def _unhappy(tally: Tally) -> int:
    """Answers at the worst points: the lower half of the scale, the middle not in it."""
    weights = tally.levels.weights
    many = len(weights) // 2
    worst = sorted(weights)[many - 1] if many else None
    return sum(
        count
        for count, weight in zip(tally.numbers, weights, strict=True)
        if worst is not None and weight <= worst
    )


def _summary(parts: Iterable[Part], complaints: list[Complaint]) -> str:
    lines = [
        f"{part.name}：发放{part.figures.issued}份，回收{part.figures.returned}份，"
        f"回收率{percent(part.figures.return_rate)}，"
        + (TOO_FEW if part.figures.withheld else f"满意率{percent(part.figures.whole.rate.value)}")
        + "。"
        for part in parts
    ]
    departments = sorted({each.department for each in complaints})
    if departments:
        lines.append(f"有不满意项目的科室{len(departments)}个：{'、'.join(departments)}。")
    else:
        lines.append("各科室均无不满意项目。")
    return "".join(lines)


def _figures(call: Call, parts: list[Part]) -> Iterator[Block]:
    least = int(parameter(call, "indicative_base"))
    yield replace(_by_part(parts, least), caption="各部分发放、回收与满意度")
    for part in parts:
        yield Heading(part.name, 2)
        if part.figures.withheld:
            yield Paragraph(f"{TOO_FEW}。")
            continue
        yield replace(_rated(part, least), caption=f"{part.name}各项满意度")
        yield from _chart(_rates(part.figures), f"{part.name}各项满意率")


def _rated(part: Part, least: int) -> Table:
    """Each item's base, rate, mean and dissatisfied answers, in the few columns that an upright page holds."""
    head = ("项目", "有效份数", "满意率", "平均分", "不满意份数")
    kinds = ("text", "number", "percent", "number", "number")
    lines = _with_whole(part.figures)
    rows = [
        (line.label.zh, line.rate.base, line.rate.value, line.mean, _unhappy(line.tally)) for line in lines
    ]
    note = f"有效份数少于{least}份的，结果仅供参考" if any(_weak(line, least) for line in lines) else ""
    return _table(head, kinds, rows, note, strong=frozenset({len(rows) - 1}))


def _with_whole(made: Figures) -> list[Line]:
    return [*(item for item in made.items if item.id != made.whole.id), made.whole]


def _rates(made: Figures) -> list[tuple[str, Fraction | None]]:
    return [(line.label.zh, line.rate.value) for line in made.items]


def _weak(line: Line, least: int) -> str:
    return WEAK if line.tally.base < least else ""


def _by_part(parts: list[Part], least: int) -> Table:
    method = "；".join(dict.fromkeys(part.figures.method.title.zh for part in parts))
    head = ("调查部分", "发放份数", "回收份数", "回收率", "整份弃权", "满意率", "平均分", "备注")
    kinds = ("text", "number", "number", "percent", "number", "percent", "number", "text")
    rows = [
        (
            *(part.name, part.figures.issued, part.figures.returned, part.figures.return_rate),
            *(part.figures.abstained, part.figures.whole.rate.value, part.figures.whole.mean),
            TOO_FEW if part.figures.withheld else WEAK if part.figures.returned < least else "",
        )
        for part in parts
    ]
    return _table(head, kinds, rows, f"计算方法：{method}")


def _sheets(call: Call, parts: list[Part], complaints: list[Complaint]) -> list[Sheet]:
    least = int(parameter(call, "indicative_base"))
    rates = [(part.name, part.figures.whole.rate.value) for part in parts]
    charts = _chart(rates, "各部分满意率")
    sheets = [Sheet("汇总", _by_part(parts, least), charts=charts, landscape=True)]
    for part in parts:
        charts = _chart(_rates(part.figures), f"{part.name}各项满意率")
        sheets.append(Sheet(f"{part.name}项目", _items(part, least), charts=charts, landscape=True))
        rates = [
            (name or "（未注明）", made.whole.rate.value)
            for name, made in part.departments.items()
            if name not in part.hidden
        ]
        charts = _chart(rates, f"{part.name}各科室满意率")
        sheets.append(Sheet(f"{part.name}科室", _departments(part, least), charts=charts, landscape=True))
    listed = [
        (each.department, each.part, each.label, *((each.dissatisfied, each.base) if each.shown else (None, None)),
         "" if each.shown else HIDDEN)
        for each in sorted(complaints, key=lambda each: (each.department, each.part))
    ]  # fmt: skip
    columns = ("科室", "调查部分", "不满意项目", "不满意份数", "有效份数", "备注")
    table = _table(columns, ("text", "text", "text", "number", "number", "text"), listed)
    return [*sheets, Sheet("不满意项目", table)]


def _chart(rates: Sequence[tuple[str, Fraction | None]], caption: str) -> tuple[Chart, ...]:
    """Rates as bars; nothing where there is nothing to compare."""
    known = [(name, rate) for name, rate in rates if rate is not None]
    if len(known) < 2:
        return ()
    values = Series("满意率", tuple(rate for _, rate in known))
    return (Chart("bars", tuple(name for name, _ in known), (values,), caption, percent=True, places=1),)


def _items(part: Part, least: int) -> Table:
    made = part.figures
    head = (
        "项目",
        *(f"{point}分" for point in made.points),
        "不适用",
        "未答",
        "有效份数",
        "满意率",
        "平均分",
        "备注",
    )
    kinds = ("text", *("number" for _ in made.points), *("number",) * 3, "percent", "number", "text")
    rows = [_line(line, line.label.zh, least) for line in _with_whole(made)]
    return _table(head, kinds, rows, strong=frozenset({len(rows) - 1}))


def _line(line: Line, name: str, least: int) -> tuple[Value, ...]:
    tally = line.tally
    return (
        name,
        *tally.numbers,
        tally.abstained,
        tally.blank,
        line.rate.base,
        line.rate.value,
        line.mean,
        _weak(line, least),
    )


def _departments(part: Part, least: int) -> Table:
    """Each department's return rate and its rate for every item."""
    items = part.figures.items
    head = ("科室", "发放份数", "回收份数", "满意率", *(line.label.zh for line in items), "备注")
    kinds = ("text", "number", "number", "percent", *("percent" for _ in items), "text")
    rows: list[tuple[Value, ...]] = []
    for name, made in part.departments.items():
        if name in part.hidden:
            rows.append((name or "（未注明）", made.issued, None, None, *(None for _ in items), HIDDEN))
            continue
        rates = [line.rate.value for line in made.items]
        remark = WEAK if made.returned < least else ""
        rows.append((name or "（未注明）", made.issued, made.returned, made.whole.rate.value, *rates, remark))
    return _table(head, kinds, rows)


def _table(
    head: Iterable[str], kinds: Iterable[Any], rows: Iterable[tuple[Value | Fraction, ...]], note: str = "",
    strong: frozenset[int] = frozenset(),
) -> Table:  # fmt: skip
    places = {"percent": 1}
    columns = tuple(
        Column(title, kind, places.get(kind, 2 if title == "平均分" else 0))
        for title, kind in zip(head, kinds, strict=True)
    )
    return Table(columns, tuple(rows), note=note, strong=strong)
