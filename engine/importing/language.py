"""Simple expressions of other engines, written in our language so that they mean the same.

Two languages are read: that of Camunda 7 and its relatives (`${a > 3 && !empty b}`, Jakarta Expression
Language 3.0, 1.1 to 1.22) and the simple part of FEEL that Camunda 8 writes (`= a > 3 and b != null`; DMN
1.3, 10.3). They compare and compute alike where both sides are of one kind: a number with a number, a text
with a text. Where the other engine would turn one kind into the other, ours stops with a message; what would
pass silently and mean something else is refused here.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Misbuilt
from engine.expressions import compile_expression
from engine.importing.report import Refusal

_MOST_DEPTH = 40
_MOST = 5_000

_LEXEME = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|\*\*|[-+*/%<>!?:().,\[\]=])"
    r"|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)

_CHOICE, _OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _SIGNED, _TAKEN, _ATOM = range(10)

_OBJECTS = frozenset(
    {"execution", "task", "caseExecution", "delegateTask", "currentUser", "authenticatedUserId"}
)
_COUNTS = ("size", "length")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the translation, how tightly it binds, and whether it is a text literal."""

    text: str
    binds: int = _ATOM
    literal: bool = False

    def within(self, least: int) -> str:
        """As an operand that has to bind at least so tightly."""
        return self.text if self.binds >= least else f"({self.text})"


def translated(text: str, names: Mapping[str, str], functions: frozenset[str] = frozenset()) -> str:
    """One expression in our language, its variables renamed by `names`. Raises Refusal.

    `${…}` and `#{…}` are read as expression language, a text beginning with `=` as FEEL; any other has to
    be one of our language already, and is returned unchanged.
    """
    text = text.strip()
    if text.startswith("="):
        result = _Parser(text[1:], names, feel=True).whole()
    elif (inner := unwrapped(text)) is not None:
        result = _Parser(inner, names, feel=False).whole()
    elif "${" in text or "#{" in text:
        raise Refusal(
            "{text} joins text and expressions",
            "Compute the value in a script task before, and write the variable's name here",
            text=text[:60],
        )
    else:
        result = text
    try:
        expression = compile_expression(result, functions)
    except Misbuilt as error:
        finding = error.findings[0]
        raise Refusal(finding.template, finding.remedy_template, **finding.params) from None
    if result is text and any(name in names for name in expression.names):
        name = next(name for name in sorted(expression.names) if name in names)
        template = "The variable {name} is called {after} here"
        raise Refusal(template, "Write {after}", name=name, after=names[name])
    return result


def unwrapped(text: str) -> str | None:
    """What stands in `${…}` or `#{…}` when the text is one such expression."""
    text = text.strip()
    if text[:2] not in ("${", "#{") or not text.endswith("}"):
        return None
    inner = text[2:-1]
    outside = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", "", inner)
    return None if "{" in outside or "}" in outside else inner


