"""Files that somebody might feed to the engine: models damaged at random, and worse ones made by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

from lxml import etree

from engine.config import shipped
from tests.bpmn.test_rules import GOOD
from tests.engine.drawing import diagram

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
HEAD = f'<definitions xmlns="{BPMN}" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">'
EVIL_TEXTS = (
    "", " ", "0", "-1", "9" * 400, "x" * 200_000, "P1D", "PT0S", "R/PT1S", "R0/P1D", "P99999999Y", "0001-01-01",
    "x +", "(" * 5000, "[" * 90 + "]" * 90, "not " * 3000 + "True", "９", "a\nb", "{x}", "{0.__class__}", "%s",
    "().__class__.__mro__", "__import__('os').system('true')", "x.__dict__", "getattr(x, 'y')", "eval('1')",
    "9 ** 9 ** 9 ** 9", "2 ** 100000", "'x' * 10 ** 12", "[0] * 10 ** 12", "len('x' * 99999) > 0", "1 / 0", "True",
    "False", "lambda: 0", "throw_error('E')", "int('9' * 5000)", "str(10 ** 1200)", "a = a", "x = [x, x]",
    "\u202e\u0000".replace("\u0000", ""), "\ud7ff", "𝒳 = 1", "main",
)  # fmt: skip


@cache
def models() -> tuple[tuple[str, bytes], ...]:
    """What is damaged: the shipped diagrams, the samples of the rules' tests, and some that use every construct."""
    files = sorted((shipped() / "processes").glob("*/*.bpmn"))
    found = [(file.stem, file.read_bytes()) for file in files]
    found += list(GOOD.items())
    return tuple(found) + tuple((f"drawn {place}", diagram(each)) for place, each in enumerate(DRAWN))


DRAWN = (
    """
    start s
    script zero do="n = 0"
    xor again
    user a
    boundary late on=a timer=PT1H soft
    boundary stop on=a message=stop
    script count do="n = n + 1"
    xor enough
    sub inner
      start is
      and split
      task b
      or fork
      task c
      task d
      or meet
      and join
      end ie
      is -> split -> b -> join -> ie
      split -> fork
      fork -> c : n > 0
      fork -> d : else
      c -> meet
      d -> meet -> join
    boundary failed on=inner error=E1
    end e
    end f
    s -> zero -> again -> a -> count -> enough
    enough -> again : n < 3
    enough -> inner : else
    inner -> e
    failed -> f
    late -> f
    stop -> f
    """,
    """
    start s
    user each times=3 gather=results:result
    call other calls=other
    choice first
    catch time timer=PT5M
    catch letter message=letter
    xor met
    throw tell signal=done
    event-sub alarm
      start as signal=done soft
      task at
      end ae escalation=E2
      as -> at -> ae
    transaction t
      start ts
      task pay
      boundary undo on=pay compensate=
      task repay undoes
      end te cancel
      undo ~> repay
      ts -> pay -> te
    boundary undone on=t cancel
    end e
    end e2 terminate
    s -> each -> other -> first
    first -> time -> met
    first -> letter -> met -> tell -> t -> e
    undone -> e2
    process other
    start s2
    task only
    end e3
    s2 -> only -> e3
    """,
)


def damaged(seed: int) -> tuple[str, bytes]:
    """One of the models, damaged in one to four places."""
    random = Random(seed)
    name, xml = random.choice(models())
    root = etree.fromstring(xml)
    done = []
    for _ in range(random.randint(1, 4)):
        harm = random.choice(_HARMS)
        harm(root, random)
        done.append(harm.__name__.strip("_"))
    written = etree.tostring(root)
    if random.random() < 0.25:
        spoil = random.choice(_SPOILINGS)
        written = spoil(written, random)
        done.append(spoil.__name__.strip("_"))
    return f"{seed} {name}: {', '.join(done)}", written


Harm = Callable[[etree._Element, Random], object]


def _elements(root: etree._Element) -> list[etree._Element]:
    return [each for each in root.iter("*") if each is not root]


def _attributes(root: etree._Element) -> list[tuple[etree._Element, str]]:
    return [(each, name) for each in root.iter("*") for name in each.attrib]


def _pick(found: list, random: Random) -> list:
    return [random.choice(found)] if found else []


def _part_missing(root: etree._Element, random: Random) -> None:
    for each in _pick(_elements(root), random):
        each.getparent().remove(each)


def _attribute_missing(root: etree._Element, random: Random) -> None:
    for each, name in _pick(_attributes(root), random):
        del each.attrib[name]


def _references_swapped(root: etree._Element, random: Random) -> None:
    ends = [pair for pair in _attributes(root) if pair[1].endswith(("Ref", "id", "default", "calledElement"))]
    for (one, name), (other, key) in zip(_pick(ends, random), _pick(ends, random), strict=True):
        one.attrib[name], other.attrib[key] = other.get(key), one.get(name)


def _wrong_value(root: etree._Element, random: Random) -> None:
    for each, name in _pick(_attributes(root), random):
        each.set(name, random.choice([text for text in EVIL_TEXTS if len(text) < 10_000]))


def _wrong_text(root: etree._Element, random: Random) -> None:
    texts = ("script", "conditionExpression", "loopCondition", "loopCardinality", "condition", "timeDuration")
    found = [each for each in _elements(root) if etree.QName(each).localname in texts] or _elements(root)
    for each in _pick(found, random):
        each.text = random.choice(EVIL_TEXTS)


def _moved(root: etree._Element, random: Random) -> None:
    for each, place in zip(_pick(_elements(root), random), _pick(_elements(root), random), strict=True):
        if each not in (place, *place.iterancestors()):
            place.append(each)


