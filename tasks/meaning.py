"""What a step's properties mean: the round, the questionnaire, the customers and the values that they name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, cast

from engine.errors import EngineError
from engine.handlers import Call
from engine.model import label
from survey import ledger, rounds
from survey.numbering import ranges


def value_of(call: Call, name: str, otherwise: object = None) -> Any:
    """The instance's variable of that name, else the procedure's parameter."""
    return call.variables.get(name, call.parameters.get(name, otherwise))


def meant(call: Call, name: str) -> Any:
    """What a property means that says either a value or where it is: in that variable or parameter."""
    return value_of(call, name, name)


def parameter(call: Call, name: str) -> Any:
    """A parameter of the procedure, as an instance's variable of the same name overrides it. Raises `EngineError`."""
    if name not in call.variables and name not in call.parameters:
        raise EngineError(
            "{element} needs the parameter {name}: add it to procedure.yaml", element=call.element, name=name
        )
    return value_of(call, name)


def asked(call: Call) -> str:
    """Which questionnaire a step is about: `flow.questionnaire`, a form's id, or the variable or parameter with it."""
    named = call.properties.get("flow.questionnaire", "questionnaire").strip()
    return str(meant(call, named))


def part_of(call: Call) -> str | None:
    """Which round of several a step is about: `flow.part`, a name or the variable with it, else `round_part`."""
    named = call.properties.get("flow.part", "round_part").strip()
    value = call.variables.get(named, None if named == "round_part" else named)
    return None if value is None else str(value)


def current(call: Call) -> rounds.Round:
    """The round that a step is about. Raises `NotFound`, and `Conflict` when it is not said which."""
    return rounds.round_of(call.conn, call.root, part_of(call))


def close(call: Call, found: rounds.Round) -> None:
    """Closes a round: no more returns are taken. One that is closed stays as it is."""
    if rounds.close(call.conn, found.id, call.now):
        call.note("round.closed", {"part": found.part})


def note_ledger(
    call: Call, found: rounds.Round, kind: str, numbers: Collection[int], **facts: str | None
) -> None:
    """Enters in the journal what a step wrote into the ledger, of the members with these numbers; today if no `day`."""
    known = {"kind": kind, "members": ranges(sorted(numbers)), "count": len(numbers), "day": call.today}
    call.note("round.ledger", {**known, **facts, "part": found.part})


def addressed(found: rounds.Round) -> str:
    """How a command is told which round: `SV-12`, or `SV-12 --part inpatients`."""
    return f"{label(found.instance)} --part {found.part}" if found.part else label(found.instance)


def channel_of(call: Call) -> str:
    """The way that `flow.channel` names, itself or by a variable. Raises `EngineError` for one that there is not."""
    named = call.properties.get("flow.channel", "paper").strip()
    channel = str(call.variables.get(named) or ("paper" if named == "channel" else named))
    if channel not in ledger.CHANNELS:
        known = {"element": call.element, "channel": channel, "known": ", ".join(ledger.CHANNELS)}
        raise EngineError("{element} knows no channel {channel}; there are {known}", **known)
    return channel


def conditions(call: Call) -> dict[str, str]:
    """What `flow.where` asks of customers, by column; a value may be the name of a variable or parameter.

    A variable that is null asks nothing.
    """
    found = {}
    for part in filter(str.strip, call.properties.get("flow.where", "").split(",")):
        name, _, value = (each.strip() for each in part.partition("="))
        wanted = meant(call, value)
        if wanted is not None:
            found[name] = str(wanted)
    return found


def codes_in(value: object) -> tuple[str, ...]:
    """The codes that a list, or a text with commas or spaces between them, names, each once."""
    found = re.findall(r"[^\s,，、;；]+", value) if isinstance(value, str) else value or ()
    return tuple(dict.fromkeys(str(code) for code in cast("Iterable[object]", found)))
