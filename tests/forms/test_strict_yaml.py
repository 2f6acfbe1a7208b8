"""What a YAML file may say, and how its faults are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Misbuilt
from engine.strict_yaml import MAX_BYTES, Document, load


def faults(text: bytes | str) -> list[str]:
    with pytest.raises(Misbuilt) as caught:
        load(text, "org.yaml")
    assert all(finding.level == "error" and finding.file == "org.yaml" for finding in caught.value.findings)
    return [str(finding).removeprefix("org.yaml ") for finding in caught.value.findings]


def test_values_are_plain_and_of_their_own_type():
    text = "a: 1\nb: 2.5\nc: true\nd: null\ne: 文字\nf: [1, '2', \"3\"]\ng: {h: -4}\n"
    text += "i: '2026-01-01'\nj: 08:30\nk: |\n  x\n"
    assert load(text, "org.yaml").value == {
        **{"a": 1, "b": 2.5, "c": True, "d": None, "e": "文字", "f": [1, "2", "3"], "g": {"h": -4}},
        **{"i": "2026-01-01", "j": "08:30", "k": "x\n"},
    }


def test_a_byte_order_mark_is_tolerated():
    assert load(b"\xef\xbb\xbfa: 1", "org.yaml").value == {"a": 1}


def test_a_document_knows_the_line_of_every_value_and_of_the_nearest_around_a_missing_one():
    document = load("a: 1\nb:\n  - x\n  - c: 1\n    d: 2\n", "org.yaml")
    assert [document.line(path) for path in [("a",), ("b",), ("b", 0), ("b", 1, "d")]] == [1, 2, 3, 5]
    assert document.line(("b", 1, "none", 7)) == 4
    assert document.line(("none",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3", 3, "line 1"),
        ("a: 2026-09-14", 1, 'Quote it: "2026-09-14"'),
        ("a: 2026-09-14 08:00:00", 1, "bare date"),
        ("a: yes", 1, "true or false"),
        ("a: No", 1, "true or false"),
        ("on: a", 1, "true or false"),
        ("a: TRUE", 1, "true or false"),
        ("a: 007", 1, 'Quote it ("007")'),
        ("a: 1_000", 1, "1_000"),
        ("a: 0x1F", 1, "0x1F"),
        ("a: 12:30", 1, 'Quote it ("12:30")'),
        ("a: [1:20:30]", 1, "1:20:30"),
        ("a: 003E-1", 1, "003E-1"),
        ("a: .inf", 1, ".inf"),
        ("a: +86", 1, "+86"),
        ("a: 110101199003070012", 1, "at most 15 digits"),
        ("a: &x 1", 1, "anchor"),
        ("a: *x", 1, "Write the value out"),
        ("a: !!str 1", 1, "tag"),
        ("<<: {a: 1}", 1, "merges"),
        ("1: a", 1, "is not text"),
        ("? [a]\n: b", 1, "is not text"),
        ("a:\n\tb: 1", 2, "tab"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: [1,\n", 2, "not YAML"),
        ("a: b: c", 1, "not YAML"),
        ("a: 1\nb: \x07", 2, "control character"),
        ('a: "\\UFFFFFFFF"', 1, "out of range"),
        ('a: "\\ud800"', 1, "Half a character"),
        ("a: 1\n名: 值".encode("gbk"), 2, "Save it as UTF-8"),
        ("a: 1".encode("utf-16"), 1, "Save it as UTF-8"),
        ("[" * 60, 1, "50 levels"),
        ("a: " + "x" * MAX_BYTES, 1, "Split it"),
    ],
)
def test_what_others_might_read_otherwise_is_refused_by_line(text, line, said):
    (fault,) = faults(text)
    assert fault.startswith(f"line {line}: ")
    assert said in fault


def test_all_faults_are_told_at_once():
    assert [fault.split(":")[0] for fault in faults("a: no\na: 1\nb: 2026-01-01\nc: [007, {d: off}]")] == [
        *("line 1", "line 2", "line 3", "line 4", "line 4"),
    ]


@given(st.one_of(st.text(), st.binary(), st.text("ab:-[]{}#&*!|>'\"%@`,? \n01.~<")))
def test_random_text_is_read_or_refused(text):
    try:
        told: object = load(text, "org.yaml")
    except Misbuilt as refusal:
        told = refusal.findings
    assert isinstance(told, Document) or told


def test_a_reader_gives_typed_values():
    reader = load(
        "t: a\nn: 3\nf: 1.5\nb: true\nk: x\nm: {z: 1}\nl: [{i: 1}, {i: 2}]\ns: [p, q]", "org.yaml"
    ).reader()
    assert reader.text("t") == "a"
    assert (reader.integer("n"), reader.integer("none", 7)) == (3, 7)
    assert (reader.optional_number("f"), reader.optional_number("n")) == (1.5, 3)
    assert reader.boolean("b") is True
    assert (reader.choice("k", ("x", "y")), reader.choice("none", ("x", "y"), "y")) == ("x", "y")
    assert [item.integer("i") for item in reader.mappings("l")] == [1, 2]
    assert reader.texts("s") == ("p", "q")
    assert reader.mapping("m").keys() == ["z"]
    assert reader.optional_mapping("none") is None
    assert reader.optional_text("none") is None
    reader.done()
    reader.raise_faults()


def test_a_reader_collects_every_fault_with_its_line_and_remedy():
    text = (
        "titel: x\nkind: tsk\nn: '3'\nversion: 2026.10\nxs: 3\nitems:\n  - {id: ' '}\n  - plain\ngroup: [1]\n"
    )
    reader = load(text, "org.yaml").reader()
    reader.text("title")
    reader.choice("kind", ("task", "questionnaire"))
    reader.integer("n")
    reader.text("version")
    reader.texts("xs")
    for item in reader.mappings("items"):
        item.text("id")
        item.done()
    reader.mapping("group").text("inside")
    reader.mapping("missing").text("inside")
    reader.done()
    with pytest.raises(Misbuilt) as caught:
        reader.raise_faults()
    assert str(caught.value).splitlines() == [
        "org.yaml line 1: title is missing. Add `title: …` here",
        "org.yaml line 1: missing is missing. Add `missing: …` here",
        "org.yaml line 1: Unknown key titel. Did you mean title?",
        "org.yaml line 2: kind cannot be tsk. Did you mean task?",
        "org.yaml line 3: n expects a whole number, found 3. Write digits without quotes",
        "org.yaml line 4: version expects text, found 2026.1. Write text, numbers in quotes",
        "org.yaml line 5: xs expects a list, found 3. Write each entry after `- `",
        "org.yaml line 7: id is blank. Write its text",
        "org.yaml line 8: 1 expects keys with values, found plain. Write each as `key: value`",
        "org.yaml line 9: group expects keys with values, found […]. Write each as `key: value`",
    ]


def test_an_empty_file_is_a_fault_of_the_file():
    with pytest.raises(Misbuilt, match=r"org\.yaml line 1"):
        load("# nothing\n", "org.yaml").reader().raise_faults()
