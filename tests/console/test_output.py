"""What is printed: widths of Chinese, colour, languages."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cli
from console import language, output
from tests.console.conftest import Terminal

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Mn", "Me", "Cf", "Zl", "Zp")), max_size=60
)


@given(TEXT, st.integers(1, 40))
def test_a_clipped_text_fits_its_cells(text: str, cells: int) -> None:
    assert output.width(output.clip(text, cells)) <= cells


@given(TEXT.filter(lambda text: text.split() == [text]), st.integers(4, 40))
def test_a_wrapped_text_keeps_every_character(text: str, cells: int) -> None:
    assert "".join(output.wrap(text, cells)) == text


def test_chinese_wraps_within_the_width_and_never_begins_a_line_with_a_comma() -> None:
    lines = output.wrap("把填好的表单交上去，缺少的内容会在终端里逐项询问，直到全部合格。" * 3, 20)
    assert all(output.width(line) <= 22 for line in lines)
    assert not [line for line in lines if line[0] in "，。"]


def test_columns_are_aligned_by_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("ID", "Name"), [("SV-1", "采购"), ("SV-12", "b"), ("第一", "c")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.index(name) if line.isascii() else output.width(line.partition(name)[0]) for line, name in
            zip(lines, ("Name", "采购", "b", "c"), strict=True)] == [7, 7, 7, 7]  # fmt: skip


def test_no_colour_goes_into_a_pipe(started: Terminal) -> None:
    assert "\x1b" not in started("instance", "view", "SV-1").output


def test_no_color_is_heeded_at_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    monkeypatch.setattr("click.utils.should_strip_ansi", lambda _stream, color: color is False)
    output.echo(click.style("red", fg="red"))
    assert "\x1b" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    output.echo(click.style("red", fg="red"))
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "environment", "expected"),
    [
        (["--lang", "en"], {"FLOW_LANG": "zh"}, "en"),
        (["task", "--lang=zh"], {}, "zh"),
        (["--", "--lang", "en"], {"FLOW_LANG": "zh"}, "zh"),
        ([], {"FLOW_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LC_ALL": "zh_TW.UTF-8", "LANG": "de_DE"}, "zh"),
        ([], {"LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LANG": "C.UTF-8"}, None),
        ([], {}, None),
    ],
)
def test_the_language_is_the_one_asked_for_first(
    args: list[str], environment: dict[str, str], expected: str | None
) -> None:
    assert language.wanted(args, environment) == expected


def test_without_a_wish_the_workspace_decides_the_language(flow: Terminal) -> None:
    flow.env = {"FLOW_LANG": ""}
    assert "最紧急的在前" in flow("task", "list", "--help").output
    toml = flow.folder / "flow.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"zh"', '"en"'), encoding="utf-8")
    assert "most urgent first" in flow("task", "list", "--help").output


def test_errors_are_told_in_chinese_usage_too() -> None:
    assert "用法" in CliRunner().invoke(cli.flow, ["task", "nothing", "--lang", "zh"]).stderr
    missing = CliRunner().invoke(
        cli.flow, ["task", "view", "what", "--lang", "zh"], env={"FLOW_HOME": "/nowhere"}
    )
    assert "FLOW_HOME 指向 /nowhere" in missing.stderr
