"""What a waiting token leaves in the tables: a user task, a timer, a subscription."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from engine.bpmn import effects as fx
from engine.bpmn.diagram import Node
from engine.bpmn.rules.properties import others
from engine.calendar.due_grammar import DueExpression
from engine.calendar.durations import Cycle, Duration, Instant, parse_timer
from engine.calendar.working import NoTable
from engine.commands import deadlines, due_dates
from engine.commands.jobs import CHAIN
from engine.commands.personal import reason_apart
from engine.errors import EngineError, Invalid
from engine.model import task_label
from engine.store import tables
from engine.strict_yaml import shown

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance

PERFORMERS = "performers"
"""The variable that keeps who did the steps that `flow.not-same-as` names: element to people."""

_OPEN = insert(tables.user_task)
_ARM = insert(tables.timer)
_SUBSCRIBE = insert(tables.subscription)
_CANCEL_TIMERS = (
    update(tables.timer)
    .where(
        tables.timer.c.instance_id == bindparam("instance"),
        tables.timer.c.token == bindparam("place"),
        tables.ARMED_TIMER,
    )
    .values(status="cancelled")
)
_WAITING = (
    select(tables.timer)
    .where(
        tables.timer.c.instance_id == bindparam("instance"),
        tables.ARMED_TIMER,
        tables.timer.c.kind == "event",
    )
    .order_by(tables.timer.c.id)
)
_MOVE_TIMER = (
    update(tables.timer)
    .where(tables.timer.c.id == bindparam("number"))
    .values(rule=bindparam("new_rule"), due_at=bindparam("new_due_at"))
)
_UNSUBSCRIBE = delete(tables.subscription).where(
    tables.subscription.c.instance_id == bindparam("instance"),
    tables.subscription.c.token == bindparam("place"),
)


def role_of(instance: OpenInstance, node: Node) -> str | None:
    """The role that may do a user task: its candidate group, else its lane, or whom the caller has for that."""
    return instance.role(node.attributes.get("candidateGroups") or node.lane)


def open_task(ctx: Context, instance: OpenInstance, node: Node, token: int, **item: Any) -> str:
    """Put a user task on the worklist and arm its deadline. Returns the task's id.

    Whatever may refuse is asked before anything is written.
    """
    assignee, doubt = _assignee(ctx, instance, node)
    promise = deadlines.promised(ctx, instance, node)
    excluded = _excluded(instance, node)
    number = instance.get("next_task")
    instance.changes["next_task"] = number + 1
    identity = task_label(instance.id, number)
    due = deadlines.arm(ctx, instance, node, token, identity, promise)
    ctx.conn.execute(
        _OPEN,
        {
            "id": identity,
            "instance_id": instance.id,
            "token": token,
            "element": node.id,
            "name": node.label,
            "role": role_of(instance, node),
            "unit": instance.row["unit"],
            "status": "open" if assignee is None else "claimed",
            "assignee": assignee,
            "due_at": None if due is None else due.at,
            "priority": _priority(node),
            "form": node.attributes.get("formKey"),
            "excluded": excluded or None,
            "opened_at": ctx.now,
            "claimed_at": None if assignee is None else ctx.now,
            **item,
        },
    )
    facts: dict[str, object] = {"element": node.id, "name": node.label, "role": role_of(instance, node)}
    facts["form"] = node.attributes.get("formKey")
    if due is not None:
        facts["due"] = due.day.isoformat()
    if assignee is not None:
        facts["assignee"] = assignee
    if doubt:
        facts["doubt"] = doubt
    ctx.note("task.opened", facts, instance=instance.id, subject=identity)
    return identity


def _priority(node: Node) -> int:
    text = node.attributes.get("priority", "0")
    return int(text) if text.lstrip("-").isdigit() else 0


def _assignee(ctx: Context, instance: OpenInstance, node: Node) -> tuple[str | None, str]:
    """Whom the diagram assigns the task to; a person who may not do it is not assigned, and the journal says so."""
    expression = node.attributes.get("assignee")
    if not expression or instance.run is None:
        return None, ""
    person = instance.run.env.evaluate(expression, instance.run.data)
    if not isinstance(person, str) or not person:
        return None, ""
    try:
        rights = ctx.rights(person)
    except EngineError as unknown:
        return None, str(unknown)
    if rights.holder(role_of(instance, node), ctx.units(instance.row["unit"])) is None:
        return None, f"{person} does not hold {role_of(instance, node)}"
    return person, ""


def _excluded(instance: OpenInstance, node: Node) -> list[list[str]]:
    """Four eyes: [person, element or variable] for whoever completed a step or is named by a variable."""
    elements, variables = others(node.properties.get("flow.not-same-as", ""))
    if instance.run is None or not (elements or variables):
        return []
    did = instance.run.data.get(PERFORMERS, {})
    named = {name: instance.run.data.get(name) for name in variables}
    return [
        *([person, element] for element in elements for person in did.get(element, ())),
        *([person, name] for name, people in named.items() for person in _people(people)),
    ]


def _people(value: object) -> list[str]:
    """The people that a variable names: one, or several in a list."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def remember(instance: OpenInstance, node: Node, *people: str | None) -> dict[str, object]:
    """Who did the step last, as a variable to set, if some other step may not be done by the same person.

    Of a step in several instances everybody who did one.
    """
    assert instance.run is not None
    if node.id not in instance.definition.paired(instance.row["process"]):
        return {}
    known = instance.run.data.get(PERFORMERS, {})
    before = known.get(node.id, ()) if node.loop is not None and node.loop.multi else ()
    did = sorted({*before, *(person for person in people if person is not None)})
    return {PERFORMERS: {**known, node.id: did}}


