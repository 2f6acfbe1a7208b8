"""From the statements of a script to closures: assignment, calls and `pass`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.expressions.building import ExpressionBuilder
from engine.expressions.operators import item, put
from engine.expressions.reading import Source
from engine.expressions.running import Run
from engine.expressions.steps import Step, nothing


@dataclass(frozen=True, slots=True)
class _Target:
    """What is assigned to: a variable, or the entry that the keys lead to."""

    load: Callable[[Run, list[Any]], Any]
    store: Callable[[Run, list[Any], Any], None]
    keys: list[Step]

    def path(self, run: Run) -> list[Any]:
        """The keys' values, computed once for both load and store."""
        return [key(run) for key in self.keys]


class ScriptBuilder(ExpressionBuilder):
    """Builds a script's closures; notes also which variables it assigns."""

    acts = True

    def __init__(self, source: Source, functions: frozenset[str]) -> None:
        super().__init__(source, functions)
        self._statements: dict[type[ast.stmt], Callable[[Any], Step]] = {
            ast.Assign: self._assign,
            ast.AugAssign: self._augment,
            ast.Expr: self._bare,
            ast.Pass: lambda _node: nothing,
        }

    def statement(self, node: ast.stmt) -> Step:
        """The step that carries out this statement."""
        build = self._statements.get(type(node))
        return build(node) if build else self.refuse_kind(node)

    def _assign(self, node: ast.Assign) -> Step:
        value = self.expression(node.value)
        targets = [self._target(target) for target in node.targets]

        def assign(run: Run) -> None:
            result = value(run)
            for target in targets:
                target.store(run, target.path(run), result)

        return assign

    def _augment(self, node: ast.AugAssign) -> Step:
        if isinstance(node.target, ast.Name) and node.target.id not in self.assigns:
            self.names.add(node.target.id)
        operate, value = self.operation(node), self.expression(node.value)
        target = self._target(node.target)

        def augment(run: Run) -> None:
            path = target.path(run)
            target.store(run, path, operate(run, target.load(run, path), value(run)))

        return augment

    def _target(self, node: ast.expr) -> _Target:
        keys: list[Step] = []
        root = node
        while isinstance(root, ast.Subscript) and not isinstance(root.slice, ast.Slice):
            keys.insert(0, self.key(root))
            root = root.value
        if not isinstance(root, ast.Name):
            self._refuse_target(root)
            return _Target(lambda _run, _path: None, lambda _run, _path, _value: None, [])
        name = root.id
        if self.may_name(root):
            if keys and name not in self.assigns:
                self.names.add(name)
            self.assigns.add(name)

        def load(run: Run, path: list[Any]) -> Any:
            value = run.read(name)
            for key in path:
                value = item(value, key)
            return value

        def store(run: Run, path: list[Any], value: Any) -> None:
            if path:
                # On a copy, so that neither the caller's variables nor another variable's value change.
                whole = run.settled(run.read(name))
                container = whole
                for key in path[:-1]:
                    container = item(container, key)
                put(container, path[-1], value)
                value = whole
            run.changes[name] = run.settled(value)

        return _Target(self.at(node, load), self.at(node, store), keys)

    def _refuse_target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Attribute):
            self.expression(node)
        else:
            self.refuse(
                node,
                "Line {line}, column {column}: only a variable or one of its entries can be assigned",
                "Write name = value, one name a line",
            )

    def _bare(self, node: ast.Expr) -> Step:
        if isinstance(node.value, ast.Call):
            return self.expression(node.value)
        return self.refuse(
            node,
            "Line {line}, column {column}: this line computes a value and drops it",
            "Assign it: name = value",
        )
