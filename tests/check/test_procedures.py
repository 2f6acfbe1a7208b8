"""A procedure's folder is read whole, or every fault of every file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Misbuilt, NotFound
from engine.procedures import Change, Claim, bundle_hash, from_files, load
from tests.check.sample import CLAUSES, PLAN, PROCEDURE, files
from tests.decisions.tables import dmn, table


def laid_out(folder: Path, bundle: dict[str, bytes], name: str = "demo") -> tuple[Path, Path]:
    """The bundle as folders: the procedure's, and that of all forms."""
    home, forms = folder / "processes" / name, folder / "forms"
    for path, content in bundle.items():
        target = forms / name / path.removeprefix("forms/") if path.startswith("forms/") else home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return home, forms


def faults(bundle: dict[str, bytes]) -> list[str]:
    with pytest.raises(Misbuilt) as caught:
        from_files(bundle)
    assert all(each.remedy and each.file for each in caught.value.findings)
    return [str(each) for each in caught.value.findings]


def test_a_folder_and_its_stored_bundle_give_the_same_procedure(tmp_path: Path) -> None:
    loaded = load(*laid_out(tmp_path, files()))
    assert loaded.files == files()
    assert loaded == from_files(loaded.files)
    assert loaded.title.of("en") == "Demo"
    assert loaded.counting == "from"
    assert loaded.values == {"counting": "from", "target": 60}
    assert loaded.records["plan"].retention == "P3Y"
    assert set(loaded.forms) == {"plan", "verdict"}
    assert [clause.id for clause in loaded.clauses] == ["003G-1", "003G-2"]


def test_a_schedule_is_kept_as_a_rule_and_as_it_was_written() -> None:
    schedule = from_files(files()).schedules["quarter"]
    assert schedule.rule.every == "quarter"
    assert schedule.written == {
        "every": "quarter",
        "start": {"latest_fit": {"working_days": 15}, "preparation": "P14D"},
    }


def test_readmes_pictures_and_hidden_files_are_no_part_of_it(tmp_path: Path) -> None:
    home, forms = laid_out(tmp_path, files())
    for name in ("README.md", "demo.svg", ".demo.bpmn.swp.yaml"):
        (home / name).write_text("x")
    assert load(home, forms).files == files()


def test_templates_and_decision_tables_are_part_of_it(tmp_path: Path) -> None:
    more = files() | {"templates/notice/公示.txt": "公示".encode(), "rating.dmn": dmn(table([("1", "2")]))}
    assert load(*laid_out(tmp_path, more)).files == more


def test_a_folder_that_is_none_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"holds no procedure\.yaml"):
        load(tmp_path, tmp_path)


def test_the_folder_has_the_procedures_name(tmp_path: Path) -> None:
    with pytest.raises(Misbuilt, match="differs from the folder other"):
        load(*laid_out(tmp_path, files(), "other"))


def test_the_faults_of_all_files_are_listed_at_once() -> None:
    found = faults(
        files(
            procedure=PROCEDURE.replace("process: p\n", "proces: p\n"),
            form_plan=PLAN.replace("type: date", "type: dates"),
            clauses=CLAUSES.replace("level: must", "level: shall"),
        )
    )
    text = "\n".join(found)
    assert "procedure.yaml line 6: Unknown key proces. Did you mean process?" in text
    assert "forms/plan.yaml line 6: type cannot be dates" in text
    assert "clauses.yaml line 1: level cannot be shall" in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("id: demo", "id: Demo 1", "line 2: Demo 1 cannot be an id"),
        ("title: {zh: 演示, en: Demo}", "title: {en: Demo}", "line 4: zh is missing"),
        ("every: quarter", "every: fortnight", "line 8: every cannot be fortnight"),
        ("value: from,", "value: between,", "line 10: value cannot be between"),
        ("[from, after]", "[from, until]", "line 10: counting has other options"),
        ("  target: {value: 60,", "  target: {", "line 11: value is missing"),
        ("  target:", "  Target-1:", "line 11: Target-1 cannot be a name"),
        ("value: 60,", "value: 60, options: 70,", "line 11: options expects a list"),
        ("P3Y", "three years", "line 13"),
        ("records:", "recods:", "Did you mean records?"),
        ("P14D", "a while", "line 8"),
    ],
)
def test_a_fault_of_procedure_yaml_is_named_by_line(old: str, new: str, reason: str) -> None:
    assert old in PROCEDURE
    assert reason in "\n".join(faults(files(procedure=PROCEDURE.replace(old, new))))


