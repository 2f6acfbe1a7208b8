"""The operators of the language, and how entries of a value are taken and set.

They mean what they mean in Python, except that they never give a number that is not finite, a complex
number, or a value beyond the bounds of `faults`; what could grow fast is checked before it is computed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.expressions.copying import Copy
from engine.expressions.faults import (
    MAX_BITS,
    MAX_ENTRIES,
    MAX_TEXT,
    ExpressionFault,
    checked,
    kind,
    nearest,
    shown,
    text_key,
    too_large,
    too_long,
    too_many,
)


def is_number(value: object) -> bool:
    """Whether arithmetic applies; a truth value counts as 0 or 1, as in Python."""
    return isinstance(value, int | float)


def mismatch(sign: str, left: object, right: object) -> ExpressionFault:
    """The fault of two operands that do not go together."""
    return ExpressionFault(
        "Line {line}, column {column}: {sign} does not apply to {left} and {right}; "
        "convert one of them with str(), int() or float()",
        sign=sign,
        left=kind(left),
        right=kind(right),
    )


def _arithmetic(sign: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operation on two numbers, its faults in our words."""

    def apply(left: Any, right: Any) -> Any:
        if not (is_number(left) and is_number(right)):
            raise mismatch(sign, left, right)
        try:
            return checked(operation(left, right))
        except ZeroDivisionError:
            raise ExpressionFault("Line {line}, column {column}: division by zero") from None
        except OverflowError:
            raise too_large() from None

    return apply


_plus = _arithmetic("+", operator.add)
_times = _arithmetic("*", operator.mul)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return checked(left + right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return checked([*left, *right])
    return _plus(left, right)


def _multiply(left: Any, right: Any) -> Any:
    if isinstance(right, str | list | tuple):
        left, right = right, left
    if isinstance(left, str | list | tuple):
        if not isinstance(right, int):
            raise mismatch("*", left, right)
        return _repeat(left, right)
    return _times(left, right)


def _repeat(value: str | list[Any] | tuple[Any, ...], times: int) -> Any:
    # Checked before anything is made, and over all levels: repeating nested lists multiplies what they hold.
    if isinstance(value, str):
        if len(value) * times > MAX_TEXT:
            raise too_long()
        return value * times
    copy = Copy()
    copy.of(value)
    if copy.entries * times > MAX_ENTRIES:
        raise too_many()
    return list(value) * times


def _raise(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        # The result has more bits than this product, which says enough before anything is computed.
        if (base.bit_length() - 1) * exponent > MAX_BITS:
            raise OverflowError
        return base**exponent
    result = base**exponent
    if isinstance(result, complex):
        raise ExpressionFault(
            "Line {line}, column {column}: a negative number has no fractional power among the real numbers"
        )
    return result


ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": _add,
    "-": _arithmetic("-", operator.sub),
    "*": _multiply,
    "/": _arithmetic("/", operator.truediv),
    "//": _arithmetic("//", operator.floordiv),
    "%": _arithmetic("%", operator.mod),
    "**": _arithmetic("**", _raise),
}


def _ordered(sign: str, operation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison by size: two numbers, or two texts (so dates and times too)."""

    def apply(left: Any, right: Any) -> bool:
        if is_number(left) and is_number(right):
            return operation(left, right)
        if isinstance(left, str) and isinstance(right, str):
            return operation(left, right)
        raise mismatch(sign, left, right)

    return apply


def _contains(member: Any, container: Any) -> bool:
    if isinstance(container, list | tuple):
        return member in container
    if isinstance(container, dict):
        return text_key(member) in container
    if isinstance(container, str) and isinstance(member, str):
        return member in container
    raise ExpressionFault(
        "Line {line}, column {column}: {member} cannot be looked for in {container}; "
        "after `in` stands a list, a mapping or, for text, text",
        member=kind(member),
        container=kind(container),
    )


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": _contains,
    "not in": lambda member, container: not _contains(member, container),
    "is": operator.is_,
    "is not": operator.is_not,
}


def negated(value: Any) -> Any:
    """`-value`."""
    return -affirmed(value)


def affirmed(value: Any) -> Any:
    """`+value`."""
    if not is_number(value):
        raise ExpressionFault(
            "Line {line}, column {column}: a sign stands before a number, but this is {kind}",
            kind=kind(value),
        )
    return +value


def item(container: Any, key: Any) -> Any:
    """`container[key]`: an entry of a list, a character of text or the value under a mapping's key."""
    if isinstance(container, dict):
        if text_key(key) in container:
            return container[key]
        near = nearest(key, container)
        if near is not None:
            raise ExpressionFault(
                "Line {line}, column {column}: there is no key {key}; did you mean {near}?",
                key=shown(key),
                near=shown(near),
            )
        raise ExpressionFault(
            "Line {line}, column {column}: there is no key {key}; "
            "where it may be missing, write get(mapping, key, default)",
            key=shown(key),
        )
    if isinstance(container, list | tuple | str):
        return container[_position(container, key)]
    raise ExpressionFault(
        "Line {line}, column {column}: {kind} has no entries to take one from", kind=kind(container)
    )


def part(container: Any, start: Any, stop: Any, step: Any) -> Any:
    """`container[start:stop:step]` of a list or text."""
    if not isinstance(container, list | tuple | str):
        raise ExpressionFault(
            "Line {line}, column {column}: only a list or text can be cut, but this is {kind}",
            kind=kind(container),
        )
    for bound in (start, stop, step):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise ExpressionFault(
                "Line {line}, column {column}: where to cut is a whole number, but this is {kind}",
                kind=kind(bound),
            )
    if step == 0:
        raise ExpressionFault("Line {line}, column {column}: the step of a cut cannot be zero")
    cut = container[start:stop:step]
    return checked(list(cut) if isinstance(cut, tuple) else cut)


def put(container: Any, key: Any, value: Any) -> None:
    """`container[key] = value`, in place: replace a list's entry, or set a mapping's key."""
    if isinstance(container, dict):
        container[text_key(key)] = value
    elif isinstance(container, list):
        container[_position(container, key)] = value
    else:
        raise ExpressionFault(
            "Line {line}, column {column}: {kind} has no entries to set; assign the whole variable",
            kind=kind(container),
        )


def _position(container: list[Any] | tuple[Any, ...] | str, key: Any) -> int:
    if isinstance(key, bool) or not isinstance(key, int):
        raise ExpressionFault(
            "Line {line}, column {column}: a position in {container} is a whole number, but this is {kind}",
            container=kind(container),
            kind=kind(key),
        )
    if not -len(container) <= key < len(container):
        raise ExpressionFault(
            "Line {line}, column {column}: position {key} is outside {container} of length {length} "
            "(positions count from 0; add to a list with x = x + [entry])",
            key=shown(key),
            container=kind(container),
            length=len(container),
        )
    return key
