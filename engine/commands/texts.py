"""What people send with a command is text that can be kept and shown: judged in one place, for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from engine.characters import unstorable
from engine.commands.core import Command
from engine.errors import Invalid, Problem
from engine.model import SYSTEM
from engine.strict_yaml import shown

_ELSEWHERE = ("by", "data", "document", "procedure", "raw")
"""Files, which are judged where they are read."""
MAX_DEPTH = 50
"""Levels of lists and mappings in a value, as in a file."""


def refuse_unstorable(command: Command) -> None:
    """Raise Invalid naming every text of a person's command that holds a control character.

    What the program itself says (a failure's reason) is not refused: it would be lost.
    """
    if command.by == SYSTEM:
        return
    problems = [
        problem
        for each in fields(command)
        if each.name not in _ELSEWHERE
        for problem in _problems(each.name, getattr(command, each.name))
    ]
    if problems:
        raise Invalid(problems)


def _problems(place: str, value: object, depth: int = 0) -> Iterator[Problem]:
    if depth > MAX_DEPTH:
        yield Problem(place, "It is nested deeper than {limit} levels", {"limit": MAX_DEPTH})
    elif isinstance(value, str):
        if unstorable(value):
            yield Problem(place, "A character in it cannot be stored: type the text again")
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if unstorable(str(name)):
                yield Problem(place, "A character in the name {name} cannot be stored", {"name": shown(name)})
            yield from _problems(str(name) if depth == 0 else f"{place}.{name}", each, depth + 1)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value, 1):
            yield from _problems(f"{place}.{number}", each, depth + 1)
