"""A form as a list of prompts: what the command line asks, and what a printed form or the docs show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.forms.cleaning import visible
from engine.forms.form import Condition, Field, Form, Group, OptionValue, Test, Text

_KINDS = {
    "text": ("一行文字", "one line of text"),
    "long_text": ("文字", "text"),
    "integer": ("整数", "a whole number"),
    "number": ("数字", "a number"),
    "date": ("日期，如 2026-09-14", "a date, as 2026-09-14"),
    "datetime": ("日期和时间，如 2026-09-14 16:30", "date and time, as 2026-09-14 16:30"),
    "boolean": ("是或否", "yes or no"),
    "choice": ("选一项", "choose one"),
    "choices": ("可选多项", "choose any"),
    "person": ("人员编号", "a person's id"),
    "table": ("表格", "a table"),
    "matrix": ("每行选一项", "choose one in each row"),
    "info": ("", ""),
}
_LIMITS = {
    "min": ("至少 {}", "at least {}"),
    "max": ("至多 {}", "at most {}"),
    "min_length": ("不少于 {} 字", "{} characters or more"),
    "max_length": ("不超过 {} 字", "at most {} characters"),
    "not_before": ("不早于 {}", "not before {}"),
    "not_after": ("不晚于 {}", "not after {}"),
}
_OPERATORS = {
    "eq": ("{0} 为 {1}", "{0} is {1}"),
    "ne": ("{0} 不为 {1}", "{0} is not {1}"),
    "in": ("{0} 为 {1} 之一", "{0} is one of {1}"),
    "lt": ("{0} 小于 {1}", "{0} is below {1}"),
    "lte": ("{0} 不大于 {1}", "{0} is at most {1}"),
    "gt": ("{0} 大于 {1}", "{0} is above {1}"),
    "gte": ("{0} 不小于 {1}", "{0} is at least {1}"),
}
_JOINS = {"all": (" 且 ", " and "), "any": (" 或 ", " or "), "not": (" 或 ", " or ")}
_NOT = ("并非 {}", "not {}")
_ANSWERED = {True: ("{} 已填写", "{} is answered"), False: ("{} 未填写", "{} is not answered")}
_TODAY = ("今天", "today")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to ask or to show, its texts in one language."""

    name: str
    """What `clean` takes it under: `field` or `matrix.row`; a column's id inside a table."""
    type: str
    label: str
    help: str
    hint: str
    """Kind and limits of the answer, in words."""
    required: bool
    read_only: bool
    choices: tuple[tuple[OptionValue, str], ...]
    """(value, label) of each option."""
    when: str
    """The condition on which it is asked, in words; empty: always."""
    columns: tuple[Prompt, ...] = ()


def outline(form: Form, lang: str = "zh", values: Mapping[str, object] | None = None) -> tuple[Prompt, ...]:
    """The prompts of all fields, or, where there are `values`, of those visible after these answers.

    A matrix is one `info` prompt with its label, then one `choice` prompt for each row.
    """
    writer = _Writer(form, lang)
    fields = form.fields if values is None else visible(form, values)
    return tuple(prompt for field in fields for prompt in writer.prompts(field))


def asked_when(form: Form, name: str) -> Text:
    """The condition on which a field is asked, in words; empty: always."""
    condition = next(field.show_if for field in form.fields if field.id == name)
    return Text(
        *("" if condition is None else _Writer(form, lang).condition(condition) for lang in ("zh", "en"))
    )


class _Writer:
    """Writes the prompts of one form in one language."""

    def __init__(self, form: Form, lang: str) -> None:
        self.lang = lang
        self.column = 1 if lang.startswith("en") else 0
        """Of the pairs of words above."""
        self.fields = {field.id: field for field in form.fields}

    def prompts(self, field: Field) -> Iterator[Prompt]:
        prompt = Prompt(
            name=field.id,
            type=field.type,
            label=field.label.of(self.lang),
            help=field.help.of(self.lang) if field.help else "",
            hint=self.hint(field),
            required=field.required,
            read_only=field.read_only,
            choices=tuple((option.value, option.label.of(self.lang)) for option in field.options),
            when=self.condition(field.show_if) if field.show_if else "",
            columns=tuple(prompt for column in field.fields for prompt in self.prompts(column)),
        )
        if field.type != "matrix":
            yield prompt
            return
        yield replace(prompt, type="info", hint="", choices=(), required=False)
        for row in field.rows:
            name, label = f"{field.id}.{row.id}", row.label.of(self.lang)
            hint = _KINDS["choice"][self.column]
            yield replace(prompt, name=name, type="choice", label=label, help="", hint=hint)

    def hint(self, field: Field) -> str:
        parts = [_KINDS[field.type][self.column]]
        for attribute, words in _LIMITS.items():
            limit = getattr(field, attribute)
            if limit or (limit == 0 and attribute in ("min", "max")):
                parts.append(words[self.column].format(self.date(limit)))
        return ("；", "; ")[self.column].join(part for part in parts if part)

    def date(self, limit: object) -> object:
        """`today` and the form's own fields in words; a number, a date or a variable as it stands."""
        if limit == "today":
            return _TODAY[self.column]
        return self.label(limit) if isinstance(limit, str) and limit in self.fields else limit

    def label(self, path: str) -> str:
        name, _, row = path.partition(".")
        field = self.fields[name]
        labels = {item.id: item.label.of(self.lang) for item in field.rows}
        return labels[row] if row else field.label.of(self.lang)

    def condition(self, condition: Condition) -> str:
        if isinstance(condition, Test):
            return self.test(condition)
        parts = [self.condition(part) for part in condition.parts]
        if len(parts) > 1:
            parts = [
                f"({part})" if isinstance(inner, Group) else part
                for part, inner in zip(parts, condition.parts, strict=True)
            ]
        words = _JOINS[condition.kind][self.column].join(parts)
        return _NOT[self.column].format(words) if condition.kind == "not" else words

    def test(self, test: Test) -> str:
        options = {option.value: option.label.of(self.lang) for option in self.fields[test.path[0]].options}
        label = self.label(".".join(test.path))
        if test.operator == "answered":
            return _ANSWERED[bool(test.operand)][self.column].format(label)
        operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
        truth = {True: ("是", "yes"), False: ("否", "no")}
        words = [
            truth[item][self.column] if isinstance(item, bool) else str(options.get(item, item))
            for item in operands
        ]
        return _OPERATORS[test.operator][self.column].format(label, ("、", ", ")[self.column].join(words))
