"""What a message says: a template of the workspace or, without one, of the program, filled in.

A template is `<kind>.<language>.txt`: its first line is the subject, what follows the text. A `.html` of the same
name beside it is sent with it. They are Jinja templates, run in its sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import EngineError

SHIPPED = Path(__file__).parent / "templates"
FOLDER = Path("templates") / "notices"
"""Where a workspace keeps its own."""
_LONGEST = 200
"""Characters of a subject."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: a line, a text, the same as a page where a template has one."""

    subject: str
    text: str
    html: str | None = None


def write(folder: Path, kind: str, language: str, values: Mapping[str, Any]) -> Message:
    """Fill in the template of a kind. Raises EngineError naming the template that cannot be filled in."""
    name = f"{kind}.{language}"
    text = _filled(folder, f"{name}.txt", values)
    subject, _, rest = text.lstrip().partition("\n")
    try:
        html = _filled(folder, f"{name}.html", values)
    except TemplateNotFound:
        html = None
    return Message(" ".join(subject.split())[:_LONGEST], rest.strip() + "\n", html)


def _filled(folder: Path, name: str, values: Mapping[str, Any]) -> str:
    try:
        return _environment(folder / FOLDER).get_template(name).render(values)
    except TemplateNotFound:
        raise
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        place = name if line is None else f"{name}:{line}"
        raise EngineError(
            "The template {place} cannot be filled in: {reason}", place=place, reason=error.message or ""
        ) from error
    except (ArithmeticError, LookupError, TypeError, ValueError, OSError) as error:
        raise EngineError(
            "The template {place} cannot be filled in: {reason}",
            place=name,
            reason=f"{type(error).__name__}: {error}",
        ) from error


@cache
def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([folder, SHIPPED]),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