def _doubled(root: etree._Element, random: Random) -> None:
    for each in _pick(_elements(root), random):
        each.addnext(copy.deepcopy(each))


def _other_kind(root: etree._Element, random: Random) -> None:
    kinds = sorted({each.tag for each in _elements(root)})
    for each in _pick(_elements(root), random):
        each.tag = random.choice(kinds)


def _foreign(root: etree._Element, random: Random) -> None:
    for each in _pick(_elements(root), random):
        each.tag = f"{{http://example.org/foreign}}{etree.QName(each).localname}"


def _cycle(root: etree._Element, random: Random) -> None:
    flows = list(root.iter(f"{{{BPMN}}}sequenceFlow"))
    for one, other in zip(_pick(flows, random), _pick(flows, random), strict=True):
        one.set("targetRef", other.get("sourceRef") or "")


_HARMS: tuple[Harm, ...] = (
    _part_missing, _attribute_missing, _references_swapped, _wrong_value, _wrong_text, _moved, _doubled, _other_kind,
    _foreign, _cycle,
)  # fmt: skip


def _truncated(xml: bytes, random: Random) -> bytes:
    return xml[: random.randrange(len(xml))]


def _other_encoding(xml: bytes, random: Random) -> bytes:
    text = xml.decode("ascii")
    declared = random.choice(("utf-8", "utf-16", "gb18030", "ascii", "no-such", "utf-7"))
    head = f'<?xml version="1.0" encoding="{declared}"?>' if random.random() < 0.7 else ""
    return (head + text).encode(random.choice(("utf-8", "utf-16", "utf-32", "gb18030")))


def _nul_bytes(xml: bytes, random: Random) -> bytes:
    place = random.randrange(len(xml))
    return xml[:place] + b"\0" * random.randint(1, 9) + xml[place:]


def _flipped(xml: bytes, random: Random) -> bytes:
    written = bytearray(xml)
    for _ in range(random.randint(1, 8)):
        written[random.randrange(len(written))] = random.randrange(256)
    return bytes(written)


def _attribute_twice(xml: bytes, random: Random) -> bytes:
    return xml.replace(b' id="', b' id="twice" id="', random.randint(1, 3))


_SPOILINGS = (_truncated, _other_encoding, _nul_bytes, _flipped, _attribute_twice)


def by_hand() -> Iterator[tuple[str, bytes]]:
    """Files that no chance would make."""
    yield "nothing", b""
    yield "only a NUL", b"\0"
    yield "no XML", b"PK\x03\x04" + bytes(range(256)) * 40
    yield "another root", b"<html/>"
    yield "no namespace", b'<definitions><process id="main"><startEvent id="s"/></process></definitions>'
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'
    yield "an entity bomb", f'<?xml version="1.0"?>{doctype}{HEAD}<process id="&l9;"/></definitions>'.encode()
    yield "an entity bomb in UTF-16", f'<?xml version="1.0"?>{doctype}{HEAD}</definitions>'.encode("utf-16")
    outside = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    yield "an outside entity", f'{outside}{HEAD}<process id="main" name="&x;"/></definitions>'.encode()
    yield "nested 100,000 deep", (HEAD + "<subProcess>" * 100_000).encode()
    nested = "".join(f'<subProcess id="q{n}">' for n in range(900)) + "</subProcess>" * 900
    yield "sub-processes 900 deep", _file(nested)
    yield "10^6 ids", _file("".join(f'<task id="t{n}"/>' for n in range(1_000_000)))
    yield "5,000 tasks that nothing joins", _file("".join(f'<task id="t{n}"/>' for n in range(5_000)))
    yield "fifty thousand times the same id", _file('<task id="t"/>' * 50_000)
    yield "a huge name", _file(f'<startEvent id="s" name="{"n" * 3_000_000}"/>')
    yield "a huge attribute name", _file(f'<startEvent id="s" {"n" * 100_000}="1"/>')
    yield "an attribute twice", _file('<startEvent id="s" id="t"/>')
    yield "a prefix that is not declared", _file('<startEvent id="s" zeebe:x="1"/>')
    yield (
        "thousands of attributes",
        _file('<startEvent id="s" ' + " ".join(f'camunda:a{n}="1"' for n in range(20_000)) + "/>"),
    )
    yield "an id of signs", _file('<startEvent id="&lt;script&gt;{0}%s"/>')
    yield "every node leads to every other", diagram(
        "start s\nend e\n" + "\n".join(f"or x{n}" for n in range(8)) + "\ns -> x0\n"
        + "\n".join(f"x{a} -> x{b} : True" for a in range(8) for b in range(8)) + "\nx0 -> e : else"
    )  # fmt: skip
    for number, text in enumerate(EVIL_TEXTS):
        drawing = "start s\nscript a do=X\nxor x\nend e\nend f\ns -> a -> x\nx -> e : Y\nx -> f : else"
        root = etree.fromstring(diagram(drawing))
        for tag in ("script", "conditionExpression"):
            next(root.iter(f"{{{BPMN}}}{tag}")).text = text
        yield f"script and condition {number}", etree.tostring(root)
        root = etree.fromstring(
            diagram("start s\ncatch c timer=PT1H\nuser u times=2\nend e\ns -> c -> u -> e")
        )
        for tag in ("timeDuration", "loopCardinality"):
            next(root.iter(f"{{{BPMN}}}{tag}")).text = text
        yield f"timer and cardinality {number}", etree.tostring(root)


def _file(content: str) -> bytes:
    return f'{HEAD}<process id="main">{content}</process></definitions>'.encode()
