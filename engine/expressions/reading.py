"""From text to a Python syntax tree: size, brackets, foreign spellings and grammar, but not yet meaning.

The text is scanned before Python's parser sees it, for two reasons: the parser must not meet text that
could exhaust it, and a spelling from another expression language (Camunda's `${x}`, `&&`, full-width
punctuation) deserves a better answer than "invalid syntax".
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final, TypeVar

from engine.errors import Finding, Misbuilt
from engine.expressions.refusals import FOREIGN_SIGNS

MAX_SOURCE: Final = 10_000
"""Longest condition or script, in characters."""
MAX_DEPTH: Final = 100
"""Deepest nesting of brackets, and of the syntax tree."""
MAX_DIGITS: Final = 1_300
"""Longest number written out, in characters; the longest whole number a value may hold has fewer."""
MAX_FINDINGS: Final = 20
"""Faults listed for one text; more say nothing new."""

Place = tuple[int, int]
"""Line and column, both from 1, in characters of the text as written."""

_LEXEMES: Final = re.compile(
    r"""
      (?P<quotes>\"{3}|'{3})
    | (?P<prefix>(?<!\w)[rbuftRBUFT]{1,2}(?=["']))
    | (?P<text>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')
    | (?P<unclosed>["'])
    | (?P<comment>\#[^\n]*)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>0[xXbBoO]\w*|(?:[0-9]\w*(?:\.\w*)?|\.[0-9]\w*)(?:(?<=[eE])[+-]\w+)?)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<foreign>&&|\|\||===|!==|<>|=>|=<|!(?!=)|[?`$])
    | (?P<equals>(?<![=!<>:+\-*/%@&|^])=(?!=))
    | (?P<beyond>[^\x00-\x7f])
    """,
    re.VERBOSE | re.DOTALL,
)

# What Unicode does not itself fold into the plain character meant.
_PLAIN: Final = {
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("−–—", "-"),
    "、": ",",
    "。": ".",
    "【": "[",
    "】": "]",
    "《": "<",
    "》": ">",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "×": "*",
    "÷": "/",
}

_PARTS: Final = (ast.expr, ast.stmt, ast.keyword)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}

Tree = TypeVar("Tree", ast.Expression, ast.Module)


class Source:
    """One text, where its lines stand in what the parser was given, and the faults found so far."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.findings: list[Finding] = []
        self._lines = self.text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._parsed = self._lines
        self._shifts = [0] * len(self._lines)
        self._ends: dict[str, list[int]] = {}
        """Of lines beyond ASCII: where each character ends, in bytes."""
        self._bracketed: set[int] = set()

    def refuse(self, place: Place, template: str, remedy: str, **params: object) -> None:
        """Note a fault; file and element are for whoever knows them to fill in."""
        if len(self.findings) < MAX_FINDINGS:
            line, column = place
            params = {"line": line, "column": column, **params}
            self.findings.append(Finding("error", "", "", template, remedy, params))

    def settle(self) -> None:
        """Raise Misbuilt if any fault has been noted."""
        if self.findings:
            raise Misbuilt(self.findings)

    def place(self, node: ast.expr | ast.stmt | ast.keyword) -> Place:
        """Where a node begins."""
        line = self._parsed[node.lineno - 1]
        before = node.col_offset
        if not line.isascii():  # the parser counts columns in bytes of UTF-8
            if line not in self._ends:
                self._ends[line] = list(accumulate(len(each.encode()) for each in line))
            before = bisect_right(self._ends[line], before)
        return self._written(node.lineno, before + 1)

    def segment(self, node: ast.expr) -> str | None:
        """The node as written, if it stands on one line."""
        if node.end_lineno != node.lineno:
            return None
        return self._parsed[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()

    def parse_expression(self) -> ast.expr:
        """The tree of a condition; Misbuilt when it does not read as one. It may span lines."""
        self._scan(condition=True)
        # Brackets are known to balance, so the text cannot step out of this pair.
        self._parsed = ["(" + self._lines[0], *self._lines[1:], ")"]
        self._shifts = [-1, *[0] * len(self._lines)]
        return self._parse(lambda text: ast.parse(text, mode="eval")).body

    def parse_script(self) -> list[ast.stmt]:
        """The statements of a script; Misbuilt when it does not read as one.

        It may be indented as a whole. The first line often follows an XML tag directly, so the others
        alone tell the margin, but not those inside brackets, which may stand anywhere.
        """
        self._scan(condition=False)
        widths = [len(line) - len(line.lstrip(" \t")) for line in self._lines]
        margin = min(
            (
                width
                for number, (line, width) in enumerate(zip(self._lines, widths, strict=True), 1)
                if number > 1 and number not in self._bracketed and line.strip() and line[width] != "#"
            ),
            default=0,
        )
        self._shifts = [widths[0], *(min(width, margin) for width in widths[1:])]
        self._parsed = [line[shift:] for line, shift in zip(self._lines, self._shifts, strict=True)]
        return self._parse(ast.parse).body

    def _written(self, line: int, column: int) -> Place:
        """A place of the parsed text, in the text as written."""
        if line > len(self._lines):
            return self._at(len(self.text))
        return line, min(max(column + self._shifts[line - 1], 1), len(self._lines[line - 1]) + 1)

    def _at(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset, hi=len(self._lines))
        return line, offset - self._starts[line - 1] + 1

    def _parse(self, parse: Callable[[str], Tree]) -> Tree:
        try:
            tree = parse("\n".join(self._parsed))
        except IndentationError as error:
            self.refuse(
                self._written(error.lineno or 1, error.offset or 1),
                "Line {line}, column {column}: this line stands further in or out than the others",
                "Begin all lines at the same column; to branch or repeat, use the diagram",
            )
        except SyntaxError as error:
            self.refuse(
                self._written(error.lineno or 1, error.offset or 1),
                "Line {line}, column {column}: this cannot be read ({reason})",
                'Write a condition such as score >= 80 and city == "上海", or a script such as total = a + b',
                reason=error.msg,
            )
        except (RecursionError, MemoryError, SystemError):
            # The parser's answers to nesting it cannot follow; which one depends on Python's release.
            self._refuse_depth((1, 1))
        except ValueError as error:
            self.refuse(
                (1, 1),
                "Line {line}, column {column}: a character cannot be read ({reason})",
                "Remove control characters and broken characters",
                reason=error,
            )
        else:
            self._check_depth(tree)
            return tree
        raise Misbuilt(self.findings)

    def _check_depth(self, tree: ast.AST) -> None:
        level: list[ast.AST] = [tree]
        for _ in range(MAX_DEPTH):
            level = [child for node in level for child in _inside(node)]
            if not level:
                break
        for node in level:
            if isinstance(node, ast.expr):
                self._refuse_depth(self.place(node))
                break
        self.settle()

    def _refuse_depth(self, place: Place) -> None:
        self.refuse(
            place,
            "Line {line}, column {column}: this is nested deeper than {limit} levels",
            "Split it: assign parts to variables in a script",
            limit=MAX_DEPTH,
        )

    def _scan(self, *, condition: bool) -> None:
        """Refuse, before parsing, what the parser should not meet or could not explain."""
        if len(self.text) > MAX_SOURCE:
            self.refuse(
                (1, 1),
                "Line {line}, column {column}: the text has {length} characters; {limit} are allowed",
                "Move the calculation to a service task",
                length=len(self.text),
                limit=MAX_SOURCE,
            )
        elif wrapped := re.fullmatch(r"\s*[$#]\{([^{}]*)\}\s*", self.text):
            self.refuse(
                (1, 1),
                "Line {line}, column {column}: this is wrapped as Camunda's expressions are",
                "Write {inner}",
                inner=wrapped[1].strip(),
            )
        elif not re.sub(r"#[^\n]*", "", self.text).strip():
            remedy = "Write a condition, such as score >= 80" if condition else "Write `pass` to do nothing"
            self.refuse((1, 1), "Line {line}, column {column}: there is nothing to read here", remedy)
        else:
            self._scan_lexemes(condition=condition)
        self.settle()

    def _scan_lexemes(self, *, condition: bool) -> None:
        opened: list[tuple[str, int]] = []
        for lexeme in _LEXEMES.finditer(self.text):
            found, start = lexeme[0], lexeme.start()
            match lexeme.lastgroup:
                case "word" | "beyond":
                    if not found.isascii():
                        self._scan_characters(found, start)
                case "open":
                    opened.append((found, start))
                    if len(opened) > MAX_DEPTH:
                        return self._refuse_depth(self._at(start))
                case "close":
                    partner, began = opened.pop() if opened else ("", start)
                    if partner != _PAIRS[found]:
                        return self._refuse_bracket(self._at(start), found)
                    if not opened:
                        self._bracketed.update(range(self._at(began)[0] + 1, self._at(start)[0] + 1))
                case "quotes" | "prefix" | "unclosed":
                    # Where text begins and ends is uncertain from here on.
                    return self._refuse_quote(self._at(start), found)
                case "equals" if condition and not opened:
                    self.refuse(
                        self._at(start),
                        "Line {line}, column {column}: `=` assigns, and a condition assigns nothing",
                        "Write `==` to compare; leave out a leading `=`",
                    )
                case "foreign":
                    self.refuse(self._at(start), *FOREIGN_SIGNS[found])
                case "number":
                    self._scan_number(found, start)
                case "text":
                    self._scan_text(found, start)
        for bracket, start in opened[-1:]:
            self._refuse_bracket(self._at(start), bracket)
        return None

    def _refuse_bracket(self, place: Place, bracket: str) -> None:
        self.refuse(
            place,
            "Line {line}, column {column}: the bracket {bracket} has no partner",
            "Close each bracket with its own kind, innermost first",
            bracket=bracket,
        )

    def _refuse_quote(self, place: Place, found: str) -> None:
        if found in ('"', "'"):
            self.refuse(
                place,
                "Line {line}, column {column}: the text that begins here is not closed on its line",
                "Close it with the same quote; write \\n for a new line",
            )
        elif "f" in found.lower():
            self.refuse(
                place,
                'Line {line}, column {column}: a formatted text, f"", is not part of the language',
                'Join the parts: "total " + str(n)',
            )
        else:
            self.refuse(
                place,
                "Line {line}, column {column}: a text does not begin with {found} here",
                'Put text in plain quotes on one line: "text"; write \\n for a new line',
                found=found,
            )

    def _scan_number(self, found: str, start: int) -> None:
        if len(found) > MAX_DIGITS:
            self.refuse(
                self._at(start),
                "Line {line}, column {column}: the number is too large",
                "Write a smaller number",
            )
        elif not _is_number(found):
            # Python still splits `1if` in two, but has announced that it will not.
            self.refuse(
                self._at(start),
                "Line {line}, column {column}: {found} is not a number",
                "Put a space between a number and a word; a name begins with a letter",
                found=found[:40],
            )

    def _scan_text(self, literal: str, offset: int) -> None:
        for escape in re.finditer(r"\\(.)", literal, re.DOTALL):
            if escape[1] not in "\\'\"nrtux\n":
                self.refuse(
                    self._at(offset + escape.start()),
                    "Line {line}, column {column}: {escape} means nothing inside a text",
                    "Write \\\\ for a backslash, \\n for a new line",
                    escape=escape[0],
                )

    def _scan_characters(self, found: str, offset: int) -> None:
        """Refuse what only looks plain: Python folds it in names, and knows it nowhere else."""
        for index, character in enumerate(found):
            plain = _PLAIN.get(character) or unicodedata.normalize("NFKC", character)
            if plain != character:
                self.refuse(
                    self._at(offset + index),
                    "Line {line}, column {column}: {character} is not the plain character it looks like",
                    "Write {plain} with a half-width keyboard",
                    character=character,
                    plain=plain,
                )


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The statements, expressions and keywords that stand directly in a node."""
    for value in vars(node).values():
        if isinstance(value, list):
            yield from (each for each in value if isinstance(each, _PARTS))
        elif isinstance(value, _PARTS):
            yield value


def _is_number(found: str) -> bool:
    if found.isdecimal() and (len(found) == 1 or found[0] != "0"):
        return True
    for convert in (lambda text: int(text, 0), float):
        try:
            convert(found)
        except ValueError:
            continue
        return True
    return False
