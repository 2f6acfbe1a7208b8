"""What stands in the cells of a decision table, read once and tested many times.

A cell for an input holds simple unary tests (DMN 1.3, 9.2): `-`, `"优"`, `> 5`, `[60..80)`, `"a", "b"`,
`not("a")`. What a value is compared with, the head of a column and a cell for an output are expressions of our
own language, in which FEEL's `true`, `false`, `null` and `date("2026-12-31")` may be written too.

As in FEEL, values of different kinds are never equal, and no value lies before or after null. To order values of
different kinds is a fault.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from engine.characters import unstorable
from engine.errors import EngineError, Finding, Misbuilt
from engine.expressions import Expression, ExpressionFault, compile_expression

Values = Mapping[str, Any]

MAX_CELL: Final = 2_000
"""Characters of one cell."""

_TEXT: Final = r'"(?:[^"\\]|\\.)*+"'
_QUOTED: Final = rf"{_TEXT}|'(?:[^'\\]|\\.)*+'"
_POINT: Final = rf"""((?:date\s*\(\s*{_TEXT}\s*\)|{_TEXT}|(?:(?!\.\.)[^"'\[\](),])++))"""
_ENDS: Final = rf"([\[(\]])\s*+{_POINT}\s*+\.\.\s*+{_POINT}\s*+([\])\[])\s*+"
_INTERVAL: Final = re.compile(rf"\s*+{_ENDS}(?=,|$)")
_INTERVAL_INSIDE: Final = re.compile(rf"{_ENDS}(?=[,)])")
_NEGATION: Final = re.compile(r"\s*not\s*\((.*)\)\s*", re.DOTALL)
_SIGN: Final = re.compile(r"\s*(<=|>=|!=|==|<|>|=)")
_PIECES: Final = re.compile(rf"{_QUOTED}|.", re.DOTALL)
_ADJOINING: Final = re.compile(r'""\s*""')
_FEEL: Final = re.compile(
    rf"\bdate\s*\(\s*(?P<date>{_TEXT})\s*\)|(?P<text>{_QUOTED})|\b(?P<word>true|false|null)\b"
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_PLAIN_TEXT: Final = re.compile(r'"([^"\\]*)"')
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_WORDS: Final = {"true": True, "false": False, "null": None}

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """A value written in a table: a constant, or an expression that reads variables."""

    text: str
    expression: Expression | None = None
    """None for a constant."""
    constant: Any = None

    @property
    def names(self) -> frozenset[str]:
        """The variables it reads."""
        return frozenset() if self.expression is None else self.expression.names

    def value(self, variables: Values) -> Any:
        """Its value. Raises ExpressionFault."""
        return self.constant if self.expression is None else self.expression.evaluate(variables, {})


Test = tuple[tuple[str, Operand], ...]
"""Comparisons that hold together: one, or the two ends of an interval."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell for an input; without tests it is open to every value."""

    text: str
    tests: tuple[Test, ...] = ()
    negated: bool = False

    @property
    def operands(self) -> Iterator[Operand]:
        """What values are compared with."""
        return (each for test in self.tests for _, each in test)

    def holds(self, value: object, variables: Values) -> bool:
        """Whether the value passes. Raises EngineError for values that have no order among them."""
        if not self.tests:
            return True
        if self.negated and value is None and any(sign in _ORDERS for test in self.tests for sign, _ in test):
            return False
        passed = any(
            all(_compare(sign, value, other.value(variables)) for sign, other in test) for test in self.tests
        )
        return passed is not self.negated


def _compare(sign: str, value: Any, other: Any) -> bool:
    if sign not in _ORDERS:
        choices = other if isinstance(other, list) and not isinstance(value, list) else [other]
        return any(equal(value, each) for each in choices) is (sign == "==")
    if value is None or other is None:
        return False
    if kind(value) != kind(other) or kind(value) not in ("number", "text"):
        raise EngineError("{value!r} is neither before nor after {other!r}", value=value, other=other)
    return _ORDERS[sign](value, other)


def equal(value: Any, other: Any) -> bool:
    """Whether two values are the same; True is not 1."""
    return kind(value) == kind(other) and bool(value == other)


def kind(value: object) -> str:
    """What sort of value it is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
    return "list" if isinstance(value, list) else "mapping"


def is_day(value: object) -> bool:
    """Whether it is a date as variables hold it: `2026-12-31`."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def read_cell(text: str) -> Cell:
    """A cell for an input. Raises Misbuilt; its findings leave file and element for the caller."""
    line = _on_one_line(text)
    if line.strip() in ("", "-"):
        return Cell(text.strip())
    start, end = 0, len(line)
    negation = _NEGATION.fullmatch(line)
    if negation and _closes_last(line, negation.start(1) - 1):
        start, end = negation.span(1)
    tests = tuple(_test(line, *span) for span in _spans(line, start, end))
    return Cell(text.strip(), tests, negated=start > 0)


def read_value(text: str) -> Operand:
    """The head of a column, or a cell for an output that is not empty. Raises Misbuilt as `read_cell` does."""
    line = _on_one_line(text)
    return _operand(line, 0, len(line))


def read_list(text: str) -> tuple[Operand, ...]:
    """Values with commas between them. Raises Misbuilt as `read_cell` does."""
    line = _on_one_line(text)
    return tuple(_operand(line, *span) for span in _spans(line, 0, len(line)))


def _refused(template: str, remedy: str, **params: object) -> Misbuilt:
    return Misbuilt([Finding("error", "", "", template, remedy, params)])


def _on_one_line(text: str) -> str:
    if len(text) > MAX_CELL:
        remedy = "Split it over several rules, or work it out in a script before"
        raise _refused("It is longer than {limit} characters", remedy, limit=MAX_CELL)
    return re.sub(r"[\r\n\t]", " ", text)


def _closes_last(line: str, opening: int) -> bool:
    """Whether the bracket that opens there is closed by the last one of the line."""
    depth = 0
    masked = _INTERVAL_INSIDE.sub(lambda found: "_" * len(found[0]), line)  # its brackets may turn outwards
    for piece in _PIECES.finditer(masked, opening):
        depth += (piece[0] in "([{") - (piece[0] in ")]}") if len(piece[0]) == 1 else 0
        if depth == 0:
            return not line[piece.end() :].strip()
    return False


def _spans(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each of the parts stands that commas divide; an interval is one, whichever way its brackets turn."""
    while True:
        interval = _INTERVAL.match(line, start, end)
        stop = interval.end() if interval else _comma(line, start, end)
        if not line[start:stop].strip():
            remedy = "Write what is compared between the commas, or delete one of them"
            raise _refused("A value is missing beside a comma", remedy)
        yield start, stop
        if stop >= end:
            return
        start = stop + 1


def _comma(line: str, start: int, end: int) -> int:
    """The next comma that stands in no bracket, or the end."""
    depth = 0
    for piece in _PIECES.finditer(line, start, end):
        if len(piece[0]) == 1:
            depth += (piece[0] in "([{") - (piece[0] in ")]}")
            if piece[0] == "," and depth <= 0:
                return piece.start()
    return end


def _test(line: str, start: int, end: int) -> Test:
    interval = _INTERVAL.fullmatch(line, start, end)
    if interval:
        low = (">=" if interval[1] == "[" else ">", _operand(line, *interval.span(2)))
        high = ("<=" if interval[4] == "]" else "<", _operand(line, *interval.span(3)))
        return low, high
    sign = _SIGN.match(line, start, end)
    operand = _operand(line, sign.end() if sign else start, end)
    if operand.expression is not None and _is_condition(operand.expression.text):
        template = "A cell is compared with the value of its column, but `{text}` is a condition of its own"
        remedy = 'Write only what is compared, such as > 5 or "a"; a condition can be the head of a column'
        raise _refused(template, remedy, text=operand.text[:60])
    return (("==" if sign is None or sign[1] == "=" else sign[1], operand),)


def _is_condition(text: str) -> bool:
    # The bracket stands on a line of its own, as where the expression was read: a backslash may end the text.
    node = ast.parse(f"({text.strip()}\n)", mode="eval").body
    negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return negated or isinstance(node, ast.Compare | ast.BoolOp)


def _operand(line: str, start: int, end: int) -> Operand:
    text = line[start:end].strip()
    literal = _literal(text)
    if literal is not None:
        return literal
    outline = _PIECES.sub(_emptied, text)
    if "#" in outline:
        raise _refused(
            "There is no comment in a cell", "Delete `#` and what follows; notes go beside the table"
        )
    if _ADJOINING.search(outline):
        remedy = 'Write a comma between them, as in "a", "b"'
        raise _refused("Two texts stand beside one another: {text}", remedy, text=text[:60])
    # What stands before it is kept as spaces, so that faults name the column of the cell.
    expression = compile_expression(" " * start + _from_feel(line[start:end]), ())
    if expression.names or "(" in expression.text:
        return Operand(text, expression)
    try:
        return Operand(text, None, expression.evaluate({}, {}))
    except ExpressionFault as fault:
        remedy = "Write a value that can be worked out"
        raise _refused("{reason}", remedy, reason=EngineError(fault.template, **fault.params)) from None


def _emptied(piece: re.Match[str]) -> str:
    return '""' if len(piece[0]) > 1 else piece[0]


def _literal(text: str) -> Operand | None:
    """The commonest operands, without the way through the compiler: large tables hold thousands."""
    if text in _WORDS:
        return Operand(text, None, _WORDS[text])
    if _NUMBER.fullmatch(text):
        return Operand(text, None, float(text) if "." in text else int(text))
    plain = _PLAIN_TEXT.fullmatch(text)
    return Operand(text, None, plain[1]) if plain and not unstorable(plain[1]) else None


def _from_feel(text: str) -> str:
    """FEEL's literals as our language writes them, no character moved from its place."""

    def ours(found: re.Match[str]) -> str:
        if found["text"]:
            return found["text"]
        if found["word"]:
            return str(_WORDS[found["word"]])
        if not is_day(found["date"][1:-1]):
            remedy = 'Write it as in date("2026-12-31")'
            raise _refused("{text} is no day", remedy, text=found["date"][:40])
        before = found.start("date") - found.start()
        return " " * before + found["date"] + " " * (len(found[0]) - before - len(found["date"]))

    return _FEEL.sub(ours, text)
