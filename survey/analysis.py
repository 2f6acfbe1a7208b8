"""All that is figured of one round, from one counting of its answers, so that what is hidden is hidden everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from engine.errors import Conflict, NotFound
from engine.forms import Form
from engine.model import instance_number
from engine.ports import Connection
from engine.store.tables import definition
from survey import rounds
from survey.figures import (
    LEAST,
    METHODS,
    Consistency,
    Counts,
    CrossTable,
    Figures,
    Method,
    Outcomes,
    Trend,
    Wave,
    consistency,
    cross,
    figures,
    hidden_groups,
    hidden_rows,
    outcomes,
    trend,
)
from survey.figures import method as method_called
from survey.rounds import Progress, Round
from survey.tables import survey_round


@dataclass(frozen=True, slots=True)
class Crossing:
    """The round by the groups of one grouping, or by the answers to one item."""

    by: str
    groups: Mapping[str, Figures | None]
    """None: hidden, because the round is not named and the group small, or needed to hide a small one."""
    items: tuple[CrossTable, ...]
    """Every rated item."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One round's figures."""

    round: Round
    questionnaire: Form
    progress: Progress
    population: int
    outcomes: Outcomes | None
    """None in an anonymous round: nobody knows who answered."""
    made: Figures
    """By the method chosen."""
    by_method: tuple[Figures, ...]
    """By each method there is."""
    consistency: tuple[Consistency, ...]
    crossings: tuple[Crossing, ...]
    counts: Counts


def analyse(conn: Connection, found: Round, by: Sequence[str] = (), method: Method | None = None) -> Analysis:
    """The round's figures, by the method given, else the round's, else the questionnaire's.

    Raises `Invalid` for a grouping or a method that there is not.
    """
    counts = rounds.counts_of(conn, [found], by)
    issued, population = rounds.issued_of(conn, [found]), rounds.population_of(conn, [found])
    if method is None and found.method is not None:
        method = method_called(found.method)
    made = figures(counts, issued=issued, method=method, population=population)
    progress = rounds.progress(conn, found)
    hidden = hidden_groups(counts)
    return Analysis(
        round=found,
        questionnaire=counts.questionnaire,
        progress=progress,
        population=population,
        outcomes=None if found.anonymous else outcomes(progress.dispositions),
        made=made,
        by_method=tuple(
            figures(counts, issued=issued, method=each, population=population) for each in METHODS.values()
        ),
        consistency=consistency(counts),
        crossings=tuple(
            Crossing(
                name,
                {
                    group: None
                    if (name, group) in hidden
                    else figures(part, issued=part.returned, method=made.method)
                    for group, part in counts.split(name).items()
                },
                tuple(cross(counts, item.id, name, hidden=hidden) for item in counts.shape.rated_items),
            )
            for name in by
        ),
        counts=counts,
    )


def check_shown(conn: Connection, found: Round) -> None:
    """Raises `Conflict` for an anonymous round that is open, or of which fewer than `LEAST` answer sets are back.

    What is counted of so few is nearly what each of them said; and the figures before and after a return, each of
    them of many, say together what that one return said.
    """
    if not found.anonymous:
        return
    if found.status == "open":
        template = (
            "{round} is anonymous and still open: its answers and figures are shown once it is closed, so that "
            "nobody can see what a return changed. Close it with flow round close, or wait for the procedure to"
        )
        raise Conflict(template, round=found.name)
    if rounds.progress(conn, found).returned < LEAST:
        template = (
            "{round} is anonymous and fewer than {least} came back: its answers and figures are not shown"
        )
        raise Conflict(template, round=found.name, least=LEAST)


def shown_answers(conn: Connection, found: Round) -> list[tuple[Mapping[str, str], Mapping[str, object]]]:
    """The answer sets of a round that is not named, each with its groups, where these are none of a few.

    They are sorted by what they say, and what is personal in them is left out. Raises `Conflict` as `check_shown` does.
    """
    check_shown(conn, found)
    personal = rounds.questionnaire(conn, found).personal
    sets = [
        (
            tuple(str(groups.get(name) or "") for name in found.groups),
            {name: value for name, value in given.items() if name not in personal},
        )
        for given, groups in rounds.answers_of(conn, [found])
    ]
    sets.sort(key=lambda each: orjson.dumps(each[1], option=orjson.OPT_SORT_KEYS))
    hidden = hidden_rows(found.groups, Counter(key for key, _ in sets))
    return [
        ({}, {name: value for name, value in given.items() if name not in found.groups})
        if key in hidden
        else (dict(zip(found.groups, key, strict=True)), given)
        for key, given in sets
    ]


def closed_rounds(
    conn: Connection, procedure: str, *, part: str | None = None, unit: str | None = None
) -> list[Round]:
    """The closed rounds of a procedure (id or code) in one unit, the oldest first.

    Raises `NotFound` when there are none, `Conflict` when it has to be said which unit or which part.
    """
    table = survey_round
    ids = select(definition.c.procedure).where(
        (definition.c.procedure == procedure) | (definition.c.code == procedure)
    )
    query = (
        select(table.c.instance_id, table.c.part, table.c.unit)
        .where(table.c.procedure.in_(ids), table.c.status == "closed")
        .order_by(table.c.opened_at, table.c.id)
    )
    rows = [row for row in conn.execute(query) if part in (None, row.part) and unit in (None, row.unit)]
    if not rows:
        template = (
            "No round of {procedure} is closed; `flow round trend` takes a procedure's id or code, or rounds"
        )
        raise NotFound(template, procedure=procedure)
    if len(units := sorted({row.unit for row in rows})) > 1:
        template = "Several units have rounds of {procedure}: {units}. Say which with --unit"
        raise Conflict(template, procedure=procedure, units=", ".join(units))
    if len(parts := sorted({row.part for row in rows})) > 1:
        template = "{procedure} has several rounds each time: {parts}. Say which with --part"
        raise Conflict(template, procedure=procedure, parts=", ".join(each or "''" for each in parts))
    return [rounds.round_of(conn, row.instance_id, row.part) for row in rows]


def named(conn: Connection, names: Sequence[str], part: str | None = None) -> list[Round]:
    """The rounds of these instances, in the order in which they were opened."""
    found = [rounds.round_of(conn, instance_number(name), part) for name in names]
    return sorted({each.id: each for each in found}.values(), key=lambda each: (each.opened_at, each.id))


def trend_of(conn: Connection, found: Sequence[Round], method: Method | None = None) -> Trend:
    """The rounds side by side. Raises `Invalid` where questionnaires or methods differ, and as `check_shown` does."""
    for each in found:
        check_shown(conn, each)
    periods = [each.period for each in found]
    names = [
        each.period
        if each.period and periods.count(each.period) == 1
        else f"{each.period or ''} {each.name}".strip()
        for each in found
    ]
    waves = (
        Wave(name, rounds.figures_of(conn, [each], method)) for name, each in zip(names, found, strict=True)
    )
    return trend(tuple(waves))
