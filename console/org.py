"""`flow org`: units, roles, people, who holds what and who stands in for whom."""

from __future__ import annotations

from pathlib import Path

import click

from console import output
from console.language import Messages
from console.output import Cell
from console.session import Session
from console.shape import group, option
from engine.errors import NotFound


@group("org", example="flow org import\nflow org show --unit office-1")
def org() -> None:
    """The organisation: units, roles, people, substitutes."""


@org.command("show", example="flow org show --unit office-1")
@option("--unit", metavar="UNIT", help="Only who holds a role there.")
@option("--role", metavar="ROLE", help="Only who holds this role.")
@click.pass_obj
def show(session: Session, unit: str | None, role: str | None) -> None:
    """Show units, people with their roles, and substitutes, as the database has them."""
    from console.language import tr
    from engine.queries import organisation

    with session.read() as conn:
        found = organisation.organisation(conn)
    units = {each.id: each.name for each in found.units}
    chosen = [
        each
        for each in found.people
        if (unit is None and role is None)
        or any((unit is None or u == unit) and (role is None or r == role) for r, u in each.holdings)
    ]
    if session.json:
        output.dump(
            {"units": found.units, "roles": found.roles, "people": chosen, "substitutes": found.substitutes}
        )
        return
    output.table(
        ("Unit", "Name", "In", ""),
        [
            (
                Cell(each.id, dim=not each.active), Cell(each.name, dim=not each.active), each.parent,
                "" if each.active else tr("given up"),
            )
            for each in found.units
        ],
    )  # fmt: skip
    output.echo()
    rows = [
        (
            Cell(person.id, dim=not person.active),
            Cell(person.name, dim=not person.active),
            person.system_user,
            "; ".join(f"{found.roles.get(r, r)} @ {units.get(u, u)}" for r, u in person.holdings),
            ", ".join(person.permissions) if person.active else tr("left"),
        )
        for person in chosen
    ]
    output.table(("Person", "Name", "User", "Roles", "May"), rows, flexible=3)
    if found.substitutes:
        output.echo()
        names = {each.id: each.name for each in found.people}
        output.table(
            ("Person", "Substitute", "From", "To"),
            [
                (names.get(each.person), names.get(each.substitute), each.starts, each.ends)
                for each in found.substitutes
            ],
        )


@org.command("import", example="flow org import\nflow org import staff-2026.yaml")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def import_(session: Session, file: Path | None) -> None:
    """Make the database say what org.yaml (or FILE) says; journaled. Who is missing there becomes inactive."""
    from engine import strict_yaml
    from engine.commands.organisation import ImportOrganisation
    from engine.files import read_file

    source = file or session.workspace.org_file
    if source.is_dir() or not source.exists():  # a pipe, as /dev/stdin, will do
        raise NotFound("There is no file {file}", file=source)
    raw = read_file(source, strict_yaml.MAX_BYTES)
    found = session.do(
        ImportOrganisation(by=session.operator, document=strict_yaml.load(raw, source.name), raw=raw)
    )
    org_file = found.organisation
    counts = {"units": len(org_file.units), "roles": len(org_file.roles), "people": len(org_file.people)}
    if session.json:
        output.dump({
            **counts, "substitutes": len(org_file.substitutes), "left": found.left, "released": found.released,
            "paused": found.paused,
        })  # fmt: skip
        return
    output.say("Imported {people} people, {roles} roles, {units} units", **counts)
    for each in found.left:
        output.warn(
            _LEFT[each.kind],
            name=each.name,
            tasks=each.tasks,
            instances=each.instances,
            schedules=each.schedules,
        )
    if found.released:
        output.warn("Whoever had these tasks may no longer do them; they are free again: {tasks}",
                    tasks=", ".join(found.released))  # fmt: skip
    for procedure, unit in found.paused:
        output.warn(
            "{unit} is back, but {procedure} does not start there by the calendar yet: "
            "`flow schedule resume {procedure} --unit {unit} --reason …`",
            procedure=procedure, unit=unit,
        )  # fmt: skip


_LEFT: Messages = {
    "unit": "{name} is no longer in org.yaml and is given up: {tasks} open tasks and {instances} instances there "
    "go on, {schedules} schedules of it are paused",
    "role": "The role {name} is no longer in org.yaml: nobody holds it, and {tasks} open tasks wait for it",
    "person": "{name} is no longer in org.yaml and has left",
}
