"""The shape of commands: help in two languages, each with an example, and the options that all share.

Groups below `flow` are loaded when they are used; the root's help needs their summaries only.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import click

from console import failures, language, output
from console.language import tr
from console.session import Session

MOST = 2**31 - 1
"""The greatest whole number that is asked for: what every column and library holds."""
NUMBER = click.IntRange(1, MOST)


class Real(click.FloatRange):
    """A number within bounds; nan, which is neither below nor above any, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if found != found:  # noqa: PLR0124 - nan alone
            self.fail(
                tr("{value!r} is not a valid {number_type}.", value=value, number_type=self.name), param, ctx
            )
        return found


class _Unit(click.types.StringParamType):
    """A unit of the organisation, by its id."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return tr("See `flow org show` for the units there are")


UNIT = _Unit()


class _Formatter(click.HelpFormatter):
    """Breaks lines by the cells they take, so that Chinese stays within the width; what is indented stays as it is."""

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for position, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
            self.write("\n" if position else "")
            lines = paragraph.split("\n")
            if not paragraph.startswith(" "):
                lines = output.wrap(" ".join(lines), self.width - self.current_indent)
            for line in lines:
                self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        listed = list(rows)
        first = min(max((output.width(term) for term, _ in listed), default=0), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, text in listed:
            lines = output.wrap(text, max(self.width - first - self.current_indent, 20)) or [""]
            room = first - output.width(term)
            if room < col_spacing:
                self.write(f"{indent}{term}\n")
            else:
                self.write(f"{indent}{term}{' ' * room}{lines.pop(0)}".rstrip() + "\n")
            for line in lines:
                self.write(f"{indent}{' ' * first}{line}\n")


class Context(click.Context):
    """click's context, writing help with our formatter."""

    formatter_class = _Formatter


class Option(click.Option):
    """An option whose help is shown in the language in use."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        english, self.help = self.help, tr(self.help or "")
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = english


def option(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    """`click.option` with translated help."""
    return click.option(*names, cls=Option, **attributes)


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(ctx.ensure_object(Session), name, value)

    return callback


def _speak(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        language.use(value)


def _shared(*, with_json: bool) -> list[click.Parameter]:
    """The options that every command has."""
    shared: list[click.Parameter] = [
        Option(
            ["--as", "acting_as"],
            metavar="PERSON",
            expose_value=False,
            callback=_remember("acting_as"),
            help="Act as another person, with the permission act-for; history names both. In a demonstration "
            "anybody may, and a system user that it does not know is not named.",
        ),
        Option(
            ["--lang"],
            type=click.Choice(language.LANGUAGES),
            expose_value=False,
            is_eager=True,
            callback=_speak,
            help="Language of messages.",
        ),
    ]
    if with_json:
        shared.insert(
            0,
            Option(
                ["--json"],
                is_flag=True,
                expose_value=False,
                callback=_remember("json"),
                help="Print JSON, errors too.",
            ),
        )
    return shared


class _Helpful(click.Command):
    """What commands and groups have in common: translated help that ends with an example."""

    context_class = Context
    example: str = ""
    shared: Sequence[click.Parameter] = ()

    def share(self, shared: list[click.Parameter]) -> None:
        """Take the options that all commands have."""
        self.shared = shared
        self.params = [*self.params, *shared]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click counts the two dashes as alike, so that of short options it means any by any."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            wanted = error.option_name.lstrip("-")
            near = [
                each for each in error.possibilities or () if get_close_matches(wanted, [each.lstrip("-")])
            ]
            raise click.NoSuchOption(error.option_name, possibilities=near, ctx=error.ctx) from None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = tr("Show this help.")
        return found

    def get_short_help_str(self, limit: int = 45) -> str:
        text = tr(inspect.cleandoc(self.help or ""))
        return text.split("\n\n")[0].replace("\n", " ").rstrip("。.")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n")
        with formatter.indentation():
            formatter.write_text(tr(inspect.cleandoc(self.help or "")))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        common = (*self.shared, self.get_help_option(ctx))
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                (shared if param in common else own).append(record)
        for title, records in ((tr("Options"), own), (tr("Common options"), shared)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(tr("Example")):
            for line in self.example.split("\n"):
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")


class Command(_Helpful):
    """A command; `example` is a command line that works."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.share(_shared(with_json=True))


class Group(_Helpful, click.Group):
    """A noun and what can be done with it."""

    command_class = Command

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        kwargs.setdefault("no_args_is_help", True)
        super().__init__(*args, **kwargs)
        self.example = example
        self.share(_shared(with_json=self.invoke_without_command))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


Group.group_class = Group


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command directly below `flow`."""
    return click.command(name, cls=Command, example=example)


def group(name: str, *, example: str, alone: bool = False) -> Callable[[Callable[..., Any]], Group]:
    """Make a function a noun below `flow`; `alone`: it does something without a verb, too."""
    return click.group(
        name, cls=Group, example=example, invoke_without_command=alone, no_args_is_help=not alone
    )


Sections = Mapping[str, Mapping[str, tuple[str, str]]]
"""Title of a section of the help, to names, to the place (`module:attribute`) and summary of each command."""


class Root(Group):
    """`flow` itself: loads what is below it when used, and turns errors into messages and exit codes."""

    def __init__(self, *args: Any, sections: Sections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self.places = {name: place for part in sections.values() for name, (place, _) in part.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.places and cmd_name not in self.commands:
            module, _, attribute = self.places[cmd_name].partition(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.places and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=list(self.places), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, part in self.sections.items():
            with formatter.section(tr(title)):
                formatter.write_dl([(name, tr(summary).rstrip("。.")) for name, (_, summary) in part.items()])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with failures.heard():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with failures.heard():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        words = list(sys.argv[1:] if args is None else args)
        _use_utf8()
        language.use(language.wanted(words, os.environ) or _language_of_workspace(words) or "en")
        with failures.reported(as_json="--json" in words):
            code = super().main(args, prog_name or "flow", complete_var, standalone_mode=False, **extra)
        sys.exit(code if isinstance(code, int) else failures.OK)


def _use_utf8() -> None:
    """Windows still gives programs the code page of another century."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(encoding="utf-8")


def _language_of_workspace(words: Sequence[str]) -> str | None:
    from engine import config
    from engine.errors import EngineError

    named = [after for before, after in pairwise(words) if before in ("-C", "--workspace")]
    try:
        return (config.read(Path(named[0])) if named else config.find(Path.cwd(), os.environ)).language
    except (EngineError, OSError):
        return None  # the command itself says so, if it needs a workspace
