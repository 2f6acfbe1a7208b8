"""What is outside the language, and what to write instead: rows of (reason, remedy)."""

from __future__ import annotations

import ast
from typing import Final

FOREIGN_SIGNS: Final = {
    "&&": ("Line {line}, column {column}: `&&` is another language's spelling", "Write `and`"),
    "||": ("Line {line}, column {column}: `||` is another language's spelling", "Write `or`"),
    "!": ("Line {line}, column {column}: `!` is another language's spelling", "Write `not x`"),
    "===": ("Line {line}, column {column}: `===` is another language's spelling", "Write `==`"),
    "!==": ("Line {line}, column {column}: `!==` is another language's spelling", "Write `!=`"),
    "<>": ("Line {line}, column {column}: `<>` is another language's spelling", "Write `!=`"),
    "=>": ("Line {line}, column {column}: `=>` is another language's spelling", "Write `>=`"),
    "=<": ("Line {line}, column {column}: `=<` is another language's spelling", "Write `<=`"),
    "?": (
        "Line {line}, column {column}: `?` is another language's spelling",
        "Write `a if condition else b`",
    ),
    "`": ("Line {line}, column {column}: a backquote means nothing here", 'Put text in plain quotes: "text"'),
    "$": ("Line {line}, column {column}: `$` means nothing here", "Write the variable's name alone"),
}

BITWISE: Final[dict[type[ast.operator], tuple[str, str]]] = {
    ast.BitAnd: ("&", "Write `and`"),
    ast.BitOr: ("|", "Write `or`"),
    ast.BitXor: ("^", "Write `**` for a power, `!=` for either-or"),
    ast.LShift: ("<<", "Multiply by a power of 2"),
    ast.RShift: (">>", "Divide by a power of 2 with `//`"),
    ast.MatMult: ("@", "Write `*`"),
}

FOREIGN_NAMES: Final = {
    "true": "True",
    "false": "False",
    "null": "None",
    "nil": "None",
    "none": "None",
    "undefined": "None",
    "TRUE": "True",
    "FALSE": "False",
    "NULL": "None",
}

METHODS: Final = {
    "get": "get(mapping, key, default)",
    "length": "len(x)",
    "size": "len(x)",
    "equals": "a == b",
    "contains": "part in x",
    "containsKey": "key in mapping",
    "append": "x = x + [entry]",
    "add": "x = x + [entry]",
    "startswith": 'x[:2] == "ab"',
    "startsWith": 'x[:2] == "ab"',
    "endswith": 'x[-2:] == "yz"',
    "endsWith": 'x[-2:] == "yz"',
    "isEmpty": "not x",
    "getVariable": "the variable's name alone",
    "setVariable": "name = value",
}

_LOOP = "A script runs straight through: repeat in the diagram with a loop or a multi-instance task"
_BRANCH = "Branch in the diagram with a gateway, or write x = a if condition else b"
_REGISTER = "Register a function with the engine and call it by name"

REFUSED: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.Lambda: ("Line {line}, column {column}: a function cannot be made here", _REGISTER),
    ast.FunctionDef: ("Line {line}, column {column}: a function cannot be made here", _REGISTER),
    ast.AsyncFunctionDef: ("Line {line}, column {column}: a function cannot be made here", _REGISTER),
    ast.ClassDef: ("Line {line}, column {column}: a class cannot be made here", _REGISTER),
    ast.Import: ("Line {line}, column {column}: nothing can be imported here", _REGISTER),
    ast.ImportFrom: ("Line {line}, column {column}: nothing can be imported here", _REGISTER),
    ast.For: ("Line {line}, column {column}: a loop is not part of the language", _LOOP),
    ast.AsyncFor: ("Line {line}, column {column}: a loop is not part of the language", _LOOP),
    ast.While: ("Line {line}, column {column}: a loop is not part of the language", _LOOP),
    ast.ListComp: ("Line {line}, column {column}: a comprehension is not part of the language", _LOOP),
    ast.SetComp: ("Line {line}, column {column}: a comprehension is not part of the language", _LOOP),
    ast.DictComp: ("Line {line}, column {column}: a comprehension is not part of the language", _LOOP),
    ast.GeneratorExp: ("Line {line}, column {column}: a comprehension is not part of the language", _LOOP),
    ast.If: ("Line {line}, column {column}: an `if` statement is not part of the language", _BRANCH),
    ast.Match: ("Line {line}, column {column}: a `match` statement is not part of the language", _BRANCH),
    ast.Set: (
        "Line {line}, column {column}: a set is not a JSON value",
        'Write a list: [a, b]; for a mapping write pairs: {{"key": value}}',
    ),
    ast.Starred: (
        "Line {line}, column {column}: `*` cannot spread a list here",
        "Name the entries one by one, or join lists with +",
    ),
    ast.NamedExpr: (
        "Line {line}, column {column}: `:=` is not part of the language",
        "Write `==` to compare; assign in a script task",
    ),
    ast.JoinedStr: (
        "Line {line}, column {column}: a formatted text is not part of the language",
        'Join the parts: "total " + str(n)',
    ),
    ast.AnnAssign: ("Line {line}, column {column}: a type cannot be stated here", "Write x = value"),
    ast.Delete: ("Line {line}, column {column}: a variable cannot be deleted", "Set it to None: x = None"),
    ast.Return: (
        "Line {line}, column {column}: a script returns nothing",
        "Assign the value to a variable: result = value",
    ),
    ast.Try: (
        "Line {line}, column {column}: faults cannot be caught here",
        "Test first, with defined(), get() or `in`; or attach an error event in the diagram",
    ),
    ast.Raise: (
        "Line {line}, column {column}: a fault cannot be raised here",
        "End the path with an error event in the diagram",
    ),
}

OTHER: Final = (
    "Line {line}, column {column}: {construct} is not part of the language",
    "Use names, literals, x[key], comparisons, arithmetic, and/or/not, a if c else b and registered functions; "
    "in a script, assignments too",
)