def test_a_file_of_an_unknown_name_is_not_ignored() -> None:
    assert faults(files() | {"scenario.yaml": b""}) == [
        "scenario.yaml: A procedure has no file of this name. Delete it, or move it to templates"
    ]
    bundle = files()
    bundle["clause.yaml"] = bundle.pop("clauses.yaml")
    assert "Did you mean clauses.yaml?" in faults(bundle)[0]


@pytest.mark.parametrize("name", ["procedure.yaml", "demo.bpmn"])
def test_a_missing_file_is_named(name: str) -> None:
    assert f"{name}: The file is missing" in "\n".join(
        faults({k: v for k, v in files().items() if k != name})
    )


def test_a_form_is_named_like_its_file() -> None:
    bundle = files()
    bundle["forms/plan2.yaml"] = bundle.pop("forms/plan.yaml")
    assert "Name the file plan.yaml" in faults(bundle)[0]


def test_a_clause_stands_once() -> None:
    assert "The clause 003G-1 stands twice" in faults(files(clauses=CLAUSES.replace("003G-2", "003G-1")))[0]


def test_a_clause_declares_mutants_and_assertions() -> None:
    declared = (
        "mutant: [{element: agree, without: flow.due}, {together: [{field: plan.scope}, {element: write}]}], "
        "assert: [{record: minutes, is: {code: X}}], rules: [quarter]"
    )
    _, clause = from_files(files(clauses=CLAUSES.replace("rules: [quarter]", declared))).clauses
    assert clause.mutants == (
        (Change("element", "agree", "flow.due"),),
        (Change("field", "plan.scope"), Change("element", "write")),
    )
    assert clause.claims == (Claim("record", "minutes", {"code": "X"}),)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("mutant: [{element: a, record: b}]", "line 2: Exactly one part is named here"),
        ("mutant: [{parameter: a}]", "line 2: Nothing is changed here"),
        ("mutant: [{element: a, without: b, set: {c: 1}}]", "line 2: A change has both without and set"),
        ("mutant: [{element: a, sett: {c: 1}}]", "line 2: Unknown key sett. Did you mean set?"),
        ("mutant: [{element: a, set: [b]}]", "line 2: set expects keys with values"),
        ("assert: [{record: a}]", "line 2: Nothing is asserted here"),
        ("mutant: [{together: [{element: a}], element: b}]", "line 2: Unknown key element"),
    ],
)
def test_a_slip_in_a_mutant_or_an_assertion_is_named_with_its_line(declared: str, reason: str) -> None:
    [fault, *_] = faults(files(clauses=CLAUSES.replace("rules: [quarter]", f"rules: [quarter], {declared}")))
    assert reason in fault


def test_clauses_are_a_list() -> None:
    assert "no list of clauses" in faults(files(clauses="a: 1\n"))[0]


NAMES = st.text("ab/.", min_size=1, max_size=4)
BUNDLES = st.dictionaries(NAMES, st.binary(max_size=4), max_size=4)
CALLEES = st.lists(st.text("0af", max_size=3), max_size=3)


@given(BUNDLES, CALLEES, BUNDLES, CALLEES)
def test_bundles_have_the_same_hash_only_when_they_are_the_same(
    one: dict[str, bytes], calls: list[str], other: dict[str, bytes], others: list[str]
) -> None:
    same = one == other and set(calls) == set(others)
    assert (bundle_hash(one, calls) == bundle_hash(other, others)) == same


@given(BUNDLES, CALLEES)
def test_the_order_of_files_and_calls_does_not_matter(bundle: dict[str, bytes], calls: list[str]) -> None:
    again = dict(reversed(bundle.items()))
    assert bundle_hash(again, reversed(calls)) == bundle_hash(bundle, calls)


@given(st.sampled_from(sorted(files())), st.integers(0, 10_000), st.binary(max_size=6))
def test_a_damaged_file_is_refused_or_read_but_never_a_crash(name: str, place: int, noise: bytes) -> None:
    bundle = files()
    place %= len(bundle[name])
    bundle[name] = bundle[name][:place] + noise + bundle[name][place + len(noise) :]
    try:
        found = [str(each) for each in from_files(bundle).clauses]
    except Misbuilt as error:
        found = [str(each) for each in error.findings]
    assert found
