"""How a command fails: the one table of exit codes, and errors in words or as JSON on stderr."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from console import output
from console.language import Messages, both, chosen, tr
from engine.errors import Conflict, Denied, EngineError, Finding, Invalid, Misbuilt, NotFound, Problem

OK = 0
FAILURE = 1
USAGE = 2
LOGIN_NEEDED = 4
"""Kept free for accounts."""
INTERRUPTED = 130
UNHEARD = 141
"""Nobody reads the output any more: what a shell says of a program that SIGPIPE ended."""

EXIT_CODES: dict[type[EngineError], int] = {
    EngineError: FAILURE,
    Conflict: 3,
    NotFound: 5,
    Invalid: 6,
    Denied: 7,
    Misbuilt: 8,
}


def exit_code(error: EngineError) -> int:
    """The exit code of an error's kind."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


_LINE = re.compile(r"line ([0-9]+)")
_SHOWN = 8
"""Places of one fault that are named."""
_LEGEND: Messages = {
    "error": "✗ is wrong and has to be put right",
    "incomplete": "! is missing yet: a rehearsal goes without it, publishing does not",
}


@contextmanager
def reported(*, as_json: bool) -> Iterator[None]:
    """Show what goes wrong inside as an error message, and exit with its code. A bug stays a traceback."""
    try:
        with _shown(as_json):
            yield
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        stop_writing()
        sys.exit(UNHEARD)
    except OSError as fault:  # not even the error could be shown
        if of_system(fault) is None:
            raise
        stop_writing()
        sys.exit(FAILURE)


@contextmanager
def _shown(as_json: bool) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        if (meaning := of_system(fault)) is None:
            raise
        _show_engine_error(meaning, as_json)
        stop_writing()
        sys.exit(exit_code(meaning))
    except EngineError as error:
        _show_engine_error(error, as_json)
        sys.exit(exit_code(error))
    except click.ClickException as error:
        if as_json:
            _dump("Usage" if isinstance(error, click.UsageError) else "Failure", error.format_message())
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        if as_json:
            _dump("Interrupted", tr("Interrupted"))
        else:
            output.echo(tr("Interrupted"), err=True)
        sys.exit(INTERRUPTED)


_FULL = "There is no space left for {file}. Nothing was changed there; free some space and try again"
_REFUSED = "{file} may not be read or written by this user. Give this user the right to it and to its folder"
_OF_SYSTEM: dict[int, tuple[type[EngineError], str]] = {
    errno.ENOSPC: (EngineError, _FULL),
    errno.EDQUOT: (EngineError, _FULL),
    errno.EFBIG: (EngineError, _FULL),
    errno.EACCES: (Denied, _REFUSED),
    errno.EPERM: (Denied, _REFUSED),
    errno.EROFS: (
        Denied,
        "{file} lies on a medium that may only be read. Choose a place that may be written",
    ),
    errno.ENOENT: (NotFound, "There is no {file}"),
    errno.EEXIST: (Conflict, "{file} is there already, and is no folder"),
    errno.ENOTDIR: (Conflict, "{file} is no folder, or lies in what is none"),
    errno.ENXIO: (Conflict, "{file} is a device, not a file"),
    errno.EISDIR: (Conflict, "{file} is a folder; a file is needed there"),
    errno.ENOTEMPTY: (Conflict, "{file} is a folder with something in it"),
    errno.ENAMETOOLONG: (Conflict, "The name {file} is too long"),
    errno.ELOOP: (Conflict, "{file} is a link that leads to itself"),
    errno.EIO: (EngineError, "The disk failed at {file}. Check it"),
    errno.EMFILE: (EngineError, "This user has too many files open"),
}
"""What the operating system refuses, by its number: faults of the surroundings, not of the program."""


def of_system(fault: OSError) -> EngineError | None:
    """What the operating system complains of, in the words of whoever has to mend it; None for what may be a bug."""
    kind, template = _OF_SYSTEM.get(fault.errno or 0, (None, ""))
    if kind is None:
        return None
    file = fault.filename2 if fault.errno == errno.EEXIST and fault.filename2 else fault.filename
    return kind(template, file=tr("the output") if file is None else os.fsdecode(file))


