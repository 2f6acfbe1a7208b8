"""The functions every expression may call, and the arguments that go with them and with those that act.

They mean what Python's functions of the same name mean, within the bounds of `values`. `get(mapping, key,
default)` is added; `defined("name")` needs the variables and is built where calls are built.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from engine.expressions.faults import ExpressionFault, checked, kind, shown, text_key, too_large
from engine.expressions.operators import is_number

MAX_DIGITS: Final = 300
"""Most digits `round` counts, either side of the point; beyond them a number has none."""
MAX_NUMERAL: Final = 1_500
"""Longest text `int` and `float` read, in characters: a little more than the longest number needs."""


def _unfit(function: str, value: object, wanted: str) -> ExpressionFault:
    return ExpressionFault(
        "Line {line}, column {column}: {function}() wants {wanted}, but this is {kind}",
        function=function,
        wanted=wanted,
        kind=kind(value),
    )


def _entries(function: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _unfit(function, value, "a list")
    return list(value)


def _number(function: str, value: Any) -> Any:
    if not is_number(value):
        raise _unfit(function, value, "a number")
    return value


def _alike(function: str, values: list[Any]) -> list[Any]:
    """The values, if each can be compared with each: all numbers or all text."""
    for value in values:
        if not (is_number(value) or isinstance(value, str)):
            raise _unfit(function, value, "numbers or text")
        if isinstance(value, str) != isinstance(values[0], str):
            raise ExpressionFault(
                "Line {line}, column {column}: {function}() cannot compare {left} with {right}",
                function=function,
                left=kind(values[0]),
                right=kind(value),
            )
    return values


def _choices(function: str, values: tuple[Any, ...]) -> list[Any]:
    """What `min` and `max` choose from: one list, or the arguments."""
    choices = _alike(function, _entries(function, values[0]) if len(values) == 1 else list(values))
    if not choices:
        raise ExpressionFault(
            "Line {line}, column {column}: {function}() of an empty list has no value; "
            "test the list first: {function}(x) if x else 0",
            function=function,
        )
    return choices


def _len(value: Any, /) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise _unfit("len", value, "text, a list or a mapping")
    return len(value)


def _min(first: Any, /, *others: Any) -> Any:
    return min(_choices("min", (first, *others)))


def _max(first: Any, /, *others: Any) -> Any:
    return max(_choices("max", (first, *others)))


def _sum(numbers: Any, /) -> Any:
    values = [_number("sum", value) for value in _entries("sum", numbers)]
    try:
        # Python's own sum of decimals differs between releases; the exactly rounded one does not.
        return checked(
            math.fsum(values) if any(isinstance(value, float) for value in values) else sum(values)
        )
    except OverflowError:
        raise too_large() from None


def _abs(number: Any, /) -> Any:
    return abs(_number("abs", number))


def _round(number: Any, digits: Any = None, /) -> Any:
    if digits is None:
        return round(_number("round", number))
    if isinstance(digits, bool) or not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        raise ExpressionFault(
            "Line {line}, column {column}: round() takes a whole number of digits from -{limit} to {limit}",
            limit=MAX_DIGITS,
        )
    try:
        return checked(round(_number("round", number), digits))
    except OverflowError:
        raise too_large() from None


def _converted(function: str, convert: Callable[[Any], Any], value: Any) -> Any:
    if not (is_number(value) or isinstance(value, str)):
        raise _unfit(function, value, "a number or text")
    if isinstance(value, str) and len(value) > MAX_NUMERAL:
        raise too_large()
    try:
        return checked(convert(value))
    except ValueError:
        raise ExpressionFault(
            "Line {line}, column {column}: {function}() cannot read {text} as a number",
            function=function,
            text=shown(value),
        ) from None
    except OverflowError:
        raise too_large() from None


def _int(value: Any, /) -> Any:
    return _converted("int", int, value)


def _float(value: Any, /) -> Any:
    return _converted("float", float, value)


def _str(value: Any, /) -> str:
    if not (is_number(value) or isinstance(value, str)):
        raise _unfit("str", value, "a number, text or a truth value")
    return str(checked(value))


def _bool(value: Any, /) -> bool:
    return bool(value)


def _any(values: Any, /) -> bool:
    return any(_entries("any", values))


def _all(values: Any, /) -> bool:
    return all(_entries("all", values))


def _sorted(values: Any, /, reverse: Any = False) -> Any:
    return checked(sorted(_alike("sorted", _entries("sorted", values)), reverse=bool(reverse)))


def _get(mapping: Any, key: Any, default: Any = None, /) -> Any:
    if not isinstance(mapping, dict):
        raise _unfit("get", mapping, "a mapping")
    return mapping.get(text_key(key), default)


BUILT_IN: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": _abs,
    "all": _all,
    "any": _any,
    "bool": _bool,
    "float": _float,
    "get": _get,
    "int": _int,
    "len": _len,
    "max": _max,
    "min": _min,
    "round": _round,
    "sorted": _sorted,
    "str": _str,
    "sum": _sum,
}
ACTS: Final[Mapping[str, str]] = {"sleep": "seconds", "throw_error": "code"}
"""What does something instead of giving a value, where it is registered: only scripts call it, with one argument."""
_ONE: Final = inspect.Parameter.POSITIONAL_OR_KEYWORD
_SIGNATURES: Final[Mapping[str, inspect.Signature]] = {
    **{name: inspect.signature(function) for name, function in BUILT_IN.items()},
    **{name: inspect.Signature([inspect.Parameter(argument, _ONE)]) for name, argument in ACTS.items()},
}


def fits(name: str, args: Collection[object], named: Mapping[str, object]) -> bool:
    """Whether the function, of those here, takes these arguments."""
    try:
        _SIGNATURES[name].bind(*args, **named)
    except TypeError:
        return False
    return True


def takes(name: str) -> str:
    """The arguments of a function, as one writes them: `number, [digits]`."""
    parameters = _SIGNATURES[name].parameters.values()
    return ", ".join(each.name if each.default is each.empty else f"[{each.name}]" for each in parameters)