def arm(ctx: Context, instance: OpenInstance, node: Node, effect: fx.Armed) -> None:
    """Wait for a timer, a message or a signal. Whatever may refuse is asked before anything is written."""
    if effect.kind != "timer":
        ctx.conn.execute(
            _SUBSCRIBE,
            {
                "instance_id": instance.id,
                "token": effect.token,
                "element": effect.element,
                "kind": effect.kind,
                "name": effect.name,
                "key": _correlation(instance, node) if effect.kind == "message" else None,
            },
        )
        return
    text, due, remaining = when(ctx, instance, effect.name)
    facts: dict[str, object] = {
        "index": effect.index, "repeats": effect.repeats, "armed": ctx.now.isoformat(),
    }  # fmt: skip
    if due <= ctx.now:  # no time passes: what follows belongs to what went before
        ctx.meter.fire()
        facts[CHAIN] = ctx.meter.chain
    ctx.conn.execute(
        _ARM,
        {
            "instance_id": instance.id,
            "token": effect.token,
            "element": effect.element,
            "kind": "event",
            "rule": text,
            "remaining": remaining,
            "facts": facts,
            "due_at": due,
            "status": "armed",
        },
    )
    ctx.note(
        "timer.armed", {"rule": text, "due": due.isoformat()}, instance=instance.id, subject=effect.element
    )


def _correlation(instance: OpenInstance, node: Node) -> str | None:
    expression = node.properties.get("flow.key")
    if not expression or instance.run is None:
        return None
    return str(instance.run.env.evaluate(expression, instance.run.data))


def when(ctx: Context, instance: OpenInstance, text: str) -> tuple[str, datetime, int | None]:
    """When a timer fires first: its text as written or worked out, the instant, and the firings left of a cycle.

    The text is a duration, cycle, date or due expression, else an expression of our language that gives one
    of these. Raises EngineError for anything else.
    """
    assert instance.run is not None
    said = text
    try:
        try:
            literal = _literal(text)
        except Invalid:
            value = instance.run.env.evaluate(text, instance.run.data)
            if not isinstance(value, str):
                template = "The timer {text!r} gives {value}, which is no date or duration written as text"
                raise EngineError(template, text=text, value=shown(value)) from None
            said, literal = value, _literal(value)
        due, repeats = _firing(ctx, instance, text, literal, 1, ctx.now)
    except Invalid as refused:
        template = "The timer {text!r} gives no time: {reason}"
        raise EngineError(template, text=text, reason=refused.problems[0]) from None
    return said, due, repeats


def _literal(text: str) -> Duration | Cycle | Instant | DueExpression:
    """A text that is no expression of our language, read. Raises Invalid when it is none of the four."""
    try:
        return parse_timer(text)
    except Invalid:
        expression = due_dates.readable(text)
        if expression is None:
            raise
        return expression