@contextmanager
def heard() -> Iterator[None]:
    """End the command when nobody reads its output any more, as in `flow audit export | head`."""
    try:
        yield
    except BrokenPipeError:
        stop_writing()
        raise click.exceptions.Exit(UNHEARD) from None


def stop_writing() -> None:
    """What is still to be written goes nowhere, so that the program's end does not complain once more."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def message(error: EngineError) -> str:
    """An error's text in the language in use."""
    files = {finding.file for finding in error.findings} if isinstance(error, Misbuilt) else set()
    if len(files) == 1 and (file := files.pop()):
        return tr("{file} cannot be accepted", file=file)
    return tr(error.template, **translated(error.params))


def problem_text(problem: Problem) -> str:
    """A problem's text in the language in use, without its place."""
    return tr(problem.template, **translated(problem.params))


def finding_texts(finding: Finding) -> tuple[str, str, str]:
    """Place, reason and remedy of a finding, in the language in use."""
    line = _LINE.fullmatch(finding.element)
    element = tr("line {number}", number=line[1]) if line else finding.element
    place = " ".join(part for part in (finding.file, element) if part)
    params = translated(finding.params)
    return place, tr(finding.template, **params), tr(finding.remedy_template, **params)


def translated(params: object) -> dict[str, object]:
    """Parameters of a message; one that is a message or a text itself is put into the language in use."""
    from engine.forms import Text

    assert hasattr(params, "items")
    return {
        name: problem_text(value)
        if isinstance(value, Problem)
        else message(value)
        if isinstance(value, EngineError)
        else value.of(chosen())
        if isinstance(value, Text)
        else value
        for name, value in params.items()
    }


def show_findings(error: Misbuilt) -> None:
    """Print every fault to stderr: places and reason, then the remedy. What is said of several places is said once."""
    marks = {"error": click.style("✗", fg="red"), "incomplete": click.style("!", fg="yellow")}
    told: dict[tuple[str, str, str, str], list[str]] = {}
    for finding in error.findings:
        place, reason, remedy = finding_texts(finding)
        told.setdefault((finding.level, finding.file, reason, remedy), []).append(
            place.removeprefix(finding.file).strip()
        )
    for (level, file, reason, remedy), elements in told.items():
        named = _listed(list(dict.fromkeys(each for each in elements if each)))
        place = " ".join(part for part in (file, named) if part)
        where = f"{click.style(place, bold=True)}  " if place else ""
        output.echo(f"{marks.get(level, '·')} {where}{reason}", err=True)
        if remedy:
            output.echo(click.style(f"    {remedy}", dim=True), err=True)
    legend = [tr(_LEGEND[level]) for level in _LEGEND if any(level == key[0] for key in told)]
    output.echo(click.style(both("；", "; ").join(legend), dim=True), err=True)


def _listed(places: list[str]) -> str:
    """Places one after the other; of many the first, and how many there are."""
    first = both("、", ", ").join(places[:_SHOWN])
    return first if len(places) <= _SHOWN else tr("{some} … {count} in all", some=first, count=len(places))


def _show_engine_error(error: EngineError, as_json: bool) -> None:
    if as_json:
        _dump(type(error).__name__, message(error), _problems(error))
        return
    output.echo(click.style(tr("Error:"), fg="red") + both("", " ") + message(error), err=True)
    if isinstance(error, Invalid):
        for problem in error.problems:
            where = f"{click.style(problem.field, bold=True)}: " if problem.field else ""
            output.echo(f"  {where}{problem_text(problem)}", err=True)
    elif isinstance(error, Misbuilt):
        show_findings(error)


def _problems(error: EngineError) -> list[dict[str, object]]:
    if isinstance(error, Invalid):
        return [{"field": each.field, "message": problem_text(each)} for each in error.problems]
    if isinstance(error, Misbuilt):
        return [finding_json(each) for each in error.findings]
    return []


def finding_json(finding: Finding) -> dict[str, object]:
    """A finding as JSON has it."""
    _, reason, remedy = finding_texts(finding)
    return {
        "level": finding.level,
        "file": finding.file,
        "element": finding.element,
        "message": reason,
        "remedy": remedy,
    }


def _dump(kind: str, text: str, problems: list[dict[str, object]] | None = None) -> None:
    output.dump({"error": {"kind": kind, "message": text, "problems": problems or []}}, err=True)
