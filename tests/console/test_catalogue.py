"""The catalogue of messages is complete, sound and compiled."""

from __future__ import annotations

import ast
import gettext
from string import Formatter

import pytest

from tests.console import catalogue


def names(text: str) -> set[str]:
    """The parameters of a template."""
    return {name.partition("!")[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_text_of_the_code_has_a_translation() -> None:
    known = {message.id for message in catalogue.read() if message.string}
    assert not sorted(set(catalogue.messages()) - known), "python -m tests.console.catalogue, then translate"


def test_no_translation_is_of_a_text_that_is_gone() -> None:
    assert not sorted({message.id for message in catalogue.read() if message.id} - set(catalogue.messages()))


def test_a_translation_uses_no_parameter_that_its_text_lacks() -> None:
    for message in catalogue.read():
        if message.id and "{" in message.id and "\n" not in message.id:
            assert names(str(message.string)) <= names(str(message.id)), message.id


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with catalogue.MO.open("rb") as file:
        spoken = gettext.GNUTranslations(file)
    for message in catalogue.read():
        if message.id:
            assert spoken.gettext(str(message.id)) == message.string, "python -m tests.console.catalogue"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise NotFound("There is no task {task}", task=1)', {"There is no task {task}"}),
        ('raise ValueError("There is no such thing")', set()),
        ('def f():\n    "A docstring of a function."', set()),
        ('x = ("是", "It is so")', set()),
        ('conn.execute("SELECT x FROM y")', set()),
        ('reason = "Delete it, or keep it"', {"Delete it, or keep it"}),
    ],
)
def test_sentences_are_told_from_other_texts(code: str, found: set[str]) -> None:
    assert set(catalogue.of_engine(ast.parse(code))) == found