def _firing(
    ctx: Context, instance: OpenInstance, text: str, literal: Duration | Cycle | Instant | DueExpression,
    number: int, armed: datetime,
) -> tuple[datetime, int | None]:  # fmt: skip
    """When it fires for the first time (of a cycle, for the `number`th), and the firings of a cycle.

    Raises Invalid when that lies beyond the calendar.
    """
    calendar, zone = ctx.calendar(instance.row["unit"]), ctx.services.zone
    match literal:
        case DueExpression() as expression:
            return _due(ctx, instance, expression, armed), None
        case Duration() as duration:
            return duration.after(armed, zone, calendar), None
        case Instant() as instant:
            return instant.at(zone), None
        case Cycle() as cycle:
            due = cycle.firing(number, armed, zone, calendar)
            if due is None:
                raise EngineError("The timer {text!r} never fires", text=text)
            return due, cycle.repeats


def _due(ctx: Context, instance: OpenInstance, expression: DueExpression, armed: datetime) -> datetime:
    """When a due date fires that stands where a timer does: as its day begins."""
    due = due_dates.work_out(ctx, instance, expression, armed)
    if due is None:
        template = "The timer {text!r} counts from {anchor}, which has no date yet"
        raise EngineError(template, text=expression.text, anchor=str(expression.anchor))
    return due_dates.day_begins(ctx, due.day) if due.whole_day else due.at


def by_calendar(rule: str) -> bool:
    """Whether a waiting timer of that text may move when a working-day table changes."""
    literal = _literal(rule)
    if isinstance(literal, Cycle):
        literal = literal.every
    return isinstance(literal, DueExpression) or (
        isinstance(literal, Duration) and literal.working_days is not None
    )


def retime(ctx: Context, instance: OpenInstance, before: Mapping[str, Any] | None = None) -> None:
    """Move the timers that wait in an instance whose date, or the working-day table they count by, is another now.

    `before` is what the variables were: a timer that an expression gave follows where this comes out otherwise now.
    One that can no longer be told stays as it is, and the journal says why.
    """
    place = {"instance": instance.id}
    for row in ctx.conn.execute(_WAITING, place).all():
        try:
            rule = row.rule if before is None else _said(instance, row, before)
            armed = datetime.fromisoformat(row.facts["armed"])
            due, _ = _firing(ctx, instance, rule, _literal(rule), row.facts.get("firing", 1), armed)
        except EngineError as fault:
            if isinstance(fault, NoTable):
                ctx.untabled.append(fault)
            facts = {"rule": row.rule, "due": row.due_at.isoformat()}
            facts["reason"] = reason_apart(ctx, instance, str(fault))
            ctx.note("timer.stayed", facts, instance=instance.id, subject=row.element)
            continue
        if due != row.due_at:
            ctx.conn.execute(_MOVE_TIMER, {"number": row.id, "new_rule": rule, "new_due_at": due})
            facts = {"rule": rule, "from": row.due_at.isoformat(), "to": due.isoformat()}
            ctx.note("timer.moved", facts, instance=instance.id, subject=row.element)


def _said(instance: OpenInstance, row: Row[Any], before: Mapping[str, Any]) -> str:
    """What a waiting timer's text says now: as it was armed, unless its expression gives something else by now."""
    assert instance.run is not None
    node = instance.definition.node(instance.row["process"], row.element)
    text = node.events[row.facts["index"]].text or ""
    try:
        _literal(text)
    except Invalid:
        evaluate = instance.run.env.evaluate
        now = evaluate(text, instance.run.data)
        if isinstance(now, str) and row.rule == evaluate(text, before):
            return now
    return str(row.rule)


def disarm(ctx: Context, instance: OpenInstance, token: int) -> None:
    """The token waits no more."""
    place = {"instance": instance.id, "place": token}
    ctx.conn.execute(_CANCEL_TIMERS, place)
    ctx.conn.execute(_UNSUBSCRIBE, place)


def local_day(ctx: Context, moment: datetime) -> date:
    """The date of an instant in the organisation's zone."""
    return moment.astimezone(ctx.services.zone).date()
