"""From an expression's syntax tree to closures: the whitelist. What has no method here is refused.

Each node becomes a function of a `Run`; nothing is ever handed to Python's own evaluation. A construct
outside the language is noted on the source with what to write instead, and building goes on, so that all
faults of a text are listed together.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Final

from engine.expressions.faults import MAX_BITS, MAX_NAME, ExpressionFault, nearest, text_key
from engine.expressions.functions import ACTS, BUILT_IN, fits, takes
from engine.expressions.operators import ARITHMETIC, COMPARISONS, affirmed, item, negated, part
from engine.expressions.reading import Source
from engine.expressions.refusals import BITWISE, FOREIGN_NAMES, METHODS, OTHER, REFUSED
from engine.expressions.running import Run
from engine.expressions.steps import COMPUTED, UNKNOWN, Part, Step, located, nothing, read, same

_SIGNS: Final[dict[type[ast.operator | ast.cmpop], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_TOO_LARGE: Final = 2**MAX_BITS


class ExpressionBuilder:
    """Builds one text's closures and notes which variables it reads."""

    acts: ClassVar[bool] = False
    """Whether the text may do something, beyond giving a value."""

    def __init__(self, source: Source, functions: frozenset[str]) -> None:
        self.source = source
        self.functions = functions
        self.names: set[str] = set()
        self.assigns: set[str] = set()
        self.unknown = 0  # how many variables it reads, and functions it calls
        self.parts: list[Part] = []
        self._builders: dict[type[ast.expr], Callable[[Any], Step]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Subscript: self._subscript,
            ast.Attribute: self._attribute,
            ast.BinOp: self._arithmetic,
            ast.UnaryOp: self._sign,
            ast.BoolOp: self._junction,
            ast.Compare: self._comparison,
            ast.IfExp: self._choice,
            ast.Call: self._call,
            ast.List: self._list,
            ast.Tuple: self._list,
            ast.Dict: self._mapping,
        }

    def expression(self, node: ast.expr) -> Step:
        """The step that computes this node."""
        build = self._builders.get(type(node))
        if build is None:
            return self.refuse_kind(node)
        unknown, parts = self.unknown, len(self.parts)
        step = build(node)
        if isinstance(node, UNKNOWN):
            self.unknown += 1
        elif unknown == self.unknown and isinstance(node, COMPUTED):
            self.parts[parts:] = [Part(node, self.settled(node, step))]
        return step

    def settled(self, node: ast.expr, step: Step) -> Step:
        """The step, its value a copy within the bounds."""
        return self.at(node, lambda run: run.settled(step(run)))

    def at(self, node: ast.expr | ast.stmt, operation: Callable[..., Any]) -> Callable[..., Any]:
        """The operation, its faults located at this node."""
        # A partial is one object where a closure is five, and a diagram may have half a million steps.
        return partial(located, operation, *self.source.place(node))

    def refuse(
        self, node: ast.expr | ast.stmt | ast.keyword, template: str, remedy: str, **params: object
    ) -> Step:
        """Note a fault; the result stands in for the step."""
        self.source.refuse(self.source.place(node), template, remedy, **params)
        return nothing

    def refuse_kind(self, node: ast.expr | ast.stmt) -> Step:
        """Refuse a kind of node that is not in the language."""
        template, remedy = REFUSED.get(type(node), OTHER)
        return self.refuse(node, template, remedy, construct=type(node).__name__)

    # Literals

    def _constant(self, node: ast.Constant) -> Step:
        value = node.value
        if isinstance(value, str):
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                return self.refuse(
                    node,
                    "Line {line}, column {column}: the text holds a character that cannot be stored",
                    "Leave out \\u0000, and \\ud800 to \\udfff",
                )
        elif isinstance(value, int | float):
            if abs(value) >= _TOO_LARGE:
                return self.refuse(
                    node, "Line {line}, column {column}: the number is too large", "Write a smaller number"
                )
        elif value is not None:
            return self.refuse(
                node,
                "Line {line}, column {column}: this is not a JSON value",
                "Write a number, text, True, False or None",
            )
        return partial(same, value)

    def _list(self, node: ast.List | ast.Tuple) -> Step:
        entries = [self.expression(entry) for entry in node.elts]
        return lambda run: [entry(run) for entry in entries]

    def _mapping(self, node: ast.Dict) -> Step:
        pairs: list[tuple[Callable[[Any], str], Step, Step]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self.refuse(
                    value,
                    "Line {line}, column {column}: `**` cannot spread a mapping here",
                    "Set its keys one by one",
                )
            else:
                pairs.append((self.at(key, text_key), self.expression(key), self.expression(value)))
        return lambda run: {as_key(key(run)): value(run) for as_key, key, value in pairs}

    # Variables and their entries

    def _name(self, node: ast.Name) -> Step:
        name = node.id
        if not self.may_name(node):
            return nothing
        if name not in self.assigns:
            self.names.add(name)
        return self.at(node, partial(read, name))

    def may_name(self, node: ast.Name) -> bool:
        """Whether a variable may be called that; if not, the fault is noted."""
        name = node.id
        if name in FOREIGN_NAMES:
            self.refuse(
                node,
                "Line {line}, column {column}: {name} is another language's spelling",
                "Write {plain}",
                name=name,
                plain=FOREIGN_NAMES[name],
            )
        elif name.startswith("__"):
            self.refuse(
                node,
                "Line {line}, column {column}: a name cannot begin with two underscores",
                "Choose another name",
            )
        elif len(name) > MAX_NAME:
            self.refuse(
                node,
                "Line {line}, column {column}: the name is longer than {limit} characters",
                "Choose a shorter name",
                limit=MAX_NAME,
            )
        else:
            return True
        return False

    def _attribute(self, node: ast.Attribute) -> Step:
        return self.refuse(
            node,
            "Line {line}, column {column}: `.{attribute}` reaches inside a value, which nothing here can",
            "Write {instead}",
            attribute=node.attr,
            instead=self._as_subscript(node),
        )

    def _as_subscript(self, node: ast.expr) -> str:
        """`a.b.c` as the language writes it: `a["b"]["c"]`."""
        if isinstance(node, ast.Attribute):
            return f'{self._as_subscript(node.value)}["{node.attr}"]'
        return self.source.segment(node) or "x"

    def _subscript(self, node: ast.Subscript) -> Step:
        container = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                self.expression(bound) if bound else nothing
                for bound in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            cut = self.at(node, lambda run, *args: run.made(part(*args)))
            return lambda run: cut(run, container(run), *[bound(run) for bound in bounds])
        key = self.key(node)
        take = self.at(node.slice, item)
        return lambda run: take(container(run), key(run))

    def key(self, node: ast.Subscript) -> Step:
        """The step that computes what stands between the brackets."""
        if isinstance(node.slice, ast.Tuple):
            return self.refuse(
                node.slice, "Line {line}, column {column}: one key at a time is taken", "Write x[a][b]"
            )
        return self.expression(node.slice)

    # Operators

    def operation(self, node: ast.BinOp | ast.AugAssign) -> Callable[[Run, Any, Any], Any]:
        """What the arithmetic operator does with two values."""
        if type(node.op) in BITWISE:
            sign, remedy = BITWISE[type(node.op)]
            self.refuse(
                node,
                "Line {line}, column {column}: the operator {sign} is not part of the language",
                remedy,
                sign=sign,
            )
            return lambda _run, _left, _right: None
        operate = ARITHMETIC[_SIGNS[type(node.op)]]
        return self.at(node, lambda run, left, right: run.made(operate(left, right)))

    def _arithmetic(self, node: ast.BinOp) -> Step:
        operate = self.operation(node)
        left, right = self.expression(node.left), self.expression(node.right)
        return lambda run: operate(run, left(run), right(run))

    def _sign(self, node: ast.UnaryOp) -> Step:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda run: not operand(run)
        if isinstance(node.op, ast.Invert):
            return self.refuse(
                node,
                "Line {line}, column {column}: the operator ~ is not part of the language",
                "Write `not`",
            )
        sign = self.at(node, negated if isinstance(node.op, ast.USub) else affirmed)
        return lambda run: sign(operand(run))

    def _junction(self, node: ast.BoolOp) -> Step:
        *heads, last = [self.expression(operand) for operand in node.values]
        stops_at = isinstance(node.op, ast.Or)

        def join(run: Run) -> Any:
            for operand in heads:
                value = operand(run)
                if bool(value) is stops_at:
                    return value
            return last(run)

        return join

    def _comparison(self, node: ast.Compare) -> Step:
        first = self.expression(node.left)
        links: list[tuple[Callable[[Any, Any], bool], Step]] = []
        for comparison, operand in zip(node.ops, node.comparators, strict=True):
            sign = _SIGNS[type(comparison)]
            if sign.startswith("is") and not (isinstance(operand, ast.Constant) and operand.value is None):
                self.refuse(
                    operand,
                    "Line {line}, column {column}: `{sign}` compares only with None",
                    "Write == or != for other values",
                    sign=sign,
                )
            links.append((self.at(operand, COMPARISONS[sign]), self.expression(operand)))

        def compare(run: Run) -> bool:
            left = first(run)
            for holds, operand in links:
                right = operand(run)
                if not holds(left, right):
                    return False
                left = right
            return True

        return compare

    def _choice(self, node: ast.IfExp) -> Step:
        condition, yes, no = (self.expression(each) for each in (node.test, node.body, node.orelse))
        return lambda run: yes(run) if condition(run) else no(run)

    # Calls

    def _call(self, node: ast.Call) -> Step:
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func)
        if not isinstance(node.func, ast.Name):
            return self.refuse(
                node.func,
                "Line {line}, column {column}: only a function's name can be called",
                "Write name(x)",
            )
        name = node.func.id
        if name not in self.functions and name == "defined":
            return self._defined(node)
        args = [self.expression(argument) for argument in node.args]
        named = self._named(node.keywords)
        registered = name in self.functions
        if not registered and name not in BUILT_IN:
            return self._unknown(node.func)
        if registered and name in ACTS and not self.acts:
            return self.refuse(
                node,
                "Line {line}, column {column}: only a script may call {name}()",
                "Call it in a script task",
                name=name,
            )
        if (name in ACTS or not registered) and not fits(name, args, named):
            return self.refuse(
                node,
                "Line {line}, column {column}: {name}() is called with other arguments than it takes",
                "Write {name}({takes})",
                name=name,
                takes=takes(name),
            )
        build = self._registered if registered else self._built_in
        return build(node, name, args, named)

    def _named(self, keywords: list[ast.keyword]) -> dict[str, Step]:
        named: dict[str, Step] = {}
        for keyword in keywords:
            if keyword.arg is None or keyword.arg in named:
                self.refuse(
                    keyword,
                    "Line {line}, column {column}: each argument is given once, by its own name",
                    "Write name=value",
                )
            else:
                named[keyword.arg] = self.expression(keyword.value)
        return named

    def _registered(self, node: ast.Call, name: str, args: list[Step], named: dict[str, Step]) -> Step:
        def call(run: Run) -> Any:
            if name not in run.functions:
                raise ExpressionFault(
                    "Line {line}, column {column}: the function {name} is not at hand here", name=name
                )
            # Copies both ways: a function can neither change a variable nor keep hold of one.
            values = [run.settled(step(run)) for step in args]
            named_values = {key: run.settled(step(run)) for key, step in named.items()}
            return run.settled(run.functions[name](*values, **named_values))

        return self.at(node, call)

    def _built_in(self, node: ast.Call, name: str, args: list[Step], named: dict[str, Step]) -> Step:
        function = BUILT_IN[name]

        def call(run: Run) -> Any:
            values = [run.made(step(run)) for step in args]
            return run.made(function(*values, **{key: step(run) for key, step in named.items()}))

        return self.at(node, call)

    def _defined(self, node: ast.Call) -> Step:
        match node:
            case ast.Call(args=[ast.Constant(value=str(name))], keywords=[]):
                return lambda run: run.has(name)
        return self.refuse(
            node,
            "Line {line}, column {column}: defined() takes one variable's name in quotes",
            'Write defined("name")',
        )

    def _method(self, node: ast.Attribute) -> Step:
        return self.refuse(
            node,
            "Line {line}, column {column}: `.{attribute}()` is a method, and values have none here",
            "Write {instead}",
            attribute=node.attr,
            instead=METHODS.get(node.attr, f"{node.attr}(x), with {node.attr} a registered function"),
        )

    def _unknown(self, node: ast.Name) -> Step:
        at_hand = sorted({*self.functions, *BUILT_IN, "defined"})
        near = nearest(node.id, at_hand)
        return self.refuse(
            node,
            "Line {line}, column {column}: there is no function {name}",
            "Write {near}" if near else "The functions here are {functions}",
            name=node.id[:MAX_NAME],
            near=near,
            functions=", ".join(at_hand),
        )
