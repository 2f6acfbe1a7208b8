"""Labels break where a reader expects it and always fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.layout.lettering import block, width, wrap

texts = st.text(st.sampled_from("调查满意度方案，。（）abcXYZ 15-/\n"), max_size=40)


def test_chinese_breaks_anywhere_and_latin_at_spaces() -> None:
    assert wrap("顾客满意度调查", 60) == ("顾客满意", "度调查")
    assert wrap("Check the roster", 80) == ("Check the", "roster")
    assert wrap("填写 QR-07 表", 60) == ("填写", "QR-07 表")


def test_punctuation_stays_with_its_text() -> None:
    assert wrap("调查方案，完", 56) == ("调查方", "案，完")
    assert wrap("问卷（QR-07）", 45) == ("问卷", "（QR-07）") or wrap("问卷（QR-07）", 70) == (
        "问卷",
        "（QR-07）",
    )


def test_the_lines_of_a_label_are_about_equally_long() -> None:
    assert block("编制年度调查计划书", 112).lines == ("编制年度调", "查计划书")


@given(texts, st.integers(20, 200))
def test_no_line_is_longer_than_allowed_and_nothing_is_lost(text: str, limit: int) -> None:
    lines = wrap(text, limit)
    assert all(width(line) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(texts, st.integers(20, 200))
def test_a_block_is_never_higher_than_the_plain_lines(text: str, limit: int) -> None:
    made = block(text, limit)
    assert len(made.lines) == len(wrap(text, limit))
    assert all(width(line) <= made.width for line in made.lines)