class _Parser:
    """Reads by recursive descent and writes at once: no tree is needed in between."""

    def __init__(self, text: str, names: Mapping[str, str], *, feel: bool) -> None:
        if len(text) > _MOST:
            template = "The expression is longer than {limit} characters"
            raise Refusal(template, "Compute it in a script task before", limit=_MOST)
        self.text, self.names, self.feel = text, names, feel
        self.at = self.depth = 0
        self.kind = self.lexeme = ""
        self.advance()

    def whole(self) -> str:
        part = self.choice()
        if self.kind != "end":
            raise self.unread()
        return part.text

    # Tokens

    def advance(self) -> None:
        match = _LEXEME.match(self.text, self.at)
        assert match is not None
        self.kind, self.at = match.lastgroup or "", match.end()
        self.lexeme = match[self.kind]

    def next_is(self, *tokens: str) -> bool:
        return self.kind in ("sign", "word") and self.lexeme in tokens

    def accept(self, *tokens: str) -> str:
        lexeme = self.lexeme if self.next_is(*tokens) else ""
        if lexeme:
            self.advance()
        return lexeme

    def expect(self, lexeme: str) -> None:
        if not self.accept(lexeme):
            raise self.unread()

    def unread(self) -> Refusal:
        remedy = "Write the condition by hand, in the language of docs/formats.md"
        if self.kind == "end":
            return Refusal("The expression ends where something is missing", remedy)
        return Refusal("The expression cannot be read at {lexeme}", remedy, lexeme=self.lexeme[:40])

    # From the loosest to the tightest

    def choice(self) -> Part:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise Refusal("The expression is nested too deeply", "Compute it in a script task before")
        if self.feel and self.accept("if"):
            condition = self.choice()
            self.expect("then")
            yes = self.choice()
            self.expect("else")
            part = self.chosen(condition, yes, self.choice())
        else:
            part = self.either()
            if not self.feel and self.accept("?"):
                yes = self.choice()
                self.expect(":")
                part = self.chosen(part, yes, self.choice())
        self.depth -= 1
        return part

    def chosen(self, condition: Part, yes: Part, no: Part) -> Part:
        return Part(f"{yes.within(_OR)} if {condition.within(_OR)} else {no.within(_OR)}", _CHOICE)

    def either(self) -> Part:
        part = self.both()
        while self.accept("or") or (not self.feel and self.accept("||")):
            part = Part(f"{part.within(_OR)} or {self.both().within(_OR)}", _OR)
        return part

    def both(self) -> Part:
        part = self.equality()
        while self.accept("and") or (not self.feel and self.accept("&&")):
            part = Part(f"{part.within(_AND)} and {self.equality().within(_AND)}", _AND)
        return part

    def equality(self) -> Part:
        signs = {"=": "==", "!=": "!="} if self.feel else {"==": "==", "!=": "!=", "eq": "==", "ne": "!="}
        part = self.relation()
        while lexeme := self.accept(*signs):
            part = self.compared(part, signs[lexeme], self.relation())
        return part

    def relation(self) -> Part:
        signs = {sign: sign for sign in ("<", "<=", ">", ">=")}
        if not self.feel:
            signs |= {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
        part = self.sum()
        while lexeme := self.accept(*signs):
            part = self.compared(part, signs[lexeme], self.sum())
        return part

    def compared(self, left: Part, sign: str, right: Part) -> Part:
        # Ours would chain a < b < c; theirs compares the truth value of a < b with c.
        return Part(f"{left.within(_SUM)} {sign} {right.within(_SUM)}", _COMPARED)

    def sum(self) -> Part:
        part = self.product()
        while sign := self.accept("+", "-"):
            right = self.product()
            if not self.feel and (part.literal or right.literal):
                template = "`{sign}` takes texts for numbers in that language, and joins them in ours"
                raise Refusal(template, "Write by hand what is meant", sign=sign)
            part = Part(f"{part.within(_SUM)} {sign} {right.within(_PRODUCT)}", _SUM)
        return part

    def product(self) -> Part:
        words = () if self.feel else ("div", "mod", "%")
        part = self.unary()
        while lexeme := self.accept("*", "/", *words):
            if lexeme in ("%", "mod"):
                template = "The remainder of a negative number is another in that language than in ours"
                raise Refusal(template, "Where no number is negative, write `a % b`")
            sign = "*" if lexeme == "*" else "/"
            part = Part(f"{part.within(_PRODUCT)} {sign} {self.unary().within(_SIGNED)}", _PRODUCT)
        return part

    def unary(self) -> Part:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise Refusal("The expression is nested too deeply", "Compute it in a script task before")
        if self.accept("-"):
            part = Part(f"-{self.unary().within(_SIGNED)}", _SIGNED)
        elif not self.feel and self.accept("!", "not"):
            part = self.empty("not in") if self.accept("empty") else _negated(self.unary())
        elif not self.feel and self.accept("empty"):
            part = self.empty("in")
        else:
            part = self.taken()
        self.depth -= 1
        return part

    def empty(self, sign: str) -> Part:
        return Part(f'{self.unary().within(_SUM)} {sign} [None, "", [], {{}}]', _COMPARED)

    def taken(self) -> Part:
        part = self.primary()
        while True:
            if self.accept("."):
                name = self.lexeme
                if self.kind != "word":
                    raise self.unread()
                self.advance()
                part = self.method(part, name) if self.next_is("(") else self.entry(part, json.dumps(name))
            elif not self.feel and self.accept("["):
                part = self.entry(part, self.choice().text)
                self.expect("]")
            else:
                return part

    def entry(self, part: Part, key: str) -> Part:
        return Part(f"{part.within(_TAKEN)}[{key}]", _TAKEN)

    def primary(self) -> Part:
        kind, lexeme = self.kind, self.lexeme
        if self.accept("("):
            part = self.choice()
            self.expect(")")
            return Part(part.text, part.binds, part.literal)
        if kind == "number":
            self.advance()
            return Part(_number(lexeme))
        if kind == "text" and not (self.feel and lexeme[0] == "'"):
            self.advance()
            return Part(json.dumps(_unescaped(lexeme, feel=self.feel), ensure_ascii=False), literal=True)
        if kind != "word":
            raise self.unread()
        self.advance()
        if lexeme in ("true", "false", "null"):
            return Part({"true": "True", "false": "False", "null": "None"}[lexeme])
        if self.feel and lexeme == "not" and self.next_is("("):
            return _negated(self.primary())
        if self.next_is("("):
            raise _called(lexeme)
        if lexeme in _OBJECTS and not self.feel:
            if lexeme == "execution" and self.next_is("."):
                return self.execution()
            raise _object(lexeme)
        return Part(self.variable(lexeme))

    def variable(self, name: str) -> str:
        if not usable(self.names.get(name, name)):
            template = "A variable cannot be called {name} here"
            raise Refusal(template, "Give the variable another name, wherever it is set", name=name)
        return self.names.get(name, name)

    # What is called

    def arguments(self) -> list[Part]:
        self.expect("(")
        found: list[Part] = []
        while not self.accept(")"):
            if found:
                self.expect(",")
            found.append(self.choice())
        return found

    def method(self, part: Part, name: str) -> Part:
        """Those methods of texts, lists and maps that have a counterpart."""
        if self.feel:
            raise _called(name)
        given = self.arguments()
        if name in _COUNTS and not given:
            return Part(f"len({part.text})")
        if name == "isEmpty" and not given:
            return Part(f"len({part.text}) == 0", _COMPARED)
        if name in ("equals", "contains", "containsKey") and len(given) == 1:
            if name == "equals":
                return self.compared(part, "==", given[0])
            return Part(f"{given[0].within(_SUM)} in {part.within(_SUM)}", _COMPARED)
        raise _called(name)

    def execution(self) -> Part:
        """`execution.getVariable("x")` and `execution.hasVariable("x")`."""
        self.expect(".")
        name = self.lexeme
        self.advance()
        if name not in ("getVariable", "hasVariable") or not self.next_is("("):
            raise _object("execution")
        given = self.arguments()
        if len(given) != 1 or not given[0].literal:
            raise _object("execution")
        variable = self.variable(json.loads(given[0].text))
        asked = f"defined({json.dumps(variable, ensure_ascii=False)})"
        if name == "hasVariable":
            return Part(asked)
        return Part(f"{variable} if {asked} else None", _CHOICE)


def usable(name: str) -> bool:
    """Whether a variable may have this name in our language, spelt just so."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("__")
        and unicodedata.normalize("NFKC", name) == name
    )


def _negated(part: Part) -> Part:
    return Part(f"not {part.within(_NOT)}", _NOT)


def _number(text: str) -> str:
    return str(int(text)) if text.isdigit() else repr(float(text))


_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t"}


def _unescaped(text: str, *, feel: bool) -> str:
    """The text that a literal stands for. A backslash before anything that has no meaning with it is itself: in
    the expression language all but quotes and backslashes (Jakarta EL 3.0, 1.3), in FEEL fewer (DMN 1.3, 10.3.1.2).
    """

    def meant(match: re.Match[str]) -> str:
        after = match[1]
        if after in ("\\", '"', "'"):
            return after
        if feel and after in _SIGNS:
            return _SIGNS[after]
        if feel and len(after) > 1 and (code := int(after[1:], 16)) <= sys.maxunicode:
            return chr(code)
        return match[0]

    return _ESCAPED.sub(meant, text[1:-1])


def _called(name: str) -> Refusal:
    return Refusal(
        "{name}(…) calls a method or function, of which there is none here",
        "Compute the value in a script, or a function named in flow.handler, before; name its variable here",
        name=name,
    )


def _object(name: str) -> Refusal:
    template = "{name} is an object of the other engine"
    return Refusal(template, "Name a variable that the procedure sets", name=name)
