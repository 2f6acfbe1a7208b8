"""Clauses and scenarios: each requirement of the source document is fulfilled by something that exists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from engine.check.roles import Called
from engine.check.view import View, meant
from engine.errors import Finding, Misbuilt
from engine.procedures import Clause
from engine.scenarios import WHOLE, Act, Scenario, read_scenarios

_RULE = "Name a schedule, parameter, record, decision, function or property in use, or a form's field as in plan.budget"


def clauses(view: View, called: Mapping[str, Called]) -> Iterator[Finding]:
    """Every clause names elements, rules and scenarios that there are, and is fulfilled by something.

    What a called process does may fulfil a clause too: its rules count, and courses name its elements.
    """
    try:
        courses = _scenarios(view)
    except Misbuilt as error:
        yield from error.findings
        return
    foreign = {
        node.called or "" for node in view.nodes if node.tag == "callActivity"
    } - view.diagram.processes.keys()
    seen = [called[name] for name in foreign if name in called]
    elements, rules = elements_of(view), rules_of(view).union(*(each.rules for each in seen))
    kinds: tuple[tuple[str, Callable[[Clause], tuple[str, ...]], Collection[str], str], ...] = (
        ("element", lambda clause: clause.elements, elements, "Name the id of an element of the diagram"),
        ("rule", lambda clause: clause.rules, rules, _RULE),
        ("scenario", lambda clause: clause.scenarios, courses, "Add it to scenarios.yaml"),
    )
    unseen = len(seen) < len(foreign)  # said where the call is; what fulfils a clause may be there
    for clause in view.procedure.clauses:
        if not (clause.elements or clause.rules):
            yield _of(clause, "Nothing fulfils the clause {clause}", "Name its elements or rules")
        for kind, named, known, otherwise in kinds:
            for name in named(clause):
                if name not in known and not (unseen and kind == "rule" and "." in name):
                    remedy, close = meant(name, known, otherwise)
                    template = "The clause {clause} names the {kind} {name}, which does not exist"
                    yield _of(clause, template, remedy, kind=kind, name=name, meant=close)
    there = elements.union(*(each.elements for each in seen))
    yield from _courses(courses, there, calls=unseen)


def _courses(courses: Mapping[str, Scenario], elements: Collection[str], *, calls: bool) -> Iterator[Finding]:
    """Courses name elements that there are; where some cannot be seen (`calls`), only slips are found."""
    for course in courses.values():
        named = [
            course.begin.event,
            *course.dues,
            *(each.element for each in course.steps if isinstance(each, Act)),
        ]
        for name in dict.fromkeys(named):
            if name not in (None, WHOLE, *elements):
                remedy, close = meant(str(name), elements, "Name the id of an element of the diagram")
                if calls and close is None:
                    continue
                template = "The scenario {scenario} names the element {name}, which does not exist"
                place, params = f"line {course.line}", {"scenario": course.id, "name": name, "meant": close}
                yield Finding("incomplete", "scenarios.yaml", place, template, remedy, params)


def _of(clause: Clause, template: str, remedy: str, **params: object) -> Finding:
    params = {"clause": clause.id, **params}
    return Finding("incomplete", "clauses.yaml", f"line {clause.line}", template, remedy, params)


def elements_of(view: View) -> set[str]:
    """The ids of everything in the processes that are run."""
    found = {name for each in view.processes for name in (each.id, *each.nodes, *each.flows)}
    return found | {lane.id for each in view.processes for lane in each.lanes}


def rules_of(view: View) -> set[str]:
    """What fulfils a clause besides elements, by the name that clauses.yaml gives it."""
    procedure = view.procedure
    found = {*procedure.schedules, *procedure.parameters, *procedure.records, *procedure.decisions}
    for form in procedure.forms.values():
        found |= {f"{form.id}.{each.id}" for each in form.questions}
    for name, value in (
        *(item for node in view.nodes for item in node.properties.items()),
        *(item for process in view.processes for item in process.properties.items()),
    ):
        found.add(name)
        if name in ("flow.handler", "flow.verify", "flow.collection"):
            found.add(value.strip())
    return found


def _scenarios(view: View) -> Mapping[str, Scenario]:
    document = view.procedure.scenarios
    return {} if document is None else read_scenarios(document).scenarios
