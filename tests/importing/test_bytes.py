"""Whatever is not translated keeps every byte."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Invalid, Misbuilt
from engine.importing import take_in
from engine.importing.source import Source
from tests.importing.diagrams import CAMUNDA, FILES, choice

SIGNS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="&<>\"'-?]￾￿"), max_size=8
)
GAPS = st.sampled_from([" ", "  ", "\n    ", "\r\n\t", "\t"])
REMARKS = st.one_of(
    st.just(""),
    SIGNS.map(lambda text: f"<!-- <task id='x'> {text} -->"),
    SIGNS.map(lambda text: f"<?tool {text}?>"),
    GAPS,
)
QUOTES = st.sampled_from("\"'")


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A file as text and one with a condition in its place: quotes, gaps, remarks and CDATA as they come."""

    def tag(name: str, *attributes: str, end: str = "") -> str:
        text = f"<{name}"
        for attribute in draw(st.permutations(attributes)):
            key, _, value = attribute.partition("=")
            quote = draw(QUOTES)
            equals = draw(st.sampled_from(["=", " = "]))
            text += f"{draw(GAPS)}{key}{equals}{quote}{value}{quote}"
        return text + draw(st.sampled_from(["", " ", "\n"])) + end + ">"

    before, after = draw(
        st.sampled_from(
            [
                ("${a &gt; 1}", "a &gt; 1"),
                ("<![CDATA[${a > 1}]]>", "<![CDATA[a > 1]]>"),
                ("\n  #{a &#62; 1} ", "\n  a &gt; 1 "),
            ]
        )
    )
    name = draw(SIGNS)
    pieces = [
        tag("definitions", "xmlns=http://www.omg.org/spec/BPMN/20100524/MODEL", f"xmlns:c={CAMUNDA}", "id=d"),
        tag("process", "id=main", "isExecutable=true"),
        tag("startEvent", "id=begin", f"name={name}", end="/"),
        tag("task", "id=gate", "default=no", f"name=&#x4E2D;{name}"),
        f"<documentation><![CDATA[{name} ${{x}} </task>]]></documentation></task >",
        tag("endEvent", "id=end", end="/"),
        tag("sequenceFlow", "id=in", "sourceRef=begin", "targetRef=gate", end="/"),
        tag("sequenceFlow", "id=no", "sourceRef=gate", "targetRef=end", end="/"),
        tag("sequenceFlow", "id=yes", "sourceRef=gate", "targetRef=end"),
        "<conditionExpression>\0</conditionExpression></sequenceFlow>",
        "</process></definitions>",
    ]
    text = "".join(piece + draw(REMARKS) for piece in pieces)
    return text.replace("\0", before), text.replace("\0", after)


@settings(max_examples=40)
@given(files(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030", "iso-8859-1"]))
def test_only_the_translated_place_differs(texts: tuple[str, str], encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    before, after = (
        (f'<?xml version="1.0" encoding="{declared}"?>\n' + text).encode(encoding, "xmlcharrefreplace")
        if "?tool" not in text and "<!--" not in text and "CDATA" not in text
        else (f'<?xml version="1.0" encoding="{declared}"?>\n' + text).encode(encoding, "ignore")
        for text in texts
    )
    assert take_in(before, "tried").diagram == after


@settings(max_examples=25)
@given(files())
def test_a_file_without_edits_comes_back_as_it_was(texts: tuple[str, str]) -> None:
    xml = texts[0].encode()
    assert Source(xml).edited() == xml


@pytest.mark.parametrize("encoding", ["GBK", "GB2312", "GB18030", "UTF-16"])
def test_chinese_encodings_and_their_bytes_are_kept(encoding: str) -> None:
    text = choice("${意见 == '同意'}").decode().replace("流程", "采购审批").replace("UTF-8", encoding)
    found = take_in(text.encode(encoding), "tried")
    assert found.diagram == text.replace("${意见 == '同意'}", '意见 == "同意"').encode(encoding)
    assert "采购审批" in found.procedure


def test_a_sign_that_the_encoding_lacks_becomes_a_reference() -> None:
    text = (
        choice("${a == '&#x674E;' &amp;&amp; b}").decode().replace("UTF-8", "ISO-8859-1").replace("流程", "p")
    )
    found = take_in(text.encode("latin-1"), "tried")
    assert b'a == "&#26446;" and b</conditionExpression>' in found.diagram


def test_line_ends_and_the_byte_order_mark_stay_also_where_lines_are_added() -> None:
    xml = codecs.BOM_UTF8 + (FILES / "camunda7.bpmn").read_bytes().replace(b"\n", b"\r\n")
    after = take_in(xml, "leave").diagram
    assert after.startswith(codecs.BOM_UTF8 + b"<?xml")
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_comment_inside_an_expression_is_not_lost() -> None:
    xml = choice("${a <!-- why --> }")
    found = take_in(xml, "tried")
    assert found.diagram == xml
    assert [row.element for row in found.rows if row.outcome == "refused"] == ["yes"]


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"\xff\xfe\x00",
        b"not xml",
        b"<html/>",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b'<?xml version="1.0" encoding="UTF-8"?><a>\xd6\xd0</a>',
        b"<a>" * 100_000,
    ],
)
def test_what_is_no_bpmn_file_is_refused_whole(xml: bytes) -> None:
    with pytest.raises(Misbuilt):
        take_in(xml, "tried")


def test_what_is_written_behind_the_only_line_that_goes_stands_in_its_place() -> None:
    xml = (FILES / "flowable.bpmn20.xml").read_bytes()
    listener = b'        <flowable:executionListener event="start" class="org.acme.Log"/>\n'
    assert listener in xml
    made = take_in(xml.replace(listener, b""), "tried").diagram.decode()
    assert (
        """      <extensionElements>
        <flowable:properties>
          <flowable:property name="flow.account" value="A&amp;B" />
        </flowable:properties>
      </extensionElements>
"""
        in made
    )


@given(st.binary(max_size=200), st.integers(0, 4000), st.integers(0, 40))
def test_a_damaged_file_is_imported_or_refused(noise: bytes, at: int, cut: int) -> None:
    xml = (FILES / "flowable.bpmn20.xml").read_bytes()
    try:
        found = take_in(xml[:at] + noise[:8] + xml[at + cut :], "tried")
    except (Misbuilt, Invalid):
        return
    assert found.rows
