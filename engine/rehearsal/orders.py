"""What scenarios order that is no task: registered commands, by the names of their classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from engine.app import App
from engine.commands.core import Command
from engine.commands.definitions import Publish
from engine.errors import NotFound
from engine.model import Actor
from engine.procedures import Procedure, from_files
from engine.scenarios import INSTANCE

CHANGED = "changed"
"""Of an order to publish: the procedure's own files, each with the texts in it that are replaced."""


def command_of(
    app: App, procedure: Procedure, instance: int, name: str, by: str, values: Mapping[str, Any]
) -> Command:
    """The command of that name with these fields. Raises NotFound for a strange command or field, or a text to
    replace that is not there; Misbuilt for a change that leaves no procedure.
    """
    if name == Publish.__name__ and CHANGED in values:
        values = {key: value for key, value in values.items() if key != CHANGED} | {
            "procedure": _changed(procedure, values[CHANGED])
        }
    for kind in app.commands:
        if kind.__name__ == name:
            known = {each.name for each in dataclasses.fields(kind)}
            given = {key: instance if value == INSTANCE else value for key, value in values.items()}
            strange = sorted(set(given) - known)
            if strange:
                raise NotFound("Command {command} has no {fields}", command=name, fields=", ".join(strange))
            return kind(by=Actor(by), **given)
    raise NotFound("There is no command {command}", command=name)


def _changed(procedure: Procedure, changes: Mapping[str, Mapping[str, str]]) -> Procedure:
    """The procedure as its owner would publish it next; `changes`: old text to new, by file."""
    files = dict(procedure.files)
    for name, replaced in changes.items():
        text = files.get(name, b"").decode()
        for old, new in replaced.items():
            if old not in text:
                raise NotFound("{file} has no text {text} to replace", file=name, text=old)
            text = text.replace(old, new, 1)
        files[name] = text.encode()
    return from_files(files)
