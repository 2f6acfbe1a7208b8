"""The language of conditions and scripts in diagrams: a whitelisted part of Python's grammar.

A condition is one expression of names, literals, subscripts, comparisons, arithmetic, `and`/`or`/`not`,
`a if c else b` and calls of registered functions. A script is lines of `name = value`, `name["key"] = value`,
`name += value`, `pass` and calls. There is no attribute access, import, loop, comprehension or lambda.

Text is compiled once and run many times, by closures of our own: Python's `eval` is nowhere used. A text
outside the language raises Misbuilt, each fault with its place and what to write instead; a run that meets
a value it cannot work with raises ExpressionFault. Functions and variables have separate names, so a
variable may be called `round`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.errors import Misbuilt
from engine.expressions.building import ExpressionBuilder
from engine.expressions.faults import ExpressionFault, NotSet
from engine.expressions.reading import Source
from engine.expressions.running import Run
from engine.expressions.statements import ScriptBuilder
from engine.expressions.steps import Part, Step

__all__ = [
    "Expression",
    "ExpressionFault",
    "NotSet",
    "Script",
    "Texts",
    "compile_expression",
    "compile_script",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition."""

    text: str
    names: frozenset[str]
    """The variables it reads."""
    closed: bool
    """Whether it reads no variable and calls no function."""
    parts: tuple[Part, ...] = field(repr=False, compare=False)
    """The largest parts that do neither and compute something."""
    _step: Step = field(repr=False, compare=False)

    def evaluate(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
        """Its value, a JSON value that shares nothing with the variables.

        ExpressionFault when a value does not fit. What a registered function raises passes through unchanged.
        """
        return self._step(Run(variables, functions))


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled script."""

    text: str
    names: frozenset[str]
    """The variables it reads before it has set them itself."""
    assigns: frozenset[str]
    """The variables it sets."""
    parts: tuple[Part, ...] = field(repr=False, compare=False)
    """The largest parts that read no variable, call no function and compute something."""
    _steps: tuple[Step, ...] = field(repr=False, compare=False)

    def execute(
        self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> dict[str, Any]:
        """The variables it set, with their new values; `variables` itself is never changed.

        So a script that faults has changed nothing. Assignment copies: after `a = b`, setting `a["x"]`
        leaves `b` as it was. ExpressionFault when a value does not fit. What a registered function raises
        passes through unchanged.
        """
        run = Run(variables, functions)
        for step in self._steps:
            step(run)
        return run.changes


def compile_expression(text: str, functions: Collection[str]) -> Expression:
    """The condition in `text`, which may call `functions` besides the built-in ones.

    Misbuilt lists what is outside the language; its findings leave file and element for the caller.
    """
    source = Source(text)
    tree = source.parse_expression()
    builder = ExpressionBuilder(source, frozenset(functions))
    step = builder.expression(tree)
    source.settle()
    result = builder.settled(tree, step)
    return Expression(text, frozenset(builder.names), not builder.unknown, tuple(builder.parts), result)


def compile_script(text: str, functions: Collection[str]) -> Script:
    """The script in `text`, which may call `functions` besides the built-in ones.

    Misbuilt lists what is outside the language; its findings leave file and element for the caller.
    """
    source = Source(text)
    tree = source.parse_script()
    builder = ScriptBuilder(source, frozenset(functions))
    steps = tuple(builder.statement(node) for node in tree)
    source.settle()
    return Script(text, frozenset(builder.names), frozenset(builder.assigns), tuple(builder.parts), steps)


_Text = TypeVar("_Text", Expression, Script)


@dataclass(frozen=True, slots=True)
class Texts:
    """Many conditions and scripts, as those of a diagram, each compiled once however often it is asked for."""

    functions: frozenset[str] = frozenset()
    """What they may call besides the built-in functions."""
    _expressions: dict[str, Expression | Misbuilt] = field(default_factory=dict, repr=False, compare=False)
    _scripts: dict[str, Script | Misbuilt] = field(default_factory=dict, repr=False, compare=False)

    def expression(self, text: str) -> Expression:
        """The condition in `text`. Misbuilt as `compile_expression`."""
        return self._once(self._expressions, text, compile_expression)

    def script(self, text: str) -> Script:
        """The script in `text`. Misbuilt as `compile_script`."""
        return self._once(self._scripts, text, compile_script)

    def _once(
        self,
        known: dict[str, _Text | Misbuilt],
        text: str,
        compile_text: Callable[[str, Collection[str]], _Text],
    ) -> _Text:
        found = known.get(text)
        if found is None:
            try:
                found = compile_text(text, self.functions)
            except Misbuilt as refused:
                found = refused
            known[text] = found
        if isinstance(found, Misbuilt):
            raise Misbuilt(found.findings)
        return found
